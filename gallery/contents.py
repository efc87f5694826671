"""What a drive gave the vault, and its folders with what became of all in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, Count, F, Sum, TextField, Value, When
from django.db.models.functions import Left, StrIndex, Substr

from gallery import catalogue, copies
from gallery.columns import Selection
from gallery.models import Outcome, Source, SourceFile

FILES = 200  # of a folder, shown at once
KEPT = (
    *(Outcome.IMPORTED, Outcome.ALREADY_KNOWN, Outcome.KEPT, Outcome.PART),
    Outcome.SIDECAR,
)
DECIDED = (Outcome.DISCARDED,)
# What is in an archive has outcomes of its own.
NOTHING = (
    *(Outcome.JUNK, Outcome.EMPTY, Outcome.LINK, Outcome.SPECIAL),
    Outcome.ARCHIVE,
)


@dataclass(slots=True)
class Amount:
    """Entries and their bytes."""

    count: int = 0
    bytes: int = 0

    def add(self, count: int, bytes: int) -> None:
        self.count += count
        self.bytes += bytes


@dataclass(frozen=True, slots=True)
class Share:
    """What became of some of a drive's entries."""

    outcome: Outcome
    count: int
    bytes: int


@dataclass(slots=True)
class Folder:
    """A folder of a drive, with all that lies in it and below."""

    name: str
    path: str
    kept: Amount = field(default_factory=Amount)
    decided: Amount = field(default_factory=Amount)
    nothing: Amount = field(default_factory=Amount)
    open: Amount = field(default_factory=Amount)

    def add(self, outcome: str, count: int, bytes: int) -> None:
        one = {
            **dict.fromkeys(KEPT, self.kept),
            **dict.fromkeys(DECIDED, self.decided),
            **dict.fromkeys(NOTHING, self.nothing),
        }
        one.get(Outcome(outcome), self.open).add(count, bytes)

    @property
    def is_kept(self) -> bool:
        return not self.open.count


@dataclass(frozen=True, slots=True)
class Inside:
    """What lies directly in a folder; `more` files are not shown."""

    path: str
    folders: list[Folder]
    files: list[SourceFile]
    more: int


def gave(source: Source) -> list[Share]:
    """What became of everything that lies on a drive, in the order of outcomes."""
    rows = source.files.filter(replaced_in=None).values_list("outcome")
    sums = {
        outcome: Share(Outcome(outcome), count, bytes or 0)
        for outcome, count, bytes in rows.annotate(Count("pk"), Sum("size")).order_by()
    }
    return [sums[outcome] for outcome in Outcome.values if outcome in sums]


def only_here(source: Source) -> int:
    """How many live photos no other drive at hand has."""
    return len(copies.only_on(Selection.all(catalogue.soon()), source.pk))


def inside(source: Source, path: str) -> Inside:
    """The folders and files directly in a folder, in three queries at any size."""
    rows = _below(source, path)
    folders: dict[str, Folder] = {}
    counted = rows.exclude(cut=0).values_list("step", "outcome")
    prefix = f"{path}/" if path else ""
    for step, outcome, count, bytes in counted.annotate(
        Count("pk"), Sum("size")
    ).order_by("step"):
        folder = folders.setdefault(step, Folder(step, prefix + step))
        folder.add(outcome, count, bytes or 0)
    files = rows.filter(cut=0).order_by("path").select_related("photo", "kept")
    shown = list(files[: FILES + 1])
    more = files.count() - FILES if len(shown) > FILES else 0
    return Inside(path, list(folders.values()), shown[:FILES], more)


def _below(source: Source, path: str) -> Any:
    """What lies below a folder, each with the step that leads on from there."""
    rows = SourceFile.objects.current().filter(source=source)
    start = len(path) + 2 if path else 1
    if path:
        rows = rows.annotate(start=Left("path", start - 1)).filter(start=f"{path}/")
    return rows.annotate(
        rest=Substr("path", start),
        cut=StrIndex(F("rest"), Value("/")),
        step=Case(
            When(cut=0, then=Value("")),
            default=Left(F("rest"), F("cut") - 1),
            output_field=TextField(),
        ),
    )
