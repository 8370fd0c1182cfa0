"""The space stage alone: `python -m benchmarks.space_bench FOLDER`, a workspace of benchmarks.province.

Prints wall and CPU seconds and peak memory of reading the inventory, of the survey without layers, and of the land as
an assessment asks for it (with layers) the first and the second time; the second finds the tiles again.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks.overlay_bench import machine
from panhuo.inventory.spatial_facts import survey
from panhuo.workspace.assess import read
from panhuo.workspace.space import LandLaw, land
from panhuo.workspace.store import Workspace

T = TypeVar("T")


def peak_mb() -> float:
    """Greatest memory of this process so far [MB]; not told on Windows."""
    if sys.platform == "win32":
        return float("nan")
    import resource  # noqa: PLC0415 - not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 1024)


def timed(name: str, work: Callable[[], T]) -> T:
    """Does some work and prints what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"| {name} | {wall:.1f} | {cpu:.1f} | {peak_mb():.0f} |", flush=True)
    return result


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    workspace = Workspace.open(parser.parse_args().folder)
    print(f"{machine()}\n\n| | wall s | CPU s | peak MB so far |\n|---|--:|--:|--:|")
    tables = timed("read", lambda: read(workspace))
    contracts, users = tables.get("contracts"), tables.get("occupancies")
    timed(
        "survey without layers",
        lambda: survey(tables["parcels"], {}, contracts=contracts, occupancies=users),
    )
    with tempfile.TemporaryDirectory(prefix="space-bench-") as folder:
        # The cache of a copy, so that the first time is a first time; the big files are links.
        copy = Path(folder) / "workspace"
        shutil.copytree(workspace.root, copy, ignore=shutil.ignore_patterns("cache", "inventory"))
        (copy / "inventory").symlink_to(workspace.root.resolve() / "inventory", target_is_directory=True)
        fresh = Workspace.open(copy)
        for time_ in ("first", "second"):
            timed(f"land, {time_} time", lambda: land(fresh, tables, LandLaw(1.0)))


if __name__ == "__main__":
    main()
