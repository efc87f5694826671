"""Where the bytes of a photo lie: in the vault, on which drives, and in which backup."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from django.db.models import Q
from numpy.typing import NDArray

from gallery import changes
from gallery.columns import Columns, Selection, seen_rows
from gallery.models import Backup, ImportRun, Photo, Source, SourceFile
from gallery.stages import chunks

AT_ONCE = 900
# More sources than there will ever be, so that photo and source are one number.
SOURCES = 1 << 20

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Copies:
    """The drives a photo lies on, as far as they were seen, and the backups it is in."""

    drives: list[Source]
    backups: list[Backup]

    @property
    def is_alone(self) -> bool:
        """Whether the vault is the only disk that has it."""
        return not self.drives and not self.backups


def of(photo: Photo) -> Copies:
    rows = SourceFile.objects.lying().filter(photo=photo)
    drives = Source.objects.drives().at_hand().filter(pk__in=rows.values("source"))
    backups = [one for one in Backup.objects.newest() if one.has(photo)]
    return Copies(list(drives.order_by("label")), backups)


# Among all photos


def only_in_vault(photos: Selection) -> Selection:
    """Keep the photos that no drive at hand and no backup has."""
    columns = photos.columns
    elsewhere = _lying_on(columns, _at_hand()) | _backed_up(columns)
    return _where(photos, ~elsewhere)


def only_on(photos: Selection, source: int) -> Selection:
    """Keep the photos that of all drives at hand only this one has."""
    columns = photos.columns
    others = _lying_on(columns, [pk for pk in _at_hand() if pk != source])
    return _where(photos, _lying_on(columns, [source]) & ~others)


def _where(photos: Selection, mask: Mask) -> Selection:
    return replace(photos, rows=photos.rows[mask[photos.rows]])


def _at_hand() -> list[int]:
    return list(Source.objects.drives().at_hand().values_list("pk", flat=True))


def _lying_on(columns: Columns, sources: Iterable[int]) -> Mask:
    """Return which photos lie on one of these drives, as far as they were seen."""
    here = np.isin(columns.seen_source, np.array([*sources], np.int64))
    lost = _lost(*_moment())
    if len(lost):
        here &= ~np.isin(columns.seen_pk * SOURCES + columns.seen_source, lost)
    found = np.zeros(len(columns) + 1, bool)
    found[seen_rows(columns)[here]] = True
    return found[:-1]


def _moment() -> tuple[Any, ...]:
    """What stands for the ledger as it is now."""
    moment = changes.now()
    runs = ImportRun.objects.order_by("-pk").values_list("pk", "state")
    whole = ImportRun.objects.finished().order_by("-finished_at", "-pk")
    last = whole.values_list("pk", flat=True).first()
    return moment.lineage, moment.position, runs.first(), last


@lru_cache(maxsize=1)
def _lost(*_moment: Any) -> NDArray[np.int64]:
    """Photos that were once seen on a source and lie there no more, as one number each."""
    lying = SourceFile.objects.lying().with_photo()
    gone = Q(replaced_in__isnull=False) | Q(last_run__in=ImportRun.objects.outdated())
    rows = SourceFile.objects.with_photo().filter(gone)
    pairs = set(rows.values_list("photo", "source").distinct())
    for some in chunks({photo for photo, _source in pairs}, AT_ONCE):
        still = lying.filter(photo__in=some).values_list("photo", "source")
        pairs -= set(still)
    return np.array([photo * SOURCES + source for photo, source in pairs], np.int64)


def _backed_up(columns: Columns) -> Mask:
    found = np.zeros(len(columns), bool)
    for one in Backup.objects.newest():
        until = np.datetime64(one.started_at.replace(tzinfo=None), "us")
        has = columns.added <= until.astype(np.int64)
        lacking = Photo.objects.filter(digest__in=one.lacking)
        keys = np.array(lacking.values_list("pk", flat=True), np.int64)
        has[columns.rows_of(keys)] = False
        found |= has
    return found
