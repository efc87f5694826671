"""What each photo looks like, as rows, and the search among them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from dedup import clues, local_features, perceptual
from gallery.models import Photo, Step, StepQuerySet, Thumbnail


class Search(models.TextChoices):
    """Whether a fingerprint has been joined against all the others."""

    DUE = "due", "due"
    BUSY = "busy", "under way"
    DONE = "done", "done"
    # Its photo was in the trash while others were searched: due again once it is back.
    APART = "apart", "apart"


class FingerprintQuerySet(StepQuerySet):
    def outstanding(self) -> FingerprintQuerySet:
        """Rows whose work has to be done and can be: there is a thumbnail to look at."""
        rows: FingerprintQuerySet = super().outstanding()  # type: ignore[assignment]
        return rows.filter(photo__thumbnail__recipe=Thumbnail.RECIPE)

    def claimable(self) -> StepQuerySet:
        """What was never looked at comes before what an older recipe serves."""
        return super().claimable().order_by("recipe")

    def current(self) -> FingerprintQuerySet:
        """Fingerprints of the present recipe."""
        return self.filter(recipe=Fingerprint.RECIPE)

    def made(self) -> FingerprintQuerySet:
        """Fingerprints of any recipe: those of one recipe can be compared."""
        return self.filter(recipe__gt=0)

    def live(self) -> FingerprintQuerySet:
        return self.filter(photo__trashed_at=None)

    def to_search(self) -> FingerprintQuerySet:
        """Fingerprints whose search is to begin or to be gone on with."""
        return self.made().filter(search__in=[Search.DUE, Search.BUSY])

    def to_find(self, recipe: int) -> FingerprintQuerySet:
        """What a search of this recipe looks through.

        Who is still due looks for itself later, and finds these.
        """
        return self.filter(recipe=recipe, search__in=[Search.DONE, Search.BUSY])


class Fingerprint(Step):
    """One photo's perceptual hashes, and whether its neighbours have been looked for."""

    # A sum rises with each of its parts.
    RECIPE = perceptual.RECIPE + local_features.RECIPE + clues.RECIPE

    photo = models.OneToOneField(Photo, on_delete=models.CASCADE, primary_key=True)
    # See dedup.perceptual.PerceptualHashes; the hashes of the turns follow from these.
    bits = models.BinaryField(max_length=32, null=True)
    phash = models.BigIntegerField(null=True, editable=False)
    quality = models.PositiveSmallIntegerField(null=True, editable=False)
    # Keys of dedup.clues.Clues.
    moment = models.BigIntegerField(null=True, editable=False)
    stem = models.BigIntegerField(null=True, editable=False)
    # Of the full decoded picture; computed only where a pair calls for it.
    pixel_digest = models.CharField(max_length=64, blank=True, editable=False)
    search = models.CharField(
        max_length=5, choices=Search.choices, default=Search.DUE, editable=False
    )
    # It has more look-alikes than are compared; see dedup.searching.MOST.
    crowded = models.BooleanField(default=False, editable=False)

    objects = FingerprintQuerySet.as_manager()  # type: ignore[misc]

    class Meta(Step.Meta):
        indexes = [
            *Step.Meta.indexes,
            models.Index(fields=["search", "recipe"], name="dedup_to_search"),
            *(
                models.Index(
                    fields=[clue],
                    condition=Q(**{f"{clue}__isnull": False}),
                    name=f"dedup_by_{clue}",
                )
                for clue in ("moment", "stem")
            ),
        ]

    def __str__(self) -> str:
        return f"fingerprint of {self.photo_id}"


class LocalFeatures(models.Model):
    """The spots of one photo, made with its fingerprint and of the same recipe.

    A table of their own: who reads all hashes does not read forty times as much.
    """

    fingerprint = models.OneToOneField(
        Fingerprint, on_delete=models.CASCADE, primary_key=True, related_name="local"
    )
    # See dedup.local_features.
    spots = models.BinaryField()

    class Meta:
        verbose_name_plural = "local features"

    def __str__(self) -> str:
        return f"spots of {self.fingerprint_id}"


class SearchPass(models.Model):
    """How far the fingerprints under way have come past all the others.

    One at a time. Road by road everything up to photo `reached` has been looked at, and
    `found` holds the candidates so far; see dedup.searching.
    """

    only = models.BooleanField(default=True, unique=True, editable=False)
    recipe = models.PositiveSmallIntegerField(editable=False)
    road = models.CharField(max_length=12, editable=False)
    reached = models.BigIntegerField(default=0, editable=False)
    found = models.BinaryField(default=bytes, editable=False)
    # Raised by every step, so that of two who go on at once one is heard.
    step = models.PositiveIntegerField(default=0, editable=False)
    begun_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"search by {self.road} past {self.reached}"
