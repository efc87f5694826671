"""From an original to what the family sees: its thumbnail, its facts, its date.

Decoding comes first and touches no row; then a whole batch is written at once. An import
does both in the pass that stores the original, the workers do them for what is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from gallery import dates, drafts, vault
from gallery.decoding import Unreadable
from gallery.models import Photo, SourceFile, Thumbnail

if TYPE_CHECKING:
    from gallery.metadata import Metadata
    from gallery.sandbox import Sandbox

# Dates that another sighting of the photo may still improve on.
WEAK = (
    dates.Origin.FILE_NAME,
    dates.Origin.EXIF_MODIFIED,
    dates.Origin.MODIFICATION_TIME,
    dates.Origin.NONE,
)


# The fields of a photo that say when it was taken.
WHEN = ("taken_at", "taken_offset", "taken_precision", "taken_from")


@dataclass(frozen=True, slots=True)
class Print:
    """What developing one original gave; the thumbnail itself is in its place already.

    The thumbnail's width and height are None where the picture cannot be shown;
    `problem` says why, or what is wrong with what is shown.
    """

    metadata: Metadata | None = None
    width: int | None = None
    height: int | None = None
    problem: str = ""
    colours: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one sighting says of a photo's date: its path and modification time."""

    path: str
    modified_ns: int | None  # since 1970 UTC


def develop(original: Path, *, digest: str, sandbox: Sandbox) -> Print:
    """Decode an original and put its thumbnail into place. Writes no row."""
    try:
        developed = sandbox.develop(original)
    except Unreadable as error:
        # What cannot be shown may still have told who made it, and when.
        return Print(getattr(error, "metadata", None), problem=error.reason)
    thumbnail = developed.thumbnail
    place_rendition(digest, thumbnail.data, name="thumbnail", recipe=Thumbnail.RECIPE)
    return Print(
        developed.metadata,
        thumbnail.width,
        thumbnail.height,
        thumbnail.problem,
        thumbnail.colours,
    )


def develop_photo(photo: Photo, sandbox: Sandbox) -> Print:
    """Develop the stored original of a photo. Writes no row."""
    folder = settings.IMAGEVAULT_DATA
    original = vault.original(folder, photo.digest, photo.extension)
    return develop(original, digest=photo.digest, sandbox=sandbox)


def place_rendition(digest: str, picture: bytes, *, name: str, recipe: int) -> Path:
    """Write a rendition, whole or not at all; it may be there already."""
    folder = settings.IMAGEVAULT_DATA
    place = vault.rendition(folder, digest, name=name, recipe=recipe)
    place.parent.mkdir(parents=True, exist_ok=True)
    # No flush to the disk: a rendition can be made again.
    with drafts.draft(folder / "incoming") as draft:
        draft.write(picture)
        draft.publish(place)
    return place


@transaction.atomic
def record(prints: Mapping[int, Print]) -> None:
    """Write what developing gave, by photo id: facts, dates, finished or failed steps."""
    photos = Photo.objects.in_bulk(sorted(prints))
    sightings = seen(photos)
    for pk, photo in sorted(photos.items()):
        photo.update_facts(**facts(prints[pk]))
        photo.update_facts(**taken(photo, sightings[pk]))
        close(photo, prints[pk])


def close(photo: Photo, print_: Print) -> None:
    """Finish the photo's step with its thumbnail, or set it aside with its reason."""
    row, _ = Thumbnail.objects.get_or_create(photo=photo)
    if print_.width is None:
        row.fail(print_.problem)
    else:
        made = {"width": print_.width, "height": print_.height}
        row.finish(**made, colours=print_.colours)


def step(photo: Photo, print_: Print | None) -> Thumbnail:
    """A new photo's step, unsaved: closed as `close` does, or open without a print."""
    if print_ is None:
        return Thumbnail(photo=photo)
    if print_.width is None:
        return Thumbnail(photo=photo, problem=print_.problem[:500])
    return Thumbnail(
        photo=photo,
        recipe=Thumbnail.RECIPE,
        finished_at=timezone.now(),
        width=print_.width,
        height=print_.height,
        colours=print_.colours,
    )


def facts(print_: Print) -> dict[str, Any]:
    """The photo's fields that come from its file; what cannot be read stays as it is."""
    problem = {"problem": print_.problem[:500]}
    metadata = print_.metadata
    if metadata is None:
        return problem
    return {
        **problem,
        "width": metadata.width,
        "height": metadata.height,
        "camera_make": metadata.make[:100],
        "camera_model": metadata.model[:100],
        "latitude": metadata.latitude,
        "longitude": metadata.longitude,
        "facts": metadata.to_json(),
    }


def taken(photo: Photo, sightings: Sequence[Seen]) -> dict[str, Any]:
    """The fields of the best date from the file, its names, its oldest copy.

    What is known already stays unless something better is found: it may have come from
    another copy of the picture. What a person said stays, even that nobody knows.
    """
    if photo.taken_from == dates.Origin.PERSON:
        return {name: getattr(photo, name) for name in WHEN}
    found = dates.best(
        [
            *_known(photo),
            *_in_the_file(photo),
            *_names(sightings),
            *_oldest(sightings),
        ]
    )
    return {
        "taken_at": found.taken_at,
        "taken_offset": found.offset_minutes,
        "taken_precision": found.precision.value,
        "taken_from": found.origin.value,
    }


def _known(photo: Photo) -> list[dates.Evidence]:
    if photo.taken_at is None:
        return []
    return [
        dates.Evidence(
            photo.taken_at,
            dates.Precision(photo.taken_precision),
            dates.Origin(photo.taken_from),
            photo.taken_offset,
        )
    ]


def _in_the_file(photo: Photo) -> list[dates.Evidence]:
    return [dates.Evidence.from_json(one) for one in photo.facts.get("dates", [])]


def _names(sightings: Sequence[Seen]) -> list[dates.Evidence]:
    names = {sighting.path.rpartition("/")[2] for sighting in sightings}
    return [found for name in sorted(names) if (found := dates.from_name(name))]


def _oldest(sightings: Sequence[Seen]) -> list[dates.Evidence]:
    """The earliest modification time: every copy made since can only be later."""
    zone = timezone.get_default_timezone()
    times = [one.modified_ns for one in sightings if one.modified_ns is not None]
    every = (dates.from_modified(time / 1e9, zone=zone) for time in times)
    return [found for found in every if found]


def seen(photos: Iterable[int]) -> dict[int, list[Seen]]:
    """Every sighting of these photos, by photo id."""
    found: dict[int, list[Seen]] = defaultdict(list)
    rows = SourceFile.objects.filter(photo__in=list(photos))
    for photo, path, modified_ns in rows.values_list("photo", "path", "modified_ns"):
        found[photo].append(Seen(path, modified_ns))
    return found
