"""What a folder is mounted from: how a drive is known again wherever it is plugged in."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from gallery import walk

MOUNTS = Path("/proc/self/mountinfo")
BY_UUID = Path("/dev/disk/by-uuid")
BY_LABEL = Path("/dev/disk/by-label")
LONGEST = 500

# Made by the kernel as they are read; no photo lies there.
KERNEL = {
    *("autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs"),
    *("devpts", "devtmpfs", "efivarfs", "fusectl", "hugetlbfs", "mqueue", "nsfs"),
    *("proc", "pstore", "rpc_pipefs", "securityfs", "selinuxfs", "sysfs", "tracefs"),
}
# Their statvfs identity comes from what is on the disk, not from where it is plugged in.
LASTING_IDS = {"ext2", "ext3", "ext4", "btrfs", "zfs"}
# The address they are mounted from is who they are.
NETWORK = {"nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "fuse.sshfs"}


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo (proc(5)): what of a file system is mounted where."""

    device: int  # as in st_dev
    inside: str  # the folder of the file system that is mounted
    point: str
    type: str
    origin: str  # a device, or an address


_LINE = re.compile(
    r"\S+ \S+ (?P<major>\d+):(?P<minor>\d+) (?P<inside>\S+) (?P<point>\S+) .*? - "
    r"(?P<type>\S+) (?P<origin>\S*)"
)


def mounts(text: str | None = None) -> list[Mount]:
    """The mounts of this machine, or those of a text like /proc/self/mountinfo."""
    if text is None:
        try:
            text = MOUNTS.read_text(errors="surrogateescape")
        except OSError:
            text = ""
    lines = (_LINE.match(line) for line in text.split("\n"))
    return [
        Mount(
            device=os.makedev(int(line["major"]), int(line["minor"])),
            inside=_unescaped(line["inside"]),
            point=_unescaped(line["point"]),
            type=line["type"],
            origin=_unescaped(line["origin"]),
        )
        for line in lines
        if line
    ]


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def kernel_devices(known: list[Mount]) -> dict[int, str]:
    """The devices (st_dev) of the kernel's own file systems, with their type."""
    return {mount.device: mount.type for mount in known if mount.type in KERNEL}


def mount_of(path: Path, known: list[Mount]) -> Mount | None:
    """The mount an absolute, resolved path lies in: the innermost, the last made."""
    inside = [mount for mount in known if path.is_relative_to(mount.point)]
    return max(
        enumerate(inside),
        key=lambda item: (len(item[1].point), item[0]),
        default=(0, None),
    )[1]


def volume(path: Path) -> str:
    """Name a folder by its file system and its place in it, "" if that cannot be told.

    The same drive gets the same name at another mount point, or through a bind mount.
    """
    path = path.resolve()
    mount = mount_of(path, mounts())
    if mount is None or not (identity := _identity(path, mount)):
        return ""
    below = path.relative_to(mount.point).as_posix()
    folder = "/".join(part for part in (mount.inside.strip("/"), below) if part != ".")
    name = f"{identity}:/{walk.readable(os.fsencode(folder.strip('/')))}"
    if len(name) > LONGEST:
        return f"{identity}:{hashlib.sha256(os.fsencode(folder)).hexdigest()}"[:LONGEST]
    return name


def _identity(path: Path, mount: Mount) -> str:
    if mount.type in NETWORK:
        return f"{mount.type}={mount.origin}"
    if uuid := _named(BY_UUID, mount):
        return f"uuid={uuid}"
    if mount.type in LASTING_IDS:
        return f"fsid={os.statvfs(path).f_fsid:x}"
    return ""


def _named(names: Path, mount: Mount) -> str:
    """The name udev gave this mount's device, "" if none."""
    device = Path(mount.origin).resolve()
    try:
        links = sorted(names.iterdir())
    except OSError:
        return ""
    for link in links:
        try:
            if link.resolve() == device or link.stat().st_rdev == mount.device:
                return _plain(link.name)
        except OSError:
            continue
    return ""


def _plain(name: str) -> str:
    """Undo udev's \\x20 for what a file name in /dev may not hold."""
    escaped = re.sub(
        rb"\\x([0-9a-f]{2})",
        lambda found: bytes([int(found[1], 16)]),
        os.fsencode(name),
    )
    return walk.readable(escaped)


def label(path: Path) -> str:
    """What to call a drive: its volume label if all of it is meant, else its folder."""
    path = path.resolve()
    mount = mount_of(path, mounts())
    if mount and Path(mount.point) == path and (named := _named(BY_LABEL, mount)):
        return named.strip() or path.name
    return walk.readable(os.fsencode(path.name)) or "This computer"


def disk_name(path: Path) -> str:
    """What the disk that a folder lies on is called: its label, or where it is mounted."""
    path = path.resolve()
    mount = mount_of(path, mounts())
    if mount is None:
        return label(path)
    at = Path(mount.point).name
    return (
        _named(BY_LABEL, mount).strip() or walk.readable(os.fsencode(at)) or label(path)
    )


def is_plugged_in(device: int) -> bool:
    """Whether the disk behind an st_dev is still there, as far as the kernel says."""
    folder = Path("/sys/dev/block")
    return not folder.is_dir() or os.path.lexists(
        folder / f"{os.major(device)}:{os.minor(device)}"
    )


def spins(device: int) -> bool:
    """Whether the disk behind an st_dev has to seek: true unless the kernel denies it."""
    block = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve()
    for folder in (block, block.parent):
        try:
            return (folder / "queue/rotational").read_text().strip() != "0"
        except OSError:
            continue
    return True
