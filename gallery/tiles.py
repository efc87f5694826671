"""How a page of photos is laid out: the shape of each tile and the heading above it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from gallery import colours, renditions
from gallery.models import Photo, Precision
from gallery.vague import vague

# Hundredths of width to height, within which tiles keep a photo's shape to the pixel;
# the style sheet has a class for each.
NARROWEST, WIDEST = 40, 300
UNKNOWN = 133
TO_THE_DAY = (Precision.SECOND, Precision.MINUTE, Precision.DAY)


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
    srcset: str
    alt: str
    # What stands in its place until it is there.
    colours: str
    star_label: str
    check_label: str
    size: str  # bytes
    is_starred: bool = False
    heading: str = ""


def ratio(width: int | None, height: int | None) -> int:
    """Return the shape of a picture in hundredths, 4:3 where it is unknown."""
    if not width or not height:
        return UNKNOWN
    return min(max(round(100 * width / height), NARROWEST), WIDEST)


def day_name(day: date) -> str:
    return date_format(day)


def heading(photo: Photo, *, by_day: bool = False) -> str:
    """Return the month or day a photo was taken on, as exactly as it is known."""
    taken, precision = photo.taken_at, photo.taken_precision
    if taken is None:
        return _("Date unknown")
    if by_day and precision in TO_THE_DAY:
        return date_format(taken, pgettext("date format", "l, j F Y"))
    if precision == Precision.LATEST:
        # Its place in the order is the only one there is.
        precision = Precision.MONTH
    return vague(taken, precision) or vague(taken, Precision.MONTH)


def alt(photo: Photo) -> str:
    if photo.taken_at is None:
        return photo.name
    if photo.taken_precision not in TO_THE_DAY:
        said = vague(photo.taken_at, photo.taken_precision)
        return f"{photo.name}, {said or heading(photo)}"
    return f"{photo.name}, {day_name(photo.taken_at)}"


def srcset(photo: Photo, small: str, thumbnail: str) -> str:
    """Return both sizes of a photo's picture with their widths in pixels."""
    width, height = photo.width or 0, photo.height or 0
    longest = max(width, height)
    if longest <= renditions.SMALL_EDGE:
        return ""
    sizes = (
        (small, renditions.SMALL_EDGE),
        (thumbnail, min(longest, renditions.THUMBNAIL_EDGE)),
    )
    return ", ".join(f"{at} {round(width * edge / longest)}w" for at, edge in sizes)


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
    page, thumbnail, small, star = (
        reverse(f"gallery:{name}", args=[0]).split("0")
        for name in ("photo", "thumbnail", "small", "favourite")
    )
    favourite, choose = _("Favourite: %(name)s"), _("Choose: %(name)s")
    for photo in photos:
        above = heading(photo, by_day=headings == "day") if headings else ""
        step = photo.thumbnail if hasattr(photo, "thumbnail") else None
        recipe = step.recipe if step else 0
        version = f"?v={photo.version(recipe)}"
        image = f"{photo.pk}".join(thumbnail) + version
        smaller = f"{photo.pk}".join(small) + version
        yield Tile(
            photo=photo,
            key=f"{photo.pk}",
            shape=f"ratio-{ratio(photo.width, photo.height)}",
            star_address=f"{photo.pk}".join(star),
            address=f"{photo.pk}".join(page) + query,
            image=image if recipe else "",
            srcset=srcset(photo, smaller, image) if recipe else "",
            colours=colours.address(step.colours) if step else "",
            alt=alt(photo),
            star_label=favourite % {"name": photo.name},
            check_label=choose % {"name": photo.name},
            size=f"{photo.size}",
            is_starred=photo.pk in starred,
            heading=above if above != shown else "",
        )
        shown = above
