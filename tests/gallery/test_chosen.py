"""What is done to the photos somebody chose: who may, what is said, and what is gone."""

import io
import re
import tracemalloc
import zipfile
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from gallery import corrections, slides, together
from gallery import vault as vaults
from gallery.models import CorrectedDate, Correction, Favourite, Photo
from gallery.views.together import undo_address
from tests.gallery.rows import bare_photo, photo

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}
CHANGES = ("throw_chosen", "correct_chosen")


def address(name: str, *args) -> str:
    return reverse(f"gallery:{name}", args=args)


@pytest.fixture
def viewer(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("viewer"))
    return client


@pytest.fixture
def photos() -> list[Photo]:
    start = datetime(2004, 7, 12, 15, 30)
    return [
        bare_photo(n, name=f"beach {n}.jpg", taken_at=start + timedelta(days=n), taken_precision="second")
        for n in range(4)
    ]  # fmt: skip


def keys(photos) -> str:
    return ",".join(str(one.pk) for one in photos)


def post(client, name: str, *args, **data):
    return client.post(address(name, *args), data, **HTMX)


def undo_of(answer) -> str:
    return re.search(r'data-undo="([^"]+)"', answer.content.decode())[1]


@pytest.mark.parametrize("name", CHANGES)
def test_who_may_only_look_changes_nothing(viewer, photos, name):
    assert post(viewer, name, photos=keys(photos), said="1999").status_code == 403
    assert Photo.objects.live().count() == 4
    assert not Correction.objects.exists()


def test_who_may_only_look_undoes_nothing(viewer, photos):
    moment, _ = together.move_to_trash([photos[0].pk], by=viewer_of(viewer))
    assert viewer.post(undo_address(moment)).status_code == 403
    done = corrections.shift([photos[1].pk], timedelta(hours=1), by=None)
    row = done.correction.dates.get()
    assert viewer.post(address("uncorrect", done.correction.pk)).status_code == 403
    one = address("uncorrect_one", photos[1].pk, row.pk)
    assert viewer.post(one).status_code == 403
    assert viewer.get(address("delete", photos[0].pk)).status_code == 403
    page = viewer.get("/").content.decode()
    assert address("throw_chosen") not in page and address("correct_chosen") not in page


def viewer_of(client) -> User:
    return User.objects.get(pk=client.session["_auth_user_id"])


@pytest.mark.parametrize(
    "name", ["download_chosen", "favourite_chosen", *CHANGES, "uncorrect"]
)
def test_nothing_is_done_by_a_mere_link(admin_client, name):
    args = [1] if name == "uncorrect" else []
    assert admin_client.get(address(name, *args)).status_code == 405


# The trash


def test_photos_are_moved_to_the_trash_and_back_as_one(admin_client, photos):
    answer = post(admin_client, "throw_chosen", photos=keys(photos[:3]))
    assert "3 photos are in the trash." in answer.content.decode()
    assert Photo.objects.live().count() == 1
    back = admin_client.post(undo_of(answer), **HTMX)
    assert "3 photos are back" in back.content.decode()
    assert Photo.objects.live().count() == 4


def test_a_second_click_does_nothing_and_says_so(admin_client, photos):
    first = post(admin_client, "throw_chosen", photos=keys(photos[:1]))
    again = post(admin_client, "throw_chosen", photos=keys(photos[:1]))
    assert (first.status_code, again.status_code) == (200, 409)
    assert "Nothing was done" in again.content.decode()
    assert admin_client.post(undo_of(first), **HTMX).status_code == 200
    assert admin_client.post(undo_of(first), **HTMX).status_code == 409


@pytest.mark.parametrize("given", ["", "999999", "x", "9" * 17, ",,,", "\0"])
def test_keys_that_mean_nothing_do_nothing(admin_client, photos, given):
    for name in ("throw_chosen", "download_chosen"):
        assert post(admin_client, name, photos=given).status_code == 409
    assert Photo.objects.live().count() == 4


def test_a_moment_out_of_time_is_no_error(admin_client):
    url = f"/trash/undo/{10**17}/"
    assert admin_client.post(url, **HTMX).status_code == 409
    assert admin_client.post(f"/trash/undo/{10**40}/", **HTMX).status_code == 409


def test_a_whole_view_is_meant_by_its_address(admin_client, photos):
    answer = post(admin_client, "throw_chosen", view="?q=beach&since=2004-07-14")
    assert "2 photos are in the trash." in answer.content.decode()
    assert Photo.objects.live().count() == 2


def test_without_scripts_the_next_page_says_it_and_has_the_way_back(
    admin_client, photos
):
    data = {"photos": [one.pk for one in photos[:2]], "back": "/?sort=name"}
    page = admin_client.post(address("throw_chosen"), data, follow=True)
    assert page.redirect_chain == [("/?sort=name", 302)]
    content = page.content.decode()
    assert "2 photos are in the trash." in content
    undo = re.search(r'action="(/trash/undo/\d+/)"', content)[1]
    page = admin_client.post(undo, {"back": "/"}, follow=True)
    assert "2 photos are back" in page.content.decode()


def test_nobody_is_led_away_from_the_site(admin_client, photos):
    data = {"photos": keys(photos), "back": "https://example.com/"}
    assert admin_client.post(address("favourite_chosen"), data)["Location"] == "/"


def test_the_trash_page_restores_all_of_one_moment(admin_client, photos, admin_user):
    together.move_to_trash([one.pk for one in photos[:3]], by=admin_user)
    page = admin_client.get("/trash/").content.decode()
    assert "stays until somebody deletes it for good" in page
    assert "Restore all 3 of that moment" in page
    undo = re.search(r'action="(/trash/undo/\d+/)"', page)[1]
    admin_client.post(undo, {"back": "/trash/"})
    assert Photo.objects.live().count() == 4


def test_promise_04_a_photo_is_deleted_for_good_only_when_it_is_confirmed(
    admin_client, admin_user, vault
):
    row = photo(name="blurred.jpg")
    url = address("delete", row.pk)
    assert admin_client.get(url).status_code == 404
    together.move_to_trash([row.pk], by=admin_user)
    assert "Delete blurred.jpg for good?" in admin_client.get(url).content.decode()
    unsure = admin_client.post(url).content.decode()
    assert "Tick the box if you are sure" in unsure
    original = vaults.original(vault, row.digest, "jpg")
    assert original.exists()
    page = admin_client.post(url, {"sure": "yes"}, follow=True)
    assert "blurred.jpg is deleted for good" in page.content.decode()
    assert not original.exists()
    assert admin_client.post(url, {"sure": "yes"}).status_code == 404
    page = admin_client.get(row.get_absolute_url()).content.decode()
    assert "This photo was deleted for good" in page


# Stars


def test_viewers_give_stars_to_many(viewer, photos):
    answer = post(viewer, "favourite_chosen", photos=keys(photos), starred="1")
    assert "4 photos more are favourites of yours." in answer.content.decode()
    answer = post(viewer, "favourite_chosen", photos=keys(photos[:1]), starred="0")
    assert "1 photo is no favourite of yours any more." in answer.content.decode()
    assert Favourite.objects.count() == 3


# Dates


def test_the_date_of_many_is_corrected_and_taken_back(admin_client, photos):
    answer = post(
        admin_client, "correct_chosen", photos=keys(photos), said="  Summer   1987 "
    )
    assert "The dates of 4 photos were corrected." in answer.content.decode()
    photos[0].refresh_from_db()
    assert photos[0].taken_at == datetime(1987, 6, 1)
    assert Correction.objects.get().said == "Summer 1987"
    assert "Summer 1987" in admin_client.get("/").content.decode()
    back = admin_client.post(undo_of(answer), **HTMX)
    assert "4 photos have the dates again" in back.content.decode()
    assert admin_client.post(undo_of(answer), **HTMX).status_code == 409


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"said": ""}, "Write when it was"),
        ({"said": "winter 1987"}, "Every year has two winters"),
        ({"said": "soon"}, "could not be read as a date"),
        ({"direction": "later"}, "no such time"),
        ({"direction": "later", "hours": "-3"}, "no such time"),
        ({"direction": "later", "hours": "9" * 9}, "no such time"),
        ({"direction": "later", "days": "1e3"}, "no such time"),
    ],
)
def test_what_is_no_date_is_answered_by_a_sentence(admin_client, photos, data, words):
    answer = post(admin_client, "correct_chosen", photos=keys(photos), **data)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Correction.objects.exists()


def test_a_wrong_clock_is_set_right(admin_client, photos):
    vague = bare_photo(9, taken_at=datetime(2000, 1, 1), taken_precision="year")
    data = {"direction": "earlier", "days": "1", "hours": "2", "minutes": "30"}
    answer = post(admin_client, "correct_chosen", photos=keys([*photos, vague]), **data)
    said = answer.content.decode()
    assert "The dates of 4 photos were corrected. 1 photo was left as it is." in said
    photos[0].refresh_from_db()
    assert photos[0].taken_at == datetime(2004, 7, 11, 13, 0)


def test_the_photos_page_says_who_said_it_and_what_the_camera_said(
    admin_client, admin_user, photos
):
    Photo.objects.update(taken_from="exif_original")
    post(admin_client, "correct_chosen", photos=photos[0].pk, said="around 1985")
    page = admin_client.get(photos[0].get_absolute_url()).content.decode()
    assert "“around 1985”" in page
    assert "corrected by admin on" in page
    assert "12 July 2004, 15:30:00 (the camera&#x27;s own record)" in page
    row = CorrectedDate.objects.get()
    url = address("uncorrect_one", photos[0].pk, row.pk)
    assert admin_client.post(url, **HTMX).status_code == 200
    assert admin_client.post(url, **HTMX).status_code == 409
    assert admin_client.post(address("uncorrect_one", photos[1].pk, row.pk)).status_code == 404  # fmt: skip


# The zip


def unpacked(answer) -> zipfile.ZipFile:
    content = b"".join(answer.streaming_content)
    assert len(content) == int(answer["Content-Length"])
    found = zipfile.ZipFile(io.BytesIO(content))
    assert found.testzip() is None
    return found


def test_viewers_download_what_they_chose_under_the_familys_names(viewer, vault):
    rows = [photo(seed=n, name="beach.jpg", taken_at=datetime(2004, 7, 12, 15, 30)) for n in range(2)]  # fmt: skip
    answer = viewer.post(address("download_chosen"), {"photos": keys(rows)})
    assert answer["Content-Type"] == "application/zip"
    assert 'filename="Photos ' in answer["Content-Disposition"]
    found = unpacked(answer)
    assert found.namelist() == ["beach.jpg", "beach (2).jpg"]
    assert found.getinfo("beach.jpg").date_time == (2004, 7, 12, 15, 30, 0)
    original = vaults.original(vault, rows[1].digest, "jpg")
    assert found.read("beach (2).jpg") == original.read_bytes()


def test_a_zip_has_the_order_of_the_view_and_nothing_from_the_trash(viewer, vault):
    rows = [photo(seed=n, name=f"{n}.jpg") for n in range(4)]
    together.move_to_trash([rows[1].pk], by=None)
    answer = viewer.post(address("download_chosen"), {"view": "?sort=-name"})
    assert unpacked(answer).namelist() == ["3.jpg", "2.jpg", "0.jpg"]
    answer = viewer.post(address("download_chosen"), {"photos": keys(rows[1:2])})
    assert answer.status_code == 302


def test_a_lost_original_is_a_text_in_a_whole_zip(viewer, vault):
    rows = [photo(seed=n, name=f"{n}.jpg") for n in range(3)]
    vaults.original(vault, rows[0].digest, "jpg").unlink()
    answer = viewer.post(address("download_chosen"), {"photos": keys(rows)})
    # Lost after the download began: its length was announced already.
    vaults.original(vault, rows[2].digest, "jpg").unlink()
    found = unpacked(answer)
    assert found.namelist() == ["0.jpg.txt", "1.jpg", "2.jpg"]
    for name in ("0.jpg.txt", "2.jpg"):
        assert b"is not in the vault as it should be" in found.read(name)


def test_three_thousand_photos_are_streamed_in_little_memory(viewer, vault):
    content = b"x" * 20_000
    rows = []
    for n in range(3_000):
        row = Photo(digest=f"{n:064x}", extension="jpg", size=len(content), name="IMG_0001.JPG", format="JPEG")  # fmt: skip
        path = vaults.original(vault, row.digest, "jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        rows.append(row)
    Photo.objects.bulk_create(rows)
    with CaptureQueriesContext(connection) as captured:
        answer = viewer.post(address("download_chosen"), {"view": ""})
    assert len(captured) < 20
    tracemalloc.start()
    size = sum(map(len, answer.streaming_content))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == int(answer["Content-Length"]) > 60_000_000
    assert most < 6_000_000


# Beside the picture


def test_the_slides_around_a_photo_follow_the_selection(viewer, photos):
    answer = viewer.get(address("around", photos[1].pk) + "?sort=name").json()
    assert (answer["count"], answer["first"]) == (4, 0)
    assert [one["name"] for one in answer["slides"]] == [
        f"beach {n}.jpg" for n in range(4)
    ]
    assert answer["slides"][0]["address"] == f"/photo/{photos[0].pk}/?sort=name"
    some = viewer.get(address("around", photos[2].pk) + "?since=2004-07-14").json()
    assert (some["count"], [one["name"] for one in some["slides"]]) == (
        2, ["beach 3.jpg", "beach 2.jpg"],
    )  # fmt: skip


def test_slides_know_their_place_far_into_the_selection(viewer, monkeypatch):
    monkeypatch.setattr(slides, "EACH_SIDE", 2)
    rows = [bare_photo(n, name=f"{n:03}.jpg") for n in range(20)]
    answer = viewer.get(address("around", rows[10].pk) + "?sort=name").json()
    assert (answer["count"], answer["first"]) == (20, 8)
    assert [one["name"] for one in answer["slides"]] == [
        f"{n:03}.jpg" for n in range(8, 13)
    ]


def test_slides_around_what_is_not_in_the_gallery_are_none(viewer, photos):
    together.move_to_trash([photos[0].pk], by=None)
    assert viewer.get(address("around", photos[0].pk)).status_code == 404
    assert viewer.get(address("around", 999_999)).status_code == 404


def test_queries_for_slides_do_not_grow(viewer):
    def queries(numbers: range) -> int:
        rows = [bare_photo(number) for number in numbers]
        with CaptureQueriesContext(connection) as captured:
            viewer.get(address("around", rows[0].pk))
        return len(captured)

    queries(range(2))
    assert queries(range(2, 4)) == queries(range(4, 60))


def test_the_facts_have_a_map_where_the_place_is_known(viewer):
    row = bare_photo(1, latitude=39.6, longitude=2.9)
    page = viewer.get(address("about", row.pk)).content.decode()
    assert 'viewBox="146.9 26.4 72 48"' in page
    assert 'cx="182.90" cy="50.40"' in page
    assert "style=" not in page
    assert "<svg" not in viewer.get(address("about", bare_photo(2).pk)).content.decode()


def test_facts_are_drawn_alike_in_a_language_with_commas(viewer):
    row = bare_photo(1, latitude=-89.9, longitude=179.95)
    german = {"HTTP_ACCEPT_LANGUAGE": "de"}
    page = viewer.get(address("about", row.pk), **german).content.decode()
    assert 'viewBox="288 132 72 48"' in page
    assert 'cx="359.95" cy="179.90"' in page
