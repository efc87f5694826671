"""django-q2's cluster, telling its watchdog how it is and giving in when it is stuck.

Its processes share queues guarded by locks. A worker killed while it waits for work
holds such a lock, and with it every other worker; the same goes for the processes that
fetch and that store. Only a worker killed at work can be replaced. So the guard ends
the cluster after any other violent death, and the watchdog starts a new one.
"""

import logging
import os
import time
from typing import Any

import django_q.cluster
from django.db import Error as DatabaseError
from django_q.signals import (
    post_execute,
    post_execute_in_worker,
    post_spawn,
    pre_execute,
)

from imagevault.board import Board, Here
from imagevault.processes import let_forks_die_with_parent, stand_back
from imagevault.queue import DatabaseQueue, count_start

logger = logging.getLogger(__name__)

STUCK = 70  # exit status


class Guard(django_q.cluster.Sentinel):
    """django-q2's sentinel, which watches the processes of a cluster."""

    board: Board

    def __init__(self, *arguments: Any, **options: Any) -> None:
        assert Here.board
        self.board = Here.board
        super().__init__(*arguments, **options)

    def spawn_worker(self) -> None:
        taken = {worker.slot for worker in self.pool}
        slot = next(n for n in range(len(self.board.slots)) if n not in taken)
        self.board.slots[slot].busy = 0
        # The worker is forked from here and finds its slot in place.
        Here.slot = slot
        super().spawn_worker()
        self.pool[-1].slot = slot

    def status(self) -> str:
        """Say how the cluster is; asked for at every round of the guard."""
        self.board.waiting = self.task_queue.qsize()
        self.board.unsaved = self.result_queue.qsize()
        slots = [self.board.slots[worker.slot] for worker in self.pool]
        self.board.idle = sum(not slot.busy for slot in slots)
        self.board.guarded = time.monotonic()
        return super().status()

    def reincarnate(self, process: Any) -> None:
        slot = self.board.slots[process.slot] if process in self.pool else None
        busy = slot is not None and bool(slot.busy)
        if (process.exitcode or 0) < 0 and not busy:
            logger.error("%s was killed and may have left the cluster stuck", process)
            os._exit(STUCK)
        message = slot.message if slot and busy else 0
        super().reincarnate(process)
        if message:
            release(message)


def release(message: int) -> None:
    """Let another worker take at once what a dead one was at."""
    try:
        DatabaseQueue.release(message)
    except DatabaseError as error:
        logger.warning("message %s is taken again only later: %s", message, error)


def settle(**_: Any) -> None:
    """Make this process a worker."""
    stand_back()
    note_beginning()


def begin(task: dict[str, Any], **_: Any) -> None:
    """Note that this worker takes up a task, before the task can take it down."""
    note_beginning()
    slot = own_slot()
    slot.message = task.get("ack_id") or 0
    slot.busy = 1
    if slot.message:
        try:
            count_start(slot.message)
        except DatabaseError as error:
            logger.warning("the start of %s was not counted: %s", task["name"], error)


def end(**_: Any) -> None:
    own_slot().busy = 0


def own_slot() -> Any:
    assert Here.board
    return Here.board.slots[Here.slot]


def note_beginning() -> None:
    assert Here.board
    Here.board.began = time.monotonic()


def note_result(**_: Any) -> None:
    assert Here.board
    Here.board.saved = time.monotonic()


class Cluster(django_q.cluster.Cluster):
    def stop(self) -> bool:
        if self.sentinel is None:  # asked to stop before it has started
            raise SystemExit(0)
        return bool(super().stop())


def run() -> int:
    """Be a cluster until a signal ends it; return the exit status.

    Whoever calls has put up a board and leads a process group of its own.
    """
    let_forks_die_with_parent()
    post_spawn.connect(settle)
    pre_execute.connect(begin)
    post_execute_in_worker.connect(end)
    post_execute.connect(note_result)
    # There is no other way to put in a sentinel of one's own.
    django_q.cluster.Sentinel = Guard
    cluster = Cluster()
    cluster.start()
    while cluster.sentinel.is_alive():
        time.sleep(0.1)
    return int(cluster.sentinel.exitcode or 0)
