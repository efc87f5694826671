"""Where a photo is kept: on which drives, and in which backup."""

from __future__ import annotations

import pytest

from gallery import backups, catalogue, copies
from gallery.columns import Selection
from gallery.importer import import_drive
from gallery.models import Backup, ImportRun, Photo, Source
from tests import pictures
from tests.gallery.rows import bare_photo, sighting

pytestmark = pytest.mark.django_db


def shown(client, **query) -> set[int]:
    page = client.get("/", query)
    return {one.pk for one in page.context["page"].rows}


def only(client) -> dict[str, set[int]]:
    sources = {one.label: one.pk for one in Source.objects.all()}
    return {
        "vault": shown(client, copies="vault"),
        **{label: shown(client, copies=pk) for label, pk in sources.items()},
    }


@pytest.fixture
def photos(vault) -> list[Photo]:
    """One on no drive, one on Blue, one on Red, and one on both."""
    made = [bare_photo(number) for number in range(4)]
    sighting(made[1], path="1.jpg", drive="Blue")
    sighting(made[2], path="2.jpg", drive="Red")
    for drive in ("Blue", "Red"):
        sighting(made[3], path="3.jpg", drive=drive)
    return made


def test_filters_find_what_only_one_disk_has(photos, admin_client):
    none, blue, red, both = (one.pk for one in photos)
    assert only(admin_client) == {"vault": {none}, "Blue": {blue}, "Red": {red}}
    drive = Source.objects.get(label="Red")
    address = f"/drives/{drive.pk}/"
    admin_client.post(f"{address}gone/")
    assert only(admin_client) == {
        "vault": {none, red},
        "Blue": {blue, both},
        "Red": {red},
    }
    assert (
        "Red"
        not in admin_client.get(photos[3].get_absolute_url()).context["copies"].drives
    )
    admin_client.post(f"{address}gone/", {"there": "1"})
    # What the last whole run did not see lies there no more, unless it does elsewhere.
    ImportRun.objects.create(source=drive, state=ImportRun.State.FINISHED)
    sighting(photos[3], path="moved/3.jpg", drive="Red")
    assert only(admin_client) == {"vault": {none, red}, "Blue": {blue}, "Red": set()}


def test_a_backup_keeps_what_was_there_when_it_began(
    photos, admin_client, vault, tmp_path
):
    for one in photos:
        one.delete() if not one.sightings.exists() else None
    report = backups.backup(tmp_path / "disk" / "backup")
    assert len(report.wrong) == 3  # they are only rows
    [noted] = Backup.objects.newest()
    assert len(noted.lacking) == 3 and noted.originals == 0
    Backup.objects.update(lacking=[photos[1].digest])
    later = bare_photo(9)
    assert copies.of(photos[2]).backups == [noted]
    assert copies.of(photos[1]).backups == copies.of(later).backups == []
    Source.objects.update(gone_at=noted.started_at)
    assert shown(admin_client, copies="vault") == {photos[1].pk, later.pk}
    page = admin_client.get(photos[2].get_absolute_url()).content.decode()
    assert "In the backup of" in page and noted.label in page
    assert (
        "On no other disk"
        in admin_client.get(later.get_absolute_url()).content.decode()
    )
    assert noted.label in admin_client.get("/drives/").content.decode()
    admin_client.post(f"/drives/backups/{noted.pk}/gone/")
    assert not Backup.objects.newest()
    assert copies.of(photos[2]).is_alone


@pytest.mark.django_db(transaction=True)
def test_a_drive_that_is_seen_again_is_not_gone(vault, tmp_path):
    folder = tmp_path / "drive"
    folder.mkdir()
    (folder / "1.jpg").write_bytes(pictures.jpeg(pictures.scene(seed=1, size=(96, 64))))
    import_drive(folder, label="Blue")
    drive = Source.objects.get()
    drive.mark_gone()
    assert copies.of(Photo.objects.get()).is_alone
    import_drive(folder, label="Blue")
    assert [one.label for one in copies.of(Photo.objects.get()).drives] == ["Blue"]
    every = Selection.all(catalogue.current())
    assert len(copies.only_on(every, drive.pk)) == 1
