"""The reading copy: one DuckDB file made from the newest snapshot and assessment, for pages that must answer at once.

A list page over a million parcels cannot join five Parquet files on each request, so the join is made once per
(snapshot, assessment) into `cache/<key>.duckdb`. The file holds nothing that the Parquet files do not (verified
corrections laid over), may be deleted at any time, and is built beside the old one and then renamed, so a reader never
sees half of it.

Tables: `parcels` (every field of the dataset but the outlines, with `findings`, `unknowns`, `since`, `severity`,
`tools`, `first_tool`, `tier`, `plan_tool`, `plan_year`, `lon`, `lat` and the bounding box `xmin … ymax`),
`shapes(parcel_id, geometry)` (WKB, EPSG:4490), each other dataset and result table under its own name with every
column of its spec, `problems` of the snapshot, and an assessment's further tables as `assessed_<table>`.
"""

import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from panhuo.core.problems import problem_table
from panhuo.inventory.spec import ARROW_TYPES, dataset_specs
from panhuo.rulebook.book import SPEC, read_yaml
from panhuo.workspace.store import Workspace

OUTLINES: Final = ("geometry", "geometry_given")
PLACE: Final = ("lon", "lat", "xmin", "ymin", "xmax", "ymax")

WIDE: Final = """
CREATE TABLE parcels AS
WITH f AS (
  SELECT parcel_id,
         list(DISTINCT finding_id ORDER BY finding_id) FILTER (status = 'yes') AS findings,
         list(DISTINCT finding_id ORDER BY finding_id) FILTER (status = 'unknown') AS unknowns,
         min(since) FILTER (status = 'yes') AS since,
         arg_min(severity, list_position(['high', 'medium', 'low', 'notice'], severity))
             FILTER (status = 'yes') AS severity
  FROM findings GROUP BY parcel_id),
o AS (
  SELECT parcel_id, list(tool_id ORDER BY rank) AS tools, arg_min(tool_id, rank) AS first_tool
  FROM options WHERE status <> 'closed' GROUP BY parcel_id),
t AS (
  SELECT parcel_id, max(tier) AS tier FROM occupancies JOIN scores USING (enterprise_id) GROUP BY parcel_id),
g AS (
  SELECT parcel_id, arg_min(tool_id, order_no) AS plan_tool, min(year) AS plan_year FROM plan GROUP BY parcel_id)
SELECT p.* EXCLUDE (row_no), coalesce(f.findings, []) AS findings, coalesce(f.unknowns, []) AS unknowns, f.since,
       f.severity, coalesce(o.tools, []) AS tools, o.first_tool, t.tier, g.plan_tool, g.plan_year,
       b.lon, b.lat, b.xmin, b.ymin, b.xmax, b.ymax
FROM given p LEFT JOIN f USING (parcel_id) LEFT JOIN o USING (parcel_id) LEFT JOIN t USING (parcel_id)
     LEFT JOIN g USING (parcel_id) LEFT JOIN boxes b USING (row_no)
ORDER BY division, parcel_id
"""


@cache
def result_specs() -> dict[str, dict[str, Any]]:
    """spec/results/<table>.yaml by table name."""
    return {path.stem: read_yaml(path) for path in sorted((SPEC / "results").glob("*.yaml"))}


def key_of(workspace: Workspace) -> str:
    """What the reading copy is made from, as its file name: `<snapshot>+<assessment>`."""
    results = workspace.assessment_dir()
    return f"{workspace.snapshot or 'empty'}+{results.name if results else 'none'}"


def reading_copy(workspace: Workspace) -> Path:
    """The path of the up-to-date reading copy, built if it is not there. Older copies are removed."""
    folder = workspace.root / "cache"
    target = folder / f"{key_of(workspace)}.duckdb"
    if not target.exists():
        folder.mkdir(exist_ok=True)
        building = folder / f"building-{os.getpid()}.duckdb"
        building.unlink(missing_ok=True)
        build(workspace, building)
        building.replace(target)
        for old in folder.glob("*+*.duckdb"):
            with suppress(
                PermissionError
            ):  # another process still reads it (Windows); the next build removes it
                if old != target:
                    old.unlink(missing_ok=True)
    return target


def build(workspace: Workspace, target: Path) -> None:
    """Writes the reading copy of the newest snapshot and assessment into `target`."""
    with duckdb.connect(str(target)) as db:
        for name in dataset_specs():
            if name not in ("parcels", "layers"):
                _store(db, name, _dataset(workspace, name))
        for name, spec in result_specs().items():
            schema = pa.schema([(c, ARROW_TYPES[s["type"]]) for c, s in spec["columns"].items()])
            _store(db, name, _filled(workspace.assessment(name), schema))
        if results := workspace.assessment_dir():
            for path in sorted(results.glob("*.parquet")):
                if path.stem not in result_specs():
                    _store(db, f"assessed_{path.stem}", pq.read_table(path))
        _store(db, "problems", workspace.problems() or problem_table(()))
        _store_parcels(db, _dataset(workspace, "parcels"))
        _index(db)


def _dataset(workspace: Workspace, name: str) -> pa.Table:
    """The dataset's current, corrected rows with every column of its spec."""
    return _filled(workspace.dataset(name), dataset_specs()[name].arrow_schema())


def _filled(table: pa.Table | None, schema: pa.Schema) -> pa.Table:
    """`table` with a null column for each one of `schema` that it lacks; columns beyond it are kept."""
    if table is None:
        return schema.empty_table()
    for field in schema:
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table


def _store(db: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    if not table.column_names:
        return
    rows = table.drop_columns([c for c in OUTLINES if c in table.column_names])
    db.register("rows", rows)
    db.execute(f'CREATE TABLE "{name}" AS SELECT * FROM rows')
    db.unregister("rows")


def _store_parcels(db: duckdb.DuckDBPyConnection, parcels: pa.Table) -> None:
    boxes = _boxes(parcels)
    outlines = parcels.select(["parcel_id", "geometry"])
    plain = parcels.drop_columns([*OUTLINES, "lon", "lat"])
    given = plain.append_column("row_no", pa.array(np.arange(parcels.num_rows), pa.int64()))
    for name, table in (("boxes", boxes), ("given", given), ("outlines", outlines)):
        db.register(name, table)
    db.execute("CREATE TABLE shapes AS SELECT * FROM outlines WHERE geometry IS NOT NULL ORDER BY parcel_id")
    db.execute(WIDE)
    for name in ("boxes", "given", "outlines"):
        db.unregister(name)


def _boxes(parcels: pa.Table) -> pa.Table:
    """A point inside and the bounding box (°) of each parcel by row; one without outline keeps its point."""
    shapes = shapely.from_wkb(parcels["geometry"].to_numpy())
    inside, bounds = shapely.point_on_surface(shapes), shapely.bounds(shapes)
    given = {name: parcels[name].to_numpy().astype(float) for name in ("lon", "lat")}
    point = {"lon": shapely.get_x(inside), "lat": shapely.get_y(inside)}
    point = {name: np.where(np.isnan(drawn), given[name], drawn) for name, drawn in point.items()}
    box = {"xmin": point["lon"], "ymin": point["lat"], "xmax": point["lon"], "ymax": point["lat"]}
    for i, name in enumerate(box):
        box[name] = np.where(np.isnan(bounds[:, i]), box[name], bounds[:, i])
    columns = {name: pa.array(values, from_pandas=True) for name, values in (point | box).items()}
    return pa.table({"row_no": np.arange(parcels.num_rows)} | columns)


def _index(db: duckdb.DuckDBPyConnection) -> None:
    """An index on each table's own id, so that one parcel's page reads its rows and no others."""
    rows = db.execute(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE column_name IN ('parcel_id', 'enterprise_id')"
    ).fetchall()
    for table, column in rows:
        db.execute(f'CREATE INDEX "{table}_by_{column}" ON "{table}" ("{column}")')
