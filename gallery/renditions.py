"""Make the small pictures the family sees out of the originals.

A rendition is an upright sRGB JPEG, the small one a WebP; the same file and recipe give
the same bytes.
JPEG files are shrunk while they are decoded, which is where nearly all the time goes.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from PIL import Image, ImageCms
from PIL.JpegImagePlugin import JpegImageFile

from gallery import colours, decoding, formats, metadata
from gallery.decoding import Picture, Unreadable

RECIPE = 1  # a higher number makes every thumbnail again

THUMBNAIL_EDGE = 512
PREVIEW_EDGE = 2048
QUALITY = 85
# Chosen by bytes against time: docs/gallery.md has the figures.
SMALL_EDGE = 360
SMALL_QUALITY = 80
SMALL_METHOD = 4

# How much larger than asked a JPEG is decoded: its decoder only knows 1/2, 1/4 and 1/8,
# and the last step is left to a better filter.
_MARGIN = 1.5
_BLANK = 0.99  # a broken file that shows less than the rest shows nothing
_BAND = 1 << 24  # bytes of pixels hashed at once

# Formats whose decoders can show what there is of a file without an end
_PARTIAL = (formats.JPEG, formats.PNG, formats.GIF, formats.BMP, formats.TIFF)


@dataclass(frozen=True, slots=True)
class Rendition:
    """A packed picture and its size in pixels; `problem` is that of the original.

    `colours`: what stands in its place until it is there; gallery.colours.
    """

    data: bytes
    width: int
    height: int
    problem: str = ""
    colours: str = ""


@dataclass(frozen=True, slots=True)
class Developed:
    """All that an import wants to know of a picture, from opening it once."""

    metadata: metadata.Metadata
    thumbnail: Rendition


class Undeveloped(Unreadable):
    """A picture that cannot be shown, but whose metadata may be readable all the same."""

    def __init__(self, reason: str, found: metadata.Metadata | None = None) -> None:
        super().__init__(reason)
        self.metadata = found


def develop(path: str | os.PathLike[str], *, edge: int = THUMBNAIL_EDGE) -> Developed:
    """Metadata and thumbnail of a picture file, from opening it once.

    A file without its end, or damaged in another way, is shown as far as it goes, and
    the problem said. Raises Undeveloped, with the metadata if there is any, if nothing
    can be shown.
    """
    try:
        return _develop(path, edge)
    except Undeveloped as error:
        strict = error
    try:
        partly = _develop(path, edge, tolerant=True)
    except Undeveloped as error:
        raise Undeveloped(strict.reason, strict.metadata or error.metadata) from error
    problem = f"{strict.reason}; shown as far as it goes"
    return replace(partly, thumbnail=replace(partly.thumbnail, problem=problem))


def thumbnail(path: str | os.PathLike[str], *, edge: int = THUMBNAIL_EDGE) -> Rendition:
    """The picture with at most `edge` pixels a side, upright, in sRGB, as a JPEG.

    Never larger than the original; transparent parts become white; of an animation the
    first frame. Raises Unreadable if nothing of it can be shown.
    """
    return develop(path, edge=edge).thumbnail


def preview(path: str | os.PathLike[str], *, edge: int = PREVIEW_EDGE) -> Rendition:
    """The same as `thumbnail`, at the size of a screen."""
    return develop(path, edge=edge).thumbnail


def small(thumbnail: str | os.PathLike[str]) -> Rendition:
    """A thumbnail made smaller, as a WebP, with its colours.

    `thumbnail` is one of our own making: it is decoded here. Raises Unreadable.
    """
    try:
        with Image.open(thumbnail, formats=["JPEG"]) as image:
            image.load()
    except (OSError, ValueError, SyntaxError) as error:
        raise Unreadable("this is not a picture") from error
    made = image.resize(_fitted(image.size, SMALL_EDGE), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    made.save(buffer, "WEBP", quality=SMALL_QUALITY, method=SMALL_METHOD)
    return Rendition(
        buffer.getvalue(), made.width, made.height, colours=colours.of(image)
    )


def _develop(
    path: str | os.PathLike[str], edge: int, *, tolerant: bool = False
) -> Developed:
    found: metadata.Metadata | None = None
    try:
        with decoding.opened(path, edge=edge, tolerant=tolerant) as picture:
            try:
                if tolerant and picture.format not in _PARTIAL:
                    raise Unreadable("nothing can be shown of a part of it")
                image = reduced(picture, edge)
            finally:
                # A PNG may have its metadata behind the pixels.
                found = metadata.of(picture)
            if tolerant and _is_blank(image):
                raise Unreadable("nothing of the picture is left")
            return Developed(found, replace(_encoded(image), colours=colours.of(image)))
    except Unreadable as error:
        raise Undeveloped(error.reason, found) from error


def reduced(picture: Picture, edge: int) -> Image.Image:
    """The picture upright in RGB, with at most `edge` pixels a side."""
    image, box = picture.image, None
    size = _fitted(image.size, edge)
    if isinstance(image, JpegImageFile):
        asked = tuple(math.ceil(side * _MARGIN) for side in size)
        drafted = image.draft(None, asked)  # type: ignore[arg-type]
        # What is left of the last block of pixels is outside the box.
        box = drafted[1] if drafted else None
    image = _resizable(picture.decoded())
    if image.size != size or box:
        image = image.resize(size, Image.Resampling.BICUBIC, box, reducing_gap=2.0)
    icc = picture.image.info.get("icc_profile")
    return picture.upright(_in_srgb(_on_white(_in_eight_bits(image)), icc))


def _fitted(size: tuple[int, int], edge: int) -> tuple[int, int]:
    factor = min(1.0, edge / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _resizable(image: Image.Image) -> Image.Image:
    """The image in a mode whose pixels can be averaged."""
    if "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    if image.mode in ("P", "RGBX", "HSV", "YCbCr"):
        return image.convert("RGB")
    if image.mode in ("PA", "RGBa"):
        return image.convert("RGBA")
    return image.convert("LA") if image.mode == "La" else image


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """Scientific and scanned greys, of 16 or 32 bits or fractions, as L."""
    if not image.mode.startswith(("I", "F")):
        return image
    low, high = image.convert("F").getextrema()
    assert isinstance(low, float) and isinstance(high, float)
    if image.mode != "F" and low >= 0 and high <= 0xFFFF:
        # Pillow gives PNG and TIFF of 16 bits these modes, black and white included.
        low, high = 0, 0xFFFF
    scale = 255 / (high - low) if high > low else 1.0
    shift = -low * scale
    return image.convert("F").point(lambda value: value * scale + shift).convert("L")


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode not in ("RGBA", "LA"):
        return image
    ground = Image.new(image.mode[:-1], image.size, "white")
    ground.paste(image.convert(ground.mode), mask=image.getchannel("A"))
    return ground


def _in_srgb(image: Image.Image, icc: object) -> Image.Image:
    profile = icc if isinstance(icc, bytes) else b""
    transform = _to_srgb(profile, image.mode)
    if transform is None:
        return image.convert("RGB")
    changed = ImageCms.applyTransform(image, transform)
    return image.convert("RGB") if changed is None else changed


@lru_cache(maxsize=32)
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way from a colour profile to sRGB; None if there is none to go.

    A broken profile, or one for another number of channels, is as if it were not there.
    """
    if not profile and mode != "LAB":
        return None
    try:
        if mode == "LAB":
            source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        else:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "sRGB" in ImageCms.getProfileDescription(source):
                return None
        target = ImageCms.createProfile("sRGB")
        return ImageCms.buildTransform(source, target, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _is_blank(image: Image.Image) -> bool:
    """Whether this is the grey or black a decoder leaves where nothing was to decode."""
    shades = image.convert("L").histogram()
    return max(shades) > _BLANK * sum(shades)


def _encoded(image: Image.Image) -> Rendition:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    return Rendition(buffer.getvalue(), image.width, image.height)


def pixel_digest(path: str | os.PathLike[str]) -> str:
    """SHA-256 over size, mode and all pixels of the upright picture, as hex.

    Files of different formats with the same pixels have the same digest: 8-bit pictures
    count as RGB, or RGBA where something is transparent; colour profiles and metadata
    do not count. Of a RAW file the sensor's values are hashed. Raises Unreadable, also
    for a picture that is not whole.
    """
    with decoding.opened(path) as picture:
        if picture.format.is_raw:
            return _sensor_digest(path)
        bits = _bits(picture.image)
        image = picture.upright(picture.decoded())
        mode = _common_mode(image)
        digest = hashlib.sha256(f"{mode} {bits} {image.size}".encode())
        for band in _bands(image):
            digest.update(band.convert(mode).tobytes())
        return digest.hexdigest()


def _bits(image: Image.Image) -> int:
    """Bits of one channel in the file; Pillow keeps only eight of a colour's sixteen."""
    # Known before decoding only: the decoder's arguments name the layout of the file.
    if ";16" in f"{image.mode} {getattr(image, 'tile', '')}":
        return 16
    depth = image.info.get("bit_depth", 8)
    return depth if isinstance(depth, int) and depth > 8 else 8


def _common_mode(image: Image.Image) -> str:
    if image.mode.startswith(("I", "F")) or image.mode in ("CMYK", "LAB"):
        return image.mode
    if not image.has_transparency_data:
        return "RGB"
    for band in _bands(image):
        if band.convert("RGBA").getchannel("A").getextrema() != (255, 255):
            return "RGBA"
    return "RGB"


def _bands(image: Image.Image) -> Iterator[Image.Image]:
    rows = max(1, _BAND // (4 * image.width))
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _sensor_digest(path: str | os.PathLike[str]) -> str:
    import rawpy

    with rawpy.imread(os.fspath(path)) as raw:
        pixels = raw.raw_image
        digest = hashlib.sha256(f"sensor {pixels.dtype} {pixels.shape}".encode())
        digest.update(pixels.tobytes())
        return digest.hexdigest()
