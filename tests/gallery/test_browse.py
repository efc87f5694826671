import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gallery.models import Favourite, Photo, Precision, Thumbnail
from gallery.views import browse
from tests.gallery.rows import bare_photo, sighting

pytestmark = pytest.mark.django_db


def shown(answer) -> list[str]:
    """The names of the photos on a page, in order."""
    return re.findall(r">(\w+)\.jpg</span>", answer.content.decode())


@pytest.fixture
def three(db):
    bare_photo(
        1, name="b.jpg", size=30, taken_at=datetime(2009, 7, 14, 12),
        added_at=datetime(2020, 1, 3, tzinfo=UTC), taken_precision=Precision.YEAR,
        camera_make="Canon", camera_model="Canon EOS 20D", width=20, height=10,
    )  # fmt: skip
    bare_photo(
        2, name="a.jpg", size=20, taken_at=None,
        added_at=datetime(2020, 1, 1, tzinfo=UTC), format="HEIF",
        camera_make="Canon", camera_model="EOS 20D",
    )  # fmt: skip
    bare_photo(
        3, name="c.jpg", size=10, taken_at=datetime(2011, 1, 2, 12),
        added_at=datetime(2020, 1, 2, tzinfo=UTC), taken_precision=Precision.SECOND,
        camera_make="NIKON CORPORATION", camera_model="NIKON D70", width=10, height=10,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", "cba"),
        ("?sort=-taken", "cba"),
        ("?sort=taken", "bca"),
        ("?sort=added", "acb"),
        ("?sort=-added", "bca"),
        ("?sort=size", "cab"),
        ("?sort=-size", "bac"),
        ("?sort=name", "abc"),
        ("?sort=-name", "cba"),
        ("?sort=pixels", "cba"),
        ("?sort=-pixels", "bca"),
        ("?sort=nonsense", "cba"),
    ],
)
def test_photos_stand_in_the_order_asked_for(admin_client, three, query, order):
    assert "".join(shown(admin_client.get(f"/{query}"))) == order


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("since=2009-07-14&until=2009-07-14", "b"),
        ("since=2010-01-01", "c"),
        ("until=2010-01-01", "b"),
        ("since=yesterday", "cba"),
        ("until=9999-12-31", "cb"),
        ("since=0001-01-01", "cb"),
        ("since=2011-01-01&until=2009-01-01", ""),
        ("year=2009", "b"),
        ("year=twenty", "cba"),
        ("quality=unknown", "a"),
        ("quality=exact", "c"),
        ("quality=year", "b"),
        ("quality=good", "cba"),
        ("camera=Canon+EOS+20D", "ba"),
        ("camera=NIKON+D70", "c"),
        ("camera=Box", ""),
        ("source=1000000", ""),
        (f"source={10**30}", ""),
        ("source=first", "cba"),
        ("format=HEIF", "a"),
        ("least=0.00002", "ba"),
        ("most=0.00002", "ca"),
        ("least=much", "cba"),
        ("least=inf&most=nan", "cba"),
        ("camera=Canon+EOS+20D&format=JPEG&year=2009&sort=size", "b"),
        ("camera=a%00b", "cba"),
        ("q=NIKON", "c"),
        ("q=2009+canon", "b"),
        ("q=jpg&sort=size", "cab"),
        ("q=nothing", ""),
    ],
)
def test_photos_are_those_taken_between_the_days(admin_client, three, query, names):
    assert "".join(shown(admin_client.get(f"/?{query}"))) == names


def test_nonsense_date_is_shown_again_with_a_hint(admin_client):
    page = admin_client.get("/?since=<yesterday>").content.decode()
    assert 'value="&lt;yesterday&gt;"' in page
    assert "Not a date" in page


def test_photos_of_a_drive_are_all_that_were_seen_on_it(admin_client, three):
    first, second, _ = Photo.objects.order_by("pk")
    drive = sighting(first, path="b.jpg", drive="Blue").source
    sighting(first, path="b.jpg", drive="Red")
    sighting(second, path="a.jpg", drive="Red")
    page = admin_client.get(f"/?source={drive.pk}")
    assert shown(page) == ["b"]
    assert "Blue<" in page.content.decode()


def test_favourites_are_ones_own(client, admin_client, django_user_model, three):
    row = Photo.objects.get(name="a.jpg")
    admin_client.post(f"/photo/{row.pk}/favourite/", {"starred": "1"})
    assert shown(admin_client.get("/?starred=1")) == ["a"]
    client.force_login(django_user_model.objects.create_user("otto"))
    page = client.get("/?starred=1").content.decode()
    assert "No photo is like that" in page and "Press the star" in page


def test_star_is_given_and_taken_back_any_number_of_times(admin_client, three):
    row = Photo.objects.get(name="a.jpg")
    for starred, count in [("1", 1), ("1", 1), ("0", 0), ("0", 0)]:
        data = {"starred": starred, "back": "/?sort=name"}
        answer = admin_client.post(f"/photo/{row.pk}/favourite/", data)
        assert answer["Location"] == "/?sort=name"
        assert Favourite.objects.count() == count


def test_star_leads_back_to_no_other_site(admin_client, three):
    row = Photo.objects.get(name="a.jpg")
    data = {"starred": "1", "back": "//elsewhere.example/"}
    answer = admin_client.post(f"/photo/{row.pk}/favourite/", data)
    assert answer["Location"] == row.get_absolute_url()


def test_each_filter_can_be_taken_away_by_itself(admin_client, three):
    page = admin_client.get("/?year=2009&sort=size&most=5").content.decode()
    chips = re.findall(r'href="([^"]+)" class="chip', page)
    assert chips == ["/?sort=size&amp;most=5", "/?sort=size&amp;year=2009", "/"]


def test_address_after_a_change_holds_what_was_asked_and_no_more(admin_client, three):
    page = admin_client.get(
        "/?sort=-taken&since=&until=&camera=&year=2009&least=x",
        headers={"HX-Request": "true", "HX-Target": "photo-grid"},
    )
    assert page["HX-Push-Url"] == "/?year=2009"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("at=2009-07", "ba"),
        ("at=2010", "ba"),
        ("at=2011-01", "cba"),
        ("at=2009-08&sort=taken", "ca"),
        ("at=2009-07&sort=taken", "bca"),
        ("at=2009-13", "cba"),
        ("at=9999-12", "cba"),
        ("at=2009&sort=size", "cab"),
    ],
)
def test_jump_begins_with_the_month_asked_for(admin_client, three, query, names):
    assert "".join(shown(admin_client.get(f"/?{query}"))) == names


def test_way_back_from_a_jump_leads_to_what_lies_before(admin_client, three):
    page = admin_client.get("/?at=2009-07").content.decode()
    link = re.search(r'href="([^"]+)" class="button" rel="prev"', page)[1]
    assert shown(admin_client.get(f"/{link.replace('&amp;', '&')}")) == ["c"]
    assert 'rel="prev"' not in admin_client.get("/?at=2011").content.decode()


def test_timeline_counts_the_photos_of_each_month_under_the_filters(
    admin_client, three
):
    bare_photo(4, taken_at=datetime(2009, 7, 1), camera_model="D70")
    page = admin_client.get("/timeline/").content.decode()
    assert page.index("2011") < page.index("2009")
    assert 'aria-label="July 2009: 2 photos"' in page
    assert 'href="/?at=2009-07"' in page
    page = admin_client.get("/timeline/?camera=D70&sort=taken").content.decode()
    assert 'aria-label="July 2009: 1 photo"' in page
    assert "2011" not in page
    assert 'href="/?sort=taken&amp;camera=D70&amp;at=2009-07"' in page


def test_days_are_headings_where_asked_for_and_known(admin_client):
    known = [Precision.SECOND, Precision.MONTH, Precision.YEAR]
    for number, precision in enumerate(known):
        bare_photo(number, taken_at=datetime(2009, 7, 14), taken_precision=precision)
    page = admin_client.get("/?group=day&sort=taken").content.decode()
    headings = re.findall(r"tiles-heading[^>]*>([^<]+)</h2>", page)
    assert headings == ["Tuesday, 14 July 2009", "July 2009", "2009"]


def test_photos_in_the_trash_are_not_shown(admin_client):
    keeper, other = bare_photo(1, name="kept.jpg"), bare_photo(2, name="gone.jpg")
    other.move_to_trash(by=None, in_favour_of=keeper)
    assert shown(admin_client.get("/")) == ["kept"]


def test_each_month_has_its_heading_once(admin_client, monkeypatch):
    monkeypatch.setattr(browse, "PHOTOS_PER_PAGE", 2)
    for day in (1, 2, 3, 4):
        bare_photo(day, taken_at=datetime(2009, 7, day))
    first = admin_client.get("/")
    more = re.search(r'hx-get="([^"]+)"[^>]+near', first.content.decode())
    rest = admin_client.get(
        more[1].replace("&amp;", "&"),
        headers={"HX-Request": "true", "HX-Target": "photo-tiles"},
    )
    assert first.content.decode().count("July 2009") == 1
    assert "July 2009</h2>" not in rest.content.decode()
    assert len(shown(first) + shown(rest)) == 4
    assert "<html" not in rest.content.decode()


def test_year_is_not_made_into_a_january(admin_client):
    bare_photo(1, taken_at=datetime(1987, 1, 1), taken_precision=Precision.YEAR)
    page = admin_client.get("/").content.decode()
    assert ">1987</h2>" in page
    assert "January" not in page


def test_next_link_works_without_a_script(admin_client, monkeypatch, three):
    monkeypatch.setattr(browse, "PHOTOS_PER_PAGE", 2)
    first = admin_client.get("/?sort=name")
    link = re.search(r'href="([^"]+)" rel="next"', first.content.decode())[1]
    assert shown(admin_client.get(f"/{link.replace('&amp;', '&')}")) == ["c"]


def test_address_of_no_place_says_so_and_shows_the_beginning(admin_client, three):
    page = admin_client.get("/?after=nonsense")
    assert "cannot be found" in page.content.decode()
    assert len(shown(page)) == 3


def test_empty_vault_says_what_to_do_next(admin_client):
    page = admin_client.get("/").content.decode()
    assert "import_drive" in page


def test_photo_that_cannot_be_shown_says_why(admin_client):
    row = bare_photo(1, problem="the file ends too early")
    Thumbnail.objects.create(photo=row, problem="the file ends too early")
    assert "the file ends too early" in admin_client.get("/").content.decode()


def test_links_to_photos_keep_the_selection(admin_client, three):
    page = admin_client.get("/?sort=name&since=2009-01-01").content.decode()
    assert "/?sort=name&amp;since=2009-01-01" in page


def test_number_of_queries_does_not_grow_with_photos(admin_client):
    def queries(count: int) -> int:
        for _ in range(count):
            nonlocal number
            number += 1
            row = bare_photo(number, taken_at=datetime(2009, 7, 1))
            Thumbnail.objects.create(photo=row, recipe=1, width=512, height=384)
        with CaptureQueriesContext(connection) as captured:
            admin_client.get("/")
        return len(captured)

    number = 0
    assert queries(3) == queries(60)
