"""Videos and documents that are kept beside the photos: a list, and each by itself."""

from __future__ import annotations

import mimetypes

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from gallery import motion, stored
from gallery.forms import KeptForm
from gallery.models import KeptFile, Photo, SourceFile
from gallery.orders import Order
from gallery.paging import page
from gallery.serving import serve_original, serve_part
from gallery.whereabouts import places

FILES_PER_PAGE = 60
SIGHTINGS = 200


@require_safe
def kept_files(request: HttpRequest) -> HttpResponse:
    form = KeptForm(request.GET)
    found = page(
        with_places(form.select(KeptFile.objects.all())),
        Order("name"),
        size=FILES_PER_PAGE,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    context = {"form": form, "page": found, "are_there": KeptFile.objects.exists()}
    return render(request, "gallery/kept_files.html", context)


def with_places(files: QuerySet[KeptFile]) -> QuerySet[KeptFile]:
    """The files, each with where it was seen first."""
    seen = SourceFile.objects.current().filter(kept=OuterRef("pk")).order_by("pk")
    return files.annotate(
        path=Subquery(seen.values("path")[:1]),
        drive=Subquery(seen.values("source__label")[:1]),
    )


@require_safe
def kept_file(request: HttpRequest, kept_id: int) -> HttpResponse:
    found = get_object_or_404(KeptFile.objects.select_related("added_by"), pk=kept_id)
    seen = SourceFile.objects.filter(kept=found).select_related("source", "first_run")
    context = {
        "file": found,
        "sightings": seen.order_by("pk")[:SIGHTINGS],
        "damage": found.damages.open().first(),
        "places": places([found])[found.digest],
    }
    return render(request, "gallery/kept_file.html", context)


@require_safe
def kept_original(request: HttpRequest, kept_id: int) -> HttpResponseBase:
    found = get_object_or_404(KeptFile, pk=kept_id)
    return serve_original(
        request,
        stored.original(found).place,
        digest=found.digest,
        name=found.name,
        mime=mimetypes.guess_type(f"x.{found.extension}")[0]
        or "application/octet-stream",
    )


@require_safe
def photo_film(request: HttpRequest, photo_id: int) -> HttpResponseBase:
    """The film of a motion photo, which lies behind the picture in its file."""
    found = get_object_or_404(Photo.objects.stored(), pk=photo_id)
    place = stored.original(found).place
    try:
        film = motion.find(place) if found.format in motion.FORMATS else None
    except OSError as error:
        raise Http404("The original cannot be read.") from error
    if film is None:
        raise Http404("This photo does not move.")
    name = f"{found.name.rpartition('.')[0] or found.name}.mp4"
    return serve_part(request, place, film.positions, name=name, mime="video/mp4")
