"""The part of a picture in which all agrees, where all round it is something else.

numpy only. A tile of a collage, a picture under a bar of words and what is left of a
broken file agree within one rectangle and nowhere else. In another shot of the same
scene what differs has no straight edges, and beside it the scene goes on.
"""

import numpy as np

LEAST = 0.3  # share of the blocks that a window has at least
AGREEING = 12  # blocks within it that agree
SPOILT = 0.04  # share of its blocks that may differ
BEYOND = 0.25  # share of the blocks outside that may agree all the same
OUTSIDE = 4  # blocks outside that can be compared
_COST = 1.5  # agreeing blocks that one differing block outweighs

Window = tuple[slice, slice]


def window(agree: np.ndarray, differ: np.ndarray) -> Window | None:
    """Return the rows and columns within which blocks agree, if outside they do not.

    `agree`, `differ` [rows, columns] bool: what can be compared is either, what cannot
    is neither. None where everything agrees, or what differs lies here and there.
    """
    weights = agree.astype(float) - _COST * differ
    rows, columns = _largest_sum(weights)
    inside = np.zeros(agree.shape, bool)
    inside[rows, columns] = True
    kept, spoilt = int(agree[inside].sum()), int(differ[inside].sum())
    lost, found = int(differ[~inside].sum()), int(agree[~inside].sum())
    if kept < AGREEING or spoilt > SPOILT * (kept + spoilt):
        return None
    if inside.mean() < LEAST or lost + found < OUTSIDE:
        return None
    return (rows, columns) if found <= BEYOND * (lost + found) else None


def _largest_sum(weights: np.ndarray) -> Window:
    """Return the rectangle with the largest sum of weights (Kadane, over pairs of rows)."""
    height, width = weights.shape
    below = np.concatenate([np.zeros((1, width)), np.cumsum(weights, axis=0)])
    first, last = np.triu_indices(height + 1, k=1)
    strips = below[last] - below[first]
    best = np.full(len(strips), -np.inf)
    begin, starts, ends = (np.zeros(len(strips), int) for _ in range(3))
    running = np.zeros(len(strips))
    for column in range(width):
        anew = running <= 0
        begin = np.where(anew, column, begin)
        running = np.where(anew, 0, running) + strips[:, column]
        better = running > best
        best = np.where(better, running, best)
        starts, ends = np.where(better, begin, starts), np.where(better, column, ends)
    one = int(best.argmax())
    return slice(int(first[one]), int(last[one])), slice(
        int(starts[one]), int(ends[one]) + 1
    )
