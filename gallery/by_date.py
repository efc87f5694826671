"""Live photos by the time they were taken, from the database itself.

A server that has only started shows them so while it reads what else they are sorted and
filtered by. The places are those of the columns: what follows is found by either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gallery.models import Photo, PhotoQuerySet
from gallery.orders import Order, Place
from gallery.paging import NoSuchPlace, Stored

START = datetime(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ByDate:
    """Photos in the order of `taken`, either way; see also catalogue.Selected."""

    photos: PhotoQuerySet

    def beside(
        self, order: Order, place: Place | None, *, size: int, backwards: bool
    ) -> list[int]:
        stored = Order("taken_at", descending=order.descending)
        if place is not None and place.value is not None:
            place = Place(moment(place.value), place.pk)
        found = Stored(self.photos)
        return found.beside(stored, place, size=size, backwards=backwards)

    def rows(self, pks: Sequence[int]) -> list[Photo]:
        return Stored(self.photos).rows(pks)

    def place(self, row: Any, order: Order) -> Place:
        taken = row.taken_at
        return Place(None if taken is None else (taken - START) // MICROSECOND, row.pk)

    def read(self, value: Any, pk: int, order: Order) -> Place:
        if value is not None and not isinstance(value, int):
            raise NoSuchPlace("This is no place in the order by date.")
        return Place(value, pk)


def moment(microseconds: int) -> datetime:
    """Return the time so long after 1970, or the last one a calendar has."""
    try:
        return START + microseconds * MICROSECOND
    except OverflowError:
        return datetime.max if microseconds > 0 else datetime.min
