"""The judge: are two photos the same picture, and how do they differ?

Pure rules over measurements. Every threshold here was chosen on one half of the photos
and checked on the other (docs/matching.md). Where the measurement does not suffice the
answer is "distinct", without claiming that the two were two shots.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from math import log
from typing import Any

from dedup.alignment import Alignment
from dedup.naming import UNNAMED, Named
from gallery.descent import TOLD, Descent
from gallery.detail import TRUE_DETAIL

# Raise this when the judge would answer otherwise than before.
RECIPE = 11

ENOUGH_BLOCKS = 12  # textured blocks below which agreement proves nothing
ALIKE = 0.8  # share of agreeing blocks of two copies
SURE = 0.95  # share from which on nothing is in doubt
ANOTHER_PATCH = 3  # blocks in one place that differ, which may be another moment
DOUBT = 0.65  # the most confidence then
MOVED = 0.02  # share of blocks found elsewhere that makes two shots
STRAYS = 5  # points of one place that drift by themselves, which makes two shots
ELSEWHERE = 3  # blocks of a patch found at another place, which makes two shots
SAME_SCENE = 0.15  # share of agreeing blocks of two shots of one scene
SAME_SCENE_INLIERS = 30
WHOLE = 0.985  # correlation of pictures with too little texture for blocks
RESIDUAL = 4.0  # grey levels that no change of tone explains in such pictures
SPREAD = 8.0  # grey levels: the least contrast of such pictures
WHOLE_FRAME = 0.987  # share shown of both, above which nothing was cut off
FRAMED = 2.2  # step across the edge over those beside it, above which a frame begins
BARE = 0.015  # detail outside over that inside, below which there is nothing but paint
ONE_COLOUR, MOSTLY_ONE_COLOUR, MANY_COLOURS = 0.97, 0.9, 0.8  # share outside
BAR = 2.1  # step across the edge of a bar with words
ASLANT = 5.0  # step across the edge of a screen or a print in a room
EDGELESS = 1.7  # step across the edge below which a picture goes on
FOOT = 0.03  # share of a picture from which on a part of it is missing
PLAIN = 0.35  # detail outside over that inside, above which only twice the step counts
KEYSTONE = 1.015  # opposite sides this unequal are of one seen aslant
MARK = 0.0003  # share of the picture from which on a thing was put on it
BLOT = 0.006  # the same where colours went or became few
COMPRESSED = 0.012  # detail that a step of JPEG quality less may add
HUES = 3.0  # levels of colour from which on a picture is coloured
SHIFT = 2.5  # grey levels from which on colours were changed
COARSE = 0.13  # levels more for each step of JPEG quality below 40
GRAIN = 2.0  # grey levels that compression and noise leave anyway
UNEXPLAINED = 0.065  # share of the contrast no tone curve explains, if shot again
SHOT_AGAIN = 0.95  # sum of what speaks for a second shot, each in units of its own
TILT, BEND, UNEVEN = 2.5, 0.2, 0.6  # those units, about what one copy in 100 reaches
TILT_COUNTS = 0.6  # at most: a copy may be straightened in perspective
SAME_FRAME = 2.0  # thousandths of the long edge within which two frames are one
ONE_FRAME = 0.5  # the same where all agrees
STILL = 0.2  # pixels of shared drift up to which nothing is seen from elsewhere
HOLDS, HELD = 0.06, 0.4  # most blocks that differ, least that agree, where tones bent
PEN, AROUND = 0.6, 0.97  # share of two colours in a drawing, and of agreement round it
STEADY, FITTING = 0.1, 200  # pixels of drift and keypoints of one plane seen aslant
FLAT, EVEN = 0.064, 0.42  # pixels of drift, and unevenness, of one flat picture
FEW_COPIES_SHARE = 0.18  # share of keypoints that few copies fall below
FEW_IN_WINDOW = 0.1  # the same where only a window of the overlap agrees
MANY_SHARED = 0.45  # the same, seldom of two shots unless only the focus differs
SHARED = 0.25  # share of keypoints round a drawing
ELSEWHERE_TILT, ELSEWHERE_MOTION = 2.0, 0.45  # of a thing seen from two places
HARDLY_SHARED, HARDLY_MOVES = 0.12, 0.25  # keypoints and motion that go with none
FEW_SHARED = 0.3  # share of keypoints that such seldom reach
INLIERS_A_BLOCK = 8  # matching keypoints that prove as much as a textured block
PLAINLY = 3.0  # log odds of descent that outweigh what only looks later
STRETCHED = 1.02  # scale across over scale down, above which it was squeezed
ONE_VIEW = 0.85  # share shown of both, below which one was cut out or put into another
NEARLY_EQUAL = 4.0  # grey levels between thumbnails of equal pixels

TURNED = 0.7  # degrees from which on a picture was turned
REDUCED = 0.9  # scale from which down a copy is a reduced one
STRAIGHT = 0.9999  # cosine of them: turned by right angles only

CAMERA_CLOCKS = frozenset({"exif_original", "exif_digitised"})


class Kind(StrEnum):
    """What two photos are to each other."""

    DUPLICATES = "duplicates"
    SIMILAR_SHOTS = "similar_shots"
    DISTINCT = "distinct"


class Name(StrEnum):
    """How the members of a pair differ, the most telling first."""

    DAMAGED = "damaged"
    SAME_PIXELS = "same_pixels"
    FRAMED = "framed"
    CROPPED = "cropped"
    MIRRORED = "mirrored"
    TURNED = "turned"
    EDITED = "edited"
    RECOLOURED = "recoloured"
    RESIZED = "resized"
    RESAVED = "resaved"
    SIMILAR_SHOT = "similar_shot"


# What tells which of two is the later one, if one was saved from the other.
_LATER = frozenset(
    {Name.RESAVED, Name.RECOLOURED, Name.EDITED, Name.TURNED, Name.MIRRORED}
)


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"
    UNKNOWN = "unknown"

    @property
    def other(self) -> "Side":
        return {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}.get(self, self)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one photo besides its thumbnail.

    `width` and `height`: full size in pixels, upright. `taken_at`: local wall time, with
    microseconds where the camera gives them, and `taken_from` where it comes from
    (gallery.dates). `exposure`: seconds, f-number, ISO, as far as known. `pixel_digest`:
    of the decoded upright pixels, when it was computed. `named`: what its paths say.
    """

    digest: str
    file_size: int
    width: int
    height: int
    format: str
    camera_make: str = ""
    camera_model: str = ""
    taken_at: datetime | None = None
    taken_from: str = "none"
    exposure: tuple[float | None, float | None, float | None] = (None, None, None)
    software: str = ""
    has_maker_note: bool = False
    jpeg_quality: int | None = None
    sightings: int = 1
    problem: str = ""
    pixel_digest: str = ""
    named: Named = UNNAMED

    @property
    def has_camera(self) -> bool:
        return bool(self.camera_make or self.camera_model)

    @property
    def camera_time(self) -> datetime | None:
        """When the camera says it was taken; None where the time rests on less."""
        if self.has_camera and self.taken_from in CAMERA_CLOCKS:
            return self.taken_at
        return None

    @property
    def pixels(self) -> int:
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class Relation:
    """One way in which two photos differ, with the numbers that prove it.

    `of` is the altered one of the two, where that can be told.
    """

    name: Name
    of: Side = Side.UNKNOWN
    numbers: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer about a pair, left against right.

    `confidence`: 0 to 1. `strength`: how well the two agree, for comparing answers with
    one another. `separates`: there is positive evidence that these are two shots, so
    that nothing may bring them into one set. `because`: one sentence for a person.
    `numbers` are the measurement itself (`dedup.alignment.Alignment`) as JSON knows it.
    """

    kind: Kind
    confidence: float
    because: str
    strength: float = 0.0
    separates: bool = False
    relations: tuple[Relation, ...] = ()
    numbers: dict[str, Any] | None = None

    @property
    def names(self) -> tuple[Name, ...]:
        return tuple(relation.name for relation in self.relations)

    @property
    def primary(self) -> Name | None:
        """The most telling relation, or None for distinct photos."""
        return self.names[0] if self.relations else None

    def relation(self, name: Name) -> Relation | None:
        return next((one for one in self.relations if one.name == name), None)

    def altered(self, side: Side) -> set[Name]:
        """Return what was done to the photo on this side, as far as it can be told."""
        return {one.name for one in self.relations if one.of == side}

    @property
    def is_of_one_view(self) -> bool:
        """Whether both show about the same section, as two shots of a series do."""
        numbers = self.numbers or {}
        shown = numbers.get("left_overlap", 1.0), numbers.get("right_overlap", 1.0)
        return min(shown) > ONE_VIEW

    def swapped(self) -> "Judgement":
        """Return the same answer with left and right exchanged (but for `numbers`)."""
        return replace(self, relations=tuple(map(_swapped, self.relations)))

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"relations": [asdict(one) for one in self.relations]}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Judgement":
        relations = tuple(
            Relation(Name(one["name"]), Side(one["of"]), one["numbers"])
            for one in stored["relations"]
        )
        known = {one.name: stored[one.name] for one in fields(cls)}
        return cls(**known | {"kind": Kind(stored["kind"]), "relations": relations})


def judge(
    left: Facts,
    right: Facts,
    alignment: Alignment,
    distance: int | None = None,
    *,
    detail: float | None = None,
    descent: Descent | None = None,
) -> Judgement:
    """Say what two photos are to each other.

    `distance` is that of their perceptual hashes (bits of 256), where they were found
    by them; `detail` what `gallery.detail.beyond` measured, where `wants_detail` asked,
    `descent` what `gallery.descent.descent` did where `wants_descent` asked.
    """
    answer = _kind(left, right, alignment, distance)
    if answer.kind == Kind.DUPLICATES:
        relations = tuple(_relations(left, right, alignment, detail))
        answer = replace(answer, relations=relations or (Relation(Name.RESAVED),))
        if descent is not None and abs(descent.odds) >= TOLD:
            answer = _made_from(answer, descent)
    elif answer.kind == Kind.SIMILAR_SHOTS:
        answer = replace(answer, relations=(Relation(Name.SIMILAR_SHOT),))
    return replace(answer, strength=_strength(alignment), numbers=_numbers(alignment))


def wants_pixel_digest(
    left: Facts, right: Facts, judgement: Judgement, alignment: Alignment
) -> bool:
    """Return whether comparing full-size pixels could change the answer.

    Only where both have the same size and hardly differ as thumbnails; what two decoders
    made of one file differs by a few grey levels.
    """
    same_size = (left.width, left.height) == (right.width, right.height)
    known = bool(left.pixel_digest and right.pixel_digest)
    broken = bool(left.problem or right.problem)
    return (
        same_size
        and not known
        and not broken
        and not _partly_shown(alignment)
        and not alignment.mirrored
        and abs(alignment.degrees) < 1
        and alignment.tone.difference < NEARLY_EQUAL
    )


def wants_descent(
    left: Facts, right: Facts, judgement: Judgement, alignment: Alignment
) -> int | None:
    """Return the turn at which to ask which of two was made from the other.

    `gallery.descent.descent` answers it from the pixels; None where there is nothing to
    ask, where the camera's data tell, or where they are not of one shape.
    """
    turn = _upright_turn(alignment)
    if judgement.kind != Kind.DUPLICATES or turn is None:
        return None
    if left.problem or right.problem or Name.SAME_PIXELS in judgement.names:
        return None
    if _partly_shown(alignment) or not _is_one_shape(left, right, turn):
        return None
    if (
        left.has_camera != right.has_camera
        and not turn
        and not _may_be_enlarged(left, right)
    ):
        return None
    return turn if "JPEG" in (left.format, right.format) else None


def _is_one_shape(left: Facts, right: Facts, turn: int) -> bool:
    """Return whether both have one size once turned, or one is the other reduced."""
    width, height = right.width, right.height
    if turn >= 4:
        width, height = height, width
    if (left.width, left.height) == (width, height):
        return True
    across, down = width / max(1, left.width), height / max(1, left.height)
    reduced = not REDUCED < across < 1 / REDUCED
    return reduced and 1 / STRETCHED < across / max(down, 1e-9) < STRETCHED


def _may_be_enlarged(left: Facts, right: Facts) -> bool:
    """Return whether the larger one is the one without a camera's data."""
    large, small = (left, right) if left.pixels > right.pixels else (right, left)
    return large.pixels > small.pixels and small.has_camera and not large.has_camera


# How pixels move under turn 0 to 3, and under 4 to 7 once they are transposed.
_AXES = ((1, 1), (-1, 1), (-1, -1), (1, -1))


def _upright_turn(alignment: Alignment) -> int | None:
    """Return the turn 0 to 7 (dedup.perceptual) that lays left on right, if one does."""
    xx, xy, _, yx, yy, *_ = alignment.matrix
    length = (xx * xx + xy * xy + yx * yx + yy * yy) ** 0.5
    for turn in range(8):
        across, down = _AXES[turn % 4]
        straight = across * xx + down * yy if turn < 4 else across * xy + down * yx
        if straight > STRAIGHT * 2**0.5 * length:
            return turn
    return None


def _made_from(answer: Judgement, descent: Descent) -> Judgement:
    """Return the answer with the side made known that was made from the other."""
    side = Side.RIGHT if descent.odds > 0 else Side.LEFT
    found = {"odds": abs(descent.odds), "because": descent.because}
    plainly = abs(descent.odds) >= PLAINLY

    def known(one: Relation) -> Relation:
        if one.name == Name.RESIZED and descent.because in ("enlarged", "reduced"):
            enlarged = side if descent.because == "enlarged" else Side.UNKNOWN
            return replace(one, of=enlarged, numbers=(one.numbers or {}) | found)
        if one.name in _LATER and (one.of == Side.UNKNOWN or plainly):
            return replace(one, of=side, numbers=(one.numbers or {}) | found)
        return one

    return replace(answer, relations=tuple(map(known, answer.relations)))


def _partly_shown(alignment: Alignment) -> bool:
    shown = alignment.traces.left_shown, alignment.traces.right_shown
    return min(shown) < WHOLE_FRAME


def wants_detail(
    left: Facts, right: Facts, judgement: Judgement
) -> tuple[Side, int] | None:
    """Return which photo may have been enlarged, and from which long edge in pixels.

    `gallery.detail.beyond` answers it from the full-size picture; None where there is
    nothing to ask.
    """
    resized = judgement.relation(Name.RESIZED)
    if judgement.kind != Kind.DUPLICATES or resized is None or not resized.numbers:
        return None
    factor = resized.numbers["factor"]
    side, facts = (Side.RIGHT, right) if factor > 1 else (Side.LEFT, left)
    if "detail" in resized.numbers or facts.problem:
        return None
    return side, round(max(facts.width, facts.height) * min(factor, 1 / factor))


# Kind


def _kind(
    left: Facts, right: Facts, alignment: Alignment, distance: int | None
) -> Judgement:
    if left.pixel_digest and left.pixel_digest == right.pixel_digest:
        return Judgement(Kind.DUPLICATES, 1.0, "Every pixel is the same.")
    shots = two_shots(left, right)
    if shots:
        return _two_shots(alignment, distance, shots)
    if not _enough(alignment):
        return _by_the_whole(alignment)
    if alignment.agreement < ALIKE and not _is_altered(alignment):
        return _unlike(alignment)
    if alignment.window < 1 and not _lies_in_place(alignment):
        return _unlike(alignment)
    same_moment = left.camera_time is not None and left.camera_time == right.camera_time
    if _has_motion(alignment):
        return Judgement(
            Kind.SIMILAR_SHOTS, 0.8, "Something moved between the two.", separates=True
        )
    if not same_moment and _looks_shot_again(alignment):
        return Judgement(
            Kind.SIMILAR_SHOTS,
            0.5,
            "They agree, but less well than copies do.",
        )
    return _alike(left, right, alignment)


def _enough(alignment: Alignment) -> bool:
    matching = alignment.inliers / INLIERS_A_BLOCK
    return (
        alignment.blocks >= ENOUGH_BLOCKS // 2
        and alignment.blocks + matching >= ENOUGH_BLOCKS
    )


def two_shots(left: Facts, right: Facts) -> str:
    """Return what in the files themselves says that these are two shots, or ""."""
    ours, theirs = left.camera_time, right.camera_time
    if ours and theirs:
        precise = ours.microsecond and theirs.microsecond
        if not precise:
            ours, theirs = ours.replace(microsecond=0), theirs.replace(microsecond=0)
        if ours != theirs:
            return "The cameras' own capture times differ."
        if _exposures_differ(left, right):
            return "They were taken with different exposures."
    return ""


def _exposures_differ(left: Facts, right: Facts) -> bool:
    pairs = zip(left.exposure, right.exposure, strict=True)
    # Rewriting a fraction moves it by less than a fiftieth; a bracket by a third.
    return any(a and b and not 0.98 < a / b < 1.02 for a, b in pairs)


def _two_shots(alignment: Alignment, distance: int | None, why: str) -> Judgement:
    near = distance is not None and distance <= 32
    alike = near or _same_scene(alignment)
    kind = Kind.SIMILAR_SHOTS if alike else Kind.DISTINCT
    return Judgement(kind, 0.95, why, separates=True)


def _same_scene(alignment: Alignment) -> bool:
    if not _enough(alignment):
        return False
    return alignment.agreement >= 0.5 or (
        alignment.agreement >= SAME_SCENE and alignment.inliers >= SAME_SCENE_INLIERS
    )


def _unlike(alignment: Alignment) -> Judgement:
    if _same_scene(alignment):
        return Judgement(
            Kind.SIMILAR_SHOTS,
            0.7,
            "The same scene, but many places differ.",
        )
    return Judgement(Kind.DISTINCT, 0.9, "They do not show the same.")


def _is_same_frame(alignment: Alignment) -> bool:
    """Return whether both show one frame, edge on edge, and nothing drifts within it.

    Nobody holds a camera so still, and another focus is another scale, too.
    """
    if alignment.apart > SAME_FRAME:
        return False
    # Grain and few colours are followed anywhere: where all agrees nothing drifts.
    in_place = alignment.apart <= ONE_FRAME and alignment.agreement >= SURE
    return in_place or alignment.bend <= STILL


def _is_altered(alignment: Alignment) -> bool:
    """Return whether one frame agrees less than copies do because it was worked on.

    Either everything is still there, but blurred, sharpened or of other tones by place;
    or what covers it is a drawing, and round it all agrees.
    """
    if _has_motion(alignment) or alignment.agreement < HELD:
        return False
    drawn = alignment.drawn >= PEN and alignment.remaining >= AROUND
    if not _is_same_frame(alignment):
        return drawn and _is_flat(alignment) and alignment.shared >= SHARED
    return drawn or alignment.differing <= HOLDS


def _is_one_plane(alignment: Alignment) -> bool:
    """Return whether it is one flat picture seen aslant: all fits and nothing drifts.

    From another place what stands nearer drifts, and far fewer keypoints are the same.
    """
    many = alignment.inliers >= max(FITTING, alignment.blocks)
    return many and max(alignment.bend, 0.4 * alignment.motion) <= STEADY


def _is_flat(alignment: Alignment) -> bool:
    """Return whether nothing drifts, and nothing is sharp where it was not before."""
    drift = max(alignment.bend, 0.2 * alignment.motion)
    room = 2 * FLAT if alignment.shared >= MANY_SHARED else FLAT
    return drift <= room and _unevenness(alignment) <= EVEN


def _lies_in_place(alignment: Alignment) -> bool:
    """Return whether what agrees in a window is the same picture and no likeness."""
    if _is_same_frame(alignment):
        return True
    return _is_flat(alignment) and alignment.shared >= FEW_IN_WINDOW


def _is_seen_from_elsewhere(alignment: Alignment) -> bool:
    """Return whether it is one flat thing, photographed from two places.

    A copy may be tilted, but all of it then lies in place to a part of a pixel.
    """
    if alignment.shared < HARDLY_SHARED and alignment.motion > HARDLY_MOVES:
        return True
    tilted = alignment.tilt >= ELSEWHERE_TILT and alignment.motion >= ELSEWHERE_MOTION
    return tilted and alignment.shared < FEW_SHARED


def _has_motion(alignment: Alignment) -> bool:
    if alignment.strays >= STRAYS or alignment.elsewhere >= ELSEWHERE:
        return True
    return alignment.moved >= 2 and alignment.moved > MOVED * alignment.blocks


def _looks_shot_again(alignment: Alignment) -> bool:
    """Return whether all agrees, but less well than copies do.

    Something is left that no change of tone explains, and the geometry or the focus is
    not that of one picture.
    """
    if _is_same_frame(alignment) or _is_one_plane(alignment):
        return False
    if _is_seen_from_elsewhere(alignment):
        return True
    if _is_flat(alignment) and alignment.shared >= FEW_COPIES_SHARE:
        return False
    signs = signs_of_another_shot(alignment)
    return _is_unexplained(alignment) and signs > SHOT_AGAIN


def _is_unexplained(alignment: Alignment) -> bool:
    return alignment.tone.residual > max(GRAIN, UNEXPLAINED * alignment.spread)


def signs_of_another_shot(alignment: Alignment) -> float:
    """Return what speaks for a second shot: 0 for most copies, above 1 for hardly any.

    Another point of view tilts and bends what it shows, another focus is sharp elsewhere;
    a picture blurred or sharpened as a whole changes a little unevenly, too.
    """
    return (
        min(TILT_COUNTS, alignment.tilt / TILT)
        + alignment.bend / BEND
        + max(0.0, _unevenness(alignment)) / UNEVEN
    )


def _unevenness(alignment: Alignment) -> float:
    return alignment.uneven - 0.25 * abs(log(max(alignment.sharpness, 1e-3)))


def _by_the_whole(alignment: Alignment) -> Judgement:
    """Judge pictures with hardly any texture: strictly, and never with certainty."""
    same_frame = alignment.method == "frame" and alignment.spread >= SPREAD
    agreeing = alignment.blocks == 0 or alignment.agreement >= ALIKE
    exact = alignment.whole >= WHOLE and alignment.tone.residual <= RESIDUAL
    if same_frame and agreeing and exact and alignment.differing == 0:
        return Judgement(
            Kind.DUPLICATES,
            0.6,
            "There is little to see in them, but all of it agrees.",
        )
    return Judgement(Kind.DISTINCT, 0.5, "There is too little in them to judge by.")


def _alike(left: Facts, right: Facts, alignment: Alignment) -> Judgement:
    margin = max(0.0, alignment.agreement - ALIKE) / (SURE - ALIKE)
    confidence = 0.6 + 0.35 * min(1.0, margin)
    percent = int(100 * alignment.agreement)
    because = f"{percent} % of what can be compared agrees."
    if left.camera_time and left.camera_time == right.camera_time:
        confidence = min(0.99, confidence + 0.1)
    elif _is_changed_in_place(left, right, alignment):
        # A blink of an eye on a tripod: put on it or another moment, nothing tells.
        confidence = min(DOUBT, confidence)
        because = f"{percent} % of what can be compared agrees, but one part differs."
    elif _is_unexplained(alignment) and signs_of_another_shot(alignment) > 0.7:
        confidence = min(DOUBT, confidence)
    return Judgement(Kind.DUPLICATES, confidence, because)


def _is_changed_in_place(left: Facts, right: Facts, alignment: Alignment) -> bool:
    """Return whether something in one frame is another thing in the other one."""
    if alignment.largest >= ANOTHER_PATCH:
        return True
    if _partly_shown(alignment) or alignment.mirrored:
        return False
    return alignment.traces.mark > _least_mark(left, right, alignment)


def _strength(alignment: Alignment) -> float:
    """Return a figure to choose the best of several answers by, 0 to about 1."""
    return round(alignment.correlation * alignment.agreement, 6)


# Relations


def _relations(
    left: Facts, right: Facts, alignment: Alignment, detail: float | None
) -> Iterator[Relation]:
    """Yield how two photos of one picture differ, the most telling first."""
    for side, facts in ((Side.LEFT, left), (Side.RIGHT, right)):
        if facts.problem:
            yield Relation(Name.DAMAGED, side, {"problem": facts.problem})
    yield from _missing(alignment)
    if left.pixel_digest and left.pixel_digest == right.pixel_digest:
        yield Relation(Name.SAME_PIXELS)
        return
    yield from _frame(alignment)
    yield from _turn(alignment)
    yield from _content(left, right, alignment)
    yield from _colours(left, right, alignment)
    yield from _size(left, right, alignment, detail)
    yield from _saving(left, right)


def _missing(alignment: Alignment) -> Iterator[Relation]:
    """Yield that a part of one of them is the grey of what a decoder did not find."""
    found = alignment.traces
    for side, share in ((Side.LEFT, found.left_foot), (Side.RIGHT, found.right_foot)):
        if share > FOOT:
            yield Relation(Name.DAMAGED, side, {"missing": round(share, 3)})


def _frame(alignment: Alignment) -> Iterator[Relation]:
    lefts, rights = alignment.traces.left_shown, alignment.traces.right_shown
    if min(lefts, rights) > WHOLE_FRAME:
        return
    narrow = Side.RIGHT if lefts < rights else Side.LEFT
    bare = _in_bare_frame(alignment)
    if bare and bare == narrow:
        box = alignment.left_box if bare == Side.LEFT else alignment.right_box
        yield Relation(
            Name.FRAMED, bare, {"box": box, "share": round(max(lefts, rights), 4)}
        )
        return
    box = alignment.left_box if narrow == Side.RIGHT else alignment.right_box
    numbers = {"box": box, "share": round(min(lefts, rights), 4)}
    if _is_framed(alignment):
        yield Relation(Name.FRAMED, narrow.other, numbers)
    else:
        # Where each shows something the other does not, neither is the whole picture.
        whole = max(lefts, rights) > 0.96 and _goes_on(alignment)
        numbers["seam"] = round(alignment.traces.seam or 0.0, 2)
        yield Relation(Name.CROPPED, narrow if whole else Side.UNKNOWN, numbers)


def _in_bare_frame(alignment: Alignment) -> Side | None:
    """Return which one has a frame where each shows something the other does not."""
    found = alignment.traces
    left, right = found.left_plain or 0.0, found.right_plain or 0.0
    if max(found.left_shown, found.right_shown) > WHOLE_FRAME:
        return None
    if max(left, right) < ONE_COLOUR or min(left, right) > MANY_COLOURS:
        return None
    return Side.LEFT if left > right else Side.RIGHT


def _goes_on(alignment: Alignment) -> bool:
    """Return whether the wider one goes on beyond the narrower one as it is within.

    Where it is seen aslant it may be a print or a screen in a room.
    """
    found = alignment.traces
    return found.keystone < KEYSTONE or (found.seam or 9.0) < EDGELESS


def _is_framed(alignment: Alignment) -> bool:
    """Return whether the wider photo is the narrow one with something put round it.

    A crop goes on beyond its edges as it is inside: there is no seam, and no less
    detail. What was seen from one side has wedges at its edges, but no frame.
    """
    found = alignment.traces
    wider = (
        found.left_plain if found.left_shown < found.right_shown else found.right_plain
    )
    if found.seam is None:
        bare = alignment.outside is not None and alignment.outside < BARE
        return bare or (wider or 0.0) >= ONE_COLOUR
    if found.keystone > KEYSTONE:
        return found.seam > ASLANT
    if (wider or 0.0) >= ONE_COLOUR and found.seam > EDGELESS:
        return True
    if (wider or 0.0) >= MOSTLY_ONE_COLOUR:
        return found.seam > BAR
    plain = alignment.outside is None or alignment.outside < PLAIN
    return found.seam > (FRAMED if plain else 2 * FRAMED)


def _turn(alignment: Alignment) -> Iterator[Relation]:
    if alignment.mirrored:
        yield Relation(Name.MIRRORED)
    if abs(alignment.degrees) > TURNED:
        yield Relation(
            Name.TURNED, Side.UNKNOWN, {"degrees": round(alignment.degrees, 1)}
        )


def _content(left: Facts, right: Facts, alignment: Alignment) -> Iterator[Relation]:
    """Yield that something was put on one of them, or cut out of it."""
    marked = alignment.traces.mark > _least_mark(left, right, alignment)
    seen_aslant = alignment.traces.keystone > KEYSTONE
    stretched = alignment.stretch > STRETCHED and not seen_aslant
    differs = alignment.largest >= 2 or alignment.differing > 0.02
    if marked or seen_aslant or stretched or differs:
        yield Relation(
            Name.EDITED,
            Side.UNKNOWN,
            {
                "share": round(max(alignment.differing, alignment.traces.mark), 4),
                "patch": alignment.largest,
                "keystone": round(alignment.traces.keystone, 3),
                "stretch": round(alignment.stretch, 3),
            },
        )


def _least_mark(left: Facts, right: Facts, alignment: Alignment) -> float:
    """Return the share of the picture from which on a mark is believed.

    Where colours went, those of small things do not follow the curve of the others.
    """
    few_colours = "GIF" in (left.format, right.format)
    faded = not 0.5 < alignment.tone.saturation < 2 or alignment.tone.tint > 8
    return BLOT if few_colours or faded else MARK


def _colours(left: Facts, right: Facts, alignment: Alignment) -> Iterator[Relation]:
    tone, shift = alignment.tone, alignment.traces.shift
    least = _least_shift(left, right)
    if shift > least or (least == SHIFT and shift > 1 and _is_toned(alignment)):
        yield Relation(
            Name.RECOLOURED,
            _paler(alignment),
            {
                "shift": round(shift, 1),
                "brightness": round(tone.brightness, 1),
                "contrast": round(tone.contrast, 3),
                "saturation": round(tone.saturation, 3),
                "tint": round(tone.tint, 1),
            },
        )


def _is_toned(alignment: Alignment) -> bool:
    """Return whether contrast or saturation were changed, however little there is."""
    tone = alignment.tone
    return not 0.92 < tone.contrast < 1.08 or not 0.75 < tone.saturation < 1.33


def _least_shift(left: Facts, right: Facts) -> float:
    """Return from which shift on colours were changed, and not only compressed."""
    quality = min(left.jpeg_quality or 100, right.jpeg_quality or 100)
    return SHIFT + COARSE * max(0, 40 - quality)


def _paler(alignment: Alignment) -> Side:
    """Return the side that lost its colours, where that is plain to see.

    Sepia is lost colour too: it follows from the greys alone.
    """
    left, right = alignment.traces.left_hues, alignment.traces.right_hues
    if max(left, right) < HUES or min(left, right) > 0.3 * max(left, right):
        return Side.UNKNOWN
    return Side.RIGHT if right < left else Side.LEFT


def _size(
    left: Facts, right: Facts, alignment: Alignment, detail: float | None
) -> Iterator[Relation]:
    factor = size_factor(left, right, alignment)
    if 0.98 < factor < 1.02:
        return
    numbers = {"factor": round(factor, 4)}
    enlarged = Side.UNKNOWN
    if detail is not None:
        numbers["detail"] = round(detail, 3)
        small, large = (left, right) if factor > 1 else (right, left)
        if detail < _true_detail(small, large):
            enlarged = Side.RIGHT if factor > 1 else Side.LEFT
    yield Relation(Name.RESIZED, enlarged, numbers)


def _true_detail(small: Facts, large: Facts) -> float:
    """Return from which detail on the larger one is true.

    Coarse compression puts detail of its own into an enlarged picture.
    """
    coarser = max(0, (small.jpeg_quality or 0) - (large.jpeg_quality or 100))
    return min(1.0, TRUE_DETAIL + COMPRESSED * coarser)


def size_factor(left: Facts, right: Facts, alignment: Alignment) -> float:
    """Return how many full-size pixels of the right make one of the left."""
    reduced = [
        max(facts.width, facts.height) / max(1, *size)
        for facts, size in (
            (left, alignment.left_size),
            (right, alignment.right_size),
        )
    ]
    return alignment.traces.growth * reduced[1] / max(reduced[0], 1e-9)


def _saving(left: Facts, right: Facts) -> Iterator[Relation]:
    numbers: dict[str, Any] = {"format": right.format}
    if right.jpeg_quality:
        numbers["quality"] = right.jpeg_quality
    yield Relation(Name.RESAVED, Side.UNKNOWN, numbers)


def _swapped(relation: Relation) -> Relation:
    numbers = dict(relation.numbers or {})
    for name in ("factor", "contrast", "saturation"):
        if numbers.get(name):
            numbers[name] = round(1 / numbers[name], 4)
    for name in ("degrees", "brightness"):
        if name in numbers:
            numbers[name] = -numbers[name]
    return Relation(relation.name, relation.of.other, numbers or None)


def _numbers(alignment: Alignment) -> dict[str, Any]:
    """Return the measurement with figures rounded to what they are worth."""

    def short(value: Any) -> Any:
        if isinstance(value, float):
            return round(value, 5)
        if isinstance(value, tuple | list):
            return [short(one) for one in value]
        if isinstance(value, dict):
            return {name: short(one) for name, one in value.items()}
        return value

    return {name: short(value) for name, value in asdict(alignment).items()}
