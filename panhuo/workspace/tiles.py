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
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyogrio
import shapely

from panhuo.workspace.overview import NEAREST, coverage, overview, whole_from_zoom
from panhuo.workspace.pmtiles import join
from panhuo.workspace.reading import key_of, open_copy, reading_copy
from panhuo.workspace.store import Workspace, try_lock

TOP_ZOOM: Final = 14
COARSE_ABOVE: Final = 20_000
"""A layer of more polygons is drawn from afar by the cells it covers."""
MAKE: Final = 2
"""Raised whenever the tiles of the same rows come out otherwise."""
TILE_BYTES: Final = 500_000

FIELDS: Final = (
    "parcel_id, name, holder, area_m2, array_to_string(findings, ' ') AS finding, coalesce(severity, '') AS severity, "
    "coalesce(tier, '') AS tier, coalesce(plan_tool, '') AS plan, coalesce(stage, '') AS stage, "
    "coalesce(potential, '') AS potential, z_min_m, z_max_m"
)


class BeingMadeError(Exception):
    """Another process or thread is making the archive asked for."""


def parcel_tiles(workspace: Workspace, name: str, where: str, values: Sequence[Any]) -> Path:
    """The archive `name` of the parcels that satisfy `where` (SQL over `parcels`); baked if missing.

    Raises: BeingMadeError.
    """
    copy = reading_copy(workspace)

    def rows() -> pa.Table:
        with open_copy(workspace, copy) as db:
            sql = (
                f"SELECT {FIELDS}, s.geometry, lon, lat FROM parcels p LEFT JOIN shapes s USING (parcel_id) "
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
            raise BeingMadeError(name)
        if not target.exists():
            part = folder / f".new-{name}.pmtiles"
            table = rows()
            if table.num_rows:
                make(table, part)
            else:
                part.write_bytes(b"")
            part.replace(target)
            for old in folder.parent.iterdir():
                if old.is_dir() and old != folder:
                    shutil.rmtree(old, ignore_errors=True)
    return target


def bake_parcels(table: pa.Table, target: Path) -> None:
    """Parcels (`FIELDS`, `geometry` as WKB, `lon` and `lat` [degrees] of a point inside) as the layer `parcels`."""
    lon, lat = (table[name].to_numpy() for name in ("lon", "lat"))
    table = table.drop_columns(["lon", "lat"])
    near = whole_from_zoom(lon, lat, TOP_ZOOM)
    with TemporaryDirectory(dir=target.parent) as scratch:
        parts = [Path(scratch) / f"{zoom}.pmtiles" for zoom in range(near + 1)]
        for zoom, cells in overview(table, lon, lat, near):
            bake(cells, parts[zoom], layer="parcels", zooms=(zoom, zoom))
        bake(table, parts[near], layer="parcels", zooms=(near, TOP_ZOOM))
        join(parts, target)


def bake_layer(table: pa.Table, target: Path, *, kind: str) -> None:
    """The outlines of a layer with their columns as the layer `kind`; from afar only what a great many cover."""
    if table.num_rows <= COARSE_ABOVE:
        bake(table, target, layer=kind)
        return
    with TemporaryDirectory(dir=target.parent) as scratch:
        parts = [Path(scratch) / f"{zoom}.pmtiles" for zoom in range(NEAREST + 1)]
        for zoom, cells in coverage(shapely.from_wkb(table["geometry"].to_numpy()), NEAREST):
            if len(cells):
                bake(pa.table({"geometry": cells}), parts[zoom], layer=kind, zooms=(zoom, zoom))
        bake(table, parts[NEAREST], layer=kind, zooms=(NEAREST, TOP_ZOOM))
        join([part for part in parts if part.exists()], target)


def bake(table: pa.Table, target: Path, *, layer: str, zooms: tuple[int, int] = (0, TOP_ZOOM)) -> None:
    """Outlines with their columns as one layer of an archive, by the quickest tiler there is."""
    (with_freestiler if find_spec("freestiler") else with_gdal)(table, target, layer, zooms)


def with_freestiler(table: pa.Table, target: Path, layer: str, zooms: tuple[int, int]) -> None:
    """The archive by freestiler, which is built for few platforms and takes seconds."""
    import freestiler

    with TemporaryDirectory(dir=target.parent) as scratch:
        path = Path(scratch) / "rows.parquet"
        write_geoparquet(table, path)
        freestiler.freestile_file(
            path, target, layer_name=layer, min_zoom=zooms[0], max_zoom=zooms[1], quiet=True
        )


def with_gdal(table: pa.Table, target: Path, layer: str, zooms: tuple[int, int]) -> None:
    """The archive by GDAL, which is there wherever panhuo is; too full a tile is drawn coarser."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*maximum tile size")
        pyogrio.write_arrow(
            table.replace_schema_metadata(None), target, layer=layer, driver="PMTiles", geometry_name="geometry",
            geometry_type="Unknown", crs="EPSG:4326", MINZOOM=zooms[0], MAXZOOM=zooms[1], MAX_SIZE=TILE_BYTES,
        )  # fmt: skip


def write_geoparquet(table: pa.Table, path: Path) -> None:
    """`table` with WKB `geometry` (°) as GeoParquet 1.0. CGCS2000 agrees with WGS 84 far below a tile's pixel."""
    geo = {
        "version": "1.0.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}},
    }
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
