"""A batch decided in a real browser, by keyboard only."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from dedup import tasks
from gallery.models import Photo
from tests.dedup.test_runs import placed

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("vault"),
]


def press_on(page, role: str, name: str, key: str = "Enter") -> None:
    """Walk to something with the Tab key, as one does without a mouse, and press."""
    wanted = page.get_by_role(role, name=name)
    for _ in range(80):
        if wanted.evaluate("one => one === document.activeElement"):
            page.keyboard.press(key)
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} cannot be reached by keyboard")


@pytest.fixture
def sets(vault) -> None:
    placed(3)


@pytest.mark.usefixtures("sets")
def test_a_batch_is_looked_at_carried_out_and_undone(page, site):
    page.goto(site + "/admin/dedup/duplicateset/batches/")
    press_on(page, "link", "WhatsApp Images against DCIM")
    expect(page.get_by_text("Nobody has looked at a sample")).to_be_visible()
    first = page.get_by_role("radio", name="Right").first
    first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Not the same picture").first).to_be_checked()
    press_on(page, "button", "I have looked at these")
    expect(page.get_by_text("1 wrong of 3 drawn at random")).to_be_visible()
    press_on(page, "button", "Carry out all: 2 sets")
    expect(page.get_by_text("0 of 2")).to_be_visible()
    tasks.carry_out_batches([])
    expect(page.get_by_text("2 of 2")).to_be_visible()
    assert Photo.objects.trashed().count() == 2
    press_on(page, "button", "Undo all of it")
    expect(page.get_by_role("heading", name="Being undone")).to_be_visible()
    tasks.carry_out_batches([])
    expect(page.get_by_role("heading", name="Undone")).to_be_visible()
    assert not Photo.objects.trashed().exists()
