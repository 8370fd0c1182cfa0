"""How time and memory grow with the number of parcels: `python -m benchmarks.growth [--sizes N …]`.

Makes a province of each size, imports its parcels, assesses it and bakes its tiles, each in a process of its own, and
writes the seconds of every stage, peak memory and the exponent of growth to docs/benchmarks/growth.md and growth.svg.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import report
from benchmarks.province import make_workspace, write_gdal
from panhuo.workspace.parquet import write_table
from panhuo.workspace.store import Workspace

mpl.use("svg")
from matplotlib import pyplot as plt

SIZES = (10_000, 100_000, 1_000_000)
LARGEST = 5_000_000
"""Assessed only: its GeoPackage alone would take longer than all the rest."""
TILES = "import sys; from pathlib import Path; from panhuo.workspace.store import Workspace; \
from panhuo.workspace.tiles import parcel_tiles; parcel_tiles(Workspace(Path(sys.argv[1])), 'all', 'TRUE', [])"
WORDS = """One run for each size of a made-up province (parcels, contracts, a fifth as many enterprises, three layers):
`panhuo import` of the parcels as GeoPackage into an empty workspace, `panhuo assess` in its stages, the map's tiles
baked with the reading copy they are made of. Import, assess and tiles run in a process each; assess (whole) is its
process from start to end; assess (again) the same after one figure of one contract has changed, when the counties it
does not touch are taken over. The largest size is assessed only. The exponent is the slope of log seconds on log
parcels from 100,000 on, where fixed costs no longer hide it: 1 is in proportion; n log n is 1.08 over these sizes.
Short stages are noisy."""
FIXED = 100_000


@dataclass(frozen=True)
class Point:
    """One size: parcels, seconds by stage, peak memory [MB] by process."""

    parcels: int
    seconds: dict[str, float]
    peak_mb: dict[str, float]
    again: dict[str, int]
    """Counties judged and taken over when assessed again."""


def measure(parcels: int, whole: bool) -> Point:
    """Makes and assesses a province of about `parcels` parcels; `whole`: imports it and bakes its tiles too."""
    with tempfile.TemporaryDirectory(prefix="bench-growth-") as name:
        workspace = make_workspace(Path(name) / "province", parcels)
        used = {}
        if whole:
            write_gdal(workspace, Path(name) / "parcels.gpkg")
            used["import"] = report.panhuo(
                "import", Path(name) / "imported", Path(name) / "parcels.gpkg", "--json"
            )
        assess = report.panhuo("assess", workspace.root, "--json")
        if whole:
            used["tiles"] = report.measured("-c", TILES, workspace.root)
        used["assess (whole)"] = assess
        change_one_contract(workspace)
        used["assess (again)"] = report.panhuo("assess", workspace.root, "--json")
        again = workspace.assessment_dir()
        assert again is not None
        counties = json.loads((again / "manifest.json").read_text(encoding="utf-8"))["counties"]
    said = json.loads(assess.out)
    seconds = {stage: one.wall_s for stage, one in used.items()} | said["seconds"]
    return Point(said["parcels"], seconds, {stage: one.peak_mb for stage, one in used.items()}, counties)


def change_one_contract(workspace: Workspace) -> None:
    """A new snapshot in which one contract's works are further on; the other files are the same ones."""
    before = workspace.snapshot_dir()
    assert before is not None
    with workspace.locked(), workspace.write_snapshot("changed") as folder:
        for path in before.rglob("*.parquet"):
            target = folder / path.relative_to(before)
            target.parent.mkdir(exist_ok=True)
            target.hardlink_to(path)
        contracts = pq.read_table(folder / "contracts.parquet")
        done = pa.chunked_array([pa.array([0.123]), *contracts["works_done"].slice(1).chunks])
        (folder / "contracts.parquet").unlink()
        at = contracts.column_names.index("works_done")
        write_table(contracts.set_column(at, "works_done", done), folder / "contracts.parquet")


def exponents(points: Sequence[Point]) -> dict[str, float]:
    """The slope of log seconds on log parcels of each stage, of the sizes where fixed costs are small."""
    slopes = {}
    for stage in stages_of(points):
        some = [
            (p.parcels, p.seconds[stage]) for p in points if stage in p.seconds and p.parcels > FIXED * 0.9
        ]
        size, seconds = np.log(np.maximum(np.array(some or [(1, 1)]), 1e-3)).T
        slopes[stage] = float(np.polyfit(size, seconds, 1)[0]) if len(some) > 1 else float("nan")
    return slopes


def stages_of(points: Sequence[Point]) -> list[str]:
    """All stages any size ran, in the order run."""
    return list(dict.fromkeys(stage for p in points for stage in p.seconds))


def grown(points: Sequence[Point]) -> list[str]:
    """How assess grows from the second largest size to the largest."""
    if len(points) < 2:
        return []
    small, large = points[-2:]
    stage = "assess (whole)"
    times = large.seconds[stage] / small.seconds[stage]
    return [
        f"From {small.parcels:,} to {large.parcels:,} parcels ({large.parcels / small.parcels:.2f} ×) a whole assess "
        f"takes {times:.2f} × the time: {small.seconds[stage]:.1f} s and {large.seconds[stage]:.1f} s; its peak "
        f"memory is {small.peak_mb[stage]:,.0f} MB and {large.peak_mb[stage]:,.0f} MB."
    ]


def draw(points: Sequence[Point], path: Path) -> None:
    """Seconds by stage, and memory by process, against parcels, on logarithmic axes."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for panel, figures in zip(axes, ("seconds", "peak_mb"), strict=True):
        for stage in dict.fromkeys(s for p in points for s in getattr(p, figures)):
            shown = [(p.parcels, getattr(p, figures)[stage]) for p in points if stage in getattr(p, figures)]
            panel.loglog(*zip(*shown, strict=True), marker="o", label=stage)
        panel.grid(alpha=0.3)
        panel.legend(fontsize="small")
    sizes = np.array([points[0].parcels, points[-1].parcels])
    least = min(s for s in points[0].seconds.values() if s > 0)
    axes[0].loglog(sizes, least * sizes / sizes[0], color="grey", linestyle=":")
    axes[0].set(xlabel="parcels", ylabel="seconds (dotted: in proportion)")
    axes[1].set(xlabel="parcels", ylabel="peak memory, MB")
    figure.savefig(path)


def lines_of(points: Sequence[Point]) -> list[str]:
    """The chart and the tables as Markdown."""
    stages, slope = stages_of(points), exponents(points)

    def cell(figures: dict[str, float], name: str, form: str) -> str:
        return format(figures[name], form) if name in figures else ""

    rows = [[f"{p.parcels:,}", *(cell(p.seconds, s, ".2f") for s in stages)] for p in points]
    rows.append(["exponent", *(f"{slope[s]:.2f}" if slope[s] == slope[s] else "" for s in stages)])
    processes = list(points[0].peak_mb)
    memory = [[f"{p.parcels:,}", *(cell(p.peak_mb, s, ".0f") for s in processes)] for p in points]
    return [
        *grown(points),
        "",
        *(
            f"Assessed again, {p.parcels:,} parcels: {p.again['judged']} counties judged, "
            f"{p.again['taken_over']} taken over, {p.seconds['assess (again)']:.1f} s."
            for p in points[-2:]
        ),
        "",
        "![seconds and memory against parcels](growth.svg)",
        "",
        "## Seconds",
        "",
        *report.table(["parcels", *stages], rows),
        "",
        "## Peak memory, MB",
        "",
        *report.table(["parcels", *processes], memory),
    ]


def main(arguments: list[str] | None = None) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--largest", type=int, default=LARGEST, help="assessed only; 0: none")
    parser.add_argument("--folder", type=Path, default=report.DOCS)
    options = parser.parse_args(arguments)
    points = []
    for size, whole in [*((n, True) for n in sorted(options.sizes)), (options.largest, False)]:
        if size:
            points.append(measure(size, whole))
            print(points[-1], file=sys.stderr, flush=True)
    options.folder.mkdir(parents=True, exist_ok=True)
    draw(points, options.folder / "growth.svg")
    report.write_page(
        options.folder, "growth", "Growth of cost with the number of parcels", WORDS, lines_of(points)
    )


if __name__ == "__main__":
    main()
