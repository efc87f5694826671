"""Bytes out of archives: read by their place, unpacked piece by piece, within bounds.

Nothing an archive says of itself is believed: not its sizes, not its counts. What is
unpacked is counted, and no piece is larger than PIECE.
"""

from __future__ import annotations

import bz2
import lzma
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from gallery import originals
from gallery.originals import CannotRead
from gallery.walk import Kind

PIECE = 1 << 18  # bytes
MEMORY = 256 << 20  # bytes a dictionary may take
# An archive may unpack to this many times its size, and to FREE bytes in any case.
RATIO = 100
FREE = 1 << 30
ENTRIES = 1_000_000

CUT_SHORT = "it is cut short"
DAMAGED = "it is damaged"
NO_LIST = "it is damaged: its list of entries cannot be read"
PASSWORD = "it needs a password"


class Broken(CannotRead):
    """An archive that cannot be read, or not any further; the reason is for people."""


@dataclass(slots=True)
class Budget:
    """What an archive may still unpack to, with all archives in it."""

    room: int  # bytes
    entries: int

    @classmethod
    def of(cls, size: int) -> Budget:
        """The budget of an archive of so many bytes."""
        return cls(max(FREE, RATIO * size), ENTRIES)

    def spend(self, count: int) -> None:
        self.room -= count
        self.check()

    def check(self, *, bytes: int = 0, entries: int = 0) -> None:
        """Raise Broken if there is no room, or none for this much more."""
        if bytes > self.room or self.room < 0:
            raise Broken(
                f"refused: it unpacks to more than {RATIO} times its size, "
                f"as only a trap does"
            )
        if entries > self.entries:
            raise Broken(f"refused: it has more than {ENTRIES:,} entries")

    def count(self) -> None:
        self.check(entries=1)
        self.entries -= 1


@dataclass(frozen=True, slots=True)
class Packed:
    """One entry of an archive. `pieces` are its bytes, read when they are asked for.

    Entries come one after the other: the pieces of one are gone when the next is asked.
    """

    name: bytes
    kind: Kind = Kind.FILE
    size: int = 0  # bytes, as the archive says
    modified_ns: int | None = None  # since 1970 UTC
    reason: str = ""
    pieces: Iterator[bytes] | None = None


def raw(source: int, start: int, length: int) -> Iterator[bytes]:
    """Yield bytes of an open file. Raise CannotRead if it has not that many."""
    end = start + length
    while start < end:
        piece = at(source, start, min(PIECE, end - start))
        if not piece:
            raise Broken(CUT_SHORT)
        start += len(piece)
        yield piece


def at(source: int, start: int, length: int) -> bytes:
    """The bytes at a place of an open file, fewer at its end. Raise CannotRead."""
    try:
        return os.pread(source, length, start)
    except (OSError, OverflowError, ValueError) as error:
        if isinstance(error, OSError):
            raise originals.cannot_read(error) from error
        raise Broken(DAMAGED) from error


class Decompressor(Protocol):
    """As bz2 and lzma have it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class Inflater:
    """zlib's decompressor with the manners of the others."""

    def __init__(self, wbits: int = -15) -> None:
        self._zlib = zlib.decompressobj(wbits)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.eof and not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        data = self._zlib.unconsumed_tail + data
        return self._zlib.decompress(data, max(0, max_length))


def gzip() -> Decompressor:
    return Inflater(31)


def xz() -> Decompressor:
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=MEMORY)


STREAMS: dict[str, Callable[[], Decompressor]] = {
    "gz": gzip,
    "bz2": bz2.BZ2Decompressor,
    "xz": xz,
}


def decompressed(
    pieces: Iterable[bytes],
    make: Callable[[], Decompressor],
    *,
    several: bool = False,
) -> Iterator[bytes]:
    """Yield what pieces unpack to, in pieces.

    With `several`, one stream may follow another. Raise Broken where the bytes are
    damaged or end too soon.
    """
    rest = iter(pieces)
    data = next(rest, b"")
    decompressor = make()
    while True:
        try:
            made = decompressor.decompress(data, PIECE)
        # zlib.error and LZMAError, and what else a decompressor may think of
        except Exception as error:
            raise Broken(DAMAGED) from error
        if made:
            yield made
        data = b""
        if decompressor.eof:
            data = decompressor.unused_data or next(rest, b"")
            # tar and others fill up with zeros
            if not several or not data.strip(b"\0"):
                return
            decompressor = make()
        elif decompressor.needs_input:
            data = next(rest, b"")
            if not data:
                raise Broken(CUT_SHORT)


def spent(pieces: Iterable[bytes], budget: Budget) -> Iterator[bytes]:
    """The same pieces, counted against what may be unpacked."""
    for piece in pieces:
        budget.spend(len(piece))
        yield piece


class Pieces:
    """Pieces one after the other as one stream that is read in any lengths."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._rest = iter(pieces)
        self._piece = memoryview(b"")

    def some(self, most: int) -> bytes:
        """At most so many bytes, none only at the end."""
        if not self._piece:
            self._piece = memoryview(next(self._rest, b""))
        taken, self._piece = self._piece[:most], self._piece[most:]
        return bytes(taken)

    def read(self, count: int) -> bytes:
        """So many bytes, fewer only at the end."""
        parts = []
        while count and (part := self.some(count)):
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def take(self, count: int) -> Iterator[bytes]:
        """Yield so many bytes in pieces. Raise Broken if they end too soon."""
        while count:
            piece = self.some(min(count, PIECE))
            if not piece:
                raise Broken(CUT_SHORT)
            count -= len(piece)
            yield piece

    def skip(self, count: int) -> None:
        for _ in self.take(count):
            pass


class Rest:
    """The bytes of one entry in a stream, which has to be past them before the next."""

    def __init__(self, stream: Pieces, size: int) -> None:
        self._stream = stream
        self.left = size

    def __iter__(self) -> Iterator[bytes]:
        while self.left:
            piece = self._stream.some(min(self.left, PIECE))
            if not piece:
                raise Broken(CUT_SHORT)
            self.left -= len(piece)
            yield piece

    def skip(self) -> None:
        self._stream.skip(self.left)
        self.left = 0
