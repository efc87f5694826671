"""How long a drive of a million files takes the second time, and how much of it is kept.

The files are there, tiny, in a real tree; the rows are written by hand, as a first import
would leave them: pictures, half of them twice on the drive. Then the real commands run,
and their start-up counts. The yardstick is a bare walk of the same tree in the same run.
A tenth of the drive is done first, so that memory can be compared. See docs/scale.md.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from bench.house import House, peak  # noqa: E402

IN_A_FOLDER = 500
# In memory, where there is room, or this bench would measure a disk.
SHARED = Path("/dev/shm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true", help="20,000 files")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    files = 20_000 if options.quick else options.files
    room = SHARED if SHARED.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="imagevault-drives-", dir=room) as scratch:
        tenth = measure(Path(scratch) / "tenth", files // 10)
        result = measure(Path(scratch) / "whole", files)
    result["peak_mb_of_a_tenth"] = tenth["peak_mb"]
    text = json.dumps(result, indent=2)
    print(text)
    if options.json:
        Path(options.json).write_text(text + "\n")


def measure(scratch: Path, files: int) -> dict[str, Any]:
    drive = scratch / "drive"
    scatter(drive, files)
    house = House(scratch / "vault")
    (scratch / "first").mkdir()
    fill(house.folder / "db.sqlite3", drive, source=first_seen(house, drive))

    started = time.perf_counter()
    bare_walk(drive)
    walk = time.perf_counter() - started
    again, reimport = timed(house, "import_drive", drive, "--label", "Big")
    assert again["seen"] == files == again["outcomes"]["already_known"], again
    told, containment = timed(house, "folders", "Big")
    assert told["folders"][0]["files"] == files, told["folders"][0]
    return {
        "files": files,
        "reimport_s": round(reimport.seconds, 1),
        "containment_s": round(containment.seconds, 1),
        "peak_mb": round(max(reimport.peak_mb, containment.peak_mb)),
        "reimport": reimport.to_json(),
        "containment": containment.to_json(),
        "walk_s": round(walk, 1),
    }


def scatter(drive: Path, count: int) -> None:
    """Tiny files as a camera names them, in folders of five hundred."""
    for number in range(count):
        folder = (
            drive / "DCIM" / f"{number // 50_000:02}" / f"{number // IN_A_FOLDER:05}"
        )
        if number % IN_A_FOLDER == 0:
            folder.mkdir(parents=True)
        file = os.open(folder / f"IMG_{number:07}.JPG", os.O_WRONLY | os.O_CREAT)
        os.write(file, b"%d" % number)
        os.close(file)


def bare_walk(drive: Path) -> int:
    """What any walk has to do: list every folder, and ask of each file when it changed."""
    count, waiting = 0, [drive]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                else:
                    entry.stat(follow_symlinks=False)
                    count += 1
    return count


# The rows a first import would have left


def first_seen(house: House, drive: Path) -> int:
    """Have the drive known by its label; return its id."""
    only = drive / "DCIM" / "00" / "00000"
    report = house.import_drive(only, "Big")
    with database(house.folder / "db.sqlite3") as table:
        # As a folder of its own it was another place.
        table.execute("DELETE FROM gallery_sourcefile")
        table.execute("UPDATE gallery_source SET volume = '', mounted_at = ''")
    source: int = report["source"]["id"]
    return source


@contextlib.contextmanager
def database(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path)) as table, table:
        yield table


def fill(path: Path, drive: Path, *, source: int) -> None:
    os.environ |= {"DJANGO_SETTINGS_MODULE": "imagevault.settings"}
    import django

    django.setup()
    from gallery.models import Outcome, Photo, SourceFile

    with database(path) as table:
        (run,) = table.execute("SELECT MAX(id) FROM gallery_importrun").fetchone()
        seen = Rows(
            SourceFile(
                source_id=source,
                outcome=Outcome.IMPORTED,
                first_run_id=run,
                last_run_id=run,
            )
        )
        photos = Rows(Photo(extension="jpg", format="JPEG", width=4000, height=3000))
        every = files_of(drive)
        number = 0
        while some := list(islice(every, 20_000)):
            new = [(number + n) // 2 + 1 for n in range(len(some))][::2]
            photos.write(
                table,
                (
                    {"id": n, "digest": digest(n), "name": f"{n}.jpg", "size": 5}
                    for n in new
                ),
            )
            seen.write(
                table,
                (
                    row | {"photo_id": (number + n) // 2 + 1}
                    for n, row in enumerate(some)
                ),
            )
            number += len(some)
    with database(path) as table:
        table.execute("ANALYZE")


def digest(number: int) -> str:
    return hashlib.sha256(b"%d" % number).hexdigest()


def files_of(drive: Path) -> Iterator[dict[str, Any]]:
    from gallery import walk
    from gallery.models import path_key

    descriptor = walk.open_quietly(None, bytes(drive))
    try:
        for entry in walk.walk(descriptor):
            yield {
                "path": entry.path,
                "path_key": path_key(entry.path),
                "size": entry.size,
                "modified_ns": entry.modified_ns,
            }
    finally:
        os.close(descriptor)


class Rows:
    """Rows of a model like one that is given, written past the model."""

    def __init__(self, like: Any) -> None:
        from django.db import connection

        fields = [one for one in like._meta.concrete_fields if not one.primary_key]
        self.table = like._meta.db_table
        self.values = {
            one.column: one.get_db_prep_save(one.pre_save(like, add=True), connection)
            for one in fields
        }

    def write(self, table: sqlite3.Connection, rows: Iterator[dict[str, Any]]) -> None:
        whole = [self.values | row for row in rows]
        names = list(whole[0])
        quoted = ", ".join(f'"{name}"' for name in names)
        marks = ", ".join("?" * len(names))
        table.executemany(
            f"INSERT INTO {self.table} ({quoted}) VALUES ({marks})",
            [tuple(row[name] for name in names) for row in whole],
        )


# Running


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took; processor time is less moved by what else a machine does."""

    seconds: float
    cpu_seconds: float
    peak_mb: float

    def to_json(self) -> dict[str, float]:
        return {name: round(getattr(self, name), 1) for name in self.__slots__}


def timed(house: House, *command: object) -> tuple[dict[str, Any], Cost]:
    """Run a command; return its answer and what it took."""
    started, before = time.perf_counter(), cpu_seconds()
    process = subprocess.Popen(
        [
            sys.executable,
            "manage.py",
            *map(str, command),
            "--no-progress",
            "--json",
            "-",
        ],
        cwd=ROOT,
        env=house.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    most = [0.0]

    def watch() -> None:
        while process.poll() is None:
            most[0] = max(most[0], peak(process.pid))
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    said, _ = process.communicate()
    watcher.join()
    if process.returncode not in (0, 1):
        sys.exit(f"{command} ended with {process.returncode}")
    seconds, spent = time.perf_counter() - started, cpu_seconds() - before
    return json.loads(said), Cost(seconds, spent, most[0])


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
