"""A house to try things in: its own vault and database, the commands run as programs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.db import connections
from django_q.status import Stat
from django_q.tasks import async_task

from imagevault import settings
from imagevault.queue import DatabaseQueue
from tests import killers

ROOT = Path(__file__).resolve().parent.parent
POSTGRES = os.environ.get("IMAGEVAULT_DATABASE_URL", "")
# The settings of imagevault with every wait cut short.
QUICK_SETTINGS = "tests.quick_settings"


class Template:
    """A migrated database, copied for each house."""

    def __init__(self, folder: Path) -> None:
        self.name = f"imagevault_template_{os.getpid()}"
        self.vault = folder / "template"
        if POSTGRES:
            maintain(f'CREATE DATABASE "{self.name}"')
        house = House(self.vault, database=self.name)
        house.run("migrate", "--verbosity=0")

    def copy(self, folder: Path) -> House:
        house = House(folder, database=f"imagevault_{os.getpid()}_{time.time_ns()}")
        if POSTGRES:
            maintain(f'CREATE DATABASE "{house.database}" TEMPLATE "{self.name}"')
        else:
            shutil.copy(self.vault / "db.sqlite3", folder / "db.sqlite3")
        return house

    def drop(self) -> None:
        if POSTGRES:
            maintain(f'DROP DATABASE "{self.name}" WITH (FORCE)')


class House:
    """A vault of its own, and what runs in it.

    `env` is what its programs get; `run` and `start` are `manage.py` with it. Where a
    test opens the house (fixture `house`), models in the test read its database too.
    """

    def __init__(self, folder: Path, *, database: str) -> None:
        from gallery import vault

        vault.found(folder)
        self.folder = folder
        self.database = database
        self.env = os.environ | {
            "IMAGEVAULT_DATA": str(folder),
            "DJANGO_SETTINGS_MODULE": QUICK_SETTINGS,
            "PYTHONWARNINGS": "default",
        }
        if POSTGRES:
            self.env["IMAGEVAULT_DATABASE_URL"] = renamed(POSTGRES, database)
        self.started: list[subprocess.Popen[str]] = []

    def run(
        self, *arguments: object, check: bool = True, seconds: float = 120, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of manage.py to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=self.env | env,
            check=check,
            timeout=seconds,
            capture_output=True,
            text=True,
        )

    def start(self, *arguments: object, **env: str) -> subprocess.Popen[str]:
        """Start a command of manage.py; it is ended with the test.

        What it says goes to `log`.
        """
        with self.log.open("a") as log:
            process = subprocess.Popen(
                self.command(*arguments),
                cwd=ROOT,
                env=self.env | env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
            )
        self.started.append(process)
        return process

    @staticmethod
    def command(*arguments: object) -> list[str]:
        return [sys.executable, "manage.py", *map(str, arguments)]

    @property
    def log(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.log")

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def wait_for(self, condition: Callable[[], object], *, seconds: float = 40) -> None:
        """Wait until the condition holds; fail with what was said if it never does."""
        last = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < last, f"waited {seconds} s\n{self.said()}"
            time.sleep(0.05)

    def inhabitants(self) -> list[int]:
        """Processes that were started for this vault and still run."""
        mark = f"IMAGEVAULT_DATA={self.folder}".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                lives = mark in (process / "environ").read_bytes().split(b"\0")
                dead = ") Z " in (process / "stat").read_text()
            except OSError:
                continue
            if lives and not dead:
                found.append(int(process.name))
        return sorted(found)

    def empty(self) -> None:
        """End everything that still runs here."""
        for _ in range(100):
            left = self.inhabitants()
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            for process in self.started:
                process.poll()
            if not left:
                break
            time.sleep(0.05)
        for process in self.started:
            process.wait(timeout=10)

    def pull_down(self) -> None:
        self.empty()
        if POSTGRES:
            maintain(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Let the models of this process read and write the house's database."""
        before, known = connections["default"], connections.settings["default"]
        name = self.database if POSTGRES else str(self.folder / "db.sqlite3")
        own = {**settings.DATABASES["default"], **known, "NAME": name}
        connections.settings["default"] = own
        connections["default"] = connections.create_connection("default")
        try:
            yield
        finally:
            connections["default"].close()
            connections.settings["default"] = known
            connections["default"] = before


def renamed(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def maintain(statement: str) -> None:
    """Carry out what PostgreSQL does outside of the database concerned."""
    with psycopg.connect(renamed(POSTGRES, "postgres"), autocommit=True) as connection:
        connection.execute(statement)


class Cluster:
    """A cluster with two workers in a house, its queue in the database."""

    def __init__(self, house: House, **env: str) -> None:
        self.house = house
        self.env = {"IMAGEVAULT_BROKER_URL": "", **env}
        self.queue = DatabaseQueue()
        self.diary = house.folder / "diary"
        self.diary.mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        known = {status.sentinel for status in self.statuses}
        self.watchdog = self.house.start("qcluster", **self.env)
        self.house.wait_for(
            lambda: any(
                status.sentinel not in known and status.status in ("Idle", "Working")
                for status in self.statuses
            )
        )

    @property
    def statuses(self) -> list[Stat]:
        """What the guard of each cluster says of it at present."""
        return Stat.get_all(self.queue)

    @property
    def status(self) -> Stat:
        self.house.wait_for(lambda: self.statuses)
        return self.statuses[-1]

    def do(
        self, task: Callable[..., None], name: str, *values: object, **options: object
    ) -> None:
        """Queue one of tests.killers."""
        path = f"{task.__module__}.{task.__name__}"
        async_task(path, str(self.diary), name, *values, broker=self.queue, **options)

    def began(self, name: str) -> list[int]:
        """Process ids of the workers that took up a task, first one first."""
        return killers.pids(self.diary, f"{name}.began")

    def done(self, *names: str) -> bool:
        return all(killers.pids(self.diary, f"{name}.done") for name in names)

    def stop(self) -> None:
        self.watchdog.terminate()
        self.watchdog.wait(timeout=30)
