"""The trace as files, the story of one photo, and verdicts from one vault to another."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from dedup import trace, verdicts
from dedup.views.batches import context, who

# A file of verdicts: a million of them, about.
MOST_BYTES = 250 << 20


@require_safe
def why(request: HttpRequest) -> HttpResponse:
    """Tell why a photo is not in the gallery, or that it is."""
    who(request, decides=False)
    asked = request.GET.get("q", "")[:500]
    shown = context(
        request,
        _("Why is this photo not in the gallery?"),
        asked=asked.strip(),
        found=trace.find(asked),
    )
    return TemplateResponse(request, "admin/dedup/why.html", shown)


def attached(pieces: Iterator[str], name: str, kind: str) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(pieces, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@require_safe
def export_verdicts(request: HttpRequest) -> StreamingHttpResponse:
    who(request, decides=False)
    return attached(verdicts.exported(), "verdicts.json", "application/json")


@require_POST
def import_verdicts(request: HttpRequest) -> HttpResponse:
    who(request, decides=True)
    given = request.FILES.get("file")
    if given is None or given.size is None or given.size > MOST_BYTES:
        messages.error(request, _("Choose a file of verdicts first."))
        return redirect("admin:dedup_verdict_changelist")
    try:
        report = verdicts.take_in(given.read())
    except verdicts.NotVerdicts as reason:
        messages.error(request, str(reason))
        return redirect("admin:dedup_verdict_changelist")
    said = ngettext(
        "%d verdict was taken over.", "%d verdicts were taken over.", report.new
    )
    messages.success(request, said % report.new)
    if report.otherwise:
        left = len(report.otherwise)
        kept = ngettext(
            "%d pair was answered otherwise here: that stays.",
            "%d pairs were answered otherwise here: that stays.",
            left,
        )
        messages.warning(request, kept % left)
    return redirect("admin:dedup_verdict_changelist")
