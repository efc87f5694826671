"""The trash page: what was discarded, in favour of what, and the way back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from gallery.models import Photo
from gallery.paging import Order, page
from gallery.tiles import ratio
from gallery.trash import NotPurgeable, delete_for_good
from gallery.trash import restore as restore_photos
from gallery.views.chosen import chosen
from gallery.views.together import undo_address

PHOTOS_PER_PAGE = 40
LATEST = Order("trashed_at", descending=True)


@dataclass(frozen=True, slots=True)
class Discarded:
    """A photo in the trash, and how long it can still be restored for certain."""

    photo: Photo
    ratio: int
    days_left: int
    # How many one person trashed by hand at the same moment, and the way back for all.
    together: int = 1
    undo: str = ""


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
        "discarded": discarded(found.rows, timezone.now(), request.user.pk),
        "days": settings.TRASH_DAYS,
    }
    return render(request, "gallery/trash.html", context)


def discarded(
    photos: Sequence[Photo], now: datetime, reader: int | None
) -> Iterator[Discarded]:
    counts = at_once(photos, reader)
    for photo in photos:
        assert photo.trashed_at
        left = photo.trashed_at + timedelta(days=settings.TRASH_DAYS) - now
        # The last day counts as long as it lasts.
        days = max(-(-left // timedelta(days=1)), 0)
        count = counts.get(photo.trashed_at, 1) if photo.is_trashed_by_hand else 1
        undo = undo_address(photo.trashed_at) if count > 1 else ""
        yield Discarded(photo, ratio(photo.width, photo.height), days, count, undo)


def at_once(photos: Iterable[Photo], reader: int | None) -> dict[datetime, int]:
    """Return how many photos the reader trashed by hand at the moments of these."""
    moments = {photo.trashed_at for photo in photos}
    mine = Photo.objects.by_hand().filter(trashed_by=reader, trashed_at__in=moments)
    counted = mine.order_by().values_list("trashed_at").annotate(count=Count("pk"))
    return dict(counted)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("gallery.delete_photo", raise_exception=True)
def delete(request: HttpRequest, photo_id: int) -> HttpResponse:
    """Delete one photo for good: asked about first, with its name."""
    photo = get_object_or_404(Photo.objects.by_hand(), pk=photo_id)
    copies = photo.preferred_to.all()
    if request.method != "POST" or request.POST.get("sure") != "yes":
        context = {
            "photo": photo,
            "in_trash": copies.filter(purged_at=None).count(),
            "gone": copies.exclude(purged_at=None).count(),
            "is_unsure": request.method == "POST",
        }
        return render(request, "gallery/delete.html", context)
    try:
        delete_for_good(photo, by=request.user)  # type: ignore[arg-type]
    except NotPurgeable:
        messages.info(request, _("%s was not in the trash any more.") % photo.name)
    else:
        messages.success(request, _("%s is deleted for good.") % photo.name)
    return redirect("gallery:trash")


@require_POST
@permission_required("gallery.change_photo", raise_exception=True)
def restore(request: HttpRequest, photo_id: int) -> HttpResponse:
    photo = get_object_or_404(Photo, pk=photo_id)
    if restore_photos(Photo.objects.filter(pk=photo.pk), by=request.user):  # type: ignore[arg-type]
        photo.refresh_from_db()
        messages.success(request, _("%s is back among the photos.") % photo.name)
    elif photo.is_live:
        messages.info(request, _("%s was not in the trash any more.") % photo.name)
    else:
        messages.error(
            request, _("%s is gone for good and cannot be restored.") % photo.name
        )
    back_to_photo = request.POST.get("back") == "photo" and photo.is_live
    return redirect(photo if back_to_photo else "gallery:trash")


@require_POST
@permission_required("gallery.change_photo", raise_exception=True)
def restore_some(request: HttpRequest) -> HttpResponse:
    """Bring back the photos that were ticked."""
    keys = chosen(request.POST, request.user)  # type: ignore[arg-type]
    wanted = Photo.objects.filter(pk__in=keys)
    count = restore_photos(wanted, by=request.user)  # type: ignore[arg-type]
    if count:
        said = ngettext(
            "%d photo is back among the others.",
            "%d photos are back among the others.",
            count,
        )
        messages.success(request, said % count)
    else:
        messages.info(request, _("No photo was chosen that is still in the trash."))
    return redirect("gallery:trash")
