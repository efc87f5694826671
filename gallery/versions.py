"""Which photos are edited versions of which, as the libraries of photo programs say."""

from __future__ import annotations

from dataclasses import dataclass

from gallery.models import Photo, SourceFile

MOST = 20


@dataclass(frozen=True, slots=True)
class Tie:
    """Another photo that this one was made from, or that was made from this one."""

    photo: Photo
    reason: str  # a phrase, of the one that was edited
    is_original: bool


def ties(photo: Photo) -> list[Tie]:
    """The originals of a photo, then its edited versions, each once."""
    seen = list(SourceFile.objects.current().filter(photo=photo)[:MOST])
    sources = {row.source_id for row in seen}
    others = SourceFile.objects.current().with_photo().filter(source__in=sources)
    others = others.exclude(photo=photo).select_related("photo").order_by("pk")
    edited = {(row.source_id, row.version_of): row for row in seen if row.version_of}
    own = {(row.source_id, row.path_key) for row in seen}
    found: dict[int, Tie] = {}
    for row in others.filter(path_key__in={key for _, key in edited}):
        if version := edited.get((row.source_id, row.path_key)):
            found[row.photo_id] = Tie(row.photo, version.reason, is_original=True)
    # The empty key is that of all that were never edited; the index knows this too.
    made = others.filter(version_of__gt="", version_of__in={key for _, key in own})
    for row in made[:MOST]:
        if (row.source_id, row.version_of) in own:
            tie = Tie(row.photo, row.reason, is_original=False)
            found.setdefault(row.photo_id, tie)
    return list(found.values())
