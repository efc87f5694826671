"""Originals packed into one zip, under the names and the dates the family knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery import vault, zips
from gallery.models import Photo
from gallery.stages import chunks
from gallery.zips import Entry

AT_ONCE = 900
FIELDS = ("pk", "name", "digest", "extension", "size", "taken_at", "added_at")


@dataclass(frozen=True, slots=True)
class Packed:
    """A zip that is ready to be written: its files, and how many bytes it will be."""

    entries: list[Entry]
    size: int

    def stream(self) -> Iterator[bytes]:
        return zips.stream(self.entries, instead=lost)


def pack(photos: Sequence[int]) -> Packed:
    """Pack the originals of the live photos among these, in their order.

    An original that is not in the vault is replaced by a text that says so.
    """
    rows = list(_rows(photos))
    names = zips.names(name for _, name, *_ in rows)
    entries = [_entry(row, name) for row, name in zip(rows, names, strict=True)]
    return Packed(entries, zips.length(entries))


def _rows(photos: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    for some in chunks(photos, AT_ONCE):
        live = Photo.objects.live().filter(pk__in=some).values_list(*FIELDS)
        by_pk: dict[int, tuple[Any, ...]] = {row[0]: row for row in live}
        yield from (by_pk.pop(pk) for pk in some if pk in by_pk)


def _entry(row: tuple[Any, ...], name: str) -> Entry:
    _pk, _name, digest, extension, size, taken_at, added_at = row
    at = taken_at or timezone.localtime(added_at).replace(tzinfo=None)
    path = vault.original(settings.IMAGEVAULT_DATA, digest, extension)
    if _is_there(path, size):
        return Entry(name, size, at, path)
    text = lost(Entry(name, size, at)).encode()
    return Entry(f"{name}.txt", len(text), at, text=text)


def _is_there(path: Any, size: int) -> bool:
    try:
        return bool(path.stat().st_size == size)
    except OSError:
        return False


def lost(entry: Entry) -> str:
    return _(
        "The original of %s is not in the vault as it should be. Whoever looks after "
        "the site can find out more with verify_vault.\n"
    ) % (entry.name)
