"""What sets of duplicates are worth, against the truth about a drive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from bench.labelled import File
from dedup.batches import SURE

Set = dict[str, Any]  # as in `find_duplicates --json`
BAR, SCREENSHOT_BAR = 0.95, 0.90


@dataclass
class Found:
    """Where each path came to lie: its set, and its member there."""

    home: dict[str, int]
    members: dict[str, dict[str, Any]]
    keepers: dict[int, set[str]]
    sure: set[int]  # sets that may be decided many at a time

    @classmethod
    def of(cls, sets: list[Set]) -> Found:
        found = cls({}, {}, defaultdict(set), set())
        for number, one in enumerate(sets):
            if one["confidence"] >= SURE:
                found.sure.add(number)
            for member in one["members"]:
                paths = {sighting["path"] for sighting in member["sightings"]}
                found.home |= dict.fromkeys(paths, number)
                found.members |= dict.fromkeys(paths, member)
                if member["suggestion"] == "keep":
                    found.keepers[number] |= paths
        return found


def score(files: Iterable[File], sets: list[Set]) -> dict[str, Any]:
    """Score sets, in the form of `find_duplicates --json`, against the truth."""
    truth = {file.path: file for file in files}
    duplicates = [one for one in sets if one["kind"] == "duplicates"]
    found = Found.of(duplicates)
    false = list(_false_pairs(truth, duplicates))
    return {
        "files": len(truth),
        "distinct_pictures": len({file.picture for file in truth.values()}),
        "false_pairs": len(false),
        "similar_shots_in_duplicates": sum(
            bool(truth[left].series) and truth[left].series == truth[right].series
            for left, right in false
        ),
        "false": [list(pair) for pair in false[:100]],
        **_recall(truth, found),
        **_relations(truth, found),
        **_keepers(truth, found),
    }


def _false_pairs(truth: dict[str, File], sets: list[Set]) -> Iterable[tuple[str, str]]:
    """Yield pairs of members that show two pictures, by one sighting of each."""
    for one in sets:
        firsts = [member["sightings"][0]["path"] for member in one["members"]]
        for left, right in combinations(firsts, 2):
            if truth[left].picture != truth[right].picture:
                yield left, right


def _copies(truth: dict[str, File]) -> Iterable[tuple[File, File]]:
    """Yield each copy with its original."""
    originals = {f.picture: f for f in truth.values() if f.kind == "original"}
    for file in truth.values():
        if file.kind not in {"original", "other"}:
            yield file, originals[file.picture]


def _is_found(copy: File, original: File, found: Found) -> bool:
    """Return whether a copy is in a set with its original; byte for byte, in one member."""
    if copy.path not in found.home or original.path not in found.home:
        return False
    if copy.kind == "byte copy":
        return found.members[copy.path] is found.members[original.path]
    return found.home[copy.path] == found.home[original.path]


def _recall(truth: dict[str, File], found: Found) -> dict[str, Any]:
    hits: dict[str, list[bool]] = defaultdict(list)
    halves: dict[str, list[bool]] = defaultdict(list)
    originals: dict[str, list[bool]] = defaultdict(list)
    parts: dict[str, list[bool]] = defaultdict(list)
    missed = []
    for copy, original in _copies(truth):
        hit = _is_found(copy, original, found)
        hits[copy.kind].append(hit)
        originals[original.picture].append(hit)
        parts["extra" if copy.extra else "all"].append(hit)
        if not copy.extra:
            halves["report" if copy.half else "tune"].append(hit)
            parts["same frame" if copy.frame else "other frame"].append(hit)
        if not hit:
            missed.append([copy.kind, copy.path, original.path])
    extra = {copy.kind for copy, _ in _copies(truth) if copy.extra}
    kinds = {name: mean(one) for name, one in hits.items()}
    return {
        "copies": len(parts["all"]),
        "recall": mean(parts["all"]),
        "recall_same_frame": mean(parts["same frame"]),
        "recall_other_frame": mean(parts["other frame"]),
        "recall_by_half": {name: mean(one) for name, one in halves.items()},
        "recall_extra": mean(parts["extra"]),
        "kinds": {name: kinds[name] for name in kinds if name not in extra},
        "extra_kinds": {name: kinds[name] for name in kinds if name in extra},
        "below_bar": [n for n in kinds if n not in extra and kinds[n] < _bar(n)],
        "tried": {name: len(one) for name, one in hits.items()},
        "originals": {name: [sum(one), len(one)] for name, one in originals.items()},
        "missed": missed,
    }


def _bar(kind: str) -> float:
    return SCREENSHOT_BAR if "screenshot" in kind else BAR


def _relations(truth: dict[str, File], found: Found) -> dict[str, Any]:
    """Return how many of the copies found are called what they are."""
    named: dict[str, list[bool]] = defaultdict(list)
    promised, wrong = [], []
    for copy, original in _copies(truth):
        if not _is_found(copy, original, found):
            continue
        member = found.members[copy.path]
        if member["suggestion"] == "keep":
            continue
        right = copy.kind == "byte copy" or member["relation"] in copy.right
        named[copy.kind].append(right)
        if not copy.extra:
            promised.append(right)
        if not right:
            wrong.append([copy.kind, member["relation"], copy.path, member["reason"]])
    return {
        "relation_right": mean(promised),
        "relations": {name: mean(one) for name, one in named.items()},
        "wrong_relation": wrong,
    }


def _keepers(truth: dict[str, File], found: Found) -> dict[str, Any]:
    """Return in how many pictures' sets the file the copies were made from is kept.

    An original left out of its copies' set counts as not kept; one without any copy
    found does not count.
    """
    copies: dict[str, list[File]] = defaultdict(list)
    originals = {}
    for copy, original in _copies(truth):
        copies[original.picture].append(copy)
        originals[original.picture] = original
    kept, sure, wrong = [], [], []
    for picture, original in originals.items():
        placed = [one for one in copies[picture] if one.path in found.home]
        if not placed and original.path not in found.home:
            continue
        good = {original.path} | {one.path for one in copies[picture] if one.as_good}
        number = found.home.get(original.path)
        right = number is not None and bool(found.keepers[number] & good)
        kept.append(right)
        if number in found.sure:
            sure.append(right)
        if not right:
            path = min(found.keepers[number]) if number is not None else ""
            kind = truth[path].kind if path else "original in no set"
            reason = found.members[path]["reason"] if path else ""
            doubt = "sure" if number in found.sure else "doubtful"
            wrong.append([kind, path, original.path, reason, doubt])
    return {
        "keeper_right": mean(kept),
        "keeper_right_where_sure": mean(sure),
        "keepers_sure": mean(
            number in found.sure for number in _homes(originals, found)
        ),
        "wrong_keeper": wrong,
    }


def _homes(originals: dict[str, File], found: Found) -> Iterable[int]:
    homes = (found.home.get(one.path) for one in originals.values())
    return (one for one in homes if one is not None)


def mean(values: Iterable[bool]) -> float:
    values = list(values)
    return round(sum(values) / len(values), 4) if values else 1.0
