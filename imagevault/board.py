"""The notice board of a cluster: memory in which its processes say how far they are.

The watchdog makes it and forks the cluster, so that all of them see it. There are no
locks: a process killed while it held one would take the others with it, and every field
has one writer, or writers whose order does not matter.
"""

import ctypes
import mmap
import time

MAX_WORKERS = 1024


class Slot(ctypes.Structure):
    """What one worker is at."""

    busy: int
    message: int

    _fields_ = [
        ("busy", ctypes.c_int64),
        # Row of the queue it works on; 0 where the queue has none.
        ("message", ctypes.c_int64),
    ]


class Board(ctypes.Structure):
    """Moments are on the monotonic clock, in seconds."""

    stopping: int
    guarded: float
    fetched: float
    began: float
    saved: float
    waiting: int
    unsaved: int
    idle: int
    slots: ctypes.Array[Slot]

    _fields_ = [
        ("stopping", ctypes.c_int64),
        # When the guard last looked after its workers, the queue was last asked, a
        # task last began, and a result was last stored.
        ("guarded", ctypes.c_double),
        ("fetched", ctypes.c_double),
        ("began", ctypes.c_double),
        ("saved", ctypes.c_double),
        # Fetched tasks that have not begun, results not yet stored, workers at rest.
        ("waiting", ctypes.c_int64),
        ("unsaved", ctypes.c_int64),
        ("idle", ctypes.c_int64),
        ("slots", Slot * MAX_WORKERS),
    ]


class Here:
    """The board of the cluster this process belongs to, and its own slot on it."""

    board: Board | None = None
    slot: int = 0


def put_up() -> Board:
    """Make a board that this process and all it forks will share."""
    Here.board = Board.from_buffer(mmap.mmap(-1, ctypes.sizeof(Board)))
    return Here.board


def is_stopping() -> bool:
    """Say whether this process belongs to a cluster that is to stop soon."""
    return Here.board is not None and bool(Here.board.stopping)


class Budget:
    """The time a task may take; it is spent early when the cluster is to stop."""

    def __init__(self, seconds: float) -> None:
        self.ends = time.monotonic() + seconds

    @property
    def is_spent(self) -> bool:
        return is_stopping() or time.monotonic() >= self.ends
