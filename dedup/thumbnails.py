"""The pictures that are compared: grid renditions, opened from the vault."""

from __future__ import annotations

from django.conf import settings
from PIL import Image

from gallery import renditions, vault
from gallery.models import Photo

# What the vault itself wrote: a picture of 512 pixels, in a format it chose.
FORMATS = ("JPEG",)


class NoThumbnail(Exception):
    """The rendition is missing or cannot be read; the text says which."""


def thumbnail(photo: Photo) -> Image.Image:
    """Return the photo's grid rendition in memory; raise NoThumbnail."""
    path = vault.rendition(
        settings.IMAGEVAULT_DATA,
        photo.digest,
        name="thumbnail",
        recipe=renditions.RECIPE,
    )
    try:
        with Image.open(path, formats=FORMATS) as image:
            image.load()
            return image
    except FileNotFoundError as error:
        raise NoThumbnail("its thumbnail is missing") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NoThumbnail("its thumbnail cannot be read") from error
