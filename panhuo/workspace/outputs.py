"""Files that a verb makes of its results: tables in the format their name asks for, outlines of parcels for survey."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
import shapely
import xlsxwriter

from panhuo.core.problems import PanhuoError
from panhuo.inventory.boundary_dxf import boundary_dxf
from panhuo.inventory.boundary_txt import Plot, boundary_txt
from panhuo.inventory.geometry import to_plane, zone_crs, zone_of
from panhuo.workspace.exports import XLSX_ROWS, cell, write_gdal, writer_of
from panhuo.workspace.parquet import write_table
from panhuo.workspace.store import write_text

CHINA_ZONES: Final = range(25, 46)
MADE_BY: Final = "panhuo"
UNFIT: Final = re.compile(r'[\\/:*?"<>|\s]')
"""What no file name holds on every system."""
EXACT: Final = 5
"""Decimals of boundary points that keep the areas of the parts adding up to the parent's within 0.01 m²."""


def checked_output(path: Path) -> Path:
    """`path` when a table can be written there. Raises PanhuoError for another kind of file or a missing folder."""
    writer_of(path, WRITERS)
    return path


def write_tables(path: Path, tables: Mapping[str, pa.Table]) -> list[str]:
    """Writes `tables` (name → table) into one gpkg or xlsx, or the first of them in another format; gives the files."""
    write = writer_of(path, WRITERS)
    part = path.with_name(f".new-{path.name}")
    part.unlink(missing_ok=True)
    write(part, tables)
    part.replace(path)
    return [str(path)]


def _gpkg(path: Path, tables: Mapping[str, pa.Table]) -> None:
    for name, table in tables.items():
        write_gdal(flat(table), path, name, "GPKG", append=path.exists())


def _geojson(path: Path, tables: Mapping[str, pa.Table]) -> None:
    name, table = next(iter(tables.items()))
    write_gdal(flat(table), path, name, "GeoJSON", COORDINATE_PRECISION="9")


def _parquet(path: Path, tables: Mapping[str, pa.Table]) -> None:
    write_table(next(iter(tables.values())), path)


def _csv(path: Path, tables: Mapping[str, pa.Table]) -> None:
    table = plain(next(iter(tables.values())))
    with path.open("wb") as stream:
        stream.write(b"\xef\xbb\xbf")  # spreadsheets take UTF-8 for UTF-8 only so
        pyarrow.csv.write_csv(table, stream)


def _xlsx(path: Path, tables: Mapping[str, pa.Table]) -> None:
    for name, table in tables.items():
        if table.num_rows > XLSX_ROWS:
            raise PanhuoError(
                "Excel 装不下 too many rows for Excel",
                where=f"{name}: {table.num_rows:,} > {XLSX_ROWS:,}",
                remedy="改用 parquet 或 csv use parquet or csv",
            )
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        bold = book.add_format({"bold": True})
        for name, table in tables.items():
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, plain(table).column_names, bold)
            sheet.freeze_panes(1, 1)
            for index, row in enumerate(plain(table).to_pylist(), 1):
                sheet.write_row(index, 0, [cell(v) for v in row.values()])


WRITERS: Final[dict[str, Callable[[Path, Mapping[str, pa.Table]], None]]] = {
    ".gpkg": _gpkg,
    ".geojson": _geojson,
    ".parquet": _parquet,
    ".csv": _csv,
    ".xlsx": _xlsx,
}


TABLES: Final = {kind: WRITERS[kind] for kind in (".xlsx", ".csv", ".parquet")}
"""What writes tables without outlines."""


def flat(table: pa.Table) -> pa.Table:
    """`table` without columns of lists, which these formats do not hold."""
    return table.drop_columns([f.name for f in table.schema if pa.types.is_list(f.type)])


def plain(table: pa.Table) -> pa.Table:
    """`table` without lists and outlines."""
    return flat(table).drop_columns([f.name for f in flat(table).schema if pa.types.is_binary(f.type)])


def made_folder(path: Path) -> Path:
    """The folder at `path`, made when it is not there. Raises PanhuoError where it cannot be."""
    if path.is_file() or not path.parent.is_dir():
        raise PanhuoError(
            "不能作为输出文件夹 cannot be an output folder",
            where=str(path),
            remedy="换一个文件夹 name another",
        )
    path.mkdir(exist_ok=True)
    return path


def write_outlines(folder: Path, stem: str, parcels: Sequence[dict[str, Any]], on: date) -> list[str]:
    """Boundary points (one TXT a parcel, in China) and one DXF of `parcels` (parcel_id, geometry, name, land_use)."""
    shapes = shapely.from_wkb(np.array([row["geometry"] for row in parcels], object))
    zone = zone_of(float(shapely.get_x(shapely.centroid(shapes[0]))))
    plots = [
        Plot(row["parcel_id"], shape, row.get("name") or "", row.get("land_use") or "")
        for row, shape in zip(parcels, to_plane(shapes, zone), strict=True)
    ]
    crs = zone_crs(zone).to_epsg()
    files = [folder / f"{stem}_{f'EPSG{crs}' if crs else f'CM{3 * zone}'}.dxf"]
    write_text(files[0], boundary_dxf(plots))
    if zone in CHINA_ZONES:
        for plot in plots:
            files.append(folder / f"{UNFIT.sub('_', plot.plot_id)}.txt")
            text = boundary_txt([plot], zone, made_by=MADE_BY, made_on=on, decimals=EXACT)
            files[-1].write_bytes(text.encode("gb18030"))
    return [str(path) for path in files]
