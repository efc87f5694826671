"""The care of the vault: when its originals were read again, and what was wrong."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.models.kept import KeptFile
from gallery.models.photos import Photo

# The digests there can be end here.
LAST_DIGEST = "f" * 64


class VerificationQuerySet(models.QuerySet):
    def unfinished(self) -> VerificationQuerySet:
        return self.exclude(state=Verification.State.FINISHED)

    def claim(self, *, seconds: float) -> bool:
        """Take these for so many seconds; of two who ask at once one gets them."""
        now = timezone.now()
        free = self.filter(Q(claimed_until=None) | Q(claimed_until__lt=now))
        return bool(free.update(claimed_until=now + timedelta(seconds=seconds)))


class Verification(models.Model):
    """One pass over originals of the vault that reads each of them again.

    Originals are read in the order of their digests, those after `after` up to `until`:
    digests are spread evenly, so that a share of them is a share of the originals.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        FINISHED = "finished", _("finished")
        INTERRUPTED = "interrupted", _("interrupted")

    state = models.CharField(
        max_length=12, choices=State.choices, default=State.RUNNING
    )
    # One original of so many is read; 1 reads all of them.
    share = models.PositiveIntegerField(default=1)
    after = models.CharField(max_length=64, blank=True)
    until = models.CharField(max_length=64, default=LAST_DIGEST)
    # The digest read last.
    reached = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    # Until when a task that was queued for it may still come.
    claimed_until = models.DateTimeField(null=True)
    checked = models.PositiveIntegerField(default=0)
    bytes_read = models.PositiveBigIntegerField(default=0)
    wrong = models.PositiveIntegerField(default=0)

    objects = VerificationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("verification")
        verbose_name_plural = _("verifications")

    def __str__(self) -> str:
        return f"verification {self.pk}"


class DamageQuerySet(models.QuerySet):
    def open(self) -> DamageQuerySet:
        # See also Damage.is_open
        return self.filter(mended_at=None)

    def with_files(self) -> DamageQuerySet:
        return self.select_related("photo", "kept")


class Damage(models.Model):
    """An original that is not, or was not, what its digest says; kept as history."""

    class Kind(models.TextChoices):
        MISSING = "missing", _("missing")
        CHANGED = "changed", _("its bytes have changed")
        UNREADABLE = "unreadable", _("cannot be read")

    # One of the two: whose original it is.
    photo = models.ForeignKey(
        Photo, on_delete=models.CASCADE, null=True, related_name="damages"
    )
    kept = models.ForeignKey(
        KeptFile, on_delete=models.CASCADE, null=True, related_name="damages"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    reason = models.CharField(max_length=500, blank=True)
    found_at = models.DateTimeField(default=timezone.now)
    found_in = models.ForeignKey(
        Verification, on_delete=models.SET_NULL, null=True, related_name="damages"
    )
    mended_at = models.DateTimeField(null=True)
    # Where the good bytes came from.
    mended_from = models.CharField(max_length=500, blank=True)

    objects = DamageQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("damaged original")
        verbose_name_plural = _("damaged originals")
        constraints = [
            models.UniqueConstraint(
                fields=["photo"],
                condition=Q(mended_at=None),
                name="gallery_damaged_once",
            ),
            models.UniqueConstraint(
                fields=["kept"],
                condition=Q(mended_at=None),
                name="gallery_kept_damaged_once",
            ),
            models.CheckConstraint(
                condition=Q(photo=None) ^ Q(kept=None), name="gallery_damage_of_one"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file}: {self.get_kind_display()}"

    @property
    def file(self) -> Photo | KeptFile:
        """Whose original it is."""
        found = self.photo or self.kept
        assert found is not None
        return found

    @property
    def is_open(self) -> bool:
        # See also DamageQuerySet.open
        return self.mended_at is None
