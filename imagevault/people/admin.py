"""People in the admin site: to look closer; roles and accounts are the family page's."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.http import HttpRequest

from gallery.admin import ReadOnlyAdmin
from imagevault.people.models import Invitation

admin.site.unregister(User)


@admin.register(User)
class PersonAdmin(UserAdmin):
    """Names, and for a superuser groups; nobody is removed, since what they did stays."""

    readonly_fields = (
        *("is_active", "is_staff", "is_superuser"),
        *("last_login", "date_joined"),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        if request.user.is_superuser:
            return fields
        return (*fields, "groups", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Who may change the superuser's password is the superuser.
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Who invited whom, and what came of it."""

    list_display = ["name", "role", "made_by", "made_at", "used_at", "revoked_at"]
    list_select_related = ["made_by"]
    ordering = ["-pk"]
