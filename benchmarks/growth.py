"""How time and memory grow with the number of parcels: `python -m benchmarks.growth [--sizes N …]`.

Makes a province of each size, runs `panhuo assess` on it in a process of its own, and writes the seconds of every
stage, the peak memory and the exponent of growth to docs/benchmarks/growth.md, drawn in growth.svg.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import matplotlib as mpl
import numpy as np

from benchmarks.overlay_bench import machine
from benchmarks.province import make_workspace

mpl.use("svg")
from matplotlib import pyplot as plt

FOLDER = Path(__file__).parents[1] / "docs" / "benchmarks"
SIZES = (10_000, 100_000, 1_000_000, 5_000_000)


@dataclass(frozen=True)
class Point:
    """One size: parcels, seconds by stage (and `whole`: the process from start to end), peak memory [MB]."""

    parcels: int
    seconds: dict[str, float]
    peak_mb: float


def measure(parcels: int, engine: str) -> Point:
    """Assesses a fresh province of about `parcels` parcels."""
    with tempfile.TemporaryDirectory(prefix="bench-growth-") as name:
        workspace = Path(name) / "province"
        make_workspace(workspace, parcels)
        answer = Path(name) / "answer.json"
        program = "from panhuo.cli import main; main()"
        command = [sys.executable, "-c", program, "assess", str(workspace), "--engine", engine, "--json"]
        began = time.perf_counter()
        with answer.open("wb") as out:
            process = subprocess.Popen(command, stdout=out)
            _, status, usage = os.wait4(process.pid, 0)
        whole = time.perf_counter() - began
        if status:
            raise SystemExit(f"assess of {parcels:,} parcels failed")
        said = json.loads(answer.read_text())
    return Point(said["parcels"], {**said["seconds"], "whole": whole}, usage.ru_maxrss / 1024)


def exponents(points: list[Point]) -> dict[str, float]:
    """The slope of log seconds on log parcels of each stage: 1 is in proportion, n log n is below 1.1 here."""
    size = np.log([p.parcels for p in points])
    stages = points[-1].seconds
    return {
        s: float(np.polyfit(size, np.log([max(p.seconds.get(s, 0.0), 1e-3) for p in points]), 1)[0])
        for s in stages
    }


def draw(points: list[Point], path: Path) -> None:
    """Seconds by stage, and memory, against parcels, on logarithmic axes."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    sizes = [p.parcels for p in points]
    for stage in points[-1].seconds:
        left.loglog(sizes, [p.seconds.get(stage, np.nan) for p in points], marker="o", label=stage)
    right.loglog(sizes, [p.peak_mb for p in points], marker="o", color="black")
    left.set(xlabel="parcels", ylabel="seconds")
    right.set(xlabel="parcels", ylabel="peak memory, MB")
    left.legend(fontsize="small")
    figure.savefig(path)


def page(points: list[Point], engine: str) -> str:
    """The figures as Markdown."""
    stages = list(points[-1].seconds)
    slope = exponents(points)
    lines = [
        "# Growth of cost with the number of parcels",
        "",
        f"Written by `python -m benchmarks.growth` on {date.today()}: `panhuo assess --engine {engine}` on a made-up "
        f"province. Seconds by stage and peak memory of the process. Machine: {machine()}.",
        "",
        "![seconds and memory against parcels](growth.svg)",
        "",
        f"| parcels | {' | '.join(stages)} | peak MB |",
        "|--:|" + "--:|" * (len(stages) + 1),
    ]
    for p in points:
        figures = " | ".join(f"{p.seconds.get(s, float('nan')):.2f}" for s in stages)
        lines.append(f"| {p.parcels:,} | {figures} | {p.peak_mb:.0f} |")
    lines.append(f"| exponent | {' | '.join(f'{slope[s]:.2f}' for s in stages)} | |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--engine", default="local", choices=("local", "spark"))
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    points = []
    for size in sorted(options.sizes):
        points.append(measure(size, options.engine))
        print(points[-1], file=sys.stderr, flush=True)
    options.folder.mkdir(parents=True, exist_ok=True)
    draw(points, options.folder / "growth.svg")
    text = page(points, options.engine)
    (options.folder / "growth.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
