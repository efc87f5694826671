"""What other files say of photos' dates, and the folders where that is to be asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models

from gallery.models.fields import LocalDateTimeField
from gallery.models.photos import Origin, Photo, Precision
from gallery.models.sources import Source, SourceFile


class DateEvidence(models.Model):
    """A statement on a photo's date that stands neither in its file nor in its names.

    It comes from the files beside a sighting, or from a copy that was discarded in favour
    of the photo. What the photo itself says is read from its own rows.
    """

    photo = models.ForeignKey(
        Photo, on_delete=models.CASCADE, related_name="date_evidence"
    )
    # Of which of its files this is said; none where a copy says so.
    sighting = models.ForeignKey(
        SourceFile, on_delete=models.CASCADE, null=True, related_name="date_evidence"
    )
    taken_at = LocalDateTimeField(editable=False)
    offset_minutes = models.SmallIntegerField(null=True, editable=False)
    precision = models.CharField(
        max_length=8, choices=Precision.choices, editable=False
    )
    origin = models.CharField(max_length=20, choices=Origin.choices, editable=False)
    # The name of the file that says so.
    said = models.CharField(max_length=255, blank=True, editable=False)

    def __str__(self) -> str:
        return f"{self.taken_at} ({self.origin}) of {self.photo_id}"


class FolderToDateQuerySet(models.QuerySet[Any]):
    def note(self, folders: Iterable[tuple[int, int | None]]) -> None:
        """Have the dates in these folders weighed again: source and folder key each."""
        rows = [
            self.model(source_id=source, folder_key=key)
            for source, key in sorted(
                (source, key) for source, key in set(folders) if key is not None
            )
        ]
        self.bulk_create(rows, ignore_conflicts=True, batch_size=500)


class FolderToDate(models.Model):
    """A folder of a drive in which something changed that photos' dates may rest on."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+")
    folder_key = models.BigIntegerField(editable=False)
    # Whether photos are weighed anew that have the best of dates.
    is_thorough = models.BooleanField(default=False, editable=False)

    objects = FolderToDateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "folder_key"], name="gallery_date_folder_once"
            )
        ]

    def __str__(self) -> str:
        return f"folder {self.folder_key} of {self.source_id}"
