"""Files that arrive in pieces: each lies in uploads/ until it is whole.

What has arrived is what the file holds, so that a death at any moment loses at most bytes
that were still on their way. One at a time may write; who that is holds a lock that the
kernel takes back when it dies.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW


class Busy(Exception):
    """Somebody else is writing to this file at the moment."""


class Gone(Exception):
    """There is no such file, or not any more."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file that has arrived in part, open and locked."""

    path: Path
    descriptor: int

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return os.fstat(self.descriptor).st_size

    def head(self, size: int) -> bytes:
        """The first `size` bytes, or what there is of them."""
        return os.pread(self.descriptor, size, 0)

    def append(self, chunk: bytes) -> None:
        """Write a chunk behind what is there. Raise OSError when the disk will not."""
        offset = self.size
        rest = memoryview(chunk)
        while rest:
            written = os.pwrite(self.descriptor, rest, offset)
            offset += written
            rest = rest[written:]

    def cut(self, size: int) -> None:
        """Forget what lies behind the first `size` bytes."""
        os.ftruncate(self.descriptor, size)

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)


def begin(path: Path) -> None:
    """Make room for a file of which nothing has arrived."""
    os.close(os.open(path, FLAGS | os.O_CREAT | os.O_EXCL, 0o600))


def arrived(path: Path) -> int | None:
    """How many bytes have arrived, None where there is no such file."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


@contextmanager
def opened(path: Path) -> Iterator[Part]:
    """The file, for this thread alone. Raise Busy or Gone."""
    try:
        descriptor = os.open(path, FLAGS)
    except FileNotFoundError as error:
        raise Gone(path.name) from error
    try:
        _lock(path, descriptor)
        yield Part(path, descriptor)
    finally:
        os.close(descriptor)


def _lock(path: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise Busy(path.name) from error
    # Between opening and locking it may have become an original, which nobody writes to.
    try:
        is_same = os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        is_same = False
    if not is_same:
        raise Gone(path.name)
