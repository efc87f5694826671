"""The command: its words, its exit status, and what a kill leaves behind."""

import json
import random
import time

import pytest
from django_q.models import Schedule

from gallery.models import Damage, Photo, Verification
from gallery.schedule import NIGHTLY
from tests import pictures

KILLS = 6


@pytest.fixture
def filled(house, tmp_path):
    """A house with a hundred originals; one of them damaged."""
    drive = tmp_path / "drive"
    drive.mkdir()
    picture = pictures.jpeg(pictures.scene(size=(64, 48)))
    for number in range(100):
        (drive / f"{number:03}.jpg").write_bytes(picture + b"%d" % number)
    house.run("import_drive", drive, "--label", "Blue WD")
    photo = Photo.objects.order_by("digest")[50]
    digest = photo.digest
    place = house.folder / "originals" / digest[:2] / digest[2:4] / f"{digest}.jpg"
    place.chmod(0o644)
    place.write_bytes(b"not what it was")
    return photo


def test_one_byte_that_differs_is_exit_status_1_and_a_list(house, filled):
    result = house.run("verify_vault", "--json", "-", check=False)
    report = json.loads(result.stdout)
    assert result.returncode == 1
    assert report["checked"] == 100
    assert [one["digest"] for one in report["wrong"]] == [filled.digest]
    assert report["wrong"][0]["where"] == [{"source": "Blue WD", "path": filled.name}]
    said = house.run("verify_vault", check=False)
    assert said.returncode == 1
    assert f"plug in Blue WD: {filled.name}" in said.stdout


def test_promise_10_killed_at_any_moment_it_goes_on_where_it_was(house, filled):
    random.seed(4)
    for _ in range(KILLS):
        process = house.start("verify_vault", "--no-progress")
        time.sleep(0.6 + random.random() * 0.6)
        process.kill()
        process.wait()
    report = json.loads(
        house.run("verify_vault", "--json", "-", check=False).stdout,
    )
    assert report["finished"]
    assert [one["digest"] for one in report["wrong"]] == [filled.digest]
    assert Damage.objects.open().count() == 1
    assert not Verification.objects.exclude(state="finished").exists()
    assert not [*(house.folder / "incoming").iterdir()]


@pytest.mark.parametrize("share", ["2/3", "1/0", "half", "1/"])
def test_a_share_that_is_none_is_refused(house, share):
    result = house.run("verify_vault", "--share", share, check=False)
    assert result.returncode == 2
    assert "is no share such as 1/30" in result.stderr


def test_setup_makes_the_schedule_and_the_settings_end_it(house):
    house.run("setup_vault")
    assert Schedule.objects.filter(func=NIGHTLY).count() == 1
    house.run("setup_vault", IMAGEVAULT_VERIFY_SHARE="off")
    assert not Schedule.objects.filter(func=NIGHTLY).exists()


def test_the_schedule_begins_a_share_and_the_cluster_reads_it(
    house, filled, database_queue
):
    from django.utils import timezone
    from django_q.scheduler import scheduler

    from tests.house import Cluster

    house.run("setup_vault")
    Schedule.objects.update(next_run=timezone.now())
    scheduler()
    cluster = Cluster(house, IMAGEVAULT_TEST_FEEDERS="gallery.tasks.feed")
    house.wait_for(
        lambda: Verification.objects.filter(share=30, state="finished").exists()
    )
    cluster.stop()
