"""imagevault's settings with every wait cut short, for programs that tests start.

IMAGEVAULT_TEST_FEEDERS replaces the feeders.
"""

import os

from imagevault.settings import *  # noqa: F403
from imagevault.settings import IMAGEVAULT_DATA, IMAGEVAULT_FEEDERS, Q_CLUSTER

IMAGEVAULT_DECODE_SECONDS = 3
BATCH_SECONDS = 1
TASK_SECONDS = 8
CLAIM_SECONDS = 5
QUIET_SECONDS = 3
STOP_SECONDS = 3
Q_CLUSTER = {**Q_CLUSTER, "timeout": TASK_SECONDS, "retry": 3 * TASK_SECONDS + 60}
if "IMAGEVAULT_TEST_FEEDERS" in os.environ:
    IMAGEVAULT_FEEDERS = os.environ["IMAGEVAULT_TEST_FEEDERS"].split()
STATIC_ROOT = IMAGEVAULT_DATA / "static"
