"""The small copy: upright, with its date as exactly as it is known, and no place."""

import io
from datetime import datetime

import pytest
from PIL import Image

from gallery import metadata, websize
from tests import pictures
from tests.gallery.rows import bare_photo, photo


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.fixture
def jpeg() -> bytes:
    return pictures.jpeg(pictures.scene(seed=1, size=(64, 48)))


def test_pixels_stay_as_they_are(jpeg):
    copy = websize.dated(jpeg, datetime(2004, 7, 12, 15, 30), "second")
    assert opened(copy).tobytes() == opened(jpeg).tobytes()
    assert opened(copy).getexif()[0x0112] == 1


@pytest.mark.parametrize(
    ("precision", "exif", "xmp"),
    [
        ("second", "2004:07:12 15:30:05", "2004-07-12T15:30:05"),
        ("minute", "2004:07:12 15:30:05", "2004-07-12T15:30"),
        ("day", "2004:07:12 15:30:05", "2004-07-12"),
        ("month", None, "2004-07"),
        ("year", None, "2004"),
        ("season", None, None),
        ("unknown", None, None),
    ],
)
def test_a_date_is_written_as_exactly_as_it_is_known(jpeg, precision, exif, xmp):
    copy = websize.dated(jpeg, datetime(2004, 7, 12, 15, 30, 5), precision)
    assert opened(copy).getexif().get_ifd(0x8769).get(0x9003) == exif
    found = f'photoshop:DateCreated="{xmp}"'.encode() in copy
    assert found == (xmp is not None)


def test_our_own_reader_finds_the_date_and_its_offset(jpeg, tmp_path):
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(
        websize.dated(
            jpeg, datetime(2004, 7, 12, 15, 30), "second", offset_minutes=-210
        )
    )
    found = metadata.read(copy)
    first = found.dates[0]
    assert (first.taken_at, first.offset_minutes) == (
        datetime(2004, 7, 12, 15, 30),
        -210,
    )
    assert found.latitude is None


def test_notes_that_were_there_are_left_out(jpeg):
    noted = websize.dated(jpeg, datetime(1999, 1, 1), "year")
    assert b"1999" not in websize.dated(noted, None, "unknown")


@pytest.mark.django_db
def test_everybody_downloads_a_small_copy(client, django_user_model, vault):
    client.force_login(django_user_model.objects.create_user("viewer"))
    row = photo(
        pictures.scene(seed=2, size=(2600, 1300)),
        name="Beach.jpg",
        latitude=39.6,
        longitude=2.9,
        taken_at=datetime(2004, 7, 12),
        taken_precision="day",
    )
    answer = client.get(f"/photo/{row.pk}/web.jpg")
    assert 'filename="Beach 2048.jpg"' in answer["Content-Disposition"]
    assert opened(answer.content).size == (2048, 1024)
    assert client.get(f"/photo/{row.pk + 1}/web.jpg").status_code == 404


@pytest.mark.django_db
def test_a_photo_that_cannot_be_shown_has_no_small_copy(admin_client, vault):
    row = bare_photo(1)
    answer = admin_client.get(f"/photo/{row.pk}/web.jpg")
    assert answer.status_code == 422
    assert "cannot be shown" in answer.content.decode()
