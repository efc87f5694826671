import hashlib
import json
import re
from datetime import datetime
from itertools import zip_longest

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from gallery import arrivals, beside, transfers
from gallery import vault as vaults
from gallery.models import ImportRun, Outcome, Photo, Source, SourceFile, Thumbnail
from gallery.views import upload
from tests import pictures
from tests.gallery.rows import photo, sighting

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("vault")]
URL = "/upload/"


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    return pictures.jpeg(pictures.scene(seed=1, size=(160, 120)))


def post(client, *files: tuple[str, bytes], **more):
    return client.post(
        URL,
        {"files": [SimpleUploadedFile(name, content) for name, content in files]}
        | more,
    )


def kinds(answer) -> list[str]:
    return re.findall(r'data-kind="(\w+)"', answer.content.decode())


def left_over() -> list:
    return list((settings.IMAGEVAULT_DATA / "incoming").iterdir())


def test_promise_02_uploaded_photo_is_stored_as_it_was_sent(admin_client, jpeg):
    assert kinds(post(admin_client, ("IMG_1.jpg", jpeg))) == ["new"]
    row = Photo.objects.get()
    path = vaults.original(settings.IMAGEVAULT_DATA, row.digest, row.extension)
    assert path.read_bytes() == jpeg
    assert path.stat().st_mode & 0o777 == 0o444
    assert row.digest == hashlib.sha256(jpeg).hexdigest()
    assert row.added_by.username == "admin"


def test_workers_are_left_the_thumbnail(admin_client, jpeg):
    post(admin_client, ("IMG_1.jpg", jpeg))
    assert Thumbnail.objects.outstanding().count() == 1


def test_upload_is_a_sighting_under_its_name(admin_client, jpeg):
    post(admin_client, ("IMG_1.jpg", jpeg))
    row = SourceFile.objects.get()
    assert row.source.kind == Source.Kind.UPLOAD
    assert row.path == f"admin/{timezone.localdate()}/IMG_1.jpg"
    assert row.outcome == Outcome.IMPORTED


def test_promise_03_every_uploaded_file_has_one_outcome(admin_client, jpeg):
    answer = post(
        admin_client,
        ("IMG_1.jpg", jpeg),
        ("the same.jpg", jpeg),
        ("IMG_1.jpg", b"no picture"),
        ("empty.jpg", b""),
    )
    assert kinds(answer) == ["new", "known", "refused", "refused"]
    run = ImportRun.objects.get()
    assert run.state == ImportRun.State.FINISHED
    assert sum(run.outcomes.values()) == run.seen == 4
    assert SourceFile.objects.count() == 4
    assert left_over() == []


def test_known_photo_says_since_when_and_from_where(admin_client, jpeg):
    row = photo(pictures.scene(seed=1, size=(160, 120)))
    sighting(row, path="Mallorca/IMG_7.JPG", drive="Blue WD 2009")
    answer = post(admin_client, ("copy.jpg", jpeg)).content.decode()
    assert "Already in the vault since" in answer
    assert "Blue WD 2009 (Mallorca/IMG_7.JPG)" in answer
    assert Photo.objects.count() == 1
    assert row.sightings.count() == 2


def test_photo_in_the_trash_stays_there_and_can_be_restored(admin_client, jpeg):
    row = photo(pictures.scene(seed=1, size=(160, 120)))
    row.move_to_trash(by=None, in_favour_of=photo(seed=9, name="better.jpg"))
    answer = post(admin_client, ("copy.jpg", jpeg))
    assert kinds(answer) == ["trashed"]
    assert "better.jpg" in answer.content.decode()
    assert reverse("gallery:restore", args=[row.pk]) in answer.content.decode()
    row.refresh_from_db()
    assert not row.is_live


def test_purged_photo_is_known_and_not_stored_again(admin_client, jpeg):
    row = photo(pictures.scene(seed=1, size=(160, 120)))
    row.move_to_trash(by=None, in_favour_of=photo(seed=9))
    Photo.objects.filter(pk=row.pk).update(purged_at=timezone.now())
    path = vaults.original(settings.IMAGEVAULT_DATA, row.digest, row.extension)
    path.unlink()
    assert kinds(post(admin_client, ("copy.jpg", jpeg))) == ["purged"]
    assert not path.exists()


def test_file_that_is_too_large_is_refused_and_the_rest_is_taken(
    admin_client, jpeg, monkeypatch
):
    monkeypatch.setattr(arrivals, "MAX_BYTES", len(jpeg))
    answer = post(admin_client, ("big.jpg", jpeg + b"more"), ("ok.jpg", jpeg))
    assert kinds(answer) == ["refused", "new"]
    assert "larger than" in answer.content.decode()
    assert left_over() == []


def test_full_disk_is_said_and_nothing_half_stays(admin_client, jpeg, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(arrivals.Receiver, "write", full)
    answer = post(admin_client, ("IMG_1.jpg", jpeg))
    assert "disk is full" in answer.content.decode()
    assert not Photo.objects.exists()
    assert left_over() == []


def test_file_name_cannot_lead_anywhere(admin_client, jpeg):
    post(admin_client, ("../../../etc/x\n.jpg", jpeg))
    (row,) = SourceFile.objects.all()
    assert row.path.count("/") == 2
    assert ".." not in row.path


def test_time_the_browser_tells_dates_a_photo_without_one(admin_client, jpeg):
    modified = datetime(2009, 7, 14, 12, tzinfo=timezone.get_default_timezone())
    post(
        admin_client, ("x.jpg", jpeg), modified=[str(int(modified.timestamp()) * 1000)]
    )
    assert Photo.objects.get().taken_at == datetime(2009, 7, 14, 12)


def test_viewer_may_not_upload(client, django_user_model, jpeg):
    client.force_login(django_user_model.objects.create_user("viewer"))
    for answer in (client.get(URL), post(client, ("IMG_1.jpg", jpeg))):
        assert answer.status_code == 403
        assert "not add any" in answer.content.decode()
    assert not Photo.objects.exists()
    assert left_over() == []


def test_upload_from_another_site_is_refused(admin_user, jpeg):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    assert post(client, ("IMG_1.jpg", jpeg)).status_code == 403
    assert not Photo.objects.exists()
    assert left_over() == []


def test_script_gets_only_the_answers(admin_client, jpeg):
    answer = admin_client.post(
        URL,
        {"files": SimpleUploadedFile("IMG_1.jpg", jpeg)},
        headers={"HX-Request": "true"},
    )
    assert kinds(answer) == ["new"]
    assert "<html" not in answer.content.decode()


def test_time_that_cannot_be_is_no_date(admin_client, jpeg):
    assert kinds(post(admin_client, ("x.jpg", jpeg), modified=["9" * 14])) == ["new"]
    assert Photo.objects.get().taken_at is None


def test_the_folders_a_person_had_tell_a_date_and_ours_do_not(admin_client, jpeg):
    run = json.loads(admin_client.post("/upload/begin/").content)["run"]
    several(admin_client, run, ("1987 Sommer/x.jpg", jpeg))
    beside.weigh_outstanding()
    photo = Photo.objects.get()
    assert (photo.taken_at.year, photo.taken_precision) == (1987, "season")
    assert photo.sightings.get().path.count("/") == 3


def test_upload_of_a_photo_whose_original_got_lost_stores_it_again(admin_client, jpeg):
    post(admin_client, ("IMG_1.jpg", jpeg))
    row = Photo.objects.get()
    path = vaults.original(settings.IMAGEVAULT_DATA, row.digest, row.extension)
    path.unlink()
    assert kinds(post(admin_client, ("IMG_1.jpg", jpeg))) == ["known"]
    assert path.read_bytes() == jpeg
    assert Photo.objects.count() == 1


# Small files, several in one request


def several(client, run: int, *files: tuple[str, bytes], digests=()):
    told = [
        {
            "path": path,
            "size": len(content),
            "digest": digest or hashlib.sha256(content).hexdigest(),
            "modified": 1_100_000_000_000,
        }
        for (path, content), digest in zip_longest(files, digests)
    ]
    sent = [SimpleUploadedFile("file", content) for _, content in files]
    data = {"run": run, "files": json.dumps(told), "file": sent}
    return client.post("/upload/several/", data)


def test_small_files_are_taken_in_together(admin_client, jpeg):
    run = admin_client.post("/upload/begin/").json()["run"]
    files = [
        ("Mallorca 2004/IMG_1.jpg", jpeg),
        ("Mallorca 2004/IMG_2.jpg", jpeg + b"2"),
        ("notes.txt", b"no picture"),
    ]

    def sent(**more):
        answers = several(admin_client, run, *files, **more).json()["answers"]
        return [one["kind"] for one in answers]

    # The third is told to be another file than the one that comes.
    wrong = ["", "0" * 64, ""]
    assert sent(digests=wrong) == ["new", "refused", "refused"]
    # The answer got lost, and all are sent again: nothing is counted twice as a photo.
    assert sent() == ["new", "new", "refused"]
    assert sent() == ["new", "new", "refused"]
    assert Photo.objects.count() == 2
    folder = f"admin/{timezone.localdate()}/Mallorca 2004"
    rows = SourceFile.objects.filter(outcome=Outcome.IMPORTED).order_by("path")
    assert [row.path for row in rows] == [f"{folder}/IMG_1.jpg", f"{folder}/IMG_2.jpg"]
    assert rows[0].modified_ns == 1_100_000_000_000_000_000
    made = ImportRun.objects.get(pk=run)
    assert made.outcomes["imported"] == 2 and sum(made.outcomes.values()) == made.seen
    assert left_over() == []


def test_files_that_are_not_told_as_they_were_sent_are_refused(
    admin_client, jpeg, monkeypatch
):
    run = admin_client.post("/upload/begin/").json()["run"]
    for told in ("", "[]", "{}", "[1]", "no JSON"):
        sent = {"run": run, "files": told, "file": [SimpleUploadedFile("a", jpeg)]}
        assert admin_client.post("/upload/several/", sent).status_code == 400
    monkeypatch.setattr(upload, "MOST_AT_ONCE", 10)
    assert several(admin_client, run, ("a.jpg", jpeg)).status_code == 413
    monkeypatch.undo()
    monkeypatch.setattr(transfers, "RESERVE", 1 << 60)
    full = several(admin_client, run, ("a.jpg", jpeg))
    assert full.status_code == 507 and "disk is full" in full.content.decode()
    assert not Photo.objects.exists() and left_over() == []
