import hashlib
import os

import pytest

from gallery import vault as vaults
from gallery.importer import Ending, Refused, import_drive
from gallery.models import ImportRun, Outcome, Photo, Source, SourceFile, Thumbnail
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
