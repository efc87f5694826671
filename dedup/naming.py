"""What the place and name of a file say of how it came about.

Cameras number what they write, in folders of their own (DCF, JEITA CP-3461, and what
phones made of it); programs and people name what they made out of that in other ways.
It is a hint, for where the pictures themselves do not tell: anybody may rename a file.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import PurePosixPath


class Naming(IntEnum):
    """Whose name a file bears, the likeliest original last."""

    COPY = -1
    ANYBODY = 0
    CAMERA = 1


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

# Four letters or digits and a number (DCF), or a phone's date and time.
_BY_A_CAMERA = re.compile(
    r"""
      [a-z0-9_]{4} \d{4}                                   # DSCN0012, IMG_1234
    | _?dsc_?\d{4,5} | (?: img | dji | gopr )_?\d{4,5}
    | (?: img | pxl | image | dsc )? [_-]? \d{8} [_-]? \d{6} (?: [_.\d].* )?
    | wp_\d{8}_\d{2,3} (?: _pro )?
    """,
    re.VERBOSE,
)
_BY_A_PROGRAM = re.compile(
    r"""
      (?: img-\d{8}-wa | whatsapp | signal- | fb_img_ | received_ | telegram | snapchat-
      | screen[\s_-]?shot | bildschirmfoto | screencap | instagram | picsart | collage
      | scan | untitled | unbenannt | unnamed | recovered | thumb ) .*
    | (?: download | attachment ) [\s_\-()\d]*
    | f\d{7,}                                              # brought back by PhotoRec
    """,
    re.VERBOSE,
)
_OF_A_CAMERA = re.compile(r"dcim|\d{3}[a-z0-9_]{5}|camera(?: roll)?")
_OF_COPIES = re.compile(
    r"""
    (?: whatsapp | telegram | signal | messenger | screenshots? | bildschirmfotos
      | thumbnails? | thumbs | edited | edits | bearbeitet | small | klein | resized | web
      | e?-?mail | attachments? | downloads? | instagram | facebook | snapseed | collages?
      | exports? | recovered )
    (?: [\s_-] .* )?
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Named:
    """What a photo's paths say of it; `stem`: its name without extension, in small letters."""

    naming: Naming = Naming.ANYBODY
    stem: str = ""


UNNAMED = Named()


def of(path: str) -> Named:
    """Return what one path, with `/`, says of a file."""
    *folders, name = PurePosixPath(path.casefold()).parts or ("",)
    stem = PurePosixPath(name).stem.strip()
    return Named(_naming(folders, stem), stem)


def of_all(paths: Iterable[str]) -> Named:
    """Return what the best of a photo's paths says: a file copied is the same file."""
    found = map(of, paths)
    return max(found, key=lambda one: (one.naming, -len(one.stem)), default=UNNAMED)


def is_made_from(one: Named, other: Named) -> bool:
    """Return whether by their names the one was made from the other."""
    if one.naming != other.naming:
        return one.naming < other.naming
    # beach_small beside beach; but img_10 is no copy of img_1.
    added = one.stem.removeprefix(other.stem) if other.stem else ""
    return 0 < len(added) < len(one.stem) and not added[0].isalnum()


def stem(name: str) -> str:
    """Return a file name without extension and additions, "" where it says too little."""
    plain = PurePosixPath(name).stem.casefold().strip()
    plain = _EDITED_ON_PHONE.sub("img_", _BEFORE.sub("", plain))
    shorter = _ADDED.sub("", plain)
    while shorter != plain and _says_much(shorter):
        plain, shorter = shorter, _ADDED.sub("", shorter)
    return plain if _says_much(plain) else ""


def _is_decorated(plain: str) -> bool:
    """Return whether a stem says that the file is made from another."""
    if _BEFORE.match(plain) or _EDITED_ON_PHONE.match(plain):
        return True
    added = _ADDED.search(plain)
    if added is None or "original" in added[0]:
        return False
    return _says_much(plain[: added.start()])


def _naming(folders: Iterable[str], stem: str) -> Naming:
    if _BY_A_PROGRAM.fullmatch(stem) or _is_decorated(stem):
        return Naming.COPY
    if any(_OF_COPIES.fullmatch(one) for one in folders):
        return Naming.COPY
    is_numbered = _BY_A_CAMERA.fullmatch(stem)
    if is_numbered or any(_OF_A_CAMERA.fullmatch(one) for one in folders):
        return Naming.CAMERA
    return Naming.ANYBODY


def _says_much(plain: str) -> bool:
    if _NUMBER.search(plain):
        return True
    words = set(_LETTERS.findall(plain)) - _COMMON
    return len("".join(words)) >= 8
