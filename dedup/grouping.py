"""Sets out of pairs: a star round a keeper, never a chain."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dedup.relation import Kind

# A copy that agrees with two shots belongs to the better one if it leads by this much.
CLEAR_LEAD = 0.002
UNCERTAIN = 0.4  # the most confidence of a member that may belong elsewhere
SURE = 0.8  # confidence of a match that bears other copies to look otherwise


@dataclass(frozen=True, slots=True)
class Match:
    """One measured pair of photo ids, as `dedup.relation.Judgement` says it.

    `separates`: they are known to be two shots; `unlike`: they look as two shots of one
    view do, which two copies altered in different ways may, too.
    """

    left: int
    right: int
    kind: Kind
    confidence: float = 1.0
    strength: float = 0.0
    separates: bool = False
    unlike: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A keeper and the photos that match it, each with the confidence of its match."""

    kind: Kind
    keeper: int
    others: tuple[tuple[int, float], ...]

    @property
    def photos(self) -> tuple[int, ...]:
        return (self.keeper, *(photo for photo, _ in self.others))

    @property
    def confidence(self) -> float:
        return min(confidence for _, confidence in self.others)


Partners = dict[int, dict[int, Match]]


def group(
    matches: Iterable[Match],
    *,
    rank: Mapping[int, Any],
    parted: Iterable[tuple[int, int]] = (),
) -> list[Group]:
    """Return sets in which every member matches the keeper by a measured pair.

    `rank` orders photos, the lowest first choice as keeper (`dedup.ranking.rank_key`);
    `parted` are pairs a person has answered: they stay apart. No photo is in two sets,
    and no set holds two photos known to be two shots. The order of `matches` does not
    matter. Duplicates are placed first; what is left may form sets of similar shots.
    """
    matches = list(matches)
    answered = {frozenset(pair) for pair in parted}
    known = {frozenset((m.left, m.right)) for m in matches if m.separates}
    apart = _Apart(
        known | answered,
        {frozenset((m.left, m.right)) for m in matches if m.unlike and not m.separates},
        rank,
    )
    placed: set[int] = set()
    duplicates = _partners(matches, Kind.DUPLICATES, apart.known)
    groups = _stars(
        Kind.DUPLICATES, _one_shot_each(duplicates, apart), rank, apart, placed
    )
    similar = _partners(matches, Kind.SIMILAR_SHOTS, answered)
    apart = _Apart(answered, set(), rank)
    groups += _stars(Kind.SIMILAR_SHOTS, similar, rank, apart, placed)
    return groups


class _Apart:
    """Which photos may not be in one set.

    Those `known` to be two shots, or answered by a person, never. Those that only look
    `unlike` each other may, round a better photo that both surely match: its copies may
    be altered in two ways.
    """

    def __init__(
        self,
        known: set[frozenset[int]],
        unlike: set[frozenset[int]],
        rank: Mapping[int, Any],
    ) -> None:
        self.known = known
        self.rank = rank
        self.strangers: dict[int, set[int]] = defaultdict(set)
        for one, two in map(tuple, known | unlike):
            self.strangers[one].add(two)
            self.strangers[two].add(one)

    def are(self, one: int, two: int, middle: int, near: Mapping[int, Match]) -> bool:
        """Return whether two photos that both match the one in the middle stay apart.

        `near` are the matches of the middle one.
        """
        if two not in self.strangers[one]:
            return False
        if frozenset((one, two)) in self.known:
            return True
        return not all(
            near[photo].confidence >= SURE and self.rank[photo] > self.rank[middle]
            for photo in (one, two)
        )

    def keep_out(
        self,
        photo: int,
        members: Iterable[int],
        keeper: int,
        near: Mapping[int, Match],
        matches: Mapping[int, Match],
    ) -> bool:
        """Return whether a photo stays out of a set: it is apart from too many members.

        From one, if they are known to be two shots; else from more than it `matches`.
        """
        strangers = self.strangers[photo].intersection(members)
        if any(frozenset((photo, one)) in self.known for one in strangers):
            return True
        unlike = sum(self.are(photo, one, keeper, near) for one in strangers)
        return unlike > sum(one in matches for one in members)


def _partners(
    matches: Iterable[Match], kind: Kind, apart: set[frozenset[int]]
) -> Partners:
    partners: Partners = defaultdict(dict)
    for match in matches:
        if match.kind == kind and frozenset((match.left, match.right)) not in apart:
            partners[match.left][match.right] = match
            partners[match.right][match.left] = match
    return partners


def _one_shot_each(partners: Partners, apart: _Apart) -> Partners:
    """Leave every photo only the partners that go with its best one.

    A copy without a capture time agrees with each frame of its burst: it is a copy of
    the one it agrees with best, and if none leads clearly that is a guess.
    """
    kept: Partners = defaultdict(dict)
    for photo, others in partners.items():
        order = sorted(others, key=lambda other: (-others[other].strength, other))
        best = order[0]
        rivals = [other for other in order[1:] if apart.are(best, other, photo, others)]
        lead = others[best].strength - others[rivals[0]].strength if rivals else 1.0
        for other in order:
            if other not in rivals:
                kept[photo][other] = _doubted(others[other], lead=lead)
    return {
        photo: {
            other: min(match, kept[other][photo], key=lambda one: one.confidence)
            for other, match in others.items()
            if photo in kept[other]
        }
        for photo, others in kept.items()
    }


def _doubted(match: Match, *, lead: float) -> Match:
    if lead >= CLEAR_LEAD:
        return match
    confidence = min(match.confidence, UNCERTAIN)
    return replace(match, confidence=confidence)


def _stars(
    kind: Kind,
    partners: Partners,
    rank: Mapping[int, Any],
    apart: _Apart,
    placed: set[int],
) -> list[Group]:
    """Gather round each photo, the best first, the free ones that match it."""
    groups = []
    for keeper in sorted(partners, key=lambda photo: (rank[photo], photo)):
        if keeper in placed:
            continue
        others: dict[int, float] = {}
        near = partners[keeper]
        for other in sorted(
            near,
            key=lambda photo: (
                near[photo].confidence < SURE,
                -near[photo].strength,
                rank[photo],
                photo,
            ),
        ):
            # A~B and B~C do not make A~C; and two shots are never joined by a copy.
            if other not in placed and not apart.keep_out(
                other, others, keeper, near, partners[other]
            ):
                others[other] = near[other].confidence
        if others:
            groups.append(Group(kind, keeper, tuple(others.items())))
            placed.update((keeper, *others))
    return groups
