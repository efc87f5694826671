"""Every entry under a folder, in a stable order, without following a link.

Folders are opened one below the other, so that no path is too long; names are bytes, so
that none is too strange. Other file systems mounted below are entered, since photos may
lie on them; the kernel's own (/proc and the like) are one entry each.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

# Longer paths are opened in pieces; Linux takes 4095 bytes at once.
PIECE = 4000
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
LONGEST_NS = 2**63 - 1  # signed, in 64 bits
# Reading leaves the access time as it is, where the system allows that.
NO_ATIME = getattr(os, "O_NOATIME", 0)

# Marks a byte that is no UTF-8; no file system writes it by itself.
MARK = "\N{REPLACEMENT CHARACTER}"
_STRANGE = re.compile(f"[{MARK}\udc80-\udcff]")
_MARKED = re.compile(f"{MARK}({MARK}|[0-9a-f]{{2}}|)")


class Kind(Enum):
    """What an entry is, as far as a walk can tell without opening it."""

    FILE = auto()
    LINK = auto()
    SPECIAL = auto()  # pipe, socket, device; a file system of the kernel
    UNREADABLE = auto()  # a folder that cannot be listed, a file without status
    EXCLUDED = auto()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry seen; `path` is relative to the root walked, as `readable` writes it."""

    path: str
    kind: Kind
    size: int = 0  # bytes
    modified_ns: int | None = None  # nanoseconds since 1970 UTC
    reason: str = ""
    # The name of a picture beside this film, where there is one; see gallery/pairs.py
    beside: str = ""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


class Listing:
    """What a walk saw, as one digest: paths, kinds, sizes and modification times."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, entry: Entry) -> None:
        seen = (entry.path, entry.kind.name, entry.size, entry.modified_ns)
        self._digest.update(f"{seen!r}\n".encode())

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()


# (path, name) -> why this entry is left out, "" if it is not
Exclusion = Callable[[str, str], str]


def readable(name: bytes) -> str:
    """Write any file name as text that can be stored, and turned back by `raw`.

    A byte that is no UTF-8 becomes U+FFFD and two hexadecimal digits; U+FFFD itself is
    written twice.
    """
    text = name.decode("utf-8", "surrogateescape")
    return text if text.isascii() else _STRANGE.sub(_mark, text)


def _mark(match: re.Match[str]) -> str:
    character = match[0]
    return MARK * 2 if character == MARK else f"{MARK}{ord(character) - 0xDC00:02x}"


def raw(text: str) -> bytes:
    """Return the bytes `readable` made this of. Raise ValueError for any other text."""
    return _MARKED.sub(_unmark, text).encode("utf-8", "surrogateescape")


def _unmark(match: re.Match[str]) -> str:
    written = match[1]
    if written == MARK:
        return MARK
    if not written or int(written, 16) < 0x80:
        raise ValueError(f"{match.string!r} is not written by readable()")
    return chr(0xDC00 + int(written, 16))


def open_below(root: int, path: bytes, flags: int) -> int:
    """Open a path of any length below a folder's descriptor; links are refused."""
    folder = root
    try:
        while len(path) > PIECE:
            cut = path.rindex(b"/", 0, PIECE)
            inner = os.open(path[:cut], DIRECTORY, dir_fd=folder)
            if folder != root:
                os.close(folder)
            folder, path = inner, path[cut + 1 :]
        return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    finally:
        if folder != root:
            os.close(folder)


def open_quietly(root: int | None, path: bytes, flags: int = DIRECTORY) -> int:
    """Open a path for reading, below a folder or anywhere, and leave no trace on it."""
    for quiet in (NO_ATIME, 0):
        try:
            if root is None:
                return os.open(path, flags | quiet)
            return open_below(root, path, flags | quiet)
        except PermissionError:
            # Only a file's owner may hide that it was read.
            if not quiet:
                raise
    raise AssertionError("the last try returns or raises")


def is_there(root: int, path: bytes) -> bool:
    """Whether there is anything at a path below a folder's descriptor, even a link."""
    try:
        descriptor = open_below(root, path, os.O_PATH | os.O_NOFOLLOW)
    except (OSError, ValueError):
        return False
    os.close(descriptor)
    return True


def storable(modified_ns: int) -> int:
    """The nearest time a database can hold, in nanoseconds since 1970 UTC.

    File systems know later times than the year 2262; only broken clocks write them.
    """
    return max(-LONGEST_NS, min(modified_ns, LONGEST_NS))


def has_entries(folder: int) -> bool:
    """Whether there is anything in a folder; raise OSError if that cannot be told."""
    with os.scandir(folder) as entries:
        return any(entries)


def walk(
    root: int,
    *,
    exclude: Exclusion | None = None,
    skip: tuple[int, int] | None = None,
    kernel: Mapping[int, str] | None = None,
) -> Iterator[Entry]:
    """Yield every entry below a folder once: a folder's files by name, then its folders.

    `root` is the folder's descriptor. `skip` is the (device, inode) of a folder not to
    enter: the vault. `kernel` names the devices of the kernel's file systems. Folders
    themselves are entries only where they are left out or cannot be listed.
    """
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        inner: list[bytes] = []
        yield from _entries(root, folder, inner, exclude, skip, kernel or {})
        waiting.extend(reversed(inner))


def _entries(
    root: int,
    folder: bytes,
    inner: list[bytes],
    exclude: Exclusion | None,
    skip: tuple[int, int] | None,
    kernel: Mapping[int, str],
) -> Iterator[Entry]:
    """Yield the entries of one folder; add the folders to enter to `inner`."""
    try:
        here = open_quietly(root, folder or b".")
    except OSError as error:
        yield _unreadable(folder, error)
        return
    try:
        refused = _refusal(folder, os.fstat(here), skip, kernel)
        if refused:
            yield refused
            return
        prefix = folder + b"/" if folder else b""
        for item in _listed(here):
            if isinstance(item, OSError):
                yield _unreadable(folder, item)
                continue
            path = prefix + os.fsencode(item.name)
            entry = _entry(path, item, exclude)
            if entry:
                yield entry
            else:
                inner.append(path)
    finally:
        os.close(here)


def _listed(here: int) -> Iterator[os.DirEntry[str] | OSError]:
    """Yield a folder's entries by name, then the error that ended the list, if any."""
    names: list[os.DirEntry[str]] = []
    ended: OSError | None = None
    try:
        with os.scandir(here) as found:
            names.extend(found)
    except OSError as error:
        ended = error
    names.sort(key=lambda item: item.name)
    yield from names
    if ended:
        yield ended


def _refusal(
    folder: bytes,
    found: os.stat_result,
    skip: tuple[int, int] | None,
    kernel: Mapping[int, str],
) -> Entry | None:
    if (found.st_dev, found.st_ino) == skip:
        return Entry(readable(folder), Kind.EXCLUDED, reason="the vault itself")
    if found.st_dev in kernel and folder:
        reason = f"a file system of the kernel ({kernel[found.st_dev]})"
        return Entry(readable(folder), Kind.SPECIAL, reason=reason)
    return None


def _entry(
    raw_path: bytes, item: os.DirEntry[str], exclude: Exclusion | None
) -> Entry | None:
    """Return the entry, None for a folder to enter."""
    path = readable(raw_path)
    if exclude and (reason := exclude(path, path.rpartition("/")[2])):
        return Entry(path, Kind.EXCLUDED, reason=reason)
    try:
        if item.is_dir(follow_symlinks=False):
            return None
        found = item.stat(follow_symlinks=False)
    except OSError as error:
        return _unreadable(raw_path, error)
    if stat.S_ISREG(found.st_mode):
        return Entry(path, Kind.FILE, found.st_size, storable(found.st_mtime_ns))
    if stat.S_ISLNK(found.st_mode):
        return Entry(path, Kind.LINK, modified_ns=storable(found.st_mtime_ns))
    return Entry(path, Kind.SPECIAL, reason=_what(found.st_mode))


def _what(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a pipe"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a device"


def _unreadable(path: bytes, error: OSError) -> Entry:
    reason = error.strerror or str(error)
    return Entry(readable(path) or ".", Kind.UNREADABLE, reason=reason)
