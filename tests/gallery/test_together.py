"""Several photos at once: the trash by hand and its undo, and stars."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gallery import together, trash
from gallery.models import Favourite, NotDiscardable, Photo
from tests.gallery.rows import bare_photo
from tests.gallery.test_trash import discarded, empty, original, stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(django_user_model):
    return django_user_model.objects.create_user("anna")


@pytest.fixture
def photos() -> list[Photo]:
    return [bare_photo(number) for number in range(3)]


def live() -> set[int]:
    return set(Photo.objects.live().values_list("pk", flat=True))


def throw(*photos, by=None, days_ago: int = 0):
    moment, count = together.move_to_trash([photo.pk for photo in photos], by=by)
    if days_ago:
        moment -= timedelta(days=days_ago)
        Photo.objects.by_hand().update(trashed_at=moment)
    return moment, count


def test_photos_go_to_the_trash_in_favour_of_nothing_and_come_back_as_one(photos, anna):
    moment, count = throw(*photos[:2], by=anna)
    assert (count, live()) == (2, {photos[2].pk})
    photos[0].refresh_from_db()
    assert photos[0].is_trashed_by_hand and photos[0].trashed_by == anna
    assert trash.restore(together.trashed_together(moment, by=anna), by=anna) == 2
    assert live() == {photo.pk for photo in photos}
    assert trash.restore(together.trashed_together(moment, by=anna), by=anna) == 0


def test_throwing_twice_keeps_the_first_moment(photos, anna):
    first, _ = throw(*photos[:2], by=anna)
    _, count = throw(*photos, by=anna)
    assert count == 1
    assert together.trashed_together(first, by=anna).count() == 2


def test_nobody_takes_back_what_somebody_else_threw(photos, anna):
    moment, _ = throw(*photos, by=None)
    assert trash.restore(together.trashed_together(moment, by=anna), by=anna) == 0


def test_nothing_is_discarded_in_favour_of_what_was_thrown_away(photos):
    throw(photos[0])
    with pytest.raises(NotDiscardable):
        photos[1].move_to_trash(by=None, in_favour_of=photos[0])


def test_promise_04_the_nightly_purge_leaves_what_was_thrown_by_hand(vault):
    photo = stored(vault, b"the only one")
    throw(photo, days_ago=400)
    assert empty() == {"purged": 0, "bytes_freed": 0, "refused": [], "status": 0}
    assert original(vault, photo).exists()


def test_promise_04_copies_stay_while_their_keeper_is_in_the_trash(vault):
    keeper, copy = stored(vault, b"keeper", name="k.jpg"), stored(vault, b"copy")
    discarded(copy, in_favour_of=keeper)
    throw(keeper, days_ago=400)
    report = empty()
    assert report["purged"] == 0
    assert "k.jpg, kept in its place, is not in the gallery" in str(report["refused"])
    assert original(vault, copy).exists() and original(vault, keeper).exists()


def test_promise_04_deleting_for_good_leaves_the_copies_that_gave_way_to_it(vault):
    keeper, copy = stored(vault, b"keeper"), stored(vault, b"copy")
    discarded(copy, in_favour_of=keeper)
    throw(keeper)
    trash.delete_for_good(keeper)
    keeper.refresh_from_db()
    copy.refresh_from_db()
    assert not keeper.is_stored and keeper.for_good
    assert not original(vault, keeper).exists()
    assert original(vault, copy).exists() and copy.is_trashed_by_hand
    assert copy.restore()


def test_promise_04_only_what_was_thrown_by_hand_is_deleted_at_a_word(vault):
    keeper, copy = stored(vault, b"keeper"), stored(vault, b"copy")
    with pytest.raises(trash.NotPurgeable):
        trash.delete_for_good(keeper)
    discarded(copy, in_favour_of=keeper)
    with pytest.raises(trash.NotPurgeable):
        trash.delete_for_good(copy)
    throw(keeper)
    trash.delete_for_good(keeper)
    with pytest.raises(trash.NotPurgeable):
        trash.delete_for_good(keeper)
    assert original(vault, copy).exists()


def test_promise_04_the_database_refuses_a_purge_nobody_asked_for(photos):
    throw(photos[0])
    with pytest.raises(IntegrityError), transaction.atomic():
        Photo.objects.filter(pk=photos[0].pk).update(purged_at=timezone.now())


def test_the_command_deletes_what_was_thrown_by_hand_only_when_told(vault):
    old, new = stored(vault, b"old"), stored(vault, b"new")
    throw(old, days_ago=31)
    throw(new)
    assert empty(by_hand=True)["purged"] == 1
    assert not original(vault, old).exists()
    assert original(vault, new).exists()


def test_stars_are_given_and_taken_for_many(photos, anna):
    photos[0].star(by=anna)
    pks = [photo.pk for photo in photos]
    assert together.star([*pks, pks[0], 999_999], by=anna) == 2
    assert Favourite.objects.of(anna).count() == 3
    assert together.star(pks, by=anna) == 0
    assert together.unstar(pks[:2], by=anna) == 2


def test_statements_do_not_grow_with_photos(anna):
    def queries(numbers: range) -> int:
        pks = [bare_photo(number).pk for number in numbers]
        with CaptureQueriesContext(connection) as captured:
            together.star(pks, by=anna)
            moment, _ = together.move_to_trash(pks, by=anna)
            trash.restore(together.trashed_together(moment, by=anna), by=anna)
        return len(captured)

    assert queries(range(10, 12)) == queries(range(20, 60))
