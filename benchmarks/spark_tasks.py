"""Tasks of an assessment by their size, on Spark: `python -m benchmarks.spark_tasks WORKSPACE --handfuls N …`.

Judges every county by handfuls of at least N parcels, each task in a Python worker of its own, and prints as JSON what
each took: parcels, seconds, its worker's number; and the bytes of the exchange folder by table. Run by spark_bench.
"""

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
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

TASK = "task"


@dataclass(frozen=True)
class Timed:
    """A stage that adds a table of what its run took."""

    stage: Stage

    def __call__(self, tables: Tables) -> Tables:
        began, cpu = time.perf_counter(), time.process_time()
        made = self.stage(tables)
        took = {
            "parcels": tables["parcels"].num_rows,
            "seconds": time.perf_counter() - began,
            "cpu_s": time.process_time() - cpu,
            "pid": os.getpid(),
        }
        return {**made, TASK: pa.Table.from_pylist([took])}


class Weighed(SparkEngine):
    """The Spark engine, which says what the exchange folder of its last run held: bytes by kind and table."""

    def __init__(self) -> None:
        super().__init__()
        self.held: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def _run_folder(self) -> Iterator[str]:
        with super()._run_folder() as folder:
            yield folder
            self.held.clear()
            for path in Path(folder).rglob("*.parquet"):
                kind, name, *_ = path.relative_to(folder).parts
                self.held[kind, name] += path.stat().st_size


def judged(counties: Counties, handful: int, stage: Stage) -> dict[str, Any]:
    """The tasks of one run by handfuls of at least so many units, and the bytes in and out of all."""
    engine = Weighed()
    partitions = (Partition(piece[0].key, counties.inputs(piece)) for piece in pieces(counties.list, handful))
    tasks = [tables[TASK].to_pylist()[0] for _, tables in engine.map(Timed(stage), partitions)]
    sums = {
        kind: sum(size for (where, name), size in engine.held.items() if where == kind and name != TASK)
        for kind in ("inputs", "outputs")
    }
    return {"handful": handful, "tasks": tasks, **sums}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--handfuls", type=int, nargs="+", required=True)
    options = parser.parse_args()
    ws, book, day = Workspace.open(options.workspace), Rulebook.load(None), date.today()
    tables = read(ws)
    tables["spatial"] = land(ws, tables, land_law(book, day)).facts
    counties = Counties(without_outlines(tables))
    stage = judge_county(book.root, day)
    print(json.dumps([judged(counties, handful, stage) for handful in options.handfuls]))


if __name__ == "__main__":
    main()
