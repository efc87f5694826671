"""The trace as files, the story of one photo, and verdicts from one vault to another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from dedup import history as told
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


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """Tell all that happened, the latest first."""
    who(request, decides=False)
    asked = asked_for(request)
    events = told.latest(asked)
    more = request.GET.copy()
    if len(events) > told.ON_A_PAGE:
        events = events[: told.ON_A_PAGE]
        more["before"] = events[-1].at.isoformat()
    else:
        more.clear()
    shown = context(
        request,
        _("All that happened"),
        events=events,
        asked=asked,
        kinds=told.What.choices,
        people=told.people(),
        older=more.urlencode(),
    )
    return TemplateResponse(request, "admin/dedup/history.html", shown)


@require_safe
def export_history(request: HttpRequest, form: str) -> StreamingHttpResponse:
    who(request, decides=False)
    rows = told.exported(asked_for(request))
    return as_file(rows, "history", form)


def asked_for(request: HttpRequest) -> told.Asked:
    """Return what a page of the history is asked for; nonsense is as if blank."""
    try:
        before = parse_datetime(request.GET.get("before", ""))
    except ValueError:
        before = None
    if before is not None and timezone.is_naive(before):
        before = None
    what = request.GET.get("what", "")
    by = request.GET.get("by", "").replace("\0", "")[:150]
    return told.Asked(before, what if what in told.What.values else "", by)


FORMS = {"csv": (trace.as_csv, "text/csv"), "json": (trace.as_json, "application/json")}


def as_file(
    rows: Iterable[dict[str, Any]], name: str, form: str
) -> StreamingHttpResponse:
    """Send rows of the trace as CSV or JSON; raise Http404 for any other form."""
    if form not in FORMS:
        raise Http404
    write, kind = FORMS[form]
    return attached(write(rows), f"{name}.{form}", kind)


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
