"""What the pages keep in memory is what the database says, whatever changed it."""

import re
import threading
from datetime import datetime

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from gallery import catalogue, changes
from gallery.columns import Selection, columns
from gallery.models import Change, Mark, Photo
from gallery.views import browse
from tests.gallery.rows import bare_photo, sighting

pytestmark = pytest.mark.django_db(transaction=True)


def sizes() -> dict[int, int]:
    columns = catalogue.current()
    return dict(zip(columns.pk.tolist(), columns.size.tolist(), strict=True))


def test_new_changed_and_discarded_photos_are_known_at_once():
    first, second = bare_photo(1, size=10), bare_photo(2, size=20)
    assert sizes() == {first.pk: 10, second.pk: 20}
    third = bare_photo(3, size=30)
    Photo.objects.filter(pk=first.pk).update(size=11)
    assert sizes() == {first.pk: 11, second.pk: 20, third.pk: 30}
    second.move_to_trash(by=None, in_favour_of=first)
    assert second.pk not in sizes()
    second.restore()
    assert second.pk in sizes()
    third.delete()
    assert third.pk not in sizes()


def test_new_sighting_is_known_at_once():
    row = bare_photo(1)
    drive = sighting(row, path="a.jpg").source
    other = bare_photo(2)
    assert len(Selection.all(catalogue.current()).seen_on(drive.pk)) == 1
    sighting(other, path="b.jpg")
    assert len(Selection.all(catalogue.current()).seen_on(drive.pk)) == 2


def test_only_what_changed_is_read_again(monkeypatch):
    bare_photo(1)
    sizes()
    asked = []
    read = catalogue.read
    monkeypatch.setattr(
        catalogue, "read", lambda pks=None: asked.append(pks) or read(pks)
    )
    other = bare_photo(2)
    sizes()
    sizes()
    if connection.vendor == "sqlite":
        assert asked == [[other.pk]]
    # Elsewhere a transaction that is open for long has some looked at again.
    assert all(pks and other.pk in pks for pks in asked)


def test_server_that_starts_reads_before_anybody_asks(monkeypatch):
    row = bare_photo(1, size=10)
    catalogue.warm_up().join()
    monkeypatch.setattr(catalogue, "read", None)
    if connection.vendor == "sqlite":
        assert sizes() == {row.pk: 10}


def test_server_starts_where_the_database_does_not_answer(monkeypatch):
    def refuse():
        raise OperationalError("no such table")

    monkeypatch.setattr(changes, "now", refuse)
    catalogue.warm_up().join()


def test_many_changes_are_read_as_a_whole(monkeypatch):
    monkeypatch.setattr(catalogue, "MOST_CHANGES", 2)
    sizes()
    rows = [bare_photo(number, size=number) for number in range(1, 6)]
    assert sizes() == {row.pk: row.size for row in rows}


def test_texts_of_photos_that_change_all_the_time_do_not_pile_up(monkeypatch):
    monkeypatch.setattr(catalogue, "MOST_CHANGES", 2)
    row = bare_photo(1)
    for size in range(20):
        Photo.objects.filter(pk=row.pk).update(size=size)
        assert sizes() == {row.pk: size}
        assert len(catalogue.current().texts) <= 8


def test_nothing_of_a_transaction_that_was_taken_back_is_kept():
    row = bare_photo(1, size=10)
    sizes()

    class TakenBack(Exception):
        pass

    with pytest.raises(TakenBack), transaction.atomic():
        Photo.objects.filter(pk=row.pk).update(size=11)
        assert sizes() == {row.pk: 11}
        raise TakenBack
    assert sizes() == {row.pk: 10}


def test_after_notes_were_cleared_away_all_is_read(monkeypatch):
    monkeypatch.setattr(changes, "KEPT", 0)
    row = bare_photo(1, size=10)
    sizes()
    Photo.objects.filter(pk=row.pk).update(size=11)
    bare_photo(2)
    changes.prune(changes.now().position)
    if connection.vendor == "sqlite":
        assert not Change.objects.exists()
    assert sizes()[row.pk] == 11


def test_lost_triggers_come_back_with_the_next_migration():
    row = bare_photo(1, size=10)
    sizes()
    table = " ON gallery_photo" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER gallery_note_photo{table}")
    Photo.objects.filter(pk=row.pk).update(size=11)
    call_command("migrate", verbosity=0)
    assert sizes() == {row.pk: 11}
    Photo.objects.filter(pk=row.pk).update(size=12)
    assert sizes() == {row.pk: 12}
    assert Mark.objects.filter(name=changes.LINEAGE).count() == 1


def test_times_are_those_of_the_rows():
    taken, added = datetime(2009, 7, 14, 12, 30, 0, 5), timezone.now()
    bare_photo(1, taken_at=taken, added_at=added)
    columns = catalogue.current()
    assert columns.taken[0] == (taken - datetime(1970, 1, 1)).total_seconds() * 1e6
    assert columns.added[0] == round(added.timestamp() * 1e6)


@pytest.fixture
def slow_reading(monkeypatch):
    """A server that has just started, and reads until it is told to end."""
    end = threading.Event()
    read = catalogue.read
    monkeypatch.setattr(catalogue, "read", lambda pks=None: end.wait(30) and read(pks))
    monkeypatch.setattr(catalogue, "PATIENCE", 0.01)
    monkeypatch.setattr(catalogue, "_kept", None)
    monkeypatch.setattr(catalogue, "stored", lambda: None)

    def finish():
        end.set()
        if catalogue._reader:
            catalogue._reader.join()

    yield finish
    finish()


def names(answer) -> list[str]:
    return re.findall(r">(\d+)\.jpg</span>", answer.content.decode())


def test_pages_come_while_a_started_server_still_reads(
    slow_reading, admin_client, monkeypatch
):
    monkeypatch.setattr(browse, "PHOTOS_PER_PAGE", 2)
    for number in range(1, 5):
        bare_photo(number, taken_at=datetime(2000 + number, 7, 1))
    undated = bare_photo(5)
    first = admin_client.get("/")
    assert names(first) == ["4", "3"]
    assert "has only just started" in first.content.decode()
    assert names(admin_client.get("/?sort=taken")) == ["1", "2"]
    assert names(admin_client.get("/?at=2002")) == ["2", "1"]
    assert names(admin_client.get("/?at=9999-12&sort=taken")) == ["5"]
    follows = re.search(r"after=[^&\"]+", first.content.decode())[0]
    assert names(admin_client.get(f"/?{follows}")) == ["2", "1"]
    assert admin_client.get(f"/photo/{undated.pk}/").status_code == 200

    # What needs all the columns asks for patience, and comes by itself.
    for address in ("/?sort=name", "/?q=1", "/albums/", "/timeline/"):
        answer = admin_client.get(address)
        assert (answer.status_code, answer["Refresh"]) == (503, "2"), address
        assert "One moment" in answer.content.decode()
    part = admin_client.get("/?q=1", headers={"HX-Request": "true"})
    assert part["HX-Redirect"] == "/?q=1"
    rail = admin_client.get("/timeline/", headers={"HX-Request": "true"})
    assert "delay:2s" in rail.content.decode()

    slow_reading()
    # A place found before leads on after.
    assert names(admin_client.get(f"/?{follows}")) == ["2", "1"]
    assert names(admin_client.get("/?q=1")) == ["1"]


def test_pages_of_before_are_shown_while_all_is_read_again(slow_reading, monkeypatch):
    monkeypatch.setattr(catalogue, "MOST_CHANGES", 2)
    first = bare_photo(1)
    catalogue._kept = catalogue.Kept(
        str(connection.settings_dict["NAME"]), changes.now(), columns([], [])
    )
    for number in range(2, 6):
        bare_photo(number)
    assert len(catalogue.soon()) == 0
    slow_reading()
    assert first.pk in catalogue.soon().pk
