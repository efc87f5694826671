"""Two sizes of a photo's picture, and the colours that stand in its place."""

import base64
import io

import pytest
from PIL import Image

from gallery import colours, renditions, smalls, vault
from gallery.models import Thumbnail
from gallery.tiles import tiles
from tests import pictures
from tests.gallery.rows import bare_photo, photo

pytestmark = pytest.mark.django_db


def decoded(address: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))


def test_colours_are_those_of_the_picture():
    image = Image.new("RGB", (400, 300), "red")
    image.paste("blue", (0, 200, 100, 300))
    drawn = decoded(colours.address(colours.of(image)))
    assert drawn.size == (4, 3)
    assert drawn.getpixel((0, 2)) == (0, 0, 255)
    assert drawn.getpixel((0, 0)) == drawn.getpixel((3, 2)) == (255, 0, 0)


def test_no_colours_are_no_picture():
    assert colours.address("") == ""
    assert colours.address("x" * 47) == ""


def test_small_picture_is_made_out_of_the_thumbnail(admin_client, vault):
    row = photo(pictures.scene(seed=1, size=(1200, 800)))
    answer = admin_client.get(row.small_url)
    assert answer["Content-Type"] == "image/webp"
    assert "immutable" in answer["Cache-Control"]
    image = Image.open(io.BytesIO(answer.getvalue()))
    answer.close()
    assert image.format == "WEBP"
    assert image.size == (renditions.SMALL_EDGE, 240)


def test_small_picture_is_made_once(vault):
    row = photo(pictures.scene(seed=1, size=(1200, 800)))
    first = smalls.small(row)
    changed = first.stat().st_mtime_ns
    assert smalls.small(row) == first
    assert first.stat().st_mtime_ns == changed


def test_making_it_notes_colours_where_there_are_none(vault):
    row = photo(pictures.scene(seed=1, size=(1200, 800)))
    Thumbnail.objects.filter(pk=row.pk).update(colours="")
    row.refresh_from_db()
    smalls.small(row)
    row.thumbnail.refresh_from_db()
    assert len(row.thumbnail.colours) == colours.SIGNS


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe0half"])
def test_thumbnail_that_cannot_be_read_is_sent_as_it_is(
    admin_client, vault, settings, content
):
    row = photo(seed=2)
    place = place_of(row, settings)
    place.write_bytes(content)
    answer = admin_client.get(row.small_url)
    assert answer["Content-Type"] == "image/jpeg"
    assert answer.getvalue() == content
    answer.close()


def place_of(row, settings):
    return vault.rendition(
        settings.IMAGEVAULT_DATA, row.digest, name="thumbnail", recipe=Thumbnail.RECIPE
    )


def test_photo_without_thumbnail_has_no_small_picture(admin_client, vault):
    row = bare_photo(1)
    assert admin_client.get(f"/photo/{row.pk}/small.webp").status_code == 404


def test_small_picture_needs_a_login(client, vault):
    row = photo(seed=3)
    assert client.get(row.small_url).status_code == 302


def test_browser_is_told_how_wide_both_sizes_are(vault):
    row = photo(pictures.scene(seed=1, size=(600, 1200)))
    (tile,) = tiles([row])
    small, thumbnail = tile.srcset.split(", ")
    assert small == f"{row.small_url} 180w"
    assert thumbnail == f"{row.thumbnail_url} 256w"
    assert decoded(tile.colours).size == (4, 3)


def test_tiny_photo_has_one_size(vault):
    (tile,) = tiles([photo(seed=1)])
    assert tile.srcset == ""
    assert tile.image
