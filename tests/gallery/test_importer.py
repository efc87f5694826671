import hashlib
import os
import shutil
from datetime import datetime
from pathlib import Path

import pytest
from django.utils import timezone

from gallery import dates, importer
from gallery import originals as originals_module
from gallery import vault as vaults
from gallery.importer import Ending, Refused, import_drive
from gallery.ledger import LabelTaken
from gallery.models import (
    ImportRun,
    Origin,
    Outcome,
    Photo,
    Precision,
    Source,
    SourceFile,
    Thumbnail,
)
from tests import pictures

pytestmark = pytest.mark.django_db


@pytest.fixture
def drive(tmp_path, vault):
    folder = tmp_path / "Grandma's USB"
    folder.mkdir()
    return folder


def photo(path, *, seed=3, **options):
    """A drawn photo in a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pictures.scene(seed=seed, size=(96, 64))
    path.write_bytes(pictures.jpeg(image, **options))
    return path


def outcomes(report):
    assert sum(report.outcomes.values()) == report.seen
    return report.outcomes


def originals(vault):
    return sorted(p.name for p in (vault / "originals").rglob("*") if p.is_file())


def test_a_photo_is_stored_developed_and_written_down(drive, vault):
    file = photo(drive / "DCIM/one.jpg")
    report = import_drive(drive)
    assert outcomes(report) == {"imported": 1}
    assert report.bytes_stored == report.bytes_seen == file.stat().st_size
    stored = Photo.objects.get()
    assert stored.digest == hashlib.sha256(file.read_bytes()).hexdigest()
    original = vaults.original(vault, stored.digest, "jpg")
    assert original.read_bytes() == file.read_bytes()
    assert (stored.name, stored.width, stored.height) == ("one.jpg", 96, 64)
    thumbnail = Thumbnail.objects.get()
    assert thumbnail.recipe == Thumbnail.RECIPE
    assert vaults.rendition(
        vault, stored.digest, name="thumbnail", recipe=Thumbnail.RECIPE
    ).is_file()
    assert SourceFile.objects.get().path == "DCIM/one.jpg"
    assert ImportRun.objects.get().state == ImportRun.State.FINISHED


def test_every_kind_of_entry_has_its_outcome(drive, vault):
    photo(drive / "a.jpg")
    photo(drive / "a copy.jpg")
    photo(drive / "Cache/x.jpg", seed=9)
    (drive / "letter.doc").write_bytes(b"Dear all")
    (drive / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (drive / "empty.jpg").touch()
    (drive / "link.jpg").symlink_to("a.jpg")
    os.mkfifo(drive / "pipe.jpg")
    report = import_drive(drive, exclude=["Cache"])
    assert outcomes(report) == {
        "imported": 1,
        "already_known": 1,
        "not_a_photo": 1,
        "junk": 1,
        "empty": 1,
        "excluded": 1,
        "link": 1,
        "special": 1,
    }
    reasons = dict(SourceFile.objects.values_list("path", "reason"))
    assert reasons["Thumbs.db"] == "Windows, thumbnails"
    assert reasons["Cache"] == "matches Cache"
    assert reasons["pipe.jpg"] == "a pipe"


def test_promise_03_every_entry_has_one_row_and_the_outcomes_add_up(drive, vault):
    for seed in range(7):
        photo(drive / f"{seed}/p.jpg", seed=seed % 5)
        (drive / f"{seed}/n.txt").write_text("no photo")
    report = import_drive(drive)
    run = ImportRun.objects.get()
    assert sum(run.outcomes.values()) == run.seen == report.seen == 14
    assert SourceFile.objects.count() == 14
    assert run.outcomes == report.outcomes
    assert run.outcomes == {"imported": 5, "already_known": 2, "not_a_photo": 7}


def test_a_photo_is_known_by_its_content_whatever_its_name(drive, vault):
    photo(drive / "holiday.doc")
    photo(drive / "._hidden", seed=4)
    assert outcomes(import_drive(drive)) == {"imported": 2}


def test_second_import_skips_known_files_unread(drive, vault, monkeypatch):
    photo(drive / "a.jpg")
    photo(drive / "b.jpg")
    (drive / "c.txt").write_text("text")
    import_drive(drive)
    opened = []
    monkeypatch.setattr("gallery.originals.open_source", lambda *a: opened.append(a))
    report = import_drive(drive)
    assert outcomes(report) == {"already_known": 2, "not_a_photo": 1}
    assert not opened
    first, second = ImportRun.objects.order_by("pk")
    assert set(SourceFile.objects.values_list("first_run", "last_run")) == {
        (first.pk, second.pk)
    }


def test_newer_rules_look_again_at_what_was_no_photo(drive, vault, monkeypatch):
    photo(drive / "new.jpg")
    with monkeypatch.context() as older:
        older.setattr("gallery.formats.recognise", lambda head, size: None)
        import_drive(drive)
    assert outcomes(import_drive(drive)) == {"not_a_photo": 1}
    monkeypatch.setattr("gallery.formats.RECIPE", 99)
    assert outcomes(import_drive(drive)) == {"imported": 1}


def test_another_drive_with_the_same_photo_adds_a_sighting(drive, vault, tmp_path):
    file = photo(drive / "a.jpg")
    import_drive(drive)
    photo(tmp_path / "other/b.jpg")
    report = import_drive(tmp_path / "other")
    assert outcomes(report) == {"already_known": 1}
    assert report.bytes_stored == 0
    assert {row.path for row in Photo.objects.get().sightings.all()} == {
        "a.jpg",
        "b.jpg",
    }
    assert len(originals(vault)) == 1
    assert file.exists()


def test_a_changed_file_is_a_new_photo_and_the_old_one_keeps_its_sighting(drive, vault):
    file = photo(drive / "a.jpg")
    import_drive(drive)
    before = Photo.objects.get()
    photo(file, seed=8)
    assert outcomes(import_drive(drive)) == {"imported": 1}
    old, new = Photo.objects.order_by("pk")
    assert old == before
    assert [row.path for row in old.sightings.all()] == ["a.jpg"]
    assert not old.sightings.get().is_current
    assert new.sightings.get().is_current
    assert SourceFile.objects.current().count() == 1
    assert outcomes(import_drive(drive)) == {"already_known": 1}


def test_a_touched_file_is_read_again_and_stays_imported(drive, vault):
    file = photo(drive / "a.jpg")
    import_drive(drive)
    os.utime(file, ns=(1, 1))
    assert outcomes(import_drive(drive)) == {"already_known": 1}
    row = SourceFile.objects.get()
    assert (row.outcome, row.modified_ns) == (Outcome.IMPORTED, 1)


def test_a_discarded_photo_stays_in_the_trash_and_gains_the_sighting(drive, vault):
    file = photo(drive / "a.jpg")
    photo(drive / "b.jpg", seed=5)
    import_drive(drive)
    first, second = Photo.objects.order_by("name")
    first.move_to_trash(by=None, in_favour_of=second)
    (drive / "copy.jpg").write_bytes(file.read_bytes())
    found = outcomes(import_drive(drive))
    assert found == {"already_known": 1, "discarded_earlier": 2}
    assert SourceFile.objects.get(path="copy.jpg").reason == f"in favour of {second}"
    first.refresh_from_db()
    assert not first.is_live
    assert first.sightings.count() == 2
    first.restore()
    assert outcomes(import_drive(drive)) == {"already_known": 3}


def test_a_purged_photo_is_not_stored_again(drive, vault):
    file = photo(drive / "a.jpg")
    photo(drive / "b.jpg", seed=5)
    import_drive(drive)
    first, second = Photo.objects.order_by("name")
    first.move_to_trash(by=None, in_favour_of=second)
    first.update_facts(purged_at=timezone.now())
    vaults.original(vault, first.digest, "jpg").unlink()
    (drive / "copy.jpg").write_bytes(file.read_bytes())
    report = import_drive(drive)
    assert outcomes(report) == {"already_known": 1, "discarded_earlier": 2}
    assert SourceFile.objects.get(path="copy.jpg").reason == "in favour of b.jpg"
    assert len(originals(vault)) == 1


def test_an_original_that_got_lost_is_stored_again(drive, vault):
    file = photo(drive / "a.jpg")
    import_drive(drive)
    place = vaults.original(vault, Photo.objects.get().digest, "jpg")
    place.unlink()
    (drive / "copy.jpg").write_bytes(file.read_bytes())
    assert outcomes(import_drive(drive)) == {"already_known": 2}
    assert place.read_bytes() == file.read_bytes()


def test_promise_14_a_file_that_cannot_be_decoded_is_stored_with_its_reason(
    drive, vault
):
    whole = photo(drive / "whole.jpg")
    (drive / "broken.jpg").write_bytes(whole.read_bytes()[:30])
    assert outcomes(import_drive(drive)) == {"imported": 2}
    broken = Photo.objects.get(name="broken.jpg")
    assert broken.problem
    assert broken.thumbnail.problem == broken.problem
    assert Thumbnail.objects.failed().count() == 1
    assert vaults.original(vault, broken.digest, "jpg").stat().st_size == 30


def test_promise_14_an_unreadable_file_is_listed_and_the_rest_goes_on(
    drive, vault, monkeypatch
):
    photo(drive / "a.jpg")
    photo(drive / "b.jpg", seed=2)
    opening = originals_module.open_source

    def damaged(root, path):
        if path == b"a.jpg":
            # A process's memory is a file the kernel refuses to read.
            return os.open("/proc/self/mem", os.O_RDONLY)
        return opening(root, path)

    with monkeypatch.context() as patched:
        patched.setattr(originals_module, "open_source", damaged)
        report = import_drive(drive)
    assert outcomes(report) == {"imported": 1, "unreadable": 1}
    assert [(one.path, one.reason) for one in report.unreadable] == [
        ("a.jpg", "Input/output error")
    ]
    # The next run tries again.
    assert outcomes(import_drive(drive)) == {"imported": 1, "already_known": 1}


def test_promise_01_nothing_of_the_drive_is_changed(drive, vault):
    photo(drive / "DCIM/a.jpg")
    (drive / "DCIM/b.txt").write_text("b")
    (drive / "link").symlink_to("DCIM")
    paths = [drive, *sorted(drive.rglob("*"))]
    contents = [path.read_bytes() for path in paths if path.is_file()]
    for path in paths:
        os.utime(path, ns=(10**18, 10**18 + 1), follow_symlinks=False)
    before = [path.lstat() for path in paths]
    import_drive(drive)
    import_drive(drive)
    assert [path.lstat() for path in paths] == before
    assert [drive, *sorted(drive.rglob("*"))] == paths
    assert [path.read_bytes() for path in paths if path.is_file()] == contents


def test_dry_run_counts_and_writes_nothing(drive, vault):
    photo(drive / "a.jpg")
    photo(drive / "b.jpg")
    (drive / "c.txt").write_text("c")
    report = import_drive(drive, dry_run=True)
    assert outcomes(report) == {"imported": 1, "already_known": 1, "not_a_photo": 1}
    assert (report.source_id, report.run_id) == (None, None)
    assert not Source.objects.exists()
    assert not SourceFile.objects.exists()
    assert not [path for path in vault.rglob("*") if path.is_file()][1:]
    assert outcomes(import_drive(drive)) == report.outcomes


def test_date_comes_from_the_best_of_file_names_and_copies(drive, vault, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    file = photo(drive / "a.jpg")
    os.utime(file, (1_262_304_000, 1_262_304_000))
    import_drive(drive)
    assert Photo.objects.get().taken_from == "modification_time"
    copy = drive / "IMG_20190704_153012.jpg"
    copy.write_bytes(file.read_bytes())
    import_drive(drive)
    known = Photo.objects.get()
    assert known.taken_at == datetime(2019, 7, 4, 15, 30, 12)
    assert (known.taken_from, known.taken_precision) == ("file_name", "second")


def test_promise_12_the_cameras_time_stays_local(drive, vault):
    block = pictures.exif(taken=datetime(2004, 7, 12, 9, 30), offset="+02:00")
    photo(drive / "IMG_20190704_153012.jpg", exif=block)
    import_drive(drive)
    known = Photo.objects.get()
    assert known.taken_at == datetime(2004, 7, 12, 9, 30)
    assert (known.taken_offset, known.taken_from) == (120, "exif_original")


def test_names_that_are_no_text_are_imported(drive, vault):
    name = os.fsencode(drive) + b"/caf\xe9.jpg"
    photo(drive / "x.jpg").rename(Path(os.fsdecode(name)))
    assert outcomes(import_drive(drive)) == {"imported": 1}
    assert Photo.objects.get().name == "caf\N{REPLACEMENT CHARACTER}e9.jpg"
    assert outcomes(import_drive(drive)) == {"already_known": 1}


def test_a_drive_is_known_again_under_another_label(drive, vault):
    photo(drive / "a.jpg")
    first = import_drive(drive)
    assert first.label == "Grandma's USB"
    second = import_drive(drive, label="Blue WD 2009")
    assert first.source_id == second.source_id
    assert Source.objects.get().label == "Blue WD 2009"


def test_a_drive_is_known_again_by_its_label_elsewhere(drive, vault, tmp_path):
    photo(drive / "a.jpg")
    first = import_drive(drive, label="Blue WD 2009")
    drive.rename(tmp_path / "elsewhere")
    second = import_drive(tmp_path / "elsewhere", label="Blue WD 2009")
    assert first.source_id == second.source_id
    assert outcomes(second) == {"already_known": 1}


def test_two_drives_with_folders_of_one_name_get_two_labels(vault, tmp_path):
    for parent in "ab":
        photo(tmp_path / parent / "DCIM/1.jpg")
        import_drive(tmp_path / parent / "DCIM")
    assert sorted(Source.objects.values_list("label", flat=True)) == ["DCIM", "DCIM 2"]


def test_the_label_of_the_upload_page_is_refused(drive, vault):
    Source.objects.create(label="Uploads", kind=Source.Kind.UPLOAD)
    with pytest.raises(LabelTaken):
        import_drive(drive, label="Uploads")


def test_the_vault_is_not_imported_into_itself(tmp_path, vault):
    photo(tmp_path / "a.jpg")
    assert outcomes(import_drive(tmp_path)) == {"imported": 1, "excluded": 1}
    assert outcomes(import_drive(tmp_path)) == {"already_known": 1, "excluded": 1}
    with pytest.raises(Refused, match="the vault itself"):
        import_drive(vault / "originals")


def test_a_folder_that_is_missing_or_no_longer_mounted_is_refused(drive, vault):
    with pytest.raises(Refused, match="not a folder"):
        import_drive(drive / "missing")
    file = photo(drive / "a.jpg")
    import_drive(drive)
    Source.objects.update(volume="another")
    file.unlink()
    with pytest.raises(Refused, match="Is the drive mounted"):
        import_drive(drive)


def test_ctrl_c_stops_cleanly_and_the_next_run_goes_on(drive, vault, monkeypatch):
    for seed in range(12):
        photo(drive / f"{seed:02}.jpg", seed=seed)

    told = []

    def interrupt(progress):
        told.append(progress)
        if len(told) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(importer, "BATCH", 5)
    report = import_drive(drive, progress=interrupt)
    assert report.ending is Ending.INTERRUPTED
    assert 0 < outcomes(report)["imported"] < 12
    assert ImportRun.objects.get().state == ImportRun.State.INTERRUPTED
    assert not list((vault / "incoming").iterdir())
    again = outcomes(import_drive(drive))
    assert again == {
        "imported": 12 - report.seen,
        "already_known": report.seen,
    }


def test_promise_09_a_drive_pulled_out_stops_the_run(drive, vault, monkeypatch):
    for seed in range(40):
        photo(drive / f"{seed:02}.jpg", seed=seed)
    monkeypatch.setattr(importer, "BATCH", 3)
    report = import_drive(drive, progress=lambda _: shutil.rmtree(drive, True))
    assert report.ending is Ending.STOPPED
    assert "is gone" in report.why
    assert ImportRun.objects.get().state == ImportRun.State.INTERRUPTED
    assert "unreadable" not in outcomes(report)
    assert Photo.objects.live().count() == report.outcomes["imported"]


def test_runs_of_the_dead_are_closed_by_the_next(drive, vault):
    photo(drive / "a.jpg")
    report = import_drive(drive)
    dead = ImportRun.objects.create(source_id=report.source_id)
    (vault / "incoming/0123.draft").write_bytes(b"half")
    import_drive(drive)
    dead.refresh_from_db()
    assert dead.state == ImportRun.State.INTERRUPTED
    assert not list((vault / "incoming").iterdir())


def test_the_models_choices_are_those_of_the_dates():
    assert Precision.values == [one.value for one in dates.Precision]
    assert Origin.values == [one.value for one in dates.Origin]


def test_promise_14_a_time_no_database_can_hold_does_not_stop_the_run(drive, vault):
    file = photo(drive / "one.jpg")
    late = datetime(2400, 1, 1).timestamp()
    os.utime(file, (late, late))
    assert outcomes(import_drive(drive)) == {"imported": 1}
    assert outcomes(import_drive(drive)) == {"already_known": 1}
    assert Photo.objects.get().taken_from == Origin.NONE


def test_a_label_too_long_to_keep_is_refused(drive, vault):
    with pytest.raises(Refused, match="longer than 200"):
        import_drive(drive, label="x" * 201)
    assert not Source.objects.exists()
