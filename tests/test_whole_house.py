"""The whole way through the house: a drive goes in, duplicates come out, a person decides."""

import hashlib
import json
import os
import random
import signal
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from dedup import decisions
from dedup.models import Decision, DuplicateSet
from gallery import records
from gallery.models import Outcome, Photo, SourceFile
from tests import pictures

SCENES = 6
CAMERA = {"make": "Canon", "model": "Canon PowerShot G6"}


def drive(folder: Path, *, scenes: int = SCENES) -> Path:
    """A drive with photos, copies of some of them in other folders, and other files."""
    for seed in range(scenes):
        taken = datetime(2009, 7, 14, 12, seed)
        photo = pictures.scene(seed=seed, size=(960, 720))
        original = pictures.jpeg(
            photo, quality=92, exif=pictures.exif(taken=taken, **CAMERA)
        )
        write(folder / f"DCIM/IMG_{seed:04}.JPG", original)
        write(folder / f"Backup 2011/IMG_{seed:04}.JPG", original)
        if seed % 2:
            small = pictures.jpeg(pictures.resized(photo, factor=0.6), quality=70)
            write(folder / f"WhatsApp Images/IMG-20140312-WA{seed:04}.jpg", small)
        if seed % 3 == 0:
            turned = pictures.jpeg(pictures.turned(photo), quality=85)
            write(folder / f"turned/{seed}.jpg", turned)
    write(folder / "letters/tax.txt", b"to the tax office")
    write(folder / "DCIM/Thumbs.db", b"\xd0\xcf\x11\xe0 thumbnails")
    write(folder / "DCIM/empty.jpg", b"")
    return folder


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def digests(folder: Path) -> Counter[str]:
    """SHA-256 of every file below a folder, by other means than the vault's."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return Counter(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)


def stored_in(house) -> Counter[str]:
    """The digests of what the vault stores, without its notes beside the photos."""
    folder = house.folder / "originals"
    files = (path for path in folder.rglob("*.*") if path.name != records.SHELF)
    named = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert all(path.stem == digest for path, digest in named.items())
    return Counter(named.values())


def pictures_of(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.suffix.lower() == ".jpg")
    return {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in found
        if path.stat().st_size
    }


def open_sets() -> list[set[str]]:
    """The names of each open set's members, as first seen."""
    rows = DuplicateSet.objects.filter(state="open").order_by("pk")
    return [
        set(row.members.values_list("photo__digest", flat=True).order_by())
        for row in rows
    ]


def expected_sets(folder: Path) -> list[set[str]]:
    sets = []
    for seed in range(SCENES):
        copies = [
            folder / f"DCIM/IMG_{seed:04}.JPG",
            folder / f"WhatsApp Images/IMG-20140312-WA{seed:04}.jpg",
            folder / f"turned/{seed}.jpg",
        ]
        there = {
            hashlib.sha256(path.read_bytes()).hexdigest()
            for path in copies
            if path.exists()
        }
        if len(there) > 1:
            sets.append(there)
    return sets


def same(found: list[set[str]], expected: list[set[str]]) -> bool:
    return sorted(map(sorted, found)) == sorted(map(sorted, expected))


@pytest.fixture
def reviewer(house):
    """A browser of an administrator who has logged in."""
    user = get_user_model().objects.create_superuser("anna", password="a long secret")
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def test_a_drive_goes_in_its_duplicates_come_out_and_a_person_decides(
    house, reviewer, tmp_path
):
    blue = drive(tmp_path / "Blue WD 2009")
    before = digests(blue)
    cluster = house.start("qcluster")

    report = json.loads(house.run("import_drive", blue, "--json", "-").stdout)
    assert report["outcomes"] == {
        "imported": 11,
        "already_known": 6,
        "not_a_photo": 1,
        "junk": 1,
        "empty": 1,
    }
    assert sum(report["outcomes"].values()) == report["seen"] == 20
    house.wait_for(lambda: same(open_sets(), expected_sets(blue)), seconds=90)

    page = reviewer.get("/").content.decode()
    assert page.count("/thumbnail") >= 11

    for row in DuplicateSet.objects.filter(state="open"):
        answer = reviewer.post(
            f"/admin/dedup/duplicateset/{row.pk}/change/", desk_form(row)
        )
        assert answer.status_code in (200, 302)
    assert not open_sets()
    kept = set(Photo.objects.live().values_list("digest", flat=True))
    originals = {
        hashlib.sha256((blue / f"DCIM/IMG_{seed:04}.JPG").read_bytes()).hexdigest()
        for seed in range(SCENES)
    }
    assert kept == originals

    # One decision is taken back, the rest is purged.
    first = Decision.objects.order_by("pk").first()
    decisions.undo(first, by=None)
    restored = Photo.objects.live().count() - SCENES
    assert restored >= 1
    house.run("empty_trash", "--older-than", 0)
    stored = stored_in(house)
    assert set(stored) == set(Photo.objects.stored().values_list("digest", flat=True))
    assert len(stored) == SCENES + restored

    # The same drive once more asks nothing and stores nothing.
    again = json.loads(house.run("import_drive", blue, "--json", "-").stdout)
    assert again["bytes_stored"] == 0
    assert sum(again["outcomes"].values()) == 20
    assert stored_in(house) == stored
    assert digests(blue) == before

    cluster.send_signal(signal.SIGTERM)
    assert cluster.wait(timeout=30) == 0
    house.wait_for(lambda: not house.inhabitants(), seconds=10)


def desk_form(row: DuplicateSet) -> dict[str, object]:
    """What the review page sends when the suggestion is followed."""
    members = row.members.values_list("photo_id", "suggestion")
    choices = {f"photo-{photo}": suggestion for photo, suggestion in members}
    return {"seen": row.revision, **choices}


def test_promise_10_killed_anywhere_nothing_is_lost_doubled_or_half(house, tmp_path):
    blue = drive(tmp_path / "Blue WD 2009")
    before = digests(blue)
    random_ = random.Random(os.environ.get("PYTEST_RANDOM_SEED", time.time_ns()))
    for _ in range(8):
        house.start("import_drive", blue, "--no-progress")
        house.start("qcluster")
        time.sleep(random_.uniform(0.6, 4))
        for pid in random_.sample(alive := house.inhabitants(), len(alive)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        house.empty()

    report = json.loads(house.run("import_drive", blue, "--json", "-").stdout)
    assert sum(report["outcomes"].values()) == report["seen"] == 20
    house.start("qcluster")
    house.wait_for(lambda: same(open_sets(), expected_sets(blue)), seconds=90)

    stored = stored_in(house)
    assert stored == Counter(pictures_of(blue))
    assert set(Photo.objects.values_list("digest", flat=True)) == set(stored)
    assert not list((house.folder / "incoming").rglob("*.part"))
    rows = SourceFile.objects.order_by()
    assert rows.count() == 20
    assert rows.with_photo().count() == 17
    assert rows.filter(outcome=Outcome.UNREADABLE).count() == 0
    assert digests(blue) == before
