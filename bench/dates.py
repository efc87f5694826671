"""How well the dates of damaged photos are found again.

    python bench/dates.py [FOLDER] [--shots N] [--half tune|report] [--seed N] [--json FILE] [--quick]

Real photos with a camera's own date are made into the drives of a family: events with
folders as people name them, cameras that number, phones that write the time into the
name. Each gets its date anew, so that the truth is known. Then copies are damaged as life
does: sent by a messenger, stripped of their EXIF, scanned, taken with a clock that was
never set, saved by an editor, copied so that all files have the time of the copy, or
handed back by Google or Lightroom with the date in a file beside them. All are
brought in by the real import command, and what the vault believes is compared with the
truth, for the damaged photos alone:

exact    the date is stated to the minute or second, and right
within   the truth lies within what is stated; "15 July 2011 or before" counts if it was
wrong    the truth lies outside of it, by more than a day
limit    nothing but such a limit is stated; unknown: nothing at all

Thresholds were chosen on one half of the photos and events, and are reported on the other.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import re
import sqlite3
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402

from bench.house import House  # noqa: E402
from gallery import dates, metadata  # noqa: E402
from gallery.decoding import Unreadable  # noqa: E402

HOME = "Europe/Berlin"
EDGE = 320  # pixels; dates do not need more
LARGEST = 6_000_000  # bytes of a photo to begin with
FIRST, LAST = datetime(2002, 1, 1), datetime(2023, 12, 1)
DAY = timedelta(days=1)
DAMAGED = 0.45  # share of the shots
_DATE = re.compile(rb"(?:19|20)\d\d:\d\d:\d\d \d\d:\d\d:\d\d")
WORDS = ("Mallorca", "Oma", "Hochzeit", "Garten", "Ausflug", "Kino", "Zoo", "Urlaub")
MONTHS = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shot:
    """One photo as it was taken: its bytes with their true date, and its name."""

    content: bytes
    taken: datetime
    name: str


@dataclass(slots=True)
class Drives:
    """What was written, and the truth about it by digest."""

    folder: Path
    truth: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)

    def put(self, path: str, content: bytes, modified: datetime) -> str:
        place = self.folder / path
        while place.exists():
            place = place.with_stem(f"{place.stem}_")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        moment = modified.replace(tzinfo=ZoneInfo(HOME)).timestamp()
        os.utime(place, (moment, moment))
        digest = sha256(content).hexdigest()
        self.paths[digest] = path
        return digest


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER")
    parser.add_argument("--shots", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--half", choices=("tune", "report"), default="report")
    parser.add_argument(
        "--misses", action="store_true", help="List what was not within"
    )
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="End within a minute")
    options = parser.parse_args()
    shots = 300 if options.quick else options.shots
    with tempfile.TemporaryDirectory() as scratch:
        result = measure(
            options.folder,
            shots,
            options.half,
            Path(scratch),
            misses=options.misses,
            seed=options.seed,
        )
    for name, value in result.items():
        print(f"{name:10} {value}", file=sys.stderr)
    if options.json == "-":
        print(json.dumps(result))
    elif options.json:
        Path(options.json).write_text(f"{json.dumps(result, indent=1)}\n")


def measure(
    folder: Path | None,
    shots: int,
    half: str,
    scratch: Path,
    *,
    misses: bool,
    seed: int,
) -> dict[str, Any]:
    negatives = list(small_photos(folder, half=half, most=60 if shots <= 300 else 400))
    if len(negatives) < 5:
        sys.exit(
            "Too few photos with a camera's own date; name a folder that has more."
        )
    drives = Drives(scratch / "drives")
    chance = random.Random(f"dates {half} {seed}")
    made = 0
    while made < shots:
        made += make_event(drives, negatives, chance, at_most=shots - made)
    os.environ["IMAGEVAULT_TIME_ZONE"] = HOME
    house = House(scratch / "vault")
    started = time.monotonic()
    for drive in sorted(drives.folder.iterdir()):
        house.import_drive(drive, drive.name)
    seconds = time.monotonic() - started
    return {
        **scored(house, drives, misses=misses),
        "distinct_pictures": len(negatives),
        "shots": made,
        "import_s": round(seconds, 1),
        "half": half,
    }


# The photos to begin with


def small_photos(folder: Path | None, *, half: str, most: int) -> Iterator[bytes]:
    """Yield photos with a camera's own date, made small, with all they say of themselves."""
    found = 0
    for path in sorted((folder or ROOT).rglob("*.[jJ][pP]*[gG]")):
        parity = sha256(path.name.encode()).digest()[0] % 2
        if parity != (half == "report") or path.stat().st_size > LARGEST:
            continue
        if small := small_photo(path):
            yield small
            found += 1
        if found >= most:
            return


def small_photo(path: Path) -> bytes | None:
    """A photo made small, None where no camera wrote its date as EXIF has it."""
    try:
        facts = metadata.read(path)
        origins = {one.origin for one in facts.dates}
        if dates.Origin.EXIF_ORIGINAL not in origins or not facts.make:
            return None
        with Image.open(path) as image:
            exif = image.info.get("exif", b"")
            image.draft("RGB", (EDGE, EDGE))
            image.thumbnail((EDGE, EDGE))
            return jpeg(image.convert("RGB"), exif) if _DATE.search(exif) else None
    except (OSError, Unreadable, ValueError, SyntaxError):
        return None


def jpeg(image: Image.Image, exif: bytes = b"", comment: str = "") -> bytes:
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=80, exif=exif, comment=comment.encode())
    return kept.getvalue()


def dated(content: bytes, taken: datetime) -> bytes:
    """The photo with all its camera's dates set, nothing else changed."""
    return _DATE.sub(f"{taken:%Y:%m:%d %H:%M:%S}".encode(), content)


def stripped(content: bytes, number: int) -> bytes:
    """The picture without what its camera wrote; no two have the same bytes."""
    with Image.open(io.BytesIO(content)) as image:
        plain = image.convert("RGB")
    return jpeg(plain, comment=str(number))


# A family's events


def make_event(
    drives: Drives, negatives: list[bytes], chance: random.Random, *, at_most: int
) -> int:
    """Write the photos of one event, with their copies; return how many shots."""
    start = FIRST + (LAST - FIRST) * chance.random()
    days = chance.choice((1, 1, 1, 2, 4, 8))
    count = min(chance.randint(6, 30), at_most)
    taken = sorted(start + DAY * days * chance.random() for _ in range(count))
    taken = [moment.replace(microsecond=0) for moment in taken]
    if chance.random() < 0.06:
        return make_scans(drives, negatives, chance, count)
    shots = list(named(taken, negatives, chance))
    drive = chance.choice(("Old PC", "Blue WD 2009", "Laptop"))
    folder = f"{drive}/{folder_name(taken[0], chance)}"
    # Half of all copying keeps the times of files.
    keeps_times = chance.random() < 0.6
    copied = taken[-1] + DAY * chance.randint(2, 3_000)
    is_reset = chance.random() < 0.06
    for number, shot in enumerate(shots):
        moment = shot.taken if keeps_times else copied + timedelta(seconds=number // 40)
        if is_reset:
            reset(drives, folder, shot, shots[0].taken, copied, chance)
        elif chance.random() > DAMAGED:
            digest = drives.put(f"{folder}/{shot.name}", shot.content, moment)
            drives.truth[digest] = (shot.taken, "intact")
        else:
            damage(drives, folder, shot, moment, copied, chance)
    return count


def folder_name(start: datetime, chance: random.Random) -> str:
    word, year = chance.choice(WORDS), start.year
    month = MONTHS.split()[start.month - 1]
    season = ("Winter", "Frühling", "Sommer", "Herbst")[start.month % 12 // 3]
    names = [
        f"{start:%Y-%m} {word}",
        f"{start:%Y-%m-%d}",
        f"{start:%Y-%m-%d} {word}",
        f"{start:%Y/%m}",
        f"{start:%Y}/{month}",
        f"{start:%Y}/{word} {chance.randint(1, 99)}",
        f"{word} {year}",
        f"{month} {year}",
        f"{word} '{year % 100:02}",
        f"{season} {year}",
        f"DCIM/{chance.randint(100, 999)}CANON",
        f"Neuer Ordner ({chance.randint(1, 999)})",
        f"Backup {min(year + chance.randint(1, 5), 2024)}/{word} {chance.randint(1, 99)}",
    ]
    if start.month == 12 and start.day > 15:
        names.append(f"Xmas {year % 100:02}")
    return chance.choice(names)


def named(
    taken: list[datetime], negatives: list[bytes], chance: random.Random
) -> Iterator[Shot]:
    """Yield the shots of one camera or phone, as it names them."""
    number, prefix = chance.randint(1, 9_000), chance.choice(("IMG_", "DSC0", "_MG_"))
    way = chance.choice(("camera", "camera", "phone", "person"))
    word = chance.choice(WORDS)
    for at, moment in enumerate(taken):
        name = {
            "camera": f"{prefix}{number + at:04}.JPG",
            "phone": f"IMG_{moment:%Y%m%d_%H%M%S}.jpg",
            "person": f"{word} {at + 1:03}.jpg",
        }[way]
        yield Shot(dated(chance.choice(negatives), moment), moment, name)


# What life does to them

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:DateTimeOriginal="{date}"/></rdf:RDF>
</x:xmpmeta>"""


def damage(
    drives: Drives,
    folder: str,
    shot: Shot,
    moment: datetime,
    copied: datetime,
    chance: random.Random,
) -> None:
    number = len(drives.truth)
    ways = ("messenger", "stripped", "stripped", "editor", "copied", "takeout", "xmp")
    way = chance.choice(ways)
    plain = stripped(shot.content, number)
    if way == "messenger":
        lag = chance.choice((0, 0, 0, 1, 3, chance.randint(5, 1_500)))
        sent = max(shot.taken + timedelta(days=lag, minutes=5), shot.taken)
        name = f"WhatsApp Images/IMG-{sent:%Y%m%d}-WA{number % 10_000:04}.jpg"
        digest = drives.put(f"Phone/{name}", plain, sent)
    elif way == "stripped":
        # By a program that keeps the time of the file, or does not.
        later = moment + DAY * chance.random() * 900
        kept = moment if chance.random() < 0.5 else later
        digest = drives.put(f"{folder}/{shot.name}", plain, kept)
    elif way == "editor":
        saved = shot.taken + DAY * chance.randint(0, 2_000)
        content = edited(plain, saved)
        digest = drives.put(f"{folder}/{shot.name}", content, max(saved, moment))
    elif way == "takeout":
        # Abroad Google's UTC is not home's; all files have the time of the download.
        abroad = timedelta(hours=chance.choice((0, 0, 0, 0, 0, 0, 0, 0, -6, 8)))
        stamp = (shot.taken - abroad).replace(tzinfo=ZoneInfo(HOME)).timestamp()
        album = f"Phone/Takeout/Google Photos/Photos from {shot.taken.year}"
        name = f"{Path(shot.name).stem} {number}.jpg"
        note = {"title": name, "photoTakenTime": {"timestamp": str(int(stamp))}}
        digest = drives.put(f"{album}/{name}", plain, LAST)
        text = json.dumps(note).encode()
        drives.put(f"{album}/{name}.supplemental-metadata.json", text, LAST)
    elif way == "xmp":
        digest = drives.put(f"{folder}/{shot.name}", plain, copied)
        packet = XMP.format(date=shot.taken.isoformat()).encode()
        drives.put(f"{folder}/{shot.name}.xmp", packet, copied)
    else:
        digest = drives.put(f"{folder}/{shot.name}", plain, copied)
    drives.truth[digest] = (shot.taken, way)
    drives.damaged.add(digest)


def edited(content: bytes, saved: datetime) -> bytes:
    exif = Image.Exif()
    exif[0x0131] = "Adobe Photoshop CS3 Windows"
    exif[0x0132] = f"{saved:%Y:%m:%d %H:%M:%S}"
    with Image.open(io.BytesIO(content)) as image:
        comment = bytes(image.info["comment"]).decode()
        return jpeg(image.convert("RGB"), exif.tobytes(), comment)


def reset(
    drives: Drives,
    folder: str,
    shot: Shot,
    first: datetime,
    copied: datetime,
    chance: random.Random,
) -> None:
    """A clock that began anew before the event and ran on; the file has its time."""
    begin = datetime(chance.choice((1980, 2000, 2000, 2007)), 1, 1, 0, 0, 30)
    shown = begin + (shot.taken - first)
    modified = shown if chance.random() < 0.3 else copied
    digest = drives.put(f"{folder}/{shot.name}", dated(shot.content, shown), modified)
    drives.truth[digest] = (shot.taken, "reset")
    drives.damaged.add(digest)


def make_scans(
    drives: Drives, negatives: list[bytes], chance: random.Random, count: int
) -> int:
    """Prints of one summer, scanned on one day decades later."""
    first = datetime(chance.randint(1965, 1998), 6, 1)
    scanned = datetime(chance.randint(2004, 2015), 3, chance.randint(2, 28), 15)
    folder = chance.choice((f"Sommer {first.year}", f"{first.year}", "Dias", "1980er"))
    if folder == "1980er":
        first = first.replace(year=1980 + first.year % 10)
    for number in range(count):
        taken = first + DAY * 90 * chance.random()
        exif = Image.Exif()
        exif[0x010F], exif[0x0110] = "EPSON", "Perfection V600"
        at = scanned + timedelta(minutes=2 * number)
        exif[0x0132] = f"{at:%Y:%m:%d %H:%M:%S}"
        exif.get_ifd(0x8769)[0x9003] = f"{at:%Y:%m:%d %H:%M:%S}"
        exif.get_ifd(0x8769)[0x9004] = f"{at:%Y:%m:%d %H:%M:%S}"
        plain = stripped(chance.choice(negatives), len(drives.truth))
        with Image.open(io.BytesIO(plain)) as image:
            content = jpeg(image, exif.tobytes(), str(len(drives.truth)))
        name = f"Old PC/{folder}/scan{number + 1:03}.jpg"
        digest = drives.put(name, content, at)
        drives.truth[digest] = (taken, "scan")
        drives.damaged.add(digest)
    return count


# How it went


def scored(house: House, drives: Drives, *, misses: bool) -> dict[str, Any]:
    believed = read_dates(house)
    ways: dict[str, Counter[str]] = defaultdict(Counter)
    for digest in sorted(drives.damaged):
        truth, way = drives.truth[digest]
        verdict = Counter(judged(believed[digest], truth))
        ways[way].update(verdict)
        if misses and not verdict["within"]:
            print(way, drives.paths[digest], truth, believed[digest], file=sys.stderr)
    every = sum(ways.values(), Counter[str]())
    return {
        "photos": every["photos"],
        **shares(every),
        "ways": {way: {"photos": n["photos"], **shares(n)} for way, n in ways.items()},
    }


def judged(believed: dates.TakenAt, truth: datetime) -> Iterator[str]:
    yield "photos"
    if believed.taken_at is None:
        yield "unknown"
        return
    earliest, latest = dates.span(believed)
    if earliest <= truth <= latest:
        yield "within"
        if believed.precision in dates.EXACT:
            yield "exact"
    elif earliest - truth > DAY or truth - latest > DAY:
        yield "wrong"
    if believed.precision is dates.Precision.LATEST:
        yield "limit"


def shares(counts: Counter[str]) -> dict[str, float]:
    names = ("exact", "within", "wrong", "limit", "unknown")
    return {name: round(counts[name] / max(counts["photos"], 1), 4) for name in names}


def read_dates(house: House) -> dict[str, dates.TakenAt]:
    """What the vault believes, by digest."""
    database = sqlite3.connect(f"file:{house.folder / 'db.sqlite3'}?mode=ro", uri=True)
    query = "SELECT digest, taken_at, taken_offset, taken_precision, taken_from FROM gallery_photo"  # fmt: skip
    try:
        return {
            digest: dates.TakenAt(
                datetime.fromisoformat(at) if at else None,
                offset,
                dates.Precision(precision),
                dates.Origin(origin),
            )
            for digest, at, offset, precision, origin in database.execute(query)
        }
    finally:
        database.close()


if __name__ == "__main__":
    main()
