"""Bring good bytes back into the vault: from a drive, from a backup, or from the trash.

Nothing is believed but the digest: what does not have it is left where it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery import archives, backups, copying, originals, trash, vault, walk
from gallery.models import Damage, KeptFile, Photo, Restore
from gallery.originals import CannotRead, Readable
from gallery.stored import original
from gallery.whereabouts import Place, places


@dataclass(slots=True)
class RepairReport:
    """What came back and from where, and what is still damaged with its advice."""

    mended: list[dict[str, str]] = field(default_factory=list)
    restored: list[dict[str, str]] = field(default_factory=list)
    left: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def repair(roots: Iterable[Path] = (), *, from_trash: bool = False) -> RepairReport:
    """Mend every damaged original whose good bytes can be had.

    Looks on the drives that are plugged in, and below `roots`: drives, wherever they are
    mounted, or backups. With `from_trash`, where nothing else is left, photos that gave
    way to the damaged one come back. Raise vault.NoVault or originals.VaultFails.
    """
    vault.require(settings.IMAGEVAULT_DATA)
    report = RepairReport()
    given = list(roots)
    damages = Damage.objects.open().with_files()
    for damage in sorted(damages, key=lambda one: one.file.digest):
        _mend(damage, given, report, from_trash=from_trash)
    return report


def _mend(
    damage: Damage, roots: list[Path], report: RepairReport, *, from_trash: bool
) -> None:
    file = damage.file
    seen = places([file])[file.digest]
    said = {"digest": file.digest, "name": file.name}
    # From the disk: what memory still has of it would be told from it by nobody.
    if not file.is_stored or copying.is_whole(_place(file), file.digest):
        close(damage, _("it was found whole again"))
        report.mended.append({**said, "from": damage.mended_from})
        return
    for root, path, name in candidates(file, seen, roots):
        if _fetch(file, root, path):
            close(damage, name)
            report.mended.append({**said, "from": name})
            return
    if from_trash and damage.photo and (back := _bring_back(damage.photo)):
        report.restored += [{**said, "instead": one.name} for one in back]
    advice = [str(place) for place in seen]
    report.left.append({**said, "problem": damage.kind, "advice": advice})


def candidates(
    file: Photo | KeptFile, seen: list[Place], roots: list[Path]
) -> Iterator[tuple[Path, bytes, str]]:
    """Where the bytes may be: a folder, a path in it, and how to call the place."""
    for root in roots:
        if backups.is_backup(root):
            yield root, bytes(original(file).below(Path())), f"{root}"
    for place in seen:
        path = place.path
        here = [*roots, *([Path(place.source.mounted_at)] if place.is_here else [])]
        for root in here:
            yield root, walk.raw(path), f"{place.source.label}: {path}"


def _fetch(lost: Photo | KeptFile, root: Path, path: bytes) -> bool:
    """Store these bytes again if that file has them. Raise VaultFails."""
    folder = settings.IMAGEVAULT_DATA
    try:
        below = walk.open_quietly(None, bytes(root))
    except OSError:
        return False
    try:
        with _opened(below, path) as source:
            taken = originals.take(source, folder / "incoming")
    except CannotRead:
        return False
    finally:
        os.close(below)
    if taken.reading.digest != lost.digest:
        taken.drop()
        return False
    originals.keep(taken, folder, lost.extension)
    return copying.is_whole(_place(lost), lost.digest)


@contextmanager
def _opened(below: int, path: bytes) -> Iterator[Readable]:
    """A file of a drive, or what lies in one of its archives. Raise CannotRead."""
    try:
        source = originals.open_source(below, path)
    except CannotRead:
        spool = settings.IMAGEVAULT_DATA / "incoming"
        with archives.stream(below, walk.readable(path), spool=spool) as stream:
            yield stream
        return
    try:
        yield source
    finally:
        os.close(source)


def close(damage: Damage, mended_from: str) -> None:
    damage.mended_at = timezone.now()
    damage.mended_from = mended_from[:500]
    damage.save(update_fields=["mended_at", "mended_from"])


def _bring_back(photo: Photo) -> list[Photo]:
    """Restore what gave way to a photo that is lost, as far as it is whole itself."""
    back = []
    with transaction.atomic():
        yielded = Photo.objects.trashed().filter(in_favour_of=photo)
        for one in yielded.select_for_update().order_by("pk"):
            is_whole = copying.is_whole(_place(one), one.digest)
            if is_whole and trash.restore(
                Photo.objects.filter(pk=one.pk), by=None, why=Restore.Why.REPAIR
            ):
                one.refresh_from_db()
                back.append(one)
    return back


def _place(file: Photo | KeptFile) -> Path:
    return original(file).place
