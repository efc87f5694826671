"""What can be asked of the browse page, read from its address."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict

from gallery.models import PhotoQuerySet
from gallery.paging import Order

ORDERS = {
    "-taken": ("Newest first", Order("taken_at", descending=True)),
    "taken": ("Oldest first", Order("taken_at")),
    "-added": ("Last added first", Order("added_at", descending=True)),
    "added": ("First added first", Order("added_at")),
    "-size": ("Largest file first", Order("size", descending=True)),
    "size": ("Smallest file first", Order("size")),
    "name": ("Name, A to Z", Order("name")),
    "-name": ("Name, Z to A", Order("name", descending=True)),
}
DEFAULT = "-taken"
# As many photos are sorted as quickly as the rest of the page is made.
FEW = 5_000


class BrowseForm(forms.Form):
    """A selection of the photos: their order, and the days they were taken between.

    Whatever cannot be read is as if blank, so that every address shows photos.
    """

    sort = forms.ChoiceField(
        label="Order",
        required=False,
        choices=[(name, label) for name, (label, _) in ORDERS.items()],
    )
    since = forms.DateField(label="Taken from", required=False)
    until = forms.DateField(label="to", required=False)

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query)
        self.is_valid()

    @property
    def sort_name(self) -> str:
        return self.cleaned_data.get("sort") or DEFAULT

    @property
    def order(self) -> Order:
        return ORDERS[self.sort_name][1]

    @property
    def first_day(self) -> date | None:
        return self.cleaned_data.get("since")

    @property
    def last_day(self) -> date | None:
        return self.cleaned_data.get("until")

    @property
    def is_filtered(self) -> bool:
        return bool(self.first_day or self.last_day)

    @property
    def is_backwards(self) -> bool:
        """Whether the last day asked for lies before the first."""
        return bool(self.first_day and self.last_day and self.last_day < self.first_day)

    @property
    def query(self) -> str:
        """The selection as the end of an address, empty for the usual one."""
        asked: dict[str, Any] = {
            "sort": self.sort_name if self.sort_name != DEFAULT else None,
            "since": self.first_day,
            "until": self.last_day,
        }
        query = QueryDict(mutable=True)
        query.update({name: str(value) for name, value in asked.items() if value})
        return f"?{query.urlencode()}" if query else ""

    def select(self, photos: PhotoQuerySet) -> PhotoQuerySet:
        days = self.first_day, self.last_day
        between = photos.taken_between(*days)
        if not self.is_filtered or self.order.field == "taken_at":
            return between
        is_few = between[: FEW + 1].count() <= FEW
        return between if is_few else photos.walked_between(*days)
