"""Drawn pictures for tests: each seed is another scene, and each verb makes a copy."""

from __future__ import annotations

import io
import struct
import zlib
from datetime import datetime

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

SIZE = (640, 480)
EXIF_IFD, GPS_IFD = 0x8769, 0x8825


def scene(*, seed: int = 3, size: tuple[int, int] = SIZE) -> Image.Image:
    """A textured picture (RGB); the same seed at another size is the same scene."""
    random = np.random.default_rng(seed)
    total = np.zeros((size[1], size[0], 3), np.float32)
    for cells, weight in ((3, 1.0), (9, 0.6), (40, 0.35), (160, 0.2)):
        grid = random.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        layer = Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC)
        total += weight * np.asarray(layer, np.float32)
    low, high = total.min(), total.max()
    image = Image.fromarray(((total - low) * (255 / (high - low))).astype(np.uint8))
    _draw_shapes(image, random)
    return image


def _draw_shapes(image: Image.Image, random: np.random.Generator) -> None:
    pen = ImageDraw.Draw(image)
    width, height = image.size
    for number in range(14):
        left, top = random.uniform(0, 0.85, 2)
        across, down = random.uniform(0.04, 0.22, 2)
        box = (
            left * width,
            top * height,
            (left + across) * width,
            (top + down) * height,
        )
        colour = tuple(int(part) for part in random.integers(0, 256, 3))
        if number % 2:
            pen.ellipse(box, fill=colour)
        else:
            pen.rectangle(box, fill=colour)


def exif(
    *,
    taken: datetime | str | None = None,
    digitised: datetime | str | None = None,
    modified: datetime | str | None = None,
    subsecond: str | None = None,
    offset: str | None = None,
    make: str | None = None,
    model: str | None = None,
    software: str | None = None,
    orientation: int | None = None,
    position: tuple[float, float] | None = None,
    more: dict[int, object] | None = None,
    more_exif: dict[int, object] | None = None,
) -> bytes:
    """An EXIF block as a camera writes it; `more` are tags of IFD0."""
    block = Image.Exif()
    block.update(_given({0x010F: make, 0x0110: model, 0x0112: orientation}))
    block.update(_given({0x0131: software, 0x0132: _stamp(modified)}))
    block.update(more or {})
    inner = {
        0x9003: _stamp(taken),
        0x9004: _stamp(digitised),
        0x9291: subsecond,
        0x9011: offset,
    }
    block.get_ifd(EXIF_IFD).update(_given(inner) | (more_exif or {}))
    if position:
        block.get_ifd(GPS_IFD).update(_position(*position))
    return block.tobytes()


def _given(tags: dict[int, object]) -> dict[int, object]:
    return {tag: value for tag, value in tags.items() if value is not None}


def _stamp(moment: datetime | str | None) -> str | None:
    if isinstance(moment, datetime):
        return moment.strftime("%Y:%m:%d %H:%M:%S")
    return moment


def _position(latitude: float, longitude: float) -> dict[int, object]:
    return {
        1: "N" if latitude >= 0 else "S",
        2: _sexagesimal(abs(latitude)),
        3: "E" if longitude >= 0 else "W",
        4: _sexagesimal(abs(longitude)),
    }


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    minutes = (degrees % 1) * 60
    return float(int(degrees)), float(int(minutes)), round((minutes % 1) * 60, 4)


def encoded(image: Image.Image, *, format: str, **options: object) -> bytes:
    """The bytes of a file in any format Pillow writes."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def jpeg(
    image: Image.Image,
    *,
    quality: int = 90,
    exif: bytes | None = None,
    icc: bytes | None = None,
    **options: object,
) -> bytes:
    """The bytes of a JPEG file."""
    options |= _given({"exif": exif, "icc_profile": icc})  # type: ignore[arg-type]
    return encoded(image, format="JPEG", quality=quality, **options)


def png(image: Image.Image, **options: object) -> bytes:
    """The bytes of a PNG file."""
    return encoded(image, format="PNG", **options)


def bomb(*, width: int, height: int) -> bytes:
    """A small PNG that claims to be large."""
    small = png(Image.new("L", (9, 9)))
    header = b"IHDR" + struct.pack(">II", width, height) + small[24:29]
    return small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]


def resized(image: Image.Image, *, factor: float) -> Image.Image:
    """The picture scaled by a factor."""
    return ImageOps.scale(image, factor, Image.Resampling.LANCZOS)


def recompressed(image: Image.Image, *, quality: int = 60) -> Image.Image:
    """The picture after one more JPEG compression."""
    again = Image.open(io.BytesIO(jpeg(image, quality=quality)))
    again.load()
    return again


def turned(image: Image.Image, *, degrees: int = 90) -> Image.Image:
    """The picture turned anticlockwise, with nothing cut off."""
    return image.rotate(degrees, expand=True)


def mirrored(image: Image.Image) -> Image.Image:
    """The picture with left and right exchanged."""
    return ImageOps.mirror(image)


def cropped(image: Image.Image, *, share: float = 0.9) -> Image.Image:
    """The middle of the picture: this share of each side."""
    width, height = image.size
    left, top = width * (1 - share) / 2, height * (1 - share) / 2
    return image.crop((int(left), int(top), int(width - left), int(height - top)))


def framed(
    image: Image.Image, *, border: int = 30, colour: str = "white"
) -> Image.Image:
    """The picture with a plain frame around it."""
    return ImageOps.expand(image, border, colour)


def brightened(image: Image.Image, *, factor: float = 1.2) -> Image.Image:
    """The picture lighter (above 1) or darker."""
    return ImageEnhance.Brightness(image).enhance(factor)


def greyed(image: Image.Image) -> Image.Image:
    """The picture without its colours, still RGB."""
    return ImageOps.grayscale(image).convert("RGB")


def stamped(image: Image.Image, *, text: str = "2004 07 12") -> Image.Image:
    """The picture with a date printed into its corner."""
    copy = image.copy()
    where = (image.width * 0.7, image.height * 0.9)
    ImageDraw.Draw(copy).text(where, text, fill="orange", font_size=image.height // 20)
    return copy
