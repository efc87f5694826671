"""How near an import comes to what the libraries can do at all.

Runs the real command over real photos in a throw-away vault, and in the same run, before
and after it, a bare loop over the same files with the same libraries: read, SHA-256,
EXIF, shrink while decoding, turn, resize, encode, in as many processes as there are
workers. The loop stores nothing, flushes nothing, writes no row. Neither's start-up
counts. See docs/import.md.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.house import peak  # noqa: E402

PHOTOS = ROOT.parent / "shared" / "photos"
BIG = 800_000  # bytes
TURNS = {
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_270,
    8: Image.Transpose.ROTATE_90,
}
WORKERS = os.cpu_count() or 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=PHOTOS)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="End within a minute")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imagevault-bench-") as scratch:
        result = measure(options.folder, Path(scratch), quick=options.quick)
    text = json.dumps(result, indent=2)
    print(text)
    if options.json:
        Path(options.json).write_text(text + "\n")


def measure(folder: Path, scratch: Path, *, quick: bool) -> dict[str, float]:
    photos, small = scratch / "photos", scratch / "small"
    files = multiply(folder, photos, count=80 if quick else 400)
    large = draw_24_megapixels(scratch / "large")
    scatter(small, count=10_000 if quick else 100_000)
    house = House(scratch / "vault")

    before, limit_cpu = bare_loop(files)
    spent = cpu_seconds()
    report = house.import_drive(photos)
    cpu = (cpu_seconds() - spent) / len(files)
    after, _ = bare_loop(files)
    assert report["outcomes"]["imported"] == len(files), report["outcomes"]
    limit = (before + after) / 2
    ours = len(files) / report["seconds"]

    house.import_drive(large)
    house.import_drive(small)
    again = house.import_drive(small)
    return {
        "images": len(files),
        "megabytes": round(sum(path.stat().st_size for path in files) / 1e6),
        "images_per_s": round(ours, 2),
        "limit_images_per_s": round(limit, 2),
        "limit_rounds": [round(before, 2), round(after, 2)],
        "share_of_limit": round(ours / limit, 3),
        # Less moved by what else the machine does; ours with the start-up.
        "cpu_ms_per_image": round(cpu * 1000, 1),
        "limit_cpu_ms_per_image": round(limit_cpu * 1000, 1),
        "reimport_files_per_s": round(again["seen"] / again["seconds"]),
        "walk_files_per_s": round(bare_walk(small)),
        "peak_mb": round(house.peak_mb),
    }


def multiply(folder: Path, target: Path, *, count: int) -> list[Path]:
    """Copies of a folder's big JPEGs, each made another file by a comment of its own."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    jpegs = [path for path in found if path.read_bytes()[:3] == b"\xff\xd8\xff"]
    originals = [path for path in jpegs if path.stat().st_size >= BIG] or jpegs
    if not originals:
        sys.exit(f"{folder} holds no JPEG.")
    target.mkdir()
    files = []
    for number in range(count):
        data = originals[number % len(originals)].read_bytes()
        comment = b"\xff\xfe" + (2 + 8).to_bytes(2, "big") + b"%08d" % number
        path = target / f"{number:05}.jpg"
        path.write_bytes(data[:2] + comment + data[2:])
        files.append(path)
    return files


def draw_24_megapixels(target: Path) -> Path:
    """Photos of 24 megapixels, baseline and progressive, for the memory they take."""
    target.mkdir()
    noise = Image.effect_noise((750, 500), 90).resize((6000, 4000))
    image = Image.merge("RGB", [noise, noise.rotate(180), noise])
    for number in range(6):
        options = {"quality": 90 + number, "progressive": number % 2 == 1}
        image.save(target / f"{number}.jpg", **options)
    image.save(target / "6.png", compress_level=1)
    return target


def scatter(target: Path, *, count: int) -> None:
    """Small files in folders of five hundred."""
    for number in range(count):
        folder = target / f"{number // 500:03}"
        if number % 500 == 0:
            folder.mkdir(parents=True)
        (folder / f"{number:06}.txt").write_text(str(number))


def bare_loop(files: list[Path]) -> tuple[float, float]:
    """Photos a second that the libraries manage alone, and processor time for each."""
    before = cpu_seconds()
    with ProcessPoolExecutor(WORKERS) as pool:
        list(pool.map(bare, files[:WORKERS]))
        started = time.perf_counter()
        list(pool.map(bare, files, chunksize=4))
        seconds = time.perf_counter() - started
    return len(files) / seconds, (cpu_seconds() - before) / len(files)


def cpu_seconds() -> float:
    """Processor time of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def bare(path: Path) -> tuple[str, int]:
    warnings.simplefilter("ignore")
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    with Image.open(io.BytesIO(data)) as image:
        image.getexif().get_ifd(0x8769)
        image.draft("RGB", (768, 768))
        turn = TURNS.get(image.getexif().get(0x0112))
        image.thumbnail((512, 512), reducing_gap=2.0)
        small = image.transpose(turn) if turn else image
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return digest, len(buffer.getvalue())


def bare_walk(folder: Path) -> float:
    """Files a second that can be listed and asked for their status."""
    started, count = time.perf_counter(), 0
    for entry in os.scandir(folder):
        for inner in os.scandir(entry):
            inner.stat(follow_symlinks=False)
            count += 1
    return count / (time.perf_counter() - started)


class House:
    """A throw-away vault, and the most memory any process took in it."""

    def __init__(self, folder: Path) -> None:
        self.env = os.environ | {
            "IMAGEVAULT_DATA": str(folder),
            "IMAGEVAULT_WORKERS": str(WORKERS),
            "IMAGEVAULT_SECRET_KEY": "for-the-bench-only",
        }
        self.peak_mb = 0.0
        self.run("setup_vault")

    def import_drive(self, folder: Path) -> dict:
        return json.loads(
            self.run("import_drive", str(folder), "--no-progress", "--json", "-")
        )

    def run(self, *arguments: str) -> str:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            text=True,
        )
        watching = threading.Thread(target=self.watch, args=(process,))
        watching.start()
        output, _ = process.communicate()
        watching.join()
        if process.returncode:
            sys.exit(f"{' '.join(arguments)} ended with {process.returncode}: {output}")
        return output

    def watch(self, process: subprocess.Popen) -> None:
        while process.poll() is None:
            for pid in family(process.pid):
                self.peak_mb = max(self.peak_mb, peak(pid))
            time.sleep(0.02)


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        children = [
            int(child)
            for task in tasks
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        children = []
    return [pid, *(one for child in children for one in family(child))]


if __name__ == "__main__":
    main()
