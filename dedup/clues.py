"""Candidate pairs that cost nothing: what files say of themselves, as keys to join by.

Two files with the same camera and capture second, or with one name under two
decorations, are worth comparing however little they look alike as thumbnails.
"""

from dataclasses import dataclass
from hashlib import blake2b

from dedup.naming import stem
from dedup.relation import Facts

# Raise this when any line below would change a stored key.
RECIPE = 1


@dataclass(frozen=True, slots=True)
class Clues:
    """Keys (signed 64 bits) that files of one picture share; None where there is none.

    `moment`: the camera and the second in which it was taken. `stem`: the file name
    without what was added to it.
    """

    moment: int | None
    stem: int | None


def clues(facts: Facts, name: str) -> Clues:
    """Return the keys of a photo that was first seen under this name."""
    taken = facts.camera_time
    moment = None
    if taken is not None:
        camera = f"{facts.camera_make}\n{facts.camera_model}".casefold()
        moment = _key(f"{camera}\n{taken.replace(microsecond=0).isoformat()}")
    plain = stem(name)
    return Clues(moment, _key(plain) if plain else None)


def may_be_one(left: Clues, right: Clues) -> bool:
    """Return whether nothing says that two files with one stem are two shots."""
    return None in (left.moment, right.moment) or left.moment == right.moment


def _key(text: str) -> int:
    digest = blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
