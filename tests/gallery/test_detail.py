import numpy as np
import pytest
from PIL import Image

from gallery.detail import TRUE_DETAIL, beyond, beyond_edge
from tests.pictures import scene


def grey(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L"))


@pytest.fixture(scope="module")
def true() -> Image.Image:
    noise = np.random.default_rng(1).normal(0, 12, (750, 1000, 3))
    drawn = np.asarray(scene(seed=3, size=(1000, 750))) + noise
    return Image.fromarray(drawn.clip(0, 255).astype(np.uint8))


def test_a_true_picture_shows_more_than_a_smaller_one(true):
    assert beyond_edge(grey(true), 500) > TRUE_DETAIL


@pytest.mark.parametrize("factor", [1.5, 2, 3])
def test_an_enlarged_picture_shows_no_more(true, factor):
    size = round(1000 * factor), round(750 * factor)
    assert beyond_edge(grey(true.resize(size)), 1000) < TRUE_DETAIL


def test_the_same_is_said_of_a_file(true, tmp_path):
    true.resize((2000, 1500)).save(tmp_path / "large.jpg", quality=92)
    assert beyond(tmp_path / "large.jpg", 1000) < TRUE_DETAIL


def test_a_blank_picture_is_not_called_enlarged():
    assert beyond_edge(np.full((600, 800), 128, np.uint8), 400) >= TRUE_DETAIL
