"""What the photos of one folder say of each other's dates."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.dates import Evidence, Origin, Precision, span, weigh
from gallery.series import Shot, hints, number

NOON = datetime(2009, 7, 14, 12, 0)
MINUTE = timedelta(minutes=1)


def shot(name: str, minutes: float | None = None, *, apart: float | None = 0) -> Shot:
    """A photo so many minutes after noon, its file's time so many minutes off that."""
    taken = None if minutes is None else NOON + MINUTE * minutes
    modified = None if apart is None else (taken or NOON) + MINUTE * apart
    return Shot(name, modified, taken, is_cameras=taken is not None)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("IMG_0412.JPG", ("img_", 412)),
        ("100_7100.JPG", ("100_", 7100)),
        ("DSC01234.ARW", ("dsc", 1234)),
        ("IMG_0412-edited.JPG", ("img_", 412)),
        ("IMG_0412 (1).JPG", None),
        ("IMG_0412_2.JPG", None),
        ("Mallorca.jpg", None),
    ],
)
def test_names_have_a_series_and_a_number(name, told):
    assert number(name) == told


@pytest.mark.parametrize(
    ("before", "after", "precision"),
    [(0, 0.5, "minute"), (0, 30, "day"), (0, 60 * 24 * 3, "month")],
)
def test_between_two_known_photos_lies_a_third(before, after, precision):
    every = [
        shot("IMG_0411.JPG", before, apart=None),
        shot("IMG_0412.JPG", apart=None),
        shot("IMG_0413.JPG", after, apart=None),
    ]
    _, (found,), _ = hints(every)
    assert (found.origin, found.precision) == (Origin.NEIGHBOURS, precision)
    first, last = span(found)
    assert first <= NOON + MINUTE * (before + after) / 2 <= last
    assert found.said == "IMG_0411.JPG – IMG_0413.JPG"  # noqa: RUF001


@pytest.mark.parametrize(
    "every",
    [
        # One side only; too far; not in order; another series; years apart.
        [shot("IMG_0411.JPG", 0), shot("IMG_0412.JPG")],
        [shot("IMG_0001.JPG", 0), shot("IMG_0412.JPG"), shot("IMG_0413.JPG", 1)],
        [shot("IMG_0411.JPG", 9), shot("IMG_0412.JPG"), shot("IMG_0413.JPG", 1)],
        [shot("DSC_0411.JPG", 0), shot("IMG_0412.JPG"), shot("DSC_0413.JPG", 1)],
        [shot("IMG_0411.JPG", 0), shot("IMG_0412.JPG"), shot("IMG_0413.JPG", 9e5)],
    ],
)
def test_where_the_place_is_not_plain_nothing_is_said(every):
    assert hints(every)[1] == []


def test_file_times_that_agree_with_cameras_are_right_for_those_between():
    hours = 2 * 60  # behind UTC
    every = [shot(f"IMG_{n:04}.JPG", n, apart=-hours) for n in (1, 2, 3, 5, 9)]
    middle = Shot("IMG_0004.JPG", NOON + MINUTE * (4.5 - hours), None)
    (*_, found) = hints([*every, middle])[-1]
    assert (found.origin, found.precision) == (Origin.FILE_TIME, Precision.MINUTE)
    assert found.taken_at == NOON + MINUTE * 4.5
    # Changed since: its number says that this is not when it was taken.
    edited = Shot("IMG_0004.JPG", NOON + MINUTE * 60, None)
    assert [one.origin for one in hints([*every, edited])[-1]] == [Origin.NEIGHBOURS]
    # Copied: all files have the time of the copy.
    copied = [Shot(one.name, NOON, one.taken_at, is_cameras=True) for one in every]
    assert [one.origin for one in hints([*copied, middle])[-1]] == [Origin.NEIGHBOURS]


def test_a_folder_that_holds_more_than_its_name_says_is_named_too_narrowly():
    folder = Evidence(datetime(2009, 7, 13), Precision.DAY, Origin.FOLDER_NAME)
    lost = Shot("beach.jpg", None, None)
    (wider,) = hints([shot("IMG_1.JPG", 0), lost], folder)[1]
    assert (wider.taken_at, wider.precision) == (datetime(2009, 1, 1), Precision.YEAR)
    assert weigh([folder, wider]).taken.precision == Precision.YEAR
    fits = replace(folder, taken_at=datetime(2009, 7, 14))
    assert hints([shot("IMG_1.JPG", 0), lost], fits)[1] == []


@given(
    st.lists(
        st.builds(
            Shot,
            st.text(max_size=12) | st.integers(100, 120).map("IMG_{}.jpg".format),
            st.none() | st.datetimes(),
            st.none() | st.datetimes(),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_no_folder_breaks_the_reader_and_every_hint_lies_in_what_it_states(every):
    told = hints(every)
    assert len(told) == len(every)
    for one, found in zip(every, told, strict=True):
        assert not (one.taken_at and found)
        assert all(span(two)[0] <= two.taken_at <= span(two)[1] for two in found)
