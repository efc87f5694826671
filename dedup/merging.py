"""What a kept photo takes over from a discarded copy that knew it better.

It is planned first, so that it can be shown; then carried out, and noted so that exactly
that is given back. Weaker knowledge never takes the place of better. What is not listed
here stays with the copy's own row: its names and sightings are never lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gallery import dates, dating
from gallery.models import Favourite, Photo

WHEN = ("taken_at", "taken_offset", "taken_precision", "taken_from")
WHERE = ("latitude", "longitude")
FIELDS = (*WHEN, *WHERE)

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Gain:
    """What a keeper takes over from one copy: fields, and stars by these users."""

    keeper: Photo
    copy: Photo
    before: Values
    after: Values
    stars: list[int] = field(default_factory=list)

    @property
    def is_something(self) -> bool:
        return bool(self.after or self.stars)

    @property
    def is_date(self) -> bool:
        return "taken_at" in self.after

    @property
    def is_position(self) -> bool:
        return "latitude" in self.after


def gains(pairs: Iterable[tuple[Photo, Photo]]) -> list[Gain]:
    """Return what the keepers gain, one after the other; (copy, keeper) each."""
    pairs = list(pairs)
    photos = {photo.pk for pair in pairs for photo in pair}
    stars: dict[int, set[int]] = {pk: set() for pk in photos}
    rows = Favourite.objects.filter(photo__in=photos)
    for photo, user in rows.values_list("photo", "user"):
        stars[photo].add(user)
    known = {keeper.pk: _facts(keeper) for _, keeper in pairs}
    found = []
    for copy, keeper in pairs:
        now, theirs = known[keeper.pk], _facts(copy)
        after = _better(theirs, now)
        new = sorted(stars[copy.pk] - stars[keeper.pk])
        before = {name: now[name] for name in after}
        found.append(Gain(keeper, copy, before, after, new))
        now |= after
        stars[keeper.pk].update(new)
    return [gain for gain in found if gain.is_something]


def _facts(photo: Photo) -> Values:
    return {name: getattr(photo, name) for name in FIELDS}


def _better(theirs: Values, ours: Values) -> Values:
    """Return what the copy knows and the keeper does not, or not as well."""
    better: Values = {}
    if _knows_better(_evidence(theirs), _evidence(ours)):
        better |= {name: theirs[name] for name in WHEN}
    if ours["latitude"] is None and theirs["latitude"] is not None:
        better |= {name: theirs[name] for name in WHERE}
    return better


def _knows_better(theirs: dates.Evidence | None, ours: dates.Evidence | None) -> bool:
    """Return whether the copy's date is to be trusted more than the keeper's."""
    if theirs is None or (ours and ours.origin == dates.Origin.PERSON):
        return False
    if ours is None or theirs.origin == dates.Origin.PERSON:
        return True
    found = dates.best([ours, theirs])
    if found.taken_at == ours.taken_at or found.taken_at != theirs.taken_at:
        return False
    # Of two equally good records neither is better for being earlier; but copying makes
    # a file's time younger, never older.
    equals = (ours.origin, ours.precision) == (theirs.origin, theirs.precision)
    by_copying = ours.origin == dates.Origin.MODIFICATION_TIME
    return not equals or by_copying or theirs.taken_at > ours.taken_at


def _evidence(facts: Values) -> dates.Evidence | None:
    if facts["taken_at"] is None:
        return None
    return dates.Evidence(
        facts["taken_at"],
        dates.Precision(facts["taken_precision"]),
        dates.Origin(facts["taken_from"]),
        facts["taken_offset"],
    )


def hand_over(gained: Iterable[Gain]) -> None:
    """Write what keepers gain; the photos given with it know it, too."""
    gained = list(gained)
    changed: dict[int, Photo] = {}
    stars = []
    for gain in gained:
        stars += [Favourite(user_id=user, photo=gain.keeper) for user in gain.stars]
        for name, value in gain.after.items():
            setattr(gain.keeper, name, value)
        if gain.after:
            changed[gain.keeper.pk] = gain.keeper
    Photo.objects.bulk_update(changed.values(), FIELDS)
    dating.note_copies((gain.keeper, gain.copy) for gain in gained if gain.is_date)
    Favourite.objects.bulk_create(stars, ignore_conflicts=True)


def noted(gain: Gain) -> dict[str, Any]:
    """Return a gain as a decision remembers it."""
    return {
        "photo": gain.keeper.pk,
        "before": {name: _plain(value) for name, value in gain.before.items()},
        "after": {name: _plain(value) for name, value in gain.after.items()},
        "stars": gain.stars,
    }


def give_back(photo: Photo, note: Mapping[str, Any]) -> None:
    """Take back what was gained, unless something better was learned since."""
    for fields in (WHEN, WHERE):
        after = {name: note["after"][name] for name in fields if name in note["after"]}
        now = {name: _plain(getattr(photo, name)) for name in after}
        if after and now == after:
            before = {name: _read(name, note["before"][name]) for name in after}
            if fields is WHEN:
                dating.forget_copy(photo)
            photo.update_facts(**before)
    if stars := note.get("stars"):
        Favourite.objects.filter(photo=photo, user__in=stars).delete()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _read(name: str, value: Any) -> Any:
    if name == "taken_at" and value is not None:
        return datetime.fromisoformat(value)
    return value
