"""A second copy of the vault on another disk, and the way back from it.

backup.json                which vault this is a backup of, and its snapshots
originals/ab/cd/...        as in the vault; copied once, never changed, never taken away
database/<moment>.sqlite3  the database at that moment (.pgdump from PostgreSQL)
and the vault's plain records, certificates, marker and secret key

Originals come first, then the database, then what the database names and was new: so
every snapshot finds all its originals. What was copied has been read back.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery import copying, drives, originals, records, stored, vault, walk
from gallery.copying import CopyFails, NotTheSame
from gallery.importer import undisturbed
from gallery.models import Backup, Photo
from gallery.originals import CannotRead
from gallery.stages import chunks
from gallery.stored import Original

MARKER = "backup.json"
DATABASE = "database"
FORMAT = 1
SNAPSHOTS = 7  # kept
# So often the database is asked again when photos were purged while it was copied.
TRIES = 5
# What else of the vault is copied each time; small, but for the ledger.
PLAIN = ("sources.json", "SHA256SUMS")
FOLDERS = ("ledger", "certificates", "drives")
SECRET = "secret_key"

Tell = Callable[[int, int], None]  # originals and bytes looked at so far


class Refused(Exception):
    """There is nothing to begin with; the message says why."""


@dataclass(slots=True)
class BackupReport:
    """What a backup or a restore did, and the originals it could not copy."""

    snapshot: str = ""
    originals: int = 0
    copied: int = 0
    bytes_copied: int = 0
    wrong: list[dict[str, str]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def refuse(self, one: Original, reason: str) -> None:
        if not any(known["digest"] == one.digest for known in self.wrong):
            self.wrong.append({"digest": one.digest, "reason": reason})


def backup(
    target: Path, *, verify: bool = False, progress: Tell = lambda done, size: None
) -> BackupReport:
    """Copy what is new since the last backup to a folder on another disk.

    With `verify` what was copied before is read again as well. Raise Refused,
    vault.NoVault or CopyFails.
    """
    folder = settings.IMAGEVAULT_DATA
    vault.require(folder)
    require_tool("pg_dump")
    marker = _claimed(target, folder)
    started_at = timezone.now()
    try:
        records.bring_up()
    except records.Busy:
        pass
    report = BackupReport()
    copier = _Copier(folder, target, report, progress, verify=verify)
    for one in stored.every():
        copier.copy(one)
    report.snapshot = _snapshot(target, copier)
    _copy_the_rest(folder, target)
    marker["snapshots"] = _pruned(target, [*marker["snapshots"], report.snapshot])
    _write_marker(target, marker)
    _note(target, report, started_at, is_verified=verify)
    return report


@undisturbed
def _note(
    target: Path, report: BackupReport, started_at: datetime, *, is_verified: bool
) -> None:
    """Note in the catalogue what is in this backup, so that pages can tell."""
    Backup.objects.create(
        label=drives.disk_name(target)[:200],
        volume=drives.volume(target),
        path=walk.readable(bytes(target.resolve())),
        started_at=started_at,
        is_verified=is_verified,
        originals=report.originals - len(report.wrong),
        lacking=[one["digest"] for one in report.wrong],
    )


class _Copier:
    """Copies originals from one folder to another, each once."""

    def __init__(
        self,
        source: Path,
        target: Path,
        report: BackupReport,
        progress: Tell,
        *,
        verify: bool,
    ) -> None:
        self.source = source
        self.target = target
        self.report = report
        self.progress = progress
        self.verify = verify
        self.bytes = 0

    def copy(self, one: Original) -> None:
        self.report.originals += 1
        self.bytes += one.size
        if not self.has(one):
            self.fetch(one)
        self.progress(self.report.originals, self.bytes)

    def has(self, one: Original) -> bool:
        if self.lacks(one):
            return False
        return not self.verify or copying.is_whole(one.below(self.target), one.digest)

    def lacks(self, one: Original) -> bool:
        return not copying.is_there(one.below(self.target), one.size)

    def fetch(self, one: Original) -> bool:
        """Copy one original; a damaged one is noted, and replaces no good copy."""
        source, place = one.below(self.source), one.below(self.target)
        try:
            size = copying.copy(source, place, digest=one.digest)
        except (NotTheSame, CannotRead) as error:
            self.report.refuse(one, str(error))
            return False
        self.report.copied += 1
        self.report.bytes_copied += size
        return True


def _claimed(target: Path, folder: Path) -> dict[str, Any]:
    """The folder's marker, made where the folder is empty."""
    if vault.overlaps(target, folder):
        raise Refused(_("The backup must not lie in the vault, nor the vault in it."))
    identity = vault.identity(folder)
    try:
        marker = _marker(target)
        if marker is None:
            target.mkdir(parents=True, exist_ok=True)
            if any(target.iterdir()):
                raise Refused(
                    _("%(folder)s is not empty and no backup. Name an empty folder.")
                    % {"folder": target}
                )
            marker = {"vault": identity, "format": FORMAT, "snapshots": []}
            _write_marker(target, marker)
    except OSError as error:
        raise Refused(f"{target}: {error.strerror}.") from error
    if marker["vault"] != identity:
        raise Refused(
            _("%(folder)s is the backup of another vault.") % {"folder": target}
        )
    return marker


def _marker(folder: Path) -> dict[str, Any] | None:
    try:
        marker = json.loads((folder / MARKER).read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise Refused(f"{folder / MARKER}: {error}") from error
    if not isinstance(marker, dict) or marker.get("format") != FORMAT:
        raise Refused(
            _("%(folder)s has a format this version does not know.")
            % {"folder": folder}
        )
    return marker


def _write_marker(folder: Path, marker: dict[str, Any]) -> None:
    part = folder / f"{MARKER}.part"
    with part.open("w") as file:
        file.write(json.dumps(marker, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / MARKER)
    originals.sync(folder)


# Snapshots of the database


def _snapshot(target: Path, copier: _Copier) -> str:
    """Copy the database, and what originals it names that came meanwhile; its name."""
    (target / DATABASE).mkdir(exist_ok=True)
    for _try in range(TRIES):
        name = _dumped(target / DATABASE)
        new = (one for one in _named_by(target / DATABASE / name) if copier.lacks(one))
        gone = [one for one in new if not copier.fetch(one)]
        copier.report.wrong = [
            one for one in copier.report.wrong if _is_stored(one["digest"])
        ]
        if all(_is_stored(one.digest) for one in gone):
            return name
        # It names photos that were purged before they could be copied.
        (target / DATABASE / name).unlink()
    raise CopyFails(_("The trash is being emptied. Try again when that is done."))


@undisturbed
def _is_stored(digest: str) -> bool:
    return bool(stored.of([digest]))


@undisturbed
def _dumped(folder: Path) -> str:
    moment = timezone.now().strftime("%Y%m%dT%H%M%S%f")
    if connection.vendor == "postgresql":
        return _dumped_postgres(folder, moment)
    place = folder / f"{moment}.sqlite3"
    part = place.with_name(place.name + copying.SUFFIX)
    part.unlink(missing_ok=True)
    source = str(connection.settings_dict["NAME"])
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(part)) as to:
        live.backup(to)
        said = to.execute("PRAGMA integrity_check").fetchone()[0]
    if said != "ok":
        raise CopyFails(_("The copy of the database is damaged: %s.") % said)
    _publish(part, place)
    return place.name


def _dumped_postgres(folder: Path, moment: str) -> str:
    place = folder / f"{moment}.pgdump"
    part = place.with_name(place.name + copying.SUFFIX)
    _run_for_postgres("pg_dump", "--format=custom", f"--file={part}")
    _publish(part, place)
    return place.name


def require_tool(program: str) -> None:
    """Raise Refused, before anything is done, where PostgreSQL's own tool is missing."""
    if connection.vendor == "postgresql" and not shutil.which(program):
        raise Refused(
            _("%(program)s is not installed; it comes with PostgreSQL's client.")
            % {"program": program}
        )


def _run_for_postgres(program: str, *arguments: str) -> None:
    known = connection.settings_dict
    env = {
        "PGHOST": known["HOST"],
        "PGPORT": str(known["PORT"] or ""),
        "PGUSER": known["USER"],
        "PGPASSWORD": known["PASSWORD"],
        "PGDATABASE": str(known["NAME"]),
    }
    done = subprocess.run(
        [program, *arguments],
        env=os.environ | {name: value for name, value in env.items() if value},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise CopyFails(f"{program}: {done.stderr.strip()[-500:]}")


def _publish(part: Path, place: Path) -> None:
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.chmod(0o600)
    part.replace(place)
    originals.sync(place.parent)


def _pruned(target: Path, names: list[str]) -> list[str]:
    """Take away all snapshots but the latest; return those that stay."""
    kept = names[-SNAPSHOTS:]
    for path in (target / DATABASE).iterdir():
        if path.name not in kept:
            path.unlink()
    return kept


def _copy_the_rest(folder: Path, target: Path) -> None:
    """The records, certificates, marker and secret key; what did not change stays."""
    for place in sorted((folder / "originals").glob(f"*/*/{records.SHELF}")):
        _renew(place, target / place.relative_to(folder))
    for name in (*PLAIN, SECRET, vault.MARKER):
        if (folder / name).is_file():
            _renew(folder / name, target / name)
    for name in FOLDERS:
        for place in sorted((folder / name).glob("*")):
            _renew(place, target / name / place.name)


def _renew(source: Path, place: Path) -> None:
    """Copy a file unless one of its size, not older, lies there."""
    here = source.stat()
    try:
        there = place.stat()
    except FileNotFoundError:
        there = None
    if there and there.st_size == here.st_size and there.st_mtime >= here.st_mtime:
        return
    copying.copy(source, place, mode=0o600 if source.name == SECRET else 0o644)


# The way back


def restore(
    source: Path, *, at: str = "", progress: Tell = lambda done, size: None
) -> BackupReport:
    """Bring a vault back from its backup, into an empty one; broken off, go on.

    `at` names another snapshot than the last. Raise Refused or CopyFails.
    """
    folder = settings.IMAGEVAULT_DATA
    marker = _marker(source)
    if marker is None or not marker["snapshots"]:
        raise Refused(_("%(folder)s holds no whole backup.") % {"folder": source})
    name = next((one for one in marker["snapshots"] if one.startswith(at)), "")
    name = name if at else marker["snapshots"][-1]
    snapshot = source / DATABASE / name
    if not name or not snapshot.is_file():
        known = ", ".join(marker["snapshots"])
        raise Refused(_("There is no such snapshot; there are: %s") % known)
    require_empty(folder, marker["vault"])
    require_tool("pg_restore")
    # From here on nothing else takes this folder for a vault, until all is there.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / vault.MARKER).unlink(missing_ok=True)
    (folder / MARKER).write_text(json.dumps(marker))
    report = BackupReport(snapshot=name)
    _restore_database(snapshot, folder)
    copier = _Copier(source, folder, report, progress, verify=True)
    for some in chunks(_named_by(snapshot), 500):
        for one in some:
            copier.copy(one)
    _restore_the_rest(source, folder)
    (folder / MARKER).unlink()
    return report


def require_empty(folder: Path, identity: str) -> None:
    """Raise Refused unless a restore may write here."""
    begun = _marker(folder)
    if begun and begun["vault"] == identity:
        return
    if any((folder / "originals").glob("*/*/*")):
        raise Refused(_("%(folder)s holds originals already.") % {"folder": folder})
    if _photos_known():
        raise Refused(
            _("The database knows photos already. Restore into an empty one.")
        )


def _photos_known() -> bool:
    if Photo._meta.db_table not in connection.introspection.table_names():
        return False
    return Photo.objects.exists()


def _restore_database(snapshot: Path, folder: Path) -> None:
    if snapshot.suffix == ".pgdump":
        if connection.vendor != "postgresql":
            raise Refused(
                _("This backup needs PostgreSQL: set IMAGEVAULT_DATABASE_URL.")
            )
        connection.close()
        options = ("--clean", "--if-exists", "--no-owner", "--single-transaction")
        name = str(connection.settings_dict["NAME"])
        _run_for_postgres("pg_restore", *options, f"--dbname={name}", str(snapshot))
        return
    if connection.vendor != "sqlite":
        raise Refused(_("This backup is of SQLite: unset IMAGEVAULT_DATABASE_URL."))
    place = Path(connection.settings_dict["NAME"])
    connection.close()
    for suffix in ("-wal", "-shm"):
        place.with_name(place.name + suffix).unlink(missing_ok=True)
    copying.copy(snapshot, place, mode=0o600)


def _named_by(snapshot: Path) -> Iterator[Original]:
    """The originals a snapshot names; from PostgreSQL, those of the database restored."""
    if snapshot.suffix == ".pgdump":
        yield from stored.every()
        return
    address = f"file:{snapshot}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as table:
        yield from (Original(*row) for row in table.execute(_named_in(table)))


def _named_in(table: sqlite3.Connection) -> str:
    """What asks a snapshot for its originals; older ones know photos alone."""
    names = "SELECT digest, extension, size FROM"
    asked = [f"{names} gallery_photo WHERE purged_at IS NULL"]
    if table.execute("PRAGMA table_info(gallery_keptfile)").fetchone():
        asked.append(f"{names} gallery_keptfile")
    return f"{' UNION '.join(asked)} ORDER BY digest"


def _restore_the_rest(source: Path, folder: Path) -> None:
    for name in vault.FOLDERS:
        (folder / name).mkdir(exist_ok=True)
    for name in (*PLAIN, SECRET):
        if (source / name).is_file():
            mode = 0o600 if name == SECRET else 0o644
            copying.copy(source / name, folder / name, mode=mode)
    for name in FOLDERS:
        for place in sorted((source / name).glob("*")):
            copying.copy(place, folder / name / place.name, mode=0o644)
    for place in sorted((source / "originals").glob(f"*/*/{records.SHELF}")):
        copying.copy(place, folder / place.relative_to(source), mode=0o644)
    # The marker last: now it is a vault.
    copying.copy(source / vault.MARKER, folder / vault.MARKER, mode=0o644)


def is_backup(folder: Path) -> bool:
    return (folder / MARKER).is_file()
