"""Layers that GDAL reads: shp, gpkg, FileGDB, GeoJSON, FlatGeobuf, KML, MapInfo, and DXF drawings."""

import csv
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyogrio
import pyogrio.raw
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from panhuo.core.problems import Problem
from panhuo.core.progress import Tick
from panhuo.inventory.readers.raw import MAX_COLUMNS, RawTable, too_wide, unreadable
from panhuo.inventory.spec import problem

CODE_PAGES: Final = ("utf-8", "gb18030")
DBF_SAMPLE: Final = 1 << 24
CLOSED_M: Final = 1e-3
"""Ends of a drawn line this near [drawing units] are one point."""


def read_vector(path: Path, file: str, encoding: str | None, tick: Tick) -> list[RawTable]:
    """Every layer of a data source, columns and outlines as Arrow."""
    try:
        layers = [str(name) for name, _ in pyogrio.list_layers(path)]
        return [read_layer(path, file, layer, encoding, len(layers) > 1, tick) for layer in layers]
    except (DataSourceError, DataLayerError, OSError, UnicodeDecodeError, pa.ArrowInvalid) as fault:
        raise unreadable(file, str(fault)) from None


def read_layer(path: Path, file: str, layer: str, encoding: str | None, named: bool, tick: Tick) -> RawTable:
    """One layer. A shapefile without .cpg is read in the code page that its bytes fit."""
    notes: list[Problem] = []
    if path.suffix.lower() == ".shp" and encoding is None:
        encoding = shapefile_encoding(path)
        if encoding not in (None, "utf-8"):
            notes.append(problem("encoding_assumed", file=file, action=f"read as {encoding}"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        meta, table = read_batches(path, file, layer, encoding, tick)
    if table.num_columns > MAX_COLUMNS:
        raise too_wide(file, table.num_columns)
    outline = meta["geometry_name"] or "wkb_geometry"
    geometry = table[outline] if outline in table.column_names else None
    names = tuple(n for n in table.column_names if n != outline)
    columns = tuple(table[n] for n in names)
    names = full_names(path, names)
    crs = meta["crs"] or ""
    if path.suffix.lower() == ".dxf":
        return drawing(file, names, columns, geometry)
    return RawTable(file, layer if named else "", names, columns, 1, geometry, crs, tuple(notes))


def read_batches(
    path: Path, file: str, layer: str, encoding: str | None, tick: Tick
) -> tuple[dict[str, Any], pa.Table]:
    """What GDAL says of a layer, and its rows, telling how many are read."""
    total = int(pyogrio.read_info(path, layer=layer, encoding=encoding)["features"])
    options = {"layer": layer, "encoding": encoding, "datetime_as_string": True, "use_pyarrow": True}
    with pyogrio.raw.open_arrow(path, **options) as (meta, reader):
        batches, rows = [], 0
        for batch in reader:
            batches.append(batch)
            rows += batch.num_rows
            tick(f"读取 reading {file}", rows, max(total, rows))
        return meta, pa.Table.from_batches(batches, reader.schema)


def full_names(path: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    """The field names of a shapefile in full, where an export left `<name>.fields.csv` beside it."""
    beside = path.with_suffix(".fields.csv")
    if path.suffix.lower() != ".shp" or not beside.is_file():
        return names
    with beside.open(encoding="utf-8-sig", newline="") as stream:
        full = {row["short"]: row["field"] for row in csv.DictReader(stream)}
    return tuple(full.get(n, n) for n in names)


def shapefile_encoding(path: Path) -> str | None:
    """The code page of a shapefile without .cpg, from the bytes of its table; None leaves it to GDAL."""
    if any(p.suffix.lower() == ".cpg" for p in path.parent.glob(f"{path.stem}.*")):
        return None
    table = next((p for p in path.parent.glob(f"{path.stem}.*") if p.suffix.lower() == ".dbf"), None)
    if table is None:
        return None
    with table.open("rb") as stream:
        content = stream.read(DBF_SAMPLE)
    start = int.from_bytes(content[8:10], "little")
    record = max(int.from_bytes(content[10:12], "little"), 1)
    body = content[start : start + (len(content) - start) // record * record]
    for name in CODE_PAGES:
        try:
            # Field names stand in the header, 32 bytes each.
            (content[32:start].replace(b"\0", b"") + body).decode(name)
        except UnicodeDecodeError:
            continue
        return name
    return None


def drawing(
    file: str, names: tuple[str, ...], columns: tuple[pa.ChunkedArray, ...], geometry: pa.ChunkedArray | None
) -> RawTable:
    """The closed lines of a DXF drawing as polygons, each with the text that stands inside it as `图内注记`."""
    shapes = shapely.from_wkb(
        np.asarray(geometry.to_numpy(zero_copy_only=False) if geometry else [], dtype=object)
    )
    kind = shapely.get_type_id(shapes)
    lines = kind == shapely.GeometryType.LINESTRING
    gap = shapely.distance(shapely.get_point(shapes[lines], 0), shapely.get_point(shapes[lines], -1))
    closed = np.zeros(len(shapes), bool)
    closed[lines] = (gap <= CLOSED_M) & (shapely.get_num_points(shapes[lines]) >= 4)
    polygons = np.isin(kind, [shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON])
    outlines = shapes.copy()
    outlines[closed] = [ring(line) for line in shapes[closed]]
    keep = np.flatnonzero(polygons | closed)
    notes = [
        problem("line_open", file=file, row=int(i) + 1, action="left out")
        for i in np.flatnonzero(lines & ~closed)
    ]
    by_name = dict(zip(names, columns, strict=True))
    texts = by_name["Text"].to_pylist() if "Text" in by_name else []
    labels = labels_inside(outlines[keep], shapes, kind, texts)
    take = pa.array(keep, pa.int64())
    kept = [(n, c.take(take)) for n, c in by_name.items() if n in ("Layer", "EntityHandle")]
    kept.append(("图内注记", pa.chunked_array([pa.array(labels, pa.string())])))
    wkb = pa.chunked_array([pa.array(shapely.to_wkb(outlines[keep]), pa.binary())])
    return RawTable(file, "", tuple(n for n, _ in kept), tuple(c for _, c in kept), 1, wkb, "", tuple(notes))


def ring(line: Any) -> Any:
    """The polygon a closed line bounds."""
    points = shapely.get_coordinates(line, include_z=False)
    return shapely.polygons(np.vstack([points[:-1], points[:1]]))


def labels_inside(outlines: Any, shapes: Any, kind: Any, texts: list[str | None]) -> list[str | None]:
    """The first text standing in each outline."""
    labels: list[str | None] = [None] * len(outlines)
    points = [i for i, t in enumerate(texts) if t and kind[i] == shapely.GeometryType.POINT]
    if points and len(outlines):
        inside, which = shapely.STRtree(outlines).query(shapes[points], predicate="within")
        for point, outline in zip(inside, which, strict=True):
            labels[outline] = labels[outline] or texts[points[point]]
    return labels
