"""A file system that shows a folder and fails half-way through some of its files.

    python -m tests.faulty_drive FOLDER MOUNTPOINT '{"half.jpg": 4096}'

Speaks the kernel's FUSE protocol (7.19) itself, as root. Says "mounted" when it is, or
why it cannot be; ends when it is unmounted.
"""

import ctypes
import errno
import json
import os
import stat
import struct
import sys
from contextlib import suppress
from pathlib import Path

IN = struct.Struct("<IIQQIIII")
OUT = struct.Struct("<IiQ")
ATTR = struct.Struct("<6Q10I")
# What the kernel asks.
LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE = 1, 2, 3, 14, 15, 17, 18
FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, INTERRUPT, FORGETS = (
    25,
    26,
    27,
    28,
    29,
    36,
    42,
)
UNANSWERED = {FORGET, INTERRUPT, FORGETS}
READ_ONLY, DIRECT = 1, 1


class Drive:
    def __init__(self, folder: Path, faults: dict[str, int]) -> None:
        self.faults = faults
        self.paths = [Path(), folder]  # by node; the kernel calls the root 1

    def node(self, path: Path) -> int:
        if path not in self.paths:
            self.paths.append(path)
        return self.paths.index(path)

    def answer(self, code: int, node: int, body: bytes) -> bytes:
        path = self.paths[node]
        if code == INIT:
            return struct.pack("<4I2HI", 7, 19, 1 << 17, 0, 8, 8, 1 << 17)
        if code == LOOKUP:
            found = path / os.fsdecode(body.rstrip(b"\0"))
            attributes = self.attributes(found)
            return struct.pack("<4Q2I", self.node(found), 0, 0, 0, 0, 0) + attributes
        if code == GETATTR:
            return struct.pack("<Q2I", 0, 0, 0) + self.attributes(path)
        if code in (OPEN, OPENDIR):
            return struct.pack("<Q2I", 0, DIRECT if code == OPEN else 0, 0)
        if code in (READ, READDIR):
            _handle, offset, size = struct.unpack_from("<QQI", body)
            return (self.read if code == READ else self.listed)(path, offset, size)
        if code == STATFS:
            return struct.pack("<5Q10I", *[0] * 5, 4096, 255, *[0] * 8)
        if code in (RELEASE, FLUSH, RELEASEDIR):
            return b""
        raise OSError(errno.ENOSYS, "")

    def attributes(self, path: Path) -> bytes:
        found = path.lstat()
        seconds = found.st_mtime_ns // 10**9
        nanoseconds = found.st_mtime_ns % 10**9
        return ATTR.pack(
            *(self.node(path), found.st_size, found.st_blocks, *[seconds] * 3),
            *([nanoseconds] * 3),
            *(found.st_mode, found.st_nlink, found.st_uid, found.st_gid, 0, 4096, 0),
        )

    def read(self, path: Path, offset: int, size: int) -> bytes:
        fault = self.faults.get(path.name)
        if fault is not None and offset + size > fault:
            if offset >= fault:
                raise OSError(errno.EIO, "")
            size = fault - offset
        with path.open("rb") as file:
            return os.pread(file.fileno(), size, offset)

    def listed(self, path: Path, offset: int, size: int) -> bytes:
        names = [".", "..", *sorted(one.name for one in path.iterdir())]
        said = b""
        for number, name in enumerate(names[offset:], offset + 1):
            kind = stat.S_IFMT((path / name).lstat().st_mode) >> 12
            raw = os.fsencode(name)
            line = struct.pack("<QQII", 1, number, len(raw), kind) + raw
            line += b"\0" * (-len(line) % 8)
            if len(said) + len(line) > size:
                break
            said += line
        return said

    def serve(self, kernel: int) -> None:
        """Answer until the drive is unmounted."""
        while True:
            try:
                asked = os.read(kernel, 1 << 18)
            except OSError as error:
                if error.errno == errno.ENODEV:
                    return
                raise
            _length, code, unique, node, *_rest = IN.unpack_from(asked)
            if code in UNANSWERED:
                continue
            try:
                said, failed = self.answer(code, node, asked[IN.size :]), 0
            except OSError as error:
                said, failed = b"", -(error.errno or errno.EIO)
            answer = OUT.pack(OUT.size + len(said), failed, unique) + said
            with suppress(FileNotFoundError):  # nobody waits for it any more
                os.write(kernel, answer)


def mount(mountpoint: str) -> int:
    """Return the kernel's end; raise OSError where it cannot be mounted."""
    kernel = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={kernel},rootmode=40000,user_id=0,group_id=0,allow_other"
    what = b"faulty", os.fsencode(mountpoint), b"fuse", READ_ONLY, options.encode()
    if ctypes.CDLL(None, use_errno=True).mount(*what):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return kernel


def main(folder: str, mountpoint: str, faults: str) -> None:
    try:
        kernel = mount(mountpoint)
    except OSError as error:
        sys.exit(f"it cannot be mounted: {error.strerror}")
    sys.stdout.write("mounted\n")
    sys.stdout.flush()
    Drive(Path(folder), json.loads(faults)).serve(kernel)


if __name__ == "__main__":
    main(*sys.argv[1:])
