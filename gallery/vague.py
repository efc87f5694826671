"""Dates that are no exact day, in the reader's words: "Summer 1987", "1960s"."""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from gallery.models import Precision


def season(taken: datetime) -> str:
    """Return the season that begins with this month; winter has two years."""
    if taken.month == 12:
        return _("Winter %(first)d/%(second)02d") % {
            "first": taken.year,
            "second": (taken.year + 1) % 100,
        }
    names = {
        3: _("Spring %(year)d"),
        6: _("Summer %(year)d"),
        9: _("Autumn %(year)d"),
    }
    if taken.month not in names:
        return date_format(taken, "YEAR_MONTH_FORMAT")
    return names[taken.month] % {"year": taken.year}


def vague(taken: datetime, precision: str) -> str:
    """Return a month, season, year, decade or limit; nothing for what is known to the day."""
    match precision:
        case Precision.MONTH:
            return date_format(taken, "YEAR_MONTH_FORMAT")
        case Precision.SEASON:
            return season(taken)
        case Precision.YEAR:
            return f"{taken.year}"
        case Precision.DECADE:
            return _("%(year)ds") % {"year": taken.year // 10 * 10}
        case Precision.LATEST:
            return _("%(day)s or before") % {"day": date_format(taken)}
    return ""
