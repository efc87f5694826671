"""Where else the bytes of an original are: what to plug in when the vault's own are damaged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.db.models import Q
from django.utils.translation import gettext as _

from gallery.models import KeptFile, Outcome, Photo, Source, SourceFile

MOST = 20  # places named of one original


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


def places(files: Iterable[Photo | KeptFile]) -> dict[str, list[Place]]:
    """Where each of these was last seen, by digest; the latest drives first."""
    digests = {(type(one), one.pk): one.digest for one in files}
    photos = [pk for model, pk in digests if model is Photo]
    kept = [pk for model, pk in digests if model is KeptFile]
    rows = (
        SourceFile.objects.current()
        .filter(Q(photo__in=photos) | Q(kept__in=kept))
        # What a browser only claimed to have, nobody has read.
        .exclude(outcome=Outcome.CLAIMED)
        .select_related("source")
        .order_by("source__kind", "-source__last_seen_at", "pk")
    )
    found: dict[str, list[Place]] = {digest: [] for digest in digests.values()}
    for row in rows:
        owner = (Photo, row.photo_id) if row.photo_id else (KeptFile, row.kept_id)
        if (digest := digests.get(owner)) and len(found[digest]) < MOST:
            found[digest].append(Place(row.source, row.path))
    return found
