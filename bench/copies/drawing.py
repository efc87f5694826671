"""What makers of copies have in common.

A maker takes a picture (RGB, upright) and a source of chance, and returns the altered
picture. It draws its own strength.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Maker = Callable[[Image.Image, random.Random], Image.Image]
BICUBIC = Image.Resampling.BICUBIC
FILTERS = (Image.Resampling.LANCZOS, BICUBIC, Image.Resampling.BILINEAR)
COLOURS = ("white", "black", (245, 243, 238), (120, 20, 30), (20, 40, 90), (210, 200, 170))  # fmt: skip
WORDS = (
    "Summer at the lake", "Grandma 80", "Ostern 2009", "for Anna", "IMG 0231",
    "happy birthday!", "Venezia", "wish you were here",
)  # fmt: skip


def unchanged(picture: Image.Image, _: random.Random) -> Image.Image:
    return picture


def then(*makers: Maker) -> Maker:
    """Return a maker that does one after the other."""

    def make(picture: Image.Image, chance: random.Random) -> Image.Image:
        for maker in makers:
            # What was made grey may be written on in colour.
            picture = maker(picture.convert("RGB"), chance)
        return picture

    return make


def any_of(*makers: Maker) -> Maker:
    return lambda picture, chance: chance.choice(makers)(picture, chance)


def from_array(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def noise(picture: Image.Image, chance: random.Random) -> np.ndarray:
    """Return normal noise of the picture's shape, (height, width, 3)."""
    generator = np.random.default_rng(chance.randint(0, 10**9))
    return generator.standard_normal(
        (picture.height, picture.width, 3), dtype=np.float32
    )


def written(
    picture: Image.Image, text: str, place: tuple[float, float], **how: object
) -> None:
    """Write into the picture; `how` are options of Pillow's `ImageDraw.text`."""
    ImageDraw.Draw(picture).text(place, text, **how)  # type: ignore[arg-type]


def scene(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """Return some other picture: cloudy ground with shapes before it."""
    generator = np.random.default_rng(chance.randint(0, 10**9))
    cloud = np.zeros((size[1], size[0], 3), np.float32)
    for step, share in ((4, 0.6), (16, 0.3), (64, 0.1)):
        patch = from_array(generator.uniform(0, 255, (step, step, 3)))
        cloud += share * np.asarray(patch.resize(size, BICUBIC), np.float32)
    picture = from_array(cloud)
    pen = ImageDraw.Draw(picture)
    for _ in range(12):
        x, y = (chance.uniform(0, 0.9) * side for side in size)
        wide, high = (chance.uniform(0.05, 0.3) * side for side in size)
        colour = tuple(chance.randint(0, 255) for _ in range(3))
        shape = chance.choice((pen.ellipse, pen.rectangle))
        shape((x, y, x + wide, y + high), fill=colour)
    return picture.filter(ImageFilter.GaussianBlur(1))
