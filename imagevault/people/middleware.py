"""Every page needs a role, as it needs a login, unless its view says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from imagevault.people import family

View = Callable[..., Any]


def role_not_required(view: View) -> View:
    """Open a view to accounts without a role: their own password, and the way out."""
    view.role_required = False  # type: ignore[attr-defined]
    return view


class RoleRequiredMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: Any, kwargs: Any
    ) -> None:
        """Refuse an account that may not even look; nobody at all is asked to log in."""
        asks = getattr(view, "login_required", True)
        if not asks or not getattr(view, "role_required", True):
            return
        user = request.user
        if user.is_authenticated and not user.has_perm("gallery.view_photo"):
            raise PermissionDenied(no_role())


def no_role() -> str:
    names = sorted(family.shown_name(one) for one in family.administrators())
    return _("Your account has no role yet. %(names)s can give you one.") % {
        "names": " · ".join(names)
    }
