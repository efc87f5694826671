"""What came back from the trash, when and by whom."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Restore(models.Model):
    """One photo that was brought back, written in the transaction that did so.

    By digest and name, as a purge is. Undoing a decision is noted with the decision.
    """

    class Why(models.TextChoices):
        ASKED = "asked", _("somebody wanted it back")
        REPAIR = "repair", _("what had stayed in its place was lost")

    at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    why = models.CharField(
        max_length=6, choices=Why.choices, default=Why.ASKED, editable=False
    )
    digest = models.CharField(max_length=64, db_index=True, editable=False)
    name = models.CharField(max_length=255, editable=False)
    # What it had given way to; empty for what was in the trash by hand.
    keeper_digest = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = _("photo restored")
        verbose_name_plural = _("photos restored")

    def __str__(self) -> str:
        return f"{self.name}, restored"
