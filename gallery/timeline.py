"""How many photos each month of each year has, drawn small."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.dates import MONTHS
from django.utils.translation import gettext as _

# Units a bar is high at most; a month with a single photo can still be seen.
HIGHEST = 20


@dataclass(frozen=True, slots=True)
class Month:
    """A month, how many photos it has, and the height of its bar."""

    at: str  # as in an address
    name: str
    count: int
    height: int

    @property
    def top(self) -> int:
        return HIGHEST - self.height


@dataclass(frozen=True, slots=True)
class Year:
    """A year and its twelve months, those without photos too."""

    year: int
    count: int
    months: list[Month]

    @property
    def at(self) -> str:
        return f"{self.year:04}"


def timeline(
    counts: Iterable[tuple[int, int]], *, is_descending: bool = False
) -> list[Year]:
    """Return the years with photos; `counts` has months, from the year 0, and numbers."""
    years: dict[int, dict[int, int]] = defaultdict(dict)
    for month, count in counts:
        years[month // 12][month % 12 + 1] = count
    most = max((n for months in years.values() for n in months.values()), default=1)
    return [
        Year(
            year,
            sum(months.values()),
            [_month(year, month, months.get(month, 0), most) for month in MONTHS],
        )
        for year, months in sorted(years.items(), reverse=is_descending)
    ]


def _month(year: int, month: int, count: int, most: int) -> Month:
    # By the root, or one wedding makes everything else look empty.
    height = max(3, round(HIGHEST * (count / most) ** 0.4)) if count else 0
    return Month(
        f"{year:04}-{month:02}",
        _("%(month)s %(year)s") % {"month": MONTHS[month], "year": year},
        count,
        height,
    )
