"""Where else the bytes of a photo are: what to plug in when the vault's own are damaged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from gallery.models import Outcome, Source, SourceFile

MOST = 20  # places named of one photo


@dataclass(frozen=True, slots=True)
class Place:
    """A file on a drive that had the bytes when it was last looked at."""

    source: Source
    path: str

    def __str__(self) -> str:
        if self.source.kind == Source.Kind.UPLOAD:
            return _("it was uploaded as %(path)s") % {"path": self.path}
        return _("plug in %(drive)s: %(path)s") % {
            "drive": self.source.label,
            "path": self.path,
        }

    @property
    def is_here(self) -> bool:
        """Whether the drive seems to be where it was last."""
        return bool(self.source.mounted_at) and Path(self.source.mounted_at).is_dir()

    def to_json(self) -> dict[str, str]:
        return {"source": self.source.label, "path": self.path}


def places(photos: Iterable[int]) -> dict[int, list[Place]]:
    """Where each of these photos was last seen, by photo id; the latest drives first."""
    rows = (
        SourceFile.objects.current()
        .filter(photo__in=list(photos))
        # What a browser only claimed to have, nobody has read.
        .exclude(outcome=Outcome.CLAIMED)
        .select_related("source")
        .order_by("source__kind", "-source__last_seen_at", "pk")
    )
    found: dict[int, list[Place]] = defaultdict(list)
    for row in rows:
        if row.photo_id and len(found[row.photo_id]) < MOST:
            found[row.photo_id].append(Place(row.source, row.path))
    return found
