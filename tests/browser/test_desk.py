"""The review desk in a real browser, by keyboard and by pointing."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from dedup.models import DuplicateSet
from gallery.models import Photo
from tests.browser.conftest import log_in
from tests.dedup import rows

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("vault"),
]

LIST = "/admin/dedup/duplicateset/"


@pytest.fixture
def sets() -> list[DuplicateSet]:
    """Two open sets; the first in the queue gains more."""
    first = rows.duplicate_set([rows.photo(seed=seed) for seed in range(3)])
    second = rows.duplicate_set([rows.photo(seed=seed) for seed in (7, 8)])
    return [first, second]


def test_a_set_is_decided_and_undone_by_keyboard(sets, page, site):
    first, second = sets
    page.goto(site + LIST)
    page.locator(".field-pictures a").first.press("Enter")
    expect(page.get_by_role("heading", name="3 copies of one picture")).to_be_visible()
    expect(page.get_by_text("1 of 2")).to_be_visible()

    page.keyboard.press("2")
    expect(page.get_by_text("2 kept, 1 to the trash")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 photo moved to the trash, 2 kept.")).to_be_visible()
    expect(page).to_have_url(f"{site}{LIST}{second.pk}/change/")
    assert DuplicateSet.objects.get(pk=first.pk).state == "resolved"
    assert Photo.objects.trashed().count() == 1

    page.keyboard.press("u")
    expect(page.get_by_text("Undone: all is as it was before.")).to_be_visible()
    assert DuplicateSet.objects.open().count() == 2
    assert not Photo.objects.trashed().exists()


def test_nothing_can_be_kept_by_no_key(sets, page, site):
    page.goto(f"{site}{LIST}{sets[1].pk}/change/")
    page.keyboard.press("1")
    expect(page.get_by_role("button", name="Carry out and next")).to_be_disabled()
    page.keyboard.press("Enter")
    expect(page.get_by_text("At least one photo has to be kept")).to_be_visible()
    assert DuplicateSet.objects.open().count() == 2


def test_arrows_walk_and_d_dismisses(sets, page, site):
    first, second = sets
    page.goto(f"{site}{LIST}{first.pk}/change/")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(f"{site}{LIST}{second.pk}/change/")
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(f"{site}{LIST}{first.pk}/change/")
    page.keyboard.press("d")
    expect(page.get_by_text("Not duplicates: every photo stays")).to_be_visible()
    assert DuplicateSet.objects.get(pk=first.pk).state == "dismissed"


def test_the_next_sets_pictures_are_there_before_the_key_is_up(sets, page, site):
    first, second = sets
    page.goto(f"{site}{LIST}{first.pk}/change/")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(f"{site}{LIST}{second.pk}/change/")
    page.wait_for_load_state("networkidle")
    sent = page.evaluate(
        "performance.getEntriesByType('resource')"
        ".filter((one) => one.name.includes('preview')).map((one) => one.transferSize)"
    )
    assert len(sent) >= 2
    assert not any(sent)


def test_the_desk_works_without_scripts(sets, browser, live_server, person):
    page = browser.new_context(java_script_enabled=False).new_page()
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}{LIST}{sets[1].pk}/change/")
    page.get_by_role("radio", name="Discard").first.check(force=True)
    page.get_by_role("radio", name="Keep").nth(1).check(force=True)
    page.get_by_role("button", name="Carry out and next").click()
    expect(page.get_by_text("1 photo moved to the trash, 1 kept.")).to_be_visible()
    assert Photo.objects.trashed().get().name == "photo 7.jpg"
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone: all is as it was before.")).to_be_visible()
    assert not Photo.objects.trashed().exists()


def test_copies_are_compared_by_keyboard(sets, page, site):
    page.goto(f"{site}{LIST}{sets[0].pk}/change/")
    page.keyboard.press("c")
    dialog = page.get_by_role("dialog", name="Compare large")
    expect(dialog).to_be_visible()
    caption = dialog.locator("[data-compare-caption]")
    expect(caption).to_have_text("1: photo 0.jpg")
    page.keyboard.press("Space")
    expect(caption).to_have_text("2: photo 1.jpg")
    page.keyboard.press("3")
    expect(caption).to_have_text("3: photo 2.jpg")
    page.keyboard.press("l")
    expect(dialog.get_by_role("slider")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("slider")).to_have_value("55")
    page.keyboard.press("x")
    pressed = dialog.get_by_role("button", name="Difference")
    expect(pressed).to_have_attribute("aria-pressed", "true")
    before = dialog.locator("img").first.evaluate("one => one.style.transform")
    page.keyboard.press("+")
    both = [
        dialog.locator("img").nth(at).evaluate("one => one.style.transform")
        for at in (0, 1)
    ]
    assert before not in both
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    assert DuplicateSet.objects.open().count() == 2


def test_the_keys_are_shown_and_s_says_similar_shots(sets, page, site):
    page.goto(f"{site}{LIST}{sets[0].pk}/change/")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    page.keyboard.press("d")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).not_to_be_visible()
    assert DuplicateSet.objects.open().count() == 2
    page.keyboard.press("s")
    expect(page.get_by_text("Not duplicates: every photo stays")).to_be_visible()


def test_what_moves_follows_the_choice(sets, page, site, person):
    sets[1].members.order_by("place").last().photo.star(by=person)
    page.goto(f"{site}{LIST}{sets[1].pk}/change/")
    expect(page.get_by_text("the stars of anna")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("2")
    expect(page.get_by_text("Nothing has to move")).to_be_visible()


def test_all_members_are_seen_near_at_the_same_spot(sets, page, site):
    page.goto(f"{site}{LIST}{sets[0].pk}/change/")
    images = page.locator(".desk-picture img")

    def transforms() -> list[str]:
        return images.evaluate_all("all => all.map(one => one.style.transform)")

    assert transforms() == ["", "", ""]
    page.keyboard.press("z")
    near = transforms()
    assert len(set(near)) == 1
    assert near[0].startswith("matrix(3,")
    page.keyboard.press("Shift+ArrowRight")
    moved = transforms()
    assert moved != near
    assert len(set(moved)) == 1
    page.keyboard.press("z")
    page.keyboard.press("z")
    assert transforms() == ["", "", ""]
    expect(page).to_have_url(f"{site}{LIST}{sets[0].pk}/change/")
