"""The family pages in a real browser, with and without scripts."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from gallery.models import Photo
from gallery.views import browse
from tests import pictures
from tests.browser.conftest import log_in
from tests.gallery.rows import photo, sighting

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("vault"),
]

# The photos themselves, not the colours that stand in their place.
PICTURES = "#photo-tiles img:not(.tile-colours)"
SIZES = [(160, 120), (90, 160), (240, 100), (120, 120)]


@pytest.fixture
def photos() -> list[Photo]:
    start = datetime(2009, 6, 28, 12)
    return [
        photo(
            pictures.scene(seed=number, size=SIZES[number % len(SIZES)]),
            name=f"photo {number:02}.jpg",
            taken_at=start + timedelta(days=number),
            taken_precision="second",
        )
        for number in range(12)
    ]


def names(page) -> list[str]:
    """The photos shown, in order."""
    alts = page.locator(PICTURES).evaluate_all("all => all.map(i => i.alt)")
    return [alt.partition(".jpg")[0] for alt in alts]


def test_browse_sort_filter_and_open(photos, page, site):
    assert names(page)[0] == "photo 11"
    expect(page.get_by_role("heading", name="July 2009")).to_be_visible()

    page.get_by_label("Order").select_option("Name, A to Z")
    expect(page).to_have_url(f"{site}/?sort=name")
    expect(page.locator(PICTURES).first).to_have_attribute(
        "alt", "photo 00.jpg, 28 June 2009"
    )
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("Taken from").fill("2009-07-05")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("5 photos", exact=True)).to_be_visible()
    expect(page).to_have_url(f"{site}/?sort=name&since=2009-07-05")
    assert names(page) == [f"photo {n:02}" for n in range(7, 12)]

    page.goto(f"{site}{page.locator('#photo-tiles a').nth(1).get_attribute('href')}")
    expect(page.get_by_role("heading", name="photo 08.jpg")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="photo 09.jpg")).to_be_visible()
    page.get_by_role("link", name="All photos").click()
    expect(page.get_by_label("Order")).to_have_value("name")
    assert len(names(page)) == 5


def test_filters_are_taken_away_and_brought_back_by_the_browser(photos, page, site):
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("Format").select_option("JPEG (12)")
    page.get_by_label("Year").select_option("2009 (12)")
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{site}/?year=2009&format=JPEG")
    page.get_by_role("link", name="Remove the filter JPEG").click()
    expect(page).to_have_url(f"{site}/?year=2009")
    page.go_back()
    expect(page.get_by_role("link", name="Remove the filter JPEG")).to_be_visible()
    expect(page.get_by_label("Format")).to_have_value("JPEG")


def test_search_finds_folders_while_words_are_typed(photos, page, site):
    sighting(photos[3], path="Mallorca 2004/photo 03.jpg")
    search = page.get_by_label("Search")
    search.press_sequentially("mallorca 20")
    expect(page.get_by_text("No photo is like that")).to_be_visible()
    search.press_sequentially("04")
    expect(page).to_have_url(f"{site}/?q=mallorca+2004")
    expect(search).to_be_focused()
    assert names(page) == ["photo 03"]
    page.get_by_role("link", name="Remove the filter “mallorca 2004”").click()
    expect(page.get_by_role("status")).to_have_text("12 photos")
    expect(search).to_have_value("")


def test_timeline_jumps_to_a_month(photos, page, site):
    page.get_by_role("link", name="June 2009: 3 photos").click()
    expect(page.locator("#photo-tiles h2").first).to_have_text("June 2009")
    assert names(page) == [f"photo {n:02}" for n in (2, 1, 0)]
    page.get_by_role("link", name="Previous photos").click()
    # ... and the script fetches the rest, since there is room.
    expect(page.locator(PICTURES)).to_have_count(12)
    assert names(page)[0] == "photo 11"


def test_timeline_opens_over_the_photos_on_a_phone(photos, page, site):
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Jump to a month").click()
    page.get_by_role("link", name="July 2009: 9 photos").click()
    expect(page).to_have_url(f"{site}/?at=2009-07")


def test_star_is_given_in_the_grid_and_taken_back_on_the_photo(photos, page, site):
    star = page.get_by_role("button", name="Favourite: photo 07.jpg")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    page.get_by_text("Favourites", exact=True).click()
    expect(page.get_by_text("1 photo", exact=True)).to_be_visible()
    page.goto(f"{site}{page.locator('#photo-tiles a').get_attribute('href')}")
    star.press("Enter")
    expect(star).to_have_attribute("aria-pressed", "false")
    expect(star).to_be_focused()
    page.goto(f"{site}/?starred=1")
    expect(page.get_by_text("Press the star on a photo")).to_be_visible()


def test_tiles_keep_the_shape_of_their_photos_and_fill_the_row(photos, page, site):
    page.goto(f"{site}/?sort=name")
    boxes = [
        tile.bounding_box() for tile in page.locator("#photo-tiles .tile").all()[:4]
    ]
    for (width, height), box in zip(SIZES, boxes, strict=True):
        assert box["width"] / box["height"] == pytest.approx(width / height, rel=0.02)
    assert len({round(box["height"]) for box in boxes}) == 1


def test_scrolling_brings_more_photos(photos, page, site, monkeypatch):
    monkeypatch.setattr(browse, "PHOTOS_PER_PAGE", 4)
    page.goto(site)
    page.mouse.wheel(0, 5000)
    expect(page.locator(PICTURES)).to_have_count(12)
    assert names(page) == [f"photo {n:02}" for n in range(11, -1, -1)]
    expect(page.get_by_role("heading", name="July 2009")).to_have_count(1)


def test_nothing_is_wider_than_the_smallest_phone(photos, page, site):
    page.set_viewport_size({"width": 320, "height": 640})
    for path in ("/", photos[0].get_absolute_url(), "/upload/", "/trash/"):
        page.goto(f"{site}{path}")
        wider = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not wider, path


def test_every_page_can_be_read_aloud(photos, page, site):
    photos[0].move_to_trash(by=None, in_favour_of=photos[1])
    for path in ("/", photos[1].get_absolute_url(), "/upload/", "/trash/"):
        page.goto(f"{site}{path}")
        assert page.locator("html").get_attribute("lang") == "en"
        assert page.locator("h1").count() == 1, path
        assert page.locator("img:not([alt])").count() == 0, path
        unlabelled = page.evaluate(
            """[...document.querySelectorAll("input:not([type=hidden]), select")]
               .filter(field => !field.labels.length && !field.ariaLabel).map(field => field.name)"""
        )
        assert unlabelled == [], path
        nameless = page.evaluate(
            """[...document.querySelectorAll("a, button")].filter(one =>
               !one.textContent.trim() && !one.querySelector("img[alt]") &&
               !one.ariaLabel).length"""
        )
        assert nameless == 0, path


@pytest.fixture
def plain_page(new_context):
    """A page of a browser that runs no scripts."""
    return new_context(java_script_enabled=False).new_page()


def test_everything_works_without_scripts(
    photos, plain_page, live_server, person, monkeypatch
):
    monkeypatch.setattr(browse, "PHOTOS_PER_PAGE", 8)
    page = plain_page
    log_in(page, live_server.url)
    page.get_by_label("Order").select_option("Name, A to Z")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="More photos").click()
    expect(page.locator("#photo-tiles .tile")).to_have_count(4)
    page.get_by_role("link", name="Previous photos").click()
    expect(page.locator("#photo-tiles .tile")).to_have_count(8)
    page.get_by_role("button", name="Favourite: photo 03.jpg").click()
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("Year").select_option("2009 (12)")
    page.locator("[name=starred]").first.check(force=True)
    page.get_by_role("button", name="Show").click()
    assert names(page) == ["photo 03"]
    page.get_by_label("Order").select_option("Newest first")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="How many photos each month has").click()
    page.get_by_role("link", name="July 2009: 1 photo").click()
    assert names(page) == ["photo 03"]

    page.get_by_role("link", name="Upload").click()
    content = pictures.jpeg(pictures.scene(seed=78, size=(160, 120)))
    page.get_by_label("Photos to upload").set_input_files(
        [{"name": "new.jpg", "mimeType": "image/jpeg", "buffer": content}]
    )
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_text("New: stored in the vault.")).to_be_visible()

    photos[0].move_to_trash(by=None, in_favour_of=photos[1])
    page.get_by_role("link", name="Trash").click()
    page.get_by_role("button", name="Restore photo 00.jpg").click()
    expect(page.get_by_text("is back among the photos")).to_be_visible()


def test_pictures_far_out_of_view_are_let_go_and_come_back(page, site):
    for number in range(60):
        photo(pictures.scene(seed=number, size=(450, 150)), name=f"{number:02}.jpg")
    page.set_viewport_size({"width": 390, "height": 600})
    page.goto(f"{site}/?sort=name")
    first = page.locator(PICTURES).first
    expect(first).to_have_attribute("src", re.compile("thumbnail"))
    page.locator(".tile").last.scroll_into_view_if_needed()
    expect(first).not_to_have_attribute("src", re.compile("thumbnail"))
    expect(page.locator(PICTURES).last).to_have_attribute(
        "src", re.compile("thumbnail")
    )
    page.locator(".tile").first.scroll_into_view_if_needed()
    expect(first).to_have_attribute("src", re.compile("thumbnail"))


@pytest.fixture
def many(page, site, monkeypatch) -> int:
    """A narrow page of 64 photos, one below the other, of which it has the first 16."""
    monkeypatch.setattr(browse, "PHOTOS_PER_PAGE", 16)
    for number in range(64):
        photo(pictures.scene(seed=number, size=(450, 150)), name=f"{number:02}.jpg")
    page.set_viewport_size({"width": 390, "height": 600})
    page.goto(f"{site}/?sort=name")
    return 64


def scroll_to_the_end(page, count: int) -> None:
    tiles = page.locator("#photo-tiles .tile")
    for shown in range(16, count + 1, 16):
        expect(tiles).to_have_count(shown)
        tiles.last.scroll_into_view_if_needed()
    expect(tiles.first).to_have_class(re.compile(r"\bfar\b"))


def test_each_photo_scrolled_past_costs_few_nodes(page, many):
    session = page.context.new_cdp_session(page)

    def nodes() -> int:
        session.send("HeapProfiler.collectGarbage")
        return session.send("Memory.getDOMCounters")["nodes"]

    expect(page.locator("#photo-tiles .tile")).to_have_count(16)
    before = nodes()
    scroll_to_the_end(page, many)
    # A tile has six elements; all that scripts and the browser add is counted, too.
    assert nodes() - before < 12 * (many - 16)


def test_tiles_far_out_of_view_keep_their_place_and_are_not_laid_out(page, many):
    tiles = page.locator("#photo-tiles .tile")
    before = tiles.first.bounding_box()
    scroll_to_the_end(page, many)
    after = tiles.first.bounding_box()
    assert (after["width"], after["height"]) == (before["width"], before["height"])
    for part in ("a", ".check", ".star"):
        expect(tiles.first.locator(part)).to_be_hidden()
        expect(tiles.last.locator(part)).not_to_have_css("display", "none")


def test_tiles_far_out_of_view_are_reached_by_keyboard(page, many):
    tiles = page.locator("#photo-tiles .tile")
    scroll_to_the_end(page, many)
    tiles.last.locator("a").focus()
    page.keyboard.press("Home")
    expect(tiles.first.locator("a")).to_be_focused()
    expect(tiles.first).to_be_in_viewport()
    expect(page.locator(PICTURES).first).to_have_attribute(
        "src", re.compile("thumbnail")
    )
    page.keyboard.press("x")
    page.keyboard.press("Shift+End")
    expect(tiles.last.locator("a")).to_be_focused()
    expect(page.locator(".check:checked")).to_have_count(many)


def test_photo_that_has_focus_keeps_it_out_of_view(page, many):
    link = page.locator("#photo-tiles .tile > a").first
    link.focus()
    scroll_to_the_end(page, many)
    expect(link).to_be_focused()


def test_lightbox_comes_back_to_a_photo_far_out_of_view(page, many):
    scroll_to_the_end(page, many)
    tiles = page.locator("#photo-tiles .tile")
    tiles.last.locator("a").click()
    expect(page.locator(".pswp")).to_be_visible()
    page.evaluate("scrollTo(0, 0)")
    expect(tiles.last).to_have_class(re.compile(r"\bfar\b"))
    page.keyboard.press("Escape")
    expect(page.locator(".pswp")).to_have_count(0)
    expect(tiles.last.locator("a")).to_be_focused()
    expect(tiles.last).to_be_in_viewport()
