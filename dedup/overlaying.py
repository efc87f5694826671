"""How a copy has to be laid over the keeper, from the stored alignment of the two.

Coordinates are shares of width and height, 0 to 1 from the upper left corner, so that
renditions of any size can be laid over one another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

# Nothing was measured: edge on edge.
EDGE_ON_EDGE = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
DIGITS = 7

Matrix = tuple[float, ...]


def onto_keeper(numbers: Mapping[str, Any] | None, *, keeper_is_left: bool) -> Matrix:
    """Return nine numbers, row by row, that take places in the copy to the keeper's.

    `numbers` is the measurement (`dedup.alignment.Alignment` as JSON knows it).
    """
    if not numbers or numbers.get("method", "none") == "none":
        return EDGE_ON_EDGE
    sizes = [numbers["left_size"], numbers["right_size"]]
    if not all(edge for size in sizes for edge in size):
        return EDGE_ON_EDGE
    matrix = np.array(numbers["matrix"], float).reshape(3, 3)
    keeper, copy = sizes if keeper_is_left else sizes[::-1]
    if keeper_is_left:
        if abs(np.linalg.det(matrix)) < 1e-9:
            return EDGE_ON_EDGE
        matrix = np.linalg.inv(matrix)
    shares = np.diag([1 / keeper[0], 1 / keeper[1], 1.0]) @ matrix
    shares = shares @ np.diag([copy[0], copy[1], 1.0])
    if abs(shares[2, 2]) < 1e-9:
        return EDGE_ON_EDGE
    shares /= shares[2, 2]
    return tuple(round(float(one), DIGITS) for one in shares.ravel())
