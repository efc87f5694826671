"""Batches: what is shown of one, looks at a sample of it, carrying it out, undoing it.

A batch is carried out in the background, some sets at a time, each time in a transaction
that also notes how far it is: killed at any moment, it goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, F, OuterRef, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from dedup import batches, decisions, placing
from dedup.models import Batch, BatchRun, Decision, DuplicateSet, Look, Turn

# Sets in one transaction, during which nobody else decides anything.
AT_ONCE = 50
# Later than every version there is.
NEVER = 2**31 - 1
# Of what was refused, so many are named.
NAMED = 200
# Sets on a page of the sample, and the most doubtful beside them.
SAMPLE, DOUBTFUL = 20, 5


class NotNow(Exception):
    """The batch cannot be carried out, stopped or undone; the text says why."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A batch in the list: how many open sets it has and what they gain, bytes."""

    batch: Batch
    sets: int
    bytes_to_gain: int


def summaries() -> list[Summary]:
    """Return all batches with open sets: the safe one first, then the largest."""
    rows = DuplicateSet.objects.open().filter(batch__isnull=False).order_by()
    counted = rows.values("batch").annotate(
        sets=Count("pk"), bytes=Sum("bytes_to_gain")
    )
    found = {row["batch"]: row for row in counted}
    known = Batch.objects.select_related("keeper_source", "other_source")
    made = [
        Summary(batch, found[batch.pk]["sets"], found[batch.pk]["bytes"])
        for batch in known.filter(pk__in=found)
    ]
    return sorted(
        made, key=lambda one: (not one.batch.is_safe, -one.sets, one.batch.pk)
    )


def open_sets(batch: Batch, *, version: int | None = None) -> QuerySet[DuplicateSet]:
    """Return the open sets of a batch; `version`: only what had joined it by then."""
    rows = DuplicateSet.objects.open()
    upto = NEVER if version is None else version
    if batch.is_by_folder:
        return rows.filter(
            folder_sets__batch=batch,
            folder_sets__revision=F("revision"),
            folder_sets__joined__lte=upto,
        )
    return rows.filter(batch=batch, joined__lte=upto)


@dataclass(frozen=True, slots=True)
class Proof:
    """What looking at a random sample proves of the sets nobody looked at."""

    sets: int
    looked: int
    wrong: int
    # Whether every set that is left was looked at.
    is_complete: bool

    @property
    def is_enough(self) -> bool:
        """Whether so many were looked at that all may be carried out."""
        return self.is_complete or self.looked >= batches.MUST_LOOK

    @property
    def missing(self) -> int:
        return max(0, min(batches.MUST_LOOK, self.sets + self.wrong) - self.looked)

    @property
    def most_wrong(self) -> float:
        """The largest share of wrong ones that is still possible, in percent."""
        if not self.looked:
            return 100.0
        return 100 * batches.most_wrong(self.wrong, self.looked)


def proof(batch: Batch, *, version: int | None = None) -> Proof:
    """Return what was proven of a batch since it was last carried out.

    `version`: only of what had joined it by then.

    A look counts once every set before it in the random order was looked at, too: only
    then is what was looked at a random sample, also of what came in later.
    """
    looks = Look.objects.filter(batch=batch).counting()
    rows = unlooked(batch, version=version)
    first = rows.order_by("lot").values_list("lot", flat=True).first()
    counting = looks if first is None else looks.filter(lot__lt=first)
    # A set that changed was looked at again: it counts as it is.
    lots = dict(counting.order_by("pk").values_list("lot", "is_wrong"))
    return Proof(
        sets=open_sets(batch).count(),
        looked=len(lots),
        wrong=sum(lots.values()),
        is_complete=first is None,
    )


def unlooked(batch: Batch, *, version: int | None = None) -> QuerySet[DuplicateSet]:
    """Return the open sets of a batch that nobody has looked at as they are now."""
    looks = Look.objects.counting().filter(
        batch=batch,
        duplicate_set=OuterRef("pk"),
        revision=OuterRef("revision"),
        is_wrong=False,
    )
    return open_sets(batch, version=version).filter(~Exists(looks))


@dataclass(frozen=True, slots=True)
class Sample:
    """Sets of a batch to look at: drawn at random, and the most doubtful."""

    version: int
    drawn: list[DuplicateSet]
    doubtful: list[DuplicateSet]


def sample(batch: Batch) -> Sample:
    """Return what to look at next of a batch; what changes later does not belong to it."""
    # Before the sets: whatever joined up to it can be seen by now.
    version = Batch.objects.values_list("version", flat=True).get(pk=batch.pk)
    rows = unlooked(batch, version=version)
    drawn = list(rows.order_by("lot")[:SAMPLE])
    others = rows.exclude(pk__in=[one.pk for one in drawn])
    doubtful = list(others.order_by("confidence")[:DOUBTFUL])
    return Sample(version, drawn, doubtful)


RIGHT, NOT_SAME, LATER = "right", "not_same", "later"


def look(
    batch: Batch, said: Mapping[int, tuple[str, int]], *, by: User
) -> dict[str, int]:
    """Note what somebody said of sets: by id, RIGHT, NOT_SAME or LATER, and the revision.

    What is not the same picture is dismissed, with verdicts; what is to be looked at
    later leaves the batch. Sets that changed meanwhile are passed over, to be looked at
    again. Return how many were said to be what.
    """
    counts = dict.fromkeys((RIGHT, NOT_SAME, LATER), 0)
    for pk in sorted(said):
        what, seen = said[pk]
        if what not in counts:
            continue
        with Turn.taken():
            one = open_sets(batch).filter(pk=pk, revision=seen).first()
            if one is None:
                continue
            Look.objects.create(
                batch=batch,
                duplicate_set=one,
                revision=seen,
                lot=one.lot,
                is_wrong=what != RIGHT,
                by=by,
            )
            if what == NOT_SAME:
                decisions.dismiss(one, by=by, seen=seen)
            elif what == LATER:
                placing.set_apart(one)
                one.folder_sets.all().delete()
        counts[what] += 1
    return counts


def begin(batch: Batch, *, version: int, by: User) -> BatchRun:
    """Have a batch carried out as it was shown at this version; raise NotNow."""
    found = proof(batch, version=version)
    if not batch.is_safe and not found.is_enough:
        raise NotNow(
            _("Please look at a sample of this batch first. Nothing was done.")
        )
    shown = open_sets(batch, version=version)
    counted = shown.aggregate(sets=Count("pk"), bytes=Sum("bytes_to_gain"))
    if not counted["sets"]:
        raise NotNow(_("Nothing is left to carry out in this batch."))
    try:
        with transaction.atomic():
            run = BatchRun.objects.create(
                batch=batch,
                by=by,
                version=version,
                total=counted["sets"],
                bytes_to_gain=counted["bytes"] or 0,
                looked=found.looked,
                wrong=found.wrong,
            )
            Look.objects.filter(batch=batch).counting().update(run=run)
    except IntegrityError as error:
        raise NotNow(_("This batch is being carried out or undone already.")) from error
    return run


def go_on(stop: Callable[[], bool]) -> None:
    """Do what is left of all runs, until there is no more or it is time to stop."""
    for pk in BatchRun.objects.under_way().order_by("pk").values_list("pk", flat=True):
        while not stop() and step(pk):
            pass


def step(pk: int) -> bool:
    """Do some sets of a run; return whether there is more to do."""
    with Turn.taken():
        run = BatchRun.objects.select_for_update().get(pk=pk)
        if run.state == BatchRun.State.RUNNING:
            _carry_out_some(run)
        elif run.state == BatchRun.State.UNDOING:
            _undo_some(run)
        return run.is_under_way


def _carry_out_some(run: BatchRun) -> None:
    rows = open_sets(run.batch, version=run.version).filter(lot__gt=run.reached)
    some = list(rows.order_by("lot").values_list("pk", "lot")[:AT_ONCE])
    if not some:
        _end(run, BatchRun.State.FINISHED)
        return
    back = _taken_back([pk for pk, _ in some])
    said = _("It was decided by itself before, and that was undone.")
    _refuse(run, (decisions.Left(pk, said) for pk in sorted(back)))
    made, left = decisions.resolve_as_suggested(
        [pk for pk, _ in some if pk not in back], by=run.by, run=run
    )
    _refuse(run, left)
    run.done += len(made)
    run.discarded += sum(len(decision.before["photos"]) for decision in made)
    run.reached = some[-1][1]
    run.save()


def _taken_back(sets: Iterable[int]) -> set[int]:
    """Return which of these sets somebody decided and took back by itself."""
    rows = Decision.objects.filter(
        duplicate_set__in=list(sets), undone_at__isnull=False, undone_as_batch=False
    )
    return {pk for pk in rows.values_list("duplicate_set", flat=True) if pk}


def _refuse(run: BatchRun, left: Iterable[decisions.Left]) -> None:
    for one in left:
        run.refused += 1
        if len(run.refusals) < NAMED:
            note = {"set": one.duplicate_set, "reason": one.reason}
            run.refusals = [*run.refusals, note]


def _end(run: BatchRun, state: str) -> None:
    run.state, run.finished_at = state, timezone.now()
    run.save()


def stop(run: BatchRun) -> None:
    """Carry out no more of it: what was carried out stays, until it is undone."""
    with Turn.taken():
        held = BatchRun.objects.select_for_update().get(pk=run.pk)
        if held.state != BatchRun.State.RUNNING:
            raise NotNow(_("This is not being carried out any more."))
        _end(held, BatchRun.State.CANCELLED)


# Above every key there is.
NONE_YET = 2**63 - 1


def begin_undo(run: BatchRun, *, by: User) -> None:
    """Have all decisions of a run undone, the latest first; raise NotNow."""
    with Turn.taken():
        held = BatchRun.objects.select_for_update().get(pk=run.pk)
        if not held.is_undoable:
            raise NotNow(_("There is nothing left to undo here."))
        others = BatchRun.objects.under_way().filter(batch=held.batch_id)
        if others.exists():
            raise NotNow(_("This batch is being carried out or undone already."))
        held.state, held.undone_by = BatchRun.State.UNDOING, by
        held.reached, held.refused, held.refusals = NONE_YET, 0, []
        held.save()


def _undo_some(run: BatchRun) -> None:
    rows = run.decisions.filter(pk__lt=run.reached, undone_at=None)
    some = list(rows.order_by("-pk")[:AT_ONCE])
    if not some:
        back = run.decisions.exclude(undone_at=None).count()
        run.undone = back
        whole = back >= run.done
        _end(run, BatchRun.State.UNDONE if whole else BatchRun.State.FINISHED)
        return
    for decision in some:
        try:
            decisions.undo(decision, by=run.undone_by, as_batch=True)
        except decisions.CannotUndo as refused:
            _refuse(run, [decisions.Left(decision.duplicate_set_id or 0, str(refused))])
        else:
            run.undone += 1
    run.reached = some[-1].pk
    run.save()
