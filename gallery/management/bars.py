"""How far a command that reads bytes has come: a bar, or now and then a line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from django.template.defaultfilters import filesizeformat

SECONDS_A_LINE = 10.0

# Words, bytes done, bytes in all where that is known
Tell = Callable[[str, int, int | None], None]


@contextmanager
def bar(*, quiet: bool, stream: TextIO | None = None) -> Iterator[Tell]:
    """What to call with each step, as long as the block runs."""
    stream = stream or sys.stderr
    if quiet:
        yield lambda words, done, total: None
    elif stream.isatty():
        with _drawn(stream) as tell:
            yield tell
    else:
        yield _lines(stream)


@contextmanager
def _drawn(stream: TextIO) -> Iterator[Tell]:
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.BarColumn(),
        rich.TextColumn("{task.percentage:>3.0f} %"),
        rich.TextColumn("{task.description}"),
        rich.DownloadColumn(),
        rich.TransferSpeedColumn(),
        rich.TimeRemainingColumn(elapsed_when_finished=True),
    )
    with rich.Progress(
        *columns, console=Console(file=stream), transient=True
    ) as display:
        task = display.add_task("", total=None)
        yield lambda words, done, total: display.update(
            task, description=words, completed=done, total=total
        )


def _lines(stream: TextIO) -> Tell:
    started = said = time.monotonic()

    def tell(words: str, done: int, total: int | None) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said < SECONDS_A_LINE:
            return
        said = now
        amount = filesizeformat(done)
        if total:
            amount = f"{amount} of {filesizeformat(total)}"
        speed = filesizeformat(done / (now - started))
        stream.write(f"{words}, {amount}, {speed} a second\n")
        stream.flush()

    return tell
