"""What the review page shows of a set: its members side by side, and where they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.template.defaultfilters import date, filesizeformat

from dedup.models import DuplicateSet, Member
from dedup.relation import Judgement, Name
from gallery.models import Photo, SourceFile


@dataclass(frozen=True, slots=True)
class Fact:
    """One line about one photo; `differs` where the photos do not all say the same."""

    label: str
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
    measured: list[tuple[str, str]]

    @property
    def photo(self) -> Photo:
        return self.member.photo

    @property
    def relation(self) -> str:
        return WORDS.get(self.member.relation, "")


@dataclass(frozen=True, slots=True)
class Review:
    """A set, ready for its page: `same` are the facts that all photos share."""

    duplicate_set: DuplicateSet
    shown: list[Shown]
    same: list[Fact] = field(default_factory=list)


def review(duplicate_set: DuplicateSet) -> Review:
    """Read a set with everything its page shows, in a fixed number of queries."""
    members = list(
        duplicate_set.members.select_related("photo__in_favour_of").order_by(
            "place", "pk"
        )
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
                Fact(label, said[at] or "not known", differs=True)
                for label, said in lines.items()
                if label in differing
            ],
            places=places.get(member.photo_id, []),
            measured=measured(member),
        )
        for at, member in enumerate(members)
    ]
    same = [
        Fact(label, said[0], differs=False)
        for label, said in lines.items()
        if label not in differing and said and said[0]
    ]
    return Review(duplicate_set, shown, same)


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


def measured(member: Member) -> list[tuple[str, str]]:
    """Return what proves the relation: numbers, in words."""
    if member.judgement is None:
        return []
    answer = Judgement.from_json(member.judgement)
    lines = [("Judged", answer.because)]
    for relation in answer.relations:
        if relation.numbers:
            lines.append((WORDS[relation.name], _plain(relation.numbers)))
    numbers = answer.numbers or {}
    lines += [
        (label, say(numbers[name]))
        for name, (label, say) in MEASURES.items()
        if numbers.get(name) is not None
    ]
    if member.distance is not None:
        lines.append(("Hash distance", f"{member.distance} of 256 bits"))
    return lines


WORDS: dict[str, str] = {
    Name.DAMAGED: "Damaged",
    Name.SAME_PIXELS: "Same pixels, another file",
    Name.FRAMED: "With a frame",
    Name.CROPPED: "Cropped",
    Name.MIRRORED: "Mirrored",
    Name.TURNED: "Turned",
    Name.EDITED: "Edited",
    Name.RECOLOURED: "Other colours",
    Name.RESIZED: "Another size",
    Name.RESAVED: "Saved again",
    Name.SIMILAR_SHOT: "Another shot",
}


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


MEASURES: dict[str, tuple[str, Callable[[Any], str]]] = {
    "agreement": ("Places that agree", _share),
    "blocks": ("Places compared", str),
    "inliers": ("Common features", str),
    "left_overlap": ("Of the keeper, seen here", _share),
    "right_overlap": ("Of this photo, in the keeper", _share),
}


def _plain(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3g}"
        case list():
            return " ".join(_plain(part) for part in value)
        case dict():
            return " ".join(f"{name} {_plain(part)}" for name, part in value.items())
        case None:
            return ""
    return str(value)


def _taken(photo: Photo) -> str:
    if photo.taken_at is None:
        return ""
    shown = {"year": "Y", "month": "F Y", "day": "j F Y", "minute": "j F Y, H:i"}
    return date(photo.taken_at, shown.get(photo.taken_precision, "j F Y, H:i:s"))


def _dimensions(photo: Photo) -> str:
    if not photo.width or not photo.height:
        return ""
    megapixels = photo.width * photo.height / 1e6
    return f"{photo.width} \u00d7 {photo.height} ({megapixels:.1f} MP)"


def _position(photo: Photo) -> str:
    if photo.latitude is None or photo.longitude is None:
        return ""
    return f"{photo.latitude:.5f}, {photo.longitude:.5f}"


def _quality(photo: Photo) -> str:
    quality = photo.facts.get("jpeg_quality")
    return f"about {quality} of 100" if quality else ""


FACTS: dict[str, Callable[[Photo], str]] = {
    "Name": lambda photo: photo.name,
    "Dimensions": _dimensions,
    "File size": lambda photo: filesizeformat(photo.size),
    "Format": lambda photo: photo.format,
    "JPEG quality": _quality,
    "Taken": _taken,
    "Known from": lambda photo: (
        photo.get_taken_from_display() if photo.taken_at else ""
    ),
    "Camera": lambda photo: photo.camera,
    "Lens": lambda photo: str(photo.facts.get("lens") or ""),
    "Software": lambda photo: str(photo.facts.get("software") or ""),
    "Position": _position,
    "In the vault since": lambda photo: date(photo.added_at, "j F Y"),
    "Problem": lambda photo: photo.problem,
}
