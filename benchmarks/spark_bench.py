"""Assess by the Spark engine beside the local one: `python -m benchmarks.spark_bench [--parcels N]`."""

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks import report
from benchmarks.province import make_workspace

WORDS = """`panhuo assess` of the same made-up province by both engines on this one machine, one run each; Spark in its
local mode, a task for each county, Java's start included. Peak memory is that of the largest single process. What Spark
costs over the local engine here is what it must win back by machines."""


def main(arguments: list[str] | None = None) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parcels", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=report.DOCS)
    options = parser.parse_args(arguments)
    rows, counts = [], []
    with tempfile.TemporaryDirectory(prefix="bench-spark-") as name:
        for engine in ("local", "spark"):
            workspace = make_workspace(Path(name) / engine, options.parcels)
            used = report.panhuo("assess", workspace.root, "--engine", engine, "--json")
            said = json.loads(used.out)
            counts.append((said["findings"], said["options"]))
            mapped = said["seconds"]["diagnose and match"]
            rows.append(
                [engine, f"{used.wall_s:.1f}", f"{mapped:.1f}", f"{used.cpu_s:.1f}", f"{used.peak_mb:.0f}"]
            )
    if counts[0] != counts[1]:
        raise SystemExit(f"the engines differ: {counts}")
    heads = ["engine", "whole s", "diagnose and match s", "CPU s", "peak MB"]
    title = f"Spark engine, {options.parcels:,} parcels"
    report.write_page(options.folder, "spark-engine", title, WORDS, report.table(heads, rows))


if __name__ == "__main__":
    main()
