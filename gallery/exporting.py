"""Everything the gallery shows as plain dated files, for the day the family leaves us.

2009/2009-07/2009-07-21 14.03.22 IMG_0412.jpg
2009/2009-07/2009-07-21 14.03.22 IMG_0412.jpg.xmp     what is known of it
other files/Blue WD 2009/films/Christmas.avi          what else is kept, as it lay there
SHA256SUMS                                            checks them, without this program

SHA256SUMS also tells a later run which files are its own. A line is there before its file
is: what no line speaks of belongs to somebody else, and is never written over.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from gallery import (
    albums,
    catalogue,
    copying,
    drafts,
    export_list,
    export_names,
    vault,
    xmp_packet,
)
from gallery.copying import CopyFails, NotTheSame
from gallery.export_list import SIDECAR, Own
from gallery.importer import undisturbed
from gallery.models import Album, Favourite, KeptFile, Photo, SourceFile
from gallery.originals import CannotRead
from gallery.stages import chunks

MARKER = "imagevault-export.json"
FORMAT = 1
PAGE = 50  # photos whose lines are written at once
STARRED = 5  # stars, for what is somebody's favourite
# What a disk says of one file and not of all of them.
ONE_FILE = {errno.EFBIG, errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG}

Tell = Callable[[int, int], None]  # files and bytes so far


class Refused(Exception):
    """There is nothing to begin with; the message says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which photos: those taken from `first` to `last`, those of an album, or all."""

    first: date | None = None
    last: date | None = None
    album: Album | None = None


@dataclass(slots=True)
class ExportReport:
    """What an export did.

    `changed` are files of an earlier export that somebody has changed since, `gone` those
    whose photo is not in the gallery any more: both stay as they are. `wrong` are photos
    that could not be exported.
    """

    photos: int = 0
    others: int = 0  # films and documents
    copied: int = 0
    bytes_copied: int = 0
    moved: int = 0
    described: int = 0
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    wrong: list[dict[str, str]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def export(
    target: Path,
    wanted: Wanted = Wanted(),
    *,
    verify: bool = False,
    progress: Tell = lambda files, done: None,
) -> ExportReport:
    """Copy the live photos to dated folders, each with a sidecar; go on with what is there.

    With `verify` what was copied before is read again as well. Raise Refused,
    vault.NoVault, or CopyFails.
    """
    folder = settings.IMAGEVAULT_DATA
    vault.require(folder)
    busy = Refused(_("Another export is running. Wait for its end."))
    with (
        drafts.alone(folder / "incoming", "export", otherwise=busy),
        closing(Own(target)) as own,
    ):
        _claim(target, folder)
        _read_list(own)
        one = _Export(target, own, verify=verify, progress=progress)
        one.carry_out(wanted)
        own.write()
    return one.report


def _read_list(own: Own) -> None:
    try:
        own.read()
    except CannotRead as error:
        raise Refused(error.reason) from error


def _claim(target: Path, folder: Path) -> None:
    """Make the folder one for exports of this vault; raise Refused if it cannot be."""
    if vault.overlaps(target, folder):
        raise Refused(_("The export must not lie in the vault, nor the vault in it."))
    marker = {"vault": vault.identity(folder), "format": FORMAT}
    try:
        target.mkdir(parents=True, exist_ok=True)
        if (target / MARKER).exists():
            if json.loads((target / MARKER).read_bytes()) != marker:
                raise Refused(
                    _("%(folder)s is the export of another vault.") % {"folder": target}
                )
            return
        if (target / export_list.NAME).exists():
            raise Refused(
                _("%(file)s is there already, and not from an export.")
                % {"file": target / export_list.NAME}
            )
        export_list.write(target, MARKER, f"{json.dumps(marker)}\n".encode())
    except ValueError as error:
        raise Refused(f"{target / MARKER}: {error}") from error
    except OSError as error:
        raise Refused(f"{target}: {error.strerror}.") from error


@dataclass(frozen=True, slots=True)
class _Planned:
    """A photo or kept file, where it shall lie, where it lies now, and its sidecar."""

    photo: Photo | KeptFile
    path: str
    before: str
    text: bytes  # nothing for what is no photo
    modified_ns: int | None

    @property
    def sidecar(self) -> str:
        return f"{self.path}{SIDECAR}"

    @property
    def text_digest(self) -> str:
        return hashlib.sha256(self.text).hexdigest()


class _Export:
    """One run."""

    def __init__(self, target: Path, own: Own, *, verify: bool, progress: Tell) -> None:
        self.target = target
        self.own = own
        self.verify = verify
        self.progress = progress
        self.report = ExportReport()
        self.bytes = 0
        # Thousands of "IMG_0001.jpg" are numbered on, not counted anew each time.
        self.counts: dict[str, int] = {}

    def carry_out(self, wanted: Wanted) -> None:
        titles = _titles()
        for photos in _pages(wanted):
            seen, stars = _seen(photo=photos), Favourite.objects.photos(photos)
            self.bring_all(
                self.planned(
                    photo,
                    _place(photo),
                    seen[photo.pk].modified_ns,
                    _described(
                        photo,
                        titles=titles.get(photo.pk, ()),
                        seen=seen[photo.pk].places,
                        is_starred=photo.pk in stars,
                    ),
                )
                for photo in photos
            )
        # Nothing says when a film was taken, or what album it is in.
        if wanted == Wanted():
            for files in _kept_pages():
                seen = _seen(kept=files)
                self.bring_all(
                    self.planned(
                        file,
                        export_names.other_place(*seen[file.pk].first, name=file.name),
                        seen[file.pk].modified_ns,
                    )
                    for file in files
                )
        self.report.gone = list(self.gone())

    def bring_all(self, planned: Iterable[_Planned]) -> None:
        page = list(planned)
        self.announce(page)
        for one in page:
            self.bring(one)
            self.bytes += one.photo.size
            self.progress(self.report.photos + self.report.others, self.bytes)

    def gone(self) -> Iterator[str]:
        for some in chunks(self.own.not_seen(), 500):
            digests = [digest for _path, digest in some]
            live = Photo.objects.live().filter(digest__in=digests)
            kept = KeptFile.objects.filter(digest__in=digests)
            still = {
                *live.values_list("digest", flat=True),
                *kept.values_list("digest", flat=True),
            }
            yield from (path for path, digest in some if digest not in still)

    # Where to

    def planned(
        self,
        photo: Photo | KeptFile,
        wanted: PurePosixPath,
        modified_ns: int | None,
        text: bytes = b"",
    ) -> _Planned:
        """Find the file's place, and keep it from those that come after."""
        before = next(
            (
                path
                for path in self.own.paths(photo.digest)
                if self.is_there(path, photo)
            ),
            "",
        )
        path = (
            before
            if export_names.is_called(before, wanted)
            else self.free(wanted, photo.digest)
        )
        self.own.note(path, photo.digest, is_sure=True)
        return _Planned(photo, path, before, text, modified_ns)

    def is_there(self, path: str, photo: Photo | KeptFile) -> bool:
        file = self.target / path
        if not copying.is_there(file, photo.size):
            self.say_changed(path)
            return False
        if self.verify and not copying.is_whole(file, photo.digest):
            self.say_changed(path)
            return False
        return True

    def say_changed(self, path: str) -> None:
        """Leave alone what is not as it was exported, from now on for good."""
        if os.path.lexists(self.target / path):
            self.report.changed.append(path)
            self.own.forget(path)

    def free(self, wanted: PurePosixPath, digest: str) -> str:
        """The place wanted, or with the lowest number the first that nobody has."""
        base = export_list.key_of(str(wanted))
        for number in range(self.counts.get(base, 1), 1_000_000):
            path = export_names.numbered(wanted, number)
            if self.own.is_free(path, digest) and not self.is_taken(path):
                if number > 1:
                    self.counts[base] = number + 1
                return path
        raise CopyFails(_("There are too many files called %s.") % wanted.name)

    def is_taken(self, path: str) -> bool:
        sidecar = f"{path}{SIDECAR}"
        if os.path.lexists(self.target / path):
            return True
        return os.path.lexists(self.target / sidecar) and not self.own.knows(sidecar)

    # The files

    def announce(self, page: list[_Planned]) -> None:
        new = [
            line
            for one in page
            for line in (
                (one.path, one.photo.digest),
                (one.sidecar, one.text_digest),
            )[: 2 if one.text else 1]
            if one.path != one.before or not self.own.has(*line)
        ]
        if new:
            self.own.append(new)

    def bring(self, one: _Planned) -> None:
        try:
            self.lay(one)
        except (NotTheSame, CannotRead) as error:
            self.refuse(one, str(error))
        except CopyFails as error:
            if getattr(error.__cause__, "errno", 0) not in ONE_FILE:
                raise
            self.refuse(one, str(error))
        except OSError as error:
            raise CopyFails(
                f"{self.target / one.path} cannot be written: {error.strerror}."
            ) from error
        else:
            self.report.photos += bool(one.text)
            self.report.others += not one.text

    def lay(self, one: _Planned) -> None:
        """Have the file and its sidecar lie where they belong."""
        (self.target / one.path).parent.mkdir(parents=True, exist_ok=True)
        if not one.before:
            self.copy(one)
        elif one.before != one.path:
            # Its date or its name is another now.
            (self.target / one.before).rename(self.target / one.path)
            self.report.moved += 1
        self.own.settle(one.path, one.photo.digest)
        self.clear_behind(one)
        if one.text:
            self.describe(one)

    def refuse(self, one: _Planned, reason: str) -> None:
        self.own.forget(one.path)
        photo = one.photo
        self.report.wrong.append(
            {"digest": photo.digest, "name": photo.name, "reason": reason}
        )

    def copy(self, one: _Planned) -> None:
        photo, place = one.photo, self.target / one.path
        source = vault.original(settings.IMAGEVAULT_DATA, photo.digest, photo.extension)
        part = self.target / export_list.PART
        self.report.bytes_copied += copying.copy(
            source, place, digest=photo.digest, mode=0o644, part=part
        )
        self.report.copied += 1
        if one.modified_ns is not None:
            # Some disks know no such times.
            with suppress(OSError, OverflowError):
                os.utime(place, ns=(one.modified_ns, one.modified_ns))

    def clear_behind(self, one: _Planned) -> None:
        """Take along what is left where the photo's file lay before."""
        for path in self.own.paths(one.photo.digest):
            if os.path.lexists(self.target / path):
                continue
            left, sidecar = f"{path}{SIDECAR}", self.target / one.sidecar
            there = _digest(self.target / left)
            if there and self.own.has(left, there):
                (self.target / left).unlink()
            elif there and not os.path.lexists(sidecar):
                # Somebody has made it theirs.
                (self.target / left).rename(sidecar)
                self.report.changed.append(one.sidecar)
            self.own.forget(left)
            self.own.forget(path)
            for folder in list((self.target / path).parents)[:2]:
                # Only what is empty goes.
                with suppress(OSError):
                    folder.rmdir()

    def describe(self, one: _Planned) -> None:
        """Write the sidecar, unless somebody has made it theirs."""
        path, digest = one.sidecar, one.text_digest
        there = _digest(self.target / path)
        if there != digest:
            if there and not self.own.has(path, there):
                # Said once: from now on it is known to be theirs.
                if self.own.knows(path):
                    self.report.changed.append(path)
                    self.own.forget(path)
                return
            export_list.write(self.target, path, one.text)
            self.report.described += 1
        self.own.settle(path, digest)


def _digest(file: Path) -> str:
    """The digest of a small file, "" if there is none."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""


# Which photos, and what is known of them


def _taken_within(wanted: Wanted) -> Any:
    photos = Photo.objects.live()
    if wanted.first:
        photos = photos.filter(taken_at__gte=datetime.combine(wanted.first, time()))
    if wanted.last:
        after = wanted.last + timedelta(days=1)
        photos = photos.filter(taken_at__lt=datetime.combine(after, time()))
    return photos


def _pages(wanted: Wanted) -> Iterator[list[Photo]]:
    """The photos to export, a few at a time, in the order they came."""
    photos = _taken_within(wanted).order_by("pk")
    if wanted.album:
        inside = albums.contents(wanted.album, catalogue.current())
        for pks in chunks(sorted(set(inside.pks.tolist())), PAGE):
            yield _read(photos.filter(pk__in=pks))
        return
    last = 0
    while some := _read(photos.filter(pk__gt=last)[:PAGE]):
        yield some
        last = some[-1].pk


@undisturbed
def _read(rows: Any) -> list[Any]:
    return list(rows)


def _kept_pages() -> Iterator[list[KeptFile]]:
    """The films and documents, and what belongs to a photo, a few at a time."""
    last = 0
    files = KeptFile.objects.order_by("pk")
    while some := _read(files.filter(pk__gt=last)[:PAGE]):
        yield some
        last = some[-1].pk


def _place(photo: Photo) -> PurePosixPath:
    return export_names.place(
        photo.name,
        photo.extension,
        taken_at=photo.taken_at,
        precision=photo.taken_precision,
    )


@undisturbed
def _titles() -> dict[int, list[str]]:
    """The titles of the albums that photos are in."""
    every = list(Album.objects.order_by("title", "pk"))
    inside = albums.contents_of(every, catalogue.current()) if every else {}
    titles: dict[int, list[str]] = {}
    for album in every:
        for pk in dict.fromkeys(inside[album.pk].pks.tolist()):
            titles.setdefault(pk, []).append(album.title)
    return titles


@dataclass(slots=True)
class _Seen:
    """Where a photo was found ("Blue WD 2009: DCIM/0042.JPG"), and its earliest time."""

    places: list[str] = field(default_factory=list)
    first: tuple[str, str] = ("", "")  # drive and path
    modified_ns: int | None = None  # since 1970 UTC

    def add(self, drive: str, path: str, modified_ns: int | None) -> None:
        self.first = self.first if any(self.first) else (drive, path)
        if (known := f"{drive}: {path}") not in self.places:
            self.places.append(known)
        if modified_ns is not None:
            before = self.modified_ns
            self.modified_ns = min(before or modified_ns, modified_ns)


@undisturbed
def _seen(**what: list[Photo] | list[KeptFile]) -> dict[int, _Seen]:
    ((name, files),) = what.items()
    found = {one.pk: _Seen() for one in files}
    rows = SourceFile.objects.filter(**{f"{name}__in": files}).order_by("pk")
    names = (f"{name}_id", "source__label", "path", "modified_ns")
    for pk, drive, path, modified_ns in rows.values_list(*names):
        found[pk].add(drive, path, modified_ns)
    return found


def _described(
    photo: Photo, *, titles: Iterable[str], seen: Iterable[str], is_starred: bool
) -> bytes:
    known = xmp_packet.Known(
        name=photo.name,
        digest=photo.digest,
        taken_at=photo.taken_at,
        taken_offset=photo.taken_offset,
        precision=photo.taken_precision,
        taken_from=photo.taken_from,
        latitude=photo.latitude,
        longitude=photo.longitude,
        rating=STARRED if is_starred else 0,
        keywords=titles,
        seen=seen,
    )
    return xmp_packet.packet(known)
