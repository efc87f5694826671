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
from gallery.detail import TRUE_DETAIL
from gallery.generations import SAVED_FROM

# Raise this when the judge would answer otherwise than before.
RECIPE = 7

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
PLAIN = 0.6  # detail outside over that inside, above which only twice the step counts
KEYSTONE = 1.015  # opposite sides this unequal are of one seen aslant
MARK = 0.0003  # share of the picture from which on a thing was put on it
BLOT = 0.006  # the same where colours went or became few
COMPRESSED = 0.012  # detail that a step of JPEG quality less may add
HUES = 3.0  # levels of colour from which on a picture is coloured
SHIFT = 2.5  # grey levels from which on colours were changed
COARSE = 0.13  # levels more for each step of JPEG quality below 40
UNEXPLAINED = 0.065  # share of the contrast no tone curve explains, if shot again
SHOT_AGAIN = 0.95  # sum of what speaks for a second shot, each in units of its own
TILT, BEND, UNEVEN = 2.5, 0.2, 0.6  # those units, about what one copy in 100 reaches
TILT_COUNTS = 0.6  # at most: a copy may be straightened in perspective
SAME_FRAME = 2.0  # thousandths of the long edge within which two frames are one
STILL = 0.2  # pixels of shared drift up to which nothing is seen from elsewhere
HOLDS, HELD = 0.06, 0.4  # most blocks that differ, least that agree, where tones bent
PEN, AROUND = 0.6, 0.97  # share of two colours in a drawing, and of agreement round it
STEADY, FITTING = 0.1, 200  # pixels of drift and keypoints of one plane seen aslant
INLIERS_A_BLOCK = 8  # matching keypoints that prove as much as a textured block
STRETCHED = 1.02  # scale across over scale down, above which it was squeezed
ONE_VIEW = 0.85  # share shown of both, below which one was cut out or put into another
NEARLY_EQUAL = 4.0  # grey levels between thumbnails of equal pixels

TURNED = 0.7  # degrees from which on a picture was turned
COARSE_ENOUGH = 96  # JPEG quality above which steps drown in rounding

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
_LATER = frozenset({Name.RESAVED, Name.RECOLOURED, Name.EDITED})


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
    of the decoded upright pixels, when it was computed.
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
    lattice: float | None = None,
) -> Judgement:
    """Say what two photos are to each other.

    `distance` is that of their perceptual hashes (bits of 256), where they were found
    by them; `detail` what `gallery.detail.beyond` measured, where `wants_detail` asked,
    `lattice` what `gallery.generations.lattice` did where `wants_lattice` asked.
    """
    answer = _kind(left, right, alignment, distance)
    if answer.kind == Kind.DUPLICATES:
        relations = tuple(_relations(left, right, alignment, detail))
        answer = replace(answer, relations=relations or (Relation(Name.RESAVED),))
        later = _finer(left, right)
        if lattice is not None and lattice >= SAVED_FROM and later:
            answer = _saved_from(answer, later, lattice)
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


def wants_lattice(
    left: Facts, right: Facts, judgement: Judgement, alignment: Alignment
) -> Side | None:
    """Return which photo may have been saved from the other, a coarser JPEG.

    `gallery.generations.lattice` answers it from the pixels; None where there is
    nothing to ask, or the camera's data tell.
    """
    same_frame = (left.width, left.height) == (right.width, right.height)
    turned = alignment.mirrored or abs(alignment.degrees) > TURNED
    if judgement.kind != Kind.DUPLICATES or not same_frame or turned:
        return None
    if left.problem or right.problem or _partly_shown(alignment):
        return None
    if left.has_camera != right.has_camera or Name.SAME_PIXELS in judgement.names:
        return None
    return _finer(left, right)


def _finer(left: Facts, right: Facts) -> Side | None:
    """Return the side that may hold all a coarser JPEG on the other side does."""
    ours, theirs = (_steps_of(facts) for facts in (left, right))
    if min(ours, theirs) > COARSE_ENOUGH or abs(ours - theirs) < 2:
        return None
    return Side.LEFT if ours > theirs else Side.RIGHT


def _steps_of(facts: Facts) -> int:
    # What is no JPEG has no steps of its own that could be taken for the other's.
    return facts.jpeg_quality or 101


def _saved_from(answer: Judgement, side: Side, lattice: float) -> Judgement:
    """Return the answer with the side that was saved from the other made known."""
    found = {"lattice": round(lattice, 3)}
    relations = tuple(
        replace(one, of=side, numbers=(one.numbers or {}) | found)
        if one.name in _LATER and one.of == Side.UNKNOWN
        else one
        for one in answer.relations
    )
    return replace(answer, relations=relations)


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
    return alignment.apart <= SAME_FRAME and alignment.bend <= STILL


def _is_altered(alignment: Alignment) -> bool:
    """Return whether one frame agrees less than copies do because it was worked on.

    Either everything is still there, but blurred, sharpened or of other tones by place;
    or what covers it is a drawing, and round it all agrees.
    """
    if not _is_same_frame(alignment) or _has_motion(alignment):
        return False
    holds = alignment.differing <= HOLDS and alignment.agreement >= HELD
    drawn = alignment.drawn >= PEN and alignment.remaining >= AROUND
    return holds or (drawn and alignment.agreement >= HELD)


def _is_one_plane(alignment: Alignment) -> bool:
    """Return whether it is one flat picture seen aslant: all fits and nothing drifts.

    From another place what stands nearer drifts, and far fewer keypoints are the same.
    """
    many = alignment.inliers >= max(FITTING, alignment.blocks)
    return many and max(alignment.bend, 0.4 * alignment.motion) <= STEADY


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
    signs = signs_of_another_shot(alignment)
    return _is_unexplained(alignment) and signs > SHOT_AGAIN


def _is_unexplained(alignment: Alignment) -> bool:
    return alignment.tone.residual > UNEXPLAINED * alignment.spread


def signs_of_another_shot(alignment: Alignment) -> float:
    """Return what speaks for a second shot: 0 for most copies, above 1 for hardly any.

    Another point of view tilts and bends what it shows, another focus is sharp elsewhere;
    a picture blurred or sharpened as a whole changes a little unevenly, too.
    """
    uneven = alignment.uneven - 0.25 * abs(log(max(alignment.sharpness, 1e-3)))
    return (
        min(TILT_COUNTS, alignment.tilt / TILT)
        + alignment.bend / BEND
        + max(0.0, uneven) / UNEVEN
    )


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
    elif alignment.largest >= ANOTHER_PATCH:
        confidence = min(DOUBT, confidence)
        because = f"{percent} % of what can be compared agrees, but one part differs."
    elif _is_unexplained(alignment) and signs_of_another_shot(alignment) > 0.7:
        confidence = min(DOUBT, confidence)
    return Judgement(Kind.DUPLICATES, confidence, because)


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
    if left.pixel_digest and left.pixel_digest == right.pixel_digest:
        yield Relation(Name.SAME_PIXELS)
        return
    yield from _frame(alignment)
    yield from _turn(alignment)
    yield from _content(left, right, alignment)
    yield from _colours(left, right, alignment)
    yield from _size(left, right, alignment, detail)
    yield from _saving(left, right)


def _frame(alignment: Alignment) -> Iterator[Relation]:
    lefts, rights = alignment.traces.left_shown, alignment.traces.right_shown
    if min(lefts, rights) > WHOLE_FRAME:
        return
    narrow = Side.RIGHT if lefts < rights else Side.LEFT
    box = alignment.left_box if narrow == Side.RIGHT else alignment.right_box
    numbers = {"box": box, "share": round(min(lefts, rights), 4)}
    if _is_framed(alignment):
        yield Relation(Name.FRAMED, narrow.other, numbers)
    else:
        # Where each shows something the other does not, neither is the whole picture.
        whole = max(lefts, rights) > 0.96 and alignment.traces.keystone < KEYSTONE
        numbers["seam"] = round(alignment.traces.seam or 0.0, 2)
        yield Relation(Name.CROPPED, narrow if whole else Side.UNKNOWN, numbers)


def _is_framed(alignment: Alignment) -> bool:
    """Return whether the wider photo is the narrow one with something put round it.

    A crop goes on beyond its edges as it is inside: there is no seam, and no less
    detail. What was seen from one side has wedges at its edges, but no frame.
    """
    found = alignment.traces
    if found.seam is None:
        return alignment.outside is not None and alignment.outside < BARE
    if found.keystone > KEYSTONE:
        return False
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
