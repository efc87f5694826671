"""The command: its words, its JSON, its exit status."""

import json
import os
import subprocess
import time

import pytest

from gallery.models import Certificate
from tests import pictures


@pytest.fixture
def drive(tmp_path):
    folder = tmp_path / "drive"
    folder.mkdir()
    for seed in range(2):
        image = pictures.scene(seed=seed, size=(96, 64))
        (folder / f"{seed}.jpg").write_bytes(pictures.jpeg(image))
    return folder


def test_safe_is_exit_status_0_and_anything_else_is_not(house, drive):
    before = house.run("verify_drive", drive, check=False)
    assert before.returncode == 1
    assert before.stdout.endswith("NOT SAFE\n")
    assert "0.jpg: a photo that the vault does not have" in before.stdout
    house.run("import_drive", drive, "--label", "Blue WD")
    after = house.run("verify_drive", drive, "--label", "Blue WD")
    assert after.stdout.endswith("SAFE TO WIPE\n")
    assert "2 in the vault, byte for byte" in after.stdout
    assert "Only this folder was verified" in after.stdout


def test_json_is_the_contract(house, drive):
    house.run("import_drive", drive, "--label", "Blue WD")
    (drive / "letter.txt").write_text("Dear all")
    result = house.run("verify_drive", drive, "--json", "-", check=False)
    report = json.loads(result.stdout)
    assert result.returncode == 1
    assert (report["safe"], report["verdict"]) == (False, "NOT SAFE")
    assert report["problems"] == [
        {"path": "letter.txt", "state": "document", "reason": ""}
    ]
    assert sum(one["count"] for one in report["states"].values()) == report["entries"]
    assert (house.folder / report["list"]).is_file()
    accepted = house.run("verify_drive", drive, "--without", "documents,videos")
    assert "By your word 1 go with the drive" in accepted.stdout


def test_what_cannot_be_left_out_is_refused(house, drive):
    result = house.run("verify_drive", drive, "--without", "photos", check=False)
    assert result.returncode == 2
    assert "'photos' is none of videos, documents, trashed" in result.stderr


def test_what_root_cannot_read_either_is_named(house, drive):
    path = drive / "notes.jpg"
    path.write_bytes(b"x")
    if os.geteuid() != 0:
        path.chmod(0)
    else:
        # The kernel does not know how fast a loop is.
        command = ["mount", "--bind", "/sys/class/net/lo/speed", path]
        mounted = subprocess.run(command, capture_output=True)
        if mounted.returncode:
            pytest.skip(mounted.stderr.decode())
    try:
        house.run("import_drive", drive, check=False)
        result = house.run("verify_drive", drive, check=False)
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", path], check=True)
    assert result.returncode == 1
    assert "notes.jpg: cannot be read" in result.stdout


def test_killed_at_any_moment_it_certifies_nothing_and_leaves_nothing(house, drive):
    house.run("import_drive", drive)
    for number in range(300):
        (drive / f"{number}.bin").write_bytes(b"%d" % number * 10_000)
    for tenths in (9, 11, 13):
        process = house.start("verify_drive", drive, "--no-progress")
        time.sleep(tenths / 10)
        process.kill()
        process.wait()
    done = Certificate.objects.count()
    house.run("verify_drive", drive, "--without", "documents")
    assert Certificate.objects.count() == done + 1
    assert Certificate.objects.first().is_safe
    house.run("import_drive", drive)
    assert not [*(house.folder / "incoming").iterdir()]
