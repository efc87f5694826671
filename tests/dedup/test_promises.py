"""Whatever happens in whatever order, what was promised of decisions holds."""

from __future__ import annotations

from contextlib import suppress
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dedup import decisions, runs, scan, sets
from dedup.models import (
    Batch,
    BatchRun,
    Comparison,
    Decision,
    DuplicateSet,
    Fingerprint,
    Kind,
    Member,
    Verdict,
    pair_of,
)
from gallery.models import Photo
from tests.dedup import rows

STEPS = 20
EXAMPLES = 25
KINDS = st.sampled_from(["duplicates", "duplicates", "similar_shots", ""])
KEPT_FIELDS = ("trashed_at", "in_favour_of_id", "taken_at", "latitude")


class Desk(RuleBasedStateMachine):
    """Photos come, are matched, decided on, undone and restored, in any order."""

    @initialize()
    def empty(self) -> None:
        models = (Verdict, Decision, DuplicateSet, Batch, Comparison, Fingerprint)
        for model in models:
            model.objects.all().delete()
        Photo.objects.update(trashed_at=None, trashed_by=None, in_favour_of=None)
        Photo.objects.all().delete()
        self.user = User.objects.get_or_create(username="anna")[0]
        self.other = User.objects.get_or_create(username="berta")[0]
        self.photos: list[Photo] = []
        self.asked: set[frozenset[str]] = set()
        self.before: dict[int, dict] = {}
        for _ in range(3):
            self.import_newcomer(["duplicates"] * 3)

    @rule(kinds=st.lists(KINDS, min_size=3, max_size=3))
    def import_newcomer(self, kinds: list[str]) -> None:
        newcomer = rows.photo(
            rows.pictures.scene(seed=1, size=(16, 12)),
            tail=bytes([len(self.photos)]),
            latitude=float(len(self.photos)) if len(self.photos) % 2 else None,
        )
        rows.fingerprint(newcomer, bytes(32), search="done")
        for other, kind in zip(reversed(self.photos), kinds, strict=False):
            if kind:
                rows.match(
                    other, newcomer, kind=kind, separates=kind == Kind.SIMILAR_SHOTS
                )
        self.photos.append(newcomer)
        self.regroup()

    @rule()
    def regroup(self) -> None:
        while sets.regroup():
            pass

    @precondition(lambda self: DuplicateSet.objects.open().exists())
    @rule(data=st.data())
    def resolve(self, data: st.DataObject) -> None:
        one = self.any(data, DuplicateSet.objects.open())
        ids = list(one.members.values_list("photo", flat=True))
        choices = {
            pk: data.draw(st.sampled_from(["keep", "discard"]), label=str(pk))
            for pk in ids
        }
        before = everything()
        try:
            decision = decisions.resolve(one, choices, by=self.user)
        except decisions.Refused:
            assert everything() == before
        else:
            self.before[decision.pk] = before
            self.answered(decision)

    @precondition(lambda self: DuplicateSet.objects.open().exists())
    @rule(data=st.data())
    def dismiss(self, data: st.DataObject) -> None:
        one = self.any(data, DuplicateSet.objects.open())
        before = everything()
        decision = decisions.dismiss(one, by=self.user)
        self.before[decision.pk] = before
        self.answered(decision)

    @precondition(lambda self: Decision.objects.filter(undone_at=None).exists())
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        decision = self.any(data, Decision.objects.filter(undone_at=None))
        before = everything()
        try:
            decisions.undo(decision, by=self.user)
        except decisions.CannotUndo:
            assert everything() == before
        else:
            self.gave_back(decision)
            self.asked.difference_update(pairs(decision))

    @precondition(lambda self: runs.summaries())
    @rule(data=st.data(), kill_at=st.none() | st.integers(0, 3))
    def carry_out_a_batch(self, data: st.DataObject, kill_at: int | None) -> None:
        batch = data.draw(st.sampled_from([one.batch for one in runs.summaries()]))
        self.look_at_all(batch)
        before = everything()
        version = runs.sample(batch).version
        run = runs.begin(batch, version=version, by=self.user)
        self.work_on(run, kill_at)
        run.refresh_from_db()
        for decision in run.decisions.all():
            self.before[decision.pk] = before
            self.answered(decision)
        assert run.done == run.decisions.count()
        assert run.done + run.refused == run.total

    @precondition(lambda self: undoable().exists())
    @rule(data=st.data(), kill_at=st.none() | st.integers(0, 3))
    def undo_a_batch(self, data: st.DataObject, kill_at: int | None) -> None:
        run = self.any(data, undoable())
        done = list(run.decisions.filter(undone_at=None))
        runs.begin_undo(run, by=self.user)
        self.work_on(run, kill_at)
        for decision in done:
            decision.refresh_from_db()
            if decision.is_undone:
                self.gave_back(decision)
                self.asked.difference_update(pairs(decision))

    def look_at_all(self, batch: Batch) -> None:
        while not runs.proof(batch).is_complete:
            shown = runs.sample(batch)
            said = {one.pk: (runs.RIGHT, one.revision) for one in shown.drawn}
            runs.look(batch, said, by=self.user)

    def work_on(self, run: BatchRun, kill_at: int | None) -> None:
        """Do all of a run one set at a time, killed in the midst of one of them."""
        with patch.object(runs, "AT_ONCE", 1):
            for number in range(1_000):
                if number == kill_at:
                    self.kill(run)
                if not runs.step(run.pk):
                    return
        raise AssertionError("it never comes to an end")

    def kill(self, run: BatchRun) -> None:
        before = everything(), BatchRun.objects.filter(pk=run.pk).values().get()
        killed = patch.object(BatchRun, "save", side_effect=KeyboardInterrupt)
        with killed, suppress(KeyboardInterrupt):
            runs.step(run.pk)
        now = everything(), BatchRun.objects.filter(pk=run.pk).values().get()
        assert now == before

    @precondition(lambda self: DuplicateSet.objects.open().exists())
    @rule(data=st.data())
    def two_reviewers_go_through_the_queue(self, data: st.DataObject) -> None:
        for one in DuplicateSet.objects.open():
            who = data.draw(st.sampled_from([self.user, self.other]))
            one.claim(by=who)
        queues = [
            set(DuplicateSet.objects.open().free_for(who).values_list("pk", flat=True))
            for who in (self.user, self.other)
        ]
        assert not queues[0] & queues[1]
        DuplicateSet.objects.update(claimed_by=None, claimed_until=None)

    @precondition(lambda self: Photo.objects.trashed().exists())
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        self.any(data, Photo.objects.trashed()).restore()
        scan.sweep()

    @rule()
    def look_at_everything_again(self) -> None:
        Comparison.objects.update(is_grouped=False)

    @invariant()
    def promise_04_every_discarded_photo_has_a_live_one_in_its_place(self) -> None:
        for photo in Photo.objects.trashed():
            keeper = photo
            while not keeper.is_live:
                keeper = keeper.in_favour_of
            assert keeper.is_live

    @invariant()
    def promise_06_no_answered_pair_is_in_an_open_set(self) -> None:
        for one in DuplicateSet.objects.open():
            digests = sorted(one.members.values_list("photo__digest", flat=True))
            for at, left in enumerate(digests):
                for right in digests[at + 1 :]:
                    assert frozenset((left, right)) not in self.asked

    @invariant()
    def promise_07_every_member_matches_its_keeper(self) -> None:
        for member in Member.objects.filter(
            duplicate_set__state="open", is_keeper=False
        ):
            keeper = member.duplicate_set.members.get(is_keeper=True).photo_id
            left, right = sorted((keeper, member.photo_id))
            pair = Comparison.objects.get(left=left, right=right)
            assert pair.kind == member.duplicate_set.kind

    def any(self, data: st.DataObject, rows):
        return data.draw(st.sampled_from(list(rows.order_by("pk"))))

    def answered(self, decision: Decision) -> None:
        self.asked |= pairs(decision)
        for pair in pairs(decision):
            assert Verdict.objects.of([pair_of(*pair)])

    def gave_back(self, decision: Decision) -> None:
        """The set, its members and its photos are those of the moment before."""
        before, after = self.before[decision.pk], everything()
        one = decision.duplicate_set_id
        assert after["sets"][one] == before["sets"][one]
        members = [row for row in before["members"] if row["duplicate_set_id"] == one]
        assert [row for row in after["members"] if row in members] == members
        for member in members:
            photo = member["photo_id"]
            assert after["photos"][photo] == before["photos"][photo]


def pairs(decision: Decision) -> set[frozenset[str]]:
    digests = decision.before["digests"]
    return {frozenset((a, b)) for a in digests for b in digests if a != b}


def undoable():
    ended = BatchRun.objects.filter(state__in=["finished", "cancelled"])
    return ended.filter(done__gt=F("undone"))


def everything() -> dict:
    return {
        "photos": {row["id"]: row for row in Photo.objects.values("id", *KEPT_FIELDS)},
        "sets": {row["id"]: row for row in DuplicateSet.objects.values()},
        "members": list(Member.objects.order_by("pk").values()),
        "verdicts": list(Verdict.objects.order_by("pk").values("left_digest", "says")),
    }


@pytest.mark.django_db
def test_promises_04_to_07_hold_in_any_order(vault):
    run_state_machine_as_test(
        Desk,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
