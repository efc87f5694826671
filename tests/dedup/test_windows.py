import numpy as np
import pytest

from dedup.windows import window


def blocks(*, rows: int = 12, columns: int = 16) -> tuple[np.ndarray, np.ndarray]:
    agree = np.ones((rows, columns), bool)
    return agree, np.zeros_like(agree)


def spoilt(part: tuple[slice, slice]) -> tuple[np.ndarray, np.ndarray]:
    agree, differ = blocks()
    agree[part], differ[part] = False, True
    return agree, differ


def test_a_bar_below_leaves_what_is_above():
    assert window(*spoilt(np.s_[9:, :])) == (slice(0, 9), slice(0, 16))


def test_a_tile_is_what_agrees_in_a_corner():
    agree, differ = blocks()
    differ[:], agree[:] = True, False
    agree[4:, 6:], differ[4:, 6:] = True, False
    assert window(agree, differ) == (slice(4, 12), slice(6, 16))


@pytest.mark.parametrize(
    "part", [np.s_[4:8, 5:9], np.s_[2:6, 0:3], np.s_[::5, ::5], np.s_[6:, 9:]]
)
def test_where_the_scene_goes_on_beside_it_there_is_no_window(part):
    assert window(*spoilt(part)) is None


def test_too_small_a_part_is_no_window():
    agree, differ = blocks()
    differ[:], agree[:] = True, False
    agree[:3, :5], differ[:3, :5] = True, False
    assert window(agree, differ) is None


def test_blocks_that_cannot_be_compared_say_nothing():
    agree, differ = blocks()
    agree[8:], differ[10:, 4:9] = False, True
    rows, columns = window(agree, differ)
    assert rows.start == 0
    assert rows.stop >= 8
    assert columns == slice(0, 16)
    assert window(np.zeros((3, 4), bool), np.zeros((3, 4), bool)) is None
