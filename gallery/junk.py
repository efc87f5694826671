"""Files computers leave behind by themselves, and files somebody chose to leave out."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from gallery.walk import Exclusion

# Name pattern, in lower case, to what writes such files. Only files that are no pictures
# are asked about: a photo is never junk because of its name.
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
    ".directory": "KDE, folder view",
    ".nomedia": "Android, mark",
    "autorun.inf": "Windows, drive start",
}


def rule(name: str) -> str:
    """Which computer leaves files of this name behind, "" if none does."""
    lower = name.lower()
    return next((why for glob, why in RULES.items() if fnmatchcase(lower, glob)), "")


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
