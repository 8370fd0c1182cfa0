"""The twenty cases as files an office would hold: a map layer and a workbook each, in Chinese headers and 亩.

The layer is a GeoPackage in the CGCS2000 3° plane of the place; its outlines are drawn (demo_outline).
Parcels of unknown area stand in the workbook by their coordinates alone.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyogrio
import shapely
import xlsxwriter
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from panhuo.core.units import m2_to_mu
from panhuo.inventory.geometry import zone_crs
from panhuo.inventory.spec import FieldSpec, code_rows, dataset_spec
from panhuo.rulebook.precedents import DATASETS, Precedent, Row, load_precedents
from panhuo.workspace.demo_outline import draw, point_of

DRAWN: Final = "图形为按面积示意绘制，非测量成果"
LAND: Final = {"parcels", "batches", "contracts", "demands"}
"""Datasets whose areas are land, told in 亩; floor areas are told in 平方米."""

MADE: Final = datetime(2026, 1, 1)
"""The time written into files, so that the same cases give the same bytes."""
HEADERS: Final = {("buildings", "parcel_id"): "所在宗地"}
"""Headers other than the label: a layer of buildings with 宗地编号 could be one of parcels too."""

Cell = str | float | date | None


def write_all(cases: Mapping[str, Precedent], folder: Path) -> list[Path]:
    """Writes the files of every case; gives their paths."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{MADE.isoformat()}.000Z"})
    try:
        return [path for name, case in cases.items() for path in write_ledgers(name, case, folder)]
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def write_ledgers(case_id: str, case: Precedent, folder: Path) -> list[Path]:
    """Writes a case's files into `folder`; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    number = case_id.removeprefix("case_")
    drawings = draw(case)
    paths = []
    for drawing in drawings:
        end = f"_{drawing.zone}带" if len(drawings) > 1 else ""
        path = folder / f"案例{number}_宗地图{end}.gpkg"
        path.unlink(missing_ok=True)
        crs = f"EPSG:{zone_crs(drawing.zone).to_epsg()}"
        for dataset, key, shapes in (
            ("parcels", "parcel_id", drawing.parcels),
            ("buildings", "building_id", drawing.buildings),
        ):
            rows = [row for row in case.rows(dataset) if row[key] in shapes]
            if rows:
                write_layer(path, dataset, rows, shapes, crs=crs)
        paths.append(path)
    mapped = {i for drawing in drawings for i in (*drawing.parcels, *drawing.buildings)}
    sheets = {name: _unmapped(case, name, mapped) for name in DATASETS}
    if any(sheets.values()):
        paths.append(write_workbook(folder / f"案例{number}_台账.xlsx", sheets))
    return paths


def _unmapped(case: Precedent, dataset: str, mapped: set[str]) -> list[Row]:
    """The rows a layer does not hold; parcels among them by their coordinates."""
    rows = case.rows(dataset)
    if dataset == "buildings":
        return [row for row in rows if row["building_id"] not in mapped]
    if dataset != "parcels":
        return rows
    left = [row for row in rows if row["parcel_id"] not in mapped]
    points = [point_of(case, row["parcel_id"]) for row in left]
    return [{**row, "lon": lon, "lat": lat} for row, (lon, lat) in zip(left, points, strict=True)]


def write_layer(
    path: Path, dataset: str, rows: list[Row], shapes: Mapping[str, BaseGeometry], *, crs: str
) -> None:
    """Adds a layer of `rows` with their outlines (by the dataset's key) to a GeoPackage."""
    (key,) = dataset_spec(dataset).key
    columns = {header: _column(cells) for header, cells in told(dataset, rows).items()}
    wkb = shapely.to_wkb([MultiPolygon(_parts(shapes[row[key]])) for row in rows])
    table = pa.table(
        {**columns, "图形说明": [DRAWN] * len(rows), "geom": pa.array(wkb.tolist(), pa.binary())}
    )
    pyogrio.write_arrow(
        table,
        path,
        layer=dataset_spec(dataset).label.zh,
        driver="GPKG",
        geometry_name="geom",
        geometry_type="MultiPolygon",
        crs=crs,
        append=path.exists(),
    )


def _column(cells: list[Cell]) -> pa.Array:
    return pa.array(cells) if any(cell is not None for cell in cells) else pa.nulls(len(cells), pa.string())


def _parts(shape: BaseGeometry) -> list[BaseGeometry]:
    return list(getattr(shape, "geoms", [shape]))


def write_workbook(path: Path, sheets: Mapping[str, list[Row]]) -> Path:
    """A workbook with a sheet per dataset that has rows."""
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"}) as book:
        book.set_properties({"created": MADE})
        head = book.add_format({"bold": True, "bg_color": "#E8EEF4"})
        for dataset, rows in sheets.items():
            if not rows:
                continue
            sheet = book.add_worksheet(dataset_spec(dataset).label.zh)
            for column, (header, cells) in enumerate(told(dataset, rows).items()):
                sheet.write(0, column, header, head)
                sheet.write_column(1, column, cells)
            sheet.freeze_panes(1, 0)
            sheet.autofit()
    return path


def told(dataset: str, rows: Iterable[Row]) -> dict[str, list[Cell]]:
    """Columns of `rows` under Chinese headers with units, codes as their Chinese words.

    Every case fills in the same form: the columns that any of them uses.
    """
    rows = list(rows)
    fields = dataset_spec(dataset).fields
    used = [name for name in fields if name in form(dataset) or any(name in row for row in rows)]
    return {
        HEADERS.get((dataset, name)) or _header(dataset, fields[name]): [
            _cell(dataset, fields[name], row.get(name)) for row in rows
        ]
        for name in used
    }


@cache
def form(dataset: str) -> frozenset[str]:
    """The fields of a dataset that some case knows."""
    cases = load_precedents().values()
    return frozenset(name for case in cases for row in case.rows(dataset) for name in row)


def _header(dataset: str, field: FieldSpec) -> str:
    unit = {"m2": "亩" if _in_mu(dataset, field) else "平方米", "wan": "万元"}.get(field.unit)
    return f"{field.label.zh}（{unit}）" if unit else field.label.zh


def _in_mu(dataset: str, field: FieldSpec) -> bool:
    return (
        dataset in LAND
        and field.unit == "m2"
        and "建筑" not in field.label.zh
        and "厂房" not in field.label.zh
    )


def _cell(dataset: str, field: FieldSpec, value: Any) -> Cell:
    if value is None or isinstance(value, date):
        return value
    if isinstance(value, bool):
        return "是" if value else "否"
    if field.codes:
        return words_of(field.codes).get(str(value), str(value))
    if _in_mu(dataset, field):
        return round(m2_to_mu(value), 6)
    return value if isinstance(value, (str, float)) else float(value)


@cache
def words_of(codes: str) -> dict[str, str]:
    """Code → Chinese word of a list; numbers of land use, industry and divisions stay numbers."""
    if codes in {"land_use", "industry", "divisions"}:
        return {}
    return {row["code"]: row["zh"] for row in code_rows(codes)}
