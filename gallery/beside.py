"""Weigh the dates of a folder's photos in the light of each other.

Which folders have to be looked at stands in rows, noted with whatever changed there; an
import does its own at its end, the workers do what is left over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError, transaction

from gallery import dating, series
from gallery.dates import EXACT, Evidence
from gallery.folder_names import from_folders
from gallery.models import DateEvidence, FolderToDate, Origin, Photo, SourceFile
from gallery.stages import chunks

logger = logging.getLogger(__name__)

AT_ONCE = 500
# What the files beside a photo may say of it.
FROM_BESIDE = (Origin.NEIGHBOURS, Origin.FILE_TIME)
# Dates that can bear others.
BEARS = (
    *(Origin.PERSON, Origin.EXIF_ORIGINAL, Origin.EXIF_DIGITISED, Origin.XMP),
    *(Origin.SIDECAR, Origin.FILE_NAME),
)


@dataclass(frozen=True, slots=True)
class _Here:
    """One file of the folder."""

    pk: int
    path: str
    modified_ns: int | None
    photo: int

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def note_folders_of(photos: Iterable[int]) -> None:
    """Have the folders weighed again in which these photos lie."""
    for some in chunks(photos, AT_ONCE):
        rows = SourceFile.objects.filter(photo__in=some, folder_key__isnull=False)
        FolderToDate.objects.note(rows.values_list("source", "folder_key"))


def weigh_outstanding(
    source: int | None = None,
    *,
    each: Callable[[FolderToDate], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Weigh the folders that wait, of one source or all; return whether none is left."""
    rows = FolderToDate.objects.order_by("pk")
    if source is not None:
        rows = rows.filter(source=source)
    while some := list(rows[:AT_ONCE]):
        for row in some:
            if stop():
                return False
            _weigh_safely(row, each or weigh)
    return True


def _weigh_safely(row: FolderToDate, each: Callable[[FolderToDate], None]) -> None:
    try:
        each(row)
    except DatabaseError:
        raise
    # Whatever one folder does to this program, the others go on.
    except Exception:
        logger.exception("weighing the dates of %s failed", row)
        FolderToDate.objects.filter(pk=row.pk).delete()


@transaction.atomic
def weigh(row: FolderToDate) -> None:
    """Weigh one folder. Running it twice writes the same rows."""
    # First: who notes it from now on, notes it anew.
    FolderToDate.objects.filter(pk=row.pk).delete()
    here = _here(row)
    photos = _locked({one.photo for one in here})
    changed = _write_evidence(here, photos)
    unsure = {
        pk
        for pk, photo in photos.items()
        if row.is_thorough or pk in changed or photo.taken_from not in dating.SURE
    }
    dating.weigh_again([photos[pk] for pk in sorted(unsure)])


def _here(row: FolderToDate) -> list[_Here]:
    rows = SourceFile.objects.current().with_photo().order_by("pk")
    found = rows.filter(source=row.source_id, folder_key=row.folder_key)
    return [
        _Here(*values)
        for values in found.values_list("pk", "path", "modified_ns", "photo")
    ]


def _locked(pks: Iterable[int]) -> dict[int, Photo]:
    """The photos, locked in one order, so that two folders at once do not wait forever."""
    rows = Photo.objects.select_for_update(no_key=True).order_by("pk")
    found: dict[int, Photo] = {}
    for some in chunks(sorted(pks), AT_ONCE):
        found |= {photo.pk: photo for photo in rows.filter(pk__in=some)}
    return found


def _write_evidence(here: list[_Here], photos: dict[int, Photo]) -> set[int]:
    """Write what these files say of each other; return the photos where that changed."""
    shots = [_shot(one, photos[one.photo]) for one in here]
    folder = from_folders(here[0].path) if here else None
    wanted = {
        (one.photo, one.pk, *_plain(told))
        for one, every in zip(here, series.hints(shots, folder), strict=True)
        for told in every
    }
    known = _known(here)
    gone = [pk for values, pk in known.items() if values not in wanted]
    for some in chunks(gone, AT_ONCE):
        DateEvidence.objects.filter(pk__in=some).delete()
    new = sorted(wanted - known.keys())
    DateEvidence.objects.bulk_create([_row(values) for values in new], batch_size=200)
    lost = {values[0] for values in known.keys() - wanted}
    return lost | {values[0] for values in new}


def _shot(one: _Here, photo: Photo) -> series.Shot:
    bears = photo.taken_from in BEARS and photo.taken_precision in EXACT
    return series.Shot(
        one.name,
        _utc(one.modified_ns),
        photo.taken_at if bears else None,
        is_cameras=photo.taken_from == Origin.EXIF_ORIGINAL,
    )


def _utc(modified_ns: int | None) -> datetime | None:
    if modified_ns is None:
        return None
    try:
        return datetime.fromtimestamp(modified_ns / 1e9, UTC).replace(tzinfo=None)
    except (OverflowError, ValueError, OSError):
        return None


def _plain(told: Evidence) -> tuple[Any, ...]:
    said = told.said[:255]
    return told.taken_at, told.precision.value, told.origin.value, said


def _known(here: list[_Here]) -> dict[tuple[Any, ...], int]:
    """What was written before, each with its row."""
    found: dict[tuple[Any, ...], int] = {}
    names = ("photo", "sighting", "taken_at", "precision", "origin", "said")
    for some in chunks([one.pk for one in here], AT_ONCE):
        rows = DateEvidence.objects.filter(sighting__in=some, origin__in=FROM_BESIDE)
        found |= {values[:-1]: values[-1] for values in rows.values_list(*names, "pk")}
    return found


def _row(values: tuple[Any, ...]) -> DateEvidence:
    photo, sighting, taken_at, precision, origin, said = values
    return DateEvidence(
        photo_id=photo,
        sighting_id=sighting,
        taken_at=taken_at,
        precision=precision,
        origin=origin,
        said=said,
    )
