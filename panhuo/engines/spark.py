"""The Spark engine: each partition is one task of an Apache Spark job; tables travel as Arrow.

Results go through a folder that the driver and the executors share (`exchange`), written by Spark's own commit
protocol: a task that is retried or run twice commits once, so an executor that dies loses and doubles nothing.
"""

import os
import pickle
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs

from panhuo.core.problems import PanhuoError
from panhuo.engines.contract import Partition, Stage, Tables, unique

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EXCHANGE_SETTING: Final = "spark.panhuo.exchange"
TASK: Final = "number int, partition binary"
ANSWER: Final = "number int, name string, data binary"
"""One row for each table a stage gives (Arrow IPC), one for what it refused, one with an empty name to say it ran."""
ANSWER_SCHEMA: Final = pa.schema([("number", pa.int32()), ("name", pa.string()), ("data", pa.binary())])
REFUSED: Final = "!"


class SparkEngine:
    """Maps a stage over partitions on a Spark cluster; needs the `spark` extra and Java 17.

    session: by default the current Spark session, or one made from Spark's own settings (spark-submit, SPARK_CONF_DIR).
    exchange: a folder all executors and the driver can reach (`hdfs://…`, `s3a://…`, `file:///…`); by default the Spark
    setting `spark.panhuo.exchange`, or a temporary folder where everything runs on this machine.
    """

    def __init__(self, session: "SparkSession | None" = None, exchange: str = "") -> None:
        self.session = session or _session()
        self.exchange = exchange or str(self.session.conf.get(EXCHANGE_SETTING, "") or "")
        if not self.exchange and not str(self.session.sparkContext.master).startswith("local"):
            raise PanhuoError(
                "Spark 引擎缺少交换目录 the Spark engine lacks an exchange folder",
                why="结果须经各节点都能访问的目录 results pass through a folder every node reaches",
                remedy=f"设置 set {EXCHANGE_SETTING}=hdfs://…",
            )

    def map(self, stage: Stage, partitions: Iterable[Partition]) -> Iterator[tuple[str, Tables]]:
        """See `Engine.map`. All partitions are done before the first is yielded."""
        listed = unique(partitions)
        if not listed:
            return
        own = None if self.exchange else Path(tempfile.mkdtemp(prefix="panhuo-spark-"))
        folder = f"{own.as_uri() if own else self.exchange.rstrip('/')}/{uuid.uuid4().hex}"
        try:
            self._run(stage, listed, folder)
            for number, partition in enumerate(listed):
                yield partition.key, _read_answer(f"{folder}/number={number}")
        finally:
            if own:
                shutil.rmtree(own, ignore_errors=True)
            else:
                filesystem, path = pyarrow.fs.FileSystem.from_uri(folder)
                filesystem.delete_dir_contents(path, missing_dir_ok=True)

    def _run(self, stage: Stage, partitions: list[Partition], folder: str) -> None:
        rows = [(number, bytearray(pickle.dumps(p))) for number, p in enumerate(partitions)]
        one_each = self.session.sparkContext.parallelize(rows, len(rows))
        tasks = self.session.createDataFrame(one_each, TASK)
        answers = tasks.mapInArrow(_worker(stage), ANSWER)
        answers.write.partitionBy("number").parquet(folder)


def _session() -> "SparkSession":
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415
    except ImportError as error:
        raise PanhuoError(
            "未安装 Spark Spark is not installed",
            why=str(error),
            remedy="pip install 'panhuo[spark]'；Java 17",
        ) from error
    session: SparkSession = SparkSession.builder.appName("panhuo").getOrCreate()
    return session


class _worker:  # noqa: N801 - a function with the stage bound, picklable by name
    """Runs the stage on each task of an executor."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number, task in zip(batch["number"].to_pylist(), batch["partition"].to_pylist(), strict=True):
                for name, data in self._answers(task):
                    yield pa.RecordBatch.from_arrays(
                        [pa.array([number], pa.int32()), pa.array([name]), pa.array([data], pa.binary())],
                        schema=ANSWER_SCHEMA,
                    )

    def _answers(self, task: bytes) -> Iterator[tuple[str, bytes]]:
        # The tasks were pickled by the driver of this very job.
        partition: Partition = pickle.loads(task)
        try:
            tables = self.stage(partition.load())
        except PanhuoError as error:  # the user's to mend: said once, not tried again
            yield REFUSED, pickle.dumps(error.as_dict())
            return
        yield "", b""
        for name, table in tables.items():
            yield name, _to_bytes(table)


def _to_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _read_answer(folder: str) -> Tables:
    filesystem, path = pyarrow.fs.FileSystem.from_uri(folder)
    rows = ds.dataset(path, filesystem=filesystem, format="parquet").to_table(columns=["name", "data"])
    answer = dict(zip(rows["name"].to_pylist(), rows["data"].to_pylist(), strict=True))
    if REFUSED in answer:
        said = pickle.loads(answer[REFUSED])
        raise PanhuoError(said.pop("what"), **said)
    return {name: pa.ipc.open_stream(data).read_all() for name, data in answer.items() if name}
