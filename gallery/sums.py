"""SHA256SUMS: what `sha256sum -c` needs to check the vault without any of this program.

One file for the whole vault, a line for each original. What is new is appended, so that
a batch costs the same in a large vault as in a small one; only when originals were taken
away is the file written anew. A line may stand there twice after a power cut, which
checks one original twice and harms nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from gallery import drafts, originals, vault

NAME = "SHA256SUMS"


def line(digest: str, extension: str) -> bytes:
    place = vault.original(Path(), digest, extension)
    return f"{digest}  {place.as_posix()}\n".encode()


def append(folder: Path, lines: Iterable[bytes]) -> None:
    """Add lines at the end; they are on the disk when this returns."""
    text = b"".join(lines)
    if not text:
        return
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    descriptor = os.open(folder / NAME, flags, 0o644)
    try:
        end = _whole_lines(descriptor)
        os.ftruncate(descriptor, end)
        rest = memoryview(text)
        while rest:
            written = os.pwrite(descriptor, rest, end)
            rest, end = rest[written:], end + written
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _whole_lines(descriptor: int) -> int:
    """Where the last whole line ends: a power cut may have left half a one."""
    end = os.fstat(descriptor).st_size
    while end:
        start = max(end - 4096, 0)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def write(folder: Path, lines: Iterable[bytes]) -> None:
    """Write the file anew, whole or not at all."""
    with drafts.draft(folder / "incoming") as draft:
        waiting: list[bytes] = []
        for one in lines:
            waiting.append(one)
            if len(waiting) == 10_000:
                draft.write(b"".join(waiting))
                waiting = []
        draft.write(b"".join(waiting))
        draft.flush_and_publish(folder / NAME)
    originals.sync(folder)
