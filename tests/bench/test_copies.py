"""The copies the bench makes are what their names say."""

import io
import random

import pytest
from PIL import Image, ImageOps

from bench.copies import KINDS, Original, marks, tones
from bench.copies.drawing import scene, then
from bench.copies.saving import segments
from bench.copies.wild import WILD
from dedup.relation import Name

BY_NAME = {kind.name: kind for kind in KINDS}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A photo of a camera, taken upright: its EXIF says to turn it."""
    path = tmp_path_factory.mktemp("original") / "photo.jpg"
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Canon", 6
    picture = scene((360, 240), random.Random(1))
    picture.save(path, quality=90, exif=exif)
    return Original.read(path, edge=2000)


def opened(saved):
    return Image.open(io.BytesIO(saved[0]))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_makes_a_file_with_right_answers(kind, original):
    saved = kind.write(original, random.Random(3))
    if saved is None:
        assert kind.name == "turned by EXIF"  # this one is turned by EXIF already
        return
    opened(saved).verify()
    assert kind.answers(original) <= {*Name, "keeper"}


@pytest.mark.parametrize("kind", WILD, ids=lambda kind: kind.name)
def test_kinds_that_nobody_promised_are_counted_apart(kind, original):
    data, ending = kind.write(original, random.Random(3))
    assert len(data) > 500
    assert ending[0] == "."
    assert kind.extra
    assert kind.answers(original) <= {*Name}


def test_names_of_kinds_are_all_different():
    names = {kind.name for kind in (*KINDS, *WILD)}
    assert len(names) == len(KINDS) + len(WILD)


def test_an_original_is_shown_upright(original):
    assert original.picture.size == (240, 360)


def test_stripping_loses_the_turn_and_leaves_the_pixels(original):
    kind = BY_NAME["metadata stripped"]
    copy = opened(kind.write(original, random.Random(3)))
    assert not copy.getexif()
    assert copy.size == (360, 240)
    assert "turned" in kind.answers(original)
    coded = dict(segments(original.data))[0xDA]
    assert coded == dict(segments(copy.fp.getvalue()))[0xDA]


def test_other_metadata_leave_what_is_shown(original):
    copy = opened(BY_NAME["metadata changed"].write(original, random.Random(3)))
    assert copy.getexif()[0x010F] == "Canon"
    assert copy.getexif()[0x0131] == "Photo Organiser 3"
    assert ImageOps.exif_transpose(copy).tobytes() == original.picture.tobytes()


def test_turned_pixels_are_turned_back_by_their_tag(original):
    saved = BY_NAME["turned and tagged"].write(original, random.Random(3))
    assert opened(saved).getexif()[0x0112] in (3, 6, 8)
    shown = ImageOps.exif_transpose(opened(saved))
    assert shown.size == original.picture.size
    places = [(40, 40), (200, 300)]
    for place in places:
        ours, theirs = shown.getpixel(place), original.picture.getpixel(place)
        assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) < 50


def test_the_same_chance_makes_the_same_copy(original):
    kind = BY_NAME["crop, tone"]
    assert kind.write(original, random.Random(9)) == kind.write(
        original, random.Random(9)
    )


def test_a_grey_copy_can_be_stamped_in_colour(original):
    stamped = then(tones.grey, marks.emoji)(original.picture, random.Random(1))
    assert len(set(stamped.getextrema())) > 1
