"""The bin: bytes go only after their time, and only while the keeper's are intact."""

import hashlib
import json
import signal
import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from gallery import trash
from gallery import vault as vaults
from gallery.models import Photo

pytestmark = pytest.mark.django_db


def stored(folder, content: bytes, **values) -> Photo:
    """A photo whose original lies in the vault."""
    digest = hashlib.sha256(content).hexdigest()
    path = vaults.original(folder, digest, "jpg")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o444)
    return Photo.objects.create(
        digest=digest, extension="jpg", size=len(content), name=values.pop("name", "x"),
        format="JPEG", **values,
    )  # fmt: skip


def original(folder, photo):
    return vaults.original(folder, photo.digest, photo.extension)


def discarded(photo, *, in_favour_of, days_ago=31):
    photo.move_to_trash(by=None, in_favour_of=in_favour_of)
    photo.update_facts(trashed_at=timezone.now() - timedelta(days=days_ago))
    return photo


def empty(**options) -> dict:
    out = StringIO()
    try:
        call_command("empty_trash", json="-", stdout=out, **options)
        status = 0
    except SystemExit as ended:
        status = ended.code
    return {**json.loads(out.getvalue()), "status": status}


def test_what_was_discarded_a_month_ago_is_purged(vault):
    keeper = stored(vault, b"keeper")
    copy = discarded(stored(vault, b"copy"), in_favour_of=keeper)
    assert empty() == {"purged": 1, "bytes_freed": 4, "refused": [], "status": 0}
    copy.refresh_from_db()
    assert not copy.is_stored
    assert not original(vault, copy).exists()
    assert original(vault, keeper).read_bytes() == b"keeper"


def test_what_was_discarded_yesterday_stays(vault):
    keeper = stored(vault, b"keeper")
    copy = discarded(stored(vault, b"copy"), in_favour_of=keeper, days_ago=1)
    assert empty()["purged"] == 0
    assert original(vault, copy).exists()
    assert empty(older_than=0)["purged"] == 1


def test_promise_04_a_damaged_keeper_stops_the_purge(vault):
    keeper = stored(vault, b"keeper", name="beach.jpg")
    copy = discarded(stored(vault, b"copy"), in_favour_of=keeper)
    original(vault, keeper).chmod(0o644)
    original(vault, keeper).write_bytes(b"keepeR")
    report = empty()
    assert (report["purged"], report["status"]) == (0, 1)
    assert "beach.jpg, kept in its place, is damaged" in report["refused"][0]["reason"]
    assert original(vault, copy).exists()
    copy.refresh_from_db()
    assert copy.is_stored


def test_promise_04_a_missing_keeper_stops_the_purge(vault):
    keeper = stored(vault, b"keeper")
    copy = discarded(stored(vault, b"copy"), in_favour_of=keeper)
    original(vault, keeper).unlink()
    assert "is missing from the vault" in empty()["refused"][0]["reason"]
    assert original(vault, copy).exists()


def test_promise_04_a_keeper_that_yielded_is_followed_to_the_last_one(vault):
    best, better, worst = (stored(vault, name) for name in (b"best", b"better", b"w"))
    discarded(worst, in_favour_of=better)
    discarded(better, in_favour_of=best)
    original(vault, best).chmod(0o644)
    original(vault, best).write_bytes(b"gone bad")
    assert empty()["purged"] == 0
    original(vault, best).write_bytes(b"best")
    assert empty()["purged"] == 2
    assert original(vault, best).read_bytes() == b"best"


def test_promise_04_a_keeper_discarded_meanwhile_stops_the_purge(vault):
    keeper, other = stored(vault, b"keeper"), stored(vault, b"other")
    copy = discarded(stored(vault, b"copy"), in_favour_of=keeper)
    keeper.move_to_trash(by=None, in_favour_of=other)
    with pytest.raises(trash.NotPurgeable, match="just discarded"):
        trash.purge(copy, keeper)


def test_a_photo_restored_meanwhile_is_not_purged(vault):
    keeper = stored(vault, b"keeper")
    copy = discarded(stored(vault, b"copy"), in_favour_of=keeper)
    Photo.objects.get(pk=copy.pk).restore()
    with pytest.raises(trash.NotPurgeable, match="just restored"):
        trash.purge(copy, keeper)
    assert original(vault, copy).exists()


def test_a_purge_that_was_killed_before_the_bytes_went_is_finished(vault):
    keeper = stored(vault, b"keeper")
    copy = discarded(stored(vault, b"copy"), in_favour_of=keeper)
    trash.purge(copy, keeper)
    assert original(vault, copy).exists()
    empty()
    assert not original(vault, copy).exists()
    assert original(vault, keeper).exists()


def test_renditions_go_with_the_original(vault):
    keeper = stored(vault, b"keeper")
    copy = discarded(stored(vault, b"copy"), in_favour_of=keeper)
    for name in ("thumbnail", "preview"):
        path = vaults.rendition(vault, copy.digest, name=name, recipe=1)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"small")
    empty()
    assert not list((vault / "renditions").rglob("*.jpg"))


def test_without_the_vaults_marker_nothing_is_purged(vault):
    (vault / "vault.json").unlink()
    with pytest.raises(CommandError, match=r"Is the disk .* mounted") as refusal:
        call_command("empty_trash")
    assert refusal.value.returncode == 2


def test_a_negative_age_is_refused(vault):
    with pytest.raises(CommandError, match="must not be negative"):
        call_command("empty_trash", older_than=-1)


def test_an_age_older_than_time_is_refused(vault):
    with pytest.raises(CommandError, match="nothing is that old"):
        call_command("empty_trash", older_than=10**9)


@pytest.mark.django_db(transaction=True)
def test_a_purge_is_on_the_disk_before_its_bytes_go(vault, monkeypatch):
    if connection.vendor != "sqlite":
        pytest.skip("others write each commit through by themselves")
    levels = []
    unlink = trash.unlink

    def look(photo, folder):
        with connection.cursor() as cursor:
            levels.extend(cursor.execute("PRAGMA synchronous").fetchone())
        unlink(photo, folder)

    monkeypatch.setattr(trash, "unlink", look)
    discarded(stored(vault, b"copy"), in_favour_of=stored(vault, b"keeper"))
    assert empty()["purged"] == 1
    assert levels == [2]  # FULL


@pytest.mark.django_db(transaction=True)
def test_promise_04_purge_and_discard_at_once_leave_a_stored_copy(vault):
    if connection.vendor == "sqlite":
        pytest.skip("one writer at a time; see the tests above for each order")
    for round_ in range(5):
        a, b = (stored(vault, f"{name}{round_}".encode()) for name in "ab")
        copy = discarded(stored(vault, f"copy{round_}".encode()), in_favour_of=a)
        gate = threading.Barrier(2)

        def purge(gate=gate):
            gate.wait()
            trash.empty_trash(older_than=timezone.now())
            connection.close()

        def discard(gate=gate, a=a, b=b):
            gate.wait()
            a.move_to_trash(by=None, in_favour_of=b)
            connection.close()

        threads = [threading.Thread(target=t) for t in (purge, discard)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Photo.objects.live().filter(pk=b.pk).exists()
        assert original(vault, b).exists()
        copy.refresh_from_db()
        assert original(vault, copy).exists() == copy.is_stored


def test_progress_counts_the_bytes_up_to_all_of_them(vault):
    keeper = stored(vault, b"keeper")
    for content in (b"copy", b"another"):
        discarded(stored(vault, content), in_favour_of=keeper)
    told = []
    trash.empty_trash(older_than=timezone.now(), progress=lambda *at: told.append(at))
    assert told == [(4, 11), (11, 11)]


def test_an_interrupted_purge_ends_with_a_sentence(vault, monkeypatch, capsys):
    keeper = stored(vault, b"keeper")
    copy = discarded(stored(vault, b"copy"), in_favour_of=keeper)

    # As a machine that shuts down ends it, and Ctrl-C likewise.
    def interrupt(*_):
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(trash, "purge", interrupt)
    with pytest.raises(SystemExit) as ended:
        call_command("empty_trash")
    assert ended.value.code == 130
    assert "Interrupted." in capsys.readouterr().err
    assert original(vault, copy).exists()
