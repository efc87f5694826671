"""Uploads in pieces, by the open protocol tus 1.0: creation, resuming, giving up.

A client that follows the protocol and nothing else is served as well. The page's own
script also reads the header `Imagevault-Answer`: what became of the file, as JSON in
base64.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from functools import wraps
from http import HTTPStatus

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import http_date
from django.views.decorators.http import require_http_methods

from gallery import transfers, uploads
from gallery.arrivals import MAX_BYTES
from gallery.models import ImportRun, Transfer
from gallery.transfers import Checksum
from gallery.uploads import Answer
from gallery.views.answers import in_words, may_upload
from gallery.walk import storable

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
CONTENT = "application/offset+octet-stream"
# The protocol's own number for a piece that does not hash to what was said.
CHECKSUM_MISMATCH = 460
PIECE = 1 << 20  # bytes read at once
DIGEST = re.compile(r"[0-9a-f]{64}\Z")

View = Callable[..., HttpResponse]


class Wrong(Exception):
    """The request cannot be answered as asked; the sentence is for who sent it."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def tus(view: View) -> View:
    """Speak the protocol's version, and turn what went wrong into an answer."""

    @wraps(view)
    def wrapped(request: HttpRequest, **names: str) -> HttpResponse:
        may_upload(request)
        try:
            check_version(request)
            response = view(request, **names)
        except (Wrong, transfers.CannotGoOn) as error:
            response = HttpResponse(
                str(error), status=status_of(error), content_type="text/plain"
            )
        response["Tus-Resumable"] = response["Tus-Version"] = VERSION
        response["Cache-Control"] = "no-store"
        return response

    return wrapped


def check_version(request: HttpRequest) -> None:
    if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != VERSION:
        raise Wrong(412, f"This server speaks tus {VERSION}.")


def status_of(error: Exception) -> int:
    if isinstance(error, Wrong):
        return error.status
    return next(status for kind, status in STATUSES.items() if isinstance(error, kind))


STATUSES: dict[type[Exception], int] = {
    transfers.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    transfers.TooMuch: HTTPStatus.FORBIDDEN,
    transfers.DiskFull: HTTPStatus.INSUFFICIENT_STORAGE,
    transfers.WrongOffset: HTTPStatus.CONFLICT,
    transfers.WrongChecksum: CHECKSUM_MISMATCH,
    transfers.InUse: HTTPStatus.LOCKED,
    transfers.Lost: HTTPStatus.GONE,
}


@require_http_methods(["OPTIONS", "POST"])
@tus
def create(request: HttpRequest) -> HttpResponse:
    """Begin a file, with its first piece where one comes along."""
    if request.method == "OPTIONS":
        return capabilities()
    size = whole_number(request, "Upload-Length")
    told = metadata(request.headers.get("Upload-Metadata", ""))
    digest = told.get("digest", "")
    if not DIGEST.match(digest):
        raise Wrong(400, "Upload-Metadata must name the file's digest (SHA-256, hex).")
    has_body = bool(request.headers.get("Content-Length", "0").strip("0"))
    if has_body:
        check_piece(request, room=size)
    transfer, is_new = transfers.begin(
        by=person(request),
        run=run_of(request, told.get("run", "")),
        path=told.get("path") or told.get("filename") or "",
        digest=digest,
        size=size,
        modified_ns=milliseconds(told.get("modified", "")),
    )
    answer = None
    if is_new and (has_body or not size):
        answer = receive(request, transfer, at=0)
    elif not is_new:
        # Its beginning was answered once, and the answer got lost on the way.
        transfers.offset(transfer)
        answer = answer_to(transfer)
    response = described(request, transfer, answer, HTTPStatus.CREATED)
    response["Location"] = reverse("gallery:transfer", args=[transfer.pk])
    return response


def capabilities() -> HttpResponse:
    return HttpResponse(
        status=HTTPStatus.NO_CONTENT,
        headers={
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(MAX_BYTES),
            "Tus-Checksum-Algorithm": ",".join(transfers.ALGORITHMS),
        },
    )


@require_http_methods(["HEAD", "PATCH", "DELETE"])
@tus
def transfer(request: HttpRequest, transfer_id: str) -> HttpResponse:
    """How far a file is; the next piece of it; or that it will not come."""
    row = get_object_or_404(
        Transfer.objects.of(person(request)).select_related("run", "by"), pk=transfer_id
    )
    if request.method == "DELETE":
        transfers.drop(row)
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    if request.method == "HEAD":
        transfers.offset(row)
        return described(request, row, answer_to(row), HTTPStatus.OK)
    at = whole_number(request, "Upload-Offset")
    if at > row.size:
        raise transfers.WrongOffset
    check_piece(request, room=row.size - at)
    answer = receive(request, row, at=at)
    return described(request, row, answer, HTTPStatus.NO_CONTENT)


def answer_to(row: Transfer) -> Answer | None:
    return transfers.told(row) if row.is_finished else None


def check_piece(request: HttpRequest, *, room: int) -> None:
    """Raise Wrong for a piece that cannot be meant, before any of it is read."""
    if request.content_type != CONTENT:
        raise Wrong(415, f"The piece must be sent as {CONTENT}.")
    if "Content-Length" not in request.headers:
        raise Wrong(411, "The piece must say its length.")
    if whole_number(request, "Content-Length") > room:
        raise Wrong(413, "The piece is longer than what is missing of the file.")


def receive(request: HttpRequest, row: Transfer, *, at: int) -> Answer | None:
    checksum = None
    if header := request.headers.get("Upload-Checksum"):
        try:
            checksum = Checksum.read(header)
        except ValueError as error:
            raise Wrong(400, f"Upload-Checksum cannot be read: {error}.") from error
    return transfers.receive(row, chunks(request), at=at, checksum=checksum)


def chunks(request: HttpRequest) -> Iterator[bytes]:
    """Yield the body as it comes; when the connection breaks, what came of it."""
    try:
        while chunk := request.read(PIECE):
            yield chunk
    except UnreadablePostError:
        return


def described(
    request: HttpRequest, row: Transfer, answer: Answer | None, status: int
) -> HttpResponse:
    response = HttpResponse(status=status)
    response["Upload-Offset"] = str(row.size if answer else transfers.offset(row))
    if request.method == "HEAD":
        response["Upload-Length"] = str(row.size)
    if answer:
        words = json.dumps(in_words(request, answer)).encode()
        response["Imagevault-Answer"] = base64.b64encode(words).decode()
    else:
        response["Upload-Expires"] = http_date(transfers.expires(row).timestamp())
    return response


def person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def whole_number(request: HttpRequest, name: str) -> int:
    text = request.headers.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Wrong(400, f"{name} must be a whole number of bytes.")
    return int(text)


def metadata(header: str) -> dict[str, str]:
    """Read "path TWFsbG9yY2E=,digest ..."."""
    found = {}
    for pair in header.split(","):
        name, _, value = pair.strip().partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Wrong(400, "Upload-Metadata cannot be read.") from error
    return found


def milliseconds(text: str) -> int | None:
    """Turn a browser's modification time, ms since 1970 UTC, into nanoseconds."""
    if not text.isascii() or not text.isdigit() or len(text) > 14:
        return None
    return storable(int(text) * 1_000_000)


def run_of(request: HttpRequest, text: str) -> ImportRun:
    """The upload a file belongs to: the person's own, begun before, or a new one."""
    if not text:
        return uploads.begin(by=person(request))
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Http404
    return get_object_or_404(uploads.runs(person(request)), pk=int(text))
