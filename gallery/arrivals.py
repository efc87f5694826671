"""Files on their way from a browser into the vault: hashed while they are written."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest

from gallery.formats import HEAD
from gallery.originals import VaultFails, vault_fails

# More than the largest picture file a camera or a scanner makes.
MAX_BYTES = 2 << 30
SUFFIX = ".upload"


@dataclass(slots=True)
class Arrival:
    """One file of an upload, in incoming/ unless something was wrong with it."""

    name: str
    path: Path
    size: int = 0
    head: bytes = b""
    digest: str = ""
    modified_ns: int | None = None  # since 1970 UTC
    refused: str = ""


class Receiver(FileUploadHandler):
    """Write the files of a request straight onto the vault's disk.

    Use it as a context manager: what was not moved to its place by then is removed.
    """

    chunk_size = 1 << 20

    def __init__(self, request: HttpRequest, incoming: Path) -> None:
        super().__init__(request)
        self.incoming = incoming
        self.arrivals: list[Arrival] = []
        self.failure: VaultFails | None = None
        self.descriptor = -1

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *error: object) -> None:
        self.shut()
        for arrival in self.arrivals:
            arrival.path.unlink(missing_ok=True)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        path = self.incoming / f"{secrets.token_hex(12)}{SUFFIX}"
        self.arrivals.append(Arrival(self.file_name or "", path))
        self.hash = hashlib.sha256()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            self.descriptor = os.open(path, flags, 0o600)
        except OSError as error:
            self.stop(error)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        arrival = self.arrivals[-1]
        if start + len(raw_data) > MAX_BYTES:
            arrival.refused = f"it is larger than {MAX_BYTES >> 30} GB"
            self.shut()
            arrival.path.unlink(missing_ok=True)
            raise SkipFile
        self.hash.update(raw_data)
        arrival.size += len(raw_data)
        if len(arrival.head) < HEAD:
            arrival.head += raw_data[: HEAD - len(arrival.head)]
        try:
            self.write(raw_data)
        except OSError as error:
            self.stop(error)

    def write(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]

    def file_complete(self, file_size: int) -> UploadedFile:
        arrival = self.arrivals[-1]
        arrival.digest = self.hash.hexdigest()
        self.shut()
        return UploadedFile(name=arrival.name, size=arrival.size)

    def stop(self, error: OSError) -> None:
        """Take no further file; what has arrived whole is still worth storing."""
        self.failure = vault_fails(error)
        self.arrivals[-1].refused = str(self.failure)
        raise StopUpload(connection_reset=False) from error

    def shut(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
