"""Tell videos from other files by what is in them, and read what a film says of itself."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# Brands of the ISO container (ftyp) that hold pictures or sound, and no film.
_STILL = (b"heic", b"heix", b"heif", b"mif1", b"msf1", b"avif", b"avis", b"crx ")
_SOUND = (b"M4A ", b"M4B ", b"M4P ")
# Boxes an old QuickTime film may begin with, which has no ftyp.
_QUICKTIME = (b"moov", b"mdat", b"wide", b"pnot", b"free", b"skip")


def is_video(head: bytes) -> bool:
    """Whether a file that starts so is a video. Never raises."""
    return any(test(head) for test in _TESTS)


def _iso(head: bytes) -> bool:
    brand = head[8:12]
    return head[4:8] == b"ftyp" and brand not in _STILL + _SOUND


def _quicktime(head: bytes) -> bool:
    return head[4:8] in _QUICKTIME and len(head) > 16


def _riff(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] in (b"AVI ", b"CDXA")


def _matroska(head: bytes) -> bool:
    return head.startswith(b"\x1a\x45\xdf\xa3")


def _mpeg(head: bytes) -> bool:
    return head[:4] in (b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3")


def _transport_stream(head: bytes) -> bool:
    """MPEG-TS, and the M2TS of camcorders with four bytes before each packet."""
    for start, step in ((0, 188), (4, 192)):
        marks = head[start : start + 5 * step : step]
        if len(marks) == 5 and marks == b"\x47" * 5:
            return True
    return False


def _windows_media(head: bytes) -> bool:
    return head.startswith(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")


def _flash(head: bytes) -> bool:
    return head.startswith((b"FLV\x01", b".RMF"))


def _digital_video(head: bytes) -> bool:
    return head[:4] in (b"\x1f\x07\x00\x3f", b"\x1f\x07\x00\xbf")


_TESTS: tuple[Callable[[bytes], bool], ...] = (
    _iso,
    _quicktime,
    _riff,
    _matroska,
    _mpeg,
    _transport_stream,
    _windows_media,
    _flash,
    _digital_video,
)


# Films of the ISO container and of QuickTime (ISO 14496-12; QuickTime File Format)

LARGEST_BOX = 4 << 20  # bytes; what describes a film and is larger is not looked at
MOST_BOXES = 64
# By this key Apple ties the film of a Live Photo to its picture.
IDENTIFIER = b"com.apple.quicktime.content.identifier"

# (offset, size) -> the bytes there, fewer at the end of the file
Read = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Film:
    """What a film says of itself."""

    seconds: float | None = None
    is_live_photo: bool = False


def film(read: Read, size: int) -> Film:
    """Read the description of a film of `size` bytes, wherever in it that lies.

    Raise only what `read` raises; what cannot be understood says nothing.
    """
    for kind, start, length in _boxes(read, size):
        if kind == b"moov":
            described = read(start, min(length, LARGEST_BOX))
            return Film(_seconds(described), IDENTIFIER in described)
    return Film()


def _boxes(read: Read, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the outermost boxes: kind, where the content starts, and its length."""
    at = 0
    for _ in range(MOST_BOXES):
        header = read(at, 16)
        if len(header) < 8:
            return
        length, kind = struct.unpack(">I4s", header[:8])
        start = 8
        if length == 1 and len(header) == 16:
            (length,) = struct.unpack(">Q", header[8:])
            start = 16
        elif length == 0:
            length = size - at
        if length < start:
            return
        yield kind, at + start, length - start
        at += length


def _seconds(described: bytes) -> float | None:
    """The duration from the movie header (mvhd)."""
    at = described.find(b"mvhd")
    try:
        version = described[at + 4] if at > 0 else None
        if version == 0:
            scale, duration = struct.unpack_from(">II", described, at + 16)
        elif version == 1:
            scale, duration = struct.unpack_from(">IQ", described, at + 24)
        else:
            return None
    except (struct.error, IndexError):
        return None
    # All bits set says that it is not known.
    is_known = scale and duration not in (2**32 - 1, 2**64 - 1)
    return float(duration / scale) if is_known else None
