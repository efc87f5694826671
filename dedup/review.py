"""What the review page shows of a set: its members side by side, and where they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.contrib.auth.models import User
from django.template.defaultfilters import date, filesizeformat
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from dedup.batches import SURE
from dedup.doubts import sentences
from dedup.merging import Gain
from dedup.models import DuplicateSet, Kind, Member
from dedup.overlaying import onto_keeper
from dedup.relation import Judgement, Name
from gallery.models import Album, Photo, SourceFile
from gallery.vague import vague
from imagevault.spoken import spoken


@dataclass(frozen=True, slots=True)
class Fact:
    """One line about one photo; `differs` where the photos do not all say the same."""

    label: str | Promise
    value: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a photo was seen: the source, and its paths there."""

    source: str
    paths: list[str]


@dataclass(frozen=True, slots=True)
class Shown:
    """A member as the page shows it; `number` is the key that turns its choice."""

    member: Member
    number: int
    facts: list[Fact]
    places: list[Place]
    measured: list[tuple[str | Promise, str]]
    # How it lies over the keeper; see dedup.overlaying.
    overlay: str

    @property
    def photo(self) -> Photo:
        return self.member.photo

    @property
    def relation(self) -> str:
        return str(WORDS.get(self.member.relation, ""))

    @property
    def reason(self) -> str:
        return spoken(self.member.reason)


@dataclass(frozen=True, slots=True)
class Review:
    """A set, ready for its page: `same` are the facts that all photos share."""

    duplicate_set: DuplicateSet
    shown: list[Shown]
    same: list[Fact] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def review(duplicate_set: DuplicateSet) -> Review:
    """Read a set with everything its page shows, in a fixed number of queries."""
    members = list(
        duplicate_set.members.select_related(
            "photo__in_favour_of", "photo__thumbnail"
        ).order_by("place", "pk")
    )
    photos = [member.photo for member in members]
    lines = {label: [say(photo) for photo in photos] for label, say in FACTS.items()}
    differing = {label for label, said in lines.items() if len(set(said)) > 1}
    places = _places(photos)
    shown = [
        Shown(
            member=member,
            number=at + 1,
            facts=[
                Fact(label, said[at] or _("not known"), differs=True)
                for label, said in lines.items()
                if label in differing
            ],
            places=places.get(member.photo_id, []),
            measured=measured(member),
            overlay=overlay(member, photos[0]),
        )
        for at, member in enumerate(members)
    ]
    same = [
        Fact(label, said[0], differs=False)
        for label, said in lines.items()
        if label not in differing and said and said[0]
    ]
    is_doubtful = duplicate_set.kind == Kind.DUPLICATES and (
        duplicate_set.confidence < SURE
    )
    why = sentences(members) if is_doubtful and members else []
    return Review(duplicate_set, shown, same, why)


def _places(photos: Iterable[Photo]) -> dict[int, list[Place]]:
    rows = (
        SourceFile.objects.filter(photo__in=[photo.pk for photo in photos])
        .order_by("photo", "source__label", "path")
        .values_list("photo", "source__label", "path")
    )
    return {
        photo: [
            Place(source, [path for *_, path in seen])
            for source, seen in groupby(sightings, key=lambda row: row[1])
        ]
        for photo, sightings in groupby(rows, key=lambda row: row[0])
    }


def overlay(member: Member, keeper: Photo) -> str:
    numbers = (member.judgement or {}).get("numbers")
    # A pair is measured with the smaller id left.
    matrix = onto_keeper(numbers, keeper_is_left=keeper.pk < member.photo_id)
    return " ".join(str(one) for one in matrix)


def measured(member: Member) -> list[tuple[str | Promise, str]]:
    """Return what proves the relation: numbers, in words."""
    if member.judgement is None:
        return []
    answer = Judgement.from_json(member.judgement)
    lines: list[tuple[str | Promise, str]] = [(_("Judged"), spoken(answer.because))]
    for relation in answer.relations:
        if relation.numbers:
            lines.append((WORDS[relation.name], _proof(relation.numbers)))
    numbers = answer.numbers or {}
    lines += [
        (label, say(numbers[name]))
        for name, (label, say) in MEASURES.items()
        if numbers.get(name) is not None
    ]
    if member.distance is not None:
        bits = _("%d of 256 bits") % member.distance
        lines.append((_("Hash distance"), bits))
    return lines


WORDS: dict[str, str | Promise] = {
    Name.DAMAGED: gettext_lazy("Damaged"),
    Name.SAME_PIXELS: gettext_lazy("Same pixels, another file"),
    Name.FRAMED: gettext_lazy("With a frame"),
    Name.CROPPED: gettext_lazy("Cropped"),
    Name.MIRRORED: gettext_lazy("Mirrored"),
    Name.TURNED: gettext_lazy("Turned"),
    Name.EDITED: gettext_lazy("Edited"),
    Name.RECOLOURED: gettext_lazy("Other colours"),
    Name.RESIZED: gettext_lazy("Another size"),
    Name.RESAVED: gettext_lazy("Saved again"),
    Name.SIMILAR_SHOT: gettext_lazy("Another shot"),
}


def _share(value: float) -> str:
    return f"{number_format(100 * value, 1)} %"


MEASURES: dict[str, tuple[str | Promise, Callable[[Any], str]]] = {
    "agreement": (gettext_lazy("Places that agree"), _share),
    "blocks": (gettext_lazy("Places compared"), str),
    "inliers": (gettext_lazy("Common features"), str),
    "left_overlap": (gettext_lazy("Of the keeper, seen here"), _share),
    "right_overlap": (gettext_lazy("Of this photo, in the keeper"), _share),
}


# What proves a relation, by the names of its numbers; what is not here proves nothing.
NUMBERS: dict[str, Callable[[Any], str]] = {
    "factor": lambda one: _("%s of the edges") % _share(one),
    "share": lambda one: _("%s of the picture") % _share(one),
    "missing": lambda one: _("%s missing") % _share(one),
    "problem": spoken,
    "degrees": lambda one: _("by %s°") % number_format(one),
    "detail": lambda one: _("true detail up to %s of it") % _share(one),
    "shift": lambda one: _("colours shifted by %s") % number_format(one),
    "brightness": lambda one: _("brightness %s") % _plain(one),
    "contrast": lambda one: _("contrast × %s") % _plain(one),  # noqa: RUF001
    "saturation": lambda one: _("saturation × %s") % _plain(one),  # noqa: RUF001
    "quality": lambda one: _("quality %s") % one if one else "",
    "format": str,
    "because": lambda one: str(TRACES.get(one, "")),
}
# How it is known which file was made from which; see gallery.descent.
TRACES: dict[str, str | Promise] = {
    "rounding": gettext_lazy("the rounding of the one shows through in the other"),
    "grain": gettext_lazy("noise was added to the later one"),
    "loss": gettext_lazy("the later one lacks what the other has"),
    "enlarged": gettext_lazy("it holds no more detail than the smaller one"),
    "reduced": gettext_lazy("the larger one holds detail of its own"),
}


def _proof(numbers: Mapping[str, Any]) -> str:
    said = (
        say(numbers[name])
        for name, say in NUMBERS.items()
        if numbers.get(name) is not None
    )
    return ", ".join(one for one in said if one)


def _plain(value: object) -> str:
    match value:
        case bool():
            return _("yes") if value else _("no")
        case float():
            return number_format(f"{value:.3g}")
    return str(value)


def when_taken(photo: Photo) -> str:
    """Say when a photo was taken, as exactly as that is known; empty where it is not."""
    if photo.taken_at is None:
        return ""
    if words := vague(photo.taken_at, photo.taken_precision):
        return words
    shown = {"day": "DATE_FORMAT", "minute": "DATETIME_FORMAT"}
    exact = pgettext("date format", "j F Y, H:i:s")
    return date(photo.taken_at, shown.get(photo.taken_precision, exact))


def _dimensions(photo: Photo) -> str:
    if not photo.width or not photo.height:
        return ""
    megapixels = photo.width * photo.height / 1e6
    return f"{photo.width} \N{MULTIPLICATION SIGN} {photo.height} ({number_format(megapixels, 1)} MP)"


def _position(photo: Photo) -> str:
    if photo.latitude is None or photo.longitude is None:
        return ""
    return f"{photo.latitude:.5f}, {photo.longitude:.5f}"


def _quality(photo: Photo) -> str:
    quality = photo.facts.get("jpeg_quality")
    return _("about %d of 100") % quality if quality else ""


FACTS: dict[str | Promise, Callable[[Photo], str]] = {
    gettext_lazy("Name"): lambda photo: photo.name,
    gettext_lazy("Dimensions"): _dimensions,
    gettext_lazy("File size"): lambda photo: filesizeformat(photo.size),
    gettext_lazy("Format"): lambda photo: photo.format,
    gettext_lazy("JPEG quality"): _quality,
    gettext_lazy("Taken"): when_taken,
    gettext_lazy("Known from"): lambda photo: (
        str(photo.get_taken_from_display()) if photo.taken_at else ""
    ),
    gettext_lazy("Camera"): lambda photo: photo.camera,
    gettext_lazy("Lens"): lambda photo: str(photo.facts.get("lens") or ""),
    gettext_lazy("Software"): lambda photo: str(photo.facts.get("software") or ""),
    gettext_lazy("Position"): _position,
    gettext_lazy("In the vault since"): lambda photo: date(
        photo.added_at, "DATE_FORMAT"
    ),
    gettext_lazy("Problem"): lambda photo: spoken(photo.problem),
}


@dataclass(frozen=True, slots=True)
class Move:
    """In words, what the photo that stays takes over from a copy."""

    keeper: str
    copy: str
    what: list[str]


def moves(gains: Iterable[Gain]) -> list[Move]:
    """Say what photos that stay would take over from those that go."""
    gains = list(gains)
    users = {user for gain in gains for user in gain.stars}
    names = dict(User.objects.filter(pk__in=users).values_list("pk", "username"))
    return [
        Move(gain.keeper.name, gain.copy.name, list(_moved(gain, names)))
        for gain in gains
    ]


def _moved(gain: Gain, names: Mapping[int, str]) -> Iterator[str]:
    if gain.is_date:
        said = {
            "date": when_taken(gain.copy),
            "origin": gain.copy.get_taken_from_display(),
        }
        yield _("the date %(date)s (known from: %(origin)s)") % said
    if gain.is_position:
        yield _("the position %s") % _position(gain.copy)
    if gain.stars:
        yield _("the stars of %s") % ", ".join(names.get(pk, "?") for pk in gain.stars)


def albums_of(photos: Iterable[int]) -> list[str]:
    """Return the titles of albums these photos are in: the photo that stays is shown there."""
    albums = Album.objects.filter(places__photo__in=list(photos)).distinct()
    return list(albums.order_by("title").values_list("title", flat=True)[:20])
