"""Photos: their time without a zone, and their way to the trash and back."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from gallery.models import NotDiscardable, Photo

pytestmark = pytest.mark.django_db


def photo(number: int, **values) -> Photo:
    defaults = {"extension": "jpg", "size": 1000, "name": f"{number}.jpg"}
    return Photo.objects.create(
        digest=f"{number:064x}", format="JPEG", **{**defaults, **values}
    )


def test_promise_12_local_time_comes_back_as_it_was_in_any_time_zone(settings):
    taken = datetime(2009, 7, 14, 23, 59, 59, 120000)
    row = photo(1, taken_at=taken)
    for zone in ("Pacific/Auckland", "America/Los_Angeles"):
        with timezone.override(zone):
            row.refresh_from_db()
            assert row.taken_at == taken
            assert Photo.objects.filter(taken_at=taken).exists()


def test_promise_12_a_moment_with_a_zone_is_refused():
    with pytest.raises(ValidationError, match="time zone"):
        photo(1, taken_at=datetime(2009, 7, 14, tzinfo=UTC))


def test_whole_seconds_sort_before_their_fractions():
    later = photo(1, taken_at=datetime(2009, 7, 14, 12, 0, 0, 5))
    earlier = photo(2, taken_at=datetime(2009, 7, 14, 12, 0, 0))
    assert list(Photo.objects.order_by("taken_at")) == [earlier, later]


def test_a_discarded_photo_leaves_the_gallery_and_can_come_back(admin_user):
    keeper, copy = photo(1), photo(2)
    assert copy.move_to_trash(by=admin_user, in_favour_of=keeper)
    assert list(Photo.objects.live()) == [keeper]
    assert copy.restore()
    copy.refresh_from_db()
    assert copy.is_live and copy.trashed_by is None and copy.in_favour_of is None


def test_a_second_discard_changes_nothing(admin_user):
    keeper, copy = photo(1), photo(2)
    copy.move_to_trash(by=admin_user, in_favour_of=keeper)
    first = Photo.objects.get(pk=copy.pk).trashed_at
    assert copy.move_to_trash(by=None, in_favour_of=keeper) is False
    assert Photo.objects.get(pk=copy.pk).trashed_at == first


def test_promise_04_a_discard_needs_another_live_photo(admin_user):
    keeper, copy = photo(1), photo(2)
    with pytest.raises(NotDiscardable):
        copy.move_to_trash(by=admin_user, in_favour_of=copy)
    copy.move_to_trash(by=admin_user, in_favour_of=keeper)
    with pytest.raises(NotDiscardable):
        keeper.move_to_trash(by=admin_user, in_favour_of=copy)
    assert list(Photo.objects.live()) == [keeper]


def test_promise_04_the_database_refuses_to_lose_bytes_without_a_keeper_or_a_word():
    now = timezone.now()
    row = Photo.objects.filter(pk=photo(1).pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.update(trashed_at=now, purged_at=now)
    row.update(trashed_at=now, purged_at=now, for_good=True)


def test_what_was_purged_cannot_be_restored(admin_user):
    keeper, copy = photo(1), photo(2)
    copy.move_to_trash(by=admin_user, in_favour_of=keeper)
    Photo.objects.filter(pk=copy.pk).update(purged_at=timezone.now())
    assert copy.restore() is False


def test_the_trash_knows_what_is_old_enough(admin_user):
    keeper, copy = photo(1), photo(2)
    copy.move_to_trash(by=admin_user, in_favour_of=keeper)
    now = timezone.now()
    assert not Photo.objects.trashed_before(now - timedelta(days=1)).exists()
    assert Photo.objects.trashed_before(now + timedelta(seconds=1)).get() == copy


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon PowerShot G6", "Canon PowerShot G6"),
        ("NIKON CORPORATION", "NIKON D90", "NIKON D90"),
        ("SONY", "DSC-P5", "SONY DSC-P5"),
        ("", "DSC-P5", "DSC-P5"),
        ("SONY", "", "SONY"),
        ("", "", ""),
    ],
)
def test_a_camera_is_named_once(make, model, camera):
    assert Photo(camera_make=make, camera_model=model).camera == camera
