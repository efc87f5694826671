"""Being let in, albums and share links in a real browser, on a phone and at a desk."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import expect

from gallery.models import Album, Photo, ShareLink
from imagevault.people import family
from imagevault.people.models import Invitation
from imagevault.people.roles import Role
from tests import pictures
from tests.browser.conftest import unanswered
from tests.gallery.rows import photo

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("vault"),
]

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
PASSWORD = "four old drives in a box"
both_sizes = pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])


@pytest.fixture
def photos() -> list[Photo]:
    start = datetime(2009, 6, 28, 12)
    return [
        photo(
            pictures.scene(seed=number, size=(160, 120)),
            name=f"photo {number}.jpg",
            taken_at=start + timedelta(days=number),
            taken_precision="second",
        )
        for number in range(4)
    ]


@pytest.fixture
def album(person, photos) -> Album:
    made = Album.objects.create(title="Mallorca 2004", made_by=person)
    made.add([one.pk for one in photos], by=person)
    return made


def order(album: Album) -> str:
    rows = album.places.order_by("place").values_list("photo__name", flat=True)
    return "".join(name.removeprefix("photo ").removesuffix(".jpg") for name in rows)


def no_sideways(page) -> None:
    # Before its style sheet is there, a page is as wide as its longest line.
    page.wait_for_load_state("load")
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


def test_the_menu_of_a_phone_begins_where_one_is(page, site):
    page.set_viewport_size(PHONE)
    page.goto(f"{site}/family/")
    menu = page.get_by_role("navigation", name="Main")
    expect(menu.get_by_role("link", name="Family")).to_be_in_viewport(ratio=1)
    no_sideways(page)
    page.goto(site)
    expect(menu.get_by_role("link", name="Browse")).to_be_in_viewport(ratio=1)


@both_sizes
def test_invited_person_chooses_a_password_and_is_in(page, site, browser, size):
    page.set_viewport_size(size)
    page.goto(f"{site}/family/")
    page.get_by_label("Name", exact=True).fill("Oma Grete")
    page.get_by_label("Role", exact=True).select_option("Contributor")
    page.get_by_role("button", name="Invite", exact=True).click()
    link = page.get_by_label("Link").input_value()
    no_sideways(page)

    context = browser.new_context(viewport=size)
    hers = context.new_page()
    hers.goto(link)
    no_sideways(hers)
    hers.get_by_label("Password", exact=True).fill(PASSWORD)
    hers.get_by_label("Password confirmation").fill(PASSWORD)
    hers.keyboard.press("Enter")
    expect(hers.get_by_text("Welcome, Oma Grete!")).to_be_visible()
    expect(hers.get_by_role("link", name="Upload", exact=True)).to_have_count(1)
    context.close()

    page.reload()
    page.goto(f"{site}/family/")
    page.get_by_label("Role of Oma Grete").select_option("Viewer")
    expect(page.get_by_text("Oma Grete is now: Viewer.")).to_be_visible()


def test_link_is_copied_by_a_press(page, site, person):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{site}/family/")
    page.get_by_label("Name", exact=True).fill("Opa")
    page.get_by_role("button", name="Invite", exact=True).click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.get_by_label("Link").input_value()


def test_photos_are_arranged_by_keyboard(page, site, album):
    page.goto(f"{site}/albums/{album.pk}/arrange/")
    later = page.get_by_role("button", name="photo 0.jpg one place later")
    later.focus()
    with page.expect_response("**/arrange/"):
        page.keyboard.press("Enter")
    assert order(album) == "1023"
    expect(later).to_be_focused()
    with page.expect_response("**/arrange/"):
        page.keyboard.press("Enter")
    assert order(album) == "1203"
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("heading", name="Mallorca 2004")).to_be_visible()
    expect(page.get_by_label("Order")).to_have_value("hand")


def test_photos_are_arranged_by_dragging(page, site, album, photos):
    page.set_viewport_size(DESK)
    page.goto(f"{site}/albums/{album.pk}/arrange/")
    last, first = (page.locator(f"#photo-{photos[at].pk} img") for at in (3, 0))
    with page.expect_response("**/arrange/"):
        last.drag_to(first, target_position={"x": 5, "y": 20})
    assert order(album) == "3012"
    with page.expect_response("**/arrange/"):
        last.drag_to(
            page.locator(f"#photo-{photos[2].pk} img"),
            target_position={"x": 130, "y": 20},
        )
    assert order(album) == "0123"


def test_photos_are_arranged_without_scripts(live_server, browser, person, album):
    from tests.browser.conftest import PASSWORD as KNOWN

    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live_server.url}/login/")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(KNOWN)
    page.get_by_role("button", name="Log in").click()
    page.goto(f"{live_server.url}/albums/{album.pk}/arrange/")
    page.get_by_role("button", name="photo 3.jpg one place earlier").click()
    assert order(album) == "0132"
    page.get_by_role("button", name="photo 0.jpg one place later").click()
    assert order(album) == "1032"
    context.close()


@both_sizes
def test_guest_looks_at_a_shared_album(
    page, live_server, complaints, album, photos, size
):
    """Every request stays beneath the link, and nothing is complained about."""
    link = ShareLink(album=album, made_by=album.made_by, offers_copies=True)
    link.protect("sandcastle")
    link.save()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size(size)
    page.goto(f"{live_server.url}{link.get_absolute_url()}")
    page.get_by_label("Password").fill("sandcastle")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Mallorca 2004")).to_be_visible()
    no_sideways(page)
    page.get_by_role("link", name="photo 0.jpg").click()
    expect(page.locator(".pswp--ui-visible")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".pswp__counter")).to_have_text(f"2 / {len(photos)}")
    page.keyboard.press("i")
    facts = page.get_by_role("complementary", name="Facts")
    expect(facts.get_by_role("heading", name="photo 1.jpg")).to_be_visible()
    expect(facts.get_by_role("link", name="Download a copy")).to_be_visible()
    expect(page.get_by_role("button", name="Favourite")).to_have_count(0)
    no_sideways(page)
    page.reload()  # the photo's own page
    expect(page.get_by_role("heading", name="photo 1.jpg")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name="photo 0.jpg")).to_be_visible()
    no_sideways(page)
    page.wait_for_load_state("networkidle")
    loaded = page.locator("img").evaluate_all(
        "all => all.every(one => one.complete && one.naturalWidth > 0)"
    )
    assert loaded
    root = f"{live_server.url}{link.get_absolute_url()}"
    beyond = [
        url
        for url in asked
        if not url.startswith((root, f"{live_server.url}/static/", "data:"))
    ]
    assert beyond == []
    assert unanswered(complaints) == []


def test_album_is_made_of_a_folder_and_shared(page, site, photos):
    from tests.gallery.rows import sighting

    for one in photos[:2]:
        sighting(one, path=f"Fotos/Mallorca 2004/{one.name}")
    page.goto(f"{site}/albums/")
    page.get_by_role("link", name="New album from a folder").first.click()
    page.get_by_role("link", name="Blue WD 2009").click()
    page.get_by_role("link", name="Fotos").click()
    page.get_by_role("link", name="Mallorca 2004").click()
    expect(page.get_by_label("Title of the album")).to_have_value("Mallorca 2004")
    page.get_by_role("button", name="Make an album").click()
    expect(page.get_by_text("2 photos added")).to_be_visible()
    page.get_by_role("link", name="Share", exact=True).click()
    page.get_by_label("For whom").fill("Aunt Maria")
    page.get_by_role("button", name="Make a link").click()
    address = page.get_by_label("Link", exact=True).input_value()
    page.context.clear_cookies()
    page.goto(address)
    expect(page.get_by_role("heading", name="Mallorca 2004")).to_be_visible()


def axe(page) -> list[str]:
    page.wait_for_load_state("networkidle")
    return [
        f"{page.url}: {one['id']}: {node['html'][:200]}"
        for one in Axe().run(page).response["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.parametrize(
    ("size", "scheme"), [(PHONE, "light"), (DESK, "dark")], ids=["phone", "desk"]
)
def test_axe_finds_nothing_on_pages_without_a_login(
    page, live_server, album, photos, person, size, scheme
):
    links = [ShareLink(album=album, made_by=person) for _ in range(2)]
    links[1].protect("sandcastle")
    for link in links:
        link.save()
    _, token = Invitation.make(name="Oma", role=Role.VIEWER, by=person)
    guest = User.objects.create_user("guest")
    root, locked = (link.get_absolute_url() for link in links)
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = []
    for path in (
        root,
        f"{root}photo/{photos[0].pk}/",
        f"{root}photo/0/",
        locked,
        f"/invitation/{token}/",
        "/invitation/none/",
        family.password_path(guest, by=person),
        "/password/new/x/y/",
    ):
        page.goto(live_server.url + path)
        no_sideways(page)
        found += axe(page)
    assert found == []


def test_axe_finds_nothing_where_people_are_let_in(page, site, person):
    other = User.objects.create_user("otto")
    other.groups.clear()
    page.goto(f"{site}/family/")
    page.get_by_label("Name", exact=True).fill("Opa")
    page.get_by_role("button", name="Invite", exact=True).click()
    assert axe(page) == []


def test_chosen_photos_go_into_an_album_and_out_again(page, site, photos):
    page.goto(f"{site}/")
    for at in (0, 2):
        page.locator("#photo-tiles .check").nth(at).check(force=True)
    page.locator("#chosen").get_by_role("button", name="Album").click()
    expect(page.get_by_text("2 photos chosen.")).to_be_visible()
    page.get_by_label("A new album").fill("Mallorca 2004")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="Mallorca 2004")).to_be_visible()
    page.locator("#photo-tiles .check").first.check(force=True)
    page.locator("#chosen").get_by_role("button", name="Take out").click()
    expect(page.get_by_text("1 photo taken out")).to_be_visible()
    assert Album.objects.get().places.count() == 1
