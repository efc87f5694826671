"""What is in an album at this moment: its photos, or those they have yielded to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db.models import Q
from django.db.models.functions import Left
from numpy.typing import NDArray

from gallery.columns import Columns, Selection
from gallery.models import Album, AlbumPhoto, Photo, SourceFile
from gallery.orders import Order
from gallery.stages import chunks

Keys = NDArray[np.int64]
AT_ONCE = 900
# Albums kept in memory; beyond, all are read again.
KEPT = 2_000
# Photos from the beginning of an album that may be its cover: some cannot be shown.
CANDIDATES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """Photos of an album and their places by hand; `rows` are what lies in it for them.

    A row is a photo, or one in the trash that yielded to it.
    """

    pks: Keys
    places: Keys
    rows: Keys

    def behind(self, pks: Iterable[int]) -> list[int]:
        """Return the rows these photos are shown for."""
        return [int(row) for row in self.rows[np.isin(self.pks, list(pks))]]

    def __len__(self) -> int:
        return len(np.unique(self.pks))


_kept: dict[int, tuple[datetime, Keys, Keys]] = {}


def contents(album: Album, columns: Columns) -> Contents:
    return contents_of([album], columns)[album.pk]


def contents_of(albums: Sequence[Album], columns: Columns) -> dict[int, Contents]:
    """Return what is in each of these albums, in a few queries for all of them.

    Whom a photo in the trash yielded to is asked anew each time: it may be restored.
    """
    _read([album for album in albums if not _is_kept(album)])
    stored = {album.pk: _kept[album.pk][1:] for album in albums}
    hidden = [pk for pk, (rows, _) in stored.items() if not columns.has(rows).all()]
    keepers = _keepers(hidden, columns) if hidden else {}
    return {pk: _shown(*stored[pk], columns, keepers) for pk in stored}


def _is_kept(album: Album) -> bool:
    return album.pk in _kept and _kept[album.pk][0] == album.changed_at


def _read(albums: Sequence[Album]) -> None:
    if not albums:
        return
    if len(_kept) > KEPT:
        _kept.clear()
    found = AlbumPhoto.objects.filter(album__in=[album.pk for album in albums])
    rows = list(found.values_list("album_id", "photo_id", "place"))
    # By key, as the columns stand: so they are found in a fraction of the time.
    table = np.array(sorted(rows), np.int64).reshape(-1, 3)
    for album in albums:
        mine = table[table[:, 0] == album.pk]
        _kept[album.pk] = (album.changed_at, mine[:, 1].copy(), mine[:, 2].copy())


def _keepers(albums: Iterable[int], columns: Columns) -> dict[int, int]:
    """Return for the photos in the trash which live photo each has yielded to."""
    trashed = Photo.objects.filter(
        album_places__album__in=list(albums), trashed_at__isnull=False
    )
    yielded = _yielded(trashed)
    steps = dict(yielded)
    while missing := [
        pk
        for pk in set(steps.values()) - steps.keys()
        if not columns.has(np.array([pk], np.int64))[0]
    ]:
        further: dict[int, int] = {}
        for some in chunks(missing, AT_ONCE):
            further |= _yielded(Photo.objects.filter(pk__in=some))
        steps |= {pk: further.get(pk, pk) for pk in missing}
    return {pk: _end(pk, steps) for pk in yielded}


def _yielded(photos: object) -> dict[int, int]:
    has = Q(in_favour_of__isnull=False, trashed_at__isnull=False)
    return dict(photos.filter(has).values_list("pk", "in_favour_of"))  # type: ignore[attr-defined]


def _end(pk: int, steps: dict[int, int]) -> int:
    while steps.get(pk, pk) != pk:
        pk = steps[pk]
    return pk


def _shown(
    rows: Keys, places: Keys, columns: Columns, keepers: dict[int, int]
) -> Contents:
    shown = rows
    if keepers:
        shown = np.array([keepers.get(int(pk), int(pk)) for pk in rows], np.int64)
    here = columns.has(shown)
    return Contents(shown[here], places[here], rows[here])


def select(photos: Selection, album: Album) -> Selection:
    """Keep the photos of an album, which can be ordered by hand then."""
    found = contents(album, photos.columns)
    return photos.placed(found.pks, found.places)


# Covers


@dataclass(frozen=True, slots=True)
class Overview:
    """An album as a list of albums shows it."""

    album: Album
    count: int
    cover: Photo | None


def overviews(albums: Sequence[Album], columns: Columns) -> list[Overview]:
    """Return albums with the number of their photos and a cover, in the same order."""
    inside = contents_of(albums, columns)
    covers = {album.pk: _covers(album, inside[album.pk], columns) for album in albums}
    wanted = [pk for some in covers.values() for pk in some]
    photos = Photo.objects.for_tiles().in_bulk(wanted)
    return [
        Overview(album, len(inside[album.pk]), _best(covers[album.pk], photos))
        for album in albums
    ]


def _best(pks: list[int], photos: dict[int, Photo]) -> Photo | None:
    """Return the first of these that has a picture."""
    found = (photos[pk] for pk in pks if pk in photos)
    made = (one for one in found if hasattr(one, "thumbnail") and one.thumbnail.recipe)
    return next(made, None)


def _covers(album: Album, inside: Contents, columns: Columns) -> list[int]:
    """Return the photo chosen for it if it is shown, or else the first few."""
    chosen = inside.pks[inside.rows == album.cover_id] if album.cover_id else []
    if len(chosen):
        return [int(chosen[0])]
    if album.sort == Album.Sort.BY_HAND:
        return inside.pks[np.argsort(inside.places)][:CANDIDATES].tolist()
    photos = Selection(columns, columns.rows_of(np.unique(inside.pks)))
    order = Order("taken", descending=album.sort == Album.Sort.NEWEST)
    return photos.beside(order, None, size=CANDIDATES)


# Folders


def in_folder(source: int, folder: str, *, deep: bool) -> list[int]:
    """Return the photos ever seen in a folder of a source, by the time taken.

    An empty folder is the whole source; `deep` takes what lies in folders in it, too. A
    photo in the trash counts if it yielded to another.
    """
    folder = folder.strip("/")
    seen = SourceFile.objects.with_photo().filter(source=source)
    if folder:
        start = f"{folder}/"
        seen = seen.annotate(head=Left("path", len(start))).filter(head=start)
    found = seen.filter(
        Q(photo__trashed_at=None) | Q(photo__in_favour_of__isnull=False)
    ).values_list("photo_id", "path", "photo__taken_at")
    taken = {
        pk: (when is None, when, pk)
        for pk, path, when in found
        if deep or path.rpartition("/")[0] == folder
    }
    return sorted(taken, key=lambda pk: (taken[pk][0], str(taken[pk][1]), pk))


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of a source, with the number of photos in it and below."""

    path: str
    name: str
    count: int


def folders(source: int, parent: str = "") -> list[Folder]:
    """Return the folders in a folder of a source that have photos, by name."""
    start = f"{parent.strip('/')}/" if parent.strip("/") else ""
    seen = SourceFile.objects.with_photo().filter(source=source)
    if start:
        seen = seen.annotate(head=Left("path", len(start))).filter(head=start)
    counts: dict[str, set[int]] = {}
    for pk, path in seen.values_list("photo_id", "path").iterator(chunk_size=5_000):
        name, inner, _ = path[len(start) :].partition("/")
        if inner:
            counts.setdefault(name, set()).add(pk)
    return [
        Folder(start + name, name, len(counts[name]))
        for name in sorted(counts, key=str.lower)
    ]
