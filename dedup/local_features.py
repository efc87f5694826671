"""What is kept of the parts of a picture, to know it again when cut, framed or mirrored.

Pillow, OpenCV and numpy only: no Django here.

Spots are found as blobs of all sizes (extremes of differences of Gaussians: Lowe 2004),
well spread over the picture. What surrounds a spot is turned to the spot's own
direction and described as `dedup.perceptual` describes a whole picture: by the signs
of its low cosine coefficients. So a mirrored copy has the same bits, those of odd
frequency across complemented (`ODD`), and nothing has to be described twice.
"""

import math
import threading
from dataclasses import dataclass, fields
from functools import cache

import cv2
import numpy as np
from PIL import Image

# Work is spread over processes: threads inside each would only fight for the cores.
cv2.setNumThreads(1)

# Raise this when any line below would change what is stored.
RECIPE = 2

EDGE = 512  # pixels of the long edge a picture is brought to
SMALLEST = 24  # pixels of the short edge, at that size, below which nothing is seen
SPOTS = 110  # at most, of one picture

SIGMA = 1.6  # pixels: the finest blobs
STEPS = 3  # sizes of blobs in an octave
# The share of the spots from each octave, finest first: a screenshot shows a picture
# at half its size, so that its fine spots are the middling ones of the original.
SHARES = (0.45, 0.35, 0.2, 0.1)
CONTRAST = 1.2  # grey levels a blob stands out by
FAINT = 0.4  # the same where there are few others
EDGE_RATIO = 10.0  # how much longer than wide a blob may be
CELLS = 6  # along each side: the strongest of every cell come before second ones

REACH = 7.0  # half the side of what is described, in sigmas of the blob
INSIDE = 0.9  # share of that which has to lie inside the picture
GRID = 16  # samples along each side of what is described
STEADY = 0.06  # how clearly the surroundings have to lean one way
_LOOKED_AT = 2  # times the spots kept: some have no clear direction

# A spot as it is stored. `place`: four bytes, from the lowest: x and y in 256ths of
# EDGE, size (log2 of sigma in 32nds), angle (256ths of a turn, clockwise). `bits`: the
# signs, that of the lowest frequency first, so that sorting by them brings together
# what is alike in its coarse shape.
SPOT = np.dtype([("place", "<u4"), ("bits", "<u8")])


def _frequencies() -> list[tuple[int, int]]:
    """Return 64 pairs of frequencies, along and across the direction, lowest first."""
    every = [(u, v) for u in range(10) for v in range(10) if u + v > 0]
    every.sort(key=lambda pair: (pair[0] ** 2 + pair[1] ** 2, pair))
    # Turned to where it leans, every patch has the same signs there.
    told = {(0, 1), (1, 0), (3, 0), (5, 0), (7, 0), (1, 2)}
    return [pair for pair in every if pair not in told][:64]


# The bits that a mirroring complements.
ODD = np.uint64(sum(1 << (63 - i) for i, (_, v) in enumerate(_frequencies()) if v % 2))


def local_features(thumbnail: Image.Image) -> bytes:
    """Return up to SPOTS spots (12 bytes each, `SPOT`) of a thumbnail of any size.

    b"" where there is nothing to know a part by. About 5 ms.
    """
    grey = _grey(thumbnail)
    if min(grey.shape) < SMALLEST:
        return b""
    octaves = _octaves(grey)
    blobs = _spots(octaves, CONTRAST)
    if len(blobs) < SPOTS:
        blobs = _spots(octaves, FAINT)
    spots = _steady(octaves, blobs, grey.shape)
    if not len(spots):
        return b""
    return _packed(spots, _patches(octaves, spots, GRID) @ _basis() > 0)


class _Sheets(threading.local):
    """Room to reckon in, kept from one picture to the next.

    Most of the time would otherwise go into having memory given and taken back.
    """

    def __init__(self) -> None:
        self.kept: dict[tuple[str, int], np.ndarray] = {}

    def stack(self, what: str, layers: int, shape: tuple[int, ...]) -> np.ndarray:
        """Return [layers, height, width] float32 with anything in it."""
        size = layers * shape[0] * shape[1]
        room = self.kept.get((what, layers))
        if room is None or len(room) < size:
            room = self.kept[what, layers] = np.empty(size, np.float32)
        return room[:size].reshape(layers, *shape[:2])


_sheets = _Sheets()


@dataclass(frozen=True, slots=True, eq=False)
class _Spots:
    """Arrays of one length; x, y and sigma in pixels of their octave."""

    x: np.ndarray
    y: np.ndarray
    sigma: np.ndarray
    strength: np.ndarray
    octave: np.ndarray
    level: np.ndarray
    angle: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    def at(self, chosen: np.ndarray) -> "_Spots":
        return _Spots(*(getattr(self, one.name)[chosen] for one in fields(self)))

    @staticmethod
    def joined(parts: list["_Spots"]) -> "_Spots":
        columns = (
            np.concatenate([getattr(part, one.name) for part in parts])
            for one in fields(_Spots)
        )
        return _Spots(*columns)


def _grey(thumbnail: Image.Image) -> np.ndarray:
    """Return [height, width] float32, the long edge EDGE."""
    grey = thumbnail.convert("L")
    factor = EDGE / max(grey.size)
    if factor != 1:
        width, height = (max(1, round(side * factor)) for side in grey.size)
        grey = grey.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(grey, np.float32)


def _octaves(grey: np.ndarray) -> list[np.ndarray]:
    """Return for each octave the picture at growing blurs, [STEPS + 3, height, width]."""
    octaves: list[np.ndarray] = []
    base, first = grey, math.sqrt(SIGMA**2 - 0.6**2)
    for octave in range(len(SHARES)):
        if min(base.shape) < SMALLEST:
            break
        levels = _sheets.stack(f"octave {octave}", STEPS + 3, base.shape)
        if octave:
            levels[0] = base
        else:
            _blur(base, first, levels[0])
        for step in range(STEPS + 2):
            before = SIGMA * 2 ** (step / STEPS)
            more = before * math.sqrt(2 ** (2 / STEPS) - 1)
            _blur(levels[step], more, levels[step + 1])
        octaves.append(levels)
        base = levels[STEPS, ::2, ::2]
    return octaves


def _blur(picture: np.ndarray, sigma: float, into: np.ndarray) -> None:
    side = 2 * math.ceil(3 * sigma) + 1
    cv2.GaussianBlur(picture, (side, side), sigma, dst=into)


# Finding spots


def _spots(octaves: list[np.ndarray], contrast: float) -> _Spots:
    """Return every blob that stands out and lies far enough inside the picture."""
    parts = []
    for octave, levels in enumerate(octaves):
        bands = _sheets.stack("bands", len(levels) - 1, levels[0].shape)
        np.subtract(levels[1:], levels[:-1], out=bands)
        found = _fitted(_extremes(bands, contrast), bands, octave)
        margin = INSIDE * REACH * found.sigma
        height, width = levels[0].shape
        within = (np.minimum(found.x, width - 1 - found.x) >= margin) & (
            np.minimum(found.y, height - 1 - found.y) >= margin
        )
        parts.append(found.at(within))
    return _Spots.joined(parts)


def _extremes(bands: np.ndarray, contrast: float) -> np.ndarray:
    """Return band, y and x [n, 3] of what stands out from its 26 neighbours."""
    sizes = np.abs(bands, out=_sheets.stack("sizes", len(bands), bands.shape[1:]))
    around = _sheets.stack("around", len(bands), bands.shape[1:])
    for size, most in zip(sizes, around, strict=True):
        cv2.dilate(size, _square(), dst=most)
    (most,) = _sheets.stack("most", 1, bands.shape[1:])
    found = [np.empty((0, 3), np.int64)]
    for band in range(1, STEPS + 1):
        cv2.max(around[band - 1], around[band + 1], dst=most)
        cv2.max(most, around[band], dst=most)
        cv2.max(most, contrast, dst=most)
        marks = cv2.compare(sizes[band], most, cv2.CMP_GE)
        places = cv2.findNonZero(marks[1:-1, 1:-1])
        if places is not None:
            x, y = places.reshape(-1, 2).T + 1
            found.append(np.stack([np.full(len(x), band), y, x], axis=1))
    return np.concatenate(found)


@cache
def _square() -> np.ndarray:
    return np.ones((3, 3), np.uint8)


def _fitted(places: np.ndarray, bands: np.ndarray, octave: int) -> _Spots:
    """Return the blobs at places [n, 3], to parts of a pixel and step, no long ones."""
    level, y, x = places.T

    def at(step: int, down: int, right: int) -> np.ndarray:
        return bands[level + step, y + down, x + right]

    here = at(0, 0, 0)
    up, down, left, right = at(0, -1, 0), at(0, 1, 0), at(0, 0, -1), at(0, 0, 1)
    finer, coarser = at(-1, 0, 0), at(1, 0, 0)
    slope_x, slope_y = (right - left) / 2, (down - up) / 2
    bend_x, bend_y = left + right - 2 * here, up + down - 2 * here
    bend_xy = (at(0, 1, 1) - at(0, 1, -1) - at(0, -1, 1) + at(0, -1, -1)) / 4
    bent = bend_x * bend_y - bend_xy**2
    ratio = (EDGE_RATIO + 1) ** 2 / EDGE_RATIO
    round_ones = (bent > 0) & ((bend_x + bend_y) ** 2 < ratio * bent)
    bent = np.where(round_ones, bent, 1)
    bend_step = np.where(round_ones, finer + coarser - 2 * here, 1)
    bend_step = np.where(np.abs(bend_step) > 1e-6, bend_step, 1)
    step = level + _half_a_pixel((finer - coarser) / 2 / bend_step)
    spots = _Spots(
        x=x + _half_a_pixel((slope_y * bend_xy - slope_x * bend_y) / bent),
        y=y + _half_a_pixel((slope_x * bend_xy - slope_y * bend_x) / bent),
        sigma=SIGMA * 2 ** (step / STEPS),
        strength=np.abs(here),
        octave=np.full(len(here), octave),
        level=level,
        angle=np.zeros(len(here)),
    )
    return spots.at(round_ones)


def _half_a_pixel(offset: np.ndarray) -> np.ndarray:
    return np.clip(offset, -0.6, 0.6)


def _chosen(spots: _Spots, shape: tuple[int, ...], most: int) -> _Spots:
    """Return up to `most` spots, the best of every part of the picture and every size."""
    rank = _rank_in_cell(spots, shape)
    kept: list[np.ndarray] = []
    spare = 0
    for octave in reversed(range(len(SHARES))):
        own = np.flatnonzero(spots.octave == octave)
        room = spare + int(SHARES[octave] * most)
        if octave == 0:
            room = most - sum(map(len, kept))
        kept.append(own[np.lexsort((-spots.strength[own], rank[own]))][:room])
        spare = room - len(kept[-1])
    return spots.at(np.concatenate(kept))


def _rank_in_cell(spots: _Spots, shape: tuple[int, ...]) -> np.ndarray:
    """Return 0 for the strongest spot of each cell and octave, 1 for the next."""
    times = 2.0**spots.octave
    column = (spots.x * times / shape[1] * CELLS).astype(int)
    row = (spots.y * times / shape[0] * CELLS).astype(int)
    cell = (spots.octave * CELLS + row) * CELLS + column
    order = np.lexsort((-spots.strength, cell))
    ordered = cell[order]
    rank = np.empty(len(spots), int)
    rank[order] = np.arange(len(spots)) - np.searchsorted(ordered, ordered)
    return rank


# Describing them


def _steady(octaves: list[np.ndarray], spots: _Spots, shape: tuple[int, ...]) -> _Spots:
    """Return the chosen spots whose surroundings lean clearly one way, turned there."""
    spots = _chosen(spots, shape, _LOOKED_AT * SPOTS)
    patches = _patches(octaves, spots, _COARSE)
    right, down, within = _leanings()
    patches -= (patches @ within)[:, None]
    spread = np.sqrt((patches * patches) @ within) + 1e-6
    across, along = patches @ right, patches @ down
    spots = _Spots(
        spots.x, spots.y, spots.sigma, spots.strength, spots.octave, spots.level,
        np.arctan2(along, across),
    )  # fmt: skip
    return _chosen(spots.at(np.hypot(across, along) > STEADY * spread), shape, SPOTS)


_COARSE = 10  # samples along each side for finding the direction


@cache
def _leanings() -> tuple[np.ndarray, ...]:
    """Return weights for the lean to the right, downwards, and for the mean."""
    across, down = _places(_COARSE)
    apart = across**2 + down**2
    weight = np.exp(-apart / (2 * 0.6**2)) * (apart <= 1)
    weight /= weight.sum()
    parts = (weight * across, weight * down, weight)
    return tuple(part.astype(np.float32) for part in parts)


def _places(samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y, -1 to 1, of samples x samples places, row by row."""
    line = (np.arange(samples) + 0.5) / samples * 2 - 1
    across, down = np.meshgrid(line, line)
    return across.ravel(), down.ravel()


def _patches(octaves: list[np.ndarray], spots: _Spots, samples: int) -> np.ndarray:
    """Return what surrounds each spot, turned by its angle, [n, samples ** 2]."""
    across, down = (one.astype(np.float32) for one in _places(samples))
    cos, sin, x, y = (
        column.astype(np.float32)[:, None]
        for column in (
            REACH * spots.sigma * np.cos(spots.angle),
            REACH * spots.sigma * np.sin(spots.angle),
            spots.x,
            spots.y,
        )
    )
    x = x + cos * across - sin * down
    y = y + sin * across + cos * down
    patches = np.empty(x.shape, np.float32)
    plane = spots.octave * (STEPS + 1) + spots.level
    for one in np.unique(plane):
        own = plane == one
        blurred = octaves[one // (STEPS + 1)][one % (STEPS + 1)]
        patches[own] = cv2.remap(
            blurred, x[own], y[own], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
    return patches


@cache
def _basis() -> np.ndarray:
    """Return the 64 waves of the bits, [GRID ** 2, 64].

    Less what they have of a round blob in the middle: every spot is one, and the signs
    of half the waves would tell nothing but whether it is light or dark.
    """
    place = 2 * np.arange(GRID) + 1
    waves = np.array(
        [
            np.outer(
                np.cos(np.pi * v * place / (2 * GRID)),
                np.cos(np.pi * u * place / (2 * GRID)),
            ).ravel()
            for u, v in _frequencies()
        ]
    )
    across, down = _places(GRID)
    apart = (across**2 + down**2) / 0.25**2
    blob = (apart - 2) * np.exp(-apart / 2)
    blob -= blob.mean()
    blob /= np.linalg.norm(blob)
    return (waves - np.outer(waves @ blob, blob)).astype(np.float32).T.copy()


def _packed(spots: _Spots, signs: np.ndarray) -> bytes:
    times = 2.0**spots.octave
    x, y = (np.clip(at * times * 256 / EDGE, 0, 255) for at in (spots.x, spots.y))
    size = np.clip(np.round(np.log2(spots.sigma * times) * 32), 0, 255)
    angle = np.round(spots.angle / (2 * np.pi) * 256).astype(int) & 255
    packed = np.zeros(len(spots), SPOT)
    for byte, part in enumerate((x, y, size, angle)):
        packed["place"] |= part.astype(np.uint32) << np.uint32(8 * byte)
    packed["bits"] = np.packbits(signs, axis=1).view(">u8").ravel()
    return packed.tobytes()
