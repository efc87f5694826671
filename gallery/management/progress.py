"""How far an import has come, and of how much."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gallery import walk
from gallery.importer import Progress
from gallery.management.bars import bar


class Count:
    """What there is to see below a folder, counted beside the work; None until known."""

    def __init__(self, root: Path, exclude: walk.Exclusion | None) -> None:
        self.bytes: int | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._count, args=(root, exclude), daemon=True).start()

    def _count(self, root: Path, exclude: walk.Exclusion | None) -> None:
        total = 0
        try:
            descriptor = walk.open_quietly(None, bytes(root.resolve()))
        except OSError:
            return
        try:
            for entry in walk.walk(descriptor, exclude=exclude):
                total += entry.size
                if self._ended.is_set():
                    return
        finally:
            os.close(descriptor)
        self.bytes = total

    def end(self) -> None:
        self._ended.set()


@contextmanager
def shown(
    root: Path, *, quiet: bool, exclude: walk.Exclusion | None
) -> Iterator[Callable[[Progress], None]]:
    """What to call with each progress over a folder, as long as the block runs."""
    # Only a bar asks how much there is in all, and a second walk has its price.
    count = Count(root, exclude) if sys.stderr.isatty() and not quiet else None

    def show(at: Progress) -> None:
        words = f"{at.seen:,} entries seen, {at.imported:,} new photos"
        tell(words, at.bytes_seen, count.bytes if count else None)

    try:
        with bar(quiet=quiet) as tell:
            yield show
    finally:
        if count:
            count.end()
