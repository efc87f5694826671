"""Whether the vault keeps what has a given digest, and which originals that rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gallery.models import KeptFile, Photo, State
from gallery.stages import chunks
from gallery.stored import Original, original
from gallery.trash import MAX_YIELDS

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Holding:
    """What became of some bytes, and the originals that have to be whole for it."""

    state: State
    rests_on: tuple[Original, ...] = ()
    # To be whole today, so that a decision can be taken back as long as that is offered.
    also: tuple[Original, ...] = ()
    # Whose name to give for bytes that were discarded.
    keeper: str = ""


def holdings(digests: Iterable[str]) -> dict[str, Holding]:
    """Of these digests, those the catalogue knows."""
    found: dict[str, Holding] = {}
    for some in chunks(digests, AT_ONCE):
        # What is kept as a file stays kept, whatever becomes of a photo of its bytes.
        for kept in KeptFile.objects.filter(digest__in=some):
            found[kept.digest] = Holding(State.KEPT, (original(kept),))
        photos = {photo.digest: photo for photo in _photos(digest__in=some)}
        known = {photo.pk: photo for photo in photos.values()}
        for digest, photo in photos.items():
            found.setdefault(digest, _holding(photo, known))
    return found


def _photos(**condition: object) -> Iterable[Photo]:
    names = ("digest", "extension", "size", "name", "trashed_at", "purged_at")
    return Photo.objects.filter(**condition).only(*names, "in_favour_of")


def _holding(photo: Photo, known: Mapping[int, Photo]) -> Holding:
    if photo.is_live:
        return Holding(State.KEPT, (original(photo),))
    keeper = _final_keeper(photo, known)
    own = (original(photo),) if photo.is_stored else ()
    if keeper is None:
        return Holding(State.THROWN_AWAY, also=own)
    return Holding(State.DISCARDED, (original(keeper),), own, keeper.name)


def _final_keeper(photo: Photo, known: Mapping[int, Photo]) -> Photo | None:
    """The live photo this one yielded to in the end, if there is one."""
    keeper: Photo | None = photo
    for _ in range(MAX_YIELDS):
        if keeper is None or keeper.is_live:
            return keeper
        pk = keeper.in_favour_of_id
        keeper = known.get(pk) or next(iter(_photos(pk=pk)), None) if pk else None
    return None
