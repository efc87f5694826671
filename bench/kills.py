"""Kill every command that changes something, at any point, and see what is left.

A point is a number: so many times the command has opened, made, renamed or removed a file,
and then some random part of a millisecond. There the process is gone at once, without a
word. Then nothing may be lost, and the next run has to end right. Each point starts from
the same state. See docs/care.md.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from bench.house import House  # noqa: E402

PICTURES = 12
EVENTS = {
    *("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.utime"),
    *("os.scandir", "os.listdir", "os.truncate", "fcntl.flock", "sqlite3.connect"),
}
# Every other point lies between two of these: in a flush, a commit, a hash.
LONGEST = 0.004  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=200, help="In all")
    parser.add_argument("--quick", action="store_true", help="12 points")
    parser.add_argument("--only", metavar="COMMAND", help="Of one command alone")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    points = 12 if options.quick else options.points
    with tempfile.TemporaryDirectory(prefix="imagevault-kills-") as scratch:
        result = measure(Path(scratch), points, options.seed, options.only)
    text = json.dumps(result, indent=2)
    print(text)
    if options.json:
        Path(options.json).write_text(text + "\n")
    sys.exit(1 if result["wrong"] else 0)


def measure(scratch: Path, points: int, seed: int, only: str | None) -> dict[str, Any]:
    started = time.monotonic()
    trials = {one.name: one for one in prepared(scratch)}
    names = [only] if only else list(trials)
    chance = random.Random(seed)
    result: dict[str, Any] = {"points": 0, "killed": {}, "wrong": []}
    for number in range(points):
        trial = trials[names[number % len(names)]]
        point = chance.randint(1, trial.events)
        after = chance.choice([0.0, chance.uniform(0, LONGEST)])
        died, wrong = trial.tried(point, after)
        result["points"] += 1
        result["killed"][trial.name] = result["killed"].get(trial.name, 0) + died
        if wrong:
            found = {"command": trial.name, "point": point, "after": after}
            result["wrong"].append(found | {"what": wrong})
            print(found, wrong, file=sys.stderr)
    return result | {"seconds": round(time.monotonic() - started, 1)}


# Dying


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: killed, or with an exit status after so many events."""

    killed: bool
    status: int = -1
    events: int = 0


def run(command: list[str], *, point: int = 0, after: float = 0) -> Ended:
    """Run a command in a child, and kill it at a point unless that is 0."""
    from django.db import connections

    connections.close_all()
    assert threading.active_count() == 1, "a thread does not survive a fork"
    receive, send = os.pipe()
    child = os.fork()
    if not child:
        os.close(receive)
        seen = watched(point, after)
        status = 99
        try:
            status = called(command)
        finally:
            os.write(send, f"{status} {seen()}".encode())
            os._exit(0)
    os.close(send)
    with os.fdopen(receive) as said:
        text = said.read()
    os.waitpid(child, 0)
    return Ended(False, *map(int, text.split())) if text else Ended(True)  # noqa: FBT003


def watched(point: int, after: float) -> Callable[[], int]:
    """Kill this process at a point; return what counts the events so far."""
    count = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event not in EVENTS:
            return
        count += 1
        if count != point:
            return
        if after:
            # Nobody handles this one; the kernel ends the process.
            signal.setitimer(signal.ITIMER_REAL, after)
        else:
            os.kill(os.getpid(), signal.SIGKILL)

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    sys.addaudithook(hook)
    return lambda: count


def called(command: list[str]) -> int:
    from django.core.management import CommandError, call_command

    with (
        Path(os.devnull).open("w") as nothing,
        contextlib.redirect_stderr(nothing),
    ):
        try:
            call_command(*command, stdout=nothing, stderr=nothing)
        except SystemExit as ended:
            return int(ended.code or 0)
        except CommandError as error:
            return error.returncode
        return 0


# What is tried


@dataclass
class Trial:
    """A command, the state it starts from, and what has to hold."""

    name: str
    state: State
    command: list[str]
    status: int  # of a run that ends
    always: Callable[[], Iterator[str]]  # what is wrong at any moment
    ended: Callable[[], Iterator[str]]  # ... and when a run has ended
    is_over: Callable[[], bool] = lambda: False  # there is nothing to run again
    events: int = 0

    def count(self) -> None:
        """See how many events a run has that nobody disturbs."""
        self.state.restore()
        ended = run(self.command)
        wrong = [*self.always(), *self.ended()]
        assert ended.status == self.status and not wrong, (self.name, ended, wrong)
        self.events = ended.events

    def tried(self, point: int, after: float) -> tuple[bool, list[str]]:
        self.state.restore()
        died = run(self.command, point=point, after=after).killed
        wrong = [f"after the kill: {one}" for one in self.always()]
        if not self.is_over():
            again = run(self.command)
            if again.status != self.status:
                wrong.append(f"the next run ended with {again.status}")
        wrong += [
            f"after the next run: {one}" for one in [*self.always(), *self.ended()]
        ]
        return died, wrong


@dataclass
class State:
    """Folders as they were at one moment."""

    world: World
    kept: Path
    damaged: frozenset[str]

    @classmethod
    def of(cls, world: World, kept: Path) -> State:
        from django.db import connections

        connections.close_all()
        shutil.copytree(world.place, kept, symlinks=True)
        return cls(world, kept, frozenset(world.damaged))

    def restore(self) -> None:
        from django.db import connections

        connections.close_all()
        shutil.rmtree(self.world.place)
        shutil.copytree(self.kept, self.world.place, symlinks=True)
        self.world.damaged = set(self.damaged)


def prepared(scratch: Path) -> Iterator[Trial]:
    """Build a vault step by step, and keep the states that commands start from."""
    place = scratch / "place"
    house = House(place / "vault")
    os.environ.update(house.env | {"DJANGO_SETTINGS_MODULE": "imagevault.settings"})
    import django

    django.setup()
    drive = drawn(place / "drive")
    world = World(place, sums(drive))
    quiet = ["--no-progress"]
    label = ["--label", "Blue WD"]
    import_ = ["import_drive", str(drive), *label, *quiet]

    def trial(name: str, command: list[str], ended: Any, **more: Any) -> Trial:
        state = State.of(world, scratch / name)
        one = Trial(
            name, state, command, more.pop("status", 0), world.lost, ended, **more
        )
        one.count()
        state.restore()
        return one

    yield trial("import", import_, world.not_imported)
    assert run(import_).status == 0
    backup = ["backup", str(place / "backup"), *quiet]
    yield trial("backup", backup, world.not_backed_up)
    yield trial("export", ["export", str(place / "export"), *quiet], world.not_exported)
    assert run(backup).status == 0
    yield trial(
        "verify_drive", ["verify_drive", str(drive), *label, *quiet], world.not_safe
    )
    world.damage(3)
    yield trial("verify_vault", ["verify_vault", *quiet], world.not_noted, status=1)
    assert run(["verify_vault", *quiet]).status == 1
    yield trial("repair", ["repair", str(drive), *quiet], world.not_mended)
    world.destroy()
    yield trial(
        "restore",
        ["restore", str(place / "backup"), *quiet],
        world.not_back,
        is_over=world.is_whole,
    )


def drawn(drive: Path) -> Path:
    """A small drive: pictures, two of them alike, and what is none."""
    from PIL import Image

    (drive / "DCIM").mkdir(parents=True)
    for number in range(PICTURES):
        Image.new("RGB", (48, 32), (20 * number, 90, 40)).save(
            drive / "DCIM" / f"{number:04}.jpg"
        )
    shutil.copy(drive / "DCIM" / "0001.jpg", drive / "copy.jpg")
    (drive / "Thumbs.db").write_bytes(b"junk")
    (drive / "empty.txt").touch()
    return drive


def sums(folder: Path) -> dict[str, str]:
    """Independently of the program: path to SHA-256."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class World:
    """What has to be true of the drive, the vault, its backup and its export."""

    def __init__(self, place: Path, on_drive: dict[str, str]) -> None:
        self.place = place
        self.vault = place / "vault"
        self.drive = place / "drive"
        self.backup = place / "backup"
        self.exported = place / "export"
        self.on_drive = on_drive
        self.pictures = {one for path, one in on_drive.items() if path.endswith(".jpg")}
        self.damaged: set[str] = set()

    # At any moment

    def lost(self) -> Iterator[str]:
        if sums(self.drive) != self.on_drive:
            yield "the drive was changed"
        yield from self.false_originals(self.vault, allowed=self.damaged)
        yield from self.false_originals(self.backup)
        yield from self.false_exports()
        yield from self.broken_promises()

    @staticmethod
    def originals(folder: Path) -> dict[str, str]:
        found = sums(folder / "originals")
        return {
            Path(path).stem: one for path, one in found.items() if ".json" not in path
        }

    def false_originals(
        self,
        folder: Path,
        allowed: set[str] = frozenset(),  # type: ignore[assignment]
    ) -> Iterator[str]:
        for path, digest in sums(folder / "originals").items():
            name = Path(path).name.partition(".")[0]
            is_done = not path.endswith((".json", ".part"))
            if is_done and name != digest and name not in allowed:
                yield f"{folder.name}: {path} is not what it is called"

    def false_exports(self) -> Iterator[str]:
        for path, digest in sums(self.exported).items():
            if path.endswith(".jpg") and digest not in self.pictures:
                yield f"export: {path} is no picture of ours"

    def broken_promises(self) -> Iterator[str]:
        """What the catalogue says is stored is there."""
        from gallery.models import Certificate, ImportRun

        if not (self.vault / "vault.json").is_file():
            return
        if self.catalogued() - self.originals(self.vault).keys():
            yield "a photo without its original"
        for run_ in ImportRun.objects.all():
            if sum(run_.outcomes.values()) != run_.seen:
                yield "the outcomes of a run do not add up"
        for one in Certificate.objects.all():
            place = self.vault / "certificates" / f"{one.name}.jsonl"
            if sums(place.parent).get(place.name) != one.entries_digest:
                yield "a certificate without its list"

    def catalogued(self) -> set[str]:
        from gallery.models import Photo

        return set(Photo.objects.stored().values_list("digest", flat=True))

    # When a run has ended

    def not_imported(self) -> Iterator[str]:
        from gallery.models import ImportRun, SourceFile

        if self.catalogued() != self.pictures:
            yield "not every picture is a photo"
        if set(self.originals(self.vault).values()) - self.damaged != self.pictures:
            yield "not every picture is stored"
        if SourceFile.objects.current().count() != len(self.on_drive):
            yield "not every entry has a row"
        if ImportRun.objects.order_by("pk").last().seen != len(self.on_drive):
            yield "not every entry was seen"
        if [*(self.vault / "incoming").iterdir()]:
            yield "something half-written is left"
        yield from self.false_list(self.vault)

    def false_list(self, folder: Path, *, every: bool = False) -> Iterator[str]:
        """What `sha256sum -c` would say, and what is not listed."""
        lines = (folder / "SHA256SUMS").read_text().splitlines()
        listed = {
            path: digest for digest, path in (line.split("  ", 1) for line in lines)
        }
        there = sums(folder)
        if any(there.get(path) != digest for path, digest in listed.items()):
            yield f"{folder.name}: SHA256SUMS lists what is not there"
        wanted = {
            path
            for path in there
            if path.startswith("originals/") and not path.endswith(".json")
        }
        if wanted - listed.keys():
            yield f"{folder.name}: SHA256SUMS lacks a line"

    def not_backed_up(self) -> Iterator[str]:
        marker = json.loads((self.backup / "backup.json").read_bytes())
        names = {path.name for path in (self.backup / "database").iterdir()}
        if names != set(marker["snapshots"]):
            yield "a snapshot is left over or missing"
        last = self.backup / "database" / marker["snapshots"][-1]
        with contextlib.closing(
            sqlite3.connect(f"file:{last}?mode=ro", uri=True)
        ) as one:
            named = {row[0] for row in one.execute("SELECT digest FROM gallery_photo")}
        if named != self.pictures or self.originals(self.backup).keys() != named:
            yield "the backup is not whole"
        if [*self.backup.rglob("*.part")]:
            yield "something half-written is left"
        yield from self.false_list(self.backup)

    def not_exported(self) -> Iterator[str]:
        found = sums(self.exported)
        if sorted(
            one for path, one in found.items() if path.endswith(".jpg")
        ) != sorted(self.pictures):
            yield "not every picture was exported, once"
        if len([path for path in found if path.endswith(".xmp")]) != len(self.pictures):
            yield "not every picture has its sidecar"
        if [*self.exported.rglob("*.part")]:
            yield "something half-written is left"
        yield from self.false_list(self.exported)

    def not_safe(self) -> Iterator[str]:
        from gallery.certifying import why_stale
        from gallery.models import Certificate

        last = Certificate.objects.order_by("pk").last()
        if last is None or not last.is_safe or last.entries != len(self.on_drive):
            yield "the drive is not called safe"
        elif why := why_stale(last):
            yield f"the certificate is stale: {why}"

    def not_noted(self) -> Iterator[str]:
        from gallery.models import Damage, Verification

        noted = set(Damage.objects.open().values_list("photo__digest", flat=True))
        if noted != self.damaged:
            yield f"{len(noted)} of {len(self.damaged)} damages noted"
        last = Verification.objects.order_by("pk").last()
        if (
            last is None
            or last.state != "finished"
            or last.checked != len(self.pictures)
        ):
            yield "the pass is not over all originals"

    def not_mended(self) -> Iterator[str]:
        from gallery.models import Damage

        if Damage.objects.open().exists():
            yield "something is still damaged"
        if set(self.originals(self.vault).values()) != self.pictures:
            yield "an original is not whole again"

    def not_back(self) -> Iterator[str]:
        if not self.is_whole():
            yield "the vault is not one yet"
        yield from self.not_imported()
        if [*self.vault.rglob("*.part")]:
            yield "something half-written is left"

    # What happens to it

    def is_whole(self) -> bool:
        """Whether a restore has nothing more to do."""
        is_begun = (self.vault / "backup.json").exists()
        return (self.vault / "vault.json").is_file() and not is_begun

    def damage(self, count: int) -> None:
        for digest in sorted(self.pictures)[:count]:
            (file,) = (self.vault / "originals").glob(f"*/*/{digest}.jpg")
            file.chmod(0o644)
            file.write_bytes(file.read_bytes()[:-1] + b"?")
            self.damaged.add(digest)

    def destroy(self) -> None:
        from django.db import connections

        connections.close_all()
        shutil.rmtree(self.vault)
        self.vault.mkdir()
        self.damaged = set()


if __name__ == "__main__":
    main()
