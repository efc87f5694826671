"""What pages of the admin say of the desk that no view of ours draws."""

from __future__ import annotations

from django import template
from django.contrib.auth.models import User

from dedup.pace import Standing, standing

register = template.Library()


@register.simple_tag(name="standing")
def standing_of(user: User) -> Standing | None:
    """Return where somebody goes on deciding; None if nothing is left."""
    return standing(user)
