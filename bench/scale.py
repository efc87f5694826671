"""How finding candidates grows with the number of photos, up to a million and past it.

    python bench/scale.py [--photos N] [--radius R] [--folder FOLDER] [--json FILE]
                          [--quick] [--only hash|local] [--threads N]

Learns from real photos (without any: from drawn ones) how hashes and local features are
spread, prints that next to how the made ones are, makes as many as wanted with twins
planted among them, and times both roads in a process of its own each, whose peak memory
is the memory said. What the sieve finds is shown against comparing all with all, in
numpy and for a sample of pictures. Compiling is not counted. Processor seconds stand
beside the seconds, because a machine may do other things.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PHOTOS = ROOT.parent / "shared" / "photos"
sys.path.insert(0, str(ROOT))

from dedup import neighbours, perceptual  # noqa: E402

try:
    from dedup import local_features, local_neighbours
except ImportError:
    local_features = local_neighbours = None

SIZES = (10_000, 100_000, 1_000_000)
NEW = 1_000  # pictures added to all
TWINS = 0.05  # share of pictures that are a copy of another
FLAT = 0.02  # share of flat pictures, half of them one and the same
CROWD = 0.001  # share of pictures that are one and the same scan
SAMPLE = 40  # pictures compared with all, to check the answer
SPOT_NOISE = 4  # bits of 64 by which a spot of a twin differs
BLOCK = 50_000  # local features read at once


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=int, help="this many instead of three sizes")
    parser.add_argument("--radius", type=int, default=neighbours.RADIUS)
    parser.add_argument("--folder", type=Path, default=PHOTOS)
    parser.add_argument("--learn", type=int, default=600, help="from so many photos")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=["hash", "local"])
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="End within a minute")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(CHILDREN[options.child](options)))
        return
    sizes = [options.photos] if options.photos else list(SIZES)
    if options.quick and not options.photos:
        sizes = [2_000, 20_000]
    real = Real.learnt(options.folder, most=120 if options.quick else options.learn)
    result = [measure(real, size, options) for size in sizes]
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=2) + "\n")


def measure(real: Real, photos: int, options: argparse.Namespace) -> dict[str, Any]:
    """Make fingerprints, find candidates among them, and check what was found."""
    answer: dict[str, Any] = {"photos": photos, "radius": options.radius}
    roads = [options.only] if options.only else ["hash", "local"]
    with tempfile.TemporaryDirectory(prefix="imagevault-bench-") as scratch:
        if "hash" in roads:
            hashes, flat = real.hashes_of(photos)
            np.save(Path(scratch) / "hashes.npy", hashes)
            np.save(Path(scratch) / "flat.npy", flat)
            say_how_alike(real, hashes[~flat])
            del hashes, flat
            answer |= child("hash", Path(scratch), options)
        if "local" in roads and real.spots is not None:
            real.write_spots(photos, Path(scratch))
            say_how_spots_meet(real, Shelf(Path(scratch)))
            answer |= child("local", Path(scratch), options)
    for what in ("all_pairs_s", "incremental_s"):
        parts = [
            answer[f"{road}_{what}"] for road in roads if f"{road}_{what}" in answer
        ]
        answer[what] = round(sum(parts), 3)
    peaks = [answer[f"{road}_peak_mb"] for road in roads if f"{road}_peak_mb" in answer]
    answer["peak_mb"] = max(peaks)
    print(json.dumps(answer, indent=2), flush=True)
    return answer


def child(road: str, scratch: Path, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", road, "--folder", str(scratch)]
    command += ["--radius", str(options.radius), "--threads", str(options.threads)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


# What real ones are like


class Real:
    """Hashes and local features of real pictures, and the making of more like them."""

    def __init__(self, hashes: np.ndarray, flat: np.ndarray, spots: list[bytes]):
        self.hashes = hashes[~flat]
        self.flat = hashes[flat] if flat.any() else hashes[:1]
        self.spots = spots if local_features else None
        self.chance = np.random.default_rng(20)

    @classmethod
    def learnt(cls, folder: Path, *, most: int) -> Real:
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() == ".jpg")
        chosen = np.random.default_rng(1).permutation(len(paths))[:most]
        sources: list[Any] = [paths[i] for i in chosen] or list(range(most))
        print(f"learning from {len(sources)} {'photos' if paths else 'drawn pictures'}")
        with ProcessPoolExecutor(2) as pool:
            looks = [look for look in pool.map(looked_at, sources, chunksize=8) if look]
        hashes = perceptual.words(b"".join(bits for bits, _, _ in looks))
        flat = np.array([flat for _, flat, _ in looks])
        return cls(hashes, flat, [spots for _, _, spots in looks if spots])

    def hashes_of(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return hashes [count, 4] spread as the real ones, and which are flat.

        Bits are signs of numbers that vary together as the real bits do: correlations
        of signs are arcs of those of the numbers (Sheppard, 1899).
        """
        bits = np.unpackbits(self.hashes.astype("<u8").view(np.uint8), axis=1)
        signs = bits * 2.0 - 1
        lean = signs.mean(axis=0)
        together = np.sin(
            np.pi / 2 * (signs.T @ signs / len(signs) - np.outer(lean, lean))
        )
        np.fill_diagonal(together, 1)
        values, vectors = np.linalg.eigh(together)
        root = (vectors * np.sqrt(np.clip(values, 0, None))).astype(np.float32)
        size = np.sqrt((root**2).sum(axis=1))
        above = np.quantile(self.chance.normal(size=20_000), 1 - bits.mean(axis=0))
        parts = []
        for start in range(0, count, 20_000):
            many = min(20_000, count - start)
            drawn = self.chance.normal(size=(many, 256)).astype(np.float32) @ root.T
            parts.append(np.packbits(drawn / size > above, axis=1))
        hashes = np.concatenate(parts).view("<u8").astype(np.uint64)
        return self._with_crowds(self._with_twins(hashes))

    def _with_twins(self, hashes: np.ndarray) -> np.ndarray:
        """Make some of them damaged and turned copies of others."""
        many = int(len(hashes) * TWINS)
        places = self.chance.permutation(len(hashes))
        twins, originals = places[:many], places[many : 2 * many]
        turns = perceptual.all_turns(hashes[originals])
        copies = turns[np.arange(many), self.chance.integers(0, 8, many)]
        # As of copies measured: most differ little, one in ten by 30 bits and more.
        wrong = np.minimum(self.chance.exponential(12, many), 80)
        flips = self.chance.random((many, 256)) < wrong[:, None] / 256
        hashes[twins] = copies ^ np.packbits(flips, axis=1).view("<u8")
        return hashes

    def _with_crowds(self, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        places = self.chance.permutation(len(hashes))
        flat = np.zeros(len(hashes), dtype=bool)
        many = int(len(hashes) * FLAT)
        flat[places[:many]] = True
        near = self.flat[self.chance.integers(0, len(self.flat), many)]
        flips = self.chance.random((many, 256)) < 0.05
        flips[: many // 2] = False
        near[: many // 2] = self.flat[0]
        hashes[places[:many]] = near ^ np.packbits(flips, axis=1).view("<u8")
        hashes[places[many : many + int(len(hashes) * CROWD)]] = self.hashes[0]
        return hashes, flat

    def write_spots(self, count: int, folder: Path) -> None:
        """Write local features like the real ones, picture by picture.

        A picture is made of spots of many pictures, each a little altered, at the
        places of one. Twins have most spots of another, moved and altered.
        """
        assert self.spots
        sizes = np.array(
            [len(one) // local_features.SPOT.itemsize for one in self.spots]
        )
        pool = np.frombuffer(b"".join(self.spots), dtype=local_features.SPOT)
        counts = self.chance.choice(sizes, count)
        begins = np.concatenate([[0], np.cumsum(counts)])
        with (folder / "spots.bin").open("wb") as file:
            for start in range(0, count, 10_000):
                end = min(count, start + 10_000)
                file.write(self._spots(pool, begins[start : end + 1]).tobytes())
        np.save(folder / "begins.npy", begins)

    def _spots(self, pool: np.ndarray, begins: np.ndarray) -> np.ndarray:
        many = int(begins[-1] - begins[0])
        spots = np.empty(many, dtype=pool.dtype)
        spots["place"] = self.chance.choice(pool["place"], many)
        # With little noise all would be copies of those learnt from.
        spots["bits"] = self.chance.choice(pool["bits"], many) ^ self._noise(many)
        begins = begins - begins[0]
        pictures = len(begins) - 1
        for twin in self.chance.choice(pictures, int(pictures * TWINS), replace=False):
            original = int(self.chance.integers(0, pictures))
            mine = slice(begins[twin], begins[twin + 1])
            theirs = spots[begins[original] : begins[original + 1]]
            shared = min(mine.stop - mine.start, len(theirs)) * 6 // 10
            spots[mine.start : mine.start + shared] = theirs[:shared]
            here = spots[mine.start : mine.start + shared]
            here["bits"] = self._altered(here["bits"], SPOT_NOISE)
        return spots

    def _noise(self, many: int) -> np.ndarray:
        """Return words of which three bits in 32 are set."""
        drawn = (self.chance.integers(0, 1 << 64, many, np.uint64) for _ in range(5))
        one, two, three, four, five = drawn
        return np.asarray(one & two & three & (four | five))

    def _altered(self, bits: np.ndarray, most: int) -> np.ndarray:
        for _ in range(int(self.chance.integers(1, most + 1))):
            bit = self.chance.integers(0, 64, len(bits), dtype=np.uint64)
            bits = bits ^ (np.uint64(1) << bit)
        return bits


def looked_at(source: Path | int) -> tuple[bytes, bool, bytes] | None:
    """Return the hash of a picture, whether it is flat, and its local features."""
    try:
        picture = drawn(source) if isinstance(source, int) else shrunk(source)
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    look = perceptual.fingerprint(picture)
    spots = local_features.local_features(picture) if local_features else b""
    return look.bits, look.is_flat, spots


def shrunk(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.draft("RGB", (1024, 1024))
        picture = image.convert("RGB")
    picture.thumbnail((512, 512), Image.Resampling.BICUBIC)
    return picture


def drawn(seed: int) -> Image.Image:
    """Return a picture whose detail falls off towards the fine, as in photos."""
    chance = np.random.default_rng(seed)
    across, down = np.meshgrid(np.fft.fftfreq(512), np.fft.fftfreq(384))
    fall = 1 / np.maximum(np.hypot(across, down), 1 / 512) ** 1.2
    waves = np.fft.ifft2(np.fft.fft2(chance.normal(size=fall.shape)) * fall).real
    grey = 128 + waves / waves.std() * 50
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).convert("RGB")


def say_how_alike(real: Real, made: np.ndarray) -> None:
    """Print how near unlike pictures come and how full bands are, real and made."""
    chance = np.random.default_rng(5)
    print(f"{'':8} distances of pairs, per cent       pairs in one band bucket")
    print(f"{'':8} 0.01  0.1    1   10   50      of 65,536: same  1 bit  2 bits")
    for name, rows in (("real", real.hashes), ("made", made)):
        one, two = chance.integers(0, len(rows), (2, 400_000))
        one, two = one[one != two], two[one != two]
        turns = perceptual.all_turns(rows[one])
        near = np.bitwise_count(turns ^ rows[two][:, None]).sum(-1).min(1)
        far = np.quantile(near, [0.0001, 0.001, 0.01, 0.1, 0.5])
        # Copies among the real ones share all bands, and are not what fills them.
        unlike = near > neighbours.RADIUS
        shares = bands_shared(rows, one[unlike], two[unlike])
        print(
            f"{name:8}"
            + "".join(f"{value:5.0f}" for value in far)
            + f"{'':18}"
            + "".join(f"{share * 65536:7.1f}" for share in shares),
            flush=True,
        )


def bands_shared(rows: np.ndarray, one: np.ndarray, two: np.ndarray) -> list[float]:
    """Return for the mean band which share of pairs are 0, 1, 2 bits apart in it."""
    square = np.add.outer(np.arange(8), np.arange(8)).ravel() % 4
    bits = np.unpackbits(rows.astype("<u8").view(np.uint8), axis=1, bitorder="little")
    apart = (bits[one] ^ bits[two]).reshape(-1, 4, 64)
    shares = np.zeros(3)
    for band in range(4):
        inside = apart[:, :, square == band].sum(-1)
        inside[:, 1:] = np.minimum(inside[:, 1:], 16 - inside[:, 1:])
        shares += [(inside <= near).mean() / 4 for near in range(3)]
    return shares.tolist()


def say_how_spots_meet(real: Real, made: Shelf) -> None:
    """Print how many pairs of spots of two pictures have a key in common, real and made.

    Of as many pictures: who is a copy of another is left out by looking at the middle of
    several samples.
    """
    assert real.spots
    some = min(len(real.spots), len(made)) // 5
    for name, shelf in (("real", real.spots), ("made", made)):
        shares = [
            keys_shared(shelf[start : start + some])
            for start in range(0, 5 * some, max(1, some))
        ]
        print(
            f"{name:8} spots with one key: {1e7 * np.median(shares):5.1f} of 10 million"
        )


def keys_shared(pictures: list[bytes]) -> float:
    """Return the share of pairs of spots, of two pictures, that have a key in common."""
    spots = [np.frombuffer(one, dtype=local_features.SPOT)["bits"] for one in pictures]
    owners = np.repeat(np.arange(len(spots)), [len(one) for one in spots])
    bits = np.concatenate(spots).astype(np.uint64)
    shared = 0
    for mask in local_neighbours.KEYS:
        for counted, sign in (
            (bits & mask, 1),
            (bits & mask ^ owners.astype(np.uint64), -1),
        ):
            _, times = np.unique(counted, return_counts=True)
            shared += sign * int((times * (times - 1) // 2).sum())
    own = sum(len(one) * (len(one) - 1) // 2 for one in spots)
    return shared / max(1, len(bits) * (len(bits) - 1) // 2 - own)


# Measuring, in a process of its own


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what the work gives, its seconds and the processor's."""
    start, spent = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - start, time.process_time() - spent


def peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def hash_road(options: argparse.Namespace) -> dict[str, Any]:
    hashes = np.load(options.folder / "hashes.npy")
    flat = np.load(options.folder / "flat.npy")
    given: dict[str, Any] = {"radius": options.radius, "threads": options.threads}
    for way in ("sieve", "all with all"):
        neighbours.all_pairs(hashes[:300], way=way, **given)
    before = peak_mb()
    pairs, seconds, spent = timed(
        lambda: neighbours.all_pairs(hashes, flat=flat, **given)
    )
    new, new_seconds, new_spent = timed(
        lambda: neighbours.neighbours(
            hashes[-NEW:], hashes, flat_new=flat[-NEW:], flat_everything=flat, **given
        )
    )
    peak = peak_mb()
    return {
        "hash_all_pairs_s": round(seconds, 3),
        "hash_all_pairs_cpu_s": round(spent, 3),
        "hash_incremental_s": round(new_seconds, 3),
        "hash_incremental_cpu_s": round(new_spent, 3),
        "hash_pairs": len(pairs),
        "hash_new_pairs": len(new),
        "hash_peak_mb": peak,
        "hash_start_mb": before,
        **checked(hashes, flat, pairs, radius=options.radius),
    }


def checked(
    hashes: np.ndarray, flat: np.ndarray, pairs: neighbours.Neighbours, *, radius: int
) -> dict[str, Any]:
    """Compare the answer with comparing some pictures with all.

    Pictures in a crowd, of which only the nearest pairs are kept, are counted apart.
    """
    chance = np.random.default_rng(9)
    paired = np.unique(np.concatenate([pairs.new, pairs.other]))
    rows = [chance.choice(paired, SAMPLE // 2)] if len(paired) else []
    rows.append(chance.choice(len(hashes), SAMPLE // 2))
    expected, found, wrong, crowded = 0, 0, 0, 0
    for row in np.unique(np.concatenate(rows)):
        near = by_hand(hashes, flat, row, radius)
        if len(near) > neighbours.CROWD:
            crowded += 1
            continue
        ours = set(pairs.other[pairs.new == row]) | set(pairs.new[pairs.other == row])
        expected += len(near)
        found += len(near & ours)
        wrong += len(ours - near)
    recall = found / expected if expected else 1.0
    return {
        "sieve_recall": recall,
        "sample_pairs": expected,
        "sample_wrong": wrong,
        "sample_in_crowds": crowded,
    }


def by_hand(hashes: np.ndarray, flat: np.ndarray, row: int, radius: int) -> set[int]:
    nearest = np.full(len(hashes), 256)
    for turn in perceptual.all_turns(hashes[row][None])[0]:
        nearest = np.minimum(nearest, np.bitwise_count(hashes ^ turn).sum(1))
    strict = flat | flat[row]
    limit = np.where(strict, min(radius, neighbours.FLAT_RADIUS), radius)
    near = set(np.flatnonzero(nearest <= limit).tolist())
    return near - {int(row)}


class Shelf:
    """Local features in a file, read in blocks as from a database."""

    def __init__(self, folder: Path) -> None:
        self.begins = np.load(folder / "begins.npy")
        self.file = folder / "spots.bin"

    def __len__(self) -> int:
        return len(self.begins) - 1

    def __getitem__(self, part: slice) -> list[bytes]:
        start, end, _ = part.indices(len(self))
        size = local_features.SPOT.itemsize
        begins = self.begins[start : end + 1] * size
        with self.file.open("rb") as file:
            file.seek(begins[0])
            data = file.read(begins[-1] - begins[0])
        cuts = (begins - begins[0]).tolist()
        return [data[one:two] for one, two in pairwise(cuts)]

    def blocks(self, start: int = 0) -> Iterator[list[bytes]]:
        for place in range(start, len(self), BLOCK):
            yield self[place : place + BLOCK]


def local_road(options: argparse.Namespace) -> dict[str, Any]:
    shelf = Shelf(options.folder)
    threads = options.threads
    few = shelf[0:500]
    sum(len(found) for found in local_neighbours.kindred(few, [few], threads=threads))
    count, seconds, spent = timed(
        lambda: sum(
            len(found) for found in local_neighbours.all_kindred(shelf, threads=threads)
        )
    )
    new = shelf[len(shelf) - NEW : len(shelf)]
    _, new_seconds, new_spent = timed(
        lambda: sum(
            len(found)
            for found in local_neighbours.kindred(new, shelf.blocks(), threads=threads)
        )
    )
    return {
        "local_all_pairs_s": round(seconds, 3),
        "local_all_pairs_cpu_s": round(spent, 3),
        "local_incremental_s": round(new_seconds, 3),
        "local_incremental_cpu_s": round(new_spent, 3),
        "local_pairs": count,
        "local_peak_mb": peak_mb(),
    }


CHILDREN = {"hash": hash_road, "local": local_road}

if __name__ == "__main__":
    main()
