"""Photos as an import leaves them: rows, and files in the vault."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings
from PIL import Image

from gallery import colours, renditions, vault
from gallery.models import (
    ImportRun,
    Outcome,
    Photo,
    Source,
    SourceFile,
    Thumbnail,
    folder_key,
)
from gallery.models import path_key as key_of
from tests import pictures


def bare_photo(number: int, **values: object) -> Photo:
    """A photo that is only a row."""
    defaults = {"extension": "jpg", "size": 1000, "name": f"{number}.jpg"}
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    facts = {"format": "JPEG"} | defaults | values
    return Photo.objects.create(digest=digest, **facts)


def photo(image: Image.Image | None = None, *, seed: int = 0, **values: object):
    """A photo with its original and its thumbnail in the vault."""
    image = image or pictures.scene(seed=seed, size=(160, 120))
    content = pictures.jpeg(image)
    row = Photo.objects.create(
        digest=hashlib.sha256(content).hexdigest(),
        **{
            "extension": "jpg",
            "size": len(content),
            "name": f"photo {seed}.jpg",
            "format": "JPEG",
            "width": image.width,
            "height": image.height,
        }
        | values,
    )
    folder = settings.IMAGEVAULT_DATA
    write(vault.original(folder, row.digest, row.extension), content)
    draw_thumbnail(row, image)
    return row


def draw_thumbnail(row: Photo, image: Image.Image) -> None:
    small = image.convert("RGB")
    small.thumbnail((512, 512))
    place = vault.rendition(
        settings.IMAGEVAULT_DATA, row.digest, name="thumbnail", recipe=renditions.RECIPE
    )
    write(place, pictures.jpeg(small))
    Thumbnail.objects.create(
        photo=row,
        recipe=Thumbnail.RECIPE,
        width=small.width,
        height=small.height,
        colours=colours.of(small),
    )


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def sighting(row: Photo, *, path: str, drive: str = "Blue WD 2009") -> SourceFile:
    """The photo was seen on a drive under this path."""
    source, _ = Source.objects.get_or_create(label=drive)
    run = ImportRun.objects.create(source=source)
    return SourceFile.objects.create(
        source=source,
        path=path,
        path_key=key_of(path),
        folder_key=folder_key(path),
        photo=row,
        outcome=Outcome.IMPORTED,
        first_run=run,
        last_run=run,
    )
