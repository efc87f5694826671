"""What is known of a photo, in the words of its page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from gallery import dates
from gallery.models import Photo
from gallery.vague import vague
from imagevault.spoken import spoken

PRECISE = {
    dates.Precision.SECOND: pgettext_lazy("date format", "l, j F Y, H:i:s"),
    dates.Precision.MINUTE: pgettext_lazy("date format", "l, j F Y, H:i"),
    dates.Precision.DAY: pgettext_lazy("date format", "l, j F Y"),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the page: what, and beneath it how it is known."""

    label: str
    text: str
    note: str = ""


def facts(photo: Photo) -> list[Fact]:
    """Return what can be said of a photo; what is not known is left out."""
    every = [
        Fact(_("Taken"), taken(photo), explain(photo)),
        Fact(_("Camera"), photo.camera, exposure(photo.facts)),
        Fact(_("Lens"), str(photo.facts.get("lens") or "")),
        Fact(_("Picture"), pixels(photo)),
        Fact(_("File"), f"{photo.format}, {filesizeformat(photo.size)}"),
        Fact(_("Place"), position(photo)),
    ]
    return [fact for fact in every if fact.text or fact.note]


def shared_facts(photo: Photo, *, with_place: bool) -> list[Fact]:
    """Return what somebody without an account may know of a photo."""
    every = [
        Fact(_("Taken"), taken(photo), doubt(photo)),
        Fact(_("Camera"), photo.camera),
        Fact(_("Picture"), pixels(photo)),
        Fact(_("Place"), position(photo) if with_place else ""),
    ]
    return [fact for fact in every if fact.text]


def taken(photo: Photo) -> str:
    """Return when a photo was taken, by its camera's clock, as exactly as is known."""
    return said(photo.taken_at, photo.taken_precision, photo.taken_offset)


def said(taken_at: datetime | None, precision: str, minutes: int | None) -> str:
    """Return a date as exactly as it is known; `minutes` is its offset from UTC."""
    form = PRECISE.get(dates.Precision(precision))
    if taken_at is None:
        return _("Date unknown")
    if form is None:
        return vague(taken_at, precision) or _("Date unknown")
    return f"{date_format(taken_at, str(form))}{offset(minutes)}"


def offset(minutes: int | None) -> str:
    if minutes is None:
        return ""
    hours, rest = divmod(abs(minutes), 60)
    sign = "+" if minutes >= 0 else "\N{MINUS SIGN}"
    return f" (UTC{sign}{hours}{f':{rest:02}' if rest else ''})"


def explain(photo: Photo) -> str:
    known = dates.TakenAt(
        photo.taken_at,
        photo.taken_offset,
        dates.Precision(photo.taken_precision),
        dates.Origin(photo.taken_from),
    )
    return spoken(dates.explain(known))


def doubt(photo: Photo) -> str:
    """Return what a guest has to know of a date: only a file says so, not a camera.

    Other reasons may name folders or people, which are none of a guest's business.
    """
    is_weak = photo.taken_from == dates.Origin.MODIFICATION_TIME
    return explain(photo) if is_weak else ""


def exposure(facts: dict[str, Any]) -> str:
    """Return how a picture was exposed, as photographers write it."""
    parts = []
    if seconds := facts.get("exposure_seconds"):
        parts.append(f"{shutter(seconds)} s")
    if aperture := facts.get("f_number"):
        parts.append(f"f/{localised(aperture, 2)}")
    if length := facts.get("focal_length"):
        parts.append(f"{localised(length, 3)} mm")
    if iso := facts.get("iso"):
        parts.append(f"ISO {iso}")
    return " · ".join(parts)


def localised(value: float, digits: int) -> str:
    """Return a number with so many digits that count, as the reader writes it."""
    return number_format(f"{value:.{digits}g}")


def shutter(seconds: float) -> str:
    if seconds >= 0.3:
        return localised(seconds, 2)
    return str(Fraction(1, max(round(1 / seconds), 1)))


def pixels(photo: Photo) -> str:
    if not photo.width or not photo.height:
        return ""
    millions = photo.width * photo.height / 1e6
    size = _("%(width)d × %(height)d pixels") % {  # noqa: RUF001
        "width": photo.width,
        "height": photo.height,
    }
    if millions < 0.95:
        return size
    return _("%(size)s (%(millions).0f megapixels)") % {
        "size": size,
        "millions": millions,
    }


def position(photo: Photo) -> str:
    if photo.latitude is None or photo.longitude is None:
        return ""
    north, south = pgettext("north", "N"), pgettext("south", "S")
    east, west = pgettext("east", "E"), pgettext("west", "W")
    latitude, longitude = (
        number_format(abs(degrees), 5) for degrees in (photo.latitude, photo.longitude)
    )
    return " ".join(
        (
            f"{latitude}° {north if photo.latitude >= 0 else south},",
            f"{longitude}° {east if photo.longitude >= 0 else west}",
        )
    )
