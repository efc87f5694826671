"""The part of a file that a Range header asks for (RFC 9110, section 14)."""

from __future__ import annotations

import io
import re
from typing import BinaryIO

ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class Unsatisfiable(Exception):
    """The range asked for lies outside the file."""


def asked_range(header: str, size: int) -> range | None:
    """Return the positions of the bytes asked for, in a file of this size.

    None stands for the whole file: no range was asked for, one in other units, or several
    at once, which a server may answer with the whole. Raise Unsatisfiable.
    """
    match = ONE_RANGE.fullmatch(header.replace(" ", ""))
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1 if last else size, size)
        if last and int(last) < start:
            return None
    if start >= stop:
        raise Unsatisfiable(f"{header} of {size} bytes")
    return range(start, stop)


class Part(io.RawIOBase):
    """Some consecutive bytes of an open file, read as if they were all of it."""

    def __init__(self, file: BinaryIO, positions: range) -> None:
        file.seek(positions.start)
        self.file = file
        self.left = len(positions)

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        wanted = self.left if size is None or size < 0 else min(size, self.left)
        chunk = self.file.read(wanted)
        self.left -= len(chunk)
        return chunk

    def close(self) -> None:
        self.file.close()
        super().close()
