"""Threads that work beside what somebody waits for."""

import os
import sys
import threading
from typing import Final

LESS: Final = 10
"""Steps of niceness; the system stops at its last."""


def give_way() -> None:
    """Has the calling thread run in what others leave of the processors; the initializer of a pool, for it lasts.

    Linux alone gives a thread a priority of its own; elsewhere nothing changes.
    """
    if sys.platform == "linux":
        me = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, me, os.getpriority(os.PRIO_PROCESS, me) + LESS)
