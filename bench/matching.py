"""Build a drive of real photos and their copies, import it, and score what is found.

    python bench/matching.py [FOLDER] [--json FILE] [--quick | --full] [--peers]

Every file goes through the real commands into a throw-away vault; the sets of
`find_duplicates --json` are compared with the truth. `--half` says which originals are
copied: rules are made looking at "tune", and judged by "report". `--peers` runs other
programs over the same drive. `--modules` judges in memory instead, every copy with its
original as if a perfect search had proposed it: what the judge alone can do.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import labelled, peers  # noqa: E402
from bench.house import House  # noqa: E402
from bench.in_memory import Looked as Looked  # noqa: E402
from bench.in_memory import judge_all  # noqa: E402
from bench.in_memory import look as look  # noqa: E402
from bench.labelled import HALVES, File, Plan  # noqa: E402
from bench.scoring import score  # noqa: E402

PHOTOS = ROOT.parent / "shared" / "photos"


def main() -> None:
    options = arguments().parse_args()
    plan = planned(options)
    scratch = Path(tempfile.mkdtemp(prefix="imagevault-bench-"))
    try:
        result = measure(options, plan, scratch)
    finally:
        if options.keep:
            print(f"kept: {scratch}")
        else:
            shutil.rmtree(scratch)
    show(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=PHOTOS)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="end within a minute")
    parser.add_argument("--full", action="store_true", help="both halves, more of each")
    parser.add_argument("--half", choices=[*HALVES, "both"], default="report")
    parser.add_argument("--originals", type=int, metavar="N")
    parser.add_argument("--share", type=int, metavar="K", help="1 of K kinds of each")
    parser.add_argument("--others", type=int, metavar="N", help="fewer other pictures")
    parser.add_argument("--wild", action="store_true", help="kinds nobody promised")
    parser.add_argument("--modules", action="store_true", help="judge in memory")
    parser.add_argument("--peers", action="store_true", help="other programs as well")
    parser.add_argument("--peers-venv", type=Path, metavar="DIR")
    parser.add_argument("--keep", action="store_true", help="leave drive and vault")
    return parser


def planned(options: argparse.Namespace) -> Plan:
    half = None if options.half == "both" or options.full else HALVES[options.half]
    originals, share, others = 40, 3, None
    if options.quick:
        originals, share, others = 4, 8, 60
    if options.full:
        originals = 120
    others = options.others if options.others is not None else others
    return Plan(
        options.originals or originals,
        options.share or share,
        half,
        others,
        options.wild,
    )


def measure(options: argparse.Namespace, plan: Plan, scratch: Path) -> dict[str, Any]:
    drive = scratch / "drive"
    drive.mkdir()
    begun = time.perf_counter()
    files = labelled.build(options.folder, drive, plan)
    if not any(file.kind == "original" for file in files):
        sys.exit(f"{options.folder} holds no picture to copy.")
    built = time.perf_counter() - begun
    write_truth(files, scratch / "truth.tsv")
    if options.modules:
        result = judge_all(drive, files)
    else:
        result = through_commands(drive, files, scratch)
        result |= without_times(options, scratch)
    result["peers"] = {}
    if options.peers:
        result["peers"] = peers.compared(drive, files, venv=options.peers_venv)
    result["seconds"]["building the drive"] = round(built, 1)
    return result


def write_truth(files: list[File], path: Path) -> None:
    """Write what each file is, for who looks at a drive that was kept."""
    lines = (f"{one.path}\t{one.kind}\t{one.picture}\n" for one in files)
    path.write_text("path\tkind\tpicture\n" + "".join(lines))


def through_commands(drive: Path, files: list[File], scratch: Path) -> dict[str, Any]:
    house = House(scratch / "vault")
    imported = house.import_drive(drive, "Bench drive")
    found = house.find_duplicates()
    result = score(files, found["sets"])
    by_road = house.comparisons()
    result["imported"] = imported["outcomes"]
    result["similar_sets"] = sum(
        one["kind"] == "similar_shots" for one in found["sets"]
    )
    result["pairs"] = sum(by_road.values())
    result["pairs_by_road"] = by_road
    result["pairs_a_photo"] = round(result["pairs"] / max(1, found["photos"]), 1)
    result["seconds"] = {
        "import_drive": round(imported["seconds"], 1),
        "find_duplicates": round(found["seconds"], 1),
    }
    return result


def without_times(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Import every series anew, with all metadata taken away."""
    drive = scratch / "series"
    drive.mkdir()
    files = [] if options.quick else labelled.build_series(options.folder, drive)
    if not files:
        return {}
    house = House(scratch / "vault of series")
    house.import_drive(drive, "Series")
    result = score(files, house.find_duplicates()["sets"])
    return {
        "without_times": {
            "files": len(files),
            "pairs": sum(house.comparisons().values()),
            "false_pairs": result["false_pairs"],
            "false": result["false"],
        }
    }


def show(result: dict[str, Any]) -> None:
    print_figures(result)
    print(f"\n{'kind':28} copies  recall  relation")
    for name, recall in (result["kinds"] | result["extra_kinds"]).items():
        relation = result["relations"].get(name)
        named = "       -" if relation is None else f"{relation:8.2f}"
        mark = "  below the bar" if name in result["below_bar"] else ""
        mark = "  (extra)" if name in result["extra_kinds"] else mark
        print(f"{name:28} {result['tried'][name]:6}  {recall:6.2f}  {named}{mark}")
    if result["peers"]:
        print("\n" + peers.table(result))


def print_figures(result: dict[str, Any]) -> None:
    for name in (
        "files", "distinct_pictures", "copies", "recall", "recall_same_frame",
        "recall_other_frame", "recall_by_half", "recall_extra", "false_pairs",
        "similar_shots_in_duplicates", "relation_right", "keeper_right",
        "keeper_right_where_sure", "keepers_sure", "imported",
        "similar_sets", "pairs", "pairs_by_road", "pairs_a_photo", "seconds",
    ):  # fmt: skip
        if name in result:
            print(f"{name:28} {result[name]}")
    if "without_times" in result:
        counts = result["without_times"]
        print(f"{'series without times':28} {counts['files']} files, "
              f"{counts['pairs']} pairs, {counts['false_pairs']} false")  # fmt: skip
    for what in ("false", "missed", "wrong_keeper", "wrong_relation"):
        for one in result[what][:20]:
            print(f"{what:15} {'  '.join(one)}")


if __name__ == "__main__":
    main()
