"""The second road: which pictures share some of their spots, however cut or framed.

New pictures are held, all others pass by in blocks, so that memory depends on the new
ones only. Nothing has to be kept between runs.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from dedup.local_features import ODD, SPOT

# Chosen on one half of the photos: docs/matching.md.
VOTES = 2  # spots that have to agree on one movement
DIFFER = 12  # bits of 64 in which two spots may differ
CROWD = 512  # new spots that one spot may meet before it counts as saying nothing

# Spots meet when they have the 24 lowest bits in common, or the 24 next ones.
KEYS = np.array([0xFFFFFF << 40, 0xFFFFFF << 16], np.uint64)
# An odd number that spreads the bits of a key over all 64.
SPREAD = np.uint64(0x9E3779B97F4A7C15)

# How far two pairs of spots may disagree about one movement: in size (32nds of an
# octave), in angle (256ths of a turn), in place (256ths of the long edge, and share of
# the distance between the spots); and how far apart the spots have to be.
BEND = (10.0, 12.0, 4.0, 0.12, 6.0)

_STEP = 2048  # other pictures in one piece of work


@dataclass(frozen=True, slots=True)
class Kindred:
    """Pairs of pictures that share spots: arrays of one length, sorted by new, other.

    `new`, `other`: positions (int64). `votes`: how many spots agree on one movement,
    not counted beyond `dedup.local_join.CERTAIN` (int64). `mirrored`: whether that
    movement mirrors (bool).
    """

    new: np.ndarray
    other: np.ndarray
    votes: np.ndarray
    mirrored: np.ndarray

    def __len__(self) -> int:
        return len(self.new)

    def __iter__(self) -> Iterator[tuple[int, int, int, bool]]:
        columns = (self.new, self.other, self.votes, self.mirrored)
        return zip(*(column.tolist() for column in columns), strict=True)


def kindred(
    new: Sequence[bytes],
    blocks: Iterable[Sequence[bytes]],
    *,
    first: int | None = None,
    votes: int = VOTES,
    threads: int = 1,
) -> Iterator[Kindred]:
    """Yield for each block the pairs of a new picture with one of the block.

    `new` (up to some 100,000) and the blocks hold what `local_features` returned; the
    positions of the others count on from block to block. `first`: where in that count
    new picture 0 passes by, if the new ones are among all, in one row: then pairs of
    two new pictures are named once, the earlier as `new`, and none with itself. The
    caller may stop between two blocks. How the blocks are cut changes nothing.
    """
    join = _Join(new, votes, threads)
    passed = 0
    for block in blocks:
        pairs = join.pairs(block, threads, None if first is None else first - passed)
        pairs[:, 1] += passed
        passed += len(block)
        yield _once(pairs)


def all_kindred(
    pictures: Sequence[bytes], *, rows: int = 200_000, threads: int = 1
) -> Iterator[Kindred]:
    """Yield all pairs among the pictures, each once, the earlier position as `new`.

    `rows`: new pictures held at a time, at about 10 KB each while they are sorted.
    """
    for start in range(0, len(pictures), rows):
        later = (
            pictures[place : place + rows]
            for place in range(start, len(pictures), rows)
        )
        new = pictures[start : start + rows]
        for found in kindred(new, later, first=0, threads=threads):
            yield Kindred(
                found.new + start, found.other + start, found.votes, found.mirrored
            )


class _Spots:
    """The spots of many pictures: `begins` [pictures + 1], `bits` and `places` [spots]."""

    def __init__(self, pictures: Sequence[bytes]) -> None:
        counts = [len(one) // SPOT.itemsize for one in pictures]
        spots = np.frombuffer(b"".join(pictures), dtype=SPOT)
        self.begins = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        self.bits = spots["bits"].astype(np.uint64)
        self.places = spots["place"].astype(np.uint64)

    def __len__(self) -> int:
        return len(self.begins) - 1

    @property
    def owners(self) -> np.ndarray:
        counts = np.diff(self.begins)
        return np.repeat(np.arange(len(self), dtype=np.uint64), counts)


class _Join:
    """New pictures, their spots sorted by either key, ready to be met by others."""

    def __init__(self, new: Sequence[bytes], votes: int, threads: int) -> None:
        from dedup.local_join import bucket_starts

        spots = _Spots(new)
        marked = spots.owners << np.uint64(32) | spots.places
        self.pictures = len(new)
        # About one spot a bucket, so that looking one up is reading it.
        self.shift = 64 - min(24, max(8, len(marked).bit_length()))
        self.rows = np.empty((len(KEYS), len(marked), 2), np.uint64)
        self.starts = np.empty((len(KEYS), (1 << (64 - self.shift)) + 1), np.int32)

        def sort(number: int) -> None:
            hashes = (spots.bits & KEYS[number]) * SPREAD
            order = np.argsort(hashes)
            self.rows[number, :, 0] = spots.bits[order]
            self.rows[number, :, 1] = marked[order]
            bucket_starts(hashes[order], self.shift, self.starts[number])

        with ThreadPoolExecutor(max(1, threads)) as pool:
            list(pool.map(sort, range(len(KEYS))))
        self.limits = np.array([DIFFER, CROWD, votes])
        self.bend = np.array(BEND, np.float32)

    def pairs(
        self, block: Sequence[bytes], threads: int, first: int | None
    ) -> np.ndarray:
        """Return new, other, votes, mirrored [k, 4] of every pair with the block."""
        spots = _Spots(block)
        # A new picture that never passes by is as one that comes after all others.
        first = len(block) if first is None else first
        step = max(1, min(_STEP, -(-len(block) // max(1, threads))))

        def part(start: int) -> np.ndarray:
            return self._part(spots, start, min(start + step, len(block)), first)

        with ThreadPoolExecutor(max(1, threads)) as pool:
            parts = list(pool.map(part, range(0, len(block), step)))
        return np.concatenate([np.empty((0, 4), np.int64), *parts])

    def _part(self, spots: _Spots, start: int, end: int, first: int) -> np.ndarray:
        from dedup.local_join import join

        begins = spots.begins[start : end + 1]
        own = slice(begins[0], begins[-1])
        room = 4 * (end - start)
        while True:
            found = np.empty((room, 4), np.int64)
            count, _ = join(
                self.rows,
                self.starts,
                self.shift,
                KEYS,
                SPREAD,
                self.pictures,
                spots.bits[own],
                spots.places[own],
                begins - begins[0],
                ODD,
                first - start,
                self.limits,
                self.bend,
                found,
            )
            if count <= room:
                found = found[:count]
                found[:, 1] += start
                return found
            room = count


def _once(pairs: np.ndarray) -> Kindred:
    """Return the pairs sorted, each with the hand that has more votes."""
    new, other, votes, mirrored = pairs.T
    pairs = pairs[np.lexsort((mirrored, -votes, other, new))]
    best = np.ones(len(pairs), dtype=bool)
    best[1:] = (np.diff(pairs[:, :2], axis=0) != 0).any(axis=1)
    new, other, votes, mirrored = np.ascontiguousarray(pairs[best].T)
    return Kindred(new, other, votes, mirrored == 1)
