"""How copies are laid over the keeper, from the stored alignment."""

import numpy as np
import pytest

from dedup import alignment
from dedup.overlaying import EDGE_ON_EDGE, onto_keeper
from tests import pictures


def laid(keeper, copy, *, keeper_is_left: bool) -> np.ndarray:
    pair = (keeper, copy) if keeper_is_left else (copy, keeper)
    features = [alignment.features(np.asarray(one.convert("RGB"))) for one in pair]
    found = alignment.compare(*features, turn=None, mirrored=None)
    from dataclasses import asdict

    return np.array(onto_keeper(asdict(found), keeper_is_left=keeper_is_left)).reshape(
        3, 3
    )


def moved(matrix: np.ndarray, x: float, y: float) -> tuple[float, float]:
    there = matrix @ (x, y, 1)
    return tuple(there[:2] / there[2])


@pytest.mark.parametrize("keeper_is_left", [True, False])
def test_a_crop_lies_where_it_was_cut_out(keeper_is_left):
    keeper = pictures.scene(seed=3, size=(500, 400))
    copy = keeper.crop((100, 80, 450, 360)).resize((280, 224))
    matrix = laid(keeper, copy, keeper_is_left=keeper_is_left)
    assert moved(matrix, 0, 0) == pytest.approx((0.2, 0.2), abs=0.01)
    assert moved(matrix, 1, 1) == pytest.approx((0.9, 0.9), abs=0.01)


@pytest.mark.parametrize("keeper_is_left", [True, False])
def test_a_turned_copy_is_turned_back(keeper_is_left):
    keeper = pictures.scene(seed=3, size=(500, 400))
    copy = keeper.rotate(-90, expand=True)
    matrix = laid(keeper, copy, keeper_is_left=keeper_is_left)
    # Its upper left corner is the keeper's lower left one.
    assert moved(matrix, 0, 0) == pytest.approx((0, 1), abs=0.01)


@pytest.mark.parametrize(
    "numbers",
    [
        None,
        {},
        {"method": "none"},
        {"method": "frame", "left_size": [0, 0], "right_size": [5, 5]},
        {
            "method": "features",
            "left_size": [5, 5],
            "right_size": [5, 5],
            "matrix": [0] * 9,
        },
    ],
)
@pytest.mark.parametrize("keeper_is_left", [True, False])
def test_what_was_not_measured_lies_edge_on_edge(numbers, keeper_is_left):
    assert onto_keeper(numbers, keeper_is_left=keeper_is_left) == EDGE_ON_EDGE
