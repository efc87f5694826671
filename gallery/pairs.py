"""Files of one folder that belong together by their names: a picture and its film."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from gallery import films
from gallery.walk import Entry, Kind

PICTURES = ("heic", "heif", "jpg", "jpeg", "avif")
FILMS = ("mov", "mp4")
# The film of a Live Photo runs for three seconds; one that runs longer is a film.
LONGEST = 10.0  # seconds
LARGEST = 64 << 20  # bytes, where it does not say how long it runs


def paired(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the entries of a walk, each film with the name of the picture beside it.

    A walk gives a folder's files by name, so that those of one stem come together.
    """
    for _, some in groupby(entries, key=_beginning):
        together = list(some)
        if len(together) < 2:
            yield from together
            continue
        yield from _told(together)


def _beginning(entry: Entry) -> str:
    """Folder and name as far as the first dot, after which extensions begin."""
    folder, _, name = entry.path.rpartition("/")
    return f"{folder}/{name.partition('.')[0]}"


def _told(together: list[Entry]) -> Iterator[Entry]:
    pictures = {
        stem(one.name): one.name
        for one in reversed(together)
        if one.kind is Kind.FILE and extension(one.name) in PICTURES
    }
    for one in together:
        if pictures and one.kind is Kind.FILE and extension(one.name) in FILMS:
            yield replace(one, beside=pictures.get(stem(one.name), ""))
        else:
            yield one


def is_part(film: films.Film, size: int) -> bool:
    """Whether a film beside a picture is what a phone took with the picture."""
    if film.is_live_photo:
        return True
    return size <= LARGEST if film.seconds is None else film.seconds <= LONGEST


def stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def extension(name: str) -> str:
    return name.rpartition(".")[2].lower()
