"""What is asked of people on the pages about accounts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from imagevault.people.models import Invitation
from imagevault.people.roles import Role


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    name = forms.CharField(label=_("Name"), max_length=150)
    role = forms.TypedChoiceField(
        label=_("Role"), choices=Role.choices, coerce=Role, initial=Role.VIEWER
    )


class RoleForm(forms.Form):
    role = forms.TypedChoiceField(choices=Role.choices, coerce=Role)


class AccountForm(UserCreationForm):
    """The name and password somebody chooses who was invited."""

    class Meta:
        model = User
        fields = ("first_name", "username")

    def __init__(self, *args: Any, invitation: Invitation, **options: Any) -> None:
        name = invitation.name
        initial = {"first_name": name, "username": slugify(name)}
        super().__init__(*args, initial=initial, **options)
        self.fields["first_name"].label = _("Your name, as the others see it")
        self.fields["first_name"].required = True
        self.fields["username"].label = _("Name to log in with")
