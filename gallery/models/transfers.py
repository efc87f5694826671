"""Files on their way from a browser, in pieces."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.utils import timezone

from gallery.models.photos import Photo
from gallery.models.sources import ImportRun


def new_id() -> str:
    """Return an id that nobody can guess."""
    return secrets.token_hex(16)


class TransferQuerySet(models.QuerySet):
    def unfinished(self) -> TransferQuerySet:
        # See also Transfer.is_finished
        return self.filter(finished_at=None)

    def of(self, user: AbstractBaseUser) -> TransferQuerySet:
        return self.filter(by=user)


class Transfer(models.Model):
    """A file that a person's browser sends in pieces, and in the end what became of it.

    What has arrived lies in the vault's uploads/ under the id; see gallery/transfers.py.
    """

    id = models.CharField(
        primary_key=True, max_length=32, default=new_id, editable=False
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    run = models.ForeignKey(ImportRun, on_delete=models.PROTECT, related_name="+")
    # Below the person's folder of the day, with `/`.
    path = models.TextField()
    # What the browser says it sends.
    digest = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField(help_text="Bytes")
    modified_ns = models.BigIntegerField(null=True)
    begun_at = models.DateTimeField(default=timezone.now)

    # The answer; see gallery.uploads.Answer
    finished_at = models.DateTimeField(null=True)
    kind = models.CharField(max_length=8, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    photo = models.ForeignKey(
        Photo, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    objects = TransferQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["by", "digest"], name="gallery_transfer_by_digest")
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def is_finished(self) -> bool:
        # See also TransferQuerySet.unfinished
        return self.finished_at is not None

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    def finish(self, *, kind: str, reason: str, photo: Photo | None) -> None:
        self.finished_at = timezone.now()
        self.kind, self.reason, self.photo = kind, reason[:500], photo
        self.save(update_fields=["finished_at", "kind", "reason", "photo"])
