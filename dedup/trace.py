"""Who decided what, when and why: as rows for files, and the story of one photo."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from dedup.models import Decision, Member
from gallery.models import Photo, SourceFile
from gallery.stages import chunks

COLUMNS = (
    *("decision", "at", "by", "what", "set", "batch", "kept", "discarded"),
    *("why", "undone_at", "undone_by"),
)
AT_ONCE = 500


def rows(decisions: QuerySet[Decision]) -> Iterator[dict[str, Any]]:
    """Yield decisions as plain values, the oldest first; photos by digest."""
    found = decisions.select_related("by", "undone_by").order_by("pk")
    for some in chunks(found.iterator(chunk_size=AT_ONCE), AT_ONCE):
        yield from _rows(some)


def _rows(decisions: Sequence[Decision]) -> Iterator[dict[str, Any]]:
    ids = {pk for one in decisions for pk in one.before["photos"]}
    digests = dict(Photo.objects.filter(pk__in=ids).values_list("pk", "digest"))
    reasons: dict[int, list[str]] = {}
    sets = [one.duplicate_set_id for one in decisions if one.duplicate_set_id]
    members = Member.objects.filter(duplicate_set__in=sets).order_by("place", "pk")
    for number, reason in members.values_list("duplicate_set", "reason"):
        if reason:
            reasons.setdefault(number, []).append(reason)
    for one in decisions:
        gone = [digests[pk] for pk in one.before["photos"] if pk in digests]
        yield {
            "decision": one.pk,
            "at": one.at.isoformat(),
            "by": one.by.get_username() if one.by else "",
            "what": one.kind,
            "set": one.duplicate_set_id,
            "batch": one.run_id,
            "kept": [digest for digest in one.before["digests"] if digest not in gone],
            "discarded": gone,
            "why": reasons.get(one.duplicate_set_id or 0, []),
            "undone_at": one.undone_at.isoformat() if one.undone_at else None,
            "undone_by": one.undone_by.get_username() if one.undone_by else "",
        }


class _Line:
    """A file whose writing is handed back."""

    def write(self, text: str) -> str:
        return text


def as_csv(found: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield a table line by line, with a heading; lists are separated by `; `."""
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for row in found:
        yield writer.writerow([_cell(row[name]) for name in COLUMNS])


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return "; ".join(value)
    # A name that a spreadsheet would take for a formula stays a name.
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@"):
        return f"'{value}"
    return "" if value is None else value


def as_json(found: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield a list of objects piece by piece."""
    yield "["
    for number, row in enumerate(found):
        yield f"{',' if number else ''}\n{json.dumps(row)}"
    yield "\n]\n"


# Why is it not in the gallery?

DIGEST = re.compile(r"[0-9a-f]{6,64}")
MOST = 20


@dataclass(frozen=True, slots=True)
class Story:
    """What became of one photo: what it yielded to, at last, and by whose decision."""

    photo: Photo
    keepers: list[Photo]
    sightings: list[SourceFile]
    decisions: list[Decision]


@dataclass(frozen=True, slots=True)
class Found:
    """What a name, path or digest leads to: photos, and files that became none."""

    stories: list[Story]
    files: list[SourceFile]
    has_more: bool


def find(text: str) -> Found:
    """Return the stories of the photos that are meant by a name, a path or a digest."""
    text = text.replace("\0", "").strip()
    if not text:
        return Found([], [], has_more=False)
    wanted = _photos(text)
    files = SourceFile.objects.filter(photo=None, path__icontains=text)
    rest = list(files.select_related("source").order_by("pk")[: MOST + 1])
    return Found(
        stories(wanted[:MOST]),
        rest[:MOST],
        has_more=max(len(wanted), len(rest)) > MOST,
    )


def _photos(text: str) -> list[Photo]:
    """Return the photos meant, one more than are told of where there are more."""
    # Found by their keys alone: a folder may hold half of all, to be put in order.
    found = list(_meant(text).values_list("pk", flat=True)[: MOST + 1])
    rows = Photo.objects.select_related("thumbnail", "in_favour_of", "trashed_by")
    photos = rows.in_bulk(found)
    return [photos[pk] for pk in found if pk in photos]


def _meant(text: str) -> QuerySet[Photo]:
    rows = Photo.objects.all()
    if DIGEST.fullmatch(text.lower()):
        by_digest = rows.filter(digest__startswith=text.lower()).order_by("pk")
        if by_digest.exists():
            return by_digest
    seen = SourceFile.objects.filter(path__icontains=text, photo__isnull=False)
    meant = Q(name__icontains=text) | Q(pk__in=seen.values("photo"))
    # Those that are not to be seen come first: they are asked about.
    return rows.filter(meant).order_by("trashed_at", "pk").reverse()


def stories(photos: Sequence[Photo]) -> list[Story]:
    """Tell of photos in a fixed number of queries, but for chains of keepers."""
    sightings: dict[int, list[SourceFile]] = {photo.pk: [] for photo in photos}
    seen = SourceFile.objects.filter(photo__in=photos).order_by("pk")
    for one in seen.select_related("source", "first_run"):
        assert one.photo_id is not None
        sightings[one.photo_id].append(one)
    sets: dict[int, set[int]] = {photo.pk: set() for photo in photos}
    members = Member.objects.filter(photo__in=photos).order_by()
    for pk, duplicate_set in members.values_list("photo", "duplicate_set"):
        sets[pk].add(duplicate_set)
    made = Decision.objects.filter(duplicate_set__in=set().union(*sets.values()))
    decisions = list(made.select_related("by", "undone_by").order_by("pk"))
    return [
        Story(
            photo,
            keepers(photo),
            sightings[photo.pk][:MOST],
            [one for one in decisions if one.duplicate_set_id in sets[photo.pk]],
        )
        for photo in photos
    ]


def keepers(photo: Photo) -> list[Photo]:
    """Return what a photo gave way to, what that gave way to, and so on."""
    found: list[Photo] = []
    known = {photo.pk}
    last = photo
    while last.in_favour_of and last.in_favour_of_id not in known:
        last = last.in_favour_of
        known.add(last.pk)
        found.append(last)
    return found
