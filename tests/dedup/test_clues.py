"""What files say of themselves."""

from dataclasses import replace
from datetime import datetime

import pytest

from dedup.clues import Clues, clues, may_be_one
from dedup.naming import stem
from dedup.relation import Facts

CAMERA = Facts(
    digest="a",
    file_size=1,
    width=4,
    height=3,
    format="JPEG",
    camera_make="Canon",
    camera_model="EOS 5D",
    taken_at=datetime(2014, 7, 1, 12, 0, 5, 250_000),
    taken_from="exif_original",
)


@pytest.mark.parametrize(
    "name",
    [
        "IMG_1234.HEIC",
        "img_1234 (1).jpg",
        "IMG_1234-edited.jpg",
        "IMG_1234_small.jpg",
        "IMG_1234-300x200.png",
        "IMG_1234~2.jpg",
        "IMG_1234 - Kopie (2).jpg",
        "Kopie von IMG_1234.jpg",
        "IMG_E1234.JPG",
        "thumb_IMG_1234.jpg",
    ],
)
def test_additions_to_a_name_are_taken_off(name):
    assert stem(name) == "img_1234"


@pytest.mark.parametrize("name", ["image.jpg", "1.jpg", "photo (3).png", "(1).jpg", ""])
def test_a_name_that_thousands_have_says_nothing(name):
    assert stem(name) == ""


def test_a_word_of_its_own_is_no_addition():
    assert stem("Sommer in Schweden.jpg") == "sommer in schweden"
    assert stem("summeredit.jpg") == "summeredit"


def test_copies_that_kept_their_data_share_the_moment():
    edited = replace(CAMERA, digest="b", taken_at=datetime(2014, 7, 1, 12, 0, 5))
    assert clues(CAMERA, "").moment == clues(edited, "").moment
    later = replace(CAMERA, taken_at=datetime(2014, 7, 1, 12, 0, 6))
    assert clues(CAMERA, "").moment != clues(later, "").moment
    other = replace(CAMERA, camera_model="EOS 6D")
    assert clues(CAMERA, "").moment != clues(other, "").moment


def test_without_the_cameras_own_time_there_is_no_moment():
    assert clues(replace(CAMERA, taken_from="file_name"), "").moment is None
    bare = replace(CAMERA, camera_make="", camera_model="")
    assert clues(bare, "").moment is None


def test_keys_fit_a_signed_column():
    said = clues(CAMERA, "IMG_1234.jpg")
    assert all(-(2**63) <= key < 2**63 for key in (said.moment, said.stem))


def test_two_moments_are_two_shots():
    assert may_be_one(Clues(1, 5), Clues(None, 5))
    assert may_be_one(Clues(1, 5), Clues(1, 5))
    assert not may_be_one(Clues(1, 5), Clues(2, 5))
