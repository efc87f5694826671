"""Background work of the gallery: thumbnails, and what is read with them."""

from django.conf import settings

from gallery import develop, vault
from gallery.models import Photo, Thumbnail
from gallery.sandbox import Sandbox
from imagevault.queue import enqueue_steps, work_through
from imagevault.work import Stage

# Photos in a task: the queue costs little beside them, and a stop little of them.
BATCH = 32

THUMBNAILS = Stage("thumbnails", "Thumbnails", Thumbnail)

sandbox = Sandbox(
    memory_mb=settings.IMAGEVAULT_DECODE_MEMORY_MB,
    seconds=settings.IMAGEVAULT_DECODE_SECONDS,
)


def feed(room: int) -> int:
    """Queue outstanding thumbnails, `room` tasks at most; return how many.

    Raise NoVault where there is nothing to make them of.
    """
    vault.require(settings.IMAGEVAULT_DATA)
    return enqueue_steps(
        Thumbnail.objects.all(), make_thumbnails, room=room, size=BATCH
    )


def make_thumbnails(photo_ids: list[int]) -> None:
    """Make a batch of thumbnails. Running it twice writes the same rows."""
    # Or every photo would be told to be missing while the disk is not mounted.
    vault.require(settings.IMAGEVAULT_DATA)
    photos = Photo.objects.in_bulk(photo_ids)
    prints = {}
    try:
        for pk in work_through(Thumbnail.objects.all(), photo_ids):
            prints[pk] = develop.develop_photo(photos[pk], sandbox)
    finally:
        develop.record(prints)
