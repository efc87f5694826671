import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gallery import forms
from gallery.models import Precision, Thumbnail
from gallery.views import browse
from tests.gallery.rows import bare_photo

pytestmark = pytest.mark.django_db


def shown(answer) -> list[str]:
    """The names of the photos on a page, in order."""
    return re.findall(r">(\w+)\.jpg</span>", answer.content.decode())


@pytest.fixture
def three(db):
    bare_photo(
        1, name="b.jpg", size=30, taken_at=datetime(2009, 7, 14, 12),
        added_at=datetime(2020, 1, 3, tzinfo=UTC),
    )  # fmt: skip
    bare_photo(
        2, name="a.jpg", size=20, taken_at=None,
        added_at=datetime(2020, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    bare_photo(
        3, name="c.jpg", size=10, taken_at=datetime(2011, 1, 2, 12),
        added_at=datetime(2020, 1, 2, tzinfo=UTC),
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
    ],
)
def test_photos_are_those_taken_between_the_days(admin_client, three, query, names):
    assert "".join(shown(admin_client.get(f"/?{query}"))) == names


def test_many_photos_of_the_days_asked_for_are_the_same_ones(
    admin_client, three, monkeypatch
):
    monkeypatch.setattr(forms, "FEW", 0)
    for query, names in [
        ("since=2009-07-14&until=2009-07-14", "b"),
        ("until=2020-01-01", "cb"),
    ]:
        assert "".join(shown(admin_client.get(f"/?sort=size&{query}"))) == names


def test_nonsense_date_is_shown_again_with_a_hint(admin_client):
    page = admin_client.get("/?since=<yesterday>").content.decode()
    assert 'value="&lt;yesterday&gt;"' in page
    assert "Not a date" in page


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
