import numpy as np

from dedup.nearest import mutual


def apart(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.unpackbits(one ^ other).sum())


def test_descriptors_that_choose_one_another_are_paired():
    chance = np.random.default_rng(3)
    left = chance.integers(0, 256, (50, 32), dtype=np.uint8)
    order = chance.permutation(50)
    right = left[order] ^ (np.arange(32) == 5).astype(np.uint8)
    assert sorted(map(tuple, mutual(left, right, ratio=0.8))) == sorted(
        (int(row), place) for place, row in enumerate(order)
    )


def test_pairs_are_those_of_comparing_all_with_all():
    chance = np.random.default_rng(4)
    left, right = chance.integers(0, 256, (2, 40, 32), dtype=np.uint8) & 3
    table = np.array([[apart(one, other) for other in right] for one in left])
    expected = []
    for row, distances in enumerate(table):
        first, second = np.sort(distances)[:2]
        place = int(distances.argmin())
        if first < 0.95 * second and table[:, place].argmin() == row:
            expected.append((row, place))
    assert expected
    assert list(map(tuple, mutual(left, right, ratio=0.95))) == expected


def test_what_looks_like_two_things_is_paired_with_neither():
    one = np.zeros((1, 32), np.uint8)
    assert len(mutual(one, np.vstack([one, one]), ratio=0.8)) == 0
    assert len(mutual(one, np.empty((0, 32), np.uint8), ratio=0.8)) == 0
