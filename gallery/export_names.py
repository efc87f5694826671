"""What an exported picture is called: by its date, in names every system can write."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from pathlib import PurePosixPath

from gallery import formats, walk, zips
from gallery.dates import Precision

UNDATED, OTHERS = "undated", "other files"
LONGEST_PATH = 150  # characters; some systems take no more than 260 in all
KNOWN_EXTENSIONS = {one.extension for one in formats.FORMATS} | {
    *("jpeg", "jpe", "jfif", "tiff", "hif", "thm"),
}


def place(
    name: str, extension: str, *, taken_at: datetime | None, precision: str
) -> PurePosixPath:
    """Where a picture belongs: a folder by its date, and its name with the date before."""
    folder, stamp = _dated(taken_at, precision)
    name = _with_extension(name, extension)
    if not name.startswith(stamp):
        name = f"{stamp} {name}"
    return PurePosixPath(folder) / zips.safe(name)


def other_place(drive: str, path: str, *, name: str) -> PurePosixPath:
    """Where a file belongs that is no photo: as it lay on its drive."""
    steps = [drive, *path.replace("!/", "/").split("/")] if path else [name]
    if len(path) > LONGEST_PATH:
        steps = [drive, name]
    return PurePosixPath(OTHERS, *(zips.safe(_legible(step)) for step in steps))


def _with_extension(name: str, extension: str) -> str:
    name = unicodedata.normalize("NFC", _legible(name)).strip(". ")
    known = name.rpartition(".")[2].lower() in KNOWN_EXTENSIONS
    return name if known else f"{name}.{extension}"


def _legible(name: str) -> str:
    """A name whose bytes are no UTF-8, as most old computers meant it."""
    try:
        return walk.raw(name).decode(
            "cp1252" if walk.MARK in name else "utf-8", "replace"
        )
    except ValueError:
        return name


def _dated(taken_at: datetime | None, precision: str) -> tuple[str, str]:
    """The folder for a date, and what its files' names begin with."""
    if taken_at is None:
        return UNDATED, ""
    year, month = f"{taken_at:%Y}".zfill(4), f"{taken_at:%m}"
    in_month, day = f"{year}/{year}-{month}", f"{year}-{month}-{taken_at:%d}"
    match precision:
        case Precision.SECOND:
            return in_month, f"{day} {taken_at:%H.%M.%S}"
        case Precision.MINUTE:
            return in_month, f"{day} {taken_at:%H.%M}"
        case Precision.DAY:
            return in_month, day
        case Precision.MONTH:
            return in_month, f"{year}-{month}"
        case Precision.SEASON | Precision.YEAR:
            return year, year
        case Precision.DECADE:
            decade = f"{year[:3]}0-{year[:3]}9"
            return decade, decade
    return UNDATED, ""


def numbered(wanted: PurePosixPath, number: int) -> str:
    if number == 1:
        return str(wanted)
    return str(wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}"))


def is_called(path: str, wanted: PurePosixPath) -> bool:
    """Whether a file has this name already, or this name and a number."""
    if path == str(wanted):
        return True
    here = PurePosixPath(path)
    stem, _space, number = here.stem.rpartition(" (")
    if not (number.endswith(")") and number[:-1].isdigit()):
        return False
    return here.with_name(f"{stem}{here.suffix}") == wanted
