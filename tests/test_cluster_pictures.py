"""A real cluster, real pictures, and what may go wrong between them."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image

from gallery import vault
from gallery.models import Photo, Thumbnail
from gallery.models.steps import GIVEN_UP
from gallery.tasks import make_thumbnails
from tests import pictures
from tests.gallery.rows import photo
from tests.house import ROOT, Cluster, House

FEEDERS = "gallery.tasks.feed"


def outstanding() -> int:
    return Thumbnail.objects.outstanding().count()


def undeveloped(count: int) -> list[Photo]:
    """So many photos whose thumbnails are still to be made."""
    made = [photo(seed=seed) for seed in range(count)]
    forget()
    return made


def forget() -> None:
    Thumbnail.objects.update(recipe=0, width=None, height=None, finished_at=None)
    for one in Photo.objects.all():
        rendition(one).unlink(missing_ok=True)


def rendition(one: Photo) -> Path:
    return vault.rendition(
        settings.IMAGEVAULT_DATA, one.digest, name="thumbnail", recipe=Thumbnail.RECIPE
    )


def state() -> list[object]:
    """Everything a run leaves behind, except when."""
    steps = Thumbnail.objects.order_by("pk").values_list(
        "pk", "recipe", "width", "height", "problem", "attempts", "claimed_until"
    )
    made = [
        hashlib.sha256(rendition(one).read_bytes()).hexdigest()
        for one in Photo.objects.order_by("pk")
    ]
    return [*Photo.objects.order_by("pk").values(), *steps, *made]


def after_one_clean_run(photos: list[Photo]) -> list[object]:
    make_thumbnails([one.pk for one in photos])
    clean = state()
    forget()
    return clean


def test_hostile_pictures_are_set_aside_and_the_others_done(house):
    harmless = undeveloped(40)
    crash, hang, killer = (photo(seed=seed) for seed in (101, 102, 103))
    bomb = photo(Image.new("L", (8, 8)), seed=104)
    place = vault.original(house.folder, bomb.digest, bomb.extension)
    place.unlink()
    place.write_bytes(pictures.png(Image.new("1", (30_000, 30_000))))
    forget()
    harms = {
        crash.digest: "crash",
        hang.digest: "hang",
        killer.digest: "kill the worker",
    }
    Cluster(
        house,
        IMAGEVAULT_TEST_FEEDERS=FEEDERS,
        IMAGEVAULT_TEST_HOSTILE=json.dumps(harms),
        PYTHONPATH=str(ROOT / "tests" / "hostile"),
    )
    house.wait_for(lambda: not outstanding(), seconds=60)
    house.wait_for(lambda: Thumbnail.objects.filter(problem=GIVEN_UP).exists())
    reasons = dict(Thumbnail.objects.exclude(problem="").values_list("pk", "problem"))
    assert reasons.pop(crash.pk) == "the decoder crashed"
    assert reasons.pop(hang.pk) == "decoding took longer than 3 seconds"
    assert reasons.pop(killer.pk) == GIVEN_UP
    assert "too many pixels" in reasons.pop(bomb.pk)
    assert not reasons
    assert all(rendition(one).exists() for one in harmless)


def test_promise_10_two_tasks_at_once_leave_what_one_leaves(house):
    photos = undeveloped(12)
    clean = after_one_clean_run(photos)
    ids = [one.pk for one in photos]

    program = house.start(
        "shell",
        "-c",
        f"from gallery.tasks import make_thumbnails; make_thumbnails({ids})",
    )
    house.wait_for(lambda: Thumbnail.objects.filter(attempts__gt=0).exists())
    for pk in ids:
        make_thumbnails([pk])
    assert program.wait(timeout=60) == 0
    assert state() == clean


def test_promise_10_tasks_killed_half_way_leave_what_one_run_leaves(house):
    clean = after_one_clean_run(undeveloped(45))
    cluster = Cluster(house, IMAGEVAULT_TEST_FEEDERS=FEEDERS)
    chance = random.Random(10)
    for _ in range(2):
        house.wait_for(lambda: Thumbnail.objects.filter(attempts__gt=0).exists())
        time.sleep(chance.random() / 2)
        os.kill(cluster.watchdog.pid, signal.SIGKILL)
        cluster.watchdog.wait()
        house.wait_for(lambda: not house.inhabitants())
        if not outstanding():
            break
        cluster.start()
    house.wait_for(lambda: not outstanding())
    assert state() == clean


def test_a_stopped_cluster_puts_back_what_it_has_not_begun(house):
    undeveloped(150)
    cluster = Cluster(house, IMAGEVAULT_TEST_FEEDERS=FEEDERS)
    house.wait_for(lambda: Thumbnail.objects.filter(attempts__gt=0).exists())
    cluster.stop()
    left = Thumbnail.objects.outstanding()
    assert left.exists()
    assert not left.filter(attempts__gt=0).exists()
    assert not house.inhabitants()


@pytest.fixture
def redis(tmp_path) -> Iterator[str]:
    """The address of a Redis of this test's own."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is missing")
        pytest.skip("no redis-server here")
    place = tmp_path / "redis.sock"
    server = subprocess.Popen(
        [program, "--port", "0", "--unixsocket", str(place), "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    while not place.exists():
        time.sleep(0.05)
    yield f"unix://{place}"
    server.terminate()
    server.wait()


def start_on_redis(house: House, redis: str) -> subprocess.Popen[str]:
    return house.start(
        "qcluster", IMAGEVAULT_TEST_FEEDERS=FEEDERS, IMAGEVAULT_BROKER_URL=redis
    )


def test_what_redis_loses_is_queued_again(house, redis):
    undeveloped(40)
    cluster = start_on_redis(house, redis)
    house.wait_for(lambda: Thumbnail.objects.filter(attempts__gt=0).exists())
    cluster.kill()
    cluster.wait()
    house.wait_for(lambda: not house.inhabitants())
    assert Thumbnail.objects.claimed().exists()
    start_on_redis(house, redis)
    house.wait_for(lambda: not outstanding())
    assert all(rendition(one).exists() for one in Photo.objects.all())
