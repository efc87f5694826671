"""The queue: how work is handed to django-q2, and how an idle cluster asks for more.

What is to be done stands in rows; a message on the queue only says who does which of
them next. So a cluster whose queue has run dry asks the feeders of the settings: each
claims what is outstanding and queues it, a few tasks at a time.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from pickle import UnpicklingError
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.brokers.orm import ORM
from django_q.brokers.redis_broker import Redis
from django_q.conf import Conf
from django_q.models import OrmQ, Task
from django_q.signing import BadSignature, SignedPackage
from django_q.tasks import async_task

from gallery import vault
from gallery.models import StepQuerySet
from imagevault.board import Budget, Here, is_stopping

logger = logging.getLogger(__name__)

# Starts without an end, after which a task is given up.
MAX_STARTS = 3
# How long an idle cluster waits before it asks the feeders again.
FEED_SECONDS = 2.0
# How long a feeder that failed is left alone, and until when.
EXCUSED_SECONDS = 30.0
excused_until: dict[str, float] = {}
# What reading a message may raise: it was signed with another key, or damaged.
UNREADABLE = (BadSignature, TypeError, ValueError, UnpicklingError, EOFError)
GIVEN_UP = (
    "Given up: it was started {starts} times and never came to an end. It may have "
    "crashed, run out of memory or run out of time."
)


def enqueue(task: Callable[[list[int]], None], ids: Sequence[int]) -> None:
    """Queue a task over a batch of ids; the task's name groups it."""
    # By name: a message must be readable where the function has gone.
    async_task(f"{task.__module__}.{task.__name__}", list(ids), group=task.__name__)


def enqueue_steps(
    steps: StepQuerySet, task: Callable[[list[int]], None], *, room: int, size: int
) -> int:
    """Claim outstanding steps and queue a task for each batch; return how many tasks.

    A claim whose message is lost lapses, and the step is queued again.
    """
    batches = steps.claim_batches(room, size=size, seconds=settings.CLAIM_SECONDS)
    for pks in batches:
        enqueue(task, pks)
    return len(batches)


def work_through(steps: StepQuerySet, pks: Sequence[int]) -> Iterator[int]:
    """Yield, one by one, the steps of a task that are to be done now.

    Each start is counted before the first is yielded. When the task's time is up, or
    the cluster is to stop, those not yielded are put back for another task.
    """
    if is_stopping():
        steps.release(pks)
        return
    budget = Budget(settings.BATCH_SECONDS)
    left = steps.take(pks, seconds=settings.TASK_SECONDS)
    try:
        while left and not budget.is_spent:
            yield left.pop(0)
    finally:
        steps.put_back(left)


def room() -> int:
    """Return how many tasks a dry queue takes: few, so that what is queued is current."""
    return 2 * int(Conf.WORKERS)


def feed() -> int:
    """Ask each feeder to queue what is outstanding; return how many tasks were queued.

    A feeder takes the number of tasks there is room for and returns how many it queued.
    Those named first in the settings come first.
    """
    fed = 0
    for path in settings.IMAGEVAULT_FEEDERS:
        if fed < room() and time.monotonic() >= excused_until.get(path, 0.0):
            fed += ask(path, room() - fed)
    return fed


def ask(path: str, wanted: int) -> int:
    """Ask one feeder; one that fails is asked again only after a while."""
    try:
        fed: int = import_string(path)(wanted)
    # Whatever it is, the others' work goes on.
    except Exception:
        logger.exception("%s could not queue what is outstanding", path)
        excused_until[path] = time.monotonic() + EXCUSED_SECONDS
        return 0
    return fed


class FeedsItself:
    """Asks the feeders when the queue is empty, and not again at once if they are too."""

    feed_at = 0.0

    def feed_when_due(self) -> int:
        if time.monotonic() < self.feed_at:
            return 0
        fed = feed()
        self.feed_at = 0.0 if fed else time.monotonic() + FEED_SECONDS
        return fed


class DatabaseQueue(FeedsItself, ORM):
    """The queue in the database: first in, first out; what is started is counted.

    A message is claimed by setting its lock, a moment until which nobody else takes it.
    A task that took its worker down each time it was started is given up; a message
    that cannot be read stays until a person looks at it.
    """

    def dequeue(self) -> list[tuple[int, str]]:
        note_fetch()
        try:
            claimed = [row for row in self.due()[: Conf.BULK] if self.claim(row)]
        except DatabaseError as error:
            logger.warning("the queue cannot be read at present: %s", error)
            claimed = []
        if not claimed and not self.feed_when_due():
            time.sleep(Conf.POLL)
        return [(row.pk, row.payload) for row in claimed]

    def due(self) -> QuerySet[OrmQ]:
        rows: QuerySet[OrmQ] = self.get_connection().filter(key=self.list_key)
        return rows.filter(lock__lt=timezone.now()).order_by("pk")

    def claim(self, row: OrmQ) -> bool:
        """Take a message; return whether its task is to be started."""
        mine = self.get_connection().filter(pk=row.pk, lock=row.lock)
        task = read(row)
        if task is None:
            if mine.update(lock=self.timeout(None)):
                logger.error(
                    "message %s cannot be read and is left in the queue; was the "
                    "secret key changed?",
                    row.pk,
                )
            return False
        if starts(task) >= MAX_STARTS:
            if mine.delete()[0]:
                give_up(task)
            return False
        return bool(mine.update(lock=self.timeout(task)))

    def fail(self, task_id: int) -> None:
        """Leave a message in the queue that could not be passed on."""

    @classmethod
    def release(cls, message: int) -> None:
        """Let a message be taken again at once: the worker that had it is dead."""
        cls.get_connection().filter(pk=message).update(lock=timezone.now())

    def release_all(self) -> int:
        """Let every message be taken again: nobody is left who could be at one."""
        held = self.get_connection().filter(key=self.list_key, lock__gt=timezone.now())
        return held.update(lock=timezone.now())


def read(row: OrmQ) -> dict[str, Any] | None:
    """Return the task a message carries, none where it cannot be read."""
    try:
        return SignedPackage.loads(row.payload)
    # A message of another version may name what this one has not.
    except (*UNREADABLE, ImportError, AttributeError):
        return None


def starts(task: dict[str, Any]) -> int:
    return int(task.get("starts", 0))


def count_start(message: int) -> None:
    """Note in its message that a task is about to begin: it may never tell itself."""
    rows = DatabaseQueue.get_connection().filter(pk=message)
    for row in rows:
        if task := read(row):
            task["starts"] = starts(task) + 1
            rows.filter(payload=row.payload).update(payload=SignedPackage.dumps(task))


def give_up(task: dict[str, Any]) -> None:
    """Put a task among the failed ones, with the reason."""
    Task.objects.update_or_create(
        id=task["id"],
        defaults={
            "name": task["name"],
            "func": task["func"],
            "hook": task.get("hook"),
            "args": task["args"],
            "kwargs": task["kwargs"],
            "group": task.get("group"),
            "cluster": Conf.CLUSTER_NAME,
            "started": task["started"],
            "stopped": timezone.now(),
            "success": False,
            "attempt_count": starts(task),
            "result": GIVEN_UP.format(starts=starts(task)),
        },
    )
    logger.error("task %s (%s) was given up", task["name"], task["func"])


def note_fetch() -> None:
    if Here.board:
        Here.board.fetched = time.monotonic()


class RedisQueue(FeedsItself, Redis):
    """The queue in Redis, for who wants it.

    Redis hands a message out once and forgets it. What a killed cluster had is queued
    again when its claims have lapsed. Keys carry the vault's id, so that vaults may
    share a server.
    """

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key=list_key)
        self.prefix = f"imagevault:{vault.identity(settings.IMAGEVAULT_DATA)}:"
        self.list_key = self.prefix + str(self.list_key)  # type: ignore[has-type]

    def dequeue(self) -> list[tuple[None, bytes]]:
        note_fetch()
        # Waits for a second when there is nothing.
        messages = super().dequeue()
        if not messages:
            self.feed_when_due()
        return messages or []

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        super().set_stat(self.prefix + key, value, timeout)

    def get_stat(self, key: str) -> bytes | None:
        return super().get_stat(self.prefix + key)

    def get_stats(self, pattern: str) -> list[bytes | None] | None:
        found = super().get_stats(self.prefix + pattern) or []
        return [value for value in found if value]


def unanswered() -> str:
    """Which server the queue lies on, if that does not answer; nothing where all is well."""
    if not settings.BROKER_URL:
        return ""
    address = urlsplit(settings.BROKER_URL)
    try:
        with redis.Redis.from_url(
            settings.BROKER_URL, socket_connect_timeout=5, socket_timeout=5
        ) as server:
            server.ping()
    except (redis.RedisError, OSError):
        # The address may hold a password.
        return address.netloc.rpartition("@")[2] or address.path
    return ""
