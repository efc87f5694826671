"""The pages of videos and documents, and what else belongs to a photo on its page."""

import hashlib

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gallery import motion, shots, stored
from gallery.importer import import_drive
from gallery.models import ImportRun, Keep, KeptFile, Outcome, Photo, Source, SourceFile
from gallery.models import path_key as key_of
from gallery.views import kept as views
from tests import films, pictures
from tests.gallery import rows

pytestmark = pytest.mark.django_db


def kept(name, *, drive="Blue WD 2009", folder="DCIM", kind="document"):
    """A file that is kept, as an import leaves it."""
    content = f"{drive} {folder} {name}".encode()
    file = KeptFile.objects.create(
        digest=hashlib.sha256(content).hexdigest(),
        extension=name.rpartition(".")[2],
        size=len(content),
        name=name,
        kind=kind,
    )
    rows.write(stored.original(file).place, content)
    source, _ = Source.objects.get_or_create(label=drive)
    run = ImportRun.objects.create(source=source)
    path = f"{folder}/{name}"
    seen = {"path": path, "path_key": key_of(path), "kept": file}
    outcome = Outcome.PART if kind == "part" else Outcome.KEPT
    runs = {"first_run": run, "last_run": run}
    SourceFile.objects.create(source=source, outcome=outcome, **seen, **runs)
    return file


def names(client, query=""):
    page = client.get(f"/files/{query}").context["page"]
    return [file.name for file in page.rows]


def test_files_are_listed_filtered_and_paged(admin_client, vault, monkeypatch):
    assert b"None are kept yet" in admin_client.get("/files/").content
    for name in ("b.doc", "a.pdf", "Tax 2009.xls"):
        kept(name)
    kept("wedding.mov", kind="video", drive="Red stick")
    kept("IMG_1.MOV", kind="part")
    assert names(admin_client) == ["Tax 2009.xls", "a.pdf", "b.doc", "wedding.mov"]
    assert names(admin_client, "?kind=video") == ["wedding.mov"]
    assert names(admin_client, "?kind=part") == ["IMG_1.MOV"]
    assert names(admin_client, "?q=tax") == ["Tax 2009.xls"]
    red = Source.objects.get(label="Red stick")
    assert names(admin_client, f"?source={red.pk}") == ["wedding.mov"]
    # What cannot be read is as if blank.
    assert len(names(admin_client, "?source=x&kind=x&after=x")) == 4
    with CaptureQueriesContext(connection) as few:
        names(admin_client, "?q=tax")
    with CaptureQueriesContext(connection) as many:
        names(admin_client)
    assert len(many) == len(few)
    monkeypatch.setattr(views, "FILES_PER_PAGE", 3)
    page = admin_client.get("/files/").context["page"]
    assert names(admin_client, f"?after={page.next}") == ["wedding.mov"]


def test_a_file_is_downloaded_and_never_run(admin_client, vault):
    letter = kept("letter.html")
    page = admin_client.get(letter.get_absolute_url()).content.decode()
    assert "DCIM/letter.html" in page and "Blue WD 2009" in page
    answer = admin_client.get(f"/files/{letter.pk}/original")
    assert b"".join(answer.streaming_content) == b"Blue WD 2009 DCIM letter.html"
    assert answer["Content-Disposition"] == 'attachment; filename="letter.html"'
    assert "sandbox" in answer["Content-Security-Policy"]
    stored.original(letter).place.unlink()
    assert admin_client.get(f"/files/{letter.pk}/original").status_code == 404


def test_the_drive_page_remembers_what_to_keep(admin_client, vault, tmp_path):
    (tmp_path / "drive").mkdir()
    (tmp_path / "drive" / "letter.doc").write_bytes(b"Dear all")
    import_drive(tmp_path / "drive", label="Blue WD")
    source = Source.objects.get()
    known = {"label": "Blue WD", "place": "", "notes": ""}
    address = f"/drives/{source.pk}/edit/"
    admin_client.post(address, known | {"keeps": ["documents", "videos"]})
    source.refresh_from_db()
    assert set(source.keeps) == set(Keep.values)
    assert admin_client.post(address, known | {"keeps": "all"}).status_code == 200
    assert import_drive(tmp_path / "drive").outcomes == {"kept": 1}
    folder = admin_client.get(source.get_absolute_url()).content.decode()
    assert KeptFile.objects.get().get_absolute_url() in folder
    admin_client.post(address, known)
    source.refresh_from_db()
    assert source.keeps == []


def test_raw_jpeg_and_film_of_one_shot_are_shown_together(admin_client, vault):
    raw = rows.bare_photo(1, format="NEF", extension="nef", name="DSC_1.NEF")
    jpeg, other = rows.photo(seed=1), rows.photo(seed=2)
    for photo, path in [
        *((raw, "DCIM/DSC_1.NEF"), (jpeg, "DCIM/DSC_1.JPG")),
        # Of that name, and another folder or drive.
        *((other, "copies/DSC_1.JPG"), (jpeg, "copies/DSC_2.JPG")),
    ]:
        rows.sighting(photo, path=path)
    rows.sighting(other, path="DCIM/DSC_1.jpg", drive="Red stick")
    film = kept("DSC_1.MOV", kind="part")
    film.seconds = 3.04
    film.save()
    assert shots.shot(raw).photos == [jpeg]
    found = shots.shot(jpeg)
    assert (found.photos, found.films) == ([raw], [film])
    assert shots.shot(other) == shots.Shot()
    photos = Photo.objects.in_bulk()
    assert shots.one_shot(photos) == [(raw.pk, jpeg.pk)]
    page = admin_client.get(jpeg.get_absolute_url()).content.decode()
    assert "DSC_1.NEF" not in page.split("Taken in one with it")[0]
    assert "It moves for 3 s" in page and f"/files/{film.pk}/original" in page


@pytest.mark.parametrize("trailer", [b"", b"SEFH\0\0\0\0SEFT"], ids=["xmp", "samsung"])
def test_the_film_of_a_motion_photo_is_found_in_its_file(
    admin_client, vault, tmp_path, trailer
):
    mark = b"" if trailer else b"\xff\xfe\x00\x0eMotionPhoto"
    still = pictures.jpeg(pictures.scene(size=(96, 64)))
    film = films.quicktime(seconds=2)
    content = still[:2] + mark + still[2:] + film + trailer
    (tmp_path / "drive").mkdir()
    (tmp_path / "drive" / "PXL_1.MP.jpg").write_bytes(content)
    import_drive(tmp_path / "drive")
    photo = Photo.objects.get()
    assert photo.width == 96
    found = motion.find(stored.original(photo).place)
    assert (content[found.start : found.stop], found.seconds) == (film, 2)
    assert b"It moves for 2 s" in admin_client.get(photo.get_absolute_url()).content
    answer = admin_client.get(f"/photo/{photo.pk}/film.mp4")
    assert b"".join(answer.streaming_content) == film
    assert answer["Content-Disposition"] == 'attachment; filename="PXL_1.MP.mp4"'
    plain = rows.photo(seed=3)
    assert admin_client.get(f"/photo/{plain.pk}/film.mp4").status_code == 404
