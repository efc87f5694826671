"""The page of one photo: the picture, what is known of it, and where it was seen."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from gallery import catalogue, paging
from gallery.columns import Selection
from gallery.facts import facts
from gallery.forms import BrowseForm
from gallery.models import Favourite, Photo, SourceFile
from gallery.tiles import ratio

SIGHTINGS = 200


@require_safe
def photo(request: HttpRequest, photo_id: int) -> HttpResponse:
    found = get_object_or_404(
        Photo.objects.select_related(
            "thumbnail", "added_by", "trashed_by", "in_favour_of"
        ),
        pk=photo_id,
    )
    form = BrowseForm(request.GET)
    context = {
        "photo": found,
        "form": form,
        "ratio": ratio(found.width, found.height),
        "facts": facts(found),
        "sightings": sightings(found),
        "is_starred": found.pk in Favourite.objects.of(request.user).photos([found]),  # type: ignore[arg-type]
        **beside(found, form, request.user),  # type: ignore[arg-type]
    }
    return render(request, "gallery/photo.html", context)


def sightings(found: Photo) -> QuerySet[SourceFile]:
    rows = SourceFile.objects.filter(photo=found)
    return rows.select_related("source", "first_run").order_by("pk")[:SIGHTINGS]


def beside(found: Photo, form: BrowseForm, user: AbstractBaseUser) -> dict[str, Any]:
    """Return the photos before and after this one in the selection it was opened from."""
    if not found.is_live:
        return {}
    selection = form.select(Selection.all(catalogue.current()), user)
    photos = catalogue.Selected(selection, Photo.objects.live().only("pk"))
    return {
        "previous": paging.neighbour(photos, form.order, found, backwards=True),
        "next": paging.neighbour(photos, form.order, found),
    }
