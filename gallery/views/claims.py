"""What a browser asks before it sends anything: which of these files are there already?"""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from gallery import claims, transfers, uploads
from gallery.claims import Claim
from gallery.models import Transfer
from gallery.uploads import Kind
from gallery.views.answers import in_words, may_upload
from gallery.views.transfers import DIGEST, milliseconds, person, run_of

MOST_CLAIMS = 500
MOST_BYTES = 2 << 20


class Unreadable(Exception):
    """The request is no list of files."""


@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Begin an upload; its files name it, so that they can be shown together."""
    may_upload(request)
    run = uploads.begin(by=person(request))
    photos = f"{reverse('gallery:browse')}?run={run.pk}"
    return JsonResponse({"run": run.pk, "photos": photos})


@require_POST
def known(request: HttpRequest) -> HttpResponse:
    """Say of each file whether the vault has it. With a run, that is written down."""
    may_upload(request)
    try:
        asked = read(request)
        files = [claim(one) for one in asked["files"]]
    except Unreadable as error:
        return JsonResponse({"problem": str(error)}, status=400)
    run = run_of(request, str(asked["run"])) if asked.get("run") else None
    begun = transfers.waiting(person(request), [one.digest for one in files])
    answers = []
    for one, answer in zip(files, claims.recognise(files, run=run), strict=True):
        said = in_words(request, answer)
        row = begun.get(one.digest)
        if run and row and answer.kind == Kind.WANTED and row.size == one.size:
            transfers.move(row, run=run, path=answer.name)
            said["url"] = reverse("gallery:transfer", args=[row.pk])
        answers.append(said)
    return JsonResponse({"answers": answers})


def read(request: HttpRequest) -> dict[str, Any]:
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        raise Unreadable("Ask for fewer files at once.")
    try:
        asked = json.loads(request.body)
    except ValueError as error:
        raise Unreadable("This is no JSON.") from error
    if not isinstance(asked, dict) or not isinstance(asked.get("files"), list):
        raise Unreadable("Files are missing.")
    if len(asked["files"]) > MOST_CLAIMS:
        raise Unreadable(f"Ask for {MOST_CLAIMS} files at most.")
    return asked


def claim(one: Any) -> Claim:
    match one:
        case {"path": str(path), "size": int(size), "digest": str(digest)} if (
            0 <= size < 2** 63 and DIGEST.match(digest)
        ):
            modified = milliseconds(str(one.get("modified", "")))
            return Claim(path, size, digest, modified)
    raise Unreadable("A file needs a path, a size and a digest (SHA-256, hex).")


@require_POST
def forget(request: HttpRequest, transfer_id: str) -> HttpResponse:
    """Give up an unfinished upload."""
    may_upload(request)
    row = get_object_or_404(
        Transfer.objects.of(person(request)).unfinished(), pk=transfer_id
    )
    try:
        transfers.drop(row)
        messages.success(
            request,
            gettext("%(name)s will not be uploaded.") % {"name": row.name},
        )
    except transfers.InUse:
        messages.info(
            request,
            gettext("%(name)s is being sent at this moment.") % {"name": row.name},
        )
    return redirect("gallery:upload")
