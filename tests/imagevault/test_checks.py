import pytest
from django.core.checks import run_checks

from imagevault import checks


def found() -> set[str]:
    return {message.id for message in run_checks()}


def test_a_sound_set_up_has_nothing_to_say(vault):
    assert not found()


def test_originals_without_a_marker_are_an_error(vault):
    place = vault / "originals" / "ab" / "cd"
    place.mkdir(parents=True)
    (place / "photo.jpg").touch()
    (vault / "vault.json").unlink()
    assert found() == {"gallery.E001"}


def test_a_machine_without_a_vault_is_only_warned(tmp_path, settings):
    settings.IMAGEVAULT_DATA = tmp_path / "nothing"
    assert found() == {"gallery.W001"}


def test_a_vault_that_cannot_be_written_is_an_error(vault, monkeypatch):
    # Tests may run as root, whom nothing is forbidden.
    monkeypatch.setattr("os.access", lambda path, mode: path.name != "originals")
    assert found() == {"gallery.E002"}


@pytest.mark.parametrize(
    ("change", "message"),
    [({"retry": 100}, "imagevault.E001"), ({"timeout": 30}, "imagevault.E002")],
)
def test_times_that_do_not_fit_are_an_error(vault, settings, change, message):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, **change}
    assert message in found()


def test_a_connection_pool_is_an_error(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", {"pool": True})
    assert [error.id for error in checks.connections_are_not_pooled()] == [
        "imagevault.E003"
    ]


def test_sqlite_on_a_network_drive_is_warned_of(settings, monkeypatch):
    line = "1 1 0:1 / / rw - nfs4 nas:/photos rw"
    monkeypatch.setattr(
        "gallery.drives.mounts", lambda text=line, read=checks.drives.mounts: read(text)
    )
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": "/photos/db"}
    monkeypatch.setitem(settings.DATABASES, "default", database)
    assert [warning.id for warning in checks.sqlite_lies_on_this_machine()] == [
        "imagevault.W001"
    ]
