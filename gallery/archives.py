"""Archives read in place, as if they were folders: zip, tar and 7z, one in another.

Nothing is written but what a nested archive needs, without a name, for as long as it is
read. What an archive calls its entries is only ever a name in the ledger, no place on a
disk.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import count
from pathlib import Path, PurePosixPath

from gallery import formats, originals, seven_zip, tar_entries, walk, zip_entries
from gallery.originals import CannotRead, Stream
from gallery.unpacking import STREAMS, Broken, Budget, Packed, decompressed
from gallery.walk import Entry, Exclusion, Kind

logger = logging.getLogger(__name__)

MARK = "!/"  # between an archive and what is in it
_MARKS = re.compile("!+/")
DEEPEST = 3  # archives in archives

READERS: dict[str, Callable[[int, Budget], Iterator[Packed]]] = {
    "zip": zip_entries.entries,
    "7z": seven_zip.entries,
    **tar_entries.READERS,
}
# Documents and programs that are zips inside; taken apart they would be of no use.
_DOCUMENTS = {
    *("docx", "docm", "dotx", "xlsx", "xlsm", "pptx", "pptm", "ppsx", "vsdx", "xps"),
    *("odt", "ods", "odp", "odg", "odf", "ott", "sxw", "sxc", "sxi", "epub", "kmz"),
    *("pages", "numbers", "key", "sketch", "jar", "war", "apk", "ipa", "xpi", "crx"),
    *("whl", "3mf", "idml", "mscz", "sb3", "ggb", "appx", "nupkg", "vsix"),
}
_DOCUMENT_STARTS = (b"[Content_Types].xml", b"mimetype", b"_rels/", b"META-INF/")
_TARS = {".tgz", ".tbz", ".tbz2", ".txz"}
_PACKED = {b"\x1f\x8b\x08": "gz", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz"}


def kind(head: bytes, name: str) -> str | None:
    """A key of READERS for an archive that begins so, None for any other file.

    `head` is the first formats.HEAD bytes, or the whole file. Never raises.
    """
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return None if _is_document(head, name) else "zip"
    if head.startswith(seven_zip.MAGIC):
        return "7z"
    for magic, packed in _PACKED.items():
        if head.startswith(magic):
            return f"tar.{packed}" if _holds_tar(head, packed, name) else None
    return "tar" if tar_entries.is_header(head) else None


def _is_document(head: bytes, name: str) -> bool:
    extension = PurePosixPath(name).suffix.lower().removeprefix(".")
    return extension in _DOCUMENTS or head[30:].startswith(_DOCUMENT_STARTS)


def _holds_tar(head: bytes, packed: str, name: str) -> bool:
    try:
        start = next(decompressed(iter((head,)), STREAMS[packed]), b"")
    except Broken:
        # bzip2 gives nothing before it has read most of a megabyte.
        stem = PurePosixPath(name.lower())
        return stem.suffix in _TARS or PurePosixPath(stem.stem).suffix == ".tar"
    return tar_entries.is_header(start)


@dataclass(frozen=True, slots=True)
class Inner:
    """An entry of an archive, and its bytes if it has any that can be read."""

    entry: Entry
    stream: Stream | None = None


@dataclass(frozen=True, slots=True)
class End:
    """An archive that was read: to its end, or as far as the reason says."""

    entry: Entry
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Archive:
    """An open archive; its entries' paths begin with `prefix`."""

    entry: Entry
    source: int
    prefix: str

    def contents(
        self, kind: str, *, spool: Path, exclude: Exclusion | None = None
    ) -> Iterator[Inner | End]:
        """Yield all that is in the archive, and last the archive itself.

        Archives in it are gone through in the same way. Each entry's stream has to be
        read before the next one is asked for. `spool` is a folder on a disk with room.
        Raise VaultFails if that disk takes no more.
        """
        walker = _Walker(Budget.of(self.entry.size), spool, exclude)
        for one in walker.archive(self.entry, self.source, kind, self.prefix, 1):
            if one.entry is self.entry and has_changed(self.source, self.entry):
                one = End(self.entry, "it changed while it was being read")
            yield one


def has_changed(source: int, entry: Entry) -> bool:
    """Whether an open file is no longer what the walk saw."""
    now = os.fstat(source)
    return (now.st_size, walk.storable(now.st_mtime_ns)) != (
        entry.size,
        entry.modified_ns,
    )


@contextmanager
def opened(root: int, entry: Entry) -> Iterator[Archive]:
    """An archive below a folder's descriptor. Raise CannotRead."""
    source = originals.open_source(root, walk.raw(entry.path))
    try:
        yield Archive(entry, source, prefix(root, entry.path))
    finally:
        os.close(source)


@contextmanager
def stream(root: int, path: str, *, spool: Path) -> Iterator[Stream]:
    """The bytes of what lies in an archive, by its path in the ledger. Raise CannotRead."""
    archive = _outermost(root, path)
    try:
        head = originals.head(archive.source, formats.HEAD)
        kind_found = kind(head, archive.entry.name)
        # Held for as long as the block runs, with the archive in it that it is reading.
        contents = archive.contents(kind_found, spool=spool) if kind_found else ()
        for one in contents:
            if isinstance(one, Inner) and one.entry.path == path and one.stream:
                yield one.stream
                return
        raise CannotRead("the archive has it no more")
    finally:
        os.close(archive.source)


def _outermost(root: int, path: str) -> Archive:
    """The file on the drive in which this lies, open."""
    for mark in _MARKS.finditer(path):
        outermost = path[: mark.start()]
        try:
            source = originals.open_source(root, walk.raw(outermost))
        except CannotRead:
            continue
        now = os.fstat(source)
        modified_ns = walk.storable(now.st_mtime_ns)
        entry = Entry(outermost, Kind.FILE, now.st_size, modified_ns)
        return Archive(entry, source, path[: mark.end()])
    raise CannotRead("it lies in no archive")


def prefix(root: int, path: str) -> str:
    """Where the entries of this archive are to be found, below a folder's descriptor.

    That is `path!/`, unless a real folder has that name.
    """
    mark = "!"
    while walk.is_there(root, walk.raw(path + mark)):
        mark += "!"
    return f"{path}{mark}/"


class _Walker:
    """Goes through one archive and those in it, which share what they may unpack to."""

    def __init__(self, budget: Budget, spool: Path, exclude: Exclusion | None) -> None:
        self.budget = budget
        self.spool = spool
        self.exclude = exclude
        # By a part of their digest: a path names one entry, whatever archives say.
        self.taken: set[bytes] = set()

    def archive(
        self, entry: Entry, source: int, kind: str, prefix: str, depth: int
    ) -> Iterator[Inner | End]:
        reason = ""
        try:
            for packed in READERS[kind](source, self.budget):
                self.budget.count()
                path = _free(prefix + _name(packed.name), self.taken)
                yield from self.entry(_entry(packed, path, entry), packed, depth)
                self.budget.check()
        except CannotRead as error:
            reason = error.reason
        except originals.VaultFails:
            raise
        # Whatever one archive does to this program, what is beside it is read.
        except Exception as error:
            logger.exception("reading the archive %r failed", entry.path)
            reason = f"reading it failed: {error!r}"
        yield End(entry, reason)

    def entry(self, entry: Entry, packed: Packed, depth: int) -> Iterator[Inner | End]:
        if self.exclude and (why := excluded(entry.path, self.exclude)):
            yield Inner(replace(entry, kind=Kind.EXCLUDED, reason=why))
            return
        if packed.pieces is None:
            yield Inner(entry)
            return
        stream = Stream(packed.pieces, entry.modified_ns or 0)
        try:
            # Also of what is said to be empty: it may be not.
            inner_kind = kind(stream.head(formats.HEAD), entry.name)
        except CannotRead as error:
            yield _unreadable(entry, error.reason)
            return
        if not entry.size:
            yield Inner(entry)
        elif inner_kind is None:
            yield Inner(entry, stream)
        elif depth >= DEEPEST:
            yield End(entry, f"refused: more than {DEEPEST} archives in one another")
        else:
            yield from self.nested(entry, stream, inner_kind, depth + 1)

    def nested(
        self, entry: Entry, stream: Stream, kind: str, depth: int
    ) -> Iterator[Inner | End]:
        """An archive's list may stand at its end: it is unpacked before it is read."""
        with _unnamed(self.spool) as file:
            try:
                for piece in stream.pieces():
                    originals.write(file.fileno(), piece)
            except CannotRead as error:
                yield End(entry, error.reason)
                return
            yield from self.archive(
                entry, file.fileno(), kind, entry.path + MARK, depth
            )


def _unnamed(folder: Path) -> tempfile._TemporaryFileWrapper[bytes]:
    try:
        return tempfile.TemporaryFile(dir=folder, buffering=0)  # type: ignore[return-value]
    except OSError as error:
        raise originals.vault_fails(error) from error


def _entry(packed: Packed, path: str, archive: Entry) -> Entry:
    # Nothing in an archive is younger than the archive.
    modified_ns = packed.modified_ns
    if modified_ns is None:
        modified_ns = archive.modified_ns
    else:
        modified_ns = walk.storable(modified_ns)
    size = min(packed.size, walk.LONGEST_NS)
    return Entry(path, packed.kind, size, modified_ns, packed.reason)


def _unreadable(entry: Entry, reason: str) -> Inner:
    return Inner(replace(entry, kind=Kind.UNREADABLE, reason=reason))


def excluded(path: str, exclude: Exclusion) -> str:
    """Why an entry is left out, itself or with a folder it lies in; "" if it is not."""
    at = path.find(MARK) + 1
    while at > 0:
        at = path.find("/", at + 1)
        above = path if at < 0 else path[:at]
        if why := exclude(above, above.rpartition("/")[2]):
            return why
    return ""


def _name(name: bytes) -> str:
    """An entry's name as a path below its archive, whatever it says."""
    parts = name.replace(b"\0", b"_").split(b"/")
    inside = b"/".join(part for part in parts if part not in (b"", b".", b".."))
    return walk.readable(inside or b"without a name")


def _free(path: str, taken: set[bytes]) -> str:
    """The path, with a number if there has been one like it."""
    folder, slash, name = path.rpartition("/")
    stem, dot, extension = name.partition(".")
    for number in count(2):
        key = blake2b(path.encode(), digest_size=8).digest()
        if key not in taken:
            taken.add(key)
            break
        path = f"{folder}{slash}{stem} ({number}){dot}{extension}"
    return path
