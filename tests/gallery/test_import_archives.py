"""An import goes through archives as through folders, and opens none without need."""

import hashlib
import json
import os
import random
import time
import zipfile

import pytest

from gallery import archives, beside
from gallery.certifying import verify_drive
from gallery.importer import import_drive
from gallery.models import ImportRun, Origin, Outcome, Photo, SourceFile
from tests import pictures

pytestmark = pytest.mark.django_db


def picture(seed):
    return pictures.jpeg(pictures.scene(seed=seed, size=(96, 64)))


def pack(path, **content):
    with zipfile.ZipFile(path, "w") as archive:
        for name, one in content.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), one)
    return path


@pytest.fixture
def drive(tmp_path, vault):
    folder = tmp_path / "drive"
    folder.mkdir()
    inner = pack(tmp_path / "inner.zip", deep_jpg=picture(2), text_txt=b"Dear all")
    pack(
        folder / "old.zip",
        summer__1_jpg=picture(1),
        summer__empty_txt=b"",
        letter_txt=b"Dear all",
        Thumbs_db=b"junk",
        inner_zip=inner.read_bytes(),
    )
    (folder / "1.jpg").write_bytes(picture(1))
    return folder


EVERYTHING = {
    "imported": 2,
    "already_known": 1,
    "archive": 2,
    "not_a_photo": 2,
    "junk": 1,
    "empty": 1,
}
SEEN_AGAIN = {**EVERYTHING, "already_known": 3}
del SEEN_AGAIN["imported"]


def test_promise_03_what_lies_in_archives_has_outcomes_that_add_up(drive, vault):
    before = {path: path.stat() for path in drive.rglob("*")}
    report = import_drive(drive)
    assert report.outcomes == EVERYTHING
    assert report.seen == sum(EVERYTHING.values()) == SourceFile.objects.count()
    # What is packed is seen with the archive.
    assert report.bytes_seen == sum(one.st_size for one in before.values())
    paths = SourceFile.objects.values_list("path", "outcome")
    assert dict(paths) == {
        "1.jpg": "imported",
        "old.zip": "archive",
        "old.zip!/summer/1.jpg": "already_known",
        "old.zip!/summer/empty.txt": "empty",
        "old.zip!/letter.txt": "not_a_photo",
        "old.zip!/Thumbs.db": "junk",
        "old.zip!/inner.zip": "archive",
        "old.zip!/inner.zip!/deep.jpg": "imported",
        "old.zip!/inner.zip!/text.txt": "not_a_photo",
    }
    deep = Photo.objects.get(digest=hashlib.sha256(picture(2)).hexdigest())
    assert deep.name == "deep.jpg" and deep.width == 96
    assert {path: path.stat() for path in drive.rglob("*")} == before
    assert not [*(vault / "incoming").iterdir()]
    rehearsed = import_drive(drive, dry_run=True)
    assert rehearsed.seen == report.seen


def test_an_unchanged_archive_is_not_opened_again(drive, monkeypatch):
    import_drive(drive)
    monkeypatch.setattr(archives, "opened", None)
    again = import_drive(drive)
    assert again.outcomes == SEEN_AGAIN
    assert {*SourceFile.objects.values_list("last_run", flat=True)} == {again.run_id}


def test_what_is_gone_from_a_changed_archive_becomes_history(drive):
    import_drive(drive)
    pack(drive / "old.zip", summer__1_jpg=picture(5), new_txt=b"new")
    os.utime(drive / "old.zip", ns=(1, 1))
    report = import_drive(drive)
    assert report.outcomes == {
        "imported": 1,
        "already_known": 1,
        "archive": 1,
        "not_a_photo": 1,
    }
    current = SourceFile.objects.current()
    assert {*current.values_list("path", flat=True)} == {
        *("1.jpg", "old.zip", "old.zip!/summer/1.jpg", "old.zip!/new.txt")
    }
    # Seen once, known for ever
    history = SourceFile.objects.exclude(replaced_in=None)
    assert history.filter(path="old.zip!/inner.zip!/deep.jpg", photo__gt=0).exists()
    assert import_drive(drive).seen == report.seen
    (drive / "old.zip").write_bytes(b"no archive any more")
    import_drive(drive)
    assert current.count() == 2


def test_promise_14_what_cannot_be_read_is_named_and_tried_again(drive, vault):
    whole = pack(drive / "b.zip", a_jpg=picture(7), b_jpg=picture(8)).read_bytes()
    (drive / "b.zip").write_bytes(whole[:-300])
    (drive / "locked.7z").write_bytes(b"7z\xbc\xaf\x27\x1c nonsense")
    first = import_drive(drive)
    reasons = {one.path: one.reason for one in first.unreadable}
    assert reasons.keys() == {"b.zip", "b.zip!/b.jpg", "locked.7z"}
    assert reasons["b.zip"].startswith("it is cut short")
    assert first.outcomes["imported"] == 3
    again = import_drive(drive)
    assert {one.path: one.reason for one in again.unreadable} == reasons
    assert again.seen == first.seen
    (drive / "b.zip").write_bytes(whole)
    assert not [one for one in import_drive(drive).unreadable if "b.zip" in one.path]
    assert SourceFile.objects.get(path="b.zip").outcome == Outcome.ARCHIVE


def test_what_is_left_out_in_an_archive_is_looked_at_when_it_is_not(drive):
    assert import_drive(drive, exclude=["summer"]).outcomes["excluded"] == 2
    import_drive(drive)
    assert import_drive(drive).outcomes == SEEN_AGAIN
    current = SourceFile.objects.current()
    assert not current.filter(outcome=Outcome.EXCLUDED).exists()


def test_an_export_in_several_zips_is_one_set(tmp_path, vault):
    """Google puts a photo into one zip and what it knows of it into another."""
    folder = tmp_path / "Takeout"
    folder.mkdir()
    known = {"title": "a.jpg", "photoTakenTime": {"timestamp": "1247000000"}}
    album = "Takeout/Google Photos/Summer"
    with zipfile.ZipFile(folder / "takeout-1.zip", "w") as archive:
        archive.writestr(f"{album}/a.jpg", picture(1))
    with zipfile.ZipFile(folder / "takeout-2.zip", "w") as archive:
        archive.writestr(f"{album}/a.jpg.json", json.dumps(known))
    report = import_drive(folder)
    assert report.outcomes == {"imported": 1, "archive": 2, "sidecar": 1}
    beside.weigh_outstanding()
    photo = Photo.objects.get()
    assert (photo.taken_from, photo.taken_at.year) == (Origin.TAKEOUT, 2009)
    assert verify_drive(folder).certificate.is_safe


def test_promise_10_killed_in_an_archive_an_import_goes_on(house, tmp_path):
    drive = tmp_path / "drive"
    drive.mkdir()
    with zipfile.ZipFile(drive / "all.zip", "w") as archive:
        small = pictures.jpeg(pictures.scene(size=(64, 48)))
        for number in range(60):
            archive.writestr(f"{number:02}.jpg", small + b"%d" % number)
    random.seed(4)
    for _ in range(3):
        before = ImportRun.objects.count()
        process = house.start("import_drive", drive, "--no-progress")
        house.wait_for(lambda before=before: ImportRun.objects.count() > before)
        time.sleep(random.random())
        process.kill()
        process.wait()
        read = SourceFile.objects.filter(outcome=Outcome.ARCHIVE)
        assert not read.exists() or Photo.objects.count() == 60
    house.run("import_drive", drive, "--no-progress")
    assert Photo.objects.count() == 60
    assert SourceFile.objects.current().count() == 61
    assert not [*(house.folder / "incoming").iterdir()]
