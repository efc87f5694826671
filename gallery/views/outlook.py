"""What a purge of the trash would do, what purges did, and the way back for all."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from gallery import trash
from gallery.models import Photo, Purge

PURGES_SHOWN = 30


@require_safe
@permission_required("gallery.change_photo", raise_exception=True)
def outlook(request: HttpRequest) -> HttpResponse:
    keep = timedelta(days=settings.TRASH_DAYS)
    found = trash.outlook(older_than=timezone.now() - keep)
    context = {
        "outlook": found,
        "all_photos": found.due + found.waiting + found.by_hand,
        "all_bytes": found.due_bytes + found.waiting_bytes + found.by_hand_bytes,
        "next_due_at": found.next_due_at + keep if found.next_due_at else None,
        "days": settings.TRASH_DAYS,
        "is_nightly": settings.IMAGEVAULT_EMPTY_TRASH,
        "purges": Purge.objects.select_related("by").order_by("-at", "-pk")[
            :PURGES_SHOWN
        ],
    }
    return render(request, "gallery/outlook.html", context)


@require_POST
@permission_required("gallery.change_photo", raise_exception=True)
def restore_all(request: HttpRequest) -> HttpResponse:
    count = trash.restore(Photo.objects.all(), by=request.user)  # type: ignore[arg-type]
    said = ngettext(
        "%d photo is back among the others.",
        "%d photos are back among the others.",
        count,
    )
    messages.success(request, said % count)
    return redirect("gallery:trash")
