"""The entries of a tar, plain or packed, in one pass (pax, ustar and GNU's tar)."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import partial

from gallery.unpacking import (
    CUT_SHORT,
    DAMAGED,
    STREAMS,
    Broken,
    Budget,
    Packed,
    Pieces,
    Rest,
    decompressed,
    raw,
    spent,
)
from gallery.walk import Kind, storable

BLOCK = 512
# Names and dates that stand before an entry; no honest ones are longer.
LONGEST = 1 << 20  # bytes
_SPECIAL = {
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
}
_FOLDERS = (tarfile.DIRTYPE, b"D", b"V")


def entries(source: int, budget: Budget, *, packed: str = "") -> Iterator[Packed]:
    """Yield the entries of an open tar, folders left out.

    `packed` is a key of STREAMS. Raise Broken where it cannot be read any further.
    """
    pieces = raw(source, 0, os.fstat(source).st_size)
    if packed:
        pieces = spent(decompressed(pieces, STREAMS[packed], several=True), budget)
    stream = Pieces(pieces)
    said = _Said()
    while header := _header(stream):
        if header.type in _BEFORE:
            _BEFORE[header.type](said, _extension(stream, header))
            continue
        yield from _entry(stream, header, said)
        said = _Said(said.for_all)


READERS: dict[str, Callable[[int, Budget], Iterator[Packed]]] = {
    "tar": entries,
    **{f"tar.{one}": partial(entries, packed=one) for one in STREAMS},
}


def is_header(block: bytes) -> bool:
    """Whether a tar begins with this block."""
    try:
        tarfile.TarInfo.frombuf(block[:BLOCK], "utf-8", "surrogateescape")
    # What a block of something else does to it is not written down.
    except Exception:
        return False
    return True


def _header(stream: Pieces) -> tarfile.TarInfo | None:
    """The next header, None at the end, which two blocks of zeros mark."""
    block = stream.read(BLOCK)
    if len(block) == BLOCK and not block.strip(b"\0"):
        return None
    if len(block) < BLOCK:
        raise Broken(CUT_SHORT)
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError, OverflowError) as error:
        raise Broken(DAMAGED) from error


@dataclass(slots=True)
class _Said:
    """What stands before an entry about it, and for all that follow."""

    for_all: dict[bytes, bytes] = field(default_factory=dict)
    records: dict[bytes, bytes] = field(default_factory=dict)
    name: bytes = b""

    def long_name(self, text: bytes) -> None:
        self.name = text.rstrip(b"\0")

    def long_link(self, text: bytes) -> None:
        """Links are not followed, wherever they lead."""

    def pax(self, text: bytes) -> None:
        self.records |= _records(text)

    def pax_for_all(self, text: bytes) -> None:
        self.for_all |= _records(text)

    def get(self, keyword: bytes) -> bytes | None:
        return self.records.get(keyword, self.for_all.get(keyword))


_BEFORE: dict[bytes, Callable[[_Said, bytes], None]] = {
    tarfile.GNUTYPE_LONGNAME: _Said.long_name,
    tarfile.GNUTYPE_LONGLINK: _Said.long_link,
    tarfile.XHDTYPE: _Said.pax,
    tarfile.SOLARIS_XHDTYPE: _Said.pax,
    tarfile.XGLTYPE: _Said.pax_for_all,
}


def _extension(stream: Pieces, header: tarfile.TarInfo) -> bytes:
    if not 0 <= header.size <= LONGEST:
        raise Broken("refused: a name in it is longer than any name is")
    text = stream.read(header.size)
    if len(text) < header.size:
        raise Broken(CUT_SHORT)
    stream.skip(-header.size % BLOCK)
    return text


def _records(text: bytes) -> dict[bytes, bytes]:
    """The records of a pax header: "length keyword=value\\n". Raise Broken."""
    found = {}
    while text.rstrip(b"\0"):
        digits, _, _ = text[:21].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        keyword, equals, value = text[len(digits) + 1 : length].partition(b"=")
        if length < len(digits) + 3 or not equals:
            raise Broken(DAMAGED)
        found[keyword] = value.removesuffix(b"\n")
        text = text[length:]
    return found


def _entry(stream: Pieces, header: tarfile.TarInfo, said: _Said) -> Iterator[Packed]:
    name = said.get(b"path") or said.name
    name = name or header.name.encode("utf-8", "surrogateescape")
    size = _size(header, said)
    modified_ns = _modified(header, said)
    if header.islnk() or header.issym():
        yield Packed(name, Kind.LINK, 0, modified_ns)
        # A hard link of pax may carry the bytes again.
        size = size if header.islnk() and b"size" in said.records else 0
        stream.skip(size + -size % BLOCK)
        return
    if header.type in _SPECIAL:
        yield Packed(name, Kind.SPECIAL, reason=_SPECIAL[header.type])
        return
    if header.type in _FOLDERS or (header.isreg() and name.endswith(b"/")):
        stream.skip(size + -size % BLOCK)
        return
    rest = Rest(stream, size)
    if is_sparse(header, said):
        yield Packed(
            *(name, Kind.UNREADABLE, size, modified_ns),
            reason="its empty stretches were left out (a sparse file)",
        )
    else:
        yield Packed(name, Kind.FILE, size, modified_ns, pieces=iter(rest))
    rest.skip()
    stream.skip(-size % BLOCK)


def is_sparse(header: tarfile.TarInfo, said: _Said) -> bool:
    # Of GNU's old kind a further block may follow, which then is no header.
    if header.type == tarfile.GNUTYPE_SPARSE:
        return True
    return any(key.startswith(b"GNU.sparse.") for key in said.records)


def _size(header: tarfile.TarInfo, said: _Said) -> int:
    text = said.get(b"size")
    size = int(text) if text and text.isdigit() and len(text) < 20 else header.size
    if not 0 <= size < 1 << 63:
        raise Broken(DAMAGED)
    return size


def _modified(header: tarfile.TarInfo, said: _Said) -> int | None:
    if text := said.get(b"mtime"):
        with suppress(InvalidOperation, ValueError, OverflowError):
            return storable(int(Decimal(text.decode("ascii", "replace")) * 10**9))
    return storable(int(header.mtime) * 10**9)
