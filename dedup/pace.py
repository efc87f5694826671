"""How far the queue is, how much is still to gain, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from statistics import median

from django.contrib.auth.models import User
from django.db.models import Count, Sum
from django.http import HttpRequest

from dedup.models import Decision, DuplicateSet, Kind, Order

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


def desk_order(request: HttpRequest) -> str:
    """Return the order in which somebody wants sets to come up, as chosen last."""
    return str(request.session.get("desk_order", Order.ALIKE))


def progress(one: DuplicateSet, *, user: User, order: str = "") -> Progress:
    queue = DuplicateSet.objects.open().filter(kind=one.kind)
    counted = queue.aggregate(sets=Count("pk"), bytes=Sum("bytes_to_gain"))
    left = counted["sets"] * seconds_a_set(user)
    return Progress(
        place=queue.before(one, order).count() + 1,
        waiting=counted["sets"],
        bytes_to_gain=counted["bytes"] or 0,
        minutes=max(1, round(left / 60)),
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """The set of duplicates at which somebody goes on, and how far that is."""

    duplicate_set: DuplicateSet
    progress: Progress


def standing(user: User, *, order: str = "") -> Standing | None:
    """Return where somebody left off deciding one by one; None if nothing waits."""
    queue = DuplicateSet.objects.open().filter(kind=Kind.DUPLICATES).in_order(order)
    latest = Decision.objects.filter(by=user, run=None).exclude(duplicate_set=None)
    last = latest.select_related("duplicate_set").order_by("-pk").first()
    free = queue.free_for(user)
    after = last.duplicate_set if last else None
    one = (free.after(after, order).first() if after else None) or free.first()
    return Standing(one, progress(one, user=user, order=order)) if one else None


def seconds_a_set(user: User) -> float:
    """Return how long this person took for a set lately."""
    rows = Decision.objects.filter(by=user, run=None).order_by("-pk")
    times = list(rows.values_list("at", flat=True)[:LATEST])
    gaps = [later - earlier for later, earlier in pairwise(times)]
    seconds = [gap.total_seconds() for gap in gaps if gap <= PAUSE]
    return max(1.0, median(seconds)) if len(seconds) >= 3 else USUAL
