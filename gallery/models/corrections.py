"""What people say of when photos were taken, and what stood there before."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from gallery.models.fields import LocalDateTimeField
from gallery.models.photos import Origin, Photo, Precision


class Correction(models.Model):
    """Something one person said of one or many photos at once."""

    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    at = models.DateTimeField(default=timezone.now, editable=False)
    # As it was written: "summer 1987". Empty where clocks were set right.
    said = models.CharField(max_length=100, blank=True, editable=False)
    # What spoke for it, where somebody chose among what is known.
    chosen = models.CharField(
        max_length=20, choices=Origin.choices, blank=True, editable=False
    )
    # The first and last day it may have been.
    earliest = models.DateField(null=True, editable=False)
    latest = models.DateField(null=True, editable=False)
    # By how much clocks were set right.
    seconds = models.BigIntegerField(null=True, editable=False)

    dates: Any  # a manager

    def __str__(self) -> str:
        return self.said or f"{self.seconds:+} s"


class CorrectedDateQuerySet(models.QuerySet):
    def in_force(self) -> CorrectedDateQuerySet:
        # See also CorrectedDate.is_in_force
        return self.filter(undone_at=None)


class CorrectedDate(models.Model):
    """What a correction did to the date of one photo, and how to take it back."""

    correction = models.ForeignKey(
        Correction, on_delete=models.CASCADE, related_name="dates"
    )
    photo = models.ForeignKey(
        Photo, on_delete=models.CASCADE, related_name="corrections"
    )
    undone_at = models.DateTimeField(null=True, editable=False)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    # The photo's fields of the same names, before and after.
    before_taken_at = LocalDateTimeField(null=True, editable=False)
    before_taken_offset = models.SmallIntegerField(null=True, editable=False)
    before_taken_precision = models.CharField(
        max_length=8, choices=Precision.choices, editable=False
    )
    before_taken_from = models.CharField(
        max_length=20, choices=Origin.choices, editable=False
    )
    after_taken_at = LocalDateTimeField(null=True, editable=False)
    after_taken_offset = models.SmallIntegerField(null=True, editable=False)
    after_taken_precision = models.CharField(
        max_length=8, choices=Precision.choices, editable=False
    )

    objects = CorrectedDateQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["correction", "photo"], name="gallery_corrected_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.correction}, of {self.photo_id}"

    @property
    def is_in_force(self) -> bool:
        # See also CorrectedDateQuerySet.in_force
        return self.undone_at is None
