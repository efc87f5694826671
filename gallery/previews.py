"""The large rendition of a photo: made when somebody first looks at it, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Lock

from django.conf import settings
from django.utils.translation import gettext

from gallery import renditions, vault
from gallery.develop import place_rendition
from gallery.models import Photo
from gallery.sandbox import Sandbox, Unreadable
from imagevault.spoken import spoken

# A slow file holds up one decoder, and the others go on; more would take the memory of
# as many whole pictures. The one used last is used first: most run only when needed.
DECODERS = 3
# Whoever waits keeps a thread of the web server from everybody else.
WAIT_SECONDS = 10.0

sandboxes: LifoQueue[Sandbox] = LifoQueue()
for _ in range(DECODERS):
    sandboxes.put(
        Sandbox(
            memory_mb=settings.IMAGEVAULT_DECODE_MEMORY_MB,
            seconds=settings.IMAGEVAULT_DECODE_SECONDS,
        )
    )
# Of those who ask for one photo at once, one has it made. Few photos share a lock.
LOCKS = [Lock() for _ in range(256)]


class Busy(Exception):
    """Every decoder is at work on a photo that takes long."""


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

    Raise NoPreview for a photo that cannot be decoded, Busy if it has to wait too long.
    """
    path = place(photo)
    if path.is_file():
        return path
    with in_turn(photo):
        if not path.is_file():
            make(photo)
    return path


@contextmanager
def in_turn(photo: Photo) -> Iterator[None]:
    lock = LOCKS[int(photo.digest[:2], 16)]
    if not lock.acquire(timeout=WAIT_SECONDS):
        raise Busy
    try:
        yield
    finally:
        lock.release()


@contextmanager
def decoder() -> Iterator[Sandbox]:
    try:
        sandbox = sandboxes.get(timeout=WAIT_SECONDS)
    except Empty:
        raise Busy from None
    try:
        yield sandbox
    finally:
        sandboxes.put(sandbox)


def make(photo: Photo) -> None:
    data = settings.IMAGEVAULT_DATA
    vault.require(data)
    original = vault.original(data, photo.digest, photo.extension)
    try:
        with decoder() as sandbox:
            rendition = sandbox.preview(original)
    except Unreadable as error:
        said = gettext("This photo cannot be shown: %s.") % spoken(error.reason)
        raise NoPreview(said) from error
    place_rendition(
        photo.digest, rendition.data, name="preview", recipe=renditions.RECIPE
    )
