"""The small rendition of a photo, for screens with large pixels: made out of its thumbnail.

It is made when a browser first asks for it, and kept. The thumbnail is a picture of our
own making, so that no sandbox is needed.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from gallery import renditions, vault
from gallery.develop import place_rendition
from gallery.models import Photo, Thumbnail


class NoSmall(Exception):
    """There is no thumbnail to make it of, or no room for it."""


def small(photo: Photo) -> Path:
    """Return where the small rendition lies, making it first if it does not.

    Photos without colours get them on this occasion. Raise NoSmall.
    """
    data, recipe = settings.IMAGEVAULT_DATA, photo.thumbnail.recipe
    path = vault.rendition(data, photo.digest, name="small", recipe=recipe)
    if path.is_file():
        return path
    thumbnail = vault.rendition(data, photo.digest, name="thumbnail", recipe=recipe)
    try:
        made = renditions.small(thumbnail)
        place_rendition(photo.digest, made.data, name="small", recipe=recipe)
    except (OSError, renditions.Unreadable) as error:
        raise NoSmall(str(error)) from error
    if not photo.thumbnail.colours:
        Thumbnail.objects.filter(pk=photo.pk).update(colours=made.colours)
    return path
