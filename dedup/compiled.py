"""What compiled loops share. Importing this imports numba: do it late."""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

_M1 = np.uint64(0x5555555555555555)
_M2 = np.uint64(0x3333333333333333)
_M4 = np.uint64(0x0F0F0F0F0F0F0F0F)
_H1 = np.uint64(0x0101010101010101)
_S1, _S2, _S4, _S56 = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(56)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:
        # No folder for compiled code is writable: compile in every process.
        return numba.njit(nogil=True)(function)


@numba.njit(inline="always")
def ones(x):  # type: ignore[no-untyped-def]
    """Return how many bits of a uint64 are set, in the form compilers recognise."""
    x = x - ((x >> _S1) & _M1)
    x = (x & _M2) + ((x >> _S2) & _M2)
    x = (x + (x >> _S4)) & _M4
    return (x * _H1) >> _S56
