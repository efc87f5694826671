from datetime import timedelta

import pytest
from django.utils import timezone

from gallery.models import MAX_ATTEMPTS, Thumbnail
from gallery.models.steps import GIVEN_UP
from tests.gallery.rows import bare_photo

pytestmark = pytest.mark.django_db


def step(number: int = 0, **values: object) -> Thumbnail:
    return Thumbnail.objects.create(photo=bare_photo(number), **values)


def steps(count: int, **values: object) -> list[int]:
    return [step(number, **values).pk for number in range(count)]


def claim_batches(room: int = 10, *, size: int = 4) -> list[list[int]]:
    return Thumbnail.objects.claim_batches(room, size=size, seconds=60)


def take(pks: list[int]) -> list[int]:
    return Thumbnail.objects.take(pks, seconds=60)


def test_what_is_claimed_is_not_claimed_again():
    pks = steps(3)
    assert Thumbnail.objects.claim(pks, seconds=60) == pks
    assert Thumbnail.objects.claim(pks, seconds=60) == []


def test_a_lapsed_claim_is_free():
    pks = steps(1, claimed_until=timezone.now() - timedelta(seconds=1))
    assert Thumbnail.objects.claim(pks, seconds=60) == pks


def test_batches_are_as_large_as_asked_for_and_as_many():
    pks = steps(10)
    assert claim_batches(2) == [pks[:4], pks[4:8]]
    assert claim_batches(2) == [pks[8:]]


def test_what_was_begun_before_is_claimed_alone():
    fresh = steps(2)
    suspect = step(2, attempts=1)
    assert claim_batches() == [[suspect.pk], fresh]


def test_neither_failed_nor_finished_steps_are_claimed():
    step(0, problem="the decoder crashed")
    step(1, recipe=Thumbnail.RECIPE)
    step(2, attempts=MAX_ATTEMPTS)
    assert claim_batches() == []


def test_what_is_taken_counts_as_begun():
    pks = steps(2)
    assert take(pks) == pks
    assert set(Thumbnail.objects.values_list("attempts", flat=True)) == {1}


def test_finished_steps_are_not_taken():
    pks = [step(0, recipe=Thumbnail.RECIPE).pk, step(1).pk]
    assert take(pks) == pks[1:]


def test_a_batch_leaves_what_was_begun_before_to_a_task_of_its_own():
    suspect = step(0, attempts=1, claimed_until=timezone.now() + timedelta(minutes=1))
    fresh = step(1)
    assert take([suspect.pk, fresh.pk]) == [fresh.pk]
    assert claim_batches() == [[suspect.pk]]


def test_what_was_begun_too_often_is_given_up_with_a_reason():
    spent = step(attempts=MAX_ATTEMPTS)
    assert take([spent.pk]) == []
    spent.refresh_from_db()
    assert spent.problem == GIVEN_UP


def test_a_given_up_step_nobody_reports_on_is_set_aside_when_its_claim_lapses():
    lapsed = timezone.now() - timedelta(seconds=1)
    spent = step(attempts=MAX_ATTEMPTS, claimed_until=lapsed)
    claim_batches()
    spent.refresh_from_db()
    assert spent.problem == GIVEN_UP


def test_what_is_put_back_was_never_begun():
    pks = steps(2)
    take(pks)
    Thumbnail.objects.put_back(pks)
    assert claim_batches() == [pks]


def test_a_retried_step_is_as_fresh_as_a_new_one():
    failed = step(problem="the decoder crashed", attempts=2)
    assert Thumbnail.objects.retry() == 1
    assert take([failed.pk]) == [failed.pk]
