"""Sheets of a map as archives, some at a time: `python -m panhuo.workspace.tiler` takes its work line by line.

Tiles are made in processes of their own, which leave Python's lock to the site's pages and give way to everybody
else's work; each asks for the next sheet when it has done one.
"""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from panhuo.core.problems import PanhuoError
from panhuo.workspace.mvt import encode, values_of
from panhuo.workspace.pieces import down, whole
from panhuo.workspace.pmtiles import Block, tile_id, write_tiles

WORKERS: Final = 2
LEVEL: Final = 4
"""Of gzip: two thirds of the time of its usual 6 for tiles 2 % larger."""
NICE: Final = 10
"""How far a bake stands back behind the site's pages."""
NAMES: Final = "names"
"""The layer of labels: a point in exactly one tile, where an outline cut by an edge would be named in each."""
POINT: Final = ("lon", "lat")


@dataclass(frozen=True, slots=True)
class Job:
    """A Parquet file of rows with `geometry` (WKB, degrees), the archive to make of it, its layer, zooms and square;
    `named`: what the labels of the nearest zoom say of each row, the first the name, at the row's `POINT`."""

    source: str
    target: str
    layer: str
    zooms: tuple[int, int]
    block: tuple[int, int, int]
    named: tuple[str, ...] = ()


def bake_files(jobs: Iterator[Job], *, apart: bool) -> None:
    """Makes every archive, in processes `apart` or in this one. Raises PanhuoError when one cannot be made."""
    if not apart:
        for job in jobs:
            bake(job)
        return
    turn = Lock()

    def following() -> Job | None:
        with turn:
            return next(jobs, None)

    with ThreadPoolExecutor(WORKERS) as pool:
        for share in [pool.submit(in_a_process, following) for _ in range(WORKERS)]:
            share.result()


def in_a_process(following: Any) -> None:
    """A process that does one job after the other for as long as there is a `following` one."""
    command = [sys.executable, "-m", "panhuo.workspace.tiler"]
    with (
        TemporaryFile("w+") as words,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=words, text=True
        ) as process,
    ):
        assert process.stdin and process.stdout
        while job := following():
            print(json.dumps(asdict(job)), file=process.stdin, flush=True)
            if not process.stdout.readline():
                process.wait()
                words.seek(0)
                raise PanhuoError(
                    "切片没有做成 the tiles could not be baked", why=words.read().strip()[-400:]
                )


def bake(job: Job) -> None:
    """One archive; no file where no tile of the square draws anything."""
    rows = pq.read_table(job.source)
    Path(job.source).unlink()
    shapes = shapely.from_wkb(rows["geometry"].to_numpy())
    values = values_of(rows.drop_columns([c for c in ("geometry", *POINT) if c in rows.column_names]))
    block = Block(*job.block)
    pieces = whole(shapes, block)
    low, high = job.zooms
    tiles: list[tuple[int, bytes]] = []
    for zoom in range(low, high + 1):
        pieces = down(pieces, zoom)
        made = {(x, y): tile for x, y, tile in encode(pieces, values, job.layer)}
        if zoom == high and job.named:
            for x, y, tile in labels(rows, block, zoom, job.named):
                made[x, y] = made.get((x, y), b"") + tile
        tiles += [(tile_id(zoom, x, y), gzip.compress(tile, LEVEL, mtime=0)) for (x, y), tile in made.items()]
    if tiles:
        layers = [vector_layer(job.layer, rows, values.names, (low, high))]
        layers += [vector_layer(NAMES, rows, job.named, (high, high))] if job.named else []
        write_tiles(tiles, Path(job.target), {"vector_layers": layers}, shapely.total_bounds(shapes).tolist())


def labels(
    rows: pa.Table, block: Block, zoom: int, named: tuple[str, ...]
) -> Iterator[tuple[int, int, bytes]]:
    """(x, y, tile) of the rows' names, each in the one tile that holds the row's point."""
    rows = rows.filter(pc.greater(pc.binary_length(rows[named[0]]), 0))
    if rows.num_rows:
        points = shapely.points(*(rows[name].to_numpy() for name in POINT))
        yield from encode(down(whole(points, block), zoom, 0), values_of(rows.select(named)), NAMES)


def vector_layer(
    name: str, rows: pa.Table, fields: tuple[str, ...], zooms: tuple[int, int]
) -> dict[str, Any]:
    """A layer as an archive's metadata tells it."""
    kinds = {f: "String" if pa.types.is_string(rows.schema.field(f).type) else "Number" for f in fields}
    return {"id": name, "fields": kinds, "minzoom": zooms[0], "maxzoom": zooms[1]}


if __name__ == "__main__":
    if hasattr(os, "nice"):  # not on Windows
        os.nice(NICE)
    for line in sys.stdin:
        bake(Job(**json.loads(line)))
        print("done", flush=True)
