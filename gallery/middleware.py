"""What a page says that cannot be shown yet."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from gallery.catalogue import Reading

AGAIN_AFTER = 2  # seconds


class ReadingMiddleware:
    """Ask for a moment's patience while all photos are read, and then show the page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        return one_moment(request) if isinstance(exception, Reading) else None


def one_moment(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request") == "true":
        # A part of a page cannot ask again by itself; the whole page can.
        return HttpResponse(headers={"HX-Redirect": request.get_full_path()})
    answer = render(request, "gallery/reading.html", status=503)
    answer["Retry-After"] = answer["Refresh"] = str(AGAIN_AFTER)
    answer["Cache-Control"] = "no-store"
    return answer
