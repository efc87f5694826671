"""The compiled loops of the sieve. Importing this imports numba: do it late.

A hash is four 64-bit words by parity (dedup.perceptual): mirroring complements whole
words, so the distance of a word to its mirror is 64 less the distance, and one reading
of a pair answers for four turns. The population count below is the form compilers
recognise and turn into one vector instruction.

The join is multi-index hashing (Norouzi, Punjani and Fleet, 2012) with the look-ups
turned into a merge: both sides lie sorted by the value of a band of 16 bits, and
buckets whose values differ in few bits are compared all with all.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

LANES = 8  # pictures compared at once: a chunk
ABREAST = 4  # pictures that share one reading of a chunk
WORDS_READ = 3  # words of a hash that lie in a chunk, to turn a pair away by
BANDS = 16
BAND_BITS = 16
BUCKETS = 1 << BAND_BITS
WHOLE = -1  # the band of no bits: everything in one bucket

# Which pairs count: all; those whose other comes later; each once, in either order.
ALL, LATER, ONCE = 0, 1, 2

# A found pair is one number: position, other position, distance.
POSITION_BITS = 27
DISTANCE_BITS = 8

# Up to this radius two words turn nearly everything away, above it takes three.
ENOUGH_FOR_TWO = 36

_M1 = np.uint64(0x5555555555555555)
_M2 = np.uint64(0x3333333333333333)
_M4 = np.uint64(0x0F0F0F0F0F0F0F0F)
_H1 = np.uint64(0x0101010101010101)
_S1, _S2, _S4, _S56 = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(56)
_BITS = np.uint64(64)
_FAR = np.uint64(1000)
_NONE, _ALL = np.uint64(0), np.uint64(0xFFFFFFFFFFFFFFFF)

# Rotating the rows of an 8 x 8 square of bits by their number, modulo 4.
_ODD_ROWS = np.uint64(0xFF00FF00FF00FF00)
_LATE_ROWS = np.uint64(0xFFFF0000FFFF0000)
_ONE_ON, _ONE_ROUND = np.uint64(0xFEFEFEFEFEFEFEFE), np.uint64(0x0101010101010101)
_TWO_ON, _TWO_ROUND = np.uint64(0xFCFCFCFCFCFCFCFC), np.uint64(0x0303030303030303)
_S3, _S6, _S7 = np.uint64(3), np.uint64(6), np.uint64(7)
_S12, _S24 = np.uint64(12), np.uint64(24)
_QUARTER = np.uint64(0x1111111111111111)
_G8 = np.uint64(0x0303030303030303)
_G16 = np.uint64(0x000F000F000F000F)
_G32 = np.uint64(0x000000FF000000FF)
_G64 = np.uint64(0xFFFF)
_HALF_BAND = np.int64(1 << (BAND_BITS - 1))
_BAND_END = np.int64(BUCKETS - 1)


def buckets_of(band: int) -> int:
    """Return how many buckets a band has."""
    if band == WHOLE:
        return 1
    return BUCKETS if band < 4 else BUCKETS // 2


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:
        # No folder for compiled code is writable: compile in every process.
        return numba.njit(nogil=True)(function)


# Within the join everything is inlined: a call counts references to the arrays it is
# given, which takes longer than a small bucket.
_inlined = numba.njit(inline="always")


@_inlined
def _ones(x):  # type: ignore[no-untyped-def]
    x = x - ((x >> _S1) & _M1)
    x = (x & _M2) + ((x >> _S2) & _M2)
    x = (x + (x >> _S4)) & _M4
    return (x * _H1) >> _S56


@_inlined
def _either(d, bits):  # type: ignore[no-untyped-def]
    return min(d, bits - d)


# Bands


@_inlined
def _diagonal(word):  # type: ignore[no-untyped-def]
    """Return a word with its bits in such order that every fourth belongs to one band.

    Band k of a word has the frequencies whose x and y add up to k modulo 4. Low
    frequencies are the ones photos have in common: they are dealt out evenly.
    """
    rows = word & _ODD_ROWS
    word = (word & ~_ODD_ROWS) | (
        (((rows << _S1) & _ONE_ON) | ((rows >> _S7) & _ONE_ROUND)) & _ODD_ROWS
    )
    rows = word & _LATE_ROWS
    return (word & ~_LATE_ROWS) | (
        (((rows << _S2) & _TWO_ON) | ((rows >> _S6) & _TWO_ROUND)) & _LATE_ROWS
    )


@_inlined
def band_value(word, band):  # type: ignore[no-untyped-def]
    """Return the 16 bits of a band of its word."""
    x = (_diagonal(word) >> np.uint64(band % 4)) & _QUARTER
    x = (x | (x >> _S3)) & _G8
    x = (x | (x >> _S6)) & _G16
    x = (x | (x >> _S12)) & _G32
    return np.int64((x | (x >> _S24)) & _G64)


@_inlined
def _bucket(word, band):  # type: ignore[no-untyped-def]
    """Return the bucket of a band's word, and what the word is complemented with for it.

    Words 1 to 3 come complemented when a picture is mirrored. The smaller of both
    values is the bucket, so that one look-up answers for four turns.
    """
    if band < 0:
        return np.int64(0), _NONE
    value = band_value(word, band)
    if band >= 4 and value >= _HALF_BAND:
        return _BAND_END - value, _ALL
    return value, _NONE


@_compiled
def count(hashes, band, values, starts):  # type: ignore[no-untyped-def]
    """Write to `starts` [buckets + 1] the chunk each bucket begins with; return chunks.

    And to `values` [n] the bucket of each.
    """
    for i in range(hashes.shape[0]):
        bucket, _ = _bucket(hashes[i, max(band, 0) // 4], band)
        values[i] = bucket
        starts[bucket + 1] += 1
    for bucket in range(starts.shape[0] - 1):
        starts[bucket + 1] = starts[bucket] + (starts[bucket + 1] + LANES - 1) // LANES
    return starts[-1]


@_compiled
def place(hashes, band, values, starts, order, chunks):  # type: ignore[no-untyped-def]
    """Write who stands where to `order` [c, LANES], -1 nobody, and words to `chunks`.

    Within a bucket the order is that of `hashes` [n, 4]. `chunks` [c, WORDS_READ,
    LANES]: the word of the band, as complemented for its bucket, then the first others.
    """
    ends = starts[:-1] * LANES
    places = order.reshape(-1)
    for i in range(hashes.shape[0]):
        places[ends[values[i]]] = i
        ends[values[i]] += 1
    word = max(band, 0) // 4
    second = 1 if word == 0 else 0
    third = 1 if word > 1 else 2
    for c in range(order.shape[0]):
        for k in range(LANES):
            # Nobody is a repetition of the first, so that it is no nearer to anyone.
            one = order[c, k] if order[c, k] >= 0 else order[c, 0]
            _, complement = _bucket(hashes[one, word], band)
            chunks[c, 0, k] = hashes[one, word] ^ complement
            chunks[c, 1, k] = hashes[one, second]
            chunks[c, 2, k] = hashes[one, third]


# Distances


@_compiled
def _nearest_mirror(row, other):  # type: ignore[no-untyped-def]
    """Return the distance and the mirroring (0 to 3) at which two hashes are nearest."""
    d0 = np.int64(_ones(row[0] ^ other[0]))
    d1 = np.int64(_ones(row[1] ^ other[1]))
    d2 = np.int64(_ones(row[2] ^ other[2]))
    d3 = np.int64(_ones(row[3] ^ other[3]))
    distance, turn = d0 + d1 + d2 + d3, 0
    if d0 + 64 - d1 + d2 + 64 - d3 < distance:
        distance, turn = d0 + 64 - d1 + d2 + 64 - d3, 1
    if d0 + 64 - d1 + 64 - d2 + d3 < distance:
        distance, turn = d0 + 64 - d1 + 64 - d2 + d3, 2
    if d0 + d1 + 64 - d2 + 64 - d3 < distance:
        distance, turn = d0 + d1 + 64 - d2 + 64 - d3, 3
    return distance, turn


@_compiled
def measure(rows, across, others, distances, turns):  # type: ignore[no-untyped-def]
    """Write the distance and the nearest turn of each row [n, 4] to its other [n, 4].

    `across` are the rows transposed. Of turns equally near it is the first.
    """
    for i in range(rows.shape[0]):
        distances[i], turns[i] = _nearest_mirror(rows[i], others[i])
        distance, turn = _nearest_mirror(across[i], others[i])
        if distance < distances[i]:
            distances[i], turns[i] = distance, turn + 4


@_compiled
def _is_first(row, other, band, reach):  # type: ignore[no-untyped-def]
    """Return whether no earlier band brings this pair together."""
    for earlier in range(band):
        word = earlier // 4
        apart = _diagonal(row[word] ^ other[word]) >> np.uint64(earlier % 4)
        distance = np.int64(_ones(apart & _QUARTER))
        if word:
            distance = min(distance, BAND_BITS - distance)
        if distance <= reach[earlier]:
            return False
    return True


# The join


@_inlined
def _next_of_two(ours, chunks, c, end, bits, radius):  # type: ignore[no-untyped-def]
    """Return the next chunk from c with a lane that two words do not turn away.

    `ours` [WORDS_READ, ABREAST]: words of the rows. `bits`: 64 where a mirroring may
    complement the second word, more where it never does.
    """
    a0, a1, a2, a3 = ours[0, 0], ours[0, 1], ours[0, 2], ours[0, 3]
    b0, b1, b2, b3 = ours[1, 0], ours[1, 1], ours[1, 2], ours[1, 3]
    while c < end:
        near = _FAR
        for k in range(LANES):
            x, y = chunks[c, 0, k], chunks[c, 1, k]
            n0 = _ones(x ^ a0) + _either(_ones(y ^ b0), bits)
            n1 = _ones(x ^ a1) + _either(_ones(y ^ b1), bits)
            n2 = _ones(x ^ a2) + _either(_ones(y ^ b2), bits)
            n3 = _ones(x ^ a3) + _either(_ones(y ^ b3), bits)
            near = min(near, min(min(n0, n1), min(n2, n3)))
        if near <= radius:
            return c
        c += 1
    return end


@_inlined
def _next_of_three(ours, chunks, c, end, bits, radius):  # type: ignore[no-untyped-def]
    """The same by three words, for a radius that two words often keep within."""
    a0, a1, a2, a3 = ours[0, 0], ours[0, 1], ours[0, 2], ours[0, 3]
    b0, b1, b2, b3 = ours[1, 0], ours[1, 1], ours[1, 2], ours[1, 3]
    e0, e1, e2, e3 = ours[2, 0], ours[2, 1], ours[2, 2], ours[2, 3]
    while c < end:
        near = _FAR
        for k in range(LANES):
            x, y, z = chunks[c, 0, k], chunks[c, 1, k], chunks[c, 2, k]
            n0 = _ones(x ^ a0) + _either(_ones(y ^ b0), bits)
            n1 = _ones(x ^ a1) + _either(_ones(y ^ b1), bits)
            n2 = _ones(x ^ a2) + _either(_ones(y ^ b2), bits)
            n3 = _ones(x ^ a3) + _either(_ones(y ^ b3), bits)
            n0 += _either(_ones(z ^ e0), _BITS)
            n1 += _either(_ones(z ^ e1), _BITS)
            n2 += _either(_ones(z ^ e2), _BITS)
            n3 += _either(_ones(z ^ e3), _BITS)
            near = min(near, min(min(n0, n1), min(n2, n3)))
        if near <= radius:
            return c
        c += 1
    return end


@_inlined
def _next(ours, chunks, c, end, rule):  # type: ignore[no-untyped-def]
    radius = np.uint64(rule[0])
    # The first word is never complemented: where it comes second, it counts in full.
    bits = _BITS if rule[1] < 4 else _FAR
    if rule[0] > ENOUGH_FOR_TWO:
        return _next_of_three(ours, chunks, c, end, bits, radius)
    return _next_of_two(ours, chunks, c, end, bits, radius)


@_compiled
def _in_order(one, two, order):  # type: ignore[no-untyped-def]
    """Return the pair as it counts, the second -1 where it does not."""
    if order == ALL or one < two:
        return one, two
    if order == ONCE and two < one:
        return two, one
    return one, np.int64(-1)


@_inlined
def _might(ours, r, chunk, k, radius):  # type: ignore[no-untyped-def]
    """Return whether the words at hand of a row and a lane leave them within reach."""
    near = _either(_ones(chunk[0, k] ^ ours[0, r]), _BITS)
    near += _either(_ones(chunk[1, k] ^ ours[1, r]), _BITS)
    return near + _either(_ones(chunk[2, k] ^ ours[2, r]), _BITS) <= np.uint64(radius)


@_compiled
def _close(rows, hand, others, chunk, whom, rule, reach, found, length):  # type: ignore[no-untyped-def]
    """Append the pairs within the radius of some rows and a chunk; return the length."""
    ours, who = hand
    for r in range(ABREAST):
        for k in range(LANES):
            i, j = who[r], whom[k]
            if i < 0 or j < 0 or (rule[2] == ONCE and i == j):
                continue
            if not _might(ours, r, chunk, k, rule[0]):
                continue
            row, other = rows[0][i], others[0][j]
            distance, _ = _nearest_mirror(row, other)
            if distance > rule[0] or not _is_first(row, other, rule[1], reach):
                continue
            one, two = _in_order(rows[1][i], others[1][j], rule[2])
            if two >= 0:
                pair = (one << POSITION_BITS) | two
                found[length] = (pair << DISTANCE_BITS) | distance
                length += 1
    return length


@_inlined
def _read(table, at, complement, ours, who):  # type: ignore[no-untyped-def]
    """Read ABREAST rows of a table from place `at` on."""
    c, first = at // LANES, at % LANES
    for k in range(ABREAST):
        who[k] = table[1][c, first + k]
        ours[0, k] = table[2][c, 0, first + k] ^ complement
        ours[1, k] = table[2][c, 1, first + k]
        ours[2, k] = table[2][c, 2, first + k]


@_inlined
def _meet(  # type: ignore[no-untyped-def]
    rows,
    mine,
    others,
    theirs,
    buckets,
    at,
    complement,
    rule,
    reach,
    found,
    length,
    hand,
):
    """Compare the rows of a bucket, from place `at` on, with those of another.

    Return the length of what was found, and the place to go on from when `found` is
    full, -1 when all is done.
    """
    ours, who = hand
    first, end = theirs[0][buckets[1]], theirs[0][buckets[1] + 1]
    stop = mine[0][buckets[0] + 1] * LANES
    itself = rule[3] and buckets[0] == buckets[1]
    for place in range(at, stop, ABREAST):
        if mine[1][place // LANES, place % LANES] < 0:
            continue
        _read(mine, place, complement, ours, who)
        if itself:
            first = place // LANES
        if len(found) - length < (end - first) * LANES * ABREAST:
            return length, place
        c = _next(ours, theirs[2], first, end, rule)
        while c < end:
            length = _close(
                rows, hand, others, theirs[2][c], theirs[1][c], rule, reach,
                found, length,
            )  # fmt: skip
            c = _next(ours, theirs[2], c + 1, end, rule)
    return length, -1


@_compiled
def join(rows, mine, others, theirs, steps, rule, reach, found, state):  # type: ignore[no-untyped-def]
    """Write the pairs that a band brings together to `found`; return how many.

    `rows`, `others`: hashes [n, 4] and positions [n] of the two sides. `mine`,
    `theirs`: their tables (`count`, `place`): starts, order, chunks. `steps`: what to
    flip in a bucket's number to come to the buckets to meet, and what to complement.
    `rule`: radius, band, which pairs count (ALL, LATER or ONCE), and whether the tables
    are one, so that half of the meetings are enough. ONCE is for sides that are one.
    `reach` [16]: how near a band has to be to bring a pair together, -1 never.

    `state` [3] is where to go on, at first zeros. When it comes back with a bucket
    behind the last, all is done; else `found` is full: empty it and call again.
    """
    hand = np.empty((WORDS_READ, ABREAST), np.uint64), np.empty(ABREAST, np.int64)
    length = 0
    buckets = mine[0].shape[0] - 1
    for bucket in range(state[0], buckets):
        if mine[0][bucket] == mine[0][bucket + 1]:
            continue
        for step in range(state[1], steps[0].shape[0]):
            near = bucket ^ steps[0][step]
            if theirs[0][near] == theirs[0][near + 1]:
                continue
            if rule[3] and near < bucket:
                continue
            at = max(state[2], mine[0][bucket] * LANES)
            length, at = _meet(
                rows, mine, others, theirs, (bucket, near), at, steps[1][step],
                rule, reach, found, length, hand,
            )  # fmt: skip
            state[0], state[1], state[2] = bucket, step, at
            if at >= 0:
                return length
        state[1], state[2] = 0, 0
    state[0] = buckets
    return length
