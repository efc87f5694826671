"""The ledger's rows: what is known of a drive's files, and how a batch is written down."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Case, Count, Q, Sum, When
from django.utils import timezone

from gallery import beside, dating, develop, drives, formats, kinds, walk
from gallery.formats import Format
from gallery.models import (
    FolderToDate,
    ImportRun,
    Keep,
    KeptFile,
    Outcome,
    Photo,
    Source,
    SourceFile,
    StaleShelf,
    Thumbnail,
    folder_key,
    path_as_given,
    path_key,
)
from gallery.stages import chunks

# Outcomes a file keeps, unopened, for as long as it lies there unchanged.
LASTING = {
    *(Outcome.IMPORTED, Outcome.ALREADY_KNOWN, Outcome.DISCARDED),
    *(Outcome.KEPT, Outcome.PART, Outcome.SIDECAR),
}
# ... and those it keeps until pictures are told from other files by newer rules.
LASTING_BY_RULE = {
    *(Outcome.VIDEO, Outcome.NOT_A_PHOTO, Outcome.JUNK),
    Outcome.ARCHIVE,
}
# ... and those of what need not be opened, in an archive that lies there unchanged.
UNOPENED = {Outcome.EMPTY, Outcome.LINK, Outcome.SPECIAL}
# What is kept after all where the family asks for it.
KEPT_AT_WISH = {Outcome.VIDEO: Keep.VIDEOS, Outcome.NOT_A_PHOTO: Keep.DOCUMENTS}
# What a file was when it came into the vault.
FIRST = {Outcome.IMPORTED, Outcome.KEPT, Outcome.PART, Outcome.SIDECAR}

NAME_LENGTH = 255


class LabelTaken(Exception):
    """The label belongs to something that is no drive."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one entry; with a digest, the photo or kept file it is."""

    path: str
    outcome: Outcome
    reason: str = ""
    size: int = 0  # bytes
    modified_ns: int | None = None  # since 1970 UTC
    digest: str = ""
    format: Format | None = None
    print: develop.Print | None = None
    bytes_stored: int = 0
    kept: KeptFile.Kind | None = None
    seconds: float | None = None  # that a film runs
    archive: str = ""  # path of the outermost archive this lies in
    version_of: str = ""  # path of the original this was edited from

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A ledger row whose file lies there as it did, and its outcome in a new run."""

    pk: int
    outcome: Outcome
    size: int  # bytes
    # Of an archive: its key, and its entries and their bytes by outcome.
    key: str = ""
    inside: Counter[str] = field(default_factory=Counter)
    bytes_inside: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Written:
    """What a batch came to; an outcome may differ from what was found, when another
    import has been faster."""

    outcomes: Counter[str]
    # By outcome
    bytes: Counter[str]
    # Of all these, what was unpacked: it is seen with its archive.
    bytes_packed: int
    bytes_stored: int

    @property
    def bytes_seen(self) -> int:
        return self.bytes.total() - self.bytes_packed

    @classmethod
    def of(
        cls, findings: Sequence[Finding], seen_again: Sequence[Unchanged]
    ) -> Written:
        every: list[Finding | Unchanged] = [*findings, *seen_again]
        outcomes = Counter(one.outcome.value for one in every)
        sizes: Counter[str] = Counter()
        for one in every:
            sizes[one.outcome.value] += one.size
        for again in seen_again:
            outcomes += again.inside
            sizes += again.bytes_inside
        packed = [one.size for one in findings if one.archive]
        packed += [one.bytes_inside.total() for one in seen_again]
        return cls(
            outcomes,
            sizes,
            sum(packed),
            sum(one.bytes_stored for one in findings),
        )


def find_source(path: Path, *, label: str | None) -> Source | None:
    """The drive a folder is known as: by the label given, else by its volume."""
    if label:
        named = Source.objects.filter(label=label).first()
        if named and named.kind != Source.Kind.DRIVE:
            raise LabelTaken(f"“{label}” is not a drive; choose another label.")
        if named:
            return named
    known = Source.objects.filter(kind=Source.Kind.DRIVE).order_by("-last_seen_at")
    if volume := drives.volume(path):
        return known.filter(volume=volume).first()
    # Nothing says what is mounted here; only a label can tell two drives apart.
    here = walk.readable(bytes(path.resolve()))
    return known.filter(volume="", mounted_at=here).first()


def source_at(path: Path, *, label: str | None) -> Source:
    """The drive a folder is known as, new or not, marked as seen now and here."""
    try:
        return _source_at(path, label=label)
    except IntegrityError:
        # Another import has just made it known.
        return _source_at(path, label=label)


@transaction.atomic
def _source_at(path: Path, *, label: str | None) -> Source:
    source = find_source(path, label=label) or Source(label="")
    if label:
        source.label = label
    source.label = source.label or free_label(drives.label(path))
    source.volume = drives.volume(path)
    source.mounted_at = walk.readable(bytes(path.resolve()))
    source.last_seen_at = timezone.now()
    source.gone_at = None
    source.save()
    return source


def free_label(wanted: str) -> str:
    """This label, or with the lowest number that makes it a new one."""
    wanted = wanted[:190]
    taken = set(
        Source.objects.filter(label__startswith=wanted).values_list("label", flat=True)
    )
    if wanted not in taken:
        return wanted
    numbers = range(2, len(taken) + 3)
    return next(name for n in numbers if (name := f"{wanted} {n}") not in taken)


def unchanged(
    source: Source, entries: Sequence[walk.Entry], *, wishes: Collection[str] = ()
) -> dict[str, Unchanged]:
    """Of these files, those that need not be opened, by path."""
    by_key = {path_key(entry.path): entry for entry in entries}
    rows = SourceFile.objects.filter(source=source, path_key__in=by_key).values_list(
        "pk",
        "path_key",
        "size",
        "modified_ns",
        "outcome",
        "photo__purged_at",
        "photo__in_favour_of",
        "last_run__recipe",
    )
    found = {}
    for pk, key, size, modified_ns, outcome, purged_at, keeper, recipe in rows:
        entry = by_key[key]
        if (size, modified_ns) != (entry.size, entry.modified_ns):
            continue
        settled = _settled(outcome, bool(purged_at or keeper), recipe)
        # A film beside a picture may be a part of it.
        if settled is Outcome.VIDEO and entry.beside:
            continue
        if settled and KEPT_AT_WISH.get(settled) not in wishes:
            is_archive = settled is Outcome.ARCHIVE
            found[entry.path] = Unchanged(pk, settled, size, key if is_archive else "")
    return _with_contents(source, found, wishes)


def _with_contents(
    source: Source, found: dict[str, Unchanged], wishes: Collection[str]
) -> dict[str, Unchanged]:
    """The same with what archives hold; without those that have to be opened again."""
    known = {one.key: one for one in found.values() if one.key}
    if not known:
        return found
    unsettled = set()
    discarded = Q(photo__purged_at__isnull=False) | Q(photo__in_favour_of__isnull=False)
    rows = SourceFile.objects.inside(source, known).values_list(
        "archive",
        "outcome",
        Case(When(discarded, then=True), default=False),
        "last_run__recipe",
    )
    sums = rows.annotate(Count("pk"), Sum("size")).order_by()
    for key, outcome, gone, recipe, count, size in sums:
        settled = _settled(outcome, bool(gone), recipe)
        if settled is None and outcome in UNOPENED:
            settled = Outcome(outcome)
        if settled is None or KEPT_AT_WISH.get(settled) in wishes:
            unsettled.add(key)
        else:
            known[key].inside[settled.value] += count
            known[key].bytes_inside[settled.value] += size
    return {path: one for path, one in found.items() if one.key not in unsettled}


def _settled(outcome: str, discarded: bool, recipe: int) -> Outcome | None:  # noqa: FBT001
    """The outcome of an unchanged file in a new run, None if it has to be opened."""
    if outcome in (Outcome.PART, Outcome.SIDECAR):
        return Outcome(outcome)
    if outcome in LASTING:
        return Outcome.DISCARDED if discarded else Outcome.ALREADY_KNOWN
    if outcome in LASTING_BY_RULE and recipe == formats.RECIPE:
        return Outcome(outcome)
    return None


def photo_with(digest: str) -> Photo | None:
    """The photo of these bytes, purged ones too."""
    photos = Photo.objects.select_related("in_favour_of")
    return photos.filter(digest=digest).first()


def kept_with(digest: str) -> KeptFile | None:
    """The kept file of these bytes."""
    return KeptFile.objects.filter(digest=digest).first()


@transaction.atomic
def start(source: Source, *, by: User | None) -> ImportRun:
    return ImportRun.objects.create(source=source, by=by, recipe=formats.RECIPE)


@transaction.atomic
def write(
    run: ImportRun, findings: Sequence[Finding], seen_again: Sequence[Unchanged]
) -> Written:
    """Write a batch: photos, thumbnails, sightings, dates, and the run's counts.

    `run` has the counts of all batches before; it is saved with those of this one, and
    stays as it was in memory, so that a batch can be written again after a failure.
    """
    # Of two who file photos under one path at once, the second has to see the row of
    # the first, or that photo loses its sighting.
    Source.objects.select_for_update(no_key=True).get(pk=run.source_id)
    photos, created = _photos(run, [one for one in findings if not one.kept])
    kept, kept_now = _kept(run, [one for one in findings if one.kept])
    findings = _corrected(findings, created | kept_now)
    _write_rows(run, findings, photos, kept)
    # The log of changes is of photos.
    StaleShelf.objects.note(digest[:4] for digest in kept)
    touched = [row.pk for row in seen_again]
    SourceFile.objects.filter(pk__in=touched).update(last_run=run)
    opened = [row.key for row in seen_again if row.key]
    SourceFile.objects.inside(run.source, opened).update(last_run=run)
    _improve_dates([photo for photo in photos.values() if photo.digest not in created])
    written = Written.of(findings, seen_again)
    _count(run, written)
    return written


def _count(run: ImportRun, written: Written) -> None:
    outcomes = Counter(run.outcomes) + written.outcomes
    ImportRun.objects.filter(pk=run.pk).update(
        outcomes=outcomes,
        seen=outcomes.total(),
        bytes_seen=run.bytes_seen + written.bytes_seen,
        bytes_stored=run.bytes_stored + written.bytes_stored,
    )


def _photos(
    run: ImportRun, findings: Sequence[Finding]
) -> tuple[dict[str, Photo], set[str]]:
    """The photos of these findings by digest, and the digests of the new ones."""
    sightings: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.digest:
            sightings[finding.digest].append(finding)
    photos = _known(Photo, sightings)
    # In one order, or two imports at once could wait for each other.
    new = sorted(sightings.keys() - photos.keys())
    created = _created([_new_photo(run, sightings[digest]) for digest in new])
    photos |= _known(Photo, new)
    _open_steps(photos, {digest: sightings[digest][0] for digest in created})
    return photos, created


def _kept(
    run: ImportRun, findings: Sequence[Finding]
) -> tuple[dict[str, KeptFile], set[str]]:
    """The kept files of these findings by digest, and the digests of the new ones."""
    first = {finding.digest: finding for finding in reversed(findings)}
    files = _known(KeptFile, first)
    new = sorted(first.keys() - files.keys())
    created = _created([_new_kept(run, first[digest]) for digest in new])
    return files | _known(KeptFile, new), created


def _new_kept(run: ImportRun, finding: Finding) -> KeptFile:
    assert finding.kept
    return KeptFile(
        digest=finding.digest,
        extension=kinds.extension(finding.name),
        kind=finding.kept,
        size=finding.size,
        name=finding.name[:NAME_LENGTH],
        seconds=finding.seconds,
        added_by=run.by,
    )


Row = TypeVar("Row", Photo, KeptFile)


def _known(model: type[Row], digests: Iterable[str]) -> dict[str, Row]:
    rows = model._default_manager.filter(digest__in=list(digests))
    return {row.digest: row for row in rows}


def _created(rows: list[Row]) -> set[str]:
    """Create rows; return the digests of those no other import has created meanwhile."""
    if not rows:
        return set()
    try:
        with transaction.atomic():
            type(rows[0])._default_manager.bulk_create(rows)
    except IntegrityError:
        return {row.digest for row in rows if _create(row)}
    return {row.digest for row in rows}


def _create(row: Photo | KeptFile) -> bool:
    """Create the row; return false if another import has done so meanwhile."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _new_photo(run: ImportRun, sightings: Sequence[Finding]) -> Photo:
    first = sightings[0]
    assert first.format is not None
    photo = Photo(
        digest=first.digest,
        extension=first.format.extension,
        format=first.format.name,
        size=first.size,
        name=first.name[:NAME_LENGTH],
        added_by=run.by,
    )
    values = develop.facts(first.print) if first.print else {}
    _set(photo, values)
    seen = [
        dating.Seen(path_as_given(run.source.kind, one.path), one.modified_ns)
        for one in sightings
    ]
    told = dating.by_sightings(seen)
    _set(photo, dating.taken(photo, told))
    return photo


def _set(photo: Photo, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(photo, name, value)


def _open_steps(photos: dict[str, Photo], created: dict[str, Finding]) -> None:
    """A thumbnail row for each new photo: finished, failed or left to the workers."""
    steps = [
        develop.step(photos[digest], finding.print)
        for digest, finding in created.items()
    ]
    Thumbnail.objects.bulk_create(steps)


def _corrected(findings: Sequence[Finding], created: set[str]) -> list[Finding]:
    """Only who created the row has brought it in, and only the first of its files."""
    left = set(created)
    corrected = []
    for finding in findings:
        is_first = finding.outcome in (Outcome.IMPORTED, Outcome.KEPT)
        if is_first and finding.digest not in left:
            finding = replace(finding, outcome=Outcome.ALREADY_KNOWN, bytes_stored=0)
        left.discard(finding.digest)
        corrected.append(finding)
    return corrected


def _write_rows(
    run: ImportRun,
    findings: Sequence[Finding],
    photos: dict[str, Photo],
    kept: dict[str, KeptFile],
) -> None:
    """Bring the ledger up to date, so that no photo or kept file loses a sighting."""
    by_key = {path_key(finding.path): finding for finding in findings}
    known = {
        row.path_key: row
        for row in SourceFile.objects.filter(source=run.source, path_key__in=by_key)
    }
    _retire(run, by_key, known)
    rows = []
    for key, finding in sorted(by_key.items()):
        files: Mapping[str, Photo | KeptFile] = kept if finding.kept else photos
        file = files.get(finding.digest)
        rows.append(_row(run, key, finding, file, known.get(key)))
    SourceFile.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["source", "path_key"],
        update_fields=[
            "size",
            "modified_ns",
            "outcome",
            "reason",
            "photo",
            "kept",
            "last_run",
            "archive",
            "version_of",
        ],
    )
    FolderToDate.objects.note(
        (run.source_id, row.folder_key)
        for row in rows
        if row.photo_id or row.outcome == Outcome.SIDECAR
    )


# What of a row is known by having looked at the file.
SEEN = (
    *("size", "modified_ns", "outcome", "reason", "photo_id", "kept_id"),
    "version_of",
)


def _retire(
    run: ImportRun, findings: Mapping[str, Finding], known: Mapping[str, SourceFile]
) -> None:
    """Make history of what lay in archives that were read to their end without it."""
    keys = []
    for key, finding in findings.items():
        was_archive = key in known and known[key].outcome == Outcome.ARCHIVE
        if finding.archive or finding.outcome in (Outcome.UNREADABLE, Outcome.EXCLUDED):
            continue
        if was_archive or finding.outcome == Outcome.ARCHIVE:
            keys.append(key)
    gone = SourceFile.objects.inside(run.source, keys).exclude(last_run=run)
    for some in chunks(gone.order_by("pk").iterator(chunk_size=500), 500):
        for row in some:
            row.path_key = path_key(row.path, replaced_in=run.pk)
            row.replaced_in = run
        SourceFile.objects.bulk_update(some, ["path_key", "replaced_in"])


def _row(
    run: ImportRun,
    key: str,
    finding: Finding,
    file: Photo | KeptFile | None,
    known: SourceFile | None,
) -> SourceFile:
    """The row that says what is at a path now."""
    row = SourceFile(
        source=run.source,
        path=finding.path,
        path_key=key,
        archive=path_key(finding.archive) if finding.archive else "",
        version_of=path_key(finding.version_of) if finding.version_of else "",
        folder_key=folder_key(finding.path),
        size=finding.size,
        modified_ns=finding.modified_ns,
        outcome=finding.outcome,
        reason=finding.reason[:500],
        photo=file if isinstance(file, Photo) else None,
        kept=file if isinstance(file, KeptFile) else None,
        first_run=run,
        last_run=run,
    )
    if known is None or not known.is_stored:
        return row
    if finding.outcome == Outcome.EXCLUDED:
        # Nobody looked: what is known of the file still holds.
        for name in SEEN:
            setattr(row, name, getattr(known, name))
    elif (known.photo_id, known.kept_id) != (row.photo_id, row.kept_id):
        known.path_key = path_key(known.path, replaced_in=run.pk)
        known.replaced_in = run
        known.save(update_fields=["path_key", "replaced_in"])
    elif finding.outcome != Outcome.PART and (
        known.outcome in FIRST or finding.outcome == Outcome.CLAIMED
    ):
        # A browser's word takes nothing away from bytes that did arrive.
        row.outcome = known.outcome
    return row


def _improve_dates(photos: Sequence[Photo]) -> None:
    """Weigh the dates anew of photos that were seen once more."""
    weak = [photo for photo in photos if photo.taken_from not in dating.SURE]
    # Those beside them may rest on it.
    beside.note_folders_of(dating.weigh_again(sorted(weak, key=lambda one: one.pk)))
