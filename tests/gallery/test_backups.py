"""A vault comes back from its backup, whatever happened in between."""

import hashlib
import json
import random
import shutil
import subprocess
import time

import pytest

from gallery import backups, copying
from gallery.models import Photo, SourceFile
from tests import pictures
from tests.house import POSTGRES

PHOTOS = 12
KILLS = 3


@pytest.fixture
def drive(tmp_path):
    folder = tmp_path / "drive"
    folder.mkdir()
    picture = pictures.jpeg(pictures.scene(size=(64, 48)))
    for number in range(PHOTOS):
        (folder / f"{number:03}.jpg").write_bytes(picture + b"%d" % number)
    (folder / "letter.txt").write_text("Dear all")
    return folder


@pytest.fixture
def filled(house, drive):
    house.run("import_drive", drive, "--label", "Blue WD")
    photos = list(Photo.objects.order_by("pk")[:2])
    photos[0].move_to_trash(by=None, in_favour_of=photos[1])
    return house


def rows():
    return (
        sorted(Photo.objects.values_list("pk", "digest", "trashed_at", "name")),
        sorted(SourceFile.objects.values_list("path", "outcome", "photo")),
    )


def destroy(house):
    """All of the vault is gone; on PostgreSQL the database is emptied."""
    if POSTGRES:
        house.run("flush", "--no-input")
    from django.db import connection

    connection.close()
    shutil.rmtree(house.folder)
    house.folder.mkdir()


def digests(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (folder / "originals").glob("*/*/*.jpg")
    }


def test_all_comes_back_after_everything_was_destroyed(filled, tmp_path):
    filled.run("setup_vault")
    before, files = rows(), digests(filled.folder)
    key = (filled.folder / "secret_key").read_text()
    said = filled.run("backup", tmp_path / "backup").stdout
    assert f"{PHOTOS} originals in the backup, {PHOTOS} of them new" in said
    destroy(filled)
    said = filled.run("restore", tmp_path / "backup").stdout
    assert f"{PHOTOS} originals are back" in said
    assert rows() == before
    assert digests(filled.folder) == files
    assert (filled.folder / "secret_key").read_text() == key
    assert (filled.folder / "secret_key").stat().st_mode & 0o077 == 0
    filled.run("setup_vault")
    filled.run("verify_vault")
    checked = ["sha256sum", "-c", "--quiet", "SHA256SUMS"]
    subprocess.run(checked, cwd=filled.folder, check=True)


def test_the_backup_itself_can_be_read_without_us(filled, tmp_path):
    filled.run("backup", tmp_path / "backup")
    checked = ["sha256sum", "-c", "--quiet", "SHA256SUMS"]
    subprocess.run(checked, cwd=tmp_path / "backup", check=True)


def test_the_next_one_copies_only_what_is_new(filled, drive, tmp_path):
    filled.run("backup", tmp_path / "backup")
    picture = pictures.jpeg(pictures.scene(seed=9, size=(64, 48)))
    (drive / "new.jpg").write_bytes(picture)
    filled.run("import_drive", drive)
    report = json.loads(filled.run("backup", tmp_path / "backup", "--json", "-").stdout)
    assert (report["originals"], report["copied"]) == (PHOTOS + 1, 1)
    marker = json.loads((tmp_path / "backup" / "backup.json").read_text())
    assert len(marker["snapshots"]) == 2
    # An earlier moment can be had, too.
    destroy(filled)
    filled.run("restore", tmp_path / "backup", "--at", marker["snapshots"][0])
    assert Photo.objects.count() == PHOTOS


def test_a_damaged_original_is_said_and_replaces_no_good_copy(filled, tmp_path):
    filled.run("backup", tmp_path / "backup")
    photo = Photo.objects.last()
    name = f"{photo.digest}.jpg"
    (place,) = (filled.folder / "originals").glob(f"*/*/{name}")
    place.chmod(0o644)
    place.write_bytes(b"x" * photo.size)
    filled.run("backup", tmp_path / "backup", "--verify")
    assert digests(tmp_path / "backup")[name] == photo.digest
    (copy,) = (tmp_path / "backup" / "originals").glob(f"*/*/{name}")
    copy.unlink()
    result = filled.run("backup", tmp_path / "backup", check=False)
    assert result.returncode == 1
    assert f"{photo.digest}: " in result.stdout
    assert not copy.exists()


def test_a_damaged_copy_is_found_by_verify_and_copied_again(filled, tmp_path):
    filled.run("backup", tmp_path / "backup")
    copy = next((tmp_path / "backup" / "originals").glob("*/*/*.jpg"))
    size = copy.stat().st_size
    copy.chmod(0o644)
    copy.write_bytes(b"x" * size)
    report = json.loads(
        filled.run("backup", tmp_path / "backup", "--verify", "--json", "-").stdout
    )
    assert report["copied"] == 1
    assert copy.stem == hashlib.sha256(copy.read_bytes()).hexdigest()


@pytest.mark.parametrize("where", ["vault", "above", "full", "file", "other"])
def test_a_folder_that_cannot_take_it_is_refused(filled, tmp_path, where):
    target = tmp_path / "target"
    if where == "vault":
        target = filled.folder / "backup"
    elif where == "above":
        target = filled.folder.parent
    elif where == "full":
        target.mkdir()
        (target / "somebody's.txt").touch()
    elif where == "file":
        target.touch()
    else:
        target.mkdir()
        marker = {"vault": "another", "format": 1, "snapshots": []}
        (target / "backup.json").write_text(json.dumps(marker))
    result = filled.run("backup", target, check=False)
    assert result.returncode == 2, result
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(not POSTGRES, reason="SQLite needs no tool")
def test_without_the_databases_own_tool_nothing_is_begun(filled, tmp_path):
    result = filled.run("backup", tmp_path / "backup", check=False, PATH="/nowhere")
    assert result.returncode == 2
    assert "pg_dump is not installed" in result.stderr
    assert not (tmp_path / "backup").exists()


def test_a_restore_writes_over_nothing(filled, tmp_path):
    filled.run("backup", tmp_path / "backup")
    before = rows()
    result = filled.run("restore", tmp_path / "backup", check=False)
    assert result.returncode == 2
    assert "holds originals already" in result.stderr
    assert rows() == before
    assert (filled.folder / "vault.json").is_file()


def test_what_is_no_backup_restores_nothing(house, tmp_path):
    (tmp_path / "nothing").mkdir()
    result = house.run("restore", tmp_path / "nothing", check=False)
    assert result.returncode == 2
    assert "holds no whole backup" in result.stderr


@pytest.mark.skipif(not POSTGRES, reason="on SQLite tests/bench/test_kills.py does")
def test_promise_10_killed_at_any_moment_backup_and_restore_go_on(filled, tmp_path):
    random.seed(8)
    before, files = rows(), digests(filled.folder)
    target = tmp_path / "backup"

    def kill(*arguments):
        process = filled.start(*arguments, "--no-progress")
        time.sleep(0.8 + random.random() * 0.8)
        process.kill()
        process.wait()

    for _ in range(KILLS):
        kill("backup", target)
        whole = digests(target)
        assert all(name.startswith(digest) for name, digest in whole.items())
    filled.run("backup", target)
    assert digests(target) == files
    destroy(filled)
    for _ in range(KILLS):
        kill("restore", target)
        whole = digests(filled.folder)
        assert all(name.startswith(digest) for name, digest in whole.items())
    if not (filled.folder / "vault.json").exists():
        filled.run("restore", target)
    assert rows() == before
    assert digests(filled.folder) == files
    assert not [*filled.folder.rglob("*.part")]


def test_a_photo_purged_while_it_is_copied_leaves_a_whole_backup(
    filled, tmp_path, monkeypatch
):
    from django.utils import timezone

    real = backups._dumped
    gone = Photo.objects.trashed().get()
    place = filled.folder / "originals" / gone.digest[:2] / gone.digest[2:4]
    file = place / f"{gone.digest}.jpg"
    target = tmp_path / "backup"

    def purge_after(folder):
        name = real(folder)
        Photo.objects.filter(pk=gone.pk).update(purged_at=timezone.now())
        file.unlink(missing_ok=True)
        for copy in (target / "originals").glob(f"*/*/{gone.digest}.jpg"):
            copy.unlink()
        return name

    monkeypatch.setattr(backups, "_dumped", purge_after)
    report = backups.backup(target)
    assert not report.wrong
    assert len([*(target / "database").iterdir()]) == 1


def test_only_so_many_snapshots_stay(filled, tmp_path, monkeypatch):
    monkeypatch.setattr(backups, "SNAPSHOTS", 2)
    for _ in range(4):
        backups.backup(tmp_path / "backup")
    marker = json.loads((tmp_path / "backup" / "backup.json").read_text())
    there = sorted(path.name for path in (tmp_path / "backup" / "database").iterdir())
    assert there == sorted(marker["snapshots"]) and len(there) == 2


def test_a_disk_that_gives_back_other_bytes_fails(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"hello")
    real = copying.rereading.file

    def other(place):
        place.write_bytes(b"jello")
        return real(place)

    monkeypatch.setattr(copying.rereading, "file", other)
    with pytest.raises(copying.CopyFails):
        copying.copy(tmp_path / "file", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
