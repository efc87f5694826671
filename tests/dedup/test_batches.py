"""Which sets are alike, and what a sample proves: no database."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup import batches
from dedup.batches import Camera, One, Place, Scale

DCIM = Place(1, "DCIM")
WHATSAPP = Place(1, "WhatsApp Images")


def one(place=WHATSAPP, edge=1600, **values) -> One:
    return One(place, edge, **{"relation": "resized", **values})


KEEPER = One(DCIM, 4000, has_camera=True, relation="keeper")


def pattern(*others, keeper=KEEPER, confidence=0.99):
    return batches.pattern(keeper, others, confidence=confidence)


def test_sets_that_are_alike_have_one_pattern():
    assert pattern(one()).key == pattern(one(edge=1500), one(edge=1700)).key


@pytest.mark.parametrize(
    "other",
    [
        one(Place(1, "Downloads")),
        one(Place(2, "WhatsApp Images")),
        one(edge=3000),
        one(edge=4000),
        one(edge=5000),
        one(has_camera=True),
        one(relation="resaved"),
    ],
)
def test_what_differs_in_kind_has_another_pattern(other):
    assert pattern(other).key != pattern(one()).key


@pytest.mark.parametrize(
    "others",
    [
        [one(is_damaged=True)],
        [one(), one(relation="damaged")],
        [one(relation="similar_shot")],
        [],
    ],
)
def test_promise_08_what_may_go_wrong_is_looked_at_alone(others):
    assert pattern(*others) is None


def test_what_is_not_certain_is_looked_at_alone():
    assert pattern(one(), confidence=batches.SURE) is not None
    assert pattern(one(), confidence=batches.SURE - 0.001) is None


def test_a_damaged_keeper_is_looked_at_alone():
    damaged = One(DCIM, 4000, is_damaged=True)
    assert pattern(one(relation="same_pixels"), keeper=damaged) is None


def test_equal_pixels_are_one_safe_batch_wherever_they_lie():
    found = pattern(one(DCIM, relation="same_pixels"))
    assert found == pattern(one(relation="same_pixels"), one(relation="same_pixels"))
    assert found.is_safe
    assert not pattern(one(relation="same_pixels"), one()).is_safe


def test_copies_in_several_places_and_sizes_say_so():
    found = pattern(one(), one(DCIM, 300, has_camera=True, relation="cropped"))
    assert found.others is None
    assert (found.scale, found.relation) == (Scale.SEVERAL, "mixed")
    assert found.others_camera == Camera.SOME


@pytest.mark.parametrize(
    ("edge", "found"),
    [
        (4000, Scale.SAME),
        (3990, Scale.SAME),
        (4010, Scale.SAME),
        (4200, Scale.LARGER),
        (3000, Scale.SMALLER),
        (1600, Scale.CLEARLY_SMALLER),
        (320, Scale.MUCH_SMALLER),
        (0, Scale.SEVERAL),
    ],
)
def test_sizes_are_told_beside_the_keeper(edge, found):
    assert batches.scale(4000, edge) == found


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("DCIM/100APPLE/1.jpg", "DCIM"),
        ("phone/DCIM/Camera/1.jpg", "Camera"),
        ("old laptop/WhatsApp/Media/WhatsApp Images/Sent/1.jpg", "WhatsApp Images"),
        ("Photos/2009/Mallorca/1.jpg", "Photos"),
        ("1.jpg", ""),
        ("backup.zip!/DCIM/1.jpg", "DCIM"),
        ("", ""),
    ],
)
def test_a_folder_is_known_by_what_tells_of_it(path, folder):
    assert batches.folder(path) == folder


def test_the_queue_goes_by_batch_then_folders_then_date():
    early, late = datetime(2009, 5, 1), datetime(2019, 5, 1)
    order = [
        batches.position(9, True, KEEPER.place, WHATSAPP, late),
        batches.position(2, False, KEEPER.place, WHATSAPP, early),
        batches.position(2, False, KEEPER.place, WHATSAPP, late),
        batches.position(2, False, KEEPER.place, WHATSAPP, None),
        batches.position(10, False, KEEPER.place, WHATSAPP, early),
        batches.position(None, False, KEEPER.place, WHATSAPP, early),
    ]
    assert order == sorted(order)
    assert {len(one) for one in order} == {35}


# Clopper and Pearson's upper ends, one-sided, from tables.
@pytest.mark.parametrize(
    ("wrong", "looked", "share"),
    [
        (0, 60, 0.0487),
        (0, 20, 0.1391),
        (0, 1, 0.95),
        (1, 20, 0.2161),
        (2, 60, 0.1012),
        (5, 5, 1),
        (0, 0, 1),
    ],
)
def test_a_sample_proves_so_much_and_no_more(wrong, looked, share):
    assert batches.most_wrong(wrong, looked) == pytest.approx(share, abs=2e-4)


@given(st.integers(0, 20), st.integers(1, 300))
def test_looking_at_more_never_proves_less(wrong, looked):
    assert batches.most_wrong(wrong, looked + 1) <= batches.most_wrong(wrong, looked)
    assert batches.most_wrong(wrong + 1, looked) >= batches.most_wrong(wrong, looked)


def test_lots_are_spread_and_never_change():
    lots = [batches.lot(number, "digest") for number in range(1000)]
    assert lots == [batches.lot(number, "digest") for number in range(1000)]
    assert len(set(lots)) == 1000
    assert all(0 <= lot < 2**63 for lot in lots)
    assert 400 < sum(lot < 2**62 for lot in lots) < 600
