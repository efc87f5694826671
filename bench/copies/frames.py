"""Copies with something put round the picture."""

from __future__ import annotations

import random

from PIL import Image, ImageFilter, ImageOps

from bench.copies.drawing import BICUBIC, COLOURS, WORDS, Maker, written


def on_ground(
    picture: Image.Image, sides: tuple[float, float, float, float], colour: object
) -> Image.Image:
    """Put the picture on a larger ground; `sides` left, top, right, bottom in pixels."""
    left, top, right, bottom = (round(side) for side in sides)
    size = picture.width + left + right, picture.height + top + bottom
    ground = Image.new("RGB", size, colour)  # type: ignore[arg-type]
    ground.paste(picture, (left, top))
    return ground


def bordered(*colours: object) -> Maker:
    def make(picture: Image.Image, chance: random.Random) -> Image.Image:
        edge = max(2.0, chance.uniform(0.015, 0.1) * max(picture.size))
        return on_ground(picture, (edge,) * 4, chance.choice(colours or COLOURS))

    return make


def uneven_border(picture: Image.Image, chance: random.Random) -> Image.Image:
    longest = max(picture.size)
    left, top, right, bottom = (chance.uniform(0, 0.1) * longest for _ in range(4))
    sides = left, top, right + 0.03 * longest, bottom
    return on_ground(picture, sides, chance.choice(COLOURS))


def double_border(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A thin line round the picture and a wide border round that."""
    inner, outer = chance.sample(COLOURS, 2)
    thin = on_ground(picture, (max(2, max(picture.size) / 250),) * 4, inner)
    return on_ground(thin, (chance.uniform(0.03, 0.08) * max(picture.size),) * 4, outer)


def _room(picture: Image.Image, aspect: float) -> tuple[int, int]:
    """Return the smallest size of an aspect that holds the picture."""
    width, height = picture.size
    return max(width, round(height * aspect)), max(height, round(width / aspect))


def _other_aspect(
    picture: Image.Image, chance: random.Random, *aspects: float
) -> float:
    ours = picture.width / picture.height
    return chance.choice([a for a in aspects if not 0.92 < a / ours < 1.08])


def blurred_frame(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Fill another aspect with the picture itself, enlarged and blurred."""
    size = _room(picture, _other_aspect(picture, chance, 1, 16 / 9, 9 / 16, 4 / 5))
    back = ImageOps.fit(picture, size, BICUBIC)
    back = back.filter(ImageFilter.GaussianBlur(chance.uniform(0.012, 0.04) * size[0]))
    place = (size[0] - picture.width) // 2, (size[1] - picture.height) // 2
    back.paste(picture, place)
    return back


def boxed(*aspects: float) -> Maker:
    """Return a maker of letterboxes or pillarboxes: bars at two sides."""

    def make(picture: Image.Image, chance: random.Random) -> Image.Image:
        size = _room(picture, _other_aspect(picture, chance, *aspects))
        colour = chance.choice(("black", "black", "white", (40, 40, 40)))
        return ImageOps.pad(picture, size, BICUBIC, colour)

    return make


def polaroid(picture: Image.Image, chance: random.Random) -> Image.Image:
    edge = chance.uniform(0.03, 0.07) * max(picture.size)
    bottom = edge * chance.uniform(2.5, 5)
    card = on_ground(picture, (edge, edge, edge, bottom), (245, 243, 238))
    if chance.random() < 0.5:
        place = (edge * 2, picture.height + edge * 1.4)
        size = max(8.0, edge)
        written(card, chance.choice(WORDS), place, fill=(30, 30, 60), font_size=size)
    return card


def caption_below(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Add a bar with words under the picture, or over it."""
    bar = chance.uniform(0.06, 0.18) * picture.height
    above = chance.random() < 0.3
    dark = chance.random() < 0.5
    sides = (0, bar, 0, 0) if above else (0, 0, 0, bar)
    card = on_ground(picture, sides, "black" if dark else "white")
    place = (bar / 2, bar * 0.15 + (0 if above else picture.height))
    colour = "white" if dark else "black"
    written(card, chance.choice(WORDS), place, fill=colour, font_size=bar * 0.6)
    return card
