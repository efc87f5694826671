import base64
import hashlib
import json
import os
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from gallery import arrivals, ledger, originals, pieces, tasks, transfers, uploads
from gallery import vault as vaults
from gallery.models import ImportRun, Outcome, Photo, Source, SourceFile, Transfer
from tests import pictures
from tests.gallery.rows import photo

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("vault")]
URL = "/upload/files/"
CONTENT = "application/offset+octet-stream"


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    return pictures.jpeg(pictures.scene(seed=1, size=(160, 120)))


def encoded(text: object) -> str:
    return base64.b64encode(str(text).encode()).decode()


def create(
    client, content: bytes, *, body: bytes | None = None, path="IMG_1.jpg", **more
):
    """Begin a file as tus does; with a body, its first piece comes along."""
    told = {
        "path": path,
        "digest": hashlib.sha256(content).hexdigest(),
        "modified": 1_100_000_000_000,
    } | more.pop("metadata", {})
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(len(content)),
        "Upload-Metadata": ",".join(f"{n} {encoded(v)}" for n, v in told.items()),
    } | more.pop("headers", {})
    kind = CONTENT if body is not None else "application/x-www-form-urlencoded"
    return client.post(URL, body or b"", content_type=kind, headers=headers, **more)


def begun(client, content: bytes, **more) -> str:
    answer = create(client, content, **more)
    assert answer.status_code == 201, answer.content
    return answer["Location"]


def patch(client, url: str, piece: bytes, *, at: int, **headers):
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(at)} | headers
    more = {} if piece else {"CONTENT_TYPE": CONTENT, "CONTENT_LENGTH": "0"}
    return client.patch(url, piece, content_type=CONTENT, headers=headers, **more)


def head(client, url: str):
    return client.head(url, headers={"Tus-Resumable": "1.0.0"})


def said(answer) -> dict:
    return json.loads(base64.b64decode(answer["Imagevault-Answer"]))


def original(content: bytes):
    digest = hashlib.sha256(content).hexdigest()
    return vaults.original(settings.IMAGEVAULT_DATA, digest, "jpg")


def left_over() -> list:
    folders = (settings.IMAGEVAULT_DATA / name for name in ("uploads", "incoming"))
    return [path for folder in folders for path in folder.iterdir()]


def test_promise_02_file_in_three_pieces_is_stored_as_it_was_sent(admin_client, jpeg):
    url = begun(admin_client, jpeg, path="Mallorca 2004/IMG_1.jpg")
    a, b = len(jpeg) // 3, len(jpeg) // 2
    assert patch(admin_client, url, jpeg[:a], at=0)["Upload-Offset"] == str(a)
    answer = patch(admin_client, url, jpeg[a:b], at=a)
    assert (answer.status_code, answer["Upload-Offset"]) == (204, str(b))
    assert "Upload-Expires" in answer
    assert head(admin_client, url)["Upload-Offset"] == str(b)
    assert head(admin_client, url)["Upload-Length"] == str(len(jpeg))
    answer = patch(admin_client, url, jpeg[b:], at=b)
    assert (answer.status_code, said(answer)["kind"]) == (204, "new")
    assert original(jpeg).read_bytes() == jpeg
    assert original(jpeg).stat().st_mode & 0o777 == 0o444
    row = SourceFile.objects.get()
    day = timezone.localdate()
    assert row.path == f"admin/{day}/Mallorca 2004/IMG_1.jpg"
    assert row.outcome == Outcome.IMPORTED
    assert row.photo.added_by.username == "admin"
    assert row.photo.taken_at.year == 2004
    assert left_over() == []


def test_small_file_comes_with_its_creation(admin_client, jpeg):
    answer = create(admin_client, jpeg, body=jpeg)
    assert (answer.status_code, said(answer)["kind"]) == (201, "new")
    assert Photo.objects.get().digest == hashlib.sha256(jpeg).hexdigest()


def test_finished_file_is_answered_again_and_counted_once(admin_client, jpeg):
    url = create(admin_client, jpeg, body=jpeg)["Location"]
    again = head(admin_client, url)
    assert again["Upload-Offset"] == str(len(jpeg))
    assert said(again)["kind"] == "new"
    assert patch(admin_client, url, jpeg, at=0).status_code == 409
    assert patch(admin_client, url, b"", at=len(jpeg)).status_code == 409
    assert SourceFile.objects.count() == ImportRun.objects.get().seen == 1


def test_answer_speaks_of_a_photo_in_the_trash(admin_client, jpeg):
    row = photo(pictures.scene(seed=1, size=(160, 120)))
    row.move_to_trash(by=None, in_favour_of=photo(seed=9, name="better.jpg"))
    answer = said(create(admin_client, jpeg, body=jpeg))
    assert answer["kind"] == "trashed"
    assert "better.jpg" in answer["text"]


def test_files_of_one_upload_share_a_run(admin_client, jpeg):
    run = admin_client.post("/upload/begin/").json()
    for n in range(3):
        content = jpeg + b"%d" % n
        create(admin_client, content, body=content, metadata={"run": run["run"]})
    row = ImportRun.objects.get()
    assert row.seen == row.outcomes["imported"] == SourceFile.objects.count() == 3
    assert row.state == ImportRun.State.FINISHED
    paths = SourceFile.objects.values_list("path", flat=True)
    assert sorted(path.rpartition("/")[2] for path in paths) == [
        "IMG_1 (2).jpg",
        "IMG_1 (3).jpg",
        "IMG_1.jpg",
    ]
    assert "3 photos" in admin_client.get(run["photos"]).content.decode()


def test_run_of_somebody_else_takes_no_files(admin_client, client, jpeg, people):
    run = admin_client.post("/upload/begin/").json()["run"]
    client.force_login(people("otto"))
    for other in (run, run + 1, "x", "9" * 30):
        answer = create(client, jpeg, body=jpeg, metadata={"run": other})
        assert answer.status_code == 404
    assert not Transfer.objects.exists()


@pytest.fixture
def people(django_user_model):
    from django.contrib.auth.models import Permission

    def make(name: str):
        user = django_user_model.objects.create_user(name)
        user.user_permissions.add(Permission.objects.get(codename="add_photo"))
        return user

    return make


def test_beginning_whose_answer_got_lost_is_not_begun_twice(admin_client, jpeg):
    run = admin_client.post("/upload/begin/").json()["run"]
    first = create(admin_client, jpeg, body=jpeg[:100], metadata={"run": run})
    again = create(admin_client, jpeg, body=jpeg[:100], metadata={"run": run})
    assert again.status_code == 201
    assert again["Location"] == first["Location"]
    assert again["Upload-Offset"] == "100"
    patch(admin_client, again["Location"], jpeg[100:], at=100)
    once_more = create(admin_client, jpeg, body=jpeg[:100], metadata={"run": run})
    assert said(once_more)["kind"] == "new"
    assert ImportRun.objects.get().seen == SourceFile.objects.count() == 1


# Broken requests


def test_capabilities_are_told(admin_client):
    answer = admin_client.options(URL)
    assert answer.status_code == 204
    assert answer["Tus-Version"] == "1.0.0"
    assert "termination" in answer["Tus-Extension"]
    assert answer["Tus-Max-Size"] == str(2 << 30)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412),
        ({"Upload-Length": ""}, 400),
        ({"Upload-Length": "-5"}, 400),
        ({"Upload-Length": "1e3"}, 400),
        ({"Upload-Length": "٣"}, 400),
        ({"Upload-Length": str((2 << 30) + 1)}, 413),
        ({"Upload-Metadata": ""}, 400),
        ({"Upload-Metadata": "digest !!!"}, 400),
        ({"Upload-Metadata": f"digest {encoded('../../etc/passwd')}"}, 400),
    ],
)
def test_creation_that_cannot_be_is_refused(admin_client, jpeg, headers, status):
    answer = create(admin_client, jpeg, headers=headers)
    assert answer.status_code == status
    assert answer.content
    assert answer["Tus-Resumable"] == "1.0.0"
    assert not Transfer.objects.exists()
    assert left_over() == []


@pytest.mark.parametrize("at", ["1", "99999", "-1", "", "x"])
def test_piece_at_a_wrong_offset_is_refused(admin_client, jpeg, at):
    url = begun(admin_client, jpeg)
    answer = patch(admin_client, url, b"x", at=0, **{"Upload-Offset": at})
    assert answer.status_code == (409 if at.isdigit() else 400)
    assert head(admin_client, url)["Upload-Offset"] == "0"


def test_piece_that_is_too_long_is_refused_unread(admin_client, jpeg):
    url = begun(admin_client, jpeg)
    assert patch(admin_client, url, jpeg + b"more", at=0).status_code == 413
    assert create(admin_client, jpeg, body=jpeg + b"more").status_code == 413
    assert head(admin_client, url)["Upload-Offset"] == "0"


def test_piece_of_another_kind_or_length_unknown_is_refused(admin_client, jpeg):
    url = begun(admin_client, jpeg)
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
    answer = admin_client.patch(url, jpeg, content_type="image/jpeg", headers=headers)
    assert answer.status_code == 415
    answer = admin_client.generic("PATCH", url, headers=headers, CONTENT_TYPE=CONTENT)
    assert answer.status_code == 411


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
def test_piece_with_a_wrong_checksum_is_forgotten(admin_client, jpeg, algorithm):
    url = begun(admin_client, jpeg)
    wrong = base64.b64encode(hashlib.new(algorithm, b"other").digest()).decode()
    right = base64.b64encode(hashlib.new(algorithm, jpeg).digest()).decode()
    header = {"Upload-Checksum": f"{algorithm} {wrong}"}
    assert patch(admin_client, url, jpeg, at=0, **header).status_code == 460
    assert head(admin_client, url)["Upload-Offset"] == "0"
    header = {"Upload-Checksum": f"{algorithm} {right}"}
    assert patch(admin_client, url, jpeg, at=0, **header).status_code == 204
    assert original(jpeg).read_bytes() == jpeg


@pytest.mark.parametrize("header", ["md5 x", "sha256", "sha256 !!", "sha256 YQ"])
def test_checksum_that_cannot_be_read_is_refused(admin_client, jpeg, header):
    url = begun(admin_client, jpeg)
    answer = patch(admin_client, url, jpeg, at=0, **{"Upload-Checksum": header})
    assert answer.status_code == 400
    assert head(admin_client, url)["Upload-Offset"] == "0"


def test_nobody_touches_the_file_of_somebody_else(admin_client, client, jpeg, people):
    url = begun(admin_client, jpeg)
    client.force_login(people("otto"))
    headers = {"Tus-Resumable": "1.0.0"}
    assert head(client, url).status_code == 404
    assert patch(client, url, jpeg, at=0).status_code == 404
    assert client.delete(url, headers=headers).status_code == 404
    assert client.post(f"{url}forget/").status_code == 404
    assert head(client, f"{URL}{'0' * 32}/").status_code == 404
    assert head(client, f"{URL}..%2f..%2fvault.json/").status_code == 404
    assert head(admin_client, url)["Upload-Offset"] == "0"


def test_viewer_may_send_nothing(client, django_user_model, jpeg):
    client.force_login(django_user_model.objects.create_user("viewer"))
    headers = {"Tus-Resumable": "1.0.0"}
    url = f"{URL}{'0' * 32}/"
    for answer in (
        create(client, jpeg, body=jpeg),
        patch(client, url, jpeg, at=0),
        client.delete(url, headers=headers),
        client.options(URL),
        client.post("/upload/begin/"),
        client.post(f"{url}forget/"),
    ):
        assert answer.status_code == 403
    assert not Transfer.objects.exists()
    assert left_over() == []


def test_other_sites_cannot_send_anything(admin_user, jpeg):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    assert create(client, jpeg, body=jpeg).status_code == 403
    assert not Transfer.objects.exists()


# Going on, giving up


def test_file_given_up_is_gone(admin_client, jpeg):
    url = begun(admin_client, jpeg)
    patch(admin_client, url, jpeg[:10], at=0)
    headers = {"Tus-Resumable": "1.0.0"}
    assert admin_client.delete(url, headers=headers).status_code == 204
    assert head(admin_client, url).status_code == 404
    assert left_over() == []


def test_page_tells_what_is_unfinished_and_lets_it_be_forgotten(admin_client, jpeg):
    url = begun(admin_client, jpeg, path="Mallorca 2004/IMG_1.jpg")
    patch(admin_client, url, jpeg[: len(jpeg) // 2], at=0)
    page = admin_client.get("/upload/").content.decode()
    assert "Mallorca 2004/IMG_1.jpg" in page
    assert "49 %" in page or "50 %" in page
    assert admin_client.post(f"{url}forget/").status_code == 302
    assert "has arrived" not in admin_client.get("/upload/").content.decode()
    assert left_over() == []


def test_two_at_once_do_not_mix_their_pieces(admin_client, jpeg):
    url = begun(admin_client, jpeg)
    row = Transfer.objects.get()
    with pieces.opened(transfers.place(row)):
        answer = patch(admin_client, url, jpeg, at=0)
        assert answer.status_code == 423

    def second():
        yield jpeg[:100]
        # Meanwhile somebody else goes on from there, over another connection.
        transfers.receive(row, [jpeg[100:300]], at=100)
        yield jpeg[100:200]

    with pytest.raises(transfers.WrongOffset):
        transfers.receive(row, second(), at=0)
    assert head(admin_client, url)["Upload-Offset"] == "300"
    assert patch(admin_client, url, jpeg[300:], at=300).status_code == 204
    assert original(jpeg).read_bytes() == jpeg


def test_connection_that_breaks_leaves_what_arrived(admin_client, jpeg):
    begun(admin_client, jpeg)
    row = Transfer.objects.get()

    def broken():
        yield jpeg[:500]

    assert transfers.receive(row, broken(), at=0) is None
    assert transfers.offset(row) == 500


def test_bytes_other_than_promised_are_not_stored(admin_client, jpeg):
    other = jpeg[:-1] + b"x"
    answer = said(create(admin_client, jpeg, body=other))
    assert answer["kind"] == "refused"
    assert "did not arrive as it was sent" in answer["text"]
    assert not Photo.objects.exists()
    assert SourceFile.objects.get().outcome == Outcome.UNREADABLE
    assert left_over() == []


def test_what_is_no_picture_is_refused_by_its_first_bytes(admin_client):
    film = b"\0" * 1_000_000
    url = begun(admin_client, film, path="holiday.mp4")
    answer = patch(admin_client, url, film[:100_000], at=0)
    assert said(answer)["kind"] == "refused"
    assert patch(admin_client, url, film[100_000:], at=100_000).status_code == 409
    assert SourceFile.objects.get().outcome == Outcome.NOT_A_PHOTO
    assert left_over() == []


def test_empty_file_needs_no_piece(admin_client):
    assert said(create(admin_client, b""))["kind"] == "refused"
    assert SourceFile.objects.get().outcome == Outcome.EMPTY


def test_path_leads_nowhere_but_down(admin_client, jpeg):
    create(
        admin_client, jpeg, body=jpeg, path="../..//a/./\0b/../" + "x" * 5000 + ".jpg"
    )
    row = SourceFile.objects.get()
    folder = f"admin/{timezone.localdate()}/"
    assert row.path.startswith(f"{folder}a/_b/xxx")
    assert row.path.endswith(".jpg")
    assert len(row.path) < 300


def test_nobody_begins_more_than_the_disk_or_others_can_bear(
    admin_client, jpeg, monkeypatch
):
    begun(admin_client, jpeg)
    monkeypatch.setattr(transfers, "MOST_UNFINISHED", len(jpeg) + 10)
    answer = create(admin_client, jpeg)
    assert answer.status_code == 403
    assert "unfinished" in answer.content.decode()
    monkeypatch.undo()
    monkeypatch.setattr(transfers, "RESERVE", 1 << 60)
    answer = create(admin_client, jpeg)
    assert answer.status_code == 507
    assert "disk is full" in answer.content.decode()


def test_disk_that_fills_up_keeps_what_arrived_and_says_so(
    admin_client, jpeg, monkeypatch
):
    url = begun(admin_client, jpeg)
    patch(admin_client, url, jpeg[:100], at=0)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pieces.os, "pwrite", full)
    answer = patch(admin_client, url, jpeg[100:], at=100)
    assert answer.status_code == 507
    assert "disk is full" in answer.content.decode()
    monkeypatch.undo()
    assert head(admin_client, url)["Upload-Offset"] == "100"
    assert said(patch(admin_client, url, jpeg[100:], at=100))["kind"] == "new"


# Dying


class Killed(BaseException):
    """As if the process were gone: nobody catches it."""


DEATHS = {
    "before anything is stored": (uploads, "placed"),
    "before the original is in its place": (originals, "_place"),
    "when the original is in its place": (originals, "sync"),
    "before the rows are written": (uploads, "record"),
    "while the rows are written": (ledger, "_count"),
    "when the answer is noted": (Transfer, "finish"),
}


@pytest.mark.parametrize("where", DEATHS)
@pytest.mark.parametrize("how", ["asked", "sent", "tidied"])
@pytest.mark.django_db(transaction=True)
def test_promise_10_file_whose_process_died_at_the_end_is_finished_once(
    admin_client, jpeg, monkeypatch, where, how
):
    url = begun(admin_client, jpeg)
    vaults.shelf(settings.IMAGEVAULT_DATA / "originals", original(jpeg).stem).mkdir(
        parents=True
    )

    def die(*_, **__):
        raise Killed

    keep_drop(monkeypatch)
    monkeypatch.setattr(*DEATHS[where], die)
    with pytest.raises(Killed):
        patch(admin_client, url, jpeg, at=0)
    monkeypatch.undo()
    assert not SourceFile.objects.exists()

    if how == "tidied":
        tasks.tidy_transfers([])
    elif how == "sent":
        create(admin_client, jpeg, body=jpeg)
    answer = head(admin_client, url)
    assert answer["Upload-Offset"] == str(len(jpeg))
    assert said(answer)["kind"] == ("known" if how == "sent" else "new")
    assert original(jpeg).read_bytes() == jpeg
    assert Photo.objects.count() == 1
    assert SourceFile.objects.count() == 1
    assert sum(run.seen for run in ImportRun.objects.all()) == (
        2 if how == "sent" else 1
    )
    assert left_over() == []


def keep_drop(monkeypatch):
    """A process that is gone clears nothing away."""
    monkeypatch.setattr(
        originals.Taken, "drop", lambda self: os.close(self.draft.descriptor)
    )


def test_promise_14_file_that_got_lost_is_begun_anew(admin_client, jpeg):
    url = begun(admin_client, jpeg)
    transfers.place(Transfer.objects.get()).unlink()
    assert head(admin_client, url).status_code == 410
    assert head(admin_client, url).status_code == 404


def test_tidying_forgets_what_nobody_goes_on_with(admin_client, jpeg):
    old, new = begun(admin_client, jpeg), begun(admin_client, jpeg)
    finished = create(admin_client, jpeg, body=jpeg)["Location"]
    long_ago = time.time() - 8 * 24 * 3600
    os.utime(settings.IMAGEVAULT_DATA / "uploads" / old.split("/")[-2], (long_ago,) * 2)
    stray = settings.IMAGEVAULT_DATA / "uploads" / "stray"
    stray.write_bytes(b"x")
    os.utime(stray, (long_ago,) * 2)
    Transfer.objects.filter(pk=finished.split("/")[-2]).update(
        finished_at=timezone.now() - timedelta(days=2)
    )
    tasks.tidy_transfers([])
    assert head(admin_client, old).status_code == 404
    assert head(admin_client, finished).status_code == 404
    assert head(admin_client, new).status_code == 200
    assert [path.name for path in left_over()] == [new.split("/")[-2]]


def test_tidying_is_queued_once_an_hour(vault, database_queue):
    from django.core.cache import cache
    from django_q.models import OrmQ

    cache.delete("gallery-tidied")
    assert [tasks.feed_tidying(4), tasks.feed_tidying(4)] == [1, 0]
    assert OrmQ.objects.count() == 1
    cache.delete("gallery-tidied")


def test_largest_file_is_the_same_by_both_ways():
    assert arrivals.MAX_BYTES == 2 << 30
    assert Source.Kind.UPLOAD == "upload"
