"""For the day the family leaves us: plain dated files, and what is known beside them."""

import hashlib
import json
import os
import subprocess
from datetime import datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery import copying, export_names, vault, xmp, xmp_packet
from gallery.importer import import_drive
from gallery.models import Album, Keep, Photo, Precision
from tests import pictures
from tests.gallery import rows

TAKEN = datetime(2009, 7, 21, 14, 3, 22)


def export(target, *arguments, status=0):
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("export", target, *arguments, "--json", "-", stdout=out)
    assert ended.value.code == status
    return json.loads(out.getvalue())


def files(target):
    """Every exported picture, by its path, and its digest."""
    return {
        str(path.relative_to(target)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(target.rglob("*"))
        if path.is_file()
        and path.suffix not in (".xmp", ".part")
        and path.name not in ("SHA256SUMS", "imagevault-export.json")
    }


def check(target):
    """Every file is listed, and is what the list says; nothing is left half done."""
    checked = ["sha256sum", "-c", "--quiet", "--strict", "SHA256SUMS"]
    subprocess.run(checked, cwd=target, check=True, env={"LC_ALL": "C.UTF-8"})
    assert not [*target.rglob("*.part")]


def dated(seed, *, name="IMG_0412.JPG", taken_at=TAKEN, precision="second", **more):
    taken = {"taken_at": taken_at, "taken_precision": precision}
    return rows.photo(seed=seed, name=name, **taken, **more)


@pytest.fixture
def photos(db, vault):
    return {
        "2009/2009-07/2009-07-21 14.03.22 IMG_0412.JPG": dated(1),
        "2009/2009-07/2009-07-21 14.03.22 img_0412 (2).jpg": dated(
            2, name="img_0412.jpg"
        ),
        "2009/2009-07/2009-07 So_what_.jpg": dated(
            3, name="So?what*.", precision="month"
        ),
        "1980-1989/1980-1989 Größe.jpg": dated(
            4, name="Gro\u0308ße.jpg", taken_at=datetime(1980, 1, 1), precision="decade"
        ),
        "undated/Zoë.jpg": rows.photo(seed=5, name="Zo\ufffdeb.jpg"),
        "undated/_con.jpg": rows.photo(seed=6, name="con.jpg"),
    }


def test_each_photo_lies_under_its_date_in_a_name_every_system_can_write(
    photos, tmp_path
):
    target = tmp_path / "export"
    trashed = rows.photo(seed=9, name="bad.jpg")
    trashed.move_to_trash(by=None, in_favour_of=next(iter(photos.values())))
    report = export(target)
    assert files(target) == {path: photo.digest for path, photo in photos.items()}
    assert (report["photos"], report["copied"], report["wrong"]) == (6, 6, [])
    check(target)
    again = export(target, "--verify")
    assert (again["photos"], again["copied"], again["described"]) == (6, 0, 0)
    assert files(target) == {path: photo.digest for path, photo in photos.items()}


def test_what_is_known_of_a_photo_stands_beside_it(
    db, vault, tmp_path, django_user_model
):
    photo = dated(1, taken_offset=-210, latitude=-33.5, longitude=151.25)
    photo.star(by=django_user_model.objects.create(username="anna"))
    Album.objects.create(title="Oma & Opa <3").add([photo.pk], by=None)
    seen = rows.sighting(photo, path="DCIM/100_0412.JPG")
    seen.modified_ns = 1_248_185_002_000_000_000
    seen.save()
    export(tmp_path / "export")
    (picture,) = (tmp_path / "export").rglob("*.JPG")
    assert picture.stat().st_mtime_ns == seen.modified_ns
    text = picture.with_name(f"{picture.name}.xmp").read_bytes()
    found = xmp.properties(text)
    assert found["exif:DateTimeOriginal"] == "2009-07-21T14:03:22-03:30"
    for known in (
        *(
            b"33,30.000000S",
            b"151,15.000000E",
            b"<xmp:Rating>5<",
            b"Oma &amp; Opa &lt;3",
        ),
        *(b"Blue WD 2009: DCIM/100_0412.JPG", photo.digest.encode(), b">IMG_0412.JPG<"),
    ):
        assert known in text


def test_a_corrected_date_moves_the_file_and_only_what_is_ours(photos, tmp_path):
    target = tmp_path / "export"
    export(target)
    first, second, third, *_ = photos.values()
    before = next(target.rglob("*IMG_0412.JPG"))
    before.with_name(f"{before.name}.xmp").write_text("edited in a raw developer")
    Photo.objects.filter(pk__in=[first.pk, second.pk]).update(
        taken_precision=Precision.YEAR
    )
    report = export(target, status=1)
    assert (report["moved"], report["copied"]) == (2, 0)
    assert report["changed"] == ["2009/2009 IMG_0412.JPG.xmp"]
    assert (target / report["changed"][0]).read_text() == "edited in a raw developer"
    assert {one for one in files(target) if "0412" in one} == {
        *("2009/2009 IMG_0412.JPG", "2009/2009 img_0412 (2).jpg")
    }
    assert len([*target.rglob("*.xmp")]) == 6
    # A photo that left the gallery leaves its file, which is told.
    third.move_to_trash(by=None, in_favour_of=first)
    assert export(target)["gone"] == ["2009/2009-07/2009-07 So_what_.jpg"]
    assert len(files(target)) == 6
    check(target)


def test_no_other_file_is_ever_written_over(photos, tmp_path):
    target = tmp_path / "export"
    place = target / "2009" / "2009-07"
    place.mkdir(parents=True)
    name = "2009-07-21 14.03.22 IMG_0412.JPG"
    (place / name).write_text("mine")
    (target / "undated").mkdir()
    (target / "undated" / "_con.jpg.xmp").write_text("mine")
    (target / "undated" / "Zoë.jpg").symlink_to("nowhere")
    assert export(target)["copied"] == 6
    assert (place / name).read_text() == "mine"
    assert (target / "undated" / "_con.jpg.xmp").read_text() == "mine"
    assert str((target / "undated" / "Zoë.jpg").readlink()) == "nowhere"
    there = files(target)
    assert f"2009/2009-07/{name[:-4]} (2).JPG" in there
    # Somebody turns a picture; it is theirs from now on, and ours lies beside it.
    turned = place / f"{name[:-4]} (2).JPG"
    turned.write_bytes(b"turned")
    report = export(target, status=1)
    assert report["changed"] == [str(turned.relative_to(target))]
    assert turned.read_bytes() == b"turned"
    assert (
        files(target)[f"2009/2009-07/{name[:-4]} (4).JPG"]
        == next(iter(photos.values())).digest
    )
    check(target)
    assert export(target)["copied"] == 0


def test_films_and_documents_that_were_kept_go_along(db, vault, tmp_path):
    drive = tmp_path / "drive"
    (drive / "fil:ms").mkdir(parents=True)
    (drive / "fil:ms" / "letter.txt").write_text("Dear all")
    (drive / "a.jpg").write_bytes(pictures.jpeg(pictures.scene(size=(64, 48))))
    import_drive(drive, label="Blue/WD", keep=[Keep.DOCUMENTS])
    report = export(tmp_path / "export")
    assert (report["photos"], report["others"], report["copied"]) == (1, 1, 2)
    place = tmp_path / "export" / "other files" / "Blue_WD" / "fil_ms" / "letter.txt"
    assert place.read_text() == "Dear all"
    again = export(tmp_path / "export")
    assert (again["others"], again["copied"], again["gone"]) == (1, 0, [])
    check(tmp_path / "export")


def test_only_some_photos_are_exported_when_asked(photos, tmp_path):
    names = list(photos)
    assert (
        export(tmp_path / "summer", "--from", "2009-07", "--to", "2009")["photos"] == 3
    )
    assert export(tmp_path / "old", "--to", "1999")["photos"] == 1
    album = Album.objects.create(title="Grandma")
    album.add([photos[names[4]].pk, photos[names[0]].pk], by=None)
    assert export(tmp_path / "old", "--album", "Grandma")["photos"] == 2
    assert files(tmp_path / "old").keys() == {names[0], names[3], names[4]}
    check(tmp_path / "old")
    for wrong in (["--album", "Grandpa"], ["--from", "someday"], ["--to", "unknown"]):
        with pytest.raises(CommandError):
            call_command("export", tmp_path / "old", *wrong)


def test_a_damaged_original_is_named_and_the_others_are_exported(
    photos, tmp_path, settings
):
    photo = next(iter(photos.values()))
    place = vault.original(settings.IMAGEVAULT_DATA, photo.digest, photo.extension)
    content = place.read_bytes()
    place.write_bytes(content[:-1] + b"x")
    report = export(tmp_path / "export", status=1)
    assert report["photos"] == 5
    assert [one["digest"] for one in report["wrong"]] == [photo.digest]
    check(tmp_path / "export")
    place.write_bytes(content)
    assert export(tmp_path / "export")["copied"] == 1
    assert photo.digest in files(tmp_path / "export").values()


@pytest.mark.parametrize(
    "place", ["inside the vault", "around it", "a file", "foreign"]
)
def test_a_folder_that_cannot_be_one_is_refused(photos, tmp_path, settings, place):
    folder = settings.IMAGEVAULT_DATA
    (tmp_path / "file").touch()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "SHA256SUMS").write_text("somebody else's")
    target = {
        "inside the vault": folder / "renditions" / "export",
        "around it": folder.parent,
        "a file": tmp_path / "file",
        "foreign": tmp_path / "foreign",
    }[place]
    with pytest.raises(CommandError):
        call_command("export", target)


def test_broken_off_at_any_step_it_ends_right_the_next_time(
    photos, tmp_path, monkeypatch
):
    target = tmp_path / "export"
    steps = 0

    class Dead(BaseException):
        pass

    def dying(real, at):
        def step(*arguments, **options):
            nonlocal steps
            steps += 1
            if steps == at:
                raise Dead
            return real(*arguments, **options)

        return step

    real = {name: getattr(os, name) for name in ("replace", "fsync", "utime", "rename")}
    for at in range(1, 60, 3):
        Photo.objects.update(taken_precision=["second", "month"][at % 2])
        steps = 0
        for name, step in real.items():
            monkeypatch.setattr(os, name, dying(step, at))
        try:
            with pytest.raises((Dead, SystemExit)):
                call_command("export", target, json="-", stdout=StringIO())
        finally:
            monkeypatch.undo()
        assert {*files(target).values()} <= {one.digest for one in photos.values()}
    Photo.objects.update(taken_precision="second")
    export(target)
    there = files(target)
    assert sorted(there.values()) == sorted(one.digest for one in photos.values())
    assert len([*target.rglob("*.xmp")]) == 6
    check(target)


@settings(max_examples=40)
@given(st.text(max_size=300), st.sampled_from(Precision.values))
def test_any_name_becomes_one_that_every_system_can_write(name, precision):
    place = export_names.place(name, "jpg", taken_at=TAKEN, precision=precision)
    assert len(place.parts) in (2, 3)
    assert len(place.name.encode()) <= 255 - len(" (12345).xmp")
    assert not set(place.name) & set('<>:"/\\|?*\0\n')
    assert place.name == place.name.strip(". ")
    for number in (1, 2, 12):
        assert export_names.is_called(export_names.numbered(place, number), place)


@settings(max_examples=40)
@given(st.text(max_size=200), st.text(max_size=50))
def test_a_sidecar_can_be_read_whatever_stands_in_it(name, keyword):
    from xml.etree import ElementTree

    known = xmp_packet.Known(name=name, digest="ab", taken_at=TAKEN, keywords=[keyword])
    ElementTree.fromstring(xmp_packet.packet(known))


def test_a_file_the_disk_cannot_hold_stops_no_other(photos, tmp_path, monkeypatch):
    real = copying.copy

    def copy(source, place, **options):
        if "Größe" in place.name:
            raise copying.CopyFails("too large") from OSError(27, "File too large")
        return real(source, place, **options)

    monkeypatch.setattr(copying, "copy", copy)
    report = export(tmp_path / "export", status=1)
    assert (report["copied"], report["wrong"][0]["reason"]) == (5, "too large")
    check(tmp_path / "export")
