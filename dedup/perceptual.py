"""What a picture looks like, in 256 bits that survive re-saving, scaling and recolouring.

Pillow, numpy and imagehash only: no Django here. imagehash objects never leave this
module.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

# Raise this when any line below would change a stored fingerprint.
RECIPE = 2

EDGE = 64  # pixels of the square grey picture everything is computed from
FREQUENCIES = 16  # lowest cosine frequencies kept along each side
WORDS = 4  # 64-bit words of a hash

# How much the ranks of the pixels count beside their levels. Ranks are what equalising and
# other curves leave; levels are what little noise moves in flat places.
RANKS = 0.7

# Below this quality a picture is so flat that unlike pictures share a hash.
FLAT_BELOW = 25

TURNS = 8

# A mirrored picture has the same cosine coefficients, those of odd frequency negated.
# With the bits sorted into words by parity (even x even y, odd x even y, even x odd y,
# odd x odd y), mirroring complements whole words. Order of the rows: as it is, left
# and right swapped, turned by 180 degrees, top and bottom swapped.
MIRROR_MASKS = np.array(
    [[0, 0, 0, 0], [0, 1, 0, 1], [0, 1, 1, 0], [0, 0, 1, 1]], dtype=np.uint64
) * np.uint64(0xFFFFFFFFFFFFFFFF)


@dataclass(frozen=True, slots=True)
class PerceptualHashes:
    """The perceptual hashes of one thumbnail.

    `bits`: 32 bytes, four little-endian 64-bit words, the 256-bit hash of the upright
    picture; the hashes of its eight turns follow from it (`all_turns`).
    `phash`: imagehash's 64-bit phash as a signed integer, a second, independent witness
    in a form other programs use.
    `quality`: 0 (one colour) to 100 (full of detail).
    """

    bits: bytes
    phash: int
    quality: int

    @property
    def is_flat(self) -> bool:
        return self.quality < FLAT_BELOW


def fingerprint(thumbnail: Image.Image) -> PerceptualHashes:
    """Return the hashes of an upright thumbnail of any size and mode.

    The 256 bits are the signs of the 16 x 16 lowest cosine coefficients of a 64 x 64
    grey picture, of its levels and their ranks: the idea of PDQ (Facebook, 2019) and of
    pHash (Zauner, 2010), with zero in place of the median, so that turning and mirroring
    are exact operations on the bits and one hash answers for all eight.
    """
    grey = thumbnail.convert("L")
    small = np.asarray(
        grey.resize((EDGE, EDGE), Image.Resampling.BOX), dtype=np.float32
    )
    mixed = (1 - RANKS) * _evened(small) + RANKS * _evened(_ranks(small))
    return PerceptualHashes(
        bits=_sign_words(_cosines() @ mixed @ _cosines().T).astype("<u8").tobytes(),
        phash=_phash64(grey),
        quality=_quality(small),
    )


def words(bits: bytes) -> np.ndarray:
    """Return stored bits (n x 32 bytes, joined) as an array [n, 4] of uint64."""
    return np.frombuffer(bits, dtype="<u8").reshape(-1, WORDS).astype(np.uint64)


def transposed(hashes: np.ndarray) -> np.ndarray:
    """Return the hashes [n, 4] of the pictures mirrored at their main diagonal."""
    swapped = np.ascontiguousarray(hashes[:, [0, 2, 1, 3]]).astype("<u8")
    bits = np.unpackbits(swapped.view(np.uint8), bitorder="little")
    squares = bits.reshape(-1, WORDS, 8, 8).transpose(0, 1, 3, 2)
    packed = np.packbits(squares.reshape(-1), bitorder="little")
    return packed.view("<u8").reshape(-1, WORDS).astype(np.uint64)


def all_turns(hashes: np.ndarray) -> np.ndarray:
    """Return the hashes [n, 8, 4] of every turn of pictures with upright hashes [n, 4].

    Turn t is what a viewer does for EXIF orientation t + 1: 0 nothing, 1 swaps left
    and right, 2 turns by 180 degrees, 3 swaps top and bottom, 4 transposes, 5 turns
    clockwise by 90 degrees, 6 transposes and turns by 180, 7 turns anticlockwise.
    """
    both = np.stack([hashes, transposed(hashes)], axis=1)
    return (both[:, :, None, :] ^ MIRROR_MASKS).reshape(-1, TURNS, WORDS)


def apart(one: bytes, other: bytes) -> tuple[int, int]:
    """Return the distance of two pictures at the turn of the first that is nearest.

    The turn is the second value. Both are given by their stored bits.
    """
    differing = all_turns(words(one))[0] ^ words(other)
    distances = np.bitwise_count(differing).sum(axis=1)
    turn = int(distances.argmin())
    return int(distances[turn]), turn


def turned(picture: np.ndarray, turn: int) -> np.ndarray:
    """Return the picture [height, width, ...] under turn 0 to 7 (see `all_turns`)."""
    if turn >= 4:
        picture = picture.swapaxes(0, 1)
    match turn % 4:
        case 1:
            return picture[:, ::-1]
        case 2:
            return picture[::-1, ::-1]
        case 3:
            return picture[::-1]
    return picture


@cache
def _cosines() -> np.ndarray:
    """Return the 16 x 64 matrix of the discrete cosine transform (type II)."""
    frequency = np.arange(FREQUENCIES)[:, None]
    place = 2 * np.arange(EDGE)[None, :] + 1
    return np.cos(np.pi * frequency * place / (2 * EDGE)).astype(np.float32)


def _evened(values: np.ndarray) -> np.ndarray:
    """Return values with mean 0 and deviation 1, or next to 0 where all are equal."""
    return np.asarray((values - values.mean()) / (values.std() + 1e-3))


def _ranks(small: np.ndarray) -> np.ndarray:
    """Return how many pixels are darker than each, those of its level counted half."""
    levels = np.rint(small).astype(np.intp)
    counts = np.bincount(levels.ravel(), minlength=256)
    return np.asarray((np.cumsum(counts) - counts / 2)[levels], np.float32)


def _sign_words(coefficients: np.ndarray) -> np.ndarray:
    """Return the signs of [16, 16] coefficients (y, x) as four words by parity."""
    signs = coefficients > 0
    classes = [signs[y::2, x::2] for y, x in ((0, 0), (0, 1), (1, 0), (1, 1))]
    packed = np.packbits(np.stack(classes).reshape(-1), bitorder="little")
    return packed.view("<u8").astype(np.uint64)


def _phash64(grey: Image.Image) -> int:
    # Half a second of scipy: not for a process that only compares.
    import imagehash

    bits = np.packbits(imagehash.phash(grey).hash)
    # Signed, because databases have no unsigned 64-bit column.
    return int.from_bytes(bits.tobytes(), "big", signed=True)


def _quality(small: np.ndarray) -> int:
    """Return how much the [64, 64] grey picture varies, 0 to 100.

    The mean step between neighbouring pixels, in grey levels, as in PDQ; 20 is full.
    """
    steps = (
        np.abs(np.diff(small, axis=0)).mean() + np.abs(np.diff(small, axis=1)).mean()
    )
    return int(min(100, round(float(steps) * 5)))
