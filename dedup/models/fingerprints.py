"""What each photo looks like, as a row."""

from __future__ import annotations

from django.db import models

from dedup import perceptual
from gallery.models import Photo, Step, StepQuerySet, Thumbnail


class Search(models.TextChoices):
    """Whether a fingerprint has been joined against all the others."""

    DUE = "due", "due"
    DONE = "done", "done"
    # Its photo was in the trash while others were searched: due again once it is back.
    APART = "apart", "apart"


class FingerprintQuerySet(StepQuerySet):
    def outstanding(self) -> FingerprintQuerySet:
        """Rows whose work has to be done and can be: there is a thumbnail to look at."""
        rows: FingerprintQuerySet = super().outstanding()  # type: ignore[assignment]
        return rows.filter(photo__thumbnail__recipe=Thumbnail.RECIPE)

    def current(self) -> FingerprintQuerySet:
        """Fingerprints of the present recipe: only these can be compared."""
        return self.filter(recipe=Fingerprint.RECIPE)

    def live(self) -> FingerprintQuerySet:
        return self.filter(photo__trashed_at=None)

    def to_search(self) -> FingerprintQuerySet:
        return self.current().filter(search=Search.DUE)


class Fingerprint(Step):
    """One photo's perceptual hashes, and whether its neighbours have been looked for."""

    RECIPE = perceptual.RECIPE

    photo = models.OneToOneField(Photo, on_delete=models.CASCADE, primary_key=True)
    # See dedup.perceptual.PerceptualHashes; the hashes of the turns follow from these.
    bits = models.BinaryField(max_length=32, null=True)
    phash = models.BigIntegerField(null=True, editable=False)
    quality = models.PositiveSmallIntegerField(null=True, editable=False)
    # Of the full decoded picture; computed only where a pair calls for it.
    pixel_digest = models.CharField(max_length=64, blank=True, editable=False)
    search = models.CharField(
        max_length=5, choices=Search.choices, default=Search.DUE, editable=False
    )

    objects = FingerprintQuerySet.as_manager()  # type: ignore[misc]

    class Meta(Step.Meta):
        indexes = [
            *Step.Meta.indexes,
            models.Index(fields=["search", "recipe"], name="dedup_to_search"),
        ]

    def __str__(self) -> str:
        return f"fingerprint of {self.photo_id}"
