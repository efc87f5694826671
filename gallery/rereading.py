"""Reading a file again from the disk itself, and not from the memory of having read it.

What was read or written a moment ago lies in the page cache, and would be found there
whole whatever the disk has made of it. So the file is read past the cache (O_DIRECT)
where its file system can do that, and elsewhere the cache is asked to forget it first.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import mmap
import os
import stat
from pathlib import Path

from gallery import originals, walk
from gallery.originals import CannotRead, Reading

# Of both a page and a sector of any disk a multiple, as reading past the cache asks.
CHUNK = 4 << 20  # bytes
DIRECT = getattr(os, "O_DIRECT", 0)
PLAIN = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


def below(root: int, path: bytes, *, head: int = 0) -> tuple[Reading, bytes]:
    """Read a file below a folder's descriptor, and leave no trace on it.

    Return also its first `head` bytes. Raise CannotRead if it cannot be read to its end
    as one thing.
    """
    try:
        descriptor = walk.open_quietly(root, path, originals.READ | DIRECT)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise originals.cannot_read(error) from error
        descriptor = originals.open_source(root, path)
    return _read_and_close(descriptor, head)


def file(place: Path) -> Reading:
    """Read a file of the vault. Raise CannotRead; FileNotFoundError if it is not there."""
    try:
        descriptor = _opened(place)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise originals.cannot_read(error) from error
    return _read_and_close(descriptor, 0)[0]


def _opened(place: Path) -> int:
    try:
        return os.open(place, PLAIN | DIRECT)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return os.open(place, PLAIN)


def _read_and_close(descriptor: int, head: int) -> tuple[Reading, bytes]:
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise CannotRead("it is not a file")
        return _read(descriptor, head)
    finally:
        os.close(descriptor)


def _read(descriptor: int, head: int) -> tuple[Reading, bytes]:
    # For file systems that take O_DIRECT and do not keep to it, or do not take it.
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    before = os.fstat(descriptor)
    first = bytearray()
    digest, size = _hashed(descriptor, before.st_size, first, head)
    after = os.fstat(descriptor)
    if (size, after.st_size, after.st_mtime_ns) != (
        before.st_size,
        before.st_size,
        before.st_mtime_ns,
    ):
        raise CannotRead("it changed while it was being read")
    return Reading(digest, size, walk.storable(after.st_mtime_ns)), bytes(first)


def _hashed(
    descriptor: int, expected: int, first: bytearray, head: int
) -> tuple[str, int]:
    """The digest and size of what can be read; not much beyond what is expected.

    The first `head` bytes are put into `first`.
    """
    digest = hashlib.sha256()
    size = 0
    # A mapping of its own begins at a page, which reading past the cache asks for.
    with mmap.mmap(-1, CHUNK) as buffer, memoryview(buffer) as view:
        while size <= expected:
            count = _chunk(descriptor, view, size)
            if not count:
                break
            with view[:count] as chunk:
                digest.update(chunk)
                if len(first) < head:
                    first += chunk[: head - len(first)]
            size += count
    return digest.hexdigest(), size


def _chunk(descriptor: int, view: memoryview, offset: int) -> int:
    try:
        return os.preadv(descriptor, [view], offset)
    except OSError as error:
        if error.errno != errno.EINVAL or not _through_the_cache(descriptor):
            raise originals.cannot_read(error) from error
    try:
        return os.preadv(descriptor, [view], offset)
    except OSError as error:
        raise originals.cannot_read(error) from error


def _through_the_cache(descriptor: int) -> bool:
    """Go on with ordinary reading; return false if that is what was done already.

    After a short read the next offset may not suit the disk.
    """
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    if not flags & DIRECT:
        return False
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags & ~DIRECT)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    return True
