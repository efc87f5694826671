"""How a page of photos is laid out: the shape of each tile and the heading above it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.dates import MONTHS

from gallery.models import Photo, Precision

# Hundredths of width to height, within which tiles keep a photo's shape to the pixel;
# the style sheet has a class for each.
NARROWEST, WIDEST = 40, 300
UNKNOWN = 133

NO_DATE = "Date unknown"


@dataclass(frozen=True, slots=True)
class Tile:
    """One photo on a page; `heading` stands above it, if any."""

    photo: Photo
    ratio: int
    heading: str = ""


def ratio(width: int | None, height: int | None) -> int:
    """Return the shape of a picture in hundredths, 4:3 where it is unknown."""
    if not width or not height:
        return UNKNOWN
    return min(max(round(100 * width / height), NARROWEST), WIDEST)


def month(photo: Photo) -> str:
    """Return the month a photo was taken in, as exactly as it is known."""
    if photo.taken_at is None:
        return NO_DATE
    if photo.taken_precision == Precision.YEAR:
        return f"{photo.taken_at.year}"
    return f"{MONTHS[photo.taken_at.month]} {photo.taken_at.year}"


def tiles(
    photos: Iterable[Photo], *, by_month: bool = False, shown: str = ""
) -> Iterator[Tile]:
    """Yield a tile for each photo; `shown` is the heading the page before ended under."""
    for photo in photos:
        heading = month(photo) if by_month else ""
        yield Tile(
            photo=photo,
            ratio=ratio(photo.width, photo.height),
            heading=heading if heading != shown else "",
        )
        shown = heading
