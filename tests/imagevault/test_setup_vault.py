"""`setup_vault` makes what is missing and leaves alone what is there."""

import stat
from io import StringIO

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import CommandError, call_command

from gallery import vault as vaults

pytestmark = pytest.mark.django_db


def set_up() -> str:
    out = StringIO()
    call_command("setup_vault", stdout=out)
    return out.getvalue()


def test_the_first_administrator_gets_a_printed_password(tmp_path, settings, rf):
    settings.IMAGEVAULT_DATA = tmp_path / "new"
    said = set_up()
    password = said.split("password:")[1].split()[0]
    user = authenticate(rf.get("/"), username="admin", password=password)
    assert user.is_superuser


def test_the_password_is_printed_once(vault):
    assert "password:" in set_up()
    assert "password:" not in set_up()
    assert get_user_model().objects.count() == 1


def test_a_given_password_is_used_and_not_printed(vault, settings, rf):
    settings.IMAGEVAULT_ADMIN_USER = "anna"
    settings.IMAGEVAULT_ADMIN_PASSWORD = "correct horse battery"
    assert "correct horse" not in set_up()
    assert authenticate(rf.get("/"), username="anna", password="correct horse battery")


def test_originals_without_a_marker_are_not_taken_for_a_new_vault(tmp_path, settings):
    shelf = tmp_path / "originals" / "ab" / "cd"
    shelf.mkdir(parents=True)
    (shelf / "photo.jpg").write_bytes(b"precious")
    settings.IMAGEVAULT_DATA = tmp_path
    with pytest.raises(CommandError, match=r"holds originals but no vault\.json"):
        set_up()


def test_promise_11_a_new_vault_is_its_owners_alone(tmp_path):
    vaults.found(tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_missing_vault_is_named_with_what_to_do(tmp_path):
    with pytest.raises(vaults.NoVault, match=r"Is the disk .* mounted"):
        vaults.require(tmp_path)


def test_a_vault_of_a_later_version_is_left_alone(vault):
    (vault / "vault.json").write_text('{"id": "x", "format": 99}')
    with pytest.raises(vaults.NoVault, match="does not know"):
        vaults.require(vault)


def test_a_database_that_does_not_answer_is_said_in_a_sentence(house):
    nobody = "postgres://u:p@127.0.0.1:1/none"
    result = house.run("setup_vault", check=False, IMAGEVAULT_DATABASE_URL=nobody)
    assert result.returncode == 2
    assert "named by IMAGEVAULT_DATABASE_URL cannot be used" in result.stderr
    assert "Traceback" not in result.stderr
