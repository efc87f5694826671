"""Candidate pairs that cost nothing: what files say of themselves, as keys to join by.

Two files with the same camera and capture second, or with one name under two
decorations, are worth comparing however little they look alike as thumbnails.
"""

import re
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import PurePath

from dedup.relation import Facts

# Raise this when any line below would change a stored key.
RECIPE = 1

# What programs and people add to the name of a copy, after or before it.
_ADDED = re.compile(
    r"""
    (?: [\s_.\-]* (?: \(\d{1,2}\) | ~\d{1,2} )  # (1), ~2
    | [\s_.\-~(\[]+ (?:
        \d{2,5} \s* x \s* \d{2,5} (?:px)?       # 1024x768
      | copy(?:\s*\d+)? | kopie(?:\s*\d+)? | copie | copia
      | edited | edit | bearbeitet | retouched | modified
      | small | klein | medium | large | big | thumb(?:nail)? | mini | web | preview
      | resized | scaled | cropped | crop | rotated | compressed | fullsize | original
      | sw | bw | sepia | hdr | effects? | collage | enhanced
    ) [)\]]* ) $
    """,
    re.VERBOSE,
)
_BEFORE = re.compile(r"^(?:copy|kopie|copie|copia)\s+(?:of|von|de|di)\s+|^thumb[_\-]")
# A phone's name for what was edited on it: IMG_E1234 was IMG_1234.
_EDITED_ON_PHONE = re.compile(r"^img_e(?=\d{4})")
_NUMBER = re.compile(r"\d{3,}")
_LETTERS = re.compile(r"[^\W\d_]{4,}")
# Words that thousands of files have in common.
_COMMON = frozenset(
    {
        "bild", "dsc", "foto", "image", "images", "img", "imgp", "photo", "photos",
        "picture", "pict", "scan", "scanned", "screenshot", "unnamed", "untitled",
        "download", "file", "wallpaper", "cover", "folder", "header", "banner",
    }
)  # fmt: skip


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


def stem(name: str) -> str:
    """Return a file name without extension and additions, "" where it says too little."""
    plain = PurePath(name).stem.casefold().strip()
    plain = _EDITED_ON_PHONE.sub("img_", _BEFORE.sub("", plain))
    shorter = _ADDED.sub("", plain)
    while shorter != plain and _says_much(shorter):
        plain, shorter = shorter, _ADDED.sub("", shorter)
    return plain if _says_much(plain) else ""


def may_be_one(left: Clues, right: Clues) -> bool:
    """Return whether nothing says that two files with one stem are two shots."""
    return None in (left.moment, right.moment) or left.moment == right.moment


def _says_much(plain: str) -> bool:
    if _NUMBER.search(plain):
        return True
    words = set(_LETTERS.findall(plain)) - _COMMON
    return len("".join(words)) >= 8


def _key(text: str) -> int:
    digest = blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
