"""Measuring candidate pairs: thumbnails, facts and, where it matters, every pixel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from django.db import transaction

from dedup import alignment, naming, neighbours, perceptual, relation
from dedup.models import Comparison, Fingerprint
from dedup.relation import Facts, Judgement
from dedup.thumbnails import thumbnail
from gallery import dates
from gallery.decoding import Unreadable
from gallery.descent import Descent
from gallery.models import Photo, SourceFile
from gallery.stages import chunks

# Thumbnails whose features stay at hand in a worker, 700 KB each.
AT_HAND = 64
# In place of the digest of pixels that cannot all be decoded.
UNKNOWN_PIXELS = "-"

PixelDigest = Callable[[Photo], str]
DetailBeyond = Callable[[Photo, int], float]
MadeFrom = Callable[[Photo, Photo, int], Descent]


def measure(
    comparison: Comparison,
    *,
    pixel_digest: PixelDigest,
    detail_beyond: DetailBeyond,
    descent: MadeFrom,
) -> Judgement:
    """Return what the judge says of a pair; raise NoThumbnail.

    `pixel_digest`, `detail_beyond` (of gallery.detail) and `descent` (of
    gallery.descent) decode originals at full size, in a sandbox. They are asked only
    where the answer may depend on them, the digest once for each photo.
    """
    left, right = comparison.left, comparison.right
    distance, turn = _apart(comparison)
    near = distance is not None and distance <= neighbours.RADIUS
    laid = alignment.compare(
        _features(left.digest),
        _features(right.digest),
        turn=turn if near else None,
        mirrored=None if near else comparison.mirrored,
    )
    ours, theirs = facts(left), facts(right)
    judgement = relation.judge(ours, theirs, laid, distance)
    if relation.wants_pixel_digest(ours, theirs, judgement, laid):
        ours = replace(ours, pixel_digest=_pixels(left, pixel_digest))
        theirs = replace(theirs, pixel_digest=_pixels(right, pixel_digest))
        judgement = relation.judge(ours, theirs, laid, distance)
    try:
        detail = _detail(comparison, ours, theirs, judgement, detail_beyond)
        way = relation.wants_descent(ours, theirs, judgement, laid)
        made = None if way is None else descent(left, right, way)
    except Unreadable:
        return judgement
    return relation.judge(ours, theirs, laid, distance, detail=detail, descent=made)


def _detail(
    comparison: Comparison,
    ours: Facts,
    theirs: Facts,
    judgement: Judgement,
    detail_beyond: DetailBeyond,
) -> float | None:
    asked = relation.wants_detail(ours, theirs, judgement)
    if asked is None:
        return None
    side, edge = asked
    larger = comparison.left if side == relation.Side.LEFT else comparison.right
    return detail_beyond(larger, edge)


def _apart(comparison: Comparison) -> tuple[int | None, int]:
    """Return the distance of a pair and the turn of the left one at which it is so.

    What another road than the hash proposed has a distance, too.
    """
    if comparison.distance is not None:
        return comparison.distance, comparison.turn
    rows = Fingerprint.objects.made().in_bulk(comparison.pair)
    if len(rows) < 2 or len({row.recipe for row in rows.values()}) > 1:
        return None, 0
    left, right = (bytes(rows[pk].bits) for pk in comparison.pair)
    return perceptual.apart(left, right)


@transaction.atomic
def record(answers: Mapping[int, Judgement]) -> None:
    """Write what measuring gave, by comparison id."""
    for pk, comparison in Comparison.objects.in_bulk(sorted(answers)).items():
        comparison.answer(answers[pk])
        comparison.finish(
            kind=comparison.kind,
            confidence=comparison.confidence,
            separates=comparison.separates,
            judgement=comparison.judgement,
            is_grouped=False,
        )


def facts(photo: Photo, paths: Sequence[str] = ()) -> Facts:
    """Return what the judge and the ranking need to know of a photo.

    `paths`: where it was seen. The time is the file's own: that of the row may come from
    another copy.
    """
    said = photo.facts
    taken = dates.best(dates.Evidence.from_json(one) for one in said.get("dates", []))
    return Facts(
        digest=photo.digest,
        file_size=photo.size,
        width=photo.width or 0,
        height=photo.height or 0,
        format=photo.format,
        camera_make=photo.camera_make,
        camera_model=photo.camera_model,
        taken_at=taken.taken_at,
        taken_from=taken.origin.value,
        exposure=(
            said.get("exposure_seconds"),
            said.get("f_number"),
            said.get("iso"),
        ),
        software=said.get("software") or "",
        has_maker_note=bool(said.get("has_maker_note")),
        jpeg_quality=said.get("jpeg_quality"),
        sightings=max(1, len(paths)),
        problem=photo.problem,
        named=naming.of_all(paths),
    )


def facts_of(photos: Mapping[int, Photo]) -> dict[int, Facts]:
    """Return the facts of photos by id, with where each was seen."""
    seen: dict[int, list[str]] = defaultdict(list)
    for some in chunks(photos, 2_000):
        rows = SourceFile.objects.filter(photo__in=some).order_by()
        for pk, path in rows.values_list("photo", "path").iterator():
            seen[pk].append(path)
    return {pk: facts(photo, seen[pk]) for pk, photo in photos.items()}


@lru_cache(maxsize=AT_HAND)
def _features(digest: str) -> alignment.Features:
    return alignment.features(np.asarray(thumbnail(digest).convert("RGB")))


def _pixels(photo: Photo, pixel_digest: PixelDigest) -> str:
    """Return the digest of all pixels, computed once; empty where they cannot be had."""
    rows = Fingerprint.objects.filter(pk=photo.pk)
    known = rows.values_list("pixel_digest", flat=True).first()
    if not known:
        try:
            known = pixel_digest(photo)
        except Unreadable:
            known = UNKNOWN_PIXELS
        rows.update(pixel_digest=known)
    return "" if known == UNKNOWN_PIXELS else known
