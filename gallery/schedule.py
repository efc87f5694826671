"""What is done at a time of day, as rows of django-q2's schedule."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django_q.models import Schedule

NIGHTLY = "gallery.tasks.begin_nightly_share"
NIGHTLY_PURGE = "gallery.tasks.empty_trash_nightly"
HOUR = 2  # by the clock on the wall; nobody looks at photos then


def keep_schedule() -> None:
    """Have the schedule say what the settings say; safe to call again."""
    keep(
        NIGHTLY,
        "Read a share of the vault again",
        wanted=bool(settings.IMAGEVAULT_VERIFY_SHARE),
    )
    keep(NIGHTLY_PURGE, "Empty the trash", wanted=settings.IMAGEVAULT_EMPTY_TRASH)


def keep(task: str, name: str, *, wanted: bool) -> None:
    """Have a task done each night, or not."""
    rows = Schedule.objects.filter(func=task)
    if not wanted:
        rows.delete()
    elif not rows.exists():
        Schedule.objects.create(
            name=name,
            func=task,
            schedule_type=Schedule.DAILY,
            next_run=next_night(),
            repeats=-1,
        )


def next_night() -> datetime:
    """The next time it is HOUR."""
    now = timezone.localtime()
    night = now.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return night if night > now else night + timedelta(days=1)
