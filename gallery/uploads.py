"""Bring uploaded files into the vault, and say of each what became of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from gallery import formats, ledger, originals, vault
from gallery.arrivals import Arrival
from gallery.drafts import Draft
from gallery.ledger import Finding
from gallery.models import ImportRun, Outcome, Photo, Source, SourceFile
from gallery.originals import Reading, Taken, VaultFails
from gallery.serving import plain

SOURCE = "Uploads"


class Kind(StrEnum):
    """The answers there are to an uploaded file."""

    NEW = "new"
    KNOWN = "known"
    TRASHED = "trashed"
    PURGED = "purged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one file: the photo it is, or the reason why it is none."""

    name: str
    kind: Kind
    photo: Photo | None = None
    reason: str = ""
    # Where the vault had it from before.
    sighting: SourceFile | None = None


def take_in(arrivals: Sequence[Arrival], *, by: User) -> list[Answer]:
    """Store what is new, write every file into the ledger, and answer in their order.

    Raise NoVault where there is no vault to take anything.
    """
    vault.require(settings.IMAGEVAULT_DATA)
    before = known(arrivals)
    findings: list[Finding] = []
    for arrival, path in zip(arrivals, paths(arrivals, by=by), strict=True):
        finding = find(arrival, path, before.get(arrival.digest))
        if any(finding.digest and finding.digest == one.digest for one in findings):
            finding = replace(finding, outcome=Outcome.ALREADY_KNOWN)
        elif finding.outcome == Outcome.IMPORTED:
            finding = store(arrival, finding)
        findings.append(finding)
    run = ledger.start(source(), by=by)
    ledger.write(run, findings, ())
    ImportRun.objects.filter(pk=run.pk).update(
        state=ImportRun.State.FINISHED, finished_at=timezone.now()
    )
    return answers(arrivals, findings, before)


def source() -> Source:
    page, _ = Source.objects.update_or_create(
        kind=Source.Kind.UPLOAD,
        defaults={"last_seen_at": timezone.now()},
        create_defaults={"label": ledger.free_label(SOURCE)},
    )
    return page


def paths(arrivals: Iterable[Arrival], *, by: User) -> list[str]:
    """Return where the ledger files each arrival: who, which day, which name."""
    folder = f"{plain(by.get_username())}/{timezone.localdate()}"
    found: list[str] = []
    for arrival in arrivals:
        stem, dot, extension = plain(arrival.name).rpartition(".")
        first = path = f"{folder}/{stem}{dot}{extension}"
        number = 1
        while path in found:
            number += 1
            path = f"{first} ({number})"
        found.append(path)
    return found


def known(arrivals: Iterable[Arrival]) -> dict[str, Photo]:
    """Return the photos the vault has, or had, with the bytes of these files."""
    digests = {arrival.digest for arrival in arrivals if arrival.digest}
    photos = Photo.objects.select_related("in_favour_of").filter(digest__in=digests)
    return {photo.digest: photo for photo in photos}


def find(arrival: Arrival, path: str, photo: Photo | None) -> Finding:
    """Say what a file is, looking only at what has arrived of it and at the catalogue."""
    finding = Finding(
        path,
        Outcome.UNREADABLE,
        reason=arrival.refused,
        size=arrival.size,
        modified_ns=arrival.modified_ns,
    )
    if arrival.refused:
        return finding
    if not arrival.size:
        return replace(finding, outcome=Outcome.EMPTY)
    format = formats.recognise(arrival.head, size=arrival.size)
    if format is None:
        return replace(finding, outcome=Outcome.NOT_A_PHOTO)
    outcome = Outcome.IMPORTED
    if photo:
        outcome = Outcome.DISCARDED
        if photo.is_stored:
            # An original that got lost is stored again.
            place = vault.original(
                settings.IMAGEVAULT_DATA, photo.digest, photo.extension
            )
            is_lost = not place.exists()
            outcome = Outcome.IMPORTED if is_lost else Outcome.ALREADY_KNOWN
    return replace(finding, outcome=outcome, digest=arrival.digest, format=format)


def store(arrival: Arrival, finding: Finding) -> Finding:
    """Move a new picture to its place among the originals."""
    assert finding.format
    reading = Reading(arrival.digest, arrival.size, arrival.modified_ns or 0)
    try:
        draft = Draft(arrival.path, os.open(arrival.path, os.O_RDWR | os.O_CLOEXEC))
        folder, extension = settings.IMAGEVAULT_DATA, finding.format.extension
        stored = originals.keep(Taken(reading, draft), folder, extension)
    except VaultFails as error:
        return Finding(
            finding.path, Outcome.UNREADABLE, reason=str(error), size=arrival.size
        )
    return replace(finding, bytes_stored=stored.size if stored.is_new else 0)


def answers(
    arrivals: Sequence[Arrival], findings: Sequence[Finding], before: dict[str, Photo]
) -> list[Answer]:
    now = known(arrivals)
    sightings = first_sightings(before.values())
    pairs = zip(arrivals, findings, strict=True)
    return [
        answer(plain(arrival.name), finding, now, before, sightings)
        for arrival, finding in pairs
    ]


def first_sightings(photos: Iterable[Photo]) -> dict[int, SourceFile]:
    rows = (
        SourceFile.objects.filter(photo__in=[photo.pk for photo in photos])
        .select_related("source")
        .order_by("-pk")
    )
    return {row.photo_id: row for row in rows if row.photo_id}


REASONS = {
    Outcome.EMPTY: "it is empty",
    Outcome.NOT_A_PHOTO: "it is not a picture of a kind that is known here",
}


def answer(
    name: str,
    finding: Finding,
    now: dict[str, Photo],
    before: dict[str, Photo],
    sightings: dict[int, SourceFile],
) -> Answer:
    if not finding.digest:
        return Answer(
            name, Kind.REFUSED, reason=REASONS.get(finding.outcome, finding.reason)
        )
    photo = now.get(finding.digest)
    if photo is None or finding.digest not in before:
        kind = Kind.NEW if finding.outcome == Outcome.IMPORTED else Kind.KNOWN
        return Answer(name, kind, photo)
    if photo.is_live:
        kind = Kind.KNOWN
    else:
        kind = Kind.TRASHED if photo.is_stored else Kind.PURGED
    return Answer(name, kind, photo, sighting=sightings.get(photo.pk))
