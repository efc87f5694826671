"""Bring uploaded files into the vault, and say of each what became of it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gallery import formats, ledger, originals, vault
from gallery.arrivals import MAX_BYTES, Arrival
from gallery.drafts import Draft
from gallery.ledger import Finding
from gallery.models import (
    ImportRun,
    Outcome,
    Photo,
    Source,
    SourceFile,
    path_key,
)
from gallery.originals import Reading, Taken, VaultFails
from gallery.serving import plain
from imagevault.spoken import spoken

SOURCE = "Uploads"
# Of a folder's or file's name, characters; and folders below each other.
NAME, DEPTH = 200, 40


class Kind(StrEnum):
    """The answers there are to an uploaded file."""

    NEW = "new"
    KNOWN = "known"
    TRASHED = "trashed"
    PURGED = "purged"
    REFUSED = "refused"
    # Not in the vault: the browser is to send it.
    WANTED = "wanted"


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
    findings = placed(arrivals, before)
    record(begin(by=by), findings)
    return answers(arrivals, findings, before)


def take_into(run: ImportRun, arrivals: Sequence[Arrival]) -> list[Answer]:
    """Take files into an upload that was begun before, and answer in their order.

    Files that it has already are sent a second time, as their first answer got lost:
    they are told again and not written down twice. Raise NoVault.
    """
    vault.require(settings.IMAGEVAULT_DATA)
    done = told_before(run, arrivals)
    fresh = [one for one in arrivals if id(one) not in done]
    before = known(fresh)
    findings = placed(fresh, before)
    if findings:
        record(run, findings)
    new = iter(answers(fresh, findings, before))
    return [done.get(id(one)) or next(new) for one in arrivals]


def told_before(run: ImportRun, arrivals: Sequence[Arrival]) -> dict[int, Answer]:
    """Return the answers to those files that an upload has under their very path."""
    keys = {
        path_key(f"{folder(run)}/{safe_path(one.name)}"): one
        for one in arrivals
        if one.digest and not one.refused
    }
    rows = SourceFile.objects.with_photo().filter(first_run=run, path_key__in=keys)
    return {
        id(keys[row.path_key]): _told(row)
        for row in rows.select_related("photo__in_favour_of")
        if row.photo and row.photo.digest == keys[row.path_key].digest
    }


def _told(row: SourceFile) -> Answer:
    assert row.photo
    name = row.path.rpartition("/")[2]
    if row.outcome == Outcome.IMPORTED and row.photo.is_live:
        return Answer(name, Kind.NEW, row.photo)
    return recognised(name, row.photo, {})


def placed(arrivals: Sequence[Arrival], before: dict[str, Photo]) -> list[Finding]:
    """Say what each file is, with what is new of them in its place on the disk."""
    findings: list[Finding] = []
    for arrival in arrivals:
        finding = find(arrival, safe_path(arrival.name), before.get(arrival.digest))
        if any(finding.digest and finding.digest == one.digest for one in findings):
            finding = replace(finding, outcome=Outcome.ALREADY_KNOWN)
        elif finding.outcome == Outcome.IMPORTED:
            finding = store(arrival, finding)
        findings.append(finding)
    return findings


def begin(*, by: User) -> ImportRun:
    """Begin an upload: a run to which files may be added for as long as they come.

    It is whole after each file, so that nothing has to end it.
    """
    run = ledger.start(source(), by=by)
    run.state, run.finished_at = ImportRun.State.FINISHED, run.started_at
    run.save(update_fields=["state", "finished_at"])
    return run


def runs(by: User) -> QuerySet[ImportRun]:
    """The uploads a person has begun."""
    return ImportRun.objects.filter(source__kind=Source.Kind.UPLOAD, by=by)


@transaction.atomic
def record(run: ImportRun, findings: Sequence[Finding]) -> None:
    """Write files into the ledger, below the folder of their person and day."""
    # Files of one upload end at the same time, and each adds to the run's counts.
    run = (
        ImportRun.objects.select_for_update(of=("self",))
        .select_related("by")
        .get(pk=run.pk)
    )
    Source.objects.select_for_update(no_key=True).get(pk=run.source_id)
    ledger.write(run, filed(run, findings), ())
    ImportRun.objects.filter(pk=run.pk).update(finished_at=timezone.now())


def source() -> Source:
    page, _ = Source.objects.update_or_create(
        kind=Source.Kind.UPLOAD,
        defaults={"last_seen_at": timezone.now()},
        create_defaults={"label": ledger.free_label(SOURCE)},
    )
    return page


def safe_path(path: str) -> str:
    """Return a path that leads nowhere but down, and could lie on any disk."""
    parts = [plain(part) for part in path.split("/") if part.strip(". ")]
    *folders, name = parts or [plain("")]
    return "/".join([*(folder[:NAME] for folder in folders[:DEPTH]), short(name)])


def short(name: str) -> str:
    """Return a name that a disk takes; the extension stays."""
    stem, dot, extension = name.rpartition(".")
    if len(name) <= NAME or len(extension) > 10:
        return name[:NAME]
    return f"{stem[: NAME - len(extension) - 1]}{dot}{extension}"


def filed(run: ImportRun, findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings under the person, the day, and a name nothing else has there."""
    below = folder(run)
    rows = SourceFile.objects.filter(source=run.source).select_related("photo")
    keys = {path_key(f"{below}/{finding.path}") for finding in findings}
    # Most paths are free, and asked for at once.
    there = {row.path_key: row for row in rows.filter(path_key__in=keys)}
    taken: set[str] = set()
    found = []
    for finding in findings:
        for path in numbered(f"{below}/{finding.path}"):
            key = path_key(path)
            row = there.get(key) if key in keys else rows.filter(path_key=key).first()
            if path not in taken and is_free(row, finding.digest):
                break
        taken.add(path)
        found.append(replace(finding, path=path))
    return found


def folder(run: ImportRun) -> str:
    """Return the folder of the upload's person and day."""
    by = plain(run.by.get_username()) if run.by else "-"
    return f"{by}/{timezone.localdate(run.started_at)}"


def numbered(path: str) -> Iterator[str]:
    """Yield a/b.jpg, a/b (2).jpg, ..., a/b (9).jpg, and then names nobody has."""
    yield path
    folder, _, name = path.rpartition("/")
    stem, dot, extension = name.rpartition(".")
    stem, extension = (stem, dot + extension) if stem else (extension, "")
    # Phones call a thousand pictures image.jpg: they are not counted through each time.
    for mark in (*range(2, 10), secrets.token_hex(4), secrets.token_hex(16)):
        yield f"{folder}/{stem} ({mark}){extension}"


def is_free(row: SourceFile | None, digest: str) -> bool:
    """Whether no other photo is known under the path of this row."""
    return row is None or row.photo is None or row.photo.digest == digest


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
            if not place.exists():
                outcome = Outcome.IMPORTED
            elif not photo.is_discarded:
                outcome = Outcome.ALREADY_KNOWN
    return replace(finding, outcome=outcome, digest=arrival.digest, format=format)


def store(arrival: Arrival, finding: Finding) -> Finding:
    """Move a new picture to its place among the originals."""
    assert finding.format
    extension = finding.format.extension
    place = vault.original(settings.IMAGEVAULT_DATA, arrival.digest, extension)
    if arrival.path == place:
        # It came so far before somebody died.
        return replace(finding, bytes_stored=arrival.size)
    reading = Reading(arrival.digest, arrival.size, arrival.modified_ns or 0)
    try:
        draft = Draft(arrival.path, os.open(arrival.path, os.O_RDWR | os.O_CLOEXEC))
        stored = originals.keep(
            Taken(reading, draft), settings.IMAGEVAULT_DATA, extension
        )
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
        answer(safe_path(arrival.name), finding, now, before, sightings)
        for arrival, finding in pairs
    ]


def first_sightings(photos: Iterable[Photo]) -> dict[int, SourceFile]:
    rows = (
        SourceFile.objects.filter(photo__in=[photo.pk for photo in photos])
        .select_related("source")
        .order_by("-pk")
    )
    return {row.photo_id: row for row in rows if row.photo_id}


def too_large() -> str:
    """The reason, in English; pages say it in the reader's language."""
    return f"it is larger than {MAX_BYTES >> 30} GB"


REASONS: dict[str, Promise] = {
    Outcome.EMPTY: _("it is empty"),
    Outcome.NOT_A_PHOTO: _("it is not a picture of a kind that is known here"),
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
            name,
            Kind.REFUSED,
            reason=str(REASONS.get(finding.outcome) or spoken(finding.reason)),
        )
    photo = now.get(finding.digest)
    if photo is None or finding.digest not in before:
        kind = Kind.NEW if finding.outcome == Outcome.IMPORTED else Kind.KNOWN
        return Answer(name, kind, photo)
    return recognised(name, photo, sightings)


def recognised(
    name: str, photo: Photo, sightings: dict[int, SourceFile], *, reason: str = ""
) -> Answer:
    """The answer to a file that the vault had before."""
    if photo.is_live:
        kind = Kind.KNOWN
    else:
        kind = Kind.TRASHED if photo.is_stored else Kind.PURGED
    return Answer(name, kind, photo, reason, sightings.get(photo.pk))
