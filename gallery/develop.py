"""From an original to what the family sees: its thumbnail, its facts, its date.

Decoding comes first and touches no row; then a whole batch is written at once. An import
does both in the pass that stores the original, the workers do them for what is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from gallery import beside, dating, drafts, vault
from gallery.decoding import Unreadable
from gallery.models import Photo, Thumbnail

if TYPE_CHECKING:
    from gallery.metadata import Metadata
    from gallery.sandbox import Sandbox


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
    told = dating.told(photos)
    for pk, photo in sorted(photos.items()):
        photo.update_facts(**facts(prints[pk]))
        photo.update_facts(**dating.taken(photo, told[pk]))
        close(photo, prints[pk])
    beside.note_folders_of(photos)


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
