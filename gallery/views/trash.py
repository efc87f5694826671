"""The trash page: what was discarded, in favour of what, and the way back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from gallery.models import Photo
from gallery.paging import Order, page
from gallery.tiles import ratio

PHOTOS_PER_PAGE = 40
LATEST = Order("trashed_at", descending=True)


@dataclass(frozen=True, slots=True)
class Discarded:
    """A photo in the trash, and how long it can still be restored for certain."""

    photo: Photo
    ratio: int
    days_left: int


@require_safe
def trash(request: HttpRequest) -> HttpResponse:
    photos = Photo.objects.trashed().select_related(
        "thumbnail", "trashed_by", "in_favour_of__thumbnail"
    )
    found = page(
        photos,
        LATEST,
        size=PHOTOS_PER_PAGE,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    context = {
        "page": found,
        "discarded": discarded(found.rows, timezone.now()),
        "days": settings.TRASH_DAYS,
    }
    return render(request, "gallery/trash.html", context)


def discarded(photos: Iterable[Photo], now: datetime) -> Iterator[Discarded]:
    for photo in photos:
        assert photo.trashed_at
        left = photo.trashed_at + timedelta(days=settings.TRASH_DAYS) - now
        # The last day counts as long as it lasts.
        days = max(-(-left // timedelta(days=1)), 0)
        yield Discarded(photo, ratio(photo.width, photo.height), days)


@require_POST
@permission_required("gallery.change_photo", raise_exception=True)
def restore(request: HttpRequest, photo_id: int) -> HttpResponse:
    photo = get_object_or_404(Photo, pk=photo_id)
    if photo.restore():
        messages.success(request, f"{photo.name} is back among the photos.")
    elif photo.is_live:
        messages.info(request, f"{photo.name} was not in the trash any more.")
    else:
        messages.error(
            request, f"{photo.name} is gone for good and cannot be restored."
        )
    back_to_photo = request.POST.get("back") == "photo" and photo.is_live
    return redirect(photo if back_to_photo else "gallery:trash")
