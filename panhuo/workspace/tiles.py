"""Vector tiles (PMTiles) of the parcels one scope holds, and of the workspace's own layers as an offline basemap.

An archive is read by range requests and cannot be filtered on the way, so there is one archive per scope (a division
prefix, a holder): a reader is given the archives of the scopes held and no other. Archives are baked when missing (by
the site's worker ahead of its readers) and lie in `tiles/<key of the reading copy>+<MAKE>/`: with freestiler where it
has a wheel (Linux x86-64, Apple silicon), elsewhere with the PMTiles driver of GDAL, which takes longer
(benchmarks/tiles_bench.py). The nearest zooms hold every parcel, those farther out a grid of cells (`overview`).
"""

import json
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyogrio
import shapely

from panhuo.workspace.overview import NEAREST, Floats, blocks, coverage, overview, whole_from_zoom
from panhuo.workspace.pmtiles import WORLD, Block, join
from panhuo.workspace.reading import key_of, open_copy, reading_copy
from panhuo.workspace.store import Workspace, try_lock
from panhuo.workspace.tiler import Job, bake_files

TOP_ZOOM: Final = 14
COARSE_ABOVE: Final = 20_000
"""A layer of more polygons is drawn from afar by the cells it covers."""
MAKE: Final = 2
"""Raised whenever the tiles of the same rows come out otherwise."""
TILE_BYTES: Final = 500_000
FEW: Final = 20_000
"""So many outlines are baked in less time than another process takes to begin."""
PLACED: Final = ("lon", "lat", "xmin", "ymin", "xmax", "ymax")
"""A point inside a parcel, and its box."""

FIELDS: Final = (
    "parcel_id, name, holder, area_m2, array_to_string(findings, ' ') AS finding, coalesce(severity, '') AS severity, "
    "coalesce(tier, '') AS tier, coalesce(plan_tool, '') AS plan, coalesce(stage, '') AS stage, "
    "coalesce(potential, '') AS potential, z_min_m, z_max_m"
)


class BeingMadeError(Exception):
    """Another process or thread is making the archive asked for. `older`: that of the data before, if any."""

    def __init__(self, name: str, older: Path | None) -> None:
        super().__init__(name)
        self.older = older


def parcel_tiles(workspace: Workspace, name: str, where: str, values: Sequence[Any]) -> Path:
    """The archive `name` of the parcels that satisfy `where` (SQL over `parcels`); baked if missing.

    Raises: BeingMadeError.
    """
    copy = reading_copy(workspace)

    def rows() -> pa.Table:
        with open_copy(workspace, copy) as db:
            sql = (
                f"SELECT {FIELDS}, s.geometry, {', '.join(PLACED)} FROM parcels p LEFT JOIN shapes s USING (parcel_id) "
                f"WHERE lon IS NOT NULL AND ({where})"
            )
            return _placed(db.execute(sql, list(values)).to_arrow_table())

    return _baked(workspace, copy.stem, name, rows, bake_parcels)


def _placed(table: pa.Table) -> pa.Table:
    """The rows with their outline, or their point (lon, lat) where none was ever drawn."""
    bare = pc.is_null(table["geometry"])
    if pc.any(bare).as_py():
        at = [table[name].to_numpy() for name in ("lon", "lat")]
        points = pa.array(shapely.to_wkb(shapely.points(*at)), pa.binary())
        drawn = pc.if_else(bare, points, table["geometry"].combine_chunks())
        table = table.set_column(table.column_names.index("geometry"), "geometry", drawn)
    return table


def conflict_tiles(workspace: Workspace, name: str, where: str, values: Sequence[Any]) -> Path:
    """The archive of the drawn conflicts that touch a parcel which satisfies `where`; baked if missing.

    Raises: BeingMadeError.
    """
    copy = reading_copy(workspace)

    def rows() -> pa.Table:
        with open_copy(workspace, copy) as db:
            db.register("drawn", workspace.assessment("conflicts"))
            sql = (
                f"WITH own AS (SELECT parcel_id FROM parcels WHERE {where}) SELECT kind, status, area_m2, geometry "
                "FROM drawn WHERE geometry IS NOT NULL AND "
                "(parcel_id IN (FROM own) OR other_id IN (FROM own))"
            )
            return db.execute(sql, list(values)).to_arrow_table()

    return _baked(workspace, copy.stem, f"conflicts-{name}", rows, partial(bake, layer="conflicts"))


def layer_kinds(workspace: Workspace) -> list[str]:
    """The kinds of polygon layer the workspace holds."""
    return sorted(n.split("/", 1)[1] for n in workspace.dataset_names() if n.startswith("layers/"))


def layer_tiles(workspace: Workspace, kind: str) -> Path:
    """The archive of one layer, for the offline basemap; baked if missing. `kind` is one of `layer_kinds`.

    Raises: BeingMadeError.
    """

    def rows() -> pa.Table:
        table = workspace.dataset(f"layers/{kind}")
        assert table is not None
        keep = [c for c in ("name", "geometry") if c in table.column_names]
        return table.select(keep).filter(pc.is_valid(table["geometry"]))

    return _baked(workspace, key_of(workspace), f"layer-{kind}", rows, partial(bake_layer, kind=kind))


def _baked(
    workspace: Workspace,
    key: str,
    name: str,
    rows: Callable[[], pa.Table],
    make: Callable[[pa.Table, Path], None],
) -> Path:
    folder = workspace.root / "tiles" / f"{key}+{MAKE}"
    target = folder / f"{name}.pmtiles"
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{name}.lock").open("a+b") as stream:
        if not try_lock(stream):
            raise BeingMadeError(name, older(folder, name))
        if not target.exists():
            part = folder / f".new-{name}.pmtiles"
            table = rows()
            if table.num_rows:
                make(table, part)
            else:
                part.write_bytes(b"")
            part.replace(target)
            clear(folder)
    return target


def older(folder: Path, name: str) -> Path | None:
    """The archive `name` as it was made of the data before."""
    found = [path for path in folder.parent.glob(f"*/{name}.pmtiles") if path.parent != folder]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def clear(folder: Path) -> None:
    """Removes the archives of the data before that stand in `folder` anew, and their folder with the last of them."""
    have = {path.name for path in folder.glob("*.pmtiles")}
    for old in folder.parent.iterdir():
        if old.is_dir() and old != folder:
            left = {path.name for path in old.glob("[!.]*.pmtiles")}
            for name in left & have:
                (old / name).unlink(missing_ok=True)
            if left <= have:
                shutil.rmtree(old, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Outlines with their columns to be baked as one archive at some zooms, of which the tiles in `block` count."""

    rows: pa.Table
    zooms: tuple[int, int]
    block: Block = WORLD


def bake_parcels(table: pa.Table, target: Path) -> None:
    """Parcels as the layer `parcels`: `FIELDS`, `geometry` as WKB, and where each lies (`PLACED`) [degrees]."""
    lon, lat, *box = (table[name].to_numpy() for name in PLACED)
    boxes = np.column_stack(box)
    table = table.drop_columns(list(PLACED))
    near = whole_from_zoom(lon, lat, TOP_ZOOM)
    cells = (Sheet(rows, (zoom, zoom)) for zoom, rows in overview(table, lon, lat, near))
    bake_sheets(chain(cells, squares(table, boxes, near)), target, "parcels")


def bake_layer(table: pa.Table, target: Path, *, kind: str) -> None:
    """The outlines of a layer with their columns as the layer `kind`; from afar only what a great many cover."""
    if table.num_rows <= COARSE_ABOVE:
        bake(table, target, layer=kind)
        return
    shapes = shapely.from_wkb(table["geometry"].to_numpy())
    cells = (
        Sheet(pa.table({"geometry": found}), (zoom, zoom))
        for zoom, found in coverage(shapes, NEAREST)
        if len(found)
    )
    near = squares(table, shapely.bounds(shapes), NEAREST)
    bake_sheets(chain(cells, near), target, kind)


def bake(table: pa.Table, target: Path, *, layer: str) -> None:
    """Outlines with their columns as one layer of an archive."""
    bake_sheets([Sheet(table, (0, TOP_ZOOM))], target, layer)


def squares(table: pa.Table, boxes: Floats, near: int) -> Iterator[Sheet]:
    """The rows, whose boxes are `boxes`, square by square for the zooms from `near`."""
    for block, rows in blocks(boxes, near):
        yield Sheet(table.take(pa.array(rows)), (near, TOP_ZOOM), block)


def bake_sheets(sheets: Iterable[Sheet], target: Path, layer: str) -> None:
    """All sheets as one archive, by the quickest tiler there is; each is let go of before the next is asked for."""
    with TemporaryDirectory(dir=target.parent) as scratch:
        tiler = with_freestiler if find_spec("freestiler") else with_gdal
        join(tiler(sheets, Path(scratch), layer), target)


def with_freestiler(sheets: Iterable[Sheet], folder: Path, layer: str) -> list[tuple[Path, Block]]:
    """The archives by freestiler, which is built for few platforms and takes seconds."""
    made: list[tuple[Path, Block]] = []
    jobs: list[Job] = []
    rows = 0
    for sheet in sheets:
        source, archive = folder / f"{len(jobs)}.parquet", folder / f"{len(jobs)}.pmtiles"
        write_geoparquet(sheet.rows, source)
        low, high = sheet.zooms
        jobs.append((str(source), str(archive), {"layer_name": layer, "min_zoom": low, "max_zoom": high}))
        made.append((archive, sheet.block))
        rows += sheet.rows.num_rows
    bake_files(jobs, apart=rows > FEW)
    return made


def with_gdal(sheets: Iterable[Sheet], folder: Path, layer: str) -> list[tuple[Path, Block]]:
    """The archives by GDAL, which is there wherever panhuo is; too full a tile is drawn coarser."""
    made: list[tuple[Path, Block]] = []
    for sheet in sheets:
        archive = folder / f"{len(made)}.pmtiles"
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*maximum tile size")
            pyogrio.write_arrow(
                sheet.rows.replace_schema_metadata(None), archive, layer=layer, driver="PMTiles",
                geometry_name="geometry", geometry_type="Unknown", crs="EPSG:4326", MINZOOM=sheet.zooms[0],
                MAXZOOM=sheet.zooms[1], MAX_SIZE=TILE_BYTES,
            )  # fmt: skip
        made.append((archive, sheet.block))
    return made


def write_geoparquet(table: pa.Table, path: Path) -> None:
    """`table` with WKB `geometry` (°) as GeoParquet 1.0. CGCS2000 agrees with WGS 84 far below a tile's pixel."""
    geo = {
        "version": "1.0.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}},
    }
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
