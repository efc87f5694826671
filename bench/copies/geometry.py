"""Copies of another size, another extent, or seen from another side."""

from __future__ import annotations

import math
import random

import numpy as np
from PIL import Image, ImageFilter

from bench.copies.drawing import BICUBIC, FILTERS, Maker

TURNS = (
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_180,
    Image.Transpose.ROTATE_270,
)
LARGEST = 3200  # pixels of the long side of an enlarged copy


def resized(picture: Image.Image, factor: float, chance: random.Random) -> Image.Image:
    size = tuple(max(1, round(side * factor)) for side in picture.size)
    return picture.resize(size, chance.choice(FILTERS))


def scaled(low: int, high: int) -> Maker:
    """Return a maker of smaller copies with the long side between two lengths."""

    def make(picture: Image.Image, chance: random.Random) -> Image.Image:
        longest = max(picture.size)
        edge = min(chance.uniform(low, high), chance.uniform(0.6, 0.85) * longest)
        return resized(picture, edge / longest, chance)

    return make


def enlarged(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Enlarge by 1.3 to 3, by any filter, sometimes sharpened after."""
    factor = min(chance.uniform(1.3, 3.0), LARGEST / max(picture.size))
    size = tuple(round(side * max(1.3, factor)) for side in picture.size)
    large = picture.resize(size, chance.choice((*FILTERS, Image.Resampling.NEAREST)))
    if chance.random() < 0.3:
        large = large.filter(ImageFilter.UnsharpMask(2, 100, 2))
    return large


def stretched(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Squeeze one side by 3 to 8 %."""
    squeeze = 1 - chance.uniform(0.03, 0.08)
    factors = chance.choice(((squeeze, 1.0), (1.0, squeeze)))
    size = [round(s * f) for s, f in zip(picture.size, factors, strict=True)]
    return picture.resize(size, BICUBIC)


def transposed(*methods: Image.Transpose) -> Maker:
    return lambda picture, chance: picture.transpose(chance.choice(methods))


def _cut(
    picture: Image.Image, left: float, top: float, right: float, bottom: float
) -> Image.Image:
    """Cut shares of the sides away."""
    width, height = picture.size
    box = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
    return picture.crop(tuple(round(one) for one in box))


def cropped_at_a_side(low: float, high: float) -> Maker:
    """Return a maker that cuts a share away at one side."""

    def make(picture: Image.Image, chance: random.Random) -> Image.Image:
        shares = [0.0] * 4
        shares[chance.randrange(4)] = chance.uniform(low, high)
        return _cut(picture, *shares)

    return make


def cropped_all_round(low: float, high: float) -> Maker:
    """Return a maker that cuts a share of width and of height away, anyhow placed."""

    def make(picture: Image.Image, chance: random.Random) -> Image.Image:
        across, down = (chance.uniform(low, high) for _ in range(2))
        left, top = chance.random() * across, chance.random() * down
        return _cut(picture, left, top, across - left, down - top)

    return make


def to_aspect(*aspects: float) -> Maker:
    """Return a maker that crops to the first aspect, upright or not, that cuts some."""

    def make(picture: Image.Image, chance: random.Random) -> Image.Image:
        width, height = picture.size
        ours = width / height
        wanted = (one for aspect in aspects for one in (aspect, 1 / aspect))
        aspect = next(
            (a for a in wanted if 0.03 < 1 - min(a / ours, ours / a) < 0.45), ours * 0.8
        )
        across = max(0.0, 1 - aspect / ours)
        down = max(0.0, 1 - ours / aspect)
        left, top = chance.random() * across, chance.random() * down
        return _cut(picture, left, top, across - left, down - top)

    return make


def straightened(low: float, high: float) -> Maker:
    """Return a maker that turns by some degrees and cuts the empty corners off."""

    def make(picture: Image.Image, chance: random.Random) -> Image.Image:
        degrees = chance.choice((-1, 1)) * chance.uniform(low, high)
        turned = picture.rotate(degrees, BICUBIC)
        sine, cosine = (
            math.sin(math.radians(abs(degrees))),
            math.cos(math.radians(degrees)),
        )
        width, height = picture.size
        # The largest upright frame of the same shape inside the turned one.
        scale = min(
            width / (width * cosine + height * sine),
            height / (width * sine + height * cosine),
        )
        lost = (1 - scale) / 2
        return _cut(turned, lost, lost, lost, lost)

    return make


def turned_with_corners(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Turn by up to 5 degrees and leave the corners empty, as a skew scan does."""
    degrees = chance.choice((-1, 1)) * chance.uniform(0.7, 5)
    colour = chance.choice(("white", "black"))
    return picture.rotate(degrees, BICUBIC, expand=True, fillcolor=colour)


def seen_from(picture: Image.Image, corners: list[tuple[float, float]]) -> Image.Image:
    """Return what lies between four corners (top left, right, bottom right, left)."""
    width, height = picture.size
    target = [(0, 0), (width, 0), (width, height), (0, height)]
    rows, wanted = [], []
    for (x, y), (u, v) in zip(target, corners, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
        wanted += [u, v]
    solved = np.linalg.solve(np.array(rows, float), np.array(wanted, float))
    return picture.transform(
        picture.size, Image.Transform.PERSPECTIVE, tuple(solved), BICUBIC
    )


def perspective(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Look slightly from one side: every corner comes in by up to 5 %."""
    width, height = picture.size
    ins = [
        (chance.uniform(0, 0.05) * width, chance.uniform(0, 0.05) * height)
        for _ in range(4)
    ]
    (a, b), (c, d), (e, f), (g, h) = ins
    corners = [(a, b), (width - c, d), (width - e, height - f), (g, height - h)]
    return seen_from(picture, corners)
