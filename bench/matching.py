"""Build copies of real photos, look for duplicates, and score what is found.

    python bench/matching.py [FOLDER] [--json FILE] [--quick] [--originals N] [--skip N]
                              [--all-roads]

The answer scored is of the form of `find_duplicates --json`. The thresholds were chosen
looking at the first 42 originals of the shared photos: `--skip 42 --originals 18` judges
by others. The other pictures and the series are the same in both.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import pickle
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.copies import KINDS, Original  # noqa: E402
from dedup import alignment, grouping, neighbours, perceptual, ranking, relation  # noqa: E402
from gallery import dates, decoding, detail, renditions  # noqa: E402

EDGE = 2000  # pixels an original is reduced to before it is copied
# The same picture under two names, found by looking at what was called false.
ALSO_SAME = (
    (
        "Kodak CLAS Digital Film Scanner HR200 (1).jpg",
        "Kodak CLAS Digital Film Scanner HR200 (2).jpg",
    ),
    ("Issue 600 (1).jpg", "Issue 600 (2).jpg"),
    ("anas-laysanensis.jpg", "anas-wyvilliana.jpg"),
    ("dacelo-leachii.jpg", "dacelo-novaeguineae.jpg"),
    ("empidonax-minimus.jpg", "empidonax-traillii.jpg"),
    ("ixobrychus-exilis.jpg", "ixobrychus-minutus.jpg"),
    ("vanellus-indicus.jpg", "vanellus-senegallus.jpg"),
)


@dataclass(frozen=True)
class File:
    """One file on the bench's drive, and the truth about it."""

    path: str
    picture: str  # what it shows; copies share it
    kind: str = "original"
    half: int = 0
    right: frozenset[str] = frozenset()
    frame: bool = True
    series: str = ""


@dataclass
class Looked:
    """What the pipeline knows of one file."""

    file: File
    facts: relation.Facts
    hashes: perceptual.PerceptualHashes
    thumbnail: bytes


# Building the drive


def drive(
    folder: Path, into: Path, *, originals: int, quick: bool, skip: int = 0
) -> list[File]:
    """Write copies of photos of the folder; return all files with their truth."""
    chosen, others = _chosen(folder, skip + originals)
    chosen = chosen[skip:]
    names = [kind.name for kind in KINDS]
    share = 6 if quick else 3
    # Each original gets a part of the kinds, all originals together get all of them.
    tasks = [
        (str(folder / path), path, str(into), number, names[number % share :: share])
        for number, path in enumerate(chosen)
    ]
    files: list[File] = []
    with ProcessPoolExecutor(2) as pool:
        for made in pool.map(_copies, *zip(*tasks, strict=True)):
            files += made
    return files + list(_others(folder, others[:200] if quick else others))


def _chosen(folder: Path, count: int) -> tuple[list[str], list[str]]:
    """Return photos to copy, spread over the folder, and the others."""
    suits, others = [], []
    for path in _pictures(folder):
        (suits if _suits(folder / path) else others).append(path)
    same = _pairs(folder)
    random.Random(7).shuffle(suits)
    series = set(_series(folder))
    taken: list[str] = []
    for path in suits:
        free = path not in series and path not in same and not _is_blank(folder / path)
        if free and len(taken) < count:
            taken.append(path)
        else:
            others.append(path)
    return taken, sorted(others)


def _suits(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            return (
                image.format == "JPEG"
                and min(image.size) >= 700
                and image.mode == "RGB"
            )
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def _is_blank(path: Path) -> bool:
    """Return whether there is nothing in it to know a copy by."""
    with Image.open(path) as image:
        image.draft("L", (256, 256))
        return float(np.asarray(image.convert("L")).std()) < 8


def _pictures(folder: Path) -> list[str]:
    """Return the pictures to use, relative to the folder; of the shared ones, no zoo."""
    index = folder / "INDEX.tsv"
    if not index.exists():
        paths = (
            p
            for p in sorted(folder.rglob("*"))
            if p.suffix.lower() in {".jpg", ".jpeg"}
        )
        return [str(p.relative_to(folder)) for p in paths]
    wanted = (
        "distinct",
        "fullres",
        "reduced",
        "series",
        "hard-negative",
        "same-subject",
        "duplicate-pair",
    )
    rows = [line.split("\t") for line in index.read_text().splitlines()[1:]]
    return [
        row[0]
        for row in rows
        if row[1].startswith(wanted) and row[0].lower().endswith((".jpg", ".jpeg"))
    ]


def _series(folder: Path) -> dict[str, str]:
    table = folder / "SERIES.tsv"
    if not table.exists():
        return {}
    rows = (line.split("\t") for line in table.read_text().splitlines()[1:])
    return {row[1]: row[0] for row in rows}


def _pairs(folder: Path) -> dict[str, str]:
    """Return for each file of SAME.tsv a common name of what it shows."""
    table = folder / "SAME.tsv"
    if not table.exists():
        return {}
    named = {
        str(path.relative_to(folder)): pair[0]
        for pair in ALSO_SAME
        for name in pair
        for path in folder.rglob(name)
    }
    for line in table.read_text().splitlines()[1:]:
        one, two, *_ = line.split("\t")
        named[one] = named[two] = named.get(one, named.get(two, one))
    return named


def _others(folder: Path, paths: list[str]) -> Iterator[File]:
    series, same = _series(folder), _pairs(folder)
    for path in paths:
        yield File(
            str(folder / path),
            same.get(path, path),
            "other",
            series=series.get(path, ""),
        )


def _copies(
    source: str, name: str, into: str, number: int, kinds: list[str]
) -> list[File]:
    """Write the original, reduced, and a copy of each kind."""
    original = Original.read(Path(source), edge=EDGE)
    folder = Path(into) / f"{number:03}"
    folder.mkdir()
    path = folder / "original.jpg"
    path.write_bytes(original.data)
    files = [File(str(path), name, half=number % 2)]
    for place, kind in enumerate(k for k in KINDS if k.name in kinds):
        saved = kind.write(original, random.Random(f"{name}|{kind.name}"))
        if saved is None:
            continue
        data, ending = saved
        path = folder / f"{place:02}{ending}"
        path.write_bytes(data)
        answers = kind.answers(original)
        files.append(File(str(path), name, kind.name, number % 2, answers, kind.frame))
    return files


# The pipeline, without a database


def look(file: File) -> Looked | None:
    """Return what an import and a worker would know of the file."""
    path = Path(file.path)
    try:
        developed = renditions.develop(path)
    except decoding.Unreadable:
        return None
    found = developed.metadata
    taken = dates.best(found.dates)
    data = path.read_bytes()
    facts = relation.Facts(
        digest=hashlib.sha256(data).hexdigest(),
        file_size=len(data),
        width=found.width,
        height=found.height,
        format=found.format,
        camera_make=found.make,
        camera_model=found.model,
        taken_at=taken.taken_at,
        taken_from=str(taken.origin),
        exposure=(found.exposure_seconds, found.f_number, found.iso),
        software=found.software,
        has_maker_note=found.has_maker_note,
        jpeg_quality=found.jpeg_quality,
        problem=developed.thumbnail.problem,
    )
    thumbnail = developed.thumbnail.data
    hashes = perceptual.fingerprint(Image.open(io.BytesIO(thumbnail)))
    return Looked(file, facts, hashes, thumbnail)


class Pipeline:
    """Sieve, judge, group and rank in memory."""

    def __init__(self, looked: list[Looked]) -> None:
        self.looked = looked
        self.judgements: dict[tuple[int, int], relation.Judgement] = {}
        self.seconds: dict[str, float] = defaultdict(float)

    def candidates(self) -> dict[tuple[int, int], tuple[int, int]]:
        """Return pairs the sieve proposes, with distance and turn."""
        hashes = perceptual.words(b"".join(one.hashes.bits for one in self.looked))
        flat = np.array([one.hashes.is_flat for one in self.looked])
        pairs = neighbours.all_pairs(hashes, flat=flat, threads=2)
        return {(i, j): (distance, turn) for i, j, distance, turn in pairs}

    def judge(self, pairs: dict[tuple[int, int], Any]) -> None:
        """Judge all pairs, in two processes; each keeps a part of the pictures."""
        ordered = sorted(pairs.items())
        half = len(ordered) // 2
        with ProcessPoolExecutor(2) as pool:
            parts = pool.map(
                _judged, [self.looked] * 2, [ordered[:half], ordered[half:]]
            )
            for judgements, seconds in parts:
                self.judgements |= judgements
                for name, spent in seconds.items():
                    self.seconds[name] += spent

    def sets(self) -> list[dict[str, Any]]:
        """Return the sets in the form of `find_duplicates --json`."""
        facts = [one.facts for one in self.looked]
        by_digest = {
            (facts[i].digest, facts[j].digest): said
            for (i, j), said in self.judgements.items()
            if said.kind == relation.Kind.DUPLICATES
        }
        keys = ranking.rank_keys(facts, by_digest)
        groups = grouping.group(
            (
                grouping.Match(
                    i, j, said.kind, said.confidence, said.strength, said.separates
                )
                for (i, j), said in self.judgements.items()
            ),
            rank={place: keys[one.digest] for place, one in enumerate(facts)},
        )
        return [self._set(number, one, by_digest) for number, one in enumerate(groups)]

    def _set(self, number: int, one: grouping.Group, judgements: Any) -> dict[str, Any]:
        facts = [self.looked[place].facts for place in one.photos]
        ranked = ranking.explained(facts[0], facts[1:], judgements)
        members = [
            {
                "digest": each.digest,
                "suggestion": each.suggestion,
                "reason": each.reason,
                "relation": str(each.relation),
                "sightings": [
                    {"source": "bench", "path": self.looked[place].file.path}
                ],
            }
            for place, each in zip(one.photos, ranked, strict=True)
        ]
        return {
            "id": number,
            "kind": str(one.kind),
            "state": "open",
            "members": members,
        }


class _Judge:
    """Judge pairs as a worker would, keeping what it made of each thumbnail."""

    def __init__(self, looked: list[Looked]) -> None:
        self.looked = looked
        self.features: dict[int, alignment.Features] = {}
        self.pixels: dict[int, str] = {}
        self.beyond: dict[tuple[int, int], float | None] = {}
        self.seconds: dict[str, float] = defaultdict(float)

    def judge(
        self, pair: tuple[int, int], distance: int | None, turn: int | None
    ) -> relation.Judgement:
        left, right = (self._features(one) for one in pair)
        start = time.perf_counter()
        measured = alignment.compare(left, right, turn=turn)
        self.seconds["compare"] += time.perf_counter() - start
        ours, theirs = (self.looked[one].facts for one in pair)
        answer = relation.judge(ours, theirs, measured, distance)
        if relation.wants_pixel_digest(ours, theirs, answer, measured):
            ours, theirs = (self._with_pixels(one) for one in pair)
            answer = relation.judge(ours, theirs, measured, distance)
        asked = relation.wants_detail(ours, theirs, answer)
        if asked:
            side, edge = asked
            place = pair[0] if side == relation.Side.LEFT else pair[1]
            beyond = self._beyond(place, edge)
            answer = relation.judge(ours, theirs, measured, distance, detail=beyond)
        return answer

    def _beyond(self, place: int, edge: int) -> float | None:
        asked = place, round(edge / 20)
        if asked not in self.beyond:
            path = self.looked[place].file.path
            try:
                self.beyond[asked] = detail.beyond(path, edge)
            except decoding.Unreadable:
                self.beyond[asked] = None
        return self.beyond[asked]

    def _features(self, place: int) -> alignment.Features:
        if place not in self.features:
            with Image.open(io.BytesIO(self.looked[place].thumbnail)) as image:
                picture = np.asarray(image.convert("RGB"))
            start = time.perf_counter()
            self.features[place] = alignment.features(picture)
            self.seconds["features"] += time.perf_counter() - start
        return self.features[place]

    def _with_pixels(self, place: int) -> relation.Facts:
        if place not in self.pixels:
            try:
                self.pixels[place] = renditions.pixel_digest(
                    self.looked[place].file.path
                )
            except decoding.Unreadable:
                self.pixels[place] = ""
        return replace(self.looked[place].facts, pixel_digest=self.pixels[place])


def _judged(
    looked: list[Looked], pairs: list[tuple[tuple[int, int], Any]]
) -> tuple[dict[tuple[int, int], relation.Judgement], dict[str, float]]:
    judge = _Judge(looked)
    return {pair: judge.judge(pair, *hint) for pair, hint in pairs}, judge.seconds


# Scoring


def score(files: Iterable[File], sets: list[dict[str, Any]]) -> dict[str, Any]:
    """Score sets in the form of `find_duplicates --json` against the truth."""
    truth = {file.path: file for file in files}
    home: dict[str, int] = {}
    members: dict[str, dict[str, Any]] = {}
    keepers: dict[int, str] = {}
    false_pairs = []
    duplicates = [one for one in sets if one["kind"] == "duplicates"]
    for number, one in enumerate(duplicates):
        paths = [s["path"] for m in one["members"] for s in m["sightings"]]
        for member in one["members"]:
            for sighting in member["sightings"]:
                home[sighting["path"]] = number
                members[sighting["path"]] = member
                if member["suggestion"] == "keep":
                    keepers[number] = sighting["path"]
        for left, right in combinations(paths, 2):
            if truth[left].picture != truth[right].picture:
                false_pairs.append((left, right))
    return {
        "false_pairs": len(false_pairs),
        "false": [list(pair) for pair in false_pairs[:50]],
        **_recalls(truth, home, members, keepers),
        "distinct_pictures": len({file.picture for file in truth.values()}),
        "files": len(truth),
        "peers": {},
    }


def _recalls(
    truth: dict[str, File],
    home: dict[str, int],
    members: dict[str, Any],
    keepers: dict[int, str],
) -> dict[str, Any]:
    originals = {f.picture: f for f in truth.values() if f.kind == "original"}
    hits: dict[str, list[bool]] = defaultdict(list)
    halves: dict[int, list[bool]] = defaultdict(list)
    framed: list[bool] = []
    named: dict[str, list[bool]] = defaultdict(list)
    missed, wrong = [], []
    for file in truth.values():
        if file.kind in {"original", "other"}:
            continue
        original = originals[file.picture]
        hit = file.path in home and home[file.path] == home.get(original.path, -1)
        hits[file.kind].append(hit)
        halves[file.half].append(hit)
        if file.frame:
            framed.append(hit)
        if not hit:
            missed.append([file.kind, file.path])
        elif members[file.path]["suggestion"] != "keep":
            right = members[file.path]["relation"] in file.right
            named[file.kind].append(right)
            if not right:
                wrong.append([file.kind, members[file.path]["relation"], file.path])
    kept = [
        keepers[home[o.path]] == o.path for o in originals.values() if o.path in home
    ]
    unkept = [
        [keepers[home[o.path]], o.path]
        for o in originals.values()
        if o.path in home and keepers[home[o.path]] != o.path
    ]
    return {
        "recall": _mean(hit for one in hits.values() for hit in one),
        "recall_same_frame": _mean(framed),
        "recall_by_half": {str(half): _mean(halves[half]) for half in sorted(halves)},
        "kinds": {name: _mean(one) for name, one in hits.items()},
        "relation_right": _mean(right for one in named.values() for right in one),
        "relations": {name: _mean(one) for name, one in named.items()},
        "keeper_right": _mean(kept),
        "missed": missed,
        "wrong_relation": wrong,
        "wrong_keeper": unkept,
    }


def _mean(values: Iterable[bool]) -> float:
    values = list(values)
    return round(sum(values) / max(1, len(values)), 4)


def report(result: dict[str, Any]) -> None:
    for name in ("files", "distinct_pictures", "recall", "recall_same_frame", "recall_by_half",
                 "false_pairs", "relation_right", "keeper_right", "seconds"):  # fmt: skip
        print(f"{name:20} {result.get(name)}")
    print("\nkind                   recall  relation")
    for name, recall in result["kinds"].items():
        print(
            f"{name:22} {recall:6.2f}  {result['relations'].get(name, float('nan')):6.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder", nargs="?", type=Path, default=ROOT.parent / "shared/photos"
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--originals", type=int, default=40)
    parser.add_argument(
        "--skip", type=int, default=0, help="leave out the first originals"
    )
    parser.add_argument(
        "--all-roads", action="store_true", help="judge copies of every kind"
    )
    parser.add_argument(
        "--dump", type=Path, help="pickle everything measured, for study"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        count = min(options.originals, 8) if options.quick else options.originals
        files = drive(
            options.folder,
            Path(scratch),
            originals=count,
            skip=options.skip,
            quick=options.quick,
        )
        result = run(files, all_roads=options.all_roads, dump=options.dump)
    report(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


def run(
    files: list[File], *, all_roads: bool, dump: Path | None = None
) -> dict[str, Any]:
    start = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        looked = [one for one in pool.map(look, files, chunksize=8) if one]
    pipeline = Pipeline(looked)
    begin = time.perf_counter()
    pairs: dict[tuple[int, int], Any] = dict(pipeline.candidates())
    sieve = time.perf_counter() - begin
    if all_roads:
        pairs = _every_road(looked) | pairs
    pipeline.judge(pairs)
    result = score(files, pipeline.sets())
    if dump:
        dump.write_bytes(pickle.dumps((looked, pairs, pipeline.judgements)))
    result["pairs"] = len(pairs)
    result["seconds"] = {
        "whole run": round(time.perf_counter() - start, 1),
        "sieve": round(sieve, 2),
        "ms_a_pair": round(1e3 * pipeline.seconds["compare"] / max(1, len(pairs)), 1),
        "ms_features": round(
            1e3 * pipeline.seconds["features"] / max(1, len(looked)), 1
        ),
    }
    return result


def _every_road(looked: list[Looked]) -> dict[tuple[int, int], tuple[None, None]]:
    """Return the pairs a perfect search would offer: copies, and shots of one series."""
    together: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(looked):
        together[one.file.picture].append(place)
        if one.file.series:
            together["series " + one.file.series].append(place)
    found = {}
    for places in together.values():
        originals = [p for p in places if looked[p].file.kind in {"original", "other"}]
        for left, right in combinations(places, 2):
            if left in originals or right in originals:
                found[left, right] = (None, None)
    return found


if __name__ == "__main__":
    main()
