"""Verdicts in a file: what people said goes from one vault into another.

The file is JSON: {"format": FORMAT, "verdicts": [{left, right, says, at, by}, ...]}, with
digests in order and names of people as they were.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _

from dedup.models import Comparison, Says, Turn, Verdict, pair_of
from dedup.models.decisions import Pair
from gallery.models import Photo
from gallery.stages import chunks

FORMAT = "imagevault-verdicts-1"
DIGEST = re.compile(r"[0-9a-f]{64}")
AT_ONCE = 500


class NotVerdicts(Exception):
    """The file holds no verdicts; the text says why, for whoever brought it."""


@dataclass(slots=True)
class Report:
    """How many verdicts of a file are new here, known, or said otherwise here."""

    new: int = 0
    known: int = 0
    otherwise: list[Pair] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "new": self.new,
            "known": self.known,
            "otherwise": [list(pair) for pair in self.otherwise],
        }


def exported() -> Iterator[str]:
    """Yield the file of all verdicts, piece by piece."""
    yield f'{{"format": "{FORMAT}", "verdicts": ['
    found = Verdict.objects.select_related("by").order_by("pk")
    for number, one in enumerate(found.iterator(chunk_size=2_000)):
        row = {
            "left": one.left_digest,
            "right": one.right_digest,
            "says": one.says,
            "at": one.at.isoformat(),
            "by": one.by.get_username() if one.by else "",
        }
        yield f"{',' if number else ''}\n{json.dumps(row)}"
    yield "\n]}\n"


def take_in(content: bytes | str) -> Report:
    """Take over the verdicts of a file; raise NotVerdicts, with nothing done.

    What was said here stays: a pair that has a verdict keeps it. Open sets are made anew
    so that no answered question is asked.
    """
    said = _read(content)
    users = {one.get_username(): one for one in User.objects.all()}
    report = Report()
    for some in chunks(sorted(said), AT_ONCE):
        with Turn.taken():
            present = Verdict.objects.of(some)
            new = [pair for pair in some if pair not in present]
            Verdict.objects.bulk_create(_row(pair, said[pair], users) for pair in new)
            _ask_anew(new)
        report.new += len(new)
        for pair, verdict in present.items():
            if verdict.says == said[pair]["says"]:
                report.known += 1
            else:
                report.otherwise.append(pair)
    return report


def _read(content: bytes | str) -> dict[Pair, dict[str, Any]]:
    try:
        document = json.loads(content)
        rows = document["verdicts"]
        if document["format"] != FORMAT or not isinstance(rows, list):
            raise ValueError
    except (ValueError, KeyError, TypeError) as error:
        raise NotVerdicts(
            _("This is not a file of verdicts from an imagevault. Nothing was done.")
        ) from error
    found = {}
    for number, row in enumerate(rows, start=1):
        try:
            found[_pair(row)] = {
                "says": Says(row["says"]).value,
                "at": datetime.fromisoformat(row["at"]),
                "by": str(row.get("by", "")),
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotVerdicts(
                _("Verdict %d of the file cannot be read. Nothing was done.") % number
            ) from error
    return found


def _pair(row: dict[str, Any]) -> Pair:
    left, right = row["left"], row["right"]
    if left == right or not (DIGEST.fullmatch(left) and DIGEST.fullmatch(right)):
        raise ValueError
    return pair_of(left, right)


def _row(pair: Pair, said: dict[str, Any], users: dict[str, User]) -> Verdict:
    at = said["at"]
    return Verdict(
        left_digest=pair[0],
        right_digest=pair[1],
        says=said["says"],
        by=users.get(said["by"]),
        at=at if timezone.is_aware(at) else timezone.make_aware(at),
    )


def _ask_anew(pairs: list[Pair]) -> None:
    """Have open sets with these photos made anew."""
    digests = {digest for pair in pairs for digest in pair}
    photos = Photo.objects.filter(digest__in=digests).values_list("pk", flat=True)
    Comparison.objects.measured().touching(photos).regroup()
