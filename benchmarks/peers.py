# ruff: noqa: PLC0415 - each engine is imported only in the process that runs it
"""One overlay by one engine, run in a process of its own: `python -m benchmarks.peers ENGINE FOLDER LAYER`.

FOLDER holds parcels.parquet and LAYER.parquet (GeoParquet, EPSG:4547) and, once made, LAYER.pieces.parquet: the layer
cut to polygons of at most 128 vertices, as its users do by hand. Writes LAYER.ENGINE.parquet (parcel_id, area_m2) and
prints one line of JSON: seconds of preparation and of the run, peak memory, rows. Engines are imported where they run,
so that each process holds one only.
"""

import importlib
import importlib.metadata
import json
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import shapes

GEO = {
    b"geo": json.dumps(
        {
            "version": "1.1.0",
            "primary_column": "geometry",
            "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["Polygon"]}},
        }
    ).encode()
}
THREADS = 2
PIECE_VERTICES = 128
NAIVE_SQL = """
    SELECT p.parcel_id, sum(ST_Area(ST_Intersection(p.geometry, l.geometry))) AS area_m2
    FROM parcels p JOIN layer l ON ST_Intersects(p.geometry, l.geometry) GROUP BY p.parcel_id
"""
COVERS_SQL = """
    SELECT p.parcel_id, sum(CASE WHEN ST_Covers(l.geometry, p.geometry) THEN ST_Area(p.geometry)
                                 ELSE ST_Area(ST_Intersection(p.geometry, l.geometry)) END) AS area_m2
    FROM parcels p JOIN layer l ON ST_Intersects(p.geometry, l.geometry) GROUP BY p.parcel_id
"""
Run = Callable[[Path, str], tuple[float, pa.Table]]
"""(folder, layer) → (seconds of preparing the layer, areas). What it takes beyond preparation is the run."""


def panhuo(folder: Path, layer: str) -> tuple[float, pa.Table]:
    """Ours: the layer is prepared and kept once, then read for the run."""
    from panhuo.inventory.overlay import PreparedLayer, overlay, prepare_layer
    from panhuo.workspace.memory import FolderMemory

    memory = FolderMemory(folder / "kept")
    began = time.perf_counter()
    kept = memory.get(layer)
    if kept is None:
        memory.put(
            layer, prepare_layer(pq.read_table(folder / f"{layer}.parquet"), layer, crs=shapes.CRS).tables()
        )
        return time.perf_counter() - began, pa.table({"parcel_id": [], "area_m2": []})
    prepared = PreparedLayer.of_tables(layer, shapes.CRS, kept)
    parcels = pq.ParquetFile(folder / "parcels.parquet").iter_batches(columns=["parcel_id", "geometry"])
    areas = overlay(parcels, prepared, sliver_m2=1e-5, threads=THREADS).areas
    return 0.0, areas.select(["parcel_id", "area_m2"])


def geopandas_overlay(folder: Path, layer: str) -> tuple[float, pa.Table]:
    """`geopandas.overlay`, as most analysts write it. One thread."""
    import geopandas

    parcels = geopandas.read_parquet(folder / "parcels.parquet")
    shared = geopandas.overlay(
        parcels, geopandas.read_parquet(folder / f"{layer}.parquet"), keep_geom_type=True
    )
    areas = shared.geometry.area.groupby(shared["parcel_id"]).sum()
    return 0.0, pa.table({"parcel_id": areas.index.to_numpy(), "area_m2": areas.to_numpy()})


def _duckdb(sql: str, suffix: str) -> Run:
    def run(folder: Path, layer: str) -> tuple[float, pa.Table]:
        import duckdb
        import duckdb_extension_spatial

        extension = next(Path(duckdb_extension_spatial.__file__).parent.rglob("spatial.duckdb_extension"))
        database = duckdb.connect(config={"autoinstall_known_extensions": False, "threads": THREADS})
        database.execute(f"LOAD '{extension}'")
        for view, name in (("parcels", "parcels"), ("layer", layer + suffix)):
            database.execute(f"CREATE VIEW {view} AS SELECT * FROM '{folder / name}.parquet'")
        plan = database.execute("EXPLAIN " + sql).fetchall()[0][1]
        if "SPATIAL_JOIN" not in plan:
            raise SystemExit("DuckDB's planner did not choose its spatial join")
        return 0.0, database.execute(sql).to_arrow_table()

    return run


def _sedona(sql: str, suffix: str) -> Run:
    def run(folder: Path, layer: str) -> tuple[float, pa.Table]:
        import sedonadb

        sedona_db = sedonadb.connect()
        for view, name in (("parcels", "parcels"), ("layer", layer + suffix)):
            sedona_db.read_parquet(str(folder / f"{name}.parquet")).to_view(view)
        return 0.0, pa.RecordBatchReader.from_stream(sedona_db.sql(sql)).read_all()

    return run


def _postgis(sql: str, vertices: int | None) -> Run:
    def run(folder: Path, layer: str) -> tuple[float, pa.Table]:
        from benchmarks.postgis import overlay_in_postgis

        prepared, areas, cpu_s, most_mb = overlay_in_postgis(folder, layer, sql, vertices)
        server.update(cpu_s=cpu_s, peak_mb=most_mb)
        return prepared, areas

    return run


server: dict[str, float] = {}
"""What a database server used beside this process."""


def subdivide(folder: Path, layer: str) -> tuple[float, pa.Table]:
    """Writes the layer's pieces: halved by rectangles until no piece has more than 128 vertices."""
    import numpy as np
    import shapely

    began = time.perf_counter()
    polygons = shapely.from_wkb(pq.read_table(folder / f"{layer}.parquet")["geometry"].to_numpy())

    def pieces(polygon: shapely.Geometry) -> list[shapely.Geometry]:
        if shapely.get_num_coordinates(polygon) <= PIECE_VERTICES:
            return [polygon]
        west, south, east, north = polygon.bounds
        x, y = (west + east) / 2, (south + north) / 2
        boxes = (
            [(west, south, x, north), (x, south, east, north)]
            if east - west > north - south
            else [(west, south, east, y), (west, y, east, north)]
        )
        halves = (shapely.clip_by_rect(polygon, *box) for box in boxes)
        parts = (part for half in halves for part in shapely.get_parts(half) if part.area > 0)
        return [piece for part in parts for piece in pieces(part)]

    with ThreadPoolExecutor(THREADS) as pool:
        found = [piece for some in pool.map(pieces, polygons) for piece in some]
    table = pa.table({"geometry": pa.array(shapely.to_wkb(np.array(found)), pa.binary())})
    pq.write_table(table.replace_schema_metadata(GEO), folder / f"{layer}.pieces.parquet")
    return time.perf_counter() - began, pa.table({"parcel_id": [], "area_m2": []})


ENGINES: dict[str, tuple[str, str, Run]] = {
    "panhuo": ("panhuo", "panhuo", panhuo),
    "subdivide": ("", "shapely", subdivide),
    "geopandas": ("GeoPandas overlay", "geopandas", geopandas_overlay),
    "duckdb_naive": ("DuckDB spatial, naive", "duckdb", _duckdb(NAIVE_SQL, "")),
    "duckdb": ("DuckDB spatial, subdivided", "duckdb", _duckdb(COVERS_SQL, ".pieces")),
    "sedonadb_naive": ("SedonaDB, naive", "sedonadb", _sedona(NAIVE_SQL, "")),
    "sedonadb": ("SedonaDB, subdivided", "sedonadb", _sedona(COVERS_SQL, ".pieces")),
    "postgis_naive": ("PostGIS, naive", "postgis", _postgis(NAIVE_SQL, None)),
    "postgis": ("PostGIS, subdivided", "postgis", _postgis(COVERS_SQL, PIECE_VERTICES)),
}
"""id → name in the table, the package whose version is shown, how it runs."""


def version_of(package: str) -> str:
    """A package's version, or nothing where it is not a Python package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


IMPORTS = {
    "panhuo": ("panhuo.inventory.overlay", "pandas"),  # pyarrow loads pandas at the first conversion
    "geopandas": ("geopandas",),
    "duckdb": ("duckdb", "duckdb_extension_spatial"),
    "sedonadb": ("sedonadb",),
    "postgis": ("benchmarks.postgis",),
}
"""What is imported before the clock starts."""


def peak_mb() -> float:
    """The most memory this process held [MB]."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count the parent's memory before exec
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """See the module."""
    engine, folder, layer = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    for module in IMPORTS.get(engine.removesuffix("_naive"), ()):
        importlib.import_module(module)
    began, cpu = time.perf_counter(), time.process_time()
    prepared, areas = ENGINES[engine][2](folder, layer)
    if areas.num_rows:
        pq.write_table(areas, folder / f"{layer}.{engine}.parquet")
    seconds = time.perf_counter() - began - prepared
    figures = {
        "prepare_s": prepared,
        "run_s": seconds,
        "cpu_s": time.process_time() - cpu + server.get("cpu_s", 0.0),
        "peak_mb": peak_mb() + server.get("peak_mb", 0.0),
    }
    print(json.dumps(figures | {"rows": areas.num_rows}))


if __name__ == "__main__":
    main()
