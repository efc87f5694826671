"""Which of the vault's plain records are behind the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import F


class StaleShelfQuerySet(models.QuerySet[Any]):
    def note(self, keys: Iterable[str]) -> None:
        """Have the records of these shelves written again."""
        wanted = sorted(set(keys))
        for at in range(0, len(wanted), 500):
            some = wanted[at : at + 500]
            self.filter(key__in=some).update(noted=F("noted") + 1)
            rows = [self.model(key=key) for key in some]
            self.bulk_create(rows, ignore_conflicts=True)

    def settle(self, noted: dict[str, int]) -> None:
        """Forget shelves whose records were written, unless they changed meanwhile."""
        for key, count in noted.items():
            self.filter(key=key, noted=count).delete()


class StaleShelf(models.Model):
    """A folder of originals whose record does not yet say what the catalogue says."""

    # The first four digits of the digests in it.
    key = models.CharField(max_length=4, primary_key=True)
    noted = models.PositiveIntegerField(default=0)

    objects = StaleShelfQuerySet.as_manager()

    def __str__(self) -> str:
        return self.key
