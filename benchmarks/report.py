"""What the benchmarks share: a process measured, a table, a page of docs/benchmarks with the machine named."""

import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psutil

DOCS = Path(__file__).parents[1] / "docs" / "benchmarks"

BUSY_AT_START = os.getloadavg()[0]
"""Processes at work in the minute before the bench began."""


@dataclass(frozen=True)
class Seen:
    """A process as last seen: its command, the most memory it ever held [MB], its seconds of processor."""

    command: str
    peak_mb: float
    cpu_s: float


@dataclass(frozen=True)
class Used:
    """What a process took: seconds of clock and processor, the most memory it or a child held [MB]; its words; all
    processes seen, itself and those it started, by number."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    out: str
    seen: Mapping[int, Seen]


def measured(*arguments: str | Path) -> Used:
    """Runs this Python with `arguments`. Raises SystemExit with the process's last words when it fails."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    # The system's own figure of a child counts the parent's memory at its birth: the process is asked as it runs.
    watch = Watch(process.pid)
    watch.start()
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    watch.join()
    if status:
        raise SystemExit(f"failed: {' '.join(map(str, arguments))}\n{out[-2000:]}")
    most = max((one.peak_mb for one in watch.seen.values()), default=0.0)
    return Used(seconds, usage.ru_utime + usage.ru_stime, most, out, watch.seen)


class Watch(threading.Thread):
    """A process and those it starts, asked for memory and processor until it ends."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.seen = pid, dict[int, Seen]()

    def run(self) -> None:
        """Asks every twentieth of a second; a process keeps count of its own peak."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                for one in (process, *process.children(recursive=True)):
                    with suppress(psutil.NoSuchProcess, OSError, StopIteration):
                        self.seen[one.pid] = _look(one)
                time.sleep(0.05)


def _look(process: psutil.Process) -> Seen:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    peak_mb = int(next(x for x in lines if x.startswith("VmHWM")).split()[1]) / 1024
    times = process.cpu_times()
    return Seen(" ".join(process.cmdline()), peak_mb, times.user + times.system)


def panhuo(*arguments: str | Path) -> Used:
    """Runs the command line in a process of its own."""
    return measured("-m", "panhuo", *arguments)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as Markdown: the first column text, the others figures."""
    rule = ["---", *("--:" for _ in heads[1:])]
    return [f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows)]


def write_page(folder: Path, name: str, title: str, words: str, lines: Sequence[str]) -> None:
    """Writes docs/benchmarks/<name>.md (in `folder`) and prints it; `words` say what was run and how often."""
    busy = (
        f"{BUSY_AT_START:.1f} processes were at work on it when the bench began: clock times hold those too"
    )
    made = f"Written by `make bench` on {date.today()}. Machine: {machine()}; {busy}."
    text = "\n".join([f"# {title}", "", made, "", words, "", *lines]).rstrip() + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    print(text, flush=True)


def machine() -> str:
    """Processor, cores, memory and system, as the machine tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    name = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), platform.processor())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}"
