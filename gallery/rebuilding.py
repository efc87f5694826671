"""The catalogue from the vault's files alone, when the database is lost.

Everything comes back but what people decided: the trash, favourites, decisions about
duplicates. All of it happens in one transaction, so that it happens or does not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.color import no_style
from django.db import connection, models, transaction

from gallery import films, formats, records, rereading, vault
from gallery.ledger import NAME_LENGTH, free_label
from gallery.models import (
    Damage,
    ImportRun,
    KeptFile,
    Outcome,
    Photo,
    Source,
    SourceFile,
    Thumbnail,
    folder_key,
    path_key,
)
from gallery.originals import CannotRead
from gallery.stages import chunks
from gallery.stored import original

BATCH = 1_000
KEPT = (Outcome.KEPT, Outcome.PART, Outcome.SIDECAR)


class NotEmpty(Exception):
    """The catalogue knows photos or drives already; nothing is written over them."""


@dataclass(slots=True)
class RebuildReport:
    """What came back; `unreadable` are files of the vault that could not be used."""

    photos: int = 0
    without_record: int = 0
    missing: int = 0
    sources: int = 0
    entries: int = 0
    kept: int = 0
    unreadable: list[dict[str, str]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def rebuild(*, progress: Callable[[int], None] = lambda photos: None) -> RebuildReport:
    """Fill an empty catalogue from the records and originals of the vault.

    `progress` is told the photos so far. Raise NotEmpty, or vault.NoVault.
    """
    vault.require(settings.IMAGEVAULT_DATA)
    if any(model.objects.exists() for model in (Photo, KeptFile, Source)):
        raise NotEmpty(
            "The catalogue is not empty. A rebuild is for a new database: move db.sqlite3 "
            "away, run `make setup`, then try again."
        )
    with transaction.atomic():
        rebuilding = _Rebuilding(settings.IMAGEVAULT_DATA, progress)
        rebuilding.carry_out()
        _set_sequences()
    return rebuilding.report


class _Rebuilding:
    """One rebuild; photos, sources and runs keep the numbers they had."""

    def __init__(self, folder: Path, progress: Callable[[int], None]) -> None:
        self.folder = folder
        self.progress = progress
        self.report = RebuildReport()
        self.photos: dict[str, int] = {}
        self.kept: dict[str, int] = {}
        self.sources: set[int] = set()
        self.runs: set[int] = set()

    def carry_out(self) -> None:
        self.add_sources()
        loose: list[Path] = []
        for place in self.shelves():
            loose += self.add_shelf(place)
            self.progress(self.report.photos)
        # Numbered after all those that have a number.
        _set_sequences()
        for path in loose:
            self.add_without_record(path)
        for source in sorted(self.sources):
            for entries in chunks(self.ledger(source), BATCH):
                self.add_entries(entries)
        # Sightings may be newer than the ledger's file, which each run's end writes.
        for place in self.shelves():
            content = self.record(place)
            for file in (*content["photos"], *content["files"]):
                one = {"digest": file["digest"]}
                self.add_entries([{**seen, **one} for seen in file["sightings"]])
        self.report.sources = len(self.sources)

    def shelves(self) -> Iterator[Path]:
        for place in sorted((self.folder / "originals").glob("*/*")):
            if place.is_dir():
                yield place

    def record(self, place: Path) -> dict[str, list[dict[str, Any]]]:
        """What a shelf's record says of its photos, and of files kept beside them."""
        content = self.read(place / records.SHELF) or {}
        return {name: list(content.get(name, [])) for name in ("photos", "files")}

    def read(self, path: Path) -> dict[str, Any] | None:
        """What a record says, nothing where it is lost or damaged."""
        try:
            content = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            self.refuse(path, f"it is damaged: {error}")
            return None
        return content if isinstance(content, dict) else None

    def refuse(self, path: Path, reason: str) -> None:
        refusal = {"path": str(path.relative_to(self.folder)), "reason": reason}
        if refusal not in self.report.unreadable:
            self.report.unreadable.append(refusal)

    # Sources and runs

    def add_sources(self) -> None:
        content = self.read(self.folder / records.SOURCES) or {}
        for values in content.get("sources", []):
            made(Source, values).save(force_insert=True)
            self.sources.add(values["id"])
        for some in chunks(content.get("runs", []), BATCH):
            runs = [
                made(ImportRun, values, source_id=values["source"]) for values in some
            ]
            ImportRun.objects.bulk_create(runs)
            self.runs |= {run.pk for run in runs}

    def know(self, source: int, *runs: int | None) -> None:
        """Make a source and its runs anew where their record is lost."""
        if source not in self.sources:
            Source.objects.create(pk=source, label=free_label(f"Drive {source}"))
            self.sources.add(source)
        for run in {one for one in runs if one} - self.runs:
            state = ImportRun.State.INTERRUPTED
            ImportRun.objects.create(pk=run, source_id=source, state=state)
            self.runs.add(run)

    # Photos

    def add_shelf(self, place: Path) -> list[Path]:
        """Add what a shelf's record names; return the originals it does not name."""
        there = {
            path.name: path
            for path in sorted(place.iterdir())
            if path.name not in vault.RECORDS
        }
        content = self.record(place)
        photos = [made(Photo, values) for values in content["photos"]]
        Photo.objects.bulk_create(photos)
        Thumbnail.objects.bulk_create([Thumbnail(photo=photo) for photo in photos])
        files = [made(KeptFile, values) for values in content["files"]]
        KeptFile.objects.bulk_create(files)
        lost = [
            original(row)
            for row in (*photos, *files)
            if not there.pop(f"{row.digest}.{row.extension}", None)
        ]
        missing = Damage.Kind.MISSING
        Damage.objects.bulk_create([Damage(kind=missing, **one.owner) for one in lost])
        self.photos |= {photo.digest: photo.pk for photo in photos}
        self.kept |= {file.digest: file.pk for file in files}
        self.report.missing += len(lost)
        self.report.photos += len(photos)
        self.report.kept += len(files)
        return list(there.values())

    def add_without_record(self, path: Path) -> None:
        """Add what only the original is left of: a photo, or a kept file."""
        try:
            row = row_of(path)
        except CannotRead as error:
            self.refuse(path, error.reason)
            return
        self.report.without_record += 1
        if isinstance(row, KeptFile):
            row.save(force_insert=True)
            self.kept[row.digest] = row.pk
            self.report.kept += 1
            return
        photo = row
        photo.save(force_insert=True)
        Thumbnail.objects.create(photo=photo)
        self.photos[photo.digest] = photo.pk
        self.report.photos += 1

    # The ledger

    def ledger(self, source: int) -> Iterator[dict[str, Any]]:
        place = self.folder / records.LEDGER / f"{source}.jsonl"
        if not place.is_file():
            return
        with place.open("rb") as lines:
            for line in lines:
                try:
                    yield json.loads(line)
                except ValueError as error:
                    self.refuse(place, f"it is damaged: {error}")

    def add_entries(self, entries: list[dict[str, Any]]) -> None:
        """Add rows of the ledger that are new, and replace older ones of their paths."""
        rows = {(row.source_id, row.path_key): row for row in map(self.row, entries)}
        for source in {source for source, _ in rows}:
            keys = [key for one, key in rows if one == source]
            known = SourceFile.objects.filter(source=source, path_key__in=keys)
            for key, pk, last_run in known.values_list("path_key", "pk", "last_run"):
                if last_run >= rows[source, key].last_run_id:
                    del rows[source, key]
                else:
                    SourceFile.objects.filter(pk=pk).delete()
        SourceFile.objects.bulk_create(list(rows.values()))
        self.report.entries += len(rows)

    def row(self, entry: dict[str, Any]) -> SourceFile:
        runs = (entry["first_run"], entry["last_run"], entry["replaced_in"])
        self.know(entry["source"], *runs)
        return made(
            SourceFile,
            entry,
            source_id=entry["source"],
            first_run_id=runs[0],
            last_run_id=runs[1],
            replaced_in_id=runs[2],
            path_key=path_key(entry["path"], replaced_in=runs[2]),
            folder_key=folder_key(entry["path"]),
            **self.owner(entry),
        )

    def owner(self, entry: dict[str, Any]) -> dict[str, int | None]:
        """Whose sighting an entry is, by its digest."""
        digest, is_kept = entry["digest"], entry.get("outcome") in KEPT
        photo, kept = self.photos.get(digest), self.kept.get(digest)
        # The same bytes may be kept as both.
        if photo and kept:
            photo, kept = (None, kept) if is_kept else (photo, None)
        return {"photo_id": photo, "kept_id": kept}


def made(model: Any, values: dict[str, Any], **more: Any) -> Any:
    """A row with these values; what another version wrote besides is left out."""
    row = model(**more)
    for one in model._meta.concrete_fields:
        if one.name in values and not one.is_relation:
            value = values[one.name]
            keeps = isinstance(one, models.JSONField)
            setattr(row, one.name, value if keeps else one.to_python(value))
    return row


def row_of(path: Path) -> Photo | KeptFile:
    """What can be told of an original from its bytes alone. Raise CannotRead."""
    reading = rereading.file(path)
    if reading.digest != path.stem:
        raise CannotRead("its bytes are not those its name says")
    with path.open("rb") as file:
        head = file.read(formats.HEAD)
    known: dict[str, Any] = {
        "digest": reading.digest,
        "extension": path.suffix[1:],
        "size": reading.size,
        "name": path.name[:NAME_LENGTH],
        "added_at": datetime.fromtimestamp(reading.modified_ns / 1e9, UTC),
    }
    if format := formats.recognise(head, size=reading.size):
        return Photo(format=format.name, **known)
    is_video = films.is_video(head)
    kind = KeptFile.Kind.VIDEO if is_video else KeptFile.Kind.DOCUMENT
    return KeptFile(kind=kind, **known)


def _set_sequences() -> None:
    """Have the database number new rows after those that brought their numbers."""
    statements = connection.ops.sequence_reset_sql(
        no_style(), [Photo, KeptFile, Source, ImportRun]
    )
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
