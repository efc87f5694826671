"""Sets that are alike and decided as one: batches, looks at samples, carrying out."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dedup.batches import Camera, Pattern, Place, Scale
from gallery.models import Source


class Batch(models.Model):
    """What sets have in common that can be decided as one; see dedup.batches.Pattern."""

    SCALES = [(one.value, one.value) for one in Scale]
    CAMERAS = [(one.value, one.value) for one in Camera]

    key = models.CharField(max_length=32, unique=True, editable=False)
    relation = models.CharField(max_length=20, editable=False)
    is_safe = models.BooleanField(default=False, editable=False)
    # Two whole folders that somebody asked for; its sets are noted as FolderSet.
    is_by_folder = models.BooleanField(default=False, editable=False)
    keeper_source = models.ForeignKey(
        Source,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    keeper_folder = models.TextField(blank=True, editable=False)
    # Where those that go lie in one place; else `is_scattered`.
    other_source = models.ForeignKey(
        Source,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    other_folder = models.TextField(blank=True, editable=False)
    is_scattered = models.BooleanField(default=False, editable=False)
    scale = models.CharField(max_length=15, choices=SCALES, editable=False)
    keeper_camera = models.BooleanField(default=False, editable=False)
    other_camera = models.CharField(max_length=4, choices=CAMERAS, editable=False)
    # The largest there were so far, pixels along and across.
    keeper_long = models.PositiveIntegerField(default=0, editable=False)
    keeper_short = models.PositiveIntegerField(default=0, editable=False)
    other_long = models.PositiveIntegerField(default=0, editable=False)
    other_short = models.PositiveIntegerField(default=0, editable=False)
    # Raised whenever sets come in or change, in the order in which that is committed:
    # what was shown at one version holds the sets that joined up to it.
    version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return f"batch {self.pk}"

    @classmethod
    def of(cls, pattern: Pattern) -> Batch:
        """Return a new row for a pattern, not saved."""
        others = pattern.others or Place()
        return cls(
            key=pattern.key,
            relation=pattern.relation,
            is_safe=pattern.is_safe,
            keeper_source_id=pattern.keeper.source or None,
            keeper_folder=pattern.keeper.folder,
            other_source_id=others.source or None,
            other_folder=others.folder,
            is_scattered=pattern.others is None,
            scale=pattern.scale,
            keeper_camera=pattern.keeper_camera,
            other_camera=pattern.others_camera,
        )


class FolderSet(models.Model):
    """A set that is decided with two folders, as long as it is as it was then."""

    batch = models.ForeignKey(
        Batch, on_delete=models.CASCADE, related_name="folder_sets"
    )
    duplicate_set = models.ForeignKey(
        "dedup.DuplicateSet", on_delete=models.CASCADE, related_name="folder_sets"
    )
    revision = models.PositiveIntegerField(editable=False)
    # The version of the batch at which it was noted.
    joined = models.PositiveIntegerField(editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "duplicate_set"], name="dedup_folder_set_once"
            )
        ]

    def __str__(self) -> str:
        return f"set {self.duplicate_set_id} in {self.batch}"


class RunQuerySet(models.QuerySet["BatchRun"]):
    def under_way(self) -> RunQuerySet:
        """Runs with work left for the background."""
        return self.filter(state__in=[BatchRun.State.RUNNING, BatchRun.State.UNDOING])


class BatchRun(models.Model):
    """A batch carried out as one: how far it is, and what it left out and why."""

    class State(models.TextChoices):
        RUNNING = "running", _("being carried out")
        FINISHED = "finished", _("carried out")
        CANCELLED = "cancelled", _("stopped")
        UNDOING = "undoing", _("being undone")
        UNDONE = "undone", _("undone")

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="runs")
    state = models.CharField(
        max_length=9, choices=State.choices, default=State.RUNNING, editable=False
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    # Sets that joined the batch later are left alone.
    version = models.PositiveIntegerField(editable=False)
    # Sets up to this lot have been dealt with; on the way back, decisions down to this.
    reached = models.BigIntegerField(default=-1, editable=False)
    total = models.PositiveIntegerField(default=0, editable=False)
    done = models.PositiveIntegerField(default=0, editable=False)
    undone = models.PositiveIntegerField(default=0, editable=False)
    discarded = models.PositiveIntegerField(default=0, editable=False)
    bytes_to_gain = models.PositiveBigIntegerField(default=0, editable=False)
    # How many were refused, and the first of them: [{set, reason}].
    refused = models.PositiveIntegerField(default=0, editable=False)
    refusals = models.JSONField(default=list, editable=False)
    # What the sample said when it began.
    looked = models.PositiveIntegerField(default=0, editable=False)
    wrong = models.PositiveIntegerField(default=0, editable=False)

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["batch"],
                condition=Q(state__in=["running", "undoing"]),
                name="dedup_one_run_at_a_time",
            )
        ]
        verbose_name = "batch carried out"
        verbose_name_plural = "batches carried out"

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def is_under_way(self) -> bool:
        # See also RunQuerySet.under_way
        return self.state in (self.State.RUNNING, self.State.UNDOING)

    @property
    def is_undoable(self) -> bool:
        ended = self.state in (self.State.FINISHED, self.State.CANCELLED)
        return ended and self.done > self.undone

    @property
    def left_out(self) -> int:
        """Sets that were shown and are as they were: changed, decided or refused."""
        return max(0, self.total - self.done)


class LookQuerySet(models.QuerySet["Look"]):
    def counting(self) -> LookQuerySet:
        """Looks since the batch was last carried out."""
        return self.filter(run=None)

    def still_true(self) -> LookQuerySet:
        """Looks at sets that are as they were then."""
        return self.counting().filter(revision=F("duplicate_set__revision"))


class Look(models.Model):
    """A person looked at one set of a batch and said whether its suggestion is right."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="looks")
    duplicate_set = models.ForeignKey(
        "dedup.DuplicateSet",
        on_delete=models.SET_NULL,
        null=True,
        related_name="looks",
        editable=False,
    )
    revision = models.PositiveIntegerField(editable=False)
    lot = models.BigIntegerField(editable=False)
    is_wrong = models.BooleanField(editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    at = models.DateTimeField(default=timezone.now, editable=False)
    # The run that this look spoke for; a later one needs looks of its own.
    run = models.ForeignKey(
        BatchRun,
        on_delete=models.SET_NULL,
        null=True,
        related_name="looks",
        editable=False,
    )

    objects = LookQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["batch", "run", "lot"], name="dedup_looks")]

    def __str__(self) -> str:
        return f"look at {self.duplicate_set_id}"
