"""Backups that were made: where to, when, and what they lack."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from gallery.models.photos import Photo


class BackupQuerySet(models.QuerySet["Backup"]):
    def newest(self) -> list[Backup]:
        """The latest backup to each place that is still there, the newest first."""
        rows = self.filter(gone_at=None).order_by("started_at", "pk")
        newest = {one.place: one for one in rows}
        return sorted(newest.values(), key=lambda one: one.started_at, reverse=True)


class Backup(models.Model):
    """One backup of the vault that came to its end.

    A backup holds every original that was stored when it began, but for those it could
    not copy; one to the same place holds what the former ones did, too.
    """

    # What the disk it lies on is called, and the folder.
    label = models.CharField(max_length=200, editable=False)
    volume = models.CharField(max_length=500, blank=True, editable=False)
    path = models.TextField(editable=False)
    started_at = models.DateTimeField(editable=False)
    finished_at = models.DateTimeField(default=timezone.now, editable=False)
    # Whether all of it was read again, and not only what was new.
    is_verified = models.BooleanField(default=False, editable=False)
    originals = models.PositiveIntegerField(default=0, editable=False)
    # Digests of the originals that could not be copied.
    lacking = models.JSONField(default=list, editable=False)
    # Somebody said that it is there no more.
    gone_at = models.DateTimeField(null=True, editable=False)

    objects = BackupQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"backup {self.pk} on {self.label}"

    @property
    def place(self) -> str:
        return self.volume or self.path

    def has(self, photo: Photo) -> bool:
        """Return whether this photo's original is surely in it."""
        return photo.added_at <= self.started_at and photo.digest not in self.lacking

    def mark_gone(self) -> None:
        """Note that nothing of what lies in its place can be relied on any more."""
        rows = Backup.objects.filter(volume=self.volume, path=self.path, gone_at=None)
        rows.update(gone_at=timezone.now())
