"""Damaged originals come back from a drive, a backup or the trash, by digest alone."""

import hashlib

import pytest

from gallery import backups, care, vault
from gallery.importer import import_drive
from gallery.models import Damage, Photo
from gallery.repairing import repair
from tests import pictures

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def drive(vault, tmp_path):
    folder = tmp_path / "drive"
    (folder / "DCIM").mkdir(parents=True)
    for seed in range(3):
        image = pictures.scene(seed=seed, size=(96, 64))
        (folder / "DCIM" / f"{seed}.jpg").write_bytes(pictures.jpeg(image))
    import_drive(folder, label="Blue WD")
    return folder


def photo(drive, seed):
    content = (drive / "DCIM" / f"{seed}.jpg").read_bytes()
    return Photo.objects.get(digest=hashlib.sha256(content).hexdigest())


def place(photo):
    from django.conf import settings

    return vault.original(settings.IMAGEVAULT_DATA, photo.digest, photo.extension)


def damage(photo):
    place(photo).chmod(0o644)
    content = bytearray(place(photo).read_bytes())
    content[99] ^= 4
    place(photo).write_bytes(content)
    care.verify_vault()


def test_from_a_drive_that_is_plugged_in(drive):
    damage(photo(drive, 1))
    place(photo(drive, 2)).unlink()
    care.verify_vault()
    report = repair()
    assert {one["from"] for one in report.mended} == {
        "Blue WD: DCIM/1.jpg",
        "Blue WD: DCIM/2.jpg",
    }
    assert not report.left and not Damage.objects.open().exists()
    assert not care.verify_vault().wrong
    assert place(photo(drive, 1)).stat().st_mode & 0o777 == 0o444


def test_from_a_drive_mounted_elsewhere(drive, tmp_path):
    damage(photo(drive, 1))
    drive.rename(tmp_path / "elsewhere")
    report = repair()
    assert report.left[0]["advice"] == ["plug in Blue WD: DCIM/1.jpg"]
    assert len(repair([tmp_path / "elsewhere"]).mended) == 1


def test_other_bytes_under_the_same_name_are_left_where_they_are(drive):
    one = photo(drive, 1)
    damage(one)
    before = place(one).read_bytes()
    (drive / "DCIM" / "1.jpg").write_bytes((drive / "DCIM" / "0.jpg").read_bytes())
    report = repair()
    assert report.left and not report.mended
    assert place(one).read_bytes() == before
    assert Damage.objects.open().count() == 1


def test_from_a_backup(drive, tmp_path):
    backups.backup(tmp_path / "backup")
    one = photo(drive, 1)
    damage(one)
    (drive / "DCIM" / "1.jpg").unlink()
    assert repair().left
    report = repair([tmp_path / "backup"])
    assert report.mended[0]["from"] == str(tmp_path / "backup")
    assert not care.verify_vault().wrong


def test_from_the_trash_where_nothing_else_is_left(drive):
    keeper, other = photo(drive, 1), photo(drive, 2)
    other.move_to_trash(by=None, in_favour_of=keeper)
    damage(keeper)
    (drive / "DCIM" / "1.jpg").unlink()
    assert not repair().restored
    report = repair(from_trash=True)
    assert report.restored[0]["instead"] == other.name
    other.refresh_from_db()
    assert other.is_live
    assert Damage.objects.open().get().photo == keeper


def test_what_is_damaged_itself_does_not_come_back_from_the_trash(drive):
    keeper, other = photo(drive, 1), photo(drive, 2)
    other.move_to_trash(by=None, in_favour_of=keeper)
    damage(keeper)
    damage(other)
    for seed in (1, 2):
        (drive / "DCIM" / f"{seed}.jpg").unlink()
    assert not repair(from_trash=True).restored


def test_what_is_whole_again_is_closed(drive):
    one = photo(drive, 1)
    content = place(one).read_bytes()
    damage(one)
    place(one).write_bytes(content)
    assert repair().mended
    assert not Damage.objects.open().exists()


def test_a_link_put_in_the_files_place_is_not_followed(drive, tmp_path):
    one = photo(drive, 1)
    damage(one)
    (drive / "DCIM" / "1.jpg").rename(tmp_path / "secret.jpg")
    (drive / "DCIM" / "1.jpg").symlink_to(tmp_path / "secret.jpg")
    assert repair().left
