"""Links at which people without an account look at one album."""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64encode
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import base36_to_int, int_to_base36
from django.utils.translation import gettext_lazy as _

from gallery.models.albums import Album

TOKEN = re.compile(r"([0-9a-z]{1,12})-([\w-]{24})", re.ASCII)
SALT = "gallery.share"
TRIES = 10
TRY_AGAIN_AFTER = timedelta(minutes=15)


def new_nonce() -> str:
    return secrets.token_urlsafe(16)


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    def to(self, token: str) -> ShareLink | None:
        """Return the link with this token, open or not."""
        parts = TOKEN.fullmatch(token)
        if parts is None:
            return None
        found = self.filter(pk=base36_to_int(parts[1])).first()
        is_it = found is not None and constant_time_compare(found.token, token)
        return found if is_it else None

    def open(self) -> ShareLinkQuerySet:
        """Links that have not ended."""
        # See also ShareLink.is_open
        now = timezone.now()
        lasting = Q(expires_at=None) | Q(expires_at__gt=now)
        return self.filter(lasting, revoked_at=None)


class ShareLink(models.Model):
    """A link to one album, for whoever has it; to look, unless it offers more.

    Its token is no part of the row: it is made of it with the secret key of the vault, so
    that it can be shown again, and a copied database opens nothing.
    """

    album = models.ForeignKey(Album, on_delete=models.CASCADE, related_name="links")
    name = models.CharField(_("for"), max_length=100, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("made by"),
    )
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    expires_at = models.DateTimeField(_("until"), null=True)
    revoked_at = models.DateTimeField(_("called back at"), null=True)
    nonce = models.CharField(max_length=22, default=new_nonce, editable=False)
    password = models.CharField(max_length=200, blank=True, editable=False)
    # Passwords tried since, and not the right one.
    wrong = models.PositiveSmallIntegerField(default=0, editable=False)
    wrong_since = models.DateTimeField(null=True, editable=False)
    offers_copies = models.BooleanField(_("copies of web size"), default=False)
    offers_originals = models.BooleanField(_("originals"), default=False)
    offers_zip = models.BooleanField(_("all as a zip"), default=False)
    shows_place = models.BooleanField(_("the place"), default=False)
    visits = models.PositiveIntegerField(_("visits"), default=0)
    last_seen_at = models.DateTimeField(_("last visit"), null=True)

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("share link")
        verbose_name_plural = _("share links")

    def __str__(self) -> str:
        return f"{self.album}: {self.name}"

    def get_absolute_url(self) -> str:
        return reverse("gallery:shared", args=[self.token])

    @property
    def token(self) -> str:
        mac = salted_hmac(SALT, f"{self.pk}.{self.nonce}", algorithm="sha256")
        text = urlsafe_b64encode(mac.digest()[:18]).decode()
        return f"{int_to_base36(self.pk)}-{text}"

    @property
    def is_open(self) -> bool:
        """Whether it still leads in: until its time, a call back, or its maker's end."""
        # See also ShareLinkQuerySet.open
        is_over = self.expires_at is not None and self.expires_at <= timezone.now()
        if is_over or self.revoked_at is not None:
            return False
        return self.made_by.has_perm("gallery.add_sharelink")

    def protect(self, password: str) -> None:
        """Ask for this password; an empty one asks for none. Not saved yet."""
        self.password = make_password(password) if password else ""

    @property
    def key(self) -> str:
        """What a browser keeps that knows the password; another password, another key."""
        return salted_hmac(f"{SALT}.key", f"{self.pk}.{self.password}").hexdigest()

    def may_try(self) -> bool:
        """Count a try at the password; return false if there were too many of late."""
        now = timezone.now()
        mine = ShareLink.objects.filter(pk=self.pk)
        first = mine.filter(
            Q(wrong_since=None) | Q(wrong_since__lt=now - TRY_AGAIN_AFTER)
        )
        if first.update(wrong=1, wrong_since=now):
            return True
        return bool(mine.filter(wrong__lt=TRIES).update(wrong=F("wrong") + 1))

    def opens_with(self, password: str) -> bool:
        if not check_password(password, self.password):
            return False
        ShareLink.objects.filter(pk=self.pk).update(wrong=0, wrong_since=None)
        return True

    def count_visit(self) -> None:
        ShareLink.objects.filter(pk=self.pk).update(
            visits=F("visits") + 1, last_seen_at=timezone.now()
        )

    def revoke(self) -> None:
        self.revoked_at = timezone.now()
        self.save(update_fields=["revoked_at"])
