import numpy as np
import pytest
from PIL import Image, ImageOps

from dedup.perceptual import all_turns, fingerprint, turned, words
from tests.pictures import scene


def distance(left: bytes, right: bytes) -> int:
    return int(np.bitwise_count(words(left) ^ words(right)).sum())


def test_a_smaller_copy_keeps_its_hash():
    picture = scene(seed=3)
    small = fingerprint(picture.resize((160, 120)))
    assert distance(fingerprint(picture).bits, small.bits) <= 8


def test_an_equalised_copy_keeps_its_hash():
    for seed in (3, 7):
        picture = scene(seed=seed)
        even = ImageOps.equalize(picture.convert("L"))
        assert distance(fingerprint(picture).bits, fingerprint(even).bits) <= 16


def test_unlike_pictures_have_far_hashes():
    left, right = fingerprint(scene(seed=1)), fingerprint(scene(seed=2))
    assert distance(left.bits, right.bits) > 80


@pytest.mark.parametrize("turn", range(8))
def test_the_hash_of_a_turned_picture_follows_from_the_upright_one(turn):
    picture = scene(seed=5, size=(512, 512))
    predicted = all_turns(words(fingerprint(picture).bits))[0, turn]
    copy = Image.fromarray(np.ascontiguousarray(turned(np.asarray(picture), turn)))
    measured = words(fingerprint(copy).bits)[0]
    assert int(np.bitwise_count(predicted ^ measured).sum()) <= 2


@pytest.mark.parametrize("turn", range(8))
def test_turns_are_numbered_like_exif_orientations(turn):
    picture = scene(seed=5, size=(60, 40))
    picture.getexif()[0x0112] = turn + 1
    expected = np.asarray(ImageOps.exif_transpose(picture))
    assert np.array_equal(turned(np.asarray(picture), turn), expected)


def test_a_blank_wall_is_flat_and_a_scene_is_not():
    assert fingerprint(Image.new("RGB", (512, 384), "grey")).is_flat
    assert not fingerprint(scene(seed=7)).is_flat


def test_every_mode_of_picture_has_a_hash():
    for mode in ("L", "RGB", "P", "RGBA", "CMYK"):
        assert len(fingerprint(scene(seed=2).convert(mode)).bits) == 32
