"""The journal of purges: which bytes went for good, when, and what stayed in their place."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Purge(models.Model):
    """One photo whose bytes were taken away; written in the transaction that says so.

    By digest and name: it outlives every other row.
    """

    at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)
    # Nobody: the nightly routine, or the command.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    digest = models.CharField(max_length=64, db_index=True, editable=False)
    name = models.CharField(max_length=255, editable=False)
    size = models.PositiveBigIntegerField(editable=False, help_text="Bytes")
    # The photo whose original was read again first; empty for what was deleted by hand.
    keeper_digest = models.CharField(max_length=64, blank=True, editable=False)
    keeper_name = models.CharField(max_length=255, blank=True, editable=False)

    class Meta:
        verbose_name = _("purge")
        verbose_name_plural = _("purges")

    def __str__(self) -> str:
        return f"{self.name}, purged"
