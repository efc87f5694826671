import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.neighbours import FLAT_RADIUS, all_pairs, in_steps, neighbours
from dedup.perceptual import all_turns

WAYS = st.sampled_from(["sieve", "all with all"])


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


def allowed(pairs: dict, flat_new: np.ndarray, flat: np.ndarray) -> dict:
    """Without the pairs of flat pictures that are not near enough."""
    return {
        (i, j): rest
        for (i, j), rest in pairs.items()
        if rest[0] <= FLAT_RADIUS or not (flat_new[i] or flat[j])
    }


@given(seed=st.integers(0, 2**32), radius=st.integers(0, 66), way=WAYS)
@settings(deadline=None, max_examples=20)
def test_the_sieve_finds_exactly_what_comparing_all_finds(seed, radius, way):
    everything = family(seed)
    new = everything[35:50]
    flat = np.random.default_rng(seed).random(len(everything)) < 0.2
    near = neighbours(
        new,
        everything,
        radius=radius,
        flat_new=flat[35:50],
        flat_everything=flat,
        way=way,
    )
    expected = allowed(by_hand(new, everything, radius), flat[35:50], flat)
    assert {(i, j): tuple(rest) for i, j, *rest in near} == expected


@given(
    seed=st.integers(0, 2**32),
    radius=st.integers(0, 66),
    way=WAYS,
    count=st.integers(0, 80),
)
@settings(deadline=None, max_examples=20)
def test_all_pairs_are_each_found_once(seed, radius, way, count):
    chance = np.random.default_rng(seed)
    # Some of them twice: equal hashes go a way of their own.
    everything = family(seed)[chance.integers(0, 80, count)]
    flat = chance.random(count) < 0.2
    found = list(all_pairs(everything, radius=radius, flat=flat, way=way))
    every = allowed(by_hand(everything, everything, radius), flat, flat)
    expected = {pair: rest for pair, rest in every.items() if pair[0] < pair[1]}
    assert {(i, j): tuple(rest) for i, j, *rest in found} == expected
    assert [pair for *pair, _, _ in found] == sorted(list(pair) for pair in expected)


def test_both_ways_agree_on_many():
    everything = np.concatenate([hashes(9000, seed=1), family(2), family(2)])
    everything = everything[np.random.default_rng(3).permutation(len(everything))]
    sieved = list(all_pairs(everything, radius=40, way="sieve"))
    assert len(sieved) > 100
    assert sieved == list(all_pairs(everything, radius=40, way="all with all"))


def test_a_search_in_blocks_gives_the_same(monkeypatch):
    everything = np.concatenate([hashes(50, seed=1), family(2), family(2)])
    flat = np.arange(len(everything)) % 5 == 0
    whole = list(all_pairs(everything, flat=flat))
    monkeypatch.setattr("dedup.neighbours._BLOCK", 16)
    for way in ("sieve", "all with all"):
        assert list(all_pairs(everything, flat=flat, way=way)) == whole


def test_a_crowd_keeps_the_nearest_and_hangs_together():
    row = hashes(1, seed=4)[0]
    crowd = np.stack([row] * 500)
    copies = [with_bits_flipped(row, 5, seed=i) for i in range(20)]
    everything = np.concatenate([crowd, copies, hashes(100, seed=5)])
    found = list(all_pairs(everything, crowd=10))
    assert len(found) <= 10 * 520
    # The first of equal ones are near to all: round them the crowd is one.
    assert {(0, j) for j in range(1, 520)} <= {(i, j) for i, j, *_ in found}
    assert found == list(all_pairs(everything, crowd=10, way="sieve"))


def kept_in_crowds(pairs: list, most: int) -> list:
    """Those pairs that are among the nearest of either picture, the slow way."""
    nearest: dict = {}
    for i, j, distance, _ in pairs:
        nearest.setdefault(i, []).append((distance, j))
        nearest.setdefault(j, []).append((distance, i))
    kept = {
        one: {other for _, other in sorted(all_)[:most]}
        for one, all_ in nearest.items()
    }
    return [
        pair for pair in pairs if pair[1] in kept[pair[0]] or pair[0] in kept[pair[1]]
    ]


@given(seed=st.integers(0, 2**32), most=st.integers(1, 12), way=WAYS)
@settings(deadline=None, max_examples=15)
def test_crowds_lose_only_pairs_that_are_not_the_nearest_of_either(seed, most, way):
    chance = np.random.default_rng(seed)
    rows = hashes(3, seed=seed)
    copies = [
        with_bits_flipped(rows[i % 3], int(chance.integers(0, 6)), seed=i // 2)
        for i in range(60)
    ]
    everything = np.stack(copies)
    every = list(all_pairs(everything, radius=20, crowd=1000))
    found = list(all_pairs(everything, radius=20, crowd=most, way=way))
    assert found == kept_in_crowds(every, most)


def test_a_new_picture_in_a_crowd_keeps_the_nearest():
    everything = family(6)
    new = np.concatenate([everything[:3], everything[:3]])
    every = list(neighbours(new, everything, radius=110))
    found = list(neighbours(new, everything, radius=110, crowd=4))
    expected = []
    for one in range(6):
        mine = sorted((p for p in every if p[0] == one), key=lambda p: (p[2], p[1]))
        expected += sorted(mine[:4])
    assert found == expected


def test_a_search_in_steps_can_be_left_and_gives_the_same():
    everything = family(7)
    new = everything[20:70]
    flat = np.arange(50) % 7 == 0
    whole = list(neighbours(new, everything, flat_new=flat))
    steps = list(in_steps(new, everything, step=16, flat_new=flat))
    assert [pair for _, near in steps for pair in near] == whole
    assert [part.indices(50)[:2] for part, _ in steps] == [
        (0, 16),
        (16, 32),
        (32, 48),
        (48, 50),
    ]


def test_many_new_pictures_are_compared_with_the_first_of_all():
    everything = np.concatenate([hashes(1, seed=9), hashes(200, seed=8)])
    new = np.concatenate([hashes(150, seed=7), everything[:1]])
    assert (150, 0) in [(i, j) for i, j, *_ in neighbours(new, everything)]


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
