"""The reading copy: one DuckDB file made from the newest snapshot and assessment, for pages that must answer at once.

A list page over a million parcels cannot join five Parquet files on each request, so the join is made once per
(snapshot, assessment) into `cache/<key>.duckdb`. The file holds nothing that the Parquet files do not (verified
corrections laid over), may be deleted at any time, and is built beside the old one and then renamed, so a reader never
sees half of it.

Tables: `parcels` (every field of the dataset but the outlines, with `findings`, `unknowns`, `since`, `severity`,
`tools`, `first_tool`, `tier`, `plan_tool`, `plan_year`, `stage`, `potential`, `easy_first`, `lon`, `lat` and the
box `xmin … ymax`), `shapes(parcel_id, geometry)` (WKB, EPSG:4490), each other dataset under its own name (`enterprises`
with their score, tier and number of parcels, `contracts`, `buildings` and `visits` with their parcel's name, division
and holder) and `problems`
of the snapshot.
Result tables are views of the assessment's Parquet files, with every column of their spec (further tables as
`assessed_<table>`): an assessment of a million parcels holds some twenty million options, and a page reads the few of
its parcel where they lie. `scores`, `potential`, `findings` and `conflicts` are copied, since lists join them or
every parcel's page reads them; the latter two are views of `placed_findings` and `placed_conflicts`, whose rows say in
what division and on whose land they lie, so that millions of them are narrowed to somebody's land without a join. No
table has an index: rows lie by division and parcel, so the engine's own minima and maxima leave one small block to
read, faster than a stored index loads.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from panhuo.core.problems import problem_table
from panhuo.inventory.spec import ARROW_TYPES, dataset_specs
from panhuo.rulebook.book import SPEC, read_yaml
from panhuo.workspace.store import Workspace

OUTLINE: Final = "geometry"
BOX: Final = ("xmin", "ymin", "xmax", "ymax")
PLACED: Final = {
    "findings": """
SELECT f.*, p.division, p.holder_uscc, p.parcel_id IS NOT NULL AS is_held
FROM given f LEFT JOIN land p USING (parcel_id)""",
    "conflicts": """
SELECT c.*, a.division, a.holder_uscc, a.parcel_id IS NOT NULL AS is_held, b.division AS other_division,
       b.holder_uscc AS other_holder_uscc, b.parcel_id IS NOT NULL AS other_is_held,
       left(md5(concat_ws('|', kind, c.parcel_id, other_id)), 16) AS conflict_id
FROM given c LEFT JOIN land a ON c.parcel_id = a.parcel_id LEFT JOIN land b ON other_id = b.parcel_id""",
}
"""Result tables that are lists of their own, each row with where it lies; conflicts also with their box."""
COPIED: Final = ("scores", "potential")
BATCH: Final = 100_000
SHARE: Final = 125_000
"""Parcels of which the results are gathered at once."""
MEMORY: Final = "1500MB"
"""What the engine holds of the copy in the making, beside the tables it is made from."""
ROW_GROUP: Final = 16_384
"""Rows whose minima and maxima are kept together: an eighth of the engine's own, so that a parcel's page reads less."""
LAYOUT: Final = 9
"""Raised whenever the tables below or the fields of tiles change: a newer program reads no older copy."""

JUDGED: Final = {
    "f": """
SELECT parcel_id,
       list_sort(list_distinct(list(finding_id) FILTER (status = 'yes'))) AS findings,
       list_sort(list_distinct(list(finding_id) FILTER (status = 'unknown'))) AS unknowns,
       min(since) FILTER (status = 'yes') AS since,
       arg_min(severity, list_position(['high', 'medium', 'low', 'notice'], severity))
           FILTER (status = 'yes') AS severity
FROM findings WHERE {share} GROUP BY parcel_id""",
    "o": """
SELECT parcel_id, list_transform(list_sort(list({'rank': rank, 'tool': tool_id})), lambda x: x.tool) AS tools
FROM options WHERE status <> 'closed' AND {share} GROUP BY parcel_id""",
    "t": """
SELECT parcel_id, max(tier) AS tier FROM occupancies JOIN scores USING (enterprise_id) GROUP BY parcel_id""",
    "g": """
SELECT parcel_id, arg_min(tool_id, order_no) AS plan_tool, min(year) AS plan_year FROM plan GROUP BY parcel_id""",
}
"""What the results say of a parcel, a table each: one at a time and for some parcels, since lists in the making must
fit in memory. `share`: of which parcels."""

BESIDE: Final = """
SELECT coalesce(findings, []) AS findings, coalesce(unknowns, []) AS unknowns, since, severity,
       coalesce(tools, []) AS tools,
       CASE WHEN f.findings IS NOT NULL THEN tools[1] END AS first_tool, tier, plan_tool, plan_year,
       CASE WHEN g.plan_tool IS NOT NULL THEN 'planned' WHEN f.findings IS NOT NULL THEN 'found'
            WHEN f.unknowns IS NOT NULL THEN 'to_verify' WHEN (SELECT count(*) FROM findings) > 0 THEN 'clear'
       END AS stage, grade AS potential, order_no AS easy_first
FROM (SELECT parcel_id, row_no FROM given) LEFT JOIN f USING (parcel_id) LEFT JOIN o USING (parcel_id)
     LEFT JOIN t USING (parcel_id) LEFT JOIN g USING (parcel_id)
     LEFT JOIN (SELECT parcel_id, grade, order_no FROM potential) USING (parcel_id)
ORDER BY row_no"""
"""The same for every parcel, in the order of the parcels."""

LISTED: Final = {
    "enterprises": """
SELECT e.*, s.score, s.tier, n.parcels FROM given e
LEFT JOIN (SELECT enterprise_id, max(score) AS score, max(tier) AS tier FROM scores GROUP BY 1) s USING (enterprise_id)
LEFT JOIN (SELECT enterprise_id, count(DISTINCT parcel_id) AS parcels FROM occupancies GROUP BY 1) n
    USING (enterprise_id)
ORDER BY division, enterprise_id""",
    "contracts": """
SELECT c.*, p.name, p.division, p.holder_uscc FROM given c JOIN parcels p USING (parcel_id)
ORDER BY division, parcel_id, contract_no""",
    "buildings": """
SELECT b.* EXCLUDE (geometry), p.name, p.division, p.holder_uscc FROM given b LEFT JOIN parcels p USING (parcel_id)
ORDER BY division, parcel_id, building_id""",
    "visits": """
SELECT v.*, p.name, p.division, p.holder_uscc FROM given v LEFT JOIN parcels p USING (parcel_id)
ORDER BY division, parcel_id, visit_id""",
}
"""Datasets that are lists of their own, with what the list shows of others beside their fields."""
BORROWED: Final = {
    "enterprises": ("score", "tier", "parcels"),
    **dict.fromkeys(("contracts", "buildings", "visits"), ("name", "division", "holder_uscc")),
}
"""The columns of those lists that are others'."""


@cache
def result_specs() -> dict[str, dict[str, Any]]:
    """spec/results/<table>.yaml by table name."""
    return {path.stem: read_yaml(path) for path in sorted((SPEC / "results").glob("*.yaml"))}


BUILDING: Final = Lock()
"""Threads of a process build one copy after another: the second finds that of the first."""


def key_of(workspace: Workspace) -> str:
    """What the reading copy is made from, as its file name: `<snapshot>+<assessment>+<layout>+<time of the plan>`.

    A plan may be adopted long after its assessment was made, and lists show it. Appraisals come with the first
    comparison: from then on the copy looks into their file, whatever is compared later.
    """
    results = workspace.assessment_dir()
    plan = results / "plan.parquet" if results else None
    planned = f"{plan.stat().st_mtime_ns:x}" if plan and plan.is_file() else "0"
    planned += "a" if results and (results / "appraisals.parquet").is_file() else ""
    return f"{workspace.snapshot or 'empty'}+{results.name if results else 'none'}+{LAYOUT}+{planned}"


def reading_copy(workspace: Workspace) -> Path:
    """The path of the up-to-date reading copy, built if it is not there. Older copies are removed."""
    folder = workspace.root / "cache"
    target = folder / f"{key_of(workspace)}.duckdb"
    with BUILDING:
        if target.exists():
            return target
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


def open_copy(workspace: Workspace, path: Path) -> duckdb.DuckDBPyConnection:
    """The reading copy at `path`, open for reading; its views find their files from the workspace's folder."""
    db = duckdb.connect(str(path), read_only=True)
    _prepare(db, workspace)
    return db


def _prepare(db: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    folder = str(workspace.root.resolve()).replace("'", "''")
    db.execute(
        f"LOAD parquet; SET GLOBAL parquet_metadata_cache = true; SET GLOBAL file_search_path = '{folder}'"
    )


def build(workspace: Workspace, target: Path) -> None:
    """Writes the reading copy of the newest snapshot and assessment into `target`."""
    path = str(target.resolve()).replace("'", "''")
    with duckdb.connect(config={"temp_directory": f"{target.resolve()}.tmp", "memory_limit": MEMORY}) as db:
        _prepare(db, workspace)
        db.execute(f"ATTACH '{path}' AS copy (ROW_GROUP_SIZE {ROW_GROUP}); USE copy")
        for name in dataset_specs():
            if name not in ("parcels", "layers", *LISTED):
                _store(db, name, _dataset(workspace, name))
        _store_results(db, workspace)
        _store(db, "problems", workspace.problems() or problem_table(()))
        _store_parcels(db, _dataset(workspace, "parcels"))
        for name, sql in LISTED.items():
            db.register("given", _dataset(workspace, name))
            db.execute(f"CREATE TABLE {name} AS {sql}")
            db.unregister("given")
        db.execute("USE memory; DETACH copy")


def _dataset(workspace: Workspace, name: str, only: Sequence[str] = ()) -> pa.Table:
    """The dataset's current, corrected rows with every column of its spec, or `only` some."""
    path, schema = workspace.dataset_path(name), dataset_specs()[name].arrow_schema()
    if only:
        schema = pa.schema([schema.field(column) for column in only])
    held = [c for c in pq.read_schema(path).names if c in only] if path and only else None
    table = workspace.dataset(name, columns=held)
    if table is None:
        return schema.empty_table()
    for field in schema:
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table


def _store_results(db: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Each result table as a view of its file, or empty where the assessment has none; some as tables."""
    results = workspace.assessment_dir()
    files = {path.stem: path for path in sorted(results.glob("*.parquet"))} if results else {}
    files = {name: path for name, path in files.items() if pq.read_schema(path).names}
    for name, spec in result_specs().items():
        schema = pa.schema([(c, ARROW_TYPES[s["type"]]) for c, s in spec["columns"].items()])
        db.register("wanted", schema.empty_table())
        kinds = {column: kind for column, kind, *_ in db.execute("DESCRIBE wanted").fetchall()}
        path = files.pop(name, None)
        given, kind = "SELECT * FROM wanted", "TABLE"
        if path is not None:
            lacking = kinds.keys() - set(pq.read_schema(path).names)
            filled = "".join(f', NULL::{kinds[c]} AS "{c}"' for c in kinds if c in lacking)
            given = f"SELECT *{filled} FROM {_file(workspace, path)}"
            kind = "TABLE" if name in COPIED else "VIEW"
        if name in PLACED:
            _store_placed(db, workspace, name, given)
        else:
            db.execute(f'CREATE {kind} "{name}" AS {given}')
        db.unregister("wanted")
    for name, path in files.items():
        db.execute(f'CREATE VIEW "assessed_{name}" AS SELECT * FROM {_file(workspace, path)}')


def _store_placed(db: duckdb.DuckDBPyConnection, workspace: Workspace, name: str, given: str) -> None:
    """The result table `name` that the SELECT `given` answers, as `placed_<name>` and a view with its own columns."""
    db.register("land", _dataset(workspace, "parcels", ("parcel_id", "division", "holder_uscc")))
    db.execute(f"CREATE TABLE placed_{name} AS WITH given AS ({given}) {PLACED[name]}")
    db.unregister("land")
    own = [column for column, *_ in db.execute(f"DESCRIBE {given}").fetchall()]
    if OUTLINE in own:
        shapes = db.execute(f"SELECT {OUTLINE} FROM placed_{name}").to_arrow_table()[OUTLINE]
        bounds = shapely.bounds(shapely.from_wkb(shapes.to_numpy()))
        db.register(
            "boxes", pa.table({c: pa.array(bounds[:, i], from_pandas=True) for i, c in enumerate(BOX)})
        )
        db.execute(
            f"CREATE OR REPLACE TABLE placed_{name} AS SELECT * FROM placed_{name} POSITIONAL JOIN boxes"
        )
        db.unregister("boxes")
    columns = ", ".join(f'"{c}"' for c in own)
    db.execute(f'CREATE VIEW "{name}" AS SELECT {columns} FROM placed_{name}')


def _file(workspace: Workspace, path: Path) -> str:
    relative = path.relative_to(workspace.root).as_posix().replace("'", "''")
    return f"read_parquet('{relative}')"


def _store(db: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    db.register("rows", table.select([c for c in table.column_names if c != OUTLINE]))
    order = next((f"ORDER BY {c}" for c in ("parcel_id", "enterprise_id") if c in table.column_names), "")
    db.execute(f'CREATE TABLE "{name}" AS SELECT * FROM rows {order}')
    db.unregister("rows")


def _store_parcels(db: duckdb.DuckDBPyConnection, parcels: pa.Table) -> None:
    outlines = parcels.select(["parcel_id", "division", OUTLINE])
    db.register("outlines", outlines)
    db.execute(
        f"CREATE TABLE shapes AS SELECT parcel_id, {OUTLINE} FROM outlines WHERE {OUTLINE} IS NOT NULL "
        "ORDER BY division, parcel_id"
    )
    db.unregister("outlines")
    order = pc.sort_indices(outlines, [("division", "ascending"), ("parcel_id", "ascending")])
    boxes = _boxes(parcels).take(order)
    parcels = parcels.drop_columns([OUTLINE, "lon", "lat"])
    del outlines  # with the last of the outlines' bytes
    given = parcels.take(order)
    db.register("given", given.append_column("row_no", pa.array(np.arange(given.num_rows), pa.int64())))
    db.register("boxes", boxes)
    shares = _shares(parcels["parcel_id"])
    for name, sql in JUDGED.items():
        db.execute(f"CREATE TEMP TABLE {name} AS {sql.replace('{share}', shares[0])}")
        for share in shares[1:] if "{share}" in sql else ():
            db.execute(f"INSERT INTO {name} {sql.replace('{share}', share)}")
    db.execute(f"CREATE TEMP TABLE beside AS {BESIDE}")
    # Three tables of one order side by side: sorting rows of a hundred columns would take gigabytes.
    db.execute(
        "CREATE TABLE parcels AS SELECT * EXCLUDE (row_no) FROM given POSITIONAL JOIN beside POSITIONAL JOIN boxes"
    )
    db.unregister("given")
    db.unregister("boxes")


def _shares(ids: pa.ChunkedArray) -> list[str]:
    """Conditions on `parcel_id` that each hold for some `SHARE` of the parcels, and together for all."""
    firsts = pc.sort_indices(ids).take(pa.array(range(SHARE, len(ids), SHARE), pa.int64()))
    cuts = ["'" + cut.replace("'", "''") + "'" for cut in ids.take(firsts).to_pylist()]
    low = ["TRUE", *(f"parcel_id >= {cut}" for cut in cuts)]
    high = [*(f"parcel_id < {cut}" for cut in cuts), "TRUE"]
    return [f"{one} AND {other}" for one, other in zip(low, high, strict=True)]


def _boxes(parcels: pa.Table) -> pa.Table:
    """A point inside and the bounding box (°) of each parcel by row; one without outline keeps its point."""
    parts = [parcels.slice(begin, BATCH) for begin in range(0, parcels.num_rows, BATCH)]
    return pa.concat_tables([_box(part) for part in parts or [parcels]])


def _box(parcels: pa.Table) -> pa.Table:
    shapes = shapely.from_wkb(parcels["geometry"].to_numpy())
    inside, bounds = shapely.point_on_surface(shapes), shapely.bounds(shapes)
    given = {name: parcels[name].to_numpy().astype(float) for name in ("lon", "lat")}
    point = {"lon": shapely.get_x(inside), "lat": shapely.get_y(inside)}
    point = {name: np.where(np.isnan(drawn), given[name], drawn) for name, drawn in point.items()}
    box = dict(zip(BOX, (point["lon"], point["lat"], point["lon"], point["lat"]), strict=True))
    for i, name in enumerate(box):
        box[name] = np.where(np.isnan(bounds[:, i]), box[name], bounds[:, i])
    return pa.table({name: pa.array(values, from_pandas=True) for name, values in (point | box).items()})
