import hashlib
import os
import stat
import subprocess
import sys

import pytest

from gallery import drafts, originals
from gallery import vault as vaults

BYTES = bytes(range(256)) * 8_200  # two chunks and a bit


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source.jpg"
    path.write_bytes(BYTES)
    return path


def opened(path):
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        return originals.open_source(folder, os.fsencode(path.name))
    finally:
        os.close(folder)


def stored(path, vault):
    descriptor = opened(path)
    try:
        return originals.store(descriptor, vault, "jpg")
    finally:
        os.close(descriptor)


def files(vault, folder="originals"):
    return [path for path in (vault / folder).rglob("*") if path.is_file()]


def test_promise_02_an_original_is_the_bytes_read(source, vault):
    result = stored(source, vault)
    digest = hashlib.sha256(BYTES).hexdigest()
    assert result == originals.Stored(digest, len(BYTES), True)
    place = vaults.original(vault, digest, "jpg")
    assert place.read_bytes() == BYTES
    assert stat.S_IMODE(place.stat().st_mode) == 0o444
    assert not files(vault, "incoming")


def test_promise_02_bytes_are_read_back_before_they_have_a_place(source, vault):
    descriptor = opened(source)
    taken = originals.take(descriptor, vault / "incoming")
    os.close(descriptor)
    # What a failing disk does.
    os.pwrite(taken.draft.descriptor, b"x", 1_000_000)
    with pytest.raises(originals.VaultFails, match="other bytes"):
        originals.keep(taken, vault, "jpg")
    assert not files(vault)
    assert not files(vault, "incoming")


def test_the_same_bytes_are_stored_once(source, vault):
    assert stored(source, vault).is_new
    (place,) = files(vault)
    before = place.stat()
    assert not stored(source, vault).is_new
    assert files(vault) == [place]
    assert place.stat() == before


def test_a_damaged_original_is_healed_by_the_same_bytes(source, vault):
    stored(source, vault)
    (place,) = files(vault)
    place.chmod(0o644)
    place.write_bytes(BYTES[:-1] + b"!")
    assert stored(source, vault).is_new
    assert place.read_bytes() == BYTES


def test_a_file_that_grows_meanwhile_is_not_stored(source, vault, monkeypatch):
    descriptor = opened(source)
    write = drafts.Draft.write

    def write_and_grow(draft, chunk):
        write(draft, chunk)
        with source.open("ab") as more:
            more.write(b"more")

    monkeypatch.setattr(drafts.Draft, "write", write_and_grow)
    with pytest.raises(originals.CannotRead, match="changed while"):
        originals.take(descriptor, vault / "incoming")
    os.close(descriptor)
    assert not files(vault, "incoming")


def test_a_file_touched_meanwhile_is_not_stored(source, vault, monkeypatch):
    descriptor = opened(source)
    write = drafts.Draft.write

    def write_and_touch(draft, chunk):
        write(draft, chunk)
        os.utime(source, ns=(1, 1))

    monkeypatch.setattr(drafts.Draft, "write", write_and_touch)
    with pytest.raises(originals.CannotRead, match="changed while"):
        originals.take(descriptor, vault / "incoming")
    os.close(descriptor)


def test_reading_a_source_does_not_touch_its_access_time(source, vault):
    os.utime(source, ns=(1_000_000_000, 2_000_000_000))
    before = source.stat()
    stored(source, vault)
    assert source.stat() == before


def test_a_file_that_cannot_be_read_has_its_reason():
    # A process's memory refuses to be read where nothing is mapped.
    proc = os.open("/proc/self", os.O_RDONLY)
    try:
        descriptor = originals.open_source(proc, b"mem")
        with pytest.raises(originals.CannotRead, match="Input/output error"):
            originals.head(descriptor, 10)
        os.close(descriptor)
    finally:
        os.close(proc)


@pytest.mark.parametrize("what", ["missing", "folder", "link"])
def test_what_turned_into_something_else_is_not_read(tmp_path, what):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    with pytest.raises(originals.CannotRead):
        opened(tmp_path / what)


FULL = """
import os, resource, sys
from pathlib import Path
from gallery import originals
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    originals.store(os.open(sys.argv[1], os.O_RDONLY), Path(sys.argv[2]), "jpg")
except originals.VaultFails as error:
    print(error)
"""


def test_a_disk_that_takes_no_more_ends_the_run_and_leaves_nothing(source, vault):
    done = subprocess.run(
        [sys.executable, "-c", FULL, source, vault],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "The vault cannot be written: File too large." in done.stdout
    assert not files(vault)
    assert not files(vault, "incoming")
