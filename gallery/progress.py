"""How far a command has come: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from django.template.defaultfilters import filesizeformat
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bar

from gallery import walk
from gallery.importer import Progress

SECONDS_A_LINE = 10.0


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
    root: Path, *, stream: TextIO, exclude: walk.Exclusion | None
) -> Iterator[Callable[[Progress], None]]:
    """What to call with each progress over a folder, as long as the block runs."""
    if not stream.isatty():
        yield _lines(stream)
        return
    count = Count(root, exclude)
    bar = Bar(
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.description}"),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=Console(file=stream),
        transient=True,
    )
    task = bar.add_task("0 entries", total=None)

    def show(progress: Progress) -> None:
        words = f"{progress.seen:,} entries, {progress.imported:,} new photos"
        bar.update(
            task, completed=progress.bytes_seen, total=count.bytes, description=words
        )

    try:
        with bar:
            yield show
    finally:
        count.end()


def _lines(stream: TextIO) -> Callable[[Progress], None]:
    started = said = time.monotonic()

    def show(progress: Progress) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said < SECONDS_A_LINE:
            return
        said = now
        speed = filesizeformat(progress.bytes_seen / (now - started))
        stream.write(
            f"{progress.seen:,} entries seen, {progress.imported:,} new photos, "
            f"{filesizeformat(progress.bytes_seen)}, {speed} a second\n"
        )
        stream.flush()

    return show
