"""The page of one photo: the picture, what is known of it, and where it was seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from gallery import (
    catalogue,
    copies,
    corrections,
    motion,
    paging,
    shots,
    stored,
    versions,
)
from gallery.atlas import Chart, chart
from gallery.columns import Selection
from gallery.facts import facts, said
from gallery.forms import BrowseForm
from gallery.models import Favourite, Origin, Photo, SourceFile
from gallery.notes import notes_of
from gallery.tiles import ratio
from gallery.views.dates import statements
from gallery.whereabouts import places

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
        "form": form,
        "ratio": ratio(found.width, found.height),
        "damage": found.damages.open().first(),
        "places": places([found])[found.digest],
        **known(found, request),
        **beside(found, form, request.user),  # type: ignore[arg-type]
    }
    return render(request, "gallery/photo.html", context)


@require_safe
def about(request: HttpRequest, photo_id: int) -> HttpResponse:
    """What is known of a photo, as the lightbox shows it beside the picture."""
    found = get_object_or_404(Photo.objects.select_related("added_by"), pk=photo_id)
    return render(request, "gallery/_about.html", known(found, request))


def known(found: Photo, request: HttpRequest) -> dict[str, Any]:
    """Return what stands beside a photo."""
    starred = Favourite.objects.of(request.user).photos([found])  # type: ignore[arg-type]
    return {
        "photo": found,
        "facts": facts(found),
        "corrections": list(corrected(found)),
        "statements": statements(found),
        "notes": notes_of(found),
        "chart": located(found),
        "copies": copies.of(found),
        "sightings": sightings(found),
        "ties": versions.ties(found),
        "shot": shots.shot(found),
        "motion": moving(found),
        "is_starred": found.pk in starred,
    }


def corrected(found: Photo) -> Iterator[dict[str, Any]]:
    """Yield what people said of the date, the latest first, and what stood there before."""
    for place, row in enumerate(corrections.history(found)):
        before = said(
            row.before_taken_at, row.before_taken_precision, row.before_taken_offset
        )
        yield {
            "row": row,
            "correction": row.correction,
            "before": before,
            "rested_on": Origin(row.before_taken_from).label,
            "is_last": place == 0,
        }


def moving(found: Photo) -> motion.Motion | None:
    """The film behind the picture in its file, where there is one."""
    if found.format not in motion.FORMATS or not found.is_stored:
        return None
    try:
        return motion.find(stored.original(found).place)
    except OSError:
        return None


def located(found: Photo) -> Chart | None:
    if found.latitude is None or found.longitude is None:
        return None
    return chart(found.latitude, found.longitude)


def sightings(found: Photo) -> QuerySet[SourceFile]:
    rows = SourceFile.objects.filter(photo=found)
    return rows.select_related("source", "first_run").order_by("pk")[:SIGHTINGS]


def beside(found: Photo, form: BrowseForm, user: AbstractBaseUser) -> dict[str, Any]:
    """Return the photos before and after this one in the selection it was opened from."""
    if not found.is_live:
        return {}
    try:
        selection = form.select(Selection.all(catalogue.soon()), user)
    except catalogue.Reading:
        return {}  # not known yet
    photos = catalogue.Selected(selection, Photo.objects.live().only("pk"))
    return {
        "previous": paging.neighbour(photos, form.order, found, backwards=True),
        "next": paging.neighbour(photos, form.order, found),
    }
