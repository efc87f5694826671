"""What pages of the admin say of the desk that no view of ours draws."""

from __future__ import annotations

from typing import Any

from django import template

from dedup.pace import Standing, desk_order, standing

register = template.Library()


@register.simple_tag(name="standing", takes_context=True)
def standing_of(context: dict[str, Any]) -> Standing | None:
    """Return where whoever looks goes on deciding; None if nothing is left."""
    request = context["request"]
    return standing(request.user, order=desk_order(request))
