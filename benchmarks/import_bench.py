"""`panhuo import` against a bare read and write of the same file: `python -m benchmarks.import_bench [--parcels N …]`.

Makes the parcels as an office sends them (Chinese headers, codes and dates in words, outlines in a 3° zone) as
GeoPackage and shapefile; reads each with pyogrio's Arrow reader and writes it as Parquet, and imports it; every run in
a process of its own, the median of several. Writes docs/benchmarks/import.md.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyogrio
import pyproj
import shapely

from benchmarks import shapes
from benchmarks.province import make_workspace, parcels_of
from benchmarks.report import DOCS, table, write_page
from panhuo.workspace.imports import Options, import_files

WORDS = """Median of {runs} run(s), each in a process of its own, taken in turns; libraries loaded and files in the page
cache before the clock starts.

Bare: `pyogrio.read_arrow` and `pyarrow.parquet.write_table` with their defaults (Snappy), outlines as they are. Import:
headers matched and values read, outlines checked, measured and moved to EPSG:4490, written (Snappy as well, every
column of the dataset), both files hashed."""
HEADERS = {
    "parcel_id": ("宗地代码", "ZDDM"), "tenure": ("权利性质", "QLXZ"), "land_use": ("地类编码", "DLBM"),
    "holder": ("权利人", "QLR"), "acquired_on": ("登记时间", "DJSJ"), "area_m2": ("宗地面积", "ZDMJ"),
    "price_wan": ("成交价格", "CJJG"), "geometry": ("geometry", "geometry"),
}  # fmt: skip
TENURES = {"granted": "出让", "allocated": "划拨", "contributed": "作价出资", "leased": "租赁"}
SECONDS = 2
"""How many of the figures of a run, the first ones, are seconds."""
KINDS = {"gpkg": "GeoPackage", "shp": "shapefile (GBK)"}


def make_files(folder: Path, parcels: int) -> None:
    """parcels.gpkg and parcels.shp."""
    table = parcels_of(make_workspace(folder / "ws", parcels), list(HEADERS))
    tenure = table["tenure"].combine_chunks().dictionary_encode()
    words = pa.array([TENURES[t] for t in tenure.dictionary.to_pylist()]).take(tenure.indices)
    days = pc.strftime(table["acquired_on"].cast(pa.timestamp("s")), "%Y年%m月%d日")
    move = pyproj.Transformer.from_crs("EPSG:4490", shapes.CRS, always_xy=True).transform
    degrees = shapely.from_wkb(table["geometry"].to_numpy())
    planar = shapes.wkb(shapely.transform(degrees, move, interleaved=False))
    for name, column in (("tenure", words), ("acquired_on", days), ("geometry", planar)):
        table = table.set_column(table.column_names.index(name), name, column)
    for at, (kind, options) in enumerate({"gpkg": {}, "shp": {"ENCODING": "GBK"}}.items()):
        named = table.rename_columns([h[at] for h in HEADERS.values()]).replace_schema_metadata(None)
        path = folder / f"parcels.{kind}"
        pyogrio.write_arrow(
            named, path, geometry_name="geometry", geometry_type="Polygon", crs=shapes.CRS, **options
        )


def bare(path: Path, folder: Path) -> int:
    """What any program would do at least."""
    _, table = pyogrio.read_arrow(path)
    pq.write_table(table, folder / "bare.parquet")
    return int(table.num_rows)


def ours(path: Path, folder: Path) -> int:
    """The import: hashed, headers matched, values typed, outlines checked and moved to EPSG:4490, written."""
    (entry,) = import_files(folder / "imported", [path], Options(place="43"))["imports"]
    return int(entry["taken"])


def one(what: str, path: Path, parcels: int) -> None:
    """One run in this process; its figures as a line of JSON."""
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        begin, used = time.perf_counter(), time.process_time()
        rows = {"bare": bare, "ours": ours}[what](path, Path(scratch))
        wall, cpu = time.perf_counter() - begin, time.process_time() - used
        written = sum(path.stat().st_size for path in Path(scratch).rglob("*.parquet")) / 1e6
    if rows != parcels:
        raise SystemExit(f"{rows} rows of {parcels}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([wall, cpu, peak, written]))


def measure(path: Path, runs: int) -> dict[str, list[float]]:
    """Median [wall s, CPU s, peak MB, MB written] of the bare way and ours, turn by turn, after one unmeasured."""
    parcels = pyogrio.read_info(path)["features"]
    found: dict[str, list[list[float]]] = {"bare": [], "ours": []}
    for run in range(runs + 1):
        for what, figures in found.items():
            command = [
                sys.executable,
                "-m",
                "benchmarks.import_bench",
                "--one",
                what,
                str(path),
                str(parcels),
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            if run:
                figures.append(json.loads(done.stdout.splitlines()[-1]))
    return {
        what: [statistics.median(f) for f in zip(*figures, strict=True)] for what, figures in found.items()
    }


def lines_of(sizes: dict[int, dict[str, dict[str, list[float]]]]) -> list[str]:
    """The results as Markdown."""
    heads = ["file", "parcels"]
    for what in ("s", "CPU s", "peak MB", "MB written"):
        heads += [f"bare {what}", f"import {what}", "ratio"]
    rows = []
    for parcels, kinds in sizes.items():
        for kind, found in kinds.items():
            cells = []
            for at, (b, o) in enumerate(zip(found["bare"], found["ours"], strict=True)):
                digits = 2 if at < SECONDS else 0
                cells += [f"{b:.{digits}f}", f"{o:.{digits}f}", f"{o / b:.1f}"]
            rows.append([KINDS[kind], f"{parcels:,}", *cells])
    return table(heads, rows)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parcels", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--files", type=Path, help="where the files lie, or are made and kept")
    parser.add_argument("--folder", type=Path, default=DOCS)
    parser.add_argument("--make", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return one(options.one[0], Path(options.one[1]), int(options.one[2]))
    if options.make:
        return make_files(options.files, options.make)
    sizes = {}
    with tempfile.TemporaryDirectory() as scratch:
        for parcels in options.parcels:
            folder = (options.files or Path(scratch)) / str(parcels)
            if not (folder / "parcels.shp").exists():
                folder.mkdir(parents=True)
                make = [
                    sys.executable,
                    "-m",
                    "benchmarks.import_bench",
                    "--make",
                    str(parcels),
                    "--files",
                    folder,
                ]
                subprocess.run(make, check=True)
            sizes[parcels] = {kind: measure(folder / f"parcels.{kind}", options.runs) for kind in KINDS}
    words = WORDS.format(runs=options.runs)
    write_page(options.folder, "import", "Import: against a bare read and write", words, lines_of(sizes))
    return None


if __name__ == "__main__":
    main()
