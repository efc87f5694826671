"""Enrolling, fingerprinting and searching."""

import numpy as np
import pytest

from dedup import scan
from dedup.models import Comparison, Decision, Fingerprint, Search, Verdict, pair_of
from tests import pictures
from tests.dedup import rows

pytestmark = pytest.mark.django_db


def bits(*, seed: int = 0, flipped: int = 0) -> bytes:
    """A hash; with `flipped` other bits it is that far from the one of its seed."""
    random = np.random.default_rng(seed).integers(0, 2, 256, dtype=np.uint8)
    random[:flipped] ^= 1
    return np.packbits(random).tobytes()


def pairs() -> set[tuple[int, int]]:
    return set(Comparison.objects.values_list("left", "right"))


def test_photos_are_enrolled_once():
    rows.bare_photo(1)
    assert (scan.enrol(), scan.enrol()) == (1, 0)
    rows.bare_photo(2)
    assert scan.enrol() == 1


def test_a_sweep_finds_a_photo_that_a_backup_brought_back():
    first, second = rows.bare_photo(1), rows.bare_photo(2)
    scan.enrol()
    Fingerprint.objects.filter(photo=first).delete()
    assert scan.enrol() == 0
    assert scan.sweep() == 1
    assert set(Fingerprint.objects.values_list("photo", flat=True)) == {
        first.pk,
        second.pk,
    }


def test_a_photo_waits_for_its_thumbnail(vault):
    row = rows.photo()
    scan.enrol()
    assert Fingerprint.objects.outstanding().count() == 1
    row.thumbnail.set(recipe=0)
    assert Fingerprint.objects.outstanding().count() == 0


def test_near_photos_become_one_pair():
    one, other, far = (rows.bare_photo(number) for number in range(3))
    rows.fingerprint(one, bits(seed=1))
    rows.fingerprint(other, bits(seed=1, flipped=8))
    rows.fingerprint(far, bits(seed=2))
    assert scan.search() == 3
    comparison = Comparison.objects.get()
    assert comparison.pair == (one.pk, other.pk)
    assert (comparison.distance, comparison.turn) == (8, 0)


def test_a_newcomer_is_joined_against_all():
    one = rows.bare_photo(1)
    rows.fingerprint(one, bits(seed=1))
    scan.search()
    newcomer = rows.bare_photo(2)
    rows.fingerprint(newcomer, bits(seed=1, flipped=3))
    assert scan.search() == 1
    assert pairs() == {(one.pk, newcomer.pk)}


def test_promise_10_searching_twice_leaves_the_same_rows():
    for number in range(4):
        rows.fingerprint(rows.bare_photo(number), bits(seed=1, flipped=number))
    scan.search()
    before = list(Comparison.objects.order_by("pk").values())
    Fingerprint.objects.update(search=Search.DUE)
    scan.search()
    assert list(Comparison.objects.order_by("pk").values()) == before
    assert len(before) == 6


def test_the_turn_is_that_of_the_left_photo():
    turned = pictures.turned(pictures.scene(seed=4), degrees=90)
    one, other = rows.bare_photo(1), rows.bare_photo(2)
    for row, image in ((one, pictures.scene(seed=4)), (other, turned)):
        hashes = scan.perceptual.fingerprint(image)
        rows.fingerprint(row, hashes.bits, quality=hashes.quality)
    scan.search()
    found = Comparison.objects.get()
    Comparison.objects.all().delete()
    # The same pair, found from its other side.
    Fingerprint.objects.filter(photo=other).update(search=Search.DUE)
    scan.search()
    again = Comparison.objects.get()
    assert (found.turn, found.distance) == (again.turn, again.distance)
    # Turning the left picture anticlockwise gives the right one.
    assert found.turn == 7


def test_promise_06_an_answered_pair_is_not_offered():
    one, other = rows.bare_photo(1), rows.bare_photo(2)
    left, right = pair_of(one.digest, other.digest)
    decision = Decision.objects.create(kind=Decision.Kind.DISMISS)
    Verdict.objects.create(
        left_digest=left, right_digest=right, says="same", decision=decision
    )
    for row in (one, other):
        rows.fingerprint(row, bits(seed=1))
    scan.search()
    assert pairs() == set()


def test_photos_in_the_trash_are_searched_when_they_are_back(admin_user):
    keeper, trashed, newcomer = (rows.bare_photo(number) for number in range(3))
    rows.fingerprint(keeper, bits(seed=2))
    rows.fingerprint(trashed, bits(seed=1))
    trashed.move_to_trash(by=admin_user, in_favour_of=keeper)
    rows.fingerprint(newcomer, bits(seed=1, flipped=2))
    scan.search()
    assert pairs() == set()
    trashed.restore()
    scan.sweep()
    scan.search()
    assert pairs() == {(trashed.pk, newcomer.pk)}
