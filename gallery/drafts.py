"""Half-written files: nobody sees them, and none is left behind.

A draft is locked by the process that writes it for as long as that process lives. What
lies unlocked in the vault's incoming/ was left by one that died.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SUFFIX = ".draft"
# Files of others in incoming/ (uploads in transit) carry no lock.
FOREIGN_SECONDS = 24 * 60 * 60


@dataclass(slots=True, eq=False)
class Draft:
    """An open, locked file in incoming/, on its way to its place or to nothing."""

    path: Path
    descriptor: int
    size: int = 0

    def write(self, chunk: bytes | memoryview) -> None:
        """Append a chunk, all of it. Raise OSError when the disk will not take it."""
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]
        self.size += len(chunk)

    def publish(self, place: Path) -> None:
        """Move the file to its place, at once and whole, over what may be there."""
        self.path.rename(place)

    def flush_and_publish(self, place: Path, *, mode: int = 0o644) -> None:
        """Publish it with this mode when its bytes are on the disk."""
        os.fchmod(self.descriptor, mode)
        os.fsync(self.descriptor)
        self.publish(place)

    def close(self) -> None:
        """Let go of the file; what was not published is gone. May be called twice."""
        if self.descriptor >= 0:
            self.path.unlink(missing_ok=True)
            os.close(self.descriptor)
            self.descriptor = -1


def start(incoming: Path, name: str = "") -> Draft:
    """Begin a draft; `name` says whose it is, where that matters to anyone."""
    while True:
        path = incoming / f"{name or secrets.token_hex(12)}{SUFFIX}"
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(path, flags | (0 if name else os.O_EXCL), 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Between opening and locking somebody may have cleared it away.
        if os.fstat(descriptor).st_nlink:
            return Draft(path, descriptor)
        os.close(descriptor)


@contextmanager
def draft(incoming: Path, name: str = "") -> Iterator[Draft]:
    """A draft that is gone at the end unless it was published."""
    started = start(incoming, name)
    try:
        yield started
    finally:
        started.close()


def is_alive(incoming: Path, name: str) -> bool:
    """Whether the process that began the draft of this name still holds it."""
    try:
        descriptor = os.open(incoming / f"{name}{SUFFIX}", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _free(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def alone(incoming: Path, name: str, *, otherwise: Exception) -> Iterator[None]:
    """Hold the draft of this name while the block runs; raise if another holds it."""
    if is_alive(incoming, name):
        raise otherwise
    with draft(incoming, name):
        yield


def clear(incoming: Path) -> int:
    """Remove what the dead left in incoming/; return how many files that were."""
    return sum(_clear(path) for path in incoming.iterdir() if path.is_file())


def _clear(path: Path) -> bool:
    if path.suffix != SUFFIX and _age(path) < FOREIGN_SECONDS:
        return False
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        if not _free(descriptor):
            return False
        # Still locked by us: who waits for the lock sees that the file is gone.
        path.unlink(missing_ok=True)
        return True
    finally:
        os.close(descriptor)


def _free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0
