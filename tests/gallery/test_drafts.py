import os
import subprocess
import sys
import time

import pytest

from gallery import drafts

DIE = """
import os, sys
from pathlib import Path
from gallery import drafts
draft = drafts.start(Path(sys.argv[1]), sys.argv[2])
draft.write(b"half")
print("ready", flush=True)
sys.stdin.read()
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def incoming(vault):
    return vault / "incoming"


@pytest.fixture
def other(incoming):
    """Another process in the middle of writing."""
    process = subprocess.Popen(
        [sys.executable, "-c", DIE, incoming, "run-7"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    process.stdout.readline()
    yield process
    process.communicate()


def names(incoming):
    return sorted(path.name for path in incoming.iterdir())


def test_a_draft_that_is_not_published_is_gone(incoming):
    with drafts.draft(incoming) as draft:
        draft.write(b"half")
        assert names(incoming) == [draft.path.name]
    assert names(incoming) == []


def test_a_published_draft_is_where_it_should_be(incoming, tmp_path):
    with drafts.draft(incoming) as draft:
        draft.write(b"whole")
        draft.publish(tmp_path / "place")
    assert (tmp_path / "place").read_bytes() == b"whole"
    assert names(incoming) == []


def test_drafts_of_the_living_are_left_alone(incoming, other):
    assert drafts.is_alive(incoming, "run-7")
    assert drafts.clear(incoming) == 0
    assert names(incoming) == ["run-7.draft"]


def test_drafts_of_the_dead_are_cleared(incoming, other):
    other.communicate()
    assert not drafts.is_alive(incoming, "run-7")
    assert drafts.clear(incoming) == 1
    assert names(incoming) == []


def test_other_files_in_incoming_have_a_day(incoming):
    for name, age in (("fresh", 60), ("stale", 2 * 24 * 60 * 60)):
        (incoming / name).write_text("upload")
        os.utime(incoming / name, (time.time() - age,) * 2)
    assert drafts.clear(incoming) == 1
    assert names(incoming) == ["fresh"]
