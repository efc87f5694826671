"""Films and documents are kept when asked, and then as well as photos are."""

import subprocess

import pytest
from django.core.management import call_command

from gallery import pairs, rebuilding, records, stored
from gallery.backups import backup
from gallery.care import verify_vault
from gallery.certifying import verify_drive, why_stale
from gallery.films import Film, film
from gallery.importer import import_drive
from gallery.models import Damage, ImportRun, Keep, KeptFile, Photo, Source, SourceFile
from gallery.repairing import repair
from gallery.walk import Entry, Kind
from tests import films, pictures

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def drive(vault, tmp_path):
    """A drive with a photo, its three seconds of film, a film, a letter and junk."""
    folder = tmp_path / "drive"
    (folder / "Lightroom Previews.lrdata").mkdir(parents=True)
    image = pictures.scene(seed=1, size=(96, 64))
    (folder / "IMG_0412.JPG").write_bytes(pictures.jpeg(image))
    part = films.quicktime(seed=1, is_live_photo=True)
    (folder / "IMG_0412.MOV").write_bytes(part)
    (folder / "wedding.mov").write_bytes(films.quicktime(seed=2, seconds=90))
    (folder / "letter.html").write_bytes(b"<p>Dear all")
    (folder / "Lightroom Previews.lrdata" / "root.db").write_bytes(b"previews")
    return folder


def against(verdict):
    return {one["path"]: one["state"] for one in verdict.problems}


def rows():
    """All that a rebuild brings back of kept files."""
    seen = SourceFile.objects.order_by("path").values_list("path", "kept__digest")
    return list(KeptFile.objects.order_by("pk").values()), list(seen)


def test_films_and_documents_are_kept_when_asked(drive, vault):
    report = import_drive(drive, label="Blue WD")
    assert report.outcomes == dict.fromkeys(
        ("imported", "part", "video", "not_a_photo", "junk"), 1
    )
    assert report.bytes_not_kept["not_a_photo"] == len(b"<p>Dear all")
    verdict = verify_drive(drive)
    assert against(verdict) == {"wedding.mov": "video", "letter.html": "document"}
    assert verdict.certificate.states["kept"]["count"] == 2

    trial = import_drive(drive, keep=list(Keep), dry_run=True)
    report = import_drive(drive, keep=list(Keep))
    assert report.outcomes == trial.outcomes
    assert report.outcomes == {"already_known": 1, "kept": 2, "part": 1, "junk": 1}
    assert verify_drive(drive).certificate.is_safe
    for kept in KeptFile.objects.all():
        place = stored.original(kept).place
        assert place.stat().st_mode & 0o777 == 0o444
        assert place.read_bytes() == (drive / kept.name).read_bytes()
    assert set(KeptFile.objects.values_list("kind", "extension", "seconds")) == {
        *(("part", "mov", 3.0), ("video", "mov", 90.0), ("document", "html", None))
    }

    # What the family asked for once is remembered; what is known is not read again.
    (drive / "copy.html").write_bytes(b"<p>Dear all")
    again = import_drive(drive)
    assert again.outcomes == {"already_known": 4, "part": 1, "junk": 1}
    assert again.bytes_stored == 0
    assert import_drive(drive, keep=[]).outcomes == again.outcomes
    # Other content in its place: what was kept stays known, as history.
    (drive / "letter.html").write_bytes(b"<p>Dear all, once more")
    assert import_drive(drive).outcomes["not_a_photo"] == 1
    assert SourceFile.objects.filter(kept__name="letter.html").count() == 2
    assert verify_drive(drive).certificate.is_safe is False


def test_kept_files_are_cared_for_as_originals_are(drive, vault, tmp_path):
    import_drive(drive, label="Blue WD", keep=list(Keep))
    records.bring_up()
    said = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=vault, capture_output=True, text=True
    )
    assert said.returncode == 0 and said.stdout.count("OK") == 4
    assert backup(tmp_path / "backup").originals == 4
    certificate = verify_drive(drive).certificate
    assert certificate.is_safe and not why_stale(certificate)

    letter = KeptFile.objects.get(kind="document")
    place = stored.original(letter).place
    place.unlink()
    place.write_bytes(b"<p>Dear foe")
    report = verify_vault()
    assert report.verification.checked == 4 and not report.unknown
    assert [one["name"] for one in report.wrong] == ["letter.html"]
    assert report.wrong[0]["advice"] == ["plug in Blue WD: letter.html"]
    assert "letter.html" in why_stale(certificate)
    (drive / "letter.html").unlink()
    assert [one["name"] for one in repair().left] == ["letter.html"]
    assert repair([tmp_path / "backup"]).mended[0]["name"] == "letter.html"
    assert not Damage.objects.open().exists()
    assert place.read_bytes() == b"<p>Dear all"


def test_kept_files_come_back_from_the_vault_alone(drive, vault):
    import_drive(drive, label="Blue WD", keep=list(Keep))
    records.bring_up()
    before = rows()
    lost = stored.original(KeptFile.objects.get(name="wedding.mov"))
    lost.place.unlink()
    for model in (Damage, SourceFile, KeptFile, Photo, ImportRun, Source):
        model.objects.all().delete()
    assert rebuilding.rebuild().kept == 3
    assert rows() == before
    assert Damage.objects.get().kept.name == "wedding.mov"
    assert import_drive(drive).outcomes == {"already_known": 3, "part": 1, "junk": 1}

    # Without the record, the bytes still say what they are.
    for model in (Damage, SourceFile, KeptFile, Photo, ImportRun, Source):
        model.objects.all().delete()
    for record in vault.glob("originals/*/*/photos.json"):
        record.unlink()
    assert rebuilding.rebuild().without_record == 3
    kinds = KeptFile.objects.order_by("kind").values_list("kind", flat=True)
    assert list(kinds) == ["document", "video"]


def test_the_command_says_loudly_what_is_not_kept(drive, capsys):
    def run(*options):
        with pytest.raises(SystemExit) as end:
            call_command("import_drive", str(drive), "--no-progress", *options)
        assert end.value.code == 0
        return capsys.readouterr().out

    said = run()
    assert "NOT KEPT: 1 video (" in said and "and 1 other file (11\xa0bytes)" in said
    assert "With --keep documents such files" in run("--keep", "videos")
    assert "NOT KEPT" not in run("--keep", "videos,documents")


def entries(*names):
    return [Entry(f"DCIM/{name}", Kind.FILE, 10) for name in names]


def test_a_film_is_paired_with_the_picture_of_its_stem():
    names = ("IMG_1.HEIC", "IMG_1.JPG", "IMG_1.MOV", "IMG_10.mov", "IMG_2.x.jpg")
    found = {one.name: one.beside for one in pairs.paired(entries(*names, "IMG_2.MOV"))}
    assert found.pop("IMG_1.MOV") == "IMG_1.HEIC"
    assert not any(found.values()) and len(found) == 5
    short, long = Film(seconds=3), Film(seconds=90)
    assert pairs.is_part(short, 10) and not pairs.is_part(long, 10)
    assert pairs.is_part(Film(90, is_live_photo=True), 10)


def test_a_film_cut_off_anywhere_says_what_it_can():
    whole = films.quicktime(seconds=2.5, is_live_photo=True)
    for size in range(0, len(whole) + 1, 7):
        content = whole[:size]
        found = film(lambda at, length: content[at : at + length], size)  # noqa: B023
        assert found.seconds in (None, 2.5)
    assert film(lambda at, length: whole[at : at + length], len(whole)) == Film(
        2.5, is_live_photo=True
    )
