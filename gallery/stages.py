"""Stages of work that overlap: threads in between, order kept, nothing piling up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def in_order(
    pool: Executor,
    work: Callable[[Given], Made],
    items: Iterable[Given],
    *,
    ahead: int,
) -> Iterator[Made]:
    """Yield what the pool's threads make of each item, in the order of the items.

    At most `ahead` items are taken beyond the one waited for.
    """
    waiting: deque[Future[Made]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            while waiting and (len(waiting) > ahead or waiting[0].done()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def chunks(items: Iterable[Given], size: int) -> Iterator[list[Given]]:
    """Yield the items in lists of this size; the last may be shorter."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
