"""Which photos have changed: what keeps what is derived from them true."""

from __future__ import annotations

from django.db import models


class Change(models.Model):
    """A note that what is known of a photo has changed.

    Written by the database itself (gallery/changes.py), so that nobody can forget to.
    """

    # No foreign key: the note outlives its photo.
    photo = models.BigIntegerField(editable=False)
    # On PostgreSQL, whose transactions do not end in the order of their notes.
    transaction = models.BigIntegerField(default=0, editable=False)

    class Meta:
        indexes = [models.Index(fields=["transaction"], name="gallery_change_when")]

    def __str__(self) -> str:
        return f"change {self.pk} of photo {self.photo}"


class Mark(models.Model):
    """How far something has read the changes; `token` says of which catalogue."""

    name = models.CharField(max_length=20, unique=True, editable=False)
    position = models.BigIntegerField(default=0, editable=False)
    token = models.CharField(max_length=32, blank=True, editable=False)

    def __str__(self) -> str:
        return f"{self.name} at {self.position}"
