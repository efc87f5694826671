"""The review desk: sets are looked at and decided in Django's admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from dedup import decisions, history
from dedup.batches import SURE
from dedup.forms import ReviewForm
from dedup.models import (
    Choice,
    Decision,
    DuplicateSet,
    Kind,
    Member,
    Order,
    Says,
    Verdict,
)
from dedup.pace import desk_order, progress
from dedup.relation import Name
from dedup.review import WORDS, albums_of, moves, review, when_taken
from dedup.sets import MIXED
from dedup.trace import rows
from dedup.views import batches, folders, trace
from gallery.admin import ReadOnlyAdmin
from gallery.models import Photo, Source, SourceFile

SHOWN_IN_LIST = 5
IN_ONE_ACTION = 200
# Sightings up to which the sets of a source are found by way of its photos.
FEW = 20_000

RELATIONS: dict[str, Any] = {name.value: WORDS[name] for name in Name if name in WORDS}
RELATIONS[MIXED] = gettext_lazy("Several kinds")


class StateFilter(admin.SimpleListFilter):
    """Sets to decide, unless others are asked for."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        return [*DuplicateSet.State.choices, ("all", _("all"))]

    def choices(self, changelist: Any) -> Any:
        for value, title in self.lookup_choices:
            yield {
                "selected": (self.value() or "open") == str(value),
                "query_string": changelist.get_query_string(
                    {self.parameter_name: value}
                ),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        state = self.value() or "open"
        return queryset if state == "all" else queryset.filter(state=state)


class RelationFilter(admin.SimpleListFilter):
    title = gettext_lazy("relation")
    parameter_name = "relation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(RELATIONS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(relation=self.value()) if self.value() else queryset


class SourceFilter(admin.SimpleListFilter):
    """Sets with a photo that was seen on this source."""

    title = gettext_lazy("source")
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        sources = Source.objects.order_by("label").values_list("pk", "label")[:50]
        return [(str(pk), label) for pk, label in sources]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value() or ""
        if not value.isdecimal():
            return queryset
        here = SourceFile.objects.filter(source=int(value), photo__isnull=False)
        # From a few photos to their sets; of many, the first sets have some soon.
        if here.values("pk")[: FEW + 1].count() <= FEW:
            members = Member.objects.filter(photo__in=here.values("photo"))
            return queryset.filter(pk__in=members.values("duplicate_set"))
        seen = here.filter(photo=OuterRef("photo"))
        members = Member.objects.filter(duplicate_set=OuterRef("pk"))
        return queryset.filter(Exists(members.filter(Exists(seen))))


class Bounded(Paginator):
    """Pages of so many rows at most, where counting all would take too long."""

    MOST = 5_000

    @cached_property
    def count(self) -> int:
        return int(self.object_list[: self.MOST].count())  # type: ignore[attr-defined]


@admin.register(DuplicateSet)
class DuplicateSetAdmin(ReadOnlyAdmin):
    """The desk: who may change sets decides them, and changes nothing else."""

    list_display = ["pictures", "what", "size", "gain", "taken", "state"]
    list_display_links = ["pictures"]
    list_filter = [StateFilter, "kind", RelationFilter, SourceFilter]
    list_per_page = 25
    ordering = ["position", "pk"]
    sortable_by = ["size", "gain", "taken"]
    show_facets = admin.ShowFacets.NEVER
    actions = ["resolve_as_suggested", "dismiss_selected"]

    class Media:
        css = {"all": ["dedup/desk.css"]}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DuplicateSet]:
        first = Member.objects.filter(place__lt=SHOWN_IN_LIST)
        photos = Prefetch("members", first.select_related("photo"), to_attr="first")
        return super().get_queryset(request).prefetch_related(photos)

    def get_paginator(
        self,
        request: HttpRequest,
        queryset: Any,
        per_page: int,
        *rest: Any,
        **more: Any,
    ) -> Paginator:
        kind = Bounded if SourceFilter.parameter_name in request.GET else Paginator
        return kind(queryset, per_page, *rest, **more)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # All the width is for pictures.
        context = {"is_nav_sidebar_enabled": False, "title": _("Duplicates to decide")}
        return super().changelist_view(request, context | (extra_context or {}))

    @admin.display(description=gettext_lazy("Photos"))
    def pictures(self, one: DuplicateSet) -> str:
        members = one.first  # type: ignore[attr-defined]
        return render_to_string(
            "admin/dedup/duplicateset/_pictures.html",
            {"members": members, "more": one.size - len(members), "set": one},
        )

    @admin.display(description=gettext_lazy("Relation"))
    def what(self, one: DuplicateSet) -> str:
        return str(RELATIONS.get(one.relation, one.relation))

    @admin.display(description=gettext_lazy("To gain"), ordering="bytes_to_gain")
    def gain(self, one: DuplicateSet) -> str:
        return filesizeformat(one.bytes_to_gain)

    @admin.display(description=gettext_lazy("Taken"), ordering="taken_at")
    def taken(self, one: DuplicateSet) -> str:
        members = one.first  # type: ignore[attr-defined]
        keeper = next((member.photo for member in members if member.is_keeper), None)
        return (keeper and when_taken(keeper)) or _("not known")

    def get_urls(self) -> list[URLPattern]:
        undo = path(
            "undo/<int:decision_id>/",
            self.admin_site.admin_view(require_POST(self.undo)),
            name="dedup_decision_undo",
        )
        moved = path(
            "<int:set_id>/moves/",
            self.admin_site.admin_view(require_safe(self.show_moves)),
            name="dedup_moves",
        )
        return [undo, moved, *self.batch_urls(), *super().get_urls()]

    def batch_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, Callable[..., HttpResponseBase], str]] = [
            ("batches/", batches.overview, "dedup_batches"),
            ("batches/<int:batch_id>/", batches.batch, "dedup_batch"),
            ("batches/<int:batch_id>/look/", batches.look, "dedup_batch_look"),
            (
                "batches/<int:batch_id>/carry-out/",
                batches.carry_out,
                "dedup_batch_carry_out",
            ),
            ("folders/", folders.pair, "dedup_folders"),
            ("runs/<int:run_id>/", batches.run, "dedup_batchrun"),
            ("runs/<int:run_id>/stop/", batches.stop, "dedup_batchrun_stop"),
            ("runs/<int:run_id>/undo/", batches.undo, "dedup_batchrun_undo"),
            ("why/", trace.why, "dedup_why"),
            ("history/", trace.history, "dedup_history"),
            ("history.<str:form>", trace.export_history, "dedup_history_export"),
        ]
        return [
            path(where, self.admin_site.admin_view(view), name=name)
            for where, view, name in pages
        ]

    # The review page

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        one = get_object_or_404(DuplicateSet, pk=_number(unquote(object_id)))
        if not self.has_view_or_change_permission(request, one):
            raise PermissionDenied
        if request.method == "POST":
            return self.decide(request, one)
        return self.show(request, one)

    def show(self, request: HttpRequest, one: DuplicateSet) -> HttpResponse:
        user = _who(request)
        if request.GET.get("order") in Order.values:
            request.session["desk_order"] = request.GET["order"]
            return HttpResponseRedirect(request.path)
        order = desk_order(request)
        may_decide = one.is_open and self.has_change_permission(request, one)
        is_mine = not may_decide or one.claim(by=user)
        following = _following(one, user, order)
        context = {
            **self.admin_site.each_context(request),
            "is_nav_sidebar_enabled": False,
            "title": f"{capfirst(one.get_kind_display())} {one.pk}",
            "opts": self.opts,
            "set": one,
            "review": review(one),
            "can_decide": may_decide and is_mine,
            "taken_by": None if is_mine else one.claimed_by,
            "decision": one.decisions.filter(undone_at=None).last(),
            "progress": progress(one, user=user, order=order),
            "next_url": _address(following),
            "ahead": _pictures(following),
            "previous_url": _address(_preceding(one, order)),
            "order": order,
            "orders": Order.choices,
            "trash_days": settings.TRASH_DAYS,
            "similar": one.kind == Kind.SIMILAR_SHOTS,
            **self.moving(one, decisions.suggested(one)),
        }
        template = "admin/dedup/duplicateset/review.html"
        return TemplateResponse(request, template, context)

    def moving(self, one: DuplicateSet, choices: dict[int, str]) -> dict[str, Any]:
        """Return what the page says of what moves to the photos that stay."""
        going = [pk for pk, choice in choices.items() if choice == Choice.DISCARD]
        return {
            "moves": moves(decisions.gains(one, choices)),
            "albums": albums_of(going) if going else [],
        }

    def show_moves(self, request: HttpRequest, set_id: int) -> HttpResponse:
        """Say anew what moves, for the choices of the form as it stands."""
        one = get_object_or_404(DuplicateSet, pk=set_id)
        if not self.has_view_or_change_permission(request, one):
            raise PermissionDenied
        form = ReviewForm(request.GET, duplicate_set=one)
        choices = form.choices() if form.is_valid() else decisions.suggested(one)
        template = "admin/dedup/duplicateset/_moves.html"
        return TemplateResponse(request, template, self.moving(one, choices))

    def decide(self, request: HttpRequest, one: DuplicateSet) -> HttpResponse:
        if not self.has_change_permission(request, one):
            raise PermissionDenied
        user = _who(request)
        following = _following(one, user, desk_order(request))
        form = ReviewForm(request.POST, duplicate_set=one)
        try:
            if one.is_taken_from(user):
                raise decisions.Refused(
                    _("%s is looking at this set just now. Nothing was done.")
                    % one.claimed_by
                )
            decision = self.carry_out(form, one, by=user)
        except decisions.Refused as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(_address(_same(one)))
        self.tell(request, decision, one)
        return HttpResponseRedirect(_address(following))

    def carry_out(self, form: ReviewForm, one: DuplicateSet, *, by: User) -> Decision:
        """Do what the form says; raise decisions.Refused, with nothing done."""
        if not form.is_valid():
            raise decisions.SetChanged(
                _(
                    "This set has changed since you opened it, or a choice is missing. "
                    "Nothing was done: please look at it again."
                )
            )
        seen = form.cleaned_data["seen"]
        if "similar" in form.data:
            return decisions.dismiss(one, by=by, seen=seen, says=Says.SIMILAR_SHOTS)
        if "dismiss" in form.data:
            return decisions.dismiss(one, by=by, seen=seen)
        return decisions.resolve(one, form.choices(), by=by, seen=seen)

    def tell(self, request: HttpRequest, decision: Decision, one: DuplicateSet) -> None:
        """Log a decision, and say what it did with a way back."""
        said = said_of(decision)
        self.log_change(request, one, said)
        undo = reverse("admin:dedup_decision_undo", args=[decision.pk])
        messages.success(request, said, extra_tags=undo)

    def undo(self, request: HttpRequest, decision_id: int) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        decision = get_object_or_404(Decision, pk=decision_id)
        one = decision.duplicate_set
        try:
            decisions.undo(decision, by=_who(request))
        except decisions.CannotUndo as refused:
            messages.error(request, str(refused))
        else:
            assert one is not None
            said = _("Undone: all is as it was before.")
            self.log_change(request, one, said)
            messages.success(request, said)
        return HttpResponseRedirect(_address(one))

    # Many at once

    @admin.action(
        description=gettext_lazy("Carry out the suggestions (certain duplicates only)"),
        permissions=["change"],
    )
    def resolve_as_suggested(
        self, request: HttpRequest, queryset: QuerySet[DuplicateSet]
    ) -> None:
        def resolve(one: DuplicateSet) -> None:
            choices = decisions.suggested(one)
            decision = decisions.resolve(
                one, choices, by=_who(request), seen=one.revision
            )
            self.log_change(request, one, said_of(decision))

        certain = (
            queryset.filter(state="open", kind=Kind.DUPLICATES, confidence__gte=SURE)
            .exclude(relation=Name.DAMAGED)
            .exclude(members__relation=Name.DAMAGED)
        )
        self._each(request, queryset, certain, resolve)

    @admin.action(
        description=gettext_lazy("Dismiss as not duplicates"), permissions=["change"]
    )
    def dismiss_selected(
        self, request: HttpRequest, queryset: QuerySet[DuplicateSet]
    ) -> None:
        def dismiss(one: DuplicateSet) -> None:
            decision = decisions.dismiss(one, by=_who(request), seen=one.revision)
            self.log_change(request, one, said_of(decision))

        self._each(request, queryset, queryset.filter(state="open"), dismiss)

    def _each(
        self,
        request: HttpRequest,
        chosen: QuerySet[DuplicateSet],
        fit: QuerySet[DuplicateSet],
        decide: Any,
    ) -> None:
        """Decide each set that is fit for it; say how many were, and how many not."""
        total, done = chosen.count(), 0
        for one in list(fit.order_by("pk")[:IN_ONE_ACTION]):
            try:
                decide(one)
            except decisions.Refused as refused:
                messages.error(request, f"{one}: {refused}")
            else:
                done += 1
        said = ngettext(
            "%d set was decided. It can be undone.",
            "%d sets were decided. They can be undone one by one.",
            done,
        )
        messages.success(request, said % done)
        if done < total:
            left = ngettext(
                "%(left)d set was left as it is: similar shots, damaged copies and what "
                "is not certain are looked at one by one, and at most %(most)d sets are "
                "decided at once.",
                "%(left)d sets were left as they are: similar shots, damaged copies and "
                "what is not certain are looked at one by one, and at most %(most)d "
                "sets are decided at once.",
                total - done,
            )
            numbers = {"left": total - done, "most": IN_ONE_ACTION}
            messages.warning(request, left % numbers)


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """The trace: who decided what, and when."""

    list_display = ["at", "kind", "by", "photos", "undone_at", "undone_by"]
    list_filter = [
        "kind",
        ("undone_at", admin.EmptyFieldListFilter),
        ("run", admin.EmptyFieldListFilter),
        "by",
        "at",
    ]
    date_hierarchy = "at"
    list_select_related = ["by", "undone_by"]
    ordering = ["-pk"]

    class Media:
        css = {"all": ["dedup/desk.css"]}

    def get_urls(self) -> list[URLPattern]:
        export = path(
            "export.<str:form>",
            self.admin_site.admin_view(require_safe(self.export)),
            name="dedup_decisions_export",
        )
        return [export, *super().get_urls()]

    def export(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """Send the decisions that the list shows, filtered as it is."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        shown = self.get_changelist_instance(request).get_queryset(request)
        return trace.as_file(rows(shown), "decisions", form)

    @admin.display(description=gettext_lazy("Photos"))
    def photos(self, decision: Decision) -> str:
        return history.photos(decision)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        decision = get_object_or_404(Decision, pk=_number(unquote(object_id)))
        if not self.has_view_or_change_permission(request, decision):
            raise PermissionDenied
        photos = Photo.objects.filter(digest__in=decision.before["digests"])
        discarded = set(decision.before["photos"])
        context = {
            **self.admin_site.each_context(request),
            "title": _("Decision %(number)s") % {"number": decision.pk},
            "opts": self.opts,
            "decision": decision,
            "said": said_of(decision),
            "photos": [
                {"photo": photo, "discarded": photo.pk in discarded}
                for photo in photos.select_related("in_favour_of").order_by("pk")
            ],
            "is_final": not decision.is_undone and decision.is_final,
            "can_undo": not decision.is_undone
            and request.user.has_perm("dedup.change_duplicateset"),
        }
        return TemplateResponse(request, "admin/dedup/decision/trace.html", context)


@admin.register(Verdict)
class VerdictAdmin(ReadOnlyAdmin):
    """What was said of each pair, for ever."""

    list_display = ["left", "right", "says", "by", "at"]
    list_filter = ["says"]
    list_select_related = ["by"]
    search_fields = ["left_digest__startswith", "right_digest__startswith"]
    ordering = ["-pk"]

    def get_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, Callable[..., HttpResponseBase], str]] = [
            ("export/", trace.export_verdicts, "dedup_verdicts_export"),
            ("import/", trace.import_verdicts, "dedup_verdicts_import"),
        ]
        ours = [
            path(where, self.admin_site.admin_view(view), name=name)
            for where, view, name in pages
        ]
        return [*ours, *super().get_urls()]

    @admin.display(description=gettext_lazy("One photo"))
    def left(self, verdict: Verdict) -> str:
        return format_html("<code>{}</code>", verdict.left_digest[:16])

    @admin.display(description=gettext_lazy("The other"))
    def right(self, verdict: Verdict) -> str:
        return format_html("<code>{}</code>", verdict.right_digest[:16])


def said_of(decision: Decision) -> str:
    """Return in a sentence what a decision did."""
    if decision.kind == Decision.Kind.DISMISS:
        return _("Not duplicates: every photo stays, and this is not asked again.")
    discarded = len(decision.before["photos"])
    kept = len(decision.before["digests"]) - discarded
    if not discarded:
        return ngettext("%d photo kept.", "All %d photos kept.", kept) % kept
    moved = ngettext(
        "%(discarded)d photo moved to the trash, %(kept)d kept.",
        "%(discarded)d photos moved to the trash, %(kept)d kept.",
        discarded,
    )
    return moved % {"discarded": discarded, "kept": kept}


def _who(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _queue(one: DuplicateSet, order: str) -> Any:
    """Return the open sets of a kind, in the order in which they come up."""
    return DuplicateSet.objects.open().filter(kind=one.kind).in_order(order)


def _following(one: DuplicateSet, user: User, order: str) -> DuplicateSet | None:
    """Return the set that comes up next, that nobody else has; after the last, the first."""
    queue = _queue(one, order).exclude(pk=one.pk).free_for(user)
    return queue.after(one, order).first() or queue.first()


def _pictures(one: DuplicateSet | None) -> list[str]:
    """Return the addresses of the pictures of a set, to have them before they are shown."""
    if one is None:
        return []
    members = one.members.order_by("place", "pk").select_related("photo__thumbnail")
    photos = [member.photo for member in members[:4]]
    return [photo.preview_url for photo in photos if photo.is_stored]


def _preceding(one: DuplicateSet, order: str) -> DuplicateSet | None:
    return _queue(one, order).before(one, order).last()


def _same(one: DuplicateSet) -> DuplicateSet | None:
    return DuplicateSet.objects.filter(pk=one.pk).first()


def _address(one: DuplicateSet | None) -> str:
    """Return the page of a set, or of all where there is none."""
    if one is None:
        return reverse("admin:dedup_duplicateset_changelist")
    return reverse("admin:dedup_duplicateset_change", args=[one.pk])
