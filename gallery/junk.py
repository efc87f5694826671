"""Files computers leave behind by themselves, and files somebody chose to leave out."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from gallery.walk import Exclusion

# Pattern of a name, or with "/" of the end of a path, in lower case, to what writes such
# files. Only files that are no pictures are asked about: a photo is never junk because
# of its name.
RULES = {
    "._*": "macOS, beside a file",
    ".ds_store": "macOS, folder view",
    ".localized": "macOS, folder name",
    ".volumeicon.icns": "macOS, drive icon",
    ".apdisk": "macOS, shared drive",
    "icon\r": "macOS, folder icon",
    "thumbs.db": "Windows, thumbnails",
    "thumbs.db:*": "Windows, thumbnails",
    "ehthumbs.db": "Windows, thumbnails",
    "ehthumbs_vista.db": "Windows, thumbnails",
    "desktop.ini": "Windows, folder view",
    "zbthumbnail.info": "ZoomBrowser, thumbnails",
    "pspbrwse.jbf": "Paint Shop Pro, thumbnails",
    "picasa.ini": "Picasa, settings",
    ".picasa.ini": "Picasa, settings",
    ".bridgecache": "Adobe Bridge, cache",
    ".bridgecachet": "Adobe Bridge, cache",
    "*.lrprev": "Lightroom, previews",
    "*.lrdata/*": "Lightroom, previews",
    "*.cot": "Capture One, previews",
    "*.cop": "Capture One, previews",
    "*.cof": "Capture One, previews",
    "*.ithmb": "iPhoto or iPod, thumbnails",
    ".thumbdata*": "Android, thumbnails",
    "@eadir/*": "Synology, thumbnails and index",
    ".@__thumb/*": "QNAP, thumbnails",
    ".spotlight-v100/*": "macOS, search index",
    ".fseventsd/*": "macOS, file system log",
    "system volume information/indexervolumeguid": "Windows, drive index",
    "system volume information/tracking.log": "Windows, drive index",
    "system volume information/wpsettings.dat": "Windows, drive index",
    "$recycle.bin/*/$i??????*": "Windows, names in the recycle bin",
    ".directory": "KDE, folder view",
    ".nomedia": "Android, mark",
    "autorun.inf": "Windows, drive start",
}


_OF_NAMES = {glob: why for glob, why in RULES.items() if "/" not in glob}
_OF_PATHS = {glob: why for glob, why in RULES.items() if "/" in glob}


def rule(path: str) -> str:
    """Which computer leaves a file at such a path behind, "" if none does."""
    lower = path.lower()
    name = lower.rpartition("/")[2]
    for glob, why in _OF_NAMES.items():
        if fnmatchcase(name, glob):
            return why
    for glob, why in _OF_PATHS.items():
        if fnmatchcase(f"/{lower}", f"*/{glob}"):
            return why
    return ""


def exclusion(globs: Iterable[str]) -> Exclusion | None:
    """What leaves out entries whose path or name matches one of these patterns.

    A folder left out is left out with all that is in it. `*` also matches `/`.
    """
    patterns = [glob.strip("/") for glob in globs if glob.strip("/")]
    if not patterns:
        return None

    def exclude(path: str, name: str) -> str:
        for pattern in patterns:
            if fnmatchcase(path, pattern) or fnmatchcase(name, pattern):
                return f"matches {pattern}"
        return ""

    return exclude
