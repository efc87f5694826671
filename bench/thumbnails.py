"""Which format should the grid's pictures have? Bytes against time, at one likeness.

    python bench/thumbnails.py [FOLDER] [--json FILE] [--quick]

Every format is tried at several qualities; its bytes and its time are read off where its
pictures are as much like the unpacked ones as JPEG's are at the quality in use. Likeness
is SSIM over the luma, the mean of all photos.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", "1")

from gallery import decoding, renditions  # noqa: E402

FORMATS = {
    "JPEG": [("JPEG", {"quality": q}) for q in (65, 75, 80, 85, 90)],
    "JPEG, optimised": [
        ("JPEG", {"quality": q, "optimize": True}) for q in (65, 75, 80, 85, 90)
    ],
    "WebP, method 0": [
        ("WEBP", {"quality": q, "method": 0}) for q in (60, 70, 80, 87, 93)
    ],
    "WebP, method 2": [
        ("WEBP", {"quality": q, "method": 2}) for q in (60, 70, 80, 87, 93)
    ],
    "WebP, method 4": [
        ("WEBP", {"quality": q, "method": 4}) for q in (60, 70, 80, 87, 93)
    ],
    "AVIF, speed 10": [
        ("AVIF", {"quality": q, "speed": 10, "max_threads": 1})
        for q in (45, 55, 65, 75, 85)
    ],
    "AVIF, speed 6": [
        ("AVIF", {"quality": q, "speed": 6, "max_threads": 1})
        for q in (45, 55, 65, 75, 85)
    ],
}


def pictures(folder: Path, *, edge: int, most: int) -> Iterator[Image.Image]:
    """Yield the photos of a folder as they are before they are packed."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    step = max(1, len(paths) // (2 * most))
    found = 0
    for path in paths[::step]:
        try:
            with decoding.opened(path, edge=edge) as picture:
                image = renditions.reduced(picture, edge)
        except decoding.Unreadable:
            continue
        if max(image.size) == edge and found < most:
            found += 1
            yield image


def likeness(one: Image.Image, other: Image.Image) -> float:
    """Return the SSIM of two pictures of a size, over their luma."""
    a, b = (np.asarray(image.convert("L"), np.float32) for image in (one, other))
    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    both = blur(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    return float((top / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))).mean())


def blur(values: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(values, (11, 11), 1.5)


def tried(images: list[Image.Image], form: str, options: dict[str, int]) -> list[float]:
    """Return mean bytes, median ms, and mean likeness."""
    sizes, times, alike = [], [], []
    for image in images:
        buffer = io.BytesIO()
        begun = time.perf_counter()
        image.save(buffer, form, **options)
        times.append(1000 * (time.perf_counter() - begun))
        sizes.append(len(buffer.getvalue()))
        alike.append(likeness(image, Image.open(buffer).convert("RGB")))
    return [statistics.mean(sizes), statistics.median(times), statistics.mean(alike)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "shared/photos")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    most = 25 if options.quick else 150
    result = {}
    for edge in (renditions.SMALL_EDGE, renditions.THUMBNAIL_EDGE):
        images = list(pictures(options.folder, edge=edge, most=most))
        if not images:
            parser.error(f"there are no photos in {options.folder}")
        result[edge] = measure(images)
        print(f"\n{edge} pixels, {len(images)} photos, as like as JPEG 85")
        for name, (size, ms) in result[edge].items():
            print(f"{name:18} {size / 1000:7.1f} kB {ms:7.2f} ms")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


def measure(images: list[Image.Image]) -> dict[str, tuple[float, float]]:
    """Return bytes and ms of each format at the likeness JPEG has at quality 85."""
    wanted = tried(images, "JPEG", {"quality": renditions.QUALITY})[2]
    found = {}
    for name, trials in FORMATS.items():
        rows = np.array([tried(images, form, given) for form, given in trials])
        size, ms = (np.interp(wanted, rows[:, 2], rows[:, at]) for at in (0, 1))
        found[name] = (float(size), float(ms))
    return found


if __name__ == "__main__":
    main()
