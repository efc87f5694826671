"""Looking: which photos have no fingerprint yet, and which look like which.

Work to do is rows. Everything here may run twice, or beside itself in another process,
and leaves what one run would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from dedup import perceptual
from dedup.models import (
    Comparison,
    DuplicateSet,
    Fingerprint,
    Member,
    Search,
    Verdict,
    pair_of,
)
from dedup.neighbours import neighbours
from dedup.perceptual import PerceptualHashes
from gallery.models import Photo
from gallery.stages import chunks

SEARCH_AT_ONCE = 10_000
WRITE_AT_ONCE = 2_000
FEW = 500

# Turns whose inverse is another: clockwise and anticlockwise (dedup.perceptual).
INVERSE_TURN = (0, 1, 2, 3, 4, 7, 6, 5)

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate pair of photo ids, the smaller one left."""

    distance: int
    turn: int


def enrol() -> int:
    """Give photos that came since the last time a fingerprint row; return how many."""
    newest = Fingerprint.objects.aggregate(newest=Max("pk"))["newest"] or 0
    return _enrol(Photo.objects.live().filter(pk__gt=newest))


def sweep() -> int:
    """Find what a restored backup, or a photo back from the trash, left undone.

    Return how many rows were put to work. It looks at every photo: now and then is
    enough.
    """
    rows = Fingerprint.objects.filter(pk=OuterRef("pk"))
    enrolled = _enrol(Photo.objects.live().filter(~Exists(rows)))
    back = Fingerprint.objects.live().filter(search=Search.APART)
    returned = list(back.values_list("pk", flat=True))
    _mark(returned, Search.DUE)
    gone = Member.objects.filter(
        duplicate_set__state=DuplicateSet.State.OPEN, photo__trashed_at__isnull=False
    )
    left = list(gone.values_list("photo", flat=True))
    for some in chunks(left, FEW):
        Comparison.objects.measured().touching(some).regroup()
    return enrolled + len(returned) + len(left)


def _enrol(photos: QuerySet[Photo]) -> int:
    pks = list(photos.order_by("pk").values_list("pk", flat=True))
    for some in chunks(pks, WRITE_AT_ONCE):
        Fingerprint.objects.bulk_create(
            [Fingerprint(photo_id=pk) for pk in some], ignore_conflicts=True
        )
    return len(pks)


@transaction.atomic
def record(looks: Mapping[int, PerceptualHashes]) -> None:
    """Write what looking gave, by photo id."""
    for pk, row in Fingerprint.objects.in_bulk(sorted(looks)).items():
        look = looks[pk]
        row.finish(
            bits=look.bits,
            phash=look.phash,
            quality=look.quality,
            search=Search.DUE,
        )


@dataclass(frozen=True, slots=True)
class Population:
    """The current fingerprints, as arrays of one length sorted by photo id."""

    photo: np.ndarray
    hashes: np.ndarray
    flat: np.ndarray
    due: np.ndarray

    def __len__(self) -> int:
        return len(self.photo)


def search(*, threads: int = 1) -> int:
    """Join live fingerprints that are due against all live ones; return how many were.

    Pairs found become comparisons, except those a person has answered.
    """
    population, apart = _population()
    new = np.flatnonzero(population.due)[:SEARCH_AT_ONCE]
    if not len(new):
        return 0
    # What lies in the trash is not looked at now, so it has to look when it is back.
    _mark(apart, Search.APART)
    pairs = _pairs(population, new, threads=threads)
    searched = population.photo[new].tolist()
    _offer(pairs)
    for some in chunks(searched, FEW):
        Comparison.objects.measured().touching(some).regroup()
    _mark(searched, Search.DONE)
    return len(searched)


def _population() -> tuple[Population, list[int]]:
    """Return the live fingerprints, and the ids of those in the trash not yet apart."""
    rows = Fingerprint.objects.current().order_by("pk")
    columns = rows.values_list(
        "pk", "bits", "quality", "search", "photo__trashed_at"
    ).iterator(chunk_size=10_000)
    live: list[tuple[int, bytes, int, bool]] = []
    apart = []
    for pk, bits, quality, state, trashed_at in columns:
        if trashed_at is None:
            live.append((pk, bytes(bits), quality, state == Search.DUE))
        elif state != Search.APART:
            apart.append(pk)
    quality = np.array([row[2] for row in live], dtype=np.int16)
    population = Population(
        photo=np.array([row[0] for row in live], dtype=np.int64),
        hashes=perceptual.words(b"".join(row[1] for row in live)),
        flat=quality < perceptual.FLAT_BELOW,
        due=np.array([row[3] for row in live], dtype=np.bool_),
    )
    return population, apart


def _pairs(
    population: Population, new: np.ndarray, *, threads: int
) -> dict[Pair, Found]:
    near = neighbours(
        population.hashes[new],
        population.hashes,
        flat_new=population.flat[new],
        flat_everything=population.flat,
        threads=threads,
    )
    pairs = {}
    photos = population.photo.tolist()
    ours = [photos[place] for place in new.tolist()]
    for place, other, distance, turn in near:
        one, two = ours[place], photos[other]
        if one < two:
            pairs[one, two] = Found(distance, turn)
        elif two < one:
            pairs[two, one] = Found(distance, INVERSE_TURN[turn])
    return pairs


def _offer(pairs: dict[Pair, Found]) -> None:
    for some in chunks(sorted(pairs), WRITE_AT_ONCE):
        answered = _answered(some)
        Comparison.objects.bulk_create(
            [
                Comparison(
                    left_id=pair[0],
                    right_id=pair[1],
                    distance=pairs[pair].distance,
                    turn=pairs[pair].turn,
                )
                for pair in some
                if pair not in answered
            ],
            ignore_conflicts=True,
        )


def _answered(pairs: Iterable[Pair]) -> set[Pair]:
    """Return the pairs of photos on which there is a verdict."""
    pairs = list(pairs)
    photos = Photo.objects.filter(pk__in={photo for pair in pairs for photo in pair})
    digests = dict(photos.values_list("pk", "digest"))
    by_digest = {pair_of(digests[one], digests[two]): (one, two) for one, two in pairs}
    return {by_digest[pair] for pair in Verdict.objects.of(by_digest)}


@transaction.atomic
def _mark(photo_ids: Iterable[int], search: str) -> None:
    for some in chunks(photo_ids, WRITE_AT_ONCE):
        Fingerprint.objects.filter(pk__in=some).update(search=search)
