"""Uploads in pieces: begun, gone on with after any break, and finished exactly once.

What has arrived is what the file in uploads/ holds. A file that is whole takes the same
way in as every other upload; its ledger row and the transfer's answer are one transaction,
so that whoever finishes it a second time finds the answer and adds nothing.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext

from gallery import formats, originals, pieces, uploads, vault
from gallery.arrivals import MAX_BYTES, Arrival
from gallery.models import ImportRun, Photo, Transfer
from gallery.originals import vault_fails
from gallery.pieces import Busy, Gone, Part
from gallery.uploads import Answer, Kind
from imagevault.spoken import spoken

logger = logging.getLogger(__name__)

# How long an unfinished file waits for its next piece, and an answer to be asked for.
PATIENCE = timedelta(days=7)
MEMORY = timedelta(days=1)
# Of what one person may have begun and not finished, and what stays free on the disk.
MOST_UNFINISHED = 20 << 30  # bytes
RESERVE = 256 << 20  # bytes
NOT_AS_SENT = "it did not arrive as it was sent, send it again"


class CannotGoOn(Exception):
    """The file is not taken, or not now; the message is for who sends it."""


class TooLarge(CannotGoOn):
    pass


class TooMuch(CannotGoOn):
    """The person has begun too much already."""


class DiskFull(CannotGoOn):
    pass


class WrongOffset(CannotGoOn):
    """The piece does not begin where the file ends."""

    def __init__(self) -> None:
        super().__init__(gettext("The file does not go on there."))


class WrongChecksum(CannotGoOn):
    """The piece did not arrive as it was sent; nothing of it was kept."""

    def __init__(self) -> None:
        super().__init__(gettext("This piece did not arrive as it was sent."))


class InUse(CannotGoOn):
    """Somebody is sending this very file at the moment."""

    def __init__(self) -> None:
        super().__init__(gettext("This file is being received already."))


class Lost(CannotGoOn):
    """Nothing is left of what had arrived."""

    def __init__(self) -> None:
        super().__init__(gettext("This upload is not known any more."))


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a piece has to hash to."""

    algorithm: str
    digest: bytes

    @classmethod
    def read(cls, header: str) -> Checksum:
        """Read "sha256 <base64>". Raise ValueError."""
        algorithm, _, text = header.strip().partition(" ")
        if algorithm not in ALGORITHMS:
            raise ValueError(f"unknown algorithm {algorithm!r}")
        digest = base64.b64decode(text, validate=True)
        if len(digest) != hashlib.new(algorithm).digest_size:
            raise ValueError("the digest is not as long as it has to be")
        return cls(algorithm, digest)


ALGORITHMS = ("sha256", "sha1")


def begin(
    *,
    by: User,
    run: ImportRun,
    path: str,
    digest: str,
    size: int,
    modified_ns: int | None,
) -> tuple[Transfer, bool]:
    """Make room for a file; return its transfer, and whether it is a new one.

    A file that was begun in this upload already is not begun twice. Raise TooLarge,
    TooMuch, DiskFull, or NoVault.
    """
    folder = settings.IMAGEVAULT_DATA
    vault.require(folder)
    path = uploads.safe_path(path)
    same = Transfer.objects.of(by).filter(run=run, path=path, digest=digest, size=size)
    if begun := same.select_related("run", "by").first():
        return begun, False
    if size > MAX_BYTES:
        raise TooLarge(spoken(uploads.too_large()))
    waiting = Transfer.objects.of(by).unfinished().aggregate(sum=Sum("size"))["sum"]
    if (waiting or 0) + size > MOST_UNFINISHED:
        raise TooMuch(
            gettext(
                "Too many of your uploads are unfinished. Finish them, or remove them "
                "on the upload page."
            )
        )
    check_room(size)
    transfer = Transfer(
        by=by,
        run=run,
        path=path,
        digest=digest,
        size=size,
        modified_ns=modified_ns,
    )
    try:
        # First the file: a row without one is a file that got lost.
        pieces.begin(place(transfer))
    except OSError as error:
        raise DiskFull(spoken(str(vault_fails(error)))) from error
    transfer.save(force_insert=True)
    return transfer, True


def check_room(size: int) -> None:
    """Raise DiskFull unless so many bytes fit onto the vault's disk, and some to spare."""
    folder = settings.IMAGEVAULT_DATA / "incoming"
    if shutil.disk_usage(folder).free < size + RESERVE:
        raise DiskFull(gettext("The vault's disk is full. Nothing more can be stored."))


def place(transfer: Transfer) -> Path:
    """Where what has arrived lies."""
    return vault.upload(settings.IMAGEVAULT_DATA, transfer.pk)


def offset(transfer: Transfer) -> int:
    """How many bytes have arrived, finishing the file if that was left undone.

    Raise Lost where nothing is left of it, and InUse.
    """
    if transfer.is_finished:
        return transfer.size
    arrived = pieces.arrived(place(transfer))
    if arrived is None or arrived == transfer.size:
        answer(transfer)
        return transfer.size
    return arrived


def expires(transfer: Transfer) -> datetime:
    try:
        seconds = place(transfer).stat().st_mtime
    except FileNotFoundError:
        return transfer.begun_at + PATIENCE
    return (
        datetime.fromtimestamp(seconds, tz=timezone.get_current_timezone()) + PATIENCE
    )


def receive(
    transfer: Transfer,
    chunks: Iterable[bytes],
    *,
    at: int,
    checksum: Checksum | None = None,
) -> Answer | None:
    """Add a piece; with the last one, return what became of the file.

    Of a piece that breaks off, what has arrived stays, unless it had a checksum. Raise
    InUse, Lost, WrongOffset, WrongChecksum, DiskFull.
    """
    if transfer.is_finished:
        raise WrongOffset
    try:
        end = append(transfer, chunks, at, checksum)
        with taken(transfer) as part:
            if part.size != end:
                raise WrongOffset
            if end == transfer.size or is_no_picture(part, transfer, at):
                return finish(transfer, part)
            return None
    except Lost:
        transfer.refresh_from_db()
        if transfer.is_finished:
            raise WrongOffset from None
        raise


@contextmanager
def taken(transfer: Transfer) -> Iterator[Part]:
    """What has arrived, for this thread alone. Raise InUse or Lost."""
    try:
        with pieces.opened(place(transfer)) as part:
            yield part
    except Busy as error:
        raise InUse from error
    except Gone as error:
        raise Lost from error


def append(
    transfer: Transfer, chunks: Iterable[bytes], at: int, checksum: Checksum | None
) -> int:
    """Write chunks from an offset on; return where they end.

    The file is locked for each chunk and not while the next is waited for: a connection
    that died unnoticed must not keep anybody from going on.
    """
    hash = hashlib.new(checksum.algorithm) if checksum else None
    start = at
    for chunk in chunks:
        with taken(transfer) as part:
            if part.size != at:
                raise WrongOffset
            try:
                part.append(chunk)
            except OSError as error:
                part.cut(start if checksum else part.size)
                raise DiskFull(spoken(str(vault_fails(error)))) from error
        at += len(chunk)
        if hash:
            hash.update(chunk)
    with taken(transfer) as part:
        if part.size != at:
            raise WrongOffset
        if checksum and hash and hash.digest() != checksum.digest:
            part.cut(start)
            raise WrongChecksum
    return at


def is_no_picture(part: Part, transfer: Transfer, before: int) -> bool:
    """Whether the first bytes, once they are there, say that the rest need not come."""
    if before >= formats.HEAD or part.size < formats.HEAD:
        return False
    return formats.recognise(part.head(formats.HEAD), size=transfer.size) is None


def answer(transfer: Transfer) -> Answer:
    """What became of a file that has arrived whole; it is finished if it was not.

    Raise Lost where nothing is left of it, and InUse.
    """
    if not transfer.is_finished:
        try:
            with taken(transfer) as part:
                return finish(transfer, part)
        except Lost:
            transfer.refresh_from_db()
            if not transfer.is_finished:
                return finish_moved(transfer)
    return told(transfer)


def finish_moved(transfer: Transfer) -> Answer:
    """Finish a file that had become an original when its process died. Raise Lost."""
    original = vault.find_original(settings.IMAGEVAULT_DATA, transfer.digest)
    if original is None:
        transfer.delete()
        raise Lost
    descriptor = os.open(original, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return finish(transfer, Part(original, descriptor))
    finally:
        os.close(descriptor)


def finish(transfer: Transfer, part: Part) -> Answer:
    """Take a file in like every other upload, and note what became of it.

    Safe to be done twice, or at once: only one of them writes anything down.
    """
    arrivals = [arrival(transfer, part)]
    before = uploads.known(arrivals)
    findings = uploads.placed(arrivals, before)
    with transaction.atomic():
        locked = Transfer.objects.select_for_update().get(pk=transfer.pk)
        if locked.is_finished:
            return told(locked)
        uploads.record(transfer.run, findings)
        [answer] = uploads.answers(arrivals, findings, before)
        transfer.finish(kind=answer.kind, reason=answer.reason, photo=answer.photo)
    # An original that was moved there is not below uploads/ any more.
    place(transfer).unlink(missing_ok=True)
    return answer


def arrival(transfer: Transfer, part: Part) -> Arrival:
    """The file as the intake knows files, hashed anew: nobody's word is taken for it."""
    arrived = Arrival(
        transfer.path,
        part.path,
        size=transfer.size,
        head=part.head(formats.HEAD),
        modified_ns=transfer.modified_ns,
    )
    if part.size < transfer.size:
        return arrived
    try:
        arrived.digest = originals.read(part.descriptor).digest
    except originals.CannotRead as error:
        arrived.refused = error.reason
    if arrived.digest != transfer.digest and not arrived.refused:
        arrived.refused = NOT_AS_SENT
    return arrived


def told(transfer: Transfer) -> Answer:
    """The answer once more."""
    photos = Photo.objects.select_related("in_favour_of")
    photo = photos.get(pk=transfer.photo_id) if transfer.photo_id else None
    return Answer(transfer.path, Kind(transfer.kind), photo, transfer.reason)


def drop(transfer: Transfer) -> None:
    """Forget an unfinished file, and what has arrived of it. Raise InUse."""
    try:
        with taken(transfer) as part:
            transfer.delete()
            part.drop()
    except Lost:
        transfer.delete()


def unfinished(by: User) -> list[tuple[Transfer, int]]:
    """What a person has begun and not finished, each with the bytes that arrived."""
    rows = Transfer.objects.of(by).unfinished().order_by("begun_at")
    return [(row, pieces.arrived(place(row)) or 0) for row in rows]


def move(transfer: Transfer, *, run: ImportRun, path: str) -> None:
    """Go on with a file as part of another upload, under the path it has there."""
    transfer.run, transfer.path = run, path
    Transfer.objects.unfinished().filter(pk=transfer.pk).update(run=run, path=path)


def waiting(by: User, digests: Iterable[str]) -> dict[str, Transfer]:
    """Of these files, those a person has begun to send, by digest."""
    rows = Transfer.objects.of(by).unfinished().filter(digest__in=list(digests))
    return {row.digest: row for row in rows}


def tidy_up() -> threading.Thread:
    """Tidy beside what goes on, so that no visitor has to wait for it."""
    thread = threading.Thread(target=_tidy_up, daemon=True)
    thread.start()
    return thread


def _tidy_up() -> None:
    try:
        tidy()
    except (DatabaseError, OSError, vault.NoVault):
        # It is done again before long; whoever uploads is told what is wrong.
        logger.warning("Unfinished uploads could not be looked after", exc_info=True)
    finally:
        connection.close()


def tidy() -> None:
    """Finish what died on its last step; forget what nobody goes on with."""
    vault.require(settings.IMAGEVAULT_DATA)
    now = timezone.now()
    for transfer in Transfer.objects.unfinished().select_related("run", "by"):
        with suppress(InUse, Lost):
            if pieces.arrived(place(transfer)) in (transfer.size, None):
                answer(transfer)
            elif expires(transfer) < now:
                drop(transfer)
    Transfer.objects.filter(finished_at__lt=now - MEMORY).delete()
    for path in (settings.IMAGEVAULT_DATA / "uploads").iterdir():
        with suppress(Busy, Gone), pieces.opened(path) as part:
            is_old = time.time() - path.stat().st_mtime > MEMORY.total_seconds()
            if is_old and not Transfer.objects.filter(pk=path.name).exists():
                part.drop()
