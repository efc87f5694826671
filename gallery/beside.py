"""Weigh the dates of a folder's photos in the light of each other.

Which folders have to be looked at stands in rows, noted with whatever changed there; an
import does its own at its end, the workers do what is left over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from django.db import DatabaseError, transaction

from gallery import dating, notes, series
from gallery.dates import EXACT, Evidence
from gallery.folder_names import from_folders
from gallery.models import (
    DateEvidence,
    FolderToDate,
    Origin,
    Photo,
    SourceFile,
    path_as_given,
)
from gallery.notes import Noted
from gallery.stages import chunks

logger = logging.getLogger(__name__)

AT_ONCE = 500
# What the files beside a photo may say of it.
FROM_BESIDE = (
    *(Origin.NEIGHBOURS, Origin.FILE_TIME),
    *(Origin.SIDECAR, Origin.TAKEOUT),
)
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
    tied = notes.tie(row.source_id, row.folder_key)
    changed = _write_evidence(here, photos, tied)
    changed |= _place(here, photos, tied)
    unsure = {
        pk
        for pk, photo in photos.items()
        if row.is_thorough or pk in changed or photo.taken_from not in dating.SURE
    }
    dating.weigh_again([photos[pk] for pk in sorted(unsure)])


def _here(row: FolderToDate) -> list[_Here]:
    rows = SourceFile.objects.current().with_photo().order_by("pk")
    found = rows.filter(source=row.source_id, folder_key=row.folder_key)
    kind = row.source.kind
    return [
        _Here(pk, path_as_given(kind, path), modified_ns, photo)
        for pk, path, modified_ns, photo in found.values_list(
            "pk", "path", "modified_ns", "photo"
        )
    ]


def _locked(pks: Iterable[int]) -> dict[int, Photo]:
    """The photos, locked in one order, so that two folders at once do not wait forever."""
    rows = Photo.objects.select_for_update(no_key=True).order_by("pk")
    found: dict[int, Photo] = {}
    for some in chunks(sorted(pks), AT_ONCE):
        found |= {photo.pk: photo for photo in rows.filter(pk__in=some)}
    return found


def _place(
    here: list[_Here], photos: dict[int, Photo], tied: Mapping[str, list[Noted]]
) -> set[int]:
    """Write where photos were taken that do not say it themselves; return which."""
    placed = set()
    for one in here:
        photo = photos[one.photo]
        for noted in tied.get(one.name, []):
            if photo.latitude is None and noted.note.latitude is not None:
                where = noted.note.latitude, noted.note.longitude
                photo.update_facts(latitude=where[0], longitude=where[1])
                placed.add(photo.pk)
    return placed


def _write_evidence(
    here: list[_Here], photos: dict[int, Photo], tied: Mapping[str, list[Noted]]
) -> set[int]:
    """Write what these files say of each other; return the photos where that changed."""
    noted = [
        [
            replace(told, said=one.name)
            for one in tied.get(file.name, [])
            for told in one.note.dates
        ]
        for file in here
    ]
    shots = [_shot(one, photos[one.photo]) for one in here]
    folder = from_folders(here[0].path) if here else None
    hints = series.hints(shots, folder)
    wanted = {
        (one.photo, one.pk, *_plain(told))
        for one, *every in zip(here, hints, noted, strict=True)
        for told in chain(*every)
    }
    known = _known(here)
    gone = [pk for values, pk in known.items() if values not in wanted]
    for some in chunks(gone, AT_ONCE):
        DateEvidence.objects.filter(pk__in=some).delete()
    new = sorted(wanted - known.keys(), key=str)
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
    said, offset = told.said[:255], told.offset_minutes
    return told.taken_at, offset, told.precision.value, told.origin.value, said


def _known(here: list[_Here]) -> dict[tuple[Any, ...], int]:
    """What was written before, each with its row."""
    found: dict[tuple[Any, ...], int] = {}
    when = ("taken_at", "offset_minutes", "precision")
    names = ("photo", "sighting", *when, "origin", "said")
    for some in chunks([one.pk for one in here], AT_ONCE):
        rows = DateEvidence.objects.filter(sighting__in=some, origin__in=FROM_BESIDE)
        found |= {values[:-1]: values[-1] for values in rows.values_list(*names, "pk")}
    return found


def _row(values: tuple[Any, ...]) -> DateEvidence:
    photo, sighting, taken_at, offset, precision, origin, said = values
    return DateEvidence(
        photo_id=photo,
        sighting_id=sighting,
        taken_at=taken_at,
        offset_minutes=offset,
        precision=precision,
        origin=origin,
        said=said,
    )
