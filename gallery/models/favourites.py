"""Photos that somebody likes to find again."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.utils import timezone

from gallery.models.photos import Photo


class FavouriteQuerySet(models.QuerySet):
    def of(self, user: AbstractBaseUser) -> FavouriteQuerySet:
        return self.filter(user=user)

    def photos(self, among: Iterable[Photo | int] | None = None) -> set[int]:
        """Return the keys of the photos, of all or of those among some."""
        rows = self if among is None else self.filter(photo__in=list(among))
        return set(rows.values_list("photo_id", flat=True))


class Favourite(models.Model):
    """A photo one person has given a star; nobody else sees it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favourites"
    )
    photo = models.ForeignKey(
        Photo, on_delete=models.CASCADE, related_name="favourites"
    )
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = FavouriteQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "photo"], name="gallery_favourite_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.photo}, liked by {self.user}"
