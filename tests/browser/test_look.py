"""Looking at photos large, and doing something to several at once, in a real browser."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from gallery import slides
from gallery.models import Favourite, Photo
from gallery.views import browse
from tests import pictures
from tests.browser.conftest import log_in
from tests.gallery.rows import photo, sighting

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("vault"),
]

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def photos() -> list[Photo]:
    start = datetime(2009, 6, 28, 12)
    return [
        photo(
            pictures.scene(seed=number, size=(160, 120)),
            name=f"photo {number:02}.jpg",
            taken_at=start + timedelta(days=number),
            taken_precision="second",
            taken_from="exif_original",
        )
        for number in range(8)
    ]


def tile(page, name: str):
    return page.locator("#photo-tiles .tile:not([hidden])").filter(
        has=page.get_by_alt_text(name)
    )


def choose(page, name: str, **options):
    tile(page, name).hover()
    tile(page, name).locator(".check").click(**options)


def large(page):
    """The lightbox, once it listens to keys."""
    return page.locator(".pswp--ui-visible")


def forgive(complaints: list[str], status: int) -> None:
    """Leave out what the browser says of an answer that was a refusal on purpose."""
    complaints[:] = [line for line in complaints if f"status of {status}" not in line]


def open_large(page, name: str) -> None:
    tile(page, name).locator("a").click()
    expect(large(page)).to_be_visible()


def is_told(page, words: str) -> None:
    expect(page.locator("#toasts")).to_contain_text(words)


def live() -> int:
    return Photo.objects.live().count()


# One photo, large


def test_the_address_follows_and_back_closes(photos, page, site):
    page.goto(f"{site}/?sort=name")
    open_large(page, "photo 02.jpg")
    expect(page).to_have_url(f"{site}/photo/{photos[2].pk}/?sort=name")
    expect(page.locator(".pswp__counter")).to_have_text("3 / 8")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(f"{site}/photo/{photos[3].pk}/?sort=name")
    expect(page).to_have_title("photo 03.jpg · imagevault")
    page.go_back()
    expect(large(page)).to_have_count(0)
    expect(page).to_have_url(f"{site}/?sort=name")
    expect(tile(page, "photo 03.jpg").locator("a")).to_be_focused()
    page.go_forward()
    expect(page.locator(".pswp__counter")).to_have_text("4 / 8")
    page.reload()
    expect(page.get_by_role("heading", name="photo 03.jpg")).to_be_visible()
    page.get_by_role("button", name="Look at it large").click()
    expect(large(page)).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(f"{site}/photo/{photos[4].pk}/?sort=name")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="photo 04.jpg")).to_be_visible()


def test_the_way_goes_on_past_what_the_page_has_loaded(photos, page, site, monkeypatch):
    monkeypatch.setattr(browse, "PHOTOS_PER_PAGE", 2)
    monkeypatch.setattr(slides, "EACH_SIDE", 2)
    page.goto(f"{site}/?sort=name&since=2009-06-29")
    open_large(page, "photo 01.jpg")
    for number in range(2, 8):
        page.keyboard.press("ArrowRight")
        address = f"{site}/photo/{photos[number].pk}/?sort=name&since=2009-06-29"
        expect(page).to_have_url(address)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".pswp__counter")).to_have_text("7 / 7")
    page.keyboard.press("Home")
    expect(page.locator(".pswp__counter")).to_have_text("1 / 7")


def test_by_keyboard_alone(photos, page, site):
    sighting(photos[7], path="Mallorca/photo 07.jpg")
    tile(page, "photo 07.jpg").locator("a").press("Enter")
    expect(large(page)).to_be_visible()
    page.keyboard.press("i")
    facts = page.get_by_role("complementary", name="Facts")
    expect(facts).to_contain_text("Mallorca/photo 07.jpg")
    expect(facts).to_contain_text("5 July 2009")
    page.keyboard.press("ArrowRight")
    expect(facts).to_contain_text("photo 06.jpg")
    page.keyboard.press("i")
    expect(facts).to_be_hidden()
    page.keyboard.press("f")
    star = page.locator(".pswp__button--look-favourite")
    expect(star).to_have_attribute("aria-pressed", "true")
    assert Favourite.objects.get().photo_id == photos[6].pk
    with page.expect_download() as download:
        page.keyboard.press("d")
    assert download.value.suggested_filename == "photo 06.jpg"
    page.keyboard.press("Delete")
    is_told(page, "1 photo is in the trash.")
    expect(page.locator(".pswp__counter")).to_have_text("3 / 8")
    assert live() == 7
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("This photo is in the trash.")).to_be_visible()
    page.locator("[data-undo]").press("Enter")
    is_told(page, "1 photo is back among the photos.")
    assert live() == 8
    page.keyboard.press("Escape")
    expect(large(page)).to_have_count(0)
    expect(tile(page, "photo 06.jpg")).to_be_visible()
    stars = tile(page, "photo 06.jpg").locator(".star")
    expect(stars).to_have_attribute("aria-pressed", "true")


def test_zooming_in_brings_the_original(page, live_server, person, complaints):
    photo(pictures.scene(size=(3000, 2000)), name="large.jpg")
    log_in(page, live_server.url)
    open_large(page, "large.jpg")
    shown = large(page).locator("img.pswp__img:not(.pswp__img--placeholder)").first
    expect(shown).to_have_attribute("src", re.compile("preview.jpg"))
    for _ in range(4):
        page.keyboard.press("+")
    expect(shown).to_have_attribute("src", re.compile("/original"))
    page.keyboard.press("0")
    assert complaints == []


def test_a_slide_show_goes_on_by_itself_and_ends(photos, page, site):
    page.clock.install()
    page.goto(f"{site}/?sort=name")
    tile(page, "photo 06.jpg").locator("a").click()
    expect(page.locator(".pswp__counter")).to_have_text("7 / 8")
    page.clock.run_for(1000)
    expect(large(page)).to_be_visible()
    page.keyboard.press(" ")
    player = page.locator(".pswp__button--look-play")
    expect(player).to_have_attribute("aria-pressed", "true")
    page.clock.run_for(5500)
    expect(page.locator(".pswp__counter")).to_have_text("8 / 8")
    page.clock.run_for(5500)
    expect(player).to_have_attribute("aria-pressed", "false")


def test_a_date_is_corrected_beside_the_picture(photos, page, site, complaints):
    open_large(page, "photo 05.jpg")
    page.keyboard.press("i")
    facts = page.get_by_role("complementary", name="Facts")
    facts.get_by_text("Correct the date").first.click()
    said = facts.get_by_label("When was it?")
    said.fill("winter 1987")
    # ... letters are letters here, and no commands.
    said.press("Enter")
    expect(facts.get_by_role("alert")).to_contain_text("Every year has two winters")
    forgive(complaints, 422)
    said.fill("summer 1987")
    said.press("Enter")
    expect(facts).to_contain_text("Summer 1987")
    expect(facts).to_contain_text("Before: Friday, 3 July 2009, 12:00:00")
    facts.get_by_role("button", name="Take it back").click()
    expect(facts).not_to_contain_text("Summer 1987")


def test_on_a_phone_the_facts_come_from_below(photos, page, site):
    page.set_viewport_size(PHONE)
    open_large(page, "photo 05.jpg")
    buttons = page.locator(".pswp__top-bar .pswp__button:visible")
    edges = [one.bounding_box() for one in buttons.all()]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in edges)
    page.get_by_role("button", name="Facts").click()
    box = page.get_by_role("complementary", name="Facts").bounding_box()
    assert box["width"] == 390 and box["y"] > 200


# Several photos


def test_a_range_is_chosen_and_thrown_and_brought_back(photos, page, site):
    page.goto(f"{site}/?sort=name")
    choose(page, "photo 01.jpg")
    choose(page, "photo 04.jpg", modifiers=["Shift"])
    bar = page.get_by_role("form", name="Chosen photos")
    expect(bar).to_contain_text("4 photos, ")
    # While choosing, a click chooses too.
    tile(page, "photo 02.jpg").locator("a").click()
    expect(bar).to_contain_text("3 photos, ")
    bar.get_by_role("button", name="Trash").click()
    is_told(page, "3 photos are in the trash.")
    expect(page.get_by_text("5 photos", exact=True)).to_be_visible()
    expect(tile(page, "photo 01.jpg")).to_have_count(0)
    expect(bar).to_be_hidden()
    assert live() == 5
    page.get_by_role("button", name="Undo").click()
    is_told(page, "3 photos are back among the photos.")
    expect(tile(page, "photo 01.jpg")).to_be_visible()
    assert live() == 8


def test_photos_are_chosen_by_keyboard_alone(photos, page, site):
    page.goto(f"{site}/?sort=name")
    tile(page, "photo 00.jpg").locator("a").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    bar = page.get_by_role("form", name="Chosen photos")
    expect(bar).to_contain_text("3 photos, ")
    expect(tile(page, "photo 03.jpg").locator("a")).to_be_focused()
    page.keyboard.press(" ")
    expect(bar).to_contain_text("2 photos, ")
    page.keyboard.press("Control+a")
    expect(bar).to_contain_text("8 photos, ")
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    expect(page.locator(".check:checked")).to_have_count(0)


def test_all_of_a_view_are_downloaded_as_a_zip(photos, page, site, monkeypatch):
    monkeypatch.setattr(browse, "PHOTOS_PER_PAGE", 2)
    # Nothing more is loaded by itself.
    page.route("**/*after=*", lambda route: route.fulfill(status=204))
    page.goto(f"{site}/?sort=name&until=2009-07-04")
    choose(page, "photo 00.jpg")
    bar = page.get_by_role("form", name="Chosen photos")
    bar.get_by_role("button", name="All 7 of this view").click()
    expect(bar).to_contain_text("All 7 photos")
    with page.expect_download() as download:
        bar.get_by_role("button", name="Download").click()
    content = download.value.path().read_bytes()
    found = zipfile.ZipFile(io.BytesIO(content))
    assert found.namelist() == [f"photo {n:02}.jpg" for n in range(7)]
    assert found.testzip() is None


def test_stars_and_dates_are_given_to_several(photos, page, site, complaints):
    page.goto(f"{site}/?sort=name")
    choose(page, "photo 00.jpg")
    choose(page, "photo 01.jpg")
    page.get_by_role("form").get_by_role("button", name="Favourite").click()
    is_told(page, "2 photos more are favourites of yours.")
    star = tile(page, "photo 01.jpg").locator(".star")
    expect(star).to_have_attribute("aria-pressed", "true")
    choose(page, "photo 00.jpg")
    choose(page, "photo 01.jpg")
    page.get_by_role("button", name="Date", exact=True).click()
    sheet = page.locator("#chosen-when")
    sheet.get_by_label("When was it?").fill("12/7/2004")
    sheet.get_by_role("button", name="Correct the date").click()
    expect(sheet.get_by_role("alert")).to_contain_text("which number is the month")
    forgive(complaints, 422)
    sheet.get_by_label("When was it?").fill("July 1974")
    sheet.get_by_role("button", name="Correct the date").click()
    is_told(page, "The dates of 2 photos were corrected.")
    expect(page.get_by_alt_text("photo 00.jpg, July 1974")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_alt_text("photo 00.jpg, 28 June 2009")).to_be_visible()


def test_photos_are_chosen_with_a_finger(photos, new_context, live_server, person):
    page = new_context(viewport=PHONE, has_touch=True, is_mobile=True).new_page()
    log_in(page, live_server.url)
    page.get_by_role("button", name="Choose", exact=True).tap()
    tile(page, "photo 03.jpg").locator("a").tap()
    tile(page, "photo 05.jpg").locator("a").tap()
    bar = page.get_by_role("form", name="Chosen photos")
    expect(bar).to_contain_text("2 photos, ")
    wider = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wider
    bar.get_by_role("button", name="Trash").tap()
    is_told(page, "2 photos are in the trash.")
    assert live() == 6


def test_without_scripts_check_marks_are_a_plain_form(
    photos, new_context, live_server, person
):
    page = new_context(java_script_enabled=False).new_page()
    log_in(page, live_server.url)
    page.get_by_label("Choose: photo 02.jpg").check()
    page.get_by_label("Choose: photo 03.jpg").check()
    page.get_by_role("button", name="Trash").click()
    expect(page.get_by_text("2 photos are in the trash.")).to_be_visible()
    assert live() == 6
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 photos are back among the photos.")).to_be_visible()
    assert live() == 8


def swipe(page, *, by: int) -> None:
    """Draw a finger across the middle of the screen, so many pixels."""
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, *points: int) -> None:
        at = [{"x": x, "y": 400} for x in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    start = 195 - by // 2
    touch("touchStart", start)
    for part in range(1, 6):
        touch("touchMove", start + by * part // 5)
    touch("touchEnd")


def test_a_finger_goes_on_to_a_photo_that_is_there_already(
    photos, new_context, live_server, person
):
    page = new_context(viewport=PHONE, has_touch=True, is_mobile=True).new_page()
    log_in(page, live_server.url)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{live_server.url}/?sort=name")
    tile(page, "photo 02.jpg").locator("a").tap()
    expect(large(page)).to_be_visible()
    page.wait_for_load_state("networkidle")
    # Those beside it are loaded before anybody asks to see them.
    for number in (1, 3):
        assert any(f"/photo/{photos[number].pk}/preview.jpg" in url for url in asked)
    for by, place in ((-200, "4 / 8"), (-200, "5 / 8"), (200, "4 / 8")):
        swipe(page, by=by)
        expect(page.locator(".pswp__counter")).to_have_text(place)
        # It has come to rest.
        shown = page.locator('.pswp__item[aria-hidden="false"]')
        expect(shown).to_be_in_viewport(ratio=0.99)


def test_the_whole_screen_is_given_to_the_photo_and_back(photos, page, site):
    page.goto(site)
    open_large(page, "photo 02.jpg")
    # It is open once it has the focus; before that it does not close.
    expect(page.locator(".pswp")).to_be_focused()
    page.get_by_role("button", name="Full screen").click()
    expect(page.locator(":fullscreen").first).to_be_attached()
    page.get_by_role("button", name="Close").click()
    expect(large(page)).to_have_count(0)
    expect(page.locator(":fullscreen")).to_have_count(0)
