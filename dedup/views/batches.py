"""The pages of batches: all of them, a sample of one, and one being carried out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from dedup import runs, wording
from dedup.models import Batch, BatchRun, DuplicateSet, Kind, Member

BATCHES_PER_PAGE = 30
RUNS_SHOWN = 10
# Photos of a set that a sample shows.
SHOWN = 4
MAY_LOOK = ("dedup.view_duplicateset", "dedup.change_duplicateset")


@dataclass(frozen=True, slots=True)
class Card:
    """A batch in the list, with one set of it to give an idea."""

    batch: Batch
    sets: int
    bytes_to_gain: int
    members: list[Member]

    @property
    def title(self) -> str:
        return wording.title(self.batch)

    @property
    def keep(self) -> str:
        return wording.keep(self.batch)

    @property
    def go(self) -> str:
        return wording.those_that_go(self.batch)

    @property
    def stay(self) -> str:
        return wording.those_that_stay(self.batch)

    @property
    def count(self) -> str:
        return wording.sets(self.sets)


def context(request: HttpRequest, title: str, **more: Any) -> dict[str, Any]:
    return {
        **admin.site.each_context(request),
        "is_nav_sidebar_enabled": False,
        "title": title,
        "can_decide": may_decide(request),
        **more,
    }


def may_look(request: HttpRequest) -> bool:
    return any(request.user.has_perm(name) for name in MAY_LOOK)


def may_decide(request: HttpRequest) -> bool:
    return request.user.has_perm("dedup.change_duplicateset")


def who(request: HttpRequest, *, decides: bool) -> User:
    """Return who asks; raise PermissionDenied unless that is allowed."""
    allowed = may_decide(request) if decides else may_look(request)
    if not allowed or not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    who(request, decides=False)
    pages = Paginator(runs.summaries(), BATCHES_PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    found = DuplicateSet.objects.open()
    alone = found.filter(kind=Kind.DUPLICATES, batch=None)
    shown = context(
        request,
        _("Decide many at once"),
        page=page,
        cards=cards(page.object_list),
        alone=alone.count(),
        first_alone=alone.in_order().values_list("pk", flat=True).first(),
        similar=found.filter(kind=Kind.SIMILAR_SHOTS).count(),
        unplaced=DuplicateSet.objects.unplaced().exists(),
        runs=told(latest_runs()[:RUNS_SHOWN]),
    )
    return TemplateResponse(request, "admin/dedup/batch/overview.html", shown)


def latest_runs() -> QuerySet[BatchRun]:
    rows = BatchRun.objects.select_related(
        "by", "undone_by", "batch__keeper_source", "batch__other_source"
    )
    return rows.order_by("-pk")


def cards(summaries: Iterable[runs.Summary]) -> list[Card]:
    """Return the summaries, each with the members of the set that is drawn first."""
    summaries = list(summaries)
    rows = DuplicateSet.objects.open().filter(batch=OuterRef("pk")).order_by("lot")
    batches = Batch.objects.filter(pk__in=[one.batch.pk for one in summaries])
    first = dict(
        batches.annotate(first=Subquery(rows.values("pk")[:1])).values_list(
            "pk", "first"
        )
    )
    members: dict[int, list[Member]] = {}
    shown = Member.objects.filter(duplicate_set__in=first.values(), place__lt=SHOWN)
    for member in shown.select_related("photo__thumbnail").order_by("place", "pk"):
        members.setdefault(member.duplicate_set_id, []).append(member)
    return [
        Card(
            one.batch,
            one.sets,
            one.bytes_to_gain,
            members.get(first.get(one.batch.pk) or 0, []),
        )
        for one in summaries
    ]


@dataclass(frozen=True, slots=True)
class Told:
    """A run, and the batch it carried out in a sentence."""

    run: BatchRun
    said: str


def told(rows: Iterable[BatchRun]) -> list[Told]:
    return [Told(run, wording.sentence(run.batch, run.total)) for run in rows]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A set of a sample: the photo that would stay, and those that would go."""

    duplicate_set: DuplicateSet
    number: int
    keeper: Member
    others: list[Member]
    more: int


@require_safe
def batch(request: HttpRequest, batch_id: int) -> HttpResponse:
    who(request, decides=False)
    one = get_object_or_404(
        Batch.objects.select_related("keeper_source", "other_source"), pk=batch_id
    )
    proof = runs.proof(one)
    sample = runs.sample(one)
    drawn = with_members(sample.drawn)
    under_way = one.runs.filter(pk__in=BatchRun.objects.under_way()).first()
    shown = context(
        request,
        wording.title(one),
        batch=one,
        card=Card(one, proof.sets, 0, []),
        proof=proof,
        proven=wording.proven(proof),
        may_carry_out=proof.sets and (one.is_safe or proof.is_enough),
        version=sample.version,
        drawn=drawn,
        doubtful=with_members(sample.doubtful, after=len(drawn)),
        under_way=under_way,
    )
    return TemplateResponse(request, "admin/dedup/batch/batch.html", shown)


def with_members(sets: Iterable[DuplicateSet], *, after: int = 0) -> list[Drawn]:
    pks = [one.pk for one in sets]
    first = Member.objects.filter(place__lt=SHOWN).order_by("place", "pk")
    members = Prefetch(
        "members", first.select_related("photo__thumbnail"), to_attr="first"
    )
    rows = DuplicateSet.objects.prefetch_related(members).in_bulk(pks)
    found = []
    for number, pk in enumerate((pk for pk in pks if pk in rows), start=after + 1):
        one = rows[pk]
        keeper, *others = one.first
        found.append(Drawn(one, number, keeper, others, max(0, one.size - SHOWN)))
    return found


def said_of_sets(data: QueryDict) -> Mapping[int, tuple[str, int]]:
    """Return what a form says of sets, as `set-12=right` and `seen-12=1`."""
    found = {}
    for name, what in data.items():
        number = name.removeprefix("set-")
        seen = data.get(f"seen-{number}", "")
        if name != number and number.isdecimal() and str(seen).isdecimal():
            found[int(number)] = (str(what), int(seen))
    return found


@require_POST
def look(request: HttpRequest, batch_id: int) -> HttpResponse:
    user = who(request, decides=True)
    one = get_object_or_404(Batch, pk=batch_id)
    said = said_of_sets(request.POST)
    counts = runs.look(one, said, by=user)
    looked = sum(counts.values())
    noted = ngettext(
        "Noted: you looked at %d set.", "Noted: you looked at %d sets.", looked
    )
    messages.success(request, noted % looked)
    if looked < len(said):
        messages.warning(
            request,
            _("Some sets have changed meanwhile: they are shown again where needed."),
        )
    return redirect("admin:dedup_batch", batch_id)


@require_POST
def carry_out(request: HttpRequest, batch_id: int) -> HttpResponse:
    user = who(request, decides=True)
    one = get_object_or_404(Batch, pk=batch_id)
    version = request.POST.get("version", "")
    try:
        run = runs.begin(
            one, version=int(version) if version.isdecimal() else 0, by=user
        )
    except runs.NotNow as reason:
        messages.error(request, str(reason))
        return redirect("admin:dedup_batch", batch_id)
    return redirect("admin:dedup_batchrun", run.pk)


@require_safe
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    who(request, decides=False)
    found = get_object_or_404(latest_runs(), pk=run_id)
    shown = context(
        request,
        _("Batch carried out"),
        run=found,
        said=wording.sentence(found.batch, found.total),
        done=found.undone if found.state == BatchRun.State.UNDOING else found.done,
        of=found.done if found.state == BatchRun.State.UNDOING else found.total,
        refusals=[
            {"set": one["set"], "reason": one["reason"]} for one in found.refusals
        ],
        passed_over=max(0, found.left_out - found.refused),
    )
    return TemplateResponse(request, "admin/dedup/batch/run.html", shown)


@require_POST
def stop(request: HttpRequest, run_id: int) -> HttpResponse:
    who(request, decides=True)
    found = get_object_or_404(BatchRun, pk=run_id)
    try:
        runs.stop(found)
    except runs.NotNow as reason:
        messages.error(request, str(reason))
    return redirect("admin:dedup_batchrun", run_id)


@require_POST
def undo(request: HttpRequest, run_id: int) -> HttpResponse:
    user = who(request, decides=True)
    found = get_object_or_404(BatchRun, pk=run_id)
    try:
        runs.begin_undo(found, by=user)
    except runs.NotNow as reason:
        messages.error(request, str(reason))
    return redirect("admin:dedup_batchrun", run_id)


def address() -> str:
    return reverse("admin:dedup_batches")
