"""The best candidates of each photo."""

import numpy as np

from dedup import candidates


def some(*found: tuple[int, int, int, int]) -> np.ndarray:
    columns = np.array(found, dtype=np.int64).reshape(-1, 4).T
    return candidates.candidates(*columns)


def test_of_each_photo_the_best_stay():
    found = some((1, 5, 30, 0), (2, 5, 9, 0), (1, 6, 10, 3), (1, 7, 20, 0))
    kept = candidates.best(found, most=2)
    assert kept.tolist() == [(1, 6, 10, 3), (1, 7, 20, 0), (2, 5, 9, 0)]


def test_equals_are_told_apart_by_their_id():
    found = some((1, 9, 5, 0), (1, 7, 5, 0), (1, 8, 5, 0))
    assert candidates.best(found, most=1).tolist() == [(1, 7, 5, 0)]


def test_a_photo_is_never_its_own_candidate():
    assert len(some((1, 1, 0, 0), (1, 2, 0, 0))) == 1


def test_who_has_more_than_are_kept_is_crowded():
    found = some((1, 5, 30, 0), (1, 6, 10, 0), (2, 5, 9, 0))
    assert candidates.crowded(found, most=1) == [1]
    assert candidates.crowded(found, most=2) == []


def test_nothing_found_is_nothing_kept():
    assert len(candidates.best(candidates.none(), most=3)) == 0
    assert candidates.crowded(candidates.none(), most=3) == []


def test_what_is_stored_is_read_again():
    found = some((1, 5, 30, 7), (2, 5, 9, 0))
    again = candidates.read(candidates.stored(found))
    assert again.tolist() == found.tolist()


def test_a_pair_has_the_smaller_id_left():
    found = some((5, 1, 30, 7), (1, 6, 4, 2))
    assert list(candidates.pairs(found)) == [(1, 5, 30, 7, True), (1, 6, 4, 2, False)]
