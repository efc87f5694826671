"""How quickly files come into the vault from a browser on the same machine.

    python bench/uploading.py [--json FILE] [--quick]

Serves a throw-away vault and sends drawn pictures as the upload page does, three requests
at once: small files several in one request, and alone as they were before; one large file
in pieces of 8 MB. The yardstick, in the same run and through the same server program, is
a plain multipart form whose file is hashed, written and flushed to the disk, and no more.
Looking up and hashing in the browser is not in it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

PORT, PLAIN_PORT = 8481, 8482
PASSWORD = "only-for-the-bench"
AT_ONCE, TOGETHER = 3, 24
PIECE = 8 << 20
BOUNDARY = "imagevault-bench"

# The yardstick: what any form of any site has to do.
PLAIN = """
import hashlib, os, secrets
from django.conf import settings
settings.configure(DATA_UPLOAD_MAX_MEMORY_SIZE=None)
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http.multipartparser import MultiPartParser

def application(environ, start):
    handlers = [TemporaryFileUploadHandler()]
    _, files = MultiPartParser(environ, environ["wsgi.input"], handlers).parse()
    for one in files.getlist("file"):
        digest = hashlib.sha256()
        for chunk in one.chunks(1 << 20):
            digest.update(chunk)
        os.fsync(one.file.fileno())
        os.rename(one.temporary_file_path(), os.path.join(FOLDER, secrets.token_hex(12)))
    start("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="End within a minute")
    options = parser.parse_args()
    few, megabytes = (144, 128) if options.quick else (960, 1024)
    with tempfile.TemporaryDirectory(prefix="imagevault-bench-") as scratch:
        result = measure(Path(scratch), few, megabytes << 20)
    text = json.dumps(result, indent=2)
    print(text)
    if options.json:
        Path(options.json).write_text(text + "\n")


def measure(scratch: Path, count: int, size: int) -> dict[str, Any]:
    from tests import pictures

    picture = pictures.jpeg(pictures.scene(seed=1, size=(640, 480)))
    folder = scratch / "plain"
    folder.mkdir()
    (scratch / "plain_site.py").write_text(f"FOLDER = {str(folder)!r}\n{PLAIN}")
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "imagevault.settings",
        "IMAGEVAULT_DATA": str(scratch / "vault"),
        "IMAGEVAULT_SECRET_KEY": "for-the-bench-only",
        "IMAGEVAULT_DATABASE_URL": "",
        "IMAGEVAULT_ADMIN_PASSWORD": PASSWORD,
        "IMAGEVAULT_DEBUG": "no",
        "TMPDIR": str(scratch),
    }
    manage = [sys.executable, str(ROOT / "manage.py")]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*manage, "setup_vault"], check=True, **quiet)
    subprocess.run([*manage, "collectstatic", "--noinput"], check=True, **quiet)
    servers = [
        serve("imagevault.wsgi", PORT, ROOT),
        serve("plain_site", PLAIN_PORT, scratch),
    ]
    try:
        return compare(picture, count, size)
    finally:
        for server in servers:
            server.terminate()
            server.wait()


def serve(site: str, port: int, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"),
            *("--threads", "8", "--no-control-socket", site),
        ],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def compare(picture: bytes, count: int, size: int) -> dict[str, Any]:
    guest = Visitor(PLAIN_PORT)
    person = Visitor(PORT)
    person.log_in()
    run = person.post("/upload/begin/")["run"]
    small = [picture + b"%d" % number for number in range(3 * count)]
    alone, together, plain = (small[place::3] for place in range(3))
    batches = [together[at : at + TOGETHER] for at in range(0, count, TOGETHER)]
    large = picture + bytes(size - len(picture))
    digest = hashlib.sha256(large).hexdigest()
    of_alone = per_second(count, lambda one: person.send(run, one), alone)
    of_together = per_second(count, lambda one: person.send_all(run, one), batches)
    of_plain = per_second(count, guest.form, plain)
    pieces = seconds(lambda one: person.send(run, one, digest), [large])
    form = seconds(guest.form, [large])
    return {
        "small_file_kb": round(len(picture) / 1e3),
        "small_files_per_s": of_together,
        "small_files_alone_per_s": of_alone,
        "small_files_plain_per_s": of_plain,
        "large_file_mb": round(size / 1e6),
        "large_mb_per_s": round(size / 1e6 / pieces, 1),
        "large_plain_mb_per_s": round(size / 1e6 / form, 1),
        "share_of_plain": round(form / pieces, 2),
    }


def per_second(count: int, send: Callable[[Any], None], items: Iterable[Any]) -> float:
    return round(count / seconds(send, items), 1)


def seconds(send: Callable[[Any], None], items: Iterable[Any]) -> float:
    started = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(send, items))
    return time.perf_counter() - started


class Visitor:
    """Somebody at a site on this machine, with a connection for each thread."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.local = threading.local()
        self.headers: dict[str, str] = {}
        self.wait()

    def wait(self) -> None:
        for _ in range(150):
            try:
                http.client.HTTPConnection("127.0.0.1", self.port).connect()
                return
            except OSError:
                time.sleep(0.2)
        raise SystemExit("The server did not start.")

    def ask(
        self, method: str, address: str, body: bytes = b"", **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        if not hasattr(self.local, "line"):
            self.local.line = http.client.HTTPConnection("127.0.0.1", self.port)
        line = self.local.line
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        line.request(method, address, body, self.headers | named)
        answer = line.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise SystemExit(f"{address}: {answer.status} {content[:200]!r}")
        return answer, content

    def log_in(self) -> None:
        answer, page = self.ask("GET", "/login/")
        token = re.search(rb'csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token
        cookies = kept(answer)
        form = {
            "username": "admin",
            "password": PASSWORD,
            "csrfmiddlewaretoken": token[1].decode(),
        }
        self.headers = {"Cookie": cookies, "Origin": f"http://127.0.0.1:{self.port}"}
        answer, _ = self.ask(
            "POST",
            "/login/",
            urlencode(form).encode(),
            Content_Type="application/x-www-form-urlencoded",
        )
        cookies = kept(answer)
        found = re.search(r"csrftoken=([^;]+)", cookies)
        assert found
        self.headers |= {"Cookie": cookies, "X-CSRFToken": found[1]}

    def post(self, address: str) -> dict[str, Any]:
        _, content = self.ask("POST", address, Content_Length="0")
        return dict(json.loads(content))

    def send(self, run: int, content: bytes, digest: str = "") -> None:
        """Send one file in pieces, as the page does."""
        told = told_of(content, digest, run)
        first, rest = content[:PIECE], content[PIECE:]
        answer, _ = self.ask(
            "POST",
            "/upload/files/",
            first,
            Tus_Resumable="1.0.0",
            Upload_Length=str(len(content)),
            Upload_Metadata=told,
            Content_Type="application/offset+octet-stream",
        )
        place, at = answer.headers["Location"], len(first)
        for start in range(0, len(rest), PIECE):
            piece = rest[start : start + PIECE]
            self.ask(
                "PATCH",
                place,
                piece,
                Tus_Resumable="1.0.0",
                Upload_Offset=str(at),
                Content_Type="application/offset+octet-stream",
            )
            at += len(piece)

    def send_all(self, run: int, contents: list[bytes]) -> None:
        """Send small files in one request, as the page does."""
        files = [
            {
                "path": path_of(one),
                "size": len(one),
                "digest": hashlib.sha256(one).hexdigest(),
            }
            for one in contents
        ]
        fields = {"run": str(run), "files": json.dumps(files)}
        answers = json.loads(self.form(contents, "/upload/several/", fields))["answers"]
        assert all(one["kind"] == "new" for one in answers), answers

    def form(
        self,
        contents: bytes | list[bytes],
        address: str = "/",
        fields: dict[str, str] | None = None,
    ) -> bytes:
        """Send files as a plain form does."""
        parts = [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in (fields or {}).items()
        ]
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n\r\n'
        for one in [contents] if isinstance(contents, bytes) else contents:
            parts += [head.encode(), one, b"\r\n"]
        body = b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        return self.ask("POST", address, body, Content_Type=kind)[1]


def kept(answer: http.client.HTTPResponse) -> str:
    cookies = answer.headers.get_all("Set-Cookie") or []
    return "; ".join(one.split(";")[0] for one in cookies)


def told_of(content: bytes, digest: str, run: int) -> str:
    told = {
        "path": path_of(content),
        "digest": digest or hashlib.sha256(content).hexdigest(),
        "run": str(run),
    }
    return ",".join(
        f"{name} {base64.b64encode(value.encode()).decode()}"
        for name, value in told.items()
    )


def path_of(content: bytes) -> str:
    return f"bench/{hashlib.md5(content[-64:], usedforsecurity=False).hexdigest()}.jpg"


if __name__ == "__main__":
    main()
