"""The kinds of copy, each with its right answers."""

from __future__ import annotations

import random
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageEnhance

from bench.copies import frames, geometry, marks, saving, screens, tones
from bench.copies.drawing import Maker, any_of, then, unchanged
from bench.copies.original import Original
from bench.copies.saving import Save, Saved, as_format, jpeg

FLIP = Image.Transpose
USUAL = jpeg(70, 95)  # how an altered picture is saved
POOR = jpeg(25, 85)
BARE = jpeg(50, 90, metadata=0)


@dataclass(frozen=True)
class Kind:
    """One way a copy comes about.

    `right`: relations that would be a right answer. `frame`: it shows what the original
    shows, in the same frame. `extra`: beyond what is promised, and counted apart.
    `home`: where a family would have it.
    """

    name: str
    make: Maker
    right: frozenset[str]
    save: Save = USUAL
    frame: bool = True
    extra: bool = False
    home: str = "edited"

    def write(self, original: Original, chance: random.Random) -> Saved | None:
        """Return the bytes of a new copy and the ending of its name, None if it cannot be."""
        return self.save(original, self.make(original.picture, chance), chance)

    def answers(self, original: Original) -> frozenset[str]:
        """Return the relations that are right for a copy of this original."""
        lost_turn = self.name == "metadata stripped" and original.is_turned
        return frozenset({"turned", "mirrored"}) if lost_turn else self.right


def _kind(name: str, make: Maker, right: str, save: Save = USUAL, **more: object) -> Kind:  # fmt: skip
    return Kind(name, make, frozenset(right.split()), save, **more)  # type: ignore[arg-type]


def _cut(name: str, make: Maker, right: str, save: Save = USUAL, **more: object) -> Kind:  # fmt: skip
    return _kind(name, make, right, save, frame=False, **more)


def _grey_foot(picture: Image.Image, chance: random.Random) -> Image.Image:
    """What a broken file looks like once it was saved again."""
    broken = picture.copy()
    top = round(picture.height * chance.uniform(0.4, 0.95)) // 8 * 8
    size = picture.size
    ImageDraw.Draw(broken).rectangle((0, top, *size), fill=(128, 128, 128))
    return broken


SAVED = (
    _kind("byte copy", unchanged, "keeper", saving.byte_copy, home="backup"),
    _kind("metadata stripped", unchanged, "same_pixels", saving.stripped, home="mail"),
    _kind("metadata changed", unchanged, "same_pixels", saving.rewritten, home="backup"),
    _kind("turned by EXIF", unchanged, "turned", saving.tagged_turn, home="backup"),
    _kind("turned and tagged", unchanged, "resaved", saving.turned_and_tagged),
    _kind("jpeg 10-25", unchanged, "resaved", jpeg(10, 25), home="mail"),
    _kind("jpeg 26-50", unchanged, "resaved", jpeg(26, 50), home="mail"),
    _kind("jpeg 51-80", unchanged, "resaved", jpeg(51, 80)),
    _kind("jpeg 81-95", unchanged, "resaved", jpeg(81, 95)),
    _kind("jpeg 97-100", unchanged, "resaved", jpeg(97, 100, subsampling=0)),
    _kind("progressive", unchanged, "resaved", jpeg(60, 92, progressive=True), home="mail"),
    _kind("saved several times", unchanged, "resaved", saving.several_times, home="mail"),
    _kind("png", unchanged, "same_pixels", as_format("PNG", ".png", compress_level=1)),
    _kind("tiff", unchanged, "same_pixels", saving.tiff),
    _kind("bmp", unchanged, "same_pixels", as_format("BMP", ".bmp")),
    _kind("webp lossless", unchanged, "same_pixels", as_format("WebP", ".webp", lossless=True, method=0)),
    _kind("jxl lossless", unchanged, "same_pixels", as_format("JXL", ".jxl", lossless=True, effort=1)),
    _kind("webp", unchanged, "resaved", as_format("WebP", ".webp", quality=(20, 95), method=0), home="mail"),
    _kind("heic", unchanged, "resaved", as_format("HEIF", ".heic", quality=(25, 90)), home="phone"),
    _kind("avif", unchanged, "resaved", as_format("AVIF", ".avif", quality=(25, 90), speed=10)),
    _kind("jxl", unchanged, "resaved", as_format("JXL", ".jxl", quality=(30, 95), effort=2)),
    _kind("gif", unchanged, "recoloured resaved", as_format("GIF", ".gif"), home="mail"),
    _kind("cut short", unchanged, "damaged", saving.cut_original, home="backup"),
    _kind("re-saved, cut short", unchanged, "damaged", saving.cut_short(0.3, 0.95), home="backup"),
    _kind("grey foot", _grey_foot, "damaged", home="backup"),
)  # fmt: skip

SIZED = (
    _kind("scaled to 160-320", geometry.scaled(160, 320), "resized", POOR, home="mail"),
    _kind("scaled to 320-800", geometry.scaled(320, 800), "resized", POOR, home="mail"),
    _kind("scaled to 800-1600", geometry.scaled(800, 1600), "resized", POOR, home="mail"),
    _kind("enlarged", geometry.enlarged, "resized", jpeg(80, 98)),
    _kind("messenger", then(geometry.scaled(800, 1600), unchanged), "resized", jpeg(45, 75, metadata=0), home="phone"),
    _kind("stretched", geometry.stretched, "resized edited", USUAL, extra=True),
    _kind("turned 90", geometry.transposed(FLIP.ROTATE_90), "turned"),
    _kind("turned 180", geometry.transposed(FLIP.ROTATE_180), "turned"),
    _kind("turned 270", geometry.transposed(FLIP.ROTATE_270), "turned"),
    _kind("mirrored", geometry.transposed(FLIP.FLIP_LEFT_RIGHT), "mirrored"),
    _kind("upside down", geometry.transposed(FLIP.FLIP_TOP_BOTTOM), "mirrored"),
    _kind("transposed", geometry.transposed(FLIP.TRANSPOSE, FLIP.TRANSVERSE), "mirrored"),
)  # fmt: skip

EXTENT = (
    _cut("crop 2-10 % at a side", geometry.cropped_at_a_side(0.02, 0.1), "cropped"),
    _cut("crop 10-25 % at a side", geometry.cropped_at_a_side(0.1, 0.25), "cropped"),
    _cut("crop 25-40 % at a side", geometry.cropped_at_a_side(0.25, 0.4), "cropped"),
    _cut("crop 2-10 % all round", geometry.cropped_all_round(0.02, 0.1), "cropped"),
    _cut("crop 10-25 % all round", geometry.cropped_all_round(0.1, 0.25), "cropped"),
    _cut("crop 25-40 % all round", geometry.cropped_all_round(0.25, 0.4), "cropped"),
    _cut("to 16:9", geometry.to_aspect(16 / 9, 4 / 3), "cropped"),
    _cut("to 3:2", geometry.to_aspect(3 / 2, 5 / 4), "cropped"),
    _cut("to 1:1", geometry.to_aspect(1), "cropped", home="phone"),
    _cut("white border", frames.bordered("white"), "framed"),
    _cut("black border", frames.bordered("black"), "framed"),
    _cut("coloured border", frames.bordered(), "framed"),
    _cut("uneven border", frames.uneven_border, "framed"),
    _cut("double border", frames.double_border, "framed"),
    _cut("blurred frame", frames.blurred_frame, "framed", BARE, home="phone"),
    _cut("letterbox", frames.boxed(1, 4 / 5, 9 / 16), "framed", BARE),
    _cut("pillarbox", frames.boxed(16 / 9, 2, 21 / 9), "framed", BARE),
    _cut("polaroid", frames.polaroid, "framed"),
    _cut("caption below", frames.caption_below, "framed edited"),
    _cut("straightened 0.5-2", geometry.straightened(0.5, 2), "turned cropped"),
    _cut("straightened 2-5", geometry.straightened(2, 5), "turned cropped"),
    _cut("perspective", geometry.perspective, "cropped turned edited"),
    _cut("skew with corners", geometry.turned_with_corners, "turned framed", extra=True),
)  # fmt: skip

TONED = (
    _kind("brighter", tones.enhanced(ImageEnhance.Brightness, 1.15, 1.6), "recoloured"),
    _kind("darker", tones.enhanced(ImageEnhance.Brightness, 0.4, 0.85), "recoloured"),
    _kind("more contrast", tones.enhanced(ImageEnhance.Contrast, 1.2, 1.7), "recoloured"),
    _kind("less contrast", tones.enhanced(ImageEnhance.Contrast, 0.5, 0.85), "recoloured"),
    _kind("gamma 0.45-0.8", tones.gamma(0.45, 0.8), "recoloured"),
    _kind("gamma 1.25-2.2", tones.gamma(1.25, 2.2), "recoloured"),
    _kind("auto levels", tones.auto_levels, "recoloured resaved"),
    _kind("equalised", tones.equalised, "recoloured"),
    _kind("white balance", tones.white_balance, "recoloured"),
    _kind("more colour", tones.enhanced(ImageEnhance.Color, 1.4, 2.2), "recoloured"),
    _kind("less colour", tones.enhanced(ImageEnhance.Color, 0.2, 0.7), "recoloured"),
    _kind("grey", tones.grey, "recoloured"),
    _kind("sepia", tones.sepia, "recoloured"),
    _kind("faded", tones.faded, "recoloured"),
    _kind("filter and vignette", tones.vignetted, "recoloured edited"),
    _kind("filter look", tones.toned_shadows, "recoloured", home="phone"),
    _kind("local contrast", tones.local_contrast, "recoloured edited", extra=True),
    _kind("posterised", tones.posterised, "recoloured edited", extra=True),
    _kind("blurred", tones.blurred, "resaved edited recoloured"),
    _kind("sharpened", tones.sharpened, "resaved edited recoloured"),
    _kind("smoothed", tones.smoothed, "resaved edited recoloured", extra=True),
    _kind("noisy", tones.noisy, "resaved edited recoloured"),
    _kind("dust", tones.dusty, "edited resaved", home="scan"),
    _kind("scanned print", tones.scanned, "recoloured edited", home="scan"),
)  # fmt: skip

MARKED = (
    _kind("date stamp", marks.date_stamp, "edited", home="scan"),
    _kind("watermark", marks.watermark, "edited"),
    _kind("corner watermark", marks.corner_watermark, "edited"),
    _kind("tiled watermark", marks.tiled_watermark, "edited recoloured"),
    _kind("caption bar", marks.caption_bar, "edited"),
    _kind("words", marks.meme, "edited", home="phone"),
    _kind("emoji", marks.emoji, "edited", home="phone"),
    _kind("scribble", marks.scribble, "edited", home="phone", extra=True),
    _kind("pixelated place", marks.pixelated, "edited", extra=True),
)  # fmt: skip

SCREENED = (
    _cut("phone screenshot", screens.phone_upright, "framed resized", saving.screen, home="screen"),
    _cut("phone screenshot, sideways", screens.phone_sideways, "framed resized", saving.screen, home="screen"),
    _cut("phone screenshot, filled", screens.phone_filled, "cropped framed resized", saving.screen, home="screen"),
    _cut("desktop screenshot", screens.desktop_window, "framed resized", saving.screen, home="screen"),
    _cut("desktop screenshot, full", screens.desktop_full, "framed resized", saving.screen, home="screen"),
    _cut("off a screen", screens.off_a_screen, "framed cropped turned edited recoloured resized", BARE, extra=True, home="phone"),
    _cut("collage of four", screens.collage(*screens.FOUR), "framed cropped resized", BARE, extra=True, home="phone"),
    _cut("collage of three", screens.collage(*screens.ONE_AND_TWO), "framed cropped resized", BARE, extra=True, home="phone"),
)  # fmt: skip

# Two alterations at once: one of each of two of these.
_SIZE = any_of(geometry.scaled(320, 800), geometry.scaled(640, 1400))
_CROP = any_of(
    geometry.cropped_at_a_side(0.03, 0.25),
    geometry.cropped_all_round(0.03, 0.25),
    geometry.to_aspect(1, 4 / 3),
)
_TURN = geometry.transposed(*geometry.TURNS)
_MIRROR = geometry.transposed(FLIP.FLIP_LEFT_RIGHT)
_FRAME = any_of(frames.bordered(), frames.polaroid, frames.boxed(1, 16 / 9, 9 / 16))
_TONE = any_of(
    tones.enhanced(ImageEnhance.Brightness, 0.6, 0.85),
    tones.enhanced(ImageEnhance.Brightness, 1.15, 1.4),
    tones.gamma(0.6, 0.85),
    tones.gamma(1.2, 1.7),
    tones.white_balance,
    tones.sepia,
    tones.grey,
    tones.vignetted,
    tones.enhanced(ImageEnhance.Color, 1.4, 1.9),
)
_MARK = any_of(
    marks.date_stamp, marks.watermark, marks.emoji, marks.caption_bar, marks.meme
)
_TEXTURE = any_of(tones.blurred, tones.sharpened, tones.noisy, tones.dusty)
_TILT = geometry.straightened(0.5, 4)


def _both(name: str, first: Maker, second: Maker, right: str, *, frame: bool) -> Kind:
    return _kind(name, then(first, second), right, POOR, frame=frame)


PAIRED = (
    _both("crop, small", _CROP, _SIZE, "cropped", frame=False),
    _both("crop, tone", _CROP, _TONE, "cropped recoloured", frame=False),
    _both("crop, mark", _CROP, _MARK, "cropped edited", frame=False),
    _both("crop, frame", _CROP, _FRAME, "cropped framed", frame=False),
    _both("crop, texture", _CROP, _TEXTURE, "cropped edited", frame=False),
    _both("mirrored crop", _CROP, _MIRROR, "cropped mirrored", frame=False),
    _both("turned crop", _CROP, _TURN, "cropped turned", frame=False),
    _both("turned, small", _TURN, _SIZE, "turned resized", frame=True),
    _both("turned, tone", _TURN, _TONE, "turned recoloured", frame=True),
    _both("mirrored, tone", _MIRROR, _TONE, "mirrored recoloured", frame=True),
    _both("mirrored, small", _MIRROR, _SIZE, "mirrored resized", frame=True),
    _both("mirrored, mark", _MIRROR, _MARK, "mirrored edited", frame=True),
    _both("turned frame", _FRAME, _TURN, "framed turned", frame=False),
    _both("tone, frame", _TONE, _FRAME, "framed recoloured", frame=False),
    _both("frame, small", _FRAME, _SIZE, "framed resized", frame=False),
    _both("mark, frame", _MARK, _FRAME, "framed edited", frame=False),
    _both("tone, small", _TONE, _SIZE, "recoloured resized edited", frame=True),
    _both("tone, mark", _TONE, _MARK, "recoloured edited", frame=True),
    _both("mark, small", _MARK, _SIZE, "edited resized", frame=True),
    _both("texture, small", _TEXTURE, _SIZE, "resized", frame=True),
    _both("tone, texture", _TONE, _TEXTURE, "recoloured edited", frame=True),
    _both("straightened, small", _TILT, _SIZE, "turned cropped", frame=False),
    _both("straightened, tone", _TILT, _TONE, "turned cropped recoloured", frame=False),
    _cut("screenshot, sent on", then(any_of(screens.phone_upright, screens.desktop_window), geometry.scaled(640, 1200)), "framed resized", jpeg(40, 75, metadata=0), home="phone"),
    _cut("screenshot, cropped", then(screens.phone_sideways, geometry.cropped_all_round(0.05, 0.2)), "framed cropped resized", saving.screen, home="screen"),
)  # fmt: skip

KINDS: tuple[Kind, ...] = (
    *SAVED, *SIZED, *EXTENT, *TONED, *MARKED, *SCREENED, *PAIRED,
)  # fmt: skip
