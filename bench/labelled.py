"""A drive as a family has it, of real photos and copies of them, and the truth about it.

Originals, their copies and other pictures lie in folders and under names that such
drives have; the truth is kept beside, as a list of `File`.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
from PIL import Image

from bench.copies import KINDS, Kind, Original
from bench.copies.original import formats_ready
from bench.copies.saving import with_exif
from bench.copies.wild import WILD

TUNE, REPORT = 0, 1
HALVES = {"tune": TUNE, "report": REPORT}
EDGE = 2000  # pixels an original is reduced to before it is copied
ENDINGS = {".jpg", ".jpeg", ".heic", ".heif", ".png", ".tif", ".tiff", ".webp", ".jxl"}
# The shared photos hold many files made to be hard to read; those are for other tests.
WANTED = (
    "distinct", "fullres", "reduced", "series", "hard-negative", "same-subject",
    "duplicate-pair", "live-photo-pair",
)  # fmt: skip
# The same picture under two names, found by looking at what was called false.
ALSO_SAME = (
    (
        "Kodak CLAS Digital Film Scanner HR200 (1).jpg",
        "Kodak CLAS Digital Film Scanner HR200 (2).jpg",
    ),
    ("Issue 600 (1).jpg", "Issue 600 (2).jpg"),
    ("anas-laysanensis.jpg", "anas-wyvilliana.jpg"),
    ("dacelo-leachii.jpg", "dacelo-novaeguineae.jpg"),
    ("empidonax-minimus.jpg", "empidonax-traillii.jpg"),
    ("ixobrychus-exilis.jpg", "ixobrychus-minutus.jpg"),
    ("vanellus-indicus.jpg", "vanellus-senegallus.jpg"),
    ("larus-glaucescens.jpg", "larus-hyperboreus.jpg"),
    ("IMG_2927.HEIC", "exif-at-eof.heic"),
)


@dataclass(frozen=True)
class File:
    """One file on the drive, and the truth about it.

    `path` relative to the drive. `as_good`: nothing tells it from its original but bytes
    that carry nothing, so that it may be kept as well.
    """

    path: str
    picture: str  # what it shows; copies share it
    kind: str = "original"
    half: int = 0
    right: frozenset[str] = frozenset()
    frame: bool = True
    series: str = ""
    as_good: bool = False
    extra: bool = False


@dataclass(frozen=True)
class Plan:
    """What to build: how many originals of which half, and 1 of `share` kinds of each.

    `wild`: kinds that nobody promised, in place of the promised ones.
    """

    originals: int
    share: int
    half: int | None = REPORT
    others: int | None = None
    wild: bool = False


# What the folder holds


def half(picture: str, known: dict[str, int]) -> int:
    """Return the half a picture belongs to, by its name alone: it never changes."""
    return known.get(picture, hashlib.sha256(picture.encode()).digest()[0] % 2)


def known_halves() -> dict[str, int]:
    """Return the halves of the pictures that the first rules were made with."""
    lines = Path(__file__).with_name("halves.tsv").read_text().splitlines()[1:]
    return {
        picture: HALVES[name] for name, picture in (one.split("\t") for one in lines)
    }


def pictures(folder: Path) -> list[str]:
    """Return the pictures to use, relative to the folder."""
    index = folder / "INDEX.tsv"
    if index.exists():
        rows = (line.split("\t") for line in index.read_text().splitlines()[1:])
        paths = [Path(row[0]) for row in rows if row[1].startswith(WANTED)]
    else:
        paths = [p.relative_to(folder) for p in folder.rglob("*") if p.is_file()]
    return sorted(str(one) for one in paths if one.suffix.lower() in ENDINGS)


def series(folder: Path) -> dict[str, str]:
    """Return the series of each file of SERIES.tsv: shots of one thing."""
    return {row[1]: row[0] for row in _table(folder / "SERIES.tsv")}


def same(folder: Path, paths: Iterable[str]) -> dict[str, str]:
    """Return a common name for files that show one picture: by SAME.tsv, or equal bytes."""
    named = {
        str(path.relative_to(folder)): pair[0]
        for pair in ALSO_SAME
        for name in pair
        for path in folder.rglob(name)
    }
    for one, two, *_ in _table(folder / "SAME.tsv"):
        named[one] = named[two] = named.get(one, named.get(two, one))
    first: dict[bytes, str] = {}
    for path in paths:
        digest = hashlib.sha256((folder / path).read_bytes()).digest()
        if digest in first:
            named[path] = named.setdefault(first[digest], first[digest])
        first.setdefault(digest, path)
    return named


def _table(path: Path) -> Iterator[list[str]]:
    if path.exists():
        for line in path.read_text().splitlines()[1:]:
            yield line.split("\t")


def chosen(folder: Path, paths: list[str], taken: set[str], plan: Plan) -> list[str]:
    """Return pictures to copy: large ones and small ones by turns, `taken` left out."""
    formats_ready()
    known = known_halves()
    free = [path for path in paths if path not in taken]
    if plan.half is not None:
        free = [path for path in free if half(path, known) == plan.half]
    free.sort(key=lambda path: hashlib.sha256(path.encode()).digest())
    sizes = {path: size for path in free if (size := _size(folder / path))}
    large = [path for path in sizes if sizes[path] >= 600]
    small = [path for path in sizes if sizes[path] < 600]
    # Two large ones for each small one, as long as there are any.
    order = zip_longest(large[::2], large[1::2], small)
    spread = (path for row in order for path in row if path)
    found: list[str] = []
    for path in spread:
        if len(found) < plan.originals and not _is_blank(folder / path):
            found.append(path)
    return found


def _size(path: Path) -> int:
    """Return the short side in pixels; 0 for what is of no use as an original."""
    try:
        with Image.open(path) as image:
            fits = image.mode in {"RGB", "L"} and min(image.size) >= 280
            return min(image.size) if fits else 0
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 0


def _is_blank(path: Path) -> bool:
    """Return whether there is nothing in it to know a copy by."""
    with Image.open(path) as image:
        image.draft("L", (256, 256))
        return float(np.asarray(image.convert("L")).std()) < 8


# Building


def build(folder: Path, into: Path, plan: Plan) -> list[File]:
    """Write a drive of pictures of the folder and copies of some; return the truth."""
    paths = pictures(folder)
    shots, named = series(folder), same(folder, paths)
    copied = chosen(folder, paths, {*shots, *named}, plan)
    known = known_halves()
    tasks = [
        (str(folder / path), path, str(into), number, half(path, known), plan)
        for number, path in enumerate(copied)
    ]
    files: list[File] = []
    with ProcessPoolExecutor(2) as pool:
        for made in pool.map(write_copies, *zip(*tasks, strict=True)):
            files += made
    others = [path for path in paths if path not in set(copied)]
    if plan.others is not None:
        others = random.Random(5).sample(others, min(plan.others, len(others)))
    for path in others:
        place = f"Pictures/{path}"
        _put(folder / path, into / place)
        picture = named.get(path, path)
        files.append(File(place, picture, "other", series=shots.get(path, "")))
    return files


def _put(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def build_series(folder: Path, into: Path) -> list[File]:
    """Write every series of the folder with all metadata, and so all times, taken away."""
    files = []
    for number, (path, name) in enumerate(sorted(series(folder).items())):
        place = f"Shots/{number:04}.jpg"
        data = (folder / path).read_bytes()
        (into / place).parent.mkdir(parents=True, exist_ok=True)
        if data[:2] == b"\xff\xd8":
            (into / place).write_bytes(with_exif(data, b""))
            files.append(File(place, path, "other", series=name))
    return files


def write_copies(
    source: str, picture: str, into: str, number: int, half: int, plan: Plan
) -> list[File]:
    """Write an original and its part of the kinds of copy; return the truth.

    All originals together get all kinds.
    """
    original = Original.read(Path(source), edge=EDGE)
    ending = ".HEIC" if original.format == "HEIF" else f".{original.format}"
    stem = _stem(number)
    place = f"DCIM/{100 + number // 20}MEDIA/{stem}{ending.replace('JPEG', 'JPG')}"
    files = [File(place, picture, half=half)]
    _write(Path(into) / place, original.data, f"{picture}|original")
    kinds = WILD if plan.wild else KINDS
    for at, kind in list(enumerate(kinds))[number % plan.share :: plan.share]:
        chance = random.Random(f"{picture}|{kind.name}")
        saved = kind.write(original, chance)
        if saved is None:
            continue
        data, ending = saved
        place = _home(kind, stem, number * len(kinds) + at, chance) + ending
        _write(Path(into) / place, data, f"{picture}|{kind.name}")
        files.append(_truth(kind, original, replace(files[0], path=place)))
    return files


def _truth(kind: Kind, original: Original, file: File) -> File:
    # Which of two ways is up cannot be measured; and where there were no metadata,
    # taking them out or adding some makes it no worse.
    always = kind.name in {"byte copy", "turned by EXIF"}
    moot = kind.name in {"metadata stripped", "metadata changed"}
    return replace(
        file,
        kind=kind.name,
        right=kind.answers(original),
        frame=kind.frame,
        extra=kind.extra,
        as_good=always or (moot and not original.metadata),
    )


def _write(path: Path, data: bytes, name: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    moment = random.Random(name).uniform(1.2e9, 1.7e9)
    os.utime(path, (moment, moment))


def _stem(number: int) -> str:
    """Return a name as cameras give them."""
    makers = ("IMG_{:04}", "DSC{:05}", "DSCN{:04}", "P101{:04}", "PICT{:04}")
    return makers[number % len(makers)].format(1000 + 7 * number)


def _home(kind: Kind, stem: str, serial: int, chance: random.Random) -> str:
    """Return folder and name a family would have such a copy under."""
    of_the_name = {
        "backup": f"Backup of laptop/Photos/{stem} ({serial})",
        "mail": f"Mail/{stem}_small_{serial}",
        "edited": f"Edited/{stem}-edited-{serial}",
    }
    of_its_own = {
        "backup": f"Old disk/recovered/f{serial:07}",
        "mail": f"Mail/attachments/image{serial:05}",
        "edited": f"Desktop/Untitled-{serial}",
        "phone": f"WhatsApp Images/IMG-20140612-WA{serial:05}",
        "scan": f"Scans/scan{serial:05}",
        "screen": f"Screenshots/Screenshot_20150304-{serial:06}",
    }
    if kind.home in of_the_name and chance.random() < 0.25:
        return of_the_name[kind.home]
    return of_its_own[kind.home]
