"""Files that a browser has hashed and not sent: which of them the vault has already.

A digest is a claim, not content. It stores nothing, and proves nothing about any drive: a
sighting that rests on it has an outcome of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings

from gallery import uploads, vault
from gallery.arrivals import MAX_BYTES
from gallery.ledger import Finding
from gallery.models import ImportRun, Outcome, Photo
from gallery.uploads import Answer, Kind
from imagevault.spoken import spoken


@dataclass(frozen=True, slots=True)
class Claim:
    """What a browser says of a file it was given."""

    path: str
    size: int  # bytes
    digest: str
    modified_ns: int | None = None  # since 1970 UTC


def recognise(claims: Sequence[Claim], *, run: ImportRun | None = None) -> list[Answer]:
    """Say of each file whether the vault has it; those it wants sent are WANTED.

    With a run, those that need not come are written into its ledger.
    """
    photos = known(claims)
    sightings = uploads.first_sightings(photos.values())
    if run:
        findings = [found for claim in claims if (found := find(claim, photos))]
        if findings:
            uploads.record(run, findings)
    answers = []
    for claim in claims:
        path = uploads.safe_path(claim.path)
        photo = photos.get(claim.digest)
        if reason := refusal(claim):
            answers.append(Answer(path, Kind.REFUSED, reason=spoken(reason)))
        elif photo and is_told(claim, photo):
            answers.append(uploads.recognised(path, photo, sightings))
        else:
            answers.append(Answer(path, Kind.WANTED))
    return answers


def known(claims: Iterable[Claim]) -> dict[str, Photo]:
    """The photos with these digests, by digest."""
    digests = {claim.digest for claim in claims}
    photos = Photo.objects.select_related("in_favour_of").filter(digest__in=digests)
    return {photo.digest: photo for photo in photos}


def refusal(claim: Claim) -> str:
    """Why a file need not be sent at all."""
    if not claim.size:
        return "it is empty"
    return uploads.too_large() if claim.size > MAX_BYTES else ""


def is_told(claim: Claim, photo: Photo) -> bool:
    """Whether the claim fits the photo, and the photo needs no bytes.

    One whose original got lost is wanted again.
    """
    if claim.size != photo.size:
        return False
    folder = settings.IMAGEVAULT_DATA
    original = vault.original(folder, photo.digest, photo.extension)
    return not photo.is_stored or original.exists()


def find(claim: Claim, photos: dict[str, Photo]) -> Finding | None:
    """What the ledger says of a file that is not sent; None if it is wanted."""
    path = uploads.safe_path(claim.path)
    size, modified_ns = claim.size, claim.modified_ns
    if reason := refusal(claim):
        outcome = Outcome.UNREADABLE if claim.size else Outcome.EMPTY
        return Finding(path, outcome, reason, size, modified_ns)
    photo = photos.get(claim.digest)
    if photo is None or not is_told(claim, photo):
        return None
    return Finding(
        path,
        Outcome.CLAIMED,
        size=size,
        modified_ns=modified_ns,
        digest=claim.digest,
    )
