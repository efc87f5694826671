"""The vault's originals are read again, and what is wrong is said with its cure."""

import os
import random
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from gallery import care, drafts, rereading, tasks, vault
from gallery.models import Damage, Photo, Verification
from gallery.schedule import NIGHTLY, keep_schedule
from gallery.whereabouts import places
from tests.gallery import rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def photos(vault):
    return [rows.photo(seed=seed) for seed in range(6)]


def place(photo):
    from django.conf import settings

    return vault.original(settings.IMAGEVAULT_DATA, photo.digest, photo.extension)


def flip(path, offset=100):
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def test_a_whole_vault_has_nothing_wrong(photos):
    report = care.verify_vault()
    assert report.is_finished and not report.wrong and not report.unknown
    assert report.verification.checked == 6
    assert report.verification.bytes_read == sum(photo.size for photo in photos)
    assert not Damage.objects.exists()


def test_one_flipped_bit_is_found_and_says_which_drive_has_the_good_bytes(photos):
    bad = photos[2]
    rows.sighting(bad, path="DCIM/0042.JPG")
    flip(place(bad))
    report = care.verify_vault()
    (wrong,) = report.wrong
    assert wrong["digest"] == bad.digest
    assert wrong["problem"] == "changed"
    assert wrong["where"] == [{"source": "Blue WD 2009", "path": "DCIM/0042.JPG"}]
    assert wrong["advice"] == ["plug in Blue WD 2009: DCIM/0042.JPG"]
    assert report.verification.wrong == 1


def test_a_missing_and_a_short_original_are_told_apart(photos):
    place(photos[0]).unlink()
    place(photos[1]).chmod(0o644)
    os.truncate(place(photos[1]), 10)
    kinds = {one["digest"]: one["problem"] for one in care.verify_vault().wrong}
    assert kinds == {photos[0].digest: "missing", photos[1].digest: "changed"}


def test_what_is_no_file_any_more_is_unreadable(photos):
    place(photos[0]).unlink()
    place(photos[0]).mkdir()
    (wrong,) = care.verify_vault().wrong
    assert wrong["problem"] == "unreadable"


def test_damage_is_noted_once_and_ends_when_the_original_is_whole_again(photos):
    content = place(photos[0]).read_bytes()
    flip(place(photos[0]))
    care.verify_vault()
    care.verify_vault()
    assert Damage.objects.open().count() == Damage.objects.count() == 1
    place(photos[0]).write_bytes(content)
    assert not care.verify_vault().wrong
    assert Damage.objects.get().mended_at is not None


def test_what_was_purged_is_not_missed(photos):
    gone = photos[0]
    gone.move_to_trash(by=None, in_favour_of=photos[1])
    Photo.objects.filter(pk=gone.pk).update(purged_at=timezone.now())
    place(gone).unlink()
    assert not care.verify_vault().wrong


def test_what_is_purged_meanwhile_is_not_missed(photos, monkeypatch):
    gone = min(photos, key=lambda photo: photo.digest)
    keeper = max(photos, key=lambda photo: photo.digest)
    gone.move_to_trash(by=None, in_favour_of=keeper)
    real = care.note

    def purge_first(findings, verification):
        Photo.objects.filter(pk=gone.pk).update(purged_at=timezone.now())
        return real(findings, verification)

    place(gone).unlink()
    monkeypatch.setattr(care, "note", purge_first)
    assert not care.verify_vault().wrong


def test_photos_in_the_trash_are_read_too(photos):
    photos[0].move_to_trash(by=None, in_favour_of=photos[1])
    flip(place(photos[0]))
    assert len(care.verify_vault().wrong) == 1


def test_a_vault_that_is_not_mounted_damages_no_photo(photos, vault, monkeypatch):
    for photo in photos:
        place(photo).unlink()
    real = care.read

    def unplug(original):
        (vault / "vault.json").unlink(missing_ok=True)
        return real(original)

    monkeypatch.setattr(care, "read", unplug)
    with pytest.raises(care.vault.NoVault):
        care.verify_vault()
    assert not Damage.objects.exists()


def test_files_the_catalogue_does_not_know_are_named(photos, vault):
    stray = vault / "originals" / "ab" / "cd" / ("abcd" + "0" * 60 + ".jpg")
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"?")
    report = care.verify_vault()
    assert report.unknown == (str(stray.relative_to(vault)),)
    assert not report.wrong


@pytest.mark.parametrize("share", [2, 3, 7, 30, 1000])
def test_shares_follow_one_another_and_cover_every_digest(vault, share):
    ends = []
    after = ""
    while not ends or ends[-1] != "f" * 64:
        ends.append(care.end_of_share(after, share))
        assert ends[-1] > after
        after = ends[-1]
    assert len(ends) == share


def test_all_shares_together_read_each_original_once(photos):
    reports = [care.verify_vault(share=4) for _ in range(4)]
    assert sum(report.verification.checked for report in reports) == 6
    assert care.verify_vault(share=4).verification.after == ""


def test_a_pass_that_broke_off_goes_on_where_it_was(photos, monkeypatch):
    monkeypatch.setattr(care, "PAGE", 2)
    in_order = sorted(photos, key=lambda photo: photo.digest)
    flip(place(in_order[0]))
    flip(place(in_order[5]))
    first = care.begin(share=1)
    seen = iter([False, True])
    assert not care.carry_on(first, stop=lambda: next(seen)).is_finished
    first.refresh_from_db()
    assert first.reached == in_order[1].digest
    report = care.verify_vault()
    assert report.verification.pk == first.pk
    assert report.verification.checked == 6
    assert len(report.wrong) == 2


def test_a_pass_from_long_ago_is_not_gone_on_with(photos):
    old = care.begin(share=1)
    Verification.objects.filter(pk=old.pk).update(
        started_at=timezone.now() - timedelta(days=30), reached="8" * 64
    )
    new = care.begin(share=1)
    assert new.pk != old.pk
    assert new.after == "8" * 64


def test_two_do_not_read_the_same_pass(photos, vault):
    one = care.begin(share=1)
    mark = drafts.start(vault / "incoming", f"verification-{one.pk}")
    with pytest.raises(care.AlreadyRunning):
        care.verify_vault()
    mark.close()


def test_reading_again_agrees_with_what_was_written(tmp_path):
    random.seed(5)
    for size in (0, 1, 4095, 4096, 4097, rereading.CHUNK, rereading.CHUNK + 13):
        content = random.randbytes(size)
        (tmp_path / "file").write_bytes(content)
        reading = rereading.file(tmp_path / "file")
        import hashlib

        assert (reading.digest, reading.size) == (
            hashlib.sha256(content).hexdigest(),
            size,
        )


def test_without_direct_reading_the_cache_is_used(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"hello")
    direct = rereading.file(tmp_path / "file")
    monkeypatch.setattr(rereading, "DIRECT", 0)
    assert rereading.file(tmp_path / "file") == direct


# The nightly share


def test_the_nightly_share_is_queued_once_and_read_by_a_task(
    photos, settings, database_queue
):
    settings.IMAGEVAULT_VERIFY_SHARE = 2
    assert tasks.feed_care() == 0
    tasks.begin_nightly_share()
    assert tasks.feed_care() == 1
    assert tasks.feed_care() == 0
    assert OrmQ.objects.count() == 1
    one = Verification.objects.get()
    tasks.read_originals([one.pk])
    one.refresh_from_db()
    assert one.state == "finished"
    assert tasks.feed_care() == 0


def test_a_share_whose_task_was_lost_is_queued_again(photos, settings):
    settings.IMAGEVAULT_VERIFY_SHARE = 2
    tasks.begin_nightly_share()
    assert tasks.feed_care() == 1
    Verification.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert tasks.feed_care() == 1


def test_the_schedule_follows_the_settings(db, settings):
    keep_schedule()
    keep_schedule()
    assert Schedule.objects.filter(func=NIGHTLY).count() == 1
    assert Schedule.objects.get(func=NIGHTLY).next_run > timezone.now()
    settings.IMAGEVAULT_VERIFY_SHARE = 0
    keep_schedule()
    assert not Schedule.objects.filter(func=NIGHTLY).exists()


# Pages


def test_the_photos_page_says_where_good_bytes_are(photos, admin_client):
    rows.sighting(photos[0], path="DCIM/0042.JPG")
    page = admin_client.get(f"/photo/{photos[0].pk}/").content.decode()
    assert "photo-damage" not in page
    flip(place(photos[0]))
    care.verify_vault()
    page = admin_client.get(f"/photo/{photos[0].pk}/").content.decode()
    assert "its bytes have changed" in page
    assert "plug in Blue WD 2009: DCIM/0042.JPG" in page


def test_the_admin_lists_damage_and_passes(photos, admin_client):
    flip(place(photos[0]))
    care.verify_vault()
    page = admin_client.get("/admin/gallery/damage/?state=open").content.decode()
    assert photos[0].name in page
    assert "no drive is known that had it" in page
    assert admin_client.get("/admin/gallery/verification/").status_code == 200


def test_a_photo_that_was_replaced_on_its_drive_is_not_looked_for_there(photos):
    sighting = rows.sighting(photos[0], path="DCIM/0042.JPG")
    sighting.replaced_in = sighting.last_run
    sighting.save()
    assert places([photos[0]]) == {photos[0].digest: []}
