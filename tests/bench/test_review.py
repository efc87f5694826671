import json
import subprocess
import sys
from pathlib import Path

REVIEW = Path(__file__).resolve().parents[2] / "bench" / "review.py"
KEYS = {"sets", "actions", "resolved_share", "wrong_discards", "batch_1000_s", "pages"}


def test_the_bench_of_reviewing_finds_nothing_wrongly_discarded(tmp_path):
    answer = tmp_path / "answer.json"
    command = [sys.executable, REVIEW, "--sets", "600", "--open", "300"]
    done = subprocess.run(
        [*command, "--json", answer], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(answer.read_text())
    assert result.keys() >= KEYS
    assert result["sets"] == 600
    assert result["wrong_discards"] == 0
    assert result["resolved_share"] >= 0.9
