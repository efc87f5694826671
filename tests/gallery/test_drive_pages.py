"""The pages of drives: what each gave, its folders, its certificate."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from gallery import backups, contents, records
from gallery.certifying import verify_drive
from gallery.importer import import_drive
from gallery.models import Photo, Source, SourceFile
from gallery.models.certificates import Certificate
from gallery.models.sources import path_key
from tests import pictures
from tests.gallery import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(vault):
    """A drive of made-up rows: photos in two folders that differ in case, and a letter."""
    for number, path in enumerate(
        [
            "DCIM/100/a.jpg",
            "DCIM/100/b.jpg",
            "dcim/c.jpg",
            "DCIM & more/ü%_'.jpg",
            "x.jpg",
        ]
    ):
        rows.sighting(rows.bare_photo(number), path=path)
    source = Source.objects.get()
    run = source.runs.first()
    for path, outcome in [
        ("DCIM/letter.txt", "not_a_photo"),
        ("DCIM/Thumbs.db", "junk"),
    ]:
        SourceFile.objects.create(
            source=source,
            path=path,
            path_key=path_key(path),
            outcome=outcome,
            size=7,
            first_run=run,
            last_run=run,
        )
    return source


def folders(source, path=""):
    return {
        one.name: (one.kept.count, one.nothing.count, one.open.count)
        for one in contents.inside(source, path).folders
    }


def test_folders_tell_what_became_of_all_below_them(source):
    assert folders(source) == {
        "DCIM": (2, 1, 1),
        "dcim": (1, 0, 0),
        "DCIM & more": (1, 0, 0),
    }
    assert folders(source, "DCIM") == {"100": (2, 0, 0)}
    inside = contents.inside(source, "DCIM")
    assert [one.name for one in inside.files] == ["Thumbs.db", "letter.txt"]


def test_a_folder_of_that_name_only_in_another_case_is_another(source):
    assert [one.name for one in contents.inside(source, "dcim").files] == ["c.jpg"]


def test_more_files_than_are_shown_are_counted(source, monkeypatch):
    monkeypatch.setattr(contents, "FILES", 1)
    inside = contents.inside(source, "DCIM")
    assert (len(inside.files), inside.more) == (1, 1)


def test_what_it_gave_adds_up(source):
    shares = contents.gave(source)
    assert sum(one.count for one in shares) == source.files.count() == 7


def test_what_only_it_has(source):
    assert contents.only_here(source) == 5
    rows.sighting(Photo.objects.first(), path="again.jpg", drive="Red")
    assert contents.only_here(source) == 4


def test_every_folder_opens_with_and_without_htmx(source, admin_client):
    for path in ["", "DCIM", "DCIM/100", "DCIM & more", "nowhere", "%00x"]:
        for headers in ({}, {"HX-Request": "true"}):
            answer = admin_client.get(
                f"/drives/{source.pk}/folder/", {"path": path}, headers=headers
            )
            assert answer.status_code == 200
    page = admin_client.get(f"/drives/{source.pk}/folder/?path=DCIM%20%26%20more")
    assert "ü%_&#x27;.jpg" in page.content.decode()
    assert (
        admin_client.get(f"/drives/{source.pk}/folder/", {"path": "a\0b"}).status_code
        == 404
    )


def test_the_queries_of_a_folder_do_not_grow(source, admin_client):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as caught:
            admin_client.get(f"/drives/{source.pk}/folder/?path=DCIM")
        return len(caught)

    before = queries()
    for number in range(100, 130):
        rows.sighting(rows.bare_photo(number), path=f"DCIM/{number}/{number}.jpg")
        rows.sighting(rows.bare_photo(number + 100), path=f"DCIM/{number}.jpg")
    assert queries() == before


def test_a_viewer_sees_drives_and_changes_nothing(source, client, django_user_model):
    viewer = django_user_model.objects.create_user("ben")
    client.force_login(viewer)
    page = client.get("/drives/").content.decode()
    assert "Blue WD 2009" in page and "do not wipe it yet" in page
    assert client.get(f"/drives/{source.pk}/").status_code == 200
    assert client.get(f"/drives/{source.pk}/edit/").status_code == 403
    viewer.user_permissions.add(Permission.objects.get(codename="change_source"))
    client.force_login(django_user_model.objects.get(pk=viewer.pk))
    answer = client.post(
        f"/drives/{source.pk}/edit/",
        {"label": "Blue", "place": "Top shelf", "notes": "Grandma's"},
    )
    assert answer.status_code == 302
    page = client.get(f"/drives/{source.pk}/").content.decode()
    assert "Top shelf" in page and "Grandma&#x27;s" in page


def test_a_picture_of_a_drive_is_made_small_kept_and_backed_up(
    source, admin_client, client, vault, tmp_path
):
    edit = f"/drives/{source.pk}/edit/"
    place = f"/drives/{source.pk}/picture.jpg"

    def send(content: bytes, **more: str):
        file = SimpleUploadedFile("disk.jpg", content, "image/jpeg")
        return admin_client.post(edit, {"label": "Blue", "picture": file, **more})

    assert admin_client.get(place).status_code == 404
    answer = send(b"no picture at all")
    assert "no picture that can be read" in answer.content.decode()
    large = pictures.jpeg(pictures.scene(seed=1, size=(1600, 1200)))
    assert send(large).status_code == 302
    sent = b"".join(admin_client.get(place).streaming_content)
    assert Image.open(BytesIO(sent)).size == (960, 720)
    assert client.get(place).status_code == 302
    for page in ("/drives/", f"/drives/{source.pk}/"):
        assert place in admin_client.get(page).content.decode()
    [first] = (vault / "drives").iterdir()
    assert (
        send(pictures.jpeg(pictures.scene(seed=2, size=(300, 200)))).status_code == 302
    )
    [second] = (vault / "drives").iterdir()
    assert second != first
    backups.backup(tmp_path / "backup")
    assert (
        tmp_path / "backup/drives" / second.name
    ).read_bytes() == second.read_bytes()
    admin_client.post(edit, {"label": "Blue", "no_picture": "on"})
    assert not list((vault / "drives").iterdir())
    assert not list((vault / "incoming").iterdir())
    assert admin_client.get(place).status_code == 404


def test_two_drives_cannot_have_one_label(source, admin_client):
    Source.objects.create(label="Red")
    answer = admin_client.post(f"/drives/{source.pk}/edit/", {"label": "Red"})
    assert answer.status_code == 200
    assert Source.objects.get(pk=source.pk).label == "Blue WD 2009"


def test_nothing_is_public(source, client):
    for path in ("", f"{source.pk}/", f"{source.pk}/folder/", f"{source.pk}/edit/"):
        assert client.get(f"/drives/{path}").status_code == 302


# Certificates


@pytest.fixture
def drive(vault, tmp_path, transactional_db):
    folder = tmp_path / "drive"
    folder.mkdir()
    image = pictures.scene(seed=1, size=(96, 64))
    (folder / "1.jpg").write_bytes(pictures.jpeg(image))
    (folder / "letter.txt").write_text("Dear all")
    import_drive(folder, label="Blue WD")
    return folder


def test_the_certificate_says_what_it_rests_on(drive, admin_client):
    bad = verify_drive(drive).certificate
    page = admin_client.get(bad.get_absolute_url()).content.decode()
    assert "Not safe to wipe" in page and "letter.txt" in page
    good = verify_drive(drive, without=["documents"]).certificate
    page = admin_client.get(good.get_absolute_url()).content.decode()
    assert "Safe to wipe" in page
    assert "goes with the drive, as the family has said" in page
    assert good.listing in page
    page = admin_client.get(bad.get_absolute_url()).content.decode()
    assert "Not safe to wipe" in page and "verified again since" in page
    assert "Safe to wipe" in admin_client.get("/drives/").content.decode()


def test_the_queries_of_the_list_of_drives_do_not_grow(drive, admin_client):
    def queries():
        with CaptureQueriesContext(connection) as caught:
            admin_client.get("/drives/")
        return len(caught)

    verify_drive(drive)
    before = queries()
    for number in range(3):
        folder = drive.parent / f"drive {number}"
        folder.mkdir()
        (folder / "letter.txt").write_text("Dear all")
        verify_drive(folder, label=f"Red {number}")
    assert queries() == before


def test_the_pages_of_drives_write_dates_as_the_reader_does(drive, admin_client):
    proof = verify_drive(drive).certificate
    Source.objects.update(last_seen_at=datetime(2026, 3, 5, 12, tzinfo=UTC))
    Certificate.objects.update(finished_at=datetime(2026, 3, 6, 12, tzinfo=UTC))
    for address, said in (
        ("/drives/", "5. März 2026"),
        (f"/drives/{proof.source_id}/", "5. März 2026"),
        (proof.get_absolute_url(), "6. März 2026"),
    ):
        page = admin_client.get(address, HTTP_ACCEPT_LANGUAGE="de").content.decode()
        assert said in page
        assert "6 März 2026" not in page and "5 März 2026" not in page


def test_the_command_on_the_page_can_be_typed_as_it_stands(drive, admin_client):
    page = admin_client.get(f"/drives/{Source.objects.get().pk}/").content.decode()
    assert "<code>.venv/bin/python manage.py verify_drive " in page


def test_the_list_of_all_entries_can_be_had(drive, admin_client, vault):
    one = verify_drive(drive).certificate
    address = f"/drives/{one.source_id}/certificates/{one.pk}/entries"
    answer = admin_client.get(address)
    assert b"".join(answer.streaming_content).count(b"\n") == 2
    assert "attachment" in answer["Content-Disposition"]
    (vault / "certificates" / f"{one.name}.jsonl").unlink()
    assert admin_client.get(address).status_code == 404
    other = Source.objects.create(label="Red")
    wrong = f"/drives/{other.pk}/certificates/{one.pk}/"
    assert admin_client.get(wrong).status_code == 404


def test_the_record_of_a_drive_knows_where_it_lies(source, vault):
    Source.objects.update(place="Top shelf")
    records.bring_up()
    assert "Top shelf" in (vault / "sources.json").read_text()
