"""Folders as numbers, and which folder holds what lies in another one.

numpy only: where the files were seen is not known here. A tree gives each folder a number
higher than that of the folder it lies in, so that a million files need no path each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

# Files looked at in one go: what is made of them meanwhile is a few times as much.
AT_ONCE = 50_000
# What lies in more places than this says nothing of two folders.
MOST_PLACES = 64


class Level(IntEnum):
    """How a file is found elsewhere: the first of these that is true."""

    BYTES = 0
    PIXELS = 1
    LOOKS = 2
    MISSING = 3


LEVELS = len(Level)
FOUND = LEVELS - 1


class Tree:
    """Folders by their paths, each with all folders above it; the root has number 0."""

    def __init__(self) -> None:
        self.paths = [""]
        self._numbers = {"": 0}
        self._parents = [-1]

    def __len__(self) -> int:
        return len(self.paths)

    def number(self, path: str) -> int:
        """Return the number of a folder, which it gets if it has none."""
        known = self._numbers.get(path)
        if known is not None:
            return known
        parent = self.number(path.rpartition("/")[0])
        self._numbers[path] = number = len(self.paths)
        self.paths.append(path)
        self._parents.append(parent)
        return number

    def find(self, path: str) -> int:
        """Return the number of a folder, -1 if it is not here."""
        return self._numbers.get(path, -1)

    @property
    def parents(self) -> Numbers:
        return np.array(self._parents, np.int64)

    def depths(self) -> Numbers:
        found = np.zeros(len(self), np.int64)
        for number, parent in enumerate(self._parents[1:], 1):
            found[number] = found[parent] + 1
        return found

    def rolled_up(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return of each folder the sum over it and all below."""
        sums, parents, depths = values.copy(), self.parents, self.depths()
        for depth in range(int(depths.max()), 0, -1):
            here = np.flatnonzero(depths == depth)
            np.add.at(sums, parents[here], sums[here])
        return sums

    def spans(self) -> tuple[Numbers, Numbers]:
        """Return first and end of each folder, between which all below it begin."""
        order = sorted(range(len(self)), key=lambda at: self.paths[at].split("/"))
        # The root comes first by itself: its path is empty.
        first = np.empty(len(self), np.int64)
        first[order] = np.arange(len(self))
        return first, first + self.rolled_up(np.ones(len(self), np.int64))


def joined(keys: Numbers, others: Numbers, *, most: int = 0) -> tuple[Numbers, Numbers]:
    """Return the places of all pairs that are equal; `others` are sorted.

    With `most`, a key that is there more often than that has no pairs.
    """
    first = np.searchsorted(others, keys, "left")
    counts = np.searchsorted(others, keys, "right") - first
    if most:
        counts[counts > most] = 0
    left = np.repeat(np.arange(len(keys)), counts)
    start = np.repeat(first - (np.cumsum(counts) - counts), counts)
    return left, np.arange(len(left)) + start


@dataclass(frozen=True, slots=True)
class Links:
    """Photos that are the same picture as another one: each pair both ways, sorted."""

    photo: Numbers
    other: Numbers
    level: NDArray[np.int8]

    @classmethod
    def of(cls, pairs: Numbers, levels: NDArray[np.int8]) -> Links:
        both = np.concatenate([pairs, pairs[:, ::-1]])
        order = np.argsort(both[:, 0], kind="stable")
        level = np.concatenate([levels, levels])[order]
        return cls(both[order, 0], both[order, 1], level)


@dataclass(frozen=True, slots=True)
class Files:
    """Files with the number of their folder, and of their photo; 0 where there is none."""

    tree: Tree
    folder: Numbers
    photo: Numbers

    def by_photo(self) -> Files:
        order = np.argsort(self.photo, kind="stable")
        return Files(self.tree, self.folder[order], self.photo[order])


@dataclass(frozen=True, slots=True)
class Holders:
    """Of each folder that another one holds something of, the one that holds most."""

    folder: Numbers
    holder: Numbers
    counts: Numbers  # by level, a column each


def holders(files: Files, seen: Files, links: Links, *, at: str) -> Holders:
    """Return which folder holds most of each folder, but for those above it and in it.

    `seen` is every sighting of these photos and of those linked with them, sorted by
    photo; `at` is the path of the files' root in its tree. Of folders that hold as much,
    the innermost is named.
    """
    parts = [
        _shared(files, seen, links, slice(start, start + AT_ONCE))
        for start in range(0, len(files.photo), AT_ONCE)
    ]
    keys, counts = _summed(*(np.concatenate(one) for one in _columns(parts)))
    folder, holder = np.divmod(keys, len(seen.tree))
    pairs = _up(files.tree, folder, holder, counts, len(seen.tree))
    return _best(files.tree, seen.tree, *pairs, at=at)


def _columns(parts: list[tuple[Any, ...]]) -> Iterator[list[Any]]:
    yield [np.empty(0, np.int64), *(keys for keys, _ in parts)]
    yield [np.empty((0, FOUND), np.int64), *(counts for _, counts in parts)]


def _shared(
    files: Files, seen: Files, links: Links, some: slice
) -> tuple[Numbers, Numbers]:
    """Return pairs of folders, as one number, and how many of some files both hold."""
    photos, folders = files.photo[some], files.folder[some]
    file, at = joined(photos, links.photo, most=MOST_PLACES)
    everything = np.arange(len(photos))
    file = np.concatenate([everything, file])
    photo = np.concatenate([photos, links.other[at]])
    level = np.concatenate([np.zeros(len(photos), np.int8), links.level[at]])
    left, right = joined(photo, seen.photo, most=MOST_PLACES)
    file, level, place = file[left], level[left], seen.folder[right]
    # Each file counts once for a folder, as what it is found as at best.
    width, parents = len(seen.tree), seen.tree.parents
    ways = []
    while len(place):
        ways.append((file * width + place) * LEVELS + level)
        place = parents[place]
        inside = place >= 0
        file, level, place = file[inside], level[inside], place[inside]
    found = np.unique(np.concatenate(ways)) if ways else np.empty(0, np.int64)
    found = found[np.flatnonzero(np.diff(found // LEVELS, prepend=-1))]
    files_found, place = np.divmod(found // LEVELS, width)
    counts = np.zeros((len(found), FOUND), np.int64)
    counts[np.arange(len(found)), found % LEVELS] = 1
    return _summed(folders[files_found] * width + place, counts)


def _summed(keys: Numbers, counts: Numbers) -> tuple[Numbers, Numbers]:
    """Return each key once, with the sum of its counts."""
    known, place = np.unique(keys, return_inverse=True)
    sums = np.zeros((len(known), counts.shape[1]), np.int64)
    np.add.at(sums, place, counts)
    return known, sums


def _up(
    tree: Tree, folder: Numbers, holder: Numbers, counts: Numbers, width: int
) -> tuple[Numbers, Numbers, Numbers]:
    """Return the pairs, with what lies below a folder counted for it as well."""
    parents, depths = tree.parents, tree.depths()
    done: list[tuple[Numbers, Numbers]] = []
    keys, sums = np.empty(0, np.int64), np.empty((0, FOUND), np.int64)
    for depth in range(int(depths.max()), -1, -1):
        here = depths[folder] == depth
        keys, sums = _summed(
            np.concatenate([keys, folder[here] * width + holder[here]]),
            np.concatenate([sums, counts[here]]),
        )
        done.append((keys, sums))
        above, place = np.divmod(keys, width)
        keys = parents[above] * width + place
    keys, sums = (np.concatenate(one) for one in zip(*done, strict=True))
    folder, holder = np.divmod(keys, width)
    return folder, holder, sums


def _best(
    tree: Tree,
    places: Tree,
    folder: Numbers,
    holder: Numbers,
    counts: Numbers,
    *,
    at: str,
) -> Holders:
    own = np.array(
        [places.find(f"{at}/{path}" if path else at) for path in tree.paths], np.int64
    )
    first, end = places.spans()
    mine = own[folder]
    is_above = (first[holder] <= first[mine]) & (first[mine] < end[holder])
    is_inside = (first[mine] <= first[holder]) & (first[holder] < end[mine])
    # The root of all is no folder.
    apart = ~((is_above | is_inside) & (mine >= 0)) & (holder > 0)
    folder, holder, counts = folder[apart], holder[apart], counts[apart]
    depths = places.depths()
    order = np.lexsort([holder, -depths[holder], -counts.sum(axis=1), folder])
    folder, holder, counts = folder[order], holder[order], counts[order]
    best = np.flatnonzero(np.diff(folder, prepend=-1))
    return Holders(folder[best], holder[best], counts[best])
