"""The entries of a zip, read as they are asked for (APPNOTE.TXT 6.3, PKWARE).

The list at the end is gone through once for its sums, so that a trap is known before
anything is unpacked, and once for its entries. Where it is missing, the entries are read
one after the other from the start, as far as that goes.
"""

from __future__ import annotations

import bz2
import lzma
import os
import struct
import zlib
from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from gallery.originals import CannotRead
from gallery.unpacking import (
    CUT_SHORT,
    DAMAGED,
    NO_LIST,
    PASSWORD,
    Broken,
    Budget,
    Decompressor,
    Inflater,
    Packed,
    Pieces,
    at,
    decompressed,
    raw,
    spent,
)
from gallery.walk import Kind

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_ENCRYPTED, _SIZES_FOLLOW, _UTF8 = 1, 1 << 3, 1 << 11
_LARGE = 0xFFFFFFFF
_AES = 99
# Systems whose attributes say what kind of file an entry is: Unix, macOS.
_WITH_MODE = (3, 19)
_FIRST_DAY = datetime(1980, 1, 1)
_DICTIONARY = 64 << 20  # bytes; more than any program writes into a zip


@dataclass(frozen=True, slots=True)
class _Line:
    """What the list, or the header before an entry, says of it."""

    flags: int
    method: int
    checksum: int
    packed: int  # bytes
    size: int  # bytes
    offset: int
    name: bytes
    modified_ns: int | None
    kind: Kind = Kind.FILE
    is_folder: bool = False


def entries(source: int, budget: Budget) -> Iterator[Packed]:
    """Yield the entries of an open zip, folders left out.

    Raise Broken where it cannot be read, or not to its end.
    """
    total = os.fstat(source).st_size
    try:
        place = _directory(source, total)
    except Broken as error:
        yield from _one_after_the_other(source, total, budget)
        raise error
    _refuse_traps(source, place, total, budget)
    for line in _lines(source, place):
        if not line.is_folder:
            yield _packed(source, line, budget)


# The list at the end


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the list is: a range of the file."""

    start: int
    length: int


def _directory(source: int, total: int) -> _Place:
    """Find the list by what stands last. Raise Broken if it is not there."""
    tail_at = max(0, total - _END.size - 0xFFFF)
    tail = at(source, tail_at, total - tail_at)
    found = tail.rfind(b"PK\5\6")
    if found < 0 or len(tail) < found + _END.size:
        raise Broken(f"{CUT_SHORT}: the list at its end is missing")
    _, disk, first_disk, _, _, length, start, _ = _END.unpack_from(tail, found)
    if _LARGE in (length, start) or 0xFFFF in (disk, first_disk):
        disk, length, start = _large_end(source, tail_at + found, disk, length, start)
    if disk:
        raise Broken("it is one of several parts")
    place = _Place(start, length)
    if start + length > total or (length and at(source, start, 4) != b"PK\1\2"):
        raise Broken(NO_LIST)
    return place


def _large_end(
    source: int, end: int, disk: int, length: int, start: int
) -> tuple[int, int, int]:
    locator = at(source, max(0, end - _LOCATOR.size), _LOCATOR.size)
    if locator[:4] != b"PK\6\7":
        return disk, length, start
    _, _, place, _ = _LOCATOR.unpack(locator)
    record = at(source, place, _END_64.size)
    if len(record) < _END_64.size or record[:4] != b"PK\6\6":
        raise Broken(NO_LIST)
    values = _END_64.unpack(record)
    return values[4], values[8], values[9]


def _lines(source: int, place: _Place) -> Iterator[_Line]:
    """Yield the lines of the list. Raise Broken where it is damaged."""
    stream = Pieces(raw(source, place.start, place.length))
    while head := stream.read(_CENTRAL.size):
        if len(head) < _CENTRAL.size or head[:4] != b"PK\1\2":
            raise Broken(NO_LIST)
        values = _CENTRAL.unpack(head)
        name, extra = stream.read(values[10]), stream.read(values[11])
        stream.skip(values[12])
        if len(extra) < values[11]:
            raise Broken(NO_LIST)
        system = values[1] >> 8
        mode = values[15] >> 16 if system in _WITH_MODE else 0
        yield _line(
            values[3:10], name, extra, offset=values[16], mode=mode, system=system
        )


def _line(
    values: tuple[int, ...],
    name: bytes,
    extra: bytes,
    *,
    offset: int,
    mode: int = 0,
    system: int = 0,
) -> _Line:
    flags, method, time, date, checksum, packed, size = values
    extras = _extras(extra)
    size, packed, offset = _large(extras.get(1, b""), size, packed, offset)
    decoded = _name(name, flags, extras)
    # Some programs of Windows write \ between folders.
    if system in (0, 10, 11) and b"/" not in decoded:
        decoded = decoded.replace(b"\\", b"/")
    return _Line(
        flags,
        method,
        checksum,
        packed,
        size,
        offset,
        decoded,
        _modified(time, date, extras),
        Kind.LINK if mode & 0o170000 == 0o120000 else Kind.FILE,
        decoded.endswith(b"/"),
    )


def _extras(extra: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        found.setdefault(kind, extra[4 : 4 + length])
        extra = extra[4 + length :]
    return found


def _large(field: bytes, *numbers: int) -> tuple[int, ...]:
    """The numbers, those of eight bytes from the field that has them."""
    found = []
    for number in numbers:
        if number == _LARGE and len(field) >= 8:
            (number,) = struct.unpack_from("<Q", field)
            field = field[8:]
        found.append(number)
    return tuple(found)


def _name(name: bytes, flags: int, extras: dict[int, bytes]) -> bytes:
    """The name in UTF-8: as marked, else as it seems, else by DOS's code page."""
    unicode_name = extras.get(0x7075, b"")
    if unicode_name[1:5] == struct.pack("<L", zlib.crc32(name)):
        return unicode_name[5:]
    if flags & _UTF8:
        return name
    try:
        name.decode()
    except UnicodeDecodeError:
        return name.decode("cp437").encode()
    return name


def _modified(time: int, date: int, extras: dict[int, bytes]) -> int | None:
    """When the file was changed, in ns since 1970 UTC; DOS's time is this machine's."""
    stamp = extras.get(0x5455, b"")
    if stamp and stamp[0] & 1 and len(stamp) >= 5:
        return int(struct.unpack_from("<l", stamp, 1)[0]) * 10**9
    ntfs = extras.get(0x000A, b"")
    if len(ntfs) >= 16 and ntfs[4:8] == b"\1\0\x18\0":
        (ticks,) = struct.unpack_from("<Q", ntfs, 8)
        return from_ticks(ticks)
    try:
        said = datetime(
            *(1980 + (date >> 9), date >> 5 & 15, date & 31),
            *(time >> 11, time >> 5 & 63, min(59, time % 32 * 2)),
        )
        # The first day is what programs write that know no time.
        return None if said == _FIRST_DAY else round(said.timestamp()) * 10**9
    except (ValueError, OverflowError, OSError):
        return None


def from_ticks(ticks: int) -> int | None:
    """Windows' time, a tenth of a microsecond since 1601, in ns since 1970 UTC."""
    with suppress(OverflowError):
        said = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
        return round(said.timestamp()) * 10**9
    return None


def _refuse_traps(source: int, place: _Place, total: int, budget: Budget) -> None:
    """Raise Broken for what would unpack to too much, or has bytes of two at once."""
    budget.check(entries=place.length // (_CENTRAL.size + 1))
    unpacked, count = 0, 0
    starts, ends = array("Q"), array("Q")
    for line in _lines(source, place):
        count += 1
        unpacked += line.size
        starts.append(line.offset)
        # The name before the bytes may be another one, and shorter.
        ends.append(min(line.offset + _LOCAL.size + line.packed, 2**64 - 1))
    budget.check(bytes=unpacked, entries=count)
    if count > 1 and _overlap(starts, ends):
        raise Broken("refused: its entries lie over each other, as only a trap has it")


def _overlap(starts: array[int], ends: array[int]) -> bool:
    order = np.argsort(np.frombuffer(starts, dtype=np.uint64), kind="stable")
    begin = np.frombuffer(starts, dtype=np.uint64)[order]
    end = np.frombuffer(ends, dtype=np.uint64)[order]
    return bool((begin[1:] < end[:-1]).any())


# One entry


def _packed(source: int, line: _Line, budget: Budget) -> Packed:
    values = (line.size, line.modified_ns)
    if line.kind is Kind.LINK:
        return Packed(line.name, Kind.LINK, 0, line.modified_ns)
    if line.flags & _ENCRYPTED or line.method == _AES:
        return Packed(line.name, Kind.UNREADABLE, *values, PASSWORD)
    if line.method not in _METHODS:
        reason = f"it is packed by a method not known here (number {line.method})"
        return Packed(line.name, Kind.UNREADABLE, *values, reason)
    pieces = spent(_found(source, line), budget)
    return Packed(line.name, Kind.FILE, *values, pieces=pieces)


def _found(source: int, line: _Line) -> Iterator[bytes]:
    """Yield an entry's bytes from where its header stands. Raise CannotRead."""
    head = at(source, line.offset, _LOCAL.size)
    if len(head) < _LOCAL.size or head[:4] != b"PK\3\4":
        raise CannotRead("it is not where the archive's list says")
    values = _LOCAL.unpack(head)
    start = line.offset + _LOCAL.size + values[9] + values[10]
    yield from _checked(raw(source, start, line.packed), line)


def _checked(packed: Iterator[bytes], line: _Line) -> Iterator[bytes]:
    """Unpack, and raise CannotRead if it is not what it should be."""
    checksum = size = 0
    try:
        for piece in _METHODS[line.method](packed):
            checksum = zlib.crc32(piece, checksum)
            size += len(piece)
            if size > line.size:
                raise CannotRead("it is larger than the archive's list says")
            yield piece
    except Broken as error:
        # Of one entry nothing follows for the others.
        raise CannotRead(error.reason) from error
    if size != line.size:
        raise CannotRead("it is smaller than the archive's list says")
    if checksum != line.checksum:
        raise CannotRead("its checksum is wrong")


def _inflated(packed: Iterator[bytes]) -> Iterator[bytes]:
    return decompressed(packed, Inflater)


def _from_bzip2(packed: Iterator[bytes]) -> Iterator[bytes]:
    return decompressed(packed, bz2.BZ2Decompressor)


def _from_lzma(packed: Iterator[bytes]) -> Iterator[bytes]:
    stream = Pieces(packed)
    head = stream.read(4)
    length = struct.unpack("<H", head[2:])[0] if len(head) == 4 else 0
    settings = stream.read(length)
    return decompressed(iter(lambda: stream.some(1 << 18), b""), _lzma(settings))


def _lzma(settings: bytes) -> Callable[[], Decompressor]:
    return lambda: lzma.LZMADecompressor(
        lzma.FORMAT_RAW, filters=[lzma_filter(settings, most=_DICTIONARY)]
    )


def lzma_filter(settings: bytes, *, most: int) -> dict[str, int]:
    """The five bytes before LZMA's own. Raise Broken for a dictionary of over `most`."""
    if len(settings) < 5 or settings[0] >= 9 * 5 * 5:
        raise Broken(DAMAGED)
    (dictionary,) = struct.unpack_from("<L", settings, 1)
    if dictionary > most:
        raise Broken("refused: unpacking it takes too much memory")
    rest, lc = divmod(settings[0], 9)
    pb, lp = divmod(rest, 5)
    return {
        "id": lzma.FILTER_LZMA1,
        "dict_size": max(dictionary, 4096),
        "lc": lc,
        "lp": lp,
        "pb": pb,
    }


_METHODS: dict[int, Callable[[Iterator[bytes]], Iterator[bytes]]] = {
    0: iter,
    8: _inflated,
    12: _from_bzip2,
    14: _from_lzma,
}


# Without the list


def _one_after_the_other(source: int, total: int, budget: Budget) -> Iterator[Packed]:
    """Yield entries from the start, as far as each says where the next one is."""
    offset = 0
    while len(head := at(source, offset, _LOCAL.size)) == _LOCAL.size:
        values = _LOCAL.unpack(head)
        if values[0] != b"PK\3\4":
            return
        start = offset + _LOCAL.size + values[9] + values[10]
        names = at(source, offset + _LOCAL.size, values[9] + values[10])
        name, extra = names[: values[9]], names[values[9] :]
        line = _line(values[2:9], name, extra, offset=offset)
        end = start + line.packed
        if line.flags & _SIZES_FOLLOW and not line.packed:
            # Only its own bytes say where it ends, and there may be too few of them.
            try:
                line, end = _measured(source, line, start, total, budget)
            except CannotRead:
                return
        if not line.is_folder:
            yield _packed(source, line, budget)
        offset = end


def _measured(
    source: int, line: _Line, start: int, total: int, budget: Budget
) -> tuple[_Line, int]:
    """The line with its sizes, and where what follows begins. Raise CannotRead."""
    if line.method != 8 or line.flags & _ENCRYPTED:
        raise CannotRead("its size is not known")
    inflater = _Counting()
    size = checksum = 0
    packed = raw(source, start, total - start)
    for piece in spent(decompressed(packed, lambda: inflater), budget):
        size += len(piece)
        checksum = zlib.crc32(piece, checksum)
    end = start + inflater.taken
    line = replace(line, packed=end - start, size=size, checksum=checksum)
    tail = at(source, end, 28)
    # With or without a mark, sizes of four bytes or eight.
    for length in (16, 12, 24, 20):
        if tail[length : length + 3] == b"PK\1" or tail[length : length + 3] == b"PK\3":
            return line, end + length
    return line, total


class _Counting(Inflater):
    """Knows how many bytes it has taken."""

    def __init__(self) -> None:
        super().__init__()
        self._given = 0

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        self._given += len(data)
        return super().decompress(data, max_length)

    @property
    def taken(self) -> int:
        return self._given - len(self.unused_data)
