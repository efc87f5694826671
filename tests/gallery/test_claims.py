import hashlib
import json

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from gallery import vault as vaults
from gallery.models import ImportRun, Outcome, Photo, SourceFile
from gallery.views import claims
from tests import pictures
from tests.gallery.rows import photo, sighting
from tests.gallery.test_transfers import create, patch

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("vault")]
URL = "/upload/known/"


def claim(row=None, **values):
    found = {"path": "Mallorca 2004/IMG_1.jpg", "size": 9, "digest": "0" * 64}
    if row:
        found |= {"size": row.size, "digest": row.digest}
    return found | values


def ask(client, *files, run=None):
    body = json.dumps({"files": files, "run": run})
    return client.post(URL, body, content_type="application/json")


def kinds(answer) -> list[str]:
    return [one["kind"] for one in answer.json()["answers"]]


@pytest.fixture
def run(admin_client) -> int:
    return admin_client.post("/upload/begin/").json()["run"]


def test_known_file_says_since_when_and_from_which_drive(admin_client):
    row = photo()
    sighting(row, path="Old/IMG_7.JPG", drive="Blue WD 2009")
    (said,) = ask(admin_client, claim(row)).json()["answers"]
    assert said["kind"] == "known"
    assert "Blue WD 2009 (Old/IMG_7.JPG)" in said["text"]
    assert said["source"] == "Blue WD 2009"
    assert said["photo"] == row.get_absolute_url()


def test_dry_look_writes_nothing(admin_client):
    row = photo()
    assert kinds(ask(admin_client, claim(row), claim())) == ["known", "wanted"]
    assert not SourceFile.objects.exists()
    assert not ImportRun.objects.exists()


def test_claimed_file_is_a_sighting_that_nobody_takes_for_a_reading(admin_client, run):
    row = photo(name="a.jpg")
    assert kinds(ask(admin_client, claim(row), run=run)) == ["known"]
    seen = SourceFile.objects.get()
    assert (seen.photo, seen.outcome) == (row, Outcome.CLAIMED)
    assert seen.path == f"admin/{timezone.localdate()}/Mallorca 2004/IMG_1.jpg"
    assert ImportRun.objects.get().outcomes == {"claimed": 1}
    assert ImportRun.objects.get().bytes_stored == 0
    found = admin_client.get("/?q=mallorca 2004").content.decode()
    assert "a.jpg" in found


def test_claim_takes_nothing_away_from_what_was_sent(admin_client, run):
    content = pictures.jpeg(pictures.scene(seed=1, size=(160, 120)))
    create(admin_client, content, body=content, metadata={"run": run})
    row = Photo.objects.get()
    assert kinds(ask(admin_client, claim(row, path="IMG_1.jpg"), run=run)) == ["known"]
    assert SourceFile.objects.get().outcome == Outcome.IMPORTED


def test_photo_in_the_trash_and_one_purged_are_told_apart(admin_client, run):
    kept, trashed, purged = (photo(seed=n, name=f"{n}.jpg") for n in range(3))
    for row in (trashed, purged):
        row.move_to_trash(by=None, in_favour_of=kept)
    Photo.objects.filter(pk=purged.pk).update(purged_at=timezone.now())
    answer = ask(
        admin_client, claim(trashed, path="x"), claim(purged, path="y"), run=run
    )
    assert kinds(answer) == ["trashed", "purged"]
    assert "0.jpg" in answer.json()["answers"][0]["text"]
    assert Photo.objects.live().count() == 1


def test_digest_alone_stores_nothing(admin_client, run):
    assert kinds(ask(admin_client, claim(), run=run)) == ["wanted"]
    assert not Photo.objects.exists()
    assert not SourceFile.objects.exists()


def test_claim_of_another_size_is_not_believed(admin_client, run):
    row = photo()
    assert kinds(ask(admin_client, claim(row, size=row.size + 1), run=run)) == [
        "wanted"
    ]


def test_photo_whose_original_got_lost_is_wanted_again(admin_client, run):
    row = photo()
    vaults.original(settings.IMAGEVAULT_DATA, row.digest, row.extension).unlink()
    assert kinds(ask(admin_client, claim(row), run=run)) == ["wanted"]


def test_what_cannot_be_stored_is_not_sent_and_has_its_outcome(admin_client, run):
    answer = ask(
        admin_client, claim(size=0, path="a"), claim(size=3 << 30, path="b"), run=run
    )
    assert kinds(answer) == ["refused", "refused"]
    assert ImportRun.objects.get().outcomes == {"empty": 1, "unreadable": 1}


def test_unfinished_file_is_gone_on_with_in_the_new_upload(admin_client, run):
    content = pictures.jpeg(pictures.scene(seed=1, size=(160, 120)))
    url = create(admin_client, content, path="old.jpg")["Location"]
    patch(admin_client, url, content[:100], at=0)
    digest = hashlib.sha256(content).hexdigest()
    asked = claim(size=len(content), digest=digest)
    (said,) = ask(admin_client, asked, run=run).json()["answers"]
    assert (said["kind"], said["url"]) == ("wanted", url)
    patch(admin_client, url, content[100:], at=100)
    row = SourceFile.objects.get()
    assert row.last_run_id == run
    assert row.path.endswith("Mallorca 2004/IMG_1.jpg")


def test_unfinished_file_of_somebody_else_is_not_offered(
    admin_client, client, django_user_model
):
    content = pictures.jpeg(pictures.scene(seed=1, size=(160, 120)))
    create(admin_client, content)
    client.force_login(django_user_model.objects.create_superuser("otto"))
    run = client.post("/upload/begin/").json()["run"]
    digest = hashlib.sha256(content).hexdigest()
    asked = claim(size=len(content), digest=digest)
    (said,) = ask(client, asked, run=run).json()["answers"]
    assert "url" not in said


def test_who_may_only_look_learns_nothing(client, django_user_model):
    row = photo()
    client.force_login(django_user_model.objects.create_user("viewer"))
    answer = ask(client, claim(row))
    assert answer.status_code == 403
    assert row.name not in answer.content.decode()


def test_other_sites_cannot_ask(admin_user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    assert ask(client, claim()).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b'{"files": 3}',
        b'{"files": [3]}',
        b'{"files": [{"path": "a", "size": -1, "digest": "%s"}]}' % (b"0" * 64),
        b'{"files": [{"path": "a", "size": 1, "digest": "%s\\n"}]}' % (b"0" * 64),
        b'{"files": [{"path": "a", "size": 1, "digest": "../x"}]}',
        b'{"files": [{"path": 1, "size": 1, "digest": "%s"}]}' % (b"0" * 64),
    ],
)
def test_request_that_is_no_list_of_files_is_refused(admin_client, body):
    answer = admin_client.post(URL, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["problem"]


def test_number_of_files_asked_for_at_once_is_bounded(admin_client):
    assert ask(admin_client, *[claim()] * 500).status_code == 200
    assert ask(admin_client, *[claim()] * 501).status_code == 400
    answer = ask(admin_client, claim(path="x" * claims.MOST_BYTES))
    assert answer.status_code == 400


def test_number_of_queries_does_not_grow_with_what_is_known(
    admin_client, django_assert_max_num_queries, run
):
    rows = [photo(seed=n, name=f"{n}.jpg") for n in range(12)]
    with django_assert_max_num_queries(24):
        files = [claim(row, path=f"{row.pk}") for row in rows]
        answer = ask(admin_client, *files, run=run)
    assert kinds(answer) == ["known"] * 12


def test_lone_surrogate_in_a_name_does_no_harm(admin_client, run):
    row = photo()
    assert kinds(ask(admin_client, claim(row, path="\ud800.jpg"), run=run)) == ["known"]
