"""The settings a family can make, each an environment variable.

Every function reads one variable and either returns what it says or refuses it
in a sentence that names it. No Django settings are touched here.
"""

import os
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


class BadSetting(ImproperlyConfigured):
    """An environment variable says something that cannot be read."""


def read_env_file(path: Path) -> None:
    """Take over what a `.env` file says, where the environment says nothing."""
    if path.is_file():
        environ.Env.read_env(str(path))


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value not in TRUE | FALSE:
        raise BadSetting(f"{name} must be yes or no, not {value!r}.")
    return value in TRUE


def whole_number(name: str, default: int, *, least: int) -> int:
    value = text(name)
    try:
        number = int(value) if value else default
    except ValueError:
        number = least - 1
    if number < least:
        raise BadSetting(
            f"{name} must be a whole number of at least {least}, not {value!r}."
        )
    return number


def share(name: str, default: int) -> int:
    """Read a share such as 1/30 as the number below the line; off is 0."""
    value = text(name, f"1/{default}").lower()
    one, _, parts = value.partition("/")
    if value in FALSE:
        return 0
    if one != "1" or not parts.isdecimal() or int(parts) < 2:
        raise BadSetting(f"{name} must be a share such as 1/30, or off, not {value!r}.")
    return int(parts)


def names(name: str, default: list[str]) -> list[str]:
    """Read a list separated by commas."""
    return [part.strip() for part in text(name).split(",") if part.strip()] or default


def origins(name: str) -> list[str]:
    found = names(name, [])
    for origin in found:
        if not origin.startswith(("http://", "https://")):
            raise BadSetting(
                f"{name} must list addresses that start with http:// or https://, "
                f"not {origin!r}."
            )
    return found


def folder(name: str, default: Path) -> Path:
    path = Path(text(name) or default).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise BadSetting(f"{name} must name a folder, but {path} is a file.")
    return path


def address(name: str, default: str) -> str:
    value = text(name, default)
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise BadSetting(
            f"{name} must be an address and a port such as 127.0.0.1:8000, "
            f"not {value!r}."
        )
    return value


def time_zone(name: str) -> str:
    value = text(name) or system_time_zone()
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError) as error:
        raise BadSetting(
            f"{name} must name a time zone such as Europe/Berlin, not {value!r}."
        ) from error
    return value


def system_time_zone() -> str:
    """Return the zone this machine lives in, UTC where it does not say."""
    target = Path("/etc/localtime").resolve().parts
    if "zoneinfo" in target:
        return "/".join(target[target.index("zoneinfo") + 1 :])
    return "UTC"


def postgres(name: str) -> dict[str, Any] | None:
    """Return Django's settings for a postgres:// address; none where none is given."""
    value = text(name)
    if not value:
        return None
    parsed: dict[str, Any] = {}
    if value.startswith(("postgres://", "postgresql://")):
        try:
            parsed = dict(environ.Env.db_url_config(value))
        except (ValueError, ImproperlyConfigured):
            pass
    if not parsed.get("NAME"):
        raise BadSetting(
            f"{name} must be an address such as "
            f"postgres://user:password@host:5432/imagevault."
        )
    return parsed


def redis(name: str) -> str:
    value = text(name)
    if value and not value.startswith(("redis://", "rediss://", "unix://")):
        raise BadSetting(
            f"{name} must be an address such as redis://127.0.0.1:6379/0, "
            f"not {value!r}."
        )
    return value
