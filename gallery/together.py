"""What is done to several photos as one, in few statements however many they are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from gallery.models import Favourite, Photo
from gallery.stages import chunks

AT_ONCE = 2_000


@transaction.atomic
def move_to_trash(photos: Iterable[int], *, by: Any) -> tuple[datetime, int]:
    """Take photos out of the gallery, in favour of nothing.

    Return the moment that names them as one, and how many; what was not live stays as
    it is. Copies that gave way to one of them stay in the trash and in the vault.
    """
    now = timezone.now()
    moved = 0
    for some in chunks(sorted(set(photos)), AT_ONCE):
        live = Photo.objects.live().filter(pk__in=some)
        moved += live.update(trashed_at=now, trashed_by=by, in_favour_of=None)
    return now, moved


def trashed_together(moment: datetime, *, by: Any) -> Any:
    """Return the photos that one act of somebody put into the trash."""
    return Photo.objects.by_hand().filter(trashed_at=moment, trashed_by=by)


@transaction.atomic
def star(photos: Iterable[int], *, by: Any) -> int:
    """Make photos somebody's favourites; return how many are now that were not."""
    new = 0
    for some in chunks(sorted(set(photos)), AT_ONCE):
        there = Photo.objects.filter(pk__in=some).values_list("pk", flat=True)
        known = Favourite.objects.of(by).photos(some)
        rows = [Favourite(user=by, photo_id=pk) for pk in there if pk not in known]
        Favourite.objects.bulk_create(rows, ignore_conflicts=True)
        new += len(rows)
    return new


@transaction.atomic
def unstar(photos: Iterable[int], *, by: Any) -> int:
    """Take stars back; return how many there were."""
    gone = 0
    for some in chunks(sorted(set(photos)), AT_ONCE):
        gone += Favourite.objects.of(by).filter(photo__in=some).delete()[0]
    return gone
