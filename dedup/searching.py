"""Looking for the neighbours of what is new, as far as the time goes, and going on later.

What is new (`Search.DUE`) is taken up in batches (`BUSY`). A batch walks road after road
past all that was searched before, and past itself: so of two photos the one that is
searched later finds the other, whatever comes, goes or is looked at anew meanwhile. How
far it is stands in one `SearchPass`. Killed at any point, the walk goes on from the last
step noted; of two who walk at once, one is heard, and the rows are those of one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import numpy as np
from django.db import transaction
from django.db.models import Max

from dedup import candidates
from dedup.models import (
    Comparison,
    Fingerprint,
    Search,
    SearchPass,
    Turn,
    Verdict,
    pair_of,
)
from dedup.roads import ROADS, Road
from gallery.models import Photo
from gallery.stages import chunks

# Photos looked for at once. More of them means fewer passes over all others, and more
# memory: a hash and local features each, and their candidates.
AT_ONCE = 100_000
# Candidates of a photo on each road: the best ones. More of them only a crowd has.
MOST = 32
WRITE_AT_ONCE = 2_000
# Pairs written between two looks at the clock.
OFFER_AT_ONCE = 20_000
# What a kill may cost.
NOTE_SECONDS = 10.0
# The road has been walked: what it found is to be written.
WALKED = 2**62

Progress = Callable[[int, int], None]


def search(
    *,
    stop: Callable[[], bool] = lambda: False,
    progress: Progress | None = None,
    threads: int = 1,
) -> int:
    """Search until nothing is due or `stop` says so; return how many photos are done.

    Pairs found become comparisons, except those a person has answered. `progress` is
    told the number of photos done and of all.
    """
    walk = _Walk(stop=stop, tell=progress or (lambda *_: None), threads=threads)
    while not stop():
        one = SearchPass.objects.first() or _begin()
        if one is None:
            break
        walk.go_on(one)
    return walk.done


def _begin() -> SearchPass | None:
    """Put the next batch under way; None where nothing is due."""
    with Turn.taken("search"):
        if one := SearchPass.objects.first():
            return one
        due = Fingerprint.objects.made().filter(search=Search.DUE)
        recipe = due.live().aggregate(newest=Max("recipe"))["newest"]
        if recipe is None:
            return None
        due = due.filter(recipe=recipe)
        pks = due.order_by("pk").values_list("pk", flat=True)
        last = pks[AT_ONCE - 1 : AT_ONCE].first()
        if last is not None:
            due = due.filter(pk__lte=last)
        due.update(search=Search.BUSY, crowded=False)
        return SearchPass.objects.create(recipe=recipe, road=ROADS[0].name)


def _end(one: SearchPass) -> int:
    """Bring the batch to its end; return how many photos were in it."""
    with Turn.taken("search"):
        if not SearchPass.objects.filter(pk=one.pk, step=one.step).delete()[0]:
            return 0
        return Fingerprint.objects.filter(search=Search.BUSY).update(search=Search.DONE)


class _Walk:
    """One process's part in a search."""

    def __init__(
        self, *, stop: Callable[[], bool], tell: Progress, threads: int
    ) -> None:
        self.stop = stop
        self.tell = tell
        self.threads = threads
        self.done = 0

    def go_on(self, one: SearchPass) -> None:
        """Walk as far as the time goes, or until somebody else was quicker."""
        photos = _batch(one)
        self.total = self.done + Fingerprint.objects.to_search().live().count()
        for place in range(_place(one), len(ROADS)):
            if not self._walk(one, ROADS[place], photos):
                return
            self._say(one, photos, place + 1)
            if place + 1 < len(ROADS):
                one.road, one.reached = ROADS[place + 1].name, 0
                if not _note(one, candidates.none()):
                    return
        self.done += _end(one)
        self.tell(self.done, max(self.done, self.total))

    def _walk(self, one: SearchPass, kind: type[Road], photos: list[int]) -> bool:
        """Walk one road to its end; return whether it is all done and noted."""
        found = candidates.read(bytes(one.found))
        if one.reached < WALKED:
            walked = self._pass_by(one, kind, photos, found)
            if walked is None:
                return False
            found = walked
        return self._offer(one, kind, found)

    def _pass_by(
        self,
        one: SearchPass,
        kind: type[Road],
        photos: list[int],
        found: np.ndarray,
    ) -> np.ndarray | None:
        """Return what the road gave, best first; None where it is not at its end."""
        road = kind(photos, one.recipe, threads=self.threads)
        noted = time.monotonic()
        while stretch := road.go_on(one.reached):
            one.reached = stretch.reached
            _mark(stretch.away, Search.APART)
            # One more than are kept tells a crowd.
            found = candidates.best(
                np.concatenate([found, stretch.found]), most=MOST + 1
            )
            self._say(one, photos, ROADS.index(kind))
            stopped = self.stop()
            if stopped or time.monotonic() - noted > NOTE_SECONDS:
                if not _note(one, found) or stopped:
                    return None
                noted = time.monotonic()
        _mark_crowded(candidates.crowded(found, most=MOST))
        one.reached = WALKED
        found = candidates.best(found, most=MOST)
        return found if _note(one, found) else None

    def _offer(self, one: SearchPass, kind: type[Road], found: np.ndarray) -> bool:
        """Make comparisons of what was found; return whether that is done."""
        while len(found):
            _write(kind, found[:OFFER_AT_ONCE])
            found = found[OFFER_AT_ONCE:]
            if self.stop():
                _note(one, found)
                return False
        return True

    def _say(self, one: SearchPass, photos: list[int], roads: int) -> None:
        share = roads / len(ROADS)
        if photos and one.reached < WALKED and roads < len(ROADS):
            share += min(1.0, one.reached / photos[-1]) / len(ROADS)
        self.tell(self.done + int(share * len(photos)), self.total)


def _place(one: SearchPass) -> int:
    """Return which road a search is on; the first, if an older version knew its road."""
    names = [road.name for road in ROADS]
    if one.road not in names:
        one.road, one.reached, one.found = names[0], 0, b""
    return names.index(one.road)


def _batch(one: SearchPass) -> list[int]:
    """Return the photos under way; those that went to the trash meanwhile drop out."""
    busy = Fingerprint.objects.filter(search=Search.BUSY, recipe=one.recipe)
    away = busy.filter(photo__trashed_at__isnull=False)
    _mark(list(away.values_list("pk", flat=True)), Search.APART)
    return list(busy.live().order_by("pk").values_list("pk", flat=True))


def _note(one: SearchPass, found: np.ndarray) -> bool:
    """Write down how far the search is; False where somebody else was quicker."""
    mine = SearchPass.objects.filter(pk=one.pk, step=one.step)
    one.step += 1
    one.found = candidates.stored(found)
    return bool(
        mine.update(road=one.road, reached=one.reached, found=one.found, step=one.step)
    )


def _write(kind: type[Road], found: np.ndarray) -> None:
    pairs = {}
    for left, right, cost, hint, swapped in candidates.pairs(found):
        seen = kind.swapped(hint) if swapped else hint
        pairs[left, right] = kind.pair(left, right, cost, seen)
    for some in chunks(sorted(pairs), WRITE_AT_ONCE):
        answered = _answered(some)
        Comparison.objects.bulk_create(
            [pairs[pair] for pair in some if pair not in answered],
            ignore_conflicts=True,
        )


def _answered(pairs: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return the pairs of photos on which there is a verdict."""
    pairs = list(pairs)
    if not Verdict.objects.exists():
        return set()
    photos = Photo.objects.filter(pk__in={photo for pair in pairs for photo in pair})
    digests = dict(photos.values_list("pk", "digest"))
    by_digest = {
        pair_of(digests[one], digests[two]): (one, two)
        for one, two in pairs
        if one in digests and two in digests
    }
    return {by_digest[pair] for pair in Verdict.objects.of(by_digest)}


@transaction.atomic
def _mark(photo_ids: Iterable[int], search: Search) -> None:
    for some in chunks(photo_ids, WRITE_AT_ONCE):
        Fingerprint.objects.filter(pk__in=some).update(search=search)


@transaction.atomic
def _mark_crowded(photo_ids: Iterable[int]) -> None:
    for some in chunks(photo_ids, WRITE_AT_ONCE):
        Fingerprint.objects.filter(pk__in=some).update(crowded=True)
