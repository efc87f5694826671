"""The sieve: which pictures have nearly the same perceptual hash, in any of 8 turns.

Exact within its radius, save in crowds, and without an index that would have to be
kept: docs/matching.md says how and how quickly.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import combinations
from typing import Any, Literal

import numpy as np

from dedup.perceptual import transposed

# Distances of copies and of unlike pictures: docs/matching.md.
RADIUS = 40
FLAT_RADIUS = 12

# Near pictures that a picture is paired with. One with more is in a crowd.
CROWD = 64

_BLOCK = 1 << 21  # pictures of either side at once: bounds memory, not the result
_ROOM = 1 << 20  # pairs kept before those of crowds are thinned out

# What it costs, in nanoseconds, as measured: to choose a way, not to say how long it takes.
_TEST = 0.25  # a pair, where all are compared with all
_MET = 0.6  # a pair of pictures in two buckets that meet
_MEETING = 150.0  # of two buckets, whoever is in them
_PLACED = 60.0  # a picture put into its bucket
_SKEW = 2.1  # buckets are so much fuller than even ones of 16 bits, for those who meet

Way = Literal["sieve", "all with all"]
Rows = tuple[np.ndarray, np.ndarray]
Table = tuple[np.ndarray, np.ndarray, np.ndarray]


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
    crowd: int = CROWD,
    way: Way | None = None,
) -> Neighbours:
    """Return every pair of a new and another picture within the radius, at its best turn.

    `new` [n, 4] and `everything` [m, 4] are upright hashes (uint64). `flat_new` [n]
    and `flat_everything` [m] (bool) mark pictures too flat to be told apart by their
    hash: a pair with one of them has to be within FLAT_RADIUS.

    A new picture with more than `crowd` such pairs keeps the nearest of them, of
    equally near ones the first. `way`: how to look, None the quicker; the answer is
    the same.
    """
    groups = _Groups.of(new, _marks(flat_new, len(new)))
    found = _Found(crowd, mutual=False)
    ours = _Side(new, _marks(flat_new, len(new)), groups.firsts)
    marks = _marks(flat_everything, len(everything))
    theirs = _Side(everything, marks, np.arange(len(everything)))
    search = _Search(radius, found, threads=threads, once=False, way=way)
    search.run(ours, theirs)
    found = groups.spread_new(found)
    return _measured(new, everything, found.pairs())


def all_pairs(
    hashes: np.ndarray,
    *,
    radius: int = RADIUS,
    flat: np.ndarray | None = None,
    threads: int = 1,
    crowd: int = CROWD,
    way: Way | None = None,
) -> Neighbours:
    """Return every pair among the pictures [n, 4] once, `new` being the earlier one.

    A pair is left out only where each of the two has more than `crowd` such pairs, and
    nearer ones (of equally near ones, with earlier pictures).
    """
    marks = _marks(flat, len(hashes))
    groups = _Groups.of(hashes, marks)
    found = _Found(crowd, mutual=True)
    side = _Side(hashes, marks, groups.firsts)
    search = _Search(radius, found, threads=threads, once=True, way=way)
    search.run(side, side)
    found = groups.spread(found)
    return _measured(hashes, hashes, found.pairs())


def in_steps(
    new: np.ndarray,
    everything: np.ndarray,
    *,
    step: int = 20_000,
    flat_new: np.ndarray | None = None,
    **options: Any,
) -> Iterator[tuple[slice, Neighbours]]:
    """Yield `neighbours` of one part of the new pictures after another.

    Who stops between two parts has lost nothing: the positions of `new` in the answer
    are those in the whole, and the slice says which of them are answered for.
    """
    marks = _marks(flat_new, len(new))
    for start in range(0, len(new), step):
        part = slice(start, min(start + step, len(new)))
        near = neighbours(new[part], everything, flat_new=marks[part], **options)
        yield (
            part,
            Neighbours(near.new + start, near.other, near.distance, near.turn),
        )


def _marks(flat: np.ndarray | None, length: int) -> np.ndarray:
    if flat is None:
        return np.zeros(length, dtype=np.bool_)
    return np.ascontiguousarray(flat, dtype=np.bool_)


def _measured(new: np.ndarray, everything: np.ndarray, pairs: np.ndarray) -> Neighbours:
    """Return packed pairs with their distances and turns, whatever road found them."""
    from dedup.hamming import measure

    one, two, _ = _unpacked(pairs)
    distance = np.empty(len(pairs), dtype=np.int64)
    turn = np.empty(len(pairs), dtype=np.int64)
    rows = new[one].astype(np.uint64, copy=False)
    others = everything[two].astype(np.uint64, copy=False)
    measure(rows, transposed(rows), others, distance, turn)
    return Neighbours(one, two, distance, turn)


# Pairs found


class _Found:
    """Packed pairs, sorted, each once at its least distance, crowds thinned out.

    Thinning early changes nothing: who is among the nearest of all is among the nearest
    of any part.
    """

    def __init__(self, crowd: int, *, mutual: bool) -> None:
        self.crowd = crowd
        self.mutual = mutual
        self._kept = np.empty(0, dtype=np.int64)
        self._more: list[np.ndarray] = []
        self._waiting = 0

    def another(self) -> "_Found":
        """Return an empty one of the same kind, for a part of the work."""
        return _Found(self.crowd, mutual=self.mutual)

    def add(self, pairs: np.ndarray) -> None:
        self._more.append(pairs)
        self._waiting += len(pairs)
        if self._waiting > max(_ROOM, len(self._kept)):
            self.pairs()

    def pairs(self) -> np.ndarray:
        """Return the pairs [k], positions and distance in one number (`hamming`)."""
        if self._more:
            pairs = np.concatenate([self._kept, *self._more])
            self._more, self._waiting = [], 0
            self._kept = self._thinned(_each_once(pairs))
        return self._kept

    def _thinned(self, pairs: np.ndarray) -> np.ndarray:
        one, two, distance = _unpacked(pairs)
        if not self.mutual:
            return pairs[_nearest(one, two, distance, self.crowd)]
        keep = _nearest(
            np.concatenate([one, two]),
            np.concatenate([two, one]),
            np.concatenate([distance, distance]),
            self.crowd,
        )
        return pairs[keep[: len(pairs)] | keep[len(pairs) :]]


def _packed(one: np.ndarray, two: np.ndarray, distance: np.ndarray) -> np.ndarray:
    from dedup.hamming import DISTANCE_BITS, POSITION_BITS

    packed: np.ndarray = ((one << POSITION_BITS | two) << DISTANCE_BITS) | distance
    return packed


def _unpacked(pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from dedup.hamming import DISTANCE_BITS, POSITION_BITS

    both = pairs >> DISTANCE_BITS
    distance = pairs & ((1 << DISTANCE_BITS) - 1)
    return both >> POSITION_BITS, both & ((1 << POSITION_BITS) - 1), distance


def _each_once(pairs: np.ndarray) -> np.ndarray:
    """Return the packed pairs sorted, of each the one with the least distance."""
    from dedup.hamming import DISTANCE_BITS

    pairs = np.sort(pairs)
    first = np.ones(len(pairs), dtype=np.bool_)
    first[1:] = np.diff(pairs >> DISTANCE_BITS) != 0
    return pairs[first]


def _nearest(
    one: np.ndarray, two: np.ndarray, distance: np.ndarray, most: int
) -> np.ndarray:
    """Return which pairs are among the `most` nearest of their first picture [k]."""
    keep = np.ones(len(one), dtype=np.bool_)
    degrees = np.bincount(one) if len(one) else np.zeros(1, dtype=np.int64)
    if degrees.max() <= most:
        return keep
    crowded = np.flatnonzero(degrees[one] > most)
    order = crowded[np.lexsort((two[crowded], distance[crowded], one[crowded]))]
    starts = np.flatnonzero(np.diff(one[order], prepend=-1))
    lengths = np.diff(starts, append=len(order))
    rank = np.arange(len(order)) - np.repeat(starts, lengths)
    keep[order[rank >= most]] = False
    return keep


# Equal hashes


@dataclass(frozen=True, slots=True)
class _Groups:
    """Pictures with the same hash: only the first of each group is compared.

    `firsts`: positions of the first ones, ascending. `members`: all positions, group
    by group in the order of the firsts, ascending; `starts`, `sizes` of the groups;
    `number` [n]: the group of a position.
    """

    firsts: np.ndarray
    members: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    number: np.ndarray

    @classmethod
    def of(cls, hashes: np.ndarray, flat: np.ndarray) -> "_Groups":
        order = np.argsort(_mixed(hashes, flat), kind="stable")
        rows, marks = hashes[order], flat[order]
        changes = np.ones(len(order), dtype=np.bool_)
        changes[1:] = (rows[1:] != rows[:-1]).any(axis=1) | (marks[1:] != marks[:-1])
        starts = np.flatnonzero(changes)
        sizes = np.diff(starts, append=len(order))
        # Sorting is stable: the first of a group is its earliest position.
        by_first = np.argsort(order[starts], kind="stable")
        rank = np.empty(len(starts), dtype=np.int64)
        rank[by_first] = np.arange(len(starts))
        number = np.empty(len(order), dtype=np.int64)
        number[order] = np.repeat(rank, sizes)
        return cls(
            firsts=order[starts][by_first],
            members=np.argsort(number, kind="stable"),
            starts=np.cumsum(sizes[by_first]) - sizes[by_first],
            sizes=sizes[by_first],
            number=number,
        )

    def spread(self, found: _Found) -> _Found:
        """Return the pairs of all pictures, given those of the first ones."""
        if len(self.firsts) == len(self.number):
            return found
        one, two, distance = _unpacked(found.pairs())
        one, two = self.number[one], self.number[two]
        alone = (self.sizes[one] == 1) & (self.sizes[two] == 1)
        spread = found.another()
        spread.add(found.pairs()[alone])
        many = np.flatnonzero(self.sizes > 1)
        one = np.concatenate([one[~alone], many])
        two = np.concatenate([two[~alone], many])
        distance = np.concatenate([distance[~alone], np.zeros_like(many)])
        # Only the first few of a group can be among the nearest of anyone.
        few = np.minimum(self.sizes, found.crowd + 1)
        self._multiply((one, self.sizes), (two, few), distance, spread)
        self._multiply((one, few), (two, self.sizes), distance, spread)
        return spread

    def spread_new(self, found: _Found) -> _Found:
        """Return the pairs of all new pictures, given those of the first ones."""
        if len(self.firsts) == len(self.number):
            return found
        one, two, distance = _unpacked(found.pairs())
        group = self.number[one]
        rows, place = _repeated(self.sizes[group])
        ours = self.members[self.starts[group[rows]] + place]
        spread = found.another()
        spread.add(_packed(ours, two[rows], distance[rows]))
        return spread

    def _multiply(
        self,
        ours: tuple[np.ndarray, np.ndarray],
        theirs: tuple[np.ndarray, np.ndarray],
        distance: np.ndarray,
        into: _Found,
    ) -> None:
        """Add the pairs of members of groups, of each group as many as said."""
        (one, some), (two, others) = ours, theirs
        counts = some[one] * others[two]
        parts = np.cumsum(counts) // _ROOM
        for part in np.unique(parts):
            chosen = np.flatnonzero(parts == part)
            rows, place = _repeated(counts[chosen])
            rows = chosen[rows]
            width = others[two[rows]]
            left = self.members[self.starts[one[rows]] + place // width]
            right = self.members[self.starts[two[rows]] + place % width]
            pairs = _packed(
                np.minimum(left, right), np.maximum(left, right), distance[rows]
            )
            into.add(pairs[left != right])


def _mixed(hashes: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """Return one number for each hash [n, 4], equal for equal ones."""
    mixed = flat.astype(np.uint64)
    for word in range(hashes.shape[1]):
        mixed = (mixed ^ hashes[:, word]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _repeated(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each index as often as its count says, and the how-manieth it is."""
    rows = np.repeat(np.arange(len(counts)), counts)
    starts = np.cumsum(counts) - counts
    return rows, np.arange(len(rows)) - starts[rows]


# The search


class _Side:
    """Some pictures, by their positions among all."""

    def __init__(
        self, hashes: np.ndarray, flat: np.ndarray, positions: np.ndarray
    ) -> None:
        self.hashes, self.flat, self.positions = hashes, flat, positions

    def __len__(self) -> int:
        return len(self.positions)

    def that_are(self, *, flat: bool) -> "_Side":
        chosen = self.positions[self.flat[self.positions] == flat]
        return _Side(self.hashes, self.flat, chosen)

    def blocks(self) -> list["_Side"]:
        return [
            _Side(self.hashes, self.flat, self.positions[start : start + _BLOCK])
            for start in range(0, len(self), _BLOCK)
        ]

    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Return hashes and positions as the compiled loops take them."""
        rows = np.ascontiguousarray(self.hashes[self.positions], dtype=np.uint64)
        return rows, np.ascontiguousarray(self.positions, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Search:
    """What is looked for, and where what is found goes."""

    radius: int
    found: _Found
    threads: int
    once: bool
    way: Way | None

    def run(self, ours: _Side, theirs: _Side) -> None:
        """Find all pairs of two sides, or, looking once, each pair of one side."""
        strict = min(self.radius, FLAT_RADIUS)
        plain, flat = (theirs.that_are(flat=kind) for kind in (False, True))
        left = ours.that_are(flat=False)
        # Flat pictures would crowd everyone's buckets: they have joins of their own.
        for one, two, itself in _blocks(left, plain, same=self.once):
            _Join(self, one, two, self.radius, itself=itself).run()
        for one, two in ((left, flat), (ours.that_are(flat=True), theirs)):
            for some, others, _ in _blocks(one, two, same=False):
                _Join(self, some, others, strict, itself=False).run()


def _blocks(
    left: _Side, right: _Side, *, same: bool
) -> Iterator[tuple[_Side, _Side, bool]]:
    if not same:
        yield from (
            (one, two, False) for one in left.blocks() for two in right.blocks()
        )
        return
    blocks = left.blocks()
    yield from ((one, one, True) for one in blocks)
    yield from ((one, two, False) for one, two in combinations(blocks, 2))


class _Join:
    """One side against another, by the quicker way."""

    def __init__(
        self, search: _Search, ours: _Side, theirs: _Side, radius: int, *, itself: bool
    ) -> None:
        # Late, because importing numba takes half a second.
        from dedup import hamming

        self.hamming = hamming
        self.search = search
        self.rows = ours.rows()
        self.across = transposed(self.rows[0]), self.rows[1]
        self.others = self.rows if itself else theirs.rows()
        self.radius = radius
        self.itself = itself

    def run(self) -> None:
        if not (len(self.rows[0]) and len(self.others[0])):
            return
        reach = _reach(self.radius)
        way = self.search.way
        if way is None:
            way = "sieve" if self._is_sieve_quicker(reach) else "all with all"
        with ThreadPoolExecutor(max(1, self.search.threads)) as pool:
            if way == "sieve":
                bands = np.flatnonzero(reach >= 0).tolist()
                parts = pool.map(partial(self._band, reach), bands)
            else:
                parts = self._all_with_all(pool)
            for part in parts:
                self.search.found.add(part)

    def _is_sieve_quicker(self, reach: np.ndarray) -> bool:
        n, m = len(self.rows[0]), len(self.others[0])
        met = sum(len(_steps(band, near)[0]) for band, near in enumerate(reach))
        buckets = self.hamming.BUCKETS
        met_pictures = met * n * m / buckets * _SKEW
        meetings = met * min(n, buckets / 2)
        passes = 1.25 if self.itself else 2.0
        sieve = passes * (met_pictures * _MET + meetings * _MEETING)
        sieve += len(reach) * (2 * n + m) * _PLACED
        return bool(sieve < (1 if self.search.once else 2) * n * m * _TEST)

    def _band(self, reach: np.ndarray, band: int) -> np.ndarray:
        """Return the packed pairs that a band brings together."""
        found = self.search.found.another()
        steps = _steps(band, int(reach[band]))
        theirs = self._table(self.others, band)
        mine = theirs if self.itself else self._table(self.rows, band)
        rule = band, self._order(), self.itself
        self._meet(self.rows, mine, theirs, steps, rule, reach, found)
        # Transposing swaps the words 1 and 2: among one side, one of them is enough,
        # taken in either order.
        if not (self.itself and band // 4 == 2):
            mine = self._table(self.across, band)
            rule = band, self._order(), False
            self._meet(self.across, mine, theirs, steps, rule, reach, found)
        return found.pairs()

    def _order(self) -> int:
        if self.itself:
            return self.hamming.ONCE
        return self.hamming.LATER if self.search.once else self.hamming.ALL

    def _all_with_all(self, pool: ThreadPoolExecutor) -> Iterator[np.ndarray]:
        """Yield the packed pairs of parts of the rows with all others."""
        whole = self.hamming.WHOLE
        theirs = self._table(self.others, whole)
        later = self.hamming.LATER if self.search.once else self.hamming.ALL
        rule = whole, later, False

        def look(part: tuple[Rows, int]) -> np.ndarray:
            rows, start = part
            near = self.search.found.another()
            mine = self._table(rows, whole)
            # Among one side, who comes before the rows has met them already.
            first = start // self.hamming.LANES if self.itself else 0
            rest = theirs[0] - [0, first], theirs[1][first:], theirs[2][first:]
            self._meet(rows, mine, rest, _steps(whole, 0), rule, _reach(0), near)
            return near.pairs()

        size = -(-len(self.rows[0]) // (16 * max(1, self.search.threads)))
        return pool.map(
            look,
            [
                ((hashes[start : start + size], positions[start : start + size]), start)
                for hashes, positions in (self.rows, self.across)
                for start in range(0, len(hashes), size)
            ],
        )

    def _table(self, side: Rows, band: int) -> Table:
        hashes, _ = side
        starts = np.zeros(self.hamming.buckets_of(band) + 1, dtype=np.int64)
        values = np.empty(len(hashes), dtype=np.int32)
        length = self.hamming.count(hashes, band, values, starts)
        order = np.full((length, self.hamming.LANES), -1, dtype=np.int32)
        chunks = np.empty(
            (length, self.hamming.WORDS_READ, self.hamming.LANES), dtype=np.uint64
        )
        self.hamming.place(hashes, band, values, starts, order, chunks)
        return starts, order, chunks

    def _meet(
        self,
        rows: Rows,
        mine: Table,
        theirs: Table,
        steps: tuple[np.ndarray, np.ndarray],
        rule: tuple[int, int, bool],
        reach: np.ndarray,
        into: _Found,
    ) -> None:
        starts = theirs[0]
        most = int(np.diff(starts).max()) * self.hamming.LANES * self.hamming.ABREAST
        found = np.empty(_ROOM // 4 + most, dtype=np.int64)
        state = np.zeros(3, dtype=np.int64)
        while state[0] < len(starts) - 1:
            count = self.hamming.join(
                rows, mine, self.others, theirs, steps, (self.radius, *rule), reach,
                found, state,
            )  # fmt: skip
            into.add(found[:count].copy())


@cache
def _steps(band: int, near: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what to flip in a bucket's number to come to those within `near` bits.

    And what a picture's word is complemented with on the way (`hamming.join`).
    """
    from dedup.hamming import BAND_BITS, buckets_of

    flips = np.arange(buckets_of(band))
    bits = np.bitwise_count(flips)
    straight = bits <= near
    # The way to a mirrored one: the bucket is that of the complement.
    mirrored = (bits >= BAND_BITS - near) & (band >= 4)
    chosen = straight | mirrored
    complement = np.where(straight, 0, 2**64 - 1).astype(np.uint64)
    return flips[chosen], complement[chosen]


def _reach(radius: int) -> np.ndarray:
    """Return how near each band looks [16] so that no pair within the radius escapes.

    A pair that is farther apart in every band than its reach is farther apart in all
    than the sum of reach + 1, less one (the pigeonholes of multi-index hashing).
    """
    from dedup.hamming import BANDS

    each, more = divmod(radius + 1, BANDS)
    reach = np.full(BANDS, each - 1, dtype=np.int64)
    # The first word is not complemented: its bands have more and emptier buckets.
    reach[:more] += 1
    return reach
