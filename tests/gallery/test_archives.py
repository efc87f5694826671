"""Archives are read as folders are, and one made by an enemy harms nobody."""

import hashlib
import io
import os
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gallery import archives, formats, originals, unpacking, walk

# Made by 7-Zip from the files below.
MADE_BY_7ZIP = Path(__file__).parent / "archives"
ONE = b"\xff\xd8\xff" + bytes((at * 7919 >> 3) % 256 for at in range(900))
TWO = b"\xff\xd8\xff" + b"zwei " * 40
NAMED = {"one.jpg": ONE, "ferien/zwei ü.jpg": TWO, "empty.txt": b""}


@dataclass
class Read:
    """What an archive gave: what could be read, why the rest could not, and its end."""

    content: dict[str, bytes]
    refused: dict[str, str]
    kinds: dict[str, walk.Kind]
    ends: dict[str, str]
    modified_ns: dict[str, int]

    @property
    def end(self):
        return next(reversed(self.ends.values()))


def read(made: bytes, folder: Path, *, name="a.zip", exclude=None) -> Read | None:
    (folder / name).write_bytes(made)
    found = (folder / name).stat()
    entry = walk.Entry(name, walk.Kind.FILE, found.st_size, found.st_mtime_ns)
    kind = archives.kind(made[: formats.HEAD], name)
    if kind is None:
        return None
    result = Read({}, {}, {}, {}, {})
    root = os.open(folder, os.O_RDONLY)
    try:
        with archives.opened(root, entry) as archive:
            for one in archive.contents(kind, spool=folder, exclude=exclude):
                note(result, one)
    finally:
        os.close(root)
    assert [path.name for path in folder.iterdir()] == [name]
    return result


def note(result, one):
    path = one.entry.path
    assert path not in result.kinds and path not in result.ends
    if isinstance(one, archives.End):
        result.ends[path] = one.reason
        return
    result.kinds[path] = one.entry.kind
    result.modified_ns[path] = one.entry.modified_ns
    if one.entry.reason:
        result.refused[path] = one.entry.reason
    try:
        stream = one.stream
        content = b"".join(stream.pieces()) if stream else b""
    except originals.CannotRead as error:
        result.refused[path] = error.reason
    else:
        if one.entry.kind is walk.Kind.FILE:
            result.content[path] = content


def zipped(*named, method=zipfile.ZIP_DEFLATED, streamed=False):
    made = io.BytesIO()
    with zipfile.ZipFile(_Pipe(made) if streamed else made, "w", method) as archive:
        for name, content in named:
            archive.writestr(name, content)
    return made.getvalue()


class _Pipe:
    """What cannot be sought in, so that sizes follow the bytes."""

    def __init__(self, file):
        self.write, self.flush = file.write, file.flush


def tarred(*named, packed="", format=tarfile.PAX_FORMAT):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=f"w:{packed}", format=format) as archive:
        for name, content in named:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1234567890
            archive.addfile(info, io.BytesIO(content))
    return made.getvalue()


MAKERS = {
    "stored": lambda *named: zipped(*named, method=zipfile.ZIP_STORED),
    "deflated": zipped,
    "zip of bzip2": lambda *named: zipped(*named, method=zipfile.ZIP_BZIP2),
    "zip of lzma": lambda *named: zipped(*named, method=zipfile.ZIP_LZMA),
    "streamed": lambda *named: zipped(*named, streamed=True),
    "tar": tarred,
    "gnu": lambda *named: tarred(*named, format=tarfile.GNU_FORMAT),
    "ustar": lambda *named: tarred(*named, format=tarfile.USTAR_FORMAT),
    "tar.gz": lambda *named: tarred(*named, packed="gz"),
    "tar.bz2": lambda *named: tarred(*named, packed="bz2"),
    "tar.xz": lambda *named: tarred(*named, packed="xz"),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_every_kind_gives_back_every_byte_and_name(kind, tmp_path):
    found = read(MAKERS[kind](*NAMED.items()), tmp_path, name="a.x")
    assert found.content == {f"a.x!/{name}": one for name, one in NAMED.items()}
    assert found.ends == {"a.x": ""}


@pytest.mark.parametrize(
    "name", ["lzma2", "lzma", "bzip2", "deflate", "copy", "apart", "delta", "filtered"]
)
def test_what_7zip_packs_is_read(name, tmp_path):
    found = read((MADE_BY_7ZIP / f"{name}.7z").read_bytes(), tmp_path, name="a")
    pictures = {path: one for path, one in found.content.items() if "exe" not in path}
    assert pictures == {f"a!/{name}": one for name, one in NAMED.items()}
    assert found.kinds["a!/link.jpg"] is walk.Kind.LINK
    assert found.modified_ns["a!/one.jpg"] == 1234567890 * 10**9
    assert found.ends == {"a": ""}
    # Only programs are packed by what is not known here.
    assert not found.refused.keys() - {"a!/prog.exe"}


def test_what_cannot_be_unpacked_says_why(tmp_path):
    def reasons(name):
        found = read((MADE_BY_7ZIP / f"{name}.7z").read_bytes(), tmp_path, name="a")
        return {*found.refused.values()}, found.end

    assert reasons("password") == ({"it needs a password"}, "")
    assert reasons("hidden") == (set(), "it needs a password")
    assert reasons("ppmd") == (
        {"it is packed by a method not known here (030401)"},
        "",
    )
    locked = bytearray(zipped(("a.jpg", ONE)))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        locked[locked.index(mark) + at] |= 1
    found = read(bytes(locked), tmp_path, name="a")
    assert found.refused == {"a!/a.jpg": "it needs a password"}


def test_names_are_only_names(tmp_path):
    odd = [
        ("/etc/passwd", "etc/passwd"),
        ("../../up.jpg", "up.jpg"),
        ("a//./b.jpg", "a/b.jpg"),
        ("..", "without a name"),
        ("twice.jpg", "twice.jpg"),
        ("./twice.jpg", "twice (2).jpg"),
    ]
    for make in (tarred, zipped):
        found = read(make(*[(name, b"x") for name, _ in odd]), tmp_path, name="a")
        assert [*found.content] == [f"a!/{name}" for _, name in odd]
    inner = zipped(("x.jpg", b"1"))
    clash = zipped(("b.zip", inner), ("b.zip!/x.jpg", b"2"))
    assert read(clash, tmp_path, name="a").content == {
        "a!/b.zip!/x.jpg": b"1",
        "a!/b.zip!/x (2).jpg": b"2",
    }
    dos = zipped(("Gr_n.jpg", b"x")).replace(b"Gr_n", b"Gr\x81n")
    assert [*read(dos, tmp_path, name="a").content] == ["a!/Grün.jpg"]
    latin = tarred(("Gr_n.jpg", b"x"), format=tarfile.USTAR_FORMAT)
    latin = latin.replace(b"Gr_n", b"Gr\xfcn").replace(*checksums(b"_", b"\xfc", latin))
    (path,) = read(latin, tmp_path, name="a").content
    assert walk.raw(path) == b"a!/Gr\xfcn.jpg"


def checksums(old, new, block):
    """The checksum of a tar header, and the one after a byte of it was changed."""
    before = int(block[148:154], 8)
    return b"%06o\0" % before, b"%06o\0" % (before + new[0] - old[0])


def test_archives_in_archives_are_read_so_deep_and_no_deeper(tmp_path):
    nested = zipped(("one.jpg", ONE))
    for name in ("c.tar", "b.zip"):
        nested = zipped((name, nested)) if name == "b.zip" else tarred((name, nested))
    found = read(nested, tmp_path, name="a")
    deep = "a!/b.zip!/c.tar!/one.jpg"
    assert found.content == {deep: ONE}
    assert found.ends == {"a!/b.zip!/c.tar": "", "a!/b.zip": "", "a": ""}
    deeper = read(zipped(("z.zip", nested)), tmp_path, name="a")
    assert deeper.content == {}
    assert deeper.ends["a!/z.zip!/b.zip!/c.tar"].startswith("refused: more than 3")


def test_documents_that_are_zips_inside_stay_documents(tmp_path):
    word = zipped(("[Content_Types].xml", "<xml/>"), ("word/image1.jpg", ONE))
    assert read(word, tmp_path, name="letter") is None
    assert read(zipped(("x", b"x")), tmp_path, name="Brief.DOCX") is None
    assert read(b"PKZIP is a name", tmp_path) is None
    assert read(zlib.compress(b"x" * 1000), tmp_path) is None


def test_traps_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "FREE", 1 << 20)
    zeros = b"\0" * (8 << 20)
    for made in (zipped(("a.bmp", zeros)), tarred(("a.bmp", zeros), packed="xz")):
        found = read(made, tmp_path, name="a")
        assert "more than 100 times its size" in found.end
        assert not found.content
    # One piece of packed bytes that a hundred entries unpack.
    found = read(overlapping(100), tmp_path, name="a")
    assert "over each other" in found.end and not found.content
    # A list that says less than there is.
    lying = bytearray(zipped(("a.bmp", zeros)))
    at = lying.index(b"PK\1\2")
    struct.pack_into("<L", lying, at + 24, 1000)
    found = read(bytes(lying), tmp_path, name="a")
    assert found.refused == {"a!/a.bmp": "it is larger than the archive's list says"}
    monkeypatch.setattr(unpacking, "ENTRIES", 50)
    found = read(tarred(*[(f"{at}", b"") for at in range(60)]), tmp_path, name="a")
    assert found.end.startswith("refused: it has more than 50 entries")


def overlapping(count):
    made = zipped(("a.jpg", ONE))
    start, end = made.index(b"PK\1\2"), made.index(b"PK\5\6")
    lines = made[start:end] * count
    last = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(lines), start, 0)
    return made[:start] + lines + last


def test_what_is_before_the_cut_is_read(tmp_path):
    for kind in ("stored", "streamed", "tar", "tar.gz", "tar.xz"):
        made = MAKERS[kind](("a.jpg", ONE), ("b.jpg", os.urandom(90_000)))
        found = read(made[:-80_000], tmp_path, name="a")
        assert found.content["a!/a.jpg"] == ONE, kind
        assert found.end.startswith("it is cut short"), kind
    made = bytearray(zipped(("a.jpg", ONE), ("b.jpg", TWO)))
    made[40] ^= 255
    found = read(bytes(made), tmp_path, name="a")
    assert found.refused.keys() == {"a!/a.jpg"}
    assert found.content == {"a!/b.jpg": TWO}


def test_a_folder_of_that_name_is_not_mixed_up_with_an_archive(tmp_path):
    (tmp_path / "a.zip!").mkdir()
    root = os.open(tmp_path, os.O_RDONLY)
    assert archives.prefix(root, "a.zip") == "a.zip!!/"
    assert archives.prefix(root, "b.zip") == "b.zip!/"
    os.close(root)


def test_what_is_left_out_is_left_out_with_its_folder(tmp_path):
    made = tarred(("cache/a/1.jpg", b"x"), ("b/1.jpg", b"x"))
    exclude = lambda path, name: "by choice" if name == "cache" else ""  # noqa: E731
    found = read(made, tmp_path, name="a", exclude=exclude)
    assert found.kinds == {
        "a!/cache/a/1.jpg": walk.Kind.EXCLUDED,
        "a!/b/1.jpg": walk.Kind.FILE,
    }


names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
some = st.lists(st.tuples(names, st.binary(max_size=300)), max_size=6)
an_archive = st.tuples(st.sampled_from(sorted(MAKERS)), some)
QUICK = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def made_of(kind, named):
    clean = [(name, one) for name, one in named if name.strip("/.")]
    if kind == "ustar":
        clean = [(hashlib.md5(name.encode()).hexdigest(), one) for name, one in clean]
    clean = [(f"{name}.txt", one) for name, one in clean]
    return MAKERS[kind](*clean), [one for _, one in clean]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@QUICK
@given(an_archive, st.sampled_from(sorted(MAKERS)))
def test_nothing_is_lost_and_nothing_made_up(tmp_path, one, outer):
    made, contents = made_of(*one)
    packed = MAKERS[outer](("inner", made))
    for found in (read(made, tmp_path, name="a"), read(packed, tmp_path, name="a")):
        if found is None:
            assert not contents  # an empty tar is nothing that can be told
            continue
        assert sorted(found.content.values()) == sorted(contents) or not contents
        assert not any(found.ends.values())


@pytest.mark.filterwarnings("ignore:Duplicate name")
@QUICK
@given(an_archive, st.data())
def test_no_damage_raises_and_none_goes_unnoticed(tmp_path, one, data):
    made, contents = made_of(*one)
    damaged = bytearray(made[: data.draw(st.integers(1, len(made)))])
    is_cut = len(damaged) < len(made)
    for _ in range(0 if is_cut else data.draw(st.integers(0, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(
            st.integers(0, 255)
        )
    found = read(bytes(damaged), tmp_path, name="a.tbz")
    has_checksums = one[0] not in ("tar", "gnu", "ustar")
    if found and is_cut and has_checksums:
        assert found.end or len(found.content) == len(contents)
        assert {*found.content.values()} <= {*contents}


@QUICK
@given(st.sampled_from(sorted(MADE_BY_7ZIP.glob("*.7z"))), st.data())
def test_no_damage_of_a_7z_raises(tmp_path, path, data):
    damaged = bytearray(path.read_bytes())
    damaged = damaged[: data.draw(st.integers(8, len(damaged)))]
    for _ in range(data.draw(st.integers(0, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(
            st.integers(0, 255)
        )
    sound = data.draw(st.booleans())
    if sound and len(damaged) > 32:
        mend(damaged)
    found = read(bytes(damaged), tmp_path, name="a")
    if found and not sound:
        assert {*found.content.values()} - {ONE, TWO, b""} <= {
            one for name, one in found.content.items() if "exe" in name
        }


def mend(damaged):
    """Make the checksums of the list right again, so that it is read and believed."""
    offset, length = struct.unpack_from("<QQ", damaged, 12)
    listed = bytes(damaged[32 + offset : 32 + offset + length])
    struct.pack_into("<L", damaged, 28, zlib.crc32(listed))
    struct.pack_into("<L", damaged, 8, zlib.crc32(bytes(damaged[12:32])))
