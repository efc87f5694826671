"""How a page of photos is laid out: the shape of each tile and the heading above it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils.dates import MONTHS, WEEKDAYS

from gallery.models import Photo, Precision

# Hundredths of width to height, within which tiles keep a photo's shape to the pixel;
# the style sheet has a class for each.
NARROWEST, WIDEST = 40, 300
UNKNOWN = 133

NO_DATE = "Date unknown"


@dataclass(frozen=True, slots=True)
class Tile:
    """One photo on a page; `heading` stands above it, if any.

    Text only, since templates take their time over numbers.
    """

    photo: Photo
    key: str
    shape: str
    address: str
    star_address: str
    # What to show, empty if there is nothing yet, and what it is called.
    image: str
    alt: str
    is_starred: bool = False
    heading: str = ""


def ratio(width: int | None, height: int | None) -> int:
    """Return the shape of a picture in hundredths, 4:3 where it is unknown."""
    if not width or not height:
        return UNKNOWN
    return min(max(round(100 * width / height), NARROWEST), WIDEST)


def day_name(day: date) -> str:
    return f"{day.day} {MONTHS[day.month]} {day.year}"


def heading(photo: Photo, *, by_day: bool = False) -> str:
    """Return the month or day a photo was taken on, as exactly as it is known."""
    taken, precision = photo.taken_at, photo.taken_precision
    if taken is None:
        return NO_DATE
    if precision == Precision.YEAR:
        return f"{taken.year}"
    if by_day and precision != Precision.MONTH:
        return f"{WEEKDAYS[taken.weekday()]}, {day_name(taken)}"
    return f"{MONTHS[taken.month]} {taken.year}"


def alt(photo: Photo) -> str:
    if photo.taken_at is None:
        return photo.name
    if photo.taken_precision in (Precision.MONTH, Precision.YEAR):
        return f"{photo.name}, {heading(photo)}"
    return f"{photo.name}, {day_name(photo.taken_at)}"


def tiles(
    photos: Iterable[Photo],
    *,
    query: str = "",
    headings: str = "",
    shown: str = "",
    starred: Set[int] = frozenset(),
) -> Iterator[Tile]:
    """Yield a tile for each photo.

    `headings` is "month", "day" or empty; `shown` is the heading the page before ended
    under; `query` is the end of every photo's address.
    """
    # Addresses are looked up once: for each photo of a page it takes milliseconds.
    page, thumbnail, star = (
        reverse(f"gallery:{name}", args=[0]).split("0")
        for name in ("photo", "thumbnail", "favourite")
    )
    for photo in photos:
        above = heading(photo, by_day=headings == "day") if headings else ""
        recipe = photo.thumbnail.recipe if hasattr(photo, "thumbnail") else 0
        image = f"{photo.pk}".join(thumbnail) + f"?v={photo.version(recipe)}"
        yield Tile(
            photo=photo,
            key=f"{photo.pk}",
            shape=f"ratio-{ratio(photo.width, photo.height)}",
            star_address=f"{photo.pk}".join(star),
            address=f"{photo.pk}".join(page) + query,
            image=image if recipe else "",
            alt=alt(photo),
            is_starred=photo.pk in starred,
            heading=above if above != shown else "",
        )
        shown = above
