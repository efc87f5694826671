"""The notes that programs put beside photos: whose they are, and what they say.

Their bytes are kept as they were, and are read anew each time; whose a note is stands in
the ledger, as the reason of its row.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from gallery import sidecars, vault
from gallery.models import (
    KeptFile,
    Outcome,
    Photo,
    SourceFile,
    SourceFileQuerySet,
)
from gallery.sidecars import Note

# Between the names of two files of which one note speaks; no name has it.
AND = " / "
SIGHTINGS = 20  # of a photo, beside which notes are looked for


@dataclass(frozen=True, slots=True)
class Noted:
    """One note beside a photo, and what it says."""

    name: str
    kept: KeptFile
    note: Note


def tie(source: int, folder_key: int) -> dict[str, list[Noted]]:
    """Find whose the notes of a folder are, write that down, and return them by owner."""
    rows = SourceFile.objects.current().filter(source=source, folder_key=folder_key)
    notes = {row.name: row for row in _sidecars(rows)}
    if not notes:
        return {}
    names = {path.rpartition("/")[2] for path in rows.values_list("path", flat=True)}
    owners = sidecars.owners(names, notes)
    found: dict[str, list[Noted]] = defaultdict(list)
    for name, row in sorted(notes.items()):
        whose = AND.join(owners.get(name, []))[:500]
        if row.reason != whose:
            SourceFile.objects.filter(pk=row.pk).update(reason=whose)
        if noted := _read(row):
            for owner in owners.get(name, []):
                found[owner].append(noted)
    return found


def notes_of(photo: Photo) -> list[Noted]:
    """What lies beside a photo's files, each content once."""
    sightings = SourceFile.objects.current().filter(photo=photo)
    seen = list(sightings.order_by("pk")[:SIGHTINGS])
    if not seen:
        return []
    beside = Q()
    for one in seen:
        beside |= Q(source=one.source_id, folder_key=one.folder_key)
    here = {(one.source_id, one.folder_key, one.name) for one in seen}
    found: dict[int | None, Noted] = {}
    for row in _sidecars(SourceFile.objects.current().filter(beside)):
        whose = {(row.source_id, row.folder_key, one) for one in row.reason.split(AND)}
        if whose & here and (noted := _read(row)):
            found.setdefault(row.kept_id, noted)
    return list(found.values())


def _sidecars(rows: SourceFileQuerySet) -> SourceFileQuerySet:
    found = rows.filter(outcome=Outcome.SIDECAR, kept__isnull=False)
    return found.select_related("kept").order_by("pk")


def _read(row: SourceFile) -> Noted | None:
    """What a note says; nothing where its bytes are lost for the moment."""
    assert row.kept
    folder = settings.IMAGEVAULT_DATA
    place = vault.original(folder, row.kept.digest, row.kept.extension)
    try:
        content = place.read_bytes()
    except OSError:
        return None
    kind = sidecars.kind(row.name, content)
    if kind is None:
        return None
    zone = timezone.get_default_timezone()
    return Noted(row.name, row.kept, sidecars.read(kind, content, zone=zone))
