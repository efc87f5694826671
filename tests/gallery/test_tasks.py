import pytest
from django_q.models import OrmQ

from gallery import tasks, vault
from gallery.models import Photo, Thumbnail
from imagevault import board
from imagevault.queue import read
from tests.gallery.rows import photo

pytestmark = pytest.mark.django_db


@pytest.fixture
def queued(database_queue):
    """Return what a function queues, as lists of ids."""
    return lambda: [read(row)["args"][0] for row in OrmQ.objects.order_by("pk")]


@pytest.fixture
def photos(vault):
    made = [photo(seed=seed) for seed in range(3)]
    Thumbnail.objects.update(recipe=0, width=None, height=None)
    return made


@pytest.fixture
def stopping(monkeypatch):
    notices = board.Board()
    monkeypatch.setattr(board.Here, "board", notices)
    return lambda: setattr(notices, "stopping", 1)


def ids(photos: list[Photo]) -> list[int]:
    return [one.pk for one in photos]


def test_outstanding_thumbnails_are_queued_once(photos, queued):
    assert tasks.feed(4) == 1
    assert tasks.feed(4) == 0
    assert queued() == [ids(photos)]


def test_no_more_is_queued_than_there_is_room_for(photos, queued, monkeypatch):
    monkeypatch.setattr(tasks, "BATCH", 1)
    assert tasks.feed(2) == 2
    assert queued() == [[pk] for pk in ids(photos)[:2]]


def test_a_batch_makes_its_thumbnails(photos):
    tasks.make_thumbnails(ids(photos))
    done = Thumbnail.objects.filter(recipe=Thumbnail.RECIPE, attempts=0)
    assert set(done.values_list("width", "height")) == {(160, 120)}
    assert done.count() == 3


def test_a_lost_original_does_not_hold_up_the_others(photos, settings):
    lost = photos[1]
    vault.original(settings.IMAGEVAULT_DATA, lost.digest, lost.extension).unlink()
    tasks.make_thumbnails(ids(photos))
    assert [step.photo for step in Thumbnail.objects.failed()] == [lost]
    assert not Thumbnail.objects.outstanding().exists()


def test_a_task_with_no_time_left_puts_its_photos_back(photos, settings):
    settings.BATCH_SECONDS = 0
    tasks.make_thumbnails(ids(photos))
    assert set(Thumbnail.objects.claimable().values_list("attempts", flat=True)) == {0}
    assert Thumbnail.objects.claimable().count() == 3


def test_a_cluster_that_stops_ends_a_batch_after_the_photo_at_hand(
    photos, stopping, monkeypatch
):
    develop = tasks.develop.develop_photo

    def last_one(photo, sandbox):
        stopping()
        return develop(photo, sandbox)

    monkeypatch.setattr(tasks.develop, "develop_photo", last_one)
    tasks.make_thumbnails(ids(photos))
    assert Thumbnail.objects.filter(recipe=Thumbnail.RECIPE).count() == 1
    assert Thumbnail.objects.claimable().filter(attempts=0).count() == 2


def test_a_task_begun_while_the_cluster_stops_lets_go_of_its_photos(photos, stopping):
    Thumbnail.objects.claim(ids(photos), seconds=60)
    stopping()
    tasks.make_thumbnails(ids(photos))
    assert Thumbnail.objects.claimable().filter(attempts=0).count() == 3


def test_what_was_made_is_kept_when_a_task_breaks_off(photos, monkeypatch):
    develop = tasks.develop.develop_photo

    def broken(photo, sandbox):
        if photo == photos[2]:
            raise ZeroDivisionError
        return develop(photo, sandbox)

    monkeypatch.setattr(tasks.develop, "develop_photo", broken)
    with pytest.raises(ZeroDivisionError):
        tasks.make_thumbnails(ids(photos))
    assert Thumbnail.objects.filter(recipe=Thumbnail.RECIPE).count() == 2


def test_photos_are_not_called_missing_while_the_vault_is(photos, settings, queued):
    (settings.IMAGEVAULT_DATA / "vault.json").unlink()
    for work in (lambda: tasks.make_thumbnails(ids(photos)), lambda: tasks.feed(4)):
        with pytest.raises(vault.NoVault):
            work()
    assert Thumbnail.objects.claimable().filter(attempts=0).count() == 3
    assert not queued()
