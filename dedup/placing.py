"""Giving open sets their batch and their place in the queue, as columns of theirs.

Whoever makes or changes a set has it placed in the same transaction; what older rules
placed is placed again in the background.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dedup import batches
from dedup.batches import One, Pattern, Place
from dedup.models import Batch, DuplicateSet, Kind, Member, Turn
from dedup.relation import Name
from gallery.models import Photo, SourceFile
from gallery.stages import chunks

# Sets in one transaction, during which nobody can decide anything.
AT_ONCE = 200
WRITTEN = (
    "batch_id",
    "placed_recipe",
    "placed_revision",
    "joined",
    "lot",
    "position",
)


def place_some() -> int:
    """Place some sets that are not; return how many."""
    if not DuplicateSet.objects.unplaced().exists():
        return 0
    with Turn.taken():
        unplaced = DuplicateSet.objects.unplaced().order_by("pk")
        pks = list(unplaced.values_list("pk", flat=True)[:AT_ONCE])
        place(pks)
    return len(pks)


def place(pks: Iterable[int]) -> None:
    """Write batch and position of these sets. The turn must be taken.

    A set that stays in its batch unchanged goes on counting as shown; any other joins
    its batch anew.
    """
    for some in chunks(sorted(pks), AT_ONCE):
        sets = list(DuplicateSet.objects.open().filter(pk__in=some).order_by("pk"))
        _place(sets, _looked_up(sets))


@dataclass(frozen=True, slots=True)
class Known:
    """The members of sets in their order, the keeper first, and where each was seen."""

    members: Mapping[int, Sequence[Member]]
    places: Mapping[int, Place]

    def place(self, member: Member) -> Place:
        return self.places.get(member.photo_id, Place())

    def others_place(self, members: Sequence[Member]) -> Place | None:
        found = {self.place(member) for member in members[1:]}
        return found.pop() if len(found) == 1 else None


def _looked_up(sets: Iterable[DuplicateSet]) -> Known:
    members: dict[int, list[Member]] = defaultdict(list)
    rows = Member.objects.filter(duplicate_set__in=[one.pk for one in sets])
    for member in rows.select_related("photo").order_by("-is_keeper", "place", "pk"):
        members[member.duplicate_set_id].append(member)
    photos = {member.photo_id for found in members.values() for member in found}
    return Known(members, first_places(photos))


def first_places(photos: Iterable[int]) -> dict[int, Place]:
    """Return where each photo was seen first: later sightings change nothing."""
    found: dict[int, Place] = {}
    for some in chunks(sorted(photos), 500):
        rows = SourceFile.objects.filter(photo__in=some).order_by("-pk")
        for photo, source, path in rows.values_list("photo", "source", "path"):
            if photo is not None:
                found[photo] = Place(source, batches.folder(path))
    return found


def _place(sets: Iterable[DuplicateSet], known: Known) -> None:
    sets = [one for one in sets if known.members.get(one.pk)]
    patterns = {one.pk: _pattern(one, known) for one in sets}
    rows = _batches(pattern for pattern in patterns.values() if pattern)
    joining: set[int] = set()
    for one in sets:
        pattern = patterns[one.pk]
        batch = rows[pattern.key] if pattern else None
        stays = one.batch_id == (batch.pk if batch else None)
        if batch and not (stays and one.placed_revision == one.revision):
            one.joined = batch.version + 1
            joining.add(batch.pk)
            _widen(batch, known.members[one.pk])
        one.batch = batch
        _put(one, known)
    _write(sets, [batch for batch in rows.values() if batch.pk in joining])


def _pattern(one: DuplicateSet, known: Known) -> Pattern | None:
    if one.kind != Kind.DUPLICATES or one.is_apart:
        return None
    keeper, *others = (_one(member, known) for member in known.members[one.pk])
    return batches.pattern(keeper, others, confidence=one.confidence)


def _one(member: Member, known: Known) -> One:
    photo = member.photo
    said = (member.judgement or {}).get("relations", ())
    return One(
        place=known.place(member),
        edge=max(photo.width or 0, photo.height or 0),
        has_camera=bool(photo.camera_make or photo.camera_model),
        is_damaged=bool(photo.problem)
        or any(relation["name"] == Name.DAMAGED for relation in said),
        relation=member.relation,
    )


def _batches(patterns: Iterable[Pattern]) -> dict[str, Batch]:
    """Return the batches of these patterns by key; those there are none of are made."""
    wanted = {pattern.key: pattern for pattern in patterns}
    present = set(Batch.objects.filter(key__in=wanted).values_list("key", flat=True))
    Batch.objects.bulk_create(
        [Batch.of(wanted[key]) for key in wanted if key not in present],
        ignore_conflicts=True,
    )
    rows = Batch.objects.select_for_update().filter(key__in=wanted).order_by("pk")
    return {batch.key: batch for batch in rows}


def _widen(batch: Batch, members: Sequence[Member]) -> None:
    """Have the batch say how large its photos are at most."""
    keeper, *others = (_edges(member.photo) for member in members)
    batch.keeper_long = max(batch.keeper_long, keeper[0])
    batch.keeper_short = max(batch.keeper_short, keeper[1])
    batch.other_long = max(batch.other_long, *(edges[0] for edges in others))
    batch.other_short = max(batch.other_short, *(edges[1] for edges in others))


def _edges(photo: Photo) -> tuple[int, int]:
    edges = photo.width or 0, photo.height or 0
    return max(edges), min(edges)


def _put(one: DuplicateSet, known: Known) -> None:
    members = known.members[one.pk]
    one.lot = batches.lot(one.pk, members[0].photo.digest)
    one.position = batches.position(
        one.batch_id,
        bool(one.batch and one.batch.is_safe),
        known.place(members[0]),
        known.others_place(members),
        one.taken_at,
    )
    one.placed_recipe, one.placed_revision = batches.RECIPE, one.revision


def _write(sets: Sequence[DuplicateSet], joined: Sequence[Batch]) -> None:
    DuplicateSet.objects.bulk_update(sets, WRITTEN)
    for batch in joined:
        batch.version += 1
    sizes = ["keeper_long", "keeper_short", "other_long", "other_short"]
    Batch.objects.bulk_update(joined, ["version", *sizes])


def set_apart(one: DuplicateSet) -> None:
    """Take a set out of its batch: it is to be looked at by itself."""
    with Turn.taken():
        DuplicateSet.objects.filter(pk=one.pk).update(is_apart=True)
        place([one.pk])
