"""What `manage.py check` says about the database and the queue."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from gallery import drives


@register
def retry_outlasts_tasks(**_: Any) -> list[CheckMessage]:
    """A message taken again while its task still runs would be worked on twice."""
    cluster: dict[str, Any] = settings.Q_CLUSTER
    rounds = 2 + -(-cluster["queue_limit"] // cluster["workers"])
    least = rounds * cluster["timeout"]
    if cluster["retry"] > least:
        return []
    return [
        Error(
            f"Q_CLUSTER: retry ({cluster['retry']} s) is not above the longest wait and "
            f"run of a task ({least} s).",
            hint="Raise retry, or lower timeout or queue_limit.",
            id="imagevault.E001",
        )
    ]


@register
def tasks_outlast_photos(**_: Any) -> list[CheckMessage]:
    """A task is ended where it is; the slowest photo of a batch must come to its end."""
    least = settings.BATCH_SECONDS + 2 * settings.IMAGEVAULT_DECODE_SECONDS
    cluster: dict[str, Any] = settings.Q_CLUSTER
    if cluster["timeout"] > least:
        return []
    return [
        Error(
            f"Q_CLUSTER: timeout is not above BATCH_SECONDS and the two goes at the "
            f"decoder of the last photo ({least} s).",
            hint="Raise TASK_SECONDS, or lower BATCH_SECONDS.",
            id="imagevault.E002",
        )
    ]


@register
def connections_are_not_pooled(**_: Any) -> list[CheckMessage]:
    """Processes forked by a cluster would share the pool's connections."""
    if not settings.DATABASES["default"].get("OPTIONS", {}).get("pool"):
        return []
    return [
        Error(
            "DATABASES: a connection pool does not survive the fork of a worker.",
            hint="Leave out the option pool; connections are kept by CONN_MAX_AGE.",
            id="imagevault.E003",
        )
    ]


@register
def sqlite_lies_on_this_machine(**_: Any) -> list[CheckMessage]:
    """SQLite's locks do not hold across a network."""
    database = settings.DATABASES["default"]
    if "sqlite" not in database["ENGINE"]:
        return []
    path = Path(database["NAME"]).resolve()
    mount = drives.mount_of(path, drives.mounts())
    if mount is None or mount.type not in drives.NETWORK:
        return []
    return [
        Warning(
            f"The database {path} lies on a network file system ({mount.type}).",
            hint="Keep the vault's database on this machine's own disk, or use "
            "PostgreSQL: set IMAGEVAULT_DATABASE_URL.",
            id="imagevault.W001",
        )
    ]
