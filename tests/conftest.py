"""Fixtures every test may use.

The suite runs on SQLite and the queue in the database; with IMAGEVAULT_DATABASE_URL and
IMAGEVAULT_BROKER_URL it runs on PostgreSQL and Redis instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from tests.house import Cluster, House, Template

ROOT = Path(__file__).resolve().parent.parent

# A busy machine is no failure: by itself hypothesis allows an example 200 ms.
hypothesis.settings.register_profile("imagevault", deadline=None)
hypothesis.settings.load_profile("imagevault")


DATABASE = {"db", "transactional_db", "house", "cluster", "live_server"}
# What a browser, an account or who types a command gets was asked on SQLite: what stands
# behind views and commands is tested by itself on every database.
SAME_EVERYWHERE = (
    "tests/browser/",
    "tests/test_permissions.py",
    "tests/gallery/test_import_drive.py",
    "tests/gallery/test_verify_drive.py",
    "tests/gallery/test_verify_vault.py",
)


def pytest_collection_modifyitems(config, items):
    """On other services, run only what could come out otherwise there."""
    if not os.environ.get("IMAGEVAULT_DATABASE_URL"):
        return
    asks = [
        bool(item.get_closest_marker("django_db") or DATABASE & set(item.fixturenames))
        and not item.nodeid.startswith(SAME_EVERYWHERE)
        for item in items
    ]
    config.hook.pytest_deselected(
        items=[item for item, it_asks in zip(items, asks, strict=True) if not it_asks]
    )
    items[:] = [item for item, it_asks in zip(items, asks, strict=True) if it_asks]


@pytest.fixture(scope="session")
def shared_photos() -> Path:
    """The folder of real photos; without it the test is skipped, but in CI it fails."""
    given = os.environ.get("IMAGEVAULT_TEST_PHOTOS")
    folder = Path(given) if given else ROOT.parent / "shared" / "photos"
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{folder} is missing: set IMAGEVAULT_TEST_PHOTOS")
        pytest.skip(f"no real photos at {folder}")
    return folder


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory, django_db_modify_db_settings_parallel_suffix
):
    """Each process of a run has a database of its own.

    SQLite lies in a file, as it does at home: in memory, two who write fail at once.
    """
    from django.db import connection

    if connection.vendor == "sqlite":
        path = tmp_path_factory.mktemp("database") / "test.sqlite3"
        connection.settings_dict["TEST"]["NAME"] = str(path)


@pytest.fixture(scope="session", autouse=True)
def no_built_files(tmp_path_factory):
    """What a developer's last build left behind plays no part."""
    from django.conf import settings

    settings.STATIC_ROOT = tmp_path_factory.mktemp("static")


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    """Pages name their static files without a manifest, which only a build makes."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        },
    }


@pytest.fixture(autouse=True)
def no_language_left() -> Iterator[None]:
    """What a page was asked in plays no part in the next test."""
    from django.utils import translation

    yield
    translation.deactivate()


@pytest.fixture
def vault(tmp_path, settings) -> Path:
    """An empty vault that the settings point to."""
    from gallery import vault as vaults

    folder = tmp_path / "vault"
    vaults.found(folder)
    settings.IMAGEVAULT_DATA = folder
    return folder


@pytest.fixture
def database_queue(monkeypatch) -> None:
    """What this process queues goes into the database, also where Redis is set."""
    broker = "imagevault.queue.DatabaseQueue"
    monkeypatch.setattr("django_q.conf.Conf.BROKER_CLASS", broker)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory) -> Iterator[Template]:
    """A migrated database to copy houses from."""
    from tests.house import Template

    template = Template(tmp_path_factory.mktemp("houses"))
    yield template
    template.drop()


@pytest.fixture
def house(migrated, tmp_path, settings, django_db_blocker) -> Iterator[House]:
    """A vault with a database of its own, for tests that start programs in it.

    Nothing of the test runs in a transaction. Do not use it together with `db`.
    """
    house = migrated.copy(tmp_path / "house")
    settings.IMAGEVAULT_DATA = house.folder
    cache = {**settings.CACHES["default"], "LOCATION": house.folder / "cache"}
    settings.CACHES = {"default": cache}
    try:
        with django_db_blocker.unblock(), house.opened():
            yield house
    finally:
        house.pull_down()


@pytest.fixture
def cluster(house) -> Cluster:
    """A running cluster with two workers that does only what it is given."""
    from tests.house import Cluster

    return Cluster(house, IMAGEVAULT_TEST_FEEDERS="tests.killers.feed_nothing")
