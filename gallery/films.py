"""Tell videos from other files by what is in them, whatever they are called."""

from __future__ import annotations

from collections.abc import Callable

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
