"""Which photo of a set should stay, and why, in words.

What counts, in this order: being whole; being the unaltered picture; true detail; what
the camera wrote beside it; not having been saved again. Then sightings and age decide,
and at last the digest, so that the same photos always give the same order.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dedup.naming import is_made_from
from dedup.relation import Facts, Judgement, Name, Relation, Side

RAW_FORMATS = frozenset({"CR2", "CR3", "NEF", "ARW", "DNG", "RAF", "ORF", "RW2"})
LOSSLESS_FORMATS = frozenset({"PNG", "BMP", "TIFF"})
# Nobody's camera writes these: such a file was made out of another.
_CONVERTED = frozenset({"GIF", "WebP", "AVIF", "JPEG XL"})
EDITORS = (
    "photoshop", "lightroom", "gimp", "picasa", "snapseed", "instagram", "paint",
    "irfanview", "imagemagick", "whatsapp", "affinity", "acdsee", "photoscape", "vsco",
)  # fmt: skip

# Words of cameras' own programs; most give but a version.
_FIRMWARE = frozenset(
    {"version", "firmware", "camera", "application", "digital", "mediatek", "android"}
)

# What somebody did to the picture, so that the other one is closer to the truth.
_ALTERED = frozenset(
    {
        Name.FRAMED,
        Name.CROPPED,
        Name.MIRRORED,
        Name.TURNED,
        Name.EDITED,
        Name.RECOLOURED,
    }
)

_REFRAMED = frozenset({Name.FRAMED, Name.CROPPED})
_TURNS = frozenset({Name.MIRRORED, Name.TURNED})

# Pixels of the wider photo for one of the crop, below which the crop is not from it.
SHOWN_SMALL = 0.75

# Step across the edge of a crop, over those beside it, that hardly any crop has.
SEAM = 1.5

# By so many more others a photo has to be like, to be believed without camera data.
MANY = 2

# From so many members on their majority tells what was altered.
MAJORITY = 5

# Log odds that one pair may weigh, and that the names of two files do.
SURE_ENOUGH = 4.0
HINT = 1.5

# Log odds from which on what was measured of one pair needs no other sign.
CERTAIN = 2.0

# Strength by which one photo has to be more like the others than its rival is.
NEARER = 1e-4

# Sizes within a hundredth are one size: a pixel row lost is no reason.
_SIZE_STEP = math.log(1.02)

Judgements = Mapping[tuple[str, str], Judgement]
RankKey = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One photo's place: "keep" for the first, "discard" for the others, and why.

    `relation`: "keeper", or how it differs from the keeper most tellingly (a `Name`).
    """

    digest: str
    suggestion: str
    reason: str
    relation: str


def rank_keys(photos: Iterable[Facts], judgements: Judgements) -> dict[str, RankKey]:
    """Return for every digest a key that sorts the best photo first.

    `judgements` by pair of digests, in either order, tell which of two was altered.
    Keys of one call compare with one another and are all different.
    """
    photos = list(photos)
    alterations = _alterations(photos, judgements)
    enlarged = _enlarged(photos, judgements)
    outdone = _outdone(photos, judgements)
    damaged = _damaged(judgements)
    converted = _converted(photos, judgements)
    sources = _sources(photos, judgements)
    return {
        facts.digest: _key(
            facts,
            damaged=bool(facts.problem) or facts.digest in damaged,
            alterations=alterations.get(facts.digest, 0),
            enlarged=facts.digest in enlarged,
            converted=facts.digest in converted or _is_conversion(facts),
            source=sources[facts.digest],
            outdone=outdone[facts.digest],
        )
        for facts in photos
    }


def _alterations(photos: Iterable[Facts], judgements: Judgements) -> dict[str, int]:
    """Return how many things were done to photos, by what most of their matches say.

    A single answer may be wrong about which of two was altered.
    """
    by_digest = {facts.digest: facts for facts in photos}
    support = _support(judgements)
    said: dict[str, Counter[Name]] = defaultdict(Counter)
    asked: dict[str, Counter[Name]] = defaultdict(Counter)
    for pair, judgement in judgements.items():
        likely = _sides(by_digest.get(pair[0]), by_digest.get(pair[1]))
        blamed = {
            name: _blamed(judgement, name, pair, likely, support) for name in _ALTERED
        }
        reframed = any(blamed[name] for name in _REFRAMED)
        for name, side in blamed.items():
            if side == Side.UNKNOWN:
                continue
            for digest, own in zip(pair, (Side.LEFT, Side.RIGHT), strict=True):
                if side == own:
                    said[digest][name] += 1
                elif name in _REFRAMED and reframed:
                    # What was cut off or put round one says nothing of the other.
                    continue
                asked[digest][name] += 1
    return {
        digest: sum(times * 2 > asked[digest][name] for name, times in names.items())
        for digest, names in said.items()
    }


def _support(judgements: Judgements) -> Counter[tuple[str, Name]]:
    """Return how many matches of a photo are like it in each respect."""
    support: Counter[tuple[str, Name]] = Counter()
    for pair, judgement in judgements.items():
        for name in _ALTERED - set(judgement.names):
            support.update((digest, name) for digest in pair)
    return support


def _blamed(
    judgement: Judgement,
    name: Name,
    pair: tuple[str, str],
    likely: Side,
    support: Counter[tuple[str, Name]],
) -> Side | None:
    """Return which of two was altered in one respect; None if neither was.

    Where the measurement does not tell: the one without its camera's data, or the one
    that fewer others are like.
    """
    found = judgement.relation(name)
    if found is None:
        return None
    if found.of != Side.UNKNOWN:
        return _other_side(judgement, found, pair, support) or found.of
    left, right = (support[digest, name] for digest in pair)
    # Whoever turns a photo keeps its camera's data; how the others stand tells more.
    told = name not in _TURNS and not _has_edge(found) and abs(left - right) < MANY
    if likely != Side.UNKNOWN and told:
        return likely
    if left == right:
        return likely
    return Side.RIGHT if right < left else Side.LEFT


def _other_side(
    judgement: Judgement,
    cropped: Relation,
    pair: tuple[str, str],
    support: Counter[tuple[str, Name]],
) -> Side | None:
    """Return the wider side of a crop if that is the altered one, else None.

    Nobody cuts more pixels out of a picture than it has: what shows it smaller is a
    screenshot or a print, or a reduced copy. And where an edge can be seen and more
    photos end there, something was put round it.
    """
    if cropped.name != Name.CROPPED:
        return None
    wider = cropped.of.other
    resized = judgement.relation(Name.RESIZED)
    factor = (resized.numbers or {}).get("factor", 1.0) if resized else 1.0
    growth = factor if wider == Side.RIGHT else 1 / factor
    narrow, wide = pair if wider == Side.RIGHT else pair[::-1]
    ends_there = support[narrow, Name.CROPPED] > support[wide, Name.CROPPED]
    if growth < SHOWN_SMALL or (_has_edge(cropped) and ends_there):
        return wider
    return None


def _has_edge(cropped: Relation) -> bool:
    """Return whether an edge can be seen where the narrower one of two ends."""
    return ((cropped.numbers or {}).get("seam") or 0.0) > SEAM


def _sides(left: Facts | None, right: Facts | None) -> Side:
    """Return which of two is the less likely to be as the camera took it."""
    if left is None or right is None:
        return Side.UNKNOWN
    marks = [_is_nearer(left, right), _is_nearer(right, left)]
    if marks[0] != marks[1]:
        return Side.RIGHT if marks[0] else Side.LEFT
    return _by_names(left, right)


def _by_names(left: Facts, right: Facts) -> Side:
    """Return which of two was made from the other, by what their files are called."""
    if is_made_from(right.named, left.named):
        return Side.RIGHT
    return Side.LEFT if is_made_from(left.named, right.named) else Side.UNKNOWN


def _damaged(judgements: Judgements) -> set[str]:
    """Return the photos measured to lack a part that another one has."""
    return {
        pair[damaged.of == Side.RIGHT]
        for pair, judgement in judgements.items()
        if (damaged := judgement.relation(Name.DAMAGED)) and damaged.of != Side.UNKNOWN
    }


def _converted(photos: Sequence[Facts], judgements: Judgements) -> set[str]:
    """Return lossless files with the pixels of a lossy one: they were made from it."""
    formats = {facts.digest: facts.format for facts in photos}
    found = set()
    for pair, judgement in judgements.items():
        lossless = [one for one in pair if formats.get(one) in LOSSLESS_FORMATS]
        if Name.SAME_PIXELS in judgement.names and len(lossless) == 1:
            found.add(lossless[0])
    return found


def _sources(
    photos: Iterable[Facts], judgements: Judgements
) -> defaultdict[str, float]:
    """Return the log odds that the others were made from a photo, all told.

    One answer may be wrong, and of two copies the better saved one may seem to be what
    the other was made from: the true source stands best against all of them.
    """
    by_digest = {facts.digest: facts for facts in photos}
    odds: defaultdict[str, float] = defaultdict(float)
    for (left, right), judgement in judgements.items():
        if left in by_digest and right in by_digest:
            made = _odds(by_digest[left], by_digest[right], judgement)
            odds[left] += made
            odds[right] -= made
    return odds


def _odds(left: Facts, right: Facts, judgement: Judgement) -> float:
    """Return the log odds that the right one of two was made from the left one."""
    odds = HINT * _sign(_by_names(left, right))
    resaved = judgement.relation(Name.RESAVED)
    if resaved and resaved.of != Side.UNKNOWN:
        measured = (resaved.numbers or {}).get("odds", SURE_ENOUGH)
        return odds + min(SURE_ENOUGH, measured) * _sign(resaved.of)
    # That was not asked where the camera's data tell.
    return odds + SURE_ENOUGH * (_is_nearer(left, right) - _is_nearer(right, left))


def _sign(later: Side) -> int:
    return {Side.RIGHT: 1, Side.LEFT: -1}.get(later, 0)


def _outdone(photos: Sequence[Facts], judgements: Judgements) -> Counter[str]:
    """Return by how many others of its size a photo is outdone in likeness to the rest.

    Every copy lost something of its own on the way from the photo it was made from, so
    that two copies are less like each other than each is like that photo.
    """
    alike: dict[str, dict[str, float]] = defaultdict(dict)
    for (left, right), judgement in judgements.items():
        alike[left][right] = alike[right][left] = judgement.strength
    sizes = {facts.digest: facts.pixels for facts in photos}
    outdone: Counter[str] = Counter()
    for left, right in judgements:
        if sizes.get(left) != sizes.get(right) or left not in sizes:
            continue
        common = alike[left].keys() & alike[right].keys()
        lead = sum(alike[left][one] - alike[right][one] for one in common)
        if abs(lead) > NEARER * len(common):
            outdone[right if lead > 0 else left] += 1
    return outdone


def rank(members: Sequence[Facts], judgements: Judgements) -> list[Ranked]:
    """Return the photos of one set, the best first, each with its reason in words."""
    keys = rank_keys(members, judgements)
    keeper, *others = sorted(members, key=lambda facts: keys[facts.digest])
    return explained(keeper, others, judgements)


def explained(
    keeper: Facts, others: Sequence[Facts], judgements: Judgements
) -> list[Ranked]:
    """Return the keeper and the others with their reasons, in the order given."""
    answers = [between(keeper.digest, one.digest, judgements) for one in others]
    ranked = [
        Ranked(keeper.digest, "keep", _why_keep(keeper, others, answers), "keeper")
    ]
    for facts, answer in zip(others, answers, strict=True):
        primary = answer.primary if answer else None
        reason = _why_discard(keeper, facts, answer)
        ranked.append(Ranked(facts.digest, "discard", reason, primary or Name.RESAVED))
    return ranked


def is_told(keeper: Facts, others: Sequence[Facts], judgements: Judgements) -> bool:
    """Return whether it is known that the keeper is what the others were made from.

    Not where another one shows more; nor where of a few one is neither by pixels nor by
    the camera's data nor by its name known to be the later one.
    """
    few = len(others) + 1 < MAJORITY
    answers = [(one, between(keeper.digest, one.digest, judgements)) for one in others]
    return not any(
        said
        and (
            Name.CROPPED in said.altered(Side.LEFT)
            or (few and is_open(keeper, one, said))
        )
        for one, said in answers
    )


def is_open(keeper: Facts, other: Facts, answer: Judgement) -> bool:
    """Return whether nothing tells which of two was made from the other.

    `answer` from the keeper, left, to the other one.
    """
    smaller = keeper.pixels > 1.02 * other.pixels
    later = _sides(keeper, other) == Side.RIGHT or _is_later(answer, smaller=smaller)
    return not later


def _is_later(answer: Judgement, *, smaller: bool) -> bool:
    """Return whether the pixels tell that the right one is no better than the left one."""
    if Name.SAME_PIXELS in answer.names:
        return True
    altered = [one for one in answer.relations if one.of == Side.RIGHT]
    odds = [(one.numbers or {}).get("odds") for one in altered]
    if any(one is None or one >= CERTAIN for one in odds):
        return True
    # Of two sizes the larger one is kept, whichever was saved last.
    untold = {one.name for one in answer.relations if one.of == Side.UNKNOWN}
    return smaller and not untold & _ALTERED


def between(left: str, right: str, judgements: Judgements) -> Judgement | None:
    """Return what was judged of two digests, seen from left to right."""
    if (left, right) in judgements:
        return judgements[left, right]
    if (right, left) in judgements:
        return judgements[right, left].swapped()
    return None


def _key(
    facts: Facts,
    *,
    damaged: bool,
    alterations: int,
    enlarged: bool,
    converted: bool,
    source: float,
    outdone: int,
) -> RankKey:
    return (
        damaged,
        alterations,
        facts.format not in RAW_FORMATS,
        enlarged,
        -round(math.log(max(1, facts.pixels)) / _SIZE_STEP),
        not facts.has_camera,
        not facts.has_maker_note,
        # Where all data are gone, nothing tells who edited what.
        facts.has_camera and _is_edited(facts),
        converted,
        -round(source, 1),
        facts.has_camera and _is_renamed(facts),
        outdone,
        -_quality(facts),
        -facts.sightings,
        facts.taken_at is None,
        facts.taken_at.isoformat() if facts.taken_at else "",
        -facts.file_size,
        facts.digest,
    )


def _is_conversion(facts: Facts) -> bool:
    return facts.format in _CONVERTED or (facts.format == "PNG" and facts.has_camera)


def _is_renamed(facts: Facts) -> bool:
    """Return whether a program that is no camera's wrote its name into the file."""
    words = re.findall(r"[a-z]{4,}", facts.software.lower())
    ours = f"{facts.camera_make} {facts.camera_model}".lower()
    return any(word not in _FIRMWARE and word not in ours for word in words)


def _is_edited(facts: Facts) -> bool:
    software = facts.software.lower()
    return any(name in software for name in EDITORS)


def _quality(facts: Facts) -> int:
    if facts.format in LOSSLESS_FORMATS:
        return 101
    # Beyond 95 a file only grows: saving again at 100 adds nothing.
    return min(95, facts.jpeg_quality or 85)


def _enlarged(photos: Sequence[Facts], judgements: Judgements) -> set[str]:
    """Return the photos that show no more than a smaller copy of them.

    Where that was not measured, a camera's own file tells: the maker's note stays with
    it, and what is larger without any camera data was made from it.
    """
    by_digest = {facts.digest: facts for facts in photos}
    found = set()
    for (left, right), judgement in judgements.items():
        resized = judgement.relation(Name.RESIZED)
        if resized is None or left not in by_digest or right not in by_digest:
            continue
        pair = by_digest[left], by_digest[right]
        small, large = sorted(pair, key=lambda facts: facts.pixels)
        numbers = resized.numbers or {}
        if "because" in numbers:
            enlarged = resized.of != Side.UNKNOWN
        elif "detail" in numbers:
            # A soft picture straight from the camera is not an enlarged one.
            enlarged = resized.of != Side.UNKNOWN and not _is_nearer(large, small)
        else:
            enlarged = small.has_maker_note and _is_nearer(small, large)
        if enlarged:
            found.add(large.digest)
    return found


def _is_nearer(one: Facts, other: Facts) -> bool:
    """Return whether only the first still carries its camera's data, unedited."""
    return one.has_camera and not other.has_camera and not _is_edited(one)


# Reasons


def _why_keep(
    keeper: Facts, others: Sequence[Facts], answers: Sequence[Judgement | None]
) -> str:
    done = {one for answer in answers if answer for one in answer.altered(Side.RIGHT)}
    reasons = [
        ("intact", any(o.problem for o in others) and not keeper.problem),
        ("the whole picture", Name.CROPPED in done),
        ("without a frame", Name.FRAMED in done),
        ("unedited", Name.EDITED in done),
        ("in its own colours", Name.RECOLOURED in done),
        ("largest", all(keeper.pixels > 1.02 * o.pixels for o in others)),
        ("not enlarged", any(_larger(o, keeper) for o in others)),
        ("raw file", keeper.format in RAW_FORMATS),
        ("camera EXIF", keeper.has_camera),
        ("best quality", all(_quality(keeper) > _quality(o) for o in others)),
        ("seen most often", all(keeper.sightings > o.sightings for o in others)),
    ]
    true = [words for words, holds in reasons if holds]
    return ", ".join(true[:3]) or "as good as the others"


def _larger(other: Facts, keeper: Facts) -> bool:
    return other.pixels > 1.02 * keeper.pixels and not other.problem


def _why_discard(keeper: Facts, facts: Facts, answer: Judgement | None) -> str:
    words = list(_differences(keeper, facts, answer)) if answer else []
    if keeper.has_camera and not facts.has_camera:
        words.append("camera data lost")
    if not words or words == ["same pixels"]:
        words += _saved_again(keeper, facts)
    return ", ".join(words[:4])


def _differences(keeper: Facts, facts: Facts, answer: Judgement) -> Iterable[str]:
    """Yield in words how the photo differs from the keeper."""
    for relation in answer.relations:
        words = _in_words(relation)
        if words:
            yield words


def _in_words(relation: Relation) -> str:
    """Return how the right photo differs from the left one in one respect, or ""."""
    numbers = relation.numbers or {}
    ours = relation.of != Side.LEFT
    match relation.name:
        case Name.DAMAGED | Name.FRAMED | Name.CROPPED:
            return _alteration(relation.name, numbers, ours=ours)
        case Name.TURNED:
            return f"turned by {abs(round(numbers['degrees']))}°"
        case Name.RECOLOURED:
            return "black and white" if numbers["saturation"] < 0.3 else "other colours"
        case Name.RESIZED:
            verb = "scaled" if numbers["factor"] < 1 else "enlarged"
            return f"{verb} to {round(100 * numbers['factor'])} %"
    if relation.name == Name.RESAVED and relation.of == Side.RIGHT:
        return "saved again from the keeper"
    return _PLAIN_WORDS.get(relation.name, "")


def _alteration(name: Name, numbers: dict[str, Any], *, ours: bool) -> str:
    if name == Name.DAMAGED:
        return "damaged" if ours else ""
    if name == Name.FRAMED:
        return "with a frame" if ours else "without the frame"
    return f"cropped to {round(100 * numbers['share'])} %" if ours else "shows more"


_PLAIN_WORDS = {
    Name.SAME_PIXELS: "same pixels",
    Name.MIRRORED: "mirrored",
    Name.EDITED: "something was changed in it",
}


def _saved_again(keeper: Facts, facts: Facts) -> list[str]:
    if facts.format != keeper.format:
        return [f"saved as {facts.format}"]
    if facts.jpeg_quality and facts.jpeg_quality < (keeper.jpeg_quality or 0):
        return ["re-saved at lower quality"]
    if facts.sightings < keeper.sightings:
        return ["seen less often"]
    return ["no better than the keeper"]
