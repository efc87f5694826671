"""The compiled loop of the second road. Importing this imports numba: do it late.

A row is one spot of one picture: its 64 bits, and packed beside them the picture and
the spot's place. Spots meet when the bits of one of the keys are equal and few of the
rest differ; pictures are kindred when several of their spots met and agree on one
movement.
"""

import numba
import numpy as np

from dedup.hamming import _compiled, _ones

CERTAIN = 24  # votes are not counted further
MEETINGS = 1 << 16  # of one other picture with all new ones, at most

_LOW = np.uint64(0xFFFFFFFF)
_BYTE = np.uint64(255)
_S8, _S16, _S24, _S32 = np.uint64(8), np.uint64(16), np.uint64(24), np.uint64(32)
_TURN = np.float32(2 * np.pi / 256)


@numba.njit(inline="always")
def _x(place):  # type: ignore[no-untyped-def]
    return np.float32(np.int64(place & _BYTE))


@numba.njit(inline="always")
def _y(place):  # type: ignore[no-untyped-def]
    return np.float32(np.int64((place >> _S8) & _BYTE))


@numba.njit(inline="always")
def _scale(place):  # type: ignore[no-untyped-def]
    return np.int64((place >> _S16) & _BYTE)


@numba.njit(inline="always")
def _angle(place):  # type: ignore[no-untyped-def]
    return np.int64((place >> _S24) & _BYTE)


@_compiled
def bucket_starts(hashes, shift, starts):  # type: ignore[no-untyped-def]
    """Write where each bucket of sorted hashes [n] begins to [buckets + 1] int32."""
    starts[:] = 0
    for i in range(len(hashes)):
        starts[np.int64(hashes[i] >> np.uint64(shift)) + 1] += 1
    for i in range(1, len(starts)):
        starts[i] += starts[i - 1]


@_compiled
def _look_up(rows, starts, shift, keys, spread, bits, odd, codes, ranges):  # type: ignore[no-untyped-def]
    """Write the codes of one picture's spots, and the rows to look at for each.

    In loops of their own, without a decision in them: the processor then waits for
    many places in memory at once, and not for one after the other.
    """
    asked = 0
    for spot in range(len(bits)):
        for t in range(len(keys)):
            for hand in range(2):
                code = bits[spot] ^ odd if hand else bits[spot]
                bucket = np.int64(((code & keys[t]) * spread) >> np.uint64(shift))
                codes[asked] = code
                ranges[asked, 0] = starts[t, bucket]
                ranges[asked, 1] = starts[t, bucket + 1]
                asked += 1
    touched = np.uint64(0)
    last = rows.shape[1] - 1
    for one in range(asked):
        t = (one >> 1) % len(keys)
        touched ^= rows[t, min(np.int64(ranges[one, 0]), last), 0]
    return touched


@_compiled
def _meet(rows, begin, end, key, code, limits, last, hits, count, spot, hand):  # type: ignore[no-untyped-def]
    """Write the rows that meet one spot's code behind `count`; return the next."""
    before, limit = count, np.uint64(limits[0])
    for r in range(begin, end):
        differ = rows[r, 0] ^ code
        if differ & key or _ones(differ) > limit:
            continue
        picture = np.int64(rows[r, 1] >> _S32)
        if picture >= last:
            continue
        if count - before >= limits[1] or count >= hits.shape[0]:
            # What so many pictures share says nothing about two of them.
            return before
        hits[count, 0] = picture * 2 + hand
        hits[count, 1] = spot
        hits[count, 2] = np.int64(rows[r, 1] & _LOW)
        count += 1
    return count


@_compiled
def _agree(one, other, first, second, hand, bend):  # type: ignore[no-untyped-def]
    """Return whether two meetings tell of the same movement.

    `one`, `first`: place of a spot in the new and in the other picture; `other`,
    `second`: those of another spot.
    """
    growth = _scale(first) - _scale(one)
    if abs(_scale(second) - _scale(other) - growth) > bend[0]:
        return False
    sign = 1 if hand == 0 else -1
    turn = _angle(first) - sign * _angle(one)
    off = (_angle(second) - sign * _angle(other) - turn) & 255
    if min(off, 256 - off) > bend[1]:
        return False
    dx, dy = _x(other) - _x(one), sign * (_y(other) - _y(one))
    ex, ey = _x(second) - _x(first), _y(second) - _y(first)
    apart = min(dx * dx + dy * dy, ex * ex + ey * ey)
    if apart < bend[4] * bend[4]:
        return False
    times = np.float32(2.0) ** (np.float32(growth) / np.float32(32))
    c, s = np.cos(turn * _TURN) * times, np.sin(turn * _TURN) * times
    mx, my = c * dx - s * dy - ex, s * dx + c * dy - ey
    room = bend[2] + bend[3] * np.sqrt(ex * ex + ey * ey)
    return mx * mx + my * my <= room * room


@_compiled
def _votes(group, places, hand, bend):  # type: ignore[no-untyped-def]
    """Return the largest number of meetings [n, 3] that agree with one of them."""
    best = 1
    for a in range(len(group)):
        one, first = np.uint64(group[a, 2]), places[group[a, 1]]
        votes, last = 1, group[a, 1]
        for b in range(len(group)):
            if group[b, 1] == last or group[b, 1] == group[a, 1]:
                continue
            if _agree(
                one, np.uint64(group[b, 2]), first, places[group[b, 1]], hand, bend
            ):
                votes += 1
                last = group[b, 1]
                if votes >= CERTAIN:
                    return votes
        best = max(best, votes)
    return best


@_compiled
def _in_company(hits, count, seen, enough):  # type: ignore[no-untyped-def]
    """Return the positions of meetings with pictures met often enough, by picture."""
    # Most meetings are lonely: those are passed over before anything is sorted.
    for h in range(count):
        seen[hits[h, 0]] += 1
    kept = 0
    for h in range(count):
        if seen[hits[h, 0]] >= enough:
            kept += 1
    positions = np.empty(kept, dtype=np.int64)
    whose = np.empty(kept, dtype=np.int64)
    kept = 0
    for h in range(count):
        if seen[hits[h, 0]] >= enough:
            positions[kept], whose[kept] = h, hits[h, 0]
            kept += 1
    for h in range(count):
        seen[hits[h, 0]] = 0
    return positions[np.argsort(whose, kind="mergesort")]


@_compiled
def _weigh(hits, count, places, seen, other, enough, bend, found, total):  # type: ignore[no-untyped-def]
    """Write the pairs of one other picture behind `total`; return the next."""
    group = hits[_in_company(hits, count, seen, enough)]
    begin = 0
    while begin < len(group):
        end = begin
        while end < len(group) and group[end, 0] == group[begin, 0]:
            end += 1
        new, hand = group[begin, 0] // 2, group[begin, 0] % 2
        votes = _votes(group[begin:end], places, hand, bend)
        if votes >= enough:
            if total < found.shape[0]:
                found[total, 0], found[total, 1] = new, other
                found[total, 2], found[total, 3] = votes, hand
            total += 1
        begin = end
    return total


@_compiled
def join(  # type: ignore[no-untyped-def]
    rows,
    starts,
    shift,
    keys,
    spread,
    pictures,
    bits,
    places,
    begins,
    odd,
    first,
    limits,
    bend,
    found,
):
    """Write every kindred pair to `found` [room, 4]; return how many there are.

    `rows` [keys, n, 2] uint64: bits, and picture and place, of the new spots, for each
    key sorted by its hash (the bits of the key times `spread`); `starts` [keys,
    buckets + 1] where the first rows of a bucket are, a bucket being the hash without
    its lowest `shift` bits; `pictures` how many new pictures there are.
    `bits`, `places` [m] uint64: the other spots; `begins` [others + 1] where those of
    each picture begin. `odd`: the bits a mirroring complements. `first`: the other
    position at which new picture 0 passes by. `limits`: bits that may differ, crowd,
    votes asked for. `bend`: see `dedup.local_neighbours.BEND`. A pair is new, other,
    votes, mirrored (0 or 1). What does not fit is counted, not kept.
    """
    total, touched = 0, np.uint64(0)
    if rows.shape[1] == 0:
        return total, touched
    codes = np.empty(0, dtype=np.uint64)
    ranges = np.empty((0, 2), dtype=np.int32)
    hits = np.empty((MEETINGS, 3), dtype=np.int64)
    seen = np.zeros(2 * pictures, dtype=np.int32)
    for other in range(len(begins) - 1):
        count = 0
        own = begins[other]
        # Of new pictures that pass by themselves only the earlier ones are met.
        last = pictures if other < first else min(pictures, other - first)
        here = bits[own : begins[other + 1]]
        if 2 * len(keys) * len(here) > len(codes):
            codes = np.empty(2 * len(keys) * len(here), dtype=np.uint64)
            ranges = np.empty((len(codes), 2), dtype=np.int32)
        touched ^= _look_up(rows, starts, shift, keys, spread, here, odd, codes, ranges)
        for one in range(2 * len(keys) * len(here)):
            begin, end = ranges[one]
            if begin == end:
                continue
            t, spot = (one >> 1) % len(keys), one // (2 * len(keys))
            count = _meet(
                rows[t],
                begin,
                end,
                keys[t],
                codes[one],
                limits,
                last,
                hits,
                count,
                spot,
                one & 1,
            )
        there = places[own : begins[other + 1]]
        total = _weigh(hits, count, there, seen, other, limits[2], bend, found, total)
    # Named so that the compiler does not leave out the touching.
    return total, touched
