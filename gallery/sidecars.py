"""Small files that programs put beside photos: whose they are, and what they say.

XMP (Lightroom, digiKam, darktable), AAE (what an iPhone changed), THM (a camera's small
picture of a film) and the JSON of Google Takeout. Nothing here raises over a broken file:
it says what can be read.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

from gallery import xmp
from gallery.dates import Evidence, Origin, Precision, from_iso

# Larger ones are something else.
LARGEST = 1 << 20  # bytes
LARGEST_THM = 1 << 16  # bytes
MAX_TEXT = 2_000


class Kind(StrEnum):
    """Which program's sidecar it is."""

    XMP = "xmp"
    AAE = "aae"
    THM = "thm"
    TAKEOUT = "takeout"


@dataclass(frozen=True, slots=True)
class Note:
    """What a sidecar says of its photo; what it does not say is empty or None.

    Position in degrees, north and east positive; rating 0 to 5, -1 for rejected.
    """

    kind: Kind
    title: str = ""
    description: str = ""
    rating: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    is_favourite: bool = False
    dates: tuple[Evidence, ...] = ()


# Which kind


def kind(name: str, content: bytes) -> Kind | None:
    """Which kind of sidecar a file is, by its name and by what is in it."""
    extension = name.rpartition(".")[2].casefold()
    test = _TESTS.get(extension)
    return test[0] if test and len(content) <= LARGEST and test[1](content) else None


def _is_xmp(content: bytes) -> bool:
    return b"ns.adobe.com" in content or b"adobe:ns:meta" in content


def _is_aae(content: bytes) -> bool:
    return b"adjustment" in content and b"plist" in content[:200]


def _is_small_jpeg(content: bytes) -> bool:
    return content.startswith(b"\xff\xd8\xff") and len(content) <= LARGEST_THM


def _is_takeout(content: bytes) -> bool:
    return bool(_TAKEOUT_KEYS & _json(content).keys())


# One is enough: albums and photos of every year of Takeout have one of these.
_TAKEOUT_KEYS = {"photoTakenTime", "photoLastModifiedTime", "googlePhotosOrigin"}
_TESTS = {
    "xmp": (Kind.XMP, _is_xmp),
    "aae": (Kind.AAE, _is_aae),
    "thm": (Kind.THM, _is_small_jpeg),
    "json": (Kind.TAKEOUT, _is_takeout),
}


def may_be(name: str) -> bool:
    """Whether a file of this name has to be looked into to tell."""
    return name.rpartition(".")[2].casefold() in _TESTS


# Whose it is


# Google cuts names so that with ".json" they have 51 characters.
TAKEOUT_NAME = 46
_COUNTED = re.compile(r"(?P<name>.*?)(?:\((?P<count>\d+)\))?", re.DOTALL)
_EDITED = re.compile(
    r"-(?:edited|bearbeitet|modifi[ée]|editad[oa]|modificat[oa]|bewerkt|redigeret|"
    r"redigerad|redigert|muokattu|edytowane|upraveno|szerkesztett|editat|d[üu]zenlendi|"
    r"измененный|изменено|編集済み|编辑过|已編輯|수정됨|edit)$"
)
_EXTRA = re.compile(r"\.[^\W\d_][\w-]*\.?|\.")
_RAW = {"crw", "cr2", "cr3", "nef", "arw", "dng", "orf", "rw2", "raf", "pef", "srw"}


def owners(names: Iterable[str], sidecars: Iterable[str]) -> dict[str, list[str]]:
    """Whose each sidecar is: the other names of its folder that it belongs to.

    A sidecar without an owner is left out; one of Takeout may speak of a photo and of
    its edited version. Capitals make no difference.
    """
    notes = list(sidecars)
    others = sorted(set(names) - set(notes))
    found: dict[str, list[str]] = defaultdict(list)
    jsons = [name for name in notes if name.casefold().endswith(".json")]
    for note, owner in _takeout_owners(others, jsons):
        found[note].append(owner)
    by_stem: dict[str, list[str]] = defaultdict(list)
    for name in others:
        by_stem[name.casefold()].append(name)
        by_stem[_stem(name)].append(name)
    for note in notes:
        if note not in jsons and (owner := _owner(note, by_stem)):
            found[note].append(owner)
    return dict(found)


def _stem(name: str) -> str:
    return (name.rpartition(".")[0] or name).casefold()


def _owner(note: str, by_stem: Mapping[str, list[str]]) -> str:
    """Whose an XMP, AAE or THM is: of "IMG.JPG.xmp" that very file, else by the stem."""
    stem = _stem(note)
    every = by_stem.get(stem) or by_stem.get(stem.replace("img_o", "img_"), [])
    if len(every) > 1 and note.casefold().endswith(".xmp"):
        # Who develops raw files keeps the note beside them, not beside the JPEG.
        raw = [one for one in every if one.rpartition(".")[2].casefold() in _RAW]
        every = raw or every
    return every[0] if every else ""


def _takeout_owners(
    others: Iterable[str], notes: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Yield each JSON with a file it speaks of; each file has one at most."""
    counted: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for note in sorted(notes):
        said, count = _counted(_stem(note))
        counted[count].append((said, note))
    for every in counted.values():
        every.sort()
    for other in others:
        name, count = _told(other)
        fits = [
            (_fit(said, name), note)
            for said, note in _near(counted.get(count, []), name)
        ]
        best = min(((fit, note) for fit, note in fits if fit), default=None)
        if best:
            yield best[1], other


def _near(notes: list[tuple[str, str]], name: str) -> Iterator[tuple[str, str]]:
    """Yield the notes, sorted, that may be this photo's: few, however many there are."""
    cuts = {name[:length] for length in range(TAKEOUT_NAME - 1, TAKEOUT_NAME + 2)}
    for start in {_stem(name), *cuts}:
        at = bisect_left(notes, (start,))
        while at < len(notes) and notes[at][0] == start:
            yield notes[at]
            at += 1
    at = bisect_left(notes, (name,))
    while at < len(notes) and notes[at][0].startswith(name):
        yield notes[at]
        at += 1


def _counted(text: str) -> tuple[str, str]:
    """Split off the count of a name that was there before: "a.jpg(1)"."""
    found = _COUNTED.fullmatch(text)
    assert found
    return found["name"], found["count"] or ""


def _told(name: str) -> tuple[str, str]:
    """The name a photo's JSON begins with, and its count: "a-edited(1).jpg" is "a.jpg"."""
    stem, dot, extension = name.casefold().rpartition(".")
    if not dot:
        stem, extension = name.casefold(), ""
    stem, count = _counted(stem)
    return _EDITED.sub("", stem) + dot + extension, count


def _fit(said: str, name: str) -> int:
    """How well a JSON's name fits a photo's: 1 is best, 0 not at all."""
    if said == name:
        return 1
    if said.startswith(name) and _EXTRA.fullmatch(said[len(name) :]):
        return (
            2  # "a.jpg.supplemental-metadata", or as much of it as there was room for
        )
    if name.startswith(said) and abs(len(said) - TAKEOUT_NAME) <= 1:
        return 3
    return 4 if said == _stem(name) else 0


def album_set(path: str) -> str:
    """The folder of a path within its Takeout, the same in every archive of the set."""
    folder = path.rpartition("/")[0]
    inside = re.split(r"(?:^|/)Takeout(?=/|$)", folder)
    return inside[-1] if len(inside) > 1 else folder


# What it says


def read(kind: Kind, content: bytes, *, zone: tzinfo) -> Note:
    """What a sidecar says; `zone` is where the family lives, for times in UTC."""
    if kind is Kind.TAKEOUT:
        return _read_takeout(_json(content), zone)
    return _read_xmp(content) if kind is Kind.XMP else Note(kind)


def _json(content: bytes) -> dict[str, object]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _read_takeout(told: Mapping[str, object], zone: tzinfo) -> Note:
    taken = _epoch(told.get("photoTakenTime"), zone)
    for name in ("geoData", "geoDataExif"):
        latitude, longitude = _position(told.get(name))
        if latitude is not None:
            break
    return Note(
        Kind.TAKEOUT,
        title=_text(told.get("title")),
        description=_text(told.get("description")),
        latitude=latitude,
        longitude=longitude,
        is_favourite=told.get("favorited") is True,
        dates=(taken,) if taken else (),
    )


def _text(value: object) -> str:
    return value.strip()[:MAX_TEXT] if isinstance(value, str) else ""


def _epoch(value: object, zone: tzinfo) -> Evidence | None:
    """The day: Google writes UTC, and where the photo was taken it does not say."""
    stamp = value.get("timestamp") if isinstance(value, dict) else None
    try:
        moment = datetime.fromtimestamp(int(str(stamp)), UTC).astimezone(zone)
    except (ValueError, OverflowError, OSError):
        return None
    return Evidence(moment.replace(tzinfo=None), Precision.DAY, Origin.TAKEOUT)


def _position(value: object) -> tuple[float | None, float | None]:
    if not isinstance(value, dict):
        return None, None
    latitude, longitude = (
        _degrees(value.get(f"{one}itude")) for one in ("lat", "long")
    )
    if latitude is None or longitude is None or abs(latitude) > 90:
        return None, None
    return (None, None) if latitude == longitude == 0 else (latitude, longitude)


def _degrees(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and -180 <= value <= 180 else None  # type: ignore[arg-type, operator]


# What dates the photo, before what dates a scan of it.
_DATES = ("exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate")


def _read_xmp(content: bytes) -> Note:
    told = xmp.properties(content)
    every = (from_iso(told.get(name, ""), origin=Origin.SIDECAR) for name in _DATES)
    found = next((one for one in every if one), None)
    rating = told.get("xmp:Rating", "")
    latitude = _xmp_degrees(told.get("exif:GPSLatitude", ""), "NS", 90)
    longitude = _xmp_degrees(told.get("exif:GPSLongitude", ""), "EW", 180)
    has_both = latitude is not None and longitude is not None
    return Note(
        Kind.XMP,
        title=told.get("dc:title", ""),
        description=told.get("dc:description", ""),
        rating=int(rating) if re.fullmatch(r"-1|[0-5]", rating) else None,
        latitude=latitude if has_both else None,
        longitude=longitude if has_both else None,
        dates=(found,) if found else (),
    )


def _xmp_degrees(text: str, signs: str, most: int) -> float | None:
    """Degrees of "47,22.5N" or "47,22,30N"."""
    found = re.fullmatch(
        rf"(\d+),(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?([{signs}])", text
    )
    if not found:
        return None
    degrees, minutes, seconds = (float(part or 0) for part in found.groups()[:3])
    value = degrees + minutes / 60 + seconds / 3600
    if value > most:
        return None
    return round(-value if found[4] == signs[1] else value, 7)
