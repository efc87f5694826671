"""How far the queue is, how much is still to gain, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from statistics import median

from django.contrib.auth.models import User
from django.db.models import Count, Sum

from dedup.models import Decision, DuplicateSet

# Decisions looked back on, and the pause beyond which somebody did something else.
LATEST = 30
PAUSE = timedelta(minutes=3)
# What a set takes by experience, seconds, as long as nobody has shown otherwise.
USUAL = 8.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a set stands in its queue: `place` from 1, bytes of all that wait."""

    place: int
    waiting: int
    bytes_to_gain: int
    minutes: int

    @property
    def hours(self) -> int:
        return round(self.minutes / 60)


def progress(one: DuplicateSet, *, user: User) -> Progress:
    queue = DuplicateSet.objects.open().filter(kind=one.kind)
    counted = queue.aggregate(sets=Count("pk"), bytes=Sum("bytes_to_gain"))
    left = counted["sets"] * seconds_a_set(user)
    return Progress(
        place=queue.before(one).count() + 1,
        waiting=counted["sets"],
        bytes_to_gain=counted["bytes"] or 0,
        minutes=max(1, round(left / 60)),
    )


def seconds_a_set(user: User) -> float:
    """Return how long this person took for a set lately."""
    rows = Decision.objects.filter(by=user, run=None).order_by("-pk")
    times = list(rows.values_list("at", flat=True)[:LATEST])
    gaps = [later - earlier for later, earlier in pairwise(times)]
    seconds = [gap.total_seconds() for gap in gaps if gap <= PAUSE]
    return max(1.0, median(seconds)) if len(seconds) >= 3 else USUAL
