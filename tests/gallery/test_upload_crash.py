"""The web server killed without warning: no upload is lost, doubled or halved."""

import base64
import hashlib
import http.client
import json
import random
import socket
import threading
import time

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore

from gallery.models import ImportRun, Outcome, Photo, SourceFile, Transfer
from tests import pictures

KILLS = 5
FILES = 24
PIECE = 40_000
TOKEN = "a" * 32


@pytest.fixture(scope="module")
def contents() -> list[bytes]:
    """Files of one to four pieces; two of them are the same."""
    picture = pictures.jpeg(pictures.scene(size=(64, 48)))
    random.seed(4)
    files = [
        picture + random.randbytes(random.randrange(100, 3 * PIECE))
        for _ in range(FILES - 1)
    ]
    return [*files, files[0]]


class Site:
    """The web server of a house, started again as often as it is killed."""

    def __init__(self, house):
        self.house = house
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.cookie = self.log_in()

    def log_in(self) -> str:
        from django.conf import settings
        from django.contrib.auth import BACKEND_SESSION_KEY as BACKEND
        from django.contrib.auth import HASH_SESSION_KEY as HASH
        from django.contrib.auth import SESSION_KEY

        user = get_user_model().objects.create_superuser("anna", password="x")
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND] = settings.AUTHENTICATION_BACKENDS[-1]
        session[HASH] = user.get_session_auth_hash()
        session.save()
        return f"sessionid={session.session_key}; csrftoken={TOKEN}"

    def start(self):
        self.process = self.house.start(
            "runserver", f"127.0.0.1:{self.port}", "--noreload", "--skip-checks"
        )
        self.house.wait_for(self.answers)

    def answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ask(self, method: str, url: str, body: bytes = b"", **headers: str):
        """Return status, headers and body. Raise OSError or HTTPException."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {
                "Tus-Resumable": "1.0.0",
                "Cookie": self.cookie,
                "X-CSRFToken": TOKEN,
                "Content-Type": "application/offset+octet-stream",
            } | {name.replace("_", "-"): value for name, value in headers.items()}
            line.request(method, url, body, headers)
            answer = line.getresponse()
            if "Content-Type" not in answer.headers:
                # http.client takes an answer cut off in its headers for a whole one.
                raise http.client.IncompleteRead(b"")
            return answer.status, answer.headers, answer.read()
        finally:
            line.close()


class Sender:
    """Sends one file as the page's script does: where it stopped, it goes on."""

    def __init__(self, site: Site, number: int, content: bytes, run: list[int]):
        self.site, self.number, self.content, self.run = site, number, content, run
        self.url = ""
        self.answer: dict = {}

    def go(self) -> None:
        try:
            while not self.answer:
                offset = self.offset() if self.url else self.begin()
                if not self.answer:
                    piece = self.content[offset : offset + PIECE]
                    headers = {"Upload_Offset": str(offset)}
                    self.take(self.site.ask("PATCH", self.url, piece, **headers))
        except (OSError, http.client.HTTPException):
            # The server is gone: this is gone on with when it is back.
            return

    def begin(self) -> int:
        told = {
            "path": f"Folder/{self.number}.jpg",
            "digest": hashlib.sha256(self.content).hexdigest(),
            "run": str(self.run[0]),
        }
        words = [
            f"{name} {base64.b64encode(value.encode()).decode()}"
            for name, value in told.items()
        ]
        status, headers, _ = self.take(
            self.site.ask(
                "POST",
                "/upload/files/",
                self.content[:PIECE],
                Upload_Length=str(len(self.content)),
                Upload_Metadata=",".join(words),
            )
        )
        assert status == 201
        self.url = headers["Location"]
        return int(headers["Upload-Offset"])

    def offset(self) -> int:
        status, headers, _ = self.take(self.site.ask("HEAD", self.url))
        if status in (404, 410):
            self.url = ""
            return self.begin()
        assert status == 200
        return int(headers["Upload-Offset"])

    def take(self, answer):
        if words := answer[1].get("Imagevault-Answer"):
            self.answer = json.loads(base64.b64decode(words))
        return answer


def check(house):
    """What must hold at any moment, whatever was killed."""
    stored = {
        path.stem: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (house.folder / "originals").rglob("*.*")
    }
    assert all(name == digest for name, digest in stored.items())
    assert set(Photo.objects.values_list("digest", flat=True)) <= set(stored)
    for run in ImportRun.objects.all():
        assert sum(run.outcomes.values()) == run.seen
    ended = Transfer.objects.exclude(finished_at=None).count()
    assert SourceFile.objects.count() == ended


def test_promise_10_uploads_survive_a_server_killed_at_any_moment(house, contents):
    random.seed(10)
    site = Site(house)
    site.start()
    status, _, body = site.ask("POST", "/upload/begin/")
    assert status == 200, body
    run = [json.loads(body)["run"]]
    senders = [Sender(site, n, content, run) for n, content in enumerate(contents)]
    for _ in range(KILLS):
        threads = [
            threading.Thread(target=send, args=(senders[n::3],)) for n in range(3)
        ]
        for thread in threads:
            thread.start()
        time.sleep(random.random() * 0.5)
        site.kill()
        for thread in threads:
            thread.join()
        check(house)
        site.start()
    send(senders)
    check(house)
    assert all(sender.answer for sender in senders), house.said()
    digests = {hashlib.sha256(content).hexdigest() for content in contents}
    assert set(Photo.objects.values_list("digest", flat=True)) == digests
    originals = [*(house.folder / "originals").rglob("*.*")]
    assert {path.stem for path in originals} == digests
    assert SourceFile.objects.filter(outcome=Outcome.IMPORTED).count() == FILES - 1
    assert ImportRun.objects.get().seen == SourceFile.objects.count() == FILES
    # Killed between a file's beginning and its row: nothing had arrived of it yet, and it
    # is cleared away when it is a day old.
    rows = set(Transfer.objects.values_list("pk", flat=True))
    left = [*(house.folder / "uploads").iterdir()]
    assert [
        path for path in left if path.name not in rows and path.stat().st_size
    ] == []
    assert not [*(house.folder / "incoming").glob("*.upload")]


def send(senders) -> None:
    for sender in senders:
        sender.go()
