"""Which photos are the same picture as each other, for whoever asks without judging."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models import F, OuterRef, QuerySet, Subquery

from dedup.models import Comparison, Kind, Says, Verdict
from gallery.models import Photo
from gallery.stages import chunks

AT_ONCE = 400
SAID = {
    Says.SAME: True,
    Says.NOT_DUPLICATES: False,
    Says.SIMILAR_SHOTS: False,
}


def pictures(photos: Iterable[int] | None) -> Iterator[tuple[int, int, bool]]:
    """Yield pairs of photos that are the same picture, and whether every pixel is.

    With `photos`, only pairs with one of them. What a person said of two counts for more
    than what measuring them gave.
    """
    if photos is None:
        yield from _pairs(Comparison.objects.all(), Verdict.objects.all())
        return
    seen: set[tuple[int, int]] = set()
    for some in chunks((int(photo) for photo in photos), AT_ONCE):
        digests = Photo.objects.filter(pk__in=some).values("digest")
        left = Verdict.objects.filter(left_digest__in=digests)
        right = Verdict.objects.filter(right_digest__in=digests)
        measured = Comparison.objects.touching(some)
        for one, other, is_pixels in _pairs(measured, left.union(right)):
            if (one, other) not in seen:
                seen.add((one, other))
                yield one, other, is_pixels


def _pairs(
    comparisons: QuerySet[Comparison], verdicts: QuerySet[Verdict]
) -> Iterator[tuple[int, int, bool]]:
    said = _said(verdicts)
    rows = comparisons.filter(recipe__gt=0, kind=Kind.DUPLICATES).values_list(
        "left",
        "right",
        F("left__fingerprint__pixel_digest"),
        F("right__fingerprint__pixel_digest"),
    )
    for left, right, ours, theirs in rows.iterator(chunk_size=10_000):
        if said.pop((left, right), True):
            yield left, right, bool(ours) and ours == theirs
    for (one, other), is_same in said.items():
        if is_same:
            yield one, other, False


def _said(verdicts: QuerySet[Verdict]) -> dict[tuple[int, int], bool]:
    """What people said of pairs of photos, the smaller id first."""
    rows = Verdict.objects.filter(pk__in=verdicts.values("pk"), says__in=SAID)
    by_digest = Photo.objects.order_by()
    found = rows.annotate(
        left=Subquery(by_digest.filter(digest=OuterRef("left_digest")).values("pk")),
        right=Subquery(by_digest.filter(digest=OuterRef("right_digest")).values("pk")),
    ).values_list("left", "right", "says")
    return {
        (min(left, right), max(left, right)): SAID[Says(says)]
        for left, right, says in found.iterator(chunk_size=10_000)
        if left and right
    }
