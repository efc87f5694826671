"""What kind of file this is, by what is in it, and by its name where that says nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from gallery import films, formats, junk
from gallery.formats import Format

# What computers leave behind is small; a large file of such a name is something else.
LARGEST_JUNK = 64 << 20  # bytes


class Kind(Enum):
    PICTURE = auto()
    JUNK = auto()
    VIDEO = auto()
    DOCUMENT = auto()


@dataclass(frozen=True, slots=True)
class Content:
    """What a file is; a picture has a format, and junk the rule that says so."""

    kind: Kind
    format: Format | None = None
    rule: str = ""


def content(path: str, head: bytes, *, size: int) -> Content:
    """What a file of `size` bytes is that starts with `head`. Never raises.

    `head` is the first formats.HEAD bytes, or the whole file if it is shorter.
    """
    if format := formats.recognise(head, size=size):
        return Content(Kind.PICTURE, format)
    if size <= LARGEST_JUNK and (rule := junk.rule(path)):
        return Content(Kind.JUNK, rule=rule)
    return Content(Kind.VIDEO if films.is_video(head) else Kind.DOCUMENT)


def extension(name: str) -> str:
    """What a kept file is called in the vault after its digest: letters and digits."""
    found = name.rpartition(".")[2].lower()
    plain = found.isascii() and found.isalnum() and "." in name[1:]
    return found if plain and len(found) <= 8 else "bin"
