"""What can be asked of the browse page, read from its address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.core.validators import RegexValidator
from django.http import QueryDict
from django.utils.dates import MONTHS

from gallery.columns import Selection, day_start, month_start
from gallery.models import Favourite, Precision, Source
from gallery.orders import Order, Place

ORDERS = {
    "-taken": ("Newest first", Order("taken", descending=True)),
    "taken": ("Oldest first", Order("taken")),
    "-added": ("Last added first", Order("added", descending=True)),
    "added": ("First added first", Order("added")),
    "-size": ("Largest file first", Order("size", descending=True)),
    "size": ("Smallest file first", Order("size")),
    "name": ("Name, A to Z", Order("name")),
    "-name": ("Name, Z to A", Order("name", descending=True)),
    "-pixels": ("Most pixels first", Order("pixels", descending=True)),
    "pixels": ("Fewest pixels first", Order("pixels")),
}
DEFAULT = "-taken"
QUALITIES = {
    "exact": ("Exact", [Precision.SECOND, Precision.MINUTE]),
    "day": ("The day", [Precision.DAY]),
    "month": ("The month", [Precision.MONTH]),
    "year": ("The year", [Precision.YEAR]),
    "unknown": ("Date unknown", [Precision.UNKNOWN]),
}
MB = 1_000_000
DAY = 86_400 * 1_000_000  # microseconds


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter that is in force, and the address without it."""

    label: str
    address: str


class BrowseForm(forms.Form):
    """A selection of the photos: what they have to be, and their order.

    Whatever cannot be read is as if blank, so that every address shows photos.
    """

    q = forms.CharField(label="Search", required=False, max_length=200)
    sort = forms.ChoiceField(
        label="Order",
        required=False,
        choices=[(name, label) for name, (label, _) in ORDERS.items()],
    )
    starred = forms.BooleanField(label="Favourites", required=False)
    year = forms.IntegerField(
        label="Year", required=False, min_value=1, max_value=9_998
    )
    since = forms.DateField(label="Taken from", required=False)
    until = forms.DateField(label="to", required=False)
    quality = forms.ChoiceField(
        label="How well the date is known",
        required=False,
        choices=[("", "No matter")]
        + [(name, label) for name, (label, _) in QUALITIES.items()],
    )
    camera = forms.CharField(label="Camera", required=False)
    source = forms.IntegerField(label="Drive", required=False, min_value=1)
    format = forms.CharField(label="Format", required=False)
    least = forms.FloatField(
        label="File size from, MB", required=False, min_value=0, max_value=1e9
    )
    most = forms.FloatField(label="to, MB", required=False, min_value=0, max_value=1e9)
    group = forms.ChoiceField(
        label="Headings",
        required=False,
        choices=[("", "Each month"), ("day", "Each day")],
    )
    # Where to begin; no part of the selection.
    at = forms.CharField(
        required=False, validators=[RegexValidator(r"^\d{4}(-(0[1-9]|1[0-2]))?\Z")]
    )

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query)
        self.is_valid()

    def asked(self, name: str) -> Any:
        """Return what was asked under a name, None where nothing that can be read."""
        value = self.cleaned_data.get(name)
        return None if value in ("", False) else value

    # Order

    @property
    def sort_name(self) -> str:
        return self.asked("sort") or DEFAULT

    @property
    def order(self) -> Order:
        return ORDERS[self.sort_name][1]

    @property
    def is_by_date(self) -> bool:
        return self.order.field == "taken"

    @property
    def is_by_day(self) -> bool:
        return bool(self.asked("group"))

    @property
    def start(self) -> Place | None:
        """The place right before the month or year asked for, in the order by date."""
        if not self.is_by_date or not self.asked("at"):
            return None
        first, last = months(self.asked("at"))
        if self.order.descending:
            return Place(month_start(last + 1), 0)
        return Place(month_start(first), 0)

    # Selection

    @property
    def is_filtered(self) -> bool:
        return any(self.asked(name) is not None for name in FILTERS)

    @property
    def is_backwards(self) -> bool:
        """Whether the last day asked for lies before the first."""
        first, last = self.asked("since"), self.asked("until")
        return bool(first and last and last < first)

    def select(self, photos: Selection, user: AbstractBaseUser) -> Selection:
        for name in FILTERS:
            value = self.asked(name)
            if name == "starred" and value:
                keys = Favourite.objects.of(user).photos()
                photos = photos.among(np.array(sorted(keys), np.int64))
            elif value is not None:
                photos = getattr(self, f"_select_{name}")(photos, value)
        return photos

    def _select_q(self, photos: Selection, text: str) -> Selection:
        return photos.told_by(text)

    def _select_year(self, photos: Selection, year: int) -> Selection:
        return photos.in_month(12 * year, 12 * year + 11)

    def _select_since(self, photos: Selection, day: date) -> Selection:
        return photos.between("taken", day_start(day), None)

    def _select_until(self, photos: Selection, day: date) -> Selection:
        return photos.between("taken", None, day_start(day) + DAY - 1)

    def _select_quality(self, photos: Selection, quality: str) -> Selection:
        return photos.named("precision", QUALITIES[quality][1])

    def _select_camera(self, photos: Selection, camera: str) -> Selection:
        return photos.named("camera", [camera])

    def _select_source(self, photos: Selection, source: int) -> Selection:
        return photos.seen_on(source)

    def _select_format(self, photos: Selection, format: str) -> Selection:
        return photos.named("format", [format])

    def _select_least(self, photos: Selection, megabytes: float) -> Selection:
        return photos.between("size", int(megabytes * MB), None)

    def _select_most(self, photos: Selection, megabytes: float) -> Selection:
        return photos.between("size", None, int(megabytes * MB))

    # Addresses

    @property
    def query(self) -> str:
        """The selection as the end of an address, empty for the usual one."""
        return self.address()

    def address(self, **changed: Any) -> str:
        """Return the end of the address with some of what was asked changed."""
        asked = {name: self.asked(name) for name in ("sort", *FILTERS, "group")}
        asked |= changed
        if asked["sort"] == DEFAULT:
            asked["sort"] = None
        query = QueryDict(mutable=True)
        query.update(
            {name: plain(value) for name, value in asked.items() if value is not None}
        )
        return f"?{query.urlencode()}" if query else ""

    def chips(self) -> Iterator[Chip]:
        """Yield the filters in force, as a person would say them."""
        for name in FILTERS:
            value = self.asked(name)
            if value is not None:
                yield Chip(self._said(name, value), self.address(**{name: None}))

    def _said(self, name: str, value: Any) -> str:
        if name in ("since", "until"):
            day = f"{value.day} {MONTHS[value.month]} {value.year}"
            return f"{'From' if name == 'since' else 'Until'} {day}"
        if name == "source":
            source = Source.objects.filter(pk=value).first()
            return source.label if source else "A drive that is not known"
        if name == "quality" and value != "unknown":
            return f"Date known: {QUALITIES[value][0].lower()}"
        said = {
            "q": f"“{value}”",
            "quality": "Date unknown",
            "starred": "Favourites",
            "least": f"From {plain(value)} MB",
            "most": f"Up to {plain(value)} MB",
        }
        return said.get(name, str(value))


FILTERS = (
    *("q", "starred", "year", "since", "until", "quality", "camera", "source"),
    *("format", "least", "most"),
)


def plain(value: Any) -> str:
    """Return a value as it stands in an address."""
    if value is True:
        return "1"
    return f"{value:g}" if isinstance(value, float) else str(value)


def months(text: str) -> tuple[int, int]:
    """Return the first and last month of "2004" or "2004-07", from the year 0."""
    year, *month = map(int, re.findall(r"\d+", text))
    first = 12 * year + (month[0] - 1 if month else 0)
    return first, first if month else first + 11
