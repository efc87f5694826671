"""The system's Chromium, and a site to look at with it."""

from __future__ import annotations

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
PASSWORD = "a-password-for-tests"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Chromium as the system has it; without one the test is skipped, but in CI fails."""
    given = os.environ.get("CHROMIUM")
    program = given or next(filter(None, map(shutil.which, NAMES)), None)
    if not program:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("no Chromium on this machine: install it or set CHROMIUM")
    return {
        **browser_type_launch_args,
        "executable_path": program,
        "args": [
            *("--no-sandbox", "--disable-dev-shm-usage"),
            # A name as in a house's network, to which a browser grants less.
            "--host-resolver-rules=MAP photos.test 127.0.0.1",
        ],
    }


@pytest.fixture(scope="session")
def base_url() -> str:
    """Every test names the whole address; the plugin's own fixture is out of date."""
    return ""


@pytest.fixture
def person(django_user_model):
    """Somebody who may do everything."""
    return django_user_model.objects.create_superuser("anna", password=PASSWORD)


@pytest.fixture
def complaints(page) -> list[str]:
    """What the browser had to complain about: errors in scripts, blocked content."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "console",
        lambda line: found.append(line.text) if line.type == "error" else None,
    )
    return found


@pytest.fixture
def site(live_server, page, person, complaints):
    """The address of a running site that the page is logged in to."""
    log_in(page, live_server.url)
    yield live_server.url
    assert unanswered(complaints) == []


def unanswered(complaints: list[str]) -> list[str]:
    """Return the complaints, but for those of what htmx still asked for on leaving.

    Such a request gives two lines: that it was broken off, and that it is over. One that
    failed would say something else first.
    """
    left = list(complaints)
    for _ in range(sum("htmx:sendAbort" in line for line in complaints)):
        for name in ("htmx:sendAbort", "htmx:afterRequest"):
            line = next((one for one in left if name in one), None)
            if line is not None:
                left.remove(line)
    return left


def log_in(page, url: str) -> None:
    page.goto(f"{url}/login/")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Photos", exact=True).wait_for()
    # What is pressed before the scripts are there is not heard.
    page.wait_for_load_state("load")
