"""The drawn pictures other tests lean on."""

import io
from datetime import datetime

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageStat

from tests import pictures


def difference(left: Image.Image, right: Image.Image) -> float:
    return sum(ImageStat.Stat(ImageChops.difference(left, right)).mean) / 3


def test_each_seed_is_another_scene():
    assert difference(pictures.scene(seed=1), pictures.scene(seed=2)) > 20


def test_a_scene_is_the_same_at_another_size():
    large = pictures.scene(seed=5, size=(1280, 960)).resize(pictures.SIZE)
    assert difference(large, pictures.scene(seed=5)) < 5


@pytest.mark.parametrize("seed", range(5))
def test_a_scene_is_textured_everywhere(seed):
    grey = np.asarray(pictures.scene(seed=seed).convert("L"), float)
    blocks = grey.reshape(12, 40, 16, 40).std(axis=(1, 3))
    assert np.mean(blocks > 3) > 0.8


def test_exif_survives_in_a_jpeg():
    block = pictures.exif(taken=datetime(2004, 7, 12, 9, 30), position=(41.5, -2.25))
    image = Image.open(io.BytesIO(pictures.jpeg(pictures.scene(), exif=block)))
    assert image.getexif().get_ifd(0x8769)[0x9003] == "2004:07:12 09:30:00"
    assert image.getexif().get_ifd(0x8825)[3] == "W"


def test_a_resized_copy_is_the_same_scene():
    scene = pictures.scene()
    small = pictures.resized(scene, factor=0.5)
    assert small.size == (320, 240)
    assert difference(small, scene.resize(small.size)) < 3
