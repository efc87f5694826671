"""The entries of a 7z archive (7zFormat.txt of the LZMA SDK).

Unpacks what lzma, bz2 and zlib can: LZMA, LZMA2, with filters, bzip2, Deflate, and what is
stored as it is. Other methods are rare around photos, and their entries say so.
"""

from __future__ import annotations

import bz2
import lzma
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gallery.originals import CannotRead
from gallery.unpacking import (
    CUT_SHORT,
    DAMAGED,
    MEMORY,
    NO_LIST,
    PASSWORD,
    Broken,
    Budget,
    Decompressor,
    Inflater,
    Packed,
    Pieces,
    Rest,
    at,
    decompressed,
    raw,
    spent,
)
from gallery.walk import Kind
from gallery.zip_entries import from_ticks, lzma_filter

MAGIC = b"7z\xbc\xaf\x27\x1c"
_START = struct.Struct("<6s2BLQQL")
LARGEST_LIST = 32 << 20  # bytes

# Properties
_END, _HEADER, _ARCHIVE, _MORE_STREAMS, _STREAMS, _FILES = range(6)
_PACKED, _UNPACKED, _SUBSTREAMS, _SIZE, _CRC, _FOLDER, _UNPACK_SIZE = range(6, 13)
_COUNT, _EMPTY_STREAM, _EMPTY_FILE, _ANTI, _NAMES = range(13, 18)
_MODIFIED, _ATTRIBUTES, _ENCODED = 0x14, 0x15, 0x17

_AES = b"\x06\xf1\x07\x01"
_COPY, _LZMA, _LZMA2 = b"\0", b"\3\1\1", b"\x21"
_DEFLATE, _BZIP2, _DELTA = b"\4\1\x08", b"\4\2\2", b"\3"
_FILTERS = {
    b"\3\3\1\3": lzma.FILTER_X86,
    b"\4": lzma.FILTER_X86,
    b"\3\3\2\5": lzma.FILTER_POWERPC,
    b"\3\3\4\1": lzma.FILTER_IA64,
    b"\3\3\5\1": lzma.FILTER_ARM,
    b"\3\3\7\1": lzma.FILTER_ARMTHUMB,
    b"\3\3\x08\5": lzma.FILTER_SPARC,
}
_LINK_MODE, _FILE_TYPE, _HAS_MODE = 0o120000, 0o170000, 0x8000
_IS_FOLDER = 0x10


@dataclass(frozen=True, slots=True)
class _Coder:
    method: bytes
    settings: bytes


@dataclass(slots=True)
class _Folder:
    """Entries packed as one stream: in which steps, and where it lies."""

    coders: list[_Coder]  # the one that reads the archive first
    sizes: list[int]  # what each step gives, in the same order
    checksum: int | None = None
    start: int = 0
    packed: int = 0
    streams: int = 1

    @property
    def size(self) -> int:
        return self.sizes[-1]


@dataclass(slots=True)
class _File:
    name: bytes = b""
    has_stream: bool = True
    is_folder: bool = False
    modified_ns: int | None = None
    is_link: bool = False


@dataclass(slots=True)
class _List:
    """What the list at the end says."""

    folders: list[_Folder] = field(default_factory=list)
    # One for each entry with bytes: how many, and their checksum if known.
    streams: list[tuple[int, int | None]] = field(default_factory=list)
    files: list[_File] = field(default_factory=list)


def entries(source: int, budget: Budget) -> Iterator[Packed]:
    """Yield the entries of an open 7z archive, folders left out.

    Raise Broken where it cannot be read at all.
    """
    listed = _listed(source, budget)
    budget.check(bytes=sum(one.size for one in listed.folders))
    budget.check(entries=len(listed.files))
    streams = _streams(source, listed, budget)
    for one in listed.files:
        if not one.has_stream:
            if not one.is_folder:
                yield Packed(one.name, Kind.FILE, 0, one.modified_ns)
            continue
        stream = next(streams, None)
        if stream is None:
            raise Broken(NO_LIST)
        yield _packed(one, stream)
        stream.skip()


@dataclass(slots=True)
class _Stream:
    """The bytes of one entry; a reason where they cannot be had."""

    size: int
    checksum: int | None
    rest: Rest | None
    failing: list[str]  # of all entries packed with this one

    def skip(self) -> None:
        if self.rest and not self.failing:
            try:
                self.rest.skip()
            except CannotRead as error:
                self.failing.append(error.reason)

    def pieces(self) -> Iterator[bytes]:
        assert self.rest
        checksum = 0
        try:
            for piece in self.rest:
                checksum = zlib.crc32(piece, checksum)
                yield piece
        except CannotRead as error:
            self.failing.append(error.reason)
            raise CannotRead(error.reason) from error
        if self.checksum not in (None, checksum):
            raise CannotRead("its checksum is wrong")


def _packed(one: _File, stream: _Stream) -> Packed:
    if one.is_link:
        return Packed(one.name, Kind.LINK, 0, one.modified_ns)
    values = (stream.size, one.modified_ns)
    if stream.failing:
        return Packed(one.name, Kind.UNREADABLE, *values, stream.failing[0])
    return Packed(one.name, Kind.FILE, *values, pieces=stream.pieces())


def _streams(source: int, listed: _List, budget: Budget) -> Iterator[_Stream]:
    """Yield the entries' bytes, folder by folder."""
    place = iter(listed.streams)
    for folder in listed.folders:
        failing: list[str] = []
        rest: Pieces | None = None
        try:
            rest = Pieces(spent(_unpacked(source, folder), budget))
        except CannotRead as error:
            failing.append(error.reason)
        for _ in range(folder.streams):
            size, checksum = next(place)
            yield _Stream(size, checksum, Rest(rest, size) if rest else None, failing)


def _unpacked(source: int, folder: _Folder) -> Iterator[bytes]:
    """What a folder's steps make of its bytes. Raise CannotRead at once if nothing."""
    pieces = raw(source, folder.start, folder.packed)
    steps = list(zip(folder.coders, folder.sizes, strict=True))
    while steps:
        (coder, size), *steps = steps
        if coder.method == _AES:
            raise CannotRead(PASSWORD)
        if coder.method in (_LZMA, _LZMA2):
            # lzma knows filters only together with what they follow.
            filters = [_lzma_filter(coder)]
            while steps and (found := _filter(steps[0][0], behind=coder)):
                filters.insert(0, found)
                (_, size), *steps = steps
            make: Callable[[], Decompressor] = partial(
                lzma.LZMADecompressor, lzma.FORMAT_RAW, None, filters
            )
            pieces = decompressed(pieces, make)
        elif coder.method == _BZIP2:
            pieces = decompressed(pieces, bz2.BZ2Decompressor, several=True)
        elif coder.method == _DEFLATE:
            pieces = decompressed(pieces, Inflater)
        elif coder.method != _COPY:
            number = coder.method.hex()
            raise CannotRead(f"it is packed by a method not known here ({number})")
        pieces = Pieces(pieces).take(size)
    return pieces


def _lzma_filter(coder: _Coder) -> dict[str, Any]:
    if coder.method == _LZMA:
        return dict(lzma_filter(coder.settings, most=MEMORY))
    bits = coder.settings[0] if coder.settings else 41
    dictionary = (2 | bits & 1) << (bits // 2 + 11)
    if bits > 40 or dictionary > MEMORY:
        raise Broken("refused: unpacking it takes too much memory")
    return {"id": lzma.FILTER_LZMA2, "dict_size": dictionary}


def _filter(coder: _Coder, *, behind: _Coder) -> dict[str, Any] | None:
    if coder.method == _DELTA:
        distance = coder.settings[0] + 1 if coder.settings else 1
        return {"id": lzma.FILTER_DELTA, "dist": distance}
    # These keep bytes back until LZMA says that it has ended, which only LZMA2 does.
    known = _FILTERS.get(coder.method) if behind.method == _LZMA2 else None
    return {"id": known} if known else None


# The list at the end


def _listed(source: int, budget: Budget) -> _List:
    start = at(source, 0, _START.size)
    if len(start) < _START.size:
        raise Broken(CUT_SHORT)
    *_, checksum, offset, length, list_checksum = _START.unpack(start)
    if zlib.crc32(start[12:]) != checksum:
        raise Broken(DAMAGED)
    if not length:
        return _List()
    if _START.size + offset + length > os.fstat(source).st_size:
        raise Broken(f"{CUT_SHORT}: the list at its end is missing")
    text = _at_most(length, raw(source, _START.size + offset, length))
    if zlib.crc32(text) != list_checksum:
        raise Broken(NO_LIST)
    reader = _Reader(text)
    while (kind := reader.byte()) == _ENCODED:
        reader = _Reader(_decoded_list(source, reader, budget))
    if kind != _HEADER:
        raise Broken(NO_LIST)
    return _header(reader)


def _at_most(length: int, pieces: Iterator[bytes]) -> bytes:
    if length > LARGEST_LIST:
        raise Broken("refused: its list of entries is too large")
    return b"".join(pieces)


def _decoded_list(source: int, reader: _Reader, budget: Budget) -> bytes:
    listed = _List()
    _read_streams(reader, listed)
    if len(listed.folders) != 1:
        raise Broken(NO_LIST)
    folder = listed.folders[0]
    pieces = spent(_unpacked(source, folder), budget)
    text = _at_most(folder.size, pieces if folder.size <= LARGEST_LIST else iter(()))
    if folder.checksum not in (None, zlib.crc32(text)):
        raise Broken(NO_LIST)
    return text


def _header(reader: _Reader) -> _List:
    listed = _List()
    while (kind := reader.byte()) != _END:
        if kind == _ARCHIVE:
            while reader.byte() != _END:
                reader.take(reader.number())
        elif kind == _MORE_STREAMS:
            _read_streams(reader, _List())
        elif kind == _STREAMS:
            _read_streams(reader, listed)
        elif kind == _FILES:
            _read_files(reader, listed)
        else:
            raise Broken(NO_LIST)
    return listed


class _Reader:
    """The list's bytes, one after the other. Raise Broken where there are no more."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._text):
            raise Broken(NO_LIST)
        taken, self._at = self._text[self._at : end], end
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """A number of one to nine bytes; the first says how many follow."""
        first = self.byte()
        value, mask = 0, 0x80
        for shift in range(8):
            if not first & mask:
                return value | (first & (mask - 1)) << 8 * shift
            value |= self.byte() << 8 * shift
            mask >>= 1
        return value

    def count(self) -> int:
        """A number of things that each take up room in this list."""
        count = self.number()
        if count > len(self._text):
            raise Broken(NO_LIST)
        return count

    def bits(self, count: int) -> list[bool]:
        text = self.take((count + 7) // 8)
        return [bool(text[at // 8] & 0x80 >> at % 8) for at in range(count)]

    def which(self, count: int) -> list[bool]:
        """Which of so many things are described here; mostly all are."""
        return [True] * count if self.byte() else self.bits(count)

    def checksums(self, count: int) -> list[int | None]:
        known = self.which(count)
        return [struct.unpack("<L", self.take(4))[0] if one else None for one in known]


def _read_streams(reader: _Reader, listed: _List) -> None:
    packed: list[tuple[int, int]] = []
    has_substreams = False
    while (kind := reader.byte()) != _END:
        if kind == _PACKED:
            packed = _read_packed(reader)
        elif kind == _UNPACKED:
            _read_folders(reader, listed, packed)
        elif kind == _SUBSTREAMS:
            _read_substreams(reader, listed)
            has_substreams = True
        else:
            raise Broken(NO_LIST)
    if not has_substreams:
        listed.streams = [(one.size, one.checksum) for one in listed.folders]


def _read_packed(reader: _Reader) -> list[tuple[int, int]]:
    """Where each packed stream starts, and its length."""
    start = _START.size + reader.number()
    count = reader.count()
    places = []
    while (kind := reader.byte()) != _END:
        if kind == _SIZE:
            for _ in range(count):
                length = reader.number()
                places.append((start, length))
                start += length
        elif kind == _CRC:
            reader.checksums(count)
        else:
            raise Broken(NO_LIST)
    return places


def _read_folders(
    reader: _Reader, listed: _List, packed: list[tuple[int, int]]
) -> None:
    if reader.byte() != _FOLDER:
        raise Broken(NO_LIST)
    count = reader.count()
    if reader.byte():
        raise Broken(NO_LIST)
    shapes = [_read_folder(reader) for _ in range(count)]
    if reader.byte() != _UNPACK_SIZE:
        raise Broken(NO_LIST)
    places = iter(packed)
    for coders, order, streams in shapes:
        sizes = [reader.number() for _ in range(len(coders))]
        found = [next(places, (0, 0)) for _ in range(streams)]
        start, length = found[0] if found else (0, 0)
        listed.folders.append(
            _Folder(
                [coders[at] for at in order],
                [sizes[at] for at in order],
                start=start,
                packed=length,
            )
        )
    while (kind := reader.byte()) != _END:
        if kind != _CRC:
            raise Broken(NO_LIST)
        for folder, checksum in zip(
            listed.folders, reader.checksums(count), strict=True
        ):
            folder.checksum = checksum


def _read_folder(reader: _Reader) -> tuple[list[_Coder], list[int], int]:
    """A folder's coders, in which order they work, and how many streams they read."""
    count = reader.count()
    if not 1 <= count <= 32:
        raise Broken(NO_LIST)
    coders, takes = [], []
    for _ in range(count):
        flags = reader.byte()
        method = reader.take(flags & 15)
        ins, outs = (reader.number(), reader.number()) if flags & 16 else (1, 1)
        settings = reader.take(reader.number()) if flags & 32 else b""
        if outs != 1 or not 1 <= ins <= 4:
            raise Broken(NO_LIST)
        coders.append(_Coder(method, settings))
        takes += [len(coders) - 1] * ins
    # Which coder takes what which other gives
    given = {}
    bound = set()
    for _ in range(count - 1):
        taker, giver = reader.number(), reader.number()
        if taker >= len(takes) or giver >= count:
            raise Broken(NO_LIST)
        given[giver] = takes[taker]
        bound.add(taker)
    free = [at for at in range(len(takes)) if at not in bound]
    if len(free) > 1:
        free = [reader.number() for _ in free]
    if len(takes) != count:
        # Several streams into one: only programs are packed so.
        last = next(at for at in range(count) if at not in given)
        coders[last] = _Coder(b"\3\3\1\x1b", b"")
        return coders, [*(at for at in range(count) if at != last), last], len(free)
    return coders, _order(free[0] if free else 0, given, count), len(free)


def _order(first: int, given: dict[int, int], count: int) -> list[int]:
    order = [first]
    while order[-1] in given and len(order) <= count:
        order.append(given[order[-1]])
    if sorted(order) != list(range(count)):
        raise Broken(NO_LIST)
    return order


def _read_substreams(reader: _Reader, listed: _List) -> None:
    kind = reader.byte()
    if kind == _COUNT:
        for folder in listed.folders:
            folder.streams = reader.number()
        if sum(one.streams for one in listed.folders) > LARGEST_LIST:
            raise Broken(NO_LIST)
        kind = reader.byte()
    sizes = _read_sizes(reader, listed, has_sizes=kind == _SIZE)
    if kind == _SIZE:
        kind = reader.byte()
    known = _own_checksums(listed)
    while kind != _END:
        if kind != _CRC:
            raise Broken(NO_LIST)
        said = iter(reader.checksums(known.count(None)))
        known = [next(said) if one is None else one for one in known]
        kind = reader.byte()
    listed.streams = list(zip(sizes, known, strict=True))


def _read_sizes(reader: _Reader, listed: _List, *, has_sizes: bool) -> list[int]:
    """The size of each entry; the last of a folder is what is left."""
    sizes = []
    for folder in listed.folders:
        if not folder.streams:
            continue
        if folder.streams > 1 and not has_sizes:
            raise Broken(NO_LIST)
        some = [reader.number() for _ in range(folder.streams - 1)]
        left = folder.size - sum(some)
        if left < 0:
            raise Broken(NO_LIST)
        sizes += [*some, left]
    return sizes


def _own_checksums(listed: _List) -> list[int | None]:
    """What is known of entries that are alone in their folder."""
    known: list[int | None] = []
    for one in listed.folders:
        known += [one.checksum] if one.streams == 1 else [None] * one.streams
    return known


def _read_files(reader: _Reader, listed: _List) -> None:
    files = [_File() for _ in range(reader.count())]
    while kind := reader.byte():
        inner = _Reader(reader.take(reader.number()))
        if kind in _DESCRIPTIONS:
            _DESCRIPTIONS[kind](inner, files)
    listed.files = files


def _read_empty_streams(reader: _Reader, files: list[_File]) -> None:
    for one, is_empty in zip(files, reader.bits(len(files)), strict=True):
        one.has_stream = not is_empty
        one.is_folder = is_empty


def _read_empty_files(reader: _Reader, files: list[_File]) -> None:
    empty = [one for one in files if not one.has_stream]
    for one, is_file in zip(empty, reader.bits(len(empty)), strict=True):
        one.is_folder = not is_file


def _read_times(reader: _Reader, files: list[_File]) -> None:
    for one in _described(reader, files):
        one.modified_ns = from_ticks(struct.unpack("<Q", reader.take(8))[0])


def _described(reader: _Reader, files: list[_File]) -> list[_File]:
    which = reader.which(len(files))
    if reader.byte():
        raise Broken(NO_LIST)
    return [one for one, is_it in zip(files, which, strict=True) if is_it]


def _read_names(reader: _Reader, files: list[_File]) -> None:
    if reader.byte():
        raise Broken(NO_LIST)
    for one in files:
        letters = bytearray()
        while (letter := reader.take(2)) != b"\0\0":
            letters += letter
        text = letters.decode("utf-16-le", "replace")
        one.name = text.encode("utf-8", "replace")


def _read_attributes(reader: _Reader, files: list[_File]) -> None:
    for one in _described(reader, files):
        (attributes,) = struct.unpack("<L", reader.take(4))
        if attributes & _HAS_MODE:
            one.is_link = attributes >> 16 & _FILE_TYPE == _LINK_MODE
        if attributes & _IS_FOLDER and not one.has_stream:
            one.is_folder = True


_DESCRIPTIONS = {
    _EMPTY_STREAM: _read_empty_streams,
    _EMPTY_FILE: _read_empty_files,
    _NAMES: _read_names,
    _MODIFIED: _read_times,
    _ATTRIBUTES: _read_attributes,
}
