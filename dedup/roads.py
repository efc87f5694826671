"""The roads on which a search finds candidate pairs, each walked in stretches.

A road is made for the photos looked for (ids, sorted) and goes past all that may be
found, in the order of photo ids. It holds the photos looked for in memory, and of all
others one stretch at a time.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from django.db.models import Count

from dedup import candidates, perceptual
from dedup.clues import Clues, may_be_one
from dedup.local_neighbours import kindred
from dedup.models import Comparison, Fingerprint
from dedup.neighbours import neighbours
from gallery.stages import chunks

FEW = 500
# Turns whose inverse is another: clockwise and anticlockwise (dedup.perceptual).
INVERSE_TURN = (0, 1, 2, 3, 4, 7, 6, 5)
# More files than this with one moment or stem say nothing about any two of them.
CROWD = 12
# So many are looked at to see how many of them may be one picture.
READ = 100


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a stretch of a road gave, and the photo id it ended at.

    `away`: photos passed that lie in the trash, and so were not looked at.
    """

    found: np.ndarray
    reached: int
    away: list[int]


class Road:
    """A way to find candidates, for `photos` with fingerprints of one recipe."""

    name: ClassVar[str]

    def __init__(self, photos: list[int], recipe: int, *, threads: int) -> None:
        self.photos = np.array(photos, dtype=np.int64)
        self.recipe = recipe
        self.threads = threads

    def go_on(self, reached: int) -> Stretch | None:
        """Look at what follows photo `reached`; None where nothing does."""
        raise NotImplementedError

    @classmethod
    def pair(cls, left: int, right: int, cost: int, hint: int) -> Comparison:
        """Return the pair that a candidate becomes."""
        return Comparison(left_id=left, right_id=right, road=cls.name)

    @staticmethod
    def swapped(hint: int) -> int:
        """Return a hint as it reads from the other photo's side."""
        return hint


class HashRoad(Road):
    """Nearly the same perceptual hash."""

    name = "hash"
    STRETCH = 250_000

    def __init__(self, photos: list[int], recipe: int, *, threads: int) -> None:
        super().__init__(photos, recipe, threads=threads)
        rows = _own_rows(photos, recipe, ("pk", "bits", "quality"))
        self.photos, self.hashes, self.flat = _hashes(rows)

    def go_on(self, reached: int) -> Stretch | None:
        columns = ("pk", "bits", "quality", "photo__trashed_at")
        rows = _rows(self.recipe, reached, columns, self.STRETCH)
        if not rows:
            return None
        live, away = _parted(rows)
        photos, hashes, flat = _hashes(live)
        near = neighbours(
            self.hashes,
            hashes,
            flat_new=self.flat,
            flat_everything=flat,
            threads=self.threads,
        )
        found = candidates.candidates(
            self.photos[near.new], photos[near.other], near.distance, near.turn
        )
        return Stretch(found, rows[-1][0], away)

    @classmethod
    def pair(cls, left: int, right: int, cost: int, hint: int) -> Comparison:
        return Comparison(
            left_id=left, right_id=right, road=cls.name, distance=cost, turn=hint
        )

    @staticmethod
    def swapped(hint: int) -> int:
        return INVERSE_TURN[hint]


class SpotRoad(Road):
    """Some of the same spots, however cut or framed."""

    name = "spots"
    STRETCH = 20_000

    def __init__(self, photos: list[int], recipe: int, *, threads: int) -> None:
        super().__init__(photos, recipe, threads=threads)
        rows = _own_rows(photos, recipe, ("pk", "local__spots"))
        self.photos = np.array([row[0] for row in rows], dtype=np.int64)
        self.ahead: deque[list[bytes]] = deque()
        # It takes a block from what lies ahead whenever it is asked for pairs.
        self.join = kindred(
            [bytes(row[1] or b"") for row in rows],
            iter(self.ahead.popleft, None),
            threads=threads,
        )
        self.passed = 0

    def go_on(self, reached: int) -> Stretch | None:
        columns = ("pk", "local__spots", "photo__trashed_at")
        rows = _rows(self.recipe, reached, columns, self.STRETCH)
        if not rows:
            return None
        live, away = _parted(rows)
        photos = np.array([row[0] for row in live], dtype=np.int64)
        self.ahead.append([bytes(row[1] or b"") for row in live])
        near = next(self.join)
        found = candidates.candidates(
            self.photos[near.new],
            photos[near.other - self.passed],
            -near.votes,
            near.mirrored,
        )
        self.passed += len(live)
        return Stretch(found, rows[-1][0], away)

    @classmethod
    def pair(cls, left: int, right: int, cost: int, hint: int) -> Comparison:
        return Comparison(
            left_id=left, right_id=right, road=cls.name, mirrored=bool(hint)
        )


class ClueRoad(Road):
    """Files that say the same of themselves; walks along the photos looked for."""

    STRETCH = 5_000

    def go_on(self, reached: int) -> Stretch | None:
        ahead = self.photos[self.photos > reached][: self.STRETCH].tolist()
        if not ahead:
            return None
        pairs = [
            pair for some in chunks(ahead, FEW) for pair in self._together(set(some))
        ]
        columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        zeros = np.zeros(len(pairs), dtype=np.int64)
        found = candidates.candidates(columns[0], columns[1], zeros, zeros)
        return Stretch(found, ahead[-1], [])

    def _together(self, photos: set[int]) -> Iterable[tuple[int, int]]:
        """Yield these photos with those that share their key."""
        rows = Fingerprint.objects.filter(pk__in=photos).exclude(**{self.name: None})
        keys = set(rows.values_list(self.name, flat=True))
        sharers = Fingerprint.objects.to_find(self.recipe).live()
        sharers = sharers.filter(**{f"{self.name}__in": keys})
        counted = sharers.order_by().values(self.name).annotate(times=Count("pk"))
        few = counted.filter(times__range=(2, READ)).values_list(self.name, flat=True)
        by_key: dict[int, list[tuple[int, Clues]]] = defaultdict(list)
        for pk, moment, stem in sharers.filter(
            **{f"{self.name}__in": list(few)}
        ).values_list("pk", "moment", "stem"):
            said = Clues(moment, stem)
            by_key[getattr(said, self.name)].append((pk, said))
        for sharing in by_key.values():
            for one, ours in sharing:
                others = [
                    other
                    for other, theirs in sharing
                    if other != one and may_be_one(ours, theirs)
                ]
                if one in photos and len(others) < CROWD:
                    yield from ((one, other) for other in others)


class MomentRoad(ClueRoad):
    """The same camera at the same second."""

    name = "moment"


class StemRoad(ClueRoad):
    """The same file name but for what was added to it."""

    name = "stem"


# In the order in which they are walked: of two that find a pair the first one is noted.
ROADS: tuple[type[Road], ...] = (HashRoad, SpotRoad, MomentRoad, StemRoad)


def _own_rows(
    photos: list[int], recipe: int, columns: tuple[str, ...]
) -> list[tuple[Any, ...]]:
    """Return the columns of these photos' fingerprints of the recipe."""
    return [
        row
        for some in chunks(photos, FEW)
        for row in Fingerprint.objects.filter(pk__in=some, recipe=recipe)
        .order_by("pk")
        .values_list(*columns)
    ]


def _rows(
    recipe: int, reached: int, columns: tuple[str, ...], count: int
) -> list[tuple[Any, ...]]:
    rows = Fingerprint.objects.to_find(recipe).filter(pk__gt=reached).order_by("pk")
    return list(rows.values_list(*columns)[:count])


def _parted(
    rows: list[tuple[Any, ...]],
) -> tuple[list[tuple[Any, ...]], list[int]]:
    """Return the rows of live photos, and the ids of those in the trash."""
    live = [row for row in rows if row[-1] is None]
    return live, [row[0] for row in rows if row[-1] is not None]


def _hashes(
    rows: list[tuple[Any, ...]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows (id, bits, quality, ...) as ids, hashes [n, 4] and marks of flatness."""
    quality = np.array([row[2] for row in rows], dtype=np.int16)
    return (
        np.array([row[0] for row in rows], dtype=np.int64),
        perceptual.words(b"".join(bytes(row[1]) for row in rows)),
        quality < perceptual.FLAT_BELOW,
    )
