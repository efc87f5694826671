"""The vault on disk: which folder holds what, and the marker that says it is one.

vault.json                          the marker: id and format version
originals/ab/cd/<digest>.<ext>      immutable
renditions/...                      can be made again at any time
incoming/                           half-written files, cleared away after the dead
uploads/                            files that arrive in pieces, for days if need be
SHA256SUMS, sources.json, ledger/, originals/ab/cd/photos.json
                                    what is known of them; see gallery/records.py
"""

import json
import os
import uuid
from pathlib import Path

MARKER = "vault.json"
FORMAT = 1
FOLDERS = ("originals", "renditions", "incoming", "uploads", "cache")
# Beside the originals: what is known of them.
RECORDS = {"photos.json"}


class NoVault(Exception):
    """The folder holds no vault, or one that cannot be written."""


def found(folder: Path) -> bool:
    """Make the folder a vault; return false if it is one already.

    Raise NoVault where files lie in it that an empty vault would not have: then it is
    some other folder, or a vault whose marker was lost.
    """
    marker = folder / MARKER
    if marker.is_file():
        return False
    if any((folder / "originals").glob("*/*/*")):
        raise NoVault(
            f"{folder} holds originals but no {MARKER}. Bring the marker back from a "
            f"backup before anything writes here."
        )
    try:
        # Nothing is public, not to other accounts of the machine either.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in FOLDERS:
            (folder / name).mkdir(exist_ok=True)
        draft = marker.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps({"id": str(uuid.uuid4()), "format": FORMAT}) + "\n")
        draft.rename(marker)
    except OSError as error:
        raise NoVault(f"{folder} cannot be written: {error.strerror}.") from error
    return True


def require(folder: Path) -> None:
    """Return if the folder is a vault that can be written; raise NoVault if not.

    Every writer asks first: without the marker the disk that holds the vault may just
    not be mounted, and what is written then would vanish under it.
    """
    try:
        marker = json.loads((folder / MARKER).read_text())
    except (OSError, ValueError) as error:
        raise NoVault(
            f"{folder} is not a vault: its {MARKER} is missing or damaged. Is the disk "
            f"that holds the vault mounted? A new vault is made by `make setup`."
        ) from error
    if not isinstance(marker, dict) or marker.get("format") != FORMAT:
        raise NoVault(
            f"{folder} has a format this version does not know. Update imagevault."
        )
    for name in FOLDERS:
        (folder / name).mkdir(exist_ok=True)
        if not os.access(folder / name, os.W_OK):
            raise NoVault(f"{folder / name} cannot be written.")


def identity(folder: Path) -> str:
    """Return the vault's id, nothing where the folder holds no vault."""
    try:
        return str(json.loads((folder / MARKER).read_text())["id"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def overlaps(folder: Path, other: Path) -> bool:
    """Whether one of two folders lies in the other."""
    one, two = folder.resolve(), other.resolve()
    return one.is_relative_to(two) or two.is_relative_to(one)


def original(folder: Path, digest: str, extension: str) -> Path:
    """Return where the original with this digest lies."""
    return shelf(folder / "originals", digest) / f"{digest}.{extension}"


def find_original(folder: Path, digest: str) -> Path | None:
    """Return where an original with this digest lies, whatever kind of picture it is."""
    return next(shelf(folder / "originals", digest).glob(f"{digest}.*"), None)


def upload(folder: Path, id: str) -> Path:
    """Return where what has arrived of a transfer lies."""
    return folder / "uploads" / id


def rendition(folder: Path, digest: str, *, name: str, recipe: int) -> Path:
    """Return where this rendition of a photo lies; a new recipe is a new place."""
    extension = "webp" if name == "small" else "jpg"
    place = shelf(folder / "renditions" / f"{name}-{recipe}", digest)
    return place / f"{digest}.{extension}"


def shelf(root: Path, digest: str) -> Path:
    return root / digest[:2] / digest[2:4]
