from pathlib import Path

import pytest
from PIL import Image, ImageEnhance

from gallery.generations import SAVED_FROM, lattice
from tests.pictures import scene


@pytest.fixture
def original(tmp_path) -> Path:
    path = tmp_path / "original.jpg"
    # Noise, as a sensor has it: what is drawn smooth leaves few frequencies.
    noise = Image.effect_noise((640, 480), 30).convert("RGB")
    Image.blend(scene(seed=3, size=(640, 480)), noise, 0.3).save(path, quality=80)
    return path


def saved(picture: Image.Image, path: Path, **options) -> Path:
    picture.save(path, **options)
    return path


def test_a_finer_file_saved_from_a_jpeg_is_known(original, tmp_path):
    with Image.open(original) as picture:
        again = saved(picture.convert("RGB"), tmp_path / "again.jpg", quality=96)
        png = saved(picture.convert("RGB"), tmp_path / "as.png")
    assert lattice(again, original) > SAVED_FROM
    assert lattice(png, original) > SAVED_FROM


def test_a_brighter_one_is_known_too(original, tmp_path):
    with Image.open(original) as picture:
        brighter = ImageEnhance.Brightness(picture.convert("RGB")).enhance(1.2)
    again = saved(brighter, tmp_path / "brighter.jpg", quality=95)
    assert lattice(again, original) > SAVED_FROM


def test_a_file_was_not_saved_from_its_coarser_copy(original, tmp_path):
    with Image.open(original) as picture:
        copy = saved(picture.convert("RGB"), tmp_path / "copy.jpg", quality=50)
    assert lattice(original, copy) < SAVED_FROM


def test_without_a_jpeg_nothing_can_be_told(original, tmp_path):
    with Image.open(original) as picture:
        png = saved(picture.convert("RGB"), tmp_path / "as.png")
    assert lattice(original, png) == 0
