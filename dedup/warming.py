"""Compile the loops of the search once, so that no search has to wait for them.

What is compiled is kept beside the modules (`dedup.compiled`), for every later process.
"""

import numpy as np

from dedup.local_features import SPOT
from dedup.local_neighbours import kindred
from dedup.neighbours import Way, neighbours

_FEW = 40


def warm() -> None:
    """Run every compiled loop over next to nothing; some 15 s the first time, then 1 s."""
    from dedup.nearest import mutual

    chance = np.random.default_rng(1)
    hashes = chance.integers(0, 2**63, (_FEW, 4), dtype=np.uint64)
    ways: tuple[Way, ...] = ("sieve", "all with all")
    for way in ways:
        neighbours(hashes, hashes, way=way)
    spots = np.zeros(_FEW, SPOT)
    spots["bits"] = chance.integers(0, 2**63, _FEW, dtype=np.uint64)
    spots["place"] = chance.integers(0, 2**32, _FEW, dtype=np.uint64)
    some = spots.tobytes()
    list(kindred([some, some], [[some, some]]))
    descriptors = chance.integers(0, 256, (_FEW, 32), dtype=np.uint8)
    mutual(descriptors, descriptors, ratio=0.8)


if __name__ == "__main__":
    warm()
