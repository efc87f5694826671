from datetime import datetime, timedelta
from random import Random

import numpy as np
import pytest

from gallery import columns as module
from gallery.columns import Columns, Selection, columns
from gallery.orders import Order, Place

ORDERS = [
    Order(field, descending)
    for field in ("taken", "added", "size", "pixels", "name")
    for descending in (False, True)
]
NAMES = ["a.jpg", "B.jpg", "b.jpg", "Ä.jpg", "", "x" * 60, "x" * 61, "日本.jpg"]
START = datetime(2009, 12, 30)


def photo(pk: int, random: Random) -> tuple:
    taken = START + timedelta(days=random.randrange(4))
    return (
        pk,
        str(taken) if random.random() < 0.8 else None,
        f"2020-01-0{random.randrange(1, 4)} 12:00:00",
        random.choice([10, 20, 2**40]),
        random.choice([None, 400, 300]),
        300,
        random.choice(NAMES),
        random.choice(["", "Canon", "Nikon"]),
        "JPEG",
        "second",
    )


def made(pks, seed: int = 4) -> Columns:
    random = Random(seed)
    photos = [photo(pk, random) for pk in pks]
    return columns(photos, [(pk, pk % 3, f"Ort {pk % 4}/{pk}.jpg") for pk in pks])


@pytest.fixture(params=[7, 2_000], ids=["by halves", "at once"])
def forty(request, monkeypatch) -> Selection:
    """Forty photos with many equal values, some of them missing."""
    monkeypatch.setattr(module, "FEW", request.param)
    return Selection.all(made(range(1, 41)))


def in_order(photos: Selection, order: Order) -> list[int]:
    """The keys sorted by Python: values first, ties by key, no value last."""
    places = [photos.place(int(pk), order) for pk in photos.columns.pk]

    def key(place: Place):
        return place.value, place.pk

    known = [place for place in places if place.value is not None]
    unknown = [place for place in places if place.value is None]
    first = sorted(known, key=key, reverse=order.descending)
    last = sorted(unknown, key=lambda place: place.pk, reverse=order.descending)
    return [place.pk for place in first + last]


@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.parametrize("backwards", [False, True])
def test_stretches_from_place_to_place_are_the_whole_order(forty, order, backwards):
    found: list[int] = []
    place = None
    while some := forty.beside(order, place, size=3, backwards=backwards):
        found += some
        place = forty.place(some[-1], order)
    expected = in_order(forty, order)
    assert found == (expected[::-1] if backwards else expected)


def test_names_sort_without_case_and_accents(forty):
    by_name = forty.beside(Order("name"), None, size=40)
    keys = [forty.place(pk, Order("name")).value for pk in by_name]
    assert keys == sorted(keys)
    assert {"a.jpg", "b.jpg", "x" * 48} <= set(keys)


def test_photo_that_is_not_here_has_no_place(forty):
    assert forty.place(1_000, Order("size")) is None


def test_months_are_counted_and_undated_photos_left_out(forty):
    counts = dict(forty.months())
    assert set(counts) == {12 * 2009 + 11, 12 * 2010}
    dated = forty.between("taken", None, module.LAST)
    assert sum(counts.values()) == len(dated) < 40
    assert len(forty.in_month(12 * 2010, 12 * 2010)) == counts[12 * 2010]


def test_names_are_tallied_the_most_first(forty):
    counts = forty.tally("camera")
    assert sum(counts.values()) == 40
    assert list(counts.values()) == sorted(counts.values(), reverse=True)
    assert all(len(forty.named("camera", [name])) == n for name, n in counts.items())


def test_month_starts_where_the_day_starts():
    start = module.month_start(12 * 2004 + 6)
    assert start == module.day_start(datetime(2004, 7, 1).date())


@pytest.mark.parametrize("seed", range(8))
def test_replacing_photos_gives_what_reading_all_gives(seed):
    random = Random(seed)
    old = set(random.sample(range(1, 60), 40))
    changed = set(random.sample(range(1, 80), 30))
    live = set(random.sample(sorted(changed), 20))
    before = made(sorted(old))
    fresh = made(sorted(live), seed=seed)
    after = before.replaced(np.array(sorted(changed)), fresh)
    assert after.pk.tolist() == sorted(old - changed | live)
    for pk in after.pk.tolist():
        source = fresh if pk in live else before
        for order in ORDERS:
            places = [Selection.all(one).place(pk, order) for one in (after, source)]
            assert places[0] == places[1]
        for field in module.NAMED:
            row, was = (
                after.rows_of(np.array([pk]))[0],
                source.rows_of(np.array([pk]))[0],
            )
            name = after.names[field][getattr(after, field)[row]]
            assert name == source.names[field][getattr(source, field)[was]]
    for place in range(4):
        told = Selection.all(after).told_by(f"ort {place}")
        assert after.pk[told.rows].tolist() == [p for p in after.pk if p % 4 == place]
    for drive in range(3):
        seen = Selection.all(after).seen_on(drive)
        assert after.pk[seen.rows].tolist() == [p for p in after.pk if p % 3 == drive]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mallorca", [1, 2]),
        ("MALLORCA 2004", [1, 2]),
        ("mall 0012", [1]),
        ("allorca", []),
        ("12", []),
        ("2005", [3]),
        ("cafe", [2]),
        ("Café strasse", [2]),
        ("oma", [3]),
        ("omas hochzeit", [3]),
        ("urlaub", [3]),
        ("SommerUrlaub", [3]),
        ("sommerurl", [3]),
        ("canon 20", [1]),
        ("powershot", []),
        ("", [1, 2, 3]),
        ("!?", [1, 2, 3]),
        ("2004 2005", []),
    ],
)
def test_words_are_found_in_names_folders_camera_and_year(text, found):
    facts = ("2020-01-01 12:00:00", 1, 4, 3)
    photos = [
        (1, None, *facts, "IMG_0012.JPG", "Canon EOS 20D", "JPEG", "unknown"),
        (2, None, *facts, "Café.JPG", "", "JPEG", "unknown"),
        (3, "2005-01-01", *facts, "Oma's 80.jpg", "", "JPEG", "day"),
    ]
    sightings = [
        (1, 1, "Mallorca 2004/IMG_0012.JPG"),
        (2, 1, "mallorca2004/Straße/Café.JPG"),
        (3, 1, "SommerUrlaub/Oma's 80.jpg"),
        (3, 2, "x/Hochzeit.jpg"),
    ]
    whole = columns(photos, sightings)
    partly = columns(photos[:1], sightings[:1]).replaced(
        np.array([2, 3]), columns(photos[1:], sightings[1:])
    )
    for one in (whole, partly):
        rows = Selection.all(one).told_by(text).rows
        assert one.pk[rows].tolist() == found


def test_no_photos_are_columns_too():
    none = Selection.all(columns([], []))
    assert none.beside(Order("name"), None, size=3) == []
    assert none.months() == [] and none.tally("camera") == {}
    assert len(none.columns.replaced(np.array([1]), made([1]))) == 1
