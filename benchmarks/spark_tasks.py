"""Tasks of an assessment on Spark: `python -m benchmarks.spark_tasks WORKSPACE --handfuls N …`.

Surveys the land and judges every county, by handfuls of at least N parcels, each task in a Python worker of its own;
prints as JSON what each task took and what the exchange folder held. Run by spark_bench.
"""

import argparse
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from panhuo.engines import Partition, Stage, Tables
from panhuo.engines.spark import SparkEngine
from panhuo.flow import judge_county
from panhuo.rulebook import Rulebook
from panhuo.workspace.assess import read, without_outlines
from panhuo.workspace.counties import Counties, pieces
from panhuo.workspace.space import land, land_law
from panhuo.workspace.store import Workspace

TOOK = "took"


@dataclass(frozen=True)
class Timed:
    """A stage that adds a table of what its run took."""

    stage: Stage

    def __call__(self, tables: Tables) -> Tables:
        began, cpu = time.perf_counter(), time.process_time()
        made = self.stage(tables)
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
        took = {"parcels": tables["parcels"].num_rows, "seconds": seconds, "cpu_s": cpu_s, "pid": os.getpid()}
        return {**made, TOOK: pa.Table.from_pylist([took])}


class Weighed(SparkEngine):
    """The Spark engine, which notes of each stage it maps the tasks and the bytes in the exchange folder."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[dict[str, Any]] = []

    def map(self, stage: Stage, partitions: Iterable[Partition]) -> Iterator[tuple[str, Tables]]:
        """See `Engine.map`."""
        tasks: list[dict[str, Any]] = []
        self.runs.append({"stage": type(stage).__name__, "tasks": tasks})
        for key, tables in super().map(Timed(stage), partitions):
            tasks += tables[TOOK].to_pylist()
            yield key, tables

    @contextmanager
    def _run_folder(self) -> Iterator[str]:
        with super()._run_folder() as folder:
            yield folder
            for kind in ("inputs", "outputs"):
                files = [path for path in Path(folder, kind).rglob("*.parquet") if TOOK not in path.parts]
                self.runs[-1][kind] = sum(path.stat().st_size for path in files)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--handfuls", type=int, nargs="+", required=True)
    options = parser.parse_args()
    ws, book, day = Workspace.open(options.workspace), Rulebook.load(None), date.today()
    shutil.rmtree(ws.root / "cache", ignore_errors=True)  # tiles that are remembered would not be looked at
    engine, tables = Weighed(), read(ws)
    tables["spatial"] = land(ws, tables, land_law(book, day), engine).facts
    counties = Counties(without_outlines(tables))
    for handful in options.handfuls:
        partitions = (Partition(cut[0].key, counties.inputs(cut)) for cut in pieces(counties.list, handful))
        for _ in engine.map(judge_county(book.root, day), partitions):
            pass
        engine.runs[-1]["handful"] = handful
    print(json.dumps(engine.runs))


if __name__ == "__main__":
    main()
