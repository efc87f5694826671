"""What `make run` keeps running: the web server and the background work.

Both are programs of their own, started again when they die, and stopped with this one,
even when it is killed.
"""

from __future__ import annotations

import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from imagevault.processes import die_with

LOCK = "running"
# Each upload on a slow line keeps one for minutes, and a browser sends three at once.
THREADS = 24
# A browser that vanished without a word is noticed after a minute, and its thread freed.
KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
LOOK_SECONDS = 0.2
# What dies sooner than this after its start is started again after a pause that doubles.
SHORT_LIFE_SECONDS = 20.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0


class CannotStart(Exception):
    """The site cannot be served; the reason is a sentence for who started it."""


def lock(vault: Path) -> IO[str]:
    """Take the vault for this process, for as long as the file returned is open."""
    file = (vault / LOCK).open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise CannotStart(
            f"imagevault is running already on the vault {vault}. Stop it first, or "
            f"open its page in the browser."
        ) from error
    return file


def listen(address: str) -> socket.socket:
    """Return a socket that listens on an address such as 127.0.0.1:8000."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, int(port)), family=family, backlog=128)
    except OSError as error:
        raise CannotStart(
            f"{address} cannot be used: {os.strerror(error.errno or 0)}. Perhaps another "
            f"program uses it; set IMAGEVAULT_BIND to another address, such as "
            f"127.0.0.1:8001."
        ) from error
    # What is accepted inherits these.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, seconds in KEEPALIVE.items():
        if hasattr(socket, name):
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), seconds)
    return listener


def page(address: str) -> str:
    """Return the address of the site for a browser on this machine."""
    host, _, port = address.rpartition(":")
    everywhere = host in ("0.0.0.0", "[::]")
    return f"http://{'localhost' if everywhere else host}:{port}/"


def answers(address: str) -> bool:
    """Say whether the site answers by now."""
    host, _, port = page(address).removeprefix("http://").rstrip("/").rpartition(":")
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=1)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@dataclass(slots=True)
class Program:
    """One of the programs that are kept running."""

    name: str
    command: Sequence[str]
    descriptors: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE_SECONDS
    due: float = 0.0

    def start(self) -> None:
        parent = os.getpid()
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            pass_fds=self.descriptors,
            stdin=subprocess.DEVNULL,
            # Ctrl-C is for this program, which then stops the others in good order.
            start_new_session=True,
            preexec_fn=lambda: die_with(parent),
        )

    def keep_running(self) -> str:
        """Start it when it is not running; return what is worth saying."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due:
                self.start()
            return ""
        if self.process.poll() is None:
            return ""
        status = self.process.returncode
        self.end()
        if now - self.started > SHORT_LIFE_SECONDS:
            self.pause = FIRST_PAUSE_SECONDS
        self.due = now + self.pause
        self.pause = min(2 * self.pause, LONGEST_PAUSE_SECONDS)
        return f"{self.name} ended (status {status}) and is started again."

    def ask_to_stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def end(self) -> None:
        """End it with all it started."""
        if self.process:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
            self.process = None

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None


def background_work(manage: Path) -> Program:
    return Program("Background work", [sys.executable, str(manage), "qcluster"])


def web_server(listener: socket.socket) -> Program:
    listener.set_inheritable(True)
    options = {
        "--bind": f"fd://{listener.fileno()}",
        "--worker-class": "gthread",
        "--workers": "1",
        "--threads": str(THREADS),
        "--graceful-timeout": "3",
        "--log-level": "warning",
    }
    return Program(
        "The web server",
        [
            *(sys.executable, "-m", "gunicorn", "imagevault.wsgi:application"),
            *(part for option in options.items() for part in option),
            "--no-control-socket",
        ],
        descriptors=(listener.fileno(),),
    )


@dataclass(slots=True)
class Supervisor:
    """Runs programs until it is asked to stop, then stops them all."""

    programs: Sequence[Program]
    say: Callable[[str], None]
    stop_seconds: float
    asked: int = field(default=0, init=False)

    def run(self, *, is_ready: Callable[[], bool], welcome: str) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.ask_to_stop)
        welcomed = False
        try:
            while not self.asked:
                for program in self.programs:
                    if news := program.keep_running():
                        self.say(news)
                if not welcomed and is_ready():
                    self.say(welcome)
                    welcomed = True
                time.sleep(LOOK_SECONDS)
        finally:
            self.stop()

    def ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.asked += 1

    def stop(self) -> None:
        """Let every program end what it is at; a second signal ends them at once."""
        until = time.monotonic() + self.stop_seconds
        for program in self.programs:
            program.ask_to_stop()
        while any(program.runs for program in self.programs):
            if time.monotonic() > until or self.asked > 1:
                break
            time.sleep(LOOK_SECONDS)
        for program in self.programs:
            program.end()
