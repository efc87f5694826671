"""What the names of folders say of when their photos were taken.

"2009-07 Mallorca", "Xmas 98", "Sommer 1987", "2003/Weihnachten": the names above a file
are read from the outermost in, and the most exact that agrees with those around it counts.
English and German words. A day with words behind it is where an event began, and a name
that speaks of copying ("Backup 2011") only says by when the photos were there.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import datetime

from gallery.dates import AHEAD, FIRST_PHOTO, Evidence, Origin, Precision, span
from gallery.spoken import MONTHS, SEASONS

# Photos of folders that began so late in a month may well be of the next one.
LATE = 21
DEEPEST = 12
LONGEST = 200

_YEAR = r"(?<!\d)(?P<year>1[89]\d\d|20\d\d)(?![\da-z])"
_MONTH = r"(?P<month>0?[1-9]|1[0-2])"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])(?!\d)"
_FIGURES = tuple(
    re.compile(one)
    for one in (
        _YEAR + r"(?P<mark>[-._ /])" + _MONTH + r"(?P=mark)" + _DAY,
        r"(?<!\d)(?P<year>1[89]\d\d|20\d\d)(?P<month>0[1-9]|1[0-2])"
        r"(?P<day>0[1-9]|[12]\d|3[01])(?!\d)",
        r"(?<!\d)(?P<day>0?[1-9]|[12]\d|3[01])\.(?P<month>0?[1-9]|1[0-2])\." + _YEAR,
        # Two figures, or "2009 5 Freunde" would be in May.
        _YEAR + r"[-._ /](?P<month>0[1-9]|1[0-2])(?!\d)",
        r"(?<!\d)(?P<year>20[012]\d)(?P<month>0[1-9]|1[0-2])(?=_|$)",
        r"(?<![\d.])(?P<month>0[1-9]|1[0-2])[-./]" + _YEAR,
    )
)
_EVENTS = {
    **dict.fromkeys(("xmas", "christmas", "weihnachten", "weihnacht", "advent"), 12),
    **dict.fromkeys(("heiligabend", "nikolaus"), 12),
    **dict.fromkeys(("halloween",), 10),
}
_SPRING = ("easter", "ostern")
_WORDS = {
    **{word: ("month", number) for word, number in MONTHS.items()},
    **{word: ("month", number) for word, number in _EVENTS.items()},
    **{word: ("season", number) for word, number in SEASONS.items() if number != 12},
    **dict.fromkeys(_SPRING, ("season", 3)),
    "winter": ("winter", 12),
}
# A word that is a name or a verb more often than a month, unless a year stands beside it.
_NAMES = ("may", "mar", "jan", "fall", "august", "april", "june", "mai")
_WORD = re.compile(r"[a-zäöü]+")
_SHORT_YEAR = re.compile(r"(?:['\u2019]|(?<=[a-zäöü])[ _-]?)(?P<year>\d\d)(?!\d)")
_TWO_WINTERS = re.compile(r"winter\s*" + _YEAR + r"\s?[-/_ ]\s?(?:\d{4}|\d\d)(?!\d)")
_DECADE = re.compile(r"(?<!\d)(?P<year>1[89]\d0|20[012]0)(?:s|er)(?![a-z])")
_COPIED = re.compile(
    r"back.?up|sicherung|kopie|copy|copie|export|import|scan|upload|download|takeout|"
    r"recover|rettung|archiv|gerettet|drive-|handy|phone|bis |until|before|vor "
)


def from_folders(path: str, *, now: datetime | None = None) -> Evidence | None:
    """What the folders above a file say; `path` is the file's, with `/`.

    Dates before photography and ahead of `now` (naive local time) are no dates.
    """
    ahead = (now or datetime.now()) + AHEAD
    found: Evidence | None = None
    for name in path.split("/")[:-1][-DEEPEST:]:
        here = _from_one(name[:LONGEST], found)
        is_ahead = (
            here and here.precision is not Precision.LATEST and here.taken_at > ahead
        )
        if here and not is_ahead and here.taken_at.year >= FIRST_PHOTO:
            found = _inner(found, here)
    return found


def _inner(outer: Evidence | None, inner: Evidence) -> Evidence:
    """Of two names the inner one, unless the outer says the same more exactly."""
    if outer is None or outer.precision is Precision.LATEST:
        return inner
    if inner.precision is Precision.LATEST:
        return outer
    earliest, latest = span(inner)
    first, last = span(outer)
    return outer if earliest <= first and last <= latest else inner


def _from_one(name: str, outer: Evidence | None) -> Evidence | None:
    words = name.casefold()
    found = _two_winters(words) or _figures(words) or _spoken(words)
    if not found and (found := _inside(words, outer)) and outer:
        name = f"{outer.said}/{name}"
    found = found or _year(words)
    if found is None:
        return None
    at, precision = found
    if _COPIED.search(words):
        return _limit(at, precision, name)
    return Evidence(at, precision, Origin.FOLDER_NAME, said=name)


Found = tuple[datetime, Precision] | None


def _two_winters(words: str) -> Found:
    found = _TWO_WINTERS.search(words)
    return (datetime(int(found["year"]), 12, 1), Precision.SEASON) if found else None


def _figures(words: str) -> Found:
    days = [day for form in _FIGURES for day in _days(form, words)]
    # "2009-07-14" is a month as well.
    days = [one for one in days if one[2]] or days
    if not days:
        return None
    first, last = min(days), max(days)
    if (first[0], first[1]) != (last[0], last[1]):
        same = first[0] == last[0]
        return (datetime(first[0], 1, 1), Precision.YEAR) if same else None
    year, month, day = max(days, key=lambda one: one[2])
    if not day:
        return datetime(year, month, 1), Precision.MONTH
    if not re.search(r"[a-zäöü]", words) and first == last:
        return datetime(year, month, day), Precision.DAY
    if day > LATE:
        return datetime(year, 1, 1), Precision.YEAR
    return datetime(year, month, 1), Precision.MONTH


def _days(form: re.Pattern[str], words: str) -> Iterator[tuple[int, int, int]]:
    """Yield year, month and day, 0 where none is said."""
    for found in form.finditer(words):
        parts = found.groupdict()
        year, month = int(parts["year"]), int(parts["month"])
        day = int(parts.get("day") or 0)
        if day <= monthrange(year, month)[1]:
            yield year, month, day


def _spoken(words: str) -> Found:
    """Words with a year beside them: "Xmas 98", "Juli 2004", "1980s"."""
    if decade := _DECADE.search(words):
        return datetime(int(decade["year"]), 1, 1), Precision.DECADE
    for found in _WORD.finditer(words):
        if found.group() not in _WORDS:
            continue
        years = set(map(int, re.findall(_YEAR, words)))
        if not years and (short := _SHORT_YEAR.match(words, found.end())):
            years = {_century(int(short["year"]))}
        if len(years) == 1:
            return _meant(found.group(), years.pop())
    return None


def _inside(words: str, outer: Evidence | None) -> Found:
    """A month or a season within the year that a folder above named."""
    if outer is None or outer.precision is not Precision.YEAR:
        return None
    year = outer.taken_at.year
    if figures := re.match(r"(0[1-9]|1[0-2])(?!\d)(?![-._ ]?\d)", words):
        return datetime(year, int(figures.group()), 1), Precision.MONTH
    for found in _WORD.finditer(words):
        word = found.group()
        if word in _WORDS and (
            word not in _NAMES or word == words.strip(" 0123456789-_.")
        ):
            return _meant(word, year)
    return None


def _year(words: str) -> Found:
    years = set(map(int, re.findall(_YEAR, words)))
    if len(years) == 1:
        return datetime(years.pop(), 1, 1), Precision.YEAR
    if len(years) > 1 and len({year // 10 for year in years}) == 1:
        return datetime(min(years) // 10 * 10, 1, 1), Precision.DECADE
    short = re.search(r"['\u2019](\d\d)(?!\d)", words)
    return (datetime(_century(int(short[1])), 1, 1), Precision.YEAR) if short else None


def _meant(word: str, year: int) -> Found:
    kind, month = _WORDS[word]
    if kind == "winter":
        # Its beginning, or its end?
        return datetime(year, 1, 1), Precision.YEAR
    precision = Precision.MONTH if kind == "month" else Precision.SEASON
    return datetime(year, month, 1), precision


def _century(short: int) -> int:
    return 2000 + short if short < 50 else 1900 + short


def _limit(at: datetime, precision: Precision, name: str) -> Evidence:
    """What was there when a folder was filled is no younger than that."""
    _, latest = span(Evidence(at, precision, Origin.FOLDER_NAME))
    return Evidence(
        latest.replace(microsecond=0),
        Precision.LATEST,
        Origin.FOLDER_NAME,
        said=name,
    )
