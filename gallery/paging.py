"""Pages of a long list, each found by its neighbour's place in the order.

A page starts beside a row, not at a number, so that the last of a million rows is as
near as the first and a row that arrives meanwhile shifts nothing. Rows without a value
come last in both directions; rows with equal values are kept apart by their keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

from gallery.orders import Order, Place

SALT = "gallery.paging"


class NoSuchPlace(Exception):
    """A cursor that was not given out for this order, or not by this site."""


class Listing(Protocol):
    """Rows that can be read from any place on, in any of their orders."""

    def beside(
        self, order: Order, place: Place | None, *, size: int, backwards: bool
    ) -> list[int]:
        """Return the keys of so many rows from a place on, nearest first."""

    def rows(self, pks: Sequence[int]) -> list[Any]:
        """Return the rows of these keys; one may have gone meanwhile."""

    def place(self, row: Model, order: Order) -> Place:
        """Return where a row stands; the value is text, a number or None."""

    def read(self, value: Any, pk: int, order: Order) -> Place:
        """Return the place that was written so; raise NoSuchPlace or ValueError."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows in order; `previous` and `next` are cursors, empty at either end."""

    rows: list[Any]
    previous: str = ""
    next: str = ""
    # The cursor meant nothing, and these are the first rows.
    is_lost: bool = False


def page(
    rows: QuerySet | Listing,
    order: Order,
    *,
    size: int,
    after: str = "",
    before: str = "",
    start: Place | None = None,
) -> Page:
    """Return the rows after one cursor, or before another, or from a place on.

    Of rows in the database it takes at most four queries: three stretches of the index
    over the order's field, and the rows themselves.
    """
    listing = listed(rows)
    cursor, backwards = after or before, bool(before and not after)
    try:
        place = read(cursor, listing, order) if cursor else start
    except NoSuchPlace:
        return replace(page(rows, order, size=size), is_lost=True)
    pks = listing.beside(order, place, size=size + 1, backwards=backwards)
    more, pks = len(pks) > size, pks[:size]
    if backwards:
        pks.reverse()
    found = listing.rows(pks)
    earlier, later = (more, True) if backwards else (place is not None, more)
    if place is start and place is not None:
        earlier = bool(listing.beside(order, place, size=1, backwards=True))
    return Page(
        rows=found,
        previous=write(found[0], listing, order) if found and earlier else "",
        next=write(found[-1], listing, order) if found and later else "",
    )


def neighbour(
    rows: QuerySet | Listing, order: Order, row: Model, *, backwards: bool = False
) -> Any | None:
    """Return the row that stands next to this one, or none at the end."""
    listing = listed(rows)
    try:
        place = listing.place(row, order)
    except NoSuchPlace:
        return None
    pks = listing.beside(order, place, size=1, backwards=backwards)
    return next(iter(listing.rows(pks)), None)


def write(row: Model, rows: QuerySet | Listing, order: Order) -> str:
    """Return the cursor of a row: text for an address, signed since it comes back."""
    place = listed(rows).place(row, order)
    return signing.dumps([order.field, place.value, place.pk], salt=SALT)


def read(cursor: str, rows: QuerySet | Listing, order: Order) -> Place:
    """Return the place a cursor names; raise NoSuchPlace where it names none."""
    try:
        field, value, pk = signing.loads(cursor, salt=SALT)
        if field != order.field:
            raise NoSuchPlace(f"This is a place in the order by {field}.")
        return listed(rows).read(value, pk, order)
    except (signing.BadSignature, ValueError, ValidationError) as error:
        raise NoSuchPlace("This is no place in the list.") from error


def listed(rows: QuerySet | Listing) -> Listing:
    return Stored(rows) if isinstance(rows, QuerySet) else rows


@dataclass(frozen=True, slots=True)
class Stored:
    """Rows of the database, each order of which has an index."""

    queryset: QuerySet

    def beside(
        self, order: Order, place: Place | None, *, size: int, backwards: bool
    ) -> list[int]:
        rows = self.queryset
        keys = order.keys(backwards=backwards)
        pks: list[Any] = []
        for stretch in stretches(order, place, rows, backwards=backwards):
            found = rows.filter(stretch).order_by(*keys).values_list("pk", flat=True)
            pks += found[: size - len(pks)]
            if len(pks) >= size:
                break
        return pks

    def rows(self, pks: Sequence[int]) -> list[Any]:
        by_pk = self.queryset.in_bulk(pks)
        return [by_pk[pk] for pk in pks if pk in by_pk]

    def place(self, row: Model, order: Order) -> Place:
        value = getattr(row, order.field)
        field: Any = row._meta.get_field(order.field)
        return Place(None if value is None else field.value_to_string(row), row.pk)

    def read(self, value: Any, pk: int, order: Order) -> Place:
        field: Any = self.queryset.model._meta.get_field(order.field)
        return Place(None if value is None else field.to_python(value), pk)


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
