"""Deciding a whole folder: where one holds the better copies of another, as one batch.

Which sets that are is reckoned once, when somebody asks for it, and noted: what was shown
is what is carried out. A set that changes meanwhile leaves the batch by itself.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from dedup.batches import Scale
from dedup.models import Batch, Choice, DuplicateSet, FolderSet, Kind, Member, Turn
from dedup.relation import Name
from gallery.containment import FEW, Place
from gallery.models import Outcome
from gallery.stages import chunks

AT_ONCE = 500


class Left(StrEnum):
    """Why a set is not decided with its folders."""

    BETTER = "better"  # the copy that would go is the better one
    UNSURE = "unsure"  # not certain enough, damaged, or to be looked at by itself
    SIMILAR = "similar"  # two shots, not one picture
    MORE = "more"  # with copies that lie in neither folder, or more than one to keep


@dataclass(frozen=True, slots=True)
class Plan:
    """The sets that can be decided with two folders, and how many cannot, and why."""

    keep: Place
    discard: Place
    sets: list[int]
    is_safe: bool
    left: Counter[Left] = field(default_factory=Counter)


def plan(keep: Place, discard: Place) -> Plan:
    """Find the open sets whose keeper lies in one folder, and all others in the other."""
    kept, gone = _photos(keep), _photos(discard)
    found, left, relations = [], Counter[Left](), set()
    for members in _sets(gone):
        if not any(one.photo_id in kept for one in members):
            continue
        why = _why_left(members, kept, gone)
        if why:
            left[why] += 1
        else:
            found.append(members[0].duplicate_set_id)
            relations.add(members[0].duplicate_set.relation)
    return Plan(
        keep, discard, sorted(found), relations == {Name.SAME_PIXELS.value}, left
    )


def prepare(found: Plan) -> Batch:
    """Note the sets of a plan as a batch, in place of what the same folders gave before."""
    with Turn.taken():
        batch, _is_new = Batch.objects.get_or_create(
            key=_key(found),
            defaults={
                "relation": "mixed",
                "is_by_folder": True,
                "keeper_source": found.keep.source,
                "keeper_folder": found.keep.path,
                "other_source": found.discard.source,
                "other_folder": found.discard.path,
                "scale": Scale.SEVERAL,
            },
        )
        batch.version += 1
        batch.is_safe = found.is_safe
        batch.save(update_fields=["version", "is_safe"])
        batch.folder_sets.all().delete()
        for some in chunks(found.sets, AT_ONCE):
            rows = DuplicateSet.objects.open().filter(pk__in=some, batch__isnull=False)
            FolderSet.objects.bulk_create(
                FolderSet(
                    batch=batch,
                    duplicate_set_id=pk,
                    revision=seen,
                    joined=batch.version,
                )
                for pk, seen in rows.values_list("pk", "revision")
            )
    return batch


def _key(found: Plan) -> str:
    text = repr(("folders", found.keep.key, found.discard.key))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _photos(place: Place) -> set[int]:
    rows = place.files().with_photo().exclude(outcome=Outcome.CLAIMED)
    return set(rows.values_list("photo", flat=True).iterator(chunk_size=10_000))


def _sets(photos: set[int]) -> Iterator[list[Member]]:
    """Yield the members of each open set with one of these photos, the keeper first."""
    open_sets = Member.objects.filter(duplicate_set__state=DuplicateSet.State.OPEN)
    wanted: set[int] = set()
    if len(photos) <= FEW:
        for some in chunks(sorted(photos), AT_ONCE):
            found = open_sets.filter(photo__in=some)
            wanted.update(found.values_list("duplicate_set", flat=True))
    else:
        pairs = open_sets.values_list("duplicate_set", "photo").iterator(
            chunk_size=10_000
        )
        wanted = {one for one, photo in pairs if photo in photos}
    for some in chunks(sorted(wanted), AT_ONCE):
        members = defaultdict(list)
        rows = open_sets.filter(duplicate_set__in=some).select_related("duplicate_set")
        for one in rows.order_by("-is_keeper", "place", "pk"):
            members[one.duplicate_set_id].append(one)
        yield from members.values()


def _why_left(members: list[Member], kept: set[int], gone: set[int]) -> Left | None:
    """Return why a set cannot be decided with the folders, None if it can."""
    keeper, *others = members
    one = keeper.duplicate_set
    if one.kind != Kind.DUPLICATES:
        return Left.SIMILAR
    # Sets that may be decided with others have a batch; see dedup.batches.pattern.
    if one.batch_id is None:
        return Left.UNSURE
    if keeper.photo_id not in kept:
        return Left.BETTER if keeper.photo_id in gone else Left.MORE
    if not all(one.photo_id in gone and one.photo_id not in kept for one in others):
        return Left.MORE
    if any(other.suggestion != Choice.DISCARD for other in others):
        return Left.UNSURE
    return None
