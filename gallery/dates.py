"""When was it taken? Weigh what the camera, the file's name and its copies say.

Every date is local wall time as somebody on the spot would have read it off a clock;
an offset from UTC is kept where the file states one and is never worked out from a zone.

The order of belief, and why:

0. A person who corrected it: whatever is read later, it stays.
1. EXIF DateTimeOriginal: written by the camera when the shutter closed.
2. EXIF DateTimeDigitized: the same moment for a camera, the scan for a scanner.
3. XMP and text notes: written by programs, mostly copied from the above.
4. The file's name: written by phones and messengers, kept through most copies. For
   messengers it is the day of sending, hence only exact to the day.
5. EXIF DateTime: the last change; an editor overwrites it.
6. The file's modification time: the last copy, often the day of a backup.

Known liars (clocks that were never set) come after every honest date.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

FIRST_PHOTO = 1826  # View from the Window at Le Gras
AHEAD = timedelta(days=2)  # a clock in another zone is no liar
MAX_OFFSET_MINUTES = 14 * 60


class Precision(StrEnum):
    """How exact a date is: what is finer than this is filled with the smallest value."""

    SECOND = "second"
    MINUTE = "minute"
    DAY = "day"
    MONTH = "month"
    SEASON = "season"
    YEAR = "year"
    DECADE = "decade"
    UNKNOWN = "unknown"


class Origin(StrEnum):
    """Where a date comes from, most trusted first."""

    PERSON = "person"
    EXIF_ORIGINAL = "exif_original"
    EXIF_DIGITISED = "exif_digitised"
    XMP = "xmp"
    FILE_NAME = "file_name"
    EXIF_MODIFIED = "exif_modified"
    MODIFICATION_TIME = "modification_time"
    NONE = "none"


_BELIEF = {origin: rank for rank, origin in enumerate(Origin)}
_WORDS = {
    Origin.PERSON: "Somebody of the family said when it was taken",
    Origin.EXIF_ORIGINAL: "The camera wrote down when it took the photo",
    Origin.EXIF_DIGITISED: "The camera or scanner wrote down when it made the file",
    Origin.XMP: "A program's note in the file says when it was taken",
    Origin.FILE_NAME: "The name of the file says when it was taken",
    Origin.EXIF_MODIFIED: "A program wrote down when it last changed the photo",
    Origin.MODIFICATION_TIME: "Only the time of the last change of the file is known",
    Origin.NONE: "Nothing says when this photo was taken",
}
_EXACTNESS = {
    Precision.MINUTE: "to the minute",
    Precision.DAY: "to the day",
    Precision.MONTH: "to the month",
    Precision.SEASON: "to the season",
    Precision.YEAR: "to the year",
    Precision.DECADE: "to the decade",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One statement about when a photo was taken.

    `taken_at` is naive local wall time; `offset_minutes` is local time minus UTC.
    """

    taken_at: datetime
    precision: Precision
    origin: Origin
    offset_minutes: int | None = None

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


def best(evidence: Iterable[Evidence], *, now: datetime | None = None) -> TakenAt:
    """The most trusted plausible date; between equals the finer, then the earlier one.

    `now` is naive local wall time, for what counts as the future.
    """
    honest = [
        one
        for one in evidence
        if one.origin is Origin.PERSON or _plausible(one.taken_at, now=now)
    ]
    if not honest:
        return TakenAt()
    finest = list(Precision)
    believed = min(
        honest,
        key=lambda one: (
            _is_known_lie(one),
            _BELIEF[one.origin],
            finest.index(one.precision),
            one.taken_at,
        ),
    )
    return TakenAt(
        believed.taken_at,
        believed.offset_minutes,
        believed.precision,
        believed.origin,
    )


def explain(taken: TakenAt) -> str:
    """One sentence on where the date comes from and how exact it is."""
    words = _WORDS[taken.origin]
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
    if (
        evidence.origin is Origin.FILE_NAME
        and evidence.precision is not Precision.SECOND
    ):
        return False
    if (moment.month, moment.day) == (1, 1):
        midnight = (moment.hour, moment.minute, moment.second) == (0, 0, 0)
        return midnight or moment.year in (1970, 1980, 2000)
    # One hour east of UTC or west of it, the epoch is 31 December.
    return (moment.year, moment.month, moment.day) in ((1969, 12, 31), (1979, 12, 31))


def from_modified(mtime: float, *, zone: tzinfo) -> Evidence | None:
    """The file's modification time (seconds since 1970, UTC) on a clock in `zone`.

    No offset is claimed: where the file was last changed, nobody knows.
    """
    try:
        moment = datetime.fromtimestamp(mtime, UTC).astimezone(zone)
    except (OverflowError, ValueError, OSError):
        return None
    return Evidence(
        moment.replace(tzinfo=None), Precision.SECOND, Origin.MODIFICATION_TIME
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


def from_name(name: str, *, now: datetime | None = None) -> Evidence | None:
    """The date a camera, phone, messenger or person put into a file's name.

    `name` is the last part of a path, with or without its extension. Impossible dates,
    dates before photography and dates more than two days ahead are not dates.
    """
    for pattern in _NAMES:
        for found in pattern.finditer(name):
            evidence = _from_match(found.groupdict())
            if evidence and _plausible(evidence.taken_at, now=now):
                return evidence
    return None


def _from_match(parts: dict[str, str | None]) -> Evidence | None:
    return _evidence(
        (
            parts.get(part)
            for part in ("year", "month", "day", "hour", "minute", "second")
        ),
        origin=Origin.FILE_NAME,
        fraction=parts.get("fraction") or "",
    )
