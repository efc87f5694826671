"""Copies of other brightness, colour or sharpness, in the same frame."""

from __future__ import annotations

import random
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from bench.copies.drawing import Maker, from_array, noise


def enhanced(enhancer: type, low: float, high: float) -> Maker:
    """Return a maker by one of Pillow's enhancers, with a factor between two."""
    return lambda picture, chance: enhancer(picture).enhance(chance.uniform(low, high))


def curve(function: Callable[[np.ndarray, float], np.ndarray], low: float, high: float) -> Maker:  # fmt: skip
    """Return a maker by a tone curve over 0 to 1 with a strength between two."""

    def make(picture: Image.Image, chance: random.Random) -> Image.Image:
        values = function(np.arange(256) / 255, chance.uniform(low, high)) * 255
        return picture.point(np.clip(values, 0, 255).astype(int).tolist() * 3)

    return make


def gamma(low: float, high: float) -> Maker:
    return curve(lambda value, power: value**power, low, high)


def faded(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Lift the blacks and dim the whites, as paper does with the years."""
    return curve(lambda value, lift: lift + value * (0.95 - lift), 0.08, 0.25)(
        ImageEnhance.Color(picture).enhance(chance.uniform(0.5, 0.9)), chance
    )


def auto_levels(picture: Image.Image, chance: random.Random) -> Image.Image:
    return ImageOps.autocontrast(picture, cutoff=chance.choice((0.5, 1, 2, 4)))


def equalised(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Equalise the histogram, of each colour or of the brightness alone."""
    if chance.random() < 0.5:
        return ImageOps.equalize(picture)
    light, *colour = picture.convert("YCbCr").split()
    return Image.merge("YCbCr", [ImageOps.equalize(light), *colour]).convert("RGB")


def local_contrast(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Raise the contrast place by place, as "HDR" looks do."""
    light, *colour = picture.convert("YCbCr").split()
    limit = chance.uniform(1.5, 4)
    raised = cv2.createCLAHE(limit, (8, 8)).apply(np.asarray(light))
    return Image.merge("YCbCr", [Image.fromarray(raised), *colour]).convert("RGB")


def white_balance(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Make it warmer or colder."""
    change = chance.choice((-1, 1)) * chance.uniform(0.1, 0.25)
    gains = np.array([1 + change, 1.0, 1 - change])
    return from_array(np.asarray(picture) * gains)


def grey(picture: Image.Image, _: random.Random) -> Image.Image:
    return ImageOps.grayscale(picture)


def sepia(picture: Image.Image, chance: random.Random) -> Image.Image:
    dark = chance.choice(((25, 12, 0), (40, 26, 13), (10, 5, 0)))
    light = chance.choice(((255, 240, 205), (250, 230, 190), (240, 220, 180)))
    return ImageOps.colorize(ImageOps.grayscale(picture), dark, light)


def vignetted(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Darken towards the corners, with a look of its own."""
    depth = chance.uniform(0.3, 0.65)
    shade = Image.radial_gradient("L").resize(picture.size)
    shade = shade.point([round(255 - v * depth) for v in range(256)])
    look = chance.choice((sepia, white_balance, faded, _punchy, grey))
    looked = look(picture, chance).convert("RGB")
    return ImageChops.multiply(looked, Image.merge("RGB", [shade] * 3))


def _punchy(picture: Image.Image, chance: random.Random) -> Image.Image:
    contrasty = ImageEnhance.Contrast(picture).enhance(chance.uniform(1.15, 1.4))
    return ImageEnhance.Color(contrasty).enhance(chance.uniform(0.6, 1.5))


def toned_shadows(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A filter look: shadows to one colour, lights to another."""
    shadows = np.array([chance.uniform(-30, 30) for _ in range(3)])
    values = np.asarray(picture, np.float32)
    light = values.mean(axis=2, keepdims=True) / 255
    return from_array(values + shadows * (1 - light) - 0.7 * shadows * light)


def posterised(picture: Image.Image, chance: random.Random) -> Image.Image:
    return ImageOps.posterize(picture, chance.choice((3, 4)))


def blurred(picture: Image.Image, chance: random.Random) -> Image.Image:
    radius = max(0.7, max(picture.size) / chance.uniform(500, 1000))
    return picture.filter(ImageFilter.GaussianBlur(radius))


def sharpened(picture: Image.Image, chance: random.Random) -> Image.Image:
    amount = chance.randint(80, 220)
    return picture.filter(ImageFilter.UnsharpMask(chance.uniform(1, 3), amount, 2))


def smoothed(picture: Image.Image, _: random.Random) -> Image.Image:
    """Take the noise out, and some of the picture with it."""
    return picture.filter(ImageFilter.MedianFilter(5))


def noisy(picture: Image.Image, chance: random.Random) -> Image.Image:
    amount = chance.uniform(5, 20)
    return from_array(np.asarray(picture) + amount * noise(picture, chance))


def dusty(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Hairs and specks, as on the glass of a scanner."""
    scanned = picture.copy()
    pen = ImageDraw.Draw(scanned)
    reach = max(4, max(picture.size) // 60)
    for _ in range(chance.randint(20, 100)):
        x, y = chance.randint(0, picture.width), chance.randint(0, picture.height)
        across, down = (chance.randint(-reach, reach) for _ in range(2))
        colour = chance.choice(("white", "white", "black", (190, 180, 160)))
        if chance.random() < 0.5:
            pen.line((x, y, x + across, y + down), colour, chance.choice((1, 1, 2)))
        else:
            size = chance.uniform(1, reach / 4)
            pen.ellipse((x, y, x + size, y + size), fill=colour)
    return scanned


def scanned(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Scan a print: faded, dusty, a little softer."""
    print_ = blurred(faded(picture, chance), chance)
    return dusty(print_, chance)
