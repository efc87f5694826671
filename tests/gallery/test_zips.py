"""Zips written while they are sent: what others unpack, never broken, never in memory."""

import io
import shutil
import subprocess
import tracemalloc
import zipfile
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery import zips
from gallery.zips import Entry

AT = datetime(2004, 7, 12, 15, 30, 44)


def instead(entry: Entry) -> str:
    return f"{entry.name} is lost."


def file(folder, name: str, content: bytes, *, at=AT) -> Entry:
    path = folder / f"{len(list(folder.iterdir()))}.bin"
    path.write_bytes(content)
    return Entry(name, len(content), at, path)


def unpacked(entries) -> zipfile.ZipFile:
    content = b"".join(zips.stream(entries, instead=instead))
    assert len(content) == zips.length(entries)
    found = zipfile.ZipFile(io.BytesIO(content))
    assert found.testzip() is None
    return found


def test_files_come_out_as_they_were_with_name_and_date(tmp_path):
    entries = [
        file(tmp_path, "beach.jpg", b"sea" * 1000),
        file(tmp_path, "Übung 海.jpg", b""),
        Entry("note.txt", 5, AT, text=b"hello"),
    ]
    found = unpacked(entries)
    assert found.namelist() == ["beach.jpg", "Übung 海.jpg", "note.txt"]
    assert found.read("beach.jpg") == b"sea" * 1000
    assert found.read("note.txt") == b"hello"
    assert found.getinfo("beach.jpg").date_time == (2004, 7, 12, 15, 30, 44)
    assert found.getinfo("beach.jpg").compress_type == zipfile.ZIP_STORED


def test_nothing_is_a_zip_too():
    assert unpacked([]).namelist() == []


@pytest.mark.parametrize(
    ("at", "kept"),
    [(datetime(1912, 3, 4), (1980, 1, 1, 0, 0, 0)), (datetime(9000, 1, 1), (2107, 12, 31, 23, 59, 58))],
)  # fmt: skip
def test_days_a_zip_cannot_say_are_the_nearest_it_can(tmp_path, at, kept):
    found = unpacked([file(tmp_path, "old.jpg", b"x", at=at)])
    assert found.getinfo("old.jpg").date_time == kept


def test_the_systems_own_unzip_finds_nothing_wrong(tmp_path):
    program = shutil.which("unzip")
    if not program:
        pytest.skip("no unzip on this machine")
    entries = [file(tmp_path, f"{n}.jpg", bytes([n]) * 5000) for n in range(20)]
    path = tmp_path / "all.zip"
    path.write_bytes(b"".join(zips.stream(entries, instead=instead)))
    assert subprocess.run([program, "-tq", path], check=False).returncode == 0


def test_a_lost_file_is_replaced_by_a_text_and_the_zip_stays_whole(tmp_path):
    lost, short = (file(tmp_path, name, b"x" * 300) for name in ("a.jpg", "b.jpg"))
    tiny = file(tmp_path, "c.jpg", b"abc")
    lost.path.unlink()
    tiny.path.unlink()
    short.path.write_bytes(b"x" * 200)
    found = unpacked([lost, short, tiny, file(tmp_path, "d.jpg", b"there")])
    assert found.read("a.jpg").rstrip() == b"a.jpg is lost."
    assert found.read("b.jpg").rstrip() == b"b.jpg is lost."
    assert found.read("c.jpg") == b"c.j"
    assert found.read("d.jpg") == b"there"


def test_a_file_that_shrinks_while_it_is_sent_breaks_off_the_download(tmp_path):
    entry = file(tmp_path, "a.jpg", b"x" * (zips.PIECE * 2))
    pieces = zips.stream([entry], instead=instead)
    next(pieces)
    next(pieces)
    with entry.path.open("r+b") as shrunk:
        shrunk.truncate(zips.PIECE)
    with pytest.raises(zips.Changed):
        list(pieces)


def test_more_files_than_a_plain_zip_can_count():
    entries = [Entry(f"{n}.txt", 1, AT, text=b"x") for n in range(70_000)]
    assert len(unpacked(entries).namelist()) == 70_000


def test_a_zip_beyond_four_gigabytes(tmp_path):
    large = tmp_path / "large.bin"
    with large.open("wb") as sparse:
        sparse.truncate((4 << 30) + 5)
    entries = [
        Entry("large.tif", (4 << 30) + 5, AT, large),
        file(tmp_path, "after.jpg", b"after"),
    ]
    path, zeros = tmp_path / "all.zip", bytes(zips.PIECE)
    with path.open("wb") as sparse:
        for piece in zips.stream(entries, instead=instead):
            # Holes stay holes, or the test would fill the disk.
            if piece == zeros[: len(piece)]:
                sparse.seek(len(piece), io.SEEK_CUR)
            else:
                sparse.write(piece)
    assert path.stat().st_size == zips.length(entries)
    found = zipfile.ZipFile(path)
    assert found.getinfo("large.tif").file_size == (4 << 30) + 5
    assert found.read("after.jpg") == b"after"


def test_a_large_file_is_never_in_memory_as_a_whole(tmp_path):
    entry = file(tmp_path, "a.jpg", b"x" * (zips.PIECE * 20))
    tracemalloc.start()
    for _ in zips.stream([entry], instead=instead):
        pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4 * zips.PIECE


def test_names_are_all_different_and_numbered():
    wanted = ["a.jpg", "A.JPG", "a.jpg", "a (2).jpg", "noext", "noext", ".hidden"]
    assert list(zips.names(wanted)) == [
        "a.jpg", "A (2).JPG", "a (3).jpg", "a (2) (2).jpg", "noext", "noext (2)", "hidden",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\boot.ini", "C__boot.ini"),
        ("con.jpg", "_con.jpg"),
        ("", "_"),
        ("...", "_"),
        ("what?.jpg", "what_.jpg"),
        ("bad\udcff.jpg", "bad_.jpg"),
        ("tab\there.jpg", "tab_here.jpg"),
    ],
)
def test_names_are_safe_on_every_system(name, safe):
    assert zips.safe(name) == safe


@given(st.lists(st.text(max_size=400), max_size=30))
def test_any_names_make_a_zip_that_is_unpacked_where_it_should(wanted):
    found = list(zips.names(wanted))
    assert len({name.casefold() for name in found}) == len(wanted)
    for name in found:
        assert name.strip(".") and not set(name) & set('/\\:*?"<>|\0')
        assert len(name.encode()) <= 255
