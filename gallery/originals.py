"""Originals: the untouched bytes of a file, stored once under their SHA-256.

A source is only ever read. Its bytes go into a draft while they are hashed, once; the
draft is flushed to the disk, read back from it and hashed again, made read-only, and only
then given its place. Whoever finds an original in its place finds it whole.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gallery import drafts, films, vault, walk

CHUNK = 1 << 20  # bytes
MODE = 0o444
READ = os.O_RDONLY | os.O_NONBLOCK


class CannotRead(Exception):
    """A source file could not be read, or not as one thing; the reason is for people."""

    def __init__(self, reason: str, *, errno: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.errno = errno


class VaultFails(Exception):
    """The vault's disk does not take or give back what it should; nothing can go on."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one pass over an open file gave; sizes in bytes, time in ns since 1970 UTC."""

    digest: str
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A file's bytes in a draft, hashed, and not yet stored: `keep` or `drop` it."""

    reading: Reading
    draft: drafts.Draft

    def drop(self) -> None:
        self.draft.close()


@dataclass(frozen=True, slots=True)
class Stored:
    """An original in its place; `is_new` is false if it was there before."""

    digest: str
    size: int  # bytes
    is_new: bool


class Stream:
    """Bytes that come one after the other, and only once, as out of an archive."""

    def __init__(self, pieces: Iterator[bytes], modified_ns: int) -> None:
        self._rest = pieces
        self._head = b""
        self.modified_ns = modified_ns  # since 1970 UTC

    def head(self, size: int) -> bytes:
        """The first bytes; they still come with the others. Raise CannotRead."""
        while len(self._head) < size and (piece := next(self._rest, b"")):
            self._head += piece
        return self._head[:size]

    def pieces(self) -> Iterator[bytes]:
        """Yield all bytes. Raise CannotRead."""
        if self._head:
            yield self._head
        yield from self._rest


# What can be read once: an open file, or a stream.
Readable = int | Stream


def open_source(root: int, path: bytes) -> int:
    """Open a file below a folder's descriptor for reading, and leave no trace on it.

    Raise CannotRead for what cannot be opened or is no longer a plain file.
    """
    try:
        descriptor = walk.open_quietly(root, path, READ)
    except OSError as error:
        raise cannot_read(error) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise CannotRead("it is no longer a file")
    return descriptor


def cannot_read(error: OSError) -> CannotRead:
    """The same sad fact in words."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return CannotRead("it disappeared while the drive was being read")
    if error.errno == errno.ELOOP:
        return CannotRead("it turned into a link")
    return CannotRead(error.strerror or str(error), errno=error.errno or 0)


def head(source: Readable, size: int) -> bytes:
    """The first `size` bytes of an open file or stream; raise CannotRead."""
    if isinstance(source, Stream):
        return source.head(size)
    try:
        return os.pread(source, size, 0)
    except OSError as error:
        raise cannot_read(error) from error


def film(source: Readable, size: int) -> films.Film:
    """What an open film says of itself; raise CannotRead."""
    if isinstance(source, Stream):
        # Only its start is at hand; what tells films apart often stands at the end.
        head = source.head(size=1 << 16)
        return films.film(lambda at, length: head[at : at + length], size)
    try:
        return films.film(lambda at, length: os.pread(source, length, at), size)
    except OSError as error:
        raise cannot_read(error) from error


def read(
    source: Readable, *, to: Callable[[memoryview], None] | None = None
) -> Reading:
    """Hash an open file or stream in one pass, handing each chunk on as well.

    Raise CannotRead if it cannot be read to its end, or changes meanwhile.
    """
    if isinstance(source, Stream):
        return _read_stream(source, to)
    before = os.fstat(source)
    digest = hashlib.sha256()
    size = 0
    for chunk in _chunks(source):
        digest.update(chunk)
        size += len(chunk)
        if size > before.st_size:
            # It may be growing for ever.
            break
        if to:
            to(chunk)
    after = os.fstat(source)
    if (size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or (
        size != before.st_size
    ):
        raise CannotRead("it changed while it was being read")
    return Reading(digest.hexdigest(), size, walk.storable(after.st_mtime_ns))


def _read_stream(stream: Stream, to: Callable[[memoryview], None] | None) -> Reading:
    digest = hashlib.sha256()
    size = 0
    for piece in stream.pieces():
        digest.update(piece)
        size += len(piece)
        if to:
            to(memoryview(piece))
    return Reading(digest.hexdigest(), size, stream.modified_ns)


def _chunks(descriptor: int) -> Iterator[memoryview]:
    """Yield an open file from its start; each chunk is valid until the next is asked."""
    buffer = memoryview(bytearray(CHUNK))
    offset = 0
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        while count := os.preadv(descriptor, [buffer], offset):
            yield buffer[:count]
            offset += count
    except OSError as error:
        raise cannot_read(error) from error


def take(source: Readable, incoming: Path) -> Taken:
    """Read an open file or stream once, into a draft. Raise CannotRead or VaultFails."""
    try:
        draft = drafts.start(incoming)
    except OSError as error:
        raise vault_fails(error) from error
    try:
        return Taken(read(source, to=_writer(draft)), draft)
    except BaseException:
        draft.close()
        raise


def write(descriptor: int, piece: bytes) -> None:
    """Append bytes to a file of the vault's disk. Raise VaultFails."""
    rest = memoryview(piece)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError as error:
        raise vault_fails(error) from error


def _writer(draft: drafts.Draft) -> Callable[[memoryview], None]:
    def write(chunk: memoryview) -> None:
        try:
            draft.write(chunk)
        except OSError as error:
            raise vault_fails(error) from error

    return write


def keep(taken: Taken, folder: Path, extension: str) -> Stored:
    """Give a draft its place among the vault's originals, for good.

    When this returns, the bytes are on the disk and have been read back from it. An
    original that is there already stays, unless the disk has damaged it.
    """
    reading = taken.reading
    place = vault.original(folder, reading.digest, extension)
    try:
        is_new = not is_whole(place, reading.digest)
        if is_new:
            _verify(taken)
            _place(taken.draft, place)
        else:
            # Whoever put it there may have died before its name was on the disk.
            sync(place.parent)
        return Stored(reading.digest, reading.size, is_new)
    except OSError as error:
        raise vault_fails(error) from error
    finally:
        taken.drop()


def store(source: int, folder: Path, extension: str) -> Stored:
    """Take and keep an open file. Raise CannotRead or VaultFails."""
    return keep(take(source, folder / "incoming"), folder, extension)


def is_whole(place: Path, digest: str) -> bool:
    """Whether the file is there and has this digest."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return read(descriptor).digest == digest
    except CannotRead:
        return False
    finally:
        os.close(descriptor)


def _verify(taken: Taken) -> None:
    descriptor = taken.draft.descriptor
    os.fsync(descriptor)
    # Otherwise memory would answer in the disk's stead.
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    try:
        again = read(descriptor)
    except CannotRead as error:
        raise VaultFails(f"The vault's disk cannot be read: {error.reason}.") from error
    if again.digest != taken.reading.digest:
        raise VaultFails(
            "The vault's disk gave back other bytes than were written to it. The disk "
            "or the computer's memory is failing."
        )
    os.fchmod(descriptor, MODE)


def _place(draft: drafts.Draft, place: Path) -> None:
    shelf = place.parent
    if not shelf.is_dir():
        for new in (shelf.parent, shelf):
            new.mkdir(exist_ok=True)
            sync(new.parent)
    draft.publish(place)
    sync(shelf)


def sync(folder: Path) -> None:
    """Flush a folder's list of names to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def vault_fails(error: OSError) -> VaultFails:
    """The same sad fact in words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return VaultFails("The vault's disk is full. Make room, then start again.")
    return VaultFails(f"The vault cannot be written: {error.strerror or error}.")
