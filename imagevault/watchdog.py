"""The watchdog of a cluster: starts it, sees when it is stuck or dead, starts it again.

The cluster is forked into a process group of its own, so that it can be ended as a
whole, and shares a notice board with the watchdog. It ends with the watchdog, even one
that was killed. What the cluster was at is taken up again by the next.
"""

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from django import db
from django.conf import settings
from django_q.brokers import get_broker
from django_q.status import Stat

from imagevault import cluster
from imagevault.board import Board, put_up
from imagevault.processes import die_with, is_alive, kill_group
from imagevault.queue import DatabaseQueue, unanswered

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
# So often a queue that is a server of its own is asked whether it is there.
ASK_SECONDS = 5.0
# A status older than this belongs to a cluster that is gone: django-q2 renews it twice
# a second and lets it lapse after three.
STATUS_SECONDS = 3.5
# What the guard and the process that stores results may be busy with: waiting for a
# locked database takes 20 s.
GUARD_SECONDS = 60.0
FETCH_SECONDS = 600.0
# A cluster that ends sooner is started again only after a pause that doubles.
SHORT_LIFE_SECONDS = 3.0
LONGEST_PAUSE_SECONDS = 30.0


@dataclass(slots=True)
class Symptoms:
    """What on a board shows that a cluster is stuck, if it stays so for too long."""

    quiet: float
    since: dict[str, tuple[float, float]] = field(default_factory=dict)

    def diagnose(self, board: Board, now: float) -> str:
        """Return what is wrong with the cluster, nothing while it may be well.

        `now` is in seconds, on any clock that goes on steadily.
        """
        for sign, beat, limit in self.seen(board):
            known = self.since.get(sign)
            if known is None or known[0] != beat:
                self.since[sign] = (beat, now)
            elif now - known[1] > limit:
                return sign
        return ""

    def seen(self, board: Board) -> Iterator[tuple[str, float, float]]:
        """Yield each sign that shows, the moment that would prove it wrong, its limit."""
        signs = (
            (
                "tasks wait and no idle worker takes one",
                bool(board.waiting and board.idle),
                board.began,
                self.quiet,
            ),
            (
                "results wait and are not stored",
                bool(board.unsaved),
                board.saved,
                GUARD_SECONDS,
            ),
            (
                "the guard does not look after its workers",
                True,
                board.guarded,
                GUARD_SECONDS,
            ),
            ("the queue is not read", not board.waiting, board.fetched, FETCH_SECONDS),
        )
        for sign, shows, beat, limit in signs:
            if shows:
                yield sign, beat, limit
            else:
                self.since.pop(sign, None)


class Watchdog:
    """Runs a cluster until it is asked to stop."""

    def __init__(self, *, stop_seconds: float) -> None:
        self.stop_seconds = stop_seconds
        self.asked_to_stop = False

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.ask_to_stop)
        pause = 0.0
        while self.has_queue():
            born = time.monotonic()
            self.live_through_one_cluster()
            if time.monotonic() - born > SHORT_LIFE_SECONDS:
                pause = 0.0
            self.wait(pause)
            pause = min(max(2 * pause, 1.0), LONGEST_PAUSE_SECONDS)

    def ask_to_stop(self, *_: object) -> None:
        self.asked_to_stop = True

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.asked_to_stop and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)

    def has_queue(self) -> bool:
        """Wait until the queue answers; return false if asked to stop instead."""
        if (server := unanswered()) and not self.asked_to_stop:
            logger.error(
                "Redis does not answer at %s. Background work waits, and goes on by "
                "itself when Redis is back; the pages need no Redis.",
                server,
            )
            while unanswered() and not self.asked_to_stop:
                self.wait(ASK_SECONDS)
            if not self.asked_to_stop:
                logger.warning("Redis is back, and background work goes on.")
        return not self.asked_to_stop

    def live_through_one_cluster(self) -> None:
        release_orphans()
        board = put_up()
        # A connection must not be used on both sides of a fork.
        db.connections.close_all()
        leader = start()
        reason = self.watch(leader, board)
        kill_group(leader)
        if reason:
            logger.error("background work is started again: %s", reason)

    def watch(self, leader: int, board: Board) -> str:
        """Watch until the cluster is to be ended; return why, nothing if it was asked."""
        symptoms = Symptoms(quiet=settings.QUIET_SECONDS)
        asked = time.monotonic()
        while not self.asked_to_stop:
            if has_ended(leader):
                return "it has ended"
            if trouble := symptoms.diagnose(board, time.monotonic()):
                end(leader)
                return trouble
            if time.monotonic() - asked > ASK_SECONDS:
                asked = time.monotonic()
                if unanswered():
                    break
            time.sleep(LOOK_SECONDS)
        board.stopping = 1
        stop(leader, seconds=self.stop_seconds)
        return ""


def start() -> int:
    """Fork a cluster that leads its own process group; return its process id."""
    sys.stdout.flush()
    sys.stderr.flush()
    watchdog = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = cluster.STUCK
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        die_with(watchdog)
        status = cluster.run()
    except Exception:
        logger.exception("the cluster could not run")
    finally:
        os._exit(status)


def has_ended(leader: int) -> bool:
    """Say whether a cluster has ended, and collect its exit status if so."""
    try:
        return os.waitpid(leader, os.WNOHANG)[0] == leader
    except ChildProcessError:
        return True


def stop(leader: int, *, seconds: float) -> None:
    """Ask a cluster to stop, and end it if it does not within so many seconds."""
    until = time.monotonic() + seconds
    os.kill(leader, signal.SIGTERM)
    while not has_ended(leader):
        if time.monotonic() > until:
            logger.warning("background work took too long to stop and was ended")
            end(leader)
            return
        time.sleep(LOOK_SECONDS)


def end(leader: int) -> None:
    kill_group(leader)
    os.waitpid(leader, 0)


def release_orphans() -> None:
    """Let what a dead cluster was at be taken up again, unless another one lives."""
    broker = get_broker()
    if not isinstance(broker, DatabaseQueue):
        return
    try:
        if others_live():
            time.sleep(STATUS_SECONDS)
        if not others_live():
            broker.release_all()
    except db.Error as error:
        logger.warning("what was left half-way is taken up only later: %s", error)


def others_live() -> bool:
    """Say whether any cluster works on this queue, here or on another machine."""
    here = socket.gethostname()
    return any(
        status.host != here or is_alive(status.sentinel) for status in Stat.get_all()
    )
