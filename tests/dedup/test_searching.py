"""Searching: which photos are worth comparing, found in steps that may break off."""

import numpy as np
import pytest

from dedup import perceptual, roads, scan, searching
from dedup.local_features import local_features
from dedup.models import (
    Comparison,
    Decision,
    Fingerprint,
    LocalFeatures,
    Search,
    SearchPass,
    Verdict,
    pair_of,
)
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


def test_near_photos_become_one_pair():
    one, other, far = (rows.bare_photo(number) for number in range(3))
    rows.fingerprint(one, bits(seed=1))
    rows.fingerprint(other, bits(seed=1, flipped=8))
    rows.fingerprint(far, bits(seed=2))
    assert searching.search() == 3
    comparison = Comparison.objects.get()
    assert comparison.pair == (one.pk, other.pk)
    assert (comparison.distance, comparison.turn) == (8, 0)


def test_a_newcomer_is_joined_against_all():
    one = rows.bare_photo(1)
    rows.fingerprint(one, bits(seed=1))
    searching.search()
    newcomer = rows.bare_photo(2)
    rows.fingerprint(newcomer, bits(seed=1, flipped=3))
    assert searching.search() == 1
    assert pairs() == {(one.pk, newcomer.pk)}


def test_promise_10_searching_twice_leaves_the_same_rows():
    for number in range(4):
        rows.fingerprint(rows.bare_photo(number), bits(seed=1, flipped=number))
    searching.search()
    before = list(Comparison.objects.order_by("pk").values())
    Fingerprint.objects.update(search=Search.DUE)
    searching.search()
    assert list(Comparison.objects.order_by("pk").values()) == before
    assert len(before) == 6


def test_the_turn_is_that_of_the_left_photo():
    turned = pictures.turned(pictures.scene(seed=4), degrees=90)
    one, other = rows.bare_photo(1), rows.bare_photo(2)
    for row, image in ((one, pictures.scene(seed=4)), (other, turned)):
        hashes = perceptual.fingerprint(image)
        rows.fingerprint(row, hashes.bits, quality=hashes.quality)
    searching.search()
    found = Comparison.objects.get()
    Comparison.objects.all().delete()
    # The same pair, found from its other side.
    Fingerprint.objects.filter(photo=other).update(search=Search.DUE)
    searching.search()
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
    searching.search()
    assert pairs() == set()


def test_photos_in_the_trash_are_searched_when_they_are_back(admin_user):
    keeper, trashed, newcomer = (rows.bare_photo(number) for number in range(3))
    rows.fingerprint(keeper, bits(seed=2))
    rows.fingerprint(trashed, bits(seed=1))
    trashed.move_to_trash(by=admin_user, in_favour_of=keeper)
    rows.fingerprint(newcomer, bits(seed=1, flipped=2))
    searching.search()
    assert pairs() == set()
    trashed.restore()
    scan.sweep()
    searching.search()
    assert pairs() == {(trashed.pk, newcomer.pk)}


def crowd(count: int, *, seed: int = 1, first: int = 0, **values: object) -> list[int]:
    """So many photos that lie near one another; return their ids."""
    return [
        rows.fingerprint(
            rows.bare_photo(first + number),
            bits(seed=seed, flipped=number % 30),
            **values,
        ).pk
        for number in range(count)
    ]


def all_of(ids: list[int]) -> set[tuple[int, int]]:
    return {(one, other) for one in ids for other in ids if one < other}


class Stops:
    """Says stop from the so-manieth time on that it is asked."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.fixture
def short(monkeypatch):
    """Stretches and batches of few photos, so that a few photos make many steps."""
    monkeypatch.setattr(roads.HashRoad, "STRETCH", 3)
    monkeypatch.setattr(roads.SpotRoad, "STRETCH", 2)
    monkeypatch.setattr(roads.ClueRoad, "STRETCH", 2)
    monkeypatch.setattr(searching, "AT_ONCE", 4)
    monkeypatch.setattr(searching, "OFFER_AT_ONCE", 5)


def test_stretches_and_batches_leave_out_no_pair(short):
    ids = crowd(11)
    assert searching.search() == 11
    assert pairs() == all_of(ids)


def test_a_search_that_is_broken_off_goes_on_where_it_was(short):
    ids = crowd(11)
    slices = 0
    while Fingerprint.objects.to_search().exists():
        searching.search(stop=Stops(2))
        slices += 1
        assert slices < 100
    assert slices > 5
    assert pairs() == all_of(ids)
    assert not SearchPass.objects.exists()


def test_a_search_killed_at_any_write_goes_on(short, monkeypatch):
    ids = crowd(9)
    wanted = all_of(ids)
    writes = {"left": 0}

    class Killed(BaseException):
        pass

    def dies_between(one, found, note=searching._note):
        writes["left"] -= 1
        if writes["left"] < 0:
            raise Killed
        return note(one, found)

    monkeypatch.setattr(searching, "_note", dies_between)
    kills = 0
    while Fingerprint.objects.to_search().exists():
        writes["left"] = 1 + kills % 2
        try:
            searching.search()
        except Killed:
            kills += 1
    assert kills
    assert pairs() == wanted


def test_photos_that_come_while_a_search_runs_are_not_skipped(short):
    ids = crowd(7)
    arrived = 0
    while Fingerprint.objects.to_search().exists():
        searching.search(stop=Stops(2))
        if arrived < 5:
            arrived += 1
            ids += crowd(1, first=100 + arrived)
    assert pairs() == all_of(ids)


def test_a_photo_looked_at_anew_while_a_search_runs_is_searched_again(short):
    ids = crowd(7)
    searching.search(stop=Stops(3))
    changed = Fingerprint.objects.get(pk=ids[0])
    changed.set(bits=bits(seed=2), search=Search.DUE)
    twin = rows.fingerprint(rows.bare_photo(50), bits(seed=2))
    searching.search()
    assert (ids[0], twin.pk) in pairs()


def test_a_photo_trashed_while_a_search_runs_is_searched_when_back(short, admin_user):
    ids = crowd(8)
    searching.search(stop=Stops(3))
    trashed = Fingerprint.objects.get(pk=ids[5]).photo
    keeper = Fingerprint.objects.get(pk=ids[0]).photo
    trashed.move_to_trash(by=admin_user, in_favour_of=keeper)
    ids += crowd(2, first=60)
    searching.search()
    trashed.restore()
    scan.sweep()
    searching.search()
    assert pairs() == all_of(ids)


def test_fingerprints_of_two_recipes_are_not_compared():
    old = crowd(2, recipe=Fingerprint.RECIPE)
    new = crowd(2, first=10, recipe=Fingerprint.RECIPE + 1)
    searching.search()
    assert pairs() == all_of(old) | all_of(new)
    assert not Fingerprint.objects.to_search().exists()


def test_of_a_crowd_each_photo_keeps_its_best(monkeypatch):
    monkeypatch.setattr(searching, "MOST", 3)
    ids = crowd(20)
    searching.search()
    assert Comparison.objects.count() <= 3 * len(ids)
    assert Fingerprint.objects.filter(crowded=True).count() == len(ids)
    # The nearest of all: their hashes differ in one bit.
    assert {(ids[4], ids[5]), (ids[5], ids[6])} <= pairs()


def test_who_is_in_no_crowd_is_not_marked():
    crowd(4)
    searching.search()
    assert not Fingerprint.objects.filter(crowded=True).exists()


def test_the_same_camera_and_second_are_a_pair():
    far = [crowd(1, seed=seed, first=seed, moment=77)[0] for seed in range(3)]
    crowd(1, seed=9, first=9, moment=78)
    searching.search()
    assert pairs() == all_of(far)
    assert set(Comparison.objects.values_list("road", "distance")) == {("moment", None)}


def test_a_mirrored_crop_is_found_by_its_spots(short):
    whole = pictures.scene(seed=4, size=(512, 384))
    crop = pictures.mirrored(whole.crop((100, 60, 470, 340)))
    ids = []
    for number, picture in enumerate([whole, crop, pictures.scene(seed=5)]):
        ids += crowd(1, seed=number, first=number)
        LocalFeatures.objects.create(
            fingerprint_id=ids[-1], spots=local_features(picture)
        )
    searching.search()
    found = Comparison.objects.get()
    assert found.pair == (ids[0], ids[1])
    assert (found.road, found.mirrored, found.distance) == ("spots", True, None)


def test_one_stem_is_a_pair_unless_the_cameras_times_differ():
    original = crowd(1, seed=1, first=1, stem=5, moment=77)[0]
    stripped = crowd(1, seed=2, first=2, stem=5)[0]
    another = crowd(1, seed=3, first=3, stem=5, moment=78)[0]
    searching.search()
    assert pairs() == {(original, stripped), (stripped, another)}


def test_what_many_files_share_says_nothing():
    for number in range(roads.CROWD + 1):
        crowd(1, seed=number, first=number, stem=5)
    searching.search()
    assert pairs() == set()


def test_how_far_the_search_is_is_told_in_photos(short):
    crowd(9)
    told = []
    searching.search(progress=lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (9, 9)
    assert {total for _, total in told} == {9}


def test_a_search_on_a_road_that_is_no_more_begins_again(short):
    ids = crowd(6)
    searching.search(stop=Stops(2))
    SearchPass.objects.update(road="forgotten", reached=searching.WALKED)
    searching.search()
    assert pairs() == all_of(ids)
