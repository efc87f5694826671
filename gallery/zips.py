"""Many files as one zip, written while it is sent.

Files are stored, not deflated: photos do not get smaller. Each file is read once for its
checksum and once more, from the machine's memory by then, to be sent: so every size and
checksum stands before its file, which every program can unpack. How long the whole will be
is known before the first byte.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

PIECE = 1 << 20
# From here on numbers take eight bytes.
LARGE = 0xFFFFFFFF
MANY = 0xFFFF
NAME_BYTES = 240
# The first and the last day a zip can say.
FIRST, LAST = datetime(1980, 1, 1), datetime(2107, 12, 31, 23, 59, 58)

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_PLAIN, _WITH_64 = 20, 45  # versions of the format a reader has to know
_UTF8 = 1 << 11
_UNIX = 3 << 8
_MODE = 0o100644 << 16

# What some system cannot have in the name of a file.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u2028\u2029\ud800-\udfff]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file for a zip: its name, and either the file or some text.

    `at` is local wall time; `size` is how many bytes it will be.
    """

    name: str
    size: int
    at: datetime
    path: Path | None = None
    text: bytes = b""


@dataclass(frozen=True, slots=True)
class _Written:
    name: bytes
    size: int
    at: datetime
    checksum: int
    offset: int


def names(wanted: Iterable[str]) -> Iterator[str]:
    """Yield a safe name for each, no two alike, not even in capitals."""
    taken: set[str] = set()
    # Thousands of "IMG_0001.jpg" are numbered on, not counted anew each time.
    counts: dict[str, int] = {}
    for name in wanted:
        stem, dot, extension = safe(name).rpartition(".")
        if not stem:
            stem, dot, extension = extension, "", ""
        found = f"{stem}{dot}{extension}"
        while found.casefold() in taken:
            key = f"{stem}{dot}{extension}".casefold()
            counts[key] = counts.get(key, 1) + 1
            found = f"{stem} ({counts[key]}){dot}{extension}"
        taken.add(found.casefold())
        yield found


def safe(name: str) -> str:
    """Return a name that every system can write, and none takes for a folder."""
    name = _UNSAFE.sub("_", name).strip(". ")
    stem, dot, extension = name.rpartition(".")
    while len(name.encode()) > NAME_BYTES:
        stem, name = (stem[:-1], f"{stem[:-1]}{dot}{extension}") if stem else ("", "")
    if not name or _RESERVED.match(name):
        name = f"_{name}"
    return name


def length(entries: Iterable[Entry]) -> int:
    """Return how many bytes the zip of these will be."""
    offset = directory = count = 0
    for entry in entries:
        name = len(entry.name.encode())
        directory += _CENTRAL.size + name + len(_extra(entry.size, offset=offset))
        offset += _LOCAL.size + name + len(_extra(entry.size)) + entry.size
        count += 1
    return offset + directory + len(_end(count, directory, offset))


def stream(
    entries: Sequence[Entry], *, instead: Callable[[Entry], str]
) -> Iterator[bytes]:
    """Yield the zip piece by piece.

    A file that cannot be read any more, or has another size by now, is replaced by the
    text that `instead` gives, filled up with spaces to the size that was announced.
    """
    written: list[_Written] = []
    offset = 0
    for entry in entries:
        entry, file, checksum = _opened(entry, instead)
        name = entry.name.encode()
        done = _Written(name, entry.size, entry.at, checksum, offset)
        head = _local(done)
        yield head
        if file is None:
            yield entry.text
        else:
            yield from _sent(file, entry)
        written.append(done)
        offset += len(head) + entry.size
    size = 0
    for done in written:
        line = _central(done)
        size += len(line)
        yield line
    yield _end(len(written), size, offset)


class Changed(Exception):
    """A file became another one while it was sent; nothing can make up for it."""


def _opened(
    entry: Entry, instead: Callable[[Entry], str]
) -> tuple[Entry, int | None, int]:
    """Return the entry, its open file if it has one, and its checksum."""
    if entry.path is not None:
        file = -1
        try:
            file = os.open(entry.path, os.O_RDONLY | os.O_CLOEXEC)
            if os.fstat(file).st_size == entry.size:
                return entry, file, _checksum(file)
        except OSError:
            pass
        if file >= 0:
            os.close(file)
        text = instead(entry).encode()[: entry.size].ljust(entry.size)
        entry = Entry(entry.name, entry.size, entry.at, text=text)
    return entry, None, zlib.crc32(entry.text)


def _checksum(file: int) -> int:
    checksum = 0
    while piece := os.read(file, PIECE):
        checksum = zlib.crc32(piece, checksum)
    os.lseek(file, 0, os.SEEK_SET)
    return checksum


def _sent(file: int, entry: Entry) -> Iterator[bytes]:
    left = entry.size
    try:
        while left:
            piece = os.read(file, min(PIECE, left))
            if not piece:
                raise Changed(entry.name)
            left -= len(piece)
            yield piece
    finally:
        os.close(file)


def _stamp(at: datetime) -> tuple[int, int]:
    """Return time and date as DOS had them: two seconds are the least."""
    at = min(max(at, FIRST), LAST)
    time = at.hour << 11 | at.minute << 5 | at.second // 2
    return time, (at.year - 1980) << 9 | at.month << 5 | at.day


def _extra(size: int, *, offset: int | None = None) -> bytes:
    """Return what says numbers that need eight bytes; a local header needs both sizes."""
    numbers = [size, size] if size >= LARGE else []
    if offset is not None and offset >= LARGE:
        numbers.append(offset)
    if not numbers:
        return b""
    return struct.pack(f"<2H{len(numbers)}Q", 1, 8 * len(numbers), *numbers)


def _local(one: _Written) -> bytes:
    extra = _extra(one.size)
    size = min(one.size, LARGE)
    version = _WITH_64 if extra else _PLAIN
    head = _LOCAL.pack(
        *(b"PK\3\4", version, _UTF8, 0, *_stamp(one.at), one.checksum),
        *(size, size, len(one.name), len(extra)),
    )
    return head + one.name + extra


def _central(one: _Written) -> bytes:
    extra = _extra(one.size, offset=one.offset)
    size = min(one.size, LARGE)
    version = _WITH_64 if extra else _PLAIN
    line = _CENTRAL.pack(
        *(b"PK\1\2", version | _UNIX, version, _UTF8, 0, *_stamp(one.at)),
        *(one.checksum, size, size, len(one.name), len(extra), 0, 0, 0),
        *(_MODE, min(one.offset, LARGE)),
    )
    return line + one.name + extra


def _end(count: int, size: int, offset: int) -> bytes:
    """Return what stands last: where the list of files is."""
    few = min(count, MANY)
    end = _END.pack(b"PK\5\6", 0, 0, few, few, min(size, LARGE), min(offset, LARGE), 0)
    if count < MANY and size < LARGE and offset < LARGE:
        return end
    large = _END_64.pack(
        *(b"PK\6\6", _END_64.size - 12, _WITH_64 | _UNIX, _WITH_64, 0, 0),
        *(count, count, size, offset),
    )
    return large + _LOCATOR.pack(b"PK\6\7", 0, offset + size, 1) + end
