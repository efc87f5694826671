"""Why the suggestion of a set may be wrong: what lowers its confidence, and what is said."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from dedup.models import Member
from dedup.relation import Name, Side

ALTERATIONS = {Name.RECOLOURED, Name.EDITED, Name.TURNED, Name.MIRRORED}
# From so many members on their majority tells what was altered.
MAJORITY = 5
# Below this a match may as well belong to another shot; see dedup.grouping.
TORN = 0.5


def _found(member: Member) -> set[tuple[str, str]]:
    answer = member.judgement or {"relations": ()}
    return {(said["name"], said["of"]) for said in answer["relations"]}


def is_untold(member: Member, *, of: int, told_by_camera: bool) -> bool:
    """Return whether one of a few (`of`) was altered, and nothing tells which.

    It may be the keeper, where neither its pixels nor its camera's data speak for it.
    """
    altered = {name for name, side in _found(member) if side == Side.UNKNOWN}
    return of < MAJORITY and bool(altered & ALTERATIONS) and not told_by_camera


def shows_more(member: Member) -> bool:
    """Return whether a member shows more than the keeper: more may be lost than a frame."""
    return (Name.CROPPED, Side.LEFT) in _found(member)


def sentences(members: Sequence[Member]) -> list[str]:
    """Return why a set is doubtful, the keeper being its first member."""
    keeper, *others = members
    said = []
    for member in others:
        name = {"name": member.photo.name}
        told = bool(keeper.photo.camera and not member.photo.camera)
        if any(one == Name.DAMAGED for one, _ in _found(member)):
            said.append(_("A part of %(name)s or of the keeper is damaged.") % name)
        elif shows_more(member):
            said.append(_("%(name)s shows more than the photo to be kept.") % name)
        elif is_untold(member, of=len(members), told_by_camera=told):
            said.append(
                _("Nothing tells whether %(name)s or the keeper was altered.") % name
            )
        elif member.confidence < TORN:
            said.append(_("%(name)s may as well belong to another shot.") % name)
    if said:
        return said[:3]
    least = min(others, key=lambda one: one.confidence, default=None)
    if least is None:
        return []
    return [_("%s agrees less than copies usually do.") % least.photo.name]
