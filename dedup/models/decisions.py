"""What people said: decisions that can be undone, and verdicts that stay."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dedup.models.batches import BatchRun
from dedup.models.sets import DuplicateSet
from gallery.models import Photo

Pair = tuple[str, str]


def pair_of(one: str, other: str) -> Pair:
    """Return two digests as a pair has them: in order."""
    return (one, other) if one < other else (other, one)


class Decision(models.Model):
    """One transaction in which a person closed a set; `before` is what undo gives back."""

    class Kind(models.TextChoices):
        RESOLVE = "resolve", _("carried out")
        DISMISS = "dismiss", _("not duplicates")

    kind = models.CharField(max_length=7, choices=Kind.choices, editable=False)
    duplicate_set = models.ForeignKey(
        DuplicateSet,
        on_delete=models.SET_NULL,
        null=True,
        related_name="decisions",
        editable=False,
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    at = models.DateTimeField(default=timezone.now, editable=False)
    undone_at = models.DateTimeField(null=True, editable=False)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    undone_as_batch = models.BooleanField(default=False, editable=False)
    # The batch it was carried out with.
    run = models.ForeignKey(
        BatchRun,
        on_delete=models.SET_NULL,
        null=True,
        related_name="decisions",
        editable=False,
    )
    # See dedup.decisions for its keys.
    before = models.JSONField(default=dict, editable=False)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        indexes = [
            models.Index(fields=["at", "id"], name="dedup_decided_at"),
            models.Index(
                fields=["undone_at", "id"],
                condition=Q(undone_at__isnull=False),
                name="dedup_undone_at",
            ),
        ]

    def __str__(self) -> str:
        return gettext("Decision %(number)s") % {"number": self.pk}

    @property
    def is_undone(self) -> bool:
        return self.undone_at is not None

    @property
    def is_final(self) -> bool:
        """Whether a photo it discarded is gone for good, so that it cannot be undone."""
        discarded = Photo.objects.filter(pk__in=list(self.before["photos"]))
        return discarded.exclude(purged_at=None).exists()


class Says(models.TextChoices):
    """What a person said of two pictures."""

    SAME = "same", _("the same picture")
    BOTH_KEPT = "both_kept", _("both are kept")
    NOT_DUPLICATES = "not_duplicates", _("not duplicates")
    SIMILAR_SHOTS = "similar_shots", _("similar shots, not duplicates")


class VerdictQuerySet(models.QuerySet["Verdict"]):
    def among(self, digests: Iterable[str]) -> VerdictQuerySet:
        digests = list(digests)
        return self.filter(left_digest__in=digests, right_digest__in=digests)

    def of(self, pairs: Iterable[Pair]) -> dict[Pair, Verdict]:
        """Return the verdicts on these pairs of digests."""
        wanted = set(pairs)
        found = self.filter(left_digest__in={left for left, _ in wanted})
        return {verdict.pair: verdict for verdict in found if verdict.pair in wanted}


class Verdict(models.Model):
    """What a person said of two pictures, by digest: it outlives photos and sets."""

    left_digest = models.CharField(max_length=64, editable=False)
    right_digest = models.CharField(max_length=64, db_index=True, editable=False)
    says = models.CharField(max_length=14, choices=Says.choices, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    at = models.DateTimeField(default=timezone.now, editable=False)
    decision = models.ForeignKey(
        Decision,
        on_delete=models.SET_NULL,
        null=True,
        related_name="verdicts",
        editable=False,
    )

    objects = VerdictQuerySet.as_manager()

    class Meta:
        verbose_name = _("verdict")
        verbose_name_plural = _("verdicts")
        constraints = [
            models.UniqueConstraint(
                fields=["left_digest", "right_digest"], name="dedup_verdict_once"
            ),
            models.CheckConstraint(
                condition=Q(left_digest__lt=F("right_digest")),
                name="dedup_verdict_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.left_digest[:8]} and {self.right_digest[:8]}: {self.says}"

    @property
    def pair(self) -> Pair:
        return self.left_digest, self.right_digest


def pairs_among(digests: Iterable[str]) -> list[Pair]:
    return [pair_of(one, other) for one, other in combinations(digests, 2)]
