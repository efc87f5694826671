"""What a browser needs to scroll through a family's photos, and how soon it shows any.

    python bench/scrolling.py [--photos N] [--json FILE] [--quick]

Serves a throw-away vault with thumbnails of drawn pictures, opens it in the system's
Chromium, and scrolls to the end of it. Memory is what the page's process has for itself
(private bytes), before and after the browser is told that memory is short: that leaves out
the decoded pictures it keeps while there is room. The page is driven without listening to
its network, or the browser would keep a copy of every answer for the listener. The first
paint is the median of several visits with an empty cache.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

ADDRESS = "127.0.0.1:8479"
PASSWORD = "only-for-the-bench"
DRAWN = 120  # different pictures
VISITS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=int, default=5_000)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="End within a minute")
    options = parser.parse_args()
    photos = 800 if options.quick else options.photos
    with tempfile.TemporaryDirectory(prefix="imagevault-bench-") as scratch:
        result = measure(Path(scratch), photos)
    text = json.dumps(result, indent=2)
    print(text)
    if options.json:
        Path(options.json).write_text(text + "\n")


def measure(vault: Path, photos: int) -> dict[str, Any]:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "imagevault.settings",
        "IMAGEVAULT_DATA": str(vault),
        "IMAGEVAULT_SECRET_KEY": "for-the-bench-only",
        "IMAGEVAULT_DATABASE_URL": "",
        "IMAGEVAULT_ADMIN_PASSWORD": PASSWORD,
        "IMAGEVAULT_DEBUG": "no",
    }
    manage = [sys.executable, str(ROOT / "manage.py")]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*manage, "setup_vault"], check=True, **quiet)
    subprocess.run([*manage, "collectstatic", "--noinput"], check=True, **quiet)
    fill(photos)
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--bind", ADDRESS, "--threads", "8"),
            *("--no-control-socket", "imagevault.wsgi"),
        ],
        cwd=ROOT,
        **quiet,
    )
    try:
        return visit(photos)
    finally:
        server.terminate()
        server.wait()


def fill(count: int) -> None:
    import django

    django.setup()
    from gallery import colours
    from gallery import vault as vaults
    from gallery.models import Photo, Thumbnail
    from tests import pictures

    data = Path(os.environ["IMAGEVAULT_DATA"])
    drawn = []
    for seed in range(min(count, DRAWN)):
        size = [(512, 384), (384, 512), (512, 288), (512, 512)][seed % 4]
        image = pictures.scene(seed=seed, size=size)
        drawn.append((pictures.jpeg(image), colours.of(image), size))
    for number in range(count):
        packed, told, (width, height) = drawn[number % len(drawn)]
        row = Photo.objects.create(
            digest=hashlib.sha256(str(number).encode()).hexdigest(),
            extension="jpg",
            size=len(packed),
            name=f"IMG_{number:04}.JPG",
            format="JPEG",
            width=8 * width,
            height=8 * height,
            taken_at=datetime(2004, 1, 1) + timedelta(hours=7 * number),
            taken_precision="second",
        )
        Thumbnail.objects.create(
            photo=row,
            recipe=Thumbnail.RECIPE,
            width=width,
            height=height,
            colours=told,
        )
        place = vaults.rendition(
            data, row.digest, name="thumbnail", recipe=Thumbnail.RECIPE
        )
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(packed)


def visit(photos: int) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    site = f"http://{ADDRESS}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        log_in(page, site)
        paints = [first_paint(page, site) for _ in range(VISITS)]
        cookies = context.cookies()
        page.goto("about:blank")
        quiet = Quiet(browser, page)
        quiet.open(site, cookies)
        begun = private_mb()
        shown = scroll(quiet, photos)
        quiet.send("HeapProfiler.collectGarbage")
        quiet.send("Performance.enable")
        told = {
            one["name"]: one["value"]
            for one in quiet.send("Performance.getMetrics")["metrics"]
        }
        kept, pictures = private_mb(), pictures_mb()
        # What the browser keeps only as long as there is room.
        quiet.send("Memory.simulatePressureNotification", {"level": "critical"})
        page.wait_for_timeout(2_000)
        result = {
            "photos": shown,
            "page_mb": kept,
            "page_mb_pictures": pictures,
            "page_mb_when_pressed": private_mb(),
            "page_mb_before": begun,
            "script_mb": round(told["JSHeapUsedSize"] / 1e6, 1),
            "nodes": int(told["Nodes"]),
            "laid_out": int(told["LayoutObjects"]),
            "first_paint_ms": statistics.median(paints),
        }
        browser.close()
    return result


def log_in(page: Any, site: str) -> None:
    for _ in range(100):
        try:
            page.goto(f"{site}/login/")
            break
        except Exception:
            time.sleep(0.2)
    page.locator("[name=username]").fill("admin")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button").first.click()
    page.wait_for_selector("#photo-tiles")


def first_paint(page: Any, site: str) -> float:
    """Return after how many ms a visit with an empty cache showed anything."""
    session = page.context.new_cdp_session(page)
    session.send("Network.clearBrowserCache")
    page.goto(site)
    # The policy of the page lets nobody wait by a function.
    for _ in range(100):
        found = page.evaluate(
            "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
        )
        if found is not None:
            return float(found)
        page.wait_for_timeout(50)
    raise SystemExit("The page painted nothing.")


class Quiet:
    """A page nobody listens to: driven by single commands of the browser's own protocol."""

    def __init__(self, browser: Any, clock: Any) -> None:
        self.browser = browser.new_browser_cdp_session()
        self.clock = clock  # any page: waits while answers come in
        self.answers: dict[int, Any] = {}
        self.asked = 0
        self.session = ""
        self.browser.on("Target.receivedMessageFromTarget", self.heard)

    def open(self, address: str, cookies: Any) -> None:
        """Open the address, 1440x900, as whoever has these cookies."""
        fields = ("name", "value", "domain", "path", "httpOnly", "secure")
        kept = [{name: one[name] for name in fields} for one in cookies]
        place = self.browser.send("Target.createBrowserContext")
        self.browser.send("Storage.setCookies", {**place, "cookies": kept})
        size = {"width": 1440, "height": 900}
        target = self.browser.send(
            "Target.createTarget", {**place, **size, "url": "about:blank"}
        )
        attached = self.browser.send(
            "Target.attachToTarget", {**target, "flatten": False}
        )
        self.session = attached["sessionId"]
        screen = {**size, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", screen)
        self.send("Page.navigate", {"url": address})
        self.wait(2_000)

    def heard(self, event: dict[str, Any]) -> None:
        answer = json.loads(event["message"])
        if "id" in answer:
            self.answers[answer["id"]] = answer

    def send(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """Return what the browser answers to a command."""
        self.asked += 1
        command = {"id": self.asked, "method": method, "params": params or {}}
        self.browser.send(
            "Target.sendMessageToTarget",
            {"sessionId": self.session, "message": json.dumps(command)},
        )
        while self.asked not in self.answers:
            self.wait(5)
        return self.answers.pop(self.asked)["result"]

    def wait(self, milliseconds: int) -> None:
        self.clock.wait_for_timeout(milliseconds)

    def tiles(self) -> int:
        """Return how many photos the page has."""
        asked = {"expression": "document.querySelectorAll('.tile').length"}
        return int(self.send("Runtime.evaluate", asked)["result"]["value"])

    def wheel(self, pixels: int) -> None:
        turned = {"type": "mouseWheel", "x": 600, "y": 400}
        self.send("Input.dispatchMouseEvent", {**turned, "deltaX": 0, "deltaY": pixels})


def scroll(page: Quiet, photos: int) -> int:
    """Scroll to the end; return how many photos the page has by then."""
    shown, still = 0, 0
    while shown < photos and still < 50:
        page.wheel(2_500)
        page.wait(120)
        before, shown = shown, page.tiles()
        still = still + 1 if shown == before else 0
    page.wait(3_000)
    return shown


def private_mb() -> int:
    """Return the private memory of the largest process that draws a page."""
    return max(_of_pages(r"^Private_\w+:\s+(\d+) kB"))


def pictures_mb() -> int:
    """Return the shared memory of that process: decoded pictures and what is drawn."""
    return max(_of_pages(r"^Pss_Shmem:\s+(\d+) kB"))


def _of_pages(line: str) -> list[int]:
    """Return the sums of such lines for each process that draws a page, in MB."""
    found = [0]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"--type=renderer" not in (process / "cmdline").read_bytes():
                continue
            if os.environ["IMAGEVAULT_DATA"] and not is_ours(process):
                continue
            rollup = (process / "smaps_rollup").read_text()
        except OSError:
            continue
        sizes = re.findall(line, rollup, re.MULTILINE)
        found.append(round(sum(map(int, sizes)) / 1000))
    return found


def is_ours(process: Path) -> bool:
    """Return whether this process descends from the bench."""
    while process.name not in ("0", "1"):
        if process.name == str(os.getpid()):
            return True
        parent = re.search(r"^PPid:\s+(\d+)", (process / "status").read_text(), re.M)
        process = Path("/proc") / (parent[1] if parent else "0")
    return False


if __name__ == "__main__":
    main()
