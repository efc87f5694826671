"""`make test`: the suite on SQLite, then on PostgreSQL and Redis where they answer.

Says what it left out. With CI set, nothing may be left out.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

POSTGRES = "postgres://postgres@127.0.0.1:5432/imagevault"
REDIS = "redis://127.0.0.1:6379/9"


def main() -> int:
    services = {"PostgreSQL": postgres_answers(), "Redis": redis_answers()}
    tools = {"Chromium": bool(chromium()), "the real photos": photos_are_here()}
    missing = [name for name, here in {**services, **tools}.items() if not here]
    if missing and os.environ.get("CI"):
        print(f"Missing, and nothing may be left out here: {', '.join(missing)}.")
        return 2
    runs = [("SQLite, the queue in the database", {})]
    if all(services.values()):
        addresses = {
            "IMAGEVAULT_DATABASE_URL": POSTGRES,
            "IMAGEVAULT_BROKER_URL": REDIS,
        }
        runs.append(("PostgreSQL, the queue in Redis", addresses))
    status = 0
    for title, addresses in runs:
        status = run(title, addresses) or status
    if missing:
        print(f"\nLeft out, because not found here: {', '.join(missing)}.")
    return status


def run(title: str, addresses: dict[str, str]) -> int:
    print(f"\n== {title} ==", flush=True)
    arguments = sys.argv[1:] or ["-n", "2", "--dist", "worksteal", "-q"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        env={**without_addresses(), **addresses},
    )
    return ended.returncode


def without_addresses() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("IMAGEVAULT_")}


def postgres_answers() -> bool:
    import psycopg

    try:
        psycopg.connect(POSTGRES.replace("/imagevault", "/postgres")).close()
    except psycopg.OperationalError:
        return False
    return True


def redis_answers() -> bool:
    import redis

    try:
        return bool(redis.Redis.from_url(REDIS).ping())
    except redis.ConnectionError:
        return False


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("google-chrome")


def photos_are_here() -> bool:
    given = os.environ.get("IMAGEVAULT_TEST_PHOTOS")
    root = Path(__file__).resolve().parent.parent
    return (Path(given) if given else root.parent / "shared" / "photos").is_dir()


if __name__ == "__main__":
    sys.exit(main())
