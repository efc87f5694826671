"""Work that is outstanding, as rows: what a crash, a lost message or a new recipe heals from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

# Starts without a finish, after which a row waits for a person.
MAX_ATTEMPTS = 3
GIVEN_UP = f"the program broke off {MAX_ATTEMPTS} times while it worked on this"


class StepQuerySet(models.QuerySet[Any]):
    """Rows of one step; `recipe` is the current one of the model's pure module."""

    def outstanding(self) -> StepQuerySet:
        """Rows whose work has to be done, whoever is at it now."""
        return self.filter(recipe__lt=self.model.RECIPE, problem="").exclude(
            attempts__gte=MAX_ATTEMPTS
        )

    def claimable(self) -> StepQuerySet:
        return self.outstanding().unclaimed()

    def unclaimed(self) -> StepQuerySet:
        """Rows nobody is at, or nobody any more."""
        return self.filter(Q(claimed_until=None) | Q(claimed_until__lt=timezone.now()))

    def claimed(self) -> StepQuerySet:
        return self.outstanding().filter(claimed_until__gte=timezone.now())

    def failed(self) -> StepQuerySet:
        """Rows that wait for a person, each with its reason or out of attempts."""
        return self.filter(recipe__lt=self.model.RECIPE).filter(
            ~Q(problem="") | Q(attempts__gte=MAX_ATTEMPTS)
        )

    def claim(self, pks: Iterable[int], *, seconds: float) -> list[int]:
        """Take these rows for so many seconds; return those that were free.

        Claiming is one conditional UPDATE a row, so that of two who ask at once one
        gets it.
        """
        until = timezone.now() + timedelta(seconds=seconds)
        with transaction.atomic():
            return [
                pk
                for pk in pks
                if self.claimable().filter(pk=pk).update(claimed_until=until)
            ]

    def claim_batches(self, room: int, *, size: int, seconds: float) -> list[list[int]]:
        """Claim what is outstanding, for `room` tasks at most; return their rows.

        Rows that were begun before come alone: should one of them be what took its
        worker down, it takes no others with it again.
        """
        free = list(self.claimable().values_list("pk", "attempts")[: room * size])
        alone = [[pk] for pk, attempts in free if attempts]
        fresh = sorted(pk for pk, attempts in free if not attempts)
        batches = [fresh[at : at + size] for at in range(0, len(fresh), size)]
        claimed = [self.claim(pks, seconds=seconds) for pks in (alone + batches)[:room]]
        self.unclaimed().give_up()
        return [pks for pks in claimed if pks]

    def begin(self, pks: Sequence[int], *, seconds: float) -> None:
        """Count a start, before the work that may take the process down."""
        self.filter(pk__in=pks).update(
            attempts=F("attempts") + 1,
            claimed_until=timezone.now() + timedelta(seconds=seconds),
        )

    def take(self, pks: Sequence[int], *, seconds: float) -> list[int]:
        """Begin what a task was given; return the rows that are still to be done.

        In a batch, rows that were begun before are left for tasks of their own.
        """
        mine = self.filter(pk__in=pks)
        mine.give_up()
        rows = mine.outstanding().order_by("pk").values_list("pk", "attempts")
        taken = [pk for pk, attempts in rows if len(pks) == 1 or not attempts]
        self.release(set(pks) - set(taken))
        self.begin(taken, seconds=seconds)
        return taken

    def release(self, pks: Iterable[int]) -> None:
        """Give up the claim on rows that were not begun."""
        self.outstanding().filter(pk__in=list(pks)).update(claimed_until=None)

    def put_back(self, pks: Sequence[int]) -> None:
        """Give up the claim on rows that were begun in name only."""
        self.outstanding().filter(pk__in=pks, attempts__gt=0).update(
            attempts=F("attempts") - 1, claimed_until=None
        )

    def give_up(self) -> list[int]:
        """Set rows aside that were begun too often, with that as their reason."""
        spent = self.filter(recipe__lt=self.model.RECIPE, problem="").filter(
            attempts__gte=MAX_ATTEMPTS
        )
        pks = list(spent.values_list("pk", flat=True))
        if pks:
            spent.filter(pk__in=pks).update(problem=GIVEN_UP, claimed_until=None)
        return pks

    def again(self) -> int:
        """Make finished rows outstanding: what they made is lost."""
        return self.filter(recipe=self.model.RECIPE).update(recipe=0, attempts=0)

    def retry(self) -> int:
        """Forget problems and attempts, so that the work is done again."""
        return self.failed().update(problem="", attempts=0, claimed_until=None)


class Step(models.Model):
    """One piece of background work on one photo, and how far it has come.

    Finished means: `recipe` is the model's current RECIPE. What an older recipe made
    goes on serving until then.
    """

    RECIPE: int

    recipe = models.PositiveSmallIntegerField(default=0, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    problem = models.CharField(max_length=500, blank=True, editable=False)

    objects = StepQuerySet.as_manager()

    class Meta:
        abstract = True
        indexes = [models.Index(fields=["recipe"], name="%(app_label)s_%(class)s_step")]

    def finish(self, **values: object) -> None:
        """Store what was made; a finished step has no claim and no attempts left over."""
        self.set(
            recipe=self.RECIPE,
            attempts=0,
            claimed_until=None,
            problem="",
            finished_at=timezone.now(),
            **values,
        )

    def fail(self, problem: str) -> None:
        """Set the step aside with its reason, until a person asks for a retry."""
        self.set(problem=problem[:500], claimed_until=None)

    def set(self, **values: object) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        self.save(update_fields=list(values))
