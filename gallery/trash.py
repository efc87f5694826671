"""The bin: what is purged after its time, and the only code that takes bytes away.

What gave way to a copy goes by itself, once the copy was re-read. What was trashed by
hand, in favour of nothing, goes only at somebody's word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, transaction
from django.db.models import Count, Min, QuerySet, Sum
from django.utils import timezone

from gallery import originals, vault
from gallery.models import Photo, PhotoQuerySet, Purge, Restore
from gallery.stages import chunks

# A keeper may yield to a better keeper, and that to another: so many times at most.
MAX_YIELDS = 1_000


@dataclass(slots=True)
class PurgeReport:
    """What a purge did: photos and bytes gone, and what was refused with its reason."""

    purged: int = 0
    bytes_freed: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)

    def refuse(self, photo: Photo, reason: Exception) -> None:
        self.refused.append(
            {"digest": photo.digest, "name": photo.name, "reason": str(reason)}
        )

    def add(self, other: PurgeReport) -> None:
        self.purged += other.purged
        self.bytes_freed += other.bytes_freed
        self.refused += other.refused

    def to_json(self) -> dict[str, object]:
        return {
            "purged": self.purged,
            "bytes_freed": self.bytes_freed,
            "refused": self.refused,
        }


class NotPurgeable(Exception):
    """The photo stays as it is: what it yielded to is not safely there, or it is not
    in the trash any more."""


def empty_trash(
    *,
    older_than: datetime,
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> PurgeReport:
    """Purge what was trashed before this moment, each only once its keeper verifies.

    `progress` is told the bytes looked at so far and in all; `stop` is asked before
    each photo whether to leave the rest for another time.
    """
    folder = settings.IMAGEVAULT_DATA
    vault.require(folder)
    finish_purges(folder)
    write_through()
    report = PurgeReport()
    verified: dict[int, str] = {}
    due = Photo.objects.yielded().trashed_before(older_than)
    total = due.aggregate(bytes=Sum("size"))["bytes"] or 0
    seen = 0
    for photo in trashed_before(older_than):
        if stop and stop():
            break
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
            report.refuse(photo, refusal)
            continue
        unlink(photo, folder)
        report.purged += 1
        report.bytes_freed += photo.size
    return report


def delete_by_hand(*, older_than: datetime) -> PurgeReport:
    """Delete for good what was trashed by hand before this moment, at a person's word."""
    report = PurgeReport()
    due = Photo.objects.by_hand().trashed_before(older_than).order_by("pk")
    for pk in list(due.values_list("pk", flat=True)):
        photo = Photo.objects.get(pk=pk)
        try:
            delete_for_good(photo)
        except NotPurgeable as refusal:
            report.refuse(photo, refusal)
            continue
        report.purged += 1
        report.bytes_freed += photo.size
    return report


def delete_for_good(photo: Photo, *, by: AbstractBaseUser | None = None) -> None:
    """Take away the bytes of a photo trashed by hand, though no copy may stay.

    Only ever at somebody's word for this photo. Copies that gave way to it stay where
    they are, from now on by hand too: they are what is left of the picture. Raise
    NotPurgeable if it has left the trash, or gave way to a copy.
    """
    folder = settings.IMAGEVAULT_DATA
    vault.require(folder)
    write_through()
    with transaction.atomic():
        mine = Photo.objects.select_for_update().by_hand().filter(pk=photo.pk)
        if not mine.exists():
            raise NotPurgeable("It is not in the trash any more, or not by hand.")
        copies = Photo.objects.yielded().filter(in_favour_of=photo)
        copies.update(in_favour_of=None)
        mine.update(purged_at=timezone.now(), for_good=True)
        note(photo, None, by=by)
    unlink(photo, folder)


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
        due = Photo.objects.yielded().trashed_before(moment)
        photos = list(due.filter(pk__gt=last).order_by("pk")[:200])
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
    note(photo, keeper)


def note(
    photo: Photo, keeper: Photo | None, *, by: AbstractBaseUser | None = None
) -> None:
    """Write into the journal that the bytes of a photo go."""
    Purge.objects.create(
        by=by,  # type: ignore[misc]
        digest=photo.digest,
        name=photo.name,
        size=photo.size,
        keeper_digest=keeper.digest if keeper else "",
        keeper_name=keeper.name if keeper else "",
    )


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


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a purge would do now, and what lies in the trash besides; sizes in bytes.

    `lost`: those of the due whose keeper is not in the vault as it should be. Keepers
    are read again only by the purge itself.
    """

    due: int
    due_bytes: int
    waiting: int
    waiting_bytes: int
    by_hand: int
    by_hand_bytes: int
    next_due_at: datetime | None
    first: list[Photo]
    lost: list[Photo]


# Photos that are named in an outlook, and of those due how many are looked at.
NAMED, LOOKED_AT = 12, 1_000


def outlook(*, older_than: datetime) -> Outlook:
    """Return what a purge of what was trashed before this moment would do."""
    yielded, by_hand = Photo.objects.yielded(), Photo.objects.by_hand()
    due = yielded.filter(trashed_at__lt=older_than)
    waiting = yielded.filter(trashed_at__gte=older_than)
    first = list(
        due.select_related("in_favour_of", "thumbnail").order_by("trashed_at")[
            :LOOKED_AT
        ]
    )
    return Outlook(
        *_counted(due),
        *_counted(waiting),
        *_counted(by_hand),
        next_due_at=waiting.aggregate(at=Min("trashed_at"))["at"],
        first=first[:NAMED],
        lost=[photo for photo in first if not _keeper_is_there(photo)][:NAMED],
    )


def _counted(photos: QuerySet[Photo]) -> tuple[int, int]:
    counted = photos.aggregate(photos=Count("pk"), bytes=Sum("size"))
    return counted["photos"], counted["bytes"] or 0


def _keeper_is_there(photo: Photo) -> bool:
    try:
        keeper = final_keeper(photo)
    except NotPurgeable:
        return False
    folder = settings.IMAGEVAULT_DATA
    path = vault.original(folder, keeper.digest, keeper.extension)
    try:
        return path.stat().st_size == keeper.size
    except OSError:
        return False


@transaction.atomic
def restore(
    photos: PhotoQuerySet,
    *,
    by: AbstractBaseUser | None,
    why: str = Restore.Why.ASKED,
) -> int:
    """Bring back those of these that lie in the trash, and note it; return how many."""
    held = photos.trashed().select_for_update(of=["self"]).order_by("pk")
    found = list(held.values_list("pk", "digest", "name", "in_favour_of__digest"))
    for some in chunks(found, 500):
        pks = [pk for pk, *_ in some]
        Photo.objects.filter(pk__in=pks).update(
            trashed_at=None, trashed_by=None, in_favour_of=None
        )
        Restore.objects.bulk_create(
            Restore(
                by=by,  # type: ignore[misc]
                why=why,
                digest=digest,
                name=name,
                keeper_digest=keeper or "",
            )
            for _, digest, name, keeper in some
        )
    return len(found)
