"""The gallery page: every photo the family has, in the order asked for."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from gallery.forms import BrowseForm
from gallery.models import Photo
from gallery.paging import page
from gallery.tiles import month, tiles

PHOTOS_PER_PAGE = 80
# Counting stops here: nobody needs to know more, and a million rows take a while.
COUNTED = 10_000

# What htmx asked to exchange, and the part of the page that is.
PARTS = {"photo-tiles": "gallery/_more.html", "photo-grid": "gallery/_grid.html"}


@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def browse(request: HttpRequest) -> HttpResponse:
    form = BrowseForm(request.GET)
    photos = form.select(Photo.objects.live())
    found = page(
        photos.select_related("thumbnail"),
        form.order,
        size=PHOTOS_PER_PAGE,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    by_month = form.order.field == "taken_at"
    context = {
        "form": form,
        "page": found,
        "tiles": tiles(
            found.rows, by_month=by_month, shown=request.GET.get("shown", "")
        ),
        "shown": month(found.rows[-1]) if by_month and found.rows else "",
    }
    template = part(request)
    if template != "gallery/_more.html":
        context |= {"count": photos[: COUNTED + 1].count(), "counted": COUNTED}
    return render(request, template, context)


def part(request: HttpRequest) -> str:
    htmx = request.htmx  # type: ignore[attr-defined]
    if not htmx or htmx.history_restore_request:
        return "gallery/browse.html"
    return PARTS.get(htmx.target or "", "gallery/browse.html")
