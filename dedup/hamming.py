"""The compiled loop of the sieve. Importing this imports numba: do it late.

A hash is four 64-bit words by parity (dedup.perceptual): mirroring complements whole
words, so the distance of a word to its mirror is 64 less the distance, and one reading
of a pair answers for four turns. The population count below is the form compilers
recognise and turn into one vector instruction.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

CHUNK = 32  # pictures tested at once before looking closer
ABREAST = 4  # new pictures that share one reading of a chunk
_CACHED = 128  # chunks whose words stay in the processor's cache (128 KB)

_M1 = np.uint64(0x5555555555555555)
_M2 = np.uint64(0x3333333333333333)
_M4 = np.uint64(0x0F0F0F0F0F0F0F0F)
_H1 = np.uint64(0x0101010101010101)
_S1, _S2, _S4, _S56 = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(56)
_BITS = np.uint64(64)
_FAR = np.uint64(255)


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:
        # No folder for compiled code is writable: compile in every process.
        return numba.njit(nogil=True)(function)


@numba.njit(inline="always")
def _ones(x):  # type: ignore[no-untyped-def]
    x = x - ((x >> _S1) & _M1)
    x = (x & _M2) + ((x >> _S2) & _M2)
    x = (x + (x >> _S4)) & _M4
    return (x * _H1) >> _S56


@numba.njit(inline="always")
def _either(d):  # type: ignore[no-untyped-def]
    return min(d, _BITS - d)


@_compiled
def _test_closer(row, chunk):  # type: ignore[no-untyped-def]
    """Return a lower bound of the distances of a row [4] to a chunk [4, CHUNK]."""
    nearest = _FAR
    for k in range(CHUNK):
        d0 = _ones(chunk[0, k] ^ row[0])
        d1 = _either(_ones(chunk[1, k] ^ row[1]))
        d2 = _either(_ones(chunk[2, k] ^ row[2]))
        d3 = _either(_ones(chunk[3, k] ^ row[3]))
        nearest = min(nearest, d0 + d1 + d2 + d3)
    return nearest


@_compiled
def _nearest_mirror(row, chunk, k):  # type: ignore[no-untyped-def]
    """Return the distance and the mirroring (0 to 3) at which two hashes are nearest."""
    d0 = np.int64(_ones(chunk[0, k] ^ row[0]))
    d1 = np.int64(_ones(chunk[1, k] ^ row[1]))
    d2 = np.int64(_ones(chunk[2, k] ^ row[2]))
    d3 = np.int64(_ones(chunk[3, k] ^ row[3]))
    distance, turn = d0 + d1 + d2 + d3, 0
    if d0 + 64 - d1 + d2 + 64 - d3 < distance:
        distance, turn = d0 + 64 - d1 + d2 + 64 - d3, 1
    if d0 + 64 - d1 + 64 - d2 + d3 < distance:
        distance, turn = d0 + 64 - d1 + 64 - d2 + d3, 2
    if d0 + d1 + 64 - d2 + 64 - d3 < distance:
        distance, turn = d0 + d1 + 64 - d2 + 64 - d3, 3
    return distance, turn


@_compiled
def _collect(rows, new, chunks, c, flat_rows, flat_others, limits, after, found, count):  # type: ignore[no-untyped-def]
    """Write the pairs of row `new` with chunk `c` from position `count`; return the next."""
    for k in range(CHUNK):
        other = c * CHUNK + k
        if other >= len(flat_others) or (after >= 0 and other <= after + new):
            continue
        distance, turn = _nearest_mirror(rows[new], chunks[c], k)
        if distance <= limits[1 if flat_rows[new] or flat_others[other] else 0]:
            if count < found.shape[0]:
                found[count, 0], found[count, 1] = new, other
                found[count, 2], found[count, 3] = distance, turn
            count += 1
    return count


@_compiled
def _bounds(rows, i, chunk, near):  # type: ignore[no-untyped-def]
    """Write lower bounds of the distances of ABREAST rows from i to a chunk to `near`."""
    a0, a1, a2, a3 = rows[i, 0], rows[i + 1, 0], rows[i + 2, 0], rows[i + 3, 0]
    b0, b1, b2, b3 = rows[i, 1], rows[i + 1, 1], rows[i + 2, 1], rows[i + 3, 1]
    n0, n1, n2, n3 = _FAR, _FAR, _FAR, _FAR
    for k in range(CHUNK):
        # Two words of four are enough to turn nearly everything away.
        x, y = chunk[0, k], chunk[1, k]
        n0 = min(n0, _ones(x ^ a0) + _either(_ones(y ^ b0)))
        n1 = min(n1, _ones(x ^ a1) + _either(_ones(y ^ b1)))
        n2 = min(n2, _ones(x ^ a2) + _either(_ones(y ^ b2)))
        n3 = min(n3, _ones(x ^ a3) + _either(_ones(y ^ b3)))
    near[0], near[1], near[2], near[3] = n0, n1, n2, n3


@_compiled
def scan(rows, chunks, flat_rows, flat_others, limits, after, found):  # type: ignore[no-untyped-def]
    """Write every pair within its limit to `found` [room, 4]; return how many there are.

    `rows` [n, 4], n a multiple of ABREAST; `chunks` [c, 4, CHUNK]; `flat_rows` and
    `flat_others` (bool) give the true numbers of both; `limits` [2] for ordinary and
    for flat pictures; `after` >= 0 counts only others behind position after + row.
    A pair is new, other, distance, mirroring. What does not fit is counted, not kept.
    """
    count = 0
    radius = np.uint64(limits[0])
    near = np.empty(ABREAST, dtype=np.uint64)
    for base in range(0, chunks.shape[0], _CACHED):
        end = min(chunks.shape[0], base + _CACHED)
        for i in range(0, rows.shape[0], ABREAST):
            first = base
            if after >= 0:
                # When each pair counts once, whole chunks before the row are skipped.
                first = max(base, (after + i) // CHUNK)
            for c in range(first, end):
                _bounds(rows, i, chunks[c], near)
                for new in range(i, min(i + ABREAST, len(flat_rows))):
                    if near[new - i] > radius:
                        continue
                    if _test_closer(rows[new], chunks[c]) > radius:
                        continue
                    count = _collect(
                        rows,
                        new,
                        chunks,
                        c,
                        flat_rows,
                        flat_others,
                        limits,
                        after,
                        found,
                        count,
                    )
    return count
