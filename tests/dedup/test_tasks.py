"""The background work, from a thumbnail to a set."""

import pytest

from dedup import perceptual, tasks
from dedup.models import Comparison, DuplicateSet, Fingerprint, SearchPass, Turn
from gallery.models import Thumbnail
from gallery.tasks import make_thumbnails
from tests import pictures
from tests.dedup import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def queued(monkeypatch) -> list[tuple]:
    """What is handed to the queue, in place of it."""
    handed = []
    for module in ("dedup.tasks", "imagevault.queue"):
        monkeypatch.setattr(
            f"{module}.enqueue", lambda task, ids: handed.append((task, ids))
        )
    return handed


@pytest.fixture
def copies(vault):
    """A photo, a re-saved copy of it, and another picture."""
    scene = pictures.scene(seed=4)
    return [
        rows.photo(scene),
        rows.photo(pictures.recompressed(scene, quality=50)),
        rows.photo(pictures.scene(seed=5)),
    ]


def run_all(queued: list[tuple]) -> None:
    """What a cluster does: run what is queued, and ask for more."""
    while queued or tasks.feed(4):
        task, ids = queued.pop(0)
        task(ids)


def test_copies_become_a_set(copies, queued):
    run_all(queued)
    made = DuplicateSet.objects.get()
    members = list(made.members.values_list("photo", flat=True))
    assert members == [copies[0].pk, copies[1].pk]


def test_promise_10_every_task_may_run_twice(copies, queued):
    twice = []
    while queued or tasks.feed(4):
        task, ids = queued.pop(0)
        task(ids)
        twice.append((task, ids))
    before = [
        list(model.objects.order_by("pk").values())
        for model in (Fingerprint, Comparison, DuplicateSet)
    ]
    for task, ids in twice:
        task(ids)
    after = [
        list(model.objects.order_by("pk").values())
        for model in (Fingerprint, Comparison, DuplicateSet)
    ]
    assert after == before


def lose_thumbnails(vault, *photos):
    for photo in photos:
        for path in (vault / "renditions").rglob(f"{photo.digest}.jpg"):
            path.unlink()


def test_a_lost_thumbnail_is_made_again_and_the_rest_is_done(copies, vault):
    tasks.enrol()
    ids = [row.pk for row in copies]
    lose_thumbnails(vault, copies[0])
    tasks.fingerprint_photos(ids)
    assert not Fingerprint.objects.current().filter(pk=ids[0]).exists()
    assert Fingerprint.objects.current().count() == 2
    assert list(Thumbnail.objects.claimable()) == [copies[0].thumbnail]
    make_thumbnails([ids[0]])
    assert [row.pk for row in Fingerprint.objects.claimable()] == [ids[0]]
    tasks.fingerprint_photos(ids)
    assert Fingerprint.objects.current().count() == 3


def test_a_pair_waits_for_its_lost_thumbnails(copies, vault):
    pair = Comparison.objects.create(left=copies[0], right=copies[1], distance=1)
    lose_thumbnails(vault, *copies)
    tasks.measuring._features.cache_clear()
    for _ in range(2):  # one photo's is missed at a time
        tasks.compare_pairs([pair.pk])
        assert not Comparison.objects.claimable().exists()
        make_thumbnails([copies[0].pk, copies[1].pk])
        assert Comparison.objects.claimable().get() == pair
    tasks.compare_pairs([pair.pk])
    assert Comparison.objects.measured().get() == pair


def test_the_hash_is_that_of_the_thumbnail(copies):
    tasks.enrol()
    tasks.fingerprint_photos([copies[0].pk])
    row = Fingerprint.objects.get(pk=copies[0].pk)
    assert row.bits == perceptual.fingerprint(tasks.thumbnail(copies[0].digest)).bits


def test_a_mirrored_crop_becomes_a_set(vault, queued):
    scene = pictures.scene(seed=4)
    width, height = scene.size
    box = (width // 5, height // 6, width, height * 5 // 6)
    whole, crop = rows.photo(scene), rows.photo(pictures.mirrored(scene.crop(box)))
    run_all(queued)
    assert Comparison.objects.get().road == "spots"
    members = DuplicateSet.objects.get().members.values_list("photo", flat=True)
    assert list(members) == [whole.pk, crop.pk]


def test_same_pixels_are_proved_at_full_size(vault, queued):
    scene = pictures.scene(seed=4)
    rows.photo(scene)
    rows.photo(scene, tail=b"a comment")
    run_all(queued)
    made = DuplicateSet.objects.get()
    assert made.relation == "same_pixels"
    digests = Fingerprint.objects.values_list("pixel_digest", flat=True)
    assert len(set(digests)) == 1


def test_an_enlarged_copy_is_not_suggested_to_be_kept(vault, queued):
    true = pictures.scene(seed=4, size=(640, 480))
    kept = rows.photo(true)
    enlarged = true.resize((1280, 960))
    rows.photo(enlarged)
    run_all(queued)
    keeper = DuplicateSet.objects.get().members.get(is_keeper=True)
    assert keeper.photo == kept


def test_one_search_at_a_time_is_queued(copies, queued):
    tasks.enrol()
    tasks.fingerprint_photos([row.pk for row in copies])
    assert tasks.feed(4) == 1
    assert tasks.feed(4) == 0
    Turn.release("search")
    assert tasks.feed(4) == 1


def test_a_search_waits_for_more_only_while_more_comes(copies, queued, monkeypatch):
    tasks.enrol()
    first, *others = (row.pk for row in copies)
    tasks.fingerprint_photos([first])
    assert not tasks.search_is_due()
    monkeypatch.setattr(tasks, "GATHER", 0)
    assert tasks.search_is_due()
    monkeypatch.undo()
    tasks.fingerprint_photos(others)
    assert tasks.search_is_due()


def test_a_search_that_was_begun_is_gone_on_with(copies, queued):
    SearchPass.objects.create(recipe=Fingerprint.RECIPE, road="hash")
    assert tasks.search_is_due()


def test_grouping_waits_for_more_only_while_more_is_measured(
    copies, queued, monkeypatch
):
    rows.match(copies[0], copies[1])
    Comparison.objects.create(left=copies[0], right=copies[2])
    assert not tasks.grouping_is_due()
    monkeypatch.setattr(tasks, "GATHER_PAIRS", 0)
    assert tasks.grouping_is_due()
    monkeypatch.undo()
    Comparison.objects.filter(recipe=0).delete()
    assert tasks.grouping_is_due()


def test_nothing_outstanding_queues_nothing(copies, queued):
    run_all(queued)
    assert tasks.feed(4) == 0
