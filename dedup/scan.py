"""Looking: which photos have no fingerprint yet, and what they look like.

Work to do is rows. Everything here may run twice, or beside itself in another process,
and leaves what one run would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from dedup.clues import Clues
from dedup.models import (
    Comparison,
    DuplicateSet,
    Fingerprint,
    LocalFeatures,
    Member,
    Search,
)
from dedup.perceptual import PerceptualHashes
from gallery.models import Photo
from gallery.stages import chunks

WRITE_AT_ONCE = 2_000
FEW = 500


@dataclass(frozen=True, slots=True)
class Look:
    """All that is known of a photo from one look at its thumbnail and its facts."""

    hashes: PerceptualHashes
    spots: bytes
    clues: Clues


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
    for some in chunks(returned, FEW):
        Comparison.objects.measured().touching(some).regroup()
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
def record(looks: Mapping[int, Look]) -> None:
    """Write what looking gave, by photo id."""
    for pk, row in Fingerprint.objects.in_bulk(sorted(looks)).items():
        look = looks[pk]
        row.finish(
            bits=look.hashes.bits,
            phash=look.hashes.phash,
            quality=look.hashes.quality,
            moment=look.clues.moment,
            stem=look.clues.stem,
            search=Search.DUE,
        )
    LocalFeatures.objects.bulk_create(
        [
            LocalFeatures(fingerprint_id=pk, spots=look.spots)
            for pk, look in looks.items()
        ],
        update_conflicts=True,
        unique_fields=["fingerprint"],
        update_fields=["spots"],
    )


@transaction.atomic
def _mark(photo_ids: Iterable[int], search: Search) -> None:
    for some in chunks(photo_ids, WRITE_AT_ONCE):
        Fingerprint.objects.filter(pk__in=some).update(search=search)
