import os
import socket
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gallery import junk, walk
from gallery.walk import Kind

NAMES = st.binary(min_size=1, max_size=60).filter(
    lambda name: b"\0" not in name and b"/" not in name
)


def walked(root, **options):
    descriptor = os.open(root, walk.DIRECTORY)
    try:
        return list(walk.walk(descriptor, **options))
    finally:
        os.close(descriptor)


def kinds(root, **options):
    return {entry.path: entry.kind for entry in walked(root, **options)}


@given(NAMES)
@example("\N{REPLACEMENT CHARACTER}".encode())
@example("\N{REPLACEMENT CHARACTER}e9".encode())
@example(b"\xed\xa0\x80")
def test_every_name_can_be_written_and_turned_back(name):
    text = walk.readable(name)
    assert walk.raw(text) == name
    text.encode()


@given(NAMES, NAMES)
def test_two_names_are_never_written_alike(one, other):
    assert (walk.readable(one) == walk.readable(other)) == (one == other)


@pytest.mark.parametrize("text", ["a\N{REPLACEMENT CHARACTER}b", "\ufffd", "\ufffd41"])
def test_text_that_no_name_is_written_as_is_refused(text):
    with pytest.raises(ValueError, match="not written by readable"):
        walk.raw(text)


def test_a_folders_files_come_by_name_before_its_folders(tmp_path):
    for path in ("b/2", "b/1", "a/x/1", "a/y", "z", "c"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    paths = [entry.path for entry in walked(tmp_path)]
    assert paths == ["c", "z", "a/y", "a/x/1", "b/1", "b/2"]


def test_size_and_modification_time_are_told(tmp_path):
    (tmp_path / "one").write_bytes(b"12345")
    os.utime(tmp_path / "one", ns=(1, 1_234_567_891_234_567_891))
    (entry,) = walked(tmp_path)
    assert (entry.size, entry.modified_ns) == (5, 1_234_567_891_234_567_891)


def test_links_are_seen_and_not_followed(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "out").symlink_to("/etc/passwd")
    (tmp_path / "nowhere").symlink_to("missing")
    assert set(kinds(tmp_path).values()) == {Kind.LINK}
    assert len(kinds(tmp_path)) == 3


def test_pipes_and_sockets_are_special_and_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        before = Path.cwd()
        os.chdir(tmp_path)
        try:
            listening.bind("socket")
        finally:
            os.chdir(before)
        assert kinds(tmp_path) == {"pipe": Kind.SPECIAL, "socket": Kind.SPECIAL}


def test_paths_longer_than_the_system_takes_are_walked_and_opened(tmp_path):
    here = os.open(tmp_path, walk.DIRECTORY)
    for _ in range(30):
        os.mkdir("d" * 200, dir_fd=here)
        inner = os.open("d" * 200, walk.DIRECTORY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("photo.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    (entry,) = walked(tmp_path)
    assert len(entry.path) > 4096
    root = os.open(tmp_path, walk.DIRECTORY)
    os.close(walk.open_below(root, walk.raw(entry.path), os.O_RDONLY))
    os.close(root)


def test_a_link_on_the_way_is_refused_when_opening(tmp_path):
    (tmp_path / "link").symlink_to("/etc/passwd")
    root = os.open(tmp_path, walk.DIRECTORY)
    try:
        with pytest.raises(OSError, match="symbolic links"):
            walk.open_below(root, b"link", os.O_RDONLY)
    finally:
        os.close(root)


@pytest.mark.parametrize("name", [b"caf\xe9.jpg", b"a\nb\x1b[31m", b"  ", b"\xff\xfe"])
def test_strange_names_are_walked(tmp_path, name):
    descriptor = os.open(bytes(tmp_path) + b"/" + name, os.O_CREAT | os.O_WRONLY)
    os.close(descriptor)
    (entry,) = walked(tmp_path)
    assert walk.raw(entry.path) == name


def test_the_vault_inside_is_one_entry(tmp_path):
    (tmp_path / "vault/originals").mkdir(parents=True)
    (tmp_path / "vault/originals/x").write_text("x")
    found = (tmp_path / "vault").stat()
    assert kinds(tmp_path, skip=(found.st_dev, found.st_ino)) == {
        "vault": Kind.EXCLUDED
    }


def test_a_file_system_of_the_kernel_is_one_entry(tmp_path):
    (tmp_path / "proc").mkdir()
    found = tmp_path.stat()
    # The root itself is what was asked for, whatever it is.
    assert kinds(tmp_path, kernel={found.st_dev: "proc"}) == {"proc": Kind.SPECIAL}


def test_an_excluded_folder_is_one_entry(tmp_path):
    for path in ("Cache/1", "Cache/2", "keep/note.tmp", "keep/photo"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(path)
    found = walked(tmp_path, exclude=junk.exclusion(["Cache", "*.tmp"]))
    assert [(entry.path, entry.reason) for entry in found] == [
        ("Cache", "matches Cache"),
        ("keep/note.tmp", "matches *.tmp"),
        ("keep/photo", ""),
    ]


def test_a_folder_that_vanishes_is_an_entry_with_its_reason(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "0").write_text("first")
    descriptor = os.open(tmp_path, walk.DIRECTORY)
    walking = walk.walk(descriptor)
    next(walking)
    (tmp_path / "a").rmdir()
    (entry,) = walking
    os.close(descriptor)
    assert (entry.path, entry.kind) == ("a", Kind.UNREADABLE)
    assert entry.reason == "No such file or directory"


def test_a_walk_leaves_no_descriptor_open(tmp_path):
    for number in range(5):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}/file").write_text("x")
    before = len([*Path("/proc/self/fd").iterdir()])
    walked(tmp_path)
    assert len([*Path("/proc/self/fd").iterdir()]) == before


@pytest.mark.parametrize(
    "name", ["Thumbs.db", ".DS_Store", "._IMG_1.JPG", "Desktop.ini"]
)
def test_what_computers_leave_behind_is_junk(name):
    assert junk.rule(name)


@pytest.mark.parametrize("name", ["letter.doc", "_MG_1.txt", "thumbs.dbx"])
def test_other_files_are_no_junk(name):
    assert not junk.rule(name)
