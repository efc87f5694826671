"""Killed without warning at any moment, an import loses, doubles and halves nothing."""

import hashlib
import json
import random
import time

import pytest

from gallery import records
from gallery.models import ImportRun, KeptFile, Photo, SourceFile, Thumbnail
from tests import pictures

KILLS = 22
OPTIONS = ("--no-progress", "--keep", "documents")
PHOTOS, DISTINCT = 200, 180
# ... files that are kept beside them, each twice
LETTERS = 20
ENTRIES = PHOTOS + LETTERS


@pytest.fixture
def drive(tmp_path):
    """Many photos and letters, some of them twice."""
    folder = tmp_path / "drive"
    folder.mkdir()
    picture = pictures.jpeg(pictures.scene(size=(64, 48)))
    for number in range(PHOTOS):
        # What follows the end of a JPEG makes another file of it, and no other picture.
        (folder / f"{number:04}.jpg").write_bytes(picture + b"%d" % (number % DISTINCT))
    for number in range(LETTERS):
        (folder / f"letter {number}.txt").write_text(f"Dear all {number // 2}")
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


def known():
    """Every digest the catalogue says is stored."""
    rows = (Photo.objects, KeptFile.objects)
    return {digest for one in rows for digest in one.values_list("digest", flat=True)}


def check(house):
    """What must hold at any moment, whatever was killed."""
    stored = originals(house)
    assert all(path.stem == digest for path, digest in stored.items())
    assert len(set(stored.values())) == len(stored)
    assert known() <= set(stored.values())
    for run in ImportRun.objects.all():
        assert sum(run.outcomes.values()) == run.seen


def test_promise_10_kills_at_any_moment_leave_nothing_lost_doubled_or_half(
    house, drive
):
    random.seed(20)
    for _ in range(KILLS // 2):
        before = ImportRun.objects.count()
        pair = [house.start("import_drive", drive, *OPTIONS) for _ in range(2)]
        house.wait_for(lambda before=before: ImportRun.objects.count() > before)
        for process in pair:
            time.sleep(random.random() * 0.25)
            process.kill()
            process.wait()
        check(house)
    last = house.run("import_drive", drive, *OPTIONS, "--json", "-")
    report = json.loads(last.stdout)
    check(house)
    assert report["seen"] == sum(report["outcomes"].values()) == ENTRIES
    assert known() == set(originals(house).values()) == set(digests(drive).values())
    assert (
        SourceFile.objects.current().exclude(photo=None, kept=None).count() == ENTRIES
    )
    assert Thumbnail.objects.count() == Photo.objects.count() == DISTINCT
    assert not [*(house.folder / "incoming").iterdir()]
    *killed, finished = ImportRun.objects.order_by("pk")
    assert {run.state for run in killed} == {"interrupted"}
    assert finished.state == "finished"


def test_two_imports_at_once_store_every_photo_once(house, drive):
    both = [
        house.start("import_drive", drive, *OPTIONS, "--label", "Both")
        for _ in range(2)
    ]
    assert [process.wait(timeout=60) for process in both] == [0, 0], house.said()
    check(house)
    assert (Photo.objects.count(), KeptFile.objects.count()) == (DISTINCT, LETTERS // 2)
    assert known() == set(originals(house).values())
    assert SourceFile.objects.count() == ENTRIES
    runs = ImportRun.objects.all()
    assert [run.seen for run in runs] == [ENTRIES] * 2
    assert sum(run.outcomes.get("imported", 0) for run in runs) == DISTINCT
    assert sum(run.outcomes.get("kept", 0) for run in runs) == LETTERS // 2
