"""Assess by the Spark engine beside the local one: `python -m benchmarks.spark_bench [--sizes N …]`.

Assesses a made-up province with both engines, Spark on a local cluster of two executor processes; then judges its
counties by tasks of several sizes. Writes docs/benchmarks/spark.md: what was measured, and what a city, a province and
a country would need by it.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import report
from benchmarks.province import make_workspace
from panhuo.workspace.counties import PIECE, SHARE

Floats = NDArray[np.float64]
SIZES = (100_000, 1_000_000)
HANDFULS = (16_384, 65_536)
COUNTRY, PROVINCES, CITIES = 300_000_000, 31, 333
"""Parcels of the country the issue asks for; provinces and prefectures to share them."""
JUDGE = "judge_county"
STAGES = {"look_at_tile": "tiles", "measure_outlines": "layers", JUDGE: "counties"}
"""The stages that are mapped, as the page calls them."""
CPU, PEAK = 2, 3
"""Columns of a task's row."""
CORES = 200
"""A small cluster, for the hours on the clock."""
KINDS = {"SparkSubmit": "driver JVM", "CoarseGrainedExecutor": "executor JVM", "pyspark.daemon": "worker"}
SETTINGS = """spark.master local-cluster[2,1,1024]
spark.ui.enabled false
spark.eventLog.enabled true
spark.eventLog.compress false
spark.eventLog.rolling.enabled false
spark.eventLog.dir {log}
spark.python.worker.reuse {reuse}
"""
WORDS = """`panhuo assess` of the same made-up provinces by both engines on this one machine, one run each. Spark is a
local cluster of two executor processes with one core each, Java's start included; inputs and results pass through a
folder as partitioned Parquet. How to run it on a real cluster: [howto/spark.md](../howto/spark.md). Memory is the most
a process ever held; CPU sums the processes that took part. What Spark costs over the local engine on one machine is
what it must win back by machines."""


@dataclass(frozen=True)
class Run:
    """One assessment of a size by an engine: what its process took and what it said."""

    engine: str
    parcels: int
    used: report.Used
    said: Mapping[str, Any]

    def peak_mb(self, kind: str) -> float:
        """The most memory of a process of some kind [MB], 0 where there was none."""
        return max((p.peak_mb for p in self.used.seen.values() if kind_of(p.command) == kind), default=0.0)

    def cpu_s(self, kind: str = "") -> float:
        """Seconds of processor of all processes of a kind (all kinds by default)."""
        return sum(p.cpu_s for p in self.used.seen.values() if kind in ("", kind_of(p.command)))


@dataclass(frozen=True)
class Line:
    """A straight line through figures of tasks: fixed part and part for each parcel."""

    fixed: float
    each: float

    def at(self, parcels: float) -> float:
        """The figure of a task of so many parcels."""
        return self.fixed + self.each * parcels


@dataclass(frozen=True)
class Tasks:
    """The tasks of one mapped stage: its name and handful, (parcels, seconds, CPU seconds, peak MB) each, the bytes of
    the exchange folder in and out for each parcel of the land."""

    stage: str
    handful: int
    rows: Sequence[tuple[int, float, float, float]]
    bytes_in: float
    bytes_out: float

    @property
    def parcels(self) -> float:
        """Parcels in the mean task."""
        return float(np.mean([row[0] for row in self.rows]))


@dataclass(frozen=True)
class Measured:
    """All stages mapped; of Spark's own event log the bytes shuffled for each parcel, and of a task's answer."""

    stages: Sequence[Tasks]
    shuffled: float
    answer: float

    def usual(self) -> Mapping[str, Tasks]:
        """Of each stage its tasks of the largest handful."""
        return {tasks.stage: tasks for tasks in sorted(self.stages, key=lambda tasks: tasks.handful)}

    def line(self, stage: str, column: int) -> Line:
        """The line through a column of the rows of a stage's tasks, of all handfuls, against their parcels."""
        rows = [row for tasks in self.stages if tasks.stage == stage for row in tasks.rows]
        return through([(row[0], row[column]) for row in rows])


def through(points: Sequence[tuple[float, float]]) -> Line:
    """The line through (parcels, figure) by least squares; through one size in proportion. Nothing falls with size."""
    parcels, figure = np.array(points).T
    if len(set(parcels)) < 2:
        return Line(0.0, float(figure.mean() / parcels.mean()))
    each, fixed = np.polyfit(parcels, figure, 1)
    return Line(float(max(fixed, 0.0)), float(max(each, 0.0)))


def kind_of(command: str) -> str:
    """What a process is in a Spark run, by its command line."""
    return next((kind for word, kind in KINDS.items() if word in command), "driver")


def with_settings(folder: Path, *, reuse: bool) -> Path:
    """Points Spark at settings of its own in `folder`; gives the folder of its event log."""
    log = folder / "events"
    log.mkdir(parents=True)
    text = SETTINGS.format(log=log.as_uri(), reuse=str(reuse).lower())
    (folder / "spark-defaults.conf").write_text(text, encoding="utf-8")
    os.environ |= {"SPARK_CONF_DIR": str(folder), "SPARK_LOCAL_IP": "127.0.0.1"}
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])  # executors stand in folders of their own
    return log


def assessed(folder: Path, parcels: int) -> list[Run]:
    """The province of a size assessed by both engines. Raises SystemExit when they differ in a byte."""
    runs, results = [], []
    for engine in ("local", "spark"):
        with_settings(folder / f"{engine}-{parcels}", reuse=True)
        ws = make_workspace(folder / engine / str(parcels), parcels)
        used = report.panhuo("assess", ws.root, "--engine", engine, "--json")
        said = json.loads(used.out)
        runs.append(Run(engine, said["parcels"], used, said))
        results.append({p.name: p.read_bytes() for p in ws.root.glob("assessments/*/*.parquet")})
    if results[0] != results[1]:
        raise SystemExit(f"the engines differ at {parcels} parcels")
    return runs


def tasks_of(folder: Path, workspace: Path, parcels: int, handfuls: Sequence[int]) -> Measured:
    """The land of a workspace surveyed, and its counties judged by tasks of several sizes."""
    log = with_settings(folder / "tasks", reuse=False)
    used = report.measured("-m", "benchmarks.spark_tasks", workspace, "--handfuls", *map(str, handfuls))
    stages = []
    for run in json.loads(used.out):
        rows = [(t["parcels"], t["seconds"], t["cpu_s"], used.seen[t["pid"]].peak_mb) for t in run["tasks"]]
        size = run["inputs"] / parcels, run["outputs"] / parcels
        stages.append(Tasks(run["stage"], run.get("handful", 0), rows, *size))
    shuffled, answer = shuffle_and_answers(log)
    return Measured(stages, shuffled / parcels, answer)


def shuffle_and_answers(log: Path) -> tuple[int, float]:
    """Bytes shuffled by all tasks of an event log, and bytes of a task's answer to the driver."""
    shuffled, answers = 0, []
    for path in log.rglob("*"):
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
            event = json.loads(line)
            if event["Event"] == "SparkListenerTaskEnd" and "Task Metrics" in event:
                metrics = event["Task Metrics"]
                reading = metrics["Shuffle Read Metrics"]
                shuffled += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
                shuffled += reading["Remote Bytes Read"] + reading["Local Bytes Read"]
                answers.append(metrics["Result Size"])
    if not answers:
        raise SystemExit(f"Spark's event log in {log} tells of no task")
    return shuffled, float(np.mean(answers))


def lines_of(runs: Sequence[Run], tasks: Measured) -> list[str]:
    """The page: whole assessments, tasks, and what they make of larger lands."""
    stages = list(runs[0].said["seconds"])
    kinds = ("driver", *KINDS.values())
    whole = [
        [
            f"{run.parcels:,} · {run.engine}",
            f"{run.used.wall_s:.1f}",
            *(f"{run.said['seconds'][stage]:.1f}" for stage in stages),
            f"{run.cpu_s():.0f}",
            *(f"{run.peak_mb(kind):.0f}" if run.peak_mb(kind) else "" for kind in kinds),
        ]
        for run in runs
    ]
    heads = ["parcels · engine", "whole s", *(f"{s} s" for s in stages), "CPU s", *(f"{k} MB" for k in kinds)]
    over = [
        f"{b.parcels:,} parcels: {b.used.wall_s / a.used.wall_s:.2f} × the clock, {b.cpu_s() / a.cpu_s():.2f} × the CPU"
        for a, b in zip(runs[::2], runs[1::2], strict=True)
    ]
    return [
        "## Whole assessments",
        "",
        *report.table(heads, whole),
        "",
        f"Spark over the local engine: {'; '.join(over)}. The result tables of both are the same bytes "
        "(the bench fails when they are not).",
        "",
        "## Tasks",
        "",
        "Each stage that is mapped, each task in a fresh Python worker, two at a time: seconds hold what the worker's "
        "first task prepares (the law read, kernels loaded). Bytes are those of the Parquet files in the exchange "
        "folder, for each parcel of the land; tiles look a little beyond their edge, so their parcels are some more.",
        "",
        *task_table(tasks),
        "",
        f"Shuffle, by Spark's event log: {tasks.shuffled:.0f} bytes a parcel over all stages: no stage exchanges "
        f"anything between its tasks. An answer to the driver (paths and metrics): {tasks.answer:,.0f} bytes.",
        "",
        "## What larger lands need",
        "",
        *larger(runs, tasks),
    ]


def task_table(measured: Measured) -> list[str]:
    """A row for each stage and handful."""
    rows = []
    for tasks in measured.stages:
        _, seconds, cpu, peak = np.array(tasks.rows).T
        name = STAGES[tasks.stage] + (f", {tasks.handful:,} at least" if tasks.handful else "")
        figures = [f"{tasks.parcels:,.0f}", f"{seconds.mean():.1f}", f"{cpu.mean():.1f}", f"{peak.max():.0f}"]
        rows.append([name, str(len(tasks.rows)), *figures, f"{tasks.bytes_in:.0f}", f"{tasks.bytes_out:.0f}"])
    heads = [
        "stage",
        "tasks",
        "parcels a task",
        "s a task",
        "CPU s",
        "most worker MB",
        "bytes in a parcel",
        "bytes out",
    ]
    return report.table(heads, rows)


def larger(runs: Sequence[Run], measured: Measured) -> list[str]:
    """What a city, a province and a country in one workspace need, and by which formula."""
    lands = [COUNTRY / CITIES, COUNTRY / PROVINCES, COUNTRY]
    rows = [["parcels N", *(f"{parcels:,.0f}" for parcels in lands)]]
    tasks, hours, moved = np.zeros(3), np.zeros(3), 0.0
    for stage, usual in measured.usual().items():
        clock, memory, name = measured.line(stage, CPU), measured.line(stage, PEAK), STAGES[stage]
        count = np.maximum(np.ceil(np.array(lands) / usual.parcels), 1)
        spent = (clock.fixed * count + clock.each * np.array(lands)) / 3600
        formula = f"({clock.fixed:.1f} s × tasks + {clock.each * 1000:.3f} s × N ÷ 1000) ÷ 3600"
        rows += [
            [f"{name}: tasks, N ÷ {usual.parcels:,.0f}", *(f"{n:,.0f}" for n in count)],
            [f"{name}: core-hours, {formula}", *(f"{h:,.2f}" for h in spent)],
            [
                f"{name}: worker MB, {memory.fixed:.0f} + {memory.each * 1000:.2f} × parcels of the task ÷ 1000",
                *(f"{memory.at(min(usual.parcels, parcels)):,.0f}" for parcels in lands),
            ],
        ]
        tasks, hours, moved = tasks + count, hours + spent, moved + usual.bytes_in + usual.bytes_out
    most = measured.line(JUDGE, PEAK).at(PIECE + SHARE)
    spark = [run for run in runs if run.engine == "spark"]
    driver_mb = through([(run.parcels, run.peak_mb("driver")) for run in spark])
    driver_s = through([(run.parcels, run.cpu_s("driver")) for run in spark])
    minutes = hours * 60 / np.minimum(tasks, CORES)
    rows += [
        [
            f"worker MB of the largest task, of {PIECE + SHARE:,} parcels judged",
            *(f"{most:,.0f}" for _ in lands),
        ],
        [f"core-hours of all tasks; on {CORES} cores minutes", *_pairs(hours, minutes)],
        [f"GB through the exchange folder: {moved:.0f} B × N", *(f"{moved * n / 1e9:,.1f}" for n in lands)],
        [
            f"GB shuffled: {measured.shuffled:.0f} B × N",
            *(f"{measured.shuffled * n / 1e9:,.1f}" for n in lands),
        ],
        [
            f"MB of answers: {measured.answer:,.0f} B × tasks",
            *(f"{measured.answer * n / 1e6:,.1f}" for n in tasks),
        ],
        [
            f"driver: core-hours, ({driver_s.fixed:.0f} s + {driver_s.each * 1e6:.0f} s × N ÷ 10⁶) ÷ 3600",
            *(f"{driver_s.at(parcels) / 3600:,.2f}" for parcels in lands),
        ],
        [
            f"driver: GB, {driver_mb.fixed / 1024:.2f} + {driver_mb.each * 1e6 / 1024:.2f} × N ÷ 10⁶",
            *(f"{driver_mb.at(parcels) / 1024:,.1f}" for parcels in lands),
        ],
    ]
    return [
        f"{COUNTRY:,} parcels shared evenly by {CITIES} cities or {PROVINCES} provinces, at this machine's speed. Each "
        "line names its formula; its constants are fitted to the figures above (tasks: a straight line through those "
        "of the stage; driver: its Python process in the Spark runs above). Core-hours are of CPU seconds, which a "
        "busy machine changes little.",
        "",
        *report.table(["need", "a city", "a province", "the country in one"], rows),
        "",
        "The driver is what ends first: it holds the fields of all parcels of the workspace it assesses. So a country "
        "is assessed province by province (or city by city), a workspace and a driver each, side by side on one "
        "cluster: firms are ranked by city, and lose nothing; what is not seen is a neighbour beyond the edge of the "
        "workspace.",
    ]


def _pairs(hours: Floats, minutes: Floats) -> list[str]:
    return [f"{a:,.1f} h; {b:,.1f} min" for a, b in zip(hours, minutes, strict=True)]


def main(arguments: list[str] | None = None) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--handfuls", type=int, nargs="+", default=HANDFULS)
    parser.add_argument("--folder", type=Path, default=report.DOCS)
    options = parser.parse_args(arguments)
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="bench-spark-") as name:
        folder = Path(name)
        for parcels in sorted(options.sizes):
            runs += assessed(folder, parcels)
            print(runs[-2:], file=sys.stderr, flush=True)
        largest = folder / "local" / str(max(options.sizes))
        tasks = tasks_of(folder, largest, runs[-1].parcels, options.handfuls)
    lines = lines_of(runs, tasks)
    report.write_page(options.folder, "spark", "Spark engine: cost and reach", WORDS, lines)


if __name__ == "__main__":
    main()
