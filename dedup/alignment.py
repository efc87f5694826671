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
from functools import cache
from typing import Any

import cv2
import numpy as np

from dedup.perceptual import turned
from dedup.traces import UNTRACED, Traces, traces

# Work is spread over processes: threads inside each would only fight for the cores.
cv2.setNumThreads(1)

EDGE = 512  # pixels of the long edge of a thumbnail
KEYPOINTS = 600
SMALLEST = 32  # pixels of the short edge a picture needs for features
MINIMUM_INLIERS = 12
RATIO = 0.8  # how much nearer the best match has to be than the second

BLOCK = 20  # pixels
BLUR = 1.2  # pixels: compression and noise differ between copies, shapes do not
TEXTURE = 4.0  # grey levels: the least standard deviation of a block worth comparing
WORTH_A_LOOK = 0.5  # share of agreeing blocks from which on traces are looked for
AGREES = 0.8  # correlation of a block from which on it counts as the same
DIFFERS = 0.5  # correlation below which its content is another
_REACH = 8  # pixels a thing may have moved between two shots to be recognised
_ATTEMPTS = 5  # to draw two pictures together; most need none
_LOOKED_FOR = 40  # blocks that are searched for a movement


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What comparing needs of one thumbnail; costs about 8 ms and 700 KB.

    `picture` [height, width, 3] uint8 RGB; `grey` [height, width] uint8;
    `points` [k, 2] float32, x and y in pixels; `descriptors` [k, 32] uint8.
    """

    picture: np.ndarray
    grey: np.ndarray
    points: np.ndarray
    descriptors: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.grey.shape[1], self.grey.shape[0]


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
    `correlation`: their median correlation; `whole`: correlation of the whole overlap.
    `differing`: share of blocks whose content is another; `largest`: blocks of the
    largest connected patch of those; `moved`: blocks found again some pixels away;
    `motion`: 90th percentile of the remaining local displacement, in pixels, where
    there is texture and the content is not another.
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
    correlation: float = 0.0
    whole: float = 0.0
    differing: float = 0.0
    largest: int = 0
    moved: int = 0
    motion: float = 0.0
    outside: float | None = None
    seam: float | None = None
    spread: float = 0.0
    sharpness: float = 1.0
    tone: Tone = Tone()
    traces: Traces = UNTRACED

    @property
    def found(self) -> bool:
        return self.method != "none"


def features(thumbnail: np.ndarray) -> Features:
    """Return the features of an upright thumbnail [height, width, 3], uint8 RGB.

    Anything larger than EDGE is reduced first.
    """
    longest = max(thumbnail.shape[:2])
    if longest > EDGE:
        factor = EDGE / longest
        size = [max(1, round(side * factor)) for side in thumbnail.shape[1::-1]]
        thumbnail = cv2.resize(thumbnail, size, interpolation=cv2.INTER_AREA)
    picture = np.ascontiguousarray(thumbnail)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    points, descriptors = _keypoints(grey)
    return Features(picture, grey, points, descriptors)


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
        matrix, view, flow = _drawn_together(left, right, matrix)
        measured = replace(
            _measure(left, right, matrix, view, flow),
            method=method,
            inliers=inliers,
        )
        if _merit(measured) > _merit(best):
            best = measured
        if best.agreement >= 0.95 and best.blocks >= 24:
            break
    return _traced(best, left, right)


def _traced(alignment: Alignment, left: Features, right: Features) -> Alignment:
    """Return the answer with what was done to one of them, if they may be copies."""
    alike = max(alignment.agreement, alignment.whole) >= WORTH_A_LOOK
    if not alignment.found or not alike:
        return alignment
    matrix = np.array(alignment.matrix).reshape(3, 3)
    return replace(alignment, traces=traces(left.picture, right.picture, matrix))


def _merit(alignment: Alignment) -> float:
    # A hundredth of agreement is worth less than a tenth more of picture compared.
    if not alignment.found:
        return -1.0
    area = min(alignment.left_overlap, alignment.right_overlap)
    return alignment.agreement * min(1.0, alignment.blocks / 12) + 0.05 * area


# Ways to lay one over the other


def _proposals(
    left: Features, right: Features, *, turn: int | None, mirrored: bool | None
) -> Iterator[tuple[str, int, np.ndarray]]:
    if turn is not None:
        yield "frame", 0, _frame_matrix(left.size, right.size, turn)
        mirrored = _mirrors(turn)
    for hand in [False, True] if mirrored is None else [mirrored]:
        inliers, matrix = _feature_matrix(left, right, mirrored=hand)
        if matrix is not None:
            yield "features", inliers, matrix
            return


def _mirrors(turn: int) -> bool:
    """Return whether a turn changes left hands into right hands."""
    return turn in (1, 3, 4, 6)


def _frame_matrix(
    left: tuple[int, int], right: tuple[int, int], turn: int
) -> np.ndarray:
    """Return the matrix that puts the turned left frame on the right frame."""
    corners = np.array([[[0, 0], [1, 0]], [[0, 1], [1, 1]]], dtype=np.float32)
    start = turned(corners, turn)
    edges = [(0, 0), (0, 1), (1, 0)]
    source = np.array([start[e] * left for e in edges], dtype=np.float32) - 0.5
    target = np.array([corners[e] * right for e in edges], dtype=np.float32) - 0.5
    return _square(cv2.getAffineTransform(source, target))


def _feature_matrix(
    left: Features, right: Features, *, mirrored: bool
) -> tuple[int, np.ndarray | None]:
    """Return the matrix most feature matches agree on, and how many, or None."""
    points, descriptors = left.points, left.descriptors
    if mirrored:
        points, descriptors = _keypoints(np.ascontiguousarray(left.grey[:, ::-1]))
    if len(points) < MINIMUM_INLIERS or len(right.points) < MINIMUM_INLIERS:
        return 0, None
    matches = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(
        descriptors, right.descriptors, k=2
    )
    good = [one for one, two in matches if one.distance < RATIO * two.distance]
    if len(good) < MINIMUM_INLIERS:
        return len(good), None
    source = points[[m.queryIdx for m in good]]
    target = right.points[[m.trainIdx for m in good]]
    # The random choices inside are seeded alike: equal pictures, equal answer.
    cv2.setRNGSeed(1)
    matrix, mask = cv2.estimateAffinePartial2D(
        source, target, ransacReprojThreshold=4.0, maxIters=2000, confidence=0.995
    )
    inliers = 0 if mask is None else int(mask.sum())
    if matrix is None or inliers < MINIMUM_INLIERS or not _plausible(matrix):
        return inliers, None
    matrix = _square(matrix)
    if mirrored:
        matrix = matrix @ np.array([[-1, 0, left.size[0] - 1], [0, 1, 0], [0, 0, 1.0]])
    return inliers, matrix


def _plausible(matrix: np.ndarray) -> bool:
    return 0.1 < abs(np.linalg.det(matrix[:2, :2])) ** 0.5 < 10


@cache
def _orb() -> Any:
    return cv2.ORB_create(nfeatures=KEYPOINTS, fastThreshold=10)


def _keypoints(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    points, descriptors = (), None
    if min(grey.shape) >= SMALLEST:
        points, descriptors = _orb().detectAndCompute(grey, None)
    if descriptors is None:
        return np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8)
    return cv2.KeyPoint_convert(points).reshape(-1, 2), descriptors


def _square(matrix: np.ndarray) -> np.ndarray:
    return np.vstack([matrix, [0.0, 0.0, 1.0]])


# One view of both


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """Both pictures in the pixels of the coarser one, and where they overlap (bool)."""

    left: np.ndarray
    right: np.ndarray
    overlap: np.ndarray
    left_is_base: bool


def _view(left: Features, right: Features, matrix: np.ndarray) -> _View:
    """Warp the finer picture onto the coarser one."""
    left_is_base = abs(np.linalg.det(matrix[:2, :2])) >= 1
    if left_is_base:
        base, other, to_base = left, right, np.linalg.inv(matrix)
    else:
        base, other, to_base = right, left, matrix
    picture, to_base = _reduced(other.picture, to_base)
    # Repeating the edge keeps black out of the blocks beside it.
    warped = cv2.warpPerspective(
        picture,
        to_base,
        base.size,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    inside = np.full(picture.shape[:2], 255, dtype=np.uint8)
    overlap = cv2.warpPerspective(inside, to_base, base.size) > 127
    if left_is_base:
        return _View(base.picture, warped, overlap, left_is_base)
    return _View(warped, base.picture, overlap, left_is_base)


def _reduced(picture: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reduce a picture that the matrix would shrink, so that no pixel is skipped."""
    factor = abs(np.linalg.det(matrix[:2, :2])) ** 0.5
    if factor > 0.8:
        return picture, matrix
    height, width = picture.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    x, y = width / size[0], height / size[1]
    back = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1.0]])
    return small, matrix @ back


def _even(picture: np.ndarray) -> np.ndarray:
    """Return the grey picture with its local contrast made equal, uint8.

    Optical flow takes a change of tone for a movement otherwise.
    """
    grey = _grey(picture).astype(np.float32)
    grey = cv2.GaussianBlur(grey, (0, 0), 1.0)
    mean = cv2.blur(grey, (31, 31))
    spread = np.sqrt(np.maximum(cv2.blur(grey * grey, (31, 31)) - mean * mean, 0)) + 4
    return np.clip((grey - mean) / spread * 48 + 128, 0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class _Flow:
    """Points of the base and where the other picture shows them, both [k, 2], x and y."""

    points: np.ndarray
    found: np.ndarray

    @property
    def away(self) -> np.ndarray:
        """Displacements in pixels, [k]."""
        return np.hypot(*(self.found - self.points).T)


def _flow(view: _View) -> _Flow:
    base, other = _even(view.left), _even(view.right)
    if not view.left_is_base:
        base, other = other, base
    mask = cv2.erode(view.overlap.astype(np.uint8), _square_of(9))
    points = cv2.goodFeaturesToTrack(base, 250, 0.02, 10, mask=mask)
    if points is None:
        return _Flow(np.empty((0, 2), np.float32), np.empty((0, 2), np.float32))
    found, status, _ = cv2.calcOpticalFlowPyrLK(
        base, other, points, None, winSize=(21, 21), maxLevel=2
    )
    kept = status.ravel() == 1
    return _Flow(points[kept].reshape(-1, 2), found[kept].reshape(-1, 2))


def _drawn_together(
    left: Features, right: Features, matrix: np.ndarray
) -> tuple[np.ndarray, _View, _Flow]:
    """Return the matrix mended by what is displaced under it, and what is still."""
    for attempt in range(_ATTEMPTS):
        view = _view(left, right, matrix)
        flow = _flow(view)
        if attempt == _ATTEMPTS - 1 or len(flow.points) < MINIMUM_INLIERS:
            break
        if np.quantile(flow.away, 0.75) < 0.15:
            break
        mend = _mend(flow, bent=attempt > 0)
        if mend is None:
            break
        if view.left_is_base:
            matrix = matrix @ mend
        else:
            matrix = np.linalg.inv(mend) @ matrix
    return matrix, view, flow


def _mend(flow: _Flow, *, bent: bool) -> np.ndarray | None:
    """Return the matrix [3, 3] most displacements agree on, or None.

    Affine, or with perspective if `bent`: only what is nearly in place already may ask
    for so much freedom.
    """
    cv2.setRNGSeed(1)
    if bent:
        mend, mask = cv2.findHomography(flow.points, flow.found, cv2.RANSAC, 1.5)
    else:
        mend, mask = cv2.estimateAffine2D(
            flow.points, flow.found, ransacReprojThreshold=2.0
        )
    if mend is None or mask.sum() < max(MINIMUM_INLIERS, 0.3 * len(flow.points)):
        return None
    return mend if bent else _square(mend)


# How well they agree


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """One value for each block [rows, columns] of the base picture."""

    correlation: np.ndarray
    textured: np.ndarray
    lonely: np.ndarray
    whole: float
    spread: float


def _measure(
    left: Features, right: Features, matrix: np.ndarray, view: _View, flow: _Flow
) -> Alignment:
    shape = _shape(left, right, matrix, view)
    size = _block_size(view.overlap.shape)
    if view.overlap.mean() < 0.01 or min(view.overlap.shape) < size:
        return shape
    tone = _tone(view)
    ours, theirs = _blurred(_toned(view, tone)), _blurred(_grey(view.right))
    blocks = _blocks(ours, theirs, view.overlap, size)
    around = _surroundings(left, right, matrix, shape)
    values = blocks.correlation[blocks.textured]
    differs = (blocks.textured & (blocks.correlation < DIFFERS)) | blocks.lonely
    counted = max(1, int((blocks.textured | blocks.lonely).sum()))
    return replace(
        shape,
        blocks=len(values),
        agreement=float((values > AGREES).mean()) if len(values) else 0.0,
        correlation=float(np.median(values)) if len(values) else 0.0,
        whole=blocks.whole,
        differing=float(differs.sum()) / counted,
        largest=_largest_patch(differs),
        moved=_moved(
            ours, theirs, blocks.textured & (blocks.correlation < AGREES), size
        ),
        spread=blocks.spread,
        motion=_motion(flow, blocks.textured & ~differs, size),
        outside=around[0] if around else None,
        seam=around[1] if around else None,
        sharpness=_sharpness(view),
        tone=tone,
    )


def _grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


def _blurred(grey: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(grey.astype(np.float32), (0, 0), BLUR)


def _toned(view: _View, tone: Tone) -> np.ndarray:
    """Return the left in grey, its tones bent to those of the right if they differ much.

    Correlation bears any straight change of tone; an equalised copy is bent.
    """
    if abs(tone.brightness) < 10 and 0.85 < tone.contrast < 1.18:
        return _grey(view.left)
    curve = _curve(_grey(view.left)[view.overlap], _grey(view.right)[view.overlap])
    curve = cv2.blur(curve.astype(np.float32).reshape(1, -1), (5, 1)).ravel()
    return curve[_grey(view.left)]


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
    inside = overlap.astype(np.float32)
    counted = _tiles(inside, size) > 0.98
    # Moments about the middle level: float32 loses little of a variance then.
    left, right = left - 128, right - 128
    ours, theirs = _tiles(left, size), _tiles(right, size)
    one = np.sqrt(np.maximum(_tiles(left * left, size) - ours * ours, 0))
    two = np.sqrt(np.maximum(_tiles(right * right, size) - theirs * theirs, 0))
    shared = _tiles(left * right, size) - ours * theirs
    correlation = shared / np.maximum(one * two, 1e-3)
    mask = overlap.astype(np.uint8)
    spreads = _level(left, mask)[1], _level(right, mask)[1]
    # A paler copy has less texture everywhere: measure it by its own scale.
    gain = float(np.clip(spreads[1] / max(spreads[0], 1e-6), 0.25, 4))
    scaled = two / gain
    least, most = np.minimum(one, scaled), np.maximum(one, scaled)
    return _Blocks(
        correlation=correlation,
        textured=counted & (least >= TEXTURE),
        lonely=counted & (most > 3 * TEXTURE) & (least < TEXTURE / 2),
        whole=_whole(left, right, mask),
        spread=min(spreads),
    )


def _whole(left: np.ndarray, right: np.ndarray, mask: np.ndarray) -> float:
    """Return the correlation of all pixels where the mask is set."""
    (ours, one), (theirs, two) = _level(left, mask), _level(right, mask)
    shared = cv2.mean(left * right, mask)[0] - ours * theirs
    return float(shared / max(one * two, 1e-3))


def _motion(flow: _Flow, comparable: np.ndarray, size: int) -> float:
    columns, rows = (flow.points / size).astype(int).T
    inside = (rows < comparable.shape[0]) & (columns < comparable.shape[1])
    inside[inside] = comparable[rows[inside], columns[inside]]
    if inside.sum() < MINIMUM_INLIERS:
        return 0.0
    return float(np.quantile(flow.away[inside], 0.9))


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
        step = _step(left, right, row * size, column * size, size)
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
    if best > 0.85 and best - here > 0.15 and np.hypot(*step) >= 1.4:
        return step
    return None


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
    energies = []
    inside = cv2.erode(view.overlap.astype(np.uint8), np.ones((5, 5), np.uint8))
    for side in (view.left, view.right):
        grey = _grey(side).astype(np.float32)
        fine = grey - cv2.GaussianBlur(grey, (0, 0), 1.0)
        contrast = max(_level(grey, inside)[1], 1.0)
        energies.append(_level(fine, inside)[1] / contrast)
    return (energies[1] + 1e-3) / (energies[0] + 1e-3)


def _tone(view: _View) -> Tone:
    inside = view.overlap.astype(np.uint8)
    (grey, spread), (other, width) = (
        _level(_grey(side), inside) for side in (view.left, view.right)
    )
    ours, theirs = (np.array(cv2.mean(p, inside)[:3]) for p in (view.left, view.right))
    colours = [_colourfulness(side, inside) for side in (view.left, view.right)]
    brightness = other - grey
    return Tone(
        brightness=brightness,
        contrast=(width + 0.5) / (spread + 0.5),
        saturation=(colours[1] + 2) / (colours[0] + 2),
        tint=float(np.abs(theirs - ours - brightness).max()),
        residual=_residual(view),
        difference=float(
            np.mean(cv2.mean(cv2.absdiff(view.left, view.right), inside)[:3])
        ),
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


def _residual(view: _View) -> float:
    """Return what is left of the right after the best curve over the left, in levels."""
    ours, theirs = (
        _grey(side)[::2, ::2][view.overlap[::2, ::2]]
        for side in (view.left, view.right)
    )
    return float(np.abs(theirs - _curve(ours, theirs)[ours]).mean())


# What the matrix means


def _shape(
    left: Features, right: Features, matrix: np.ndarray, view: _View
) -> Alignment:
    sides = matrix[:2, :2]
    determinant = float(np.linalg.det(sides))
    mirrored = determinant < 0
    spread = np.linalg.svd(sides, compute_uv=False)
    across = sides[:, 0] * (-1 if mirrored else 1)
    left_overlap, right_overlap = _overlaps(view, matrix, left.size, right.size)
    return Alignment(
        matrix=tuple(float(value) for value in (matrix / matrix[2, 2]).ravel()),
        left_size=left.size,
        right_size=right.size,
        scale=abs(determinant) ** 0.5,
        degrees=float(np.degrees(np.arctan2(across[1], across[0]))),
        mirrored=mirrored,
        stretch=float(spread[0] / max(spread[1], 1e-9)),
        left_overlap=left_overlap,
        right_overlap=right_overlap,
        left_box=_box(np.linalg.inv(matrix), right.size, left.size),
        right_box=_box(matrix, left.size, right.size),
    )


def _overlaps(
    view: _View, matrix: np.ndarray, left: tuple[int, int], right: tuple[int, int]
) -> tuple[float, float]:
    """Return the share of each picture that the other one shows."""
    growth = abs(float(np.linalg.det(matrix[:2, :2])))
    pixels = float(view.overlap.sum())
    if view.left_is_base:
        areas = pixels, pixels * growth
    else:
        areas = pixels / growth, pixels
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
    mask = np.full(inner.grey.shape, 1, dtype=np.uint8)
    covered = cv2.warpPerspective(mask, to_wider, wider.size)
    rings = [cv2.erode(covered, _square_of(2 * depth + 1)) for depth in (2, 6, 9)]
    outside = 1 - cv2.dilate(covered, _square_of(7))
    if outside.mean() < 0.01 or not rings[2].any():
        return None
    grey = wider.grey.astype(np.float32)
    fine = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.5))
    plain = cv2.mean(fine, outside)[0] / max(cv2.mean(fine, rings[0])[0], 0.1)
    steps = cv2.morphologyEx(wider.grey, cv2.MORPH_GRADIENT, _square_of(5))
    beyond = cv2.dilate(covered, _square_of(5))
    seam = (beyond - rings[0]) * _within(covered.shape, margin=5)
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
