"""A drive is safe to wipe only if every byte of it is proven to be kept."""

import hashlib
import json
import os
import socket
import subprocess
import unicodedata
import zipfile
from pathlib import Path

import pytest
from django.utils import timezone

from gallery import certifying, kinds, repairing, rereading, vault
from gallery.certifying import verify_drive, why_stale
from gallery.importer import DriveGone, Refused, import_drive
from gallery.models import Certificate, Damage, Photo, SourceFile
from tests import pictures

pytestmark = pytest.mark.django_db(transaction=True)


def picture(seed):
    return pictures.jpeg(pictures.scene(seed=seed, size=(96, 64)))


@pytest.fixture
def drive(vault, tmp_path):
    """A drive of which all is in the vault, but for what computers leave behind."""
    folder = tmp_path / "drive"
    (folder / "DCIM" / "100").mkdir(parents=True)
    for seed in range(4):
        (folder / "DCIM" / "100" / f"{seed}.jpg").write_bytes(picture(seed))
    (folder / "copy of 1.jpg").write_bytes(picture(1))
    (folder / "Thumbs.db").write_bytes(b"junk")
    (folder / "empty.txt").touch()
    import_drive(folder, label="Blue WD")
    return folder


def verify(drive, **options):
    return verify_drive(drive, label="Blue WD", **options)


def original(photo):
    from django.conf import settings

    return vault.original(settings.IMAGEVAULT_DATA, photo.digest, photo.extension)


def photo_of(path):
    return Photo.objects.get(digest=hashlib.sha256(path.read_bytes()).hexdigest())


def flip(path, at=50):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.chmod(0o644)
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(content)
    # As a failing disk does it: without a trace.
    os.utime(path, ns=times)


def against(verdict):
    assert not verdict.certificate.is_safe
    assert verdict.certificate.problem_count == len(verdict.problems)
    return {one["path"]: one["state"] for one in verdict.problems}


def entries(verdict, vault):
    place = vault / "certificates" / f"{verdict.certificate.name}.jsonl"
    assert hashlib.sha256(place.read_bytes()).hexdigest() == (
        verdict.certificate.entries_digest
    )
    return [json.loads(line) for line in place.read_text().splitlines()]


def counts(verdict):
    return {
        state: counted["count"] for state, counted in verdict.certificate.states.items()
    }


def test_a_drive_that_is_all_in_the_vault_is_safe_to_wipe(drive):
    verdict = verify(drive)
    assert verdict.certificate.is_safe and not verdict.problems
    assert counts(verdict) == {"kept": 5, "junk": 1, "empty": 1}
    assert verdict.certificate.entries == 7
    assert verdict.certificate.originals == 4
    assert why_stale(verdict.certificate) == ""


def test_an_independent_sha256sum_agrees_entry_by_entry(drive, vault):
    verdict = verify(drive)
    said = subprocess.run(
        ["find", ".", "-type", "f", "-size", "+0", "-exec", "sha256sum", "{}", "+"],
        cwd=drive,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    theirs = {
        path.removeprefix("./"): digest
        for digest, path in (line.split("  ", 1) for line in said.splitlines())
    }
    ours = {one["path"]: one["sha256"] for one in entries(verdict, vault)}
    assert {path: digest for path, digest in ours.items() if digest} == theirs
    stored = subprocess.run(
        "cat originals/*/*/*.jpg | wc -c; sha256sum originals/*/*/*.jpg",
        shell=True,
        cwd=vault,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for one in entries(verdict, vault):
        if one["state"] == "kept":
            assert one["sha256"] in stored


def test_promise_01_the_drive_is_only_read(drive):
    def state():
        return {
            path: (
                path.lstat().st_mtime_ns,
                path.lstat().st_atime_ns,
                path.lstat().st_ino,
            )
            for path in [drive, *drive.rglob("*")]
        }

    before = state()
    verify(drive)
    assert state() == before


# What stands against wiping


def test_a_flipped_bit_in_the_vault(drive):
    victim = drive / "DCIM" / "100" / "2.jpg"
    flip(original(photo_of(victim)))
    assert against(verify(drive)) == {"DCIM/100/2.jpg": "damaged"}
    assert Damage.objects.open().get().photo == photo_of(victim)


def test_a_deleted_original_names_each_file_that_leaned_on_it(drive):
    original(photo_of(drive / "copy of 1.jpg")).unlink()
    assert against(verify(drive)) == {
        "DCIM/100/1.jpg": "damaged",
        "copy of 1.jpg": "damaged",
    }


def test_a_flipped_bit_on_the_drive_under_the_same_size_and_time(drive):
    flip(drive / "DCIM" / "100" / "3.jpg", at=400)
    assert against(verify(drive)) == {"DCIM/100/3.jpg": "not_in_vault"}


def test_a_new_photo(drive):
    (drive / "new.jpg").write_bytes(picture(50))
    assert against(verify(drive)) == {"new.jpg": "not_in_vault"}


def test_a_photo_the_ledger_calls_known_and_the_vault_never_had(drive):
    (drive / "new.jpg").write_bytes(picture(50))
    row = SourceFile.objects.with_photo().first()
    row.pk, row.path, row.path_key = None, "new.jpg", "made up"
    row.save()
    assert against(verify(drive)) == {"new.jpg": "not_in_vault"}


def test_videos_and_documents_unless_the_family_says_so(drive):
    (drive / "film.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + b"\0" * 100)
    (drive / "letter.txt").write_text("Dear all")
    assert against(verify(drive)) == {"film.mp4": "video", "letter.txt": "document"}
    assert against(verify(drive, without=["videos"])) == {"letter.txt": "document"}
    accepted = verify(drive, without=["videos", "documents"])
    assert accepted.certificate.is_safe
    assert accepted.certificate.accepted == ["documents", "videos"]
    assert counts(accepted)["video"] == 1


def test_a_large_file_with_a_name_of_junk_is_no_junk(drive, monkeypatch):
    monkeypatch.setattr(kinds, "LARGEST_JUNK", 1_000)
    (drive / "._film").write_bytes(b"\0" * 1_001)
    (drive / "._note").write_bytes(b"\0" * 999)
    assert against(verify(drive)) == {"._film": "document"}


def test_a_photo_with_a_name_of_junk_is_a_photo(drive):
    (drive / "._5.jpg").write_bytes(picture(51))
    assert against(verify(drive)) == {"._5.jpg": "not_in_vault"}


def test_what_was_discarded_rests_on_the_photo_kept_instead(drive):
    gone = photo_of(drive / "DCIM" / "100" / "0.jpg")
    keeper = photo_of(drive / "DCIM" / "100" / "1.jpg")
    gone.move_to_trash(by=None, in_favour_of=keeper)
    verdict = verify(drive)
    assert verdict.certificate.is_safe
    assert counts(verdict)["discarded"] == 1
    flip(original(keeper))
    assert "DCIM/100/0.jpg" in against(verify(drive))


def test_what_was_purged_in_favour_of_a_photo_that_is_there_counts_apart(drive):
    gone = photo_of(drive / "DCIM" / "100" / "0.jpg")
    keeper = photo_of(drive / "DCIM" / "100" / "1.jpg")
    gone.move_to_trash(by=None, in_favour_of=keeper)
    before = verify(drive).certificate
    Photo.objects.filter(pk=gone.pk).update(purged_at=timezone.now())
    original(gone).unlink()
    # The trash being emptied as it was said it would be takes nothing from it.
    assert why_stale(before) == ""
    after = verify(drive)
    assert after.certificate.is_safe
    assert counts(after)["discarded"] == 1


def test_a_chain_of_keepers_is_followed_to_its_end(drive):
    one, two, three = (
        photo_of(drive / "DCIM" / "100" / f"{seed}.jpg") for seed in range(3)
    )
    one.move_to_trash(by=None, in_favour_of=two)
    two.move_to_trash(by=None, in_favour_of=three)
    assert verify(drive).certificate.is_safe
    original(three).unlink()
    names = against(verify(drive))
    assert {"DCIM/100/0.jpg", "DCIM/100/1.jpg", "DCIM/100/2.jpg"} <= names.keys()


def test_what_was_thrown_away_by_hand_is_lost_with_the_drive(drive):
    gone = photo_of(drive / "DCIM" / "100" / "0.jpg")
    Photo.objects.filter(pk=gone.pk).update(trashed_at=timezone.now())
    assert against(verify(drive)) == {"DCIM/100/0.jpg": "thrown_away"}
    assert verify(drive, without=["trashed"]).certificate.is_safe


# A hostile drive


def test_strange_names_are_each_an_entry_of_their_own(drive, vault):
    names = [
        os.fsencode(unicodedata.normalize("NFC", "Müller.jpg")),
        os.fsencode(unicodedata.normalize("NFD", "Müller.jpg")),
        b"latin \xff\xfe.jpg",
        b"UPPER.JPG",
        b"upper.jpg",
        b"new\nline.jpg",
        "\N{REPLACEMENT CHARACTER}.jpg".encode(),
    ]
    for number, name in enumerate(names):
        place = os.fsencode(drive) + b"/" + name
        Path(os.fsdecode(place)).write_bytes(picture(100 + number))
    first = verify(drive)
    assert sorted(against(first).values()) == ["not_in_vault"] * 7
    import_drive(drive, label="Blue WD")
    verdict = verify(drive)
    assert verdict.certificate.is_safe
    assert verdict.certificate.entries == 14 == sum(counts(verdict).values())
    digests = {one["path"]: one["sha256"] for one in entries(verdict, vault)}
    for number, name in enumerate(names):
        expected = hashlib.sha256(picture(100 + number)).hexdigest()
        assert digests[certifying.walk.readable(name)] == expected


def test_links_and_special_files_hold_nothing(drive):
    (drive / "link").symlink_to(drive / "DCIM")
    (drive / "loop").symlink_to(drive / "loop")
    os.mkfifo(drive / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(drive / "socket"))
        verdict = verify(drive)
    assert verdict.certificate.is_safe
    assert counts(verdict)["link"] == 2
    assert counts(verdict)["special"] == 2


def test_hard_links_and_sparse_files_are_read_like_any_other(drive):
    os.link(drive / "copy of 1.jpg", drive / "hard link.jpg")
    with (drive / "sparse.bin").open("wb") as file:
        file.truncate(5_000_000)
    assert against(verify(drive)) == {"sparse.bin": "document"}


def test_a_file_that_changes_while_it_is_read(drive, monkeypatch):
    real = rereading._hashed
    victim = drive / "DCIM" / "100" / "2.jpg"

    def write_meanwhile(descriptor, *others):
        if os.fstat(descriptor).st_ino == victim.stat().st_ino:
            victim.write_bytes(picture(2) + b"x")
        return real(descriptor, *others)

    monkeypatch.setattr(rereading, "_hashed", write_meanwhile)
    assert against(verify(drive))["DCIM/100/2.jpg"] == "changed"


def test_a_file_that_comes_after_its_folder_was_read(drive, monkeypatch):
    real = certifying._Verification.read_originals

    def add_meanwhile(self):
        (drive / "late.jpg").write_bytes(picture(52))
        real(self)

    monkeypatch.setattr(certifying._Verification, "read_originals", add_meanwhile)
    assert against(verify(drive)) == {".": "changed"}


def test_a_read_error_half_way(drive, monkeypatch):
    real = os.preadv
    victim = (drive / "DCIM" / "100" / "2.jpg").stat().st_ino

    def fail(descriptor, buffers, offset):
        if os.fstat(descriptor).st_ino == victim:
            raise OSError(5, "Input/output error")
        return real(descriptor, buffers, offset)

    monkeypatch.setattr(rereading.os, "preadv", fail)
    assert against(verify(drive)) == {"DCIM/100/2.jpg": "unreadable"}


def test_a_folder_that_cannot_be_listed(drive, monkeypatch):
    real = os.scandir
    victim = (drive / "DCIM" / "100").stat().st_ino

    def fail(here):
        if isinstance(here, int) and os.fstat(here).st_ino == victim:
            raise PermissionError(13, "Permission denied")
        return real(here)

    monkeypatch.setattr(certifying.walk.os, "scandir", fail)
    assert against(verify(drive)) == {"DCIM/100": "unreadable"}


def test_whatever_one_file_does_to_the_program_the_others_are_read(drive, monkeypatch):
    real = rereading.below

    def fail(root, path, **options):
        if path.endswith(b"2.jpg"):
            raise ZeroDivisionError
        return real(root, path, **options)

    monkeypatch.setattr(rereading, "below", fail)
    assert against(verify(drive)) == {"DCIM/100/2.jpg": "unreadable"}


def test_a_drive_pulled_out_is_no_verdict(drive, monkeypatch):
    def gone(root, path, **options):
        drive.rename(drive.with_name("elsewhere"))
        monkeypatch.setattr(rereading, "below", real)
        raise certifying.CannotRead("Input/output error", errno=5)

    real = rereading.below
    monkeypatch.setattr(rereading, "below", gone)
    with pytest.raises(DriveGone):
        verify(drive)
    assert not Certificate.objects.exists()


def test_the_vault_on_the_drive_forbids_wiping_it(drive, vault, settings, tmp_path):
    verdict = verify_drive(tmp_path, label="Everything")
    assert against(verdict)["vault"] == "the_vault"


def test_originals_reached_by_a_link_forbid_wiping_where_they_lie(drive, vault):
    (vault / "originals").rename(drive / "hidden")
    (vault / "originals").symlink_to(drive / "hidden")
    assert against(verify(drive))["."] == "the_vault"


def test_what_is_mounted_below_may_hide_files(drive, monkeypatch):
    here = certifying.drives.mounts()
    over = certifying.drives.Mount(0, "/", str(drive / "DCIM"), "ext4", "/dev/sdx")
    monkeypatch.setattr(certifying.drives, "mounts", lambda: [*here, over])
    assert against(verify(drive))["DCIM"] == "unreadable"


def test_a_folder_with_nothing_in_it_is_no_drive(vault, tmp_path):
    (tmp_path / "mountpoint").mkdir()
    with pytest.raises(Refused):
        verify_drive(tmp_path / "mountpoint")


def test_a_photo_purged_while_the_drive_is_read(drive, monkeypatch):
    real = certifying._Verification.look_again
    gone = photo_of(drive / "DCIM" / "100" / "0.jpg")
    keeper = photo_of(drive / "DCIM" / "100" / "1.jpg")

    def purge(self):
        gone.move_to_trash(by=None, in_favour_of=keeper)
        Photo.objects.filter(pk=gone.pk).update(purged_at=timezone.now())
        real(self)

    monkeypatch.setattr(certifying._Verification, "look_again", purge)
    assert not verify(drive).certificate.is_safe


def test_a_vault_that_is_unplugged_is_no_verdict(drive, vault, monkeypatch):
    def unplug(self):
        (vault / "vault.json").unlink()
        for path in (vault / "originals").glob("*/*/*"):
            path.unlink()
        real(self)

    real = certifying._Verification.read_originals
    monkeypatch.setattr(certifying._Verification, "read_originals", unplug)
    with pytest.raises(certifying.vault.NoVault):
        verify(drive)
    assert not Damage.objects.exists() and not Certificate.objects.exists()


# How long it holds


@pytest.fixture
def certificate(drive):
    return verify(drive).certificate


def test_importing_the_same_again_takes_nothing_from_it(drive, certificate):
    import_drive(drive, label="Blue WD")
    assert why_stale(certificate) == ""


@pytest.mark.parametrize("change", ["add", "remove", "touch", "replace"])
def test_it_is_stale_once_an_import_sees_another_drive(drive, certificate, change):
    victim = drive / "DCIM" / "100" / "2.jpg"
    if change == "add":
        (drive / "new.jpg").write_bytes(picture(50))
    elif change == "remove":
        victim.unlink()
    elif change == "touch":
        victim.touch()
    else:
        victim.write_bytes(picture(53))
    import_drive(drive, label="Blue WD")
    assert "drive has changed" in why_stale(certificate)


def test_it_is_stale_once_an_original_is_damaged_or_purged(drive, certificate):
    victim = photo_of(drive / "DCIM" / "100" / "2.jpg")
    damage = Damage.objects.create(photo=victim, kind=Damage.Kind.MISSING)
    assert victim.name in why_stale(certificate)
    damage.mended_at = timezone.now()
    damage.save()
    assert why_stale(certificate) == ""
    keeper = photo_of(drive / "DCIM" / "100" / "1.jpg")
    victim.move_to_trash(by=None, in_favour_of=keeper)
    Photo.objects.filter(pk=victim.pk).update(purged_at=timezone.now())
    assert victim.name in why_stale(certificate)


def test_damage_it_does_not_rest_on_takes_nothing_from_it(certificate):
    other = Photo.objects.create(digest="ab" * 32, extension="jpg", size=1, name="x")
    Damage.objects.create(photo=other, kind=Damage.Kind.MISSING)
    assert why_stale(certificate) == ""


def test_only_the_newest_holds(drive, certificate):
    newest = verify(drive).certificate
    assert "verified again" in why_stale(certificate)
    assert why_stale(newest) == ""


def test_it_is_bound_to_the_drives_own_id(certificate):
    certificate.source.volume = "uuid=another:/"
    assert "Another file system" in why_stale(certificate)


def test_a_batch_boundary_changes_nothing(drive, vault, monkeypatch):
    whole = [{**one, "reason": ""} for one in entries(verify(drive), vault)]
    monkeypatch.setattr(certifying, "BATCH", 2)
    assert [{**one, "reason": ""} for one in entries(verify(drive), vault)] == whole


def test_promise_03_an_archive_is_safe_if_all_that_is_in_it_is_kept(drive, tmp_path):
    def pack(path, **content):
        with zipfile.ZipFile(path, "w") as archive:
            for name, one in content.items():
                archive.writestr(f"{name}.jpg", one)
        return path.read_bytes()

    inner = pack(tmp_path / "inner.zip", deep=picture(12))
    pack(drive / "old.zip", one=picture(1), new=picture(11), text=b"")
    with zipfile.ZipFile(drive / "old.zip", "a") as archive:
        archive.writestr("inner.zip", inner)
    before = verify(drive).problems
    assert {(one["path"], one["state"]) for one in before} == {
        ("old.zip!/new.jpg", "not_in_vault"),
        ("old.zip!/inner.zip!/deep.jpg", "not_in_vault"),
    }
    import_drive(drive, label="Blue WD")
    safe = verify(drive)
    assert safe.certificate.is_safe
    assert safe.certificate.states["archive"]["count"] == 2
    # What is packed is read with its archive.
    on_drive = sum(path.stat().st_size for path in drive.rglob("*") if path.is_file())
    assert safe.certificate.bytes_read == on_drive
    deep = Photo.objects.get(digest=hashlib.sha256(picture(12)).hexdigest())
    original(deep).chmod(0o644)
    original(deep).unlink()
    (problem,) = verify(drive).problems
    assert problem["path"] == "old.zip!/inner.zip!/deep.jpg"
    assert problem["state"] == "damaged"
    # The archive on the drive still has its bytes.
    report = repairing.repair([drive])
    assert [one["name"] for one in report.mended] == ["deep.jpg"]
    assert verify(drive).certificate.is_safe
    flip(drive / "old.zip", at=200)
    assert not verify(drive).certificate.is_safe
    (drive / "old.zip").write_bytes(inner[:-40])
    damaged = {one["path"]: one["state"] for one in verify(drive).problems}
    assert damaged == {"old.zip": "unreadable"}
