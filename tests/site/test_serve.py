"""`panhuo serve` and its worker end together."""

import subprocess
import sys
import time

import psutil


def test_the_worker_does_not_outlive_its_server(tmp_path):
    command = [sys.executable, "-m", "panhuo", "serve", str(tmp_path / "ws"), "--new", "--port", "0"]
    server = subprocess.Popen(command)
    while not (children := psutil.Process(server.pid).children()):
        assert server.poll() is None, "the server ended before it had a worker"
        time.sleep(0.2)
    server.kill()
    server.wait()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive


def test_a_mistyped_path_is_refused_and_nothing_is_made(tmp_path):
    command = [sys.executable, "-m", "panhuo", "serve", str(tmp_path / "wss"), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, timeout=60)
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "no workspace here" in done.stderr and "serve WS --new" in done.stderr
