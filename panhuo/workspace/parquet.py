"""Tables as Parquet files: rows in groups, outlines as GeoParquet."""

import json
from functools import cache
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyproj

ROW_GROUP: Final = 65_536


def write_table(table: pa.Table, path: Path) -> None:
    """`table` as Parquet, as GeoParquet when it has outlines.

    Only columns that repeat are dictionary-coded, which saves time and space.
    """
    file = TableFile(path)
    file.write(table)
    file.close()


class TableFile:
    """A file as `write_table` writes it, of a table that comes part by part; all parts have the first one's columns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[pa.Table] = []
        self._out: pq.ParquetWriter | None = None

    def write(self, part: pa.Table) -> None:
        """Adds rows; whole row groups are written out."""
        self._waiting.append(part)
        held = sum(table.num_rows for table in self._waiting)
        if held >= ROW_GROUP:
            whole = pa.concat_tables(self._waiting)
            self._flush(whole.slice(0, held - held % ROW_GROUP))
            self._waiting = [whole.slice(held - held % ROW_GROUP)]

    def close(self) -> None:
        """Writes what is left and ends the file; without any part there is none."""
        left = [table for table in self._waiting if table.num_rows or self._out is None]
        if left:
            self._flush(pa.concat_tables(left))
        if self._out is not None:
            self._out.close()

    def _flush(self, table: pa.Table) -> None:
        if "geometry" in table.column_names:
            table = table.replace_schema_metadata({**(table.schema.metadata or {}), b"geo": geo_metadata()})
        if self._out is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            coded = [name for name in table.column_names if repeats(table[name])]
            self._out = pq.ParquetWriter(self.path, table.schema, compression="snappy", use_dictionary=coded)
        self._out.write_table(table, row_group_size=ROW_GROUP)


def repeats(column: pa.ChunkedArray) -> bool:
    """Whether a column holds some values again and again: half of its first rows have been seen before."""
    if pa.types.is_binary(column.type) or pa.types.is_floating(column.type):
        return False
    first = column.slice(0, ROW_GROUP)
    return not pa.types.is_nested(column.type) and 2 * pc.count_distinct(first).as_py() <= len(first)


@cache
def geo_metadata() -> bytes:
    """The GeoParquet note of a table whose `geometry` is WKB in EPSG:4490."""
    crs = pyproj.CRS.from_epsg(4490).to_json_dict()
    column = {"encoding": "WKB", "geometry_types": [], "crs": crs}
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    return json.dumps(geo).encode()
