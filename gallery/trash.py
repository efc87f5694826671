"""The bin: what is purged after its time, and the only code that takes bytes away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from gallery import originals, vault
from gallery.models import Photo

# A keeper may yield to a better keeper, and that to another: so many times at most.
MAX_YIELDS = 1_000


@dataclass(slots=True)
class PurgeReport:
    """What a purge did: photos and bytes gone, and what was refused with its reason."""

    purged: int = 0
    bytes_freed: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)

    def to_json(self) -> dict[str, object]:
        return {
            "purged": self.purged,
            "bytes_freed": self.bytes_freed,
            "refused": self.refused,
        }


class NotPurgeable(Exception):
    """The photo stays in the trash: what it yielded to is not safely there."""


def empty_trash(
    *, older_than: datetime, progress: Callable[[int, int], None] | None = None
) -> PurgeReport:
    """Purge what was trashed before this moment, each only once its keeper verifies.

    `progress` is told the bytes looked at so far and in all.
    """
    folder = settings.IMAGEVAULT_DATA
    vault.require(folder)
    finish_purges(folder)
    write_through()
    report = PurgeReport()
    verified: dict[int, str] = {}
    due = Photo.objects.trashed_before(older_than)
    total = due.aggregate(bytes=Sum("size"))["bytes"] or 0
    seen = 0
    for photo in trashed_before(older_than):
        seen += photo.size
        if progress:
            progress(seen, total)
        try:
            keeper = final_keeper(photo)
            if keeper.pk not in verified:
                verified[keeper.pk] = damage(keeper, folder)
            if verified[keeper.pk]:
                raise NotPurgeable(verified[keeper.pk])
            purge(photo, keeper)
        except NotPurgeable as refusal:
            report.refused.append(
                {"digest": photo.digest, "name": photo.name, "reason": str(refusal)}
            )
            continue
        unlink(photo, folder)
        report.purged += 1
        report.bytes_freed += photo.size
    return report


def write_through() -> None:
    """Have each commit on the disk before the next step, as PostgreSQL does anyway.

    Else a power cut could take back what the catalogue says of a purge, and not the
    purge: the photo would lie in the trash again, without its bytes.
    """
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=FULL")


def trashed_before(moment: datetime) -> Iterator[Photo]:
    """Yield photos oldest first, a few at a time: each purge takes one away."""
    last = 0
    while True:
        page = Photo.objects.trashed_before(moment).filter(pk__gt=last).order_by("pk")
        photos = list(page[:200])
        if not photos:
            return
        yield from photos
        last = photos[-1].pk


def final_keeper(photo: Photo) -> Photo:
    """Return the live photo at the end of what this one yielded to."""
    keeper = photo
    for _ in range(MAX_YIELDS):
        if keeper.in_favour_of is None:
            break
        keeper = keeper.in_favour_of
    if not keeper.is_live:
        raise NotPurgeable(f"{keeper.name}, kept in its place, is not in the gallery.")
    return keeper


def damage(photo: Photo, folder: Path) -> str:
    """Re-read the original; return what is wrong with it, or nothing."""
    path = vault.original(folder, photo.digest, photo.extension)
    if not path.exists():
        return f"{photo.name}, kept in its place, is missing from the vault."
    if not originals.is_whole(path, photo.digest):
        return f"{photo.name}, kept in its place, is damaged: its bytes have changed."
    return ""


@transaction.atomic
def purge(photo: Photo, keeper: Photo) -> None:
    """Say in the catalogue that the bytes are gone, while the keeper is held live."""
    held = Photo.objects.select_for_update().live().filter(pk=keeper.pk)
    if not held.exists():
        raise NotPurgeable(f"{keeper.name}, kept in its place, was just discarded.")
    trashed = Photo.objects.trashed().filter(pk=photo.pk, trashed_at=photo.trashed_at)
    if not trashed.update(purged_at=timezone.now()):
        raise NotPurgeable("It was just restored.")


def unlink(photo: Photo, folder: Path) -> None:
    """Take the bytes away.

    The catalogue says so first: a crash in between leaves a file too many, which the
    next purge finds, and never a photo whose file is missing.
    """
    vault.original(folder, photo.digest, photo.extension).unlink(missing_ok=True)
    for rendition in (folder / "renditions").glob("*"):
        path = vault.shelf(rendition, photo.digest) / f"{photo.digest}.jpg"
        path.unlink(missing_ok=True)


def finish_purges(folder: Path) -> None:
    """Take away what an interrupted purge left: bytes of photos said to be gone."""
    purged = Photo.objects.filter(purged_at__isnull=False)
    for photo in purged.order_by("-purged_at")[:1_000]:
        if vault.original(folder, photo.digest, photo.extension).exists():
            unlink(photo, folder)
