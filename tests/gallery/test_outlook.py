"""What a purge would do, its journal, the nightly routine, and restoring all."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from django_q.models import Schedule
from pytest_django.asserts import assertContains, assertNotContains

from gallery import schedule, tasks, trash
from gallery.models import Photo, Purge
from tests.gallery.test_trash import discarded, original, stored

pytestmark = pytest.mark.django_db

PAGE = reverse("gallery:outlook")


def months_old() -> object:
    return timezone.now() - timedelta(days=30)


def test_an_outlook_says_what_goes_what_waits_and_what_cannot_go(vault):
    keeper = stored(vault, b"keeper")
    due = discarded(stored(vault, b"due"), in_favour_of=keeper)
    discarded(stored(vault, b"waits"), in_favour_of=keeper, days_ago=3)
    Photo.objects.filter(pk=stored(vault, b"hand").pk).update(trashed_at=months_old())
    found = trash.outlook(older_than=months_old())
    assert (found.due, found.due_bytes) == (1, 3)
    assert (found.waiting, found.waiting_bytes) == (1, 5)
    assert (found.by_hand, found.by_hand_bytes) == (1, 4)
    assert (found.first, found.lost) == ([due], [])
    original(vault, keeper).unlink()
    assert trash.outlook(older_than=months_old()).lost == [due]


def test_an_outlook_changes_nothing(vault, admin_client):
    keeper = stored(vault, b"keeper")
    due = discarded(stored(vault, b"due"), in_favour_of=keeper)
    assertContains(admin_client.get(PAGE), "1 photo can be purged now, 3\xa0bytes.")
    due.refresh_from_db()
    assert due.is_stored
    assert original(vault, due).exists()
    assert not Purge.objects.exists()


def test_a_purge_is_written_into_the_journal(vault, admin_client):
    keeper = stored(vault, b"keeper", name="kept.jpg")
    due = discarded(stored(vault, b"due", name="gone.jpg"), in_favour_of=keeper)
    trash.empty_trash(older_than=months_old())
    noted = Purge.objects.get()
    assert (noted.digest, noted.keeper_digest) == (due.digest, keeper.digest)
    assertContains(admin_client.get(PAGE), "gone.jpg")
    where = reverse("admin:gallery_purge_changelist")
    assertContains(admin_client.get(PAGE), where)
    assertContains(admin_client.get(where, {"q": due.digest[:9]}), "kept.jpg")


def test_promise_04_what_is_refused_is_not_in_the_journal(vault):
    keeper = stored(vault, b"keeper")
    discarded(stored(vault, b"due"), in_favour_of=keeper)
    path = original(vault, keeper)
    path.chmod(0o644)
    path.write_bytes(b"KEEPER")
    assert len(trash.empty_trash(older_than=months_old()).refused) == 1
    assert not Purge.objects.exists()


def test_the_night_purges_what_is_due(vault, settings):
    keeper = stored(vault, b"keeper")
    discarded(stored(vault, b"due"), in_favour_of=keeper)
    discarded(stored(vault, b"waits"), in_favour_of=keeper, days_ago=3)
    settings.IMAGEVAULT_EMPTY_TRASH = False
    tasks.empty_trash_nightly()
    assert not Purge.objects.exists()
    settings.IMAGEVAULT_EMPTY_TRASH = True
    tasks.empty_trash_nightly()
    assert Purge.objects.count() == 1


def test_promise_10_a_purge_that_is_stopped_is_gone_on_with(vault):
    keeper = stored(vault, b"keeper")
    for number in range(3):
        discarded(stored(vault, b"%d" % number), in_favour_of=keeper)
    asked = iter([False, True])
    report = trash.empty_trash(older_than=months_old(), stop=lambda: next(asked))
    assert report.purged == 1
    assert trash.empty_trash(older_than=months_old()).purged == 2


def test_the_nightly_purge_can_be_switched_off(settings):
    rows = Schedule.objects.filter(func=schedule.NIGHTLY_PURGE)
    settings.IMAGEVAULT_EMPTY_TRASH = True
    schedule.keep_schedule()
    schedule.keep_schedule()
    assert rows.count() == 1
    settings.IMAGEVAULT_EMPTY_TRASH = False
    schedule.keep_schedule()
    assert not rows.exists()


def test_everything_can_be_restored_at_once(vault, admin_client):
    keeper = stored(vault, b"keeper")
    discarded(stored(vault, b"due"), in_favour_of=keeper)
    gone = discarded(stored(vault, b"gone"), in_favour_of=keeper)
    gone.update_facts(purged_at=timezone.now())
    answer = admin_client.post(reverse("gallery:restore_all"), follow=True)
    assertContains(answer, "1 photo is back among the others.")
    assert list(Photo.objects.exclude(trashed_at=None)) == [gone]


def test_promise_11_who_only_looks_neither_sees_nor_restores(client, vault):
    client.force_login(User.objects.create_user("berta"))
    assert client.get(PAGE).status_code == 403
    assert client.post(reverse("gallery:restore_all")).status_code == 403
    assertNotContains(client.get(reverse("gallery:trash")), PAGE)
