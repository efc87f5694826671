"""The command that does all that is outstanding, here and now."""

import json

import pytest
from django.core.management import CommandError, call_command

from dedup.backlog import find_duplicates
from dedup.models import DuplicateSet
from gallery.models import ImportRun, Source, SourceFile, path_key
from tests import pictures
from tests.dedup import rows


def sighting(row, path: str) -> None:
    source, _ = Source.objects.get_or_create(label="Blue WD 2009")
    run, _ = ImportRun.objects.get_or_create(source=source)
    SourceFile.objects.create(
        source=source,
        path=path,
        path_key=path_key(path),
        outcome="imported",
        photo=row,
        first_run=run,
        last_run=run,
    )


@pytest.fixture
def drive(db, vault) -> None:
    """A large photo and a small copy of it, seen on a drive."""
    scene = pictures.scene(seed=4)
    sighting(rows.photo(scene), "DCIM/100_7100.JPG")
    small = pictures.resized(scene, factor=0.5)
    sighting(rows.photo(small), "WhatsApp Images/IMG-2014.jpg")
    sighting(rows.photo(pictures.scene(seed=5)), "DCIM/100_7101.JPG")


def test_the_report_names_sets_suggestions_and_sightings(drive):
    report = find_duplicates(workers=0).to_json()
    assert report["photos"] == 3
    (found,) = report["sets"]
    assert (found["kind"], found["state"]) == ("duplicates", "open")
    keeper, copy = found["members"]
    assert keeper["suggestion"] == "keep"
    assert keeper["relation"] == "keeper"
    assert "largest" in keeper["reason"]
    assert keeper["sightings"] == [
        {"source": "Blue WD 2009", "path": "DCIM/100_7100.JPG"}
    ]
    assert (copy["suggestion"], copy["relation"]) == ("discard", "resized")
    assert copy["reason"].startswith("scaled to 50 %")


def test_a_second_run_finds_nothing_new(drive):
    find_duplicates(workers=0)
    before = list(DuplicateSet.objects.values())
    find_duplicates(workers=0)
    assert list(DuplicateSet.objects.values()) == before


def test_progress_is_told(drive):
    told = []
    find_duplicates(workers=0, progress=lambda *step: told.append(step))
    assert ("Fingerprints", 3, 3) in told
    assert ("Comparisons", 1, 1) in told


def test_workers_must_be_at_least_one(db, vault):
    with pytest.raises(CommandError) as refused:
        call_command("find_duplicates", workers=0)
    assert refused.value.returncode == 2


def test_a_missing_vault_is_said(db, settings, tmp_path):
    settings.IMAGEVAULT_DATA = tmp_path / "nowhere"
    with pytest.raises(CommandError, match="not a vault") as refused:
        call_command("find_duplicates")
    assert refused.value.returncode == 2


def test_the_command_works_with_processes_of_its_own(house, tmp_path):
    scene = pictures.scene(seed=4)
    for number in range(3):
        sighting(rows.photo(scene, tail=bytes([number])), f"{number}.jpg")
    lost = rows.photo(pictures.scene(seed=6))
    (rendition,) = (house.folder / "renditions").rglob(f"{lost.digest}.jpg")
    rendition.unlink()
    out = tmp_path / "report.json"
    done = house.run("find_duplicates", "--workers", "2", "--json", str(out))
    assert "1 set of duplicates to decide" in done.stdout
    assert rendition.exists()
    (found,) = json.loads(out.read_text())["sets"]
    assert [member["relation"] for member in found["members"]] == [
        "keeper",
        "same_pixels",
        "same_pixels",
    ]
    assert house.run("find_duplicates").returncode == 0
