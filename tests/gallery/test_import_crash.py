"""Killed without warning at any moment, an import loses, doubles and halves nothing."""

import hashlib
import json
import random
import time

import pytest

from gallery import records
from gallery.models import ImportRun, Photo, SourceFile, Thumbnail
from tests import pictures

KILLS = 22
PHOTOS, DISTINCT = 200, 180


@pytest.fixture
def drive(tmp_path):
    """Many photos, some of them twice, and files that are none."""
    folder = tmp_path / "drive"
    folder.mkdir()
    picture = pictures.jpeg(pictures.scene(size=(64, 48)))
    for number in range(PHOTOS):
        # What follows the end of a JPEG makes another file of it, and no other picture.
        (folder / f"{number:04}.jpg").write_bytes(picture + b"%d" % (number % DISTINCT))
    (folder / "letter.txt").write_text("Dear all")
    return folder


def digests(folder):
    """Independently of the program: file to SHA-256."""
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def originals(house):
    """The same of what the vault stores, without its notes beside the photos."""
    found = digests(house.folder / "originals")
    return {path: one for path, one in found.items() if path.name != records.SHELF}


def check(house):
    """What must hold at any moment, whatever was killed."""
    stored = originals(house)
    assert all(path.stem == digest for path, digest in stored.items())
    assert len(set(stored.values())) == len(stored)
    assert set(Photo.objects.values_list("digest", flat=True)) <= set(stored.values())
    for run in ImportRun.objects.all():
        assert sum(run.outcomes.values()) == run.seen


def test_promise_10_kills_at_any_moment_leave_nothing_lost_doubled_or_half(
    house, drive
):
    random.seed(20)
    for _ in range(KILLS // 2):
        before = ImportRun.objects.count()
        pair = [house.start("import_drive", drive, "--no-progress") for _ in range(2)]
        house.wait_for(lambda before=before: ImportRun.objects.count() > before)
        for process in pair:
            time.sleep(random.random() * 0.25)
            process.kill()
            process.wait()
        check(house)
    last = house.run("import_drive", drive, "--no-progress", "--json", "-")
    report = json.loads(last.stdout)
    check(house)
    assert report["seen"] == sum(report["outcomes"].values()) == PHOTOS + 1
    on_drive = {one for path, one in digests(drive).items() if path.suffix == ".jpg"}
    assert set(Photo.objects.values_list("digest", flat=True)) == on_drive
    assert set(originals(house).values()) == on_drive
    assert SourceFile.objects.current().count() == PHOTOS + 1
    assert Thumbnail.objects.count() == len(on_drive)
    assert not [*(house.folder / "incoming").iterdir()]
    *killed, finished = ImportRun.objects.order_by("pk")
    assert {run.state for run in killed} == {"interrupted"}
    assert finished.state == "finished"


def test_two_imports_at_once_store_every_photo_once(house, drive):
    both = [house.start("import_drive", drive, "--label", "Both") for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0], house.said()
    check(house)
    assert len(originals(house)) == Photo.objects.count() == DISTINCT
    assert SourceFile.objects.count() == PHOTOS + 1
    runs = ImportRun.objects.all()
    assert [run.seen for run in runs] == [PHOTOS + 1] * 2
    assert sum(run.outcomes.get("imported", 0) for run in runs) == DISTINCT
