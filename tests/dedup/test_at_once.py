"""Two people, or two processes, at the same set in the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection

from dedup import decisions, searching, sets
from dedup.models import Comparison, Decision, DuplicateSet, Fingerprint, Turn, Verdict
from gallery.models import Photo
from tests.dedup import rows

ROUNDS = 5


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Run each in a thread and on a connection of its own; return what came of each."""
    results: list[object] = [None] * len(acts)
    start = threading.Barrier(len(acts))

    def run(number: int, act: Callable[[], object]) -> None:
        try:
            start.wait(timeout=30)
            results[number] = act()
        except decisions.Refused as refused:
            results[number] = refused
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=(number, act))
        for number, act in enumerate(acts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def anna(house):
    return User.objects.create_user("anna")


@pytest.fixture
def berta(house):
    return User.objects.create_user("berta")


def test_of_two_who_decide_exactly_one_wins(anna, berta):
    for number in range(ROUNDS):
        one, other = rows.photo(seed=2 * number), rows.photo(seed=2 * number + 1)
        made = rows.duplicate_set([one, other])
        results = at_once(
            lambda m=made, a=one, b=other: decisions.resolve(
                m, {a.pk: "keep", b.pk: "discard"}, by=anna
            ),
            lambda m=made, a=one, b=other: decisions.resolve(
                DuplicateSet(pk=m.pk), {a.pk: "discard", b.pk: "keep"}, by=berta
            ),
        )
        won = [result for result in results if isinstance(result, Decision)]
        lost = [r for r in results if isinstance(r, decisions.SetChanged)]
        assert (len(won), len(lost)) == (1, 1), results
        assert f"decided by {won[0].by}" in str(lost[0])
        assert Photo.objects.live().filter(pk__in=[one.pk, other.pk]).count() == 1


def test_promise_04_two_sets_never_discard_each_others_keepers(anna, berta):
    for number in range(ROUNDS):
        one, other = rows.photo(seed=2 * number), rows.photo(seed=2 * number + 1)
        made = [rows.duplicate_set([one, other]), rows.duplicate_set([other, one])]
        at_once(
            lambda m=made, a=one, b=other: decisions.resolve(
                m[0], {a.pk: "keep", b.pk: "discard"}, by=anna
            ),
            lambda m=made, a=one, b=other: decisions.resolve(
                m[1], {a.pk: "discard", b.pk: "keep"}, by=berta
            ),
        )
        assert Photo.objects.live().filter(pk__in=[one.pk, other.pk]).count() == 1


def test_a_decision_is_undone_by_one_of_two(anna, berta):
    made = rows.duplicate_set([rows.photo(seed=1), rows.photo(seed=2)])
    decision = decisions.dismiss(made, by=anna)
    results = at_once(
        lambda: decisions.undo(Decision.objects.get(pk=decision.pk), by=anna),
        lambda: decisions.undo(Decision.objects.get(pk=decision.pk), by=berta),
    )
    assert sorted(type(result).__name__ for result in results) == [
        "CannotUndo",
        "NoneType",
    ]
    assert not Verdict.objects.exists()


def test_promise_10_two_at_once_make_the_sets_of_one(anna):
    photos = [rows.photo(seed=seed, width=6000 - seed) for seed in range(6)]
    Photo.objects.filter(pk__in=[photos[0].pk, photos[3].pk]).update(width=9000)
    for copy in photos[1:3]:
        rows.match(photos[0], copy)
    for copy in photos[4:]:
        rows.match(photos[3], copy)
    at_once(sets.regroup, sets.regroup)
    sizes = sorted(DuplicateSet.objects.values_list("size", flat=True))
    assert sizes == [3, 3]
    assert not Comparison.objects.to_group().exists()


def test_grouping_and_deciding_take_turns(anna):
    # The best of the three by far, or the newcomer might take its place.
    keeper = rows.photo(seed=0, size=99_999)
    copy, newcomer = rows.photo(seed=1), rows.photo(seed=2)
    rows.match(keeper, copy)
    sets.regroup()
    made = DuplicateSet.objects.get()
    rows.match(keeper, newcomer)
    at_once(
        sets.regroup,
        lambda: decisions.resolve(
            made, {keeper.pk: "keep", copy.pk: "discard"}, by=anna
        ),
    )
    while sets.regroup():
        pass
    closed = DuplicateSet.objects.exclude(state="open")
    members = [set(one.members.values_list("photo", flat=True)) for one in closed]
    # Either the newcomer came first and the decision was refused, or it asks anew.
    assert members in ([], [{keeper.pk, copy.pk}])
    asked = DuplicateSet.objects.open().get()
    left = {keeper.pk, newcomer.pk} | (set() if members else {copy.pk})
    assert set(asked.members.values_list("photo", flat=True)) == left


def test_promise_10_two_at_once_search_the_pairs_of_one(anna):
    for number in range(4):
        rows.fingerprint(rows.bare_photo(number), bytes(32))
    at_once(searching.search, searching.search)
    assert Comparison.objects.count() == 6
    assert not Fingerprint.objects.to_search().exists()


def test_a_right_is_claimed_by_one(anna):
    won = at_once(*[lambda: Turn.claim("search", seconds=60)] * 4)
    assert sorted(won) == [False, False, False, True]
    Turn.release("search")
    assert Turn.claim("search", seconds=60)
