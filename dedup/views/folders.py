"""The page that decides a whole folder: keep what lies in one, discard what in another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from dedup import folders
from dedup.folders import Left
from dedup.views.batches import context, who
from gallery.containment import Place
from gallery.models import Source

WHY: Mapping[str, Any] = {
    Left.BETTER: gettext_lazy("The copy that would go is the better one."),
    Left.UNSURE: gettext_lazy("It is not certain enough, or a picture is damaged."),
    Left.SIMILAR: gettext_lazy("They are similar shots, not one picture."),
    Left.MORE: gettext_lazy(
        "There are copies outside the two folders, or several to keep."
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
def pair(request: HttpRequest) -> HttpResponse:
    """Say what can be decided with two folders; a POST makes a batch of it."""
    who(request, decides=request.method == "POST")
    asked = request.POST if request.method == "POST" else request.GET
    found = folders.plan(named(asked, "keep"), named(asked, "discard"))
    if request.method == "POST":
        if found.sets:
            return redirect("admin:dedup_batch", folders.prepare(found).pk)
        messages.warning(request, _("Nothing is left to decide here."))
    shown = context(
        request,
        _("Decide a whole folder"),
        plan=found,
        count=ngettext("%d set", "%d sets", len(found.sets)) % len(found.sets),
        left=[(WHY[why], count) for why, count in sorted(found.left.items())],
    )
    return TemplateResponse(request, "admin/dedup/batch/folders.html", shown)


def named(asked: Mapping[str, str], name: str) -> Place:
    """The folder that an address or a form names."""
    key, path = asked.get(name, ""), asked.get(f"{name}_path", "").strip("/")
    if not key.isdecimal() or "\0" in path:
        raise Http404
    return Place(get_object_or_404(Source, pk=int(key[:18])), path)
