"""The Spark engine: each partition is one task of an Apache Spark job; tables travel as Parquet on shared storage.

The driver writes what it holds in hand as partitioned Parquet below the exchange folder and sends each task the paths
of its own share; the task reads them, runs the stage and writes its tables there:

    <exchange>/<run>/inputs/<dataset>/partition=00007/part.parquet
    <exchange>/<run>/outputs/<table>/partition=00007/<attempt>.parquet

Every attempt at a task writes under a name of its own, and Spark's scheduler accepts the answer of exactly one attempt:
only the files which that answer names are read. What a killed, repeated or speculative attempt left behind counts for
nothing, on storage that cannot rename (S3) too.
"""

import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

import pyarrow as pa

from panhuo.core.problems import PanhuoError
from panhuo.engines.contract import ParquetSlice, Partition, Stage, Tables, unique
from panhuo.engines.storage import remove_folder, write_parquet

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EXCHANGE_SETTING: Final = "spark.panhuo.exchange"
Answer: TypeAlias = Mapping[str, ParquetSlice] | PanhuoError
"""Where each table a task made lies; or what the stage refused, which is the user's to mend and not tried again."""


class SparkEngine:
    """Maps a stage over partitions on a Spark cluster; needs the `spark` extra and Java 17.

    session: by default the current Spark session, or one made from Spark's own settings (PYSPARK_SUBMIT_ARGS,
    SPARK_CONF_DIR).
    exchange: a folder all executors and the driver can reach (a shared disk, `hdfs://…`, `s3://…`); by default the
    Spark setting `spark.panhuo.exchange`, or a temporary folder where everything runs on this machine.
    """

    def __init__(self, session: "SparkSession | None" = None, exchange: str = "") -> None:
        self.session = session or _session()
        self.exchange = exchange or str(self.session.conf.get(EXCHANGE_SETTING, "") or "")
        if not self.exchange and not str(self.session.sparkContext.master).startswith("local"):
            raise PanhuoError(
                "Spark 引擎缺少交换目录 the Spark engine lacks an exchange folder",
                why="数据须经各节点都能访问的目录 tables pass through a folder every node reaches",
                remedy=f"设置 set {EXCHANGE_SETTING}=hdfs://…",
            )

    def map(self, stage: Stage, partitions: Iterable[Partition]) -> Iterator[tuple[str, Tables]]:
        """See `Engine.map`. All partitions are done before the first is yielded."""
        with self._run_folder() as folder:
            tasks = list(_tasks(partitions, folder))
            if not tasks:
                return
            one_each = self.session.sparkContext.parallelize(tasks, len(tasks))
            answers: list[Answer] = one_each.map(_worker(stage, folder)).collect()
            for (_, partition), answer in zip(tasks, answers, strict=True):
                if isinstance(answer, PanhuoError):
                    raise answer
                yield partition.key, {name: made.read() for name, made in answer.items()}

    @contextmanager
    def _run_folder(self) -> Iterator[str]:
        """A folder of this run's own, gone at its end."""
        shared = self.exchange or tempfile.mkdtemp(prefix="panhuo-spark-")
        folder = f"{shared.rstrip('/')}/{uuid.uuid4().hex}"
        try:
            yield folder
        finally:
            remove_folder(folder)
            if not self.exchange:
                shutil.rmtree(shared, ignore_errors=True)


def _session() -> "SparkSession":
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        from pyspark.errors import PySparkRuntimeError  # noqa: PLC0415
        from pyspark.sql import SparkSession  # noqa: PLC0415
    except ImportError as error:
        raise PanhuoError(
            "未安装 Spark Spark is not installed", why=str(error), remedy="pip install 'panhuo[spark]'"
        ) from error
    try:
        session: SparkSession = SparkSession.builder.appName("panhuo").getOrCreate()
    except PySparkRuntimeError as error:
        raise PanhuoError(
            "Spark 没有启动 Spark did not start",
            why=str(error),
            remedy="装 Java 17 并设 JAVA_HOME，查 Spark 设置 install Java 17, set JAVA_HOME, see Spark's settings",
        ) from error
    return session


def _tasks(partitions: Iterable[Partition], folder: str) -> Iterator[tuple[int, Partition]]:
    """The partitions numbered, their tables in hand written below `folder`; a table that the one before has too (the
    very same) is not written again."""
    held: dict[str, tuple[pa.Table, ParquetSlice]] = {}
    for number, partition in enumerate(unique(partitions)):
        held = {
            name: held[name]
            if name in held and held[name][0] is table
            else (table, _written(table, f"{folder}/inputs/{name}/partition={number:05d}/part.parquet"))
            for name, table in partition.inputs.items()
            if isinstance(table, pa.Table)
        }
        sent = {name: source for name, (_, source) in held.items()}
        yield number, Partition(partition.key, {**partition.inputs, **sent})


def _written(table: pa.Table, path: str) -> ParquetSlice:
    write_parquet(table, path)
    return ParquetSlice(path)


class _worker:  # noqa: N801 - a function with the stage bound, picklable by name
    """Runs the stage on one task in an executor."""

    def __init__(self, stage: Stage, folder: str) -> None:
        self.stage, self.folder = stage, folder

    def __call__(self, task: tuple[int, Partition]) -> Answer:
        number, partition = task
        attempt = uuid.uuid4().hex
        try:
            tables = self.stage(partition.load())
        except PanhuoError as error:
            return error
        place = f"{self.folder}/outputs/{{}}/partition={number:05d}/{attempt}.parquet"
        return {name: _written(table, place.format(name)) for name, table in tables.items()}
