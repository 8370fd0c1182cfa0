"""Overlay, ours and its peers, side by side in one run: `python -m benchmarks.overlay_bench [--parcels N]`.

Makes the data, runs each engine in a process of its own, checks that all give the same areas (1e-6 of each), and writes
the table with the machine named to docs/benchmarks/overlay.md (with --parcels under a million: prints it only).
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import postgis, shapes
from benchmarks.peers import ENGINES, GEO, version_of
from benchmarks.province import hilbert_order

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "overlay.md"
LAYERS = {"fields": "50,000 field blocks", "huge": "300 polygons of 5,000–50,000 vertices"}
FULL = 1_000_000
TOLERANCE = 1e-6
SMALLEST_M2 = 1.0
ROWS_AT_ONCE = 50_000


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
    return json.loads(done.stdout.splitlines()[-1])


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


def compare(
    folder: Path, layer: str, engines: list[str], runs: int, timeout_s: float
) -> tuple[list[Row], list[str]]:
    """A row for each engine that ran, and a line for each that did not."""
    rows, notes = [], []
    shared = {
        "panhuo": run("panhuo", folder, layer, timeout_s),
        "": run("subdivide", folder, layer, timeout_s),
    }
    for engine in engines:
        why = postgis.missing() if engine == "postgis" else ""
        found = [why or run(engine, folder, layer, timeout_s) for _ in range(1 if why else runs)]
        failed = [f for f in found if isinstance(f, str)]
        if failed:
            notes.append(f"{ENGINES[engine][0]} ({layer}): NOT RUN: {failed[0]}")
            print(notes[-1], file=sys.stderr, flush=True)
            continue
        own = statistics.median(f["prepare_s"] for f in found)
        cut = shared["panhuo" if engine == "panhuo" else ""]["prepare_s"] if _prepared(engine) else own
        rows.append(
            Row(
                engine,
                cut,
                statistics.median(f["run_s"] for f in found),
                statistics.median(f["cpu_s"] for f in found),
                max(f["peak_mb"] for f in found),
                difference(folder, layer, engine),
            )
        )
        print(layer, rows[-1], file=sys.stderr, flush=True)
    return rows, notes


def _prepared(engine: str) -> bool:
    return engine in {"panhuo", "duckdb", "sedonadb"}


def page(results: dict[str, tuple[list[Row], list[str]]], parcels: int, runs: int) -> str:
    """The results as Markdown."""
    lines = [
        "# Overlay: panhuo and its peers",
        "",
        f"Written by `make bench` on {date.today()}: {parcels:,} parcels (8–28 vertices, shared edges), median of "
        f"{runs} run(s), each in a process of its own, two threads. Machine: {machine()}.",
        "",
        "Run = read Parquet, compute area per parcel, write Parquet. Prepare = once per version of a layer (ours: its "
        "grid; subdivided peers: cut to at most 128 vertices; PostGIS: also loading). Difference = the largest "
        "relative difference of a parcel's area from ours, over parcels sharing more than 1 m². CPU = seconds of "
        "processor over all threads of the engine's process, of preparation too where that is not shared; it is the "
        "steadier figure on a busy machine (PostGIS works in other processes: its CPU and memory are not counted).",
    ]
    for layer, (rows, notes) in results.items():
        ours = next(r for r in rows if r.engine == "panhuo")
        lines += ["", f"## {LAYERS[layer]}", ""]
        lines.append(
            "| engine | version | prepare s | run s | × ours | CPU s | × ours | peak MB | difference |"
        )
        lines.append("|---|---|--:|--:|--:|--:|--:|--:|--:|")
        for r in rows:
            name, package, _ = ENGINES[r.engine]
            lines.append(
                f"| {name} | {package} {version_of(package)} | {r.prepare_s:.1f} | {r.run_s:.2f} | "
                f"{r.run_s / ours.run_s:.1f} | {r.cpu_s:.1f} | {r.cpu_s / ours.cpu_s:.1f} | {r.peak_mb:.0f} | "
                f"{r.difference:.0e} |"
            )
        lines += ["", *(f"- {note}" for note in notes)]
    return "\n".join(lines).rstrip() + "\n"


def machine() -> str:
    """Processor, cores, memory and system, as the machine tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    name = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), platform.processor())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    python = f"Python {platform.python_version()}"
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.platform()}, {python}"


def main() -> None:
    """See the module. Exits 1 when an engine's areas differ by more than 1e-6."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parcels", type=int, default=FULL)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds before a peer's run is stopped")
    parser.add_argument("--engines", nargs="*", default=[e for e in ENGINES if e != "subdivide"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-overlay-") as name:
        folder = Path(name)
        make_data(folder, options.parcels)
        results = {
            layer: compare(folder, layer, options.engines, options.runs, options.timeout) for layer in LAYERS
        }
    text = page(results, options.parcels, options.runs)
    print(text)
    if options.parcels >= FULL:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
    wrong = [r for rows, _ in results.values() for r in rows if r.difference > TOLERANCE]
    if wrong:
        raise SystemExit(f"areas differ by more than {TOLERANCE}: {', '.join(r.engine for r in wrong)}")


if __name__ == "__main__":
    main()
