"""How far the background work is: what waits, runs and failed, stage by stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django_q.status import Stat

from gallery.models import Photo, Step, StepQuerySet

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Failed:
    """One piece of work that waits for a person."""

    pk: int
    photos: list[Photo]
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage is at one moment; of what failed, some rows are shown."""

    stage: Stage
    waiting: int
    running: int
    failed: int
    shown: list[Failed]

    @property
    def is_idle(self) -> bool:
        return not (self.waiting or self.running)


@dataclass(frozen=True, slots=True)
class Stage:
    """A kind of work on photos; the settings list the stages in their order.

    `photos` names the relations by which a row finds the photos it is about.
    """

    name: str
    label: str | Promise
    model: type[Step]
    photos: tuple[str, ...] = ("photo",)

    @property
    def steps(self) -> StepQuerySet:
        steps: StepQuerySet = self.model._default_manager.all()
        return steps

    def progress(self) -> Progress:
        failed = self.steps.failed()
        thumbnails = [f"{photo}__thumbnail" for photo in self.photos]
        rows = failed.select_related(*thumbnails).order_by("pk")[:SHOWN]
        return Progress(
            stage=self,
            waiting=self.steps.claimable().count(),
            running=self.steps.claimed().count(),
            failed=failed.count(),
            shown=[self.describe(row) for row in rows],
        )

    def describe(self, row: Model) -> Failed:
        photos = [getattr(row, name) for name in self.photos]
        reason = getattr(row, "problem", "") or "it was begun too often"
        return Failed(row.pk, photos, reason)

    def retry(self, pk: int | None = None) -> int:
        """Have one row done again, or all that failed; return how many."""
        rows = self.steps if pk is None else self.steps.filter(pk=pk)
        return rows.retry()


def stages() -> dict[str, Stage]:
    """Return the stages by name, in their order."""
    found: Iterator[Stage] = map(import_string, settings.IMAGEVAULT_STAGES)
    return {stage.name: stage for stage in found}


@dataclass(frozen=True, slots=True)
class Running:
    """A cluster that does the work, here or on another machine."""

    host: str
    since: datetime
    workers: int


def clusters() -> list[Running]:
    """Return the clusters that are alive, the oldest first."""
    found = [
        Running(status.host, status.tob, len(status.workers))
        for status in Stat.get_all()
    ]
    return sorted(found, key=lambda running: running.since)
