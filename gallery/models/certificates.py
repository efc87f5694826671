"""What was proven of a drive: whether it can be wiped, and on what that rests."""

from __future__ import annotations

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.models.sources import Source


class State(models.TextChoices):
    """What reading an entry of a drive, and the vault, said of it: exactly one."""

    # Its content is kept.
    KEPT = "kept", _("in the vault, byte for byte")
    # What people decided.
    DISCARDED = "discarded", _("discarded in favour of a photo that is in the vault")
    THROWN_AWAY = (
        "thrown_away",
        _("moved to the trash by somebody, though no other copy stays"),
    )
    # There is nothing to keep.
    ARCHIVE = "archive", _("an archive, each file in it counts for itself")
    JUNK = "junk", _("junk that computers leave behind")
    EMPTY = "empty", _("empty")
    LINK = "link", _("a link, which holds no bytes")
    SPECIAL = "special", _("no file (a pipe, a socket, a device)")
    # Not kept by choice.
    VIDEO = "video", _("a video that the vault does not have")
    DOCUMENT = "document", _("another file that the vault does not have")
    # Lost, if the drive were wiped.
    NOT_IN_VAULT = "not_in_vault", _("a photo that the vault does not have")
    DAMAGED = "damaged", _("the vault's own copy is damaged or missing")
    UNREADABLE = "unreadable", _("cannot be read")
    CHANGED = "changed", _("changed while the drive was being verified")
    THE_VAULT = "the_vault", _("the vault itself lies here")


KEEPS = (State.KEPT,)
NOTHING = (State.ARCHIVE, State.JUNK, State.EMPTY, State.LINK, State.SPECIAL)
# What the family may accept to lose, by the word it says so with.
ACCEPTABLE = {
    "videos": State.VIDEO,
    "documents": State.DOCUMENT,
    "trashed": State.THROWN_AWAY,
}


class Certificate(models.Model):
    """One verification of a drive. It holds as long as nothing it rests on changes.

    `states` counts entries and bytes by State. The list of every entry, and the digests
    of the originals it leans on, lie in the vault's certificates/ under `name`.
    """

    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, related_name="certificates"
    )
    name = models.CharField(max_length=32, unique=True, editable=False)
    is_safe = models.BooleanField(editable=False)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(default=timezone.now, editable=False)
    # What was verified: which folder of which file system, and what lay in it.
    is_whole = models.BooleanField(default=False, editable=False)
    volume = models.CharField(max_length=500, blank=True, editable=False)
    mounted_at = models.TextField(blank=True, editable=False)
    listing = models.CharField(max_length=64, editable=False)
    # SHA-256 of the list of entries.
    entries_digest = models.CharField(max_length=64, editable=False)
    entries = models.PositiveIntegerField(editable=False)
    bytes_read = models.PositiveBigIntegerField(editable=False)
    originals = models.PositiveIntegerField(editable=False)
    states = models.JSONField(default=dict, editable=False)
    # The words of ACCEPTABLE that the family said.
    accepted = models.JSONField(default=list, editable=False)
    # The first of what stands against wiping: path, state, reason.
    problems = models.JSONField(default=list, editable=False)
    problem_count = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")

    def __str__(self) -> str:
        return f"certificate {self.pk} of {self.source}"

    def get_absolute_url(self) -> str:
        return reverse("gallery:certificate", args=[self.source_id, self.pk])
