"""What other programs make of the same drive, scored by the same truth.

    python bench/peers.py czkawka FOLDER THRESHOLD

runs one of those that live in an environment of their own (`--peers-venv`), so that
nothing of theirs is needed here. Others are looked for on the PATH. They name groups of
files and no relations; who is not found is left out and named.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

Groups = list[list[str]]  # paths as they were given
PATIENCE = 1800  # seconds


def compared(drive: Path, files: list[Any], *, venv: Path | None) -> dict[str, Any]:
    """Return for each peer recall, recall by kind, false pairs and seconds."""
    from bench.scoring import score

    results: dict[str, Any] = {}
    paths = [str(drive / file.path) for file in files]
    for name, run in programs(drive, paths, venv):
        begun = time.perf_counter()
        try:
            groups = run()
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            results[name] = {"left_out": str(error).splitlines()[0]}
            continue
        scored = score(files, as_sets(groups, drive))
        results[name] = {
            name: scored[name]
            for name in (
                "recall",
                "false_pairs",
                "similar_shots_in_duplicates",
                "kinds",
            )
        } | {"seconds": round(time.perf_counter() - begun, 1)}
    return results


def programs(
    drive: Path, paths: list[str], venv: Path | None
) -> Iterable[tuple[str, Callable[[], Groups]]]:
    yield from by_phash(paths)
    for threshold in (5, 20):
        name = f"czkawka, distance {threshold}"
        yield name, partial(in_venv, venv, "czkawka", drive, threshold)
    yield "difPy, similar", partial(in_venv, venv, "difpy", drive, 0)
    yield "findimagedupes, 90 %", partial(findimagedupes, drive)


def as_sets(groups: Groups, drive: Path) -> list[dict[str, Any]]:
    """Return groups in the form of `find_duplicates --json`."""
    return [
        {
            "kind": "duplicates",
            "members": [
                {
                    "suggestion": "discard" if number else "keep",
                    "relation": "",
                    "reason": "",
                    "sightings": [{"path": str(Path(path).relative_to(drive))}],
                }
                for number, path in enumerate(group)
            ],
        }
        for group in groups
    ]


# imagehash, as photo galleries use it


def by_phash(paths: list[str]) -> Iterable[tuple[str, Callable[[], Groups]]]:
    """Yield three uses of one hash of 64 bits; it is computed once."""
    hashes: dict[str, int] = {}

    def found(distance: int) -> Groups:
        if not hashes:
            with ProcessPoolExecutor(2) as pool:
                for path, bits in zip(paths, pool.map(phash, paths, chunksize=16), strict=True):  # fmt: skip
                    if bits is not None:
                        hashes[path] = bits
        return united(hashes, distance)

    yield "imagehash phash <= 10, union-find", partial(found, 10)
    yield "imagehash phash <= 4, union-find", partial(found, 4)
    yield "imagehash phash equal", partial(found, 0)


def phash(path: str) -> int | None:
    """Return imagehash's 64 bits of the upright picture; None if it cannot be read."""
    import imagehash
    from PIL import Image, ImageOps

    from bench.copies.original import formats_ready

    formats_ready()
    warnings.simplefilter("ignore")
    try:
        with Image.open(path) as image:
            image.draft("RGB", (512, 512))
            upright = ImageOps.exif_transpose(image)
            return int(str(imagehash.phash(upright)), 16)
    except (OSError, ValueError, SyntaxError):
        return None


def united(hashes: dict[str, int], distance: int) -> Groups:
    """Join whatever is near to whatever is near, as union-find does."""
    import numpy as np

    paths = list(hashes)
    bits = np.array([hashes[path] for path in paths], np.uint64)
    root = list(range(len(paths)))

    def top(place: int) -> int:
        while root[place] != place:
            root[place] = root[root[place]]
            place = root[place]
        return place

    for place, one in enumerate(bits):
        near = np.nonzero(np.bitwise_count(bits[place + 1 :] ^ one) <= distance)[0]
        for other in near:
            root[top(place + 1 + int(other))] = top(place)
    groups: dict[int, list[str]] = defaultdict(list)
    for place, path in enumerate(paths):
        groups[top(place)].append(path)
    return [group for group in groups.values() if len(group) > 1]


# Programs of their own


def in_venv(venv: Path | None, name: str, drive: Path, threshold: int) -> Groups:
    if venv is None:
        raise ValueError("needs --peers-venv")
    command = [str(venv / "bin/python"), __file__, name, str(drive), str(threshold)]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    if ended.returncode:
        raise ValueError(ended.stderr.strip().splitlines()[-1])
    groups: Groups = json.loads(ended.stdout.splitlines()[-1])
    return groups


def findimagedupes(drive: Path) -> Groups:
    """Run Debian's findimagedupes with its usual threshold; a name a line, NUL ends a group."""
    if not shutil.which("findimagedupes"):
        raise ValueError("is not on the PATH")
    listing = "".join(f"{path}\n" for path in drive.rglob("*") if path.is_file())
    # Its own output parts names by blanks, which names hold.
    script = 'VIEW(){ printf "%s\\n" "$@"; printf "\\0"; }'
    ended = subprocess.run(
        ["findimagedupes", "-q", "-i", script, "-"],
        input=listing, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    groups = (group.strip("\n").split("\n") for group in ended.stdout.split("\0"))
    return [group for group in groups if len(group) > 1]


def czkawka(drive: str, threshold: int) -> Groups:
    from czkawka import ImageSimilarity

    finder = ImageSimilarity()
    finder.set_directories([Path(drive)])
    finder.set_similarity(threshold)
    return [[str(path) for path in group] for group in finder.find_similar()]


def difpy(drive: str, _: int) -> Groups:
    import difPy

    built = difPy.build([drive], recursive=True, show_progress=False)
    searched = difPy.search(built, similarity="similar", show_progress=False)
    return [
        [path, *(match[0] for match in matches)]
        for path, matches in searched.result.items()
    ]


# The table


def table(result: dict[str, Any]) -> str:
    """Return the comparison as a table of Markdown."""
    rows = [
        "| program | recall | kinds at 0.95 or more | false pairs | of these two shots of a series |",
        "|---|---|---|---|---|",
        row("**imagevault**", result),
    ]
    left_out = []
    for name, peer in result["peers"].items():
        if "left_out" in peer:
            left_out.append(f"{name} ({peer['left_out']})")
        else:
            rows.append(row(name, peer))
    if left_out:
        rows.append("\nLeft out: " + "; ".join(left_out) + ".")
    return "\n".join(rows)


def row(name: str, scored: dict[str, Any]) -> str:
    kinds = scored["kinds"].values()
    good = sum(recall >= 0.95 for recall in kinds)
    shots = scored["similar_shots_in_duplicates"]
    return (
        f"| {name} | {scored['recall']:.3f} | {good} of {len(kinds)} | "
        f"{scored['false_pairs']:,} | {shots:,} |"
    )


if __name__ == "__main__":
    program, folder, wanted = sys.argv[1:]
    run = {"czkawka": czkawka, "difpy": difpy}[program]
    print(json.dumps(run(folder, int(wanted))))
