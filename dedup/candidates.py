"""Candidate pairs while a search is under way: of each photo the best so many.

A crowd (a thousand copies, ten thousand black frames) has pairs without end. Every photo
looked for keeps its best ones only, so that the work stays a multiple of the photos.
"""

from collections.abc import Iterator

import numpy as np

# `photo` was looked for and `other` found, both photo ids; `cost` is the lower the
# better; `hint` what the road knows of how to lay them over each other.
CANDIDATE = np.dtype(
    [("photo", "<i8"), ("other", "<i8"), ("cost", "<i4"), ("hint", "i1")]
)


def candidates(
    photo: np.ndarray, other: np.ndarray, cost: np.ndarray, hint: np.ndarray
) -> np.ndarray:
    """Return columns of one length as candidates; a photo is never its own."""
    found = np.empty(len(photo), dtype=CANDIDATE)
    found["photo"], found["other"] = photo, other
    found["cost"], found["hint"] = cost, hint
    return found[found["photo"] != found["other"]]


def none() -> np.ndarray:
    return np.empty(0, dtype=CANDIDATE)


def stored(found: np.ndarray) -> bytes:
    return found.tobytes()


def read(content: bytes) -> np.ndarray:
    """Return what `stored` wrote."""
    return np.frombuffer(content, dtype=CANDIDATE)


def best(found: np.ndarray, *, most: int) -> np.ndarray:
    """Return the `most` best candidates of each photo, by photo, the best first."""
    ordered = found[np.lexsort((found["other"], found["cost"], found["photo"]))]
    starts = _starts(ordered["photo"])
    sizes = np.diff(np.append(starts, len(ordered)))
    places = np.arange(len(ordered)) - np.repeat(starts, sizes)
    return ordered[places < most]


def crowded(found: np.ndarray, *, most: int) -> list[int]:
    """Return the photos with more candidates than that."""
    photos, counts = np.unique(found["photo"], return_counts=True)
    crowd: list[int] = photos[counts > most].tolist()
    return crowd


def pairs(found: np.ndarray) -> Iterator[tuple[int, int, int, int, bool]]:
    """Yield (left, right, cost, hint, swapped), the smaller photo id left.

    `swapped`: the photo that was looked for stands right, so that a hint has to be read
    from the other side.
    """
    for photo, other, cost, hint in found.tolist():
        left, right = min(photo, other), max(photo, other)
        yield left, right, cost, hint, photo == right


def _starts(photos: np.ndarray) -> np.ndarray:
    """Return where each run of equal, sorted photos begins."""
    return np.flatnonzero(np.append(True, np.diff(photos) != 0)[: len(photos)])
