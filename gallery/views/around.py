"""What the lightbox asks for: the photos around one, in the order of the selection."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gallery import catalogue
from gallery.columns import Selection
from gallery.forms import BrowseForm
from gallery.models import Favourite, Photo
from gallery.slides import around as slides_around
from gallery.slides import slide


@require_safe
def around(request: HttpRequest, photo_id: int) -> JsonResponse:
    photo = get_object_or_404(Photo.objects.live(), pk=photo_id)
    form = BrowseForm(request.GET)
    selection = form.select(Selection.all(catalogue.soon()), request.user)  # type: ignore[arg-type]
    found = slides_around(selection, form.order, photo)
    if found is None:
        return JsonResponse(
            {"problem": _("This photo is not here any more.")}, status=404
        )
    first, photos = found
    starred = Favourite.objects.of(request.user).photos(photos)  # type: ignore[arg-type]
    answer = JsonResponse(
        {
            "count": len(selection),
            "first": first,
            "slides": [slide(one, query=form.query, starred=starred) for one in photos],
        }
    )
    answer["Cache-Control"] = "private, no-store"
    return answer
