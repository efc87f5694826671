from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from gallery import decoding
from gallery.descent import TOLD, UNTOLD, Descent, descent
from tests.pictures import scene


@pytest.fixture
def original(tmp_path) -> Path:
    path = tmp_path / "original.jpg"
    # Noise, as a sensor has it: what is drawn smooth leaves few frequencies.
    noise = Image.effect_noise((400, 304), 30).convert("RGB")
    picture = Image.blend(scene(seed=3, size=(400, 304)), noise, 0.3)
    picture.filter(ImageFilter.GaussianBlur(0.7)).save(path, quality=80)
    return path


def opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def saved(picture: Image.Image, path: Path, **options) -> Path:
    picture.save(path, **options)
    return path


def assert_made(copy: Path, original: Path, *, turn: int = 0, back: int = 0) -> None:
    """Assert that both ways of asking say so."""
    assert descent(original, copy, turn=turn).odds >= TOLD
    assert descent(copy, original, turn=back).odds <= -TOLD


@pytest.mark.parametrize("quality", [40, 70, 85, 92, 98])
def test_a_copy_saved_again_is_known_at_any_quality(original, tmp_path, quality):
    again = saved(opened(original), tmp_path / "again.jpg", quality=quality)
    assert_made(again, original)


def test_a_lossless_copy_of_a_jpeg_is_known(original, tmp_path):
    assert_made(saved(opened(original), tmp_path / "as.png"), original)


@pytest.mark.parametrize("quality", [60, 95])
def test_other_tones_do_not_hide_it(original, tmp_path, quality):
    brighter = ImageEnhance.Brightness(opened(original)).enhance(1.15)
    again = saved(brighter, tmp_path / "brighter.jpg", quality=quality)
    assert_made(again, original)


def test_a_curve_does_not_hide_it(original, tmp_path):
    curve = [round(255 * (level / 255) ** 0.75) for level in range(256)] * 3
    lighter = opened(original).point(curve)
    assert_made(saved(lighter, tmp_path / "lighter.jpg", quality=94), original)


def test_what_was_put_on_a_copy_does_not_hide_it(original, tmp_path):
    stamped = opened(original)
    stamped.paste((255, 140, 0), (250, 240, 390, 290))
    assert_made(saved(stamped, tmp_path / "stamped.jpg", quality=93), original)


@pytest.mark.parametrize("method", list(Image.Transpose))
def test_a_turned_copy_is_known_in_its_own_frame(original, tmp_path, method):
    turns = {
        Image.Transpose.FLIP_LEFT_RIGHT: (1, 1),
        Image.Transpose.ROTATE_180: (2, 2),
        Image.Transpose.FLIP_TOP_BOTTOM: (3, 3),
        Image.Transpose.TRANSPOSE: (4, 4),
        Image.Transpose.ROTATE_270: (5, 7),
        Image.Transpose.TRANSVERSE: (6, 6),
        Image.Transpose.ROTATE_90: (7, 5),
    }
    turned = opened(original).transpose(method)
    turn, back = turns[method]
    copy = saved(turned, tmp_path / "turned.jpg", quality=94)
    assert_made(copy, original, turn=turn, back=back)


def test_a_copy_turned_by_its_exif_is_laid_upright(original, tmp_path):
    exif = Image.Exif()
    exif[decoding.ORIENTATION] = 6
    lying = opened(original).transpose(Image.Transpose.ROTATE_90)
    copy = saved(lying, tmp_path / "lying.jpg", quality=60, exif=exif)
    assert_made(copy, original)


def test_grain_is_a_later_thing(original, tmp_path):
    grain = np.random.default_rng(1).normal(0, 12, (304, 400, 3))
    grainy = np.clip(np.asarray(opened(original)) + grain, 0, 255).astype(np.uint8)
    copy = saved(Image.fromarray(grainy), tmp_path / "grainy.jpg", quality=95)
    assert_made(copy, original)
    assert descent(original, copy, turn=0).because == "grain"


def test_an_enlarged_copy_is_known_however_it_was_sharpened(original, tmp_path):
    large = opened(original).resize((800, 608), Image.Resampling.BICUBIC)
    sharp = large.filter(ImageFilter.UnsharpMask(2, 100, 2))
    for number, picture in enumerate((large, sharp)):
        copy = saved(picture, tmp_path / f"{number}.jpg", quality=95)
        assert_made(copy, original)
        assert descent(original, copy, turn=0).because == "enlarged"


def test_a_reduced_copy_is_not_what_the_other_was_enlarged_from(original, tmp_path):
    small = opened(original).resize((200, 152), Image.Resampling.LANCZOS)
    copy = saved(small, tmp_path / "small.jpg", quality=90)
    assert descent(original, copy, turn=0).because != "enlarged"
    assert descent(copy, original, turn=0).odds <= 0


def test_the_same_pixels_tell_nothing(original):
    assert descent(original, original, turn=0) == UNTOLD


def test_without_a_jpeg_nothing_is_told(original, tmp_path):
    one = saved(opened(original), tmp_path / "one.png")
    assert descent(one, one, turn=0) == UNTOLD


@pytest.mark.parametrize("size", [(1, 1), (40, 30), (80, 2000)])
def test_small_and_flat_pictures_tell_nothing(tmp_path, size):
    one = saved(Image.new("RGB", size, "grey"), tmp_path / "one.jpg", quality=80)
    two = saved(Image.new("RGB", size, "white"), tmp_path / "two.jpg", quality=50)
    assert descent(one, two, turn=0) == UNTOLD


def test_an_answer_can_be_written_down(original, tmp_path):
    again = saved(opened(original), tmp_path / "again.jpg", quality=60)
    answer = descent(original, again, turn=0)
    assert Descent(**answer.to_json()) == answer


def test_what_is_no_picture_is_said(original, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff")
    with pytest.raises(decoding.Unreadable):
        descent(original, broken, turn=0)
