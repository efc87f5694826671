"""Copies that went over a screen: screenshots, photographs of screens, collages."""

from __future__ import annotations

import random

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from bench.copies.drawing import BICUBIC, Maker, from_array, noise, scene, written
from bench.copies.geometry import seen_from

PHONES = ((1080, 1920), (1080, 2160), (1080, 2340), (750, 1334), (1170, 2532))
DESKTOPS = ((1920, 1080), (1366, 768), (1680, 1050), (1440, 900))


def _bars(screen: Image.Image, *, dark: bool) -> None:
    """Draw the clock, a title and buttons of a phone."""
    width, height = screen.size
    ink = "white" if dark else "black"
    text = width / 25
    written(screen, "12:41", (text, text / 2), fill=ink, font_size=text)
    written(screen, "Photos", (text, text * 2.4), fill=ink, font_size=text * 1.4)
    pen = ImageDraw.Draw(screen)
    for share in (0.14, 0.4, 0.65, 0.88):
        x, y = share * width, height - 2.5 * text
        pen.rectangle((x, y, x + text, y + text), outline=ink, width=4)


def _phone(chance: random.Random) -> tuple[Image.Image, bool]:
    dark = chance.random() < 0.6
    colour = chance.choice(((18, 18, 20), (0, 0, 0))) if dark else (250, 250, 250)
    return Image.new("RGB", chance.choice(PHONES), colour), dark


def phone_upright(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A screenshot of the gallery of a phone held upright."""
    screen, dark = _phone(chance)
    width, height = screen.size
    shown = ImageOps.contain(picture, (width, round(height * 0.78)), BICUBIC)
    screen.paste(shown, ((width - shown.width) // 2, (height - shown.height) // 2))
    _bars(screen, dark=dark)
    return screen


def phone_sideways(picture: Image.Image, chance: random.Random) -> Image.Image:
    """The picture as high as the screen, nothing else shown."""
    size = chance.choice(PHONES)[::-1]
    shown = ImageOps.contain(picture, size, BICUBIC)
    screen = Image.new("RGB", size, "black")
    screen.paste(shown, ((size[0] - shown.width) // 2, (size[1] - shown.height) // 2))
    return screen


def phone_filled(picture: Image.Image, chance: random.Random) -> Image.Image:
    """The picture drawn up until it fills the screen, some of it cut off."""
    size = chance.choice(PHONES)
    if picture.width > picture.height:
        size = size[::-1]
    shown = ImageOps.contain(picture, size, BICUBIC)
    fill = max(s / p for s, p in zip(size, shown.size, strict=True))
    factor = 1 + (fill - 1) * chance.uniform(0.5, 1)
    large = shown.resize([round(side * factor) for side in shown.size], BICUBIC)
    screen = Image.new("RGB", size, "black")
    screen.paste(large, ((size[0] - large.width) // 2, (size[1] - large.height) // 2))
    text = size[0] / 25
    written(screen, "9:07", (text, text / 2), fill="white", font_size=text)
    return screen


def desktop_window(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A window on a desktop, with a title and a bar below."""
    size = width, height = chance.choice(DESKTOPS)
    plain = Image.new("RGB", size, chance.choice(((52, 73, 94), (0, 120, 215), (60, 60, 60))))  # fmt: skip
    screen = scene(size, chance) if chance.random() < 0.3 else plain
    room = [round(side * chance.uniform(0.55, 0.8)) for side in size]
    shown = ImageOps.contain(picture, tuple(room), BICUBIC)
    left = round((width - shown.width) * chance.uniform(0.2, 0.8))
    top = 44 + round((height - 100 - shown.height) * chance.uniform(0.2, 0.8))
    pen = ImageDraw.Draw(screen)
    pen.rectangle((left, top - 40, left + shown.width, top), fill=(230, 230, 230))
    written(screen, "holiday.jpg", (left + 16, top - 34), fill="black", font_size=24)
    pen.rectangle((0, height - 44, width, height), fill=(20, 20, 20))
    screen.paste(shown, (left, top))
    return screen


def desktop_full(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A viewer over the whole screen."""
    size = chance.choice(DESKTOPS)
    return ImageOps.pad(picture, size, BICUBIC, chance.choice(("black", (30, 30, 30))))


def off_a_screen(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Photograph a screen: its grid against the camera's, aslant, in a dim room."""
    shown = ImageOps.contain(picture, (1400, 1400), BICUBIC)
    rows, columns = np.mgrid[: shown.height, : shown.width]
    period, slant = chance.uniform(2.1, 3.4), chance.uniform(-0.06, 0.06)
    wave = np.sin(2 * np.pi * (columns + slant * rows) / period) + np.sin(
        2 * np.pi * (rows - slant * columns) / period
    )
    values = np.asarray(shown, np.float32) * (1 + 0.04 * wave[..., None])
    edge = round(chance.uniform(0.02, 0.12) * max(shown.size))
    room = ImageOps.expand(from_array(values), edge, (25, 24, 22))
    width, height = room.size
    shift = [chance.uniform(-0.04, 0.04) for _ in range(8)]
    corners = [
        (x + dx * width, y + dy * height)
        for (x, y), dx, dy in zip(
            ((0, 0), (width, 0), (width, height), (0, height)),
            shift[::2], shift[1::2], strict=True,
        )
    ]  # fmt: skip
    seen = seen_from(room, corners).filter(ImageFilter.GaussianBlur(0.8))
    dim = ImageEnhance.Brightness(seen).enhance(chance.uniform(0.7, 1.1))
    return from_array(np.asarray(dim) + 4 * noise(dim, chance))


def collage(*tiles: tuple[float, float, float, float]) -> Maker:
    """Return a maker that puts the picture into one tile and others into the rest.

    `tiles`: left, top, right, bottom as shares of the sheet.
    """

    def make(picture: Image.Image, chance: random.Random) -> Image.Image:
        wide, high = chance.choice(((1600, 1200), (1600, 1600), (1200, 1600)))
        gap = chance.choice((0, 6, 16))
        sheet = Image.new("RGB", (wide, high), "white")
        ours = chance.randrange(len(tiles))
        for number, (left, top, right, bottom) in enumerate(tiles):
            place = round(left * wide) + gap, round(top * high) + gap
            size = (
                round((right - left) * wide) - 2 * gap,
                round((bottom - top) * high) - 2 * gap,
            )
            tile = picture if number == ours else scene((400, 300), chance)
            sheet.paste(ImageOps.fit(tile, size, BICUBIC), place)
        return sheet

    return make


FOUR = ((0, 0, 0.5, 0.5), (0.5, 0, 1, 0.5), (0, 0.5, 0.5, 1), (0.5, 0.5, 1, 1))
ONE_AND_TWO = ((0, 0, 0.62, 1), (0.62, 0, 1, 0.5), (0.62, 0.5, 1, 1))
