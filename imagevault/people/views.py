"""The family's page, the way in for who is invited, and everybody's own password."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required, permission_required
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView, PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from imagevault.people import family
from imagevault.people.forms import AccountForm, InviteForm, RoleForm
from imagevault.people.middleware import role_not_required
from imagevault.people.models import Gone, Invitation
from imagevault.people.roles import Role, role_of

View = Callable[..., HttpResponse]
manages = permission_required("auth.change_user", raise_exception=True)
BACKEND = "django.contrib.auth.backends.ModelBackend"


def refusable(view: View) -> View:
    """Say why something was refused, on the family's page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        try:
            return view(request, *args, **options)
        except family.Refused as refused:
            messages.error(request, str(refused))
            return redirect("people")

    return guarded


# The family


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@manages
def people(request: HttpRequest) -> HttpResponse:
    """Who is let in and as what; a POST invites somebody."""
    form = InviteForm(request.POST if request.method == "POST" else None)
    link: dict[str, Any] = {}
    if form.is_valid():
        invitation, token = Invitation.make(
            name=form.cleaned_data["name"],
            role=form.cleaned_data["role"],
            by=request.user,  # type: ignore[arg-type]
        )
        path = reverse("invitation", args=[token])
        link = {"invitation": invitation, "link": request.build_absolute_uri(path)}
        form = InviteForm()
    return render(request, "people/people.html", listed(form) | link)


def listed(form: InviteForm) -> dict[str, Any]:
    everyone = User.objects.prefetch_related("groups").order_by(
        "-is_active", "first_name", "username"
    )
    invitations = Invitation.objects.open().select_related("made_by")
    return {
        "form": form,
        "people": [{"person": one, "role": role_of(one)} for one in everyone],
        "invitations": invitations.order_by("-made_at"),
        "roles": list(Role),
    }


@require_POST
@manages
@refusable
def role(request: HttpRequest, user_id: int) -> HttpResponse:
    person = get_object_or_404(User, pk=user_id)
    form = RoleForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data["role"]
        family.give_role(person, given, by=request.user)  # type: ignore[arg-type]
        said = _("%(name)s is now: %(role)s.")
        name = family.shown_name(person)
        messages.success(request, said % {"name": name, "role": given.label})
    return redirect("people")


@require_POST
@manages
@refusable
def account(request: HttpRequest, user_id: int) -> HttpResponse:
    """Close somebody's account, or open it again."""
    person = get_object_or_404(User, pk=user_id)
    name = {"name": family.shown_name(person)}
    if request.POST.get("open") == "1":
        family.open_account(person, by=request.user)  # type: ignore[arg-type]
        messages.success(request, _("%(name)s can log in again.") % name)
    else:
        family.close_account(person, by=request.user)  # type: ignore[arg-type]
        said = _("%(name)s can no longer log in. What they did stays.")
        messages.success(request, said % name)
    return redirect("people")


@require_POST
@never_cache
@manages
@refusable
def password_link(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show a link at which somebody who forgot their password chooses another."""
    person = get_object_or_404(User, pk=user_id)
    path = family.password_path(person, by=request.user)  # type: ignore[arg-type]
    context = {
        "person": person,
        "link": request.build_absolute_uri(path),
        "days": settings.PASSWORD_RESET_TIMEOUT // (24 * 60 * 60),
    }
    return render(request, "people/people.html", listed(InviteForm()) | context)


@require_POST
@manages
def revoke(request: HttpRequest, invitation_id: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation, pk=invitation_id)
    said = {"name": invitation.name}
    if invitation.revoke():
        messages.success(request, _("The invitation for %(name)s is void.") % said)
    else:
        messages.info(request, _("The invitation for %(name)s was over.") % said)
    return redirect("people")


# The way in


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_not_required
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Let in who was invited, with a name and a password of their choice."""
    found = Invitation.objects.to(token).select_related("made_by").first()
    if found is None:
        return render(request, "people/invitation_gone.html", status=410)
    if request.user.is_authenticated:
        return render(request, "people/invitation_known.html", {"invitation": found})
    form = AccountForm(
        request.POST if request.method == "POST" else None, invitation=found
    )
    if form.is_valid():
        try:
            person = found.accept(form.save(commit=False))
        except Gone:
            return render(request, "people/invitation_gone.html", status=410)
        login(request, person, backend=BACKEND)
        said = _("Welcome, %(name)s! These are the family's photos.")
        messages.success(request, said % {"name": family.shown_name(person)})
        return redirect(settings.LOGIN_REDIRECT_URL)
    context = {"form": form, "invitation": found}
    return render(request, "people/invitation.html", context)


# Passwords


@method_decorator(role_not_required, name="dispatch")
class OwnPassword(PasswordChangeView):
    template_name = "people/own_password.html"
    success_url = reverse_lazy("own_password")

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        messages.success(self.request, _("Your password is changed."))
        return answer


class NewPassword(PasswordResetConfirmView):
    """Where the link of an administrator leads: a new password, and in."""

    template_name = "people/new_password.html"
    success_url = reverse_lazy(settings.LOGIN_REDIRECT_URL)
    post_reset_login = True
    post_reset_login_backend = BACKEND

    def get_user(self, uidb64: str) -> User | None:
        person = super().get_user(uidb64)
        return person if person and person.is_active else None

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        messages.success(self.request, _("Your password is changed."))
        return answer
