"""Stars: giving one to a photo, and taking it back."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from gallery.models import Photo


@require_POST
def favourite(request: HttpRequest, photo_id: int) -> HttpResponse:
    photo = get_object_or_404(Photo, pk=photo_id)
    is_starred = request.POST.get("starred") == "1"
    if is_starred:
        photo.star(by=request.user)  # type: ignore[arg-type]
    else:
        photo.unstar(by=request.user)  # type: ignore[arg-type]
    if request.htmx:  # type: ignore[attr-defined]
        context = {"photo": photo, "is_starred": is_starred}
        return render(request, "gallery/_star.html", context)
    back = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if is_ours else photo)
