"""What processes ask of the system: to end with their parent, to stand back for others."""

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
NICENESS = 10
# Between 0, as likely to be ended as others when memory runs out, and 1000, first.
OUT_OF_MEMORY_SCORE = 500


def die_with(parent: int) -> None:
    """Have the system kill this process when its parent ends, however that happens.

    Linux only; elsewhere the process group is what a parent takes with it.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before it was asked about
        os._exit(1)


def let_forks_die_with_parent() -> None:
    """Have every process forked from here on end with the one that forked it."""
    parent = os.getpid()

    def remember() -> None:
        nonlocal parent
        parent = os.getpid()

    os.register_at_fork(before=remember, after_in_child=lambda: die_with(parent))


def stand_back() -> None:
    """Give way to the web server: in computing time, and when memory runs out."""
    os.nice(NICENESS)
    with suppress(OSError):  # where there is no /proc
        Path("/proc/self/oom_score_adj").write_text(str(OUT_OF_MEMORY_SCORE))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def kill_group(leader: int) -> None:
    """End a process group at once; its leader's exit status stays to be collected."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
