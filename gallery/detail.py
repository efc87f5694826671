"""Whether a large picture really shows more than a smaller one would."""

from __future__ import annotations

import os

import cv2
import numpy as np
from PIL import Image

from gallery import decoding

# Below this nothing finer is in a picture than in one of the smaller size: measured
# figures of true and enlarged pictures are in docs/matching.md.
TRUE_DETAIL = 0.8

# As many pictures are looked at at once as there are cores.
cv2.setNumThreads(1)

_GRID = 16  # fields along each side; the busiest quarter of them is looked at
_OCTAVE = 1.5  # the step between the sizes compared


def beyond(path: str | os.PathLike[str], edge: int) -> float:
    """How much detail a picture file has that one with that long edge could not have.

    About 1 for a true picture, about 0.6 for one that was enlarged from that size; see
    `beyond_edge`. Decodes the whole picture. Raises Unreadable.
    """
    with decoding.opened(path) as picture:
        picture.image.draft("L", None)
        picture.image.load()
        grey = np.asarray(_grey(picture.image))
    return beyond_edge(grey, edge)


def beyond_edge(grey: np.ndarray, edge: int) -> float:
    """Return the detail finer than a long edge of that many pixels can hold.

    `grey` [height, width] uint8. The figure is the mean of what is lost by going
    through the smaller size, over what is lost from there to two thirds of it, in the
    busiest fields: in true pictures both are about the same, as their spectra fall
    smoothly; an enlarged one has next to nothing of the first.
    """
    longest = max(grey.shape)
    if edge >= longest or min(grey.shape) * edge < 2 * _GRID * longest:
        return 1.0
    smaller = _through(grey, edge / longest)
    still = _through(grey, edge / longest / _OCTAVE)
    lost, before = _fields(grey, smaller), _fields(smaller, still)
    busy = np.argsort(-before, kind="stable")[: _GRID * _GRID // 4]
    if before[busy].mean() < 0.1:
        return 1.0
    return float(lost[busy].mean() / before[busy].mean())


def _fields(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Return the mean differences of two pictures in _GRID * _GRID fields."""
    apart = cv2.absdiff(one, two).astype(np.float32)
    return cv2.resize(apart, (_GRID, _GRID), interpolation=cv2.INTER_AREA).ravel()


def _grey(image: Image.Image) -> Image.Image:
    return image.convert("L") if image.mode != "L" else image


def _through(grey: np.ndarray, factor: float) -> np.ndarray:
    """Return the picture reduced by the factor and brought back to its size."""
    height, width = grey.shape
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
