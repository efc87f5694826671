"""Copy a file so that it is there whole or not at all, and has been read back."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from gallery import originals, rereading
from gallery.originals import CannotRead

CHUNK = 1 << 20  # bytes
SUFFIX = ".part"


class NotTheSame(Exception):
    """The file to copy does not have the digest it should have; nothing was written."""


class CopyFails(Exception):
    """The disk copied to does not take or give back what it should."""


def copy(
    source: Path,
    place: Path,
    *,
    digest: str = "",
    mode: int = 0o444,
    part: Path | None = None,
) -> int:
    """Copy a file to its place, over what may be there; return its bytes.

    The copy is flushed and read back from the disk before it gets its name; until then it
    is `part`, or beside its place. Raise CannotRead, NotTheSame (against `digest`, where
    given) or CopyFails.
    """
    part = part or place.with_name(place.name + SUFFIX)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        found, size = _written(source, part)
        if digest and found != digest:
            part.unlink()
            raise NotTheSame(f"{source} is damaged: its bytes have changed.")
        if rereading.file(part).digest != found:
            raise CopyFails(f"The disk of {place} gave back other bytes than it took.")
        part.chmod(mode)
        part.replace(place)
        originals.sync(place.parent)
    except OSError as error:
        raise CopyFails(f"{place} cannot be written: {error.strerror}.") from error
    return size


def _written(source: Path, part: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    part.unlink(missing_ok=True)
    with part.open("xb") as file:
        for chunk in _chunks(source):
            digest.update(chunk)
            file.write(chunk)
            size += len(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size


def _chunks(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except OSError as error:
        raise originals.cannot_read(error) from error


def is_there(place: Path, size: int) -> bool:
    """Whether a copy made before lies there, as far as its size says."""
    try:
        return place.stat().st_size == size
    except OSError:
        return False


def is_whole(place: Path, digest: str) -> bool:
    """Whether the file is there and has this digest, read from the disk itself."""
    try:
        return rereading.file(place).digest == digest
    except (FileNotFoundError, CannotRead):
        return False
