"""Deciding: what a person says of a set is carried out as one transaction, and undone as one.

`Decision.before` holds what undo gives back:

    choices   {member id: its decision before}
    photos    [id of each photo moved to the trash]
    facts     [{photo, before: {field: value}, after: {field: value}, stars: [user id]}],
              in order: see dedup.merging
    verdicts  [{left, right, before: null or {says, by, at, decision}}]
    digests   [digest of each member], for the trace when the set is gone
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _

from dedup import merging
from dedup.models import (
    BatchRun,
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
from gallery import vault
from gallery.models import Photo


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
        case = Case(held, *_members(held), choices)
        case.check()
        [decision] = _carry_out([case], by=by)
    return _closed(duplicate_set, held, decision)


@dataclass(frozen=True, slots=True)
class Left:
    """A set that was left as it is when many were decided, and why."""

    duplicate_set: int
    reason: str


def resolve_as_suggested(
    sets: Iterable[int], *, by: User | None, run: BatchRun | None = None
) -> tuple[list[Decision], list[Left]]:
    """Carry out the suggestions of open sets, by id, in one transaction.

    Return the decisions, and which sets were left as they are because resolving them
    would have been refused.
    """
    with Turn.taken():
        cases, left = _cases(sets)
        return _carry_out(cases, by=by, run=run), left


def _cases(sets: Iterable[int]) -> tuple[list[Case], list[Left]]:
    """Return what can be carried out of the suggestions of these sets."""
    held = list(
        DuplicateSet.objects.select_for_update()
        .open()
        .filter(pk__in=list(sets))
        .order_by("pk")
    )
    members: dict[int, list[Member]] = {one.pk: [] for one in held}
    rows = Member.objects.filter(duplicate_set__in=list(members))
    for member in rows.order_by("place", "pk"):
        members[member.duplicate_set_id].append(member)
    photos = _photos(one for theirs in members.values() for one in theirs)
    cases: list[Case] = []
    left: list[Left] = []
    taken: set[int] = set()
    for one in held:
        theirs = members[one.pk]
        mine = {member.photo_id: photos[member.photo_id] for member in theirs}
        choices = {member.photo_id: member.suggestion for member in theirs}
        case = Case(one, theirs, mine, choices)
        try:
            case.check()
            if taken & mine.keys():
                raise SetChanged(
                    _("Another set with one of its photos was decided just now.")
                )
        except Refused as refused:
            left.append(Left(one.pk, str(refused)))
        else:
            cases.append(case)
            taken |= mine.keys()
    return cases, left


@dataclass(slots=True)
class Case:
    """A set that is to be resolved: locked, with a choice for each of its photos."""

    held: DuplicateSet
    members: list[Member]
    photos: dict[int, Photo]
    choices: Mapping[int, str]

    def check(self) -> None:
        _check_choices(self.members, self.photos, self.choices)

    def chosen(self, choice: str) -> list[Member]:
        return [one for one in self.members if self.choices[one.photo_id] == choice]

    def yields(self) -> dict[int, int]:
        """Return, by photo id, which kept photo each discarded one yields to."""
        return _best_matches(self.chosen(Choice.DISCARD), self.chosen(Choice.KEEP))

    def says(self) -> dict[Pair, str]:
        return {
            pair_of(
                self.photos[one.photo_id].digest, self.photos[other.photo_id].digest
            ): _says(one, other, kind=self.held.kind)
            for place, one in enumerate(self.members)
            for other in self.members[place + 1 :]
        }


def _carry_out(
    cases: Sequence[Case], *, by: User | None, run: BatchRun | None = None
) -> list[Decision]:
    """Resolve sets that were checked and have no photo in common; return how."""
    made = Decision.objects.bulk_create(
        _decision(Decision.Kind.RESOLVE, case, by=by, run=run) for case in cases
    )
    yields: dict[int, int] = {}
    pairs: list[tuple[Photo, Photo]] = []
    for case, decision in zip(cases, made, strict=True):
        for member in case.members:
            member.decision = case.choices[member.photo_id]
        mine = case.yields()
        yields |= mine
        decision.before["photos"] = list(mine)
        if case.held.kind == Kind.DUPLICATES:
            pairs += [(case.photos[pk], case.photos[to]) for pk, to in mine.items()]
    _mark([member for case in cases for member in case.members])
    gained = merging.gains(pairs)
    by_photo = {
        pk: decision
        for case, decision in zip(cases, made, strict=True)
        for pk in case.photos
    }
    for gain in gained:
        by_photo[gain.keeper.pk].before["facts"].append(merging.noted(gain))
    merging.hand_over(gained)
    Photo.move_all_to_trash(yields, by=by)
    _close(
        DuplicateSet.State.RESOLVED,
        [
            Closing(case.held, decision, case.photos, case.says())
            for case, decision in zip(cases, made, strict=True)
        ],
        by=by,
    )
    return made


def _mark(members: Iterable[Member]) -> None:
    """Write what was decided of members."""
    chosen: dict[str, list[int]] = {}
    for member in members:
        chosen.setdefault(member.decision, []).append(member.pk)
    for choice, pks in chosen.items():
        Member.objects.filter(pk__in=pks).update(decision=choice)


def dismiss(
    duplicate_set: DuplicateSet,
    *,
    by: User | None,
    seen: int | None = None,
    says: str = Says.NOT_DUPLICATES,
) -> Decision:
    """Close the set as not duplicates: every photo stays, no pair is offered again.

    `says` is what is said of every pair: not duplicates, or more exactly similar shots.
    """
    with Turn.taken():
        held = _hold(duplicate_set, seen=seen)
        case = Case(held, *_members(held), choices={})
        decision = _decision(Decision.Kind.DISMISS, case, by=by)
        decision.save()
        digests = [photo.digest for photo in case.photos.values()]
        said = dict.fromkeys(pairs_among(digests), says)
        closing = Closing(held, decision, case.photos, said)
        _close(DuplicateSet.State.DISMISSED, [closing], by=by)
    return _closed(duplicate_set, held, decision)


def undo(decision: Decision, *, by: User | None, as_batch: bool = False) -> None:
    """Give back exactly what was before the decision; raise CannotUndo if that is over.

    `as_batch` says that it is undone with all others of its batch, and not because
    somebody thought better of this one.
    """
    with Turn.taken():
        held = Decision.objects.select_for_update().get(pk=decision.pk)
        if held.is_undone:
            raise CannotUndo(_("This decision has been undone already."))
        duplicate_set = held.duplicate_set
        if duplicate_set is None:
            raise CannotUndo(_("The set of this decision is gone."))
        members, photos = _members(duplicate_set)
        _check_undo(held, photos)
        for photo_id in held.before["photos"]:
            # Whoever restored it meanwhile, and trashed it by hand, meant it.
            if photos[photo_id].in_favour_of_id is not None:
                photos[photo_id].restore()
        for moved in reversed(held.before["facts"]):
            merging.give_back(photos[moved["photo"]], moved)
        for member in members:
            member.decision = held.before["choices"][str(member.pk)]
        _mark(members)
        _withdraw_verdicts(held)
        duplicate_set.reopen()
        held.undone_at, held.undone_by = timezone.now(), by
        held.undone_as_batch = as_batch
        held.save(update_fields=["undone_at", "undone_by", "undone_as_batch"])
        # Others may have come meanwhile, and looked for their like without these.
        _look_again(photos)
    decision.undone_at, decision.undone_by = held.undone_at, held.undone_by


def gains(
    duplicate_set: DuplicateSet, choices: Mapping[int, str]
) -> list[merging.Gain]:
    """Return what kept photos would take over, if these choices were carried out."""
    members = list(duplicate_set.members.select_related("photo").order_by("place"))
    photos = {member.photo_id: member.photo for member in members}
    case = Case(duplicate_set, members, photos, choices)
    wanted = set(choices.values())
    if duplicate_set.kind != Kind.DUPLICATES or set(choices) != set(photos):
        return []
    if not {Choice.KEEP} <= wanted <= {Choice.KEEP, Choice.DISCARD}:
        return []
    pairs = [(photos[pk], photos[to]) for pk, to in case.yields().items()]
    return merging.gains(pairs)


def suggested(duplicate_set: DuplicateSet) -> dict[int, str]:
    """Return the choices that the set itself suggests, by photo id."""
    return dict(duplicate_set.members.values_list("photo_id", "suggestion"))


def _hold(duplicate_set: DuplicateSet, *, seen: int | None) -> DuplicateSet:
    """Return the set as it is now, locked; raise SetChanged if it is another one."""
    rows = DuplicateSet.objects.select_for_update()
    held = rows.filter(pk=duplicate_set.pk).first()
    if held is None:
        raise SetChanged(
            _(
                "This set is no longer there: its photos were decided or regrouped "
                "meanwhile. Nothing was done."
            )
        )
    if not held.is_open:
        who = held.closed_by or _("somebody")
        raise SetChanged(
            _("This set was decided by %s meanwhile. Nothing was done.") % who
        )
    if seen is not None and held.revision != seen:
        raise SetChanged(
            _(
                "This set has changed since you opened it. Nothing was done: please "
                "look at it again."
            )
        )
    return held


def _members(duplicate_set: DuplicateSet) -> tuple[list[Member], dict[int, Photo]]:
    """Return the members in their order, and their photos by id, locked in one order."""
    members = list(duplicate_set.members.order_by("place", "pk"))
    return members, _photos(members)


def _photos(members: Iterable[Member]) -> dict[int, Photo]:
    rows = Photo.objects.select_for_update().order_by("pk")
    photos = rows.filter(pk__in={member.photo_id for member in members})
    return {photo.pk: photo for photo in photos}


def _check_choices(
    members: Iterable[Member], photos: Mapping[int, Photo], choices: Mapping[int, str]
) -> None:
    if set(choices) != set(photos):
        raise SetChanged(
            _(
                "The photos of this set have changed since you opened it. Nothing was "
                "done: please look at it again."
            )
        )
    if not set(choices.values()) <= {Choice.KEEP, Choice.DISCARD}:
        raise Refused(_("Choose keep or discard for every photo. Nothing was done."))
    kept = [photo for pk, photo in photos.items() if choices[pk] == Choice.KEEP]
    if not kept:
        raise KeepNone(_("At least one photo has to be kept. Nothing was done."))
    for photo in kept:
        _check_keeper(photo)
    for photo in photos.values():
        if not photo.is_live:
            raise SetChanged(
                _("%s has gone to the trash meanwhile. Nothing was done.") % photo.name
            )


def _check_keeper(photo: Photo) -> None:
    """Raise KeeperMissing unless the photo is live and its original lies in the vault."""
    if not photo.is_live:
        raise KeeperMissing(
            _("%s is in the trash and cannot be kept. Nothing was done.") % photo.name
        )
    path = vault.original(settings.IMAGEVAULT_DATA, photo.digest, photo.extension)
    try:
        size = path.stat().st_size
    except OSError:
        size = None
    if size != photo.size:
        raise KeeperMissing(
            _(
                "The original of %s is not in the vault as it should be, so nothing "
                "can be discarded in favour of it. Nothing was done."
            )
            % photo.name
        )


def _decision(
    kind: str, case: Case, *, by: User | None, run: BatchRun | None = None
) -> Decision:
    """Return a new row, not saved, that notes what was before."""
    before: dict[str, Any] = {
        "choices": {str(member.pk): member.decision for member in case.members},
        "photos": [],
        "facts": [],
        "verdicts": [],
        "digests": [case.photos[member.photo_id].digest for member in case.members],
    }
    return Decision(kind=kind, duplicate_set=case.held, by=by, run=run, before=before)


@dataclass(frozen=True, slots=True)
class Closing:
    """A set that is to be closed, and what its decision says of pairs of digests."""

    held: DuplicateSet
    decision: Decision
    photos: Iterable[int]
    says: Mapping[Pair, str]


def _close(state: str, closings: Sequence[Closing], *, by: User | None) -> None:
    _give_verdicts(closings, by=by)
    Decision.objects.bulk_update([one.decision for one in closings], ["before"])
    DuplicateSet.close_all([one.held for one in closings], state, by=by)
    # Who stays may have matches outside the set that could not be asked until now.
    photos = {photo for one in closings for photo in one.photos}
    Comparison.objects.matches().touching(photos).regroup()


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


def _best_matches(discarded: Sequence[Member], kept: list[Member]) -> dict[int, int]:
    """Return, by photo id, which kept member each discarded one matches best."""
    if len(kept) == 1:
        return {member.photo_id: kept[0].photo_id for member in discarded}
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


def _give_verdicts(closings: Iterable[Closing], *, by: User | None) -> None:
    closings = list(closings)
    pairs = [pair for one in closings for pair in one.says]
    earlier = Verdict.objects.of(pairs)
    for one in closings:
        one.decision.before["verdicts"] = [
            {
                "left": pair[0],
                "right": pair[1],
                "before": _remembered(earlier[pair]) if pair in earlier else None,
            }
            for pair in one.says
        ]
    Verdict.objects.bulk_create(
        [
            Verdict(
                left_digest=pair[0],
                right_digest=pair[1],
                says=what,
                by=by,
                at=one.decision.at,
                decision=one.decision,
            )
            for one in closings
            for pair, what in one.says.items()
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
                _(
                    "%s has been purged from the trash, so this decision cannot be "
                    "undone any more."
                )
                % photos[photo_id].name
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
            _(
                "A later decision about one of these photos builds on this one. Undo "
                "that first: %(decision)s (%(kind)s)."
            )
            % {"decision": later, "kind": later.get_kind_display()}
        )


def _look_again(photos: Iterable[int]) -> None:
    Fingerprint.objects.filter(photo__in=list(photos)).update(search=Search.DUE)
    Comparison.objects.measured().touching(photos).regroup()
