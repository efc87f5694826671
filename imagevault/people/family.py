"""Letting people in and out: roles given, accounts closed and opened, passwords lost."""

from __future__ import annotations

from axes.utils import reset as forget_failures
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from imagevault.people.roles import Role


class Refused(Exception):
    """What was asked would leave the family worse off; the sentence says why."""


def administrators() -> QuerySet[User]:
    """The people who can let others in."""
    is_one = Q(is_superuser=True) | Q(groups__name=Role.ADMINISTRATOR)
    return User.objects.filter(is_one, is_active=True).distinct()


def require_may_change(person: User, *, by: User) -> None:
    """Raise Refused where a superuser would be changed by somebody who is none."""
    if person.is_superuser and not by.is_superuser:
        raise Refused(
            _("%(name)s looks after this site; only they can change their account.")
            % {"name": shown_name(person)}
        )


@transaction.atomic
def give_role(person: User, role: Role, *, by: User) -> None:
    """Make this somebody's one role. Raise Refused."""
    require_may_change(person, by=by)
    if person.is_superuser:
        raise Refused(_("Who looks after this site may do everything, as ever."))
    if role != Role.ADMINISTRATOR:
        _require_another_than(person)
    person.groups.remove(*Group.objects.filter(name__in=Role.values))
    person.groups.add(Group.objects.get(name=role))
    person.is_staff = role.is_staff
    person.save(update_fields=["is_staff"])
    _log(person, by=by, said=_("Role: %s") % role.label)


@transaction.atomic
def close_account(person: User, *, by: User) -> None:
    """Let somebody in no more; what they did stays. Raise Refused."""
    require_may_change(person, by=by)
    _require_another_than(person)
    person.is_active = False
    person.save(update_fields=["is_active"])
    _log(person, by=by, said=_("Account closed"))


@transaction.atomic
def open_account(person: User, *, by: User) -> None:
    """Let somebody in again, as what they were. Raise Refused."""
    require_may_change(person, by=by)
    person.is_active = True
    person.save(update_fields=["is_active"])
    _log(person, by=by, said=_("Account opened"))


def password_path(person: User, *, by: User) -> str:
    """Return an address at which somebody chooses a new password, once. Raise Refused.

    It ends with PASSWORD_RESET_TIMEOUT, with the next log-in and with the next password.
    """
    require_may_change(person, by=by)
    if not person.is_active:
        raise Refused(_("This account is closed. Open it again first."))
    forget_failures(username=person.get_username())
    key = urlsafe_base64_encode(force_bytes(person.pk))
    token = default_token_generator.make_token(person)
    _log(person, by=by, said=_("Link for a new password made"))
    return reverse("new_password", args=[key, token])


def _log(person: User, *, by: User, said: str) -> None:
    """Write into the admin's log what somebody with an account did to another one."""
    if by.pk is not None:
        LogEntry.objects.log_actions(by.pk, [person], CHANGE, said, single_object=True)


def _require_another_than(person: User) -> None:
    """Raise Refused if without this one there would be no administrator left."""
    # Two who go at once take turns here.
    list(Group.objects.select_for_update().filter(name=Role.ADMINISTRATOR))
    everyone = set(administrators().values_list("pk", flat=True))
    if everyone == {person.pk}:
        raise Refused(
            _(
                "%(name)s is the last administrator. Make somebody else one first, "
                "or nobody could let people in any more."
            )
            % {"name": shown_name(person)}
        )


def shown_name(person: User) -> str:
    return person.get_full_name() or person.get_username()
