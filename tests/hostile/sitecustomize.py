"""Makes the decoder's process do to pictures what a hostile one would do to it.

Put first on PYTHONPATH. IMAGEVAULT_TEST_HOSTILE is a JSON object: digest to harm.
"""

import json
import os
import signal
import sys
import time


def harm(event: str, arguments: tuple) -> None:
    if event != "open":
        return
    digest = os.path.basename(str(arguments[0])).partition(".")[0]  # noqa: PTH119
    what = HARMS.get(digest)
    if what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif what == "hang":
        time.sleep(3600)
    elif what == "kill the worker":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(3600)


if "gallery.sandbox" in sys.orig_argv:
    HARMS = json.loads(os.environ["IMAGEVAULT_TEST_HOSTILE"])
    sys.addaudithook(harm)
