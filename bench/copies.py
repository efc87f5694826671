"""Copies of a photo as they come back from messengers, editors, scanners and phones.

Every kind has a name, the relations that would be a right answer, and a maker that
turns the picture (RGB, upright) into what is saved. Strengths are drawn at random.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

Maker = Callable[[Image.Image, random.Random], Image.Image]
BICUBIC = Image.Resampling.BICUBIC


@dataclass(frozen=True)
class Kind:
    """One way a copy comes about; `framed_alike` ones keep the frame of the picture."""

    name: str
    make: Maker
    right: frozenset[str]
    frame: bool = True
    format: str = "JPEG"
    save: dict[str, object] = field(default_factory=dict)
    damage: float = 1.0  # share of the file that is left


def _same(picture: Image.Image, _: random.Random) -> Image.Image:
    return picture


def _to_edge(edge: int) -> Maker:
    def make(picture: Image.Image, _: random.Random) -> Image.Image:
        factor = edge / max(picture.size)
        return picture.resize(
            [max(1, round(s * factor)) for s in picture.size], BICUBIC
        )

    return make


def _transposed(method: Image.Transpose) -> Maker:
    return lambda picture, _: picture.transpose(method)


def _crop(share: float) -> Maker:
    def make(picture: Image.Image, chance: random.Random) -> Image.Image:
        width, height = picture.size
        cut = [chance.random() for _ in range(4)]
        across, down = (share / max(0.5, cut[i] + cut[i + 1]) for i in (0, 1))
        left, right = cut[0] * across / 1.2, cut[1] * across / 1.2
        top, bottom = cut[2] * down / 1.2, cut[3] * down / 1.2
        box = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
        return picture.crop([round(one) for one in box])

    return make


def _to_aspect(aspect: float) -> Maker:
    def make(picture: Image.Image, chance: random.Random) -> Image.Image:
        width, height = picture.size
        size = min(width, height * aspect), min(height, width / aspect)
        left = chance.random() * (width - size[0])
        top = chance.random() * (height - size[1])
        box = (left, top, left + size[0], top + size[1])
        return picture.crop([round(one) for one in box])

    return make


def _bordered(share: float, colour: str) -> Maker:
    return lambda picture, _: ImageOps.expand(
        picture, round(share * max(picture.size)), colour
    )


def _blurred_frame(picture: Image.Image, _: random.Random) -> Image.Image:
    width, height = picture.size
    side = max(width, height)
    back = picture.resize((side, side), BICUBIC).filter(
        ImageFilter.GaussianBlur(side / 30)
    )
    back.paste(picture, ((side - width) // 2, (side - height) // 2))
    return back if width != height else ImageOps.expand(back, side // 10, "black")


def _letterbox(picture: Image.Image, _: random.Random) -> Image.Image:
    width, height = picture.size
    side = round(1.1 * max(width, height))
    return ImageOps.pad(picture, (side, round(side * 0.8)), BICUBIC, "black")


def _polaroid(picture: Image.Image, _: random.Random) -> Image.Image:
    edge = round(0.05 * max(picture.size))
    framed = Image.new(
        "RGB", (picture.width + 2 * edge, picture.height + 5 * edge), (245, 243, 238)
    )
    framed.paste(picture, (edge, edge))
    return framed


def _curve(function: Callable[[np.ndarray], np.ndarray]) -> Maker:
    table = np.clip(function(np.arange(256) / 255) * 255, 0, 255).astype(int).tolist()
    return lambda picture, _: picture.point(table * 3)


def _enhanced(enhancer: type, factor: float) -> Maker:
    return lambda picture, _: enhancer(picture).enhance(factor)


def _warm(picture: Image.Image, _: random.Random) -> Image.Image:
    red, green, blue = picture.split()
    return Image.merge(
        "RGB",
        (red.point(lambda v: min(255, v * 1.15)), green, blue.point(lambda v: v * 0.8)),
    )


def _sepia(picture: Image.Image, _: random.Random) -> Image.Image:
    return ImageOps.colorize(ImageOps.grayscale(picture), (25, 12, 0), (255, 240, 205))


def _vignette(picture: Image.Image, _: random.Random) -> Image.Image:
    shade = (
        Image.radial_gradient("L").resize(picture.size).point(lambda v: 255 - v * 0.55)
    )
    looked = ImageEnhance.Contrast(ImageEnhance.Color(picture).enhance(0.7)).enhance(
        1.2
    )
    return ImageChops.multiply(looked, Image.merge("RGB", [shade] * 3))


def _date_stamp(picture: Image.Image, chance: random.Random) -> Image.Image:
    stamped = picture.copy()
    size = picture.height // 18
    text = (
        f"{chance.randint(1, 28)}.{chance.randint(1, 12)}.{chance.randint(1998, 2019)}"
    )
    place = (picture.width - size * 6, picture.height - size * 2)
    ImageDraw.Draw(stamped).text(place, text, fill=(255, 150, 30), font_size=size)
    return stamped


def _watermark(picture: Image.Image, _: random.Random) -> Image.Image:
    layer = Image.new("L", picture.size, 0)
    size = picture.width // 9
    place = (picture.width // 5, picture.height // 2 - size // 2)
    ImageDraw.Draw(layer).text(place, "(c) studio", fill=90, font_size=size)
    return Image.composite(Image.new("RGB", picture.size, "white"), picture, layer)


def _caption(picture: Image.Image, _: random.Random) -> Image.Image:
    captioned = picture.copy()
    pen, bar = ImageDraw.Draw(captioned), picture.height // 9
    pen.rectangle(
        (0, picture.height - bar, picture.width, picture.height), fill="black"
    )
    pen.text(
        (bar, picture.height - bar),
        "Summer at the lake",
        fill="white",
        font_size=bar * 0.7,
    )
    return captioned


def _emoji(picture: Image.Image, chance: random.Random) -> Image.Image:
    stuck = picture.copy()
    size = min(picture.size) // 6
    x, y = (chance.randint(0, side - size) for side in picture.size)
    pen = ImageDraw.Draw(stuck)
    pen.ellipse((x, y, x + size, y + size), fill=(255, 215, 60))
    for eye in (0.3, 0.6):
        left, top = x + eye * size, y + 0.3 * size
        pen.ellipse((left, top, left + size / 9, top + size / 6), fill="black")
    return stuck


def _noisy(amount: float) -> Maker:
    def make(picture: Image.Image, chance: random.Random) -> Image.Image:
        noise = np.random.default_rng(chance.randint(0, 10**9)).normal(
            0, amount, (picture.height, picture.width, 3)
        )
        return Image.fromarray(
            np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)
        )

    return make


def _dust(picture: Image.Image, chance: random.Random) -> Image.Image:
    scanned = ImageEnhance.Contrast(picture).enhance(0.85)
    pen = ImageDraw.Draw(scanned)
    for _ in range(60):
        x, y = chance.randint(0, picture.width), chance.randint(0, picture.height)
        pen.line(
            (x, y, x + chance.randint(-12, 12), y + chance.randint(-12, 12)), "white"
        )
    return scanned


def _straightened(degrees: float) -> Maker:
    def make(picture: Image.Image, chance: random.Random) -> Image.Image:
        turned = picture.rotate(chance.choice([-1, 1]) * degrees, BICUBIC)
        # The largest upright frame without empty corners, near enough.
        lost = np.sin(np.radians(degrees)) * max(picture.size) / min(picture.size)
        across, down = (round(side * lost / 1.9) for side in picture.size)
        return turned.crop(
            (across, down, picture.width - across, picture.height - down)
        )

    return make


def _perspective(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Look at the picture slightly from one side."""
    tilt, nod = (chance.uniform(-0.06, 0.06) / side for side in picture.size)
    shrink = 0.97
    coefficients = (shrink, 0, 0, 0, shrink, 0, tilt, nod)
    return picture.transform(
        picture.size, Image.Transform.PERSPECTIVE, coefficients, BICUBIC
    )


def _phone_screenshot(picture: Image.Image, _: random.Random) -> Image.Image:
    screen = Image.new("RGB", (1080, 2160), (18, 18, 20))
    shown = ImageOps.contain(picture, (1080, 1700), BICUBIC)
    screen.paste(shown, ((1080 - shown.width) // 2, (2160 - shown.height) // 2))
    pen = ImageDraw.Draw(screen)
    pen.text((40, 20), "12:41", fill="white", font_size=44)
    pen.text((40, 130), "Photos", fill="white", font_size=60)
    for x in (150, 430, 710, 960):
        pen.rectangle((x, 2010, x + 60, 2070), outline="white", width=5)
    return screen


def _desktop_screenshot(picture: Image.Image, _: random.Random) -> Image.Image:
    screen = Image.new("RGB", (1920, 1080), (52, 73, 94))
    shown = ImageOps.contain(picture, (1300, 800), BICUBIC)
    left, top = (1920 - shown.width) // 2, (1080 - shown.height) // 2
    pen = ImageDraw.Draw(screen)
    pen.rectangle((left, top - 44, left + shown.width, top), fill=(230, 230, 230))
    pen.text((left + 20, top - 40), "holiday.jpg", fill="black", font_size=28)
    pen.rectangle((0, 1030, 1920, 1080), fill=(20, 20, 20))
    screen.paste(shown, (left, top))
    return screen


def _then(*makers: Maker) -> Maker:
    def make(picture: Image.Image, chance: random.Random) -> Image.Image:
        for maker in makers:
            picture = maker(picture, chance)
        return picture

    return make


def _through_jpeg(quality: int) -> Maker:
    def make(picture: Image.Image, _: random.Random) -> Image.Image:
        saved = io.BytesIO()
        picture.save(saved, "JPEG", quality=quality)
        return Image.open(saved).convert("RGB")

    return make


def _kind(name: str, make: Maker, right: str, **more: object) -> Kind:
    return Kind(name, make, frozenset(right.split()), **more)  # type: ignore[arg-type]


def _cut(name: str, make: Maker, right: str, **more: object) -> Kind:
    return _kind(name, make, right, frame=False, **more)


FLIP = Image.Transpose
KINDS: tuple[Kind, ...] = (
    *(_kind(f"jpeg {q}", _same, "resaved", save={"quality": q}) for q in (10, 20, 40, 60, 80, 95)),
    _kind("progressive", _same, "resaved", save={"quality": 85, "progressive": True}),
    _kind("png", _same, "same_pixels", format="PNG", save={"compress_level": 1}),
    _kind("tiff", _same, "same_pixels", format="TIFF"),
    _kind("bmp", _same, "same_pixels", format="BMP"),
    _kind("webp", _same, "resaved", format="WebP", save={"quality": 70, "method": 0}),
    _kind("webp lossless", _same, "same_pixels", format="WebP", save={"lossless": True, "method": 0}),
    _kind("heic", _same, "resaved", format="HEIF", save={"quality": 60}),
    _kind("avif", _same, "resaved", format="AVIF", save={"quality": 60, "speed": 10}),
    _kind("gif", _same, "recoloured resaved", format="GIF"),
    *(_kind(f"scaled to {edge}", _to_edge(edge), "resized", save={"quality": 80}) for edge in (160, 240, 320, 640, 1024)),
    _kind("enlarged", _to_edge(2400), "resized", save={"quality": 92}),
    _kind("turned 90", _transposed(FLIP.ROTATE_90), "turned"),
    _kind("turned 180", _transposed(FLIP.ROTATE_180), "turned"),
    _kind("turned 270", _transposed(FLIP.ROTATE_270), "turned"),
    _kind("mirrored", _transposed(FLIP.FLIP_LEFT_RIGHT), "mirrored"),
    _kind("upside down", _transposed(FLIP.FLIP_TOP_BOTTOM), "mirrored"),
    _kind("transposed", _then(_transposed(FLIP.TRANSPOSE), _to_edge(800)), "mirrored"),
    _kind("crop 2 %", _crop(0.02), "cropped"),
    *(_cut(f"crop {share} %", _crop(share / 100), "cropped") for share in (5, 10, 20, 30, 40)),
    _cut("to 16:9", _to_aspect(16 / 9), "cropped"),
    _cut("to 1:1", _to_aspect(1), "cropped"),
    _cut("white border", _bordered(0.04, "white"), "framed"),
    _cut("black border", _bordered(0.08, "black"), "framed"),
    _cut("blurred frame", _blurred_frame, "framed"),
    _cut("letterbox", _letterbox, "framed"),
    _cut("polaroid", _polaroid, "framed"),
    _kind("brighter", _enhanced(ImageEnhance.Brightness, 1.3), "recoloured"),
    _kind("darker", _enhanced(ImageEnhance.Brightness, 0.65), "recoloured"),
    _kind("more contrast", _enhanced(ImageEnhance.Contrast, 1.4), "recoloured"),
    _kind("gamma 0.6", _curve(lambda v: v**0.6), "recoloured"),
    _kind("gamma 1.6", _curve(lambda v: v**1.6), "recoloured"),
    _kind("auto levels", lambda one, _: ImageOps.autocontrast(one, cutoff=2), "recoloured resaved"),
    _kind("equalised", lambda one, _: ImageOps.equalize(one), "recoloured"),
    _kind("warmer", _warm, "recoloured"),
    _kind("saturated", _enhanced(ImageEnhance.Color, 1.6), "recoloured"),
    _kind("grey", lambda one, _: ImageOps.grayscale(one), "recoloured"),
    _kind("sepia", _sepia, "recoloured"),
    _kind("filter and vignette", _vignette, "recoloured edited"),
    _kind("date stamp", _date_stamp, "edited"),
    _kind("watermark", _watermark, "edited recoloured"),
    _kind("caption bar", _caption, "edited"),
    _kind("emoji", _emoji, "edited"),
    _kind("blurred", lambda one, _: one.filter(ImageFilter.GaussianBlur(max(one.size) / 600)), "resaved edited recoloured"),
    _kind("sharpened", lambda one, _: one.filter(ImageFilter.UnsharpMask(3, 150)), "resaved edited recoloured"),
    _kind("noisy", _noisy(15), "resaved edited recoloured"),
    _kind("dust", _dust, "edited recoloured"),
    *(_cut(f"straightened {d}", _straightened(d), "turned cropped") for d in (1.5, 3, 5)),
    _cut("perspective", _perspective, "cropped turned edited"),
    _cut("phone screenshot", _phone_screenshot, "framed resized", format="PNG", save={"compress_level": 1}),
    _cut("desktop screenshot", _desktop_screenshot, "framed resized", format="PNG", save={"compress_level": 1}),
    _kind("truncated", _same, "damaged", save={"quality": 90}, damage=0.7),
    _kind("messenger", _then(_to_edge(1280), _through_jpeg(70)), "resized", save={"quality": 60}),
    _kind("turned, small, dark", _then(_transposed(FLIP.ROTATE_90), _to_edge(480), _enhanced(ImageEnhance.Brightness, 0.7)), "turned"),
    _kind("mirrored, grey, 40", _then(_transposed(FLIP.FLIP_LEFT_RIGHT), _sepia), "mirrored", save={"quality": 40}),
    _kind("small, poor", _to_edge(400), "resized", save={"quality": 30}),
    _kind("stamp, small", _then(_date_stamp, _to_edge(800)), "edited", save={"quality": 70}),
    _cut("crop, small, bright", _then(_crop(0.12), _to_edge(600), _enhanced(ImageEnhance.Brightness, 1.2)), "cropped", save={"quality": 60}),
    _cut("border, filter", _then(_vignette, _bordered(0.05, "white")), "framed"),
    _cut("mirrored crop", _then(_crop(0.15), _transposed(FLIP.FLIP_LEFT_RIGHT)), "mirrored cropped"),
)  # fmt: skip
