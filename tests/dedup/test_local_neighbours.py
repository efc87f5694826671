import numpy as np
import pytest
from PIL import Image

from dedup.local_features import local_features
from dedup.local_join import CERTAIN
from dedup.local_neighbours import all_kindred, kindred
from tests.pictures import cropped, framed, mirrored, recompressed, resized, scene

SIZE = (800, 600)


def stored(image: Image.Image) -> bytes:
    thumbnail = image.convert("RGB")
    thumbnail.thumbnail((512, 512))
    return local_features(thumbnail)


def screenshot(image: Image.Image) -> Image.Image:
    screen = Image.new("RGB", (1080, 2160), (18, 18, 20))
    shown = image.resize((1080, 810))
    screen.paste(shown, (0, 640))
    return screen


def library() -> list[bytes]:
    return [stored(scene(seed=seed, size=SIZE)) for seed in range(12)]


def pairs(found) -> set[tuple[int, int]]:
    return {(new, other) for one in found for new, other, *_ in one}


@pytest.mark.parametrize(
    "alter",
    [
        lambda image: cropped(image, share=0.6),
        framed,
        screenshot,
        lambda image: image.rotate(5, expand=True),
        lambda image: recompressed(resized(image, factor=0.4), quality=20),
        lambda image: cropped(image, share=0.8).transpose(Image.Transpose.ROTATE_90),
    ],
    ids=["cropped", "framed", "screenshot", "straightened", "small", "turned crop"],
)
def test_a_copy_meets_its_picture_and_no_other(alter):
    copy = stored(alter(scene(seed=5, size=SIZE)))
    (found,) = kindred([copy], [library()])
    assert [(new, other, hand) for new, other, _, hand in found] == [(0, 5, False)]


def test_a_mirrored_crop_is_known_and_called_mirrored():
    copy = stored(mirrored(cropped(scene(seed=7, size=SIZE), share=0.7)))
    (found,) = kindred([copy], [library()])
    assert [(new, other, hand) for new, other, _, hand in found] == [(0, 7, True)]


def family() -> list[bytes]:
    """Twelve pictures, then a crop of every second one, then one of nothing."""
    crops = [
        stored(cropped(scene(seed=seed, size=SIZE), share=0.7))
        for seed in range(0, 12, 2)
    ]
    return [*library(), *crops, b""]


EXPECTED = {(seed, 12 + seed // 2) for seed in range(0, 12, 2)}


def test_all_pairs_names_each_pair_once():
    found = list(all_kindred(family()))
    assert pairs(found) == EXPECTED
    assert sum(map(len, found)) == len(EXPECTED)


def test_how_the_blocks_are_cut_and_threads_change_nothing():
    everything = family()
    assert pairs(all_kindred(everything, rows=5, threads=2)) == EXPECTED
    blocks = [everything[:1], everything[1:1], everything[1:14], everything[14:]]
    whole = [row for one in kindred(everything[:6], [everything]) for row in one]
    cut = [row for one in kindred(everything[:6], blocks, threads=2) for row in one]
    assert sorted(cut) == sorted(whole)


def test_new_pictures_among_all_are_paired_once_and_not_with_themselves():
    everything = family()
    blocks = [everything[:9], everything[9:]]
    found = kindred(everything[10:], blocks, first=10)
    # Of the crops (12 to 17) only that of picture 10 has its picture among the new.
    with_earlier = {(crop - 10, seed) for seed, crop in EXPECTED if seed < 10}
    assert pairs(found) == with_earlier | {(0, 17)}


def test_a_crowd_of_copies_is_returned_whole():
    picture = stored(scene(seed=1, size=SIZE))
    (found,) = kindred([picture] * 200, [[picture] * 20])
    assert len(found) == 4000


def test_nothing_has_no_kin():
    picture = stored(scene(seed=1, size=SIZE))
    assert list(kindred([picture], [])) == []
    assert [len(one) for one in kindred([], [[picture]])] == [0]
    assert [len(one) for one in kindred([b""], [[picture], []])] == [0, 0]
    assert list(all_kindred([])) == []


def test_positions_are_whole_numbers_and_the_hand_a_truth_value():
    picture = stored(scene(seed=1, size=SIZE))
    (found,) = kindred([picture], [[picture]])
    assert found.new.dtype == found.other.dtype == found.votes.dtype == np.int64
    assert found.mirrored.dtype == np.bool_
    assert found.votes[0] == CERTAIN
