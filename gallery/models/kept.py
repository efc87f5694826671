"""Files kept beside the photos: videos, other documents, and what belongs to a photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from gallery.models.care import DamageQuerySet
    from gallery.models.sources import SourceFile


class KeptFile(models.Model):
    """A file that is no photo and is stored as originals are: one row per digest.

    It is listed and can be downloaded; it is never shown, compared or put away.
    """

    class Kind(models.TextChoices):
        VIDEO = "video", _("video")
        DOCUMENT = "document", _("document")
        PART = "part", _("part of a photo")
        SIDECAR = "sidecar", _("note beside a photo")

    digest = models.CharField(max_length=64, unique=True, editable=False)
    extension = models.CharField(max_length=8, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices, editable=False)
    size = models.PositiveBigIntegerField(editable=False, help_text="Bytes")
    # The name under which it was first seen.
    name = models.CharField(max_length=255, editable=False)
    # How long a video runs, where it says so.
    seconds = models.FloatField(null=True, editable=False)
    added_at = models.DateTimeField(default=timezone.now, editable=False)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )

    # Nothing takes it away; as of a photo, this is asked before its bytes are read.
    is_stored = True

    sightings: models.Manager[SourceFile]
    damages: DamageQuerySet

    class Meta:
        verbose_name = _("kept file")
        verbose_name_plural = _("kept files")
        indexes = [
            models.Index(fields=["name", "id"], name="gallery_kept_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("gallery:kept", args=[self.pk])

    @property
    def length(self) -> str:
        """How long a video runs, as a clock says it; "" where that is not known."""
        if self.seconds is None:
            return ""
        minutes, seconds = divmod(round(self.seconds), 60)
        hours, minutes = divmod(minutes, 60)
        if hours:
            return f"{hours}:{minutes:02}:{seconds:02}"
        return f"{minutes}:{seconds:02}"
