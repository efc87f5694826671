"""Rows and files that tests of the desk begin with: photos as an import leaves them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from django.conf import settings
from PIL import Image

from dedup import relation
from dedup.models import Choice, Comparison, DuplicateSet, Fingerprint, Kind, Member
from dedup.relation import Judgement, Name, Relation
from gallery import renditions, vault
from gallery.models import Photo, Thumbnail
from tests import pictures


def photo(image: Image.Image | None = None, *, seed: int = 0, **facts: object) -> Photo:
    """A photo with its original and its thumbnail in the vault."""
    image = image or pictures.scene(seed=seed, size=(160, 120))
    content = pictures.jpeg(image) + facts.pop("tail", b"")
    digest = hashlib.sha256(content).hexdigest()
    facts = {
        "extension": "jpg",
        "size": len(content),
        "name": f"photo {seed}.jpg",
        "format": "JPEG",
        "width": image.width,
        "height": image.height,
    } | facts
    row = Photo.objects.create(digest=digest, **facts)
    _write(vault.original(settings.IMAGEVAULT_DATA, digest, row.extension), content)
    draw_thumbnail(row, image)
    return row


def draw_thumbnail(row: Photo, image: Image.Image) -> None:
    small = image.convert("RGB")
    small.thumbnail((512, 512))
    path = vault.rendition(
        settings.IMAGEVAULT_DATA,
        row.digest,
        name="thumbnail",
        recipe=renditions.RECIPE,
    )
    _write(path, pictures.jpeg(small))
    Thumbnail.objects.update_or_create(
        photo=row,
        defaults={
            "recipe": Thumbnail.RECIPE,
            "width": small.width,
            "height": small.height,
        },
    )


def _write(path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def bare_photo(number: int, **facts: object) -> Photo:
    """A photo that is only a row."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    facts = {"extension": "jpg", "size": 1000, "name": f"{number}.jpg"} | facts
    return Photo.objects.create(digest=digest, **facts)


def fingerprint(row: Photo, bits: bytes, **values: object) -> Fingerprint:
    """A finished fingerprint with these bits."""
    values = {"quality": 80, "recipe": Fingerprint.RECIPE} | values
    return Fingerprint.objects.create(photo=row, bits=bits, **values)


NUMBERS = {
    Name.RESIZED: {"factor": 0.875},
    Name.RECOLOURED: {
        "brightness": 20.0,
        "contrast": 1.1,
        "saturation": 1.0,
        "tint": 0.0,
    },
}


def match(
    one: Photo,
    other: Photo,
    *,
    kind: Kind = Kind.DUPLICATES,
    name: Name = Name.RESAVED,
    confidence: float = 0.99,
    strength: float = 0.99,
    separates: bool = False,
) -> Comparison:
    """A pair that was measured and not yet grouped."""
    left, right = sorted((one, other), key=lambda row: row.pk)
    comparison = Comparison(left=left, right=right, distance=4)
    one = Relation(name, numbers=NUMBERS.get(name))
    relations = () if kind == Kind.DISTINCT else (one,)
    comparison.answer(
        Judgement(
            kind=relation.Kind(kind),
            confidence=confidence,
            because="It was drawn so.",
            strength=strength,
            separates=separates,
            relations=relations,
        )
    )
    comparison.recipe = Comparison.RECIPE
    comparison.save()
    return comparison


def duplicate_set(
    photos: Iterable[Photo], *, kind: str = Kind.DUPLICATES
) -> DuplicateSet:
    """An open set whose first photo is the keeper, every other one a re-saved copy."""
    photos = list(photos)
    made = DuplicateSet.objects.create(
        kind=kind,
        size=len(photos),
        bytes_to_gain=sum(row.size for row in photos[1:]),
        relation="resaved",
    )
    for place, row in enumerate(photos):
        Member.objects.create(
            duplicate_set=made,
            photo=row,
            place=place,
            is_keeper=not place,
            suggestion=Choice.DISCARD if place else Choice.KEEP,
            relation="resaved" if place else "keeper",
        )
    return made
