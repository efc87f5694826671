"""How much of a folder of a drive is in the vault, or in another folder."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from gallery import containment
from gallery.containment import Level, Place
from gallery.models import Source
from gallery.views.drives import LONGEST_PATH, trail

FOLDERS = 500


@require_safe
def contained(request: HttpRequest, source_id: int) -> HttpResponse:
    drive = get_object_or_404(Source, pk=source_id)
    place = Place(drive, path(request, "path"))
    against = other(request)
    found = containment.remembered(place, against=against)
    lines = [
        {"level": level, "amount": amount, "name": containment.NAMES[level]}
        for level, amount in zip(Level, found.whole.amounts, strict=True)
    ]
    inside = found.inside
    context = {
        "drive": drive,
        "place": place,
        "against": against,
        "whole": found.whole,
        "lines": lines,
        "only_here": containment.only_here(found),
        "more": found.whole.missing.count - len(found.only_here),
        "folders": inside[:FOLDERS],
        "more_folders": len(inside[FOLDERS:]),
        "trail": list(trail(place.path)),
        "sources": Source.objects.drives().order_by("label"),
        "may_decide": any(
            found.whole.amounts[one].count for one in (Level.PIXELS, Level.LOOKS)
        ),
    }
    return render(request, "gallery/contained.html", context)


def other(request: HttpRequest) -> Place | None:
    """The folder asked about; None for the vault."""
    key = request.GET.get("against", "")
    if not key.isdecimal():
        return None
    source = get_object_or_404(Source, pk=int(key[:18]))
    return Place(source, path(request, "in"))


def path(request: HttpRequest, name: str) -> str:
    found = request.GET.get(name, "").strip("/")[:LONGEST_PATH]
    if "\0" in found:
        raise Http404
    return found
