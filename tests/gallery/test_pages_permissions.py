import pytest
from django.urls import get_resolver, reverse

from tests.gallery.rows import photo

pytestmark = pytest.mark.django_db


def addresses() -> list[str]:
    """The name of every address of the gallery, so that a new one is tested too.

    But for those of share links: tests/gallery/test_sharing.py
    """
    _, resolver = get_resolver().namespace_dict["gallery"]
    names = (name for name in resolver.reverse_dict if isinstance(name, str))
    return sorted(name for name in names if not name.startswith("shared"))


@pytest.fixture
def stored(vault):
    return photo()


def address(name: str, row) -> str:
    _, resolver = get_resolver().namespace_dict["gallery"]
    named = resolver.reverse_dict[name][0][0][1]
    return reverse(f"gallery:{name}", args=[row.pk for _ in named])


def test_every_address_is_tested():
    assert {"browse", "photo", "thumbnail", "preview", "original", "trash"} <= set(
        addresses()
    )


@pytest.mark.parametrize("name", addresses())
@pytest.mark.parametrize("method", ["get", "post", "head"])
def test_promise_11_nobody_unknown_gets_anything(client, stored, name, method):
    url = address(name, stored)
    answer = getattr(client, method)(url)
    assert answer.status_code == 302
    assert answer["Location"] == f"{reverse('login')}?next={url}"
    assert answer.content == b""


def test_promise_11_unknown_photo_is_no_different_to_nobody(client, stored):
    there, not_there = (
        client.get(f"/photo/{pk}/original") for pk in (stored.pk, stored.pk + 1)
    )
    assert there.status_code == not_there.status_code == 302


@pytest.mark.parametrize("name", ["db.sqlite3", "secret_key", "vault.json"])
def test_promise_11_no_file_of_the_vault_has_an_address(admin_client, vault, name):
    for root in ("/", "/static/", "/media/", "/media-is-not-served/", "/originals/"):
        assert admin_client.get(f"{root}{name}").status_code == 404
