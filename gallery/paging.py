"""Pages of a long list, each found by its neighbour's place in the order.

A page starts beside a row, not at a number, so that the last of a million rows is as
near as the first and a row that arrives meanwhile shifts nothing. Rows without a value
come last in both directions; rows with equal values are kept apart by their keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

SALT = "gallery.paging"


class NoSuchPlace(Exception):
    """A cursor that was not given out for this order, or not by this site."""


@dataclass(frozen=True, slots=True)
class Order:
    """The field rows are sorted by, and which end comes first."""

    field: str
    descending: bool = False

    def keys(self, *, backwards: bool) -> list[str]:
        sign = "-" if self.descending != backwards else ""
        return [f"{sign}{self.field}", f"{sign}pk"]

    def beyond(self, *, backwards: bool) -> str:
        return "lt" if self.descending != backwards else "gt"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands in an order: its value, and its key among equal values."""

    value: Any
    pk: int

    @classmethod
    def of(cls, row: Model, order: Order) -> Place:
        return cls(getattr(row, order.field), row.pk)


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows in order; `previous` and `next` are cursors, empty at either end."""

    rows: list[Any]
    previous: str = ""
    next: str = ""
    # The cursor meant nothing, and these are the first rows.
    is_lost: bool = False


def page(
    rows: QuerySet, order: Order, *, size: int, after: str = "", before: str = ""
) -> Page:
    """Return the rows after one cursor, or before another, or the first ones.

    Takes at most four queries: three stretches of the index over the order's field,
    and the rows themselves.
    """
    cursor, backwards = after or before, bool(before and not after)
    try:
        place = read(cursor, rows, order) if cursor else None
    except NoSuchPlace:
        return replace(page(rows, order, size=size), is_lost=True)
    found = beside(rows, order, place, size=size + 1, backwards=backwards)
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    earlier, later = (more, True) if backwards else (bool(cursor), more)
    return Page(
        rows=found,
        previous=write(found[0], order) if found and earlier else "",
        next=write(found[-1], order) if found and later else "",
    )


def neighbour(
    rows: QuerySet, order: Order, row: Model, *, backwards: bool = False
) -> Any | None:
    """Return the row that stands next to this one, or none at the end."""
    place = Place.of(row, order)
    return next(iter(beside(rows, order, place, size=1, backwards=backwards)), None)


def beside(
    rows: QuerySet, order: Order, place: Place | None, *, size: int, backwards: bool
) -> list[Any]:
    """Return so many rows from a place on, nearest first."""
    keys = order.keys(backwards=backwards)
    # Keys first: where a filter asks for another index than the order, the database has
    # to sort, and sorts whole rows several times slower.
    pks: list[Any] = []
    for stretch in stretches(order, place, rows, backwards=backwards):
        found = rows.filter(stretch).order_by(*keys).values_list("pk", flat=True)
        pks += found[: size - len(pks)]
        if len(pks) >= size:
            break
    by_pk = rows.in_bulk(pks)
    # One may have gone between the two queries.
    return [by_pk[pk] for pk in pks if pk in by_pk]


def stretches(
    order: Order, place: Place | None, rows: QuerySet, *, backwards: bool
) -> Iterator[Q]:
    """Yield the conditions whose rows, one after the other, follow a place.

    One condition with OR would say the same; no database reads that from an index.
    """
    beyond = order.beyond(backwards=backwards)
    missing = Q(**{f"{order.field}__isnull": True})
    has_missing = rows.model._meta.get_field(order.field).null
    if place is None:
        yield ~missing if has_missing else Q()
    else:
        same = missing if place.value is None else Q(**{order.field: place.value})
        yield same & Q(**{f"pk__{beyond}": place.pk})
        if place.value is not None:
            yield Q(**{f"{order.field}__{beyond}": place.value})
        elif backwards:
            yield ~missing
    if has_missing and not backwards and (place is None or place.value is not None):
        yield missing


def write(row: Model, order: Order) -> str:
    """Return the cursor of a row: text for an address, signed since it comes back."""
    field = row._meta.get_field(order.field)
    missing = getattr(row, order.field) is None
    value = None if missing else field.value_to_string(row)  # type: ignore[union-attr]
    return signing.dumps([order.field, value, row.pk], salt=SALT)


def read(cursor: str, rows: QuerySet, order: Order) -> Place:
    """Return the place a cursor names; raise NoSuchPlace where it names none."""
    try:
        field, text, pk = signing.loads(cursor, salt=SALT)
        if field != order.field:
            raise NoSuchPlace(f"This is a place in the order by {field}.")
        value = (
            None if text is None else rows.model._meta.get_field(field).to_python(text)
        )
    except (signing.BadSignature, ValueError, ValidationError) as error:
        raise NoSuchPlace("This is no place in the list.") from error
    return Place(value, pk)
