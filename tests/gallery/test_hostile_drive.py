"""A drive on which everything is as bad as drives get: nothing is lost, all is told."""

import errno
import json
import os
import socket
import subprocess
import sys
import unicodedata
from contextlib import contextmanager

import pytest

from gallery import originals, rereading, walk
from gallery.certifying import verify_drive
from gallery.importer import import_drive
from gallery.models import Keep, Photo, SourceFile
from gallery.vault import original
from tests import pictures
from tests.conftest import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

NFC, NFD = (unicodedata.normalize(form, "Zoë.jpg") for form in ("NFC", "NFD"))
STRANGE = [
    *(b"caf\xe9.jpg", b"\xff\xfe.jpg", NFC.encode(), NFD.encode(), b"A.JPG", b"a.jpg"),
    *(
        b"new\nline.jpg",
        b"-rf.jpg",
        b"\xef\xbf\xbd.jpg",
        b" .jpg",
        b"x" * 251 + b".jpg",
    ),
]
HALF = 1_000  # bytes that can be read of the broken file
# More than 32 bits can say; it takes no room on the disk.
LARGE = 5 << 30 if os.environ.get("IMAGEVAULT_TEST_LARGE") else 8 << 20


def picture(seed):
    return pictures.jpeg(pictures.scene(seed=seed, size=(96, 64)))


@pytest.fixture
def drive(vault, tmp_path):
    root = tmp_path / "drive"
    (root / "deep").mkdir(parents=True)
    for seed, name in enumerate(STRANGE):
        (root / os.fsdecode(name)).write_bytes(picture(seed))
    os.link(root / "a.jpg", root / "deep" / "the same file.jpg")
    (root / "deep" / "loop").symlink_to(root)
    (root / "itself").symlink_to("itself")
    (root / "nowhere.jpg").symlink_to("/nowhere.jpg")
    (root / "empty.jpg").touch()
    with (root / "sparse.bin").open("wb") as file:
        file.truncate(LARGE)
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(root / "socket"))
    for name in ("locked.jpg", "changing.jpg"):
        (root / name).write_bytes(picture(90) + name.encode())
    # Deeper than a path may be long.
    deep = os.open(root, os.O_RDONLY)
    for _ in range(40):
        os.mkdir("d" * 100, dir_fd=deep)
        inner = os.open("d" * 100, os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = inner
    file = os.open("far.jpg", os.O_WRONLY | os.O_CREAT, dir_fd=deep)
    os.write(file, picture(50))
    os.close(file)
    os.close(deep)
    return root


def entries(root):
    """Independently of the program: every entry that is no folder."""
    found = subprocess.run(
        ["find", ".", "-mindepth", "1", "!", "-type", "d", "-printf", "%P\\0"],
        cwd=root,
        capture_output=True,
        check=True,
    )
    return sorted(found.stdout.split(b"\0")[:-1])


def sha256sum(root):
    """Independently of the program: path of each file with content, to its digest."""
    said = subprocess.run(
        "find . -type f -size +0 -print0 | xargs -0 sha256sum -z",
        shell=True,
        cwd=root,
        capture_output=True,
        check=True,
    ).stdout
    lines = (line.partition(b"  ./") for line in said.split(b"\0")[:-1])
    return {path: digest.decode() for digest, _two, path in lines}


def ledger():
    rows = SourceFile.objects.current().values_list("path", "outcome")
    return {walk.raw(path): outcome for path, outcome in rows}


def listed(verdict, vault):
    place = vault / "certificates" / f"{verdict.certificate.name}.jsonl"
    return [json.loads(line) for line in place.read_text().splitlines()]


@contextmanager
def broken_by_fuse(root, tmp_path):
    """A file system that fails half-way through a file, mounted on the drive."""
    behind, here = tmp_path / "behind", root / "broken"
    behind.mkdir()
    here.mkdir()
    (behind / "half.jpg").write_bytes(picture(70))
    (behind / "whole.jpg").write_bytes(picture(71))
    command = [sys.executable, "-m", "tests.faulty_drive", behind, here]
    faults = json.dumps({"half.jpg": HALF})
    with subprocess.Popen(
        [*command, faults], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as server:
        if server.stdout.readline() != b"mounted\n":
            pytest.skip(server.stderr.read().decode().strip())
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", here], check=True)
    for file in behind.iterdir():
        file.rename(here / file.name)


def is_open_as(descriptor, path):
    return os.path.samestat(os.fstat(descriptor), path.stat())


@contextmanager
def broken_by_injection(root, monkeypatch):
    """The same by reads that fail, where nothing can be mounted."""
    (root / "broken").mkdir()
    (root / "broken" / "half.jpg").write_bytes(picture(70))
    (root / "broken" / "whole.jpg").write_bytes(picture(71))
    real = os.preadv

    def preadv(descriptor, buffers, offset, *flags):
        if (
            is_open_as(descriptor, root / "broken" / "half.jpg")
            and offset + len(buffers[0]) > HALF
        ):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, buffers, offset, *flags)

    with monkeypatch.context() as patch:
        patch.setattr(os, "preadv", preadv)
        yield


@contextmanager
def locked_and_changing(root, monkeypatch):
    """One file must not be opened; another grows whenever it is read."""
    real_open, real_below = walk.open_quietly, rereading.below
    real_read = originals.read

    def open_quietly(below, path, *flags):
        # Nothing is locked for root, who may run the tests.
        if path == b"locked.jpg":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real_open(below, path, *flags)

    def grow():
        with (root / "changing.jpg").open("ab") as file:
            file.write(b".")

    def read(source, *, to=None):
        if is_open_as(source, root / "changing.jpg"):
            return real_read(source, to=lambda chunk: (grow(), to and to(chunk)))
        return real_read(source, to=to)

    def below(folder, path, **options):
        if path != b"changing.jpg":
            return real_below(folder, path, **options)
        try:
            return real_below(folder, path, **options)
        finally:
            grow()

    with monkeypatch.context() as patch:
        patch.setattr(walk, "open_quietly", open_quietly)
        patch.setattr(originals, "read", read)
        patch.setattr(rereading, "below", below)
        yield


@pytest.mark.parametrize("how", ["fuse", "injection"])
def test_promise_03_totals_add_up_and_sha256sum_agrees_entry_by_entry(
    drive, vault, tmp_path, monkeypatch, how
):
    broken = (
        broken_by_fuse(drive, tmp_path)
        if how == "fuse"
        else broken_by_injection(drive, monkeypatch)
    )
    with broken:
        with locked_and_changing(drive, monkeypatch):
            there = entries(drive)
            report = import_drive(drive, label="Hostile")
            assert report.seen == sum(report.outcomes.values()) == len(there)
            assert sorted(ledger()) == there
            unread = {one.path: one.reason for one in report.unreadable}
            assert unread.keys() == {"locked.jpg", "changing.jpg", "broken/half.jpg"}
            assert "changed while" in unread["changing.jpg"]
            verdict = verify_drive(drive, label="Hostile")
        assert verdict.certificate.entries == len(there)
        against = {one["path"] for one in verdict.problems}
        assert against >= {*unread, "sparse.bin"}
        assert b"broken/whole.jpg" in {
            walk.raw(one["path"]) for one in listed(verdict, vault) if one["sha256"]
        }
    # The drive was made whole; what is no picture is kept as well.
    report = import_drive(drive, label="Hostile", keep=[Keep.DOCUMENTS])
    assert report.seen == sum(report.outcomes.values()) == len(entries(drive))
    verdict = verify_drive(drive, label="Hostile")
    assert verdict.certificate.is_safe, verdict.problems
    found = listed(verdict, vault)
    assert sorted(walk.raw(one["path"]) for one in found) == entries(drive)
    sums = sha256sum(drive)
    assert {
        walk.raw(one["path"]): one["sha256"] for one in found if one["sha256"]
    } == sums
    assert len(sums) == len(STRANGE) + 7
    states = verdict.certificate.states.values()
    assert sum(one["count"] for one in states) == len(found)
    named_in_the_proof(drive, vault)


def named_in_the_proof(drive, vault):
    """One bit, one original, one file more: each is named, and then it is safe again."""

    def problems():
        return {one["path"] for one in verify_drive(drive, label="Hostile").problems}

    name = os.fsdecode(STRANGE[0])
    said = walk.readable(STRANGE[0])
    content = (drive / name).read_bytes()
    times = (drive / name).stat()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    (drive / name).write_bytes(flipped)
    os.utime(drive / name, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert problems() == {said}
    (drive / name).write_bytes(content)
    os.utime(drive / name, ns=(times.st_atime_ns, times.st_mtime_ns))

    photo = Photo.objects.get(sightings__path=said, sightings__replaced_in=None)
    place = original(vault, photo.digest, photo.extension)
    whole = place.read_bytes()
    place.unlink()
    (drive / "deep" / "new.jpg").write_bytes(picture(99))
    assert problems() == {said, "deep/new.jpg"}
    place.write_bytes(whole)
    (drive / "deep" / "new.jpg").unlink()
    assert not problems()
