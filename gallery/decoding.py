"""Open a picture file: the one door between bytes from anywhere and a Pillow image.

What is opened here may be hostile. The format is known before a decoder is chosen, the
number of pixels before it starts, and whatever a decoder throws becomes `Unreadable`.
Time and memory are bounded from outside, by gallery/sandbox.py.
"""

from __future__ import annotations

import binascii
import io
import mmap
import os
import resource
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from gallery import formats, tiff

MAX_PIXELS = 300_000_000
ORIENTATION = 0x0112

_PILLOW_NAMES = {
    formats.WEBP: "WEBP",
    formats.HEIC: "HEIF",
    formats.HEIF: "HEIF",
    formats.JPEG_XL: "JXL",
}
_TURNED_BY_DECODER = {formats.TIFF, formats.HEIC, formats.HEIF}

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Unreadable(Exception):
    """A picture that cannot be shown; the message is the reason in plain words."""

    @property
    def reason(self) -> str:
        """Why, in words a family member can read."""
        return str(self)


END_MISSING = "the end of the file is missing"
_SIGNS_OF_A_MISSING_END = (
    "truncated",
    "eof",
    "end of file",
    "end-of-file",
    "premature",
    "not enough data",
    "no more data",
    "unexpected end",
    "incomplete",
)


def reason(error: Exception) -> str:
    """What a decoder's exception says, in plain words with its own in brackets."""
    # Decoders quote what they found: no database takes all of that.
    plain = "".join(sign if sign.isprintable() else " " for sign in f"{error}")
    said = " ".join(plain.split())[:150]
    if any(sign in said.lower() for sign in _SIGNS_OF_A_MISSING_END):
        return END_MISSING
    return f"the file is damaged ({said or type(error).__name__})"


@dataclass(slots=True)
class Picture:
    """An opened picture file, decoded when its image is first used.

    `width` and `height` are those of the whole picture as seen upright, in pixels;
    `orientation` (EXIF 1 to 8) is the turn that `image` still needs; `exif` is the TIFF
    structure with its metadata, which a CR3 keeps in `canon_blocks` instead.
    """

    format: formats.Format
    image: Image.Image
    width: int
    height: int
    orientation: int
    exif: bytes | mmap.mmap
    canon_blocks: dict[str, bytes] = field(default_factory=dict)

    def decoded(self) -> Image.Image:
        """All pixels of the picture, or of its first frame; to be asked for once."""
        if self.format is formats.WEBP:
            return _first_frame(self.image)
        self.image.load()
        return self.image

    def upright(self, image: Image.Image) -> Image.Image:
        """This image of the picture (whole or reduced) turned as it was taken."""
        turn = _TURNS.get(self.orientation)
        return image if turn is None else image.transpose(turn)


@contextmanager
def opened(
    path: str | os.PathLike[str],
    *,
    edge: int = 512,
    tolerant: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> Iterator[Picture]:
    """A picture file, closed at the end of the block.

    Of a RAW file the image is the embedded preview if it has about `edge` pixels, else
    the developed sensor data at half size. `tolerant` decodes as far as a broken file
    goes. Everything that goes wrong, also inside the block, is `Unreadable`, but for
    MemoryError.
    """
    with warnings.catch_warnings(), _truncated_allowed(allowed=tolerant):
        warnings.simplefilter("ignore")
        try:
            with Path(path).open("rb") as stream:
                yield from _pictures(stream, edge=edge, max_pixels=max_pixels)
        except (MemoryError, Unreadable):
            raise
        # Decoders of hostile bytes throw whatever they stumble over.
        except Exception as error:
            if isinstance(error, OSError) and error.errno:
                said = f"the file cannot be read ({error.strerror})"
                raise Unreadable(said) from error
            raise Unreadable(reason(error)) from error


@contextmanager
def _truncated_allowed(*, allowed: bool) -> Iterator[None]:
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = allowed
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _pictures(stream: BinaryIO, *, edge: int, max_pixels: int) -> Iterator[Picture]:
    head = stream.read(formats.HEAD)
    size = os.fstat(stream.fileno()).st_size
    format = formats.recognise(head, size=size)
    if format is None:
        raise Unreadable("the file is empty" if not size else "this is not a picture")
    stream.seek(0)
    if format.is_raw:
        yield from _raw_pictures(stream, format, edge=edge, max_pixels=max_pixels)
        return
    if format is formats.JPEG_XL and (claimed := formats.jpeg_xl_size(head)):
        # Its decoder decodes while opening.
        _check_pixels(*claimed, max_pixels=max_pixels)
    with _image(stream, format) as image:
        _check_pixels(*image.size, max_pixels=max_pixels)
        with _exif(stream, format, image) as exif:
            orientation = _orientation(format, image, exif)
            turned = orientation >= 5
            width, height = image.size[::-1] if turned else image.size
            pixels = width * height
            try:
                yield Picture(format, image, width, height, orientation, exif)
            except (MemoryError, Unreadable):
                raise
            except Exception as error:
                if _cannot_fit(image, pixels=pixels):
                    raise MemoryError from error
                raise


def _first_frame(image: Any) -> Image.Image:
    """The first frame of a WebP, in a quarter less memory than Pillow takes to load it.

    The decoder goes, with the two frames it keeps for an animation, before anything is
    made of the pixels, and these are used where they are.
    """
    found = image._decoder.get_next()
    image._decoder = None
    if found is None:
        raise Unreadable(END_MISSING)
    return Image.frombuffer(
        image.rawmode, image.size, found[0], "raw", image.rawmode, 0, 1
    )


def _check_pixels(width: int, height: int, *, max_pixels: int) -> None:
    if width < 1 or height < 1:
        raise Unreadable("the picture has no pixels")
    if width * height > max_pixels:
        raise Unreadable(f"too many pixels: {width} x {height}")


# The most a decoder was seen to need for a pixel is 15 bytes (WebP), and some to spare.
_BYTES_PER_PIXEL = 18
_BYTES_PER_COEFFICIENTS = 6


def _cannot_fit(image: Image.Image, *, pixels: int) -> bool:
    """Whether a decoder that failed may have failed for want of memory.

    Several report a refused allocation as broken data (libjpeg does), and an intact
    photo must never be called damaged. `pixels` counts the whole picture, while `image`
    may already be set to a reduced size.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if limit == resource.RLIM_INFINITY:
        return False
    if not isinstance(image, JpegImageFile):
        return pixels * _BYTES_PER_PIXEL > limit
    needed = image.width * image.height * 8
    if image.info.get("progressive"):
        # Its coefficients are all kept, however small it is decoded.
        needed += pixels * _BYTES_PER_COEFFICIENTS
    return needed > limit


def _image(stream: BinaryIO, format: formats.Format) -> Image.Image:
    _prepare(format)
    try:
        return Image.open(stream, formats=[_PILLOW_NAMES.get(format, format.name)])
    except Image.UnidentifiedImageError:
        said = f"this {format.name} file is damaged, or of a kind that cannot be shown"
        raise Unreadable(said) from None


def _prepare(format: formats.Format) -> None:
    """Teach Pillow the format, where it does not know it by itself.

    One thread each: the workers are many already, and memory stays predictable.
    """
    # Ours is checked before anything is decoded; Pillow's is below that of a phone.
    Image.MAX_IMAGE_PIXELS = None
    if format in (formats.HEIC, formats.HEIF):
        import pillow_heif

        pillow_heif.register_heif_opener(
            decode_threads=1, thumbnails=False, depth_images=False, aux_images=False
        )
    if format is formats.JPEG_XL:
        from pillow_jxl import JpegXLImagePlugin

        JpegXLImagePlugin.DECODE_THREADS = 0


@contextmanager
def _exif(
    stream: BinaryIO, format: formats.Format, image: Image.Image
) -> Iterator[bytes | mmap.mmap]:
    if format is formats.TIFF:
        with _mapped(stream) as data:
            yield data
        return
    yield exif_block(image)


def exif_block(image: Image.Image) -> bytes:
    """The TIFF structure of an image's EXIF block, empty if it has none."""
    block = image.info.get("exif")
    if not isinstance(block, bytes):
        block = _profile_of_imagemagick(image.info.get("Raw profile type exif"))
    return block.removeprefix(b"Exif\0\0")


def _profile_of_imagemagick(text: object) -> bytes:
    """EXIF that was put into a PNG before PNG had a place for it: a name, a length, hex."""
    lines = text.split("\n", 3) if isinstance(text, str) else []
    if len(lines) < 4:
        return b""
    try:
        return bytes.fromhex(lines[3])
    except (ValueError, binascii.Error):
        return b""


@contextmanager
def _mapped(stream: BinaryIO) -> Iterator[mmap.mmap]:
    with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def _orientation(
    format: formats.Format, image: Image.Image, exif: bytes | mmap.mmap
) -> int:
    if format in _TURNED_BY_DECODER:
        return 1
    # A JPEG XL is turned by its decoder, but not the JPEG some are made of.
    if format is formats.JPEG_XL and not getattr(image, "jpeg", False):
        return 1
    found = tiff.parse(exif)
    turn = tiff.number(found.directory().get(ORIENTATION)) if found else None
    return int(turn) if turn in _TURNS else 1


# LibRaw's words for the turns a sensor's picture needs
_FLIPS = {3: 3, 5: 8, 6: 6}


def _raw_pictures(
    stream: BinaryIO, format: formats.Format, *, edge: int, max_pixels: int
) -> Iterator[Picture]:
    with _mapped(stream) as data:
        block = raw_exif(data, format)
        try:
            image, size, orientation = _developed(stream, edge, max_pixels)
        except (MemoryError, Unreadable):
            raise
        except Exception as error:
            # What LibRaw does not know still holds a JPEG of the camera.
            found = _largest_jpeg(data)
            if found is None:
                raise Unreadable(reason(error)) from error
            image, size = found, found.size
            orientation = _orientation(format, image, block or exif_block(image))
        with image:
            width, height = size[::-1] if orientation >= 5 else size
            blocks = canon_blocks(data) if format is formats.CR3 else {}
            yield Picture(format, image, width, height, orientation, block, blocks)


def _developed(
    stream: BinaryIO, edge: int, max_pixels: int
) -> tuple[Image.Image, tuple[int, int], int]:
    """Image, size of the sensor's picture, and the turn both still need."""
    import rawpy

    with rawpy.imread(stream) as raw:
        sizes = raw.sizes
        _check_pixels(sizes.raw_width, sizes.raw_height, max_pixels=max_pixels)
        wide = max(sizes.pixel_aspect, 1)
        high = max(1 / sizes.pixel_aspect, 1) if sizes.pixel_aspect > 0 else 1
        size = round(sizes.width * wide), round(sizes.height * high)
        # The shape of a pixel comes from the file, too.
        _check_pixels(*size, max_pixels=max_pixels)
        orientation = _FLIPS.get(sizes.flip, 1)
        preview = _camera_preview(raw)
        if preview is None or max(preview.size) < 0.75 * min(edge, max(size)):
            try:
                pixels = raw.postprocess(
                    half_size=True, use_camera_wb=True, user_flip=0
                )
                return Image.fromarray(pixels), size, orientation
            except rawpy.LibRawError:
                if preview is None:
                    raise
        sideways = (preview.width < preview.height) != (size[0] < size[1])
        if orientation >= 5 and sideways:
            # The camera turned its preview itself.
            return preview.transpose(_UNTURNS[orientation]), size, orientation
        return preview, size, orientation


_UNTURNS = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}


def _camera_preview(raw: object) -> Image.Image | None:
    import rawpy

    try:
        preview = raw.extract_thumb()  # type: ignore[attr-defined]
        if preview.format == rawpy.ThumbFormat.JPEG:
            return Image.open(io.BytesIO(preview.data), formats=["JPEG"])
        return Image.fromarray(preview.data)
    except (rawpy.LibRawError, OSError, ValueError, TypeError):
        return None


def _largest_jpeg(data: mmap.mmap) -> Image.Image | None:
    """The JPEG with most pixels among the first 64 that start inside a file."""
    best, at = None, -1
    for _ in range(64):
        at = data.find(b"\xff\xd8\xff", at + 1)
        if at < 0:
            break
        try:
            found = Image.open(io.BytesIO(data[at:]), formats=["JPEG"])
        except (OSError, SyntaxError, ValueError, struct.error):
            continue
        if best is None or found.width * found.height > best.width * best.height:
            best = found
    return best


def raw_exif(data: mmap.mmap, format: formats.Format) -> bytes | mmap.mmap:
    """The TIFF structure with the metadata of a RAW file, empty if there is none."""
    if format is formats.RAF:
        start, length = struct.unpack(">II", data[84:92])
        try:
            with Image.open(
                io.BytesIO(data[start : start + length]), formats=["JPEG"]
            ) as image:
                return exif_block(image)
        except (OSError, SyntaxError, ValueError):
            return b""
    if format in (formats.CR3, formats.CRW):
        return b""
    return data


def canon_blocks(data: mmap.mmap | bytes) -> dict[str, bytes]:
    """The metadata boxes of a CR3: CMT1 main, CMT2 exposure, CMT4 position."""
    blocks = {}
    for name in ("CMT1", "CMT2", "CMT4"):
        at = data.find(name.encode(), 0, 1 << 20)
        if at >= 4:
            (length,) = struct.unpack(">I", data[at - 4 : at])
            blocks[name] = bytes(data[at + 4 : at + max(4, min(length, 1 << 20) - 4)])
    return blocks
