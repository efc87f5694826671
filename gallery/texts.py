"""Names and folders as one long text, in which words are found by their beginnings."""

from __future__ import annotations

import re
import unicodedata
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
class Texts:
    """Some texts, one after the other: " img 0012 jpg \\n mallorca 2004 \\n".

    `starts` says where each begins.
    """

    letters: NDArray[np.uint8]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Texts:
        coded = [
            f" {' '.join(told(text))} \n".encode(errors="replace") for text in texts
        ]
        lengths = np.fromiter(map(len, coded), np.int64, len(coded))
        return cls(
            np.frombuffer(b"".join(coded), np.uint8), np.cumsum(lengths) - lengths
        )

    def __len__(self) -> int:
        return len(self.starts)

    def followed_by(self, other: Texts) -> Texts:
        return Texts(
            np.concatenate([self.letters, other.letters]),
            np.concatenate([self.starts, other.starts + len(self.letters)]),
        )

    def having(self, word: str) -> NDArray[np.bool_]:
        """Return which texts have a word that begins so; a number must be the same."""
        found = np.zeros(len(self), bool)
        pattern = f" {word} " if word.isdigit() else f" {word}"
        wanted = pattern.encode(errors="replace")
        places = np.flatnonzero(self.letters[1:] == wanted[1])
        places = places[self.letters[places] == wanted[0]]
        for at in range(2, len(wanted)):
            places = places[places + at < len(self.letters)]
            places = places[self.letters[places + at] == wanted[at]]
        found[np.searchsorted(self.starts, places, side="right") - 1] = True
        return found
