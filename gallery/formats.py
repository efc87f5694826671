"""Recognise pictures by what is in them, whatever they are called.

A file taken for a picture by mistake loses nothing (it is stored and shown as
unreadable); a picture that is not recognised is lost with its drive. In doubt: a picture.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from gallery import tiff

# A higher number has files looked at again that were taken for something else.
RECIPE = 3
HEAD = 65_536  # bytes from the start of a file that `recognise` looks at


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of picture file; `extension` is the one used in the vault."""

    name: str
    extension: str
    mime: str
    is_raw: bool = False


JPEG = Format("JPEG", "jpg", "image/jpeg")
PNG = Format("PNG", "png", "image/png")
GIF = Format("GIF", "gif", "image/gif")
BMP = Format("BMP", "bmp", "image/bmp")
TIFF = Format("TIFF", "tif", "image/tiff")
WEBP = Format("WebP", "webp", "image/webp")
HEIC = Format("HEIC", "heic", "image/heic")
HEIF = Format("HEIF", "heif", "image/heif")
AVIF = Format("AVIF", "avif", "image/avif")
JPEG_XL = Format("JPEG XL", "jxl", "image/jxl")
CR2 = Format("CR2", "cr2", "image/x-canon-cr2", is_raw=True)
CR3 = Format("CR3", "cr3", "image/x-canon-cr3", is_raw=True)
CRW = Format("CRW", "crw", "image/x-canon-crw", is_raw=True)
NEF = Format("NEF", "nef", "image/x-nikon-nef", is_raw=True)
ARW = Format("ARW", "arw", "image/x-sony-arw", is_raw=True)
DNG = Format("DNG", "dng", "image/x-adobe-dng", is_raw=True)
RAF = Format("RAF", "raf", "image/x-fuji-raf", is_raw=True)
ORF = Format("ORF", "orf", "image/x-olympus-orf", is_raw=True)
RW2 = Format("RW2", "rw2", "image/x-panasonic-rw2", is_raw=True)
PEF = Format("PEF", "pef", "image/x-pentax-pef", is_raw=True)
SRW = Format("SRW", "srw", "image/x-samsung-srw", is_raw=True)
KDC = Format("KDC", "kdc", "image/x-kodak-kdc", is_raw=True)

FORMATS = (
    *(JPEG, PNG, GIF, BMP, TIFF, WEBP, HEIC, HEIF, AVIF, JPEG_XL),
    *(CR2, CR3, CRW, NEF, ARW, DNG, RAF, ORF, RW2, PEF, SRW, KDC),
)
BY_NAME = {one.name: one for one in FORMATS}


def recognise(head: bytes, *, size: int) -> Format | None:
    """The format of a file of `size` bytes that starts with `head`, None if no picture.

    `head` is the first HEAD bytes, or the whole file if it is shorter. Never raises.
    """
    for magic, format in _MAGIC:
        if head.startswith(magic):
            return format
    answers = (test(head, size) for test in _TESTS)
    return next((found for found in answers if found), None)


_MAGIC = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", JPEG_XL),
    (b"FUJIFILMCCD-RAW", RAF),
    (b"IIRO", ORF),
    (b"IIRS", ORF),
    (b"MMOR", ORF),
    (b"IIU\x00", RW2),
    (b"II\x1a\x00\x00\x00HEAPCCDR", CRW),
    (b"II\x2b\x00", TIFF),
    (b"MM\x00\x2b", TIFF),
)


def _webp(head: bytes, size: int) -> Format | None:
    if head[:4] == b"RIFF" and head[8:15] == b"WEBPVP8":
        return WEBP
    return None


def _bmp(head: bytes, size: int) -> Format | None:
    """'BM' alone starts too many other files: the header must make sense too."""
    if head[:2] != b"BM" or len(head) < 26:
        return None
    offset, header = struct.unpack("<II", head[10:18])
    if header == 12:
        width, height, planes, bits = struct.unpack("<HHHH", head[18:26])
    elif header in (16, 40, 52, 56, 64, 108, 124) and len(head) >= 30:
        width, height, planes, bits = struct.unpack("<iiHH", head[18:30])
    else:
        return None
    sane = width > 0 and height and planes <= 1 and bits in (0, 1, 2, 4, 8, 16, 24, 32)
    return BMP if sane and offset <= size else None


# Canon's and Apple's films start with the same box; only the brands tell them apart.
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis"), HEIC),
    **dict.fromkeys((b"hevc", b"hevx", b"hevm", b"hevs"), HEIC),
    **dict.fromkeys((b"avif", b"avis"), AVIF),
    b"crx ": CR3,
}
_GENERIC_BRANDS = {
    b"mif1",
    b"mif2",
    b"mif3",
    b"msf1",
    b"miaf",
    b"avci",
    b"jpeg",
    b"heif",
}
_FILM_BRANDS = {b"qt  ", b"isom", b"iso2", b"mp41", b"mp42", b"M4V ", b"avc1", b"3gp4"}


def _isobmff(head: bytes, size: int) -> Format | None:
    """Brands of the `ftyp` box (ISO 14496-12, HEIF: ISO 23008-12)."""
    if head[4:8] != b"ftyp" or len(head) < 12:
        return None
    end = min(struct.unpack(">I", head[:4])[0], len(head), 512)
    major, compatible = head[8:12], [head[at : at + 4] for at in range(16, end - 3, 4)]
    if major in _BRANDS:
        return _BRANDS[major]
    if major not in _GENERIC_BRANDS:
        if major in _FILM_BRANDS or not _FILM_BRANDS.isdisjoint(compatible):
            return None
        if _GENERIC_BRANDS.isdisjoint(compatible) and _BRANDS.keys().isdisjoint(
            compatible
        ):
            return None
    return next((_BRANDS[brand] for brand in compatible if brand in _BRANDS), HEIF)


def _bare_jpeg_xl(head: bytes, size: int) -> Format | None:
    return JPEG_XL if head[:2] == b"\xff\x0a" and jpeg_xl_size(head) else None


# Tags of TIFF 6.0, TIFF/EP and DNG
SUBFILE_TYPE, COMPRESSION, PHOTOMETRIC, MAKE = 0x00FE, 0x0103, 0x0106, 0x010F
SUB_DIRECTORIES, DNG_VERSION = 0x014A, 0xC612
_SENSOR_COLOURS = {32803, 34892}
_SENSOR_COMPRESSIONS = {32767, 32769, 32770, 34713, 65000, 65535}
_RAW_OF_MAKE = (
    ("NIKON", NEF),
    ("SONY", ARW),
    ("PENTAX", PEF),
    ("RICOH", PEF),
    ("SAMSUNG", SRW),
    ("EASTMAN KODAK", KDC),
    ("KODAK", KDC),
)


def _tiff(head: bytes, size: int) -> Format | None:
    """TIFF, or the RAW format that is one, told by the tags of its first directory."""
    if head[:4] not in (b"II\x2a\x00", b"MM\x00\x2a"):
        return None
    if head[8:10] == b"CR":
        return CR2
    found = tiff.parse(head)
    tags = found.directory() if found else {}
    if DNG_VERSION in tags:
        return DNG
    if not _looks_like_sensor_data(tags):
        return TIFF
    make = tiff.text(tags.get(MAKE)).upper()
    return next((raw for start, raw in _RAW_OF_MAKE if make.startswith(start)), TIFF)


def _looks_like_sensor_data(tags: dict[int, tiff.Value]) -> bool:
    # A scanner's or editor's TIFF carries the maker's name too: a RAW file starts with
    # sensor data, or with a reduced picture that points to it.
    if tiff.number(tags.get(PHOTOMETRIC)) in _SENSOR_COLOURS:
        return True
    if tiff.number(tags.get(COMPRESSION)) in _SENSOR_COMPRESSIONS:
        return True
    reduced = tiff.number(tags.get(SUBFILE_TYPE)) == 1
    return reduced and SUB_DIRECTORIES in tags


_TESTS: tuple[Callable[[bytes, int], Format | None], ...] = (
    *(_webp, _bmp, _isobmff, _bare_jpeg_xl, _tiff),
)

_RATIOS = {
    1: (1, 1),
    2: (12, 10),
    3: (4, 3),
    4: (3, 2),
    5: (16, 9),
    6: (5, 4),
    7: (2, 1),
}


def jpeg_xl_size(head: bytes) -> tuple[int, int] | None:
    """Width and height a JPEG XL file claims, before anything is decoded.

    None if the codestream does not start within `head`. Source: ISO 18181-1, SizeHeader.
    """
    start = _codestream(head)
    if start is None or len(head) < start + 2 + 10:
        return None
    bits = _Bits(int.from_bytes(head[start + 2 : start + 2 + 10], "little"))
    small = bits.take(1)
    height = _side(bits, small=small)
    ratio = bits.take(3)
    if not ratio:
        return _side(bits, small=small), height
    over, under = _RATIOS[ratio]
    return height * over // under, height


def _codestream(head: bytes) -> int | None:
    """Where the codestream starts: at once, or in the first box that holds it."""
    if head[:2] == b"\xff\x0a":
        return 0
    at = 0
    while at + 16 <= len(head):
        length, kind = struct.unpack(">I4s", head[at : at + 8])
        header = 16 if length == 1 else 8
        if kind in (b"jxlc", b"jxlp"):
            start = at + header + (4 if kind == b"jxlp" else 0)
            return start if head[start : start + 2] == b"\xff\x0a" else None
        if length == 1:
            (length,) = struct.unpack(">Q", head[at + 8 : at + 16])
        if length < header:
            return None
        at += length
    return None


@dataclass(slots=True)
class _Bits:
    """Bits of a whole number, lowest first."""

    rest: int

    def take(self, count: int) -> int:
        taken = self.rest & ((1 << count) - 1)
        self.rest >>= count
        return taken


def _side(bits: _Bits, *, small: int) -> int:
    if small:
        return (bits.take(5) + 1) * 8
    return bits.take((9, 13, 18, 30)[bits.take(2)]) + 1
