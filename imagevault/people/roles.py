"""What somebody may do in the vault: four roles, each a group with permissions."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """The name of a group; each role may do what the ones before it may."""

    VIEWER = "viewer", _("Viewer")
    CONTRIBUTOR = "contributor", _("Contributor")
    REVIEWER = "reviewer", _("Reviewer")
    ADMINISTRATOR = "administrator", _("Administrator")

    @property
    def says(self) -> Any:
        """What the role may do, in a sentence."""
        return SAYS[self]

    @property
    def is_staff(self) -> bool:
        """Whether the role opens the admin site, where duplicates are reviewed."""
        return self in (Role.REVIEWER, Role.ADMINISTRATOR)


SAYS = {
    Role.VIEWER: _("looks, gives stars and downloads"),
    Role.CONTRIBUTOR: _("uploads, makes albums and shares them by link, too"),
    Role.REVIEWER: _("decides duplicates, corrects dates and uses the trash, too"),
    Role.ADMINISTRATOR: _("does everything, and invites people"),
}
VIEWS = ["gallery.view_photo"]
CONTRIBUTES = [
    *VIEWS,
    "gallery.add_photo",
    "gallery.add_album",
    "gallery.add_sharelink",
]
REVIEWS = [
    *CONTRIBUTES,
    "gallery.change_photo",
    "dedup.view_duplicateset",
    "dedup.change_duplicateset",
    "dedup.view_decision",
    "dedup.view_verdict",
    "gallery.view_purge",
    "gallery.view_restore",
]
# An app alone stands for all of its permissions. Schedules of the queue, and groups, are
# left to the superuser: both would let somebody run any code.
ADMINISTERS = [
    *("gallery", "dedup", "people"),
    *("auth.view_user", "auth.add_user", "auth.change_user"),
    *("django_q.view_failure", "django_q.delete_failure"),
    *("axes.view_accessattempt", "axes.delete_accessattempt"),
]
PERMISSIONS = {
    Role.VIEWER: VIEWS,
    Role.CONTRIBUTOR: CONTRIBUTES,
    Role.REVIEWER: REVIEWS,
    Role.ADMINISTRATOR: ADMINISTERS,
}


def settle(**_: Any) -> None:
    """Have every role there with at least its permissions; what was added to one stays.

    So a role gains what a new version brings. Who is to have less than a role gives has
    no role, and a group made for the purpose.
    """
    for role, names in PERMISSIONS.items():
        group, _made = Group.objects.get_or_create(name=role)
        group.permissions.add(*_permissions(names))


def _permissions(names: list[str]) -> list[Permission]:
    wanted = models.Q()
    for name in names:
        app, _, codename = name.partition(".")
        one = models.Q(content_type__app_label=app)
        wanted |= one & models.Q(codename=codename) if codename else one
    return list(Permission.objects.filter(wanted))


def begin_as_viewer(
    instance: User, *, created: bool = False, raw: bool = False, **_: Any
) -> None:
    """Have a new account be a viewer, however it was made: it is there to look."""
    if created and not raw and not instance.is_superuser:
        instance.groups.add(*Group.objects.filter(name=Role.VIEWER))


def role_of(person: User) -> Role | None:
    """Return the highest role somebody has, or none."""
    if person.is_superuser:
        return Role.ADMINISTRATOR
    names = {group.name for group in person.groups.all()}
    return next((role for role in reversed(Role) if role in names), None)
