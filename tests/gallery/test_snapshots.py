"""Columns outlive a restart, but never the truth."""

import numpy as np
import pytest

from gallery import catalogue, snapshots
from gallery.columns import Selection
from gallery.models import Mark, Photo
from gallery.texts import Texts
from tests.gallery.rows import bare_photo, sighting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def restarted(vault, monkeypatch):
    """A server that has not read anything, and saves however little there is."""
    monkeypatch.setattr(catalogue, "_kept", None)
    monkeypatch.setattr(catalogue, "MOST_UNSAVED", 0)
    monkeypatch.setattr(catalogue, "save", catalogue._save)


def restart(monkeypatch) -> list:
    """Forget what is in memory; return what is read from the database from here on."""
    asked = []
    read = catalogue.read
    monkeypatch.setattr(catalogue, "_kept", None)
    monkeypatch.setattr(
        catalogue, "read", lambda pks=None: asked.append(pks) or read(pks)
    )
    return asked


def names(text: str = "") -> list[int]:
    found = Selection.all(catalogue.current()).told_by(text)
    return found.columns.pk[found.rows].tolist()


def test_restart_reads_only_what_changed_since(monkeypatch):
    first, second = bare_photo(1), bare_photo(2)
    sighting(first, path="Mallorca 2004/a.jpg")
    names()
    asked = restart(monkeypatch)
    third = bare_photo(3, name="Oma.jpg")
    assert names("mallorca") == [first.pk]
    assert None not in asked
    assert names("oma") == [third.pk]
    assert names() == [first.pk, second.pk, third.pk]


def test_snapshot_of_another_database_is_not_believed(monkeypatch):
    bare_photo(1)
    names()
    Mark.objects.filter(name="lineage").update(token="another")
    asked = restart(monkeypatch)
    names()
    assert None in asked


def test_snapshot_that_the_database_contradicts_is_not_believed(monkeypatch):
    row = bare_photo(1, size=10)
    names()
    # As after a backup was given back: other rows, and no note of it.
    with_triggers_off(f"UPDATE gallery_photo SET size = 11 WHERE id = {row.pk}")
    restart(monkeypatch)
    assert catalogue.current().size.tolist() == [11]


def with_triggers_off(statement: str) -> None:
    from django.db import connection

    from gallery.models import Change

    latest = Change.objects.order_by("-pk").first()
    with connection.cursor() as cursor:
        cursor.execute(statement)
    Change.objects.filter(pk__gt=latest.pk if latest else 0).delete()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE sqlite_sequence SET seq = %s WHERE name = 'gallery_change'",
                [latest.pk if latest else 0],
            )


@pytest.mark.parametrize("damage", ["cut", "bit", "other code", "nothing"])
def test_damaged_snapshot_is_as_if_it_were_not_there(monkeypatch, damage):
    row = bare_photo(1)
    names()
    path = catalogue.snapshot()
    content = path.read_bytes()
    middle = len(content) // 2
    match damage:
        case "cut":
            path.write_bytes(content[:middle])
        case "bit":
            flipped = bytes([content[middle] ^ 1])
            path.write_bytes(content[:middle] + flipped + content[middle + 1 :])
        case "other code":
            monkeypatch.setattr(snapshots, "code", lambda: "other")
        case "nothing":
            path.write_bytes(b"")
    restart(monkeypatch)
    assert names() == [row.pk]


def test_nobody_else_may_read_it():
    bare_photo(1)
    names()
    assert catalogue.snapshot().stat().st_mode & 0o077 == 0


def test_vault_that_takes_no_snapshot_shows_photos_all_the_same(settings, caplog):
    row = bare_photo(1)
    (settings.IMAGEVAULT_DATA / "cache" / "columns.npz").mkdir(parents=True)
    assert names() == [row.pk]
    assert "snapshot" in caplog.text


def test_purged_photos_leave_it(monkeypatch):
    row = bare_photo(1)
    names()
    restart(monkeypatch)
    Photo.objects.filter(pk=row.pk).delete()
    assert names() == []


def test_words_of_many_indexes_are_found_like_those_of_one():
    random = np.random.default_rng(3)
    syllables = ["ma", "mal", "lor", "ca", "2004", "20", "o", "Äu", "日本"]
    texts = [" ".join(random.choice(syllables, 3)) for _ in range(300)]
    grown = Texts.of(texts[:1])
    for start in range(1, 300, 7):
        grown = grown.followed_by(Texts.of(texts[start : start + 7]))
    at_once = Texts.of(texts)
    assert len(grown) == len(at_once) == 300
    for word in ("ma", "m", "mal", "mall", "2004", "20", "2", "au", "日", "x"):
        wanted = [
            any(
                said == word if word.isdigit() else said.startswith(word)
                for said in text.lower().replace("ä", "a").split()
            )
            for text in texts
        ]
        assert grown.having(word).tolist() == wanted, word
        assert at_once.having(word).tolist() == wanted, word
