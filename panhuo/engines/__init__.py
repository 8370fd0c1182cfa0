"""Engines map a stage over county partitions: the local machine's threads, or an Apache Spark cluster.

The contract, the same for every engine:

- a **stage** is a picklable function from named Arrow tables to named Arrow tables; it opens no store;
- a **partition** names its inputs: tables in hand, or slices of Parquet files that the worker reads itself;
- ``engine.map(stage, partitions)`` yields one `(key, tables)` for each partition, in the order given, each
  exactly once, whatever the number of workers and whichever of them die on the way.

Facts that cross counties (neighbours, a city's rank shares) are computed on what `map` yields, not inside.
"""

from panhuo.engines.contract import Engine, ParquetSlice, Partition, Source, Stage, Tables, open_engine

__all__ = ["Engine", "ParquetSlice", "Partition", "Source", "Stage", "Tables", "open_engine"]
