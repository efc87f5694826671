"""The queue: how work is handed to django-q2, and how an idle cluster asks for more."""

from collections.abc import Callable, Sequence

from django_q.brokers.orm import ORM
from django_q.brokers.redis_broker import Redis
from django_q.tasks import async_task


def enqueue(task: Callable[[list[int]], None], ids: Sequence[int]) -> None:
    """Queue a task over a batch of ids; the task's name groups it."""
    async_task(task, list(ids), group=task.__name__)


class DatabaseQueue(ORM):
    """The queue in the database."""


class RedisQueue(Redis):
    """The queue in Redis."""
