"""How quickly the gallery's pages come from a catalogue of a million photos.

    python bench/gallery.py [--photos N] [--database URL] [--json FILE] [--quick]

Fills a throw-away vault with rows as a family's drives would give them (no pictures),
and asks for every page as a browser does, through all of Django but the network. The
first request of each page is not counted. `--database postgres://user@host/NAME` makes
the database NAME and drops it again; without it, it is SQLite.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.pages import answer, lines, timed  # noqa: E402

AT_ONCE = 5_000  # rows written together
REQUESTS = 20  # of each page, each with other parameters
CAMERAS = [
    (make, f"{make} {number}")
    for make in ("Canon", "NIKON", "SONY", "Apple", "samsung", "OLYMPUS")
    for number in (1, 20, 300, 4000, 5, 60, 7000)
]
SHAPES = [(4032, 3024), (3024, 4032), (3264, 2448), (1600, 1200), (6000, 4000)]
FORMATS = ["JPEG"] * 17 + ["HEIF", "PNG", "TIFF"]
PLACES = ["Mallorca", "Garten", "Weihnachten", "Schulfest", "Oma", "Ostsee", "DCIM"]
DRIVES = 12
ALBUMS = 50

Pages = dict[str, Callable[[random.Random], str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=int, default=1_000_000)
    parser.add_argument("--database", metavar="URL", default="")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="End within a minute")
    options = parser.parse_args()
    photos = 20_000 if options.quick else options.photos
    with tempfile.TemporaryDirectory(prefix="imagevault-bench-") as scratch:
        result = measure(Path(scratch), options.database, photos=photos)
    print(table(result))
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=2) + "\n")


def measure(vault: Path, database: str, *, photos: int) -> dict[str, Any]:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "imagevault.settings",
        "IMAGEVAULT_DATA": str(vault),
        "IMAGEVAULT_SECRET_KEY": "for-the-bench-only",
        "IMAGEVAULT_DATABASE_URL": database,
        "IMAGEVAULT_DEBUG": "no",
    }
    create(database)
    try:
        return _measure(photos)
    finally:
        from django.db import connection

        connection.close()
        drop(database)


def _measure(photos: int) -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("setup_vault", verbosity=0, stdout=io.StringIO())
    call_command("collectstatic", interactive=False, verbosity=0)
    started = time.perf_counter()
    fill(photos)
    furnish(photos)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    filled = time.perf_counter() - started
    client = signed_in()
    return {
        "photos": photos,
        "database": connection.vendor,
        "fill_s": round(filled, 1),
        **begun(client),
        "pages": {name: measured(client, page) for name, page in pages(photos).items()},
    }


def begun(client: Any) -> dict[str, Any]:
    """Return how soon a server that has just started shows photos, and then all it can.

    Its first page comes while it still reads all of them.
    """
    from gallery import catalogue

    catalogue._kept = None
    catalogue.snapshot().unlink(missing_ok=True)
    started = time.perf_counter()
    answer(client, "/")
    first = time.perf_counter() - started
    catalogue.current()
    return {
        "first_page_s": round(first, 2),
        "all_read_s": round(time.perf_counter() - started, 1),
    }


# The database


def create(database: str) -> None:
    if database:
        _administer(database, "CREATE DATABASE")


def drop(database: str) -> None:
    if database:
        _administer(database, "DROP DATABASE")


def _administer(database: str, statement: str) -> None:
    import psycopg
    from psycopg import sql

    parts = urlsplit(database)
    server = parts._replace(path="/postgres").geturl()
    name = sql.Identifier(parts.path.strip("/"))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(statement + " {}").format(name))


# The catalogue


def fill(count: int) -> None:
    from django.db import transaction

    from gallery.models import ImportRun, Photo, Source, SourceFile, Thumbnail

    sources = [Source.objects.create(label=f"Drive {n}") for n in range(DRIVES)]
    runs = [ImportRun.objects.create(source=source) for source in sources]
    chance = random.Random(1)
    numbers = iter(range(count))
    while some := list(islice(numbers, AT_ONCE)):
        with transaction.atomic():
            photos = Photo.objects.bulk_create([photo(n, chance) for n in some])
            Thumbnail.objects.bulk_create(
                [
                    Thumbnail(photo=one, recipe=Thumbnail.RECIPE, width=512, height=384)
                    for one in photos
                ]
            )
            SourceFile.objects.bulk_create(
                [
                    sighting
                    for one in photos
                    for sighting in sightings(one, sources, runs, chance)
                ]
            )


def furnish(count: int) -> None:
    """Put some photos into the trash and into albums, and share one by a link."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from gallery.models import Album, Photo, ShareLink

    somebody = User.objects.create_superuser("somebody")
    keys = Photo.objects.order_by("pk").values_list("pk", flat=True)
    gone = list(keys[: count // 200])
    keeper = keys[count // 200]
    for at in range(0, len(gone), AT_ONCE):
        Photo.objects.filter(pk__in=gone[at : at + AT_ONCE]).update(
            trashed_at=timezone.now(), in_favour_of=keeper
        )
    chance = random.Random(3)
    every = range(keeper, keeper + count - len(gone))
    for number in range(ALBUMS):
        album = Album.objects.create(title=f"Album {number}", made_by=somebody)
        album.add(chance.sample(every, min(2_000, len(every))), by=somebody)
    ShareLink.objects.create(album=album, made_by=somebody, offers_copies=True)


def photo(number: int, chance: random.Random) -> Any:
    """One photo of a family: most of recent years, many of a few days, some undated."""
    from gallery.models import Origin, Photo, Precision

    make, model = chance.choice(CAMERAS) if chance.random() < 0.8 else ("", "")
    width, height = chance.choice(SHAPES)
    taken_at = None
    if chance.random() < 0.96:
        day = int(9_500 * chance.random() ** 0.5)
        # Two of three were taken on one day in ten.
        day -= day % 10 if chance.random() < 0.67 else 0
        taken_at = datetime(2000, 1, 1) + timedelta(
            days=day, seconds=chance.randrange(86_400)
        )
    if taken_at and taken_at.year == 2003:
        make, model = OLD_CAMERA
    return Photo(
        digest=hashlib.sha256(str(number).encode()).hexdigest(),
        extension="jpg",
        size=int(1e5 + 9e6 * chance.random() ** 2),
        name=f"{chance.choice(('IMG', 'DSC', 'P'))}_{number % 10_000:04}.JPG",
        format=chance.choice(FORMATS),
        width=width,
        height=height,
        camera_make=make,
        camera_model=model,
        taken_at=taken_at,
        taken_precision=Precision.SECOND if taken_at else Precision.UNKNOWN,
        taken_from=Origin.EXIF_ORIGINAL if taken_at else Origin.NONE,
    )


def sightings(
    one: Any, sources: list[Any], runs: list[Any], chance: random.Random
) -> Iterator[Any]:
    """Where a photo was seen: once or twice, in folders of some hundred photos."""
    from gallery.models import Outcome, SourceFile
    from gallery.models.sources import path_key

    year = one.taken_at.year if one.taken_at else 1999
    for _ in range(1 if chance.random() < 0.7 else 2):
        place = chance.randrange(DRIVES)
        folder = f"{chance.choice(PLACES)} {year}/{one.pk // 400}"
        path = f"{folder}/{one.pk}-{chance.randrange(10**6)}-{one.name}"
        yield SourceFile(
            source=sources[place],
            path=path,
            path_key=path_key(path),
            size=one.size,
            outcome=Outcome.IMPORTED,
            photo=one,
            first_run=runs[place],
            last_run=runs[place],
        )


# The pages


def signed_in() -> Any:
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    from gallery.models import Favourite, Photo

    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    user = User.objects.create_superuser("bench")
    Favourite.objects.bulk_create(
        Favourite(user=user, photo=photo)
        for photo in Photo.objects.order_by("pk")[:500]
    )
    client.force_login(user)
    return client


def pages(count: int) -> Pages:
    """Return the addresses to ask for: every order at both ends and in the middle, and
    filters that are rare, common, and at odds with the order.
    """
    from gallery.forms import ORDERS

    found: Pages = {}
    live = count // 200 + 1  # those before are in the trash
    for name, (_, order) in ORDERS.items():
        found[f"{name} first"] = lambda _, name=name: f"/?sort={name}"
        found[f"{name} middle"] = lambda chance, name=name, order=order: (
            f"/?sort={name}&after={cursor(chance.randint(live, count), order)}"
        )
        found[f"{name} last"] = lambda _, name=name, order=order: (
            f"/?sort={name}&after={cursor(last(order), order)}"
        )
        for days in (30, 365):
            found[f"{name} in {days} days"] = lambda chance, name=name, days=days: (
                f"/?sort={name}&{between(chance, days)}"
            )
        for label, query in FILTERS.items():
            found[f"{name} {label}"] = lambda _, name=name, query=query: (
                f"/?sort={name}&{query}"
            )
    found["jump"] = lambda chance: (
        f"/?at={chance.randint(2000, 2025)}-{chance.randint(1, 12):02}"
    )
    found["timeline"] = lambda _: "/timeline/"
    found["timeline filtered"] = lambda _: f"/timeline/?{FILTERS['camera and format']}"
    found["photo"] = lambda chance: f"/photo/{chance.randint(1, count)}/"
    found["photo by size"] = lambda chance: (
        f"/photo/{chance.randint(1, count)}/?sort=-size"
    )
    found["trash"] = lambda _: "/trash/"
    found["trash, outlook"] = lambda _: "/trash/outlook/"
    found["albums"] = lambda _: "/albums/"
    found["album"] = lambda chance: f"/?album={chance.randint(1, ALBUMS)}"
    found["album by hand"] = lambda chance: (
        f"/?album={chance.randint(1, ALBUMS)}&sort=hand"
    )
    found["around"] = lambda chance: (
        f"/photo/{chance.randint(count // 2, count)}/around/"
    )
    found["drives"] = lambda _: "/drives/"
    found["drive"] = lambda chance: f"/drives/{chance.randint(1, DRIVES)}/"
    found["drive, folder"] = lambda chance: (
        f"/drives/{chance.randint(1, DRIVES)}/folder/?path=Mallorca+2015"
    )
    found |= shared()
    return found


def shared() -> Pages:
    """What a guest of a link looks at."""
    from gallery import albums, catalogue
    from gallery.models import ShareLink

    link = ShareLink.objects.get()
    root = link.get_absolute_url()
    inside = albums.contents(link.album, catalogue.current()).pks.tolist()
    return {
        "shared album": lambda _: root,
        "shared photo": lambda chance: f"{root}photo/{chance.choice(inside)}/",
        "shared around": lambda chance: f"{root}photo/{chance.choice(inside)}/around/",
    }


# A camera that was used in one summer only, of which there are as many as the rest have.
OLD_CAMERA = "Agfa", "Agfa ePhoto"
FILTERS = {
    "camera of 2003": "camera=Agfa+ePhoto",
    "camera": "camera=Canon+300",
    "camera and format": "camera=Canon+300&format=JPEG&least=2&most=8",
    "year, drive, quality": "year=2015&source=3&quality=exact",
    "starred": "starred=1",
    "word, many": "q=mallorca",
    "word, all": "q=img",
    "words": "q=mallorca+2004",
    "word, none": "q=nothing",
    "word, one": "q=4711",
}


def cursor(pk: int, order: Any) -> str:
    from gallery.models import Photo
    from gallery.paging import write

    return write(Photo.objects.get(pk=pk), every(), order)


def every() -> Any:
    from gallery import catalogue
    from gallery.columns import Selection
    from gallery.models import Photo

    columns = catalogue.current()
    return catalogue.Selected(Selection.all(columns), Photo.objects.live())


def last(order: Any) -> int:
    """Return the photo one page before the end of an order."""
    return int(every().beside(order, None, size=80, backwards=True)[-1])


def between(chance: random.Random, days: int) -> str:
    first = datetime(2000, 1, 1) + timedelta(days=chance.randrange(9_000))
    until = first + timedelta(days=days)
    return f"since={first:%Y-%m-%d}&until={until:%Y-%m-%d}"


def measured(client: Any, page: Callable[[random.Random], str]) -> dict[str, float]:
    chance = random.Random(2)
    return timed(client, [page(chance) for _ in range(REQUESTS)])


def table(result: dict[str, Any]) -> str:
    first = (
        f"{result['photos']:,} photos on {result['database']}, "
        f"first page after {result['first_page_s']} s, all read after "
        f"{result['all_read_s']} s"
    )
    return "\n".join([first, *lines(result["pages"])])


if __name__ == "__main__":
    main()
