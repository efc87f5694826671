"""Why the suggestion of a set may be wrong: what lowers its confidence, and what is said."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from dedup import ranking
from dedup.measuring import facts_of
from dedup.models import Member
from dedup.relation import Facts, Judgement, Name, Side

# Below this a match may as well belong to another shot; see dedup.grouping.
TORN = 0.5


def _found(member: Member) -> set[tuple[str, str]]:
    answer = member.judgement or {"relations": ()}
    return {(said["name"], said["of"]) for said in answer["relations"]}


def is_untold(keeper: Facts, other: Facts, member: Member, *, of: int) -> bool:
    """Return whether one of a few (`of`) may be what the keeper was made from."""
    if of >= ranking.MAJORITY or not member.judgement:
        return False
    return ranking.is_open(keeper, other, Judgement.from_json(member.judgement))


def shows_more(member: Member) -> bool:
    """Return whether a member shows more than the keeper: more may be lost than a frame."""
    return (Name.CROPPED, Side.LEFT) in _found(member)


def sentences(members: Sequence[Member]) -> list[str]:
    """Return why a set is doubtful, the keeper being its first member."""
    keeper, *others = members
    facts = facts_of({one.photo_id: one.photo for one in members})
    said = []
    for member in others:
        name = {"name": member.photo.name}
        pair = facts[keeper.photo_id], facts[member.photo_id]
        if any(one == Name.DAMAGED for one, _ in _found(member)):
            said.append(_("A part of %(name)s or of the keeper is damaged.") % name)
        elif shows_more(member):
            said.append(_("%(name)s shows more than the photo to be kept.") % name)
        elif is_untold(*pair, member, of=len(members)):
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
