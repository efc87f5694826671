import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from gallery.models import Photo, Restore, Thumbnail
from gallery.views import trash
from tests.gallery.rows import bare_photo

pytestmark = pytest.mark.django_db
URL = "/trash/"


def discard(number: int, *, days_ago: float = 0) -> Photo:
    keeper = bare_photo(1000 + number, name=f"better{number}.jpg")
    row = bare_photo(number, name=f"worse{number}.jpg")
    row.move_to_trash(by=None, in_favour_of=keeper)
    Photo.objects.filter(pk=row.pk).update(
        trashed_at=timezone.now() - timedelta(days=days_ago)
    )
    return row


def test_trash_says_in_favour_of_what(admin_client):
    discard(1)
    page = admin_client.get(URL).content.decode()
    assert "worse1.jpg" in page
    assert "better1.jpg" in page


@pytest.mark.parametrize(
    ("days_ago", "words"),
    [
        (0, "30 days left"),
        (28.5, "2 days left"),
        (29.5, "1 day left"),
        (31, "goes when the trash is emptied"),
    ],
)
def test_trash_says_how_long_a_photo_stays(admin_client, days_ago, words):
    discard(1, days_ago=days_ago)
    assert words in admin_client.get(URL).content.decode()


def test_restore_brings_the_photo_back(admin_client):
    row = discard(1)
    answer = admin_client.post(reverse("gallery:restore", args=[row.pk]), follow=True)
    assert "is back among the photos" in answer.content.decode()
    assert Photo.objects.live().filter(pk=row.pk).exists()


def test_restore_by_a_link_does_nothing(admin_client):
    row = discard(1)
    answer = admin_client.get(reverse("gallery:restore", args=[row.pk]))
    assert answer.status_code == 405
    assert Photo.objects.trashed().filter(pk=row.pk).exists()


def test_restoring_twice_is_said_and_harmless(admin_client):
    row = discard(1)
    row.restore()
    answer = admin_client.post(reverse("gallery:restore", args=[row.pk]), follow=True)
    assert "was not in the trash any more" in answer.content.decode()


def test_some_are_restored_and_the_journal_says_by_whom(admin_client, admin_user):
    first, second, third = (discard(number) for number in range(1, 4))
    where = reverse("gallery:restore_some")
    ticked = {"photos": [first.pk, third.pk]}
    answer = admin_client.post(where, ticked, follow=True)
    assert "2 photos are back" in answer.content.decode()
    assert list(Photo.objects.trashed()) == [second]
    noted = Restore.objects.order_by("pk")
    assert [(one.name, one.by) for one in noted] == [
        (first.name, admin_user),
        (third.name, admin_user),
    ]
    again = admin_client.post(where, ticked, follow=True)
    assert "No photo was chosen" in again.content.decode()
    assert Restore.objects.count() == 2


def test_who_may_not_change_photos_restores_none(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("viewer"))
    row = discard(1)
    assert client.post(reverse("gallery:restore", args=[row.pk])).status_code == 403
    some = reverse("gallery:restore_some")
    assert client.post(some, {"photos": row.pk}).status_code == 403
    assert "Restore" not in client.get(URL).content.decode()
    assert Photo.objects.trashed().filter(pk=row.pk).exists()


def test_trash_has_pages_and_the_latest_comes_first(admin_client, monkeypatch):
    monkeypatch.setattr(trash, "PHOTOS_PER_PAGE", 2)
    for number in (1, 2, 3):
        discard(number, days_ago=number)
    first = admin_client.get(URL).content.decode()
    link = re.search(r'href="([^"]+)" rel="next"', first)[1].replace("&amp;", "&")
    rest = admin_client.get(URL + link).content.decode()
    assert re.findall(r">(worse\d)\.jpg</a>", first) == ["worse1", "worse2"]
    assert re.findall(r">(worse\d)\.jpg</a>", rest) == ["worse3"]


def test_empty_trash_says_so(admin_client):
    assert "The trash is empty" in admin_client.get(URL).content.decode()


def test_number_of_queries_does_not_grow_with_photos(admin_client):
    def queries(numbers: range) -> int:
        for number in numbers:
            row = discard(number)
            Thumbnail.objects.create(photo=row, recipe=1)
        with CaptureQueriesContext(connection) as captured:
            admin_client.get(URL)
        return len(captured)

    assert queries(range(2)) == queries(range(2, 30))
