"""The command: a lost database, a new one, and all photos back."""

import subprocess

import pytest

from gallery.models import Photo, SourceFile
from tests import pictures


@pytest.fixture
def drive(tmp_path):
    folder = tmp_path / "drive"
    folder.mkdir()
    for seed in range(3):
        image = pictures.scene(seed=seed, size=(96, 64))
        (folder / f"{seed}.jpg").write_bytes(pictures.jpeg(image))
    (folder / "letter.txt").write_text("Dear all")
    return folder


def test_a_lost_database_is_made_again_from_the_vault(house, drive):
    house.run("import_drive", drive, "--label", "Blue WD")
    checked = ["sha256sum", "-c", "--quiet", "SHA256SUMS"]
    subprocess.run(checked, cwd=house.folder, check=True)
    digests = set(Photo.objects.values_list("digest", flat=True))
    refused = house.run("rebuild", check=False)
    assert refused.returncode == 2
    assert "The catalogue is not empty" in refused.stderr
    house.run("flush", "--no-input")
    said = house.run("rebuild").stdout
    assert "3 photos are back, from 1 drives with 4 entries." in said
    assert set(Photo.objects.values_list("digest", flat=True)) == digests
    again = house.run("import_drive", drive).stdout
    assert again.startswith("Blue WD: 4 entries seen")
    assert "3 already in the vault" in again
    assert SourceFile.objects.count() == 4
