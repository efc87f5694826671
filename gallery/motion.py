"""Motion photos: a JPEG or HEIC with its film behind the picture, in one file.

Google's cameras say so in XMP (MotionPhoto, formerly MicroVideo); Samsung's in a trailer
of its own. The film itself is told by its first box.
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from pathlib import Path

from gallery import films

HEAD = 256 << 10  # bytes in which XMP lies
MARKS = (b"MotionPhoto", b"MicroVideo")
SAMSUNG, TRAILER = b"SEFT", b"SEFH"
# Pictures of this container begin with the same box as films do.
FORMATS = ("JPEG", "HEIC")


@dataclass(frozen=True, slots=True)
class Motion:
    """Where in a file its film lies, and how long it runs."""

    start: int
    stop: int
    seconds: float | None

    @property
    def positions(self) -> range:
        return range(self.start, self.stop)


def find(path: Path) -> Motion | None:
    """The film behind a picture, None where there is none. Raise OSError."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = os.pread(file.fileno(), HEAD, 0)
        is_samsung = os.pread(file.fileno(), 4, max(size - 4, 0)) == SAMSUNG
        if not is_samsung and not any(mark in head for mark in MARKS):
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _film(content, size)


def _film(content: mmap.mmap, size: int) -> Motion | None:
    """The last part of a file that begins as a film does."""
    at = size
    while (at := content.rfind(b"ftyp", 12, at)) > 0:
        start = at - 4
        if films.is_video(content[start : start + 32]):
            stop = content.rfind(TRAILER, start) if content[-4:] == SAMSUNG else size
            stop = stop if stop > start else size
            film = films.film(
                lambda where, length: content[start + where : start + where + length],  # noqa: B023
                stop - start,
            )
            return Motion(start, stop, film.seconds)
    return None
