"""The measurement: lay one thumbnail over another and see where they agree.

OpenCV and numpy only. Nothing is decided here; `dedup.relation` does that.

Two pictures are laid over each other by what the perceptual hash says about their
frames, or by local features (ORB, Rublee et al. 2011; ratio test, Lowe 2004; RANSAC),
and then drawn together by optical flow (Lucas and Kanade 1981). Agreement is the
normalised cross-correlation of small blocks, which no change of brightness or contrast
moves.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from dedup.laying import (
    EDGE,
    MINIMUM_INLIERS,
    Features,
    Flow,
    Stand,
    by_frames,
    by_keypoints,
    covered,
    drawn_together,
    drift,
    features,
    mirrors,
    shared,
    stand,
)
from dedup.traces import UNTRACED, Traces, traces
from dedup.windows import window

__all__ = ["EDGE", "Alignment", "Features", "Tone", "compare", "features"]

BLOCK = 20  # pixels
BLUR = 1.2  # pixels: compression and noise differ between copies, shapes do not
TEXTURE = 4.0  # grey levels: the least standard deviation of a block worth comparing
WORTH_A_LOOK = 0.5  # share of agreeing blocks from which on traces are looked for
AGREES = 0.8  # correlation of a block from which on it counts as the same
DIFFERS = 0.5  # correlation below which its content is another
_REACH = 8  # pixels a thing may have moved between two shots to be recognised
_GLANCE = 4  # one pixel of so many squared is looked at first
_HOPELESS = 0.15  # median correlation then, below which nothing is drawn together
_STRANGERS = 0.05  # share of agreeing blocks below which nothing more is measured
_CELL = 64  # pixels of the squares whose common drift is taken
_LOOKED_FOR = 40  # blocks that are searched for a movement
_STRAYED = 0.8  # pixels of drift from which on a point may have moved by itself
_HARDLY_LESS = 0.1  # correlation by which what stood there may look less alike
_FAR = 6  # blocks a thing may have gone between two shots
_PATCHES = 3  # differing patches that are searched for there
NEW_THERE = 0.25  # share of differing blocks where such a patch went
_NEARLY = 1.0, 30.0  # thousandths between frames that may be one
_NO_WORSE = 0.02  # share of agreeing blocks that may be lost edge on edge
_BARELY_BENT = 0.2  # pixels of shared drift that edge on edge may show
_SHEET = 0.5  # share of two colours above which it is a sheet and no picture
_SPARED = 6  # blocks away from what differs that say something
_RAGGED = 8  # pixels beside what one side has filled up that are not compared
_CHANGED = 40  # grey levels from which on a pixel was covered
_SHADES = 16  # grey levels that count as one colour of a pen


@dataclass(frozen=True, slots=True)
class Tone:
    """How the right picture's colours differ from the left one's, where they overlap.

    `brightness`: difference of the mean grey, in levels. `contrast`, `saturation`: ratios
    right to left. `tint`: the largest difference of a colour channel beyond brightness,
    in levels. `residual`: grey levels that no curve from left to right explains.
    `difference`: mean absolute difference of all pixels, in levels, as they are.
    """

    brightness: float = 0.0
    contrast: float = 1.0
    saturation: float = 1.0
    tint: float = 0.0
    residual: float = 0.0
    difference: float = 0.0


@dataclass(frozen=True, slots=True)
class Alignment:
    """How two thumbnails lie over each other, and how well they agree there.

    `method`: "frame" (edge on edge, as the hash proposed), "features" or "none".
    `matrix`: nine numbers, row by row, from left to right thumbnail pixels.
    `scale`: right pixels for a left pixel, both relative to their thumbnails' long edges
    when `method` is "frame", hence 1 there. `degrees`: clockwise turn from left to right.
    `stretch`: how unequally the two directions are scaled (1 is equally).
    `left_overlap`, `right_overlap`: share of each picture's area the other one shows.
    `left_box`, `right_box`: where the other lies in it, as left, top, right, bottom in
    shares of width and height.
    `blocks`: blocks with texture in the overlap; `agreement`: share of them above AGREES;
    `window`: share of the overlap's blocks that were compared, below 1 where all agrees
    within a rectangle and next to nothing outside (`dedup.windows`): all figures then
    are those of the rectangle, but for `differing` and `largest`.
    `shared`: share of the keypoints there, of the picture that has fewer, that the other
    one has at the same place, looked for only where they may be copies;
    `correlation`: their median correlation; `whole`: correlation of the whole overlap.
    `differing`: share of blocks whose content is another; `largest`: blocks of the
    largest connected patch of those; `moved`: blocks found again some pixels away;
    `strays`: points of one place that drift together while the rest stays; `elsewhere`:
    blocks of the largest differing patch that is found again at another place;
    `motion`: 90th percentile of the remaining local displacement, in pixels, where
    there is texture and the content is not another.
    `bend`: 90th percentile of the displacement that neighbouring points share, in pixels;
    `tilt`: how far a corner lies from where turning, scaling and stretching alone would
    put it, in thousandths of the long edge.
    `apart`: how far the corners of the two frames lie from one another once laid, in
    thousandths of the long edge (next to 0 for one frame, however it was altered).
    `remaining`: share of agreeing blocks among those that neither differ nor touch what
    differs; `drawn`: share of the pixels covered there that have one of two colours.
    `outside`: fine detail of the larger picture outside the overlap over that inside
    (low for a plain or blurred frame); `seam`: how much sharper the step at the edge of
    the overlap is than steps inside; both None without an outside. `spread`: standard
    deviation of the paler picture within it, in levels.
    `sharpness`: fine detail of the right picture over that of the left, at equal scale.
    `traces`: what was done to one of them, looked for only where they may be copies.
    """

    method: str = "none"
    matrix: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    left_size: tuple[int, int] = (0, 0)
    right_size: tuple[int, int] = (0, 0)
    inliers: int = 0
    scale: float = 1.0
    degrees: float = 0.0
    mirrored: bool = False
    stretch: float = 1.0
    left_overlap: float = 0.0
    right_overlap: float = 0.0
    left_box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    right_box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    blocks: int = 0
    agreement: float = 0.0
    window: float = 1.0
    shared: float = 0.0
    correlation: float = 0.0
    whole: float = 0.0
    differing: float = 0.0
    largest: int = 0
    moved: int = 0
    strays: int = 0
    elsewhere: int = 0
    motion: float = 0.0
    bend: float = 0.0
    tilt: float = 0.0
    uneven: float = 0.0
    apart: float = 1000.0
    remaining: float = 0.0
    drawn: float = 0.0
    outside: float | None = None
    seam: float | None = None
    spread: float = 0.0
    sharpness: float = 1.0
    tone: Tone = Tone()
    traces: Traces = UNTRACED

    @property
    def found(self) -> bool:
        return self.method != "none"


def compare(
    left: Features,
    right: Features,
    *,
    turn: int | None = None,
    mirrored: bool | None = None,
) -> Alignment:
    """Lay two thumbnails over each other in every way proposed; return the best one.

    `turn` (0 to 7, see `dedup.perceptual.all_turns`) says that the hash of the left
    picture under this turn is that of the right: edge on edge is tried first then.
    `mirrored` says that the features proposed the pair, and which hand they agreed on:
    only that one is tried.
    """
    best = Alignment(left_size=left.size, right_size=right.size)
    for method, inliers, matrix in _proposals(
        left, right, turn=turn, mirrored=mirrored
    ):
        measured = _laid(left, right, matrix)
        if _merit(measured) > _merit(best):
            best = replace(measured, method=method, inliers=inliers)
        if best.agreement >= 0.8 and best.blocks >= 24 and best.window == 1:
            break
    if not best.found and not mirrored and left.filled.any() != right.filled.any():
        # What is left of a picture may have too few keypoints.
        best = _laid(left, right, by_frames(left.size, right.size, 0))
    return _traced(_edge_on_edge(best, left, right), left, right)


def _laid(left: Features, right: Features, matrix: np.ndarray) -> Alignment:
    """Return how the two agree where the matrix and then their drift lay them."""
    if _hopeless(stand(left, right, matrix)):
        return Alignment(left_size=left.size, right_size=right.size)
    matrix, flow = drawn_together(left, right, matrix)
    return replace(_measure(left, right, matrix, flow), method="frame")


def _edge_on_edge(best: Alignment, left: Features, right: Features) -> Alignment:
    """Return the answer with frames that nearly coincide laid edge on edge.

    Where one side is blurred its drift is guessed; it stands if no worse without.
    """
    if not _NEARLY[0] < best.apart < _NEARLY[1] or best.blocks < 12:
        return best
    frames = [by_frames(left.size, right.size, turn) for turn in range(8)]
    corners = np.array([[[0, 0], left.size, (left.size[0], 0)]], float)
    found = np.array(best.matrix).reshape(3, 3)
    placed = cv2.perspectiveTransform(corners, found)
    off = [
        np.abs(cv2.perspectiveTransform(corners, one) - placed).max() for one in frames
    ]
    matrix = frames[int(np.argmin(off))]
    exact = _measure(left, right, matrix, drift(left, right, matrix))
    worse = exact.agreement < best.agreement - _NO_WORSE
    if worse or exact.bend > max(best.bend, _BARELY_BENT):
        return best
    return replace(exact, method="frame", inliers=best.inliers)


def _traced(alignment: Alignment, left: Features, right: Features) -> Alignment:
    """Return the answer with what was done to one of them, if they may be copies."""
    alike = max(alignment.agreement, alignment.whole) >= WORTH_A_LOOK
    if not alignment.found or not alike:
        return alignment
    matrix = np.array(alignment.matrix).reshape(3, 3)
    return replace(
        alignment,
        shared=shared(left, right, matrix, mirrored=alignment.mirrored),
        traces=traces(left.picture, right.picture, matrix),
    )


def _merit(alignment: Alignment) -> float:
    # A hundredth of agreement is worth less than a tenth more of picture compared.
    if not alignment.found:
        return -1.0
    area = min(alignment.left_overlap, alignment.right_overlap)
    seen = alignment.agreement * alignment.window
    return seen * min(1.0, alignment.blocks / 12) + 0.05 * area


def _proposals(
    left: Features, right: Features, *, turn: int | None, mirrored: bool | None
) -> Iterator[tuple[str, int, np.ndarray]]:
    if turn is not None:
        yield "frame", 0, by_frames(left.size, right.size, turn)
        mirrored = mirrors(turn)
    # A butterfly agrees with its mirror image: the other hand may agree better.
    hands = [False, True] if mirrored is None else [mirrored]
    found = False
    for hand in hands:
        inliers, matrix = by_keypoints(left, right, mirrored=hand)
        if matrix is not None:
            found = True
            yield "features", inliers, matrix
    if found:
        return
    # A picture in a bubble of a chat, or on a page, has few of the sheet's clearest.
    for hand in hands:
        inliers, matrix = by_keypoints(left, right, mirrored=hand, faint=True)
        if matrix is not None:
            yield "features", inliers, matrix


def _hopeless(ground: Stand) -> bool:
    """Return whether even a glance shows that the two have nothing in common there."""
    side = _GLANCE
    if min(ground.base.grey.shape) < 16 * side:
        return False
    base = cv2.blur(ground.base.grey, (side, side))[::side, ::side]
    other = ground.seen(cv2.blur(ground.other.grey, (side, side)), step=side)
    inside = np.ascontiguousarray(ground.overlap()[::side, ::side])
    blocks = _blocks(base.astype(np.float32), other.astype(np.float32), inside, 8)
    values = blocks.correlation[blocks.textured]
    return len(values) >= 12 and float(np.median(values)) < _HOPELESS


# How well they agree


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """Both pictures in the pixels of the coarser one, grey float32 and a little blurred.

    `overlap`: where both show something, [height, width] uint8; `colours`: both in RGB,
    every second pixel, left and right.
    """

    left: np.ndarray
    right: np.ndarray
    sharp: tuple[np.ndarray, np.ndarray]
    overlap: np.ndarray
    colours: tuple[np.ndarray, np.ndarray]


def _view(ground: Stand) -> _View:
    base, other = ground.base, ground.other
    greys = [base.grey, ground.seen(other.grey)]
    colours = [base.picture[::2, ::2], ground.seen(other.picture, step=2)]
    if not ground.left_is_base:
        greys.reverse()
        colours.reverse()
    left, right = (_blurred(grey) for grey in greys)
    return _View(
        left=left,
        right=right,
        sharp=(greys[0], greys[1]),
        overlap=_comparable(ground),
        colours=(np.ascontiguousarray(colours[0]), np.ascontiguousarray(colours[1])),
    )


def _comparable(ground: Stand) -> np.ndarray:
    """Return where both show something: what only one has filled up is no content."""
    overlap = ground.overlap()
    base, other = ground.base.filled, ground.other.filled
    if base.any() or other.any():
        # What lies round the other takes nothing of it away.
        lost = overlap & (base != ground.seen(other))
        # It begins within a row of squares of the file, not between two.
        overlap[cv2.dilate(lost, _square_of(2 * _RAGGED + 1)) > 0] = 0
    return overlap


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """One value for each block [rows, columns] of the base picture."""

    size: int
    correlation: np.ndarray
    textured: np.ndarray
    lonely: np.ndarray

    @property
    def differing(self) -> np.ndarray:
        """Blocks whose content is another."""
        return (self.textured & (self.correlation < DIFFERS)) | self.lonely

    @property
    def agreement(self) -> float:
        values = self.correlation[self.textured]
        return float((values > AGREES).mean()) if len(values) else 0.0


def _measure(
    left: Features, right: Features, matrix: np.ndarray, flow: Flow
) -> Alignment:
    ground = stand(left, right, matrix)
    view = _view(ground)
    shape = _shape(left, right, matrix, ground)
    size = _block_size(view.overlap.shape)
    if view.overlap.mean() < 0.01 or min(view.overlap.shape) < size:
        return shape
    blocks = _blocks(view.left, view.right, view.overlap, size)
    shape = replace(
        shape, blocks=int(blocks.textured.sum()), agreement=blocks.agreement
    )
    if shape.blocks >= 12 and blocks.agreement < _STRANGERS:
        return shape
    whole = blocks
    view, blocks, share = _through_window(view, blocks)
    alike = _alike(view, blocks)
    tone = _tone(view, alike)
    toned = _toned(view, tone, alike)
    if toned is not view:
        blocks = _blocks(toned.left, toned.right, view.overlap, size)
    around = _surroundings(left, right, matrix, shape)
    found = _figures(shape, toned, blocks, flow)
    if share < 1:
        found = replace(found, window=share, **_differences(whole))
    return replace(
        found,
        tone=tone,
        sharpness=_sharpness(view),
        outside=around[0] if around else None,
        seam=around[1] if around else None,
    )


def _through_window(view: _View, blocks: _Blocks) -> tuple[_View, _Blocks, float]:
    """Return view and blocks of the window in which all agrees, and its share."""
    agree = blocks.textured & (blocks.correlation > AGREES)
    differ = (blocks.textured & ~agree) | blocks.lonely
    if agree.sum() < 12 or differ.sum() < 4:
        return view, blocks, 1.0
    found = window(agree, differ)
    if found is None:
        return view, blocks, 1.0
    inside = np.zeros(agree.shape, np.uint8)
    inside[found] = 1
    pixels = _pixels_of(inside, blocks.size, view.overlap.shape)
    seen = [side[pixels[::2, ::2] > 0] for side in view.colours]
    if min(map(_of_two_colours, seen)) > _SHEET:
        # Screenshots and forms agree in their bars and letters, whatever is shown.
        return view, blocks, 1.0
    view = replace(view, overlap=view.overlap & pixels)
    within = _blocks(view.left, view.right, view.overlap, blocks.size)
    return view, within, float(inside.mean())


def _differences(blocks: _Blocks) -> dict[str, Any]:
    counted = max(1, int((blocks.textured | blocks.lonely).sum()))
    return {
        "differing": float(blocks.differing.sum()) / counted,
        "largest": _largest_patch(blocks.differing),
    }


def _figures(shape: Alignment, view: _View, blocks: _Blocks, flow: Flow) -> Alignment:
    values = blocks.correlation[blocks.textured]
    differs = blocks.differing
    doubtful = blocks.textured & (blocks.correlation < AGREES)
    alike = _comparable_flow(flow, blocks.textured & ~differs, blocks.size)
    spreads = _level(view.left, view.overlap)[1], _level(view.right, view.overlap)[1]
    return replace(
        shape,
        blocks=len(values),
        agreement=blocks.agreement,
        correlation=float(np.median(values)) if len(values) else 0.0,
        whole=_whole(view.left, view.right, view.overlap),
        **_differences(blocks),
        moved=_moved(view.left, view.right, doubtful, blocks.size),
        spread=min(spreads),
        strays=_strays(flow),
        elsewhere=_elsewhere(view, differs, blocks.size),
        motion=_motion(alike),
        bend=_bend(alike),
        uneven=_uneven(view, blocks.textured & ~differs, blocks.size),
        remaining=_remaining(blocks),
        drawn=_drawn(view, differs, blocks.size),
    )


def _remaining(blocks: _Blocks) -> float:
    """Return the share of agreeing blocks away from what differs."""
    beside = cv2.dilate(blocks.differing.astype(np.uint8), _square_of(3)) > 0
    values = blocks.correlation[blocks.textured & ~beside]
    return float((values > AGREES).mean()) if len(values) >= _SPARED else 0.0


def _drawn(view: _View, differs: np.ndarray, size: int) -> float:
    """Return the share of what covers the differing blocks that has one of two colours.

    Letters, arrows and bars are drawn with a pen and perhaps an outline; what came
    into a scene has many shades.
    """
    if not differs.any():
        return 0.0
    there = _pixels_of(differs, size, view.overlap.shape)[::2, ::2] > 0
    changed = there & (cv2.absdiff(*view.colours).max(axis=2) > _CHANGED)
    if changed.sum() < 100:
        return 0.0
    return max(_of_two_colours(side[changed]) for side in view.colours)


def _of_two_colours(pixels: np.ndarray) -> float:
    """Return the share of pixels [k, 3] uint8 that have one of the two commonest colours."""
    shares = []
    for start in (0, _SHADES // 2):
        shades = (pixels.astype(np.int32) + start) // _SHADES
        counts = np.bincount(shades @ np.array([1024, 32, 1]))
        shares.append(float(np.sort(counts)[-2:].sum()) / len(pixels))
    return max(shares)


def _blurred(grey: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(grey.astype(np.float32), (0, 0), BLUR)


def _alike(view: _View, blocks: _Blocks) -> np.ndarray:
    """Return the overlap without what shows another content, uint8.

    What was stamped on or has moved says nothing about how the tones were changed.
    """
    differs = blocks.differing.astype(np.uint8)
    if not differs.any():
        return view.overlap
    grown = cv2.dilate(differs, _square_of(3))
    other = _pixels_of(grown, blocks.size, view.overlap.shape)
    alike = view.overlap & (1 - other)
    return alike if alike.sum() > 0.2 * view.overlap.sum() else view.overlap


def _pixels_of(marked: np.ndarray, size: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return 1 for the pixels of marked blocks [rows, columns], [height, width] uint8."""
    pixels = np.zeros(shape, np.uint8)
    rows, columns = marked.shape
    spread = marked.repeat(size, 0).repeat(size, 1)
    pixels[: rows * size, : columns * size] = spread
    return pixels


def _toned(view: _View, tone: Tone, alike: np.ndarray) -> _View:
    """Return the view, the left's tones bent to those of the right if they differ much.

    Correlation bears any straight change of tone; an equalised copy is bent.
    """
    if abs(tone.brightness) < 10 and 0.85 < tone.contrast < 1.18:
        return view
    curve = _curve(*_sampled(view, alike))
    curve = cv2.blur(curve.astype(np.float32).reshape(1, -1), (5, 1)).ravel()
    bent = curve[view.sharp[0]]
    return replace(view, left=_blurred(bent), sharp=(bent, view.sharp[1]))


def _sampled(view: _View, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return every second grey pixel of each side that lies inside, [n] uint8 each."""
    kept = inside[::2, ::2] > 0
    return view.sharp[0][::2, ::2][kept], view.sharp[1][::2, ::2][kept]


def _curve(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return for each grey level of the left the mean of the right there, [256]."""
    count = np.bincount(ours, minlength=256)
    sums = np.bincount(ours, weights=theirs, minlength=256)
    known = np.flatnonzero(count)
    return np.interp(np.arange(256), known, sums[known] / count[known])


def _block_size(shape: tuple[int, ...]) -> int:
    # A copy of 160 pixels still has to give enough blocks to judge by.
    return int(min(BLOCK, max(10, max(shape) // 16)))


def _tiles(plane: np.ndarray, size: int) -> np.ndarray:
    """Return the means of the whole blocks of a plane, [rows, columns]."""
    rows, columns = plane.shape[0] // size, plane.shape[1] // size
    cut = plane[: rows * size, : columns * size]
    return cv2.resize(cut, (columns, rows), interpolation=cv2.INTER_AREA)


def _blocks(
    left: np.ndarray, right: np.ndarray, overlap: np.ndarray, size: int
) -> _Blocks:
    counted = _tiles(overlap.astype(np.float32), size) > 0.98
    # Moments about the middle level: float32 loses little of a variance then.
    left, right = left - 128, right - 128
    ours, theirs = _tiles(left, size), _tiles(right, size)
    one = np.sqrt(np.maximum(_tiles(left * left, size) - ours * ours, 0))
    two = np.sqrt(np.maximum(_tiles(right * right, size) - theirs * theirs, 0))
    shared = _tiles(left * right, size) - ours * theirs
    correlation = shared / np.maximum(one * two, 1e-3)
    # A paler copy has less texture everywhere: measure it by its own scale.
    spreads = _level(left, overlap)[1], _level(right, overlap)[1]
    scaled = two / float(np.clip(spreads[1] / max(spreads[0], 1e-6), 0.25, 4))
    least, most = np.minimum(one, scaled), np.maximum(one, scaled)
    return _Blocks(
        size=size,
        correlation=correlation,
        textured=counted & (least >= TEXTURE),
        lonely=counted & (most > 3 * TEXTURE) & (least < TEXTURE / 2),
    )


def _whole(left: np.ndarray, right: np.ndarray, mask: np.ndarray) -> float:
    """Return the correlation of all pixels where the mask is set."""
    (ours, one), (theirs, two) = _level(left, mask), _level(right, mask)
    shared = cv2.mean((left - ours) * (right - theirs), mask)[0]
    return float(shared / max(one * two, 1e-3))


def _comparable_flow(flow: Flow, comparable: np.ndarray, size: int) -> Flow:
    """Return the flow of points in blocks [rows, columns] that can be compared."""
    columns, rows = (flow.points / size).astype(int).T
    inside = (rows < comparable.shape[0]) & (columns < comparable.shape[1])
    inside[inside] = comparable[rows[inside], columns[inside]]
    return Flow(flow.points[inside], flow.found[inside])


def _motion(flow: Flow) -> float:
    if len(flow.points) < MINIMUM_INLIERS:
        return 0.0
    return float(np.quantile(flow.away, 0.9))


def _bend(flow: Flow) -> float:
    """Return the 90th percentile of the drift that neighbouring points share, in pixels.

    Noise drifts every way; what bends or stands at another depth drifts together. What
    the median of so few points may be off by chance is taken away.
    """
    if len(flow.points) < MINIMUM_INLIERS:
        return 0.0
    places = (flow.points // _CELL).astype(int)
    _, cells, counts = np.unique(
        places[:, 0] * 1000 + places[:, 1], return_inverse=True, return_counts=True
    )
    middles = _medians(flow.drift, cells, counts)
    apart = _medians(np.abs(flow.drift - middles[cells]), cells, counts)
    chance = 2 * 1.25 * 1.48 * np.hypot(*apart.T) / counts**0.5
    shared = np.maximum(0.0, np.hypot(*middles.T) - chance)[counts >= 4]
    return float(np.quantile(shared, 0.9)) if len(shared) >= 4 else 0.0


def _medians(values: np.ndarray, cells: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the median of values [k, 2] of each cell, [cells, 2]."""
    starts = np.cumsum(counts) - counts
    low, high = starts + (counts - 1) // 2, starts + counts // 2
    columns = [column[np.lexsort((column, cells))] for column in values.T]
    return np.stack([(one[low] + one[high]) / 2 for one in columns], axis=1)


def _uneven(view: _View, comparable: np.ndarray, size: int) -> float:
    """Return how much the ratio of fine detail varies from place to place.

    Half the spread of its logarithm between the quartiles. A copy is blurred or
    sharpened everywhere alike; another focus moves the sharp plane.
    """
    if comparable.sum() < 12:
        return 0.0
    energies = [
        _tiles((sharp - blurred) ** 2, size) + 1.0
        for sharp, blurred in zip(view.sharp, (view.left, view.right), strict=True)
    ]
    weights = cv2.blur(comparable.astype(np.float32), (3, 3)) + 1e-6
    ratio = np.where(comparable, 0.5 * np.log(energies[1] / energies[0]), 0)
    smooth = cv2.blur(ratio.astype(np.float32), (3, 3)) / weights
    low, high = np.quantile(smooth[comparable], (0.1, 0.9))
    return float(high - low)


def _largest_patch(differs: np.ndarray) -> int:
    """Return the number of blocks of the largest connected patch."""
    if not differs.any():
        return 0
    _, _, stats, _ = cv2.connectedComponentsWithStats(
        differs.astype(np.uint8), connectivity=8
    )
    return int(stats[1:, cv2.CC_STAT_AREA].max())


def _moved(left: np.ndarray, right: np.ndarray, doubtful: np.ndarray, size: int) -> int:
    """Return how many doubtful blocks of the left are found some pixels away.

    What was stamped, painted or cut off is not found anywhere; what moved between two
    shots is, and the blocks beside it moved alike. A lone block is only mistaken for
    something that looks like it.
    """
    steps: dict[tuple[int, int], np.ndarray] = {}
    for row, column in np.argwhere(doubtful)[:_LOOKED_FOR].tolist():
        top, start = row * size, column * size
        step = _step(left, right, top, start, size)
        if step is not None:
            steps[row, column] = step
    return sum(_in_company(place, steps) for place in steps)


def _step(
    left: np.ndarray, right: np.ndarray, top: int, start: int, size: int
) -> np.ndarray | None:
    """Return where the block of the left lies in the right (x, y), if not in place."""
    block = left[top : top + size, start : start + size]
    above, before = max(0, top - _REACH), max(0, start - _REACH)
    around = right[above : top + size + _REACH, before : start + size + _REACH]
    scores = cv2.matchTemplate(around, block, cv2.TM_CCOEFF_NORMED)
    here = scores[top - above, start - before]
    _, best, _, (x, y) = cv2.minMaxLoc(scores)
    step = np.array([x + before - start, y + above - top])
    if best <= 0.85 or best - here <= 0.15 or np.hypot(*step) < 1.4:
        return None
    return None if _was_there(left, (start, top, size, size), step, best) else step


def _strays(flow: Flow) -> int:
    """Return the most points of one place that drift alike while most others stay."""
    if len(flow.points) < 4 * MINIMUM_INLIERS:
        return 0
    away = flow.away
    far = away > max(_STRAYED, 6 * float(np.median(away)))
    if far.sum() < 4 or far.mean() > 0.5:
        return 0
    points, drift = flow.points[far], flow.drift[far]
    near = np.hypot(*(points[:, None] - points[None]).T) < _CELL / 2
    alike = np.hypot(*(drift[:, None] - drift[None]).T) < 0.5
    still = np.hypot(*(points[:, None] - flow.points[None]).T).T < _CELL / 4
    # Where neighbours of a point stay, it is lost rather than carried along.
    company = (near & alike).sum(axis=1)
    carried = (near & alike).sum(axis=1) >= 0.5 * still.sum(axis=1)
    return int(company[carried].max()) if carried.any() else 0


def _elsewhere(view: _View, differs: np.ndarray, size: int) -> int:
    """Return the blocks of the largest differing patch that is found at another place.

    What was put on a picture hides what was there; what walked on is seen where it went.
    """
    if differs.sum() < 3:
        return 0
    _, _, stats, _ = cv2.connectedComponentsWithStats(
        differs.astype(np.uint8), connectivity=8
    )
    patches = sorted(stats[1:].tolist(), key=lambda one: -one[cv2.CC_STAT_AREA])
    small = [
        cv2.resize(side, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        for side in (view.left, view.right)
    ]
    half = size / 2
    found = 0
    for column, row, columns, rows, area in patches[:_PATCHES]:
        if area < 3 or max(columns, rows) > 2 * _FAR:
            continue
        box = tuple(round(value * half) for value in (column, row, columns, rows))
        for here, there in (small, small[::-1]):
            place = _walked(here, there, box, size)
            if place is not None and _is_new(place, box, differs, half):
                found = max(found, area)
    return found


def _walked(
    here: np.ndarray, there: np.ndarray, box: tuple[int, ...], size: int
) -> tuple[int, int] | None:
    """Return where what is in a box (x, y, width, height) is found beside it there."""
    x, y, width, height = box
    patch = here[y : y + height, x : x + width]
    if float(patch.std()) < 2 * TEXTURE:
        return None
    reach = _FAR * size // 2
    top, left = max(0, y - reach), max(0, x - reach)
    around = there[top : y + height + reach, left : x + width + reach]
    scores = cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED)
    _, best, _, (column, row) = cv2.minMaxLoc(scores)
    here_too = scores[min(y - top, len(scores) - 1), min(x - left, scores.shape[1] - 1)]
    place = column + left, row + top
    step = np.array([place[0] - x, place[1] - y])
    if best <= 0.75 or best - here_too <= 0.3 or np.hypot(*step) <= 2:
        return None
    return None if _was_there(here, box, step, best) else place


def _was_there(
    grey: np.ndarray, box: tuple[int, ...], step: np.ndarray, score: float
) -> bool:
    """Return whether what is in a box (x, y, width, height) has its like a step beside it.

    In its own picture, and nearly as much alike as was found in the other: then nothing
    was carried there. Where something hides a part of a pattern, the next is found.
    """
    x, y, width, height = box
    patch = grey[y : y + height, x : x + width]
    left, top = x + int(step[0]), y + int(step[1])
    beside = grey[max(0, top) : top + height, max(0, left) : left + width]
    if beside.shape != patch.shape:
        return False
    own = cv2.matchTemplate(beside, patch, cv2.TM_CCOEFF_NORMED)[0, 0]
    return bool(own > score - _HARDLY_LESS)


def _is_new(
    place: tuple[int, int], box: tuple[int, ...], differs: np.ndarray, size: float
) -> bool:
    """Return whether it was not there before: things that look alike stand side by side."""
    taken = np.zeros(differs.shape, bool)
    for mark, (x, y) in ((True, place), (False, box[:2])):
        rows = slice(round(y / size), round((y + box[3]) / size))
        taken[rows, round(x / size) : round((x + box[2]) / size)] = mark
    return not taken.any() or float(differs[taken].mean()) >= NEW_THERE


def _in_company(
    place: tuple[int, int], steps: dict[tuple[int, int], np.ndarray]
) -> bool:
    return any(
        other != place
        and max(abs(other[0] - place[0]), abs(other[1] - place[1])) == 1
        and np.abs(step - steps[place]).max() <= 1
        for other, step in steps.items()
    )


def _sharpness(view: _View) -> float:
    inside = cv2.erode(view.overlap, _square_of(5))
    energies = []
    for sharp, blurred in zip(view.sharp, (view.left, view.right), strict=True):
        fine = _level(sharp - blurred, inside)[1]
        energies.append(fine / max(_level(blurred, inside)[1], 1.0))
    return (energies[1] + 1e-3) / (energies[0] + 1e-3)


def _tone(view: _View, alike: np.ndarray) -> Tone:
    grey, other = (_level(side, alike) for side in view.sharp)
    inside = np.ascontiguousarray(alike[::2, ::2])
    ours, theirs = (np.array(cv2.mean(side, inside)[:3]) for side in view.colours)
    colours = [_colourfulness(side, inside) for side in view.colours]
    brightness = other[0] - grey[0]
    everywhere = np.ascontiguousarray(view.overlap[::2, ::2])
    apart = cv2.mean(cv2.absdiff(*view.colours), everywhere)
    return Tone(
        brightness=brightness,
        contrast=(other[1] + 0.5) / (grey[1] + 0.5),
        saturation=(colours[1] + 2) / (colours[0] + 2),
        tint=float(np.abs(theirs - ours - brightness).max()),
        residual=_residual(view, alike),
        difference=float(np.mean(apart[:3])),
    )


def _level(plane: np.ndarray, inside: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation of a plane where `inside` is set."""
    mean, deviation = cv2.meanStdDev(plane, mask=inside)
    return float(mean[0, 0]), float(deviation[0, 0])


def _colourfulness(picture: np.ndarray, inside: np.ndarray) -> float:
    """Return the mean distance of the strongest colour from the weakest, in levels."""
    red, green, blue = cv2.split(picture)
    strongest = cv2.max(cv2.max(red, green), blue)
    weakest = cv2.min(cv2.min(red, green), blue)
    return float(cv2.mean(cv2.subtract(strongest, weakest), inside)[0])


def _residual(view: _View, alike: np.ndarray) -> float:
    """Return what is left of the right after the best curve over the left, in levels."""
    ours, theirs = _sampled(view, alike)
    return float(np.abs(theirs - _curve(ours, theirs)[ours]).mean())


# What the matrix means


def _shape(
    left: Features, right: Features, matrix: np.ndarray, ground: Stand
) -> Alignment:
    sides = matrix[:2, :2]
    determinant = float(np.linalg.det(sides))
    mirrored = determinant < 0
    spread = np.linalg.svd(sides, compute_uv=False)
    across = sides[:, 0] * (-1 if mirrored else 1)
    left_overlap, right_overlap = _overlaps(ground, matrix, left.size, right.size)
    return Alignment(
        matrix=tuple(float(value) for value in (matrix / matrix[2, 2]).ravel()),
        left_size=left.size,
        right_size=right.size,
        scale=abs(determinant) ** 0.5,
        degrees=float(np.degrees(np.arctan2(across[1], across[0]))),
        mirrored=mirrored,
        stretch=float(spread[0] / max(spread[1], 1e-9)),
        tilt=_tilt(matrix, left.size),
        apart=_apart(matrix, left.size, right.size),
        left_overlap=left_overlap,
        right_overlap=right_overlap,
        left_box=_box(np.linalg.inv(matrix), right.size, left.size),
        right_box=_box(matrix, left.size, right.size),
    )


def _tilt(matrix: np.ndarray, size: tuple[int, int]) -> float:
    """Return how far a corner lies from where turning and scaling would put it.

    In thousandths of the long edge; a stretch along the picture's sides is none.
    """
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float) * size
    placed = cv2.perspectiveTransform(corners[None], matrix)[0]
    flat = np.column_stack([corners, np.ones(4)])
    affine = np.linalg.lstsq(flat, placed, rcond=None)[0]
    bent = np.hypot(*(flat @ affine - placed).T).max()
    across, down = affine[:2]
    lengths = np.hypot(*across), np.hypot(*down)
    skew = abs(across @ down) / max(lengths[0] * lengths[1], 1e-9)
    scale = (lengths[0] * lengths[1]) ** 0.5
    return float(1000 * (bent / scale / max(size) + skew / 2))


def _apart(matrix: np.ndarray, left: tuple[int, int], right: tuple[int, int]) -> float:
    """Return how far the frames' corners lie apart, in thousandths of the long edge."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    placed = cv2.perspectiveTransform((corners * left - 0.5)[None], matrix)[0]
    steps = placed[:, None] - (corners * right - 0.5)[None]
    return float(1000 * np.hypot(*steps.T).min(axis=0).max() / max(right))


def _overlaps(
    ground: Stand, matrix: np.ndarray, left: tuple[int, int], right: tuple[int, int]
) -> tuple[float, float]:
    """Return the share of each picture that the other one shows."""
    growth = abs(float(np.linalg.det(matrix[:2, :2])))
    pixels = float(ground.overlap().sum())
    areas = (
        (pixels, pixels * growth) if ground.left_is_base else (pixels / growth, pixels)
    )
    one, two = areas[0] / (left[0] * left[1]), areas[1] / (right[0] * right[1])
    return min(1.0, one), min(1.0, two)


def _box(
    matrix: np.ndarray, inner: tuple[int, int], outer: tuple[int, int]
) -> tuple[float, float, float, float]:
    """Return where the inner frame lies in the outer one, in shares of its sides."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * inner - 0.5
    placed = (cv2.perspectiveTransform(corners[None], matrix)[0] + 0.5) / outer
    low, high = placed.min(axis=0).clip(0, 1), placed.max(axis=0).clip(0, 1)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _surroundings(
    left: Features, right: Features, matrix: np.ndarray, shape: Alignment
) -> tuple[float, float] | None:
    """Return how plain the wider picture is outside the overlap, and how sharp the seam.

    The first is the detail outside over that inside (0 for a plain or blurred frame, 1
    where the picture just goes on); the second the step across the seam over the steps
    a few pixels further in. None without an outside to speak of.
    """
    wider, to_wider, inner = right, matrix, left
    if shape.left_overlap < shape.right_overlap:
        wider, to_wider, inner = left, np.linalg.inv(matrix), right
    if min(shape.left_overlap, shape.right_overlap) > 0.99:
        return None
    inside = covered(wider.size, inner.size, to_wider)
    rings = [cv2.erode(inside, _square_of(2 * depth + 1)) for depth in (2, 6, 9)]
    outside = 1 - cv2.dilate(inside, _square_of(7))
    if outside.mean() < 0.01 or not rings[2].any():
        return None
    grey = wider.grey.astype(np.float32)
    fine = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.5))
    plain = cv2.mean(fine, outside)[0] / max(cv2.mean(fine, rings[0])[0], 0.1)
    steps = cv2.morphologyEx(wider.grey, cv2.MORPH_GRADIENT, _square_of(5))
    beyond = cv2.dilate(inside, _square_of(5))
    seam = (beyond - rings[0]) * _within(inside.shape, margin=5)
    seam_step = cv2.mean(steps, seam)[0]
    inner_step = cv2.mean(steps, rings[1] - rings[2])[0]
    return plain, seam_step / max(inner_step, 2.0)


def _square_of(side: int) -> np.ndarray:
    return np.ones((side, side), np.uint8)


def _within(shape: tuple[int, ...], *, margin: int) -> np.ndarray:
    """Return 1 away from the picture's own edges, 0 near them."""
    inside = np.zeros(shape[:2], np.uint8)
    inside[margin:-margin, margin:-margin] = 1
    return inside
