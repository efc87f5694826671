"""Which sets are alike enough to be decided as one, and what a sample of them proves.

A pattern says what the sets of a batch have in common: where the photo that stays and
those that go were seen, how they differ, how large the one is beside the others, and who
of them has its camera's data. It is a fixed function of one set, so that a set has its
batch at once and for good.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import comb

from dedup.relation import Name

# Raise this when sets would be placed otherwise than before.
RECIPE = 1

# Confidence below which a person looks at a set by itself.
SURE = 0.9
# How certain the statement about a sample is.
CERTAINTY = 0.95
# Sets of a batch that have to be looked at before all are carried out.
MUST_LOOK = 20

SEVERAL = "*"
# Folders that say by themselves what lies in them, wherever they are.
TELLING = re.compile(
    r"dcim|camera|camera ?roll|camera ?uploads?|whatsapp.*|telegram.*|signal.*|viber.*"
    r"|screenshots?|downloads?|instagram|facebook.*|snapchat|messenger|mms|bluetooth"
    r"|picasa.*|thumbnails?|previews?|masters|originals?|edited|exports?|scans?"
)
SAME_SIZE = 0.98  # of the longer edge: a pixel row lost is no other size
CLEARLY_SMALLER = 0.7
MUCH_SMALLER = 0.35


class Scale(StrEnum):
    """How large the photos that go are beside the one that stays."""

    SAME = "same"
    SMALLER = "smaller"
    CLEARLY_SMALLER = "clearly_smaller"
    MUCH_SMALLER = "much_smaller"
    LARGER = "larger"
    SEVERAL = "several"


class Camera(StrEnum):
    """Who carries its camera's data: which camera, and when."""

    ALL = "all"
    SOME = "some"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Place:
    """A source (by its number; 0 if unknown) and the telling folder on it."""

    source: int = 0
    folder: str = ""


@dataclass(frozen=True, slots=True)
class One:
    """A photo of a set as far as its pattern goes; `edge` is its longer one, pixels."""

    place: Place
    edge: int = 0
    has_camera: bool = False
    is_damaged: bool = False
    relation: str = ""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What the sets of a batch have in common; `others` None where they differ in it."""

    relation: str
    keeper: Place = Place()
    others: Place | None = Place()
    scale: Scale = Scale.SEVERAL
    keeper_camera: bool = False
    others_camera: Camera = Camera.NONE

    @property
    def is_safe(self) -> bool:
        """Whether nothing of a picture can be lost: every pixel is the same."""
        return self.relation == Name.SAME_PIXELS

    @property
    def key(self) -> str:
        """Return what stands for the pattern in an index."""
        return hashlib.blake2b(repr(self).encode(), digest_size=16).hexdigest()


# One batch over all folders: who looked at equal pixels once has seen them all.
SAFE = Pattern(Name.SAME_PIXELS)


def pattern(keeper: One, others: Sequence[One], *, confidence: float) -> Pattern | None:
    """Return the pattern of a set of duplicates; None if it is to be looked at alone."""
    if confidence < SURE or not others:
        return None
    if any(one.is_damaged for one in (keeper, *others)):
        return None
    relations = {one.relation for one in others}
    if Name.DAMAGED in relations or Name.SIMILAR_SHOT in relations:
        return None
    if relations == {Name.SAME_PIXELS.value}:
        return SAFE
    places = {one.place for one in others}
    return Pattern(
        relation=relations.pop() if len(relations) == 1 else "mixed",
        keeper=keeper.place,
        others=places.pop() if len(places) == 1 else None,
        scale=_common({scale(keeper.edge, one.edge) for one in others}),
        keeper_camera=keeper.has_camera,
        others_camera=_camera(others),
    )


def _common(scales: set[Scale]) -> Scale:
    return scales.pop() if len(scales) == 1 else Scale.SEVERAL


def _camera(others: Iterable[One]) -> Camera:
    having = {one.has_camera for one in others}
    if len(having) > 1:
        return Camera.SOME
    return Camera.ALL if having == {True} else Camera.NONE


def scale(keeper: int, other: int) -> Scale:
    """Return how long an edge is beside the keeper's, both in pixels."""
    if not keeper or not other:
        return Scale.SEVERAL
    share = other / keeper
    if share > 1 / SAME_SIZE:
        return Scale.LARGER
    if share >= SAME_SIZE:
        return Scale.SAME
    if share >= CLEARLY_SMALLER:
        return Scale.SMALLER
    return Scale.CLEARLY_SMALLER if share >= MUCH_SMALLER else Scale.MUCH_SMALLER


def folder(path: str) -> str:
    """Return the folder of a source by which what lies in it is known.

    The innermost one whose name says what it holds, such as "WhatsApp Images"; else the
    outermost one: years and events below it make no difference to which copy stays.
    """
    names = path.split("/")[:-1]
    telling = [name for name in names if TELLING.fullmatch(name.strip().lower())]
    if telling:
        return telling[-1]
    return names[0] if names else ""


def lot(number: int, digest: str) -> int:
    """Return a set's place in a random order that never changes, 63 bits."""
    drawn = hashlib.blake2b(f"{number} {digest}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn) >> 1


def position(
    batch: int | None,
    is_safe: bool,  # noqa: FBT001
    keeper: Place,
    others: Place | None,
    taken_at: datetime | None,
) -> str:
    """Return what sorts sets by batch, pair of folders and date; what has none is last.

    Digits and small letters only, of one length: every database sorts them alike.
    """
    first = "9" * 13 if batch is None else f"{0 if is_safe else 1}{batch:012d}"
    pair = hashlib.blake2b(repr((keeper, others)).encode(), digest_size=4).hexdigest()
    taken = f"{taken_at:%Y%m%d%H%M%S}".zfill(14) if taken_at else "9" * 14
    return f"{first}{pair}{taken}"


def most_wrong(wrong: int, looked: int) -> float:
    """Return the largest share of wrong ones that a random sample leaves possible.

    The upper end of Clopper and Pearson's exact interval, one-sided, at CERTAINTY.
    """
    if wrong >= looked:
        return 1.0
    low, high = wrong / looked, 1.0
    for _ in range(50):
        share = (low + high) / 2
        if _at_most(wrong, looked, share) > 1 - CERTAINTY:
            low = share
        else:
            high = share
    return high


def _at_most(wrong: int, looked: int, share: float) -> float:
    """Return how likely so few wrong ones are, if this share of all is wrong."""
    return sum(
        comb(looked, count) * share**count * (1 - share) ** (looked - count)
        for count in range(wrong + 1)
    )
