"""What a list is sorted by, and places in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Order:
    """The field rows are sorted by, and which end comes first.

    Rows with equal values are kept apart by their keys; rows without a value come last
    in both directions.
    """

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
