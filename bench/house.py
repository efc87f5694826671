"""A throw-away vault, used through the real commands."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2
NEEDS_ATTENTION = 1  # exit status of a command that is done and lists something


class House:
    """A vault in a folder of its own, with its database in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = os.environ | {
            "IMAGEVAULT_DATA": str(folder),
            "IMAGEVAULT_DATABASE_URL": "",
            "IMAGEVAULT_BROKER_URL": "",
            "IMAGEVAULT_WORKERS": str(WORKERS),
            "IMAGEVAULT_SECRET_KEY": "for-the-bench-only",
        }
        self.run("setup_vault")

    def import_drive(self, drive: Path, label: str) -> dict[str, Any]:
        return self._answer("import_drive", str(drive), "--label", label)

    def find_duplicates(self) -> dict[str, Any]:
        return self._answer("find_duplicates", "--workers", str(WORKERS))

    def _answer(self, *command: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(
            self.run(*command, "--no-progress", "--json", "-")
        )
        return answer

    def run(self, *command: str) -> str:
        """Run a command of manage.py; return what it writes."""
        ended = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            text=True,
        )
        if ended.returncode not in (0, NEEDS_ATTENTION):
            sys.exit(f"{' '.join(command)} ended with {ended.returncode}")
        return ended.stdout

    def comparisons(self) -> dict[str, int]:
        """Return how many pairs were compared, by the road that proposed them."""
        query = "SELECT road, COUNT(*) FROM dedup_comparison GROUP BY road"
        database = sqlite3.connect(
            f"file:{self.folder / 'db.sqlite3'}?mode=ro", uri=True
        )
        try:
            return dict(database.execute(query).fetchall())
        finally:
            database.close()


def peak(pid: int) -> float:
    """The most memory a process has taken so far, in MB."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = [
        line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")
    ]
    return int(found[0]) / 1000 if found else 0
