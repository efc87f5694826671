"""Fixtures every test may use."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_photos() -> Path:
    """The folder of real photos; without it the test is skipped, but in CI it fails."""
    given = os.environ.get("IMAGEVAULT_TEST_PHOTOS")
    folder = Path(given) if given else ROOT.parent / "shared" / "photos"
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{folder} is missing: set IMAGEVAULT_TEST_PHOTOS")
        pytest.skip(f"no real photos at {folder}")
    return folder
