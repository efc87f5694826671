import numpy as np
import pytest
from PIL import Image

from dedup.local_features import ODD, SPOT, SPOTS, local_features
from tests.pictures import brightened, mirrored, recompressed, scene


def spots(image: Image.Image) -> np.ndarray:
    return np.frombuffer(local_features(image), dtype=SPOT)


def thumbnail(*, seed: int = 3) -> Image.Image:
    return scene(seed=seed, size=(512, 384))


def known_again(one: np.ndarray, two: np.ndarray, *, complement: int = 0) -> float:
    """Share of the spots of one that have nearly the same bits somewhere in two."""
    differing = np.bitwise_count(
        (one["bits"] ^ np.uint64(complement))[:, None] ^ two["bits"]
    )
    return float((differing.min(axis=1) <= 6).mean())


def test_a_picture_takes_at_most_a_kilobyte_and_a_half():
    stored = local_features(thumbnail())
    assert len(stored) % SPOT.itemsize == 0
    assert 40 * SPOT.itemsize < len(stored) <= SPOTS * SPOT.itemsize <= 1536


def test_the_same_picture_always_gives_the_same_bytes():
    first = local_features(thumbnail())
    local_features(scene(seed=4, size=(300, 500)))
    assert local_features(thumbnail()) == first


@pytest.mark.parametrize(
    "alter", [recompressed, brightened, lambda image: image.resize((400, 300))]
)
def test_most_spots_of_a_copy_are_known_again(alter):
    assert known_again(spots(thumbnail()), spots(alter(thumbnail()))) > 0.5


def test_a_mirrored_picture_has_the_bits_of_odd_frequency_complemented():
    one, two = spots(thumbnail()), spots(mirrored(thumbnail()))
    assert known_again(one, two, complement=int(ODD)) > 0.8
    assert known_again(one, two) < 0.2


def test_another_picture_has_other_spots():
    assert known_again(spots(thumbnail(seed=1)), spots(thumbnail(seed=2))) < 0.05


def test_spots_lie_all_over_the_picture():
    places = spots(thumbnail())["place"]
    x, y = places & 255, places >> 8 & 255
    parts = {(int(a) // 64, int(b) // 64) for a, b in zip(x, y, strict=True)}
    assert len(parts) == 12


@pytest.mark.parametrize("size", [(512, 384), (1, 1), (512, 3), (3, 512)])
def test_where_nothing_is_to_be_seen_nothing_is_stored(size):
    assert local_features(Image.new("RGB", size, "navy")) == b""


def test_a_faint_picture_has_spots_too():
    faint = thumbnail().point(lambda level: round(120 + level / 8))
    assert len(spots(faint)) > SPOTS / 2
