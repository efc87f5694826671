"""What is known of a photo, in the words of its page."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.formats import date_format

from gallery import dates
from gallery.models import Photo

PRECISE = {
    dates.Precision.SECOND: "l, j F Y, H:i:s",
    dates.Precision.MINUTE: "l, j F Y, H:i",
    dates.Precision.DAY: "l, j F Y",
    dates.Precision.MONTH: "F Y",
    dates.Precision.YEAR: "Y",
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
        Fact("Taken", taken(photo), explain(photo)),
        Fact("Camera", photo.camera, exposure(photo.facts)),
        Fact("Lens", str(photo.facts.get("lens") or "")),
        Fact("Picture", pixels(photo)),
        Fact("File", f"{photo.format}, {filesizeformat(photo.size)}"),
        Fact("Place", position(photo)),
    ]
    return [fact for fact in every if fact.text or fact.note]


def taken(photo: Photo) -> str:
    """Return when a photo was taken, by its camera's clock, as exactly as is known."""
    form = PRECISE.get(dates.Precision(photo.taken_precision))
    if photo.taken_at is None or form is None:
        return "Date unknown"
    return f"{date_format(photo.taken_at, form)}{offset(photo.taken_offset)}"


def offset(minutes: int | None) -> str:
    if minutes is None:
        return ""
    hours, rest = divmod(abs(minutes), 60)
    sign = "+" if minutes >= 0 else "\N{MINUS SIGN}"
    return f" (UTC{sign}{hours}{f':{rest:02}' if rest else ''})"


def explain(photo: Photo) -> str:
    return dates.explain(
        dates.TakenAt(
            photo.taken_at,
            photo.taken_offset,
            dates.Precision(photo.taken_precision),
            dates.Origin(photo.taken_from),
        )
    )


def exposure(facts: dict[str, Any]) -> str:
    """Return how a picture was exposed, as photographers write it."""
    parts = []
    if seconds := facts.get("exposure_seconds"):
        parts.append(f"{shutter(seconds)} s")
    if aperture := facts.get("f_number"):
        parts.append(f"f/{aperture:.2g}")
    if length := facts.get("focal_length"):
        parts.append(f"{length:.3g} mm")
    if iso := facts.get("iso"):
        parts.append(f"ISO {iso}")
    return " · ".join(parts)


def shutter(seconds: float) -> str:
    if seconds >= 0.3:
        return f"{seconds:.2g}"
    return str(Fraction(1, max(round(1 / seconds), 1)))


def pixels(photo: Photo) -> str:
    if not photo.width or not photo.height:
        return ""
    millions = photo.width * photo.height / 1e6
    size = f"{photo.width} \N{MULTIPLICATION SIGN} {photo.height} pixels"
    return f"{size} ({millions:.0f} megapixels)" if millions >= 0.95 else size


def position(photo: Photo) -> str:
    if photo.latitude is None or photo.longitude is None:
        return ""
    north = "N" if photo.latitude >= 0 else "S"
    east = "E" if photo.longitude >= 0 else "W"
    return f"{abs(photo.latitude):.5f}° {north}, {abs(photo.longitude):.5f}° {east}"
