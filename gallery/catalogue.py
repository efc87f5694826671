"""The columns of all live photos, as true as the database at this moment.

They are kept in memory and brought up to date, when somebody asks, by the photos that
changed since. What is kept can be thrown away at any time. A snapshot of it lies in the
vault, for the next start.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, Sum, TextField
from django.db.models.functions import Cast

from gallery import changes, snapshots, vault
from gallery.columns import Columns, Selection, columns
from gallery.models import Photo, PhotoQuerySet, SourceFile
from gallery.models.photos import camera_name
from gallery.orders import Order, Place
from gallery.paging import NoSuchPlace
from gallery.stages import chunks

logger = logging.getLogger(__name__)

# More changes than this are no quicker to look up one by one.
MOST_CHANGES = 20_000
# How long a page waits for all photos to be read; it says then that they are.
PATIENCE = 0.5  # seconds
# So many that reading them again delays a start by a moment only.
MOST_UNSAVED = 5_000
AT_ONCE = 900


class Reading(Exception):
    """All photos are being read, which takes a minute for a million of them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Columns, and the database and moment they are of."""

    database: str
    moment: changes.Moment
    columns: Columns
    # Photos read again one by one, whose former texts are still kept.
    again: int = 0
    # Changes that the snapshot does not have.
    unsaved: int = 0

    def is_of(self, moment: changes.Moment) -> bool:
        """Whether these were columns of the database that is there now."""
        database = str(connection.settings_dict["NAME"])
        return (self.database, self.moment.lineage) == (database, moment.lineage)


_kept: Kept | None = None
_turn = threading.Lock()
_reader: threading.Thread | None = None


def current() -> Columns:
    """Return the columns of the photos that are live now, however long that takes."""
    global _kept
    if connection.in_atomic_block:
        # What this transaction sees, nobody else may ever see.
        return read()
    with _turn:
        if _kept is None:
            _kept = stored()
        _kept = saved(refreshed(_kept, changes.now()))
        return _kept.columns


def soon() -> Columns:
    """Return the columns, for a page that somebody waits for.

    While all photos are read again, these are the columns of before. Raise Reading where
    there are none yet; what reads them goes on.
    """
    global _kept
    if connection.in_atomic_block:
        return read()
    if _turn.acquire(timeout=PATIENCE):
        try:
            _kept = saved(refreshed(_kept, changes.now(), may_take_long=False))
            return _kept.columns
        except Reading:
            pass
        finally:
            _turn.release()
        _reading().join(PATIENCE)
    kept = _kept
    if kept is None or not kept.is_of(changes.now()):
        raise Reading
    return kept.columns


def _reading() -> threading.Thread:
    """Return the thread that reads all photos, one for all who wait."""
    global _reader
    if _reader is None or not _reader.is_alive():
        _reader = warm_up()
    return _reader


# The snapshot


def stored() -> Kept | None:
    """Return what the snapshot has, with what changed since, if that is true."""
    found = snapshots.read(snapshot())
    if found is None:
        return None
    columns, about = found
    moment = changes.Moment(about["lineage"], about["position"])
    kept = Kept(about["database"], moment, columns, about["again"])
    kept = refreshed(kept, changes.now())
    if is_true(kept.columns):
        return kept
    # A database that was given back from a backup may have gone other ways since.
    snapshot().unlink(missing_ok=True)
    return None


def is_true(columns: Columns) -> bool:
    """Return whether the database has as many photos, the same, and of those sizes."""
    sums = Photo.objects.live().aggregate(Count("pk"), Sum("pk"), Sum("size"))
    ours = (len(columns), int(columns.pk.sum()), int(columns.size.sum()))
    return tuple(int(one or 0) for one in sums.values()) == ours


def saved(kept: Kept) -> Kept:
    """Have a snapshot written if there is much that it would lack."""
    if kept.unsaved <= MOST_UNSAVED:
        return kept
    kept = replace(kept, unsaved=0)
    save(kept)
    return kept


def save(kept: Kept) -> threading.Thread:
    """Write a snapshot, beside what goes on."""
    thread = threading.Thread(target=_save, args=(kept,), daemon=True)
    thread.start()
    return thread


def _save(kept: Kept) -> None:
    about = {
        "database": kept.database,
        "lineage": kept.moment.lineage,
        "position": kept.moment.position,
        "again": kept.again,
    }
    try:
        vault.require(settings.IMAGEVAULT_DATA)
        snapshots.write(snapshot(), kept.columns, about)
    except (OSError, vault.NoVault):
        # The next start takes longer, and no more.
        logger.warning("No snapshot of the columns can be written.", exc_info=True)


def snapshot() -> Path:
    return Path(settings.IMAGEVAULT_DATA) / "cache" / "columns.npz"


def warm_up() -> threading.Thread:
    """Read all photos beside what goes on, so that no visitor has to wait for it.

    Notes of changes from long ago are cleared away.
    """
    thread = threading.Thread(target=_warm_up, daemon=True)
    thread.start()
    return thread


def _warm_up() -> None:
    try:
        current()
        # Nobody else needs what was noted before.
        changes.prune(changes.now().position)
    except DatabaseError:
        # Whoever asks for a page is told, and not here.
        pass
    finally:
        connection.close()


def refreshed(
    kept: Kept | None, moment: changes.Moment, *, may_take_long: bool = True
) -> Kept:
    """Return the columns of this moment; raise Reading rather than take long, if asked."""
    if (
        kept is None
        or not kept.is_of(moment)
        or not moment.pruned <= kept.moment.position <= moment.position
    ):
        return whole(moment, may_take_long=may_take_long)
    if kept.moment.position == moment.position and connection.vendor == "sqlite":
        return kept
    changed = changes.since(kept.moment.position, most=MOST_CHANGES)
    again = kept.again + len(changed)
    if len(changed) > MOST_CHANGES or again > len(kept.columns) + MOST_CHANGES:
        return whole(moment, may_take_long=may_take_long)
    if not changed:
        return replace(kept, moment=moment)
    columns = kept.columns.replaced(np.array(changed, np.int64), read(changed))
    unsaved = kept.unsaved + len(changed)
    return replace(kept, moment=moment, columns=columns, again=again, unsaved=unsaved)


def whole(moment: changes.Moment, *, may_take_long: bool) -> Kept:
    if not may_take_long:
        raise Reading
    columns = read()
    database = str(connection.settings_dict["NAME"])
    return Kept(database, moment, columns, unsaved=len(columns))


def read(pks: Sequence[int] | None = None) -> Columns:
    """Read all live photos, or those of them with these keys."""
    if pks is None:
        live = Photo.objects.live()
        sightings = SourceFile.objects.with_photo()
        return columns(list(_photos(live)), sightings.seen())
    photos: list[tuple[Any, ...]] = []
    seen: list[tuple[int, int, str]] = []
    for some in chunks(pks, AT_ONCE):
        photos += _photos(Photo.objects.live().filter(pk__in=some))
        seen += SourceFile.objects.filter(photo__in=some).seen()
    return columns(photos, seen)


def _photos(photos: PhotoQuerySet) -> Iterator[tuple[Any, ...]]:
    # As text, because a million of Django's dates take seconds to make.
    rows = photos.annotate(
        taken=Cast("taken_at", TextField()), added=Cast("added_at", TextField())
    ).values_list(
        *("pk", "taken", "added", "size", "width", "height", "name", "camera_make"),
        *("camera_model", "format", "taken_precision"),
    )
    cameras: dict[tuple[str, str], str] = {}
    for *facts, make, model, format, precision in rows.iterator(chunk_size=5_000):
        camera = cameras.get((make, model))
        if camera is None:
            camera = cameras[make, model] = camera_name(make, model)
        facts[2] = facts[2].partition("+")[0]
        yield (*facts, camera, format, precision)


@dataclass(frozen=True, slots=True)
class Offered:
    """What there is to filter by, each with the number of its photos."""

    years: dict[int, int]
    cameras: dict[str, int]
    formats: dict[str, int]


@lru_cache(maxsize=1)
def offered(columns: Columns) -> Offered:
    """Return what the filters offer; cameras by name, years from the latest."""
    every = Selection.all(columns)
    years: Counter[int] = Counter()
    for month, count in every.months():
        years[month // 12] += count
    cameras = every.tally("camera")
    return Offered(
        dict(sorted(years.items(), reverse=True)),
        {name: cameras[name] for name in sorted(cameras, key=str.lower) if name},
        {name: count for name, count in every.tally("format").items() if name},
    )


@dataclass(frozen=True, slots=True)
class Selected:
    """A selection whose photos are read from the database, as paging asks for it."""

    selection: Selection
    photos: PhotoQuerySet

    def beside(
        self, order: Order, place: Place | None, *, size: int, backwards: bool
    ) -> list[int]:
        return self.selection.beside(order, place, size=size, backwards=backwards)

    def rows(self, pks: Iterable[int]) -> list[Photo]:
        by_pk = self.photos.in_bulk(list(pks))
        return [by_pk[pk] for pk in pks if pk in by_pk]

    def place(self, row: Any, order: Order) -> Place:
        place = self.selection.place(row.pk, order)
        if place is None:
            raise NoSuchPlace(f"{row} is not among the photos.")
        return place

    def read(self, value: Any, pk: int, order: Order) -> Place:
        return Place(value, pk)
