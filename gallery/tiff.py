"""Read the tags of a TIFF structure: a TIFF file, most RAW files, every EXIF block.

Nothing here raises on hostile bytes: a tag that cannot be read is left out. Every
directory, tag and value is bounded, and nothing is followed twice.
Source: TIFF 6.0 (Adobe, 1992), section 2; EXIF 2.32 (CIPA DC-008) for the EXIF types.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from mmap import mmap

Value = bytes | tuple[float, ...]

MAX_TAGS = 1000
MAX_NUMBERS = 64
MAX_BYTES = 1 << 20

ASCII, UNDEFINED = 2, 7
# type: (code for struct, bytes of one value); fractions are read as two whole numbers
_TYPES = {
    1: ("B", 1),
    ASCII: ("s", 1),
    3: ("H", 2),
    4: ("I", 4),
    5: ("II", 8),
    6: ("b", 1),
    UNDEFINED: ("s", 1),
    8: ("h", 2),
    9: ("i", 4),
    10: ("ii", 8),
    11: ("f", 4),
    12: ("d", 8),
    13: ("I", 4),
}
# Olympus (RO, RS) and Panasonic (U) put their own number where TIFF has 42.
_MAGIC = {42, 0x4F52, 0x5352, 0x55}


@dataclass(frozen=True, slots=True)
class Tiff:
    """A TIFF structure in memory; `order` is struct's sign, `first` an offset."""

    data: bytes | mmap
    order: str
    first: int

    def directory(self, offset: int | None = None) -> dict[int, Value]:
        """Tags of the directory at this offset (the first one if none is given).

        Text and undefined values are bytes, numbers a tuple of at most 64; a fraction
        with the denominator 0 is NaN. Unreadable tags and directories are left out.
        """
        start = self.first if offset is None else offset
        head = self.data[start : start + 2] if start >= 0 else b""
        if len(head) < 2:
            return {}
        (count,) = struct.unpack(self.order + "H", head)
        tags: dict[int, Value] = {}
        for number in range(min(count, MAX_TAGS)):
            entry = self.data[start + 2 + 12 * number : start + 14 + 12 * number]
            if len(entry) < 12:
                break
            tag, value = self._value(entry)
            if value is not None:
                tags.setdefault(tag, value)
        return tags

    def _value(self, entry: bytes) -> tuple[int, Value | None]:
        tag, kind, count = struct.unpack(self.order + "HHI", entry[:8])
        if kind not in _TYPES or not count:
            return tag, None
        code, size = _TYPES[kind]
        if size * count <= 4:
            raw = entry[8 : 8 + size * count]
        else:
            (offset,) = struct.unpack(self.order + "I", entry[8:])
            raw = self.data[offset : offset + min(size * count, MAX_BYTES)]
        if code == "s" or (size == 1 and count > MAX_NUMBERS):
            return tag, bytes(raw)
        numbers = min(len(raw) // size, MAX_NUMBERS)
        parts = struct.unpack(self.order + code * numbers, raw[: size * numbers])
        if len(code) == 2:
            return tag, tuple(map(_fraction, parts[::2], parts[1::2])) or None
        return tag, parts or None


def _fraction(over: int, under: int) -> float:
    return over / under if under else math.nan


def parse(data: bytes | mmap) -> Tiff | None:
    """The structure that starts with these bytes, or None if they are none."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    if order is None or len(data) < 8:
        return None
    magic, first = struct.unpack(order + "HI", data[2:8])
    return Tiff(data, order, first) if magic in _MAGIC else None


def text(value: Value | None) -> str:
    """A text value without NULs, control characters and spaces around it.

    Bytes that are not UTF-8 are read as Latin-1, as old cameras write them.
    """
    if not isinstance(value, bytes):
        return ""
    raw = value.split(b"\0", 1)[0][:1000]
    try:
        decoded = raw.decode()
    except UnicodeDecodeError:
        decoded = raw.decode("latin-1")
    return "".join(sign for sign in decoded if sign.isprintable()).strip()


def number(value: Value | None) -> float | None:
    """The first number of a value, if there is one and it is finite."""
    if isinstance(value, tuple) and value and math.isfinite(value[0]):
        return value[0]
    return None
