"""Photos as the lightbox shows them, and where each stands in the selection."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from django.urls import reverse

from gallery import catalogue, formats
from gallery.columns import Selection
from gallery.models import Photo
from gallery.orders import Order
from gallery.renditions import PREVIEW_EDGE, RECIPE
from gallery.tiles import alt

# Read at once to each side: more than a finger passes while they come.
EACH_SIDE = 30
# What browsers show by themselves, up to what the memory of a phone can bear.
SHOWN_BY_BROWSERS = {
    one.name
    for one in (formats.JPEG, formats.PNG, formats.GIF, formats.WEBP, formats.AVIF)
}
MOST_BYTES = 60_000_000
MOST_PIXELS = 80_000_000


def around(
    selection: Selection, order: Order, photo: Photo
) -> tuple[int, list[Photo]] | None:
    """Return the photos around one, itself included, and the place of the first.

    Places are counted from nought, in the order of the selection. None where the photo
    is not among the live ones.
    """
    place = selection.place(photo.pk, order)
    if place is None:
        return None
    sides = [
        selection.beside(order, place, size=EACH_SIDE, backwards=backwards)
        for backwards in (True, False)
    ]
    pks = [*reversed(sides[0]), photo.pk, *sides[1]]
    listed = catalogue.Selected(selection, Photo.objects.live().for_slides())
    first = selection.before(order, place) - len(sides[0])
    return first, listed.rows(pks)


def slide(photo: Photo, *, query: str, starred: Set[int]) -> dict[str, Any]:
    """Return what the lightbox needs of a photo: text, numbers and addresses."""
    width, height = shown_size(photo)
    is_made = hasattr(photo, "thumbnail") and photo.thumbnail.recipe
    can_zoom = is_shown_by_browsers(photo)
    return {
        "key": photo.pk,
        "name": photo.name,
        "alt": alt(photo),
        "address": photo.get_absolute_url() + query,
        "thumbnail": photo.thumbnail_url if is_made else "",
        "preview": photo.preview_url if is_made else "",
        "original": original_url(photo) if can_zoom else "",
        "download": reverse("gallery:original", args=[photo.pk]),
        "width": width,
        "height": height,
        "starred": photo.pk in starred,
    }


def shown_size(photo: Photo) -> tuple[int, int]:
    """Return the pixels that can be zoomed into, upright."""
    width, height = photo.width or 0, photo.height or 0
    if not width or not height:
        return 0, 0
    if is_shown_by_browsers(photo):
        return width, height
    return preview_size(width, height)


def preview_size(width: int, height: int) -> tuple[int, int]:
    factor = min(1.0, PREVIEW_EDGE / max(width, height, 1))
    return max(1, round(width * factor)), max(1, round(height * factor))


def is_shown_by_browsers(photo: Photo) -> bool:
    """Whether the original itself may be shown, once somebody zooms in."""
    pixels = (photo.width or 0) * (photo.height or 0)
    return (
        photo.format in SHOWN_BY_BROWSERS
        and not photo.problem
        and photo.size <= MOST_BYTES
        and pixels <= MOST_PIXELS
    )


def original_url(photo: Photo) -> str:
    version = photo.version(RECIPE)
    return f"{reverse('gallery:original', args=[photo.pk])}?v={version}"
