"""A thread that gives way does so alone, and also where the whole process already does."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from panhuo.core.threads import LESS, give_way

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own here")

NICENESS = """
import os, threading
from concurrent.futures import ThreadPoolExecutor
from panhuo.core.threads import give_way
of = lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
with ThreadPoolExecutor(1, initializer=give_way) as beside:
    print(beside.submit(of).result(), of())
"""


@pytest.mark.parametrize(("given", "thread", "main"), [(0, LESS, 0), (5, 5 + LESS, 5), (19, 19, 19)])
def test_only_the_thread_gives_way(given, thread, main):
    command = ["nice", "-n", str(given), sys.executable, "-c", NICENESS]
    if os.getpriority(os.PRIO_PROCESS, 0):
        pytest.skip("the tests themselves give way")
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert [int(word) for word in found] == [thread, main]


def test_work_is_done_all_the_same():
    with ThreadPoolExecutor(1, initializer=give_way) as beside:
        assert beside.submit(sum, (1, 2)).result() == 3
