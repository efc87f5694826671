"""All that happened at the desk and in the trash, as one list and as one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any

from django.contrib.auth.models import User
from django.db import models
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dedup import trace, wording
from dedup.models import BatchRun, Decision
from gallery.models import Purge, Restore

ON_A_PAGE = 50


class What(models.TextChoices):
    RESOLVE = "resolve", gettext_lazy("carried out")
    DISMISS = "dismiss", gettext_lazy("not duplicates")
    UNDO = "undo", gettext_lazy("undone")
    BATCH = "batch", gettext_lazy("batch carried out")
    RESTORE = "restore", gettext_lazy("restored")
    PURGE = "purge", gettext_lazy("purged")


@dataclass(frozen=True, slots=True)
class Event:
    """Who did what, when and why; `address` is the page that says more, if any."""

    at: datetime
    what: What
    by: User | None
    said: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the history is asked for: before a moment, of one kind, by one person."""

    before: datetime | None = None
    what: str = ""
    by: str = ""

    def some(self, rows: QuerySet[Any], *, at: str = "at", by: str = "by") -> Any:
        """Return the latest of these rows, as many as a page has and one more."""
        if self.before is not None:
            rows = rows.filter(**{f"{at}__lt": self.before})
        return self.theirs(rows, by=by).order_by(f"-{at}", "-pk")[: ON_A_PAGE + 1]

    def theirs(self, rows: QuerySet[Any], *, by: str = "by") -> QuerySet[Any]:
        if self.by:
            rows = rows.filter(**{f"{by}__username": self.by})
        return rows.select_related(by)


def latest(asked: Asked) -> list[Event]:
    """Return what happened last; one more than a page has where there is more."""
    wanted = [
        tell(asked)
        for what, tell in TELLS.items()
        if asked.what in ("", what) or asked.what in WITH.get(what, ())
    ]
    found = merge(*wanted, key=lambda one: one.at, reverse=True)
    ours = (one for one in found if asked.what in ("", one.what))
    return list(islice(ours, ON_A_PAGE + 1))


def _decided(asked: Asked) -> Iterator[Event]:
    # What was carried out as a batch is told as one.
    rows = Decision.objects.filter(run=None)
    if asked.what:
        rows = rows.filter(kind=asked.what)
    for one in asked.some(rows):
        yield Event(one.at, What(one.kind), one.by, photos(one), address(one))


def _undone(asked: Asked) -> Iterator[Event]:
    rows = Decision.objects.filter(undone_at__isnull=False, undone_as_batch=False)
    for one in asked.some(rows, at="undone_at", by="undone_by"):
        said = _("%(decision)s: %(photos)s")
        said %= {"decision": one, "photos": photos(one)}
        yield Event(one.undone_at, What.UNDO, one.undone_by, said, address(one))


def _batches(asked: Asked) -> Iterator[Event]:
    rows = BatchRun.objects.select_related(
        "batch__keeper_source", "batch__other_source", "undone_by"
    )
    for one in asked.some(rows):
        said = wording.sentence(one.batch, one.total)
        if one.undone:
            said = _("%(what)s (undone by %(who)s)") % {
                "what": said,
                "who": one.undone_by or _("somebody"),
            }
        where = reverse("admin:dedup_batchrun", args=[one.pk])
        yield Event(one.at, What.BATCH, one.by, said, where)


def _restored(asked: Asked) -> Iterator[Event]:
    for one in asked.some(Restore.objects.all()):
        said = f"{one.name}: {one.get_why_display()}"
        yield Event(one.at, What.RESTORE, one.by, said, _why(one.digest))


def _purged(asked: Asked) -> Iterator[Event]:
    for one in asked.some(Purge.objects.all()):
        said = _("%(name)s: deleted for good, by hand") % {"name": one.name}
        if one.keeper_name:
            names = {"name": one.name, "keeper": one.keeper_name}
            said = _("%(name)s: %(keeper)s stays in its place") % names
        yield Event(one.at, What.PURGE, one.by, said, _why(one.digest))


TELLS: dict[What, Callable[[Asked], Iterator[Event]]] = {
    What.RESOLVE: _decided,
    What.UNDO: _undone,
    What.BATCH: _batches,
    What.RESTORE: _restored,
    What.PURGE: _purged,
}
# Told by the same rows.
WITH = {What.RESOLVE: (What.DISMISS,)}


def _why(digest: str) -> str:
    return f"{reverse('admin:dedup_why')}?q={digest}"


def address(decision: Decision) -> str:
    return reverse("admin:dedup_decision_change", args=[decision.pk])


def photos(decision: Decision) -> str:
    """Return in words how many photos a decision kept and discarded."""
    discarded = len(decision.before["photos"])
    kept = len(decision.before["digests"]) - discarded
    return _("%(kept)d kept, %(discarded)d discarded") % {
        "kept": kept,
        "discarded": discarded,
    }


def people() -> list[str]:
    """Return the names of all who may have done something."""
    return list(User.objects.order_by("username").values_list("username", flat=True))


# As a file


def exported(asked: Asked) -> Iterator[dict[str, Any]]:
    """Yield everything as plain values, the oldest first: decisions each by themselves."""
    parts: list[Iterator[dict[str, Any]]] = []
    if asked.what in ("", What.RESOLVE, What.DISMISS, What.UNDO, What.BATCH):
        parts.append(trace.rows(_asked_decisions(asked)))
    if asked.what in ("", What.RESTORE):
        parts.append(_rows(asked.theirs(Restore.objects.all()), What.RESTORE))
    if asked.what in ("", What.PURGE):
        parts.append(_rows(asked.theirs(Purge.objects.all()), What.PURGE))
    yield from merge(*parts, key=lambda row: row["at"])


def _asked_decisions(asked: Asked) -> QuerySet[Decision]:
    rows = Decision.objects.all()
    if asked.what in (What.RESOLVE, What.DISMISS):
        rows = rows.filter(kind=asked.what)
    if asked.what == What.UNDO:
        return asked.theirs(rows.exclude(undone_at=None), by="undone_by")
    if asked.what == What.BATCH:
        rows = rows.exclude(run=None)
    return asked.theirs(rows)


def _rows(found: QuerySet[Any], what: What) -> Iterator[dict[str, Any]]:
    for one in found.order_by("at", "pk").iterator(chunk_size=trace.AT_ONCE):
        keeper = [one.keeper_digest] if one.keeper_digest else []
        comes_back = what == What.RESTORE
        yield dict.fromkeys(trace.COLUMNS) | {
            "at": one.at.isoformat(),
            "by": one.by.get_username() if one.by else "",
            "what": what.value,
            "kept": [one.digest] if comes_back else keeper,
            "discarded": [] if comes_back else [one.digest],
            "why": [one.why] if comes_back else [],
        }
