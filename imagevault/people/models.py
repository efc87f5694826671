"""Invitations: links at which somebody makes an account of their own."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from imagevault.people import family
from imagevault.people.roles import Role

BYTES = 24
VALID = timedelta(days=7)


class Gone(Exception):
    """The invitation was used, called back or not used in time."""


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> InvitationQuerySet:
        """Invitations that can be used, made by somebody who may still let people in."""
        waiting = self.filter(used_at=None, revoked_at=None)
        return waiting.filter(
            expires_at__gt=timezone.now(), made_by__in=family.administrators()
        )

    def to(self, token: str) -> InvitationQuerySet:
        """The open invitation with this token.

        It is found by its digest, so how long that takes tells nothing of the token.
        """
        return self.open().filter(token_digest=digest(token))


class Invitation(models.Model):
    """A link that lets one person in with a role; its token is known to nobody here."""

    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    name = models.CharField(_("for"), max_length=150)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("made by"),
    )
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    expires_at = models.DateTimeField(_("until"))
    used_at = models.DateTimeField(_("used at"), null=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("account"),
    )
    revoked_at = models.DateTimeField(_("called back at"), null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return f"{self.name}: {self.role}"

    @classmethod
    def make(cls, *, name: str, role: Role, by: User) -> tuple[Invitation, str]:
        """Return an invitation and its token, which can be told this once only."""
        token = secrets.token_urlsafe(BYTES)
        made = cls.objects.create(
            token_digest=digest(token),
            name=name,
            role=role,
            made_by=by,
            expires_at=timezone.now() + VALID,
        )
        return made, token

    def revoke(self) -> bool:
        """Call it back; return false if it was used or called back before."""
        unused = Invitation.objects.filter(pk=self.pk, used_at=None, revoked_at=None)
        return bool(unused.update(revoked_at=timezone.now()))

    @transaction.atomic
    def accept(self, person: User) -> User:
        """Save the new account and give it its role. Raise Gone if it is too late.

        Of two who accept at once, one does.
        """
        mine = Invitation.objects.open().filter(pk=self.pk)
        if not mine.update(used_at=timezone.now()):
            raise Gone
        person.save()
        family.give_role(person, Role(self.role), by=self.made_by)
        Invitation.objects.filter(pk=self.pk).update(person=person)
        return person
