"""Pages about the site itself: how the work is going, and whether it is well."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.db import Error as DatabaseError
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_q.models import Failure

from gallery import vault
from imagevault.work import clusters, stages

# No key is longer.
DIGITS = re.compile(r"[0-9]{0,18}")

View = Callable[..., HttpResponse]


def staff_only(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *arguments: Any, **options: Any) -> HttpResponse:
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, *arguments, **options)

    return guarded


@require_safe
@never_cache
@vary_on_headers("HX-Request")
@staff_only
def work(request: HttpRequest) -> HttpResponse:
    context = {
        "progress": [stage.progress() for stage in stages().values()],
        "clusters": clusters(),
        "failures": Failure.objects.count(),
    }
    is_htmx = request.headers.get("HX-Request") == "true"
    template = "imagevault/_work.html" if is_htmx else "imagevault/work.html"
    return render(request, template, context)


@require_POST
@staff_only
def retry(request: HttpRequest, name: str) -> HttpResponse:
    """Have one piece of failed work done again, or all of its stage."""
    stage = stages().get(name)
    if stage is None:
        raise Http404
    row = request.POST.get("row", "")
    if not DIGITS.fullmatch(row):
        raise Http404
    count = stage.retry(int(row) if row else None)
    said = ngettext(
        "%(stage)s: %(count)d thing to be done again.",
        "%(stage)s: %(count)d things to be done again.",
        count,
    )
    messages.success(request, said % {"stage": stage.label, "count": count})
    return redirect("work")


@require_safe
@never_cache
@login_not_required
def health(request: HttpRequest) -> HttpResponse:
    """Tell a monitor whether pages can be served: 200, or 503 with the reason."""
    try:
        vault.require(settings.IMAGEVAULT_DATA)
        connection.ensure_connection()
    except vault.NoVault:
        reason = "the vault is not there"
    except DatabaseError:
        reason = "the database does not answer"
    else:
        return HttpResponse("ok\n", content_type="text/plain")
    return HttpResponse(f"{reason}\n", content_type="text/plain", status=503)


@require_safe
@login_not_required
def manifest(request: HttpRequest) -> HttpResponse:
    """Say what a device has to know to install the site as an app."""
    home = reverse("gallery:browse")
    answer = JsonResponse(
        {
            "id": home,
            "start_url": home,
            "scope": home,
            "name": "imagevault",
            "short_name": "imagevault",
            "description": _("The family's photos, all in one place."),
            "lang": get_language(),
            "display": "standalone",
            # The colours of the page; the style sheet has them, too.
            "background_color": "#faf9f7",
            "theme_color": "#faf9f7",
            "icons": [
                icon("icon-192.png", size="192x192"),
                icon("icon-512.png", size="512x512"),
                icon("icon-maskable-512.png", size="512x512", purpose="maskable"),
                icon("icon.svg", size="any"),
            ],
            "shortcuts": [
                {"name": _("Upload"), "url": reverse("gallery:upload")},
                {"name": _("Favourites"), "url": f"{home}?starred=1"},
            ],
        }
    )
    answer["Content-Type"] = "application/manifest+json"
    return answer


def icon(name: str, *, size: str, purpose: str = "any") -> dict[str, str]:
    kind = "image/svg+xml" if name.endswith(".svg") else "image/png"
    address = static(f"gallery/{name}")
    return {"src": address, "sizes": size, "type": kind, "purpose": purpose}
