"""Photos: what the family sees, one row per digest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery import renditions
from gallery.models.fields import LocalDateTimeField
from gallery.models.steps import Step

if TYPE_CHECKING:
    from gallery.models.care import DamageQuerySet
    from gallery.models.sources import SourceFile


class NotDiscardable(Exception):
    """The photo cannot go to the trash: nothing live would stay in its place."""


class Precision(models.TextChoices):
    """How exactly the time a photo was taken is known."""

    SECOND = "second", _("to the second")
    MINUTE = "minute", _("to the minute")
    DAY = "day", _("the day")
    MONTH = "month", _("the month")
    SEASON = "season", _("the season")
    YEAR = "year", _("the year")
    DECADE = "decade", _("the decade")
    LATEST = "latest", _("by then, or any time before")
    UNKNOWN = "unknown", _("unknown")


class Origin(models.TextChoices):
    """What the time a photo was taken rests on."""

    PERSON = "person", _("a person")
    EXIF_ORIGINAL = "exif_original", _("the camera's own record")
    EXIF_DIGITISED = "exif_digitised", _("the camera's or scanner's record")
    XMP = "xmp", _("a note in the file (XMP)")
    SIDECAR = "sidecar", _("a note beside the file")
    TAKEOUT = "takeout", _("Google Photos")
    FILE_NAME = "file_name", _("the file name")
    FILE_TIME = "file_time", _("the time of the file, checked by those beside it")
    NEIGHBOURS = "neighbours", _("the photos before and after it")
    FOLDER_NAME = "folder_name", _("the folder name")
    EXIF_MODIFIED = "exif_modified", _("the last change noted in the file")
    MODIFICATION_TIME = "modification_time", _("the file's modification time")
    NONE = "none", _("nothing")


def camera_name(make: str, model: str) -> str:
    """Return maker and model, without the maker's name twice."""
    if not make or model.lower().startswith(make.split()[0].lower()):
        return model
    return f"{make} {model}".strip()


class PhotoQuerySet(models.QuerySet):
    def live(self) -> PhotoQuerySet:
        # See also Photo.is_live
        return self.filter(trashed_at=None)

    def trashed(self) -> PhotoQuerySet:
        """Photos in the trash, which can still be restored."""
        return self.filter(trashed_at__isnull=False, purged_at=None)

    def stored(self) -> PhotoQuerySet:
        """Photos whose original is in the vault, in the trash or not."""
        # See also Photo.is_stored
        return self.filter(purged_at=None)

    def for_tiles(self) -> PhotoQuerySet:
        """The photos with what a tile shows of them, and no more."""
        names = ("digest", "name", "width", "height", "taken_at", "taken_precision")
        step = ("recipe", "problem", "colours")
        made = [f"thumbnail__{name}" for name in step]
        more = ("problem", "size")
        return self.select_related("thumbnail").only(*names, *more, *made)

    def for_slides(self) -> PhotoQuerySet:
        """The photos with what the lightbox shows of them, and no more."""
        names = ("digest", "name", "width", "height", "taken_at", "taken_precision")
        step = ("thumbnail__recipe", "thumbnail__problem")
        more = ("problem", "size", "format")
        return self.select_related("thumbnail").only(*names, *more, *step)

    def by_hand(self) -> PhotoQuerySet:
        """Photos that somebody put into the trash in favour of nothing."""
        # See also Photo.is_trashed_by_hand
        return self.trashed().filter(in_favour_of=None)

    def yielded(self) -> PhotoQuerySet:
        """Photos in the trash that gave way to a copy."""
        return self.trashed().filter(in_favour_of__isnull=False)

    def trashed_before(self, moment: datetime) -> PhotoQuerySet:
        return self.filter(trashed_at__lt=moment)


class Photo(models.Model):
    """A picture in the catalogue: one digest, one row, however often it was seen."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    extension = models.CharField(max_length=8, editable=False)
    size = models.PositiveBigIntegerField(editable=False, help_text="Bytes")
    # The name under which it was first seen.
    name = models.CharField(max_length=255, editable=False)
    added_at = models.DateTimeField(default=timezone.now, editable=False)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )

    # What the file says; see gallery/metadata.py
    format = models.CharField(max_length=16, editable=False)
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)
    camera_make = models.CharField(max_length=100, blank=True, editable=False)
    camera_model = models.CharField(max_length=100, blank=True, editable=False)
    latitude = models.FloatField(null=True, editable=False)
    longitude = models.FloatField(null=True, editable=False)
    facts = models.JSONField(default=dict, editable=False)
    # Why it cannot be shown, or not whole.
    problem = models.CharField(max_length=500, blank=True, editable=False)

    # When it was taken; see gallery/dates.py
    taken_at = LocalDateTimeField(null=True, editable=False)
    taken_offset = models.SmallIntegerField(
        null=True, editable=False, help_text="Minutes east of UTC, where known"
    )
    taken_precision = models.CharField(
        max_length=8,
        choices=Precision.choices,
        default=Precision.UNKNOWN,
        editable=False,
    )
    taken_from = models.CharField(
        max_length=20, choices=Origin.choices, default=Origin.NONE, editable=False
    )

    # The trash; by hand, in favour of nothing
    trashed_at = models.DateTimeField(null=True, editable=False)
    trashed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    in_favour_of = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="preferred_to",
        editable=False,
    )
    purged_at = models.DateTimeField(null=True, editable=False)
    # Somebody asked for this very photo to be gone, whether a copy stays or not.
    for_good = models.BooleanField(default=False, editable=False)

    objects = PhotoQuerySet.as_manager()
    sightings: models.Manager[SourceFile]
    thumbnail: Thumbnail
    favourites: Any  # a manager
    damages: DamageQuerySet
    corrections: Any  # a manager
    date_evidence: Any  # a manager

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(trashed_at__isnull=False) | Q(purged_at=None),
                name="gallery_purged_from_trash",
            ),
            # Bytes go only where a copy stays, or at somebody's word for this very photo.
            models.CheckConstraint(
                condition=Q(purged_at=None)
                | Q(in_favour_of__isnull=False)
                | Q(for_good=True),
                name="gallery_purged_in_favour_of",
            ),
        ]
        indexes = [
            models.Index(
                fields=["trashed_at", "id"],
                condition=Q(trashed_at__isnull=False),
                name="gallery_by_trashed_at",
            ),
            # For the first page of a server that has only started; see gallery/by_date.py
            models.Index(
                fields=["taken_at", "id"],
                condition=Q(trashed_at=None),
                name="gallery_live_by_taken",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("gallery:photo", args=[self.pk])

    @property
    def is_live(self) -> bool:
        # See also PhotoQuerySet.live
        return self.trashed_at is None

    @property
    def is_stored(self) -> bool:
        # See also PhotoQuerySet.stored
        return self.purged_at is None

    @property
    def is_discarded(self) -> bool:
        """Whether it gave way to another photo, or is gone for good."""
        return self.in_favour_of_id is not None or not self.is_stored

    @property
    def is_trashed_by_hand(self) -> bool:
        # See also PhotoQuerySet.by_hand
        return not self.is_live and self.is_stored and self.in_favour_of_id is None

    def version(self, recipe: int) -> str:
        """What the addresses of its renditions end in, and those of no other photo.

        The key alone will not do: a browser keeps pictures longer than a vault that was
        only tried out is kept.
        """
        return f"{self.digest[:12]}-{recipe}"

    @property
    def thumbnail_url(self) -> str:
        version = self.version(self.thumbnail.recipe)
        return f"{reverse('gallery:thumbnail', args=[self.pk])}?v={version}"

    @property
    def small_url(self) -> str:
        version = self.version(self.thumbnail.recipe)
        return f"{reverse('gallery:small', args=[self.pk])}?v={version}"

    @property
    def preview_url(self) -> str:
        version = self.version(renditions.RECIPE)
        return f"{reverse('gallery:preview', args=[self.pk])}?v={version}"

    @property
    def camera(self) -> str:
        return camera_name(self.camera_make, self.camera_model)

    @transaction.atomic
    def move_to_trash(
        self, *, by: AbstractBaseUser | None, in_favour_of: Photo
    ) -> bool:
        """Take the photo out of the gallery; its original stays until it is purged.

        Return false if it was in the trash already. Raise NotDiscardable unless the
        photo it yields to is another one and live.
        """
        # Both rows are locked in one order, or two people discarding each other's
        # keeper at once could both succeed.
        pair = Photo.objects.select_for_update().order_by("pk")
        locked = {
            photo.pk: photo for photo in pair.filter(pk__in=[self.pk, in_favour_of.pk])
        }
        if in_favour_of.pk == self.pk or not locked[in_favour_of.pk].is_live:
            raise NotDiscardable(f"{in_favour_of} is not a live photo to keep instead.")
        now = timezone.now()
        moved = (
            Photo.objects.live()
            .filter(pk=self.pk)
            .update(trashed_at=now, trashed_by=by, in_favour_of=in_favour_of)
        )
        if moved:
            self.trashed_at, self.trashed_by = now, by  # type: ignore[assignment]
            self.in_favour_of = in_favour_of
        return bool(moved)

    @classmethod
    @transaction.atomic
    def move_all_to_trash(
        cls, yields: Mapping[int, int], *, by: AbstractBaseUser | None
    ) -> datetime:
        """Take photos out of the gallery, each in favour of another, by their ids.

        Return when. Raise NotDiscardable, with nothing done, unless all are live and
        none yields to one that goes as well.
        """
        # All rows are locked in one order; see move_to_trash.
        rows = cls.objects.select_for_update().live().order_by("pk")
        wanted = {*yields, *yields.values()}
        live = set(rows.filter(pk__in=wanted).values_list("pk", flat=True))
        if wanted - live or yields.keys() & set(yields.values()):
            raise NotDiscardable("Not all of these photos are in the gallery to stay.")
        now = timezone.now()
        gone = [
            cls(pk=pk, trashed_at=now, trashed_by_id=by.pk if by else None)
            for pk in yields
        ]
        for photo in gone:
            photo.in_favour_of_id = yields[photo.pk]
        cls.objects.bulk_update(gone, ["trashed_at", "trashed_by", "in_favour_of"])
        return now

    def restore(self) -> bool:
        """Bring the photo back from the trash; return false if it is not there."""
        restored = (
            Photo.objects.trashed()
            .filter(pk=self.pk)
            .update(trashed_at=None, trashed_by=None, in_favour_of=None)
        )
        if restored:
            self.trashed_at = self.trashed_by = self.in_favour_of = None
        return bool(restored)

    def star(self, *, by: AbstractBaseUser) -> None:
        """Make it one of somebody's favourites, if it is not."""
        self.favourites.get_or_create(user=by)

    def unstar(self, *, by: AbstractBaseUser) -> None:
        self.favourites.of(by).delete()

    def update_facts(self, **values: Any) -> None:
        """Store what is now known of the photo, and only that."""
        for name, value in values.items():
            setattr(self, name, value)
        self.save(update_fields=list(values))


class Thumbnail(Step):
    """The grid rendition of a photo, and the reading of its metadata with it."""

    RECIPE = renditions.RECIPE

    photo = models.OneToOneField(Photo, on_delete=models.CASCADE, primary_key=True)
    width = models.PositiveSmallIntegerField(null=True, editable=False)
    height = models.PositiveSmallIntegerField(null=True, editable=False)
    # What stands in its place until it is there; see gallery/colours.py
    colours = models.CharField(max_length=48, blank=True, editable=False)

    class Meta(Step.Meta):
        pass

    def __str__(self) -> str:
        return f"thumbnail of {self.photo_id}"
