"""Which of two files of one picture was made from the other, by what follows from what.

A JPEG holds its frequencies as whole multiples of the steps in its tables. Its pixels are
predicted here from those of the other file, through whatever tones, colours and sharpness
were changed in between. Of two, the more coarsely rounded one is a copy where its
rounding is all that parts it from its prediction; where it shows through in the finer
one, that one is the copy. After the lattice of double compression (Fan and de Queiroz
2003), here with both files at hand.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from math import exp, log
from typing import Any

import cv2
import numpy as np

from gallery import decoding

# As many pictures are looked at at once as there are cores.
cv2.setNumThreads(1)

# Log odds from which on it is told which file was made from which.
TOLD = 1.0

MOST_PIXELS = 80_000_000
_TILE = 64  # pixels, whole blocks
_EDGE = 8  # pixels round a tile that its sharpness is predicted with
_TILES = 36  # tiles looked at, of _GRID * _GRID the busiest
_GRID = 9
_SAMPLE = 24_000  # pixels the prediction is fitted to
_HONEST = 0.8  # share of the blocks that nothing was put on
_FEW_BLOCKS = 48
_FEW = 100  # frequencies below which nothing can be said
_FEW_MULTIPLES = 150  # the same for a lattice, and of them at one multiple:
_FEW_AT_ONE = 40
_PLAIN = 0.9  # steps a frequency has to be predicted from nought
_THERE = 0.75  # steps from which on a frequency is not nought
_BINS, _PERIODS = 12, 8  # in a step, and steps counted
_SLOPE = 0.6  # steps over which the counts are levelled
_COARSER = log(1.1)  # from which on one of two counts as the coarser one
_PLAINLY_COARSER = 0.2  # log of coarseness that tables alone may tell
_SOME = 60  # values below which their share says nothing
_EVIDENCE = (7.8, 7.0, 4.8, -1.7)  # see `_odds`; fitted, see docs/matching.md
_OWN = 0.22  # distance from the prediction, in steps, that rounding alone makes
_OWN_AT_MOST = 0.29  # the same, beyond which it is something else
_UNEXPLAINED = 0.5  # distance from which on something else than rounding parts them
_GRAIN = 0.7  # evenness from which on what is left over is grain
_MORE, _MUCH_MORE = 1.15, 1.7  # what one has left over, over that of the other
_ENTIRELY = 0.02  # levels within which both are the same
_SURE, _LIKELY = 3.0, 1.5  # log odds given where none were fitted
_AS_MUCH = 0.8  # what a JPEG has left over, over that of a file of another format
_PLAINLY = 3.0  # steps of frequencies whose ratio is looked at
_SAME_TONES = 0.015  # off 1, up to which tones and sharpness are the same
_BLURRED = 0.5  # levels by which whole levels of pixels move a frequency
_FEW_CHOICES = 120  # values below which their choice says nothing
_NEVER, _AS_OFTEN = 0.12, 0.25  # share of the second best of two choices
_BEYOND = 0.01  # share of values that no rounding explains
_LOST, _KEPT = 0.2, 0.02  # share of values of which the other one has nothing
_WIDE = 2.0  # levels of steps that are not lost in the rounding of pixels
_ROUNDED = 0.35  # levels that whole levels of pixels leave in frequencies
_APART = 0.02  # of two lattices that can be told from one another
_SHOWS_SMALL = 0.04  # lattice of a smaller JPEG from which on the larger is from it
_NOTHING_NEW, _HARDLY_NEW, _NEW = 0.36, 1.0, 0.5  # steps of the larger one
_FOLLOWED, _NOT_FOLLOWED = 0.3, 0.32  # steps of the smaller one
_LATTICE = 0.3  # from which on a JPEG shows through in what is none
_KNOTS = np.array(
    [0, 10, 22, 36, 54, 74, 96, 120, 144, 168, 190, 212, 234, 255], np.float32
)
_LOSSLESS = {"PNG", "BMP", "TIFF"}
_GREY = np.array([0.299, 0.587, 0.114], np.float32)
_DARK, _BRIGHT = 1, 254  # levels at which tones were cut off


@dataclass(frozen=True, slots=True)
class Descent:
    """Which of two files was made from the other, and the figures that say so.

    `odds`: natural logarithm of the odds that the right one was made from the left one;
    below 0 it is the other way round, next to 0 nobody knows. `because`: "rounding",
    "grain" (noise was added to the later one), "loss" (it lacks what the other has),
    "enlarged", "reduced" or "". `left_steps`, `right_steps`: median distance of a file's frequencies from their
    prediction by the other, in its own steps; `lattice`: how plainly the coarser one
    shows through in the other, 0 to 1; `follows`: share of the finer one's values that
    its prediction gives; `coarser`: logarithm of the left one's coarseness over the
    right one's.
    """

    odds: float
    because: str = ""
    left_steps: float = 0.0
    right_steps: float = 0.0
    lattice: float = 0.0
    follows: float = 0.0
    coarser: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


UNTOLD = Descent(0.0)


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A picture file in memory: pixels as they lie in the file, and its luminance table.

    `pixels` [height, width, 3] uint8; `steps` [64] by rows, or None; `orientation` as
    EXIF says it.
    """

    pixels: np.ndarray
    steps: np.ndarray | None
    orientation: int
    is_lossless: bool = False


@dataclass(frozen=True, slots=True)
class _Follows:
    """How closely one file's picture follows from the other's, by its frequencies [64].

    `steps`: as in `Descent`. `periods` [64, bins]: how many lie at which part and
    multiple of a step. `given` of the values `there` are those the prediction gives.
    `coarseness`: steps over what they round. `left_over`: grey levels of a block, the
    median; `even` the tenth percentile over that. `table` [64]: its steps, or None;
    `is_lossless`: it rounds nothing but whole levels;
    `ours`, `theirs` [n, 64]: frequencies of the same blocks of both files.
    """

    steps: float
    periods: np.ndarray
    given: np.ndarray
    there: np.ndarray
    coarseness: np.ndarray
    left_over: float
    even: float
    table: np.ndarray | None
    is_lossless: bool
    ours: np.ndarray
    theirs: np.ndarray

    @property
    def is_jpeg(self) -> bool:
        return self.table is not None

    @property
    def counts(self) -> np.ndarray:
        return self.periods[:, _BINS // 2 :].sum(axis=1)


def descent(
    left: str | os.PathLike[str], right: str | os.PathLike[str], *, turn: int
) -> Descent:
    """Say which of two picture files that show one frame was made from the other.

    They may differ in size. `turn` 0 to 7 lays the left one, upright, on the right one, as in
    `dedup.perceptual.turned`. Decodes both as a whole. Raises Unreadable, also where one
    is too large.
    """
    return _compared(_decoded(left), _decoded(right), turn)


def _decoded(path: str | os.PathLike[str]) -> _Decoded:
    with decoding.opened(path, max_pixels=MOST_PIXELS) as picture:
        tables = getattr(picture.image, "quantization", None)
        steps = np.array(tables[min(tables)], np.float32) if tables else None
        image = picture.decoded()
        pixels = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
        lossless = picture.format.name in _LOSSLESS
        return _Decoded(pixels, steps, picture.orientation, lossless)


# 0 to 7: transposed first from 4 on, then mirrored along either axis.
_INVERSE = (0, 1, 2, 3, 4, 7, 6, 5)
# The turn that shows upright what EXIF says is turned.
_UPRIGHT = {1: 0, 2: 1, 3: 2, 4: 3, 5: 4, 6: 5, 7: 6, 8: 7}


def _turned(pixels: np.ndarray, turn: int) -> np.ndarray:
    """Return a view of the picture under turn 0 to 7."""
    if turn >= 4:
        pixels = pixels.swapaxes(0, 1)
    return pixels[:: -1 if turn % 4 >= 2 else 1, :: -1 if turn % 4 in (1, 2) else 1]


def _compared(left: _Decoded, right: _Decoded, turn: int) -> Descent:
    if left.steps is None and right.steps is None:
        return UNTOLD
    ours, theirs = _placed(right, left, _INVERSE[turn]), _placed(left, right, turn)
    one = _follows(left, _at_size(ours, left.pixels))
    two = _follows(right, _at_size(theirs, right.pixels))
    if one is None or two is None:
        return UNTOLD
    if ours.shape != left.pixels.shape:
        return _of_two_sizes(one, two, larger=left.pixels.size > right.pixels.size)
    lying = [_UPRIGHT[side.orientation] >= 4 for side in (left, right)]
    across = lying[0] ^ lying[1] ^ (turn >= 4)
    return _judged(one, _transposed(two) if across else two)


def _placed(one: _Decoded, other: _Decoded, turn: int) -> np.ndarray:
    """Return a picture turned to lie on the pixels of the other as those lie in its file."""
    upright = _turned(one.pixels, _UPRIGHT[one.orientation])
    return _turned(_turned(upright, turn), _INVERSE[_UPRIGHT[other.orientation]])


def _at_size(pixels: np.ndarray, of: np.ndarray) -> np.ndarray:
    height, width = of.shape[:2]
    if pixels.shape == of.shape:
        return pixels
    how = cv2.INTER_AREA if pixels.shape[0] > height else cv2.INTER_CUBIC
    return cv2.resize(np.ascontiguousarray(pixels), (width, height), interpolation=how)


def _transposed(one: _Follows) -> _Follows:
    """Return the figures with frequencies across and down exchanged."""
    order = np.arange(64).reshape(8, 8).T.ravel()
    return replace(
        one,
        periods=one.periods[order],
        given=one.given[order],
        there=one.there[order],
        coarseness=one.coarseness[order],
        table=None if one.table is None else one.table[order],
        ours=one.ours[:, order],
        theirs=one.theirs[:, order],
    )


# What the figures say


def _judged(left: _Follows, right: _Follows) -> Descent:
    if max(left.left_over, right.left_over) < _ENTIRELY:
        return _of_same_pixels(left, right)
    weights = left.counts + right.counts + 1e-9
    ratios = np.log(left.coarseness / right.coarseness)
    coarser = float((ratios * weights).sum() / weights.sum())
    swapped = coarser < 0
    coarse, fine = (right, left) if swapped else (left, right)
    at = coarse.coarseness >= exp(_COARSER) * fine.coarseness
    at[0] = False
    lattice = _lattice(coarse.periods[at].sum(axis=0))
    follows = _share(fine, at, otherwise=exp(-abs(coarser)))
    odds, because = _told(coarse, fine, abs(coarser), lattice, follows)
    return Descent(
        odds=round(-odds if swapped else odds, 2),
        because=because,
        left_steps=round(left.steps, 3),
        right_steps=round(right.steps, 3),
        lattice=round(lattice, 3),
        follows=round(follows, 3),
        coarser=round(coarser, 3),
    )


def _of_same_pixels(left: _Follows, right: _Follows) -> Descent:
    """A lossless file with the pixels of a JPEG was made from it."""
    if left.is_jpeg == right.is_jpeg:
        return UNTOLD
    return Descent(_SURE if left.is_jpeg else -_SURE, "rounding")


def _of_two_sizes(left: _Follows, right: _Follows, *, larger: bool) -> Descent:
    """Return whether the larger one (the left one, if so) was enlarged from the other.

    Then next to nothing but its own rounding parts it from its prediction, and the
    rounding of the smaller one shows through in it.
    """
    large, small = (left, right) if larger else (right, left)
    lattice = _lattice(small.periods.sum(axis=0)) if small.is_jpeg else 0.0
    odds, because = 0.0, ""
    if lattice > _SHOWS_SMALL or _is_nothing_new(large, small):
        odds, because = (-_SURE if larger else _SURE), "enlarged"
    elif large.is_jpeg and large.steps > _NEW and small.steps < _FOLLOWED:
        odds, because = (_SURE if larger else -_SURE), "reduced"
    return Descent(
        odds=odds,
        because=because,
        left_steps=round(left.steps, 3),
        right_steps=round(right.steps, 3),
        lattice=round(lattice, 3),
    )


def _is_nothing_new(large: _Follows, small: _Follows) -> bool:
    if not large.is_jpeg:
        return False
    return (large.steps < _NOTHING_NEW and small.steps > _OWN_AT_MOST) or (
        large.steps < _HARDLY_NEW and small.steps > _NOT_FOLLOWED
    )


def _told(
    coarse: _Follows, fine: _Follows, coarser: float, lattice: float, follows: float
) -> tuple[float, str]:
    """Return the log odds that the finer one was made from the coarser one, and why."""
    if not (coarse.is_jpeg and fine.is_jpeg):
        return _beside_another_format(coarse, fine, lattice)
    plainly = _of_same_tones(coarse, fine)
    odds, because = _by_rounding(coarse, fine, coarser, lattice, follows)
    return odds + plainly, because or ("rounding" if plainly else "")


def _by_rounding(
    coarse: _Follows, fine: _Follows, coarser: float, lattice: float, follows: float
) -> tuple[float, str]:
    """Return the log odds that the finer of two JPEGs was made from the coarser, and why."""
    if coarse.steps >= _UNEXPLAINED:
        return _by_what_is_left_over(coarse, fine)
    if coarser < _COARSER:
        return 0.0, ""
    odds = _odds(coarse.steps, coarser, lattice, follows)
    if abs(odds) < _LIKELY and coarser >= _PLAINLY_COARSER:
        odds = _rehearsed(coarse, fine) or odds
    if odds < 0 and coarse.steps > _OWN_AT_MOST:
        # More parts them than its rounding: the prediction misses something.
        return 0.0, ""
    return odds, "rounding"


def _beside_another_format(
    coarse: _Follows, fine: _Follows, lattice: float
) -> tuple[float, str]:
    """Return the log odds that the other one was made from the coarser one, and why."""
    jpeg, other = (coarse, fine) if coarse.is_jpeg else (fine, coarse)
    towards = 1.0 if jpeg is coarse else -1.0
    if jpeg is coarse and lattice >= _LATTICE:
        return _SURE, "rounding"
    if jpeg.steps < _UNEXPLAINED:
        return 0.0, ""
    if other.is_lossless:
        return _by_what_is_left_over(coarse, fine)
    # Other lossy formats take grain away with the rest.
    if jpeg.left_over > _AS_MUCH * other.left_over:
        return _LIKELY * towards, "loss"
    return 0.0, ""


def _odds(steps: float, coarser: float, lattice: float, follows: float) -> float:
    """Return the log odds that the finer of two JPEGs was made from the coarser one.

    Of values rounded away, the prediction of the finer one gives no more than the
    coarseness leaves; the coarser one's lattice shows in nothing it was made from; and
    its own rounding parts it from that.
    """
    evidence = follows - exp(-coarser), lattice, _OWN - min(steps, 0.4), 1.0
    return float(np.dot(_EVIDENCE, evidence))


def _of_same_tones(coarse: _Follows, fine: _Follows) -> float:
    """Return the log odds that the finer of two JPEGs was saved from the coarser one.

    0 where tones or sharpness differ, or the values say too little.
    """
    for one, other, sign in ((coarse, fine, 1.0), (fine, coarse, -1.0)):
        assert one.table is not None
        if not _is_unchanged(one, np.maximum(one.table, 1)):
            continue
        there, back = _choices(one, other), _choices(other, one)
        if there.lost > _LOST and back.lost < _KEPT:
            return _SURE * sign
        if there.counted < _FEW_CHOICES:
            continue
        if there.second < _NEVER:
            return _SURE * sign
        if there.second > _AS_OFTEN and there.beyond < _BEYOND:
            return -_LIKELY * sign
    return 0.0


@dataclass(frozen=True, slots=True)
class _Choices:
    """What the other one has where two of its multiples round to what the one has.

    What was saved from the one has the nearest of them, what the one was saved from has
    either. `counted` of these values, `second`: share that are the second best.
    `beyond`: share of all that the one cannot have been rounded from. `lost`: share of
    the one's values of which the other has nothing.
    """

    counted: int
    second: float
    beyond: float
    lost: float


def _choices(one: _Follows, other: _Follows) -> _Choices:
    assert one.table is not None and other.table is not None
    ours, theirs = np.maximum(one.table, 1), np.maximum(other.table, 1)
    apart = ((one.ours - one.theirs) ** 2).mean(axis=1)
    honest = apart <= np.quantile(apart, _HONEST)
    own, seen = one.ours[honest], one.theirs[honest]
    there = np.abs(own) >= _THERE * np.maximum(ours, theirs)
    there[:, 0] = False
    lost = (there & (np.abs(seen) < theirs / 2)).sum() / max(1, there.sum())
    at = ours - theirs >= 4 * _BLURRED
    at[0] = False
    own, seen, ours, theirs = own[:, at], seen[:, at], ours[at], theirs[at]
    value = np.round(own / ours) * ours
    nearest = np.round(value / theirs) * theirs
    second = nearest + np.where(value >= nearest, theirs, -theirs)
    two = np.abs(value - nearest) <= theirs / 2 - _BLURRED
    two &= (np.abs(value - second) <= ours / 2 - _BLURRED) & (value != 0)
    taken = np.round(seen / theirs) * theirs
    is_first, is_second = two & (taken == nearest), two & (taken == second)
    counted = int((is_first | is_second).sum())
    beyond = (two & (np.abs(value - seen) > ours / 2 + 2 * _BLURRED)).sum()
    return _Choices(
        counted=counted,
        second=float(is_second.sum() / max(1, counted)),
        beyond=float(beyond / max(1, two.sum())),
        lost=float(lost),
    )


def _rehearsed(coarse: _Follows, fine: _Follows) -> float:
    """Return the log odds that the finer of two JPEGs was saved from the coarser one.

    Where steps are nearly the same, lattices of both meet at common multiples. So both
    ways are gone once more with the tables at hand, and what comes of it compared with
    what is there. 0 where tones or sharpness differ, too, or both ways end alike.
    """
    assert coarse.table is not None and fine.table is not None
    steps, finer = np.maximum(coarse.table, 1), np.maximum(fine.table, 1)
    at = steps > finer
    at[0] = False
    if not (_is_unchanged(coarse, steps) and _lies_on_blocks(coarse.theirs, finer)):
        return 0.0
    chance = np.random.default_rng(0)
    noise = chance.normal(0, _ROUNDED, coarse.ours.shape).astype(np.float32)
    dealt = chance.uniform(-0.5, 0.5, noise.shape).astype(np.float32)
    ways = (
        coarse.theirs,
        _rounded(coarse.theirs + dealt * finer, finer) + noise,
        _rounded(_rounded(coarse.ours, steps) + noise, finer) + noise[::-1],
    )
    there, copied, source = (
        _lattice(_counted(np.abs(one) / steps)[at].sum(axis=0)) for one in ways
    )
    if abs(source - copied) < _APART:
        return 0.0
    place = (there - copied) / (source - copied)
    return float(np.clip(2 * _SURE * (place - 0.5), -_SURE, _SURE))


def _is_unchanged(one: _Follows, steps: np.ndarray) -> bool:
    """Return whether plain frequencies are the same in both but for their rounding."""
    plain = np.abs(one.ours) >= _PLAINLY * steps
    plain[:, 0] = False
    if plain.sum() < _FEW:
        return False
    ratios = one.theirs[plain] / one.ours[plain]
    return bool(abs(float(np.median(ratios)) - 1) < _SAME_TONES)


def _lies_on_blocks(values: np.ndarray, steps: np.ndarray) -> bool:
    """Return whether frequencies were rounded in the very blocks they are taken from.

    Not where a picture was turned whose sides are no multiples of 8.
    """
    periods = np.abs(values) / steps
    plain = (periods >= _THERE) & (steps >= _WIDE)
    plain[:, 0] = False
    if plain.sum() < _SOME:
        return False
    return float(np.cos(2 * np.pi * periods)[plain].mean()) > _LATTICE


def _rounded(values: np.ndarray, steps: np.ndarray) -> np.ndarray:
    return np.asarray(np.round(values / steps) * steps)


def _by_what_is_left_over(one: _Follows, other: _Follows) -> tuple[float, str]:
    """Return the log odds that the other was made from the one, and why.

    Grain was added to the later one of two; otherwise the later one lost something.
    """
    more, less = (one, other) if one.left_over >= other.left_over else (other, one)
    ratio = more.left_over / max(less.left_over, _ENTIRELY)
    if more.even > _GRAIN and ratio > _MORE:
        return (_SURE if more is other else -_SURE), "grain"
    if ratio > _MUCH_MORE:
        return (_SURE if less is other else -_SURE), "loss"
    return 0.0, ""


def _share(fine: _Follows, at: np.ndarray, *, otherwise: float) -> float:
    there = int(fine.there[at].sum())
    return float(fine.given[at].sum() / there) if there >= _SOME else otherwise


_SMOOTH = np.exp(-0.5 * (np.arange(-24, 25) / _BINS / _SLOPE) ** 2)
_COSINES = np.cos(2 * np.pi * (np.arange(_BINS * _PERIODS) + 0.5) / _BINS)


def _lattice(counts: np.ndarray) -> float:
    """Return the mean cosine of frequencies over their steps, their slope taken out.

    `counts` [bins]: from nought on. 0 where there are too few.
    """
    half = _BINS // 2
    if counts[half : half + 6 * _BINS].sum() < _FEW_MULTIPLES:
        return 0.0
    mirrored = np.concatenate([counts[2 * _BINS - 1 :: -1], counts]).astype(float)
    level = np.convolve(mirrored, _SMOOTH / _SMOOTH.sum(), "same")[2 * _BINS :]
    heights = counts / np.maximum(level, 1e-9)
    total = weight = 0.0
    for multiple in range(6):
        there = slice(half + _BINS * multiple, half + _BINS * (multiple + 1))
        many = float(counts[there].sum())
        if many >= _FEW_AT_ONE:
            one = (heights[there] * _COSINES[there]).sum() / heights[there].sum()
            total, weight = total + many * float(one), weight + many
    return total / weight if weight else 0.0


# Predicting one picture from another


def _follows(one: _Decoded, other: np.ndarray) -> _Follows | None:
    """Return how closely a picture follows from the pixels of another that lie on it."""
    given, target, beside = _samples(one.pixels, other)
    if len(target) < _FEW_BLOCKS:
        return None
    rest, honest = _unpredicted(given, target)
    return _measured(one, rest[honest], target[honest], beside[honest])


def _samples(
    pixels: np.ndarray, other: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what is known of blocks, [n, 64, features], and their greys, [n, 64].

    The third are the greys of the other picture there.
    """
    height, width = pixels.shape[:2]
    given, target, beside = [], [], []
    for top, left in _tiles(pixels):
        place = slice(top, top + _TILE), slice(left, left + _TILE)
        around = tuple(slice(one.start - _EDGE, one.stop + _EDGE) for one in place)
        ours, theirs = pixels[place], other[around].astype(np.float32)
        down, across = np.mgrid[place].astype(np.float32)
        features = _features(theirs, 2 * down / height - 1, 2 * across / width - 1)
        inner = theirs[_EDGE:-_EDGE, _EDGE:-_EDGE]
        whole = _blocks(_is_cut_off(ours) | _is_cut_off(inner)).max(axis=1) == 0
        given.append(_blocks(features)[whole])
        target.append(_blocks(ours.astype(np.float32) @ _GREY)[whole])
        beside.append(_blocks(inner @ _GREY)[whole])
    if not given:
        none = np.empty((0, 64), np.float32)
        return none[..., None], none, none
    return np.concatenate(given), np.concatenate(target), np.concatenate(beside)


def _is_cut_off(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(((pixels <= _DARK) | (pixels >= _BRIGHT)).any(axis=2))


def _tiles(pixels: np.ndarray) -> list[tuple[int, int]]:
    """Return the corners of the busiest tiles of a grid, on the lines of its blocks."""
    corners = []
    for top in _along(pixels.shape[0]):
        for left in _along(pixels.shape[1]):
            some = pixels[top : top + _TILE : 2, left : left + _TILE : 2, 1]
            corners.append((float(some.std()), top, left))
    busiest = sorted(corners, reverse=True)[:_TILES]
    return [(top, left) for _, top, left in busiest]


def _along(side: int) -> list[int]:
    """Return where tiles begin along a side of so many pixels."""
    last = side - _TILE - _EDGE
    if last < _EDGE:
        return []
    many = min(_GRID, max(1, side // _TILE))
    starts = np.linspace(_EDGE, last, many).astype(int) // 8 * 8
    return [int(start) for start in np.unique(starts)]


def _blocks(tile: np.ndarray) -> np.ndarray:
    """Return the 8 * 8 blocks of a tile, [n, 64, ...]."""
    many = _TILE // 8
    cut = tile.reshape(many, 8, many, 8, *tile.shape[2:]).swapaxes(1, 2)
    return cut.reshape(many * many, 64, *tile.shape[2:])


def _features(pixels: np.ndarray, down: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Return what the greys of a tile may be a sum of, [_TILE, _TILE, features].

    A curve over each colour; the grey blurred and sharpened; both darker by place.
    `pixels` [_TILE + 2 * _EDGE, ..., 3] float32; `down`, `across` -1 to 1.
    """
    inner = slice(_EDGE, -_EDGE), slice(_EDGE, -_EDGE)
    grey = pixels @ _GREY
    blurred = [grey, *(cv2.GaussianBlur(grey, (0, 0), s) for s in (0.6, 1.2, 2.5))]
    bands = [one - two for one, two in pairwise(blurred)]
    bands += [np.roll(grey, by, axis) - grey for by in (1, -1) for axis in (0, 1)]
    colours, light = pixels[inner], grey[inner]
    far = down**2 + across**2
    shades = [light * one for one in (down, across, far, far**2)]
    shades += [colours[..., 0] * far, colours[..., 2] * far, far]
    sharpness = [one[inner] for one in bands]
    sharpness += [one * light for one in sharpness[:3]]
    curves = [_hats(colours[..., channel]) for channel in range(3)]
    rest = np.stack([*sharpness, *shades, np.ones_like(light)], axis=-1)
    return np.concatenate([*curves, rest], axis=-1)


def _hats(levels: np.ndarray) -> np.ndarray:
    """Return the weights of the knots of a broken line at these levels."""
    place = np.clip(np.searchsorted(_KNOTS, levels, "right") - 1, 0, len(_KNOTS) - 2)
    share = (levels - _KNOTS[place]) / (_KNOTS[place + 1] - _KNOTS[place])
    weights = np.zeros((*levels.shape, len(_KNOTS)), np.float32)
    np.put_along_axis(weights, place[..., None], (1 - share)[..., None], -1)
    np.put_along_axis(weights, place[..., None] + 1, share[..., None], -1)
    # The first one follows from the others and the constant.
    return weights[..., 1:]


def _unpredicted(
    given: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what no sum of the features explains, [n, 64], and the honest blocks."""
    honest = np.ones(len(target), bool)
    rest = target
    for _ in range(2):
        rest = target - given @ _fitted(given[honest], target[honest])
        apart = (rest**2).mean(axis=1)
        # What was put on the picture is no part of how it was saved.
        honest = apart <= np.quantile(apart, _HONEST)
    return rest, honest


def _fitted(given: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the weights of the features that predict the greys best."""
    features, levels = given.reshape(-1, given.shape[-1]), target.ravel()
    every = max(1, len(levels) // _SAMPLE)
    some, wanted = features[::every].astype(np.float64), levels[::every]
    products = some.T @ some
    scale = 1 / np.sqrt(np.diag(products) + 1e-6)
    system = products * scale * scale[:, None] + np.eye(len(scale)) * 1e-8
    weights = scale * np.linalg.solve(system, scale * (some.T @ wanted))
    return weights.astype(np.float32)


def _measured(
    one: _Decoded, rest: np.ndarray, target: np.ndarray, beside: np.ndarray
) -> _Follows | None:
    steps = np.ones(64, np.float32) if one.steps is None else np.maximum(one.steps, 1)
    missed, found = _frequencies(rest), _frequencies(target - 128)
    missed[:, 0] = found[:, 0] = 0
    periods = np.abs(found - missed) / steps
    plain = periods >= _PLAIN
    if plain.sum() < _FEW:
        return None
    apart = np.sqrt((rest**2).mean(axis=1))
    middle = float(np.median(apart))
    there = np.abs(found) >= _THERE * steps
    return _Follows(
        steps=float(np.median((np.abs(missed) / steps)[plain])),
        periods=_counted(periods),
        given=(there & (np.abs(missed) < steps / 2)).sum(axis=0),
        there=there.sum(axis=0),
        coarseness=steps / np.sqrt((found**2).mean(axis=0) + 1e-6),
        left_over=middle,
        even=float(np.quantile(apart, 0.1) / max(middle, 1e-6)),
        table=one.steps,
        is_lossless=one.is_lossless,
        ours=found,
        theirs=_frequencies(beside - 128),
    )


def _counted(periods: np.ndarray) -> np.ndarray:
    """Return how many frequencies lie in each part of a step, [64, bins]."""
    bins = _BINS * _PERIODS
    place = np.minimum((periods * _BINS).astype(np.int64), bins)
    flat = (place + np.arange(64) * (bins + 1)).ravel()
    counts = np.bincount(flat, minlength=64 * (bins + 1)).reshape(64, bins + 1)
    counts[0] = 0
    return counts[:, :bins]


def _frequencies(blocks: np.ndarray) -> np.ndarray:
    """Return the cosine coefficients of blocks, [n, 64]."""
    return (_WAVES @ blocks.reshape(-1, 8, 8) @ _WAVES.T).reshape(-1, 64)


def _waves() -> np.ndarray:
    place, frequency = np.meshgrid(np.arange(8), np.arange(8))
    waves = np.cos((2 * place + 1) * frequency * np.pi / 16) / 2
    waves[0] /= np.sqrt(2)
    return waves.astype(np.float32)


_WAVES = _waves()
