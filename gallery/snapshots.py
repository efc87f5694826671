"""Columns on disk, so that a restart need not read and sort a million photos again.

A snapshot is as old as it is: it says of what and of when it is, and whoever reads it
compares. One that is damaged, or was made by other code, is as if it were not there.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from gallery import columns as layout
from gallery import orders, texts
from gallery.columns import BY_PHOTO, BY_SIGHTING, Columns
from gallery.texts import Index, Texts

About = dict[str, Any]


def write(path: Path, columns: Columns, about: About) -> None:
    """Write columns and what they are of, whole or not at all. Raises OSError."""
    indexes = columns.texts.indexes
    arrays: dict[str, Any] = {
        one: getattr(columns, one) for one in BY_PHOTO + BY_SIGHTING
    }
    for number, index in enumerate(indexes):
        arrays |= {
            f"letters {number}": np.frombuffer(index.letters, np.uint8),
            f"bounds {number}": index.bounds,
            f"texts {number}": index.texts,
            f"ends {number}": index.ends,
        }
    head = {
        "code": code(),
        "about": about,
        "names": columns.names,
        "counts": [len(index) for index in indexes],
    }
    arrays["head"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.touch(0o600)
        with draft.open("wb") as file:
            np.savez(file, **arrays)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read(path: Path) -> tuple[Columns, About] | None:
    """Return columns that were written, and what they are of; None without a snapshot."""
    try:
        # A zip has check sums: what the disk has damaged is noticed.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = dict(stored)
        head = json.loads(arrays["head"].tobytes())
        if head["code"] != code():
            return None
        indexes = tuple(
            Index(
                arrays[f"letters {number}"].tobytes(),
                arrays[f"bounds {number}"],
                arrays[f"texts {number}"],
                arrays[f"ends {number}"],
                count,
            )
            for number, count in enumerate(head["counts"])
        )
        names = {field: tuple(known) for field, known in head["names"].items()}
        found = {one: arrays[one] for one in BY_PHOTO + BY_SIGHTING}
        return Columns(**found, texts=Texts(indexes), names=names), head["about"]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None


@lru_cache(maxsize=1)
def code() -> str:
    """Return what stands for the code that makes columns: other code, other columns."""
    files = (str(module.__file__) for module in (layout, texts, orders))
    content = b"".join(Path(file).read_bytes() for file in (*files, __file__))
    return hashlib.sha256(content).hexdigest()
