"""Prove of a drive that it can be wiped, or say what stands against it.

Every byte of the drive is read again, and every original of the vault that this rests
on, neither from memory where the system allows that. What the ledger says is not
believed: the catalogue only tells which original to read. Memory stays flat: entries
wait in a table on disk.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Exists, Max, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery import (
    archives,
    care,
    drafts,
    drives,
    formats,
    holdings,
    kinds,
    ledger,
    originals,
    packages,
    rereading,
    stored,
    vault,
    walk,
)
from gallery.importer import DriveGone, Refused, opened, refuse, undisturbed
from gallery.models import (
    Certificate,
    Damage,
    ImportRun,
    KeptFile,
    Photo,
    Source,
    SourceFile,
    State,
)
from gallery.models.certificates import ACCEPTABLE, KEEPS, NOTHING
from gallery.originals import CannotRead
from gallery.stages import chunks, in_order
from gallery.stored import Original
from gallery.walk import Entry, Kind

logger = logging.getLogger(__name__)

FOLDER = "certificates"
BATCH = 500
SHOWN = 500  # problems kept in the row; all of them are in the list


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: entries or originals, and bytes read, in one of two phases."""

    phase: str  # drive or vault
    done: int
    bytes_read: int
    bytes: int | None = None  # in all, where known


@dataclass(frozen=True, slots=True)
class Seen:
    """One entry as it was read; `content` is what kind of file it is."""

    entry: Entry
    digest: str = ""
    content: State | None = None
    reason: str = ""
    archive: str = ""  # of which kind it is, if it has not been gone through yet
    is_packed: bool = False  # in an archive, with which its bytes were read


@dataclass(slots=True)
class Verdict:
    """What it comes to. `problems` are the first of what stands against wiping."""

    certificate: Certificate
    problems: list[dict[str, str]]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        one = self.certificate
        return {
            "source": {"label": one.source.label, "id": one.source_id},
            "certificate": one.pk,
            "safe": one.is_safe,
            "verdict": "SAFE TO WIPE" if one.is_safe else "NOT SAFE",
            "entries": one.entries,
            "bytes_read": one.bytes_read,
            "originals": one.originals,
            "states": one.states,
            "without": one.accepted,
            "problem_count": one.problem_count,
            "problems": self.problems,
            "whole_file_system": one.is_whole,
            "volume": one.volume,
            "listing": one.listing,
            "list": f"{FOLDER}/{one.name}.jsonl",
            "list_sha256": one.entries_digest,
            "seconds": round(self.seconds, 3),
        }


def verify_drive(
    root: Path,
    *,
    label: str | None = None,
    without: Iterable[str] = (),
    progress: Callable[[Progress], None] = lambda at: None,
) -> Verdict:
    """Read a drive and what the vault has of it, and write a certificate of it.

    Raise importer.Refused or vault.NoVault where there is nothing to begin with,
    DriveGone where the drive vanishes meanwhile, ledger.LabelTaken,
    originals.VaultFails where an archive in another finds no room.
    """
    folder = settings.IMAGEVAULT_DATA
    vault.require(folder)
    with ExitStack() as stack:
        descriptor = stack.enter_context(opened(root))
        refuse(root, descriptor, folder)
        if not walk.has_entries(descriptor):
            raise Refused(
                _("There is nothing in %(folder)s. Is the drive mounted?")
                % {"folder": root}
            )
        one = _Verification(
            root=root,
            descriptor=descriptor,
            source=ledger.source_at(root, label=label),
            accepted=sorted(set(without)),
            progress=progress,
            table=stack.enter_context(closing(_table())),
        )
        return one.carry_out()


def _table() -> sqlite3.Connection:
    """A table of entries in a file of its own that goes with the connection."""
    table = sqlite3.connect("", isolation_level=None)
    table.execute("PRAGMA journal_mode=OFF")
    table.execute(
        "CREATE TABLE entry (id INTEGER PRIMARY KEY, path TEXT, kind TEXT, size INT, "
        "modified_ns INT, digest TEXT, content TEXT, reason TEXT)"
    )
    table.execute(
        "CREATE TABLE original (digest TEXT PRIMARY KEY, problem TEXT, "
        "is_leaned_on INT)"
    )
    return table


class _Verification:
    """One verification; only reading runs in threads."""

    def __init__(
        self,
        *,
        root: Path,
        descriptor: int,
        source: Source,
        accepted: list[str],
        progress: Callable[[Progress], None],
        table: sqlite3.Connection,
    ) -> None:
        self.root = root
        self.descriptor = descriptor
        self.source = source
        self.accepted = accepted
        self.progress = progress
        self.table = table
        self.folder: Path = settings.IMAGEVAULT_DATA
        self.identity = os.fstat(descriptor)
        self.packages = packages.Packages(descriptor)
        self.was_plugged_in = drives.is_plugged_in(self.identity.st_dev)
        self.started_at = timezone.now()
        # Else it is a folder of one, and says nothing of the rest.
        mount = drives.mount_of(root.resolve(), drives.mounts())
        self.is_whole = bool(
            mount and mount.inside == "/" and Path(mount.point) == root.resolve()
        )
        self.listing = ""
        self.bytes_read = 0
        self.against = _Against(ACCEPTABLE[word] for word in accepted)

    def carry_out(self) -> Verdict:
        self.read_drive()
        self.read_originals()
        self.look_again()
        (self.folder / FOLDER).mkdir(exist_ok=True)
        name = secrets.token_hex(16)
        entries_digest = self.write_list(name)
        needs = self.write_needs(name)
        certificate = self.certify(name, entries_digest, needs)
        seconds = (certificate.finished_at - certificate.started_at).total_seconds()
        return Verdict(certificate, self.against.shown, seconds)

    # The drive

    def read_drive(self) -> None:
        """Read every entry of the drive into the table."""
        listing = walk.Listing()
        with ThreadPoolExecutor(readers(self.identity.st_dev)) as pool:
            try:
                seen = in_order(pool, self.read, self.entries(listing), ahead=16)
                for done, some in enumerate(chunks(self.with_contents(seen), 100)):
                    self.note(some)
                    last = done * 100 + len(some)
                    self.progress(Progress("drive", last, self.bytes_read))
            finally:
                pool.shutdown(cancel_futures=True)
        self.listing = listing.digest

    def entries(self, listing: walk.Listing) -> Iterator[Entry]:
        here = self.folder.stat()
        entries = walk.walk(
            self.descriptor,
            skip=(here.st_dev, here.st_ino),
            kernel=drives.kernel_devices(drives.mounts()),
        )
        for entry in entries:
            listing.add(entry)
            yield entry

    def read(self, entry: Entry) -> Seen:
        """Read one entry. Runs in a thread."""
        if entry.kind is not Kind.FILE:
            return Seen(entry, content=_UNOPENED[entry.kind], reason=entry.reason)
        if not entry.size:
            return Seen(entry, content=State.EMPTY)
        try:
            reading, head = rereading.below(
                self.descriptor, walk.raw(entry.path), head=formats.HEAD
            )
        except CannotRead as error:
            is_new = error.reason == "it changed while it was being read"
            state = State.CHANGED if is_new else State.UNREADABLE
            return Seen(entry, content=state, reason=error.reason)
        # Whatever one file does to this program, the others are read.
        except Exception as error:
            logger.exception("reading %r failed", entry.path)
            return Seen(entry, content=State.UNREADABLE, reason=repr(error))
        if (reading.size, reading.modified_ns) != (entry.size, entry.modified_ns):
            return Seen(entry, reading.digest, State.CHANGED)
        if kind := archives.kind(head, entry.name):
            return Seen(entry, reading.digest, State.ARCHIVE, archive=kind)
        return self.unless_preview(seen_as(entry, reading.digest, head))

    def unless_preview(self, seen: Seen) -> Seen:
        """The same, or junk: the preview of an original that lies on this drive, too."""
        if seen.content is not State.NOT_IN_VAULT:
            return seen
        version = self.packages.version(seen.entry.path)
        if version is None or version.role is not packages.Role.PREVIEW:
            return seen
        return replace(seen, content=State.JUNK, reason=version.reason)

    def with_contents(self, seen: Iterable[Seen]) -> Iterator[Seen]:
        """Yield what was read; before an archive all that is in it."""
        for one in seen:
            if one.archive:
                yield from self.unpacked(one)
            else:
                yield one

    def unpacked(self, one: Seen) -> Iterator[Seen]:
        try:
            with archives.opened(self.descriptor, one.entry) as archive:
                # From the disk again, and not from the memory of an import.
                os.posix_fadvise(archive.source, 0, 0, os.POSIX_FADV_DONTNEED)
                spool = self.folder / "incoming"
                for inner in archive.contents(one.archive, spool=spool):
                    if inner.entry is one.entry:
                        yield replace(as_read(inner), digest=one.digest)
                    else:
                        yield replace(as_read(inner), is_packed=True)
        except CannotRead as error:
            yield replace(one, content=State.UNREADABLE, reason=error.reason)

    def note(self, some: list[Seen]) -> None:
        if any(one.content is State.UNREADABLE for one in some):
            self.check_drive()
        self.bytes_read += sum(
            one.entry.size for one in some if one.digest and not one.is_packed
        )
        rows = [
            (
                *(one.entry.path, one.entry.kind.name, one.entry.size),
                *(one.entry.modified_ns, one.digest, one.content, one.reason),
            )
            for one in some
        ]
        self.table.executemany(
            "INSERT INTO entry (path, kind, size, modified_ns, digest, content, reason) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )

    def check_drive(self) -> None:
        """Raise DriveGone if it is not one entry that cannot be read, but the drive."""
        try:
            here = os.path.samestat(self.root.stat(), self.identity)
            walk.has_entries(self.descriptor)
        except OSError:
            here = False
        if self.was_plugged_in:
            here = here and drives.is_plugged_in(self.identity.st_dev)
        if not here:
            raise DriveGone(
                _("The drive at %(folder)s is gone. Plug it in, then start again.")
                % {"folder": self.root}
            )

    def look_again(self) -> None:
        """See whether the drive is still what was read: files come and go."""
        self.check_drive()
        listing = walk.Listing()
        for _entry in self.entries(listing):
            pass
        self.look_beneath()
        if listing.digest != self.listing:
            self.against.say(
                ".", State.CHANGED, _("something was added, changed or taken away")
            )

    def look_beneath(self) -> None:
        """Say what a walk cannot see: what mounts hide, and whose ground this is."""
        here = self.root.resolve()
        for mount in drives.mounts():
            point = Path(mount.point)
            if point != here and point.is_relative_to(here):
                path = walk.readable(os.fsencode(point.relative_to(here)))
                why = _("another file system is mounted here and may hide files")
                self.against.say(path, State.UNREADABLE, why)
        stored = (self.folder / "originals").resolve()
        is_ours = stored.stat().st_dev == self.identity.st_dev
        if stored.is_relative_to(here) or (self.is_whole and is_ours):
            self.against.say(".", State.THE_VAULT, str(stored))

    # The vault

    def read_originals(self) -> None:
        """Read every original that the drive's content rests on, once."""
        total = self.note_originals()
        device = (self.folder / "originals").stat().st_dev
        done = bytes_read = 0
        with ThreadPoolExecutor(readers(device)) as pool:
            try:
                found = in_order(pool, care.read, self.needed(), ahead=8)
                for some in chunks(found, 100):
                    self.judge(some)
                    done += len(some)
                    bytes_read += sum(one.size for one in some)
                    self.progress(Progress("vault", done, bytes_read, total))
            finally:
                pool.shutdown(cancel_futures=True)

    def note_originals(self) -> int:
        """Note which originals have to be read; return their bytes."""
        total = 0
        for some in chunks(self.digests(), BATCH):
            for holding in self.known(some).values():
                total += sum(self.note_original(one, 1) for one in holding.rests_on)
                total += sum(self.note_original(one, 0) for one in holding.also)
        return total

    def note_original(self, one: Original, is_leaned_on: int) -> int:
        """Note an original once; return its bytes if it is the first time."""
        values = [one.digest, is_leaned_on]
        sql = "INSERT OR IGNORE INTO original (digest, is_leaned_on) VALUES (?, ?)"
        if self.table.execute(sql, values).rowcount:
            return one.size
        if is_leaned_on:
            sql = "UPDATE original SET is_leaned_on = 1 WHERE digest = ?"
            self.table.execute(sql, [one.digest])
        return 0

    def digests(self) -> Iterator[str]:
        rows = self.table.execute(
            "SELECT DISTINCT digest FROM entry WHERE digest > '' ORDER BY digest"
        )
        for (digest,) in rows:
            yield digest

    @undisturbed
    def known(self, digests: list[str]) -> dict[str, holdings.Holding]:
        return holdings.holdings(digests)

    def needed(self) -> Iterator[Original]:
        rows = self.table.execute("SELECT digest FROM original ORDER BY digest")
        for some in chunks((digest for (digest,) in rows.fetchall()), BATCH):
            yield from self.stored(some)

    @undisturbed
    def stored(self, digests: list[str]) -> list[Original]:
        return stored.of(digests)

    @undisturbed
    def judge(self, some: list[care.Finding]) -> None:
        """Note what is wrong with originals, here and for everybody."""
        if any(one.kind for one in some):
            # If the disk is gone, it is not the originals that are.
            vault.require(self.folder)
        care.note(some, None)
        self.table.executemany(
            "UPDATE original SET problem = ? WHERE digest = ?",
            [(one.kind, one.original.digest) for one in some],
        )

    # The verdict

    def write_list(self, name: str) -> str:
        """Write down every entry with its state; return the digest of the list."""
        digest = hashlib.sha256()
        with drafts.draft(self.folder / "incoming") as draft:
            for some in chunks(self.judged(), BATCH):
                text = b"".join(_line(row) for row in some)
                digest.update(text)
                draft.write(text)
            draft.flush_and_publish(self.place(f"{name}.jsonl"), mode=originals.MODE)
        return digest.hexdigest()

    def judged(self) -> Iterator[dict[str, Any]]:
        """Yield every entry in the order of the walk, counted."""
        last = 0
        while rows := self.table.execute(
            "SELECT id, path, size, modified_ns, digest, content, reason FROM entry "
            "WHERE id > ? ORDER BY id LIMIT ?",
            [last, BATCH],
        ).fetchall():
            last = rows[-1][0]
            known = self.known([row[4] for row in rows if row[4]])
            for _pk, path, size, modified_ns, digest, content, reason in rows:
                state, why = self.state(digest, State(content), reason, known)
                self.against.count(path, size, state, why)
                yield {
                    "path": path,
                    "size": size,
                    "modified_ns": modified_ns,
                    "sha256": digest,
                    "state": state.value,
                    "reason": why,
                }

    def state(
        self,
        digest: str,
        content: State,
        reason: str,
        known: dict[str, holdings.Holding],
    ) -> tuple[State, str]:
        """What an entry comes to, and why."""
        holding = known.get(digest)
        if content is State.CHANGED or holding is None:
            return content, reason
        for one in (*holding.rests_on, *holding.also):
            problem = self.problem(one.digest)
            if problem is None:
                # It came into the vault, or yielded to another, while we read.
                return State.CHANGED, _("the vault changed meanwhile")
            if problem:
                place = one.place.relative_to(self.folder)
                return State.DAMAGED, f"{place}: {Damage.Kind(problem).label}"
        if not holding.keeper:
            return holding.state, ""
        return holding.state, _("in favour of %(name)s") % {"name": holding.keeper}

    def problem(self, digest: str) -> str | None:
        """What is wrong with an original, "" if it is whole, None if it was not read."""
        rows = self.table.execute(
            "SELECT problem FROM original WHERE digest = ?", [digest]
        )
        row = rows.fetchone()
        return row[0] if row else None

    def write_needs(self, name: str) -> int:
        """Write down the digests leaned on, sorted, 32 bytes each; return how many."""
        rows = self.table.execute(
            "SELECT digest FROM original WHERE is_leaned_on ORDER BY digest"
        )
        count = 0
        with drafts.draft(self.folder / "incoming") as draft:
            for some in chunks((digest for (digest,) in rows), 10_000):
                draft.write(b"".join(bytes.fromhex(digest) for digest in some))
                count += len(some)
            draft.flush_and_publish(self.place(f"{name}.needs"), mode=originals.MODE)
        return count

    def place(self, name: str) -> Path:
        return self.folder / FOLDER / name

    @undisturbed
    def certify(self, name: str, entries_digest: str, needs: int) -> Certificate:
        against = self.against
        purged = Q(purged_at__gte=self.started_at)
        for photo in leaned_on(purged, self.place(name)):
            against.say(photo.name, State.DAMAGED, _("it was purged meanwhile"))
        return Certificate.objects.create(
            source=self.source,
            name=name,
            is_safe=not against.total,
            started_at=self.started_at,
            finished_at=timezone.now(),
            is_whole=self.is_whole,
            volume=self.source.volume,
            mounted_at=self.source.mounted_at,
            listing=self.listing,
            entries_digest=entries_digest,
            entries=against.entries,
            bytes_read=self.bytes_read,
            originals=needs,
            states={
                state.value: dict(against.states[state])
                for state in State
                if state in against.states
            },
            accepted=self.accepted,
            problems=against.shown[:SHOWN],
            problem_count=against.total,
        )


@dataclass(slots=True)
class _Against:
    """The counts, and what stands against wiping; not much of it is kept in memory."""

    accepted: Iterable[State]
    entries: int = 0
    states: dict[State, dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: {"count": 0, "bytes": 0})
    )
    shown: list[dict[str, str]] = field(default_factory=list)
    total: int = 0
    harmless: frozenset[State] = frozenset()

    def __post_init__(self) -> None:
        fine = {*KEEPS, *NOTHING, State.DISCARDED, *self.accepted}
        self.harmless = frozenset(fine)

    def count(self, path: str, size: int, state: State, reason: str) -> None:
        self.entries += 1
        self.states[state]["count"] += 1
        self.states[state]["bytes"] += size
        if state not in self.harmless:
            self.say(path, state, reason)

    def say(self, path: str, state: State, reason: str) -> None:
        self.total += 1
        if len(self.shown) < 20 * SHOWN:
            self.shown.append({"path": path, "state": state.value, "reason": reason})


_UNOPENED = {
    Kind.LINK: State.LINK,
    Kind.SPECIAL: State.SPECIAL,
    Kind.UNREADABLE: State.UNREADABLE,
    # Nothing is left out by choice here; it can only be the vault.
    Kind.EXCLUDED: State.THE_VAULT,
}


# What a file is if the vault does not have it
_CONTENTS = {
    kinds.Kind.PICTURE: State.NOT_IN_VAULT,
    kinds.Kind.JUNK: State.JUNK,
    kinds.Kind.VIDEO: State.VIDEO,
    kinds.Kind.DOCUMENT: State.DOCUMENT,
}


def seen_as(entry: Entry, digest: str, head: bytes) -> Seen:
    found = kinds.content(entry.path, head, size=entry.size)
    return Seen(entry, digest, _CONTENTS[found.kind], found.rule)


def as_read(inner: archives.Inner | archives.End) -> Seen:
    """An entry of an archive, or an archive that was gone through, as it was read."""
    entry = inner.entry
    if isinstance(inner, archives.End):
        content = State.UNREADABLE if inner.reason else State.ARCHIVE
        return Seen(entry, content=content, reason=inner.reason)
    if inner.stream is None:
        content = _UNOPENED.get(entry.kind, State.EMPTY)
        return Seen(entry, content=content, reason=entry.reason)
    try:
        head = inner.stream.head(formats.HEAD)
        return seen_as(entry, originals.read(inner.stream).digest, head)
    except CannotRead as error:
        return Seen(entry, content=State.UNREADABLE, reason=error.reason)


def readers(device: int) -> int:
    """How many files to read at once: a disk that has to seek is best left to one."""
    workers: int = settings.IMAGEVAULT_WORKERS
    return 1 if drives.spins(device) else workers


def _line(row: dict[str, Any]) -> bytes:
    return f"{json.dumps(row, ensure_ascii=False)}\n".encode()


# Whether a certificate still holds


def why_stale(certificate: Certificate) -> str:
    """Why a certificate holds no longer, in a sentence; "" if it does."""
    return why_all_stale([certificate])[certificate.pk]


def why_all_stale(certificates: Iterable[Certificate]) -> dict[int, str]:
    """The same of many, by certificate, in as many queries as of one."""
    certificates = list(certificates)
    sources = {one.source_id for one in certificates}
    rows = Certificate.objects.filter(source__in=sources).order_by()
    newest = dict(rows.values_list("source").annotate(Max("pk")))
    runs = _runs_since(certificates)
    lost = _lost_since(certificates)
    return {
        one.pk: _why_stale(one, newest[one.source_id], runs[one.source_id], lost)
        for one in certificates
    }


def _why_stale(
    one: Certificate, newest: int, runs: list[_Run], lost: list[_Lost]
) -> str:
    if newest != one.pk:
        return _("The drive was verified again since.")
    if one.volume != one.source.volume:
        return _("Another file system carries this label now.")
    if _has_changed(one, runs):
        return _("The drive has changed since: another import saw other files on it.")
    needs = (settings.IMAGEVAULT_DATA / FOLDER / one.name).with_suffix(".needs")
    if not needs.is_file():
        return _("The list of what it rests on is lost.")
    with needs.open("rb") as file:
        for photo in lost:
            since = photo.is_damaged or photo.purged_at >= one.started_at
            if since and _is_among(file, photo.digest):
                return _("An original it rests on is lost or damaged: %(name)s.") % {
                    "name": photo.name
                }
    return ""


@dataclass(frozen=True, slots=True)
class _Run:
    """A run over a drive; `has_news` if it first saw a file, or other content."""

    started_at: datetime
    listing: str
    has_news: bool


def _runs_since(certificates: Iterable[Certificate]) -> dict[int, list[_Run]]:
    """The runs over drives since the earliest of their certificates, by drive."""
    first = min((one.started_at for one in certificates), default=timezone.now())
    sources = {one.source_id for one in certificates}
    files = SourceFile.objects.filter(source=OuterRef("source")).order_by()
    found = Exists(files.filter(first_run=OuterRef("pk")))
    replaced = Exists(files.filter(replaced_in=OuterRef("pk")))
    rows = ImportRun.objects.filter(source__in=sources, started_at__gt=first)
    runs = defaultdict(list)
    for run in rows.annotate(has_news=found | replaced):
        runs[run.source_id].append(_Run(run.started_at, run.listing, run.has_news))
    return runs


def _has_changed(one: Certificate, runs: list[_Run]) -> bool:
    """Whether a run over the drive since then saw other entries."""
    since = [run for run in runs if run.started_at > one.started_at]
    if any(run.listing not in ("", one.listing) for run in since):
        return True
    # A run that did not end, or left something out, knows only what was new to it.
    is_partial = any(not run.listing for run in since)
    return is_partial and any(run.has_news for run in since)


@dataclass(frozen=True, slots=True)
class _Lost:
    """What has an original that is damaged or purged."""

    digest: bytes
    name: str
    purged_at: Any
    is_damaged: bool


def _lost_since(certificates: Iterable[Certificate]) -> list[_Lost]:
    first = min((one.started_at for one in certificates), default=timezone.now())
    damaged = Exists(Damage.objects.open().filter(photo=OuterRef("pk")))
    rows = Photo.objects.annotate(is_damaged=damaged)
    rows = rows.filter(Q(purged_at__gte=first) | Q(is_damaged=True)).order_by("pk")
    kept = KeptFile.objects.filter(damages__in=Damage.objects.open()).order_by("pk")
    return [
        *(
            _Lost(bytes.fromhex(one.digest), one.name, one.purged_at, one.is_damaged)
            for one in rows.only("digest", "name", "purged_at")
        ),
        *(
            _Lost(bytes.fromhex(one.digest), one.name, None, is_damaged=True)
            for one in kept.only("digest", "name")
        ),
    ]


def leaned_on(condition: Q, place: Path) -> Iterator[Photo]:
    """Yield the photos of which this is true and that a certificate rests on."""
    with place.with_suffix(".needs").open("rb") as needs:
        for photo in Photo.objects.filter(condition).order_by("pk"):
            if _is_among(needs, bytes.fromhex(photo.digest)):
                yield photo


def _is_among(needs: Any, digest: bytes) -> bool:
    """Search a file of sorted digests, 32 bytes each."""
    low, high = 0, os.fstat(needs.fileno()).st_size // 32
    while low < high:
        middle = (low + high) // 2
        found = os.pread(needs.fileno(), 32, 32 * middle)
        if found == digest:
            return True
        if found < digest:
            low = middle + 1
        else:
            high = middle
    return False
