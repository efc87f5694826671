"""The log of changes: which photos to look at again, from a position on.

Triggers write it, in the transaction of the change itself, whatever made the change. A
position is a number that only grows: on SQLite, where one writes after the other, that
of the last note; on PostgreSQL the oldest transaction that was still open.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from gallery.models import Change, Mark

LINEAGE, PRUNED = "lineage", "pruned"
# What of a photo the pages sort, filter and search by.
WATCHED = (
    *("size", "name", "added_at", "format", "width", "height", "camera_make"),
    *("camera_model", "taken_at", "taken_precision", "trashed_at"),
)
# Notes that stay when older ones are cleared away, for who has not read them yet.
KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Moment:
    """How far the log has come, and from where on it is still whole.

    Two positions can be compared only if their lineage is the same: a database that was
    emptied begins anew.
    """

    lineage: str
    position: int
    pruned: int = 0


def now() -> Moment:
    """Return how far the log has come, for every change that can be seen by now."""
    with connection.cursor() as cursor:
        cursor.execute(NOW[connection.vendor], [LINEAGE, PRUNED])
        lineage, position, pruned = cursor.fetchone()
    return Moment(lineage or _begin(), position or 0, pruned or 0)


NOW = {
    "sqlite": """
        SELECT (SELECT token FROM gallery_mark WHERE name = %s),
            (SELECT seq FROM sqlite_sequence WHERE name = 'gallery_change'),
            (SELECT position FROM gallery_mark WHERE name = %s)
    """,
    "postgresql": """
        SELECT (SELECT token FROM gallery_mark WHERE name = %s),
            pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
            (SELECT position FROM gallery_mark WHERE name = %s)
    """,
}


def _begin() -> str:
    mark, _ = Mark.objects.get_or_create(
        name=LINEAGE, defaults={"token": uuid.uuid4().hex}
    )
    return mark.token


def since(position: int, *, most: int) -> list[int]:
    """Return the photos that changed after a position, more than `most` at times."""
    changes = Change.objects.filter(**{_after(): position})
    return list(changes.values_list("photo", flat=True).distinct()[: most + 1])


def _after() -> str:
    # The oldest open transaction may still have written something then.
    return "transaction__gte" if connection.vendor == "postgresql" else "pk__gt"


def prune(position: int) -> None:
    """Clear away notes that were read up to a position, but for the latest."""
    position = min(position, now().position - KEPT)
    if position > 0 and Mark.objects.filter(name=PRUNED, position__gte=position):
        return
    if position > 0:
        with transaction.atomic():
            Mark.objects.update_or_create(name=PRUNED, defaults={"position": position})
            Change.objects.exclude(**{_after(): position}).delete()


def watch(**_: Any) -> None:
    """Have the database note changes; if it did not so far, all may have changed."""
    if Change._meta.db_table not in connection.introspection.table_names():
        return  # migrated back to before
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TRIGGERS[connection.vendor])
        there = {name for (name,) in cursor.fetchall()}
        wanted = dict(_triggers())
        if wanted.keys() <= there:
            return
        for name in wanted.keys() - there:
            cursor.execute(wanted[name])
        Mark.objects.all().delete()


TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
}
# Table, event, and the photo that is meant.
EVENTS = {
    "gallery_note_new_photo": ("gallery_photo", "INSERT", "NEW.id"),
    "gallery_note_photo": (
        "gallery_photo",
        f"UPDATE OF {', '.join(WATCHED)}",
        "NEW.id",
    ),
    # What the pages do not ask about, and the vault's plain records do.
    "gallery_note_photo_record": (
        "gallery_photo",
        "UPDATE OF purged_at, taken_offset, taken_from, latitude, longitude, facts, problem",
        "NEW.id",
    ),
    "gallery_note_gone_photo": ("gallery_photo", "DELETE", "OLD.id"),
    "gallery_note_new_sighting": ("gallery_sourcefile", "INSERT", "NEW.photo_id"),
    "gallery_note_sighting": (
        "gallery_sourcefile",
        "UPDATE OF photo_id",
        "NEW.photo_id",
    ),
    "gallery_note_replaced_sighting": (
        "gallery_sourcefile",
        "UPDATE OF replaced_in_id",
        "NEW.photo_id",
    ),
    "gallery_note_gone_sighting": ("gallery_sourcefile", "DELETE", "OLD.photo_id"),
}


def _triggers() -> list[tuple[str, str]]:
    make = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    return [(name, make(name, *event)) for name, event in EVENTS.items()]


def _on_sqlite(name: str, table: str, event: str, photo: str) -> str:
    return f"""
        CREATE TRIGGER {name} AFTER {event} ON {table} WHEN {photo} IS NOT NULL
        BEGIN
            INSERT INTO gallery_change (photo, "transaction") VALUES ({photo}, 0);
        END
    """


def _on_postgresql(name: str, table: str, event: str, photo: str) -> str:
    return f"""
        CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $note$
        BEGIN
            INSERT INTO gallery_change (photo, "transaction")
            VALUES ({photo}, pg_current_xact_id()::text::bigint);
            RETURN NULL;
        END
        $note$;
        CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW
        WHEN ({photo} IS NOT NULL) EXECUTE FUNCTION {name}();
    """
