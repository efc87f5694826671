"""How much of a folder is elsewhere: byte for byte, pixel for pixel, and visually."""

from __future__ import annotations

import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from dedup.models import Kind, Says, Verdict
from gallery import containment
from gallery.containment import Level, Place
from gallery.models import ImportRun, KeptFile, Outcome, Source, SourceFile, path_key
from gallery.trees import Files, Links, Tree, holders
from tests.dedup.rows import fingerprint, match
from tests.gallery.rows import bare_photo, sighting

pytestmark = pytest.mark.django_db

RED = "Red"


def counts(found, path=""):
    folder = next(one for one in found.folders if one.path == path)
    return [one.count for one in folder.amounts]


@pytest.fixture
def backup(vault):
    """A drive with a folder of five photos, and what another drive has of them."""
    photos = [bare_photo(number, size=10**number) for number in range(5)]
    for number, one in enumerate(photos):
        row = sighting(one, path=f"Backup 2011/{number % 2}/{number}.jpg")
        SourceFile.objects.filter(pk=row.pk).update(size=one.size)
    copies = [bare_photo(number + 100) for number in range(3)]
    sighting(photos[0], path="Photos/2011/a.jpg", drive=RED)
    for one in copies:
        sighting(one, path=f"Photos/2011/{one.pk}.jpg", drive=RED)
    # 1: every pixel is the same; 2: resaved; 3: another shot, as a person said.
    for one, other in zip(photos[1:4], copies, strict=True):
        match(one, other)
    for one, bits in ((photos[1], "p"), (copies[0], "p"), (photos[2], "q")):
        fingerprint(one, b"0" * 32, pixel_digest=bits)
    left, right = sorted([photos[3].digest, copies[2].digest])
    Verdict.objects.create(
        left_digest=left, right_digest=right, says=Says.SIMILAR_SHOTS
    )
    match(photos[4], copies[2], kind=Kind.SIMILAR_SHOTS)
    return Source.objects.get(label="Blue WD 2009")


def test_the_three_numbers_are_not_mixed(backup):
    against = Place(Source.objects.get(label=RED), "Photos/2011")
    found = containment.report(Place(backup), against=against)
    assert counts(found) == [1, 1, 1, 2]
    assert counts(found, "Backup 2011/1") == [0, 1, 0, 1]
    assert [one.bytes for one in found.whole.amounts] == [1, 10, 100, 11_000]
    assert found.whole.percent == 60.0
    only = [row.path for row in containment.only_here(found)]
    assert only == ["Backup 2011/0/4.jpg", "Backup 2011/1/3.jpg"]
    holder = found.whole.holder
    assert (holder.source.label, holder.path, holder.counts) == (
        RED,
        "Photos/2011",
        (1, 1, 1),
    )


def test_what_gave_way_to_another_is_in_the_vault_visually_and_a_letter_is_not(backup):
    rows = {row.path[-5]: row for row in SourceFile.objects.filter(source=backup)}
    rows["4"].photo.move_to_trash(by=None, in_favour_of=rows["0"].photo)
    run = backup.runs.first()
    for path, outcome in (("letter.txt", "not_a_photo"), ("Thumbs.db", "junk")):
        SourceFile.objects.create(
            source=backup,
            path=path,
            path_key=path_key(path),
            outcome=outcome,
            size=7,
            first_run=run,
            last_run=run,
        )
    film = KeptFile.objects.create(
        digest="f" * 64, extension="mp4", kind="video", size=7
    )
    row = SourceFile.objects.get(path="letter.txt")
    for pk, path in ((None, "DCIM/1.mp4"), (None, "copies/1.mp4")):
        row.pk, row.path, row.path_key = pk, path, path_key(path)
        row.outcome, row.kept = Outcome.KEPT, film
        row.save()
    found = containment.report(Place(backup))
    assert counts(found) == [6, 0, 1, 1]
    assert counts(found, "DCIM") == [1, 0, 0, 0]
    held = {one.path: one.holder and one.holder.path for one in found.folders}
    assert held["DCIM"] == "copies"
    assert [row.path for row in containment.only_here(found)] == ["letter.txt"]
    assert found.whole.percent == 87.5


def test_what_the_last_whole_run_did_not_see_is_not_there(backup):
    photo = SourceFile.objects.get(path="Photos/2011/a.jpg").photo
    red = Source.objects.get(label=RED)
    ImportRun.objects.create(source=red, state=ImportRun.State.FINISHED)
    found = containment.report(Place(backup), against=Place(red))
    assert counts(found) == [0, 0, 0, 5]
    assert found.whole.holder is None
    sighting(photo, path="new/a.jpg", drive=RED)
    found = containment.report(Place(backup), against=Place(red))
    assert counts(found) == [1, 0, 0, 4]


def test_what_a_browser_claimed_is_nowhere(backup):
    SourceFile.objects.filter(source__label=RED).update(outcome=Outcome.CLAIMED)
    against = Place(Source.objects.get(label=RED))
    found = containment.report(Place(backup), against=against)
    assert counts(found)[Level.BYTES] == 0


def test_a_folder_is_held_by_another_one_of_its_drive_and_not_by_its_parent(vault):
    for number in range(4):
        one = bare_photo(number)
        sighting(one, path=f"all/2011/{number}.jpg")
        sighting(one, path=f"all/copy/sub/{number}.jpg")
    drive = Source.objects.get()
    found = containment.report(Place(drive))
    held = {one.path: one.holder and one.holder.path for one in found.folders}
    assert held == {
        "": None,
        "all": None,
        "all/2011": "all/copy/sub",
        "all/copy": "all/2011",
        "all/copy/sub": "all/2011",
    }
    inside = containment.report(Place(drive), against=Place(drive, "all/copy"))
    # What lies in the other folder itself is not counted.
    assert counts(inside) == counts(inside, "all/2011") == [4, 0, 0, 0]


def test_the_command_tells_of_every_folder_and_ends_with_1(backup, tmp_path):
    place = tmp_path / "result.json"
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(
            "folders",
            "Blue WD 2009/Backup 2011",
            against="Red/Photos/2011",
            json=str(place),
            stdout=out,
        )
    assert ended.value.code == 1
    assert "60.0 %" in out.getvalue() and "0/4.jpg" in out.getvalue()
    result = json.loads(place.read_text())
    whole = result["folders"][0]
    assert whole["path"] == "Backup 2011" and whole["files"] == 5
    assert whole["missing"] == {"count": 2, "bytes": 11_000}
    assert whole["contained_in"]["path"] == "Photos/2011"
    with pytest.raises(CommandError, match="Blue WD 2009"):
        call_command("folders", "Green")


def test_the_page_says_how_much_is_there_and_names_the_rest(backup, admin_client):
    red = Source.objects.get(label=RED)
    page = admin_client.get(f"/drives/{backup.pk}/contained/").content.decode()
    assert "All of Blue WD 2009 is in the vault." in page
    asked = {"path": "Backup 2011", "against": red.pk, "in": "Photos/2011"}
    with CaptureQueriesContext(connection) as first:
        page = admin_client.get(f"/drives/{backup.pk}/contained/", asked).content
    assert "is 60.0 % in Red/Photos/2011; these 2 files are not." in page.decode()
    assert "Backup 2011/1/3.jpg" in page.decode()
    with CaptureQueriesContext(connection) as again:
        assert admin_client.get(f"/drives/{backup.pk}/contained/", asked).content
    assert len(again) < len(first)
    for query in ({"path": "nowhere"}, {"against": red.pk, "in": "nowhere"}):
        answer = admin_client.get(f"/drives/{backup.pk}/contained/", query)
        assert answer.status_code == 200
    for query in ({"path": "a\0b"}, {"against": 999}):
        answer = admin_client.get(f"/drives/{backup.pk}/contained/", query)
        assert answer.status_code == 404


FOLDERS = st.lists(st.sampled_from("ab"), max_size=3).map("/".join)


@given(st.lists(st.tuples(st.integers(1, 6), FOLDERS), max_size=12))
def test_the_holder_is_the_one_that_counting_finds(sightings):
    tree, everywhere = Tree(), Tree()
    files = Files(
        tree,
        *_numbers([(tree.number(path), photo) for photo, path in sightings]),
    )
    seen = Files(
        everywhere,
        *_numbers(
            [(everywhere.number(f"1/{path}".rstrip("/")), p) for p, path in sightings]
        ),
    )
    found = holders(files, seen.by_photo(), _no_links(), at="1")
    told = {
        tree.paths[folder]: int(counts.sum())
        for folder, counts in zip(found.folder, found.counts, strict=True)
    }

    def below(path, folder):
        return not folder or f"{path}/".startswith(f"{folder}/")

    expected = {}
    for folder in tree.paths:
        inside = [photo for photo, path in sightings if below(path, folder)]
        shares = [
            sum(
                any(photo == p and below(path, other) for p, path in sightings)
                for photo in inside
            )
            for other in everywhere_paths(everywhere)
            if not below(other, folder) and not below(folder, other)
        ]
        if max(shares, default=0):
            expected[folder] = max(shares)
    assert told == expected


def everywhere_paths(tree):
    return [path.partition("/")[2] for path in tree.paths if path]


def _numbers(pairs):
    return np.array(pairs, np.int64).reshape(-1, 2).T.copy()


def _no_links():
    return Links.of(np.empty((0, 2), np.int64), np.empty(0, np.int8))
