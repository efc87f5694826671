"""Background work of the duplicates: looking, searching, measuring, making sets."""

import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from dedup import clues, measuring, perceptual, placing, runs, scan, searching, sets
from dedup.local_features import local_features
from dedup.models import (
    BatchRun,
    Comparison,
    DuplicateSet,
    Fingerprint,
    Search,
    SearchPass,
    Turn,
)
from dedup.thumbnails import NoThumbnail, make_again, thumbnail
from gallery import vault
from gallery.descent import Descent
from gallery.models import Photo
from gallery.tasks import sandbox
from imagevault.board import Budget
from imagevault.queue import enqueue, enqueue_steps, work_through
from imagevault.work import Stage

FINGERPRINTS = Stage("fingerprints", _("Fingerprints"), Fingerprint)
COMPARISONS = Stage("comparisons", _("Comparisons"), Comparison, ("left", "right"))

# Rows in a task.
PHOTOS = 256
PAIRS = 256
# How often every photo is looked at for what went another way.
SWEEP_SECONDS = 60.0
# New fingerprints are searched together, as each search reads all of them: when there
# are so many, or so large a share of those searched before.
GATHER = 5_000
GATHER_SHARE = 0.1
# Measured pairs are grouped together, too.
GATHER_PAIRS = 2_000

Task = Callable[[list[int]], None]

swept_at = -SWEEP_SECONDS


def feed(room: int) -> int:
    """Queue what is outstanding, `room` tasks at most; return how many."""
    queued = feed_desk(room)
    enrol()
    queued += enqueue_steps(
        Fingerprint.objects.all(), fingerprint_photos, room=room - queued, size=PHOTOS
    )
    if queued < room and search_is_due():
        queued += _enqueue_alone("search", search_photos)
    if queued < room:
        queued += enqueue_steps(
            Comparison.objects.all(), compare_pairs, room=room - queued, size=PAIRS
        )
    if queued < room and grouping_is_due():
        queued += _enqueue_alone("group", group_pairs)
    return queued


def feed_desk(room: int) -> int:
    """Queue what somebody at the desk waits for."""
    queued = 0
    if BatchRun.objects.under_way().exists():
        queued += _enqueue_alone("batches", carry_out_batches)
    if queued < room and DuplicateSet.objects.unplaced().exists():
        queued += _enqueue_alone("place", place_sets)
    return queued


def enrol() -> None:
    global swept_at
    scan.enrol()
    if time.monotonic() - swept_at > SWEEP_SECONDS:
        scan.sweep()
        swept_at = time.monotonic()


def search_is_due() -> bool:
    """Return whether a search is under way, enough fingerprints wait, or no more come."""
    if SearchPass.objects.exists():
        return True
    due = Fingerprint.objects.to_search().live()
    if not Fingerprint.objects.outstanding().exists():
        return due.exists()
    searched = Fingerprint.objects.filter(search=Search.DONE).count()
    enough = max(GATHER, int(GATHER_SHARE * searched))
    return due[: enough + 1].count() > enough


def grouping_is_due() -> bool:
    """Return whether enough pairs were measured, or nothing more is about to be.

    Each time, all that hangs together with a newly measured pair is made anew.
    """
    waiting = Comparison.objects.to_group()[: GATHER_PAIRS + 1].count()
    if waiting > GATHER_PAIRS:
        return True
    return bool(waiting) and not Comparison.objects.outstanding().exists()


def _enqueue_alone(name: str, task: Task) -> int:
    """Queue a task of which one at a time is enough."""
    if not Turn.claim(name, seconds=settings.CLAIM_SECONDS):
        return 0
    enqueue(task, [])
    return 1


def fingerprint_photos(photo_ids: list[int]) -> None:
    """Look at a batch of thumbnails. Running it twice writes the same rows."""
    photos = Photo.objects.in_bulk(photo_ids)
    looks: dict[int, scan.Look] = {}
    try:
        for pk in work_through(Fingerprint.objects.all(), photo_ids):
            try:
                looks[pk] = look(photos[pk])
            except NoThumbnail as lost:
                Fingerprint.objects.all().put_back([pk])
                make_again(lost)
    finally:
        scan.record(looks)


def look(photo: Photo) -> scan.Look:
    """Return what a photo looks like; raise NoThumbnail."""
    picture = thumbnail(photo.digest)
    return scan.Look(
        hashes=perceptual.fingerprint(picture),
        spots=local_features(picture),
        clues=clues.clues(measuring.facts(photo), photo.name),
    )


def search_photos(_none: list[int]) -> None:
    """Look for the neighbours of what is new, for as long as a task may take."""
    budget = Budget(settings.BATCH_SECONDS)
    try:
        searching.search(stop=lambda: budget.is_spent)
    finally:
        Turn.release("search")


def compare_pairs(comparison_ids: list[int]) -> None:
    """Measure a batch of pairs. Running it twice writes the same rows."""
    rows = Comparison.objects.select_related("left", "right").in_bulk(comparison_ids)
    answers: dict[int, measuring.Judgement] = {}
    try:
        for pk in work_through(Comparison.objects.all(), comparison_ids):
            try:
                answers[pk] = measuring.measure(
                    rows[pk],
                    pixel_digest=pixel_digest,
                    detail_beyond=detail_beyond,
                    descent=descent,
                )
            except NoThumbnail as lost:
                Comparison.objects.all().put_back([pk])
                make_again(lost)
    finally:
        measuring.record(answers)


def group_pairs(_none: list[int]) -> None:
    """Make the sets of newly measured pairs, for as long as a task may take."""
    end = time.monotonic() + settings.BATCH_SECONDS
    try:
        while time.monotonic() < end and sets.regroup():
            pass
    finally:
        Turn.release("group")


def place_sets(_none: list[int]) -> None:
    """Give open sets their batch, for as long as a task may take."""
    budget = Budget(settings.BATCH_SECONDS)
    try:
        while not budget.is_spent and placing.place_some():
            pass
    finally:
        Turn.release("place")


def carry_out_batches(_none: list[int]) -> None:
    """Carry out or undo batches, for as long as a task may take."""
    budget = Budget(settings.BATCH_SECONDS)
    try:
        runs.go_on(lambda: budget.is_spent)
    finally:
        Turn.release("batches")


def pixel_digest(photo: Photo) -> str:
    return sandbox.pixel_digest(original(photo))


def detail_beyond(photo: Photo, edge: int) -> float:
    return sandbox.detail_beyond(original(photo), edge=edge)


def descent(left: Photo, right: Photo, turn: int) -> Descent:
    said = sandbox.descent(original(left), original(right), turn=turn)
    return Descent(**said)


def original(photo: Photo) -> Path:
    return vault.original(settings.IMAGEVAULT_DATA, photo.digest, photo.extension)
