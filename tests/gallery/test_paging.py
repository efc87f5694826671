from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gallery.models import Photo
from gallery.orders import Order, Place
from gallery.paging import neighbour, page, stretches
from tests.gallery.rows import bare_photo

pytestmark = pytest.mark.django_db

ORDERS = [
    Order(field, descending)
    for field in ("taken_at", "added_at", "size", "name")
    for descending in (False, True)
]


@pytest.fixture
def photos() -> list[Photo]:
    """Thirty photos with many equal values, and some without a date."""
    random = Random(4)
    day = datetime(2009, 7, 14, 12)
    return [
        bare_photo(
            number,
            taken_at=random.choice(
                [None, day, day + timedelta(days=1, microseconds=3)]
            ),
            size=random.choice([10, 20, 30]),
            name=random.choice(["a.jpg", "b.jpg", "Ü.jpg", ""]),
        )
        for number in range(30)
    ]


def in_order(order: Order) -> list[Photo]:
    """All photos sorted by Python: values first, ties by key, no value last."""

    def key(row):
        return getattr(row, order.field), row.pk

    rows = list(Photo.objects.all())
    dated = [row for row in rows if getattr(row, order.field) is not None]
    undated = [row for row in rows if getattr(row, order.field) is None]
    if order.field == "name":
        # Only the database knows how it sorts names.
        sign = "-" if order.descending else ""
        return list(Photo.objects.order_by(f"{sign}name", f"{sign}pk"))
    return sorted(dated, key=key, reverse=order.descending) + sorted(
        undated, key=lambda row: row.pk, reverse=order.descending
    )


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_pages_forward_show_every_photo_once_and_in_order(photos, order):
    seen, cursor = [], ""
    while True:
        found = page(Photo.objects.all(), order, size=7, after=cursor)
        seen += found.rows
        cursor = found.next
        if not cursor:
            break
    assert seen == in_order(order)


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_pages_backward_show_the_same_photos(photos, order):
    expected = in_order(order)
    first = page(Photo.objects.all(), order, size=29)
    last = page(Photo.objects.all(), order, size=7, after=first.next)
    seen = last.rows
    while last.previous:
        last = page(Photo.objects.all(), order, size=7, before=last.previous)
        seen = last.rows + seen
    assert seen == expected


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_neighbours_are_those_of_the_order(photos, order):
    expected = in_order(order)
    for left, right in pairwise(expected):
        assert neighbour(Photo.objects.all(), order, left) == right
        assert neighbour(Photo.objects.all(), order, right, backwards=True) == left
    assert neighbour(Photo.objects.all(), order, expected[-1]) is None
    assert neighbour(Photo.objects.all(), order, expected[0], backwards=True) is None


def test_a_photo_that_arrives_meanwhile_shifts_nothing(photos):
    order = Order("size")
    first = page(Photo.objects.all(), order, size=10)
    bare_photo(99, size=1)
    second = page(Photo.objects.all(), order, size=10, after=first.next)
    assert not set(first.rows) & set(second.rows)


@pytest.mark.parametrize(
    "cursor",
    ["nonsense", "a:b:c", "\x00", "💥", signing.dumps(["size", "1", 1], salt="other")],
    # A signature holds the time, and a test has one name.
    ids=["nonsense", "colons", "nul", "emoji", "signed for something else"],
)
def test_cursor_that_means_nothing_gives_the_first_page_and_says_so(photos, cursor):
    order = Order("size")
    found = page(Photo.objects.all(), order, size=5, after=cursor)
    assert found.is_lost
    assert found.rows == in_order(order)[:5]


def test_cursor_of_another_order_means_nothing(photos):
    cursor = page(Photo.objects.all(), Order("size"), size=5).next
    assert page(Photo.objects.all(), Order("name"), size=5, after=cursor).is_lost


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_no_page_takes_more_than_four_queries(photos, order):
    cursor, most = "", 0
    while True:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            found = page(Photo.objects.all(), order, size=7, after=cursor)
        most = max(most, len(queries))
        cursor = found.next
        if not cursor:
            break
    assert most <= 4


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a small table is scanned")
@pytest.mark.parametrize("backwards", [False, True])
def test_trash_is_read_from_an_index_and_never_sorted(photos, backwards):
    keeper, *others = photos
    for one in others[:9]:
        one.move_to_trash(by=None, in_favour_of=keeper)
    trashed, order = Photo.objects.trashed(), Order("trashed_at", descending=True)
    place = Place(others[0].trashed_at, others[0].pk)
    first, second, *_ = stretches(order, place, trashed, backwards=backwards)
    for stretch in (first, second):
        rows = trashed.filter(stretch).order_by(*order.keys(backwards=backwards))
        plan = rows[:7].explain()
        assert "gallery_by_trashed_at" in plan
        assert "TEMP B-TREE" not in plan
