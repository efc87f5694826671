"""The judge by itself: sieve, judge, sets and keepers in memory, without a database.

Every copy is judged with its original, and every shot with the others of its series, as
if a perfect search had proposed them; what the sieve proposes is judged as well.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.labelled import File
from bench.scoring import score
from dedup import alignment, grouping, naming, neighbours, perceptual, ranking, relation
from gallery import dates, decoding, descent, detail, renditions


@dataclass
class Looked:
    """What the pipeline knows of one file."""

    file: File
    facts: relation.Facts
    hashes: perceptual.PerceptualHashes
    thumbnail: bytes


def judge_all(drive: Path, files: list[File]) -> dict[str, Any]:
    """Judge the files of a drive in memory, and score the sets that come of it."""
    files = [
        replace(file, path=str(drive / file.path))
        for file in files
        if file.kind != "byte copy"
    ]
    with ProcessPoolExecutor(2) as pool:
        seen = [one for one in pool.map(look, files, chunksize=8) if one]
    # What is equal byte for byte is one photo, and never compared.
    looked = list({one.facts.digest: one for one in reversed(seen)}.values())
    pipeline = Pipeline(looked)
    pairs = _every_road(looked) | pipeline.candidates()
    pipeline.judge(pairs)
    kept = {one.file.path for one in looked}
    result = score([file for file in files if file.path in kept], pipeline.sets())
    result["pairs"] = len(pairs)
    result["seconds"] = {
        "ms_a_pair": _milliseconds(pipeline.seconds["compare"], len(pairs)),
        "ms_features": _milliseconds(pipeline.seconds["features"], len(looked)),
    }
    return result


def _milliseconds(seconds: float, count: int) -> float:
    return round(1e3 * seconds / max(1, count), 1)


def _every_road(looked: list[Looked]) -> dict[tuple[int, int], Any]:
    """Return the pairs a perfect search would offer: copies, and shots of one series."""
    together: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(looked):
        together[one.file.picture].append(place)
        if one.file.series:
            together["series " + one.file.series].append(place)
    found: dict[tuple[int, int], Any] = {}
    for places in together.values():
        originals = {p for p in places if looked[p].file.kind in {"original", "other"}}
        for left, right in combinations(places, 2):
            if {left, right} & originals:
                found[left, right] = (None, None)
    return found


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
        named=naming.of(file.path),
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
            (_match(pair, said) for pair, said in self.judgements.items()),
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
            "confidence": one.confidence
            if ranking.is_told(facts[0], facts[1:], judgements)
            else 0.0,
            "members": members,
        }


def _match(pair: tuple[int, int], said: relation.Judgement) -> grouping.Match:
    return grouping.Match(
        *pair,
        said.kind,
        said.confidence,
        said.strength,
        said.separates,
        said.kind == relation.Kind.SIMILAR_SHOTS and said.is_of_one_view,
    )


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
        beyond = None
        if asked:
            side, edge = asked
            place = pair[0] if side == relation.Side.LEFT else pair[1]
            beyond = self._beyond(place, edge)
        way = relation.wants_descent(ours, theirs, answer, measured)
        made = None if way is None else self._descent(pair, way)
        return relation.judge(
            ours, theirs, measured, distance, detail=beyond, descent=made
        )

    def _descent(self, pair: tuple[int, int], turn: int) -> descent.Descent | None:
        left, right = (self.looked[place].file.path for place in pair)
        try:
            return descent.descent(left, right, turn=turn)
        except decoding.Unreadable:
            return None

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
