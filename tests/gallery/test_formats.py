"""Pictures are recognised by their content."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gallery import formats
from tests import pictures


def recognised(data: bytes) -> str | None:
    found = formats.recognise(data[: formats.HEAD], size=len(data))
    return found.name if found else None


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def tiff_with(*tags: tuple[int, int, int, int], after: bytes = b"") -> bytes:
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + after


@pytest.mark.parametrize(
    ("format", "name"),
    [
        ("JPEG", "JPEG"),
        ("PNG", "PNG"),
        ("GIF", "GIF"),
        ("BMP", "BMP"),
        ("TIFF", "TIFF"),
        ("WEBP", "WebP"),
        ("AVIF", "AVIF"),
    ],
)
def test_each_usual_format_is_recognised(format: str, name: str):
    assert recognised(pictures.encoded(pictures.scene(), format=format)) == name


@pytest.mark.parametrize(
    ("major", "compatible", "name"),
    [
        (b"heic", b"mif1heic", "HEIC"),
        (b"mif1", b"mif1heic", "HEIC"),
        (b"mif1", b"miafavif", "AVIF"),
        (b"mif1", b"mif1", "HEIF"),
        (b"avis", b"avifmsf1iso8", "AVIF"),
        (b"crx ", b"crx isom", "CR3"),
        (b"qt  ", b"qt  ", None),
        (b"isom", b"iso2mp41", None),
        (b"mp42", b"mp42isom", None),
        (b"zzzz", b"mif1heic", "HEIC"),
        (b"zzzz", b"yyyy", None),
    ],
)
def test_brands_tell_pictures_from_films(major: bytes, compatible: bytes, name: str):
    assert recognised(box(b"ftyp", major + bytes(4) + compatible) + bytes(99)) == name


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"BM and so on, the diary of a summer, first part",
        b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"RIFF\x24\0\0\0AVI LIST",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"\xff\x0a",
        b"II but not a picture",
        b"PK\x03\x04",
    ],
)
def test_other_files_are_no_pictures(data: bytes):
    assert recognised(data) is None


def test_a_raw_file_is_told_from_a_tiff_of_the_same_maker():
    reduced, sub = (0x00FE, 4, 1, 1), (0x014A, 4, 1, 100)
    make = (0x010F, 2, 6, 8 + 2 + 3 * 12 + 4)
    assert recognised(tiff_with(reduced, make, sub, after=b"NIKON\0")) == "NEF"
    scan = tiff_with((0x00FE, 4, 1, 0), make, sub, after=b"NIKON\0")
    assert recognised(scan) == "TIFF"


def test_a_dng_is_known_by_its_version_tag():
    assert recognised(tiff_with((0xC612, 1, 4, 0x0401))) == "DNG"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(20), "CR2"),
        (b"FUJIFILMCCD-RAW 0201", "RAF"),
        (b"IIRO\x08\0\0\0", "ORF"),
        (b"IIU\0\x18\0\0\0", "RW2"),
    ],
)
def test_raw_files_with_a_magic_of_their_own(head: bytes, name: str):
    assert recognised(head) == name


def test_the_size_of_a_jpeg_xl_is_read_without_decoding(shared_photos: Path):
    import pillow_jxl  # noqa: F401  (teaches Pillow the format)

    for path in shared_photos.rglob("*.jxl"):
        claimed = formats.jpeg_xl_size(path.read_bytes()[: formats.HEAD])
        with Image.open(path) as image:
            # The codestream counts rows and columns before they are turned.
            assert claimed in (image.size, image.size[::-1]), path


PICTURE_SUFFIXES = {
    ".jpg": "JPEG",
    ".png": "PNG",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".webp": "WebP",
    ".avif": "AVIF",
    ".jxl": "JPEG XL",
    ".kdc": "KDC",
    ".cr3": "CR3",
}
NOT_WHAT_THEY_ARE_CALLED = {
    "SPADE.BMP",  # an array of bitmaps of OS/2
    "badwidth.bmp",
    "badbitcount.bmp",
    "Bad_badbitcount.bmp",
    "d5a0175c07418852152ef33a886a5029.gif",  # first byte overwritten
    "m8-336db1cd76254717eb50a8602b651fbf.tif",  # magic overwritten
}


def test_real_pictures_are_recognised_as_what_they_are(shared_photos: Path):
    wrong = []
    for path in shared_photos.rglob("*.*"):
        name = PICTURE_SUFFIXES.get(path.suffix.lower())
        if name and path.name not in NOT_WHAT_THEY_ARE_CALLED:
            with path.open("rb") as file:
                head = file.read(formats.HEAD)
            found = formats.recognise(head, size=path.stat().st_size)
            if found is None or found.name != name:
                wrong.append((path.name, found))
    assert not wrong


STARTS = [b"", b"II*\0", b"MM\0*", b"\xff\x0a", b"BM", b"\0\0\0\x18ftyp", b"RIFF"]


@given(st.sampled_from(STARTS), st.binary(max_size=300), st.integers(0, 1 << 40))
def test_no_bytes_make_recognition_fail(start: bytes, rest: bytes, size: int):
    formats.recognise(start + rest, size=size)
    formats.jpeg_xl_size(start + rest)
