"""Overlay, ours and its peers, side by side in one run: `python -m benchmarks.overlay_bench [--parcels N]`.

Makes the data, runs each engine in a process of its own, checks that all give the same areas (1e-6 of each), and writes
docs/benchmarks/overlay.md: on a million parcels the engines whose users cut the layer first, and all engines on fewer,
since the naive ones take very long on huge polygons.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import postgis, report, shapes
from benchmarks.peers import ENGINES, GEO, version_of
from benchmarks.province import hilbert_order

LAYERS = {
    "fields": "Field blocks, 50,000 to a million parcels",
    "huge": "Polygons of 5,000–50,000 vertices, 300 to a million parcels",
}
FULL, NAIVE_FULL = 1_000_000, 100_000
PREPARED = ("panhuo", "duckdb", "sedonadb", "postgis")
TOLERANCE = 1e-6
SMALLEST_M2 = 1.0
ROWS_AT_ONCE = 50_000
WORDS = """Each engine runs in a process of its own with two threads (GeoPandas has one); figures are the median over
the runs (PostGIS is run once: its loading takes longest), the peak of memory the largest. Run = read Parquet, compute
the area of each parcel under the layer, write Parquet. Prepare = once per version of a layer (ours: mended, merged
where it overlaps, cut by a grid; the peers: cut to at most 128 vertices, one cut for DuckDB and SedonaDB; PostGIS:
loading of both tables and indexes too). Difference = the largest relative difference of a parcel's area from ours, over
parcels sharing more than 1 m²; the bench fails above 1e-6. CPU = seconds of processor, the steadier figure on a busy
machine. On a few thousand parcels ours is mostly the half second in which its compiled code is loaded."""


@dataclass(frozen=True)
class Row:
    """One engine on one layer: seconds, peak memory [MB], largest relative difference from our areas."""

    engine: str
    prepare_s: float
    run_s: float
    cpu_s: float
    peak_mb: float
    difference: float


def make_data(folder: Path, parcels: int) -> None:
    """parcels.parquet and the two layers, for a square province of about `parcels` parcels."""
    side = round(parcels**0.5)
    net = shapes.lattice(side, side, seed=1)
    row, column = hilbert_order(side, side)
    schema = pa.schema([("parcel_id", pa.string()), ("geometry", pa.binary())], GEO)
    with pq.ParquetWriter(folder / "parcels.parquet", schema, compression="zstd") as out:
        for at in range(0, len(row), ROWS_AT_ONCE):
            part = slice(at, at + ROWS_AT_ONCE)
            outlines = shapes.outlines(net, row[part], column[part])
            ids = [f"p{i:08d}" for i in range(at, at + len(outlines))]
            out.write_table(pa.table([ids, shapes.wkb(outlines)], schema=schema))
    extent, share = side * shapes.PITCH_M, side * side / FULL
    layers = {
        "fields": shapes.fields(max(4, round(50_000 * share)), extent, extent, seed=2),
        "huge": shapes.huge(max(4, round(300 * share)), extent, extent, seed=3),
    }
    for name, polygons in layers.items():
        pq.write_table(pa.table([shapes.wkb(polygons)], schema=schema.remove(0)), folder / f"{name}.parquet")


def run(engine: str, folder: Path, layer: str, timeout_s: float) -> dict[str, float] | str:
    """The figures of one engine's process, or why there are none."""
    command = [sys.executable, "-m", "benchmarks.peers", engine, str(folder), layer]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return f"stopped after {timeout_s:.0f} s"
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["failed"])[-1]
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def difference(folder: Path, layer: str, engine: str) -> float:
    """The largest relative difference of an engine's areas from ours, over parcels with more than 1 m²."""
    sums = []
    for name in ("panhuo", engine):
        table = pq.read_table(folder / f"{layer}.{name}.parquet")
        ids = np.array([int(i[1:]) for i in table["parcel_id"].to_pylist()])
        sums.append(np.zeros(FULL * 10 if len(ids) == 0 else ids.max() + 1))
        sums[-1][ids] = table["area_m2"].to_numpy()
    size = max(len(s) for s in sums)
    ours, theirs = (np.pad(s, (0, size - len(s))) for s in sums)
    large = np.maximum(ours, theirs) > SMALLEST_M2
    return float(np.max(np.abs(ours - theirs)[large] / np.maximum(ours, theirs)[large], initial=0.0))


def runs_of(
    engine: str, folder: Path, layer: str, runs: int, timeout_s: float
) -> list[dict[str, float]] | str:
    """The figures of each run of an engine (one of PostGIS, whose loading takes longest), or why there are none."""
    found = []
    for _ in range(1 if engine.startswith("postgis") else runs):
        missing = postgis.missing() if engine.startswith("postgis") else ""
        figures = missing or run(engine, folder, layer, timeout_s)
        if isinstance(figures, str):
            return figures
        found.append(figures)
    return found


def compare(
    folder: Path, layer: str, engines: list[str], runs: int, timeout_s: float
) -> tuple[list[Row], list[str]]:
    """A row for each engine that ran, and a line for each that did not."""
    rows, notes = [], []
    cut = {engine: run(engine, folder, layer, timeout_s) for engine in ("panhuo", "subdivide")}
    for engine in engines:
        before = cut["panhuo" if engine == "panhuo" else "subdivide"] if engine in PREPARED[:3] else {}
        found = before if isinstance(before, str) else runs_of(engine, folder, layer, runs, timeout_s)
        if isinstance(before, str) or isinstance(found, str):
            notes.append(f"{ENGINES[engine][0]}: no figure: {found}")
            print(layer, notes[-1], file=sys.stderr, flush=True)
            continue
        rows.append(
            Row(
                engine,
                before.get("prepare_s", statistics.median(f["prepare_s"] for f in found)),
                statistics.median(f["run_s"] for f in found),
                statistics.median(f["cpu_s"] for f in found),
                max(f["peak_mb"] for f in found),
                difference(folder, layer, engine),
            )
        )
        print(layer, rows[-1], file=sys.stderr, flush=True)
    return rows, notes


def lines_of(layer: str, rows: list[Row], notes: list[str]) -> list[str]:
    """The rows as Markdown, with the ratios to ours."""
    ours = next(r for r in rows if r.engine == "panhuo")
    heads = ["engine", "version", "prepare s", "run s", "× ours", "CPU s", "× ours", "peak MB", "difference"]
    cells = [
        [
            ENGINES[r.engine][0],
            postgis.version() if r.engine.startswith("postgis") else version_of(ENGINES[r.engine][1]),
            f"{r.prepare_s:.1f}",
            f"{r.run_s:.2f}",
            f"{r.run_s / ours.run_s:.1f}",
            f"{r.cpu_s:.1f}",
            f"{r.cpu_s / ours.cpu_s:.1f}",
            f"{r.peak_mb:.0f}",
            f"{r.difference:.0e}" if r.engine != "panhuo" else "",
        ]
        for r in rows
    ]
    return [f"### {LAYERS[layer]}", "", *report.table(heads, cells), "", *(f"- {note}" for note in notes), ""]


def bench(parcels: int, engines: list[str], runs: int, timeout_s: float) -> list[str]:
    """The tables of all layers. Raises SystemExit when an engine's areas differ by more than 1e-6."""
    lines = [f"## {parcels:,} parcels of 8–28 vertices, {runs} run(s)", ""]
    with tempfile.TemporaryDirectory(prefix="bench-overlay-") as name:
        make_data(Path(name), parcels)
        for layer in LAYERS:
            rows, notes = compare(Path(name), layer, engines, runs, timeout_s)
            wrong = [r.engine for r in rows if not r.difference <= TOLERANCE]
            if wrong:
                raise SystemExit(f"areas differ by more than {TOLERANCE}: {', '.join(wrong)}")
            lines += lines_of(layer, rows, notes)
    return lines


def main(arguments: list[str] | None = None) -> None:
    """See the module. Exits 1 when an engine's areas differ by more than 1e-6."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--parcels", type=int, default=FULL, help="for engines with a layer cut first; 0: none"
    )
    parser.add_argument("--naive-parcels", type=int, default=NAIVE_FULL, help="for all engines")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds before a peer's run is stopped")
    parser.add_argument("--cut", nargs="+", choices=PREPARED, default=PREPARED, help="engines for --parcels")
    parser.add_argument("--folder", type=Path, default=report.DOCS)
    options = parser.parse_args(arguments)
    every = [engine for engine in ENGINES if engine != "subdivide"]
    lines: list[str] = []
    for parcels, engines, runs in (
        (options.parcels, options.cut, options.runs),
        (options.naive_parcels, every, 1),
    ):
        if parcels:
            lines += bench(parcels, list(engines), runs, options.timeout)
            report.write_page(options.folder, "overlay", "Overlay: panhuo and its peers", WORDS, lines)


if __name__ == "__main__":
    main()
