import re
from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from gallery import beside, corrections, facts
from gallery.models import Origin, Photo, Precision
from tests.gallery.rows import bare_photo, photo, sighting

pytestmark = pytest.mark.django_db


def text(client, row, query: str = "") -> str:
    return client.get(f"{row.get_absolute_url()}{query}").content.decode()


def test_page_says_when_and_how_that_is_known(admin_client):
    row = bare_photo(
        1,
        taken_at=datetime(2009, 7, 14, 12, 30, 5),
        taken_offset=120,
        taken_precision=Precision.SECOND,
        taken_from=Origin.EXIF_ORIGINAL,
    )
    page = text(admin_client, row)
    assert "Tuesday, 14 July 2009, 12:30:05 (UTC+2)" in page
    assert "The camera wrote down when it took the photo" in page


@pytest.mark.parametrize(
    ("precision", "words"),
    [
        (Precision.YEAR, "1987"),
        (Precision.MONTH, "January 1987"),
        (Precision.DAY, "Thursday, 1 January 1987"),
    ],
)
def test_date_is_told_no_more_exactly_than_it_is_known(precision, words):
    row = Photo(taken_at=datetime(1987, 1, 1), taken_precision=precision)
    assert facts.taken(row) == words


@pytest.mark.parametrize(
    ("minutes", "words"), [(0, "+0"), (330, "+5:30"), (-210, "\N{MINUS SIGN}3:30")]
)
def test_offset_is_told_in_hours(minutes, words):
    assert facts.offset(minutes) == f" (UTC{words})"


def test_exposure_is_told_as_photographers_write_it():
    found = {"exposure_seconds": 0.004, "f_number": 5.6, "focal_length": 50, "iso": 200}
    assert facts.exposure(found) == "1/250 s · f/5.6 · 50 mm · ISO 200"


def test_page_names_every_place_the_photo_was_seen(admin_client):
    row = bare_photo(1)
    sighting(row, path="Mallorca 2004/IMG_1.JPG", drive="Blue WD 2009")
    sighting(row, path="backup/IMG_1.JPG", drive="Old laptop")
    page = text(admin_client, row)
    for words in ("Mallorca 2004/IMG_1.JPG", "Blue WD 2009", "Old laptop"):
        assert words in page


def test_previous_and_next_follow_the_selection(admin_client):
    rows = [bare_photo(n, name=f"{n}.jpg", size=100 - n) for n in range(3)]
    page = text(admin_client, rows[1], "?sort=size")
    before, after = (f"/photo/{rows[n].pk}/?sort=size" for n in (2, 0))
    assert f'href="{before}" rel="prev"' in page
    assert f'href="{after}" rel="next"' in page


def test_photo_in_the_trash_says_what_it_gave_way_to(admin_client):
    keeper, row = bare_photo(1, name="best.jpg"), bare_photo(2)
    row.move_to_trash(by=None, in_favour_of=keeper)
    page = text(admin_client, row)
    assert "in the trash" in page
    assert "best.jpg" in page
    assert "Restore" in page


def test_purged_photo_offers_neither_download_nor_restore(admin_client):
    keeper, row = bare_photo(1), bare_photo(2)
    row.move_to_trash(by=None, in_favour_of=keeper)
    Photo.objects.filter(pk=row.pk).update(purged_at=timezone.now())
    page = text(admin_client, row)
    assert "Download" not in page
    assert "Restore" not in page


def test_names_are_never_markup(admin_client):
    row = bare_photo(1, name="<script>alert(1)</script>.jpg")
    sighting(row, path="<b>x</b>.jpg")
    page = text(admin_client, row)
    assert "<script>alert" not in page
    assert "<b>x" not in page


def test_number_of_queries_does_not_grow_with_sightings(admin_client, vault):
    row = photo()

    def queries(count: int) -> int:
        for n in range(count):
            sighting(row, path=f"{count}/{n}.jpg", drive=f"drive {count} {n}")
        with CaptureQueriesContext(connection) as captured:
            text(admin_client, row)
        return len(captured)

    assert queries(1) == queries(20)


def test_what_speaks_for_a_date_is_listed_chosen_and_taken_back(admin_client):
    row = bare_photo(1)
    sighting(row, path="2009-07 Mallorca/IMG-20140312-WA0007.jpg")
    beside.note_folders_of([row.pk])
    beside.weigh_outstanding()
    page = text(admin_client, row)
    assert "The name of the folder says when it was taken, to the month." in page
    assert "The file name: IMG-20140312-WA0007.jpg (when it was sent)" in page
    address = reverse("gallery:choose_date", args=[row.pk])
    sent = re.search(r'name="evidence" value="(file_name[^"]*)"', page)[1]
    admin_client.post(address, {"evidence": sent})
    page = text(admin_client, row)
    assert "12 March 2014 or before" in page
    assert "The file name: “IMG-20140312-WA0007.jpg”" in page
    corrections.undo_one(row.corrections.get(), by=None)
    row.refresh_from_db()
    assert (row.taken_at, row.taken_precision) == (datetime(2009, 7, 1), "month")
    answer = admin_client.post(address, {"evidence": "nonsense"}, follow=True)
    assert "not known of the photo any more" in answer.content.decode()
