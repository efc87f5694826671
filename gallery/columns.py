"""What photos are sorted and filtered by, column by column, in memory.

No index serves every filter in every order: a camera of one summer, newest first, has a
database either sort or pass over all the rest. In columns a million photos are passed
over in milliseconds, whatever is asked, and counted on the way. Rows stand in the order
of their keys. numpy only: where the rows come from is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.orders import Order, Place
from gallery.texts import MOST_WORDS, Texts, fold, words

Rows = NDArray[np.int64]  # places in the columns
Keys = Callable[[Rows], NDArray[Any]]

MISSING = np.iinfo(np.int64).min
LAST = np.iinfo(np.int64).max
# As much of a name as photos are sorted by; longer ones that begin alike are told apart
# by their keys.
NAME_BYTES = 48
# Months are counted from the year 0.
NO_MONTH = -1
FEW = 2_000


def name_key(name: str) -> str:
    """Return what of a name is compared; the key of a key is itself."""
    key = fold(name).replace("\0", " ").encode(errors="replace")
    return key[:NAME_BYTES].decode(errors="ignore")


# Compared by identity: they are too long to be compared by what they hold.
@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The columns of some photos: arrays of one length, but for the sightings.

    Times are microseconds since 1970, by the clock on the wall for `taken`. `camera`,
    `format` and `precision` are places in the lists of names. Where a value is not
    known, it is MISSING. `text` and `seen_text` are places in the texts: a photo's name,
    and the folder it was seen in.
    """

    pk: NDArray[np.int64]
    taken: NDArray[np.int64]
    added: NDArray[np.int64]
    size: NDArray[np.int64]  # bytes
    pixels: NDArray[np.int64]
    name: NDArray[np.bytes_]
    camera: NDArray[np.int32]
    format: NDArray[np.int32]
    precision: NDArray[np.int32]
    month: NDArray[np.int32]
    text: NDArray[np.int32]
    # One for each photo and source it was seen on, in no order.
    seen_pk: NDArray[np.int64]
    seen_source: NDArray[np.int64]
    seen_text: NDArray[np.int32]
    texts: Texts
    names: dict[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.pk)

    def rows_of(self, pks: NDArray[np.int64]) -> Rows:
        """Return where these keys stand; those that are not here are left out."""
        rows = np.searchsorted(self.pk, pks)
        here = rows < len(self)
        rows, pks = rows[here], pks[here]
        return rows[self.pk[rows] == pks]

    def has(self, pks: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of these keys are here."""
        if not len(self):
            return np.zeros(len(pks), bool)
        rows = np.searchsorted(self.pk, pks)
        return self.pk[np.minimum(rows, len(self) - 1)] == pks

    def told_by(self, word: str) -> NDArray[np.bool_]:
        """Return which photos have this word in their names, folders, camera or year."""
        texts = self.texts.having(word)
        found = np.append(texts[self.text], False)
        found[seen_rows(self)[texts[self.seen_text]]] = True
        found = found[:-1]
        cameras = Texts.of(self.names["camera"]).having(word)
        if cameras.any():
            found |= cameras[self.camera]
        if len(word) == 4 and word.isdecimal():
            found |= self.month // 12 == int(word)
        return found

    def replaced(self, pks: NDArray[np.int64], fresh: Columns) -> Columns:
        """Return the columns with these photos as they are now, or without them."""
        stays = np.ones(len(self), bool)
        stays[self.rows_of(pks)] = False
        seen = ~np.isin(self.seen_pk, pks)
        names, codes = _joined_names(self, fresh)
        old = {one: getattr(self, one)[stays] for one in BY_PHOTO}
        old |= {one: getattr(self, one)[seen] for one in BY_SIGHTING}
        new = {one: getattr(fresh, one) for one in BY_PHOTO + BY_SIGHTING} | codes
        # What is in no use any more stays, until all is read again.
        new |= {one: new[one] + len(self.texts) for one in ("text", "seen_text")}
        both = {one: np.concatenate([old[one], new[one]]) for one in old}
        if len(self) and len(fresh) and (np.diff(both["pk"]) < 0).any():
            order = np.argsort(both["pk"], kind="stable")
            both |= {one: both[one][order] for one in BY_PHOTO}
        return Columns(**both, texts=self.texts.followed_by(fresh.texts), names=names)


@lru_cache(maxsize=1)
def seen_rows(columns: Columns) -> Rows:
    """Return in which row the photo of each sighting stands, one past the end in none."""
    rows = np.searchsorted(columns.pk, columns.seen_pk)
    known = np.append(columns.pk, MISSING)
    return np.where(known[rows] == columns.seen_pk, rows, len(columns))


def day_start(day: date) -> int:
    return int(np.datetime64(day, "us").astype(np.int64))


def month_start(month: int) -> int:
    """Return the first microsecond of a month."""
    return int(np.datetime64(month - 12 * 1970, "M").astype("M8[us]").astype(np.int64))


BY_SIGHTING = ("seen_pk", "seen_source", "seen_text")
NAMED = ("camera", "format", "precision")
BY_PHOTO = tuple(
    one.name
    for one in fields(Columns)
    if one.name not in (*BY_SIGHTING, "texts", "names")
)


def columns(
    photos: Sequence[tuple[Any, ...]], sightings: Iterable[tuple[int, int, str]]
) -> Columns:
    """Make columns of photos and of sightings: photo, source, and path.

    A photo is its key; when taken, as ISO text or None, and when added, as ISO text in
    UTC; size, width and height; name; camera, format and precision.
    """
    given: list[Any] = list(zip(*sorted(photos), strict=True)) or [()] * 10
    pk, taken, added, size, width, height, name = given[:7]
    taken_at = _times(taken)
    months = taken_at.astype("datetime64[M]").astype(np.int64) + 12 * 1970
    coded = {
        field: _coded(values) for field, values in zip(NAMED, given[7:], strict=True)
    }
    texts: dict[str, int] = {}
    text = [texts.setdefault(one, len(texts)) for one in name]
    named = dict(zip(pk, name, strict=True))
    seen = {
        (one, source, texts.setdefault(_told(path, named.get(one, "")), len(texts)))
        for one, source, path in sightings
    }
    triples = np.array(sorted(seen), np.int64).reshape(-1, 3)
    return Columns(
        pk=np.array(pk, np.int64),
        taken=taken_at.astype(np.int64),
        added=_times(added).astype(np.int64),
        size=np.array(size, np.int64),
        pixels=np.array(
            [a * b if a and b else MISSING for a, b in zip(width, height, strict=True)],
            np.int64,
        ),
        name=np.array([name_key(one).encode() for one in name], f"S{NAME_BYTES}"),
        month=np.where(np.isnat(taken_at), NO_MONTH, months).astype(np.int32),
        text=np.array(text, np.int32),
        seen_pk=triples[:, 0].copy(),
        seen_source=triples[:, 1].copy(),
        seen_text=triples[:, 2].astype(np.int32),
        texts=Texts.of(texts),
        **{field: codes for field, (codes, _) in coded.items()},
        names={field: names for field, (_, names) in coded.items()},
    )


def _told(path: str, name: str) -> str:
    """Return what a path tells beyond the name: its folder, or another name too."""
    folder, _, last = path.rpartition("/")
    return folder if last == name else path


def _times(texts: Sequence[str | None]) -> NDArray[np.datetime64]:
    return np.array([text or "NaT" for text in texts], "datetime64[us]")


def _coded(values: Sequence[str]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    known: dict[str, int] = {}
    codes = [known.setdefault(value, len(known)) for value in values]
    return np.array(codes, np.int32), tuple(known)


def _joined_names(
    old: Columns, new: Columns
) -> tuple[dict[str, tuple[str, ...]], dict[str, NDArray[Any]]]:
    """Return the names of both, and the codes of the new ones in them."""
    names, codes = {}, {}
    for field in NAMED:
        known = {name: code for code, name in enumerate(old.names[field])}
        places = [known.setdefault(name, len(known)) for name in new.names[field]]
        names[field] = tuple(known)
        codes[field] = np.array(places, np.int32)[getattr(new, field)]
    return names, codes


@dataclass(frozen=True, slots=True)
class Selection:
    """Some rows of the columns: each filter returns a smaller selection."""

    columns: Columns
    rows: Rows
    # Of the photos of an album: their places by hand, for all rows of the columns.
    hand: NDArray[np.int64] | None = None

    @classmethod
    def all(cls, columns: Columns) -> Selection:
        return cls(columns, np.arange(len(columns)))

    def __len__(self) -> int:
        return len(self.rows)

    # Filters

    def between(self, field: str, least: int | None, most: int | None) -> Selection:
        """Keep the rows with a known value from one to another, both included."""
        if least is None and most is None:
            return self
        values = getattr(self.columns, field)[self.rows]
        fits = values != MISSING
        if least is not None:
            fits &= values >= least
        if most is not None:
            fits &= values <= most
        return replace(self, rows=self.rows[fits])

    def named(self, field: str, names: Iterable[str]) -> Selection:
        known = self.columns.names[field]
        codes = [known.index(name) for name in set(names) if name in known]
        fits = np.isin(getattr(self.columns, field)[self.rows], codes)
        return replace(self, rows=self.rows[fits])

    def in_month(self, first: int, last: int) -> Selection:
        months = self.columns.month[self.rows]
        return replace(self, rows=self.rows[(months >= first) & (months <= last)])

    def seen_on(self, source: int) -> Selection:
        pairs = self.columns
        return self.among(pairs.seen_pk[pairs.seen_source == source])

    def among(self, pks: NDArray[np.int64]) -> Selection:
        """Keep the photos with these keys."""
        wanted = np.zeros(len(self.columns), bool)
        wanted[self.columns.rows_of(pks)] = True
        return replace(self, rows=self.rows[wanted[self.rows]])

    def placed(self, pks: NDArray[np.int64], places: NDArray[np.int64]) -> Selection:
        """Keep the photos with these keys, which can be ordered by these places."""
        hand = np.full(len(self.columns), MISSING)
        here = self.columns.has(pks)
        hand[self.columns.rows_of(pks[here])] = places[here]
        return replace(self.among(pks), hand=hand)

    def told_by(self, text: str) -> Selection:
        """Keep the photos with all these words in their names, folders, camera or year.

        A word is found by its beginning, a number only whole.
        """
        found = np.ones(len(self.columns), bool)
        for word in words(text)[:MOST_WORDS]:
            found &= self.columns.told_by(word)
        return replace(self, rows=self.rows[found[self.rows]])

    # Order

    def beside(
        self, order: Order, place: Place | None, *, size: int, backwards: bool = False
    ) -> list[int]:
        """Return the keys of so many photos from a place on, nearest first.

        Photos without a value come last in both directions.
        """
        values = self.values(order.field)
        levels = list(_levels(self.columns, values, order, backwards=backwards))
        rows = self.rows
        if place is not None:
            marks = _marks(order, place, backwards=backwards)
            rows = _beyond(rows, levels, marks)
        return [int(pk) for pk in self.columns.pk[_nearest(rows, levels, size)]]

    def values(self, field: str) -> NDArray[Any]:
        """Return what an order sorts by, for all rows of the columns."""
        if field != "hand":
            return getattr(self.columns, field)
        return self.columns.pk if self.hand is None else self.hand

    def place(self, pk: int, order: Order) -> Place | None:
        """Return where a photo stands, whether it is selected or not."""
        rows = self.columns.rows_of(np.array([pk], np.int64))
        if not len(rows):
            return None
        value = self.values(order.field)[rows[0]]
        if order.field == "name":
            return Place(bytes(value).decode(errors="ignore"), pk)
        return Place(None if value == MISSING else int(value), pk)

    def before(self, order: Order, place: Place) -> int:
        """Return how many photos stand before a place."""
        values = self.values(order.field)
        levels = _levels(self.columns, values, order, backwards=True)
        marks = _marks(order, place, backwards=True)
        return len(_beyond(self.rows, levels, marks))

    # Counts

    def months(self) -> list[tuple[int, int]]:
        """Return the months there are photos of, in order, and how many."""
        months = self.columns.month[self.rows]
        months = months[months != NO_MONTH]
        if not len(months):
            return []
        first = int(months.min())
        counts = np.bincount(months - first)
        return [(first + int(at), int(counts[at])) for at in np.flatnonzero(counts)]

    def tally(self, field: str) -> dict[str, int]:
        """Return how many photos there are of each name, the most first."""
        names = self.columns.names[field]
        codes = getattr(self.columns, field)[self.rows]
        counts = np.bincount(codes, minlength=len(names))
        order = np.argsort(-counts, kind="stable")
        return {names[code]: int(counts[code]) for code in order if counts[code]}


def _levels(
    columns: Columns, values: NDArray[Any], order: Order, *, backwards: bool
) -> Iterator[Keys]:
    """Yield what to sort by, the most important first, ascending."""
    # ~ turns an order round, for numbers with and without a sign.
    turned = order.descending != backwards
    if order.field == "name":
        words = values.view(">u8").reshape(-1, NAME_BYTES // 8)
        for word in range(words.shape[1]):
            yield _level(words[:, word], turned=turned)
    else:
        last = ~LAST if backwards else LAST
        yield _level(values, turned=turned, missing=last)
    yield _level(columns.pk, turned=turned)


def _level(values: NDArray[Any], *, turned: bool, missing: int | None = None) -> Keys:
    def keys(rows: Rows) -> NDArray[Any]:
        found = values[rows].astype(values.dtype.newbyteorder("="))
        unknown = found == MISSING if missing is not None else None
        if turned:
            found = ~found
        if unknown is not None:
            found[unknown] = missing
        return found

    return keys


def _marks(order: Order, place: Place, *, backwards: bool) -> Iterator[int]:
    """Yield a place's keys, as the levels have them."""
    turned = order.descending != backwards
    if order.field == "name":
        key = name_key(place.value).encode().ljust(NAME_BYTES, b"\0")
        for word in np.frombuffer(key, ">u8").astype(np.uint64):
            yield ~word if turned else word
    elif place.value is None:
        yield ~LAST if backwards else LAST
    else:
        yield ~place.value if turned else place.value
    yield ~place.pk if turned else place.pk


def _beyond(rows: Rows, levels: Iterable[Keys], marks: Iterable[int]) -> Rows:
    found = []
    for keys, mark in zip(levels, marks, strict=True):
        values = keys(rows)
        found.append(rows[values > mark])
        rows = rows[values == mark]
    return np.concatenate(found)


def _nearest(rows: Rows, levels: Sequence[Keys], size: int) -> Rows:
    """Return the first rows in the order of the levels, sorted."""
    sure = []
    for keys in levels:
        if len(rows) <= max(size, FEW):
            break
        values = keys(rows)
        limit = np.partition(values, size - 1)[size - 1]
        sure.append(rows[values < limit])
        size -= len(sure[-1])
        rows = rows[values == limit]
    found = np.concatenate([*sure, rows])
    size += sum(map(len, sure))
    order = np.lexsort([keys(found) for keys in reversed(levels)])
    return found[order[:size]]
