"""`panhuo export`: the current snapshot in the formats that other programs open."""

import csv
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio
import shapely
import xlsxwriter

from panhuo.core.problems import PanhuoError
from panhuo.inventory.boundary_txt import Plot, boundary_txt
from panhuo.inventory.crs import CGCS2000
from panhuo.inventory.geometry import to_plane, zone_of
from panhuo.inventory.spec import dataset_spec, units
from panhuo.rulebook.facts import connect
from panhuo.workspace.parquet import write_table
from panhuo.workspace.store import Workspace

SHP_NAME: Final = 10
XLSX_ROWS: Final = 1_048_575
T = TypeVar("T")


def writer_of(path: Path, writers: Mapping[str, T]) -> T:
    """What writes a file of that ending. Raises PanhuoError for another ending or a missing folder."""
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise PanhuoError(
            f"不会写这种文件 cannot write this kind of file: {path.suffix or path.name}",
            where=str(path),
            remedy="可用 available: " + " ".join(s.removeprefix(".") for s in writers),
        )
    if not path.parent.is_dir():
        raise PanhuoError(
            "输出文件夹不存在 no such folder", where=str(path.parent), remedy="先建好 make it first"
        )
    return writer


def export(ws: Workspace, path: Path) -> dict[str, Any]:
    """Writes the snapshot to `path`; the kind of file follows its name. Gives {file, format, layers: {name: rows}}.

    gpkg and xlsx hold every dataset, gpkg the conflicts too, the others the parcels. Parcels carry findings and grades
    of the latest assessment when there is one. Raises PanhuoError for an unknown kind of file or a workspace without
    data.
    """
    writer = writer_of(path, WRITERS)
    names = ws.dataset_names()
    if "parcels" not in names:
        raise PanhuoError(
            "工作区里没有宗地 no parcels in the workspace", where=str(ws.root), remedy="先导入 import first"
        )
    part = path.with_name(f".new-{path.name}")
    for stale in part.parent.glob(f"{part.stem}.*"):
        stale.unlink()
    layers = writer(ws, part)
    for piece in part.parent.glob(f"{part.stem}.*"):
        piece.replace(path.with_name(path.stem + piece.name.removeprefix(part.stem)))
    return {"file": str(path), "format": path.suffix.lower().removeprefix("."), "layers": layers}


def parcels_with_findings(ws: Workspace) -> pa.Table:
    """The current parcels, with `findings`, `findings_unknown`, `first_tool` (of those with a finding), `potential`
    (the grade), `potential_score` and `easy_first` (the order) of the latest assessment."""
    table = ws.dataset("parcels")
    if table is None:
        raise PanhuoError("工作区里没有宗地 no parcels in the workspace", where=str(ws.root))
    for name, status in (("findings", "yes"), ("findings_unknown", "unknown")):
        found = ws.assessment(
            "findings", columns=("parcel_id", "finding_id"), rows=pc.field("status") == status
        )
        if found is not None:
            table = table.append_column(name, per_parcel(table, found, "finding_id"))
    offered = (pc.field("rank") == 1) & (pc.field("status") != "closed")
    first = ws.assessment("options", columns=("parcel_id", "tool_id"), rows=offered)
    if first is not None and "findings" in table.column_names:
        tools = pc.if_else(pc.is_valid(table["findings"]), per_parcel(table, first, "tool_id"), None)
        table = table.append_column("first_tool", tools)
    grades = ws.assessment("potential")
    if grades is not None:
        at = pc.index_in(table["parcel_id"], grades["parcel_id"].combine_chunks())
        for name, column in (
            ("potential", "grade"),
            ("potential_score", "score"),
            ("easy_first", "order_no"),
        ):
            table = table.append_column(name, grades[column].take(at))
    return table


def per_parcel(parcels: pa.Table, rows: pa.Table, column: str) -> pa.ChunkedArray:
    """The values of `column` for each parcel, in order and joined by commas."""
    con = connect()
    con.register("held", rows)
    told = con.sql(
        f"SELECT parcel_id, string_agg({column}, ',' ORDER BY {column}) AS told FROM held GROUP BY 1"
    ).to_arrow_table()
    con.close()
    return told["told"].take(pc.index_in(parcels["parcel_id"], told["parcel_id"].combine_chunks()))


def table_of(ws: Workspace, name: str) -> pa.Table:
    """A dataset as exported: corrections laid over, parcels with findings."""
    table = parcels_with_findings(ws) if name == "parcels" else ws.dataset(name)
    if table is None:
        raise PanhuoError(f"没有数据集 no dataset {name}", where=str(ws.root))
    return table.drop_columns("ended_on")


def write_gdal(table: pa.Table, path: Path, layer: str, driver: str, **options: Any) -> None:
    """`table` as a layer; outlines of mixed kinds are written as multipolygons."""
    spatial = "geometry" in table.column_names
    kind = None
    if spatial:
        shapes = shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False))
        polygons = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
        others = set(np.unique(shapely.get_type_id(shapes[~polygons]))) - {-1}
        kind = "Polygon" if not others else "MultiPolygon" if others == {6} else "Unknown"
        if kind == "MultiPolygon":
            shapes[polygons] = shapely.multipolygons(shapes[polygons][:, None])
            wkb = pa.array(shapely.to_wkb(shapes), pa.binary())
            table = table.set_column(table.column_names.index("geometry"), "geometry", wkb)
    pyogrio.write_arrow(
        table.replace_schema_metadata(None),
        path,
        layer=layer,
        driver=driver,
        geometry_name="geometry" if spatial else None,
        geometry_type=kind,
        crs=f"EPSG:{CGCS2000}" if spatial else None,
        **options,
    )


def to_gpkg(ws: Workspace, path: Path) -> dict[str, int]:
    """Every dataset a layer or table of one GeoPackage, and the conflicts of the latest assessment as a layer."""
    layers: dict[str, int] = {}
    for name in ws.dataset_names():
        table = table_of(ws, name)
        write_gdal(table, path, name.replace("/", "_"), "GPKG", append=bool(layers) and path.exists())
        layers[name] = table.num_rows
    clashes = ws.assessment("conflicts")
    if clashes is not None:
        write_gdal(clashes, path, "conflicts", "GPKG", append=True)
        layers["conflicts"] = clashes.num_rows
    return layers


def to_geojson(ws: Workspace, path: Path) -> dict[str, int]:
    """The parcels as GeoJSON in degrees."""
    table = table_of(ws, "parcels")
    write_gdal(table, path, "parcels", "GeoJSON", COORDINATE_PRECISION="9")
    return {"parcels": table.num_rows}


def to_shp(ws: Workspace, path: Path) -> dict[str, int]:
    """The parcels as a shapefile in UTF-8; `<name>.fields.csv` says what its ten-letter names stand for."""
    table = table_of(ws, "parcels")
    shapes = shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False))
    polygon = np.isin(shapely.get_type_id(shapes), (3, 6))
    short = short_names([n for n in table.column_names if n != "geometry"])
    renamed = table.filter(pa.array(polygon)).rename_columns([short.get(n, n) for n in table.column_names])
    write_gdal(renamed, path, path.stem, "ESRI Shapefile", ENCODING="UTF-8")
    with path.with_suffix(".fields.csv").open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream).writerows([("short", "field"), *((s, n) for n, s in short.items())])
    return {"parcels": renamed.num_rows, "parcels without outline, left out": int((~polygon).sum())}


def short_names(names: list[str]) -> dict[str, str]:
    """Name → a name of at most ten letters, each once."""
    out: dict[str, str] = {}
    for name in names:
        candidate, number = name[:SHP_NAME], 1
        while candidate in out.values():
            number += 1
            candidate = f"{name[: SHP_NAME - len(str(number))]}{number}"
        out[name] = candidate
    return out


def to_parquet(ws: Workspace, path: Path) -> dict[str, int]:
    """The parcels as GeoParquet."""
    table = table_of(ws, "parcels")
    write_table(table, path)
    return {"parcels": table.num_rows}


def to_xlsx(ws: Workspace, path: Path) -> dict[str, int]:
    """Every dataset a sheet, with Chinese headers that name their units; points stand for outlines."""
    layers = {}
    with xlsxwriter.Workbook(
        str(path), {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}
    ) as book:
        bold = book.add_format({"bold": True})
        for name in ws.dataset_names():
            table = table_of(ws, name)
            if table.num_rows > XLSX_ROWS:
                raise PanhuoError(
                    "Excel 装不下 too many rows for Excel",
                    where=f"{name}: {table.num_rows:,} > {XLSX_ROWS:,}",
                    remedy="导出为 gpkg 或 parquet export to gpkg or parquet",
                )
            table = table.drop_columns([c for c in ("geometry",) if c in table.column_names])
            sheet = book.add_worksheet(dataset_spec(name).label.zh + name.removeprefix("layers").replace("/", "_")
                                       if name.startswith("layers/") else dataset_spec(name).label.zh)  # fmt: skip
            sheet.write_row(0, 0, [header(name, c) for c in table.column_names], bold)
            sheet.freeze_panes(1, 1)
            for index, row in enumerate(zip(*[c.to_pylist() for c in table.columns], strict=True), 1):
                sheet.write_row(index, 0, [cell(v) for v in row])
            layers[name] = table.num_rows
    return layers


def header(dataset: str, column: str) -> str:
    """宗地面积(平方米) for area_m2; provenance keeps its name."""
    field = dataset_spec(dataset).fields.get(column)
    if field is None:
        return column
    unit = units().get(field.unit)
    known = unit is not None and unit.names and field.unit not in ("ratio", "degree", "eq")
    return f"{field.label.zh}({unit.names[0]})" if known and unit else field.label.zh


def cell(value: Any) -> Any:
    """A value as Excel keeps it."""
    return "是" if value is True else "否" if value is False else value


def to_txt(ws: Workspace, path: Path) -> dict[str, int]:
    """The outlines as a boundary-point file in the CGCS2000 3° zone where most lie, in GBK as survey tools read."""
    table = ws.dataset("parcels", columns=["parcel_id", "name", "area_m2", "land_use", "geometry"])
    shapes = shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False)) if table else np.array([])
    polygon = np.isin(shapely.get_type_id(shapes), (3, 6))
    if table is None or not polygon.any():
        raise PanhuoError(
            "没有面状图形可导出 no outlines to export",
            where=str(ws.root),
            remedy="先导入图形 import outlines",
        )
    zone = zone_of(float(np.median(shapely.get_x(shapely.centroid(shapes[polygon])))))
    if not 25 <= zone <= 45:
        raise PanhuoError(
            "界址点格式只用于中国境内 the boundary-point format is for China", where=f"zone {zone}",
            remedy="导出为 gpkg export to gpkg",
        )  # fmt: skip
    outlines = to_plane(shapes[polygon], zone)
    rows = table.filter(pa.array(polygon)).drop_columns(["geometry"]).to_pylist()
    plots = [
        Plot(r["parcel_id"], outline, r["name"] or "", use_code=r["land_use"] or "", area_m2=r["area_m2"])
        for r, outline in zip(rows, outlines, strict=True)
    ]
    text = boundary_txt(plots, zone, made_by="panhuo", made_on=date.today())
    path.write_bytes(text.encode("gb18030"))
    return {"parcels": len(plots)}


WRITERS: Final[dict[str, Callable[[Workspace, Path], dict[str, int]]]] = {
    ".gpkg": to_gpkg,
    ".geojson": to_geojson,
    ".shp": to_shp,
    ".parquet": to_parquet,
    ".xlsx": to_xlsx,
    ".txt": to_txt,
}
