"""The sieve: which pictures have nearly the same perceptual hash, in any of 8 turns.

Exact within its radius, and without an index that would have to be kept: a compiled
scan is quicker than every library measured (docs/matching.md).
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from dedup.perceptual import WORDS, transposed

# Distances of copies and of unlike pictures: docs/matching.md.
RADIUS = 48
FLAT_RADIUS = 12

_ROWS = 4096  # new pictures a step: bounds the memory of a step, not its result


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Pairs of near pictures: four arrays of the same length, sorted by new, other.

    `new`, `other`: positions. `distance`: differing bits of 256.
    `turn`: 0 to 7, the turn of the new picture that is nearest to the other
    (what the numbers mean: `dedup.perceptual.all_turns`). All int64.
    """

    new: np.ndarray
    other: np.ndarray
    distance: np.ndarray
    turn: np.ndarray

    def __len__(self) -> int:
        return len(self.new)

    def __iter__(self) -> Iterator[tuple[int, int, int, int]]:
        columns = (self.new, self.other, self.distance, self.turn)
        return zip(*(column.tolist() for column in columns), strict=True)


def neighbours(
    new: np.ndarray,
    everything: np.ndarray,
    *,
    radius: int = RADIUS,
    flat_new: np.ndarray | None = None,
    flat_everything: np.ndarray | None = None,
    threads: int = 1,
) -> Neighbours:
    """Return every pair of a new and another picture within the radius, at its best turn.

    `new` [n, 4] and `everything` [m, 4] are upright hashes (uint64). `flat_new` [n]
    and `flat_everything` [m] (bool) mark pictures too flat to be told apart by their
    hash: a pair with one of them has to be within FLAT_RADIUS.
    """
    join = _Join(everything, radius=radius, flat=flat_everything)
    return join.run(new, flat=flat_new, threads=threads, later_only=False)


def all_pairs(
    hashes: np.ndarray,
    *,
    radius: int = RADIUS,
    flat: np.ndarray | None = None,
    threads: int = 1,
) -> Neighbours:
    """Return every pair among the pictures [n, 4] once, `new` being the earlier one."""
    join = _Join(hashes, radius=radius, flat=flat)
    return join.run(hashes, flat=flat, threads=threads, later_only=True)


class _Join:
    """Everything, laid out for the scan in chunks [chunks, words, pictures]."""

    def __init__(
        self, everything: np.ndarray, *, radius: int, flat: np.ndarray | None
    ) -> None:
        # Late, because importing numba takes half a second.
        from dedup.hamming import CHUNK

        self.count = len(everything)
        chunks = -(-self.count // CHUNK)
        padded = np.zeros((chunks * CHUNK, WORDS), dtype=np.uint64)
        padded[: self.count] = everything
        self.chunks = np.ascontiguousarray(
            padded.reshape(chunks, CHUNK, WORDS).transpose(0, 2, 1)
        )
        self.radius = radius
        self.flat = _marks(flat, self.count)

    def run(
        self,
        new: np.ndarray,
        *,
        flat: np.ndarray | None,
        threads: int,
        later_only: bool,
    ) -> Neighbours:
        marks = _marks(flat, len(new))

        def step(start: int) -> np.ndarray:
            rows = slice(start, start + _ROWS)
            return self._step(new[rows], marks[rows], start, later_only=later_only)

        with ThreadPoolExecutor(max(1, threads)) as pool:
            parts = list(pool.map(step, range(0, len(new), _ROWS)))
        pairs = np.concatenate(parts) if parts else np.empty((0, 4), dtype=np.int64)
        return Neighbours(*np.ascontiguousarray(pairs.T))

    def _step(
        self, rows: np.ndarray, flat: np.ndarray, start: int, *, later_only: bool
    ) -> np.ndarray:
        """Return the pairs [k, 4] of a block of rows, each once, at its best turn."""
        plain = self._scan(rows, flat, start if later_only else -1)
        across = self._scan(transposed(rows), flat, start if later_only else -1)
        across[:, 3] += 4
        pairs = np.concatenate([plain, across])
        order = np.lexsort(pairs.T[[3, 2, 1, 0]])
        pairs = pairs[order]
        first = np.ones(len(pairs), dtype=bool)
        first[1:] = (np.diff(pairs[:, :2], axis=0) != 0).any(axis=1)
        pairs[:, 0] += start
        return pairs[first]

    def _scan(self, rows: np.ndarray, flat: np.ndarray, after: int) -> np.ndarray:
        from dedup.hamming import ABREAST, scan

        padding = -len(rows) % ABREAST
        rows = np.pad(rows.astype(np.uint64), ((0, padding), (0, 0)))
        limits = np.array([self.radius, min(self.radius, FLAT_RADIUS)])
        room = 2 * len(rows)
        while True:
            found = np.empty((room, 4), dtype=np.int64)
            count = scan(rows, self.chunks, flat, self.flat, limits, after, found)
            if count <= room:
                return found[:count]
            room = count


def _marks(flat: np.ndarray | None, length: int) -> np.ndarray:
    if flat is None:
        return np.zeros(length, dtype=np.bool_)
    return np.ascontiguousarray(flat, dtype=np.bool_)
