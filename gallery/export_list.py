"""The list of an export's own files: SHA256SUMS in its folder.

A line is there before its file is: what no line speaks of belongs to somebody else.
"""

from __future__ import annotations

import os
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from gallery import originals, sums
from gallery.originals import CannotRead

NAME = sums.NAME
PART = "imagevault-export.part"
SIDECAR = ".xmp"


class Own:
    """The files of this and earlier exports, as SHA256SUMS lists them; on disk, not in
    memory. A path may have several digests until all is done."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.table = sqlite3.connect("", isolation_level=None)
        self.table.execute("PRAGMA journal_mode=OFF")
        self.table.execute(
            "CREATE TABLE line (path TEXT, key TEXT, digest TEXT, is_sure INT, "
            "PRIMARY KEY (path, digest)) WITHOUT ROWID"
        )
        self.table.execute("CREATE INDEX by_digest ON line (digest)")
        self.table.execute("CREATE INDEX by_key ON line (key)")

    def close(self) -> None:
        self.table.close()

    def read(self) -> None:
        try:
            with (self.target / NAME).open(encoding="utf-8") as file:
                for line in file:
                    digest, _two, path = line.partition("  ")
                    # A power cut may have left half a line.
                    if path.endswith("\n"):
                        self.note(path[:-1], digest, is_sure=False)
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            raise CannotRead(f"{self.target / NAME}: {error}") from error

    def note(self, path: str, digest: str, *, is_sure: bool) -> None:
        self.table.execute(
            "INSERT OR REPLACE INTO line VALUES (?, ?, ?, ?)",
            [path, key_of(path), digest, is_sure],
        )

    def settle(self, path: str, digest: str) -> None:
        """This is what lies there now, and nothing else."""
        self.forget(path)
        self.note(path, digest, is_sure=True)

    def forget(self, path: str) -> None:
        self.table.execute("DELETE FROM line WHERE path = ?", [path])

    def knows(self, path: str) -> bool:
        sql = "SELECT 1 FROM line WHERE path = ?"
        return bool(self.table.execute(sql, [path]).fetchone())

    def has(self, path: str, digest: str) -> bool:
        sql = "SELECT 1 FROM line WHERE path = ? AND digest = ?"
        return bool(self.table.execute(sql, [path, digest]).fetchone())

    def paths(self, digest: str) -> list[str]:
        sql = "SELECT path FROM line WHERE digest = ? ORDER BY path"
        return [path for (path,) in self.table.execute(sql, [digest])]

    def is_free(self, path: str, digest: str) -> bool:
        """Whether no other picture of an export is called so, not even in capitals."""
        sql = "SELECT 1 FROM line WHERE key = ? AND digest <> ?"
        return not self.table.execute(sql, [key_of(path), digest]).fetchone()

    def not_seen(self) -> Iterator[tuple[str, str]]:
        """Pictures of earlier exports that this one did not come by: path, digest."""
        sql = "SELECT path, digest FROM line WHERE NOT is_sure AND path NOT LIKE ?"
        yield from self.table.execute(f"{sql} ORDER BY path", [f"%{SIDECAR}"])

    def append(self, lines: Iterable[tuple[str, str]]) -> None:
        """List files that are about to be written; on the disk when this returns."""
        sums.append(self.target, (_line(*one) for one in lines))

    def write(self) -> None:
        """List what is there, and that alone."""
        rows = self.table.execute("SELECT path, digest FROM line ORDER BY path")
        write(self.target, NAME, (_line(*row) for row in rows))


def key_of(path: str) -> str:
    """The same for two names that some system cannot tell apart."""
    return unicodedata.normalize("NFC", path).casefold()


def _line(path: str, digest: str) -> bytes:
    return f"{digest}  {path}\n".encode()


def write(target: Path, path: str, content: bytes | Iterable[bytes]) -> None:
    """Write a file, whole or not at all, over what may be there."""
    part = target / PART
    with part.open("wb") as file:
        file.writelines([content] if isinstance(content, bytes) else content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target / path)
    originals.sync((target / path).parent)
