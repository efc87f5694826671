"""Deciding a whole folder: keep what lies in one, discard what lies in another."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from dedup import folders, runs
from dedup.folders import Left
from dedup.models import Decision, DuplicateSet, Kind, Member
from gallery.containment import Place
from gallery.models import Photo, Source
from tests.dedup import rows
from tests.dedup.test_runs import (
    carry_out,
    everything,
    photo,
    place,
    placed,
    seen,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("vault")]


@pytest.fixture
def anna() -> User:
    return User.objects.create_superuser("anna")


def members(one: DuplicateSet) -> list[Photo]:
    rows = Member.objects.filter(duplicate_set=one).order_by("place")
    return [member.photo for member in rows.select_related("photo")]


@pytest.fixture
def sets() -> dict[str, DuplicateSet]:
    """Two folders with copies of one another, some of which nobody may decide at once."""
    made = dict(
        zip(
            ("one", "two", "sent", "both", "unsure", "shots", "third"),
            placed(7),
            strict=True,
        )
    )
    seen(members(made["both"])[1], "DCIM/again.jpg")
    DuplicateSet.objects.filter(pk=made["unsure"].pk).update(confidence=0.6)
    DuplicateSet.objects.filter(pk=made["shots"].pk).update(kind=Kind.SIMILAR_SHOTS)
    extra = photo(99)
    seen(extra, "Elsewhere/99.jpg")
    Member.objects.create(
        duplicate_set=made["third"],
        photo=extra,
        place=2,
        suggestion="discard",
        relation="resized",
    )
    better = photo(97, width=4000, height=3000, camera_make="Canon")
    seen(better, "WhatsApp Images/97.jpg")
    worse = photo(98, width=1600, height=1200)
    seen(worse, "DCIM/98.jpg")

    made["better"] = rows.duplicate_set([better, worse])
    DuplicateSet.objects.filter(pk=made["better"].pk).update(confidence=0.99)
    DuplicateSet.objects.update(placed_recipe=0)
    place()
    return made


def asked() -> folders.Plan:
    drive = Source.objects.get()
    return folders.plan(Place(drive, "DCIM"), Place(drive, "WhatsApp Images"))


def test_only_what_is_better_and_certain_is_decided_and_undone_as_one(sets, anna):
    found = asked()
    certain = sorted(sets[name].pk for name in ("one", "two", "sent"))
    assert found.sets == certain
    assert found.left == {Left.BETTER: 1, Left.UNSURE: 1, Left.SIMILAR: 1, Left.MORE: 2}
    before = everything()
    batch = folders.prepare(found)
    # A set that changes after it was noted leaves the batch.
    DuplicateSet.objects.filter(pk=sets["sent"].pk).update(revision=2)
    assert runs.open_sets(batch).count() == 2
    run = carry_out(batch, anna)
    assert (run.total, run.done, run.refused) == (2, 2, 0)
    done = set(Decision.objects.values_list("duplicate_set", flat=True))
    assert done == {sets["one"].pk, sets["two"].pk}
    trashed = Photo.objects.trashed()
    assert {one.in_favour_of for one in trashed} == {
        members(sets[name])[0] for name in ("one", "two")
    }
    runs.begin_undo(run, by=anna)
    while runs.step(run.pk):
        pass
    DuplicateSet.objects.filter(pk=sets["sent"].pk).update(revision=1)
    assert everything() == before


def test_a_set_to_be_looked_at_later_leaves_the_folder_and_its_batch(sets, anna):
    batch = folders.prepare(asked())
    said = {sets["one"].pk: (runs.LATER, 1), sets["two"].pk: (runs.NOT_SAME, 1)}
    runs.look(batch, said, by=anna)
    assert list(runs.open_sets(batch)) == [sets["sent"]]
    assert asked().sets == [sets["sent"].pk]
    # Asked again, the folders have one batch as before.
    assert folders.prepare(asked()) == batch


def test_the_pages_lead_from_the_folders_to_the_sample(sets, client, anna):
    client.force_login(anna)
    drive = Source.objects.get()
    query = {
        "keep": drive.pk,
        "keep_path": "DCIM",
        "discard": drive.pk,
        "discard_path": "WhatsApp Images",
    }
    address = "/admin/dedup/duplicateset/folders/"
    page = client.get(address, query).content.decode()
    assert "3 sets can be decided with these folders." in page
    assert "The copy that would go is the better one." in page
    answer = client.post(address, query, follow=True)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "3 drawn at random, of 3" in page
    assert "keep those in Blue WD/DCIM" in page.replace("Keep", "keep")
    for wrong in ({}, {**query, "keep": 999}, {**query, "keep_path": "a\0b"}):
        assert client.get(address, wrong).status_code == 404
