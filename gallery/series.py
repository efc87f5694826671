"""What the photos of one folder say of each other's dates.

A camera numbers its photos in order, so one between two whose dates are known was taken
between them. And where the times of many files agree with what their cameras wrote,
copying kept them: then they are right for the files beside them as well.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gallery.dates import Evidence, Origin, Precision, span

# So many numbers may lie between a photo and one whose date is known.
REACH = 50
# Cameras write the file when the shutter has closed, and some count in twos.
SLOW = 10  # seconds
STEP = 15 * 60  # seconds; clocks of time zones differ by quarters of an hour
FARTHEST = 15 * 3_600  # seconds
ENOUGH, SHARE = 3, 0.8  # files whose times agree, at least, and their share
MOMENT = timedelta(minutes=1)
# So near its end a folder may hold photos of the days after as well.
NEAR = {
    Precision.DAY: timedelta(0),
    Precision.MONTH: timedelta(days=5),
    Precision.SEASON: timedelta(days=5),
    Precision.YEAR: timedelta(days=5),
}

# Behind a number: a word for what was done to the picture. "(1)" is another picture of
# the same name.
_NUMBERED = re.compile(
    r"(?P<series>.*?)(?P<number>\d{3,6})"
    r"(?:[ ._-]*(?:edit|bearb|copy|kopie|crop|small|klein|bw|sw|web)[a-z]*|~\d)?"
)


@dataclass(frozen=True, slots=True)
class Shot:
    """One file of a folder: its name, its time, and the date its photo is known by.

    `modified` is naive UTC; `taken_at` naive local time, None unless it is exact.
    `is_cameras` says that the camera of this very file wrote it.
    """

    name: str
    modified: datetime | None
    taken_at: datetime | None
    is_cameras: bool = False


@dataclass(frozen=True, slots=True)
class _Between:
    """The photos nearest before and after, by number, whose dates are known."""

    before: Shot
    after: Shot

    @property
    def first(self) -> datetime:
        assert self.before.taken_at
        return self.before.taken_at

    @property
    def last(self) -> datetime:
        assert self.after.taken_at
        return self.after.taken_at


def hints(
    shots: Sequence[Shot], folder: Evidence | None = None
) -> list[list[Evidence]]:
    """What the others of the folder say of each file whose date is not known.

    `folder` is what its name says, which the others may show to be too narrow.
    """
    places = _places(shots)
    wider = _wider(shots, folder)
    offset = _offset(shots)
    found: list[list[Evidence]] = []
    for at, shot in enumerate(shots):
        between = places.get(at)
        every = [_numbered(between) or wider, _timed(shot, between, offset)]
        found.append([one for one in every if one] if shot.taken_at is None else [])
    return found


# By number


def number(name: str) -> tuple[str, int] | None:
    """The series a name belongs to, and its number: ("img_", 412) of "IMG_0412.JPG"."""
    stem = name.rpartition(".")[0] or name
    found = _NUMBERED.fullmatch(stem.casefold())
    return (found["series"], int(found["number"])) if found else None


def _places(shots: Sequence[Shot]) -> dict[int, _Between]:
    """Between which two each file without a date stands, where that can be told."""
    series: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for at, shot in enumerate(shots):
        if numbered := number(shot.name):
            series[numbered[0]].append((numbered[1], at))
    found: dict[int, _Between] = {}
    for members in series.values():
        found.update(_placed(sorted(members), shots))
    return found


def _placed(
    members: Sequence[tuple[int, int]], shots: Sequence[Shot]
) -> Iterator[tuple[int, _Between]]:
    known = [(count, shots[at]) for count, at in members if shots[at].taken_at]
    numbers = [count for count, _ in known]
    for count, at in members:
        before, after = bisect_right(numbers, count) - 1, bisect_left(numbers, count)
        if shots[at].taken_at or before < 0 or after >= len(known):
            continue
        is_near = count - numbers[before] <= REACH and numbers[after] - count <= REACH
        # Of the same number there may be several; then they lie the other way round.
        low, high = min(before, after), max(before, after)
        if is_near and _in_order(
            [shot for _, shot in known[max(low - 1, 0) : high + 2]]
        ):
            yield at, _Between(known[low][1], known[high][1])


def _in_order(shots: Sequence[Shot]) -> bool:
    """Whether numbers and dates run the same way here; or they are no camera's."""
    moments = [shot.taken_at for shot in shots if shot.taken_at]
    return moments == sorted(moments)


def _numbered(between: _Between | None) -> Evidence | None:
    if between is None:
        return None
    first, last = between.first, between.last
    middle = (first + (last - first) / 2).replace(microsecond=0)
    said = " – ".join(dict.fromkeys((between.before.name, between.after.name)))  # noqa: RUF001
    if first.replace(second=0, microsecond=0) == last.replace(second=0, microsecond=0):
        return Evidence(middle, Precision.MINUTE, Origin.NEIGHBOURS, said=said)
    if first.date() == last.date():
        return Evidence(middle, Precision.DAY, Origin.NEIGHBOURS, said=said)
    start = datetime(first.year, first.month, 1)
    if (first.year, first.month) == (last.year, last.month):
        return Evidence(start, Precision.MONTH, Origin.NEIGHBOURS, said=said)
    if first.year == last.year:
        start = datetime(first.year, 1, 1)
        return Evidence(start, Precision.YEAR, Origin.NEIGHBOURS, said=said)
    return None


# By the folder


def _wider(shots: Sequence[Shot], folder: Evidence | None) -> Evidence | None:
    """The year, or decade, of a folder that holds more than its name says.

    A folder of a journey is named by its first day. What lies outside, or near its end,
    shows that others may lie outside as well.
    """
    known = sorted(shot.taken_at for shot in shots if shot.taken_at)
    if not known or folder is None or folder.precision not in NEAR:
        return None
    earliest, latest = span(folder)
    if earliest <= known[0] and known[-1] <= latest - NEAR[folder.precision]:
        return None
    years = {known[0].year, (known[-1] + NEAR[Precision.MONTH]).year, earliest.year}
    first = min(years)
    if len(years) == 1:
        start, precision = datetime(first, 1, 1), Precision.YEAR
    elif len({year // 10 for year in years}) == 1:
        start, precision = datetime(first // 10 * 10, 1, 1), Precision.DECADE
    else:
        return None
    return Evidence(start, precision, Origin.NEIGHBOURS, said=folder.said)


# By time


def _offset(shots: Sequence[Shot]) -> timedelta | None:
    """By how much the folder's file times are ahead of its cameras' clocks.

    None where they do not agree: then copying changed them.
    """
    apart = [
        (shot.modified - shot.taken_at).total_seconds()
        for shot in shots
        if shot.modified and shot.taken_at and shot.is_cameras
    ]
    steps = Counter(
        step for one in apart if abs(one - (step := round(one / STEP) * STEP)) <= SLOW
    )
    if not steps:
        return None
    step, count = steps.most_common(1)[0]
    agree = count >= max(ENOUGH, SHARE * len(apart)) and abs(step) <= FARTHEST
    return timedelta(seconds=step) if agree else None


def _timed(
    shot: Shot, between: _Between | None, offset: timedelta | None
) -> Evidence | None:
    """The file's time, where its number says that it has not been changed since."""
    if shot.modified is None or offset is None or between is None:
        return None
    moment = shot.modified - offset
    if not between.first - MOMENT <= moment <= between.last + MOMENT:
        return None
    return Evidence(moment, Precision.MINUTE, Origin.FILE_TIME, said=shot.name)
