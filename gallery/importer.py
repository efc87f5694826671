"""Bring every photo under a folder into the vault, and say of every entry what became of it.

One pass, in stages that overlap: the walk compares with the ledger; readers take what is
new or changed, reading each file once; keepers store what the vault does not have, and
develop it while its bytes are still at hand; batches of findings are written as rows.
Rows come last, so that a death at any moment leaves at most work to do again.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import wraps
from pathlib import Path
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, transaction
from django.utils import timezone

from gallery import (
    archives,
    beside,
    develop,
    drafts,
    drives,
    formats,
    junk,
    kinds,
    ledger,
    originals,
    packages,
    pairs,
    sidecars,
    vault,
    walk,
)
from gallery.archives import End, Inner
from gallery.ledger import Finding, Unchanged, Written
from gallery.models import ImportRun, Keep, KeptFile, Outcome, Source
from gallery.originals import CannotRead, Readable, Reading, Taken, VaultFails
from gallery.sandbox import Sandbox
from gallery.stages import chunks, in_order
from gallery.walk import Entry, Kind

logger = logging.getLogger(__name__)

LOOKUP = 1_000  # entries compared with the ledger at once
BATCH = 200  # findings written at once, or what there is after
BATCH_SECONDS = 2.0
STOPS = (signal.SIGINT, signal.SIGTERM)


class Refused(Exception):
    """The folder cannot be imported at all; the message says why."""


class DriveGone(Exception):
    """The drive vanished while it was being read."""


class Ending(Enum):
    """How a run ended."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"  # somebody asked it to stop
    STOPPED = "stopped"  # it could not go on


@dataclass(frozen=True, slots=True)
class Unread:
    """An entry that could not be read, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The counts of a run; the outcomes add up to `seen`. A dry run has no ids."""

    label: str
    source_id: int | None
    run_id: int | None
    seen: int
    bytes_seen: int
    bytes_stored: int
    seconds: float
    outcomes: dict[str, int]
    unreadable: tuple[Unread, ...]
    # Outcome to bytes, of what is not kept by choice
    bytes_not_kept: dict[str, int] = field(default_factory=dict)
    unshown: int = 0  # photos imported that cannot be decoded
    ending: Ending = Ending.FINISHED
    why: str = ""  # a sentence, where the run stopped

    def to_json(self) -> dict[str, Any]:
        return {
            "source": {"label": self.label, "id": self.source_id},
            "run": self.run_id,
            "seen": self.seen,
            "bytes_seen": self.bytes_seen,
            "bytes_stored": self.bytes_stored,
            "seconds": round(self.seconds, 3),
            "outcomes": self.outcomes,
            "unreadable": [
                {"path": one.path, "reason": one.reason} for one in self.unreadable
            ],
        }


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come."""

    seen: int
    bytes_seen: int
    imported: int


@dataclass(frozen=True, slots=True)
class Archived:
    """A file that is an archive, of a kind of archives.READERS."""

    entry: Entry
    kind: str


# What is kept with a photo stays what it is, however often it is seen.
WITH_PHOTOS: dict[KeptFile.Kind | None, Outcome] = {
    KeptFile.Kind.PART: Outcome.PART,
    KeptFile.Kind.SIDECAR: Outcome.SIDECAR,
}


@dataclass(frozen=True, slots=True)
class Caught:
    """A file to store that was read; in a dry run it was only hashed.

    It is a picture, with its format, or a file to keep beside them.
    """

    path: str
    reading: Reading
    taken: Taken | None
    format: formats.Format | None = None
    kept: KeptFile.Kind | None = None
    seconds: float | None = None  # that a film runs
    reason: str = ""
    archive: str = ""  # path of the outermost archive it lies in
    version_of: str = ""  # path of the original it was edited from

    @property
    def extension(self) -> str:
        name = self.path.rpartition("/")[2]
        return self.format.extension if self.format else kinds.extension(name)

    @property
    def brings(self) -> Outcome:
        """What becomes of it if the vault does not have it."""
        if self.kept in WITH_PHOTOS:
            return WITH_PHOTOS[self.kept]
        return Outcome.KEPT if self.kept else Outcome.IMPORTED

    @property
    def repeats(self) -> Outcome:
        """What becomes of it if the vault has it."""
        belongs = self.kept in WITH_PHOTOS
        return self.brings if belongs else Outcome.ALREADY_KNOWN

    def found(self, outcome: Outcome, **more: Any) -> Finding:
        return Finding(
            self.path,
            outcome,
            size=self.reading.size,
            modified_ns=self.reading.modified_ns,
            digest=self.reading.digest,
            format=self.format,
            kept=self.kept,
            seconds=self.seconds,
            archive=self.archive,
            version_of=self.version_of,
            **{"reason": self.reason, **more},
        )

    def drop(self) -> None:
        if self.taken:
            self.taken.drop()


def import_drive(
    root: Path,
    *,
    label: str | None = None,
    by: User | None = None,
    dry_run: bool = False,
    exclude: Iterable[str] = (),
    keep: Iterable[Keep] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> ImportReport:
    """Bring every photo under a mounted folder in; nothing of the folder is changed.

    `keep` says what else of it is kept, now and by later imports; None asks for what was
    said last.

    Safe to run again, and beside another import. Ctrl-C ends it cleanly, and so does a
    full disk or a drive pulled out: the report says how it ended. Raise Refused or
    vault.NoVault where there is nothing to begin with; LabelTaken for a label in use.
    """
    folder = settings.IMAGEVAULT_DATA
    vault.require(folder)
    longest = Source._meta.get_field("label").max_length
    if label and longest and len(label) > longest:
        raise Refused(f"The label is longer than {longest} characters.")
    with ExitStack() as stack:
        descriptor = stack.enter_context(opened(root))
        refuse(root, descriptor, folder)
        if dry_run:
            source, run = ledger.find_source(root, label=label), None
        else:
            source = ledger.source_at(root, label=label)
            if keep is not None:
                source.keep(keep)
            run = stack.enter_context(running(source, by=by))
        name = source.label if source else label or drives.label(root)
        one = _Import(
            root=root,
            descriptor=descriptor,
            name=name,
            source=source,
            run=run,
            exclude=junk.exclusion(exclude),
            keep=source.keeps if keep is None and source else keep or (),
            progress=progress,
        )
        return one.carry_out()


@contextmanager
def opened(root: Path) -> Iterator[int]:
    """The folder's descriptor; raise Refused for what is no folder to import from."""
    if not root.is_dir():
        raise Refused(f"{root} is not a folder. Is the drive mounted?")
    try:
        descriptor = walk.open_quietly(None, bytes(root.resolve()))
    except OSError as error:
        raise Refused(f"{root} cannot be read: {error.strerror}.") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def refuse(root: Path, descriptor: int, folder: Path) -> None:
    """Raise Refused for the vault itself, and where a drive is not plugged in."""
    above = root.resolve()
    if any(step.samefile(folder) for step in (above, *above.parents)):
        raise Refused(f"{root} belongs to the vault itself.")
    here = Source.objects.filter(mounted_at=walk.readable(bytes(above)))
    others = here.exclude(volume__in=["", drives.volume(root)])
    if not walk.has_entries(descriptor) and others.exists():
        raise Refused(f"{root} is empty. Is the drive mounted?")


@contextmanager
def running(source: Source, *, by: User | None) -> Iterator[ImportRun]:
    """A run of this process, known as dead if the process dies; clears up after the dead."""
    incoming = settings.IMAGEVAULT_DATA / "incoming"
    for run in ImportRun.objects.filter(state=ImportRun.State.RUNNING):
        if not drafts.is_alive(incoming, _mark(run)):
            end(run, ImportRun.State.INTERRUPTED)
    drafts.clear(incoming)
    # Whoever sees the row finds its mark locked.
    with transaction.atomic():
        run = ledger.start(source, by=by)
        mark = drafts.start(incoming, _mark(run))
    try:
        yield run
    finally:
        mark.close()


def _mark(run: ImportRun) -> str:
    return f"run-{run.pk}"


def end(run: ImportRun, state: ImportRun.State, *, listing: str = "") -> None:
    ImportRun.objects.filter(pk=run.pk, state=ImportRun.State.RUNNING).update(
        state=state, finished_at=timezone.now(), listing=listing
    )


Given = ParamSpec("Given")
Made = TypeVar("Made")


def undisturbed(work: Callable[Given, Made]) -> Callable[Given, Made]:
    """Let a request to stop wait while the database is asked or told something.

    Database drivers do not all survive an exception from a signal in their midst.
    """

    @wraps(work)
    def wrapped(*args: Given.args, **kwargs: Given.kwargs) -> Made:
        if threading.current_thread() is not threading.main_thread():
            return work(*args, **kwargs)
        asked: list[int] = []
        handlers = {one: signal.getsignal(one) for one in STOPS}
        for one in STOPS:
            signal.signal(one, lambda number, _: asked.append(number))
        try:
            return work(*args, **kwargs)
        finally:
            for one, handler in handlers.items():
                signal.signal(one, handler)
            for number in asked[:1]:
                signal.raise_signal(number)

    return wrapped


class _Import:
    """One run: what it knows, and its stages. Only `take` and `keep` run in threads."""

    def __init__(
        self,
        *,
        root: Path,
        descriptor: int,
        name: str,
        source: Source | None,
        run: ImportRun | None,
        exclude: walk.Exclusion | None,
        keep: Iterable[str],
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.root = root
        self.descriptor = descriptor
        self.name = name
        self.source = source
        self.run = run
        self.exclude = exclude
        self.wishes = {Keep(word) for word in keep}
        self.progress = progress
        self.folder: Path = settings.IMAGEVAULT_DATA
        self.identity = os.fstat(descriptor)
        self.was_plugged_in = drives.is_plugged_in(self.identity.st_dev)

        self.listing = walk.Listing()
        self.packages = packages.Packages(descriptor)
        self.outcomes: Counter[str] = Counter()
        self.bytes_by_outcome: Counter[str] = Counter()
        self.bytes_seen = 0
        self.bytes_stored = 0
        self.unreadable: list[Unread] = []
        self.unshown = 0

        # Found or seen again, and not yet written
        self.findings: list[Finding] = []
        self.again: list[Unchanged] = []
        self.written_at = time.monotonic()
        # Digests being stored, each with its further sightings; digests not yet written
        self.in_hand: dict[str, list[Finding]] = {}
        self.unwritten: set[str] = set()
        self.drafts: set[Taken] = set()
        self.sandboxes: SimpleQueue[Sandbox] = SimpleQueue()
        self.ending = threading.Event()

    # The run as a whole

    def carry_out(self) -> ImportReport:
        started = time.monotonic()
        ending, why = Ending.FINISHED, ""
        try:
            self.go()
        except KeyboardInterrupt:
            ending = Ending.INTERRUPTED
        except (VaultFails, DriveGone) as error:
            ending, why = Ending.STOPPED, str(error)
        except OperationalError as error:
            ending, why = Ending.STOPPED, f"The database cannot be written: {error}."
        if ending is not Ending.FINISHED:
            why = self.write_the_rest() or why
        if self.run:
            self.close(ending)
        return self.report(ending, why, time.monotonic() - started)

    def go(self) -> None:
        """Pull the entries through the stages, and write what becomes of them."""
        workers = settings.IMAGEVAULT_WORKERS
        # A disk that has to seek is quickest read one file after the other.
        readers = 1 if drives.spins(self.identity.st_dev) else workers
        with (
            self.pool(readers) as reading,
            self.pool(2 * workers) as keeping,
            self.decoders(workers),
        ):
            taken = in_order(reading, self.take, self.fresh(), ahead=4 * readers)
            new = self.unknown(self.with_contents(taken))
            for kept in in_order(keeping, self.keep, new, ahead=4 * workers):
                self.settle(kept)
                for other in self.in_hand.pop(kept.digest, ()):
                    self.settle(other)
        self.write()
        self.date()

    def date(self) -> None:
        """Weigh the dates of what came in, now that all of a folder is there."""
        if self.source and self.run:
            beside.weigh_outstanding(self.source.pk, each=undisturbed(beside.weigh))

    @contextmanager
    def pool(self, threads: int) -> Iterator[ThreadPoolExecutor]:
        pool = ThreadPoolExecutor(threads)
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)
            while self.drafts:
                self.drafts.pop().drop()

    @contextmanager
    def decoders(self, count: int) -> Iterator[None]:
        made = [
            Sandbox(
                memory_mb=settings.IMAGEVAULT_DECODE_MEMORY_MB,
                seconds=settings.IMAGEVAULT_DECODE_SECONDS,
            )
            for _ in range(count)
        ]
        for sandbox in made:
            self.sandboxes.put(sandbox)
        try:
            yield
        finally:
            # A decoder still at work is not waited for.
            self.ending.set()
            for sandbox in made:
                sandbox.close()

    def write_the_rest(self) -> str:
        """Write what was found before the end; return why that was not possible."""
        try:
            self.write_findings()
        except OperationalError as error:
            return f"The database cannot be written: {error}."
        return ""

    @undisturbed
    def close(self, ending: Ending) -> None:
        assert self.run
        done = ending is Ending.FINISHED
        states = ImportRun.State
        try:
            # What was left out by choice may have changed unseen.
            listing = self.listing.digest if done and not self.exclude else ""
            end(
                self.run,
                states.FINISHED if done else states.INTERRUPTED,
                listing=listing,
            )
        except OperationalError:
            logger.exception("run %s stays open until the next import", self.run.pk)

    def report(self, ending: Ending, why: str, seconds: float) -> ImportReport:
        order = [outcome.value for outcome in Outcome]
        return ImportReport(
            label=self.name,
            source_id=self.source.pk if self.source else None,
            run_id=self.run.pk if self.run else None,
            seen=self.outcomes.total(),
            bytes_seen=self.bytes_seen,
            bytes_stored=self.bytes_stored,
            seconds=seconds,
            outcomes=dict(
                sorted(self.outcomes.items(), key=lambda item: order.index(item[0]))
            ),
            unreadable=tuple(self.unreadable),
            bytes_not_kept={
                outcome.value: self.bytes_by_outcome[outcome]
                for outcome in ledger.KEPT_AT_WISH
            },
            unshown=self.unshown,
            ending=ending,
            why=why,
        )

    # The stages

    def fresh(self) -> Iterator[Entry]:
        """Yield the files that have to be opened; settle all other entries."""
        vault_folder = self.folder.stat()
        entries = walk.walk(
            self.descriptor,
            exclude=self.exclude,
            skip=(vault_folder.st_dev, vault_folder.st_ino),
            kernel=drives.kernel_devices(drives.mounts()),
        )
        for chunk in chunks(pairs.paired(entries), LOOKUP):
            known = self.unchanged(chunk)
            for entry in chunk:
                self.listing.add(entry)
                seen = known.get(entry.path)
                if seen and self.still_holds(seen, entry):
                    self.again.append(seen)
                elif entry.kind is Kind.FILE and entry.size:
                    yield entry
                else:
                    self.settle(unopened(entry))
            self.write_if_due()

    def still_holds(self, seen: Unchanged, entry: Entry) -> bool:
        """Whether an unchanged file is still what it was by what lies beside it."""
        if seen.outcome is not Outcome.JUNK or not packages.is_in_library(entry.path):
            return True
        return self.packages.version(entry.path) is not None

    @undisturbed
    def unchanged(self, entries: list[Entry]) -> dict[str, Unchanged]:
        if self.source is None:
            return {}
        return ledger.unchanged(self.source, entries, wishes=self.wishes)

    def take(self, entry: Entry) -> Finding | Caught | Archived:
        """Read one file, once. Runs in a thread."""
        try:
            source = originals.open_source(self.descriptor, walk.raw(entry.path))
        except CannotRead as error:
            return found(entry, Outcome.UNREADABLE, error.reason)
        try:
            return self.archived(entry, source) or self.attempt(entry, source)
        finally:
            os.close(source)

    def archived(self, entry: Entry, source: int) -> Archived | None:
        try:
            kind = archives.kind(originals.head(source, formats.HEAD), entry.name)
        except CannotRead:
            return None
        return Archived(entry, kind) if kind else None

    def attempt(self, entry: Entry, source: Readable) -> Finding | Caught:
        """What an open file or an archive's entry is, whatever happens on the way."""
        try:
            return self.recognised(entry, source)
        except CannotRead as error:
            return found(entry, Outcome.UNREADABLE, error.reason)
        except VaultFails:
            raise
        # Whatever one file does to this program, the others go on.
        except Exception as error:
            logger.exception("reading %r failed", entry.path)
            return found(entry, Outcome.UNREADABLE, f"reading it failed: {error!r}")

    def recognised(self, entry: Entry, source: Readable) -> Finding | Caught:
        if is_sidecar(entry, source):
            return self.caught(entry, source, kept=KeptFile.Kind.SIDECAR)
        head = originals.head(source, formats.HEAD)
        content = kinds.content(entry.path, head, size=entry.size)
        if content.format:
            return self.picture(entry, source, content.format)
        if content.kind is kinds.Kind.JUNK:
            return found(entry, Outcome.JUNK, content.rule)
        if content.kind is kinds.Kind.VIDEO:
            return self.video(entry, source)
        if Keep.DOCUMENTS not in self.wishes:
            return found(entry, Outcome.NOT_A_PHOTO)
        return self.caught(entry, source, kept=KeptFile.Kind.DOCUMENT)

    def picture(
        self, entry: Entry, source: Readable, format: formats.Format
    ) -> Finding | Caught:
        version = self.packages.version(entry.path)
        if version is None:
            return self.caught(entry, source, format=format)
        if version.role is packages.Role.PREVIEW:
            return found(entry, Outcome.JUNK, version.reason)
        tie = {"reason": version.reason, "version_of": version.original}
        return self.caught(entry, source, format=format, **tie)

    def video(self, entry: Entry, source: Readable) -> Finding | Caught:
        film = originals.film(source, entry.size)
        what: dict[str, Any] = {"seconds": film.seconds}
        if entry.beside and pairs.is_part(film, entry.size):
            what |= {"kept": KeptFile.Kind.PART, "reason": entry.beside}
        elif Keep.VIDEOS in self.wishes:
            what |= {"kept": KeptFile.Kind.VIDEO}
        else:
            return found(entry, Outcome.VIDEO)
        return self.caught(entry, source, **what)

    def caught(self, entry: Entry, source: Readable, **what: Any) -> Caught:
        """Read a file to store, once; in a dry run, only hash it."""
        if not self.run:
            return Caught(entry.path, originals.read(source), None, **what)
        taken = originals.take(source, self.folder / "incoming")
        self.drafts.add(taken)
        return Caught(entry.path, taken.reading, taken, **what)

    def with_contents(
        self, taken: Iterable[Finding | Caught | Archived]
    ) -> Iterator[Finding | Caught]:
        """Yield what was read; in place of archives their contents, then themselves."""
        for one in taken:
            if isinstance(one, Archived):
                yield from self.unpacked(one)
            else:
                yield one

    def unpacked(self, one: Archived) -> Iterator[Finding | Caught]:
        try:
            with archives.opened(self.descriptor, one.entry) as archive:
                contents = archive.contents(
                    one.kind, spool=self.folder / "incoming", exclude=self.exclude
                )
                for inner in contents:
                    yield self.inner(inner, one.entry)
        except CannotRead as error:
            yield found(one.entry, Outcome.UNREADABLE, error.reason)

    def inner(self, inner: Inner | End, archive: Entry) -> Finding | Caught:
        """What became of an entry of an archive, or of the archive itself."""
        entry, outermost = inner.entry, archive.path
        if isinstance(inner, End):
            outcome = Outcome.UNREADABLE if inner.reason else Outcome.ARCHIVE
            within = "" if entry is archive else outermost
            return replace(found(entry, outcome, inner.reason), archive=within)
        if inner.stream is None:
            return replace(unopened(entry), archive=outermost)
        return replace(self.attempt(entry, inner.stream), archive=outermost)

    def unknown(self, caught: Iterable[Finding | Caught]) -> Iterator[Caught | Finding]:
        """Yield the pictures the vault does not have; settle all others.

        An archive counts as read only when all that is in it has been stored.
        """
        for one in caught:
            if isinstance(one, Finding):
                if one.outcome is Outcome.ARCHIVE:
                    yield one
                else:
                    self.settle(one)
                continue
            known = self.known(one)
            if known is None:
                self.in_hand[one.reading.digest] = []
                self.unwritten.add(one.reading.digest)
                yield one
                continue
            self.discard(one)
            if one.reading.digest in self.in_hand:
                self.in_hand[one.reading.digest].append(known)
            else:
                self.settle(known)

    @undisturbed
    def known(self, one: Caught) -> Finding | None:
        """The finding for bytes seen before, None for new ones."""
        if one.reading.digest in self.unwritten:
            return one.found(one.repeats)
        if one.kept:
            return self.known_file(one)
        photo = ledger.photo_with(one.reading.digest)
        if photo is None:
            return None
        # An original that got lost is stored again.
        place = vault.original(self.folder, photo.digest, photo.extension)
        if photo.is_stored and not place.exists():
            return None
        if photo.is_discarded:
            keeper = photo.in_favour_of
            why = f"in favour of {keeper}" if keeper else "deleted for good"
            return one.found(Outcome.DISCARDED, reason=why)
        return one.found(Outcome.ALREADY_KNOWN)

    def known_file(self, one: Caught) -> Finding | None:
        kept = ledger.kept_with(one.reading.digest)
        if kept is None:
            return None
        # One that got lost is stored again.
        place = vault.original(self.folder, kept.digest, kept.extension)
        return one.found(one.repeats) if place.exists() else None

    def keep(self, one: Caught | Finding) -> Finding:
        """Store one file, and develop a picture. Runs in a thread."""
        if isinstance(one, Finding):
            return one
        if one.taken is None:
            return one.found(one.brings, bytes_stored=one.reading.size)
        try:
            stored = originals.keep(one.taken, self.folder, one.extension)
        finally:
            self.drafts.discard(one.taken)
        return one.found(
            one.brings,
            bytes_stored=stored.size if stored.is_new else 0,
            print=None if one.kept else self.develop(one),
        )

    def develop(self, one: Caught) -> develop.Print | None:
        """Develop an original just stored; None leaves it to the workers."""
        digest = one.reading.digest
        place = vault.original(self.folder, digest, one.extension)
        sandbox = self.sandboxes.get()
        try:
            if self.ending.is_set():
                return None
            return develop.develop(place, digest=digest, sandbox=sandbox)
        except OSError as error:
            raise originals.vault_fails(error) from error
        # The photo is stored; what else goes wrong must not lose it.
        except Exception:
            if not self.ending.is_set():
                logger.exception("developing %s failed", digest)
            return None
        finally:
            self.sandboxes.put(sandbox)

    def discard(self, one: Caught) -> None:
        one.drop()
        if one.taken:
            self.drafts.discard(one.taken)

    # The findings

    def settle(self, finding: Finding) -> None:
        """Note what became of an entry, and write when enough has come together."""
        if finding.outcome == Outcome.UNREADABLE:
            self.check_drive()
            self.unreadable.append(Unread(finding.path, finding.reason))
        if finding.print and finding.print.width is None:
            self.unshown += 1
        self.findings.append(finding)
        self.write_if_due()

    def check_drive(self) -> None:
        """Raise DriveGone if it is not one file that is unreadable, but the drive."""
        try:
            now = self.root.stat()
            walk.has_entries(self.descriptor)
            here = os.path.samestat(now, self.identity)
        except OSError:
            here = False
        if self.was_plugged_in:
            here = here and drives.is_plugged_in(self.identity.st_dev)
        if not here:
            raise DriveGone(
                f"The drive at {self.root} is gone. Plug it in, then start again: the "
                f"import goes on where it stopped."
            )

    def write_if_due(self) -> None:
        waited = time.monotonic() - self.written_at
        if len(self.findings) + len(self.again) >= BATCH or waited > BATCH_SECONDS:
            self.write()

    def write(self) -> None:
        self.write_findings()
        self.tell()

    @undisturbed
    def write_findings(self) -> None:
        if self.run:
            written = ledger.write(self.run, self.findings, self.again)
        else:
            written = Written.of(self.findings, self.again)
        self.outcomes += written.outcomes
        self.bytes_by_outcome += written.bytes
        self.bytes_seen += written.bytes_seen
        self.bytes_stored += written.bytes_stored
        if self.run:
            self.run.outcomes = dict(self.outcomes)
            self.run.bytes_seen = self.bytes_seen
            self.run.bytes_stored = self.bytes_stored
            self.unwritten.difference_update(one.digest for one in self.findings)
        self.findings, self.again = [], []
        self.written_at = time.monotonic()

    def tell(self) -> None:
        if self.progress:
            seen, imported = self.outcomes.total(), self.outcomes[Outcome.IMPORTED]
            bytes_seen = self.bytes_seen
            self.progress(Progress(seen, bytes_seen, imported))


def is_sidecar(entry: Entry, source: Readable) -> bool:
    """Whether this is a program's note on a photo; few files are asked."""
    if not sidecars.may_be(entry.name) or entry.size > sidecars.LARGEST:
        return False
    content = originals.head(source, entry.size)
    return sidecars.kind(entry.name, content) is not None


def found(entry: Entry, outcome: Outcome, reason: str = "") -> Finding:
    return Finding(entry.path, outcome, reason, entry.size, entry.modified_ns)


_UNOPENED = {
    Kind.FILE: Outcome.EMPTY,
    Kind.LINK: Outcome.LINK,
    Kind.SPECIAL: Outcome.SPECIAL,
    Kind.UNREADABLE: Outcome.UNREADABLE,
    Kind.EXCLUDED: Outcome.EXCLUDED,
}


def unopened(entry: Entry) -> Finding:
    """The outcome of an entry that need not be opened: an empty file, or no file."""
    return found(entry, _UNOPENED[entry.kind], entry.reason)
