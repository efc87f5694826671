"""Dates set right by people: what was there before is kept, and given back."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gallery import corrections, dates, dating, develop, spoken
from gallery.corrections import CannotUndo
from gallery.metadata import Metadata
from gallery.models import CorrectedDate, Correction, Photo
from tests.gallery.rows import bare_photo

pytestmark = pytest.mark.django_db

CAMERA = {
    "taken_at": datetime(2000, 1, 1, 0, 3, 7),
    "taken_offset": 120,
    "taken_precision": "second",
    "taken_from": "exif_original",
}


@pytest.fixture
def anna(django_user_model):
    return django_user_model.objects.create_user("anna")


@pytest.fixture
def photos() -> list[Photo]:
    return [bare_photo(number, **CAMERA) for number in range(3)]


def pks(photos) -> list[int]:
    return [photo.pk for photo in photos]


def when(photo: Photo) -> dict:
    photo.refresh_from_db()
    return {name: getattr(photo, name) for name in dating.WHEN}


def say(photos, text: str, *, by=None) -> Correction:
    said = spoken.read(text)
    return corrections.correct(pks(photos), said, text=text, by=by).correction


def test_what_a_person_says_stands_there_and_what_was_before_is_kept(photos, anna):
    correction = say(photos[:2], "summer 1987", by=anna)
    assert when(photos[0]) == {
        "taken_at": datetime(1987, 6, 1),
        "taken_offset": None,
        "taken_precision": "season",
        "taken_from": "person",
    }
    assert when(photos[2]) == CAMERA
    row = corrections.history(photos[0])[0]
    assert (row.correction.by, row.correction.said) == (anna, "summer 1987")
    assert (row.before_taken_at, row.before_taken_from) == (
        CAMERA["taken_at"],
        "exif_original",
    )
    assert str(correction.latest) == "1987-08-31"


def test_undo_gives_back_exactly_what_was(photos, anna):
    correction = say(photos, "1999")
    assert corrections.undo(correction, by=anna) == 3
    assert [when(photo) for photo in photos] == [CAMERA] * 3
    assert corrections.undo(correction, by=anna) == 0
    row = CorrectedDate.objects.first()
    assert (row.undone_by, row.is_in_force) == (anna, False)


def test_corrections_are_taken_back_one_at_a_time_the_last_first(photos):
    first, second = say(photos, "1999"), say(photos[:1], "July 2004")
    latest, earlier = corrections.history(photos[0])
    with pytest.raises(CannotUndo):
        corrections.undo_one(earlier, by=None)
    assert corrections.undo(first, by=None) == 2
    assert when(photos[0])["taken_at"] == datetime(2004, 7, 1)
    corrections.undo_one(latest, by=None)
    assert when(photos[0])["taken_at"] == datetime(1999, 1, 1)
    corrections.undo_one(earlier, by=None)
    assert when(photos[0]) == CAMERA
    with pytest.raises(CannotUndo):
        corrections.undo_one(earlier, by=None)
    assert second.dates.in_force().count() == 0


def test_one_photo_is_taken_out_of_a_correction_of_many(photos):
    correction = say(photos, "1999")
    corrections.undo_one(corrections.history(photos[1])[0], by=None)
    assert when(photos[1]) == CAMERA
    assert when(photos[0])["taken_at"] == datetime(1999, 1, 1)
    assert corrections.undo(correction, by=None) == 2


def test_saying_the_same_twice_changes_nothing(photos):
    assert say(photos, "1999")
    again = corrections.correct(pks(photos), spoken.read("1999"), text="1999", by=None)
    assert (again.correction, again.count, again.left) == (None, 0, 3)
    assert Correction.objects.count() == 1


def test_a_clock_is_set_right_for_exact_times_only(photos):
    vague = bare_photo(7, taken_at=datetime(2000, 1, 1), taken_precision="year")
    undated = bare_photo(8)
    day = bare_photo(9, taken_at=datetime(2000, 1, 2), taken_precision="day")
    every = [*pks(photos), vague.pk, undated.pk, day.pk]
    done = corrections.shift(every, timedelta(hours=-1), by=None)
    assert (done.count, done.left) == (3, 3)
    assert when(photos[0]) == CAMERA | {
        "taken_at": datetime(1999, 12, 31, 23, 3, 7),
        "taken_from": "person",
    }
    done = corrections.shift([day.pk, vague.pk], timedelta(days=3), by=None)
    assert (done.count, done.left) == (1, 1)
    assert when(day)["taken_at"] == datetime(2000, 1, 5)
    corrections.undo(done.correction, by=None)
    assert when(day)["taken_at"] == datetime(2000, 1, 2)


def test_a_clock_cannot_be_set_past_the_end_of_time(photos):
    done = corrections.shift(pks(photos), timedelta(days=365 * 9_000), by=None)
    assert (done.correction, done.left) == (None, 3)


def test_photos_that_are_gone_or_in_the_trash_are_left(photos):
    photos[0].move_to_trash(by=None, in_favour_of=photos[1])
    said = spoken.read("1999")
    some = [*pks(photos), 999_999, photos[2].pk]
    done = corrections.correct(some, said, text="1999", by=None)
    assert (done.count, done.left) == (2, 2)


@pytest.mark.parametrize("text", ["1999", "unknown"])
def test_reading_the_file_again_never_overwrites_a_correction(photos, text):
    say(photos, text)
    before = when(photos[0])
    stronger = dates.Evidence(
        datetime(2005, 5, 5), dates.Precision.SECOND, dates.Origin.EXIF_ORIGINAL
    )
    photos[0].update_facts(facts={"dates": [stronger.to_json()]})
    told = dating.by_sightings([dating.Seen("2011-11-11 11.11.11.jpg", 1)])
    assert dating.taken(photos[0], told) == before
    develop.record(
        {photos[0].pk: develop.Print(Metadata("JPEG", width=1, height=1), 1, 1)}
    )
    assert when(photos[0]) == before


def test_the_first_of_january_is_no_lie_when_a_person_says_it(photos):
    say(photos, "1 January 2000")
    assert when(photos[0])["taken_precision"] == "day"
    assert dating.taken(photos[0], []) == when(photos[0])


def test_who_is_deleted_leaves_what_was_corrected(photos, anna):
    say(photos, "1999", by=anna)
    anna.delete()
    assert corrections.history(photos[0])[0].correction.by is None


def test_statements_do_not_grow_with_photos(photos, monkeypatch):
    monkeypatch.setattr(corrections, "AT_ONCE", 5_000)

    def queries(numbers: range) -> int:
        many = [bare_photo(number, **CAMERA).pk for number in numbers]
        with CaptureQueriesContext(connection) as captured:
            done = corrections.shift(many, timedelta(hours=1), by=None)
            corrections.undo(done.correction, by=None)
        return len(captured)

    assert queries(range(10, 12)) == queries(range(20, 60))
