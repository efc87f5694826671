"""Files that one press of the shutter made: a photo's film, and its RAW beside its JPEG.

Nothing is written down of this: the files lie in one folder under one name, and the
ledger knows where each was seen. So it holds whatever was imported first, and anew for
each drive.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django.db.models import Q

from gallery import formats, pairs
from gallery.models import KeptFile, Outcome, Photo, SourceFile, path_key
from gallery.stages import chunks

LOOKED_AT = 50  # sightings of one photo
AT_ONCE = 400
# Extensions of RAW files; what such a file really is, its row says.
RAWS = (
    *("cr2", "cr3", "crw", "nef", "nrw", "arw", "dng", "raf", "orf", "rw2", "pef"),
    *("srw", "kdc"),
)


@dataclass(slots=True)
class Shot:
    """What else belongs to a photo."""

    films: list[KeptFile] = field(default_factory=list)
    photos: list[Photo] = field(default_factory=list)


def is_raw(photo: Photo) -> bool:
    found = formats.BY_NAME.get(photo.format)
    return bool(found and found.is_raw)


def shot(photo: Photo) -> Shot:
    """What else the shutter made when it made this photo, in two queries."""
    seen = SourceFile.objects.current().filter(photo=photo)
    places = list(seen.order_by("-pk").values_list("source", "path")[:LOOKED_AT])
    others = pairs.PICTURES if is_raw(photo) else RAWS
    wanted = [
        Q(source=source, path_key__in=_keys(path, (*pairs.FILMS, *others)))
        for source, path in places
    ]
    if not wanted:
        return Shot()
    rows = SourceFile.objects.current().filter(_any(wanted))
    found = Shot()
    for row in rows.select_related("photo__thumbnail", "kept").order_by("pk"):
        if row.kept and _is_part(row, row.kept) and row.kept not in found.films:
            found.films.append(row.kept)
        is_new = row.photo and row.photo.is_live and row.photo not in found.photos
        if is_new and row.photo and is_raw(row.photo) != is_raw(photo):
            found.photos.append(row.photo)
    return found


def _is_part(row: SourceFile, kept: KeptFile) -> bool:
    """Whether a file beside a photo is its film, also if it was kept as one first."""
    seconds = kept.seconds
    return row.outcome == Outcome.PART or (
        kept.kind == KeptFile.Kind.VIDEO
        and seconds is not None
        and seconds <= pairs.LONGEST
    )


def _keys(path: str, extensions: Iterable[str]) -> list[str]:
    """The keys of paths beside this one that differ in their extension alone."""
    stem = pairs.stem(path)
    return [
        path_key(f"{stem}.{one}")
        for extension in extensions
        for one in (extension, extension.upper())
    ]


def _any(conditions: Iterable[Q]) -> Q:
    found = Q()
    for one in conditions:
        found |= one
    return found


def one_shot(photos: Mapping[int, Photo]) -> list[tuple[int, int]]:
    """Of these photos, by id, the pairs of a RAW and its JPEG: two files of one shot."""
    raws = {pk for pk, photo in photos.items() if is_raw(photo)}
    if not raws or len(raws) == len(photos):
        return []
    by_place: dict[tuple[int, str], set[int]] = defaultdict(set)
    for pk, source, path in _seen(photos):
        by_place[source, pairs.stem(path)].add(pk)
    found = {
        (min(raw, other), max(raw, other))
        for together in by_place.values()
        for raw in together & raws
        for other in together - raws
    }
    return sorted(found)


def _seen(photos: Collection[int]) -> Iterator[tuple[int, int, str]]:
    for some in chunks(sorted(photos), AT_ONCE):
        yield from SourceFile.objects.filter(photo__in=some).seen()
