"""Libraries of photo programs: which file is the original, which an edited version of it.

iPhoto, Aperture, Photos and Picasa keep an edited photo beside its original, and small
pictures of both. Names and folders say which is which; nothing is believed of them where
the original does not lie on the same drive.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from gallery import walk

FOLDERS = 256  # whose names are remembered

# What an original may be; a preview of a film is worth keeping.
_PICTURES = {
    *("jpg", "jpeg", "png", "gif", "bmp", "tif", "tiff", "heic", "heif", "webp", "psd"),
    *(
        "cr2",
        "cr3",
        "crw",
        "nef",
        "arw",
        "dng",
        "raf",
        "orf",
        "rw2",
        "pef",
        "srw",
        "kdc",
    ),
}
_PICASA = (".picasa.ini", "picasa.ini")


class Role(Enum):
    """What a file is to the original beside it."""

    EDITED = auto()
    PREVIEW = auto()  # smaller, and made by the program for itself


@dataclass(frozen=True, slots=True)
class Version:
    """A file made by a program from the original at this path of the same drive."""

    program: str
    role: Role
    original: str

    @property
    def reason(self) -> str:
        if self.role is Role.EDITED:
            return f"edited in {self.program} from {self.original}"
        return f"{self.program}, preview of {self.original}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the original of a file would lie: a folder, and its name without ending."""

    program: str
    role: Role
    folder: str
    stem: str
    only_with: tuple[str, ...] = ()  # one of these in the folder above


_LIBRARY = re.compile(
    r"(?:^|/)[^/]*(?:iphoto library[^/]*|\.(?:(?:migrated)?photolibrary|"
    r"(?:migrated)?aplibrary|photoslibrary))/",
    re.IGNORECASE,
)
_PROGRAMS = (("aplibrary", "Aperture"), ("photoslibrary", "Photos"))
_DAY = r"(?P<at>\d{4}/\d\d/\d\d/[^/]+)/[^/]+/"
_UUID = r"(?P<stem>(?P<at>[0-9A-F])[0-9A-F]{7}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})"
_NAME = r"(?P<stem>[^/]+)\.[^/.]+$"
# In a library: a path, what the file is, and where its original lies.
_RULES = tuple(
    (re.compile(pattern, re.IGNORECASE), role, folder)
    for pattern, role, folder in (
        (rf"Modified/(?P<at>.+)/{_NAME}", Role.EDITED, "Originals/{at}"),
        (rf"Data(?:\.noindex)?/(?P<at>.+)/{_NAME}", Role.PREVIEW, "Originals/{at}"),
        # Aperture keeps an edited photo only as such a picture.
        (rf"Previews/{_DAY}{_NAME}", Role.EDITED, "Masters/{at}"),
        (rf"Thumbnails/{_DAY}(?:thumb_)?{_NAME}", Role.PREVIEW, "Masters/{at}"),
        (rf"resources/renders/(?:[^/]+/)*{_UUID}", Role.EDITED, "originals/{at}"),
        (rf"resources/derivatives/(?:[^/]+/)*{_UUID}", Role.PREVIEW, "originals/{at}"),
        (rf"(?P<at>\d{{4}}/\d\d/\d\d)/{_NAME}", Role.EDITED, "{at}/Originals"),
    )
)


# Of a network drive's own thumbnails: where they lie, and what they show.
_THUMBNAILS = (
    ("Synology", re.compile(r"(?P<above>.*/)?@eaDir/(?P<name>[^/]+)/SYNO[^/]+")),
    (
        "QNAP",
        re.compile(r"(?P<above>.*/)?\.@__thumb/(?:default|s100|s800)(?P<name>[^/]+)"),
    ),
)


def places(path: str) -> Iterator[Place]:
    """Where the original of this file would lie, if it is a version of one."""
    yield from _in_library(path)
    for program, pattern in _THUMBNAILS:
        if found := pattern.fullmatch(path):
            above = (found["above"] or "./").removesuffix("/")
            yield Place(program, Role.PREVIEW, above, _stem(found["name"]))
    folder, slash, name = path.rpartition("/")
    stem = _stem(name)
    if not folder.endswith((".picasaoriginals", "Originals")):
        originals = f"{folder}{slash}.picasaoriginals"
        yield Place("Picasa", Role.EDITED, originals, stem)
        older = f"{folder}{slash}Originals"
        yield Place("Picasa", Role.EDITED, older, stem, _PICASA)


def is_in_library(path: str) -> bool:
    return _LIBRARY.search(path) is not None


def _in_library(path: str) -> Iterator[Place]:
    found = _LIBRARY.search(path)
    if found is None:
        return
    library, rest = path[: found.end()], path[found.end() :]
    program = next(
        (name for end, name in _PROGRAMS if end in library.lower()), "iPhoto"
    )
    for pattern, role, folder in _RULES:
        if match := pattern.match(rest):
            below = folder.format(at=match["at"])
            stem = match["stem"]
            yield Place(program, role, f"{library}{below}", stem)
            yield Place(program, role, f"{library}{below}", stem.removesuffix("_1024"))


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


class Packages:
    """The versions below a folder's descriptor. Safe to ask from several threads."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._known: dict[str, dict[str, str]] = {}

    def version(self, path: str) -> Version | None:
        """What this file is a version of, None if its original is not on the drive."""
        for place in places(path):
            name = self._names(place.folder).get(place.stem.casefold())
            if name and self._is_with(place):
                original = f"{place.folder}/{name}".removeprefix("./")
                return Version(place.program, place.role, original)
        return None

    def _is_with(self, place: Place) -> bool:
        above = place.folder.rpartition("/")[0]
        return not place.only_with or any(
            walk.is_there(self._root, walk.raw(f"{above}/{name}".lstrip("/")))
            for name in place.only_with
        )

    def _names(self, folder: str) -> dict[str, str]:
        """The pictures in a folder, by what they are called without ending."""
        if folder not in self._known:
            if len(self._known) >= FOLDERS:
                self._known = {}
            self._known[folder] = _listed(self._root, folder)
        return self._known.get(folder, {})


def _listed(root: int, folder: str) -> dict[str, str]:
    try:
        descriptor = walk.open_quietly(root, walk.raw(folder))
    except (OSError, ValueError):
        return {}
    try:
        with os.scandir(descriptor) as found:
            names = sorted(
                walk.readable(os.fsencode(one.name))
                for one in found
                if _is_picture(one)
            )
    except OSError:
        return {}
    finally:
        os.close(descriptor)
    return {_stem(name).casefold(): name for name in reversed(names)}


def _is_picture(found: os.DirEntry[str]) -> bool:
    if found.name.rpartition(".")[2].lower() not in _PICTURES:
        return False
    return found.is_file(follow_symlinks=False) and found.stat().st_size > 0
