"""How a copy is written: its format, its quality, its metadata, what is lost of it."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from typing import Any

from PIL import Image

from bench.copies.original import ORIENTATION, Original

Saved = tuple[bytes, str]  # a file's bytes and the ending of its name
# What writes the altered picture of an original; None where that cannot be.
Save = Callable[[Original, Image.Image, random.Random], Saved | None]

NO_METADATA = {"GIF", "BMP"}
TURNS = {
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,  # shown turned back by the tag
    8: Image.Transpose.ROTATE_270,
}


def encoded(picture: Image.Image, format: str, **options: Any) -> bytes:
    saved = io.BytesIO()
    picture.save(saved, format, **options)
    return saved.getvalue()


def _kept(original: Original, chance: random.Random, share: float) -> dict[str, Any]:
    """Return the options that take the metadata along, for a share of the copies."""
    kept = original.metadata if chance.random() < share else {}
    return original.profile | kept


def jpeg(low: int, high: int, *, metadata: float = 0.5, **options: Any) -> Save:
    """Return what saves as JPEG at a quality between two."""

    def save(original: Original, picture: Image.Image, chance: random.Random) -> Saved:
        more = _kept(original, chance, metadata) | options
        quality = chance.randint(low, high)
        # Without an option Pillow halves the colour's resolution, as most programs do.
        if quality > 90 and chance.random() < 0.5:
            more["subsampling"] = 0
        return encoded(picture, "JPEG", quality=quality, **more), ".jpg"

    return save


def several_times(original: Original, picture: Image.Image, chance: random.Random) -> Saved:  # fmt: skip
    """Save two to five times, as happens on the way through messengers."""
    for _ in range(chance.randint(1, 4)):
        data = encoded(picture, "JPEG", quality=chance.randint(50, 92))
        picture = Image.open(io.BytesIO(data)).convert("RGB")
    return jpeg(50, 92)(original, picture, chance)


def as_format(format: str, ending: str, **ranges: Any) -> Save:
    """Return what saves in a format; a range of an option is drawn from."""

    def save(original: Original, picture: Image.Image, chance: random.Random) -> Saved:
        options = {
            name: chance.randint(*value) if isinstance(value, tuple) else value
            for name, value in ranges.items()
        }
        if format not in NO_METADATA:
            options |= _kept(original, chance, 0.5)
        return encoded(picture, format, **options), ending

    return save


def tiff(original: Original, picture: Image.Image, chance: random.Random) -> Saved:
    packed = chance.choice((None, "tiff_lzw", "tiff_adobe_deflate"))
    options = original.profile | ({"compression": packed} if packed else {})
    return encoded(picture, "TIFF", **options), chance.choice((".tif", ".tiff"))


def screen(original: Original, picture: Image.Image, chance: random.Random) -> Saved:
    """Save as screenshots are: PNG, or JPEG on some phones; nothing of the camera."""
    if chance.random() < 0.6:
        return encoded(picture, "PNG", compress_level=1), ".png"
    return encoded(picture, "JPEG", quality=chance.randint(75, 95)), ".jpg"


def turned_and_tagged(original: Original, picture: Image.Image, chance: random.Random) -> Saved:  # fmt: skip
    """Turn the pixels, and write the turn into the EXIF that undoes it."""
    orientation = chance.choice(tuple(TURNS))
    exif = Image.Exif()
    if "exif" in original.metadata:
        exif.load(original.metadata["exif"])
    exif[ORIENTATION] = orientation
    turned = picture.transpose(TURNS[orientation])
    options = original.profile | {"exif": exif.tobytes()}
    return encoded(turned, "JPEG", quality=chance.randint(60, 95), **options), ".jpg"


# Files that lost a part


def cut_short(low: float, high: float, **options: Any) -> Save:
    """Return what writes only a share of the file."""
    inner = jpeg(70, 95, **options)

    def save(original: Original, picture: Image.Image, chance: random.Random) -> Saved:
        data, ending = inner(original, picture, chance) or (b"", "")
        return _broken_off(data, chance.uniform(low, high)), ending

    return save


def _broken_off(data: bytes, share: float) -> bytes:
    """Return the head of a JPEG and a share of what is drawn by it."""
    drawn = len(dict(segments(data))[0xDA])
    return data[: len(data) - round(drawn * (1 - share))]


def cut_original(original: Original, _: Image.Image, chance: random.Random) -> Saved | None:  # fmt: skip
    """The original itself, broken off: a copy that was interrupted."""
    if original.format != "JPEG":
        return None
    return _broken_off(original.data, chance.uniform(0.3, 0.95)), ".jpg"


# Metadata of a JPEG, without touching its picture


def segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker and bytes of each segment of a JPEG; the picture's come last, as 0xDA."""
    at = 2
    while data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4], "big") + 2
        yield data[at + 1], data[at : at + length]
        # Some cameras leave padding between two segments.
        at = data.index(b"\xff", at + length)
        while data[at + 1] == 0xFF:
            at += 1
    yield 0xDA, data[at:]


def with_exif(data: bytes, exif: bytes) -> bytes:
    """Return a JPEG with other metadata: this EXIF, or none at all if it is empty.

    What says how to read the colours stays.
    """
    kept = b"".join(part for marker, part in segments(data) if _is_needed(marker, part))
    ours = b""
    if exif:
        ours = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    return b"\xff\xd8" + ours + kept


def _is_needed(marker: int, part: bytes) -> bool:
    is_profile = marker == 0xE2 and part[4:].startswith(b"ICC_PROFILE")
    is_metadata = 0xE0 <= marker <= 0xEF or marker == 0xFE
    return not is_metadata or marker in (0xE0, 0xEE) or is_profile


def byte_copy(original: Original, _: Image.Image, __: random.Random) -> Saved:
    return original.data, ".jpg" if original.format == "JPEG" else ".bin"


def stripped(original: Original, _: Image.Image, __: random.Random) -> Saved | None:
    """Take all metadata out: the turn is lost with them, if there was one."""
    if original.format != "JPEG":
        return None
    return with_exif(original.data, b""), ".jpg"


def rewritten(original: Original, _: Image.Image, chance: random.Random) -> Saved | None:  # fmt: skip
    """Change some metadata, as organisers do; the turn stays."""
    return _retagged(original, {0x0131: "Photo Organiser 3", 0x013B: chance.choice(("Anna", "Opa"))})  # fmt: skip


def tagged_turn(original: Original, _: Image.Image, chance: random.Random) -> Saved | None:  # fmt: skip
    """Turn by writing the EXIF only, as viewers do."""
    if original.is_turned:
        return None
    return _retagged(original, {ORIENTATION: chance.choice((3, 6, 8))})


def _retagged(original: Original, tags: dict[int, object]) -> Saved | None:
    if original.format != "JPEG":
        return None
    exif = Image.open(io.BytesIO(original.data)).getexif()
    for tag, value in tags.items():
        exif[tag] = value
    data = exif.tobytes()
    return (with_exif(original.data, data), ".jpg") if len(data) < 65_000 else None
