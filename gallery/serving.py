"""Files of the vault as answers: never shared, never run, never read whole into memory."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import BinaryIO

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header

from gallery.ranges import Part, Unsatisfiable, asked_range

# What a file holds is decided by who took it, so a browser must not run any of it.
SAFE = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
YEAR = 365 * 24 * 60 * 60
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff/\\]")


def serve_rendition(
    request: HttpRequest,
    path: Path,
    *,
    etag: str,
    is_versioned: bool,
    mime: str = "image/jpeg",
) -> HttpResponseBase:
    """Answer with a picture the vault made; one whose address has a version never changes."""
    age = f"max-age={YEAR}, immutable" if is_versioned else "no-cache"
    headers = {"ETag": f'"{etag}"', "Cache-Control": f"private, {age}"}
    headers |= {"Content-Type": mime, "Content-Disposition": "inline"}
    return serve(request, path, headers)


def serve_original(
    request: HttpRequest, path: Path, *, digest: str, name: str, mime: str
) -> HttpResponseBase:
    """Answer with the untouched bytes, as a download under the name the family knows."""
    attachment = content_disposition_header(as_attachment=True, filename=plain(name))
    headers = {
        "ETag": f'"{digest}"',
        "Cache-Control": "private, no-cache",
        "Content-Type": mime,
        "Content-Disposition": attachment or "attachment",
    }
    return serve(request, path, headers)


def serve_part(
    request: HttpRequest, path: Path, positions: range, *, name: str, mime: str
) -> HttpResponseBase:
    """Answer with some bytes of an original, as a download of their own.

    Raise Http404 where there is no such file.
    """
    attachment = content_disposition_header(as_attachment=True, filename=plain(name))
    headers = SAFE | {
        "Cache-Control": "private, no-cache",
        "Content-Type": mime,
        "Content-Disposition": attachment or "attachment",
        "Content-Length": str(len(positions)),
    }
    if request.method == "HEAD":
        return HttpResponse(headers=headers)
    try:
        response = Stream(Part(path.open("rb"), positions))
    except FileNotFoundError as error:
        raise Http404("This file is not in the vault.") from error
    for header, value in headers.items():
        response[header] = value
    return response


def plain(name: str) -> str:
    """Return a file name that is safe to write on any disk."""
    return CONTROL.sub("_", name).strip(". ") or "photo"


def serve(
    request: HttpRequest, path: Path, headers: dict[str, str]
) -> HttpResponseBase:
    """Answer with a file, part of it, or the news that the browser has it already.

    Raise Http404 where there is no such file.
    """
    headers = SAFE | headers | {"Accept-Ranges": "bytes"}
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise Http404("This file is not in the vault.") from error
    size = os.fstat(file.fileno()).st_size
    try:
        positions = asked_range(range_header(request, headers["ETag"]), size)
    except Unsatisfiable:
        file.close()
        return HttpResponse(
            status=416, headers=headers | {"Content-Range": f"bytes */{size}"}
        )
    known = get_conditional_response(request, etag=headers["ETag"])
    if known is not None or request.method == "HEAD":
        file.close()
        return headers_only(known, headers, size)
    return stream(file, positions, headers, size)


def range_header(request: HttpRequest, etag: str) -> str:
    """Return the range asked for, unless it was asked of another version of the file."""
    condition = request.headers.get("If-Range", etag)
    is_same = condition == etag and request.method == "GET"
    return request.headers.get("Range", "") if is_same else ""


def headers_only(
    known: HttpResponse | None, headers: dict[str, str], size: int
) -> HttpResponse:
    if known is None:
        return HttpResponse(headers=headers | {"Content-Length": str(size)})
    for name in ("ETag", "Cache-Control"):
        known[name] = headers[name]
    return known


def stream(
    file: BinaryIO, positions: range | None, headers: dict[str, str], size: int
) -> FileResponse:
    if positions is None:
        response = Stream(file)
    else:
        response = Stream(Part(file, positions), status=206)
        response["Content-Range"] = f"bytes {positions[0]}-{positions[-1]}/{size}"
        response["Content-Length"] = str(len(positions))
    # Last, since Django guesses some of these from the file's name.
    for name, value in headers.items():
        response[name] = value
    return response


class Stream(FileResponse):
    block_size = 1 << 16
