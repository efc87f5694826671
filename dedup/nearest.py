"""The compiled loop that matches keypoints. Importing this imports numba: do it late."""

from typing import Any

import numpy as np

from dedup.compiled import compiled, ones

_BITS = 256


def mutual(left: np.ndarray, right: np.ndarray, *, ratio: float) -> np.ndarray:
    """Return pairs of descriptors that choose one another, [n, 2] int64, rows of each.

    Descriptors are [k, 32] uint8. The nearest has to be nearer than `ratio` times the
    second (Lowe 2004), and the nearest of the nearest has to be the first again.
    """
    nearest, chosen = _nearest(
        _words(left), np.ascontiguousarray(_words(right).T), ratio
    )
    kept = np.flatnonzero(nearest >= 0)
    kept = kept[chosen[nearest[kept]] == kept]
    return np.stack([kept, nearest[kept]], axis=1)


def _words(descriptors: np.ndarray) -> Any:
    return np.ascontiguousarray(descriptors).view("<u8")


@compiled
def _nearest(left, right, ratio):  # type: ignore[no-untyped-def]
    """Return for each left row [n, 4] its nearest column of right [4, m], or -1.

    And for each column the row nearest to it.
    """
    count, width = left.shape[0], right.shape[1]
    nearest = np.full(count, -1, dtype=np.int64)
    chosen = np.full(width, -1, dtype=np.int64)
    least = np.full(width, _BITS + 1, dtype=np.uint16)
    distances = np.empty(width, dtype=np.uint16)
    for i in range(count):
        a, b, c, d = left[i, 0], left[i, 1], left[i, 2], left[i, 3]
        for j in range(width):
            distances[j] = (
                ones(a ^ right[0, j])
                + ones(b ^ right[1, j])
                + ones(c ^ right[2, j])
                + ones(d ^ right[3, j])
            )
        first, second, place = _BITS + 1, _BITS + 1, -1
        for j in range(width):
            distance = distances[j]
            if distance < least[j]:
                least[j] = distance
                chosen[j] = i
            if distance < second:
                if distance < first:
                    first, second, place = distance, first, j
                else:
                    second = distance
        if first < ratio * second:
            nearest[i] = place
    return nearest, chosen
