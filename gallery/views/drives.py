"""Drives: what each gave, what only it has, its folders, and whether it may be wiped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)
from django.views.decorators.vary import vary_on_headers

from gallery import contents, drive_pictures
from gallery.certifying import FOLDER, why_all_stale, why_stale
from gallery.forms import DriveForm
from gallery.models import Backup, Certificate, Source, State
from gallery.models.certificates import ACCEPTABLE, KEEPS, NOTHING
from gallery.serving import SAFE

LONGEST_PATH = 8_000


@dataclass(frozen=True, slots=True)
class Proof:
    """A certificate as it stands today."""

    certificate: Certificate
    stale: str

    @property
    def is_safe(self) -> bool:
        return self.certificate.is_safe and not self.stale


@dataclass(frozen=True, slots=True)
class Line:
    """Entries of one state on a certificate; `group` is what they count as."""

    label: str
    group: str
    count: int
    bytes: int


@require_safe
def drives(request: HttpRequest) -> HttpResponse:
    found = list(with_counts(Source.objects.drives()).order_by("label"))
    newest = latest(found)
    listed = [(one, newest.get(one.pk)) for one in found]
    context = {"drives": listed, "backups": Backup.objects.newest()}
    return render(request, "gallery/drives.html", context)


def with_counts(sources: QuerySet[Source]) -> QuerySet[Source]:
    """The sources, each with the entries its last whole run saw."""
    last = Source.objects.filter(pk=OuterRef("pk"), runs__state="finished")
    seen = last.order_by("-runs__pk").values("runs__seen")[:1]
    return sources.annotate(seen=Subquery(seen), runs_count=Count("runs"))


def latest(sources: Iterable[Source]) -> dict[int, Proof]:
    """The newest certificate of each source, as it stands today."""
    rows = Certificate.objects.filter(source__in=[one.pk for one in sources])
    newest = {
        row.source_id: row for row in rows.select_related("source").order_by("pk")
    }
    stale = why_all_stale(newest.values())
    return {pk: Proof(row, stale[row.pk]) for pk, row in newest.items()}


@require_safe
def drive(request: HttpRequest, source_id: int) -> HttpResponse:
    found = get_object_or_404(with_counts(Source.objects.all()), pk=source_id)
    context = {
        "drive": found,
        "gave": contents.gave(found),
        "only_here": contents.only_here(found),
        "proof": latest([found]).get(found.pk),
        "run": found.runs.first(),
        "inside": contents.inside(found, ""),
    }
    return render(request, "gallery/drive.html", context)


@require_safe
@vary_on_headers("HX-Request")
def drive_folder(request: HttpRequest, source_id: int) -> HttpResponse:
    """What lies in one folder; asked for when the folder is opened."""
    found = get_object_or_404(Source, pk=source_id)
    path = request.GET.get("path", "").strip("/")[:LONGEST_PATH]
    if "\0" in path:
        raise Http404
    context = {"drive": found, "inside": contents.inside(found, path), "path": path}
    is_part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = "gallery/_folder.html" if is_part else "gallery/drive_folder.html"
    return render(request, template, context | {"trail": list(trail(path))})


def trail(path: str) -> Iterator[tuple[str, str]]:
    """The folders above and with a path: name, and path."""
    steps = path.split("/") if path else []
    for number, step in enumerate(steps, 1):
        yield step, "/".join(steps[:number])


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("gallery.change_source", raise_exception=True)
def edit_drive(request: HttpRequest, source_id: int) -> HttpResponse:
    found = get_object_or_404(Source.objects.drives(), pk=source_id)
    form = DriveForm(request.POST or None, request.FILES or None, instance=found)
    if request.method == "POST" and form.is_valid() and form.keep_picture():
        form.save()
        messages.success(request, _("What is known of the drive is saved."))
        return redirect(found)
    return render(request, "gallery/edit_drive.html", {"drive": found, "form": form})


@require_safe
def drive_picture(request: HttpRequest, source_id: int) -> HttpResponseBase:
    found = get_object_or_404(Source.objects.exclude(picture=""), pk=source_id)
    path = drive_pictures.place(found)
    if not path.is_file():
        raise Http404(_("The picture of this drive is lost."))
    # Its address changes with it.
    headers = SAFE | {"Cache-Control": "private, max-age=31536000, immutable"}
    return FileResponse(path.open("rb"), content_type="image/jpeg", headers=headers)


@require_POST
@permission_required("gallery.change_source", raise_exception=True)
def drive_gone(request: HttpRequest, source_id: int) -> HttpResponse:
    """Note that a drive is wiped or gone, or with `there` that it is not."""
    found = get_object_or_404(Source.objects.drives(), pk=source_id)
    if "there" in request.POST:
        found.mark_there()
    else:
        found.mark_gone()
    return redirect(found)


@require_POST
@permission_required("gallery.change_source", raise_exception=True)
def backup_gone(request: HttpRequest, backup_id: int) -> HttpResponse:
    found = get_object_or_404(Backup, pk=backup_id)
    found.mark_gone()
    return redirect("gallery:drives")


@require_safe
def certificate(
    request: HttpRequest, source_id: int, certificate_id: int
) -> HttpResponse:
    rows = Certificate.objects.select_related("source")
    found = get_object_or_404(rows, pk=certificate_id, source=source_id)
    problems = [{**one, "label": State(one["state"]).label} for one in found.problems]
    context = {
        "certificate": found,
        "drive": found.source,
        "proof": Proof(found, why_stale(found)),
        "lines": list(lines(found)),
        "problems": problems,
        "more": found.problem_count - len(problems),
    }
    return render(request, "gallery/certificate.html", context)


def lines(found: Certificate) -> Iterator[Line]:
    accepted = {ACCEPTABLE[word] for word in found.accepted}
    for value, counted in found.states.items():
        state = State(value)
        yield Line(str(state.label), group(state, accepted), **counted)


def group(state: State, accepted: set[State]) -> str:
    """What entries of a state count as."""
    if state in KEEPS:
        return "kept"
    if state in NOTHING:
        return "nothing"
    if state is State.DISCARDED:
        return "decided"
    return "accepted" if state in accepted else "against"


@require_safe
def certificate_entries(
    request: HttpRequest, source_id: int, certificate_id: int
) -> HttpResponseBase:
    """The list of every entry: path, size, digest and state, one JSON object a line."""
    found = get_object_or_404(Certificate, pk=certificate_id, source=source_id)
    place = settings.IMAGEVAULT_DATA / FOLDER / f"{found.name}.jsonl"
    if not place.is_file():
        raise Http404(_("The list of this certificate is lost."))
    return FileResponse(
        place.open("rb"),
        as_attachment=True,
        filename=f"certificate-{found.pk}.jsonl",
        content_type="application/x-ndjson",
        headers={"Cache-Control": "private, no-cache"},
    )
