"""Parquet and GeoParquet."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from panhuo.core.problems import PanhuoError
from panhuo.inventory.readers.raw import MAX_COLUMNS, RawTable, too_wide, unreadable

LONLAT = "OGC:CRS84"


def read_parquet(path: Path, file: str) -> list[RawTable]:
    """The table; its primary geometry column (WKB) when it is GeoParquet."""
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as fault:
        raise unreadable(file, str(fault)) from None
    if table.num_columns > MAX_COLUMNS:
        raise too_wide(file, table.num_columns)
    outline, crs = geometry_column(table, file)
    names = tuple(n for n in table.column_names if n != outline)
    geometry = table[outline].cast(pa.binary()) if outline else None
    return [RawTable(file, "", names, tuple(table[n] for n in names), 1, geometry, crs)]


def geometry_column(table: pa.Table, file: str) -> tuple[str, str]:
    """The name and CRS of the outlines, both empty for a plain table."""
    note = (table.schema.metadata or {}).get(b"geo")
    if note is None:
        binary = [
            f.name
            for f in table.schema
            if pa.types.is_binary(f.type) and f.name.lower() in ("geometry", "geom")
        ]
        return (binary[0] if binary else ""), ""
    geo: dict[str, Any] = json.loads(note)
    name = geo["primary_column"]
    column = geo["columns"][name]
    if column.get("encoding") != "WKB":
        raise PanhuoError(
            "GeoParquet 的图形不是 WKB the outlines are not WKB",
            where=f"{file}, {name}",
            why=str(column.get("encoding")),
            remedy="用 WKB 编码另存 save with WKB encoding",
        )
    crs = column.get("crs", LONLAT)
    return name, crs if isinstance(crs, str) else json.dumps(crs) if crs else ""
