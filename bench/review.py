"""How much a reviewer has to do for thousands of sets, and how quickly the desk answers.

    python bench/review.py [--sets N] [--open N] [--json FILE] [--quick]

Fills a throw-away vault with the rows of a labelled drive: sets that are duplicates, and
some that are not, in folders, relations and confidences as real drives have them. A
simulated reviewer, who knows the labels, goes through the pages of batches as a person
would: looks at the sample that is shown, marks what is wrong there, carries the batch
out. Counted is every click: a page of the sample noted, a mark, a batch carried out. Then
1,000 sets are carried out as one, and the desk's pages are timed with many open sets.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.pages import lines, timed  # noqa: E402

ENOUGH = 0.95  # share of the true duplicates after which the reviewer rests
AT_ONCE = 2_000
REQUESTS = 10
DRIVES = 4


@dataclass(frozen=True, slots=True)
class Sort:
    """Sets of one sort: their share of all, where they lie, how sure the judge is.

    `wrong`: the share that is no duplicate at all, as a judge may err.
    """

    share: float
    keeper: str
    copy: str
    relation: str
    scale: float
    confidence: tuple[float, float]
    wrong: float = 0.0
    kind: str = "duplicates"


# Wrong ones are rare where the judge is sure, and then among its least sure answers.
SORTS = [
    Sort(0.20, "DCIM", "Backup", "same_pixels", 1.0, (1.0, 1.0)),
    Sort(0.31, "DCIM", "WhatsApp Images", "resized", 0.4, (0.95, 1.0)),
    Sort(0.09, "DCIM", "WhatsApp Images", "resized", 0.3, (0.95, 1.0)),
    Sort(0.12, "DCIM", "Pictures", "resaved", 1.0, (0.94, 1.0)),
    Sort(0.08, "DCIM", "Downloads", "resized", 0.75, (0.93, 1.0)),
    Sort(0.05, "Pictures", "Facebook", "resized", 0.5, (0.93, 1.0)),
    Sort(0.05, "DCIM", "Edited", "cropped", 0.8, (0.90, 1.0), wrong=0.012),
    Sort(0.02, "DCIM", "Pictures", "turned", 1.0, (0.92, 1.0)),
    Sort(0.02, "DCIM", "Edited", "recoloured", 1.0, (0.60, 0.89), wrong=0.1),
    Sort(0.01, "DCIM", "Screenshots", "framed", 0.3, (0.55, 0.89), wrong=0.2),
    Sort(0.005, "DCIM", "Recovered", "damaged", 1.0, (0.9, 1.0)),
    Sort(0.045, "DCIM", "DCIM", "similar_shot", 1.0, (0.8, 1.0), 1.0, "similar_shots"),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sets", type=int, default=5_000)
    parser.add_argument("--open", type=int, default=100_000, metavar="SETS")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="End within a minute")
    options = parser.parse_args()
    if options.quick:
        options.sets, options.open = min(options.sets, 1_500), 3_000
    with tempfile.TemporaryDirectory(prefix="imagevault-bench-") as scratch:
        result = measure(Path(scratch), options)
    print(table(result))
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=2) + "\n")


def measure(vault: Path, options: argparse.Namespace) -> dict[str, Any]:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "imagevault.settings",
        "IMAGEVAULT_DATA": str(vault),
        "IMAGEVAULT_SECRET_KEY": "for-the-bench-only",
        "IMAGEVAULT_DATABASE_URL": "",
        "IMAGEVAULT_DEBUG": "no",
    }
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import setup_test_environment, teardown_test_environment

    call_command("setup_vault", verbosity=0, stdout=io.StringIO())
    call_command("collectstatic", interactive=False, verbosity=0)
    client = signed_in()
    drive = Drive(random.Random(5))
    labels = drive.fill(options.sets, SORTS)
    # Only so can be read what a page shows; it would cost the pages time below.
    setup_test_environment()
    reviewed = Reviewer(client, labels).review()
    teardown_test_environment()
    many = 1_000
    drive.fill(many, [SORTS[0]])
    batch_s = carried_out(client)
    started = time.perf_counter()
    drive.fill(options.open, SORTS, with_files=False)
    filled = time.perf_counter() - started
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {
        **reviewed,
        "batch_sets": many,
        "batch_1000_s": round(batch_s, 2),
        "open_sets": options.open,
        "fill_s": round(filled, 1),
        "pages": {
            name: timed(client, [where], again=REQUESTS)
            for name, where in pages().items()
        },
    }


# The drive


class Drive:
    """Makes sets as rows, each with its true label."""

    def __init__(self, chance: random.Random) -> None:
        from gallery.models import ImportRun, Source

        self.chance = chance
        self.number = 0
        self.sources = [
            Source.objects.create(label=f"Drive {n}") for n in range(DRIVES)
        ]
        self.runs = [ImportRun.objects.create(source=one) for one in self.sources]

    def fill(
        self, count: int, sorts: list[Sort], *, with_files: bool = True
    ) -> dict[int, bool]:
        """Make so many sets; return of each whether it is one of duplicates."""
        from django.db import transaction

        from dedup import placing

        labels: dict[int, bool] = {}
        chosen = self.chance.choices(sorts, [one.share for one in sorts], k=count)
        for start in range(0, count, AT_ONCE):
            with transaction.atomic():
                labels |= self._make(chosen[start : start + AT_ONCE], with_files)
        while placing.place_some():
            pass
        return labels

    def _make(self, chosen: list[Sort], with_files: bool) -> dict[int, bool]:  # noqa: FBT001
        from dedup.models import DuplicateSet, Member
        from gallery.models import Photo, SourceFile, Thumbnail

        photos = Photo.objects.bulk_create(
            photo for sort in chosen for photo in self._photos(sort)
        )
        Thumbnail.objects.bulk_create(
            Thumbnail(photo=one, recipe=Thumbnail.RECIPE) for one in photos
        )
        pairs = list(zip(photos[::2], photos[1::2], strict=True))
        SourceFile.objects.bulk_create(
            seen
            for sort, (keeper, copy) in zip(chosen, pairs, strict=True)
            for seen in (self._seen(keeper, sort.keeper), self._seen(copy, sort.copy))
        )
        labels = []
        rows = []
        for sort, (keeper, copy) in zip(chosen, pairs, strict=True):
            is_wrong = self.chance.random() < sort.wrong
            labels.append(not is_wrong)
            rows.append(
                DuplicateSet(
                    kind=sort.kind,
                    size=2,
                    bytes_to_gain=copy.size,
                    relation=sort.relation,
                    confidence=self._confidence(sort, is_wrong=is_wrong),
                    taken_at=keeper.taken_at,
                )
            )
        made = DuplicateSet.objects.bulk_create(rows)
        Member.objects.bulk_create(
            member
            for sort, one, pair in zip(chosen, made, pairs, strict=True)
            for member in members(sort, one, pair)
        )
        if with_files:
            for keeper, _ in pairs:
                put_down(keeper)
        return {one.pk: label for one, label in zip(made, labels, strict=True)}

    def _confidence(self, sort: Sort, *, is_wrong: bool) -> float:
        low, high = sort.confidence
        if is_wrong and sort.kind == "duplicates":
            return low + (high - low) * 0.02 * self.chance.random()
        return low + (high - low) * self.chance.random() ** 0.3

    def _photos(self, sort: Sort) -> Iterator[Any]:
        taken = datetime(2003, 1, 1) + timedelta(days=self.chance.randrange(7_000))
        size = self.chance.randrange(1_500_000, 6_000_000)
        yield self._photo(4000, 3000, size, taken, camera="EOS 5D")
        edge = sort.scale
        yield self._photo(
            int(4000 * edge), int(3000 * edge), int(size * edge**2 * 0.6), None
        )

    def _photo(
        self, width: int, height: int, size: int, taken: Any, *, camera: str = ""
    ) -> Any:
        from gallery.models import Origin, Photo, Precision

        self.number += 1
        return Photo(
            digest=hashlib.sha256(str(self.number).encode()).hexdigest(),
            extension="jpg",
            size=size,
            name=f"IMG_{self.number:06}.jpg",
            format="JPEG",
            width=width,
            height=height,
            camera_model=camera,
            taken_at=taken,
            taken_precision=Precision.SECOND if taken else Precision.UNKNOWN,
            taken_from=Origin.EXIF_ORIGINAL if taken else Origin.NONE,
        )

    def _seen(self, photo: Any, folder: str) -> Any:
        from gallery.models import Outcome, SourceFile
        from gallery.models.sources import path_key

        # Cameras' own photos lie on the first drive, whatever else on any other.
        place = 0 if folder == "DCIM" else 1
        path = f"{folder}/{photo.pk // 500}/{photo.name}"
        return SourceFile(
            source=self.sources[place],
            path=path,
            path_key=path_key(path),
            size=photo.size,
            outcome=Outcome.IMPORTED,
            photo=photo,
            first_run=self.runs[place],
            last_run=self.runs[place],
        )


def members(sort: Sort, one: Any, pair: tuple[Any, Any]) -> Iterator[Any]:
    from dedup.models import Choice, Member

    for place, photo in enumerate(pair):
        keeps = not place or sort.kind == "similar_shots"
        yield Member(
            duplicate_set=one,
            photo=photo,
            place=place,
            is_keeper=not place,
            suggestion=Choice.KEEP if keeps else Choice.DISCARD,
            relation=sort.relation if place else "keeper",
            confidence=one.confidence,
        )


def put_down(photo: Any) -> None:
    """Have an original of the right size, without bytes of its own on the disk."""
    from django.conf import settings

    from gallery import vault

    path = vault.original(settings.IMAGEVAULT_DATA, photo.digest, photo.extension)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.truncate(path, photo.size)


# The reviewer


class Reviewer:
    """Knows the labels, sees only what a page shows, and counts what it does."""

    def __init__(self, client: Any, labels: dict[int, bool]) -> None:
        self.client = client
        self.labels = labels
        self.actions = 0

    def review(self) -> dict[str, Any]:
        from dedup import runs

        total = sum(self.labels.values())
        batches = 0
        for summary in runs.summaries():
            if self._resolved() >= ENOUGH * total:
                break
            self._decide(summary.batch)
            batches += 1
        return {
            "sets": len(self.labels),
            "true_duplicates": total,
            "batches": batches,
            "actions": self.actions,
            "resolved_share": round(self._resolved() / total, 4),
            "wrong_discards": self._discarded(right=False),
        }

    def _decide(self, batch: Any) -> None:
        from django.urls import reverse

        where = reverse("admin:dedup_batch", args=[batch.pk])
        while True:
            page = self.client.get(where).context
            shown = [*page["drawn"], *page["doubtful"]]
            wrong = [one for one in shown if not self.labels[one.duplicate_set.pk]]
            if page["may_carry_out"] and not wrong:
                break
            self._look(batch, shown, wrong)
        carry_out(self.client, batch, page["version"])
        self.actions += 1

    def _look(self, batch: Any, shown: list[Any], wrong: list[Any]) -> None:
        from django.urls import reverse

        bad = {one.duplicate_set.pk for one in wrong}
        said = {}
        for one in shown:
            pk = one.duplicate_set.pk
            said[f"set-{pk}"] = "not_same" if pk in bad else "right"
            said[f"seen-{pk}"] = one.duplicate_set.revision
        self.client.post(reverse("admin:dedup_batch_look", args=[batch.pk]), said)
        self.actions += 1 + len(bad)

    def _resolved(self) -> int:
        return self._discarded(right=True)

    def _discarded(self, *, right: bool) -> int:
        from dedup.models import DuplicateSet

        rows = DuplicateSet.objects.filter(state="resolved")
        done = rows.values_list("pk", flat=True)
        return sum(self.labels[pk] is right for pk in done if pk in self.labels)


def carry_out(client: Any, batch: Any, version: int) -> None:
    """Click, and do what the background would."""
    from django.urls import reverse

    from dedup import runs

    where = reverse("admin:dedup_batch_carry_out", args=[batch.pk])
    client.post(where, {"version": version})
    runs.go_on(lambda: False)


def carried_out(client: Any) -> float:
    """Return how long it takes to carry out all that is in the safe batch."""
    from dedup.models import Batch

    batch = Batch.objects.get(is_safe=True)
    started = time.perf_counter()
    carry_out(client, batch, batch.version)
    return time.perf_counter() - started


# The pages


def signed_in() -> Any:
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    return client


def pages() -> dict[str, str]:
    from dedup import runs
    from dedup.models import BatchRun, Decision, DuplicateSet, Kind

    here = "/admin/dedup/duplicateset/"
    waiting = DuplicateSet.objects.open()
    middle = waiting.count() // 2
    one = waiting.filter(kind=Kind.DUPLICATES).in_order()[middle // 2]
    shot = waiting.filter(kind=Kind.SIMILAR_SHOTS).in_order().first()
    found = {
        "front": "/admin/",
        "batches": f"{here}batches/",
        "batch carried out": f"{here}runs/{BatchRun.objects.latest('pk').pk}/",
        "list": here,
        "list, one kind": f"{here}?kind__exact=similar_shots",
        "list, one relation": f"{here}?relation=cropped",
        "list, in the middle": f"{here}?p={max(1, middle // 25)}",
        "list, by date": f"{here}?o=5",
        "list, by gain": f"{here}?o=-4",
        "list, common source": f"{here}?source=1",
        "list, rare source": f"{here}?source={DRIVES}",
        "one set": f"{here}{one.pk}/change/",
        "decisions": "/admin/dedup/decision/",
        "decisions of one": "/admin/dedup/decision/?by__id__exact=1",
        "a decision": f"/admin/dedup/decision/{Decision.objects.latest('pk').pk}/change/",
        "verdicts": "/admin/dedup/verdict/",
        "verdicts, searched": "/admin/dedup/verdict/?q=ab12",
        "journal of purges": "/admin/gallery/purge/",
        "all that happened": f"{here}history/",
        "why, a name": f"{here}why/?q=IMG_004711",
        "why, a folder": f"{here}why/?q=whatsapp+images",
        "why, a digest": f"{here}why/?q={one.members.first().photo.digest}",
        "why, nothing": f"{here}why/?q=nowhere",
    }
    for at, summary in enumerate(runs.summaries()[:2]):
        name = ["batch, the safe one", "batch, the largest"][at]
        found[name] = f"{here}batches/{summary.batch.pk}/"
    if shot:
        found["one scene"] = f"{here}{shot.pk}/change/"
    return found


def table(result: dict[str, Any]) -> str:
    said = [
        f"{result['sets']:,} sets, {result['batches']} batches: {result['actions']} "
        f"actions for {result['resolved_share']:.1%} of {result['true_duplicates']:,} "
        f"true duplicates, {result['wrong_discards']} wrong discards",
        f"{result['batch_sets']:,} sets carried out in {result['batch_1000_s']} s",
        f"pages with {result['open_sets']:,} open sets:",
    ]
    return "\n".join([*said, *lines(result["pages"])])


if __name__ == "__main__":
    main()
