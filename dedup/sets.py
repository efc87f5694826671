"""Making sets of measured pairs, and keeping open ones true to what is known.

Closed sets are never touched: what a person answered stays as it was answered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from dedup import placing, ranking
from dedup.grouping import Group, Match, group
from dedup.measuring import facts_of
from dedup.models import (
    Choice,
    Comparison,
    DuplicateSet,
    Kind,
    Member,
    Turn,
    Verdict,
)
from dedup.relation import Facts, Judgement, Name
from dedup.relation import Kind as Judged
from gallery import shots
from gallery.models import Photo
from gallery.stages import chunks

# Pairs in one transaction, during which nobody can decide anything.
AT_ONCE = 500
FEW = 500

MIXED = "mixed"
# Too little for many sets to be decided at once.
DOUBTFUL = 0.7


def regroup() -> int:
    """Make the sets of some newly measured pairs; return how many pairs there were.

    All sets that these pairs touch are made anew together, in one transaction, and all
    that is known of their photos is taken account of.
    """
    if not Comparison.objects.to_group().exists():
        return 0
    with Turn.taken():
        pks = list(
            Comparison.objects.to_group()
            .order_by("pk")
            .values_list("pk", flat=True)[:AT_ONCE]
        )
        # Marked before they are read: who measures one again meanwhile is not overheard.
        count = Comparison.objects.filter(pk__in=pks).update(is_grouped=True)
        pairs = Comparison.objects.filter(pk__in=pks)
        scene = _scene(_seeds(pairs.values_list("pk", "left", "right", "kind")))
        if scene.photos:
            count += _take_account(scene.photos)
            placing.place(_bring_about(_wanted(scene), scene.sets))
    return count


def _take_account(photos: set[int]) -> int:
    """Mark the pairs among these photos as grouped; return how many were not.

    A thousand copies are tens of thousands of pairs and one scene: it is made once for
    all of them.
    """
    count = 0
    for some in chunks(sorted(photos), FEW):
        rows = Comparison.objects.to_group().filter(left__in=some)
        among = [pk for pk, right in rows.values_list("pk", "right") if right in photos]
        for few in chunks(among, AT_ONCE):
            rows = Comparison.objects.filter(pk__in=few)
            count += rows.update(is_grouped=True)
    return count


@dataclass(slots=True)
class Scene:
    """Photos that matches hang together, and the open sets they are in."""

    photos: set[int]
    sets: list[DuplicateSet]


def _seeds(pairs: Iterable[tuple[int, int, int, str]]) -> set[int]:
    """Return the photos whose sets may change through these pairs."""
    matched: set[int] = set()
    unlike: set[int] = set()
    for _, left, right, kind in pairs:
        (unlike if kind == Kind.DISTINCT else matched).update((left, right))
    # That two photos are unlike matters only where they stand in a set.
    for some in chunks(unlike - matched, FEW):
        matched.update(
            _open_members().filter(photo__in=some).values_list("photo", flat=True)
        )
    return matched


def _open_members() -> Any:
    return Member.objects.filter(duplicate_set__state=DuplicateSet.State.OPEN)


def _scene(seeds: set[int]) -> Scene:
    """Gather all photos that matches or open sets connect with these."""
    photos, new = set(seeds), set(seeds)
    sets: set[int] = set()
    while new:
        found: set[int] = set()
        for some in chunks(sorted(new), FEW):
            rows = Comparison.objects.matches().touching(some).between_live()
            for left, right in rows.values_list("left", "right"):
                found.update((left, right))
            theirs = set(
                _open_members()
                .filter(photo__in=some)
                .values_list("duplicate_set", flat=True)
            )
            for few in chunks(theirs - sets, FEW):
                members = Member.objects.filter(duplicate_set__in=few)
                found.update(members.values_list("photo", flat=True))
            sets |= theirs
        new = found - photos
        photos |= new
    held = DuplicateSet.objects.open().select_for_update().order_by("pk")
    return Scene(photos, list(held.filter(pk__in=sets)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A set as it should be: its members in their order, the keeper first."""

    kind: str
    members: list[Member]
    size: int
    bytes_to_gain: int
    relation: str
    confidence: float
    taken_at: Any

    @property
    def photos(self) -> set[int]:
        return {member.photo_id for member in self.members}


def _wanted(scene: Scene) -> list[Wanted]:
    """Return the sets that these photos should be in."""
    photos = Photo.objects.live().in_bulk(sorted(scene.photos))
    pairs = _pairs(photos)
    digests = {pk: photo.digest for pk, photo in photos.items()}
    facts = facts_of(photos)
    judgements = {
        (digests[left], digests[right]): comparison.judged
        for (left, right), comparison in pairs.items()
        if comparison.kind != Kind.DISTINCT
    }
    # Another shot says nothing of what was done to a picture.
    copies = {
        pair: said
        for pair, said in judgements.items()
        if said.kind == Judged.DUPLICATES
    }
    keys = ranking.rank_keys(facts.values(), copies)
    # A RAW and its JPEG are one shot; neither is a copy to give up for the other.
    parted = [*_parted(digests), *shots.one_shot(photos)]
    groups = group(
        [_match(comparison) for comparison in pairs.values()],
        rank={pk: keys[digest] for pk, digest in digests.items()},
        parted=parted,
    )
    _propose(groups, pairs, parted)
    return [_set(one, photos, facts, pairs, judgements) for one in groups]


def _pairs(photos: Iterable[int]) -> dict[tuple[int, int], Comparison]:
    """Return what is known of pairs of these photos, by their ids in order."""
    photos = set(photos)
    found = {}
    for some in chunks(sorted(photos), FEW):
        rows = Comparison.objects.measured().filter(left__in=some)
        for row in rows.filter(~Q(kind=Kind.DISTINCT) | Q(separates=True)):
            if row.right_id in photos:
                found[row.pair] = row
    return found


def _match(comparison: Comparison) -> Match:
    return Match(
        comparison.left_id,
        comparison.right_id,
        Judged(comparison.kind),
        comparison.confidence,
        comparison.judgement["strength"],
        comparison.separates,
        # Read only where it counts: most pairs are no similar shots.
        comparison.kind == Kind.SIMILAR_SHOTS and comparison.judged.is_of_one_view,
    )


def _parted(digests: Mapping[int, str]) -> list[tuple[int, int]]:
    """Return the pairs of photos that a person has answered."""
    by_digest = {digest: pk for pk, digest in digests.items()}
    parted = []
    for some in chunks(sorted(by_digest), FEW):
        for verdict in Verdict.objects.filter(left_digest__in=some):
            if verdict.right_digest in by_digest:
                parted.append(
                    (by_digest[verdict.left_digest], by_digest[verdict.right_digest])
                )
    return parted


def _propose(
    groups: Iterable[Group],
    pairs: Mapping[tuple[int, int], Comparison],
    parted: Iterable[tuple[int, int]],
) -> None:
    """Have keepers compared with what only their members match.

    The sieve may miss a crop of the keeper that it found from another copy; once that
    copy is in the trash, nobody would ask. So a crowd, too, of which every photo was
    compared with a few, comes together: each photo asks for the best keeper it has not
    been compared with, and when that is measured for the next one.
    """
    partners: dict[int, set[int]] = defaultdict(set)
    for (left, right), comparison in pairs.items():
        if comparison.kind == Kind.DUPLICATES:
            partners[left].add(right)
            partners[right].add(left)
    known = {*pairs, *(_in_order(*pair) for pair in parted)}
    stars = [one for one in groups if one.kind == Judged.DUPLICATES]
    known |= _compared([one.keeper for one in stars])
    placed = {pk: place for place, one in enumerate(stars) for pk in one.photos}
    asked: dict[int, tuple[int, int]] = {}
    for place, one in enumerate(stars):
        near = {pk for other, _ in one.others for pk in partners[other]}
        for pk in near - asked.keys():
            pair = _in_order(one.keeper, pk)
            # Whom a better keeper has stays there.
            if placed.get(pk, place + 1) > place and pair not in known:
                asked[pk] = pair
    Comparison.objects.bulk_create(
        [
            Comparison(left_id=left, right_id=right, road="copy")
            for left, right in sorted(asked.values())
        ],
        ignore_conflicts=True,
    )


def _compared(photos: Iterable[int]) -> set[tuple[int, int]]:
    """Return the pairs, measured or not yet, that these photos are in."""
    found: set[tuple[int, int]] = set()
    for some in chunks(photos, FEW):
        rows = Comparison.objects.touching(some)
        found.update(rows.values_list("left", "right"))
    return found


def _in_order(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)


def _set(
    one: Group,
    photos: Mapping[int, Photo],
    facts: Mapping[int, Facts],
    pairs: Mapping[tuple[int, int], Comparison],
    judgements: Mapping[tuple[str, str], Judgement],
) -> Wanted:
    confidences = dict(one.others)
    order = [facts[pk] for pk, _ in one.others]
    ranked = ranking.explained(facts[one.keeper], order, judgements)
    told = ranking.is_told(facts[one.keeper], order, judgements)
    members = []
    for place, (pk, said) in enumerate(zip(one.photos, ranked, strict=True)):
        pair = pairs.get(_in_order(pk, one.keeper))
        answer = ranking.between(
            photos[one.keeper].digest, photos[pk].digest, judgements
        )
        members.append(
            Member(
                photo_id=pk,
                place=place,
                is_keeper=not place,
                suggestion=said.suggestion,
                reason=said.reason,
                relation=said.relation,
                judgement=answer.to_json() if answer else None,
                distance=pair.distance if pair else None,
                confidence=confidences.get(pk, 1.0),
            )
        )
        if one.kind == Judged.SIMILAR_SHOTS:
            _leave_open(members[-1], answer)
    relations = {member.relation for member in members[1:]}
    return Wanted(
        kind=one.kind.value,
        members=members,
        size=len(members),
        bytes_to_gain=sum(photos[pk].size for pk, _ in one.others),
        relation=relations.pop() if len(relations) == 1 else MIXED,
        confidence=one.confidence if told else min(one.confidence, DOUBTFUL),
        taken_at=photos[one.keeper].taken_at,
    )


def _leave_open(member: Member, answer: Judgement | None) -> None:
    """Suggest to keep another shot: which one is worth keeping is for the family to say."""
    member.suggestion = Choice.KEEP
    if answer:
        member.reason = answer.because
        member.relation = Name.SIMILAR_SHOT


def _bring_about(wanted: Iterable[Wanted], present: list[DuplicateSet]) -> list[int]:
    """Change, add and remove open sets until they are those wanted; return these."""
    members: dict[int, list[Member]] = defaultdict(list)
    rows = Member.objects.filter(duplicate_set__in=present).order_by("place", "pk")
    for member in rows:
        members[member.duplicate_set_id].append(member)
    left = {one.pk: one for one in present}
    new = []
    for want in sorted(wanted, key=lambda one: (-one.size, one.members[0].photo_id)):
        heir = _heir(want, left, members)
        if heir is None:
            new.append(want)
        else:
            _change(left.pop(heir), members[heir], want)
    DuplicateSet.objects.filter(pk__in=left).delete()
    kept = [one.pk for one in present if one.pk not in left]
    return kept + [one.pk for one in _add(new)]


def _heir(
    want: Wanted,
    left: Mapping[int, DuplicateSet],
    members: Mapping[int, list[Member]],
) -> int | None:
    """Return the set that most of the wanted one's photos are in already."""
    shares = {
        pk: len(want.photos & {member.photo_id for member in members[pk]})
        for pk, one in left.items()
        if one.kind == want.kind
    }
    best = max(shares, key=lambda pk: (shares[pk], -pk), default=None)
    return best if best is not None and shares[best] else None


KEPT_ON_SET = ("size", "bytes_to_gain", "relation", "confidence", "taken_at")
KEPT_ON_MEMBER = (
    "photo_id",
    "place",
    "is_keeper",
    "suggestion",
    "reason",
    "relation",
    "judgement",
    "distance",
    "confidence",
)


def _said(member: Member) -> tuple[Any, ...]:
    return tuple(_plain(getattr(member, name)) for name in KEPT_ON_MEMBER)


def _plain(value: Any) -> Any:
    # As it comes back from the database, where lists and tuples are one.
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


def _change(one: DuplicateSet, present: list[Member], want: Wanted) -> None:
    """Give an open set the members wanted; nothing is written where nothing changed."""
    if [_said(member) for member in present] != [_said(m) for m in want.members]:
        one.members.all().delete()
        _write_members([(one, want)])
        one.revision += 1
    for name in KEPT_ON_SET:
        setattr(one, name, getattr(want, name))
    one.save(update_fields=["revision", *KEPT_ON_SET])


def _add(wanted: list[Wanted]) -> list[DuplicateSet]:
    made = DuplicateSet.objects.bulk_create(
        [
            DuplicateSet(
                kind=want.kind, **{name: getattr(want, name) for name in KEPT_ON_SET}
            )
            for want in wanted
        ]
    )
    _write_members(zip(made, wanted, strict=True))
    return made


def _write_members(sets: Iterable[tuple[DuplicateSet, Wanted]]) -> None:
    members = []
    for one, want in sets:
        for member in want.members:
            member.duplicate_set = one
            members.append(member)
    Member.objects.bulk_create(members, batch_size=500)
