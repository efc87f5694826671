"""A hostile picture takes the child down, never the parent."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from gallery import descent, detail, renditions
from gallery.decoding import Unreadable
from gallery.sandbox import Sandbox, Undeveloped
from tests import pictures


@pytest.fixture
def sandbox():
    with Sandbox() as one:
        yield one


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(pictures.jpeg(pictures.scene(), exif=pictures.exif(make="Nikon")))
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    """A PNG that takes a while and 200 MB to decode, with metadata before its pixels."""
    path = tmp_path_factory.mktemp("large") / "large.png"
    block = pictures.exif(make="Nikon")
    Image.new("RGB", (9000, 6000), "teal").save(path, compress_level=1, exif=block)
    return path


def child_of(sandbox: Sandbox) -> int:
    assert sandbox._child is not None
    return sandbox._child.pid


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < deadline, "the child is still there"
        time.sleep(0.02)


def test_the_child_answers_as_the_function_would(sandbox, photo):
    assert sandbox.develop(photo) == renditions.develop(photo)
    assert sandbox.preview(photo, edge=300) == renditions.preview(photo, edge=300)
    assert sandbox.pixel_digest(photo) == renditions.pixel_digest(photo)
    assert sandbox.detail_beyond(photo, edge=300) == detail.beyond(photo, 300)
    found = descent.descent(photo, photo, turn=0).to_json()
    assert sandbox.descent(photo, photo, turn=0) == found


def test_one_child_answers_many_questions(sandbox, photo):
    sandbox.develop(photo)
    first = child_of(sandbox)
    for _ in range(5):
        sandbox.develop(photo)
    assert child_of(sandbox) == first


def test_names_that_are_not_utf8_are_found(sandbox, photo, tmp_path):
    strange = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe4\xff\n.jpg"))
    photo.rename(strange)
    assert sandbox.develop(strange).metadata.make == "Nikon"


def test_relative_paths_are_those_of_the_parent(sandbox, photo, monkeypatch):
    monkeypatch.chdir(photo.parent)
    assert sandbox.develop(photo.name).metadata.make == "Nikon"


def test_reasons_and_metadata_of_broken_files_come_back(sandbox, photo):
    whole = photo.read_bytes()
    photo.write_bytes(whole[: whole.index(b"\xff\xda") + 14])
    with pytest.raises(Undeveloped, match="the end of the file is missing") as caught:
        sandbox.develop(photo)
    assert caught.value.metadata and caught.value.metadata.make == "Nikon"
    with pytest.raises(Unreadable, match="the end of the file is missing"):
        sandbox.preview(photo)


def test_promise_14_a_child_killed_over_a_picture_is_replaced(sandbox, large, photo):
    sandbox.develop(photo)
    victim = child_of(sandbox)
    threading.Timer(0.15, os.kill, (victim, signal.SIGSEGV)).start()
    with pytest.raises(Undeveloped, match="the decoder crashed") as caught:
        sandbox.develop(large)
    assert caught.value.metadata and caught.value.metadata.make == "Nikon"
    assert sandbox.develop(photo).metadata.make == "Nikon"
    assert child_of(sandbox) != victim


def test_a_child_that_was_killed_says_nothing_of_the_picture(sandbox, large, photo):
    sandbox.develop(photo)
    threading.Timer(0.15, os.kill, (child_of(sandbox), signal.SIGKILL)).start()
    assert sandbox.develop(large).metadata.make == "Nikon"


def test_promise_14_a_child_that_hangs_is_ended(photo):
    with Sandbox(seconds=1) as sandbox:
        sandbox.develop(photo)
        victim = child_of(sandbox)
        os.kill(victim, signal.SIGSTOP)
        with pytest.raises(Unreadable, match="took longer than 1 seconds"):
            sandbox.preview(photo)
        assert not is_running(victim)
        assert sandbox.develop(photo)


def test_promise_14_a_picture_too_large_for_the_memory_is_refused(large, photo):
    with Sandbox(memory_mb=150) as sandbox:
        with pytest.raises(Undeveloped, match="more than 150 MB of memory") as caught:
            sandbox.develop(large)
        assert caught.value.metadata and caught.value.metadata.width == 9000
        assert sandbox.develop(photo)


def test_an_intact_photo_is_never_called_damaged_for_want_of_memory(tmp_path):
    """libjpeg reports a refused allocation as broken data."""
    path = tmp_path / "large.jpg"
    grey = Image.new("RGB", (9000, 6000), "teal")
    path.write_bytes(pictures.jpeg(grey, progressive=True, subsampling=0))
    with Sandbox(memory_mb=250) as sandbox:
        for ask in (sandbox.develop, sandbox.preview, sandbox.pixel_digest):
            with pytest.raises(Unreadable, match="more than 250 MB of memory"):
                ask(path)
    with Sandbox(memory_mb=1_500) as sandbox:
        assert sandbox.develop(path).thumbnail.problem == ""


def test_promise_14_a_bomb_is_refused_before_it_is_decoded(sandbox, tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(pictures.bomb(width=30_000, height=30_000))
    with pytest.raises(Undeveloped, match="too many pixels: 30000 x 30000"):
        sandbox.develop(path)


def test_a_child_that_died_idle_is_not_the_next_pictures_fault(sandbox, photo):
    sandbox.develop(photo)
    victim = child_of(sandbox)
    os.kill(victim, signal.SIGKILL)
    wait_until_gone(victim)
    assert sandbox.develop(photo)


def test_closing_leaves_no_child_and_no_descriptor(photo):
    before = open_descriptors()
    sandbox = Sandbox()
    sandbox.develop(photo)
    pid = child_of(sandbox)
    sandbox.close()
    assert not Path(f"/proc/{pid}").exists()
    assert open_descriptors() == before
    assert sandbox.develop(photo), "a closed sandbox starts again"
    sandbox.close()


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_deaths_leave_no_zombies_and_no_descriptors(photo):
    before, others = open_descriptors(), children()
    with Sandbox(seconds=0.01) as sandbox:
        for _ in range(5):
            with pytest.raises(Unreadable, match="took longer"):
                sandbox.preview(photo)
    assert open_descriptors() == before
    assert children() <= others


PARENT = """
import sys, time
from gallery.sandbox import Sandbox
sandbox = Sandbox()
sandbox.develop(sys.argv[1])
print(sandbox._child.pid, flush=True)
time.sleep(60)
"""


def test_the_child_dies_with_its_parent(photo):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(photo)], stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert is_running(child)
        parent.kill()
    wait_until_gone(child)


def test_the_child_does_not_hear_ctrl_c(sandbox, photo):
    sandbox.develop(photo)
    pid = child_of(sandbox)
    os.kill(pid, signal.SIGINT)
    sandbox.develop(photo)
    assert child_of(sandbox) == pid
    assert os.getpgid(pid) != os.getpgid(0)


FORKING = """
import os, sys
from gallery.sandbox import Sandbox
sandbox = Sandbox()
sandbox.develop(sys.argv[1])
mine = sandbox._child.pid
fork = os.fork()
if not fork:
    sandbox.develop(sys.argv[1])
    assert sandbox._child.pid != mine
    sandbox.close()
    os._exit(0)
_, status = os.waitpid(fork, 0)
assert status == 0
sandbox.develop(sys.argv[1])
assert sandbox._child.pid == mine
sandbox.close()
"""


def test_a_forked_process_starts_a_child_of_its_own(photo):
    subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKING, str(photo)],
        check=True,
        timeout=60,
    )


def test_the_child_may_not_write_files(sandbox, photo):
    sandbox.develop(photo)
    limits = Path(f"/proc/{child_of(sandbox)}/limits").read_text()
    held = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()}
    assert held["Max file size"] == "0"
    assert held["Max core file size"] == "0"
    assert held["Max data size"] == "1000000000"


def test_the_parent_never_loads_the_risky_decoders(photo):
    code = (
        "import sys; from gallery.sandbox import Sandbox; s = Sandbox();"
        "s.develop(sys.argv[1]); s.close();"
        "assert not {'pillow_heif', 'pillow_jxl', 'rawpy', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(photo)], check=True, timeout=60)


HOSTILE = ("dvyukov+go-fuzz-corpus", "bigcat88+pillow_heif", "image-rs+image/tests/bad")


@pytest.mark.parametrize("folder", HOSTILE)
def test_promise_14_every_hostile_file_has_an_answer(sandbox, shared_photos, folder):
    answers = 0
    for path in sorted((shared_photos / folder).rglob("*")):
        if path.is_file():
            try:
                found = sandbox.develop(path).thumbnail
                assert found.data.startswith(b"\xff\xd8")
            except Unreadable as error:
                assert error.reason
            answers += 1
    assert answers


def test_a_webp_needs_no_more_memory_than_its_decoder(tmp_path):
    path = tmp_path / "photo.webp"
    Image.new("RGB", (4000, 3000), "teal").save(path, method=0)
    # 12 megapixels: Pillow alone, loading it, takes more than 200 MB.
    with Sandbox(memory_mb=185) as sandbox:
        assert sandbox.develop(path).thumbnail.width == 512


def test_the_end_of_the_thread_that_started_it_costs_nobody_a_picture(
    sandbox, photo, large
):
    asked = threading.Event()

    def start() -> None:
        sandbox.develop(photo)
        asked.wait()
        # Another thread's question is on its way by then.
        time.sleep(0.1)

    starter = threading.Thread(target=start)
    starter.start()
    while sandbox._child is None or not sandbox._asked:
        time.sleep(0.01)
    time.sleep(0.5)
    first = child_of(sandbox)
    asked.set()
    assert sandbox.preview(large).width
    assert child_of(sandbox) != first
