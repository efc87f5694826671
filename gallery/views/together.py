"""What is done to the photos somebody chose: one, some of a page, or a whole view."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import (
    content_disposition_header,
    url_has_allowed_host_and_scheme,
)
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from gallery import corrections, dating, packing, together
from gallery.corrections import CannotUndo, Corrected
from gallery.models import CorrectedDate, Correction, Photo
from gallery.serving import SAFE
from gallery.spoken import NotADate, read
from gallery.trash import restore
from gallery.views.chosen import chosen
from gallery.views.dates import hint, key_of, time_moved

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
may_change = permission_required("gallery.change_photo", raise_exception=True)


def picked(request: HttpRequest) -> list[int]:
    return chosen(request.POST, request.user)  # type: ignore[arg-type]


def answer(
    request: HttpRequest, text: str, *, undo: str = "", status: int = 200
) -> HttpResponse:
    """Say what was done, with the way back: beside the photos, or on the next page."""
    if request.headers.get("HX-Request"):
        context = {"text": text, "undo": undo, "is_refusal": status >= 400}
        return render(request, "gallery/_toast.html", context, status=status)
    level = messages.ERROR if status >= 400 else messages.SUCCESS
    messages.add_message(request, level, text, extra_tags=undo)
    back = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if is_ours else "gallery:browse")


def nothing(request: HttpRequest) -> HttpResponse:
    return answer(
        request,
        _("None of these photos is in the gallery any more. Nothing was done."),
        status=409,
    )


@require_POST
def download(request: HttpRequest) -> HttpResponseBase:
    packed = packing.pack(picked(request))
    if not packed.entries:
        return nothing(request)
    return zipped(packed, _("Photos %s") % timezone.localdate().isoformat() + ".zip")


def zipped(packed: packing.Packed, name: str) -> HttpResponseBase:
    """Send a zip while it is written, under a name that is safe to write."""
    response = StreamingHttpResponse(packed.stream(), content_type="application/zip")
    response["Content-Length"] = str(packed.size)
    response["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=name) or "attachment"
    )
    response["Cache-Control"] = "private, no-store"
    for header, value in SAFE.items():
        response[header] = value
    return response


@require_POST
def favourites(request: HttpRequest) -> HttpResponse:
    photos = picked(request)
    if request.POST.get("starred") == "0":
        count = together.unstar(photos, by=request.user)
        said = ngettext(
            "%s photo is no favourite of yours any more.",
            "%s photos are no favourites of yours any more.",
            count,
        )
    else:
        count = together.star(photos, by=request.user)
        said = ngettext(
            "%s photo more is a favourite of yours.",
            "%s photos more are favourites of yours.",
            count,
        )
    return answer(request, said % intcomma(count))


@require_POST
@may_change
def throw(request: HttpRequest) -> HttpResponse:
    """Move photos to the trash by hand."""
    moment, count = together.move_to_trash(picked(request), by=request.user)
    if not count:
        return nothing(request)
    said = ngettext(
        "%s photo is in the trash.", "%s photos are in the trash.", count
    ) % intcomma(count)
    return answer(request, said, undo=undo_address(moment))


def undo_address(moment: datetime) -> str:
    """Return where photos that went to the trash at one moment are restored as one."""
    number = (moment - EPOCH) // MICROSECOND
    return reverse("gallery:unthrow", args=[number])


@require_POST
@may_change
def unthrow(request: HttpRequest, moment: int) -> HttpResponse:
    """Restore what the same person moved to the trash at one moment."""
    try:
        then = EPOCH + moment * MICROSECOND
    except OverflowError:
        return nothing(request)
    count = restore(
        together.trashed_together(then, by=request.user),
        by=request.user,  # type: ignore[arg-type]
    )
    said = ngettext(
        "%s photo is back among the photos.",
        "%s photos are back among the photos.",
        count,
    )
    if not count:
        said = _(
            "Nothing was left to undo: these photos are not in the trash any more."
        )
        return answer(request, said, status=409)
    return answer(request, said % intcomma(count))


@require_POST
@may_change
def correct(request: HttpRequest) -> HttpResponse:
    """Give photos another date, or set their clocks right."""
    photos = picked(request)
    try:
        by_time = time_moved(request.POST)
        if by_time is not None:
            done = corrections.shift(photos, by_time, by=request.user)
        else:
            text = " ".join(request.POST.get("said", "").split())
            done = corrections.correct(photos, read(text), text=text, by=request.user)
    except NotADate as refusal:
        return answer(request, hint(refusal.why), status=422)
    if done.correction is None:
        said = _(
            "These photos stay as they are: nothing about their dates would change."
        )
        return answer(request, said)
    undo = reverse("gallery:uncorrect", args=[done.correction.pk])
    return answer(request, told(done), undo=undo)


@require_POST
@may_change
def choose_date(request: HttpRequest, photo_id: int) -> HttpResponse:
    """Give a photo the date that one of the statements on its page says."""
    photo = get_object_or_404(Photo.objects.live(), pk=photo_id)
    asked = request.POST.get("evidence", "")
    for one in dating.every(photo).ranked:
        if key_of(one) == asked:
            done = corrections.choose(photo, one, by=request.user)
            break
    else:
        said = _("This is not known of the photo any more. Nothing was done.")
        return answer(request, said, status=409)
    assert done.correction
    undo = reverse("gallery:uncorrect", args=[done.correction.pk])
    return answer(request, told(done), undo=undo)


def told(done: Corrected) -> str:
    said = ngettext(
        "The date of %s photo was corrected.",
        "The dates of %s photos were corrected.",
        done.count,
    ) % intcomma(done.count)
    if not done.left:
        return said
    left = ngettext(
        "%s photo was left as it is.", "%s photos were left as they are.", done.left
    )
    return f"{said} {left % intcomma(done.left)}"


@require_POST
@may_change
def uncorrect(request: HttpRequest, correction_id: int) -> HttpResponse:
    """Take a correction back for all of its photos."""
    correction = get_object_or_404(Correction, pk=correction_id)
    count = corrections.undo(correction, by=request.user)
    if not count:
        return answer(request, already_undone(), status=409)
    said = ngettext(
        "%s photo has the date again that it had before.",
        "%s photos have the dates again that they had before.",
        count,
    )
    return answer(request, said % intcomma(count))


@require_POST
@may_change
def uncorrect_one(request: HttpRequest, photo_id: int, row_id: int) -> HttpResponse:
    """Take the last correction of one photo back."""
    rows = CorrectedDate.objects.select_related("correction")
    row = get_object_or_404(rows, pk=row_id, photo=photo_id)
    try:
        corrections.undo_one(row, by=request.user)
    except CannotUndo:
        return answer(request, already_undone(), status=409)
    return answer(request, _("The date is again what it was before."))


def already_undone() -> str:
    return _(
        "Nothing was left to undo: this was taken back already, or the date was "
        "corrected again since."
    )
