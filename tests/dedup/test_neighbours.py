import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.neighbours import FLAT_RADIUS, all_pairs, neighbours
from dedup.perceptual import all_turns


def hashes(count: int, *, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, (count, 4), dtype=np.uint64)


def with_bits_flipped(row: np.ndarray, count: int, *, seed: int) -> np.ndarray:
    row = row.copy()
    for bit in np.random.default_rng(seed).choice(256, count, replace=False):
        row[bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
    return row


def by_hand(new: np.ndarray, everything: np.ndarray, radius: int) -> dict:
    """Nearest turn of every near pair, the slow way."""
    found = {}
    for turn, rows in enumerate(all_turns(new).transpose(1, 0, 2)):
        distances = np.bitwise_count(rows[:, None] ^ everything[None]).sum(-1)
        for i, j in zip(*np.nonzero(distances <= radius), strict=True):
            pair, distance = (int(i), int(j)), int(distances[i, j])
            if distance < found.get(pair, (999,))[0]:
                found[pair] = (distance, turn)
    return found


def family(seed: int) -> np.ndarray:
    """40 unlike hashes, and a turned and damaged copy of each."""
    rows = hashes(40, seed=seed)
    copies = [
        with_bits_flipped(all_turns(row[None])[0, i % 8], 2 * i, seed=i)
        for i, row in enumerate(rows)
    ]
    return np.concatenate([rows, copies])


@given(seed=st.integers(0, 2**32), radius=st.integers(0, 90))
@settings(deadline=None, max_examples=25)
def test_the_sieve_finds_exactly_what_comparing_all_finds(seed, radius):
    everything = family(seed)
    new = everything[35:50]
    found = {(i, j): rest for i, j, *rest in neighbours(new, everything, radius=radius)}
    expected = by_hand(new, everything, radius)
    assert {pair: tuple(rest) for pair, rest in found.items()} == expected


def test_many_new_pictures_are_compared_with_the_first_of_all():
    everything = np.concatenate([hashes(1, seed=9), hashes(200, seed=8)])
    new = np.concatenate([hashes(150, seed=7), everything[:1]])
    assert (150, 0) in [(i, j) for i, j, *_ in neighbours(new, everything)]


def test_all_pairs_names_each_pair_once():
    everything = family(3)
    expected = {
        pair for pair in by_hand(everything, everything, 48) if pair[0] < pair[1]
    }
    assert [(i, j) for i, j, *_ in all_pairs(everything)] == sorted(expected)


def test_threads_and_blocks_change_nothing():
    everything = np.concatenate([hashes(9000, seed=1), family(2)])
    alone = list(all_pairs(everything, radius=70))
    assert len(alone) > 20
    assert list(all_pairs(everything, radius=70, threads=2)) == alone


def test_flat_pictures_need_a_strict_distance():
    row = hashes(1, seed=4)[0]
    near = with_bits_flipped(row, FLAT_RADIUS, seed=1)
    far = with_bits_flipped(row, FLAT_RADIUS + 1, seed=2)
    flat = np.array([True, False, False])
    found = all_pairs(np.stack([row, near, far]), flat=flat)
    assert (0, 1) in [(i, j) for i, j, *_ in found]
    assert (0, 2) not in [(i, j) for i, j, *_ in found]


def test_nothing_has_no_neighbours():
    nothing = np.empty((0, 4), dtype=np.uint64)
    assert len(all_pairs(nothing)) == 0
    assert len(neighbours(nothing, hashes(5, seed=1))) == 0
    assert len(neighbours(hashes(5, seed=1), nothing)) == 0
