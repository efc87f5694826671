"""Candidate pairs, and what measuring them gave."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from dedup import relation
from dedup.relation import Judgement
from gallery.models import Photo, Step, StepQuerySet, Thumbnail


class Kind(models.TextChoices):
    """What two pictures are to each other."""

    DUPLICATES = "duplicates", _("duplicates")
    SIMILAR_SHOTS = "similar_shots", _("similar shots")
    DISTINCT = "distinct", _("distinct")


class ComparisonQuerySet(StepQuerySet):
    def outstanding(self) -> ComparisonQuerySet:
        """Rows whose work has to be done and can be: both have a thumbnail."""
        rows: ComparisonQuerySet = super().outstanding()  # type: ignore[assignment]
        return rows.filter(
            left__thumbnail__recipe=Thumbnail.RECIPE,
            right__thumbnail__recipe=Thumbnail.RECIPE,
        )

    def claimable(self) -> StepQuerySet:
        """What was never measured comes before what an older recipe answers."""
        return super().claimable().order_by("recipe")

    def measured(self) -> ComparisonQuerySet:
        """Pairs with an answer, be it one of an older recipe."""
        return self.filter(recipe__gt=0)

    def matches(self) -> ComparisonQuerySet:
        """Pairs that show the same picture, or two shots of one scene."""
        return self.measured().exclude(kind=Kind.DISTINCT)

    def to_group(self) -> ComparisonQuerySet:
        """Measured pairs that no set takes account of yet."""
        return self.measured().filter(is_grouped=False)

    def touching(self, photo_ids: Iterable[int]) -> ComparisonQuerySet:
        photo_ids = list(photo_ids)
        return self.filter(Q(left__in=photo_ids) | Q(right__in=photo_ids))

    def among(self, photo_ids: Iterable[int]) -> ComparisonQuerySet:
        photo_ids = list(photo_ids)
        return self.filter(left__in=photo_ids, right__in=photo_ids)

    def between_live(self) -> ComparisonQuerySet:
        return self.filter(left__trashed_at=None, right__trashed_at=None)

    def regroup(self) -> int:
        """Ask for the sets these pairs belong to, to be made anew."""
        return self.filter(is_grouped=True).update(is_grouped=False)


class Comparison(Step):
    """A pair that a sieve offers, the smaller photo id left, and the judge's answer.

    `road` says how it was found (dedup.roads), "copy" where a copy of one matches the
    other. Another way to find candidates only adds rows.
    """

    RECIPE = relation.RECIPE

    left = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="+")
    right = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="+")
    road = models.CharField(max_length=12, default="hash", editable=False)
    distance = models.PositiveSmallIntegerField(null=True, editable=False)
    # How the left picture has to be turned to lie on the right; dedup.perceptual.
    turn = models.PositiveSmallIntegerField(default=0, editable=False)
    # Whether they agree when one is mirrored, where local features proposed the pair.
    mirrored = models.BooleanField(null=True, editable=False)

    kind = models.CharField(
        max_length=13, choices=Kind.choices, blank=True, editable=False
    )
    confidence = models.FloatField(default=0, editable=False)
    # The whole answer, see dedup.relation.Judgement; the measurement itself is left
    # out where the photos are distinct.
    judgement = models.JSONField(default=dict, editable=False)
    # There is evidence that these are two shots: nothing may bring them into one set.
    separates = models.BooleanField(default=False, editable=False)
    is_grouped = models.BooleanField(default=False, editable=False)

    objects = ComparisonQuerySet.as_manager()  # type: ignore[misc]

    class Meta(Step.Meta):
        constraints = [
            models.UniqueConstraint(fields=["left", "right"], name="dedup_pair_once"),
            models.CheckConstraint(
                condition=Q(left__lt=F("right")), name="dedup_pair_in_order"
            ),
        ]
        indexes = [
            *Step.Meta.indexes,
            models.Index(
                fields=["id"],
                condition=Q(is_grouped=False, recipe__gt=0),
                name="dedup_to_group",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.left_id} and {self.right_id}"

    @property
    def pair(self) -> tuple[int, int]:
        return self.left_id, self.right_id

    def answer(self, judgement: Judgement) -> None:
        """Take over what the judge says, without saving it."""
        self.kind = judgement.kind.value
        self.confidence = judgement.confidence
        self.separates = judgement.separates
        self.judgement = judgement.to_json()
        if self.kind == Kind.DISTINCT:
            self.judgement["numbers"] = None

    @property
    def judged(self) -> Judgement:
        return Judgement.from_json(self.judgement)
