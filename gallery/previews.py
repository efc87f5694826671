"""The large rendition of a photo: made when somebody first looks at it, and kept."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from threading import Lock

from django.conf import settings

from gallery import renditions, vault
from gallery.develop import place_rendition
from gallery.models import Photo
from gallery.sandbox import Sandbox, Unreadable

# One at a time in a process: decoding takes the memory of the whole picture.
ONE_AT_A_TIME = Lock()


class NoPreview(Exception):
    """A picture that cannot be shown, and why."""


def place(photo: Photo) -> Path:
    return vault.rendition(
        settings.IMAGEVAULT_DATA,
        photo.digest,
        name="preview",
        recipe=renditions.RECIPE,
    )


def preview(photo: Photo) -> Path:
    """Return where the photo's preview lies, making it first if it does not.

    Raise NoPreview for a photo that cannot be decoded.
    """
    path = place(photo)
    if path.is_file():
        return path
    with ONE_AT_A_TIME:
        if not path.is_file():
            make(photo)
    return path


@cache
def sandbox() -> Sandbox:
    return Sandbox(
        memory_mb=settings.IMAGEVAULT_DECODE_MEMORY_MB,
        seconds=settings.IMAGEVAULT_DECODE_SECONDS,
    )


def make(photo: Photo) -> None:
    data = settings.IMAGEVAULT_DATA
    vault.require(data)
    original = vault.original(data, photo.digest, photo.extension)
    try:
        rendition = sandbox().preview(original)
    except Unreadable as error:
        raise NoPreview(f"This photo cannot be shown: {error.reason}.") from error
    place_rendition(
        photo.digest, rendition.data, name="preview", recipe=renditions.RECIPE
    )
