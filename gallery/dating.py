"""Gather what is known of a photo's date, from everywhere, and have it weighed.

What the file says stands with the photo, names, folders and times stand in its sightings:
all of that is read anew each time, so that a new copy or a better rule counts at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone

from gallery import dates, liars
from gallery.dates import Evidence, Origin, Precision
from gallery.folder_names import from_folders
from gallery.models import DateEvidence, Photo, SourceFile, path_as_given

# The fields of a photo that say when it was taken.
WHEN = ("taken_at", "taken_offset", "taken_precision", "taken_from")
# Of the best there is: another sighting has nothing to add.
SURE = (Origin.PERSON, Origin.EXIF_ORIGINAL)
# What can only be known from a copy if nothing here says it any more.
HANDED_OVER = (
    *(Origin.EXIF_ORIGINAL, Origin.EXIF_DIGITISED, Origin.XMP, Origin.FILE_NAME),
    *(Origin.EXIF_MODIFIED, Origin.MODIFICATION_TIME),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one sighting says of a photo's date: its path as given, and modification time."""

    path: str
    modified_ns: int | None  # since 1970 UTC

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def taken(photo: Photo, told: Sequence[Evidence]) -> dict[str, Any]:
    """The fields of the best date, by the file and by what else is told of it.

    What a person said stays, even that nobody knows.
    """
    if photo.taken_from == Origin.PERSON:
        return {name: getattr(photo, name) for name in WHEN}
    found = dates.weigh(evidence(photo, told)).taken
    return {
        "taken_at": found.taken_at,
        "taken_offset": found.offset_minutes,
        "taken_precision": found.precision.value,
        "taken_from": found.origin.value,
    }


def weigh_again(photos: Sequence[Photo]) -> list[int]:
    """Weigh the dates of these photos anew; return those that have another one now."""
    said = told(photo.pk for photo in photos)
    changed = []
    for photo in photos:
        better = taken(photo, said[photo.pk])
        if any(getattr(photo, name) != value for name, value in better.items()):
            photo.update_facts(**better)
            changed.append(photo.pk)
    return changed


def every(photo: Photo) -> dates.Weighed:
    """All that speaks for a photo's date, weighed without what people said of it."""
    return dates.weigh(evidence(photo, told([photo.pk])[photo.pk]))


def note_copies(pairs: Iterable[tuple[Photo, Photo]]) -> None:
    """Note as evidence what photos were told by a copy: photo and copy each.

    Both have the date already. What a person said is no evidence but the last word.
    """
    DateEvidence.objects.bulk_create(
        DateEvidence(
            photo=photo,
            taken_at=photo.taken_at,
            offset_minutes=photo.taken_offset,
            precision=photo.taken_precision,
            origin=photo.taken_from,
            said=copy.name[:255],
        )
        for photo, copy in pairs
        if photo.taken_at and photo.taken_from != Origin.PERSON
    )


def forget_copy(photo: Photo) -> None:
    """Forget the evidence of a copy on which the photo's date rests now."""
    said = {"taken_at": photo.taken_at, "origin": photo.taken_from}
    DateEvidence.objects.filter(photo=photo, sighting=None, **said).delete()


def evidence(photo: Photo, told: Sequence[Evidence]) -> list[Evidence]:
    """All there is to say of a photo's date, each statement with what says it."""
    found = [*_in_the_file(photo), *told]
    return [*found, *_handed_over(photo, found)]


def told(photos: Iterable[int]) -> dict[int, list[Evidence]]:
    """What names, folders, times and other files say of these photos, by photo id."""
    pks = list(photos)
    found: dict[int, list[Evidence]] = defaultdict(list)
    for photo, sightings in _seen(pks).items():
        found[photo] += by_sightings(sightings)
    rows = DateEvidence.objects.filter(photo__in=pks).order_by("pk")
    for row in rows:
        found[row.photo_id].append(
            Evidence(
                row.taken_at,
                Precision(row.precision),
                Origin(row.origin),
                row.offset_minutes,
                said=row.said,
            )
        )
    return found


def by_sightings(sightings: Sequence[Seen]) -> list[Evidence]:
    """What a photo's files say by their names, their folders and their times."""
    return [*_names(sightings), *_folders(sightings), *_times(sightings)]


def _in_the_file(photo: Photo) -> list[Evidence]:
    every = (Evidence.from_json(one) for one in photo.facts.get("dates", []))
    return liars.honest(every, photo.facts)


def _names(sightings: Sequence[Seen]) -> list[Evidence]:
    zone = timezone.get_default_timezone()
    names = sorted({sighting.name for sighting in sightings})
    every = ((name, dates.from_name(name, zone=zone)) for name in names)
    return [replace(found, said=name) for name, found in every if found]


def _folders(sightings: Sequence[Seen]) -> list[Evidence]:
    every = (from_folders(sighting.path) for sighting in sightings)
    return [found for found in every if found]


def _times(sightings: Sequence[Seen]) -> list[Evidence]:
    """The earliest modification time: every copy made since can only be later."""
    zone = timezone.get_default_timezone()
    times = (one.modified_ns for one in sightings if one.modified_ns is not None)
    every = (dates.from_modified(time / 1e9, zone=zone) for time in sorted(times))
    found = [one for one in every if one]
    # A time nobody believes does not stand in the way of the next.
    return found[:1] + [one for one in found[1:] if dates.is_lie(found[0])][:1]


def _handed_over(photo: Photo, found: Sequence[Evidence]) -> list[Evidence]:
    """What stands there and nothing says any more: a copy said so, or an older file."""
    if photo.taken_at is None or photo.taken_from not in HANDED_OVER:
        return []
    origin = Origin(photo.taken_from)
    if any((one.taken_at, one.origin) == (photo.taken_at, origin) for one in found):
        return []
    precision = Precision(photo.taken_precision)
    if origin is Origin.MODIFICATION_TIME:
        precision = Precision.LATEST
    return [Evidence(photo.taken_at, precision, origin, photo.taken_offset)]


def _seen(photos: Sequence[int]) -> dict[int, list[Seen]]:
    """Every sighting of these photos, by photo id."""
    found: dict[int, list[Seen]] = defaultdict(list)
    rows = SourceFile.objects.filter(photo__in=photos)
    values = rows.values_list("photo", "source__kind", "path", "modified_ns")
    for photo, kind, path, modified_ns in values:
        found[photo].append(Seen(path_as_given(kind, path), modified_ns))
    return found
