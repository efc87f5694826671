import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from dedup.traces import Traces, traces
from tests.pictures import scene

PICTURE = scene(seed=3, size=(512, 384))
SAME = np.eye(3)


def between(left: Image.Image, right: Image.Image, matrix=SAME) -> Traces:
    return traces(*(np.asarray(one.convert("RGB")) for one in (left, right)), matrix)


def moved(x: float, y: float) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def saved(picture: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


@pytest.mark.parametrize("quality", [40, 60, 95])
def test_compression_leaves_no_mark_and_hardly_shifts_colours(quality):
    found = between(PICTURE, saved(PICTURE, quality))
    assert found.mark < 0.0003
    assert found.shift < 2.5


def test_a_pale_watermark_is_a_mark():
    layer = Image.new("L", PICTURE.size, 0)
    ImageDraw.Draw(layer).text((80, 180), "(c) studio", fill=90, font_size=40)
    white = Image.new("RGB", PICTURE.size, "white")
    stamped = Image.composite(white, PICTURE, layer)
    assert between(PICTURE, saved(stamped, 80)).mark > 0.0003


def test_brighter_all_over_is_a_shift_and_no_mark():
    found = between(PICTURE, ImageEnhance.Brightness(PICTURE).enhance(1.2))
    assert found.shift > 2.5
    assert found.mark < 0.0003


def test_a_crop_goes_on_beyond_its_edge_and_a_border_does_not():
    crop = PICTURE.crop((60, 40, 470, 350))
    goes_on = between(PICTURE, crop, moved(-60, -40))
    assert goes_on.seam is not None and goes_on.seam < 2.2
    assert goes_on.left_shown == pytest.approx(410 * 310 / (512 * 384), abs=0.01)
    assert goes_on.right_shown == pytest.approx(1, abs=0.01)
    black = between(crop, ImageOps.expand(crop, 50, "black"), moved(50, 50))
    assert black.seam is not None and black.seam > 2.2


def test_a_blurred_background_is_a_frame():
    back = PICTURE.resize((600, 600)).filter(ImageFilter.GaussianBlur(20))
    back.paste(PICTURE, (44, 108))
    found = between(PICTURE, back, moved(44, 108))
    assert found.seam is not None and found.seam > 2.2


def test_a_picture_seen_aslant_has_unequal_sides():
    aslant = np.array([[1, 0, 0], [0, 1, 0], [1e-4, 0, 1.0]])
    assert between(PICTURE, PICTURE, aslant).keystone > 1.03
    assert between(PICTURE, PICTURE, moved(3, 3)).keystone == pytest.approx(1)
