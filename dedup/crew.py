"""Processes that run tasks for a command, as a cluster's workers would.

Nothing of Django's models is imported here: a new process reads this first.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any


@dataclass(slots=True)
class Worker:
    """A process, the line to it, and the rows it is at."""

    process: SpawnProcess
    line: Connection
    pks: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Done:
    """A task came to its end, or took its process with it."""

    pks: list[int]
    survived: bool


class Crew:
    """So many workers, started when they are needed; one that dies is replaced."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.workers: list[Worker] = []

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.dismiss()

    @property
    def busy(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.pks]

    @property
    def room(self) -> int:
        """How many more tasks it can take."""
        return self.size - len(self.busy)

    def start(self, task: str, pks: list[int]) -> None:
        """Give a task to a worker at rest; there must be room."""
        worker = next((one for one in self.workers if not one.pks), None)
        if worker is None:
            worker = _hired()
            self.workers.append(worker)
        worker.pks = pks
        worker.line.send((task, pks))

    def next_done(self) -> Done:
        """Wait for a task to end."""
        by_line = {worker.line: worker for worker in self.busy}
        line = wait(list(by_line))[0]
        assert isinstance(line, Connection)
        worker = by_line[line]
        pks, worker.pks = worker.pks, []
        try:
            line.recv()
        except (EOFError, OSError):
            self.workers.remove(worker)
            worker.process.join()
            return Done(pks, survived=False)
        return Done(pks, survived=True)

    def dismiss(self) -> None:
        """Have everybody put back what is not yet begun, and go."""
        for worker in self.workers:
            worker.process.terminate()
        for worker in self.workers:
            worker.process.join()
        self.workers = []


def _hired() -> Worker:
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_work, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    return Worker(process, ours)


def _work(line: Connection) -> None:
    """Run what comes down the line until it is cut."""
    import django

    django.setup()
    from django.utils.module_loading import import_string

    from imagevault import board

    ours = board.put_up()

    def stop(*_: Any) -> None:
        ours.stopping = 1

    # Who pressed Ctrl-C speaks to the command, which speaks to its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    os.nice(5)
    while not ours.stopping:
        if not line.poll(0.5):
            continue
        try:
            task, pks = line.recv()
            import_string(task)(pks)
            line.send(None)
        except (EOFError, OSError):
            return
