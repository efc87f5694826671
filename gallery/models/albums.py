"""Albums: photos somebody has put together, in an order of their own if they like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.models.photos import Photo
from gallery.stages import chunks

# Between two neighbours by hand there is room for so many more before all are counted anew.
STEP = 1 << 20
AT_ONCE = 900


class AlbumQuerySet(models.QuerySet["Album"]):
    def changeable_by(self, user: Any) -> AlbumQuerySet:
        # See also Album.may_be_changed_by
        if user.has_perm("gallery.change_album"):
            return self
        if user.has_perm("gallery.add_album"):
            return self.filter(made_by=user)
        return self.none()


class Album(models.Model):
    """Some photos under a title; every account sees it.

    A photo is in an album as long as its row is there: in the trash it is not shown, and
    the photo it yielded to is shown in its place; restored, it is back (gallery/albums.py).
    """

    class Sort(models.TextChoices):
        """The order photos stand in by themselves; as in the address of a page."""

        OLDEST = "taken", _("Oldest first")
        NEWEST = "-taken", _("Newest first")
        BY_HAND = "hand", _("By hand")

    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), blank=True, max_length=5_000)
    sort = models.CharField(
        _("order"), max_length=8, choices=Sort.choices, default=Sort.OLDEST
    )
    cover = models.ForeignKey(
        Photo,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("cover"),
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="albums",
        verbose_name=_("made by"),
    )
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    # When photos came in, went out or were moved; never twice the same.
    changed_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AlbumQuerySet.as_manager()
    places: Any  # a manager

    class Meta:
        verbose_name = _("album")
        verbose_name_plural = _("albums")
        indexes = [models.Index(fields=["changed_at"], name="gallery_album_changed")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("gallery:album", args=[self.pk])

    @property
    def browse_url(self) -> str:
        """Where its photos are: a view of the browse page."""
        return f"{reverse('gallery:browse')}?album={self.pk}"

    def may_be_changed_by(self, user: Any) -> bool:
        # See also AlbumQuerySet.changeable_by
        if user.has_perm("gallery.change_album"):
            return True
        return self.made_by_id == user.pk and user.has_perm("gallery.add_album")

    def may_be_deleted_by(self, user: Any) -> bool:
        return self.may_be_changed_by(user) or user.has_perm("gallery.delete_album")

    @transaction.atomic
    def add(self, photos: Sequence[int], *, by: AbstractBaseUser | None) -> int:
        """Put these photos at its end, in this order; return how many are new in it."""
        self._lock()
        known = set(self.places.values_list("photo_id", flat=True))
        fresh = [pk for pk in dict.fromkeys(photos) if pk not in known]
        there: set[int] = set()
        for some in chunks(fresh, AT_ONCE):
            stored = Photo.objects.filter(pk__in=some)
            there.update(stored.values_list("pk", flat=True))
        last = self.places.aggregate(last=models.Max("place"))["last"] or 0
        rows = [
            AlbumPhoto(  # type: ignore[misc]
                album=self, photo_id=pk, added_by=by, place=last + number * STEP
            )
            for number, pk in enumerate((pk for pk in fresh if pk in there), 1)
        ]
        AlbumPhoto.objects.bulk_create(rows, batch_size=AT_ONCE)
        if rows:
            self._has_changed()
        return len(rows)

    @transaction.atomic
    def take_out(self, photos: Sequence[int]) -> list[tuple[int, int]]:
        """Take these photos out, which stay in the vault.

        Return those that were in it, each with its place, as `put_back` wants them.
        """
        self._lock()
        taken: list[tuple[int, int]] = []
        for some in chunks(photos, AT_ONCE):
            places = self.places.filter(photo__in=some)
            taken += places.values_list("photo", "place")
            places.delete()
        if taken:
            self._has_changed()
        return taken

    @transaction.atomic
    def put_back(
        self, taken: Sequence[tuple[int, int]], *, by: AbstractBaseUser
    ) -> int:
        """Put photos back in their places; return how many were not in it."""
        self._lock()
        count = 0
        for some in chunks(taken, AT_ONCE):
            places = dict(some)
            there = Photo.objects.filter(pk__in=places).exclude(
                album_places__album=self
            )
            rows = [
                AlbumPhoto(album=self, photo_id=pk, place=places[pk], added_by=by)  # type: ignore[misc]
                for pk in there.values_list("pk", flat=True)
            ]
            count += len(AlbumPhoto.objects.bulk_create(rows))
        if count:
            self._has_changed()
        return count

    @transaction.atomic
    def move(self, photo: int, *, before: int | None) -> bool:
        """Have a photo stand before another, or at the end; return false if it cannot."""
        self._lock()
        moved = self.places.filter(photo=photo).first()
        if moved is None or photo == before:
            return False
        others = self.places.exclude(photo=photo)
        place = _between(others, before)
        if place is None:
            self._count_anew()
            place = _between(others, before)
        if place is None:
            return False
        moved.place = place
        moved.save(update_fields=["place"])
        self._has_changed()
        return True

    def update(self, **values: Any) -> None:
        """Store what was said of the album, and only that."""
        for name, value in values.items():
            setattr(self, name, value)
        self.save(update_fields=list(values))

    def _lock(self) -> None:
        list(Album.objects.select_for_update().filter(pk=self.pk).values_list("pk"))

    def _has_changed(self) -> None:
        self.update(changed_at=timezone.now())

    def _count_anew(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(COUNT_ANEW, [STEP, self.pk])


COUNT_ANEW = """
    UPDATE gallery_albumphoto SET place = counted.number * %s
    FROM (
        SELECT id, ROW_NUMBER() OVER (ORDER BY place, photo_id) AS number
        FROM gallery_albumphoto WHERE album_id = %s
    ) AS counted
    WHERE gallery_albumphoto.id = counted.id
"""


def _between(others: models.QuerySet[AlbumPhoto], before: int | None) -> int | None:
    """Return a place right before a photo, or after all; None where there is no room."""
    if before is None:
        return (others.aggregate(last=models.Max("place"))["last"] or 0) + STEP
    following = others.filter(photo=before).first()
    if following is None:
        return None
    earlier = others.filter(place__lt=following.place)
    first = earlier.aggregate(last=models.Max("place"))["last"] or 0
    place = (first + following.place) // 2
    return place if first < place < following.place else None


class AlbumPhoto(models.Model):
    """A photo's place in an album, by hand."""

    album = models.ForeignKey(Album, on_delete=models.CASCADE, related_name="places")
    photo = models.ForeignKey(
        Photo, on_delete=models.CASCADE, related_name="album_places"
    )
    place = models.BigIntegerField()
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["album", "photo"], name="gallery_once_in_album"
            )
        ]

    def __str__(self) -> str:
        return f"{self.photo_id} in {self.album}"
