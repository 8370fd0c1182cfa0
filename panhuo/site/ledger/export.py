"""A view as a file: exactly the rows and columns on screen, all pages, inside the person's land."""

import tempfile
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa
import pyogrio
import shapely

from panhuo.core.problems import PanhuoError
from panhuo.site import labels, sheets
from panhuo.site.gate import Rows
from panhuo.site.ledger.query import BESIDE, KEYS, Query
from panhuo.site.records import KEY
from panhuo.site.sheets import csv_text
from panhuo.site.shelf import Row, shelf, table
from panhuo.site.words import pick

XLSX_ROWS: Final = 1_048_575
FORMATS: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "gpkg": "application/geopackage+sqlite3",
    "geojson": "application/geo+json",
}
BATCH: Final = 5_000


def columns(query: Query) -> tuple[str, ...]:
    """What the view shows, its key first."""
    return tuple(dict.fromkeys((KEYS[query.dataset], *query.shown)))


def columns_sql(names: Iterable[str]) -> str:
    return ", ".join(f'"{c}"' for c in dict.fromkeys(names))


def batches(query: Query, beside: tuple[str, ...] = ()) -> Iterator[pa.RecordBatch]:
    """The view's rows in order, a few thousand at a time, with the columns `beside` after its own."""
    names = columns_sql((*columns(query), *beside))
    sql = f"SELECT {names} FROM {query.dataset} WHERE {query.where.sql} {query.order()}"
    with shelf().cursor() as cursor:
        yield from cursor.execute(sql, list(query.where.values)).to_arrow_reader(BATCH)


def _plain(value: Any) -> Any:
    return ";".join(value) if isinstance(value, list) else value


def csv_lines(query: Query) -> Iterator[str]:
    """The view as CSV text; codes stay codes."""
    rows = ([_plain(v) for v in row.values()] for batch in batches(query) for row in batch.to_pylist())
    return csv_text(columns(query), rows)


def write_xlsx(query: Query, target: IO[bytes], total: int) -> None:
    """The view as a workbook: labels as headers, words for codes. Raises PanhuoError past Excel's row limit."""
    if total > XLSX_ROWS:
        raise PanhuoError(
            pick("超出 Excel 的行数上限", "more rows than Excel holds"),
            remedy=pick("加筛选条件，或导出 CSV、GeoPackage", "narrow the list, or export CSV or GeoPackage"),
        )
    sheets.write_xlsx(target, pick("台账", "Ledger"), [_head(query, n) for n in columns(query)], _told(query))


def _head(query: Query, name: str) -> str:
    """What a column is called, with its unit."""
    unit = labels.unit(query.dataset, name)
    return labels.field(query.dataset, name) + (pick(f"（{unit}）", f" ({unit})") if unit else "")


def _told(query: Query) -> Iterator[list[Any]]:
    """The view's rows, words for codes; numbers and dates as they are."""
    names = columns(query)
    for batch in batches(query, BESIDE[query.dataset]):
        for row in batch.to_pylist():
            yield [_cell(query, name, row) for name in names]


def _cell(query: Query, name: str, row: Row) -> Any:
    value = row[name]
    plain = value is None or (isinstance(value, int | float | date) and not isinstance(value, bool))
    return value if plain else labels.value(query.dataset, name, value, row)


def shapes_table(query: Query) -> pa.Table:
    """The view with each parcel's outline (WKB) as `geometry`; lists joined by semicolons."""
    inner = f"SELECT {columns_sql(columns(query))} FROM {query.dataset} WHERE {query.where.sql}"
    found = table(
        f"SELECT v.*, s.geometry FROM ({inner}) v LEFT JOIN shapes s USING (parcel_id)", query.where.values
    )
    for i, column in enumerate(found.schema):
        if pa.types.is_list(column.type):
            joined = pa.array([_plain(v) for v in found[column.name].to_pylist()], pa.string())
            found = found.set_column(i, column.name, joined)
    return found


def write_shapes(query: Query, kind: str) -> bytes:
    """The view as GeoPackage or GeoJSON (CGCS2000 is EPSG:4490; GeoJSON is WGS 84 as its standard asks)."""
    if query.dataset != "parcels":
        raise PanhuoError(pick("只有宗地有图形", "only parcels have outlines"))
    found = shapes_table(query)
    geometry = found["geometry"].to_numpy()
    drawn = shapely.from_wkb(geometry)
    kinds = {shapely.get_type_id(g) for g in drawn if g is not None}
    geometry_type = "Polygon" if kinds <= {3} else "MultiPolygon"
    if geometry_type == "MultiPolygon":
        drawn = [
            None if g is None else shapely.multipolygons([g]) if g.geom_type == "Polygon" else g
            for g in drawn
        ]
    names = [n for n in found.column_names if n != "geometry"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"view.{kind}"
        pyogrio.raw.write(
            path,
            shapely.to_wkb(drawn),
            [found[n].to_pandas().to_numpy() for n in names],
            names,
            driver={"gpkg": "GPKG", "geojson": "GeoJSON"}[kind],
            geometry_type=geometry_type,
            crs="EPSG:4490" if kind == "gpkg" else "EPSG:4326",
            layer="parcels",
        )
        return path.read_bytes()


def narrowed(query: Query, ids: list[str]) -> Query:
    """The same view of some rows only."""
    where: Rows = query.where.also(f"list_contains(?::VARCHAR[], {KEY[query.dataset]})", (ids,))
    return Query(query.dataset, where, query.sort, query.shown, 1, query.size)
