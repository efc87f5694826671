"""The pictures that are compared: grid renditions, opened from the vault."""

from __future__ import annotations

from django.conf import settings
from PIL import Image

from gallery import vault
from gallery.models import Thumbnail

# What the vault itself wrote: a picture of 512 pixels, in a format it chose.
FORMATS = ("JPEG",)


class NoThumbnail(Exception):
    """The rendition of the photo with this digest is missing or cannot be read."""

    def __init__(self, digest: str) -> None:
        super().__init__(f"no thumbnail of {digest}")
        self.digest = digest


def thumbnail(digest: str) -> Image.Image:
    """Return the grid rendition of the photo with this digest, in memory; raise NoThumbnail."""
    path = vault.rendition(
        settings.IMAGEVAULT_DATA,
        digest,
        name="thumbnail",
        recipe=Thumbnail.RECIPE,
    )
    try:
        with Image.open(path, formats=FORMATS) as image:
            image.load()
            return image
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NoThumbnail(digest) from error


def make_again(lost: NoThumbnail) -> None:
    """Have the workers make a lost thumbnail again; what needs it waits until then."""
    Thumbnail.objects.filter(photo__digest=lost.digest).again()
