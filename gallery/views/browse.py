"""The gallery page: every photo the family has, in the order asked for."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from gallery import catalogue
from gallery.by_date import ByDate
from gallery.columns import Selection
from gallery.forms import BrowseForm
from gallery.models import Favourite, Photo, Source
from gallery.paging import Listing, page
from gallery.tiles import heading, tiles
from gallery.timeline import timeline as years_of

PHOTOS_PER_PAGE = 80

# What htmx asked to exchange, and the part of the page that is.
PARTS = {"photo-tiles": "gallery/_more.html", "photo-grid": "gallery/_grid.html"}


@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def browse(request: HttpRequest) -> HttpResponse:
    form = BrowseForm(request.GET)
    try:
        every = Selection.all(catalogue.soon())
    except catalogue.Reading:
        if form.is_filtered or not form.is_by_date:
            raise
        return by_date(request, form)
    photos = form.select(every, request.user)  # type: ignore[arg-type]
    listed = catalogue.Selected(photos, Photo.objects.live().for_tiles())
    template = part(request)
    context = {
        "form": form,
        "count": len(photos),
        **tiled(request, form, listed),
    }
    if template == "gallery/browse.html":
        context |= choices(every)
    if template != PARTS["photo-tiles"]:
        context |= in_album(request, form)
    answer = render(request, template, context)
    if template == "gallery/_grid.html":
        answer["HX-Push-Url"] = reverse("gallery:browse") + form.query
    return answer


def by_date(request: HttpRequest, form: BrowseForm) -> HttpResponse:
    """All photos, by date: what a server that still reads the others' fields can show."""
    photos = Photo.objects.live()
    context = {
        "form": form,
        "count": photos.count(),
        "is_reading": True,
        **tiled(request, form, ByDate(photos.for_tiles())),
    }
    return render(request, part(request), context)


def in_album(request: HttpRequest, form: BrowseForm) -> dict[str, Any]:
    """Return the album the photos are of, if they are, and who may change it."""
    album = form.chosen_album
    if album is None:
        return {}
    return {"album": album, "may_change": album.may_be_changed_by(request.user)}


def tiled(request: HttpRequest, form: BrowseForm, photos: Listing) -> dict[str, Any]:
    """Return the page of photos that was asked for, and its tiles."""
    found = page(
        photos,
        form.order,
        size=PHOTOS_PER_PAGE,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        start=form.start,
    )
    headings = ("day" if form.is_by_day else "month") if form.is_by_date else ""
    last = heading(found.rows[-1], by_day=form.is_by_day) if found.rows else ""
    return {
        "page": found,
        "tiles": tiles(
            found.rows,
            query=form.query,
            headings=headings,
            shown=request.GET.get("shown", ""),
            starred=Favourite.objects.of(request.user).photos(found.rows),  # type: ignore[arg-type]
        ),
        "shown": last if headings else "",
    }


def choices(every: Selection) -> dict[str, Any]:
    """Return what the filters offer, with the number of photos of each."""
    offered = catalogue.offered(every.columns)
    this_year = timezone.localdate().year
    return {
        "offered": offered,
        "sources": Source.objects.order_by("label"),
        "this_year": this_year,
        "last_year": this_year - 1,
    }


def part(request: HttpRequest) -> str:
    htmx = request.htmx  # type: ignore[attr-defined]
    if not htmx or htmx.history_restore_request:
        return "gallery/browse.html"
    return PARTS.get(htmx.target or "", "gallery/browse.html")


@require_safe
@vary_on_headers("HX-Request")
def timeline(request: HttpRequest) -> HttpResponse:
    """How many photos each month has, with the way to them."""
    form = BrowseForm(request.GET)
    try:
        every = Selection.all(catalogue.soon())
    except catalogue.Reading:
        if not request.htmx:  # type: ignore[attr-defined]
            raise
        return render(request, "gallery/_timeline_later.html", {"form": form})
    months = form.select(every, request.user).months()  # type: ignore[arg-type]
    years = years_of(months, is_descending=form.order.descending)
    template = "_timeline" if request.htmx else "timeline"  # type: ignore[attr-defined]
    return render(
        request,
        f"gallery/{template}.html",
        {"form": form, "years": years, "address": reverse("gallery:browse")},
    )
