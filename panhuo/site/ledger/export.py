"""A view as a file: exactly the rows and columns on screen, all pages, inside the person's land."""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa
import pyogrio
import shapely
import xlsxwriter

from panhuo.core.problems import PanhuoError
from panhuo.site import labels
from panhuo.site.gate import Rows
from panhuo.site.ledger.query import BESIDE, KEYS, Query
from panhuo.site.records import KEY
from panhuo.site.shelf import shelf, table
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
    """The view as CSV text, with the byte-order mark that makes Excel read Chinese; codes stay codes."""
    line = io.StringIO()
    writer = csv.writer(line)
    yield "\ufeff"
    for number, batch in enumerate(batches(query)):
        if number == 0:
            writer.writerow(batch.schema.names)
        for row in batch.to_pylist():
            writer.writerow([_plain(v) for v in row.values()])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def write_xlsx(query: Query, target: IO[bytes], total: int) -> None:
    """The view as a workbook: labels as headers, words for codes. Raises PanhuoError past Excel's row limit."""
    if total > XLSX_ROWS:
        raise PanhuoError(
            pick("超出 Excel 的行数上限", "more rows than Excel holds"),
            remedy=pick("加筛选条件，或导出 CSV、GeoPackage", "narrow the list, or export CSV or GeoPackage"),
        )
    book = xlsxwriter.Workbook(target, {"constant_memory": True})
    sheet = book.add_worksheet(pick("台账", "Ledger"))
    head = book.add_format({"bold": True, "bg_color": "#dbe8ea", "border": 1})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    names, at = columns(query), 1
    for batch in batches(query, BESIDE[query.dataset]):
        if at == 1:
            for i, name in enumerate(names):
                unit = labels.unit(query.dataset, name)
                told = pick(f"（{unit}）", f" ({unit})") if unit else ""
                sheet.write(0, i, labels.field(query.dataset, name) + told, head)
                sheet.set_column(i, i, 18)
        for row in batch.to_pylist():
            for i, name in enumerate(names):
                value = row[name]
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    sheet.write_number(at, i, value)
                elif hasattr(value, "isoformat"):
                    sheet.write_datetime(at, i, value, day)
                elif value is not None:
                    sheet.write_string(at, i, labels.value(query.dataset, name, value, row))
            at += 1
    sheet.freeze_panes(1, 1)
    book.close()


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
