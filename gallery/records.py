"""What the catalogue knows, in plain files beside the originals, kept current.

SHA256SUMS                  one line for each original
originals/ab/cd/photos.json what is known of each photo there: names, dates, sightings;
                            and of each file kept beside photos
sources.json                drives, and each run over them
ledger/3.jsonl              every entry seen on source 3, one a line

A vault can be read, and its catalogue be rebuilt, from these alone. Which of them are
behind follows from the log of changes; what breaks off half-way is written next time.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from gallery import changes, drafts, stored, sums, vault
from gallery.importer import undisturbed
from gallery.models import (
    ImportRun,
    KeptFile,
    Mark,
    Photo,
    Source,
    SourceFile,
    StaleShelf,
)
from gallery.stages import chunks

FORMAT = 1
SHELF = "photos.json"
SOURCES = "sources.json"
LEDGER = "ledger"
MARK, WHOLE = "records", "sums"
# More changed photos than this are not looked up one by one.
MOST = 20_000
SHELVES = 200  # written at once
RANGES = 50  # of digests, asked for at once
FLUSHING = 8  # threads that wait for the disk

# What people decided about a photo, or what links it to people.
DECIDED = {"trashed_at", "purged_at", "for_good"}


class Busy(Exception):
    """Somebody else is writing the records."""


def bring_up(*, ledgers: bool = True, stop: Callable[[], bool] = lambda: False) -> bool:
    """Write the records that are behind; return whether all are current now.

    Raise Busy if another process is at it.
    """
    incoming = settings.IMAGEVAULT_DATA / "incoming"
    with drafts.alone(incoming, "records", otherwise=Busy()):
        note_changes()
        while shelves := _stale():
            if stop():
                return False
            _write_shelves(shelves)
        if Mark.objects.filter(name=WHOLE).exists():
            _write_sums()
        if ledgers:
            _write_sources()
    return True


def are_behind() -> bool:
    """Whether there is anything to write, as far as can be told at once."""
    mark = Mark.objects.filter(name=MARK).first()
    if mark is None or StaleShelf.objects.exists():
        return Photo.objects.exists() or Source.objects.exists()
    moment = changes.now()
    if mark.token != moment.lineage or mark.position > moment.position:
        return True
    return bool(changes.since(mark.position, most=0)) or _sources_are_behind()


# Which shelves are behind


@undisturbed
def note_changes() -> None:
    """Note the shelves of all photos that changed since this was asked last."""
    moment = changes.now()
    mark = Mark.objects.filter(name=MARK).first()
    changed = _changed(mark, moment)
    with transaction.atomic():
        if changed is None:
            StaleShelf.objects.note(stored.shelves())
            Mark.objects.update_or_create(name=WHOLE)
        else:
            StaleShelf.objects.note(_shelves_of(changed))
        Mark.objects.update_or_create(
            name=MARK, defaults={"position": moment.position, "token": moment.lineage}
        )


def _changed(mark: Mark | None, moment: changes.Moment) -> list[int] | None:
    """The photos that changed since a mark, None if that may be any."""
    if mark is None or mark.token != moment.lineage:
        return None
    if not moment.pruned <= mark.position <= moment.position:
        return None
    found = changes.since(mark.position, most=MOST)
    return found if len(found) <= MOST else None


def _shelves_of(photos: Iterable[int]) -> set[str]:
    found: set[str] = set()
    for some in chunks(photos, 900):
        rows = Photo.objects.filter(pk__in=some)
        found |= {digest[:4] for digest in rows.values_list("digest", flat=True)}
    return found


@undisturbed
def _stale() -> dict[str, int]:
    rows = StaleShelf.objects.order_by("key")[:SHELVES]
    return {row.key: row.noted for row in rows}


# The records of photos


def _write_shelves(shelves: dict[str, int]) -> None:
    """Write the records of some shelves, and list what is new in them."""
    folder = settings.IMAGEVAULT_DATA
    photos, files = described(shelves), described_files(shelves)
    written = [_Shelf.of(folder, key, photos[key], files[key]) for key in shelves]
    if any(shelf.has_lost for shelf in written):
        Mark.objects.update_or_create(name=WHOLE)
    if not Mark.objects.filter(name=WHOLE).exists():
        sums.append(folder, (one for shelf in written for one in shelf.new_lines()))
    with ThreadPoolExecutor(FLUSHING) as pool:
        for _ in pool.map(_Shelf.write, written):
            pass
    _settle(shelves)


@undisturbed
def _settle(shelves: dict[str, int]) -> None:
    with transaction.atomic():
        StaleShelf.objects.settle(shelves)


class _Shelf:
    """One folder of originals: what its record says, and what it should say."""

    def __init__(
        self, place: Path, photos: list[dict[str, Any]], files: list[dict[str, Any]]
    ) -> None:
        self.place = place
        self.photos = photos
        self.files = files
        self.before = listed(place)

    @classmethod
    def of(
        cls,
        folder: Path,
        key: str,
        photos: list[dict[str, Any]],
        files: list[dict[str, Any]],
    ) -> _Shelf:
        return cls(vault.shelf(folder / "originals", key) / SHELF, photos, files)

    @property
    def names(self) -> set[str]:
        return {_name(one) for one in (*self.photos, *self.files)}

    @property
    def has_lost(self) -> bool:
        """Whether originals listed before are gone, or nobody knows which were."""
        return self.before is None or bool(self.before - self.names)

    def new_lines(self) -> Iterator[bytes]:
        for one in (*self.photos, *self.files):
            if _name(one) not in (self.before or ()):
                yield sums.line(one["digest"], one["extension"])

    def write(self) -> None:
        if not self.photos and not self.files:
            self.place.unlink(missing_ok=True)
            return
        self.place.parent.mkdir(parents=True, exist_ok=True)
        files = {"files": self.files} if self.files else {}
        write(self.place, {"format": FORMAT, "photos": self.photos, **files})


def _name(one: dict[str, Any]) -> str:
    """The name of an original's file."""
    return f"{one['digest']}.{one['extension']}"


def listed(record: Path) -> set[str] | None:
    """The files a shelf's record names, None where it cannot be read."""
    try:
        content = json.loads(record.read_bytes())
        return {_name(one) for one in (*content["photos"], *content.get("files", ()))}
    except FileNotFoundError:
        return set()
    except (OSError, ValueError, KeyError, TypeError):
        return None


@undisturbed
def described(keys: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """What is known of the photos whose digests begin so, by their beginning."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for some in chunks(keys, RANGES):
        photos = _photos(some)
        seen = sightings(photo.pk for photo in photos)
        for photo in photos:
            found[photo.digest[:4]].append(
                {
                    **plain(photo, without=DECIDED),
                    "added_by": photo.added_by.get_username() if photo.added_by else "",
                    "sightings": seen.get(photo.pk, []),
                }
            )
    return found


def _photos(keys: list[str]) -> list[Photo]:
    rows = Photo.objects.stored().filter(_beginning(keys))
    return list(rows.select_related("added_by").order_by("digest"))


def _beginning(keys: list[str]) -> Q:
    return reduce(or_, [Q(digest__gte=key, digest__lt=f"{key}g") for key in keys])


def sightings(
    rows: Iterable[int], *, of: str = "photo"
) -> dict[int, list[dict[str, Any]]]:
    """The entries of the ledger of these photos, or kept files, by their ids."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for some in chunks(rows, 900):
        seen = SourceFile.objects.filter(**{f"{of}__in": some})
        for row in seen.order_by("pk"):
            found[getattr(row, f"{of}_id")].append(entry(row))
    return found


@undisturbed
def described_files(keys: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """What is known of the kept files whose digests begin so, by their beginning."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for some in chunks(keys, RANGES):
        rows = KeptFile.objects.filter(_beginning(some)).select_related("added_by")
        files = list(rows.order_by("digest"))
        seen = sightings((file.pk for file in files), of="kept")
        for file in files:
            found[file.digest[:4]].append(
                {
                    **plain(file, without=set()),
                    "added_by": file.added_by.get_username() if file.added_by else "",
                    "sightings": seen.get(file.pk, []),
                }
            )
    return found


def entry(row: SourceFile) -> dict[str, Any]:
    """A row of the ledger, without what it belongs to."""
    return {
        "source": row.source_id,
        **plain(row, without={"id", "path_key", "folder_key"}),
        "first_run": row.first_run_id,
        "last_run": row.last_run_id,
        "replaced_in": row.replaced_in_id,
    }


def plain(row: models.Model, *, without: set[str]) -> dict[str, Any]:
    """A row's own values, but for what leads to other rows."""
    return {
        field.name: field.value_from_object(row)
        for field in row._meta.concrete_fields
        if not field.is_relation and field.name not in without
    }


# SHA256SUMS anew


def _write_sums() -> None:
    lines = (sums.line(one.digest, one.extension) for one in stored.every())
    sums.write(settings.IMAGEVAULT_DATA, lines)
    Mark.objects.filter(name=WHOLE).delete()


# Drives, runs and their entries


def _sources_now() -> dict[str, Any]:
    over = ImportRun.objects.exclude(state=ImportRun.State.RUNNING).order_by("pk")
    return {
        "format": FORMAT,
        "sources": [
            plain(source, without=set()) for source in Source.objects.order_by("pk")
        ],
        "runs": [
            {**plain(run, without=set()), "source": run.source_id} for run in over
        ],
    }


def _sources_are_behind() -> bool:
    place = settings.IMAGEVAULT_DATA / SOURCES
    try:
        return place.read_bytes() != _encoded(_sources_now())
    except FileNotFoundError:
        return True


def _write_sources() -> None:
    """Write the ledgers of sources with new runs, and then that there were runs."""
    folder = settings.IMAGEVAULT_DATA
    now = _sources_now()
    place = folder / SOURCES
    try:
        before = json.loads(place.read_bytes())["runs"]
        known = {(run["source"], run["id"], run["state"]) for run in before}
    except (OSError, ValueError, KeyError, TypeError):
        known = set()
    runs = {(run["source"], run["id"], run["state"]) for run in now["runs"]}
    (folder / LEDGER).mkdir(exist_ok=True)
    for source in sorted({one for one, *_ in runs - known}):
        _write_ledger(folder / LEDGER / f"{source}.jsonl", source)
    if not place.exists() or place.read_bytes() != _encoded(now):
        write(place, now)


def _write_ledger(place: Path, source: int) -> None:
    rows = SourceFile.objects.filter(source=source).select_related("photo", "kept")
    names = [field.name for field in SourceFile._meta.concrete_fields]
    rows = rows.only(*names, "photo__digest", "kept__digest")
    with drafts.draft(settings.IMAGEVAULT_DATA / "incoming") as draft:
        for some in chunks(rows.order_by("pk").iterator(chunk_size=2_000), 2_000):
            lines = (_line({**entry(row), "digest": _digest(row)}) for row in some)
            draft.write(b"".join(lines))
        draft.flush_and_publish(place)


def _digest(row: SourceFile) -> str:
    found = row.photo or row.kept
    return found.digest if found else ""


# JSON


def write(place: Path, content: dict[str, Any]) -> None:
    """Write a record, whole or not at all."""
    with drafts.draft(settings.IMAGEVAULT_DATA / "incoming") as draft:
        draft.write(_encoded(content))
        draft.flush_and_publish(place)


def _encoded(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, default=_text, ensure_ascii=False, indent=1)
    return f"{text}\n".encode()


def _line(content: dict[str, Any]) -> bytes:
    return f"{json.dumps(content, default=_text, ensure_ascii=False)}\n".encode()


def _text(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{value!r} has no place in a record")
