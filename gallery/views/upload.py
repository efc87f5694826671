"""The upload page: files in, and for each an answer in plain words."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery import transfers, walk
from gallery.arrivals import MAX_BYTES, Arrival, Receiver
from gallery.formats import FORMATS
from gallery.uploads import take_in
from gallery.views.answers import may_upload
from gallery.views.transfers import person

# Of what is unfinished; the rest is counted.
SHOWN = 20
# What is sent at once, bytes: little is sent again after a break.
PIECE = 8 << 20
# What pictures are called, too. Only for guessing: what a file is, its content says.
OTHER_NAMES = {"jpeg", "jpe", "jfif", "mpo", "tiff", "dib", "hif", "heics", "avifs"}


# The token lies in the body, and nobody's body is read before it is known who sends it.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def upload(request: HttpRequest) -> HttpResponse:
    may_upload(request)
    with Receiver(request, settings.IMAGEVAULT_DATA / "incoming") as receiver:
        request.upload_handlers = [receiver]
        return answer(request, receiver)


@csrf_protect
def answer(request: HttpRequest, receiver: Receiver) -> HttpResponse:
    if request.method != "POST":
        return render(request, "gallery/upload.html", page(request))
    times = request.POST.getlist("modified")
    set_times(receiver.arrivals, times)
    answers = take_in(receiver.arrivals, by=request.user)  # type: ignore[arg-type]
    part = "gallery/_answers.html"
    template = part if request.headers.get("HX-Request") else "gallery/upload.html"
    context = {"answers": answers, "failure": receiver.failure}
    return render(request, template, page(request) | context)


def page(request: HttpRequest) -> dict[str, Any]:
    """What the page shows before anything is chosen."""
    unfinished = transfers.unfinished(person(request))
    return {
        "unfinished": [
            {"transfer": row, "arrived": arrived, "share": 100 * arrived // row.size}
            for row, arrived in unfinished[:SHOWN]
        ],
        "unfinished_count": len(unfinished),
        "days": transfers.PATIENCE.days,
        **limits(),
    }


@require_safe
def check(request: HttpRequest) -> HttpResponse:
    """The dry look: is it in the vault already?"""
    may_upload(request)
    return render(request, "gallery/check.html", limits())


def limits() -> dict[str, Any]:
    """What the script has to know of the files that are taken."""
    extensions = {one.extension for one in FORMATS} | OTHER_NAMES
    return {
        "most_bytes": MAX_BYTES,
        "piece_bytes": PIECE,
        "extensions": " ".join(sorted(extensions)),
    }


def set_times(arrivals: list[Arrival], times: list[str]) -> None:
    """Note the modification times, in ms since 1970, that a script sent along."""
    if len(times) != len(arrivals):
        return
    for arrival, time in zip(arrivals, times, strict=True):
        if time.isascii() and time.isdigit() and len(time) <= 14:
            arrival.modified_ns = walk.storable(int(time) * 1_000_000)
