import re
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gallery import albums, catalogue, together
from gallery.models import Album, AlbumPhoto, Photo, Thumbnail
from gallery.models.albums import STEP
from imagevault.people import family
from imagevault.people.roles import Role
from tests.gallery.rows import bare_photo, sighting
from tests.gallery.test_browse import shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def otto():
    made = User.objects.create_user("otto")
    family.give_role(made, Role.CONTRIBUTOR, by=User(is_superuser=True))
    return User.objects.get(pk=made.pk)


@pytest.fixture
def contributor(client, otto):
    client.force_login(otto)
    return client


@pytest.fixture
def rows():
    """Photos a to d, a the oldest."""
    return [
        bare_photo(number, name=f"{name}.jpg", taken_at=datetime(2009, 7, 10 + number))
        for number, name in enumerate("abcd")
    ]


@pytest.fixture
def album(otto, rows):
    made = Album.objects.create(title="Mallorca", made_by=otto)
    made.add([row.pk for row in rows], by=otto)
    return made


def in_album(client, album, query: str = "") -> str:
    return "".join(shown(client.get(f"/?album={album.pk}{query}")))


# Making


def test_album_is_made_of_chosen_photos(contributor, otto, rows):
    keys = f"{rows[2].pk},{rows[0].pk}"
    data = {"photos": keys, "title": "Mallorca 2004"}
    page = contributor.post("/albums/add/", data, follow=True).content.decode()
    assert "Mallorca 2004" in page and "2 photos added" in page
    made = Album.objects.get()
    assert made.made_by == otto
    assert in_album(contributor, made) == "ac"


def test_album_is_made_of_a_view(contributor, rows):
    data = {"view": "?since=2009-07-11&sort=-taken", "title": "Later"}
    contributor.post("/albums/add/", data)
    assert in_album(contributor, Album.objects.get()) == "bcd"
    assert in_album(contributor, Album.objects.get(), "&sort=hand") == "dcb"


@pytest.mark.parametrize(
    ("folder", "deep", "names"),
    [
        ("Mallorca 2004", "", "a"),
        ("Mallorca 2004", "1", "ab"),
        ("", "1", "abcd"),
        ("", "", "d"),
        ("mallorca 2004", "1", ""),
        ("Mallorca 200", "1", ""),
        ("Mallorca_2004", "1", "c"),
        ("../etc", "1", ""),
    ],
)
def test_album_is_made_of_a_folder(contributor, rows, folder, deep, names):
    paths = ("Mallorca 2004/a.jpg", "Mallorca 2004/beach/b.jpg", "Mallorca_2004/c.jpg")
    for row, path in zip(rows, (*paths, "d.jpg"), strict=True):
        drive = sighting(row, path=path).source
    data = {"source": drive.pk, "folder": folder, "title": "Folder"}
    contributor.post("/albums/add/", data | ({"deep": "1"} if deep else {}))
    made = Album.objects.first()
    assert (in_album(contributor, made) if made else "") == names


def test_folder_is_found_by_going_down(contributor, rows):
    drive = sighting(rows[0], path="Old/Mallorca & co/a.jpg").source
    sighting(rows[1], path="Old/b.jpg")
    page = contributor.get(f"/albums/new/?source={drive.pk}").content.decode()
    down = re.search(r'href="(\?[^"]*folder=Old)"', page)[1].replace("&amp;", "&")
    page = contributor.get(f"/albums/new/{down}").content.decode()
    assert "Mallorca &amp; co" in page
    assert "2 photos instead of 1" in page


def test_photos_without_a_title_lead_to_the_choice_of_an_album(
    contributor, album, rows
):
    Album.objects.create(title="Anna's own")
    page = contributor.post("/albums/add/", {"photos": rows[0].pk}).content.decode()
    assert "1 photo chosen" in page
    assert "Mallorca" in page and "Anna" not in page
    assert f'name="photos" value="{rows[0].pk}"' in page
    assert Album.objects.count() == 2


def test_adding_twice_adds_once(contributor, album, rows):
    data = {"photos": [row.pk for row in rows], "album": album.pk}
    page = contributor.post("/albums/add/", data, follow=True).content.decode()
    assert "were in “Mallorca” before" in page
    assert album.places.count() == 4


@pytest.mark.parametrize(
    "photos", ["", "x", "999999", "1' OR 1=1", f"{10**18 - 1}", "-1", "٣"]
)
def test_photos_that_do_not_exist_are_left_out(contributor, album, photos):
    before = album.places.count()
    data = {"photos": photos, "album": album.pk}
    assert contributor.post("/albums/add/", data).status_code == 302
    assert album.places.count() <= before + 1
    assert set(album.places.values_list("photo", flat=True)) <= set(
        Photo.objects.values_list("pk", flat=True)
    )


# Looking


def test_album_is_a_view_like_the_others(contributor, album, rows):
    bare_photo(9, name="z.jpg", taken_at=datetime(2009, 7, 9))
    assert in_album(contributor, album) == "abcd"
    assert in_album(contributor, album, "&sort=-taken") == "dcba"
    assert in_album(contributor, album, "&since=2009-07-12") == "cd"
    timeline = contributor.get(f"/timeline/?album={album.pk}").content.decode()
    assert "July 2009: 4 photos" in timeline
    page = contributor.get(f"/albums/{album.pk}/", follow=True).content.decode()
    assert "Mallorca</h1>" in page
    assert f'href="/photo/{rows[0].pk}/?album={album.pk}"' in page


def test_photo_opened_from_an_album_has_its_neighbours_there(contributor, album, rows):
    album.move(rows[3].pk, before=rows[0].pk)
    album.update(sort="hand")
    page = contributor.get(f"/photo/{rows[0].pk}/?album={album.pk}").content.decode()
    assert re.search(rf'href="/photo/{rows[3].pk}/[^"]*" rel="prev"', page)
    assert re.search(rf'href="/photo/{rows[1].pk}/[^"]*" rel="next"', page)


def test_pages_of_an_album_by_hand_go_on_where_they_ended(
    contributor, album, rows, monkeypatch
):
    from gallery.views import browse

    monkeypatch.setattr(browse, "PHOTOS_PER_PAGE", 2)
    album.move(rows[3].pk, before=rows[0].pk)
    album.update(sort="hand")
    page = contributor.get(f"/?album={album.pk}")
    assert shown(page) == ["d", "a"]
    link = re.search(r'href="([^"]+)" rel="next"', page.content.decode())[1]
    page = contributor.get("/" + link.replace("&amp;", "&"))
    assert shown(page) == ["b", "c"]
    link = re.search(r'href="([^"]+)" class="button" rel="prev"', page.content.decode())
    assert shown(contributor.get("/" + link[1].replace("&amp;", "&"))) == ["d", "a"]


@pytest.mark.parametrize("key", ["0", "x", "-1", "999", f"{10**30}"])
def test_album_that_is_not_there_shows_photos_or_none(contributor, album, key):
    assert contributor.get(f"/?album={key}").status_code == 200
    assert contributor.get("/?sort=hand").status_code == 200


def test_everybody_sees_albums(client, album):
    client.force_login(User.objects.create_user("berta"))
    page = client.get("/albums/").content.decode()
    assert "Mallorca" in page and "4 photos" in page
    assert in_album(client, album) == "abcd"
    assert "/edit/" not in client.get(f"/?album={album.pk}").content.decode()


# Trash


def test_trashed_photo_vanishes_and_comes_back(contributor, album, rows):
    together.move_to_trash([rows[1].pk], by=None)
    assert in_album(contributor, album) == "acd"
    assert "3 photos" in contributor.get("/albums/").content.decode()
    Photo.objects.get(pk=rows[1].pk).restore()
    assert in_album(contributor, album) == "abcd"


def test_photo_it_yielded_to_stands_in_its_place(contributor, album, rows):
    better, best = (bare_photo(n, name=f"{x}.jpg") for n, x in ((8, "y"), (9, "z")))
    album.update(sort="hand")
    rows[1].move_to_trash(by=None, in_favour_of=better)
    assert in_album(contributor, album) == "aycd"
    better.move_to_trash(by=None, in_favour_of=best)
    assert in_album(contributor, album) == "azcd"
    page = contributor.get("/albums/").content.decode()
    assert "4 photos" in page
    better.restore()
    Photo.objects.get(pk=rows[1].pk).restore()
    assert in_album(contributor, album) == "abcd"


def test_of_two_copies_in_an_album_the_kept_one_is_shown_once(contributor, album, rows):
    rows[1].move_to_trash(by=None, in_favour_of=rows[2])
    assert in_album(contributor, album) == "acd"
    assert "3 photos" in contributor.get("/albums/").content.decode()


def test_what_is_taken_out_does_not_come_back_as_its_copy(contributor, album, rows):
    rows[1].move_to_trash(by=None, in_favour_of=rows[2])
    contributor.post(f"/albums/{album.pk}/take-out/", {"photos": rows[2].pk})
    assert in_album(contributor, album) == "ad"
    Photo.objects.get(pk=rows[1].pk).restore()
    assert in_album(contributor, album) == "ad"


# Changing


def test_photos_taken_out_stay_in_the_vault(contributor, album, rows):
    data = {"photos": f"{rows[0].pk},{rows[1].pk}"}
    page = contributor.post(f"/albums/{album.pk}/take-out/", data, follow=True)
    assert "2 photos taken out" in page.content.decode()
    assert in_album(contributor, album) == "cd"
    assert Photo.objects.live().count() == 4


def test_photos_taken_out_are_put_back_in_their_places(contributor, album, rows):
    contributor.post(f"/albums/{album.pk}/arrange/", {"photo": rows[3].pk, "to": "up"})
    before = in_album(contributor, album, "&sort=hand")
    data = {"photos": f"{rows[0].pk},{rows[1].pk}"}
    page = contributor.post(f"/albums/{album.pk}/take-out/", data, follow=True)
    undo = f"/albums/{album.pk}/put-back/"
    assert f'action="{undo}"' in page.content.decode()
    rows[1].delete()  # gone for good meanwhile
    album.add([rows[2].pk], by=None)
    page = contributor.post(undo, follow=True).content.decode()
    assert "1 photo is back" in page
    after = in_album(contributor, album, "&sort=hand")
    assert after == before.replace("b", "")
    again = contributor.post(undo, follow=True).content.decode()
    assert "Nothing was left to undo" in again


def test_album_is_renamed_and_described(contributor, album):
    data = {"title": "Mallorca 2004", "description": "<b>sun</b>", "sort": "-taken"}
    contributor.post(f"/albums/{album.pk}/edit/", data)
    page = contributor.get(f"/?album={album.pk}").content.decode()
    assert "Mallorca 2004" in page and "&lt;b&gt;sun" in page
    assert in_album(contributor, album) == "dcba"
    answer = contributor.post(f"/albums/{album.pk}/edit/", data | {"title": ""})
    assert answer.status_code == 200
    assert Album.objects.get().title == "Mallorca 2004"


def test_deleting_an_album_asks_and_deletes_no_photo(contributor, album):
    assert "stay in the vault" in (
        contributor.get(f"/albums/{album.pk}/delete/").content.decode()
    )
    assert Album.objects.exists()
    contributor.post(f"/albums/{album.pk}/delete/")
    assert not Album.objects.exists() and not AlbumPhoto.objects.exists()
    assert Photo.objects.live().count() == 4


def test_cover_is_chosen_and_falls_back_to_the_first(contributor, album, rows):
    def cover() -> str:
        return albums.overviews([Album.objects.get()], catalogue.current())[
            0
        ].cover.name

    for row in rows[1:]:
        Thumbnail.objects.create(photo=row, recipe=1, width=512, height=384)
    assert cover() == "b.jpg", "the first has no picture"
    contributor.post(f"/albums/{album.pk}/cover/", {"photos": rows[2].pk})
    assert cover() == "c.jpg"
    together.move_to_trash([rows[2].pk], by=None)
    assert cover() == "b.jpg"
    Photo.objects.get(pk=rows[2].pk).restore()
    assert cover() == "c.jpg"


@pytest.mark.parametrize(
    ("data", "order"),
    [
        ({"photo": 3, "before": 0}, "dabc"),
        ({"photo": 0, "before": 3}, "bcad"),
        ({"photo": 0, "after": 3}, "bcda"),
        ({"photo": 0, "to": "later"}, "bacd"),
        ({"photo": 1, "to": "later"}, "acbd"),
        ({"photo": 3, "to": "later"}, "abcd"),
        ({"photo": 2, "to": "later"}, "abdc"),
        ({"photo": 1, "to": "earlier"}, "bacd"),
        ({"photo": 2, "to": "earlier"}, "acbd"),
        ({"photo": 0, "to": "earlier"}, "abcd"),
        ({"photo": 1, "before": 1}, "abcd"),
    ],
)
def test_photo_is_moved_by_hand(contributor, album, rows, data, order):
    data = {k: v if k == "to" else rows[v].pk for k, v in data.items()}
    contributor.post(f"/albums/{album.pk}/arrange/", data)
    assert in_album(contributor, album, "&sort=hand") == order


def test_nonsense_moves_nothing(contributor, album, rows):
    other = bare_photo(9)
    for data in (
        {},
        {"photo": "x"},
        {"photo": other.pk, "before": rows[0].pk},
        {"photo": rows[0].pk, "before": other.pk},
        {"photo": rows[0].pk, "before": "999999999"},
    ):
        contributor.post(f"/albums/{album.pk}/arrange/", data)
    assert in_album(contributor, album, "&sort=hand") == "abcd"


def test_there_is_always_room_for_one_more_between_two(album, rows):
    """Each goes between the same two, so that the room halves every time."""
    first, second, *others = [row.pk for row in rows]
    for turn in range(3 * STEP.bit_length()):
        assert album.move(others[turn % 2], before=second)
    order = list(album.places.order_by("place").values_list("photo", flat=True))
    assert order[0] == first and order[-1] == second


# Permission


@pytest.mark.parametrize(
    "path", ["edit", "take-out", "put-back", "cover", "arrange", "delete"]
)
def test_album_of_somebody_else_is_changed_by_administrators_only(
    client, album, rows, path
):
    berta = User.objects.create_user("berta")
    for role, refused in (
        (Role.VIEWER, True),
        (Role.CONTRIBUTOR, True),
        (Role.REVIEWER, True),
        (Role.ADMINISTRATOR, False),
    ):
        family.give_role(berta, role, by=User(is_superuser=True))
        client.force_login(User.objects.get(pk=berta.pk))
        answer = client.post(f"/albums/{album.pk}/{path}/", {"photos": rows[0].pk})
        assert (answer.status_code == 403) == refused


def test_contributor_adds_to_no_album_of_somebody_else(contributor, rows):
    album = Album.objects.create(title="Anna's")
    data = {"photos": rows[0].pk, "album": album.pk}
    assert contributor.post("/albums/add/", data).status_code == 403


def test_who_is_a_viewer_again_changes_not_even_own_albums(client, album, otto):
    family.give_role(otto, Role.VIEWER, by=User(is_superuser=True))
    client.force_login(User.objects.get(pk=otto.pk))
    assert client.post(f"/albums/{album.pk}/delete/").status_code == 403


# Many


def test_number_of_queries_does_not_grow(contributor, album, otto):
    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            contributor.get(address)
        return len(captured)

    pages = ["/albums/", f"/?album={album.pk}", f"/albums/{album.pk}/arrange/"]
    before = [queries(page) for page in pages]
    for number in range(100, 130):
        row = bare_photo(number)
        album.add([row.pk], by=otto)
        Album.objects.create(title="x").add([row.pk], by=otto)
    assert [queries(page) for page in pages] == before
