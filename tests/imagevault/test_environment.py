"""Every setting of the environment is read, or refused in a sentence that names it."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from imagevault import environment, secret
from imagevault.environment import BadSetting
from tests.conftest import ROOT

NAME = "IMAGEVAULT_TRIED"


def says(monkeypatch, value):
    monkeypatch.setenv(NAME, value)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda: environment.flag(NAME, default=False), "perhaps"),
        (lambda: environment.whole_number(NAME, 2, least=1), "two"),
        (lambda: environment.whole_number(NAME, 2, least=1), "0"),
        (lambda: environment.whole_number(NAME, 2, least=1), "-3"),
        (lambda: environment.folder(NAME, ROOT), str(ROOT / "manage.py")),
        (lambda: environment.address(NAME, "localhost:80"), "localhost"),
        (lambda: environment.address(NAME, "localhost:80"), "localhost:http"),
        (lambda: environment.address(NAME, "localhost:80"), ":8000"),
        (lambda: environment.address(NAME, "localhost:80"), "localhost:70000"),
        (lambda: environment.time_zone(NAME), "Europe/Atlantis"),
        (lambda: environment.time_zone(NAME), "/etc/passwd"),
        (lambda: environment.postgres(NAME), "mysql://root@localhost/photos"),
        (lambda: environment.postgres(NAME), "postgres://localhost"),
        (lambda: environment.postgres(NAME), "postgres://u:p@host:port/photos"),
        (lambda: environment.postgres(NAME), "nonsense"),
        (lambda: environment.redis(NAME), "localhost:6379"),
        (lambda: environment.origins(NAME), "photos.example.org"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(monkeypatch, read, value):
    says(monkeypatch, value)
    with pytest.raises(BadSetting, match=f"^{NAME} must "):
        read()


@pytest.mark.parametrize("value", ["yes", "Yes", "1", "true", "on"])
def test_flags_are_read_as_people_write_them(monkeypatch, value):
    says(monkeypatch, value)
    assert environment.flag(NAME, default=False) is True


def test_an_empty_value_is_as_if_not_set(monkeypatch):
    says(monkeypatch, " ")
    assert environment.flag(NAME, default=True) is True
    assert environment.whole_number(NAME, 3, least=1) == 3
    assert environment.postgres(NAME) is None
    assert environment.names(NAME, ["localhost"]) == ["localhost"]


def test_a_postgres_address_becomes_djangos_settings(monkeypatch):
    says(monkeypatch, "postgres://anna:p%40ss@db.home:5433/photos")
    database = environment.postgres(NAME)
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["USER"], database["PASSWORD"]) == ("anna", "p@ss")
    assert (database["HOST"], int(database["PORT"])) == ("db.home", 5433)
    assert database["NAME"] == "photos"


def test_an_ipv6_address_is_read(monkeypatch):
    says(monkeypatch, "[::1]:8000")
    assert environment.address(NAME, "") == "[::1]:8000"


def test_a_bad_setting_ends_the_program_with_one_sentence():
    ended = subprocess.run(
        [sys.executable, ROOT / "manage.py", "check"],
        env={**os.environ, "IMAGEVAULT_WORKERS": "many"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2
    assert ended.stderr == (
        "IMAGEVAULT_WORKERS must be a whole number of at least 1, not 'many'.\n"
    )


def test_the_env_file_yields_to_the_environment(monkeypatch, tmp_path):
    says(monkeypatch, "from the environment")
    monkeypatch.delenv("IMAGEVAULT_OTHER", raising=False)
    (tmp_path / ".env").write_text(f"{NAME}=from the file\nIMAGEVAULT_OTHER=file\n")
    environment.read_env_file(tmp_path / ".env")
    assert environment.text(NAME) == "from the environment"
    assert environment.text("IMAGEVAULT_OTHER") == "file"
    del os.environ["IMAGEVAULT_OTHER"]


def test_the_secret_key_is_made_once_and_for_its_owner_only(vault):
    first = secret.key(vault)
    assert len(first) >= 50
    assert secret.key(vault) == first
    assert stat.S_IMODE((vault / "secret_key").stat().st_mode) == 0o600


def test_a_folder_that_is_no_vault_gets_no_key(tmp_path):
    assert secret.key(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_of_two_who_make_the_key_at_once_both_use_the_same(vault):
    other = vault / "secret_key"
    other.write_text("made by another process")
    secret.make(other)
    assert secret.key(vault) == "made by another process"
    assert [p.name for p in vault.glob("secret_key*")] == ["secret_key"]


def test_a_vault_of_another_account_is_refused_with_whose_it_is(vault, monkeypatch):
    def refuse(path, *_):
        raise PermissionError(13, "Permission denied")

    # Nothing is refused to root, who may run the tests.
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(BadSetting, match="belongs to the account"):
        secret.key(vault)
