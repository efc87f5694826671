"""Laying one thumbnail over another: by their frames, by keypoints, and by what drifts.

OpenCV and numpy only. Keypoints are ORB (Rublee et al. 2011), matched by the ratio test
(Lowe 2004) and agreed on by RANSAC; what is nearly in place is drawn together by optical
flow (Lucas and Kanade 1981). A matrix [3, 3] takes left thumbnail pixels to right ones.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import cv2
import numpy as np

from dedup.perceptual import turned

# Work is spread over processes: threads inside each would only fight for the cores.
cv2.setNumThreads(1)

EDGE = 512  # pixels of the long edge of a thumbnail
KEYPOINTS = 600
FAINT_KEYPOINTS = 2500  # of a picture whose clearest ones are those of a sheet round it
SMALLEST = 32  # pixels of the short edge a picture needs for features
MINIMUM_INLIERS = 12
IN_PLACE = 3.0  # pixels between keypoints that are one
RATIO = 0.8  # how much nearer the best match has to be than the second
PLAIN = 1.5  # grey levels of deviation within a row of one colour
SHARP_END = 16.0  # grey levels between such rows and what begins beyond them
LARGE = 0.2  # share of the picture that is much for one colour
END_OF_LARGE = 10  # rows within which it ends
STILL = 0.15  # pixels of drift that are not worth another look

_ATTEMPTS = 4  # to draw two pictures together; most need one or two
_POINTS = 450  # points of a picture whose drift could be followed
_TRACKED = 250  # those of them that are, the clearest within the overlap
_WINDOW = 21  # pixels of the square round such a point
_ROUGHLY, _FINELY = 2, 1  # halvings of the pictures from which a drift is followed


@dataclass(frozen=True, eq=False)
class Features:
    """What comparing needs of one thumbnail; costs about 8 ms and 1 MB.

    `picture` [height, width, 3] uint8 RGB; `grey` [height, width] uint8;
    `points` [k, 2] float32, x and y in pixels; `descriptors` [k, 32] uint8. What only
    some comparisons need is made when it is first asked for.
    """

    picture: np.ndarray
    grey: np.ndarray
    points: np.ndarray
    descriptors: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.grey.shape[1], self.grey.shape[0]

    @cached_property
    def mirrored(self) -> tuple[np.ndarray, np.ndarray]:
        """Points and descriptors of the picture with left and right swapped."""
        return keypoints(np.ascontiguousarray(self.grey[:, ::-1]))

    @cached_property
    def faint(self) -> tuple[np.ndarray, np.ndarray]:
        """Points and descriptors, many more of them and fainter ones."""
        return keypoints(self.grey, faint=True)

    @cached_property
    def mirrored_faint(self) -> tuple[np.ndarray, np.ndarray]:
        return keypoints(np.ascontiguousarray(self.grey[:, ::-1]), faint=True)

    def described(
        self, *, mirrored: bool, faint: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return points and descriptors as they are or mirrored, usual or faint ones."""
        if faint:
            return self.mirrored_faint if mirrored else self.faint
        return self.mirrored if mirrored else (self.points, self.descriptors)

    @cached_property
    def even(self) -> np.ndarray:
        """The grey picture with its local contrast made equal, uint8."""
        return _even(self.grey)

    @cached_property
    def filled(self) -> np.ndarray:
        """1 where one plain colour fills the picture from an edge on, [height, width] uint8."""
        return _filled(self.grey)

    @cached_property
    def tracked(self) -> np.ndarray:
        """Points whose drift can be followed, [k, 1, 2] float32."""
        points = cv2.goodFeaturesToTrack(self.even, _POINTS, 0.02, 10)
        return np.empty((0, 1, 2), np.float32) if points is None else points


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
    points, descriptors = keypoints(grey)
    return Features(picture, grey, points, descriptors)


@cache
def _orb(*, faint: bool) -> Any:
    if faint:
        return cv2.ORB_create(nfeatures=FAINT_KEYPOINTS, fastThreshold=5)
    return cv2.ORB_create(nfeatures=KEYPOINTS, fastThreshold=10)


def keypoints(
    grey: np.ndarray, *, faint: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return keypoints [k, 2] float32 and their descriptors [k, 32] uint8."""
    points, descriptors = (), None
    if min(grey.shape) >= SMALLEST:
        points, descriptors = _orb(faint=faint).detectAndCompute(grey, None)
    if descriptors is None:
        return np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8)
    return cv2.KeyPoint_convert(points).reshape(-1, 2), descriptors


def mirrors(turn: int) -> bool:
    """Return whether a turn changes left hands into right hands."""
    return turn in (1, 3, 4, 6)


def by_frames(left: tuple[int, int], right: tuple[int, int], turn: int) -> np.ndarray:
    """Return the matrix that puts the turned left frame on the right frame."""
    corners = np.array([[[0, 0], [1, 0]], [[0, 1], [1, 1]]], dtype=np.float32)
    start = turned(corners, turn)
    edges = [(0, 0), (0, 1), (1, 0)]
    source = np.array([start[e] * left for e in edges], dtype=np.float32) - 0.5
    target = np.array([corners[e] * right for e in edges], dtype=np.float32) - 0.5
    return _square(cv2.getAffineTransform(source, target))


def by_keypoints(
    left: Features, right: Features, *, mirrored: bool, faint: bool = False
) -> tuple[int, np.ndarray | None]:
    """Return the matrix most keypoint matches agree on, and how many, or None."""
    # Importing the compiled loop takes half a second: not for who only hashes.
    from dedup.nearest import mutual

    points, descriptors = left.described(mirrored=mirrored, faint=faint)
    theirs, described = right.described(mirrored=False, faint=faint)
    if min(len(points), len(theirs)) < MINIMUM_INLIERS:
        return 0, None
    matches = mutual(descriptors, described, ratio=RATIO)
    if len(matches) < MINIMUM_INLIERS:
        return len(matches), None
    # The random choices inside are seeded alike: equal pictures, equal answer.
    cv2.setRNGSeed(1)
    matrix, mask = cv2.estimateAffinePartial2D(
        points[matches[:, 0]],
        theirs[matches[:, 1]],
        ransacReprojThreshold=4.0,
        maxIters=2000,
        confidence=0.995,
    )
    inliers = 0 if mask is None else int(mask.sum())
    if matrix is None or inliers < MINIMUM_INLIERS or not _plausible(matrix):
        return inliers, None
    matrix = _square(matrix)
    if mirrored:
        matrix = matrix @ np.array([[-1, 0, left.size[0] - 1], [0, 1, 0], [0, 0, 1.0]])
    return inliers, matrix


def shared(
    left: Features, right: Features, matrix: np.ndarray, *, mirrored: bool
) -> float:
    """Return the share of keypoints in the overlap that both pictures have in one place.

    Of the picture with fewer there. Copies keep 0.2 to 1, another shot of the same thing
    seldom 0.3: the light, the noise and the point of view make others stand out.
    """
    from dedup.nearest import mutual

    ours, descriptors = left.points, left.descriptors
    if mirrored:
        ours, descriptors = left.mirrored
        ours = (left.size[0] - 1, 0) + ours * (-1, 1)
    theirs = right.points
    if not len(ours) or not len(theirs):
        return 0.0
    placed = _through(matrix, ours)
    counted = min(
        int(_inside(placed, right.size).sum()),
        int(_inside(_through(np.linalg.inv(matrix), theirs), left.size).sum()),
    )
    matches = mutual(descriptors, right.descriptors, ratio=RATIO)
    off = np.hypot(*(placed[matches[:, 0]] - theirs[matches[:, 1]]).T)
    growth = abs(float(np.linalg.det(matrix[:2, :2]))) ** 0.5
    return float((off < IN_PLACE * max(1.0, growth)).sum()) / max(1, counted)


def _through(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return cv2.perspectiveTransform(points[None].astype(np.float64), matrix)[0]


def _inside(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    width, height = size
    x, y = points.T
    within: np.ndarray = (x >= -0.5) & (y >= -0.5) & (x < width) & (y < height)
    return within


def _plausible(matrix: np.ndarray) -> bool:
    return 0.1 < abs(np.linalg.det(matrix[:2, :2])) ** 0.5 < 10


def _square(matrix: np.ndarray) -> np.ndarray:
    return np.vstack([matrix, [0.0, 0.0, 1.0]])


# One view of both


@dataclass(frozen=True, slots=True, eq=False)
class Stand:
    """The coarser picture, whose pixels both are seen in, and the way of the other to it.

    `matrix` takes pixels of `other` to those of `base`.
    """

    base: Features
    other: Features
    matrix: np.ndarray
    left_is_base: bool

    def overlap(self) -> np.ndarray:
        """Return where in the base the other picture lies, [height, width] uint8, 0 or 1."""
        return covered(self.base.size, self.other.size, self.matrix)

    def seen(self, picture: np.ndarray, *, step: int = 1) -> np.ndarray:
        """Return a picture of the other's as the base sees it, every `step` pixels."""
        return warped(picture, self.matrix, self.base.size, step=step)


def stand(left: Features, right: Features, matrix: np.ndarray) -> Stand:
    if abs(np.linalg.det(matrix[:2, :2])) >= 1:
        return Stand(left, right, np.linalg.inv(matrix), left_is_base=True)
    return Stand(right, left, matrix, left_is_base=False)


def covered(
    size: tuple[int, int], other: tuple[int, int], matrix: np.ndarray
) -> np.ndarray:
    """Return where the other lies in a picture of `size`, [height, width] uint8, 0 or 1.

    Sizes are width and height; the matrix takes pixels of the other to this picture's.
    """
    width, height = other
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5
    placed = cv2.perspectiveTransform(corners[None], matrix)[0]
    found = np.zeros(size[::-1], np.uint8)
    inner = placed.mean(axis=0)
    # A pixel counts when its middle is covered; filling counts what it touches.
    drawn_in = placed - 0.5 * np.sign(placed - inner)
    cv2.fillConvexPoly(found, np.round(drawn_in * 16).astype(np.int32), 1, shift=4)
    return found


def warped(
    picture: np.ndarray, matrix: np.ndarray, size: tuple[int, int], *, step: int = 1
) -> np.ndarray:
    """Return a picture as it lies in a frame of `size` (width, height), every `step` pixels.

    Its edge is repeated beyond it, which keeps black out of the blocks beside it.
    """
    picture, matrix = _reduced(picture, matrix)
    size = -(-size[0] // step), -(-size[1] // step)
    return _warped(picture, np.diag([1 / step, 1 / step, 1.0]) @ matrix, size)


def _warped(
    picture: np.ndarray, matrix: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    how = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REPLICATE}
    if np.abs(matrix[2, :2]).max() < 1e-9:
        return cv2.warpAffine(picture, matrix[:2] / matrix[2, 2], size, **how)
    return cv2.warpPerspective(picture, matrix, size, **how)


def _reduced(picture: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reduce a picture that the matrix would shrink, so that no pixel is skipped."""
    factor = abs(np.linalg.det(matrix[:2, :2] / matrix[2, 2])) ** 0.5
    if factor > 0.8:
        return picture, matrix
    height, width = picture.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    x, y = width / size[0], height / size[1]
    back = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1.0]])
    return small, matrix @ back


def _even(grey: np.ndarray) -> np.ndarray:
    """Return a grey picture with its local contrast made equal.

    Optical flow takes a change of tone for a movement otherwise.
    """
    fine = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.0)
    fine -= cv2.blur(fine, (31, 31))
    spread = cv2.sqrt(cv2.blur(fine * fine, (31, 31))) + 4
    return cv2.convertScaleAbs(cv2.max(cv2.divide(fine, spread, scale=48) + 128, 0))


def _filled(grey: np.ndarray) -> np.ndarray:
    """Mark what was never decoded, or covered by a bar: whole rows of one plain colour."""
    marked = np.zeros_like(grey)
    for side in range(4):
        rows, mask = np.rot90(grey, side), np.rot90(marked, side)
        mask[: _plain_rows(rows)] = 1
    return marked


def _plain_rows(grey: np.ndarray) -> int:
    """Return how many rows from the top on are of one colour that ends sharply.

    A black sky fades into what stands before it.
    """
    if int(np.ptp(grey[0])) > 8:
        return 0
    level = float(grey[0].mean())
    plain = (grey.std(axis=1) < PLAIN) & (np.abs(grey.mean(axis=1) - level) < 2)
    rows = int(np.argmin(plain)) if not plain.all() else 0
    # What was never decoded ends within a row of squares, and was perhaps saved again.
    depth = END_OF_LARGE if rows > LARGE * len(grey) else 3
    beyond = np.abs(grey[rows : rows + depth].astype(np.float32) - level)
    return rows if beyond.max(axis=0).mean() > SHARP_END else 0


# Drawing together


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """Points of the base and where the other picture shows them, both [k, 2], x and y."""

    points: np.ndarray
    found: np.ndarray

    @property
    def drift(self) -> np.ndarray:
        """Displacements in pixels, [k, 2]."""
        return self.found - self.points

    @property
    def away(self) -> np.ndarray:
        """Lengths of the displacements in pixels, [k]."""
        return np.hypot(*self.drift.T)


def drawn_together(
    left: Features, right: Features, matrix: np.ndarray
) -> tuple[np.ndarray, Flow]:
    """Return the matrix mended by what drifts under it, and what drifts still."""
    for attempt in range(_ATTEMPTS):
        ground = stand(left, right, matrix)
        flow = _flow(ground, halvings=_FINELY if attempt > 1 else _ROUGHLY)
        if attempt == _ATTEMPTS - 1 or len(flow.points) < MINIMUM_INLIERS:
            break
        if np.quantile(flow.away, 0.75) < STILL:
            break
        mend = _mend(flow, bent=attempt > 0)
        if mend is None:
            break
        if ground.left_is_base:
            matrix = matrix @ mend
        else:
            matrix = np.linalg.inv(mend) @ matrix
    return matrix, flow


def drift(left: Features, right: Features, matrix: np.ndarray) -> Flow:
    """Return what drifts where the matrix lays the two, mending nothing."""
    return _flow(stand(left, right, matrix), halvings=_FINELY)


def _flow(ground: Stand, *, halvings: int) -> Flow:
    base, points = ground.base.even, ground.base.tracked
    mask = cv2.erode(ground.overlap(), np.ones((_WINDOW, _WINDOW), np.uint8))
    columns, rows = points.reshape(-1, 2).astype(int).T
    points = points[mask[rows, columns] > 0][:_TRACKED]
    if not len(points):
        return Flow(np.empty((0, 2), np.float32), np.empty((0, 2), np.float32))
    small, matrix = _reduced(ground.other.grey, ground.matrix)
    even = ground.other.even if small is ground.other.grey else _even(small)
    found, status, error = cv2.calcOpticalFlowPyrLK(
        base,
        _warped(even, matrix, ground.base.size),
        points,
        None,
        winSize=(_WINDOW, _WINDOW),
        maxLevel=halvings,
        criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 12, 0.02),
    )
    # What is not found again, as beside a white border, drifts anywhere.
    error = error.ravel()
    kept = (status.ravel() == 1) & (error <= max(12.0, 3 * float(np.median(error))))
    return Flow(points[kept].reshape(-1, 2), found[kept].reshape(-1, 2))


def _mend(flow: Flow, *, bent: bool) -> np.ndarray | None:
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
    return _flattened(mend, flow) if bent else _square(mend)


def _flattened(matrix: np.ndarray, flow: Flow) -> np.ndarray:
    """Return the matrix without a perspective that moves nothing by a tenth of a pixel.

    Pictures are warped several times as fast without.
    """
    reach = float(np.abs(flow.points).max())
    if np.abs(matrix[2, :2]).sum() * reach * reach > 0.1:
        return matrix
    flat, _ = cv2.estimateAffine2D(flow.points, flow.found, ransacReprojThreshold=1.5)
    return matrix if flat is None else _square(flat)
