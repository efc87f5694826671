"""imagevault's settings with every wait cut short, for programs that tests start."""

from imagevault.settings import *  # noqa: F403
from imagevault.settings import Q_CLUSTER

TASK_SECONDS = 6
IMAGEVAULT_DECODE_SECONDS = 3
Q_CLUSTER = {**Q_CLUSTER, "timeout": TASK_SECONDS, "retry": 3 * TASK_SECONDS + 60}
