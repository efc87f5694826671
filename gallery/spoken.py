"""Dates as people say them: "summer 1987", "12. Juli 2004 15:30", "around 1985".

English and German words, and dates in figures. A date is no more exact than what was
said; what it may have been at the earliest and at the latest is kept beside it. Seasons
are those of the northern half of the world.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from gallery.dates import AHEAD, FIRST_PHOTO, Precision

# "Around 1985" may be so many years off.
ABOUT = 2
LONGEST = 100


class Why(StrEnum):
    """Why something said is no date."""

    NOTHING = "nothing"
    NOT_UNDERSTOOD = "not_understood"
    NO_SUCH_DAY = "no_such_day"
    NO_SUCH_TIME = "no_such_time"
    DAY_OR_MONTH = "day_or_month"
    SHORT_YEAR = "short_year"
    WHICH_WINTER = "which_winter"
    TOO_EARLY = "too_early"
    AHEAD = "ahead"


class NotADate(Exception):
    """What was said cannot be read as a date."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True)
class Said:
    """A date that somebody said: local wall time, filled up with the smallest values.

    `earliest` and `latest` are the first and the last day it may have been; without a
    date there is neither.
    """

    taken_at: datetime | None
    precision: Precision
    earliest: date | None = None
    latest: date | None = None


MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january januar jan jänner jaenner",
            "february februar feb",
            "march märz maerz mar mär mrz",
            "april apr",
            "may mai",
            "june juni jun",
            "july juli jul",
            "august aug",
            "september sep sept",
            "october oktober oct okt",
            "november nov",
            "december dezember dec dez",
        ),
        start=1,
    )
    for name in names.split()
}
# The first month of each; winter runs into the next year.
SEASONS = {
    **dict.fromkeys(("spring", "frühling", "fruehling", "frühjahr", "fruehjahr"), 3),
    **dict.fromkeys(("summer", "sommer"), 6),
    **dict.fromkeys(("autumn", "fall", "herbst"), 9),
    "winter": 12,
}
_UNKNOWN = {"unknown", "date unknown", "unbekannt", "datum unbekannt", "?"}
_FILLING = re.compile(
    r"\b(?:the|of|on|in|im|at|den|der|des|uhr|jahr|year)\b|^am\b|(?<=\d )um(?= \d)"
)
_ABOUT = re.compile(
    r"(?:~|(?:around|about|circa|approximately|roughly|ca|etwa|ungefähr|ungefaehr|um)\b)\s*"
)
_WORD = "(?P<word>[a-zäöü]+)"
_YEAR = r"(?P<year>\d{4})"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?"
_TIME = re.compile(
    r"[ t](?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?)?"
    r"(?:\s?(?P<half>am|pm|a\.m|p\.m))?$"
)
_FORMS = tuple(
    re.compile(form + r"$")
    for form in (
        _YEAR,
        _YEAR + r"-(?P<month>\d{1,2})",
        _YEAR + r"[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
        r"(?P<month>\d{1,2})[./]" + _YEAR,
        r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?" + _YEAR,
        _DAY + r"\s?" + _WORD + " " + _YEAR,
        _WORD + " " + _DAY + " " + _YEAR,
        _WORD + " " + _YEAR,
    )
)
_SLASHED = re.compile(r"(?P<first>\d{1,2})[/-](?P<second>\d{1,2})[/-]" + _YEAR + "$")
_SHORT = re.compile(
    r"(?:\d{1,2}[./-]\s?\d{1,2}[./-]\s?|.*[a-zäöü] )?'?(?P<year>\d{2})$"
)
_DECADE = re.compile(r"(?P<year>\d{3}0)\s?(?:s|er|'s)(?: jahre)?$")
_WINTER = re.compile(r"winter (?P<year>\d{4})\s?[/-]\s?(?P<next>\d{4}|\d{2})$")


def read(text: str, *, now: datetime | None = None) -> Said:
    """Return the date somebody wrote; raise NotADate with the reason.

    `now` is local wall time, for what lies ahead.
    """
    words = _plain(text)
    if not words:
        raise NotADate(Why.NOTHING)
    if words in _UNKNOWN:
        return Said(None, Precision.UNKNOWN)
    said = _read(words)
    assert said.taken_at and said.latest and said.earliest
    if said.latest.year < FIRST_PHOTO:
        raise NotADate(Why.TOO_EARLY)
    if said.taken_at > (now or datetime.now()) + AHEAD:
        raise NotADate(Why.AHEAD)
    return said


def _plain(text: str) -> str:
    """Return the words that matter, in small letters, with single spaces."""
    words = text[: LONGEST + 1].casefold().replace(",", " ").strip(" .;!")
    if len(words) > LONGEST:
        raise NotADate(Why.NOT_UNDERSTOOD)
    return " ".join(_FILLING.sub(" ", words).split())


def _read(words: str) -> Said:
    about = _ABOUT.match(words)
    if about or words.endswith("?"):
        return _about(words[about.end() if about else 0 :].strip(". ?"))
    if found := _DECADE.fullmatch(words):
        return _decade(int(found["year"]))
    if found := _WINTER.fullmatch(words):
        return _winter(found["year"], found["next"])
    if said := _day_or_more(words):
        return said
    if said := _day_and_time(words):
        return said
    if _SHORT.match(words):
        raise NotADate(Why.SHORT_YEAR)
    raise NotADate(Why.NOT_UNDERSTOOD)


def _day_and_time(words: str) -> Said | None:
    for at in _times(words):
        day = _day_or_more(words[: at.start()])
        if day and day.precision == Precision.DAY:
            return _at_time(day, at)
    return None


def _times(words: str) -> Iterator[re.Match[str]]:
    """Yield the ways to cut a time of day off the end, the longest first."""
    for place in (place for place, mark in enumerate(words) if mark in " t"):
        if found := _TIME.match(words, place):
            yield found


def _day_or_more(words: str) -> Said | None:
    """Return a day, month, season or year; None where it is none of them."""
    if slashed := _SLASHED.match(words):
        return _slashed(slashed)
    for form in _FORMS:
        if found := form.match(words):
            parts = found.groupdict()
            word = parts.get("word")
            if word in SEASONS and "day" not in parts:
                return _season(int(parts["year"]), SEASONS[word])
            if word is not None and word not in MONTHS:
                continue
            month = MONTHS[word] if word else int(parts.get("month") or 0)
            return _calendar(int(parts["year"]), month, int(parts.get("day") or 0))
    return None


def _calendar(year: int, month: int, day: int) -> Said:
    """Return a year, a month or a day; a nought stands for what was not said."""
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        raise NotADate(Why.NO_SUCH_DAY) from None
    if day:
        return _interval(first, first, Precision.DAY)
    if month:
        return _interval(first, _last_of(year, month), Precision.MONTH)
    return _interval(first, date(year, 12, 31), Precision.YEAR)


def _interval(first: date, last: date, precision: Precision) -> Said:
    return Said(datetime.combine(first, time.min), precision, first, last)


def _last_of(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def _slashed(found: re.Match[str]) -> Said:
    """Return a day of which nobody knows which figure is the month, where it is plain."""
    first, second = int(found["first"]), int(found["second"])
    if first <= 12 and second <= 12 and first != second:
        raise NotADate(Why.DAY_OR_MONTH)
    day, month = (first, second) if second <= 12 else (second, first)
    return _calendar(int(found["year"]), month, day)


def _season(year: int, month: int) -> Said:
    if month == 12:
        # There are two in every year.
        raise NotADate(Why.WHICH_WINTER)
    if not year:
        raise NotADate(Why.NO_SUCH_DAY)
    last = _last_of(year, month + 2)
    return _interval(date(year, month, 1), last, Precision.SEASON)


def _winter(year: str, following: str) -> Said:
    first = int(year)
    if int(following) not in (first + 1, (first + 1) % 100) or not 0 < first < 9_999:
        raise NotADate(Why.NOT_UNDERSTOOD)
    last = _last_of(first + 1, 2)
    return _interval(date(first, 12, 1), last, Precision.SEASON)


def _decade(year: int) -> Said:
    if not year:
        raise NotADate(Why.NO_SUCH_DAY)
    return _interval(date(year, 1, 1), date(year + 9, 12, 31), Precision.DECADE)


def _about(words: str) -> Said:
    """Return a year that may be a few years off; more exact words keep their own span."""
    said = _read(words)
    if said.precision != Precision.YEAR or said.taken_at is None:
        return said
    year = said.taken_at.year
    if not ABOUT < year < 9_999 - ABOUT:
        raise NotADate(Why.NOT_UNDERSTOOD)
    first, last = date(year - ABOUT, 1, 1), date(year + ABOUT, 12, 31)
    return Said(said.taken_at, Precision.YEAR, first, last)


def _at_time(day: Said, found: re.Match[str]) -> Said:
    if found["minute"] is None and not found["half"]:
        raise NotADate(Why.NOT_UNDERSTOOD)
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    second = int(found["second"] or 0)
    if found["half"]:
        if not 1 <= hour <= 12:
            raise NotADate(Why.NO_SUCH_TIME)
        hour = hour % 12 + (12 if found["half"].startswith("p") else 0)
    assert day.earliest
    try:
        at = time(hour, minute, second)
    except ValueError:
        raise NotADate(Why.NO_SUCH_TIME) from None
    precision = Precision.SECOND if found["second"] else Precision.MINUTE
    taken_at = datetime.combine(day.earliest, at)
    return Said(taken_at, precision, day.earliest, day.latest)


def moved(taken_at: datetime, by: timedelta) -> datetime | None:
    """Return the time by a clock set right by so much; None where there is no such time."""
    try:
        return taken_at + by
    except OverflowError:
        return None
