"""Deciding: what a person says of a set is carried out as one transaction, and undone as one.

`Decision.before` holds what undo gives back:

    choices   {member id: its decision before}
    photos    [id of each photo moved to the trash]
    facts     [{photo, before: {field: value}, after: {field: value}}], in order
    verdicts  [{left, right, before: null or {says, by, at, decision}}]
    digests   [digest of each member], for the trace when the set is gone
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from dedup.models import (
    Choice,
    Comparison,
    Decision,
    DuplicateSet,
    Fingerprint,
    Kind,
    Member,
    Says,
    Search,
    Turn,
    Verdict,
    pair_of,
)
from dedup.models.decisions import Pair, pairs_among
from gallery import dates, vault
from gallery.models import Photo

WHEN = ("taken_at", "taken_offset", "taken_precision", "taken_from")
WHERE = ("latitude", "longitude")


class Refused(Exception):
    """Nothing was done; the text says why, for whoever asked."""


class KeepNone(Refused):
    """Every member would be discarded."""


class KeeperMissing(Refused):
    """What would be kept is in the trash, or its original is not in the vault."""


class SetChanged(Refused):
    """The set is not what the reviewer saw."""


class CannotUndo(Refused):
    """Something later builds on the decision."""


def resolve(
    duplicate_set: DuplicateSet,
    choices: Mapping[int, str],
    *,
    by: User | None,
    seen: int | None = None,
) -> Decision:
    """Carry out a choice for every member (by photo id) and close the set.

    `seen` is the revision of the set that the reviewer looked at. Raise Refused, with
    nothing done, where the set has changed since, nothing would be kept, or what would
    be kept is not safely in the vault.
    """
    with Turn.taken():
        held = _hold(duplicate_set, seen=seen)
        members, photos = _members(held)
        _check_choices(members, photos, choices)
        kept = [m for m in members if choices[m.photo_id] == Choice.KEEP]
        discarded = [m for m in members if choices[m.photo_id] == Choice.DISCARD]
        decision = _decision(Decision.Kind.RESOLVE, held, members, photos, by=by)
        for member in members:
            member.decision = choices[member.photo_id]
        Member.objects.bulk_update(members, ["decision"])
        targets = _best_matches(discarded, kept)
        for member in discarded:
            photo, target = photos[member.photo_id], photos[targets[member.photo_id]]
            if held.kind == Kind.DUPLICATES:
                _move_facts(photo, target, decision)
            photo.move_to_trash(by=by, in_favour_of=target)
        says = {
            pair_of(photos[one.photo_id].digest, photos[other.photo_id].digest): (
                _says(one, other, kind=held.kind)
            )
            for place, one in enumerate(members)
            for other in members[place + 1 :]
        }
        decision.before["photos"] = [member.photo_id for member in discarded]
        _close(held, DuplicateSet.State.RESOLVED, decision, says, by=by)
    return _closed(duplicate_set, held, decision)


def dismiss(
    duplicate_set: DuplicateSet,
    *,
    by: User | None,
    seen: int | None = None,
) -> Decision:
    """Close the set as not duplicates: every photo stays, no pair is offered again."""
    with Turn.taken():
        held = _hold(duplicate_set, seen=seen)
        members, photos = _members(held)
        decision = _decision(Decision.Kind.DISMISS, held, members, photos, by=by)
        digests = [photo.digest for photo in photos.values()]
        says = dict.fromkeys(pairs_among(digests), Says.NOT_DUPLICATES)
        _close(held, DuplicateSet.State.DISMISSED, decision, says, by=by)
    return _closed(duplicate_set, held, decision)


def undo(decision: Decision, *, by: User | None) -> None:
    """Give back exactly what was before the decision; raise CannotUndo if that is over."""
    with Turn.taken():
        held = Decision.objects.select_for_update().get(pk=decision.pk)
        if held.is_undone:
            raise CannotUndo("This decision has been undone already.")
        duplicate_set = held.duplicate_set
        if duplicate_set is None:
            raise CannotUndo("The set of this decision is gone.")
        members, photos = _members(duplicate_set)
        _check_undo(held, photos)
        for photo_id in held.before["photos"]:
            photos[photo_id].restore()
        for moved in reversed(held.before["facts"]):
            _give_back(photos[moved["photo"]], moved)
        for member in members:
            member.decision = held.before["choices"][str(member.pk)]
        Member.objects.bulk_update(members, ["decision"])
        _withdraw_verdicts(held)
        duplicate_set.reopen()
        held.undone_at, held.undone_by = timezone.now(), by
        held.save(update_fields=["undone_at", "undone_by"])
        # Others may have come meanwhile, and looked for their like without these.
        _look_again(photos)
    decision.undone_at, decision.undone_by = held.undone_at, held.undone_by


def suggested(duplicate_set: DuplicateSet) -> dict[int, str]:
    """Return the choices that the set itself suggests, by photo id."""
    return dict(duplicate_set.members.values_list("photo_id", "suggestion"))


def _hold(duplicate_set: DuplicateSet, *, seen: int | None) -> DuplicateSet:
    """Return the set as it is now, locked; raise SetChanged if it is another one."""
    rows = DuplicateSet.objects.select_for_update()
    held = rows.filter(pk=duplicate_set.pk).first()
    if held is None:
        raise SetChanged(
            "This set is no longer there: its photos were decided or regrouped "
            "meanwhile. Nothing was done."
        )
    if not held.is_open:
        who = f" by {held.closed_by}" if held.closed_by else ""
        raise SetChanged(f"This set was decided{who} meanwhile. Nothing was done.")
    if seen is not None and held.revision != seen:
        raise SetChanged(
            "This set has changed since you opened it. Nothing was done: please look "
            "at it again."
        )
    return held


def _members(duplicate_set: DuplicateSet) -> tuple[list[Member], dict[int, Photo]]:
    """Return the members in their order, and their photos by id, locked in one order."""
    members = list(duplicate_set.members.order_by("place", "pk"))
    rows = Photo.objects.select_for_update().order_by("pk")
    photos = rows.filter(pk__in=[member.photo_id for member in members])
    return members, {photo.pk: photo for photo in photos}


def _check_choices(
    members: Iterable[Member], photos: Mapping[int, Photo], choices: Mapping[int, str]
) -> None:
    if set(choices) != set(photos):
        raise SetChanged(
            "The photos of this set have changed since you opened it. Nothing was done: "
            "please look at it again."
        )
    if not set(choices.values()) <= {Choice.KEEP, Choice.DISCARD}:
        raise Refused("Choose keep or discard for every photo. Nothing was done.")
    kept = [photo for pk, photo in photos.items() if choices[pk] == Choice.KEEP]
    if not kept:
        raise KeepNone("At least one photo has to be kept. Nothing was done.")
    for photo in kept:
        _check_keeper(photo)
    for photo in photos.values():
        if not photo.is_live:
            raise SetChanged(
                f"{photo.name} has gone to the trash meanwhile. Nothing was done."
            )


def _check_keeper(photo: Photo) -> None:
    """Raise KeeperMissing unless the photo is live and its original lies in the vault."""
    if not photo.is_live:
        raise KeeperMissing(
            f"{photo.name} is in the trash and cannot be kept. Nothing was done."
        )
    path = vault.original(settings.IMAGEVAULT_DATA, photo.digest, photo.extension)
    try:
        size = path.stat().st_size
    except OSError:
        size = None
    if size != photo.size:
        raise KeeperMissing(
            f"The original of {photo.name} is not in the vault as it should be, so "
            f"nothing can be discarded in favour of it. Nothing was done."
        )


def _decision(
    kind: str,
    duplicate_set: DuplicateSet,
    members: Iterable[Member],
    photos: Mapping[int, Photo],
    *,
    by: User | None,
) -> Decision:
    before: dict[str, Any] = {
        "choices": {str(member.pk): member.decision for member in members},
        "photos": [],
        "facts": [],
        "verdicts": [],
        "digests": [photos[member.photo_id].digest for member in members],
    }
    return Decision.objects.create(
        kind=kind, duplicate_set=duplicate_set, by=by, before=before
    )


def _close(
    duplicate_set: DuplicateSet,
    state: str,
    decision: Decision,
    says: Mapping[Pair, str],
    *,
    by: User | None,
) -> None:
    _give_verdicts(says, decision, by=by)
    decision.save(update_fields=["before"])
    duplicate_set.close(state, by=by)
    # Who stays may have matches outside the set that could not be asked until now.
    members = duplicate_set.members.values_list("photo_id", flat=True)
    Comparison.objects.matches().touching(members).regroup()


def _closed(
    duplicate_set: DuplicateSet, held: DuplicateSet, decision: Decision
) -> Decision:
    duplicate_set.state = held.state
    duplicate_set.closed_at, duplicate_set.closed_by = held.closed_at, held.closed_by
    return decision


def _says(one: Member, other: Member, *, kind: str) -> str:
    if Choice.DISCARD in (one.decision, other.decision):
        return Says.SAME if kind == Kind.DUPLICATES else Says.NOT_DUPLICATES
    return Says.BOTH_KEPT


def _best_matches(discarded: Iterable[Member], kept: list[Member]) -> dict[int, int]:
    """Return, by photo id, which kept member each discarded one matches best."""
    ids = [member.photo_id for member in [*discarded, *kept]]
    measured = {
        comparison.pair: comparison
        for comparison in Comparison.objects.matches().among(ids)
    }

    def rank(member: Member, other: Member) -> tuple[bool, float, int, bool, int]:
        found = measured.get(_in_order(member.photo_id, other.photo_id))
        return (
            found is not None,
            found.confidence if found else 0.0,
            -(found.distance or 0) if found else 0,
            other.is_keeper,
            -other.place,
        )

    return {
        member.photo_id: max(kept, key=lambda other: rank(member, other)).photo_id
        for member in discarded
    }


def _in_order(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)


def _move_facts(discarded: Photo, keeper: Photo, decision: Decision) -> None:
    """Give the keeper what the discarded copy knew better, and note what was before."""
    values: dict[str, Any] = {}
    if _knows_better(discarded, keeper):
        values |= {field: getattr(discarded, field) for field in WHEN}
    if keeper.latitude is None and discarded.latitude is not None:
        values |= {field: getattr(discarded, field) for field in WHERE}
    if values:
        decision.before["facts"].append(
            {
                "photo": keeper.pk,
                "before": {name: _plain(getattr(keeper, name)) for name in values},
                "after": {name: _plain(value) for name, value in values.items()},
            }
        )
        keeper.update_facts(**values)


def _knows_better(discarded: Photo, keeper: Photo) -> bool:
    """Return whether the copy's date is to be trusted more than the keeper's."""
    theirs = _evidence(discarded)
    if theirs is None:
        return False
    ours = _evidence(keeper)
    if ours is None:
        return True
    found = dates.best([ours, theirs])
    if found.taken_at == ours.taken_at or found.taken_at != theirs.taken_at:
        return False
    # Of two equally good records neither is better for being earlier; but copying makes
    # a file's time younger, never older.
    equals = (ours.origin, ours.precision) == (theirs.origin, theirs.precision)
    by_copying = ours.origin == dates.Origin.MODIFICATION_TIME
    return not equals or by_copying or theirs.taken_at > ours.taken_at


def _evidence(photo: Photo) -> dates.Evidence | None:
    if photo.taken_at is None:
        return None
    return dates.Evidence(
        photo.taken_at,
        dates.Precision(photo.taken_precision),
        dates.Origin(photo.taken_from),
        photo.taken_offset,
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _read(name: str, value: Any) -> Any:
    if name == "taken_at" and value is not None:
        return datetime.fromisoformat(value)
    return value


def _give_back(photo: Photo, moved: Mapping[str, Any]) -> None:
    """Take back moved facts, unless something better was learned since."""
    for fields in (WHEN, WHERE):
        after = {
            name: moved["after"][name] for name in fields if name in moved["after"]
        }
        now = {name: _plain(getattr(photo, name)) for name in after}
        if after and now == after:
            before = {name: _read(name, moved["before"][name]) for name in after}
            photo.update_facts(**before)


def _give_verdicts(
    says: Mapping[Pair, str], decision: Decision, *, by: User | None
) -> None:
    earlier = Verdict.objects.of(says)
    decision.before["verdicts"] = [
        {
            "left": pair[0],
            "right": pair[1],
            "before": _remembered(earlier[pair]) if pair in earlier else None,
        }
        for pair in says
    ]
    Verdict.objects.bulk_create(
        [
            Verdict(
                left_digest=pair[0],
                right_digest=pair[1],
                says=what,
                by=by,
                at=decision.at,
                decision=decision,
            )
            for pair, what in says.items()
        ],
        update_conflicts=True,
        unique_fields=["left_digest", "right_digest"],
        update_fields=["says", "by", "at", "decision"],
    )


def _remembered(verdict: Verdict) -> dict[str, Any]:
    return {
        "says": verdict.says,
        "by": verdict.by_id,
        "at": verdict.at.isoformat(),
        "decision": verdict.decision_id,
    }


def _withdraw_verdicts(decision: Decision) -> None:
    for noted in decision.before["verdicts"]:
        rows = Verdict.objects.filter(
            left_digest=noted["left"], right_digest=noted["right"]
        )
        if noted["before"] is None:
            rows.delete()
        else:
            was = noted["before"]
            rows.update(
                says=was["says"],
                by=User.objects.filter(pk=was["by"]).first(),
                at=datetime.fromisoformat(was["at"]),
                decision_id=was["decision"],
            )


def _check_undo(decision: Decision, photos: Mapping[int, Photo]) -> None:
    for photo_id in decision.before["photos"]:
        if not photos[photo_id].is_stored:
            raise CannotUndo(
                f"{photos[photo_id].name} has been purged from the trash, so this "
                f"decision cannot be undone any more."
            )
    later = (
        Decision.objects.filter(
            pk__gt=decision.pk,
            undone_at=None,
            duplicate_set__members__photo__in=list(photos),
        )
        .order_by("-pk")
        .first()
    )
    if later:
        raise CannotUndo(
            f"A later decision about one of these photos builds on this one: undo "
            f"{later} ({later.get_kind_display()}) first."
        )


def _look_again(photos: Iterable[int]) -> None:
    Fingerprint.objects.filter(photo__in=list(photos)).update(search=Search.DUE)
    Comparison.objects.measured().touching(photos).regroup()
