"""Copies with something written, drawn or stuck into the picture."""

from __future__ import annotations

import random

from PIL import Image, ImageDraw

from bench.copies.drawing import WORDS, written


def _corner(
    picture: Image.Image, chance: random.Random, size: tuple[float, float]
) -> tuple[float, float]:
    """Return a place for something of a size near one of the corners."""
    edge = 0.03 * min(picture.size)
    places = ((edge, side - inner - edge) for side, inner in zip(picture.size, size, strict=True))  # fmt: skip
    return tuple(chance.choice(place) for place in places)  # type: ignore[return-value]


def date_stamp(picture: Image.Image, chance: random.Random) -> Image.Image:
    stamped = picture.copy()
    size = max(9.0, chance.uniform(0.03, 0.07) * picture.height)
    day, month, year = chance.randint(1, 28), chance.randint(1, 12), chance.randint(0, 19)  # fmt: skip
    text = chance.choice(
        (f"{day}.{month}.20{year:02}", f"'{year:02} {month} {day}", f"20{year:02}/{month:02}/{day:02} 14:{day:02}")
    )  # fmt: skip
    place = _corner(picture, chance, (size * len(text) * 0.55, size))
    colour = chance.choice(((255, 150, 30), (255, 80, 40), (255, 230, 90), "white"))
    written(stamped, text, place, fill=colour, font_size=size)
    return stamped


def _lettered(
    picture: Image.Image, places: list[tuple[float, float]], size: float, shade: int
) -> Image.Image:
    """Write pale letters over the picture; `shade` 0 to 255 is how opaque."""
    layer = Image.new("L", picture.size, 0)
    for place in places:
        written(layer, "(c) studio", place, fill=shade, font_size=max(9.0, size))
    return Image.composite(Image.new("RGB", picture.size, "white"), picture, layer)


def watermark(picture: Image.Image, chance: random.Random) -> Image.Image:
    """One word across the middle."""
    size = chance.uniform(0.08, 0.14) * picture.width
    place = (picture.width * 0.2, picture.height * chance.uniform(0.3, 0.6))
    return _lettered(picture, [place], size, chance.randint(60, 150))


def corner_watermark(picture: Image.Image, chance: random.Random) -> Image.Image:
    size = chance.uniform(0.03, 0.05) * picture.width
    place = _corner(picture, chance, (size * 5, size))
    return _lettered(picture, [place], size, chance.randint(150, 255))


def tiled_watermark(picture: Image.Image, chance: random.Random) -> Image.Image:
    """The same words all over."""
    size = chance.uniform(0.04, 0.06) * picture.width
    places = [
        (x * size * 7 + (y % 2) * size * 3, y * size * 4)
        for x in range(5)
        for y in range(int(picture.height / size / 4) + 1)
    ]
    return _lettered(picture, places, size, chance.randint(50, 110))


def caption_bar(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Cover the foot of the picture with a bar of words."""
    captioned = picture.copy()
    bar = chance.uniform(0.05, 0.14) * picture.height
    top = picture.height - bar
    dark = chance.random() < 0.6
    ImageDraw.Draw(captioned).rectangle(
        (0, top, picture.width, picture.height), fill="black" if dark else "white"
    )
    colour = "white" if dark else "black"
    size = max(8.0, bar * 0.65)
    written(captioned, chance.choice(WORDS), (bar, top), fill=colour, font_size=size)
    return captioned


def meme(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Large outlined words at head or foot."""
    worded = picture.copy()
    size = chance.uniform(0.08, 0.12) * picture.height
    top = chance.choice((0.03, 0.8)) * picture.height
    text = chance.choice(WORDS).upper()
    how = {"stroke_width": max(1, round(size / 14)), "stroke_fill": "black"}
    written(worded, text, (size / 2, top), fill="white", font_size=size, **how)
    return worded


def emoji(picture: Image.Image, chance: random.Random) -> Image.Image:
    """One to three smiling stickers."""
    stuck = picture.copy()
    pen = ImageDraw.Draw(stuck)
    for _ in range(chance.randint(1, 3)):
        size = chance.uniform(0.08, 0.2) * min(picture.size)
        x, y = (chance.uniform(0, side - size) for side in picture.size)
        pen.ellipse((x, y, x + size, y + size), fill=(255, 215, 60))
        for eye in (0.3, 0.6):
            left, top = x + eye * size, y + 0.3 * size
            pen.ellipse((left, top, left + size / 9, top + size / 6), fill="black")
        smile = (x + 0.25 * size, y + 0.4 * size, x + 0.75 * size, y + 0.8 * size)
        pen.arc(smile, 20, 160, "black", max(1, round(size / 20)))
    return stuck


def scribble(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A ring and an arrow drawn by finger."""
    drawn = picture.copy()
    pen = ImageDraw.Draw(drawn)
    thick = max(2, max(picture.size) // 150)
    wide, high = (chance.uniform(0.1, 0.3) * side for side in picture.size)
    x = chance.uniform(0, picture.width - wide)
    y = chance.uniform(0, picture.height - high)
    colour = chance.choice(((230, 20, 30), (20, 200, 60), (250, 240, 30)))
    pen.ellipse((x, y, x + wide, y + high), outline=colour, width=thick)
    pen.line((picture.width / 2, picture.height / 2, x, y), colour, thick)
    return drawn


def pixelated(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Make one place unrecognisable, as is done with faces."""
    hidden = picture.copy()
    wide, high = (round(chance.uniform(0.08, 0.18) * side) for side in picture.size)
    x = chance.randint(0, picture.width - wide)
    y = chance.randint(0, picture.height - high)
    part = picture.crop((x, y, x + wide, y + high))
    coarse = part.resize((8, 8), Image.Resampling.BOX)
    hidden.paste(coarse.resize(part.size, Image.Resampling.NEAREST), (x, y))
    return hidden
