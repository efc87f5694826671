"""The vault's plain files: SHA256SUMS, JSON beside the originals, and the way back."""

import json
import os
import shutil
import subprocess
from datetime import datetime

import pytest
from django.utils import timezone

from gallery import changes, drafts, records, stored, sums, tasks, vault
from gallery.importer import import_drive
from gallery.models import (
    Damage,
    ImportRun,
    Photo,
    Source,
    SourceFile,
    StaleShelf,
    Thumbnail,
)
from gallery.rebuilding import NotEmpty, rebuild
from tests import pictures
from tests.gallery import rows

# On PostgreSQL what was noted while any other transaction of the server ran is read
# again: with tests side by side, that happens.
ALONE = not os.environ.get("IMAGEVAULT_DATABASE_URL")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def photos(vault):
    found = [rows.photo(seed=seed) for seed in range(5)]
    records.bring_up()
    return found


def lines(vault):
    return (vault / "SHA256SUMS").read_text().splitlines()


def record(vault, photo):
    place = vault / "originals" / photo.digest[:2] / photo.digest[2:4] / "photos.json"
    found = json.loads(place.read_text())["photos"]
    return next(one for one in found if one["digest"] == photo.digest)


def check(folder):
    """What somebody does in 2046, without this program."""
    return subprocess.run(
        ["sha256sum", "-c", "--strict", "SHA256SUMS"],
        cwd=folder,
        capture_output=True,
        text=True,
    )


def test_promise_13_sha256sum_checks_the_vault(photos, vault):
    result = check(vault)
    assert result.returncode == 0
    assert result.stdout.count(": OK\n") == len(photos)
    place = next((vault / "originals").glob("*/*/*.jpg"))
    place.chmod(0o644)
    place.write_bytes(b"something else")
    assert check(vault).returncode == 1


def test_new_originals_are_added_and_nothing_is_written_twice(photos, vault):
    before = (vault / "SHA256SUMS").stat().st_ino
    new = rows.photo(seed=77)
    records.bring_up()
    records.bring_up()
    assert (vault / "SHA256SUMS").stat().st_ino == before
    assert len(lines(vault)) == len(set(lines(vault))) == 6
    assert check(vault).returncode == 0
    assert record(vault, new)["name"] == "photo 77.jpg"


def test_what_was_purged_is_listed_no_more(photos, vault):
    gone, keeper = photos[:2]
    gone.move_to_trash(by=None, in_favour_of=keeper)
    records.bring_up()
    assert len(lines(vault)) == 5
    Photo.objects.filter(pk=gone.pk).update(purged_at=timezone.now())
    vaults_place(vault, gone).unlink()
    assert check(vault).returncode == 1
    records.bring_up()
    assert len(lines(vault)) == 4
    assert check(vault).returncode == 0


def vaults_place(folder, photo):
    return vault.original(folder, photo.digest, photo.extension)


def test_half_a_line_of_a_power_cut_is_mended(photos, vault):
    with (vault / "SHA256SUMS").open("a") as file:
        file.write("0123456789abcdef  originals/01/2")
    rows.photo(seed=77)
    records.bring_up()
    assert check(vault).returncode == 0
    assert len(lines(vault)) == 6


@pytest.mark.parametrize("tail", [b"", b"x", b"\n", b"a\nb", b"x" * 5000])
def test_lines_are_added_after_the_last_whole_one(tmp_path, tail):
    whole = sums.line("ab" * 32, "jpg")
    (tmp_path / "SHA256SUMS").write_bytes(whole + tail)
    sums.append(tmp_path, [whole])
    content = (tmp_path / "SHA256SUMS").read_bytes()
    assert content.endswith(whole)
    assert content.startswith(whole)
    assert not content.replace(whole, b"").strip(b"\na")


def test_lost_records_come_back_and_the_sums_stay_right(photos, vault):
    for path in (vault / "originals").glob("*/*/photos.json"):
        path.write_text("{half")
    (vault / "SHA256SUMS").unlink()
    StaleShelf.objects.note(stored.shelves())
    records.bring_up()
    assert check(vault).returncode == 0
    assert len(lines(vault)) == 5
    assert record(vault, photos[0])


def test_a_sighting_and_a_better_date_reach_the_record(photos, vault):
    rows.sighting(photos[0], path="Mallorca/1.jpg")
    photos[0].update_facts(taken_at=datetime(2004, 7, 12, 10, 0), taken_offset=120)
    records.bring_up()
    one = record(vault, photos[0])
    assert one["taken_at"] == "2004-07-12T10:00:00"
    assert one["taken_offset"] == 120
    assert one["sightings"][0]["path"] == "Mallorca/1.jpg"
    sources = json.loads((vault / "sources.json").read_text())["sources"]
    assert sources[0]["label"] == "Blue WD 2009"


def test_an_offset_alone_is_noticed(photos, vault):
    photos[0].update_facts(taken_offset=60)
    records.bring_up()
    assert record(vault, photos[0])["taken_offset"] == 60


def test_only_shelves_that_changed_are_written(photos, vault):
    places = sorted((vault / "originals").glob("*/*/photos.json"))
    before = {path: path.stat().st_ino for path in places}
    photos[0].update_facts(taken_offset=60)
    records.bring_up()
    changed = [path for path in places if path.stat().st_ino != before[path]]
    names = [path.parent.name for path in changed]
    assert photos[0].digest[2:4] in names
    assert len(names) == 1 or not ALONE


def test_what_changes_while_a_record_is_written_is_written_again(
    photos, vault, monkeypatch
):
    real = records.sums.append

    def change_meanwhile(*arguments):
        StaleShelf.objects.note([photos[0].digest[:4]])
        real(*arguments)

    photos[0].update_facts(taken_offset=60)
    monkeypatch.setattr(records.sums, "append", change_meanwhile)
    records.note_changes()
    records._write_shelves(records._stale())
    assert StaleShelf.objects.count() == 1


def test_more_changes_than_are_looked_up_write_everything(photos, vault, monkeypatch):
    monkeypatch.setattr(records, "MOST", 1)
    for photo in photos:
        photo.update_facts(taken_offset=60)
    records.bring_up()
    assert all(record(vault, photo)["taken_offset"] == 60 for photo in photos)
    assert len(lines(vault)) == 5


def test_a_log_that_was_cleared_writes_everything(photos, vault, monkeypatch):
    monkeypatch.setattr(changes, "KEPT", 0)
    photos[0].update_facts(taken_offset=60)
    changes.prune(changes.now().position)
    records.bring_up()
    assert record(vault, photos[0])["taken_offset"] == 60


def test_broken_off_it_goes_on(photos, vault, monkeypatch):
    monkeypatch.setattr(records, "SHELVES", 2)
    for photo in photos:
        photo.update_facts(taken_offset=60)
    assert not records.bring_up(stop=lambda: StaleShelf.objects.count() < 5)
    assert records.are_behind()
    assert records.bring_up()
    assert not records.are_behind() or not ALONE
    assert all(record(vault, photo)["taken_offset"] == 60 for photo in photos)


def test_one_at_a_time(photos, vault):
    mark = drafts.start(vault / "incoming", "records")
    with pytest.raises(records.Busy):
        records.bring_up()
    mark.close()


def test_the_workers_bring_them_up(photos, vault, monkeypatch):
    monkeypatch.setattr(tasks, "recorded_at", -100.0)
    assert tasks.feed_records() == 0 or not ALONE
    photos[0].update_facts(taken_offset=60)
    assert tasks.feed_records() == 0  # looked just now
    monkeypatch.setattr(tasks, "recorded_at", -100.0)
    assert tasks.feed_records() == 1
    tasks.write_records([])
    assert record(vault, photos[0])["taken_offset"] == 60


# The way back


@pytest.fixture
def imported(vault, tmp_path):
    """A vault with photos of two drives, and files that are none."""
    for number, seeds in enumerate([(1, 2, 3), (3, 4)]):
        drive = tmp_path / f"drive {number}"
        (drive / "Mallorca").mkdir(parents=True)
        for seed in seeds:
            image = pictures.scene(seed=seed, size=(96, 64))
            (drive / "Mallorca" / f"{seed}.jpg").write_bytes(pictures.jpeg(image))
        name = os.fsencode(drive) + b"/\xff\xfe.txt"
        with open(name, "w") as file:  # noqa: PTH123
            file.write("a letter")
        import_drive(drive, label=f"Drive {number}")
    (tmp_path / "drive 0" / "Mallorca" / "1.jpg").write_bytes(
        pictures.jpeg(pictures.scene(seed=9, size=(96, 64)))
    )
    import_drive(tmp_path / "drive 0", label="Drive 0")
    records.bring_up()
    return vault


def everything():
    """All rows but what follows from them or was decided."""
    plain = {
        model: sorted(
            model.objects.values_list(*names(model, without)), key=lambda row: str(row)
        )
        for model, without in {
            Photo: records.DECIDED | {"trashed_by", "in_favour_of", "added_by"},
            Source: set(),
            ImportRun: {"by"},
            SourceFile: {"id"},
        }.items()
    }
    return {model.__name__: rows for model, rows in plain.items()}


def names(model, without):
    return [one.name for one in model._meta.concrete_fields if one.name not in without]


def forget():
    Thumbnail.objects.all().delete()
    SourceFile.objects.all().delete()
    ImportRun.objects.all().delete()
    Source.objects.all().delete()
    Photo.objects.all().delete()


def test_promise_13_a_rebuilt_catalogue_equals_the_old_one(imported):
    before = everything()
    forget()
    report = rebuild()
    assert report.photos == 5 and not report.unreadable and not report.missing
    assert everything() == before
    assert Thumbnail.objects.count() == 5
    records.bring_up()
    assert check(imported).returncode == 0


def test_a_new_row_after_a_rebuild_gets_a_new_number(imported):
    forget()
    rebuild()
    numbers = set(Photo.objects.values_list("pk", flat=True))
    assert rows.bare_photo(1).pk not in numbers


def test_without_any_record_the_originals_come_back(imported):
    for path in (imported / "originals").glob("*/*/photos.json"):
        path.unlink()
    shutil.rmtree(imported / "ledger")
    (imported / "sources.json").unlink()
    digests = set(Photo.objects.values_list("digest", flat=True))
    forget()
    report = rebuild()
    assert report.without_record == report.photos == 5
    assert set(Photo.objects.values_list("digest", flat=True)) == digests


def test_whoever_may_enter_the_vault_may_read_all_records(imported):
    written = [imported / "SHA256SUMS", imported / "sources.json"]
    written += [*imported.glob("ledger/*"), *imported.glob("originals/*/*/photos.json")]
    assert {oct(one.stat().st_mode & 0o777) for one in written} == {"0o644"}


def test_without_the_ledger_the_sightings_come_from_beside_the_photos(imported):
    shutil.rmtree(imported / "ledger")
    (imported / "sources.json").unlink()
    seen = sorted(SourceFile.objects.with_photo().values_list("path", "source"))
    drives = {f"Drive {pk}" for pk in Source.objects.values_list("pk", flat=True)}
    forget()
    rebuild()
    assert sorted(SourceFile.objects.values_list("path", "source")) == seen
    assert set(Source.objects.values_list("label", flat=True)) == drives


def test_a_lost_original_is_said_to_be_missing(imported):
    photo = Photo.objects.first()
    vaults_place(imported, photo).unlink()
    forget()
    assert rebuild().missing == 1
    assert Damage.objects.open().get().photo.digest == photo.digest


def test_a_damaged_record_loses_no_photo(imported):
    photo = Photo.objects.first()
    place = vaults_place(imported, photo).parent / "photos.json"
    place.write_bytes(place.read_bytes()[:100])
    forget()
    report = rebuild()
    assert report.photos == 5
    assert report.unreadable[0]["path"].endswith("photos.json")


def test_a_file_that_is_not_what_its_name_says_is_refused(imported):
    place = imported / "originals" / "ab" / "cd" / ("abcd" + "0" * 60 + ".jpg")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"?")
    forget()
    report = rebuild()
    assert report.photos == 5
    assert "not those its name says" in report.unreadable[0]["reason"]


def test_nothing_is_written_over_a_catalogue(imported):
    with pytest.raises(NotEmpty):
        rebuild()
