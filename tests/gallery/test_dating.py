"""Dates weighed from all there is: folders, neighbours, copies; and again when more comes."""

import os
from datetime import datetime
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from gallery import beside
from gallery.importer import import_drive
from gallery.models import DateEvidence, FolderToDate, Photo, SourceFile, folder_key
from tests import pictures

pytestmark = pytest.mark.django_db

OLD = datetime(2012, 5, 6, 12).timestamp()


@pytest.fixture
def drive(tmp_path):
    return tmp_path / "drive"


def put(path, *, seed: int, taken: datetime | None = None):
    """A photo with the time of a later copy."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = pictures.exif(taken=taken) if taken else b""
    content = pictures.jpeg(pictures.scene(seed=seed, size=(48, 32)), exif=exif)
    path.write_bytes(content)
    os.utime(path, (OLD, OLD))


def dated(name: str) -> tuple[datetime | None, str, str]:
    photo = Photo.objects.get(name=name)
    return photo.taken_at, photo.taken_precision, photo.taken_from


def test_folders_and_neighbours_date_what_cameras_and_names_do_not(drive, vault):
    put(
        drive / "2009-07 Mallorca/IMG_0411.JPG", seed=1, taken=datetime(2009, 7, 14, 10)
    )
    put(drive / "2009-07 Mallorca/IMG_0412.JPG", seed=2)
    put(
        drive / "2009-07 Mallorca/IMG_0413.JPG", seed=3, taken=datetime(2009, 7, 14, 11)
    )
    put(drive / "2009-07 Mallorca/beach.jpg", seed=4)
    put(drive / "unsorted/old.jpg", seed=5)
    import_drive(drive)
    day = datetime(2009, 7, 14, 10, 30)
    assert dated("IMG_0412.JPG") == (day, "day", "neighbours")
    assert dated("beach.jpg") == (datetime(2009, 7, 1), "month", "folder_name")
    assert dated("old.jpg")[1:] == ("latest", "modification_time")
    assert not FolderToDate.objects.exists()

    # Weighed twice, the same rows; and all of it found again from nothing but the ledger.
    before = list(DateEvidence.objects.values())
    beside.note_folders_of(Photo.objects.values_list("pk", flat=True))
    assert beside.weigh_outstanding()
    assert list(DateEvidence.objects.values()) == before
    DateEvidence.objects.all().delete()
    beside.note_folders_of(Photo.objects.values_list("pk", flat=True))
    beside.weigh_outstanding()
    assert dated("IMG_0412.JPG") == (day, "day", "neighbours")


def test_a_new_copy_has_dates_weighed_anew_and_those_beside_it(drive, vault, tmp_path):
    put(drive / "a/IMG_0411.JPG", seed=1)
    put(drive / "a/IMG_0412.JPG", seed=2)
    put(drive / "a/IMG_0413.JPG", seed=3, taken=datetime(2009, 7, 14, 11))
    import_drive(drive, label="first")
    assert dated("IMG_0412.JPG")[1] == "latest"
    # The same bytes under a name that a phone gave them.
    put(tmp_path / "second/IMG_20090714_100000.jpg", seed=1)
    import_drive(tmp_path / "second", label="second")
    beside.weigh_outstanding()
    assert dated("IMG_0411.JPG")[0] == datetime(2009, 7, 14, 10)
    assert dated("IMG_0412.JPG")[1:] == ("day", "neighbours")


def test_the_database_fills_folder_keys_as_the_program_does(drive, vault):
    fill = import_module("gallery.migrations.0020_fill_folder_keys").fill
    put(drive / "2009 Ümläut/a b/x.jpg", seed=1)
    put(drive / "top.jpg", seed=2)
    put(drive / "1/Takeout/Google Photos/Mallorca/y.jpg", seed=3)
    put(drive / "2/Takeout/Google Photos/Mallorca/z.jpg", seed=4)
    import_drive(drive)
    SourceFile.objects.update(folder_key=None)
    fill(apps, SimpleNamespace(connection=connection))
    for row in SourceFile.objects.all():
        assert row.folder_key == folder_key(row.path)
    assert FolderToDate.objects.filter(is_thorough=True).count() == 3
