"""The upload page: files in, and for each an answer in plain words."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)
from django.views.decorators.vary import vary_on_headers

from gallery import transfers, walk
from gallery.arrivals import MAX_BYTES, Arrival, Receiver
from gallery.formats import FORMATS
from gallery.uploads import take_in, take_into
from gallery.views.answers import in_words, may_upload
from gallery.views.claims import Unreadable, claim
from gallery.views.transfers import person, run_of
from imagevault.spoken import spoken

# Of what is unfinished; the rest is counted.
SHOWN = 20
# What is sent at once, bytes: little is sent again after a break.
PIECE = 8 << 20
# Of small files together, bytes.
MOST_AT_ONCE = 16 << 20
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


# Small files come many at once, or most of the time would go into asking.
@csrf_exempt
@require_POST
def several(request: HttpRequest) -> HttpResponse:
    """Take in some whole files of an upload; `files` tells of each, in their order."""
    may_upload(request)
    size = int(request.headers.get("Content-Length") or 0)
    if size > MOST_AT_ONCE:
        return refusal(gettext("That is too much at once."), status=413)
    try:
        transfers.check_room(size)
    except transfers.DiskFull as error:
        return refusal(str(error), status=507)
    with Receiver(request, settings.IMAGEVAULT_DATA / "incoming") as receiver:
        request.upload_handlers = [receiver]
        return answer_several(request, receiver)


@csrf_protect
def answer_several(request: HttpRequest, receiver: Receiver) -> HttpResponse:
    if receiver.failure:
        return refusal(spoken(str(receiver.failure)), status=507)
    try:
        files = [claim(one) for one in json.loads(request.POST.get("files", ""))]
        pairs = list(zip(receiver.arrivals, files, strict=True))
    except (ValueError, TypeError, Unreadable):
        return refusal(gettext("The files are not told as they were sent."), status=400)
    for arrival, told in pairs:
        arrival.name, arrival.modified_ns = told.path, told.modified_ns
        if arrival.digest != told.digest and not arrival.refused:
            arrival.refused = transfers.NOT_AS_SENT
    run = run_of(request, request.POST.get("run", ""))
    answers = take_into(run, receiver.arrivals)
    return JsonResponse({"answers": [in_words(request, one) for one in answers]})


def refusal(sentence: str, *, status: int) -> HttpResponse:
    return HttpResponse(sentence, status=status, content_type="text/plain")


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
