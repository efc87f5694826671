"""What a drive looks like: a picture people take of it, to find it in the cupboard.

It lies in the vault under drives/, small and made anew from what was sent: nothing else
of that file is kept, neither its place nor its camera.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from gallery import drafts, originals, previews, vault
from gallery.models import Source

FOLDER = "drives"
EDGE = 960  # pixels
MOST_BYTES = 50_000_000


def place(source: Source) -> Path:
    folder: Path = settings.IMAGEVAULT_DATA
    return folder / FOLDER / source.picture


def keep(source: Source, chunks: Iterable[bytes]) -> None:
    """Make this the picture of a drive. Raise sandbox.Unreadable or previews.Busy."""
    folder = settings.IMAGEVAULT_DATA
    vault.require(folder)
    with drafts.draft(folder / "incoming") as sent:
        for chunk in chunks:
            sent.write(chunk)
        with previews.decoder() as sandbox:
            data = sandbox.preview(sent.path, edge=EDGE).data
    (folder / FOLDER).mkdir(exist_ok=True)
    name = f"{source.pk}-{hashlib.sha256(data).hexdigest()[:16]}.jpg"
    with drafts.draft(folder / "incoming") as draft:
        draft.write(data)
        draft.flush_and_publish(folder / FOLDER / name)
    originals.sync(folder / FOLDER)
    _rename(source, name)


def drop(source: Source) -> None:
    """Have no picture of a drive."""
    _rename(source, "")


def _rename(source: Source, name: str) -> None:
    before = place(source) if source.picture else None
    source.picture = name
    source.save(update_fields=["picture"])
    # The row first: a picture too many does no harm.
    if before and before.name != name:
        before.unlink(missing_ok=True)
