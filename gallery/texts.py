"""Names and folders, found by the beginnings of their words."""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WORDS = re.compile(r"[^\W\d_]+|\d+")
# Between the words of "SommerUrlaub".
JOINTS = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])")
# More words than these are not looked for.
MOST_WORDS = 12


def fold(text: str) -> str:
    """Return the text without case and accents, as it is compared."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def words(text: str) -> list[str]:
    """Return the runs of letters and of digits: "IMG_0012" is two words, "Oma's" one."""
    return WORDS.findall(
        fold(text).replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
    )


def told(text: str) -> list[str]:
    """Return the words a text can be found by, those of "SommerUrlaub" both ways."""
    apart = JOINTS.sub(" ", text)
    return words(text) if apart == text else words(f"{text} {apart}")


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """The words of some texts in order, each with the places of the texts that have it.

    `letters` are all words, one after the other, as UTF-8: its order is that of the
    letters. Word n lies between `bounds` n and n + 1, and its texts in `texts` between
    `ends` n and n + 1.
    """

    letters: bytes
    bounds: NDArray[np.int64]
    texts: NDArray[np.int32]
    ends: NDArray[np.int64]
    count: int

    @classmethod
    def of(cls, texts: Iterable[str]) -> Index:
        known: dict[str, int] = {}
        found, lengths = array("i"), array("i")
        for text in texts:
            said = told(text)
            found.extend(known.setdefault(word, len(known)) for word in said)
            lengths.append(len(said))
        coded = [word.encode(errors="replace") for word in known]
        place = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        return cls._sorted(coded, np.array(found, np.int32), place, len(lengths))

    @classmethod
    def _sorted(
        cls,
        coded: list[bytes],
        words: NDArray[np.int32],
        texts: NDArray[np.int32],
        count: int,
    ) -> Index:
        """Return the index of words in any order, and of texts beside the words' places."""
        order = sorted(range(len(coded)), key=coded.__getitem__)
        rank = np.empty(len(coded), np.int32)
        rank[order] = np.arange(len(coded), dtype=np.int32)
        ranks = rank[words]
        lengths = [0, *(len(coded[at]) for at in order)]
        used = np.bincount(ranks, minlength=len(coded))
        return cls(
            b"".join(coded[at] for at in order),
            np.cumsum(lengths, dtype=np.int64),
            texts[np.argsort(ranks, kind="stable")],
            np.concatenate([[0], np.cumsum(used)]).astype(np.int64),
            count,
        )

    def __len__(self) -> int:
        return self.count

    def word(self, at: int) -> bytes:
        return self.letters[self.bounds[at] : self.bounds[at + 1]]

    def joined(self, other: Index) -> Index:
        """Return one index of the texts of both."""
        halves = (self, other)
        known: dict[bytes, int] = {}
        codes = [
            [known.setdefault(one.word(at), len(known)) for at in range(one.size)]
            for one in halves
        ]
        words = [
            np.repeat(np.array(code, np.int32), np.diff(one.ends))
            for code, one in zip(codes, halves, strict=True)
        ]
        texts = [self.texts, other.texts + np.int32(len(self))]
        return self._sorted(
            list(known),
            np.concatenate(words),
            np.concatenate(texts),
            len(self) + len(other),
        )

    @property
    def size(self) -> int:
        """The number of words."""
        return len(self.bounds) - 1

    def having(self, word: str) -> NDArray[np.int32]:
        """Return the places of texts that have a word; some may come twice."""
        wanted = word.encode(errors="replace")
        # No letter is coded by a byte as high as this.
        after = wanted + (b"\0" if word.isdigit() else b"\xff")
        first, last = (
            bisect_left(range(self.size), mark, key=self.word)
            for mark in (wanted, after)
        )
        return self.texts[self.ends[first] : self.ends[last]]


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Some texts, found by the beginnings of their words.

    What is added comes in indexes of its own, joined as they grow, so that a photo added
    to a million does not have them all sorted again.
    """

    indexes: tuple[Index, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Texts:
        return cls((Index.of(texts),))

    def __len__(self) -> int:
        return sum(map(len, self.indexes))

    def followed_by(self, other: Texts) -> Texts:
        indexes = [*self.indexes, *other.indexes]
        while len(indexes) > 1 and len(indexes[-2]) <= 2 * len(indexes[-1]):
            last = indexes.pop()
            indexes[-1] = indexes[-1].joined(last)
        return Texts(tuple(indexes))

    def having(self, word: str) -> NDArray[np.bool_]:
        """Return which texts have a word that begins so; a number must be the same."""
        found = np.zeros(len(self), bool)
        start = 0
        for index in self.indexes:
            found[index.having(word) + np.int64(start)] = True
            start += len(index)
        return found
