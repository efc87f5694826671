"""Tasks that tests give to a cluster: some take their worker down.

Each notes its start in a folder: one file, a line with its process id for each start.
"""

import ctypes
import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def noted(folder: str, name: str) -> Iterator[None]:
    with (Path(folder) / f"{name}.began").open("a") as file:
        file.write(f"{os.getpid()}\n")
    yield
    with (Path(folder) / f"{name}.done").open("a") as file:
        file.write(f"{os.getpid()}\n")


def work(folder: str, name: str, seconds: float = 0) -> None:
    with noted(folder, name):
        time.sleep(seconds)


def crash(folder: str, name: str) -> None:
    with noted(folder, name):
        ctypes.string_at(0)


def hang(folder: str, name: str) -> None:
    """Hang where no signal handler of Python's is ever run."""
    with noted(folder, name):
        sum(itertools.repeat(0))


def crash_once(folder: str, name: str) -> None:
    with noted(folder, name):
        if len(pids(Path(folder), f"{name}.began")) == 1:
            ctypes.string_at(0)


def pids(folder: Path, name: str) -> list[int]:
    file = folder / name
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def feed_nothing(room: int) -> int:
    return 0


def feed_badly(room: int) -> int:
    raise ZeroDivisionError
