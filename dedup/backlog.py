"""All that is outstanding, done here and now: from thumbnails to sets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from django_q.status import Stat

from dedup import placing, scan, searching, sets
from dedup.crew import Crew
from dedup.models import Comparison, DuplicateSet, Fingerprint, Member
from gallery import beside
from gallery.models import Photo, SourceFile, StepQuerySet, Thumbnail

# How long to wait for what another process has claimed, if nothing moves.
PATIENCE_SECONDS = 10.0

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Chore:
    """Rows to work off, the task that does it, and how many rows it takes.

    The task is named only: its module is what a worker reads, not a command.
    """

    label: str
    model: type[Thumbnail] | type[Fingerprint] | type[Comparison]
    task: str
    size: int

    @property
    def steps(self) -> StepQuerySet:
        return self.model.objects.all()


THUMBNAILS = Chore("Thumbnails", Thumbnail, "gallery.tasks.make_thumbnails", 16)
FINGERPRINTS = Chore("Fingerprints", Fingerprint, "dedup.tasks.fingerprint_photos", 128)
COMPARISONS = Chore("Comparisons", Comparison, "dedup.tasks.compare_pairs", 64)
CHORES = (THUMBNAILS, FINGERPRINTS, COMPARISONS)


@dataclass(frozen=True, slots=True)
class Failed:
    """Something that could not be done in this run, and why."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of duplicates once nothing is outstanding."""

    photos: int
    seconds: float
    open_sets: dict[str, int]
    bytes_to_gain: int
    crowded: int = 0
    failed: list[Failed] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "photos": self.photos,
            "seconds": round(self.seconds, 3),
            "sets": list(described_sets()),
        }


def find_duplicates(*, workers: int, progress: Progress | None = None) -> Report:
    """Do all outstanding work with so many processes; with none, in this one.

    It may run beside a cluster, or beside itself: what others have claimed is waited for.
    """
    begun = time.monotonic()
    known = {chore: set(_failed(chore)) for chore in CHORES}
    progress = progress or (lambda *_: None)
    with Crew(workers) as crew:
        scan.sweep()
        while _outstanding():
            for chore in (THUMBNAILS, FINGERPRINTS):
                _work_off(chore, crew, progress)
                scan.enrol()
            searching.search(
                progress=partial(progress, "Searching"), threads=max(1, workers)
            )
            _work_off(COMPARISONS, crew, progress)
            _exhaust("Making sets", sets.regroup, progress)
        _exhaust("Sorting sets", placing.place_some, progress)
    beside.weigh_outstanding()
    open_sets = DuplicateSet.objects.open()
    return Report(
        photos=Photo.objects.live().count(),
        seconds=time.monotonic() - begun,
        open_sets={
            kind: open_sets.filter(kind=kind).count() for kind, _ in DuplicateSet.SETS
        },
        bytes_to_gain=sum(
            open_sets.filter(kind="duplicates").values_list("bytes_to_gain", flat=True)
        ),
        crowded=Fingerprint.objects.live().filter(crowded=True).count(),
        failed=[
            Failed(_named(chore, pk), reason)
            for chore in CHORES
            for pk, reason in _failed(chore)
            if (pk, reason) not in known[chore]
        ],
    )


def _outstanding() -> bool:
    scan.enrol()
    return (
        any(chore.steps.outstanding().exists() for chore in CHORES)
        or Fingerprint.objects.to_search().live().exists()
        or Comparison.objects.to_group().exists()
    )


def _exhaust(label: str, work: Callable[[], int], progress: Progress) -> None:
    done = 0
    while some := work():
        done += some
        progress(label, done, done)


def _work_off(chore: Chore, crew: Crew, progress: Progress) -> None:
    """Run the chore's task until nothing is outstanding."""
    done, total = 0, chore.steps.outstanding().count()
    patience = _Patience(chore)
    while crew.busy or chore.steps.outstanding().exists():
        batches = chore.steps.claim_batches(
            crew.room or 1, size=chore.size, seconds=settings.CLAIM_SECONDS
        )
        for pks in batches:
            if crew.size:
                crew.start(chore.task, pks)
            else:
                import_string(chore.task)(pks)
                done += len(pks)
        if crew.busy:
            done += _finished(chore, crew)
        elif not batches:
            patience.wait()
        total = max(total, done)
        progress(chore.label, done, total)


def _finished(chore: Chore, crew: Crew) -> int:
    done = crew.next_done()
    if not done.survived:
        # The claim dies with the process, so that its rows come again, one by one.
        chore.steps.release(done.pks)
    return len(done.pks)


class _Patience:
    """Waits for the claims of others, and no longer than somebody may be at them."""

    def __init__(self, chore: Chore) -> None:
        self.chore = chore
        self.seen = -1
        self.since = time.monotonic()

    def wait(self) -> None:
        time.sleep(0.25)
        claimed = self.chore.steps.claimed()
        count = claimed.count()
        if count != self.seen:
            self.seen, self.since = count, time.monotonic()
        elif time.monotonic() - self.since > PATIENCE_SECONDS and not Stat.get_all():
            # Nobody is left who could be at them.
            claimed.update(claimed_until=None)


def _failed(chore: Chore) -> list[tuple[int, str]]:
    return list(chore.steps.failed().values_list("pk", "problem"))


def _named(chore: Chore, pk: int) -> str:
    if chore is COMPARISONS:
        pair = Comparison.objects.select_related("left", "right").get(pk=pk)
        return f"{pair.left.name} and {pair.right.name}"
    return Photo.objects.get(pk=pk).name


def described_sets() -> Iterator[dict[str, Any]]:
    """Yield every set as the commands write it: members, suggestions, sightings."""
    rows = DuplicateSet.objects.order_by("pk")
    for one in rows.prefetch_related("members__photo").iterator(chunk_size=500):
        members = sorted(one.members.all(), key=lambda member: member.place)
        yield {
            "id": one.pk,
            "kind": one.kind,
            "state": one.state,
            "confidence": round(one.confidence, 3),
            "members": [_described(member) for member in members],
        }


def _described(member: Member) -> dict[str, Any]:
    seen = SourceFile.objects.filter(photo=member.photo_id).order_by("source", "path")
    return {
        "digest": member.photo.digest,
        "suggestion": member.suggestion,
        "reason": member.reason,
        "relation": member.relation,
        "sightings": [
            {"source": source, "path": path}
            for source, path in seen.values_list("source__label", "path")
        ],
    }
