"""Whether one file was saved from another, by what JPEG leaves in the pixels.

A JPEG holds its frequencies as whole multiples of the steps in its tables. Saved again
more finely, in any format, they stay near those multiples, and near multiples of larger
or smaller steps after a change of contrast (Fan and de Queiroz 2003; Popescu and Farid
2004). A file from which the coarser one was made lies on no such lattice.
"""

from __future__ import annotations

import os

import cv2
import numpy as np
from PIL import Image

from gallery import decoding

# From here on a file was saved from the other: measured figures are in docs/matching.md.
SAVED_FROM = 0.4

# As many pictures are looked at at once as there are cores.
cv2.setNumThreads(1)

_BLOCKS = 4096  # blocks looked at, spread over the picture
_FEW = 2000  # frequencies below which nothing can be said
_COARSE = 3.0  # levels: finer steps drown in rounding
_APART = 1.5  # how much coarser the one's steps have to be than the other's own
_GAINS = np.exp(np.linspace(np.log(0.4), np.log(2.5), 121))
_HIGHEST, _BIN = 160.0, 0.25  # levels: what is counted, and how finely
# In the order of a table read by rows, the frequencies that pictures are full of.
_MODES = (1, 2, 3, 4, 8, 9, 10, 11, 16, 17, 18, 24, 25, 32)


def lattice(path: str | os.PathLike[str], coarser: str | os.PathLike[str]) -> float:
    """How plainly a picture file was saved from a coarser JPEG of the same size.

    Near 0 if it was not, up to 1; 0 where it cannot be told. Colours may have changed
    in between. Decodes the first file as a whole. Raises Unreadable.
    """
    with decoding.opened(coarser) as picture:
        steps = _steps(picture.image)
    with decoding.opened(path) as picture:
        own = _steps(picture.image)
        picture.image.draft("L", None)
        picture.image.load()
        grey = np.asarray(picture.image.convert("L"))
    if steps is None:
        return 0.0
    return on_lattice(grey, steps, own)


def on_lattice(
    grey: np.ndarray, steps: np.ndarray, own: np.ndarray | None = None
) -> float:
    """Return how plainly a picture lies on the lattice of steps, 0 to 1.

    `grey` [height, width] uint8, `steps` [64] by rows; `own` are those of the picture's
    own file, whose lattice is blurred away before it is taken for the other one.
    """
    found = np.abs(_frequencies(grey))
    own = np.ones(64) if own is None else np.maximum(own, 1)
    total, count = np.zeros(len(_GAINS)), np.zeros(len(_GAINS))
    for mode in _MODES:
        cosines, counted = _scores(found[:, mode], steps[mode] * _GAINS, own[mode])
        total += cosines
        count += counted
    known = count >= _FEW
    if known.sum() < len(_GAINS) // 4:
        return 0.0
    scores = total[known] / count[known]
    return max(0.0, float(scores.max() - np.median(scores)))


def _steps(image: Image.Image) -> np.ndarray | None:
    """Return the luminance table of a JPEG by rows, [64], or None."""
    tables = getattr(image, "quantization", None)
    if not tables:
        return None
    return np.array(tables[min(tables)], np.float32)


def _frequencies(grey: np.ndarray) -> np.ndarray:
    """Return the cosine coefficients of blocks spread over the picture, [n, 64]."""
    rows, columns = grey.shape[0] // 8, grey.shape[1] // 8
    if not rows or not columns:
        return np.empty((0, 64), np.float32)
    cut = grey[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8)
    blocks = cut.swapaxes(1, 2).reshape(-1, 8, 8)
    every = max(1, len(blocks) // _BLOCKS)
    some = blocks[::every].astype(np.float32) - 128
    return (_WAVES @ some @ _WAVES.T).reshape(-1, 64)


def _waves() -> np.ndarray:
    place, frequency = np.meshgrid(np.arange(8), np.arange(8))
    waves = np.cos((2 * place + 1) * frequency * np.pi / 16) / 2
    waves[0] /= np.sqrt(2)
    return waves.astype(np.float32)


_WAVES = _waves()


def _scores(
    values: np.ndarray, steps: np.ndarray, own: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each step the sum of the cosines of the values on it, and their count.

    Figures without a lattice give next to none. Steps hardly coarser than the file's own
    are left out, and a value stands for all that its own step may have been.
    """
    edges = np.arange(0, _HIGHEST, _BIN)
    count = np.histogram(values, np.append(edges, _HIGHEST))[0].astype(np.float64)
    width = max(1, round(own / _BIN))
    count = np.convolve(count, np.full(width, 1 / width), mode="same")
    levels = (edges + _BIN / 2)[:, None]
    # Whole periods: the more common small values give no cosine of their own then.
    period = levels / steps
    counted = count[:, None] * ((period > 0.5) & (period < 6.5))
    usable = (steps >= _COARSE) & (steps >= _APART * own)
    cosines = (counted * np.cos(2 * np.pi * period)).sum(axis=0)
    return cosines * usable, counted.sum(axis=0) * usable
