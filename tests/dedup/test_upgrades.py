"""A new version of the code over a vault in which a family has decided things."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from dedup import decisions, perceptual, scan, searching, sets, tasks
from dedup.backlog import find_duplicates
from dedup.models import Comparison, DuplicateSet, Fingerprint, Member, Verdict
from gallery.models import Photo
from tests import pictures
from tests.dedup import rows

FIRST = [("dedup", "0001_initial")]


def photo_and_copy(seed: int) -> list[Photo]:
    scene = pictures.scene(seed=seed)
    return [rows.photo(scene), rows.photo(pictures.recompressed(scene, quality=50))]


@pytest.fixture
def family(vault, db) -> dict[str, DuplicateSet]:
    """A vault in which one set was resolved, one dismissed, and one is open."""
    photos = {
        name: photo_and_copy(seed)
        for seed, name in enumerate(("resolved", "dismissed", "open"))
    }
    find_duplicates(workers=0)
    found = {
        name: DuplicateSet.objects.get(members__photo=pair[0])
        for name, pair in photos.items()
    }
    anna = User.objects.create_user("anna")
    keep, drop = (member.photo_id for member in found["resolved"].members.all())
    decisions.resolve(found["resolved"], {keep: "keep", drop: "discard"}, by=anna)
    decisions.dismiss(found["dismissed"], by=anna)
    return found


def said() -> dict[str, list]:
    """Everything a person said, and what came of it."""
    return {
        "verdicts": list(Verdict.objects.order_by("pk").values()),
        "decisions": list(
            decisions.Decision.objects.order_by("pk").values("pk", "kind", "before")
        ),
        "trash": list(
            Photo.objects.order_by("pk").values("pk", "trashed_at", "in_favour_of")
        ),
        "closed": list(
            # Without its place in the queue, which is worked out again.
            DuplicateSet.objects.exclude(state="open")
            .order_by("pk")
            .values("pk", "kind", "state", "closed_at", "closed_by", "revision", "size")
        ),
    }


def shown() -> list[tuple]:
    """The sets and who is in them."""
    rows = Member.objects.order_by("duplicate_set", "place")
    return list(
        rows.values_list(
            "duplicate_set", "duplicate_set__state", "photo", "is_keeper", "relation"
        )
    )


@pytest.fixture
def new_hash(monkeypatch) -> None:
    """A version whose hashes have nothing in common with those before."""

    def other_way(thumbnail, look=perceptual.fingerprint):
        hashes = look(thumbnail)
        return replace(hashes, bits=bytes(byte ^ 0b0110_1001 for byte in hashes.bits))

    monkeypatch.setattr(perceptual, "fingerprint", other_way)
    monkeypatch.setattr(Fingerprint, "RECIPE", Fingerprint.RECIPE + 1)


def test_promise_06_a_new_hash_changes_nothing_that_was_said(family, new_hash):
    before = said(), shown()
    find_duplicates(workers=0)
    assert (said(), shown()) == before
    live = Fingerprint.objects.live()
    assert live.current().count() == live.count()


def test_the_old_hashes_serve_until_the_new_ones_are_made(family, monkeypatch):
    # Two photos come just before the new version does.
    photo_and_copy(7)
    scan.enrol()
    tasks.fingerprint_photos(list(Fingerprint.objects.values_list("pk", flat=True)))
    monkeypatch.setattr(Fingerprint, "RECIPE", Fingerprint.RECIPE + 1)
    before = shown()
    pairs = Comparison.objects.count()
    searching.search()
    assert Comparison.objects.count() == pairs + 1
    assert shown() == before


def test_a_newcomer_is_found_when_half_of_the_hashes_are_new(family, new_hash):
    before = shown()
    ids = sorted(Fingerprint.objects.values_list("pk", flat=True))
    tasks.fingerprint_photos(ids[:3])
    newcomer = rows.photo(pictures.recompressed(pictures.scene(seed=2), quality=30))
    scan.enrol()
    tasks.fingerprint_photos([newcomer.pk])
    searching.search()
    assert shown() == before
    find_duplicates(workers=0)
    members = family["open"].members.values_list("photo", flat=True)
    assert newcomer.pk in members
    assert len(members) == 3


def test_what_was_never_looked_at_comes_before_the_new_recipe(family, new_hash):
    rows.photo(seed=9)
    scan.enrol()
    recipes = Fingerprint.objects.claimable().values_list("recipe", flat=True)
    assert recipes[0] == 0


def test_a_new_judge_measures_again_while_the_old_answers_serve(family, monkeypatch):
    before = said(), shown()
    monkeypatch.setattr(Comparison, "RECIPE", Comparison.RECIPE + 1)
    pks = list(Comparison.objects.claimable().values_list("pk", flat=True))
    assert len(pks) >= 3
    for pk in pks:
        tasks.compare_pairs([pk])
        while sets.regroup():
            pass
        assert (said(), shown()) == before
    assert not Comparison.objects.outstanding().exists()


@pytest.fixture
def first_version(transactional_db, vault) -> Iterator[MigrationExecutor]:
    """The database may go back to its first version; it is the newest afterwards."""
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes("dedup")
    yield MigrationExecutor(connection)
    MigrationExecutor(connection).migrate(newest)


def columns(table: str) -> set[str]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_description(cursor, table)
    return {column.name for column in found}


def test_promise_06_what_was_said_survives_every_migration(first_version, family):
    before = said(), shown()
    fingerprints = list(Fingerprint.objects.order_by("pk").values("pk", "bits"))
    first_version.migrate(FIRST)
    assert "moment" not in columns("dedup_fingerprint")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE dedup_fingerprint SET recipe = 1")
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes("dedup"))
    assert (said(), shown()) == before
    assert list(Fingerprint.objects.order_by("pk").values("pk", "bits")) == fingerprints
    find_duplicates(workers=0)
    assert (said(), shown()) == before
