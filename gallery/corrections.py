"""Dates set right by people, for many photos as one, and taken back one at a time.

What stood there before is kept in rows, and the photos are written from those rows: one
statement for as many photos as it takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone

from gallery.beside import note_folders_of
from gallery.dates import Evidence
from gallery.dating import WHEN
from gallery.models import CorrectedDate, Correction, Origin, Photo, Precision
from gallery.models.corrections import CorrectedDateQuerySet
from gallery.spoken import Said, moved
from gallery.stages import chunks

AT_ONCE = 2_000
DAY = timedelta(days=1)
# What a clock can be off by, where photos say no more than the day.
WHOLE_DAYS = (Precision.SECOND, Precision.MINUTE, Precision.DAY)
EXACT = (Precision.SECOND, Precision.MINUTE)


class CannotUndo(Exception):
    """Something later was said of the date, or it has been taken back already."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """What was done: the correction, unless it changed nothing, and its photos."""

    correction: Correction | None
    count: int = 0
    # Photos that were left as they are: gone, or known too vaguely to be moved.
    left: int = 0


@transaction.atomic
def correct(photos: Iterable[int], said: Said, *, text: str, by: Any) -> Corrected:
    """Give photos the date somebody said."""

    def after(taken: tuple[Any, ...]) -> tuple[Any, ...]:
        return said.taken_at, None, said.precision.value

    correction = Correction(
        by=by, said=text[:100], earliest=said.earliest, latest=said.latest
    )
    return _write(correction, list(photos), after)


@transaction.atomic
def choose(photo: Photo, evidence: Evidence, *, by: Any) -> Corrected:
    """Give a photo the date that this piece of evidence states, whatever speaks against."""

    def after(taken: tuple[Any, ...]) -> tuple[Any, ...]:
        return evidence.taken_at, evidence.offset_minutes, evidence.precision.value

    correction = Correction(
        by=by, chosen=evidence.origin.value, said=evidence.said[:100]
    )
    return _write(correction, [photo.pk], after)


@transaction.atomic
def shift(photos: Iterable[int], by_time: timedelta, *, by: Any) -> Corrected:
    """Set clocks right by so much; dates too vague for it stay as they are."""
    fine = EXACT if by_time % DAY else WHOLE_DAYS

    def after(taken: tuple[Any, ...]) -> tuple[Any, ...] | None:
        at, offset, precision, _ = taken
        if at is None or precision not in fine:
            return None
        right = moved(at, by_time)
        return None if right is None else (right, offset, precision)

    seconds = round(by_time.total_seconds())
    return _write(Correction(by=by, seconds=seconds), list(photos), after)


def _write(correction: Correction, photos: list[int], after: Any) -> Corrected:
    count = 0
    for some in chunks(sorted(set(photos)), AT_ONCE):
        rows = list(_rows(correction, some, after))
        if not rows:
            continue
        if correction.pk is None:
            correction.save()
        CorrectedDate.objects.bulk_create(rows)
        _apply(correction, [row.photo_id for row in rows], "after")
        count += len(rows)
    return Corrected(correction if count else None, count, len(set(photos)) - count)


def _rows(
    correction: Correction, photos: Iterable[int], after: Any
) -> Iterator[CorrectedDate]:
    live = Photo.objects.live().select_for_update().order_by("pk")
    for pk, *before in live.filter(pk__in=list(photos)).values_list("pk", *WHEN):
        then = after(tuple(before))
        if then is None or (*then, Origin.PERSON) == tuple(before):
            continue
        yield CorrectedDate(
            correction=correction,
            photo_id=pk,
            **_named("before", WHEN, before),
            **_named("after", WHEN[:3], then),
        )


def _named(when: str, names: Iterable[str], values: Iterable[Any]) -> dict[str, Any]:
    pairs = zip(names, values, strict=True)
    return {f"{when}_{name}": value for name, value in pairs}


def _apply(correction: Correction, photos: list[int], when: str) -> None:
    """Give these photos the dates of before or after a correction."""
    own = CorrectedDate.objects.filter(correction=correction, photo=OuterRef("pk"))
    values: dict[str, Any] = {
        name: Subquery(own.values(f"{when}_{name}")) for name in WHEN[:3]
    }
    if when == "before":
        values["taken_from"] = Subquery(own.values("before_taken_from"))
    else:
        values["taken_from"] = Origin.PERSON
    Photo.objects.filter(pk__in=photos).update(**values)


@transaction.atomic
def undo(correction: Correction, *, by: Any) -> int:
    """Take a correction back for all photos that stand as it left them; return how many.

    Those that were corrected again since keep what was said last.
    """
    return _take_back(correction, correction.dates.in_force(), by=by)


@transaction.atomic
def undo_one(row: CorrectedDate, *, by: Any) -> None:
    """Take a correction of one photo back; raise CannotUndo where others build on it."""
    mine = CorrectedDate.objects.in_force().filter(pk=row.pk)
    if not _take_back(row.correction, mine, by=by):
        raise CannotUndo(f"{row} is not what stands there now.")


def _take_back(correction: Correction, rows: CorrectedDateQuerySet, *, by: Any) -> int:
    """Give back what was before, where nothing later is in force."""
    later = CorrectedDate.objects.in_force().filter(
        photo=OuterRef("photo"), pk__gt=OuterRef("pk")
    )
    last = rows.filter(~Exists(later), photo__taken_from=Origin.PERSON)
    photos = list(last.order_by("photo").values_list("photo", flat=True))
    for some in chunks(photos, AT_ONCE):
        _apply(correction, some, "before")
        correction.dates.filter(photo__in=some).update(
            undone_at=timezone.now(), undone_by=by
        )
    # What came in meanwhile counts from now on.
    note_folders_of(photos)
    return len(photos)


def history(photo: Photo) -> list[CorrectedDate]:
    """Return what people said of a photo's date and still holds, the latest first."""
    rows = photo.corrections.in_force().select_related("correction__by")
    return list(rows.order_by("-pk"))
