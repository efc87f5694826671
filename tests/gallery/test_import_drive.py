import json
import os
import pty
import shutil
import signal
import subprocess

import pytest

from gallery.models import ImportRun, Photo
from tests import pictures
from tests.house import ROOT


@pytest.fixture
def drive(tmp_path):
    folder = tmp_path / "drive"
    folder.mkdir()
    for seed in range(3):
        image = pictures.scene(seed=seed, size=(96, 64))
        (folder / f"{seed}.jpg").write_bytes(pictures.jpeg(image))
    (folder / "copy.jpg").write_bytes((folder / "0.jpg").read_bytes())
    (folder / "letter.txt").write_text("Dear all")
    return folder


def test_the_summary_adds_up_and_the_second_run_is_quiet(house, drive):
    first = house.run("import_drive", drive, "--label", "Blue WD")
    lines = first.stdout.splitlines()
    assert lines[0].startswith("Blue WD: 5 entries seen in ")
    assert lines[1].startswith("  3 imported (")
    assert lines[2:4] == [
        "  1 already in the vault",
        "  1 another document, not kept",
    ]
    assert lines[4].startswith("NOT KEPT: 1 other file (") and len(lines) == 5
    assert first.stderr == ""
    second = house.run("import_drive", drive)
    assert second.stdout.splitlines()[1:] == [
        "  4 already in the vault",
        *lines[3:],
    ]


def test_photos_that_cannot_be_shown_are_counted(house, drive):
    (drive / "broken.jpg").write_bytes((drive / "0.jpg").read_bytes()[:30])
    said = house.run("import_drive", drive).stdout
    assert "  4 imported (" in said
    assert "1 new photo stored that cannot be shown; each says why" in said


def test_json_is_the_contract(house, drive):
    result = house.run("import_drive", drive, "--label", "Blue WD", "--json", "-")
    report = json.loads(result.stdout)
    size = sum(path.stat().st_size for path in drive.iterdir())
    copy = (drive / "copy.jpg").stat().st_size + (drive / "letter.txt").stat().st_size
    assert report.pop("seconds") > 0
    assert report == {
        "source": {"label": "Blue WD", "id": 1},
        "run": 1,
        "seen": 5,
        "bytes_seen": size,
        "bytes_stored": size - copy,
        "outcomes": {"imported": 3, "already_known": 1, "not_a_photo": 1},
        "unreadable": [],
    }


def test_json_goes_to_a_file_beside_the_summary(house, drive, tmp_path):
    target = tmp_path / "report.json"
    result = house.run("import_drive", drive, "--json", target, "--dry-run")
    assert "3 would be imported" in result.stdout
    assert json.loads(target.read_text())["run"] is None
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize("target", ["missing/report.json", "."])
def test_a_result_that_cannot_be_written_is_said_before_the_work(house, drive, target):
    path = drive.parent / target
    result = house.run("import_drive", drive, "--json", path, check=False)
    assert result.returncode == 2
    assert "cannot be written" in result.stderr
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["missing"], "is not a folder. Is the drive mounted?"),
        (["drive/0.jpg"], "is not a folder."),
        (["house"], "belongs to the vault itself."),
    ],
)
def test_what_cannot_be_imported_is_said(house, drive, tmp_path, arguments, sentence):
    path = tmp_path / arguments[0]
    result = house.run("import_drive", path, check=False)
    assert result.returncode == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_no_name_is_not_taken_for_the_folder_one_is_in(house):
    result = house.run("import_drive", "", check=False)
    assert result.returncode == 2
    assert "no folder is named" in result.stderr


def test_a_folder_with_nothing_in_it_is_remarked_on(house, tmp_path):
    (tmp_path / "mountpoint").mkdir()
    result = house.run("import_drive", tmp_path / "mountpoint")
    assert "Is the drive mounted?" in result.stdout


def test_without_its_marker_nothing_is_written(house, drive):
    (house.folder / "vault.json").unlink()
    result = house.run("import_drive", drive, check=False)
    assert result.returncode == 2
    assert "is not a vault" in result.stderr
    assert not [*(house.folder / "originals").iterdir()]


@pytest.fixture
def unreadable(drive):
    """A file on the drive that has a size but cannot be read, not even by root."""
    path = drive / "no\x1b[31mtes.jpg"
    path.write_bytes(b"x")
    if os.geteuid() != 0:
        path.chmod(0)
        yield path
        return
    # The kernel does not know how fast a loop is.
    command = ["mount", "--bind", "/sys/class/net/lo/speed", path]
    mounted = subprocess.run(command, capture_output=True)
    if mounted.returncode:
        pytest.skip(mounted.stderr.decode())
    yield path
    subprocess.run(["umount", path], check=True)


@pytest.mark.usefixtures("unreadable")
def test_promise_14_unreadable_files_end_with_status_1_and_a_list(house, drive):
    result = house.run("import_drive", drive, check=False)
    assert result.returncode == 1, result
    assert r"Unreadable: no\x1b[31mtes.jpg: " in result.stdout
    assert "3 imported" in result.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_is_met_and_the_next_run_goes_on(house, drive, number):
    picture = (drive / "0.jpg").read_bytes()
    for extra in range(600):
        (drive / f"more{extra}.jpg").write_bytes(picture + b"%d" % extra)
    process = house.start("import_drive", drive)
    house.wait_for(lambda: Photo.objects.exists())
    process.send_signal(number)
    assert process.wait(timeout=20) == 130
    assert "Interrupted. Start it again to go on." in house.said()
    assert "Traceback" not in house.said()
    run = ImportRun.objects.get()
    assert (run.state, sum(run.outcomes.values())) == ("interrupted", run.seen)
    assert not [*(house.folder / "incoming").iterdir()]
    assert not house.inhabitants()
    house.run("import_drive", drive)
    assert Photo.objects.count() == 603


@pytest.fixture
def small_disk(tmp_path):
    """A disk of a megabyte, where a test may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount")
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "small", folder]
    mounted = subprocess.run(command, capture_output=True)
    if mounted.returncode:
        pytest.skip(mounted.stderr.decode())
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_promise_02_a_full_disk_stops_the_run_with_nothing_half(
    house, drive, small_disk
):
    shutil.rmtree(house.folder / "incoming")
    shutil.rmtree(house.folder / "originals")
    for name in ("incoming", "originals"):
        (small_disk / name).mkdir()
        (house.folder / name).symlink_to(small_disk / name)
    for number in range(6):
        (drive / f"9{number}.jpg").write_bytes(
            (drive / "1.jpg").read_bytes() + bytes([number]) * 600_000
        )
    result = house.run("import_drive", drive, check=False)
    assert result.returncode == 2
    assert "The vault's disk is full. Make room, then start again." in result.stderr
    assert "Traceback" not in result.stderr
    assert not [*(small_disk / "incoming").iterdir()]
    originals = [path for path in small_disk.rglob("*") if path.is_file()]
    assert Photo.objects.count() <= len(originals) < 9
    assert ImportRun.objects.get().state == "interrupted"


def said_to(terminal: int) -> str:
    """Everything a program writes to a terminal until it lets go of it."""
    said = b""
    while True:
        try:
            said += os.read(terminal, 65_536)
        except OSError:  # the other side is closed
            os.close(terminal)
            return said.decode(errors="replace")


def test_a_terminal_shows_a_bar(house, drive):
    parent, child = pty.openpty()
    process = subprocess.Popen(
        house.command("import_drive", drive),
        cwd=ROOT,
        env=house.env | {"TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=child,
    )
    os.close(child)
    shown = said_to(parent)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"3 imported" in out
    assert "new photos" in shown
