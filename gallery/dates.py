"""When was it taken? Weigh what the camera, the file's name and its copies say.

Every date is local wall time as somebody on the spot would have read it off a clock;
an offset from UTC is kept where the file states one and is never worked out from a zone.

The order of belief, and why:

0. A person who corrected it: whatever is read later, it stays.
1. EXIF DateTimeOriginal: written by the camera when the shutter closed.
2. EXIF DateTimeDigitized: the same moment for a camera, the scan for a scanner.
3. XMP and text notes: written by programs, mostly copied from the above.
4. A sidecar: a note that a program put beside the file, and what Google Photos wrote.
5. The file's name: written by phones and people, kept through most copies.
6. The file's time, where the files beside it show that copying kept it.
7. The photos before and after it by the camera's numbering, in the same folder.
8. The folder's name.
9. What only says that the photo was there by then: an editor's or scanner's date, the day
   a messenger sent it, the file's modification time. Of these the earliest counts.

Known liars (clocks that were never set) come after every honest date. Three rules look at
the evidence as a whole: where a weaker statement lies within a stronger but coarser one,
both agree and the finer is taken; a day, month or year after the moment by which the
photo was there already is disbelieved; and so is a camera's New Year that its folder or
name contradicts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

FIRST_PHOTO = 1826  # View from the Window at Le Gras
AHEAD = timedelta(days=2)  # a clock in another zone is no liar
MAX_OFFSET_MINUTES = 14 * 60


class Precision(StrEnum):
    """How exact a date is: what is finer than this is filled with the smallest value.

    A time of day that comes with a mere day puts photos in order and is not shown.
    """

    SECOND = "second"
    MINUTE = "minute"
    DAY = "day"
    MONTH = "month"
    SEASON = "season"
    YEAR = "year"
    DECADE = "decade"
    LATEST = "latest"  # taken then or any time before
    UNKNOWN = "unknown"


class Origin(StrEnum):
    """Where a date comes from, most trusted first."""

    PERSON = "person"
    EXIF_ORIGINAL = "exif_original"
    EXIF_DIGITISED = "exif_digitised"
    XMP = "xmp"
    SIDECAR = "sidecar"
    TAKEOUT = "takeout"
    FILE_NAME = "file_name"
    FILE_TIME = "file_time"
    NEIGHBOURS = "neighbours"
    FOLDER_NAME = "folder_name"
    EXIF_MODIFIED = "exif_modified"
    MODIFICATION_TIME = "modification_time"
    NONE = "none"


class Doubt(StrEnum):
    """Why a statement is not taken at its word."""

    NONE = ""
    CLOCK = "clock"  # a clock that was never set, or lost its battery
    SCANNER = "scanner"
    EDITOR = "editor"
    SENT = "sent"
    LATER = "later"  # the photo was there before
    FUTURE = "future"


_BELIEF = {origin: rank for rank, origin in enumerate(Origin)}
_WORDS = {
    Origin.PERSON: "Somebody of the family said when it was taken",
    Origin.EXIF_ORIGINAL: "The camera wrote down when it took the photo",
    Origin.EXIF_DIGITISED: "The camera or scanner wrote down when it made the file",
    Origin.XMP: "A program's note in the file says when it was taken",
    Origin.SIDECAR: "A note that a program put beside the file says when it was taken",
    Origin.TAKEOUT: "Google Photos noted when it was taken",
    Origin.FILE_NAME: "The name of the file says when it was taken",
    Origin.FILE_TIME: "The time of the file says it, and is right for the photos beside it",
    Origin.NEIGHBOURS: "The camera's numbers put it between photos whose dates are known",
    Origin.FOLDER_NAME: "The name of the folder says when it was taken",
    Origin.EXIF_MODIFIED: "A program wrote down when it last changed the photo",
    Origin.MODIFICATION_TIME: "Only the time of the last change of the file is known",
    Origin.NONE: "Nothing says when this photo was taken",
}
# The same, where it says no more than by when the photo was there.
_LIMITS = {
    Origin.EXIF_ORIGINAL: "A scanner or a program wrote down when it made the file",
    Origin.EXIF_DIGITISED: "A scanner or a program wrote down when it made the file",
    Origin.FILE_NAME: "The name of the file says when it was sent or scanned",
    Origin.FOLDER_NAME: "The name of the folder says when it was filled",
}
_EXACTNESS = {
    Precision.MINUTE: "to the minute",
    Precision.DAY: "to the day",
    Precision.MONTH: "to the month",
    Precision.SEASON: "to the season",
    Precision.YEAR: "to the year",
    Precision.DECADE: "to the decade",
    Precision.LATEST: "so the photo may be older",
}


EXACT = (Precision.SECOND, Precision.MINUTE)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
ZONES = timedelta(minutes=MAX_OFFSET_MINUTES)
_FINEST = list(Precision)
_LIES = (Doubt.CLOCK, Doubt.LATER, Doubt.FUTURE)
# A camera gives a file its own time, too.
_CLOCKS = (
    *(Origin.EXIF_ORIGINAL, Origin.EXIF_DIGITISED, Origin.EXIF_MODIFIED),
    Origin.MODIFICATION_TIME,
)
_COARSE = (Origin.FOLDER_NAME, Origin.NEIGHBOURS)
_WEAK = (*_COARSE, Origin.FILE_NAME, Origin.TAKEOUT)
# Years in which the clocks of cameras begin when nobody has set them.
_CLOCKS_BEGIN = (1970, 1980, 1990, 1998, *range(2000, 2013))


@dataclass(frozen=True, slots=True)
class Evidence:
    """One statement about when a photo was taken.

    `taken_at` is naive local wall time; `offset_minutes` is local time minus UTC.
    """

    taken_at: datetime
    precision: Precision
    origin: Origin
    offset_minutes: int | None = None
    # What says so: a file's name, a folder's name. Not kept with what the file says.
    said: str = ""
    doubt: Doubt = Doubt.NONE

    def to_json(self) -> dict[str, object]:
        """Only strings, whole numbers and None."""
        return {
            "taken_at": self.taken_at.isoformat(),
            "precision": self.precision.value,
            "origin": self.origin.value,
            "offset_minutes": self.offset_minutes,
        }

    @classmethod
    def from_json(cls, fields: dict[str, object]) -> Evidence:
        """The evidence `to_json` wrote."""
        offset = fields["offset_minutes"]
        return cls(
            taken_at=datetime.fromisoformat(str(fields["taken_at"])),
            precision=Precision(str(fields["precision"])),
            origin=Origin(str(fields["origin"])),
            offset_minutes=offset if isinstance(offset, int) else None,
        )


@dataclass(frozen=True, slots=True)
class TakenAt:
    """The date believed, how exact it is and where it comes from."""

    taken_at: datetime | None = None
    offset_minutes: int | None = None
    precision: Precision = Precision.UNKNOWN
    origin: Origin = Origin.NONE


@dataclass(frozen=True, slots=True)
class Weighed:
    """The date believed, the evidence it rests on, and all evidence, most trusted first."""

    taken: TakenAt
    chosen: Evidence | None
    ranked: tuple[Evidence, ...]


def best(evidence: Iterable[Evidence], *, now: datetime | None = None) -> TakenAt:
    """The most trusted plausible date; between equals the finer, then the earlier one.

    `now` is naive local wall time, for what counts as the future.
    """
    ranked = sorted(evidence, key=_rank)
    for one in ranked:
        if one.origin is Origin.PERSON or _plausible(one.taken_at, now=now):
            return _taken(one)
    return TakenAt()


def weigh(evidence: Iterable[Evidence], *, now: datetime | None = None) -> Weighed:
    """Weigh all there is to say of one photo, each statement in the light of the others.

    Where only liars speak, no date is believed.
    """
    every = [_in_time(one, now) for one in dict.fromkeys(evidence)]
    every = _contradicted(every)
    ranked = sorted(every, key=_rank)
    chosen = next((one for one in ranked if not is_lie(one)), None)
    if chosen is None:
        return Weighed(TakenAt(), None, tuple(ranked))
    chosen = _refined(chosen, ranked)
    return Weighed(_taken(chosen), chosen, tuple(ranked))


def _taken(one: Evidence) -> TakenAt:
    return TakenAt(one.taken_at, one.offset_minutes, one.precision, one.origin)


def _rank(one: Evidence) -> tuple[object, ...]:
    """What says only by when it was there comes last, and of that the earliest first."""
    is_limit = one.precision is Precision.LATEST
    belief = len(_BELIEF) if is_limit else _BELIEF[one.origin]
    fineness = _FINEST.index(one.precision)
    return is_lie(one), belief, fineness, one.taken_at, _BELIEF[one.origin], one.said


def is_lie(one: Evidence) -> bool:
    """Whether it cannot be the moment the photo was taken."""
    return one.doubt in _LIES or _is_known_lie(one)


def _in_time(one: Evidence, now: datetime | None) -> Evidence:
    """The evidence, marked where it cannot be true whatever the others say."""
    if one.origin is Origin.PERSON:
        return one
    if not _plausible(one.taken_at, now=now):
        return replace(one, doubt=Doubt.FUTURE)
    return replace(one, doubt=Doubt.CLOCK) if _is_known_lie(one) else one


def _contradicted(every: list[Evidence]) -> list[Evidence]:
    """The evidence, marked where another statement shows that it is not true."""
    stated = [
        one
        for one in every
        if one.origin in (Origin.FILE_NAME, *_COARSE) and not is_lie(one)
    ]
    every = [_on_the_clock(one, stated) for one in every]
    limits = (one for one in every if one.precision is Precision.LATEST)
    there_by = min((one.taken_at for one in limits if not is_lie(one)), default=None)
    return [_in_order(one, there_by) for one in every]


def _on_the_clock(one: Evidence, stated: list[Evidence]) -> Evidence:
    """Doubt a January in which clocks begin, where the name or folder knows better."""
    begins = one.taken_at.month == 1 and one.taken_at.year in _CLOCKS_BEGIN
    if one.doubt or not begins or one.origin not in _CLOCKS:
        return one
    known = any(_excludes(other, one) for other in stated)
    return replace(one, doubt=Doubt.CLOCK) if known else one


def _in_order(one: Evidence, there_by: datetime | None) -> Evidence:
    """Doubt a day or more that begins after the photo was there already."""
    is_coarse = one.precision not in EXACT and one.origin in _WEAK
    if one.doubt or one.precision is Precision.LATEST or not is_coarse:
        return one
    earliest, _ = span(one)
    is_late = there_by is not None and earliest > there_by + DAY
    return replace(one, doubt=Doubt.LATER) if is_late else one


def _excludes(other: Evidence, one: Evidence) -> bool:
    if other.precision is Precision.LATEST:
        return False
    earliest, latest = span(other)
    return not earliest - 31 * DAY <= one.taken_at <= latest + 31 * DAY


def _refined(chosen: Evidence, ranked: Iterable[Evidence]) -> Evidence:
    """The date chosen, or a finer one that lies within what it states."""
    is_vague = chosen.precision not in (*EXACT, Precision.LATEST)
    if chosen.origin is Origin.PERSON or not is_vague:
        return chosen
    earliest, latest = span(chosen)
    if chosen.origin is Origin.TAKEOUT:
        # Its clock is UTC's: an exact time of the same hours elsewhere agrees with it.
        earliest, latest = earliest - ZONES, latest + ZONES
    for one in ranked:
        if (chosen.origin, one.origin) == (Origin.NEIGHBOURS, Origin.FOLDER_NAME):
            continue  # they know the folder better than its name
        is_finer = _FINEST.index(one.precision) < _FINEST.index(chosen.precision)
        first, last = span(one)
        if is_finer and earliest <= first and last <= latest and not is_lie(one):
            return one
    return chosen


def span(evidence: Evidence | TakenAt) -> tuple[datetime, datetime]:
    """The first and the last moment a date states; what is unknown states nothing.

    A clock's second may be a second off.
    """
    at, precision = evidence.taken_at, evidence.precision
    if at is None or precision is Precision.UNKNOWN:
        return datetime.min, datetime.max
    if precision is Precision.SECOND:
        return at - SECOND, at + SECOND
    if precision is Precision.MINUTE:
        start = at.replace(second=0, microsecond=0)
        return start, start + timedelta(seconds=59, microseconds=999_999)
    day = datetime(at.year, at.month, at.day)
    if precision in (Precision.DAY, Precision.LATEST):
        start = datetime.min if precision is Precision.LATEST else day
        return start, day + DAY - timedelta(microseconds=1)
    return _long_span(at, precision)


def _long_span(at: datetime, precision: Precision) -> tuple[datetime, datetime]:
    months = {Precision.MONTH: 1, Precision.SEASON: 3, Precision.YEAR: 12}
    start = datetime(at.year, at.month, 1)
    if precision is Precision.YEAR:
        start = datetime(at.year, 1, 1)
    elif precision is Precision.DECADE:
        start = datetime(at.year // 10 * 10, 1, 1)
    count = start.year * 12 + start.month - 1 + months.get(precision, 120)
    if count >= 12 * 10_000:
        return start, datetime.max
    return start, datetime(count // 12, count % 12 + 1, 1) - timedelta(microseconds=1)


def explain(taken: TakenAt) -> str:
    """One sentence on where the date comes from and how exact it is."""
    words = _WORDS[taken.origin]
    if taken.precision is Precision.LATEST:
        words = _LIMITS.get(taken.origin, words)
    if exactness := _EXACTNESS.get(taken.precision):
        return f"{words}, {exactness}."
    return f"{words}."


def _plausible(moment: datetime, *, now: datetime | None) -> bool:
    latest = (now or datetime.now()) + AHEAD
    return moment.year >= FIRST_PHOTO and moment <= latest


def _is_known_lie(evidence: Evidence) -> bool:
    """Clocks that lost their battery start here and run on for a while."""
    moment = evidence.taken_at
    if evidence.origin is Origin.PERSON:
        return False
    if evidence.origin in _WEAK and evidence.precision is not Precision.SECOND:
        return False
    if (moment.month, moment.day) == (1, 1):
        midnight = (moment.hour, moment.minute) == (0, 0)
        return midnight or moment.year in (1970, 1980, 2000)
    # One hour east of UTC or west of it, the epoch is 31 December.
    return (moment.year, moment.month, moment.day) in ((1969, 12, 31), (1979, 12, 31))


def from_modified(mtime: float, *, zone: tzinfo) -> Evidence | None:
    """The file's modification time (seconds since 1970, UTC) on a clock in `zone`.

    It says by when the photo was there. No offset is claimed: where the file was last
    changed, nobody knows.
    """
    try:
        moment = datetime.fromtimestamp(mtime, UTC).astimezone(zone)
    except (OverflowError, ValueError, OSError):
        return None
    return Evidence(
        moment.replace(tzinfo=None), Precision.LATEST, Origin.MODIFICATION_TIME
    )


_EXIF = re.compile(
    r"(\d{4})[:\-/. ](\d{1,2})[:\-/. ](\d{1,2})"
    r"(?:[ T]+(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2})(?:\.(\d+))?)?)?"
)


def from_exif(
    text: str, *, origin: Origin, subsecond: str = "", offset: str = ""
) -> Evidence | None:
    """A date as EXIF writes it ("2004:07:12 09:30:00"), with its companions."""
    found = _EXIF.match(text.strip())
    if not found:
        return None
    *parts, fraction = found.groups()
    return _evidence(
        parts,
        origin=origin,
        fraction=fraction or subsecond.strip(),
        offset=parse_offset(offset),
    )


_ISO = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?)?)?)?$"
)


def from_iso(text: str, *, origin: Origin = Origin.XMP) -> Evidence | None:
    """A date as XMP writes it: ISO 8601, from "2004" to "2004-07-12T09:30:00.5+02:00"."""
    found = _ISO.match(text.strip())
    if not found:
        return None
    *parts, fraction, offset = found.groups()
    return _evidence(
        parts,
        origin=origin,
        fraction=fraction or "",
        offset=parse_offset(offset or ""),
    )


def parse_offset(text: str) -> int | None:
    """Minutes ahead of UTC of "+02:00", "-0330" or "Z"; None if it is none of these."""
    text = text.strip()
    if text == "Z":
        return 0
    found = re.fullmatch(r"([+-])(\d{2}):?(\d{2})", text)
    if not found:
        return None
    sign, hours, minutes = found.groups()
    total = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or total > MAX_OFFSET_MINUTES:
        return None
    return -total if sign == "-" else total


_FINENESS = (
    Precision.YEAR,
    Precision.MONTH,
    Precision.DAY,
    Precision.DAY,
    Precision.MINUTE,
    Precision.SECOND,
)


def _evidence(
    parts: Iterable[str | None],
    *,
    origin: Origin,
    fraction: str = "",
    offset: int | None = None,
) -> Evidence | None:
    """Evidence from year, month, day, hour, minute, second as far as they are known."""
    known: list[int] = []
    for part in parts:
        if part is None:
            break
        known.append(int(part))
    filled = known + [1, 1, 1, 0, 0, 0][len(known) :]
    if filled[5] == 60:  # a leap second
        filled[5] = 59
    micro = (
        int(f"{fraction:0<6}"[:6]) if fraction.isascii() and fraction.isdigit() else 0
    )
    try:
        moment = datetime(*filled, microsecond=micro)  # type: ignore[misc, arg-type]
    except ValueError:
        return None
    return Evidence(moment, _FINENESS[len(known) - 1], origin, offset)


_DATE = r"(?P<year>18[2-9]\d|19\d\d|20\d\d)"
_SOLID = _DATE + r"(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])"
_SPACED = (
    _DATE
    + r"(?P<mark>[-._ ])(?P<month>0[1-9]|1[0-2])(?P=mark)(?P<day>0[1-9]|[12]\d|3[01])"
)
_TIME = r"(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<second>[0-5]\d)"
_SPACED_TIME = (
    r"(?P<hour>[01]\d|2[0-3])(?P<colon>[-._:h])(?P<minute>[0-5]\d)"
    r"(?:[-._:m](?P<second>[0-5]\d))?"
)
_FRACTION = r"(?:[-_.]?(?P<fraction>\d{3}))?"
_BEFORE, _AFTER = r"(?<!\d)(?<!\d[-._])", r"(?!\d)"
_JOINT = r"(?:[-_. T]|[-_ ]at[-_ ]|,? | um | à )"
# What cameras, phones and messengers put before a date without any marks in it; a bare
# run of eight digits after other text is a number, not a date.
_PREFIX = r"(?:^|(?<=[^A-Za-z0-9])|(?<=IMG|VID|DSC|PXL|MVI|WIN)|(?<=^[A-Z]{2}))"

_NAMES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # IMG_20190704_153012, PXL_20210102_030405678, 20190704153012
        _BEFORE + _SOLID + r"[-_T ]?" + _TIME + _FRACTION + _AFTER,
        # 2012-05-06 13.14.15, Screenshot_2015-06-01-12-30-05, "... 2014-03-12 at 18.04.05"
        _BEFORE + _SPACED + _JOINT + _SPACED_TIME + _FRACTION + _AFTER,
        # WP_20140312_18_04_05_Pro
        _BEFORE + _SOLID + r"[-_ ]" + _SPACED_TIME + _FRACTION + _AFTER,
        # signal-2020-01-02-030405, photo_2020-01-02 030405
        _BEFORE + _SPACED + r"[-_. T]" + _TIME + _FRACTION + _AFTER,
        # 2009-07-14 Mallorca
        _BEFORE + _SPACED + r"(?![-._]?\d)",
        # IMG-20140312-WA0007, 20090714 Mallorca
        _PREFIX + _BEFORE + _SOLID + r"(?!\d)(?!x\d)(?!\s*(?:px|pixel))",
    )
)


def from_name(
    name: str, *, now: datetime | None = None, zone: tzinfo | None = None
) -> Evidence | None:
    """The date a camera, phone, messenger or person put into a file's name.

    Names in UTC are read on a clock in `zone`, and are exact to the day. `name` is the last part of a path, with or without its extension. Impossible dates,
    dates before photography and dates more than two days ahead are not dates.
    """
    for pattern in _NAMES:
        for found in pattern.finditer(name):
            evidence = _from_match(found.groupdict())
            if evidence and _plausible(evidence.taken_at, now=now):
                return _as_its_maker_means(name, evidence, zone)
    return None


# Messengers name a file by when it was sent, scanners by when it was scanned.
_SENT = re.compile(
    r"IMG-\d{8}-WA\d|WhatsApp|^signal-|^photo_\d{4}-|^received_|^telegram|^viber|^line_",
    re.IGNORECASE,
)
_SCANNED = re.compile(r"^scan", re.IGNORECASE)
# Their clock is UTC's, and where they were is not said.
_UTC = re.compile(r"^PXL_\d{8}_\d{9}|^\d{8}_\d{9}_iOS", re.IGNORECASE)


def _as_its_maker_means(name: str, evidence: Evidence, zone: tzinfo | None) -> Evidence:
    if _SENT.search(name):
        return replace(evidence, precision=Precision.LATEST, doubt=Doubt.SENT)
    if _SCANNED.search(name):
        return replace(evidence, precision=Precision.LATEST, doubt=Doubt.SCANNER)
    if _UTC.search(name):
        at = evidence.taken_at.replace(tzinfo=UTC).astimezone(zone or UTC)
        local = at.replace(tzinfo=None)
        return replace(evidence, taken_at=local, precision=Precision.DAY)
    return evidence


def _from_match(parts: dict[str, str | None]) -> Evidence | None:
    return _evidence(
        (
            parts.get(part)
            for part in ("year", "month", "day", "hour", "minute", "second")
        ),
        origin=Origin.FILE_NAME,
        fraction=parts.get("fraction") or "",
    )
