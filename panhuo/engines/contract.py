"""What an engine takes and gives: partitions of named Arrow tables, and stages over them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import pyarrow as pa
import pyarrow.dataset as ds

from panhuo.core.problems import PanhuoError
from panhuo.engines.storage import open_storage

Tables = Mapping[str, pa.Table]
Stage = Callable[[Tables], Tables]


@dataclass(frozen=True, slots=True)
class ParquetSlice:
    """Part of a Parquet file or folder, read where the work is done.

    path: anything the workers can reach: a local path or a URI (`hdfs://…`, `s3://…`).
    column, prefix: keep the rows whose string `column` begins with `prefix`, or is empty where `prefix` is
    None; row groups that cannot hold such a row are skipped unread. No `column` keeps all rows.
    columns: the columns to read; None for all.
    """

    path: str
    column: str = ""
    prefix: str | None = ""
    columns: tuple[str, ...] | None = None

    def read(self) -> pa.Table:
        """The rows of the slice, in file order."""
        filesystem, path = open_storage(self.path)
        dataset = ds.dataset(path, filesystem=filesystem, format="parquet")
        columns = list(self.columns) if self.columns is not None else None
        return dataset.to_table(columns=columns, filter=self._filter())

    def _filter(self) -> ds.Expression | None:
        if not self.column:
            return None
        field = ds.field(self.column)
        if self.prefix is None:
            return field.is_null()
        # A range, so that row groups can be skipped by their statistics; it holds every string so begun.
        return (field >= self.prefix) & (field < self.prefix + chr(0x10FFFF))


Source: TypeAlias = pa.Table | ParquetSlice


@dataclass(frozen=True, slots=True)
class Partition:
    """One county's share of the work.

    key: its division code, unique within a run; inputs: dataset name → source.
    """

    key: str
    inputs: Mapping[str, Source]

    def load(self) -> dict[str, pa.Table]:
        """The inputs as tables, read here and now."""
        return {name: s.read() if isinstance(s, ParquetSlice) else s for name, s in self.inputs.items()}


class Engine(Protocol):
    """Runs a stage over partitions. See the package's docstring for the contract."""

    def map(self, stage: Stage, partitions: Iterable[Partition]) -> Iterator[tuple[str, Tables]]:
        """`(key, tables)` of each partition, in the order given. An error of the stage is raised."""
        ...


def open_engine(name: str) -> Engine:
    """The engine called `name`, "local" or "spark". Raises PanhuoError for any other name."""
    if name == "local":
        from panhuo.engines.local import LocalEngine  # noqa: PLC0415

        return LocalEngine()
    if name == "spark":
        from panhuo.engines.spark import SparkEngine  # noqa: PLC0415

        return SparkEngine()
    raise PanhuoError(
        f"没有名为 {name} 的引擎 · no engine called {name}", remedy="用 local 或 spark · use local or spark"
    )


def unique(partitions: Iterable[Partition]) -> Iterator[Partition]:
    """The partitions, each made when it is asked for. Raises ValueError at one whose key was there before."""
    keys = set()
    for partition in partitions:
        if partition.key in keys:
            raise ValueError(f"two partitions bear the same key {partition.key}")
        keys.add(partition.key)
        yield partition
