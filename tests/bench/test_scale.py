import json
import subprocess
import sys
from pathlib import Path

SCALE = Path(__file__).resolve().parents[2] / "bench" / "scale.py"
KEYS = {"photos", "all_pairs_s", "incremental_s", "peak_mb", "sieve_recall"}


def test_the_bench_of_scale_runs_without_photos_and_finds_all(tmp_path):
    answer = tmp_path / "answer.json"
    command = [sys.executable, SCALE, "--folder", tmp_path, "--photos", "1500"]
    command += ["--radius", "31", "--learn", "12", "--json", answer]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(answer.read_text())
    assert row.keys() >= KEYS
    assert row["photos"] == 1500
    assert row["sieve_recall"] == 1
    assert row["sample_wrong"] == 0
