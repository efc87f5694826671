"""What the vault stores: the originals of photos, and files kept beside them, as one list.

Whoever asks what lies in the vault (to read it again, copy it, write it down or bring it
back) asks here, in the order of digests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Substr

from gallery import vault
from gallery.importer import undisturbed
from gallery.models import KeptFile, Photo
from gallery.models.care import LAST_DIGEST

PAGE = 500  # originals asked for at once


@dataclass(frozen=True, slots=True)
class Original:
    """An original as the catalogue knows it: that of a photo, or of a kept file."""

    digest: str
    extension: str
    size: int  # bytes
    photo: int | None = None
    kept: int | None = None

    @property
    def place(self) -> Path:
        return self.below(settings.IMAGEVAULT_DATA)

    def below(self, folder: Path) -> Path:
        """Its place in another vault, or in a backup."""
        return vault.original(folder, self.digest, self.extension)

    @property
    def owner(self) -> dict[str, Any]:
        """The fields of a row that say whose original it is."""
        return {"photo_id": self.photo, "kept_id": self.kept}


def original(row: Photo | KeptFile) -> Original:
    return Original(
        row.digest,
        row.extension,
        row.size,
        photo=row.pk if isinstance(row, Photo) else None,
        kept=row.pk if isinstance(row, KeptFile) else None,
    )


def every(after: str = "", until: str = LAST_DIGEST) -> Iterator[Original]:
    """Every original of these digests, a page at a time."""
    while some := page(after, until):
        yield from some
        after = some[-1].digest


@undisturbed
def page(after: str, until: str = LAST_DIGEST) -> list[Original]:
    """The originals that come next, about PAGE of them."""
    found = _found(Q(digest__gt=after, digest__lte=until), most=PAGE)
    if len(found) <= PAGE:
        return found
    # The same bytes may be kept as two things; both belong to one page.
    last = found[PAGE - 1].digest
    return [one for one in found if one.digest <= last]


def of(digests: Iterable[str]) -> list[Original]:
    """The originals stored of these digests, each once, in their order."""
    found = {one.digest: one for one in reversed(_found(Q(digest__in=list(digests))))}
    return [found[digest] for digest in sorted(found)]


def beginning(digits: str) -> list[Original]:
    """The originals whose digests begin so."""
    return _found(Q(digest__gte=digits, digest__lt=f"{digits}g"))


def _found(condition: Q, *, most: int | None = None) -> list[Original]:
    """Originals in the order of digests; of one digest, that of the photo first."""
    names = ("digest", "extension", "size", "pk")
    found = []
    for owner, rows in _tables():
        values = rows.filter(condition).order_by("digest").values_list(*names)
        found += [Original(*more, **{owner: pk}) for *more, pk in values[:most]]
    return sorted(found, key=attrgetter("digest"))


def _tables() -> list[tuple[str, QuerySet[Any]]]:
    return [("photo", Photo.objects.stored()), ("kept", KeptFile.objects.all())]


def totals(after: str, until: str) -> tuple[int, int]:
    """How many originals have these digests, and their bytes."""
    count = size = 0
    for _owner, rows in _tables():
        here = rows.filter(digest__gt=after, digest__lte=until)
        found = here.aggregate(count=Count("pk"), bytes=Sum("size"))
        count, size = count + found["count"], size + (found["bytes"] or 0)
    return count, size


def shelves() -> list[str]:
    """The first four digits of all digests ever known."""
    found: set[str] = set()
    for rows in (Photo.objects.all(), KeptFile.objects.all()):
        keys = rows.annotate(shelf=Substr("digest", 1, 4)).order_by("shelf")
        found.update(keys.values_list("shelf", flat=True).distinct())
    return sorted(found)
