"""Long lists in pieces: a database takes only so many values in one statement."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Thing = TypeVar("Thing")


def batches(things: Iterable[Thing], size: int) -> Iterator[list[Thing]]:
    """Yield the things in lists of at most this size, in their order."""
    rest = iter(things)
    while some := list(islice(rest, size)):
        yield some
