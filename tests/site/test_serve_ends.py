"""`panhuo serve` asked to stop takes its worker with it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from made_workspace import make

PROGRAM = "from panhuo.cli import main; main()"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_stopped_site_leaves_no_worker(tmp_path):
    folder = make(tmp_path / "ws", 20)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PANHUO_", "DJANGO_"))}
    command = [sys.executable, "-c", PROGRAM, "serve", str(folder), "--port", "0"]
    site = subprocess.Popen(command, env=env, cwd=Path(__file__).parents[2])
    try:
        for _ in range(300):
            if workers := psutil.Process(site.pid).children():
                break
            assert site.poll() is None
            time.sleep(0.1)
        site.terminate()
        assert site.wait(30) == 0
        gone, left = psutil.wait_procs(workers, timeout=20)
        assert (len(gone), left) == (1, [])
    finally:
        site.kill()
