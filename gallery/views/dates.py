"""What the pages say of dates: those that people wrote, and what speaks for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery import dating
from gallery.dates import Doubt, Evidence
from gallery.facts import said
from gallery.models import Origin, Photo
from gallery.spoken import NotADate, Why

# A clock that was set once, to any year.
MOST_DAYS = 200 * 366
UNITS = {"days": MOST_DAYS, "hours": 24 * 366, "minutes": 60 * 24}


def hint(why: Why) -> str:
    """Return what is wrong with a date, and what to write instead."""
    return {
        Why.NOTHING: _(
            "Write when it was: 12 July 2004, July 2004, summer 1987, 1999."
        ),
        Why.NOT_UNDERSTOOD: _(
            "This could not be read as a date. Write 12 July 2004 15:30, July 2004, "
            "summer 1987, 1980s, around 1985 or unknown."
        ),
        Why.NO_SUCH_DAY: _("There is no such day in the calendar."),
        Why.NO_SUCH_TIME: _("There is no such time of day. Write 15:30 or 3:30 pm."),
        Why.DAY_OR_MONTH: _(
            "It is not plain which number is the month. Write it as a word: 12 July 2004."
        ),
        Why.SHORT_YEAR: _("Write the year with four digits: 1987."),
        Why.WHICH_WINTER: _(
            "Every year has two winters. Write which one: winter 1987/88."
        ),
        Why.TOO_EARLY: _("There were no photos yet that year."),
        Why.AHEAD: _("This day is still to come."),
    }[why]


@dataclass(frozen=True, slots=True)
class Statement:
    """One piece of evidence on a photo's date, as its page lists it."""

    key: str
    date: str
    rests_on: str
    said: str
    doubt: str
    is_believed: bool


def statements(photo: Photo) -> list[Statement]:
    """All that speaks for a photo's date, most trusted first."""
    weighed = dating.every(photo)
    by_person = photo.taken_from == Origin.PERSON
    return [
        Statement(
            key=key_of(one),
            date=said(one.taken_at, one.precision, one.offset_minutes),
            rests_on=str(Origin(one.origin.value).label),
            said=one.said,
            doubt=str(DOUBTS[one.doubt]),
            is_believed=one == weighed.chosen and not by_person,
        )
        for one in weighed.ranked
    ]


def key_of(one: Evidence) -> str:
    """What a statement is chosen by: what it says, and on what ground."""
    return f"{one.origin} {one.precision} {one.taken_at.isoformat()} {one.said}"


# Why a statement is not taken at its word.
DOUBTS = {
    Doubt.NONE: "",
    Doubt.CLOCK: gettext_lazy("probably a clock that was never set"),
    Doubt.SCANNER: gettext_lazy("when it was scanned"),
    Doubt.EDITOR: gettext_lazy("when a program saved it"),
    Doubt.SENT: gettext_lazy("when it was sent"),
    Doubt.LATER: gettext_lazy("not believed: the photo was there before"),
    Doubt.FUTURE: gettext_lazy("no date that can be"),
}


def time_moved(given: Mapping[str, str]) -> timedelta | None:
    """Return by how much clocks are to be set right, None where nobody asked for it.

    Raise NotADate for what is no time.
    """
    direction = given.get("direction", "")
    if direction not in ("later", "earlier"):
        return None
    parts = {unit: _number(given.get(unit, ""), most) for unit, most in UNITS.items()}
    by_time = timedelta(**parts)
    if not by_time:
        raise NotADate(Why.NO_SUCH_TIME)
    return by_time if direction == "later" else -by_time


def _number(text: str, most: int) -> int:
    text = text.strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or len(text) > 7 or int(text) > most:
        raise NotADate(Why.NO_SUCH_TIME)
    return int(text)
