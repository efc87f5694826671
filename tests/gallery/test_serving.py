import shutil
from contextlib import ExitStack

import pytest
from django.conf import settings
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from gallery import previews
from gallery import vault as vaults
from gallery.models import Thumbnail
from gallery.ranges import Unsatisfiable, asked_range
from gallery.serving import plain
from gallery.tasks import make_thumbnails
from tests import pictures
from tests.gallery.rows import photo


@pytest.mark.parametrize(
    ("header", "positions"),
    [
        ("bytes=0-0", range(1)),
        ("bytes=2-5", range(2, 6)),
        ("bytes=7-", range(7, 10)),
        ("bytes=-3", range(7, 10)),
        ("bytes=-99", range(10)),
        ("bytes=5-99", range(5, 10)),
        ("", None),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("bytes=0-1,4-5", None),
        ("lines=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_range_is_read_as_the_standard_says(header, positions):
    assert asked_range(header, 10) == positions


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=-0", "bytes=99-100"])
def test_range_outside_the_file_cannot_be_satisfied(header):
    with pytest.raises(Unsatisfiable):
        asked_range(header, 10)


@given(st.text(max_size=40), st.integers(0, 1000))
def test_no_range_header_is_more_than_refused(header, size):
    try:
        positions = asked_range(header, size)
    except Unsatisfiable:
        return
    assert positions is None or set(positions) <= set(range(size))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Müller.jpg", "Müller.jpg"),
        ("a\r\nSet-Cookie: x.jpg", "a__Set-Cookie: x.jpg"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("", "photo"),
        ("..", "photo"),
    ],
)
def test_file_name_is_made_safe(name, safe):
    assert plain(name) == safe


@pytest.fixture
def stored(vault, db):
    return photo(pictures.scene(seed=5), name="Omas Garten „2009“.jpg")


@pytest.fixture
def content(stored) -> bytes:
    path = vaults.original(settings.IMAGEVAULT_DATA, stored.digest, stored.extension)
    return path.read_bytes()


def url(name: str, row) -> str:
    return reverse(f"gallery:{name}", args=[row.pk])


def test_original_comes_as_the_untouched_bytes(admin_client, stored, content):
    answer = admin_client.get(url("original", stored))
    assert answer.getvalue() == content
    assert answer["Content-Length"] == str(len(content))
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["ETag"] == f'"{stored.digest}"'
    assert answer["Content-Disposition"] == (
        "attachment; filename*=utf-8''Omas%20Garten%20%E2%80%9E2009%E2%80%9C.jpg"
    )


def test_original_comes_in_parts(admin_client, stored, content):
    answer = admin_client.get(
        url("original", stored), headers={"Range": "bytes=100-299"}
    )
    assert answer.status_code == 206
    assert answer.getvalue() == content[100:300]
    assert answer["Content-Range"] == f"bytes 100-299/{len(content)}"
    assert answer["Content-Length"] == "200"


def test_part_outside_the_original_is_refused(admin_client, stored, content):
    answer = admin_client.get(
        url("original", stored), headers={"Range": f"bytes={len(content)}-"}
    )
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{len(content)}"


@pytest.mark.parametrize(("version", "status"), [("same", 206), ("other", 200)])
def test_part_is_given_only_of_the_version_asked(admin_client, stored, version, status):
    etag = f'"{stored.digest if version == "same" else version}"'
    answer = admin_client.get(
        url("original", stored), headers={"Range": "bytes=0-9", "If-Range": etag}
    )
    answer.getvalue()
    assert answer.status_code == status


def test_browser_that_has_the_file_gets_no_bytes(admin_client, stored):
    for name in ("original", "thumbnail"):
        first = admin_client.get(url(name, stored))
        first.getvalue()
        etag = first["ETag"]
        again = admin_client.get(url(name, stored), headers={"If-None-Match": etag})
        assert again.status_code == 304
        assert again.content == b""


def test_head_tells_the_size_without_the_bytes(admin_client, stored, content):
    answer = admin_client.head(url("original", stored))
    assert answer["Content-Length"] == str(len(content))
    assert answer["Accept-Ranges"] == "bytes"
    assert answer.content == b""


def test_files_cannot_run_and_are_not_shared(admin_client, stored):
    for name in ("original", "thumbnail", "preview"):
        answer = admin_client.get(url(name, stored))
        assert "sandbox" in answer["Content-Security-Policy"]
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"].startswith("private")
        answer.getvalue()


def test_thumbnail_with_its_version_never_has_to_be_asked_for_again(
    admin_client, stored
):
    versioned = admin_client.get(stored.thumbnail_url)
    other = admin_client.get(url("thumbnail", stored), {"v": stored.thumbnail.recipe})
    assert "immutable" in versioned["Cache-Control"]
    assert "immutable" not in other["Cache-Control"]
    versioned.getvalue()
    other.getvalue()


def test_thumbnail_that_was_thrown_away_is_made_again(admin_client, stored):
    for path in (settings.IMAGEVAULT_DATA / "renditions").rglob("*.jpg"):
        path.unlink()
    assert admin_client.get(url("thumbnail", stored)).status_code == 404
    make_thumbnails([stored.pk])
    answer = admin_client.get(url("thumbnail", stored))
    assert answer.status_code == 200
    answer.getvalue()


def test_preview_is_made_once_and_kept(admin_client, stored):
    first = admin_client.get(url("preview", stored)).getvalue()
    original = vaults.original(settings.IMAGEVAULT_DATA, stored.digest, "jpg")
    original.unlink()
    assert admin_client.get(url("preview", stored)).getvalue() == first
    assert first.startswith(b"\xff\xd8\xff")


def test_preview_of_a_broken_file_is_answered_with_the_reason(admin_client, stored):
    original = vaults.original(settings.IMAGEVAULT_DATA, stored.digest, "jpg")
    original.write_bytes(b"\xff\xd8\xffbroken")
    answer = admin_client.get(url("preview", stored))
    assert answer.status_code == 422
    assert "cannot be shown" in answer.content.decode()


def test_purged_original_is_not_there(admin_client, stored):
    keeper = photo(seed=6)
    stored.move_to_trash(by=None, in_favour_of=keeper)
    type(stored).objects.filter(pk=stored.pk).update(purged_at=stored.trashed_at)
    for name in ("original", "preview"):
        assert admin_client.get(url(name, stored)).status_code == 404


def test_pictures_of_two_photos_never_share_an_address(stored):
    # The second has the key the first one had in a vault that was begun anew.
    other = photo(seed=6)
    other.pk = stored.pk
    assert other.thumbnail_url != stored.thumbnail_url
    assert other.preview_url != stored.preview_url


def test_thumbnails_are_not_made_again_while_the_vault_is_not_mounted(
    admin_client, stored
):
    shutil.rmtree(settings.IMAGEVAULT_DATA)
    assert admin_client.get(stored.thumbnail_url).status_code == 404
    assert not Thumbnail.objects.outstanding().exists()


def test_number_no_photo_can_have_is_not_found(admin_client):
    for name in ("thumbnail", "preview", "original", "photo"):
        address = reverse(f"gallery:{name}", args=[10**30])
        assert admin_client.get(address).status_code == 404


def test_preview_is_made_while_another_takes_long(admin_client, stored):
    with previews.decoder():
        answer = admin_client.get(url("preview", stored))
    assert answer.getvalue().startswith(b"\xff\xd8\xff")


def test_nobody_waits_long_for_a_preview(admin_client, stored, monkeypatch):
    monkeypatch.setattr(previews, "WAIT_SECONDS", 0.01)
    with ExitStack() as stack:
        for _ in range(previews.DECODERS):
            stack.enter_context(previews.decoder())
        answer = admin_client.get(url("preview", stored))
    assert answer.status_code == 503
    assert answer["Retry-After"] == "10"
    with previews.in_turn(stored):
        assert admin_client.get(url("preview", stored)).status_code == 503
