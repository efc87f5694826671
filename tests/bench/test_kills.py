"""Killed at any point, no command loses anything, and its next run ends right."""

import json
import os
import subprocess
import sys

from tests.conftest import ROOT

# All of bench/kills.py is 280 points; here a few of them stand guard.
POINTS = os.environ.get("IMAGEVAULT_TEST_KILLS", "7")


def test_promise_10_a_command_killed_at_any_point_is_only_run_again(tmp_path):
    seed = "20"
    command = ["bench/kills.py", "--points", POINTS, "--seed", seed]
    ended = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, f"seed {seed}\n{ended.stdout}\n{ended.stderr}"
    found = json.loads(ended.stdout)
    assert found["points"] == int(POINTS)
    assert sum(found["killed"].values()) > 0
