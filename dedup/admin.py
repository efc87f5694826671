"""The review desk: sets are looked at and decided in Django's admin."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import date, filesizeformat
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from dedup import decisions
from dedup.forms import ReviewForm
from dedup.models import Decision, DuplicateSet, Kind, Member, Verdict
from dedup.relation import Name
from dedup.review import WORDS, review
from dedup.sets import MIXED
from gallery.models import Photo, Source, SourceFile

SHOWN_IN_LIST = 5
# Sets below this confidence are for a person to look at, one by one.
SURE = 0.9
IN_ONE_ACTION = 200

RELATIONS = {name.value: WORDS[name] for name in Name if name in WORDS}
RELATIONS[MIXED] = "Several kinds"


class StateFilter(admin.SimpleListFilter):
    """Sets to decide, unless others are asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*DuplicateSet.State.choices, ("all", "all")]

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
    title = "relation"
    parameter_name = "relation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(RELATIONS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(relation=self.value()) if self.value() else queryset


class SourceFilter(admin.SimpleListFilter):
    """Sets with a photo that was seen on this source."""

    title = "source"
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        sources = Source.objects.order_by("label").values_list("pk", "label")[:50]
        return [(str(pk), label) for pk, label in sources]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value() or ""
        if not value.isdecimal():
            return queryset
        seen = SourceFile.objects.filter(source=int(value), photo=OuterRef("photo"))
        members = Member.objects.filter(duplicate_set=OuterRef("pk"))
        return queryset.filter(Exists(members.filter(Exists(seen))))


class ReadOnly(admin.ModelAdmin):
    """Rows that only the program writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(DuplicateSet)
class DuplicateSetAdmin(ReadOnly):
    list_display = ["pictures", "what", "size", "gain", "taken", "state"]
    list_display_links = ["pictures"]
    list_filter = [StateFilter, "kind", RelationFilter, SourceFilter]
    list_per_page = 25
    ordering = ["-bytes_to_gain", "-pk"]
    sortable_by = ["size", "gain", "taken"]
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = ["resolve_as_suggested", "dismiss_selected"]

    class Media:
        css = {"all": ["dedup/desk.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[DuplicateSet]:
        first = Member.objects.filter(place__lt=SHOWN_IN_LIST)
        photos = Prefetch("members", first.select_related("photo"), to_attr="first")
        return super().get_queryset(request).prefetch_related(photos)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # All the width is for pictures.
        context = {"is_nav_sidebar_enabled": False, "title": "Duplicates to decide"}
        return super().changelist_view(request, context | (extra_context or {}))

    @admin.display(description="Photos")
    def pictures(self, one: DuplicateSet) -> str:
        members = one.first  # type: ignore[attr-defined]
        return render_to_string(
            "admin/dedup/duplicateset/_pictures.html",
            {"members": members, "more": one.size - len(members), "set": one},
        )

    @admin.display(description="Relation")
    def what(self, one: DuplicateSet) -> str:
        return RELATIONS.get(one.relation, one.relation)

    @admin.display(description="To gain", ordering="bytes_to_gain")
    def gain(self, one: DuplicateSet) -> str:
        return filesizeformat(one.bytes_to_gain)

    @admin.display(description="Taken", ordering="taken_at")
    def taken(self, one: DuplicateSet) -> str:
        return date(one.taken_at, "j M Y") or "not known"

    def get_urls(self) -> list[URLPattern]:
        undo = path(
            "undo/<int:decision_id>/",
            self.admin_site.admin_view(require_POST(self.undo)),
            name="dedup_decision_undo",
        )
        return [undo, *super().get_urls()]

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
        queue = _queue(one)
        context = {
            **self.admin_site.each_context(request),
            "is_nav_sidebar_enabled": False,
            "title": f"{one.get_kind_display().capitalize()} {one.pk}",
            "opts": self.opts,
            "set": one,
            "review": review(one),
            "can_decide": one.is_open and self.has_change_permission(request, one),
            "decision": one.decisions.filter(undone_at=None).last(),
            "waiting": queue.count(),
            "place": queue.before(one).count() + 1,
            "next_url": _address(_following(one)),
            "previous_url": _address(_preceding(one)),
            "trash_days": settings.TRASH_DAYS,
            "similar": one.kind == Kind.SIMILAR_SHOTS,
        }
        template = "admin/dedup/duplicateset/review.html"
        return TemplateResponse(request, template, context)

    def decide(self, request: HttpRequest, one: DuplicateSet) -> HttpResponse:
        if not self.has_change_permission(request, one):
            raise PermissionDenied
        following = _following(one)
        form = ReviewForm(request.POST, duplicate_set=one)
        try:
            decision = self.carry_out(form, one, by=_who(request))
        except decisions.Refused as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(_address(_same(one)))
        self.tell(request, decision, one)
        return HttpResponseRedirect(_address(following))

    def carry_out(self, form: ReviewForm, one: DuplicateSet, *, by: User) -> Decision:
        """Do what the form says; raise decisions.Refused, with nothing done."""
        if not form.is_valid():
            raise decisions.SetChanged(
                "This set has changed since you opened it, or a choice is missing. "
                "Nothing was done: please look at it again."
            )
        seen = form.cleaned_data["seen"]
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
            self.log_change(request, one, "Undone: all is as it was before.")
            messages.success(request, "Undone: all is as it was before.")
        return HttpResponseRedirect(_address(one))

    # Many at once

    @admin.action(
        description="Carry out the suggestions (certain duplicates only)",
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
        self._each(request, queryset, certain, resolve, "resolved as suggested")

    @admin.action(description="Dismiss as not duplicates", permissions=["change"])
    def dismiss_selected(
        self, request: HttpRequest, queryset: QuerySet[DuplicateSet]
    ) -> None:
        def dismiss(one: DuplicateSet) -> None:
            decision = decisions.dismiss(one, by=_who(request), seen=one.revision)
            self.log_change(request, one, said_of(decision))

        self._each(
            request, queryset, queryset.filter(state="open"), dismiss, "dismissed"
        )

    def _each(
        self,
        request: HttpRequest,
        chosen: QuerySet[DuplicateSet],
        fit: QuerySet[DuplicateSet],
        decide: Any,
        said: str,
    ) -> None:
        """Decide each set that is fit for it; say how many were, and how many not."""
        total, done = chosen.count(), 0
        for one in list(fit.order_by("pk")[:IN_ONE_ACTION]):
            try:
                decide(one)
            except decisions.Refused as refused:
                messages.error(request, f"Set {one.pk}: {refused}")
            else:
                done += 1
        sets = ngettext("%d set was", "%d sets were", done) % done
        messages.success(request, f"{sets} {said}. Decisions can be undone one by one.")
        if done < total:
            left = ngettext(
                "%d set was left as it is",
                "%d sets were left as they are",
                total - done,
            )
            messages.warning(
                request,
                f"{left % (total - done)}: similar shots, damaged "
                f"copies and what is not certain are looked at one by one, and at most "
                f"{IN_ONE_ACTION} sets are decided at once.",
            )


@admin.register(Decision)
class DecisionAdmin(ReadOnly):
    """The trace: who decided what, and when."""

    list_display = ["at", "kind", "by", "photos", "undone_at", "undone_by"]
    list_filter = ["kind", ("undone_at", admin.EmptyFieldListFilter), "at"]
    list_select_related = ["by", "undone_by"]
    ordering = ["-pk"]
    show_full_result_count = False
    list_per_page = 50

    class Media:
        css = {"all": ["dedup/desk.css"]}

    @admin.display(description="Photos")
    def photos(self, decision: Decision) -> str:
        kept = len(decision.before["digests"]) - len(decision.before["photos"])
        return f"{kept} kept, {len(decision.before['photos'])} discarded"

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
            "title": f"Decision {decision.pk}",
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
class VerdictAdmin(ReadOnly):
    """What was said of each pair, for ever."""

    list_display = ["left", "right", "says", "by", "at"]
    list_filter = ["says"]
    list_select_related = ["by"]
    search_fields = ["left_digest__startswith", "right_digest__startswith"]
    search_help_text = "The beginning of a digest"
    ordering = ["-pk"]
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="One photo")
    def left(self, verdict: Verdict) -> str:
        return format_html("<code>{}</code>", verdict.left_digest[:16])

    @admin.display(description="The other")
    def right(self, verdict: Verdict) -> str:
        return format_html("<code>{}</code>", verdict.right_digest[:16])


def said_of(decision: Decision) -> str:
    """Return in a sentence what a decision did."""
    if decision.kind == Decision.Kind.DISMISS:
        return "Not duplicates: every photo stays, and this is not asked again."
    discarded = len(decision.before["photos"])
    kept = len(decision.before["digests"]) - discarded
    if not discarded:
        return ngettext("%d photo kept.", "All %d photos kept.", kept) % kept
    moved = ngettext(
        "%d photo moved to the trash", "%d photos moved to the trash", discarded
    )
    return f"{moved % discarded}, {kept} kept."


def _who(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _queue(one: DuplicateSet) -> Any:
    """Return the open sets of a kind, in the order in which they come up."""
    return DuplicateSet.objects.open().filter(kind=one.kind).in_order()


def _following(one: DuplicateSet) -> DuplicateSet | None:
    """Return the set that comes up next; after the last one, the first again."""
    queue = _queue(one).exclude(pk=one.pk)
    return queue.after(one).first() or queue.first()


def _preceding(one: DuplicateSet) -> DuplicateSet | None:
    return _queue(one).before(one).last()


def _same(one: DuplicateSet) -> DuplicateSet | None:
    return DuplicateSet.objects.filter(pk=one.pk).first()


def _address(one: DuplicateSet | None) -> str:
    """Return the page of a set, or of all where there is none."""
    if one is None:
        return reverse("admin:dedup_duplicateset_changelist")
    return reverse("admin:dedup_duplicateset_change", args=[one.pk])
