"""Sets of photos that wait for one review, and who is in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dedup import batches
from dedup.models.comparisons import Kind
from gallery.models import Photo
from gallery.models.fields import LocalDateTimeField

# How long a set stays with who looks at it: longer than one takes to decide.
CLAIM_SECONDS = 300


class Turn(models.Model):
    """A right that one process has at a time.

    That to change sets is held by a lock for one transaction, so that grouping and
    deciding take turns; so is that to begin or end a search. Rights to longer work are
    claimed for so many seconds.
    """

    name = models.CharField(max_length=20, primary_key=True)
    claimed_until = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return self.name

    @classmethod
    @contextmanager
    def taken(cls, name: str = "sets") -> Iterator[None]:
        """Run one transaction in which nobody else has this right.

        SQLite's immediate transactions exclude each other by themselves.
        """
        with transaction.atomic():
            cls.objects.get_or_create(name=name)
            cls.objects.select_for_update().get(name=name)
            yield

    @classmethod
    def claim(cls, name: str, *, seconds: float) -> bool:
        """Take a right that nobody holds; return whether it was free."""
        now = timezone.now()
        cls.objects.get_or_create(name=name)
        free = cls.objects.filter(name=name).filter(
            Q(claimed_until=None) | Q(claimed_until__lt=now)
        )
        return bool(free.update(claimed_until=now + timedelta(seconds=seconds)))

    @classmethod
    def release(cls, name: str) -> None:
        cls.objects.filter(name=name).update(claimed_until=None)


class Choice(models.TextChoices):
    """What happens to a member."""

    UNDECIDED = "undecided", _("undecided")
    KEEP = "keep", _("keep")
    DISCARD = "discard", _("discard")


class Order(models.TextChoices):
    """In which order sets come up one by one."""

    ALIKE = "alike", _("like ones together")
    GAIN = "gain", _("largest gain first")


class DuplicateSetQuerySet(models.QuerySet):
    def open(self) -> DuplicateSetQuerySet:
        # See also DuplicateSet.is_open
        return self.filter(state=DuplicateSet.State.OPEN)

    def in_order(self, order: str = "") -> DuplicateSetQuerySet:
        """By batch, pair of folders and date; or what gains most first, if asked so."""
        if order == Order.GAIN:
            return self.order_by("-bytes_to_gain", "-pk")
        return self.order_by("position", "pk")

    def after(self, one: DuplicateSet, order: str = "") -> DuplicateSetQuerySet:
        """Sets that follow this one in an order of the desk."""
        # The first condition follows from the second, but an index can answer it.
        if order == Order.GAIN:
            return self.filter(bytes_to_gain__lte=one.bytes_to_gain).filter(
                Q(bytes_to_gain__lt=one.bytes_to_gain) | Q(pk__lt=one.pk)
            )
        return self.filter(position__gte=one.position).filter(
            Q(position__gt=one.position) | Q(pk__gt=one.pk)
        )

    def before(self, one: DuplicateSet, order: str = "") -> DuplicateSetQuerySet:
        """Sets that precede this one in an order of the desk."""
        if order == Order.GAIN:
            return self.filter(bytes_to_gain__gte=one.bytes_to_gain).filter(
                Q(bytes_to_gain__gt=one.bytes_to_gain) | Q(pk__gt=one.pk)
            )
        return self.filter(position__lte=one.position).filter(
            Q(position__lt=one.position) | Q(pk__lt=one.pk)
        )

    def unplaced(self) -> DuplicateSetQuerySet:
        """Open sets whose batch and position are not known, or by older rules."""
        return self.open().filter(placed_recipe__lt=batches.RECIPE)

    def free_for(self, user: User) -> DuplicateSetQuerySet:
        """Sets that nobody else is looking at."""
        # See also DuplicateSet.is_taken_from
        mine = Q(claimed_by=user) | Q(claimed_by=None)
        return self.filter(mine | Q(claimed_until__lt=timezone.now()))


class DuplicateSet(models.Model):
    """Photos that all match the set's keeper, waiting for one review."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        RESOLVED = "resolved", _("resolved")
        DISMISSED = "dismissed", _("dismissed")

    SETS = [(kind.value, kind.label) for kind in (Kind.DUPLICATES, Kind.SIMILAR_SHOTS)]

    kind = models.CharField(_("kind"), max_length=13, choices=SETS, editable=False)
    state = models.CharField(
        _("state"),
        max_length=9,
        choices=State.choices,
        default=State.OPEN,
        editable=False,
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    # Raised by every change of the members: what a page showed may be outdated.
    revision = models.PositiveIntegerField(default=1, editable=False)

    # Kept here so that a list of thousands asks no member.
    size = models.PositiveIntegerField(_("photos"), default=0, editable=False)
    bytes_to_gain = models.PositiveBigIntegerField(
        _("to gain"), default=0, editable=False, help_text="Bytes the discarded take"
    )
    relation = models.CharField(max_length=20, blank=True, editable=False)
    confidence = models.FloatField(default=0, editable=False)
    taken_at = LocalDateTimeField(_("taken"), null=True, editable=False)

    # Written by dedup.placing. None: to be looked at by itself.
    batch = models.ForeignKey(
        "dedup.Batch",
        on_delete=models.SET_NULL,
        null=True,
        related_name="sets",
        editable=False,
        db_index=False,
    )
    placed_recipe = models.PositiveSmallIntegerField(default=0, editable=False)
    placed_revision = models.PositiveIntegerField(default=0, editable=False)
    # The version of the batch at which this set came in or changed.
    joined = models.PositiveIntegerField(default=0, editable=False)
    # Its place in a random order, for samples.
    lot = models.BigIntegerField(default=0, editable=False)
    position = models.CharField(max_length=40, default="", editable=False)
    # Somebody said of its batch's suggestion that it is not right here.
    is_apart = models.BooleanField(default=False, editable=False)

    # Who is looking at it now: nobody else is led to it until then.
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
        db_index=False,
    )
    claimed_until = models.DateTimeField(null=True, editable=False)

    objects = DuplicateSetQuerySet.as_manager()

    class Meta:
        verbose_name = _("duplicate set")
        verbose_name_plural = _("duplicate sets")
        indexes = [
            models.Index(
                fields=["state", "bytes_to_gain", "id"], name="dedup_by_bytes"
            ),
            models.Index(
                fields=["state", "kind", "bytes_to_gain", "id"], name="dedup_by_kind"
            ),
            models.Index(fields=["state", "taken_at", "id"], name="dedup_by_taken"),
            # Answers also how many sets a batch has and what they gain.
            models.Index(
                fields=["state", "batch", "lot", "bytes_to_gain"], name="dedup_by_lot"
            ),
            models.Index(
                fields=["state", "batch", "confidence"], name="dedup_by_doubt"
            ),
            models.Index(
                fields=["state", "kind", "position", "id"], name="dedup_by_position"
            ),
            # For lists of both kinds, and of one relation.
            models.Index(fields=["state", "position", "id"], name="dedup_by_place"),
            models.Index(
                fields=["state", "relation", "position", "id"],
                name="dedup_by_relation",
            ),
            models.Index(
                fields=["placed_recipe"],
                condition=Q(state="open"),
                name="dedup_to_place",
            ),
        ]

    def __str__(self) -> str:
        return gettext("Set %(number)s") % {"number": self.pk}

    @property
    def is_open(self) -> bool:
        # See also DuplicateSetQuerySet.open
        return self.state == self.State.OPEN

    def is_taken_from(self, user: User) -> bool:
        """Return whether somebody else is looking at it now."""
        # See also DuplicateSetQuerySet.free_for
        if self.claimed_by_id in (None, user.pk) or self.claimed_until is None:
            return False
        return self.claimed_until >= timezone.now()

    def claim(self, *, by: User) -> bool:
        """Have it for a while; return false if somebody else has it."""
        until = timezone.now() + timedelta(seconds=CLAIM_SECONDS)
        free = DuplicateSet.objects.open().free_for(by).filter(pk=self.pk)
        if not free.update(claimed_by=by, claimed_until=until):
            return False
        self.claimed_by, self.claimed_until = by, until
        return True

    @classmethod
    def close_all(
        cls, sets: Iterable[DuplicateSet], state: str, *, by: User | None
    ) -> None:
        now = timezone.now()
        for one in sets:
            one.state, one.closed_at, one.closed_by = state, now, by
        rows = cls.objects.filter(pk__in=[one.pk for one in sets])
        rows.update(state=state, closed_at=now, closed_by=by)

    def reopen(self) -> None:
        self.state, self.closed_at, self.closed_by = self.State.OPEN, None, None
        self.save(update_fields=["state", "closed_at", "closed_by"])


class Member(models.Model):
    """One photo's place in one set."""

    duplicate_set = models.ForeignKey(
        DuplicateSet, on_delete=models.CASCADE, related_name="members"
    )
    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="+")
    is_keeper = models.BooleanField(default=False, editable=False)
    # Of the keeper: the order in which members are shown.
    place = models.PositiveSmallIntegerField(default=0, editable=False)
    suggestion = models.CharField(
        max_length=9,
        choices=Choice.choices,
        default=Choice.UNDECIDED,
        editable=False,
    )
    reason = models.CharField(max_length=300, blank=True, editable=False)
    # How it differs from the keeper, most tellingly: dedup.relation.Name.
    relation = models.CharField(max_length=20, blank=True, editable=False)
    # The judge's answer, seen from the keeper: dedup.relation.Judgement.
    judgement = models.JSONField(null=True, editable=False)
    distance = models.PositiveSmallIntegerField(null=True, editable=False)
    confidence = models.FloatField(default=0, editable=False)
    decision = models.CharField(
        max_length=9, choices=Choice.choices, default=Choice.UNDECIDED, editable=False
    )

    class Meta:
        ordering = ["duplicate_set", "place", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["duplicate_set", "photo"], name="dedup_member_once"
            ),
            models.UniqueConstraint(
                fields=["duplicate_set"],
                condition=Q(is_keeper=True),
                name="dedup_one_keeper",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.photo_id} in set {self.duplicate_set_id}"
