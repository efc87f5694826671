"""Decode pictures in a child process, so that a hostile file takes only the child down.

The parent asks (a file, a job), the child answers; each question has a bounded time, the
child a bounded memory. It may not write files, ignores Ctrl-C, and dies with its parent.

A message is two lengths (32 bits each, big-endian), then JSON, then bytes: a question
has no bytes, an answer those of the rendition.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from gallery import colours, renditions
from gallery.decoding import Unreadable
from gallery.metadata import Metadata
from gallery.renditions import PREVIEW_EDGE, THUMBNAIL_EDGE, Developed, Rendition
from gallery.renditions import Undeveloped as Undeveloped

_LENGTHS = struct.Struct(">II")
_MAX_JSON, _MAX_BYTES = 1 << 20, 1 << 27  # more than any true answer needs
_QUESTIONS_PER_CHILD = 5_000  # decoders leak
_PACKAGE_FOLDER = Path(__file__).resolve().parent.parent

_MEGABYTE = 1_000_000
_PR_SET_PDEATHSIG = 1


class _Died(Exception):
    """The child is gone, or says what it should not."""


class Sandbox:
    """Decodes pictures elsewhere; to be used by one thread at a time.

    The child starts with the first question and again after each death. A process that
    forks does not take the child along: each starts its own.
    """

    def __init__(self, *, memory_mb: int = 1_000, seconds: float = 60) -> None:
        self._memory_mb = memory_mb
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._asked = 0
        self._starter = threading.current_thread()

    def develop(
        self, path: str | os.PathLike[str], *, edge: int = THUMBNAIL_EDGE
    ) -> Developed:
        """As renditions.develop: metadata and thumbnail.

        Raises Undeveloped. When decoding kills the child, a new one reads the metadata.
        """
        try:
            answer, data = self._ask("develop", path, edge=edge)
        except Unreadable as error:
            raise Undeveloped(error.reason, self._metadata(path)) from error
        if "unreadable" in answer:
            found = answer["metadata"]
            kept = None if found is None else Metadata.from_json(found)
            raise Undeveloped(answer["unreadable"], kept)
        return Developed(
            Metadata.from_json(answer["metadata"]), _rendition(answer, data)
        )

    def preview(
        self, path: str | os.PathLike[str], *, edge: int = PREVIEW_EDGE
    ) -> Rendition:
        """As renditions.preview. Raises Unreadable."""
        return _rendition(*self._ask_strictly("preview", path, edge=edge))

    def pixel_digest(self, path: str | os.PathLike[str]) -> str:
        """As renditions.pixel_digest. Raises Unreadable."""
        return str(self._ask_strictly("pixel_digest", path)[0]["pixel_digest"])

    def detail_beyond(self, path: str | os.PathLike[str], *, edge: int) -> float:
        """As detail.beyond. Raises Unreadable."""
        return float(self._ask_strictly("detail", path, edge=edge)[0]["detail"])

    def descent(
        self,
        left: str | os.PathLike[str],
        right: str | os.PathLike[str],
        *,
        turn: int,
    ) -> dict[str, Any]:
        """As descent.descent, the answer as JSON. Raises Unreadable."""
        answer, _ = self._ask_strictly(
            "descent", left, right=str(Path(right).absolute()), turn=turn
        )
        return dict(answer["descent"])

    def _metadata(self, path: str | os.PathLike[str]) -> Metadata | None:
        try:
            return Metadata.from_json(
                self._ask_strictly("metadata", path)[0]["metadata"]
            )
        except Unreadable:
            return None

    def _ask_strictly(
        self, job: str, path: str | os.PathLike[str], **options: Any
    ) -> tuple[dict[str, Any], bytes]:
        answer, data = self._ask(job, path, is_second=False, **options)
        if "unreadable" in answer:
            raise Unreadable(answer["unreadable"])
        return answer, data

    def _ask(
        self,
        job: str,
        path: str | os.PathLike[str],
        *,
        is_second: bool = False,
        **options: int | str,
    ) -> tuple[dict[str, Any], bytes]:
        """One question and its answer; a child that dies over it is the file's fault.

        One that was killed is so only the second time: the machine may have been short
        of memory for another's sake, or is shutting down.
        """
        where = str(Path(path).absolute())
        question: dict[str, object] = {"job": job, "path": where, **options}
        deadline = time.monotonic() + self._seconds
        child = self._sent(question)
        try:
            assert child.stdout is not None
            answer, data = _receive(child.stdout, deadline=deadline)
        except TimeoutError:
            self._stop()
            said = f"decoding took longer than {self._seconds:g} seconds"
            raise Unreadable(said) from None
        except _Died:
            starter, status = self._starter, self._stop()
            if status == -signal.SIGKILL and not (is_second and starter.is_alive()):
                # The system ends a child with the thread that started it, whoever asks.
                return self._ask(job, path, is_second=True, **options)
            raise Unreadable(_cause_of_death(status)) from None
        except BaseException:
            # Interrupted half-way: the next question must not get this answer.
            self._stop()
            raise
        if "out_of_memory" in answer:
            self._stop()
            said = f"decoding needed more than {self._memory_mb:,} MB of memory"
            raise Unreadable(said)
        return answer, data

    def _sent(self, question: dict[str, object]) -> subprocess.Popen[bytes]:
        """The child the question went to: the living one, or else a new one."""
        if self._owner != os.getpid():
            self._abandon()
        if self._asked >= _QUESTIONS_PER_CHILD:
            self._stop()
        self._asked += 1
        message = json.dumps(question).encode()
        if self._child is not None:
            try:
                return _send(self._child, message)
            except OSError:
                # It died idle, for instance of a shortage of memory elsewhere.
                self._stop()
        self._start()
        assert self._child is not None
        try:
            return _send(self._child, message)
        except OSError:
            raise Unreadable(_cause_of_death(self._stop())) from None

    def _start(self) -> None:
        self._owner, self._asked = os.getpid(), 1
        self._starter = threading.current_thread()
        self._child = subprocess.Popen(
            [
                *(sys.executable, "-m", "gallery.sandbox"),
                *(str(self._owner), str(self._memory_mb)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd=_PACKAGE_FOLDER,
            env={**os.environ, **_ENVIRONMENT},
            # Ctrl-C is for the parent, which then stops the child in good order.
            process_group=0,
        )

    def _stop(self) -> int:
        """End the child for good; the exit status, negative for a signal."""
        child, self._child = self._child, None
        if child is None:
            return 0
        died = child.poll()
        child.kill()
        _close_pipes(child)
        status = child.wait()
        return status if died is None else died

    def _abandon(self) -> None:
        """After a fork: let go of the parent's child without touching it."""
        child, self._child = self._child, None
        if child is not None:
            _close_pipes(child)
            # Popen must neither wait for it nor complain that nobody did.
            child.returncode = 0

    def close(self) -> None:
        """End the child; the sandbox can be used again, with a new one."""
        if self._owner == os.getpid():
            self._stop()
        else:
            self._abandon()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


# Small blocks are kept from one picture to the next (faulting them in again cost a fifth
# of the whole), large ones go back at once.
_ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONWARNINGS": "ignore",
}


def _close_pipes(child: subprocess.Popen[bytes]) -> None:
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()


def _cause_of_death(status: int) -> str:
    if status == -signal.SIGKILL:
        return "the decoder was killed, perhaps because the machine ran out of memory"
    return "the decoder crashed"


def _rendition(answer: dict[str, Any], data: bytes) -> Rendition:
    return Rendition(
        data,
        answer["width"],
        answer["height"],
        answer["problem"],
        str(answer["colours"])[: colours.SIGNS],
    )


def _send(child: subprocess.Popen[bytes], message: bytes) -> subprocess.Popen[bytes]:
    assert child.stdin is not None
    _write(child.stdin.fileno(), _LENGTHS.pack(len(message), 0) + message)
    return child


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _receive(
    pipe: IO[bytes], *, deadline: float | None = None
) -> tuple[dict[str, Any], bytes]:
    """One message; TimeoutError at the deadline, _Died if there is none to come."""
    head = _read(pipe, _LENGTHS.size, deadline)
    length, more = _LENGTHS.unpack(head)
    if length > _MAX_JSON or more > _MAX_BYTES:
        raise _Died
    try:
        message = json.loads(_read(pipe, length, deadline))
    except ValueError:
        raise _Died from None
    return message, _read(pipe, more, deadline)


def _read(pipe: IO[bytes], count: int, deadline: float | None) -> bytes:
    parts: list[bytes] = []
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    while count:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise TimeoutError
        part = os.read(pipe.fileno(), min(count, 1 << 20))
        if not part:
            raise _Died
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


# From here on: the child.


@dataclass(frozen=True, slots=True)
class _Answer:
    message: dict[str, object]
    data: bytes = b""


def _answer(question: dict[str, Any]) -> _Answer:
    """Do the job; what cannot be read is an answer too."""
    path = question["path"]
    try:
        if question["job"] == "develop":
            done = renditions.develop(path, edge=question["edge"])
            facts = _described(done.thumbnail)
            facts["metadata"] = done.metadata.to_json()
            return _Answer(facts, done.thumbnail.data)
        if question["job"] == "preview":
            preview = renditions.preview(path, edge=question["edge"])
            return _Answer(_described(preview), preview.data)
        if question["job"] == "metadata":
            from gallery import metadata

            return _Answer({"metadata": metadata.read(path).to_json()})
        if question["job"] in ("detail", "descent"):
            return _Answer({question["job"]: _measured(question)})
        return _Answer({"pixel_digest": renditions.pixel_digest(path)})
    except Undeveloped as error:
        found = error.metadata
        kept = None if found is None else found.to_json()
        return _Answer({"unreadable": error.reason, "metadata": kept})
    except Unreadable as error:
        return _Answer({"unreadable": error.reason})
    except MemoryError:
        return _Answer({"out_of_memory": True})


def _measured(question: dict[str, Any]) -> float | dict[str, Any]:
    """Return what is measured of one or two pictures at full size."""
    if question["job"] == "descent":
        from gallery import descent

        path, right = question["path"], question["right"]
        return descent.descent(path, right, turn=question["turn"]).to_json()
    from gallery import detail

    return detail.beyond(question["path"], question["edge"])


def _described(rendition: Rendition) -> dict[str, object]:
    return {
        "width": rendition.width,
        "height": rendition.height,
        "problem": rendition.problem,
        "colours": rendition.colours,
    }


def _confine(parent: int, memory_mb: int) -> None:
    """Give up what a decoder of pictures does not need."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # It died before it could be watched.
        raise SystemExit
    for what, limit in (
        # Of the address space only what is really the child's own: libraries and files
        # that are merely mapped do not count.
        (resource.RLIMIT_DATA, memory_mb * _MEGABYTE),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        _, highest = resource.getrlimit(what)
        if highest == resource.RLIM_INFINITY or limit <= highest:
            resource.setrlimit(what, (limit, limit))


def _serve() -> None:
    """Answer questions until the parent closes the pipe."""
    questions = os.fdopen(os.dup(0), "rb", buffering=0)
    answers = os.dup(1)
    # Whatever a library prints must not end up among the answers.
    os.dup2(2, 1)
    while True:
        try:
            question, _ = _receive(questions)
        except _Died:
            return
        answer = _answer(question)
        message = json.dumps(answer.message).encode()
        _write(answers, _LENGTHS.pack(len(message), len(answer.data)) + message)
        _write(answers, answer.data)


if __name__ == "__main__":
    _confine(int(sys.argv[1]), int(sys.argv[2]))
    _serve()
