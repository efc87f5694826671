import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gallery import drives

MOUNTS = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
40 27 8:17 / /media/Grandma's\040USB rw master:3 propagate_from:2 - vfat /dev/sdb1 rw
41 27 0:50 /photos /mnt/nas rw - cifs //nas/family rw
42 27 8:17 /DCIM /mnt/cards rw - vfat /dev/sdb1 rw
nonsense
"""


@pytest.fixture
def known():
    return drives.mounts(MOUNTS)


def test_mounts_are_read(known):
    assert len(known) == 5
    assert known[2].point == "/media/Grandma's USB"
    assert known[2].device == os.makedev(8, 17)
    assert known[2].origin == "/dev/sdb1"


def test_a_path_lies_in_the_innermost_mount(known):
    found = drives.mount_of(Path("/media/Grandma's USB/DCIM"), known)
    assert found == known[2]
    assert drives.mount_of(Path("/media/other"), known) == known[1]


def test_the_kernels_file_systems_are_told(known):
    assert drives.kernel_devices(known) == {os.makedev(0, 21): "proc"}


@pytest.fixture
def udev(tmp_path, monkeypatch, known):
    """Names as udev gives them, on a machine with the mounts above."""
    for folder, name in (("by-uuid", "6A3F-11C2"), ("by-label", r"Blue\x20WD\x202009")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).symlink_to("/dev/sdb1")
    monkeypatch.setattr(drives, "BY_UUID", tmp_path / "by-uuid")
    monkeypatch.setattr(drives, "BY_LABEL", tmp_path / "by-label")
    monkeypatch.setattr(drives, "mounts", lambda: known)


@pytest.mark.usefixtures("udev")
@pytest.mark.parametrize(
    ("path", "volume"),
    [
        ("/media/Grandma's USB", "uuid=6A3F-11C2:/"),
        ("/media/Grandma's USB/DCIM/1", "uuid=6A3F-11C2:/DCIM/1"),
        ("/mnt/cards/1", "uuid=6A3F-11C2:/DCIM/1"),
        ("/mnt/nas/2009", "cifs=//nas/family:/photos/2009"),
    ],
)
def test_a_folder_has_one_volume_wherever_it_is_mounted(path, volume):
    assert drives.volume(Path(path)) == volume


@pytest.mark.usefixtures("udev")
def test_a_whole_drive_is_called_by_its_label():
    assert drives.label(Path("/media/Grandma's USB")) == "Blue WD 2009"


@pytest.mark.usefixtures("udev")
def test_a_folder_is_called_by_its_name():
    assert drives.label(Path("/media/Grandma's USB/DCIM")) == "DCIM"
    assert drives.label(Path("/")) == "This computer"


def test_a_very_long_path_still_has_a_volume_of_its_own(tmp_path):
    one, other = (tmp_path.joinpath(*["d" * 200] * 3, name) for name in "ab")
    one.mkdir(parents=True)
    other.mkdir()
    assert len(drives.volume(one)) <= drives.LONGEST
    if drives.volume(one):
        assert drives.volume(one) != drives.volume(other)


@pytest.fixture
def bound(tmp_path):
    """A folder, and the same folder mounted elsewhere."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount")
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    mounted = subprocess.run(["mount", "--bind", here, there], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"mount: {mounted.stderr.decode()}")
    yield here, there
    subprocess.run(["umount", there], check=True)


def test_a_bind_mount_is_the_same_volume(bound):
    here, there = bound
    assert drives.volume(here)
    assert drives.volume(here) == drives.volume(there)
