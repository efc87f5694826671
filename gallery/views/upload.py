"""The upload page: files in, and for each an answer in plain words."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from gallery import walk
from gallery.arrivals import Arrival, Receiver
from gallery.uploads import take_in


# The token lies in the body, and nobody's body is read before it is known who sends it.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def upload(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("gallery.add_photo"):
        raise PermissionDenied(
            "Your account may look at the photos, but not add any. Ask whoever looks "
            "after this site if it should."
        )
    with Receiver(request, settings.IMAGEVAULT_DATA / "incoming") as receiver:
        request.upload_handlers = [receiver]
        return answer(request, receiver)


@csrf_protect
def answer(request: HttpRequest, receiver: Receiver) -> HttpResponse:
    if request.method != "POST":
        return render(request, "gallery/upload.html")
    times = request.POST.getlist("modified")
    set_times(receiver.arrivals, times)
    answers = take_in(receiver.arrivals, by=request.user)  # type: ignore[arg-type]
    part = "gallery/_answers.html"
    template = part if request.headers.get("HX-Request") else "gallery/upload.html"
    return render(request, template, {"answers": answers, "failure": receiver.failure})


def set_times(arrivals: list[Arrival], times: list[str]) -> None:
    """Note the modification times, in ms since 1970, that a script sent along."""
    if len(times) != len(arrivals):
        return
    for arrival, time in zip(arrivals, times, strict=True):
        if time.isascii() and time.isdigit() and len(time) <= 14:
            arrival.modified_ns = walk.storable(int(time) * 1_000_000)
