"""How much of a folder is elsewhere: in the vault, or in another folder.

Three numbers, never mixed: byte for byte, pixel for pixel, and visually. A file counts for
the first of them that is true of it; what is left is only there. What is visually the same
people decided, or an app that compares pictures says (`same_pictures`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.core.cache import cache
from django.db.models import Q
from django.db.models.functions import Left

from gallery import changes, contents
from gallery.contents import Amount
from gallery.models import ImportRun, Outcome, Photo, Source, SourceFile
from gallery.models.sources import SourceFileQuerySet
from gallery.stages import chunks
from gallery.trash import MAX_YIELDS
from gallery.trees import (
    LEVELS,
    Files,
    Level,
    Links,
    Numbers,
    Tree,
    holders,
    joined,
)

# Photos up to which the sightings of each are asked for, and not all there are.
FEW = 20_000
AT_ONCE = 900
SHOWN = 200
# A folder that holds less of another is no place it is contained in.
MOST = 0.5
KEPT_SECONDS = 600

# Photos that are the same picture as each other: their ids, and whether every pixel is.
Same = Iterable[tuple[int, int, bool]]
# Asked with the photos that matter, or None for all.
same_pictures: list[Callable[[Numbers | None], Same]] = []


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of a source; all of the source where the path is empty."""

    source: Source
    path: str = ""

    def __str__(self) -> str:
        return f"{self.source.label}/{self.path}" if self.path else self.source.label

    @property
    def key(self) -> str:
        return f"{self.source.pk}/{self.path}" if self.path else str(self.source.pk)

    def files(self) -> SourceFileQuerySet:
        """What lies there, as far as it was seen; not what holds nothing to keep."""
        rows = SourceFile.objects.lying().exclude(outcome__in=contents.NOTHING)
        rows = rows.filter(source=self.source)
        if self.path:
            start = f"{self.path}/"
            rows = rows.annotate(start=Left("path", len(start))).filter(start=start)
        return rows


@dataclass(frozen=True, slots=True)
class Holder:
    """Another folder that holds most of a folder, and how many of its files as what."""

    source: Source
    path: str
    counts: tuple[int, ...]

    @property
    def count(self) -> int:
        return sum(self.counts)

    @property
    def place(self) -> Place:
        return Place(self.source, self.path)

    def to_json(self) -> dict[str, Any]:
        where = {"source": self.source.label, "id": self.source.pk, "path": self.path}
        return where | dict(zip(NAMES.values(), self.counts, strict=False))


NAMES = {
    Level.BYTES: "byte_for_byte",
    Level.PIXELS: "pixel_for_pixel",
    Level.LOOKS: "visually",
    Level.MISSING: "missing",
}


@dataclass(frozen=True, slots=True)
class Folder:
    """How much of a folder, with all below it, is elsewhere; an amount for each level."""

    path: str
    amounts: tuple[Amount, ...]
    holder: Holder | None = None

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def files(self) -> int:
        return sum(one.count for one in self.amounts)

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.amounts)

    @property
    def missing(self) -> Amount:
        return self.amounts[Level.MISSING]

    @property
    def permille(self) -> int:
        """Files found elsewhere, of a thousand; a thousand only if all are."""
        found = self.files - self.missing.count
        return 1000 * found // self.files if self.files else 1000

    @property
    def percent(self) -> float:
        return self.permille / 10

    def to_json(self) -> dict[str, Any]:
        levels = {
            name: {
                "count": self.amounts[level].count,
                "bytes": self.amounts[level].bytes,
            }
            for level, name in NAMES.items()
        }
        holder = self.holder.to_json() if self.holder else None
        whole = {"path": self.path, "files": self.files, "bytes": self.bytes}
        return whole | levels | {"contained_in": holder}


@dataclass(frozen=True, slots=True)
class Report:
    """All folders of a place, itself first, and the first files that are only there."""

    place: Place
    against: Place | None
    folders: list[Folder]
    only_here: list[int]  # ids of rows of the ledger

    @property
    def whole(self) -> Folder:
        return self.folders[0]

    @property
    def inside(self) -> list[Folder]:
        """The folders that lie directly in it, by their paths."""
        depth = self.place.path.count("/") + 1 if self.place.path else 0
        return [one for one in self.folders[1:] if one.path.count("/") == depth]

    def to_json(self) -> dict[str, Any]:
        against = self.against
        return {
            "source": {"label": self.place.source.label, "id": self.place.source.pk},
            "path": self.place.path,
            "against": against
            and {
                "source": {"label": against.source.label, "id": against.source.pk},
                "path": against.path,
            },
            "folders": [one.to_json() for one in self.folders],
        }


def report(place: Place, *, against: Place | None = None) -> Report:
    """Tell of all folders of a place how much of them is in the vault, or in another.

    What lies in that other folder itself is not counted.
    """
    rows = _rows(place, without=against)
    links = _links(np.unique(rows.files.photo))
    target = _Vault() if against is None else _Folder.of(against)
    levels = _levels(rows.files.photo, links, target)
    missing = np.sort(rows.pk[levels == Level.MISSING])
    return Report(
        place, against, _folders(place, rows, levels, links), missing[:SHOWN].tolist()
    )


def remembered(place: Place, *, against: Place | None = None) -> Report:
    """The same for a page; nothing is reckoned twice while nothing has changed."""
    moment = changes.now()
    last = ImportRun.objects.order_by("-pk").values_list("pk", "state").first()
    keys = (place.key, against and against.key, moment.lineage, moment.position, last)
    key = f"containment-{hashlib.sha256(repr(keys).encode()).hexdigest()}"
    found = cache.get(key)
    if found is None:
        found = report(place, against=against)
        cache.set(key, found, KEPT_SECONDS)
    return found


def only_here(found: Report) -> list[SourceFile]:
    """The first files of a report that are only there."""
    rows = SourceFile.objects.select_related("photo", "source").in_bulk(found.only_here)
    return sorted(rows.values(), key=lambda one: one.path)


# What lies there


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a place: arrays of one length."""

    files: Files
    pk: Numbers
    size: Numbers


def _rows(place: Place, *, without: Place | None) -> _Rows:
    rows = place.files()
    if without and without.source == place.source:
        rows = rows.exclude(pk__in=without.files().values("pk"))
    tree = Tree()
    tree.number(place.path)
    blocks = []
    values = rows.values_list("pk", "path", "size", "photo", "kept")
    for some in chunks(values.iterator(chunk_size=10_000), 10_000):
        folders = [tree.number(path.rpartition("/")[0]) for _, path, *_ in some]
        numbers = [(pk, size, number(*what)) for pk, _, size, *what in some]
        blocks.append(np.column_stack([np.array(numbers, np.int64), folders]))
    every = np.concatenate([np.empty((0, 4), np.int64), *blocks])
    pk, size, photo, folder = every.T.copy()
    return _Rows(Files(tree, folder, photo), pk, size)


def number(photo: int | None, kept: int | None) -> int:
    """What stands for the bytes of a row: its photo, or below 0 what else is kept."""
    return photo or -(kept or 0)


def _folders(place: Place, rows: _Rows, levels: Numbers, links: Links) -> list[Folder]:
    tree, count = rows.files.tree, len(rows.files.tree)
    at = rows.files.folder * LEVELS + levels
    counts = np.bincount(at, minlength=count * LEVELS).reshape(count, LEVELS)
    sizes = np.bincount(at, weights=rows.size, minlength=count * LEVELS)
    counts = tree.rolled_up(counts)
    sizes = tree.rolled_up(sizes.astype(np.int64).reshape(count, LEVELS))
    held = _held(place, rows.files, links)
    start = tree.number(place.path)
    below = f"{place.path}/" if place.path else ""
    inside = [at for at, path in enumerate(tree.paths) if at and path.startswith(below)]
    inside = sorted({*inside} - {start}, key=lambda at: tree.paths[at].split("/"))
    folders = []
    for number in [start, *inside]:
        amounts = tuple(
            Amount(int(one), int(size))
            for one, size in zip(counts[number], sizes[number], strict=True)
        )
        holder = held.get(number)
        if holder and holder.count < MOST * counts[number].sum():
            holder = None
        folders.append(Folder(tree.paths[number], amounts, holder))
    return folders


# What is the same elsewhere


class _Vault:
    """The photos that are live."""

    def __init__(self) -> None:
        gone = Photo.objects.exclude(trashed_at=None).order_by("pk")
        self.gone = np.array(gone.values_list("pk", flat=True), np.int64)

    def has(self, photos: Numbers) -> Any:
        return ~_among(photos, self.gone)


@dataclass(frozen=True, slots=True)
class _Folder:
    """The photos that lie in a folder; what a browser only claimed to have does not."""

    photos: Numbers

    @classmethod
    def of(cls, place: Place) -> _Folder:
        rows = place.files().exclude(outcome=Outcome.CLAIMED)
        found = rows.values_list("photo", "kept").iterator(chunk_size=10_000)
        known = np.unique(np.fromiter((number(*one) for one in found), np.int64))
        return cls(known[known != 0])

    def has(self, photos: Numbers) -> Any:
        return _among(photos, self.photos)


def _among(photos: Numbers, known: Numbers) -> Any:
    """Return which photos are among those known, which are sorted."""
    if not len(known):
        return np.zeros(len(photos), bool)
    at = np.minimum(np.searchsorted(known, photos), len(known) - 1)
    return known[at] == photos


def _levels(photos: Numbers, links: Links, target: _Vault | _Folder) -> Numbers:
    """Return as what each file's photo is found."""
    known, places = np.unique(photos, return_inverse=True)
    best = np.full(len(known), int(Level.MISSING), np.int64)
    left, right = joined(known, links.photo)
    there = target.has(links.other[right])
    np.minimum.at(best, left[there], links.level[right[there]])
    best[target.has(known)] = Level.BYTES
    best[known == 0] = Level.MISSING
    return best[places]


def _links(photos: Numbers) -> Links:
    """What people and programs said is the same picture as one of these photos."""
    asked = photos[photos > 0] if len(photos) <= FEW else None
    pairs = [(photo, keeper, False) for photo, keeper in _yielded()]
    for known in same_pictures:
        pairs += known(asked)
    every = np.array(pairs, np.int64).reshape(-1, 3)
    levels = np.where(every[:, 2] == 1, Level.PIXELS, Level.LOOKS).astype(np.int8)
    return Links.of(every[:, :2], levels)


def _yielded() -> Iterator[tuple[int, int]]:
    """Yield the photos that gave way to another, with the one that stayed in the end."""
    rows = Photo.objects.filter(in_favour_of__isnull=False)
    keepers: dict[int, Any] = dict(rows.values_list("pk", "in_favour_of"))
    for photo, keeper in keepers.items():
        last = keeper
        for _step in range(MAX_YIELDS):
            if last not in keepers:
                break
            last = keepers[last]
        yield photo, last


# Which other folder holds most of it


def _held(place: Place, files: Files, links: Links) -> dict[int, Holder]:
    photos = np.unique(files.photo[files.photo != 0])
    _files, right = joined(photos, links.photo)
    wanted = np.union1d(photos, links.other[right])
    seen = _seen(wanted)
    is_read = files.photo != 0
    some = Files(files.tree, files.folder[is_read], files.photo[is_read])
    found = holders(some, seen, links, at=str(place.source.pk))
    sources = Source.objects.in_bulk()
    held = {}
    for folder, holder, counts in zip(
        found.folder, found.holder, found.counts, strict=True
    ):
        source, _slash, path = seen.tree.paths[holder].partition("/")
        held[int(folder)] = Holder(sources[int(source)], path, tuple(counts.tolist()))
    return held


def _seen(photos: Numbers) -> Files:
    """Every sighting of these photos and kept files on drives, sorted by photo."""
    rows = SourceFile.objects.lying().filter(source__kind=Source.Kind.DRIVE)
    tree = Tree()
    blocks = []
    for some in chunks(_sightings(rows, photos), 10_000):
        pairs = [
            (number(*what), tree.number(f"{source}/{path}".rpartition("/")[0]))
            for source, path, *what in some
        ]
        blocks.append(np.array(pairs, np.int64))
    photo, folder = np.concatenate([np.empty((0, 2), np.int64), *blocks]).T.copy()
    return Files(tree, folder, photo).by_photo()


def _sightings(rows: SourceFileQuerySet, photos: Numbers) -> Iterator[Any]:
    values = ("source", "path", "photo", "kept")
    if len(photos) > FEW:
        is_read = Q(photo__isnull=False) | Q(kept__isnull=False)
        yield from rows.filter(is_read).values_list(*values).iterator(chunk_size=10_000)
        return
    for some in chunks(photos.tolist(), AT_ONCE):
        kept = [-one for one in some if one < 0]
        wanted = Q(photo__in=[one for one in some if one > 0]) | Q(kept__in=kept)
        yield from rows.filter(wanted).values_list(*values)
