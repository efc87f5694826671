"""Reading the vault's originals again: all of them, or a share of them each night.

What is wrong is noted with the photo it concerns, and stays noted until the original has
been found whole again. A pass that breaks off goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from gallery import drafts, drives, rereading, stored, vault
from gallery.importer import undisturbed
from gallery.models import Damage, Verification
from gallery.models.care import LAST_DIGEST
from gallery.originals import CannotRead
from gallery.stages import in_order
from gallery.stored import Original
from gallery.whereabouts import places

DIGESTS = 1 << 256
PAGE = 500  # findings written at once
WRITE_SECONDS = 2.0
# A pass that broke off longer ago says too little of today to be gone on with.
STALE = timedelta(days=7)


class AlreadyRunning(Exception):
    """Somebody is at this very pass."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What reading one original gave; `kind` is empty where all is well."""

    original: Original
    kind: str = ""
    reason: str = ""
    size: int = 0  # bytes read


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pass has come, and what there is in all; both in originals and bytes."""

    checked: int
    bytes_read: int
    originals: int
    bytes: int


@dataclass(frozen=True, slots=True)
class CareReport:
    """What a pass found. `is_finished` is false if it was asked to stop."""

    verification: Verification
    wrong: tuple[dict[str, Any], ...]
    unknown: tuple[str, ...]
    seconds: float
    is_finished: bool

    def to_json(self) -> dict[str, Any]:
        one = self.verification
        return {
            "verification": one.pk,
            "share": f"1/{one.share}",
            "finished": self.is_finished,
            "checked": one.checked,
            "bytes_read": one.bytes_read,
            "seconds": round(self.seconds, 3),
            "wrong": list(self.wrong),
            "unknown": list(self.unknown),
        }


def verify_vault(
    *,
    share: int = 1,
    progress: Callable[[Progress], None] | None = None,
) -> CareReport:
    """Read all originals again, or the next share of them; go on with what broke off.

    Raise vault.NoVault where there is none, AlreadyRunning if another does the same.
    """
    vault.require(settings.IMAGEVAULT_DATA)
    return carry_on(begin(share=share), progress=progress)


@transaction.atomic
def begin(*, share: int) -> Verification:
    """The pass to go on with, or a new one over the originals that come next."""
    recent = Verification.objects.filter(share=share)
    last = recent.first()
    if last and last.state != Verification.State.FINISHED:
        if timezone.now() - last.started_at < STALE:
            return last
        # What it had read counts, and the rest is read now.
        last.until = last.reached
        last.state = Verification.State.FINISHED
        last.save(update_fields=["until", "state"])
    after = last.until if last and last.until < LAST_DIGEST else ""
    return Verification.objects.create(
        share=share, after=after, reached=after, until=end_of_share(after, share)
    )


def end_of_share(after: str, share: int) -> str:
    """The last digest of a share that begins after this one."""
    start = int(after or "0", 16)
    end = start + DIGESTS // share
    # Rounding must not leave a last share of next to nothing.
    if end + DIGESTS // share // 2 >= DIGESTS:
        return LAST_DIGEST
    return f"{end:064x}"


def carry_on(
    verification: Verification,
    *,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> CareReport:
    """Read on from where the pass is, until it is done or is to stop."""
    started = time.monotonic()
    states = Verification.State
    running = drafts.alone(
        settings.IMAGEVAULT_DATA / "incoming",
        f"verification-{verification.pk}",
        otherwise=AlreadyRunning(
            "The vault is being verified already. Wait for its end."
        ),
    )
    with running:
        verification.refresh_from_db()
        if verification.state != states.FINISHED:
            _set(verification, state=states.RUNNING)
            try:
                done = _Pass(verification, progress).go(stop)
            except BaseException:
                _set(verification, state=states.INTERRUPTED)
                raise
            if done:
                now = timezone.now()
                _set(verification, state=states.FINISHED, finished_at=now)
    is_finished = verification.state == states.FINISHED
    is_whole = is_finished and not verification.after and verification.share == 1
    return CareReport(
        verification,
        wrong=tuple(described(verification)),
        unknown=tuple(unknown()) if is_whole else (),
        seconds=time.monotonic() - started,
        is_finished=is_finished,
    )


@undisturbed
def _set(verification: Verification, **values: Any) -> None:
    for name, value in values.items():
        setattr(verification, name, value)
    verification.save(update_fields=list(values))


class _Pass:
    """The originals of one verification, on their way past; only `read` is threaded."""

    def __init__(
        self,
        verification: Verification,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.verification = verification
        self.progress = progress
        self.findings: list[Finding] = []
        self.written_at = time.monotonic()
        self.total = (0, 0)
        if progress:
            self.total = stored.totals(verification.after, verification.until)

    def go(self, stop: Callable[[], bool]) -> bool:
        """Read on; return whether the end was reached."""
        workers = settings.IMAGEVAULT_WORKERS
        folder = settings.IMAGEVAULT_DATA / "originals"
        # A disk that has to seek is quickest read one file after the other.
        readers = 1 if drives.spins(folder.stat().st_dev) else workers
        pool = ThreadPoolExecutor(readers)
        try:
            found = in_order(pool, read, self.originals(), ahead=2 * readers)
            for finding in found:
                self.findings.append(finding)
                self.write_if_due()
                if stop():
                    self.write()
                    return False
            self.write()
            return True
        finally:
            pool.shutdown(cancel_futures=True)

    def originals(self) -> Iterator[Original]:
        return stored.every(self.verification.reached, self.verification.until)

    def write_if_due(self) -> None:
        waited = time.monotonic() - self.written_at
        if len(self.findings) >= PAGE or waited > WRITE_SECONDS:
            self.write()

    @undisturbed
    def write(self) -> None:
        """Note what was found and how far the pass is, in one transaction."""
        if any(finding.kind for finding in self.findings):
            # If the disk is gone, it is not the originals that are.
            vault.require(settings.IMAGEVAULT_DATA)
        one = self.verification
        with transaction.atomic():
            one.wrong += note(self.findings, one)
            one.checked += len(self.findings)
            one.bytes_read += sum(finding.size for finding in self.findings)
            if self.findings:
                one.reached = self.findings[-1].original.digest
            one.save(update_fields=["wrong", "checked", "bytes_read", "reached"])
        self.findings = []
        self.written_at = time.monotonic()
        if self.progress:
            self.progress(Progress(one.checked, one.bytes_read, *self.total))


def read(original: Original) -> Finding:
    """Read one original from the disk, and say what is wrong with it."""
    try:
        reading = rereading.file(original.place)
    except FileNotFoundError:
        return Finding(original, Damage.Kind.MISSING)
    except CannotRead as error:
        return Finding(original, Damage.Kind.UNREADABLE, error.reason)
    if reading.digest != original.digest:
        return Finding(original, Damage.Kind.CHANGED, size=reading.size)
    return Finding(original, size=reading.size)


def note(findings: list[Finding], verification: Verification | None) -> int:
    """Write down what is wrong, and what was and is not any more; return how many are."""
    bad = {finding.original.digest: finding for finding in findings if finding.kind}
    # Some may have been purged since they were asked for.
    there = stored.of(bad)
    for original in there:
        finding = bad[original.digest]
        Damage.objects.open().update_or_create(
            **original.owner,
            defaults={
                "kind": finding.kind,
                "reason": finding.reason[:500],
                "found_in": verification,
            },
        )
    open_ones = Damage.objects.open()
    if open_ones.exists():
        good = [finding.original for finding in findings if not finding.kind]
        whole = Q(photo__in=[one.photo for one in good if one.photo])
        whole |= Q(kept__in=[one.kept for one in good if one.kept])
        open_ones.filter(whole).update(mended_at=timezone.now())
    return len(there)


def described(verification: Verification) -> list[dict[str, Any]]:
    """What a pass found wrong, each with where its good bytes still are."""
    rows = Damage.objects.open().filter(found_in=verification).with_files()
    damages = sorted(rows, key=lambda damage: damage.file.digest)
    where = places(damage.file for damage in damages)
    return [
        {
            "digest": damage.file.digest,
            "name": damage.file.name,
            "file": str(stored.original(damage.file).below(Path())),
            "problem": damage.kind,
            "reason": damage.reason,
            "where": [place.to_json() for place in where[damage.file.digest]],
            "advice": [str(place) for place in where[damage.file.digest]],
        }
        for damage in damages
    ]


def unknown() -> Iterator[str]:
    """Files among the originals that the catalogue does not know, as vault paths.

    One that an import is just bringing in may be among them.
    """
    folder = settings.IMAGEVAULT_DATA
    for first in sorted((folder / "originals").iterdir()):
        there = sorted(path for path in first.glob("*/*") if path.is_file())
        expected = {one.below(folder) for one in stored.beginning(first.name)}
        yield from (
            str(path.relative_to(folder))
            for path in there
            if path not in expected and path.name not in vault.RECORDS
        )
