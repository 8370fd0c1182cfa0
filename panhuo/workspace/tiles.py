"""Vector tiles (PMTiles) of the parcels one scope holds, and of the workspace's own layers as an offline basemap.

An archive is read by range requests and cannot be filtered on the way, so there is one archive per scope (a division
prefix, a holder): a reader is given the archives of the scopes held and no other. Archives are baked at first use with
freestiler (a wheel for Linux x86-64 and Apple silicon) and lie in `tiles/<snapshot>+<assessment>/`. Where there is no
such wheel `can_bake` is False and the map page says so; lists, parcel pages and the OGC endpoint do not need tiles.
"""

import json
import math
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from panhuo.workspace.reading import key_of, open_copy, reading_copy
from panhuo.workspace.store import Workspace

TOP_ZOOM: Final = 14
COUNTRY_ZOOM: Final = 5
CROWD: Final = 20_000
"""As many parcels as one screen of the whole country can tell apart; more are thinned by half per zoom level."""

FIELDS: Final = (
    "parcel_id, name, holder, area_m2, array_to_string(findings, ' ') AS finding, coalesce(severity, '') AS severity, "
    "coalesce(tier, '') AS tier, coalesce(plan_tool, '') AS plan, coalesce(stage, '') AS stage, "
    "coalesce(potential, '') AS potential, z_min_m, z_max_m"
)
_lock: Final = threading.Lock()


def can_bake() -> bool:
    """Whether this platform has the tiler."""
    return find_spec("freestiler") is not None


def parcel_tiles(workspace: Workspace, name: str, where: str, values: Sequence[Any]) -> Path:
    """The archive `name` of the parcels that satisfy `where` (SQL over `parcels`); baked if missing."""
    copy = reading_copy(workspace)

    def rows() -> pa.Table:
        with open_copy(workspace, copy) as db:
            sql = (
                f"SELECT {FIELDS}, s.geometry, lon, lat FROM parcels p LEFT JOIN shapes s USING (parcel_id) "
                f"WHERE lon IS NOT NULL AND ({where})"
            )
            return _placed(db.execute(sql, list(values)).to_arrow_table())

    return _baked(workspace.root / "tiles" / copy.stem, name, "parcels", rows)


def whole_from_zoom(count: int) -> int:
    """The zoom from which each of `count` parcels is drawn: at once for a county's ledger, later for a province's."""
    if count <= CROWD:
        return 0
    return min(TOP_ZOOM, COUNTRY_ZOOM + math.ceil(math.log2(count / CROWD)))


def _placed(table: pa.Table) -> pa.Table:
    """The rows with their outline, or their point (lon, lat) where none was ever drawn."""
    bare = pc.is_null(table["geometry"])
    if pc.any(bare).as_py():
        at = [table[name].to_numpy() for name in ("lon", "lat")]
        points = pa.array(shapely.to_wkb(shapely.points(*at)), pa.binary())
        drawn = pc.if_else(bare, points, table["geometry"].combine_chunks())
        table = table.set_column(table.column_names.index("geometry"), "geometry", drawn)
    return table.drop_columns(["lon", "lat"])


def has_conflicts(workspace: Workspace) -> bool:
    """Whether the newest assessment drew boundary conflicts."""
    results = workspace.assessment_dir()
    return results is not None and (results / "conflicts.parquet").is_file()


def conflict_tiles(workspace: Workspace, name: str, where: str, values: Sequence[Any]) -> Path:
    """The archive of the drawn conflicts that touch a parcel which satisfies `where`; baked if missing."""
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

    return _baked(workspace.root / "tiles" / copy.stem, f"conflicts-{name}", "conflicts", rows)


def layer_kinds(workspace: Workspace) -> list[str]:
    """The kinds of polygon layer the workspace holds."""
    return sorted(n.split("/", 1)[1] for n in workspace.dataset_names() if n.startswith("layers/"))


def layer_tiles(workspace: Workspace, kind: str) -> Path:
    """The archive of one layer, for the offline basemap; baked if missing. `kind` is one of `layer_kinds`."""

    def rows() -> pa.Table:
        table = workspace.dataset(f"layers/{kind}")
        assert table is not None
        keep = [c for c in ("name", "geometry") if c in table.column_names]
        return table.select(keep).filter(pc.is_valid(table["geometry"]))

    return _baked(workspace.root / "tiles" / key_of(workspace), f"layer-{kind}", kind, rows)


def _baked(folder: Path, name: str, layer: str, rows: Callable[[], pa.Table]) -> Path:
    target = folder / f"{name}.pmtiles"
    with _lock:
        if not target.exists():
            folder.mkdir(parents=True, exist_ok=True)
            part = folder / f".new-{os.getpid()}-{name}.pmtiles"
            _bake(rows(), layer, part)
            part.replace(target)
            for old in folder.parent.iterdir():
                if old.is_dir() and old != folder:
                    shutil.rmtree(old, ignore_errors=True)
    return target


def _bake(table: pa.Table, layer: str, target: Path) -> None:
    import freestiler

    if not table.num_rows:
        target.write_bytes(b"")
        return
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "rows.parquet"
        write_geoparquet(table, path)
        freestiler.freestile_file(
            path,
            target,
            layer_name=layer,
            max_zoom=TOP_ZOOM,
            base_zoom=whole_from_zoom(table.num_rows),
            drop_rate=2.0,
            quiet=True,
        )


def write_geoparquet(table: pa.Table, path: Path) -> None:
    """`table` with WKB `geometry` (°) as GeoParquet 1.0. CGCS2000 agrees with WGS 84 far below a tile's pixel."""
    geo = {
        "version": "1.0.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}},
    }
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
