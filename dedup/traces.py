"""What was done to one of two pictures that agree: the measurements behind the names.

OpenCV and numpy only. It is asked once two pictures are known to agree; which of the
traces counts is for `dedup.relation` to say.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from dedup.laying import covered, warped

FIELD = 16  # pixels: what is smaller may be detail, what is as large is shading
_SLACK = 0.5  # of the local contrast: what is left where two pictures lie a bit apart
_FAINT = 8.0  # grey levels below which no mark is believed
_NOISE = 5.0  # times the median difference: compression and grain
_JOINED = 9  # pixels between the letters of one mark
_MARGIN = 12  # pixels looked at on either side of an edge
_SHORT = 20  # pixels of an edge below which it says nothing
_BEYOND = 0.003  # share of a picture that counts as more
_ONE_COLOUR = 10  # levels
_MISSING = 128, 5  # the grey of what was not found, and how far from it
_ROW = 0.98  # share of a row that has to be so
_SMALLEST = 40  # pixels of the short side of what may stand in a frame


@dataclass(frozen=True, slots=True)
class Traces:
    """What the right picture has that the left has not, or the other way round.

    `left_shown`, `right_shown`: share of each frame that the other picture covers.
    `growth`: right thumbnail pixels for a left one. `keystone`: by how much opposite
    sides of a frame differ in length once laid on the other (1: not at all).
    `shift`: how much the colours of a place differ, in levels of the channel that
    differs most; the median over all places. `mark`: share of the common area that the
    largest thing covers which only one of them has and no change of colours explains.
    `seam`: the step across the narrower picture's edge within the wider one, over the
    steps beside it (about 1 where the picture just goes on); None without an outside.
    `left_hues`, `right_hues`: levels of colour that a picture's own greys do not
    explain; next to none in a grey or sepia one.
    `left_plain`, `right_plain`: share of what only that one shows that has one colour;
    None where it shows next to nothing more.
    `left_foot`, `right_foot`: share of that one, from an edge on, which is the grey of
    what a decoder did not find, while the other one goes on.
    """

    left_shown: float = 1.0
    right_shown: float = 1.0
    growth: float = 1.0
    keystone: float = 1.0
    shift: float = 0.0
    mark: float = 0.0
    seam: float | None = None
    left_hues: float = 0.0
    right_hues: float = 0.0
    left_plain: float | None = None
    right_plain: float | None = None
    left_foot: float = 0.0
    right_foot: float = 0.0


UNTRACED = Traces()


def traces(left: np.ndarray, right: np.ndarray, matrix: np.ndarray) -> Traces:
    """Return the traces between two thumbnails [height, width, 3], uint8 RGB.

    `matrix` [3, 3] leads from left to right pixels.
    """
    back = np.linalg.inv(matrix)
    ours, theirs = _placed(left, matrix), _placed(right, back)
    right_shown = _covered(ours, _size(right))
    left_shown = _covered(theirs, _size(left))
    one, two, overlap = _together(left, right, matrix)
    seam = None
    if min(left_shown, right_shown) < 0.987:
        if left_shown < right_shown:
            seam = _seam(left, theirs)
        else:
            seam = _seam(right, ours)
    return Traces(
        left_shown=left_shown,
        right_shown=right_shown,
        growth=(_area(ours) / (left.shape[0] * left.shape[1])) ** 0.5,
        keystone=_keystone(ours),
        shift=_shift(one, two, overlap),
        mark=_mark(one, two, overlap),
        seam=seam,
        left_hues=_hues(one, overlap),
        right_hues=_hues(two, overlap),
        left_plain=_plain(left, right, back),
        right_plain=_plain(right, left, matrix),
        left_foot=_foot(one, two, overlap),
        right_foot=_foot(two, one, overlap),
    )


# Where they lie


def _size(picture: np.ndarray) -> tuple[int, int]:
    return picture.shape[1], picture.shape[0]


def _placed(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return the corners of a picture's frame in the other one's pixels, [4, 2]."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * _size(picture) - 0.5
    return cv2.perspectiveTransform(corners[None], matrix)[0] + 0.5


def _area(corners: np.ndarray) -> float:
    return abs(cv2.contourArea(corners.astype(np.float32)))


def _covered(corners: np.ndarray, size: tuple[int, int]) -> float:
    """Return the share of a frame that lies within the corners."""
    frame = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * size
    # Edges that all but coincide are cut wrongly.
    corners = corners.round(2).astype(np.float32)
    area, _ = cv2.intersectConvexConvex(corners, frame.astype(np.float32))
    return min(1.0, float(area) / (size[0] * size[1]))


def _keystone(corners: np.ndarray) -> float:
    lengths = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T) + 1e-6
    ratios = lengths[:2] / lengths[2:]
    return float(np.maximum(ratios, 1 / ratios).max())


def _together(
    left: np.ndarray, right: np.ndarray, matrix: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return both pictures in the pixels of the coarser one, and where both show."""
    if abs(np.linalg.det(matrix[:2, :2])) >= 1:
        back = np.linalg.inv(matrix)
        size = _size(left)
        return left, warped(right, back, size), covered(size, _size(right), back)
    size = _size(right)
    return warped(left, matrix, size), right, covered(size, _size(left), matrix)


# What was done to the colours


def _shift(left: np.ndarray, right: np.ndarray, inside: np.ndarray) -> float:
    fields = [_means(one, FIELD).astype(np.float32) for one in (left, right)]
    counted = _means(inside * 255, FIELD) > 250
    if not counted.any():
        return 0.0
    apart = np.abs(fields[0] - fields[1]).max(axis=2)
    return float(np.median(apart[counted]))


def _means(picture: np.ndarray, side: int) -> np.ndarray:
    """Return the means of whole squares of so many pixels: what is left over is cut."""
    rows, columns = (max(1, edge // side) for edge in picture.shape[:2])
    cut = picture[: rows * side, : columns * side]
    return cv2.resize(cut, (columns, rows), interpolation=cv2.INTER_AREA)


def _hues(picture: np.ndarray, inside: np.ndarray) -> float:
    """Return the mean distance of the channels from their curves over the grey."""
    some = _means(picture, 4)[_means(inside, 4) > 0]
    if not len(some):
        return 0.0
    grey = cv2.cvtColor(some[None], cv2.COLOR_RGB2GRAY)[0]
    apart = [
        np.abs(some[:, channel] - _curve(grey, some[:, channel])[0][grey]).mean()
        for channel in range(3)
    ]
    return float(max(apart))


# What was put on it


def _mark(left: np.ndarray, right: np.ndarray, inside: np.ndarray) -> float:
    """Return the share of the largest thing that no curve from left to right explains."""
    inside = cv2.erode(inside, np.ones((9, 9), np.uint8))
    counted = cv2.countNonZero(inside)
    if counted < 1_000:
        return 0.0
    theirs = cv2.GaussianBlur(right, (0, 0), 1.0)
    ours = _curved(cv2.GaussianBlur(left, (0, 0), 1.0), theirs, inside)
    excess = _unexplained(ours, theirs)
    noise = 1.48 * _median(excess[::3, ::3][inside[::3, ::3] > 0])
    grey = cv2.cvtColor(ours, cv2.COLOR_RGB2GRAY)
    slack = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((5, 5)))
    left_over = cv2.addWeighted(excess, 1, slack, -_SLACK, 0)
    found = cv2.compare(left_over, _FAINT + _NOISE * noise, cv2.CMP_GT)
    return _largest(cv2.bitwise_and(found, found, mask=inside)) / counted


def _curved(left: np.ndarray, right: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the left in the colours of the right: the best curve for each channel."""
    there = inside[::2, ::2] > 0
    curves = [
        _curve(left[::2, ::2, channel][there], right[::2, ::2, channel][there])
        for channel in range(3)
    ]
    return cv2.LUT(left, np.rint(np.dstack(curves)).clip(0, 255).astype(np.uint8))


def _curve(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return for each level of the left the mean of the right there, [1, 256]."""
    count = np.bincount(ours, minlength=256)
    sums = np.bincount(ours, weights=theirs, minlength=256)
    known = np.flatnonzero(count)
    curve = np.interp(np.arange(256), known, sums[known] / count[known])
    return cv2.blur(curve.astype(np.float32).reshape(1, -1), (9, 1))


def _unexplained(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return how much two pictures differ place by place, but for shading, in levels."""
    quarters = [
        cv2.resize(one, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        for one in (ours, theirs)
    ]
    apart = cv2.subtract(quarters[1], quarters[0], dtype=cv2.CV_16S)
    # Bytes are several times as fast as fractions: no shading is darker than this.
    shading = np.clip(cv2.blur(apart, (15, 15)) + 128, 0, 255).astype(np.uint8)
    shaded = cv2.addWeighted(ours, 1, cv2.resize(shading, _size(ours)), 1, -128)
    excess = cv2.absdiff(theirs, shaded)
    red, green, blue = cv2.split(excess)
    # Compression is coarser in colour than in light.
    colour = cv2.convertScaleAbs(cv2.max(cv2.max(red, green), blue), alpha=0.6)
    return cv2.max(cv2.cvtColor(excess, cv2.COLOR_RGB2GRAY), colour)


def _median(levels: np.ndarray) -> float:
    """Return the median of whole levels [n] uint8, as finely as their counts tell it."""
    counts = np.bincount(levels, minlength=256)
    below = np.cumsum(counts) - counts
    level = int(np.searchsorted(np.cumsum(counts), len(levels) / 2))
    share = (len(levels) / 2 - below[level]) / max(1, counts[level])
    return max(0.0, level - 0.5 + share)


def _largest(found: np.ndarray) -> int:
    """Return the pixels of the largest thing found, its letters counted together."""
    if not found.any():
        return 0
    joined = cv2.morphologyEx(
        found, cv2.MORPH_CLOSE, np.ones((_JOINED, _JOINED), np.uint8)
    )
    _, labels = cv2.connectedComponents(joined)
    return int(np.bincount(labels[found > 0])[1:].max())


# What is missing of it


def _foot(picture: np.ndarray, other: np.ndarray, inside: np.ndarray) -> float:
    """Return the share of a picture, from one of its edges on, that is bare grey.

    Lines count that are so from side to side, while they are not in the other picture.
    """
    ours, theirs = (_is_missing(one) & (inside > 0) for one in (picture, other))
    found = 0.0
    for axis in (0, 1):
        seen = np.maximum((inside > 0).sum(axis=axis), 1)
        lines = ours.sum(axis=axis) > _ROW * seen
        lines &= theirs.sum(axis=axis) < 0.5 * seen
        found = max(found, _leading(lines), _leading(lines[::-1]))
    return found


def _is_missing(picture: np.ndarray) -> np.ndarray:
    grey, far = _MISSING
    return np.asarray((np.abs(picture.astype(np.int16) - grey) <= far).all(axis=2))


def _leading(lines: np.ndarray) -> float:
    """Return the share of lines before the first that does not count."""
    # The outermost ones may be of the other picture's edge.
    lines = lines[2:]
    return float(lines.argmin() / len(lines)) if not lines.all() else 1.0


# What was put round it


def _plain(picture: np.ndarray, other: np.ndarray, matrix: np.ndarray) -> float | None:
    """Return the share of one colour in what a picture shows beyond the other one.

    `matrix` leads from the other's pixels to its own.
    """
    beyond = covered(_size(picture), _size(other), matrix) == 0
    beyond = cv2.erode(beyond.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if beyond.sum() < _BEYOND * beyond.size:
        return None
    colours = picture[beyond].astype(np.int16)
    bins = (colours // 16) @ np.array([256, 16, 1], np.int16)
    commonest = np.median(colours[bins == np.bincount(bins).argmax()], axis=0)
    return float((np.abs(colours - commonest).max(axis=1) <= _ONE_COLOUR).mean())


def _seam(wider: np.ndarray, corners: np.ndarray) -> float | None:
    """Return how much sharper the step across the corners' frame is than those beside.

    A picture goes on beyond the edge of a crop as it is within; a border, a blurred
    background and a screen do not: they end, and they are smooth.
    """
    picture, known = _straightened(wider, corners)
    if picture is None or known is None:
        return None
    steps = [_steps(np.rot90(picture, k), np.rot90(known, k)) for k in range(4)]
    counted = np.array([one for one in steps if one is not None])
    if not len(counted):
        return None
    across, within, without = counted[:, 1:].sum(axis=0) / counted[:, 0].sum()
    # Added to each: steps of a level are noise.
    return float(across / ((within + 1) * (without + 1)) ** 0.5)


def _straightened(
    wider: np.ndarray, corners: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the narrower frame cut out with a margin, and which pixels there are."""
    sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    width, height = round((sides[0] + sides[2]) / 2), round((sides[1] + sides[3]) / 2)
    if min(width, height) < _SMALLEST:
        return None, None
    low, right, bottom = _MARGIN, _MARGIN + width, _MARGIN + height
    frame = np.array([[low, low], [right, low], [right, bottom], [low, bottom]])
    matrix = cv2.getPerspectiveTransform(
        (frame - 0.5).astype(np.float32), (corners - 0.5).astype(np.float32)
    )
    size = width + 2 * _MARGIN, height + 2 * _MARGIN
    picture = cv2.warpPerspective(
        wider,
        matrix,
        size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    there = cv2.warpPerspective(
        np.full(wider.shape[:2], 255, np.uint8),
        matrix,
        size,
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
    )
    return picture, there > 0


def _steps(picture: np.ndarray, known: np.ndarray) -> tuple[float, ...] | None:
    """Return length, and sums of the steps across, within and outside the upper edge."""
    ends = slice(_MARGIN + 4, -_MARGIN - 4)
    there = known[_MARGIN - 9 : _MARGIN - 2, ends].all(axis=0)
    if there.sum() < _SHORT:
        return None

    def line(depth: int) -> np.ndarray:
        rows = picture[_MARGIN + depth : _MARGIN + depth + 2, ends]
        return rows.astype(np.float32).mean(axis=0)[there]

    far, near, first, second = (line(depth) for depth in (-9, -4, 2, 7))
    pairs = (near, first), (first, second), (far, near)
    sums = [float(np.abs(one - two).mean(axis=1).sum()) for one, two in pairs]
    return float(there.sum()), *sums
