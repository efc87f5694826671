"""Background work of the gallery: thumbnails, and the care of the vault."""

import time
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery import beside, care, develop, records, transfers, trash, vault
from gallery.models import FolderToDate, Photo, Thumbnail, Verification
from gallery.sandbox import Sandbox
from imagevault.board import Budget
from imagevault.queue import enqueue, enqueue_steps, work_through
from imagevault.work import Stage

# Photos in a task: the queue costs little beside them, and a stop little of them.
BATCH = 32
HOUR = 60 * 60  # seconds

# How often the plain records are looked after.
RECORD_SECONDS = 30.0
recorded_at = -RECORD_SECONDS

THUMBNAILS = Stage("thumbnails", _("Thumbnails"), Thumbnail)

sandbox = Sandbox(
    memory_mb=settings.IMAGEVAULT_DECODE_MEMORY_MB,
    seconds=settings.IMAGEVAULT_DECODE_SECONDS,
)


def feed(room: int) -> int:
    """Queue outstanding thumbnails, `room` tasks at most; return how many.

    Raise NoVault where there is nothing to make them of.
    """
    vault.require(settings.IMAGEVAULT_DATA)
    queued = enqueue_steps(
        Thumbnail.objects.all(), make_thumbnails, room=room, size=BATCH
    )
    if queued < room:
        queued += feed_dates()
    if queued < room:
        queued += feed_care()
    if queued < room:
        queued += feed_records()
    return queued


def feed_tidying(room: int) -> int:
    """Once an hour, queue the looking after unfinished uploads; return how many tasks."""
    if not room or not cache.add("gallery-tidied", "yes", HOUR):
        return 0
    enqueue(tidy_transfers, [])
    return 1


def tidy_transfers(_: list[int]) -> None:
    """Finish uploads that died on their last step, forget those nobody goes on with."""
    transfers.tidy()


def make_thumbnails(photo_ids: list[int]) -> None:
    """Make a batch of thumbnails. Running it twice writes the same rows."""
    # Or every photo would be told to be missing while the disk is not mounted.
    vault.require(settings.IMAGEVAULT_DATA)
    photos = Photo.objects.in_bulk(photo_ids)
    prints = {}
    try:
        for pk in work_through(Thumbnail.objects.all(), photo_ids):
            prints[pk] = develop.develop_photo(photos[pk], sandbox)
    finally:
        develop.record(prints)


def begin_nightly_share() -> None:
    """Have the next share of the vault read again. The schedule calls this each night."""
    vault.require(settings.IMAGEVAULT_DATA)
    if settings.IMAGEVAULT_VERIFY_SHARE:
        care.begin(share=settings.IMAGEVAULT_VERIFY_SHARE)


def empty_trash_nightly() -> None:
    """Begin to purge what is due. The schedule calls this each night."""
    if settings.IMAGEVAULT_EMPTY_TRASH:
        empty_trash([])


def empty_trash(_none: list[int]) -> None:
    """Purge what is due, for as long as a task may take; the rest in another task."""
    budget = Budget(settings.BATCH_SECONDS)
    before = timezone.now() - timedelta(days=settings.TRASH_DAYS)
    report = trash.empty_trash(older_than=before, stop=lambda: budget.is_spent)
    # What was refused is asked again tomorrow, not at once.
    if report.purged and budget.is_spent:
        enqueue(empty_trash, [])


def feed_dates() -> int:
    """Queue a task that weighs dates, if folders wait for it and nobody is at it.

    While thumbnails are outstanding cameras are still being read.
    """
    if Thumbnail.objects.outstanding().exists() or not FolderToDate.objects.exists():
        return 0
    if not cache.add("gallery-dating", "yes", settings.TASK_SECONDS):
        return 0
    enqueue(weigh_dates, [])
    return 1


def weigh_dates(_: list[int]) -> None:
    """Weigh dates folder by folder, for as long as a task may take."""
    budget = Budget(settings.BATCH_SECONDS)
    try:
        beside.weigh_outstanding(stop=lambda: budget.is_spent)
    finally:
        cache.delete("gallery-dating")


def feed_care() -> int:
    """Queue a task for the nightly share, if it is not done and nobody is at it."""
    nightly = Verification.objects.filter(share=settings.IMAGEVAULT_VERIFY_SHARE)
    due = nightly.unfinished().order_by("pk").first()
    if due is None or settings.IMAGEVAULT_VERIFY_SHARE <= 1:
        return 0
    if not Verification.objects.filter(pk=due.pk).claim(seconds=settings.CLAIM_SECONDS):
        return 0
    enqueue(read_originals, [due.pk])
    return 1


def feed_records() -> int:
    """Queue a task that brings the plain records up to date, if they are behind.

    While thumbnails are outstanding photos still change, and each would be written twice.
    """
    global recorded_at
    if time.monotonic() - recorded_at < RECORD_SECONDS:
        return 0
    recorded_at = time.monotonic()
    if Thumbnail.objects.outstanding().exists() or not records.are_behind():
        return 0
    enqueue(write_records, [])
    return 1


def write_records(_: list[int]) -> None:
    """Bring the vault's plain records up to date, for as long as a task may take."""
    vault.require(settings.IMAGEVAULT_DATA)
    budget = Budget(settings.BATCH_SECONDS)
    try:
        records.bring_up(stop=lambda: budget.is_spent)
    except records.Busy:
        pass


def read_originals(verification_ids: list[int]) -> None:
    """Read on in a share of the vault, for as long as a task may take."""
    budget = Budget(settings.BATCH_SECONDS)
    for one in Verification.objects.filter(pk__in=verification_ids):
        try:
            care.carry_on(one, stop=lambda: budget.is_spent)
        except care.AlreadyRunning:
            continue
    Verification.objects.filter(pk__in=verification_ids).update(claimed_until=None)
