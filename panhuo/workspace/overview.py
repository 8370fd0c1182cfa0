"""A province from afar: at zooms where parcels are specks, a grid of cells, each drawn for its most pressing parcel.

No finding is lost as by thinning: a cell has every attribute of the parcel it is drawn for (the worst finding first,
then the largest), so filters and colours work on it, and `count` says for how many parcels it stands.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from panhuo.workspace.reading import result_specs

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CELLS_A_TILE: Final = 64
"""On a side: cells of eight pixels on the map's tiles of 512."""
MOST_A_TILE: Final = 5_000
"""Parcels of one tile; at some 80 bytes each it stays under 500 KB, which a phone loads at once."""
NEAREST: Final = 10
"""From this zoom a parcel of a hectare is more than a speck."""


def whole_from_zoom(lon: Floats, lat: Floats, top: int) -> int:
    """The zoom from which each parcel is drawn: where none of its tiles holds too many, `top` at the latest."""
    x, y = on_grid(lon, lat, 1 << top)
    for zoom in range(top, NEAREST - 1, -1):
        _, counts = np.unique(x << 32 | y, return_counts=True)
        if counts.max(initial=0) > MOST_A_TILE:
            return min(zoom + 1, top)
        x, y = x >> 1, y >> 1
    return NEAREST


def overview(table: pa.Table, lon: Floats, lat: Floats, below: int) -> Iterator[tuple[int, pa.Table]]:
    """(zoom, cells) for the zooms under `below`, nearest first. The rows of `table` lie at `lon`, `lat` [degrees]."""
    side = CELLS_A_TILE << (below - 1)
    x, y = on_grid(lon, lat, side)
    rows, count, order = np.arange(table.num_rows), np.ones(table.num_rows, np.int64), pressing(table)
    for zoom in range(below - 1, -1, -1):
        key = x << 32 | y
        by_cell = np.lexsort((order[rows], key))
        first = np.flatnonzero(np.diff(key[by_cell], prepend=-1))
        count = np.add.reduceat(count[by_cell], first)
        at = by_cell[first]
        rows, x, y = rows[at], x[at], y[at]
        cells = table.take(pa.array(rows))
        cells = cells.set_column(cells.column_names.index("geometry"), "geometry", outlines(x, y, side))
        yield zoom, cells.append_column("count", pa.array(count))
        x, y, side = x >> 1, y >> 1, side >> 1


def pressing(table: pa.Table) -> Ints:
    """The rank of each row: worst severity first, then the largest area."""
    severities = pa.array(list(result_specs()["findings"]["columns"]["severity"]["codes"]), pa.string())
    worst = pc.fill_null(pc.index_in(table["severity"], severities), len(severities)).to_numpy()
    area = pc.fill_null(table["area_m2"], 0.0).to_numpy()
    rank = np.empty(table.num_rows, np.int64)
    rank[np.lexsort((-area, worst))] = np.arange(table.num_rows)
    return rank


def on_grid(lon: Floats, lat: Floats, side: int) -> tuple[Ints, Ints]:
    """Column and row (from the north) on a Web Mercator square of `side` cells."""
    north = np.arcsinh(np.tan(np.radians(np.clip(lat, -85, 85)))) / np.pi
    x, y = ((np.clip(v, 0, 1 - 1e-12) * side).astype(np.int64) for v in ((lon + 180) / 360, (1 - north) / 2))
    return x, y


def outlines(x: Ints, y: Ints, side: int) -> pa.Array:
    """Cells of such a square as WKB [degrees]."""

    def latitude(row: Ints) -> Any:
        return np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * row / side))))

    boxes = shapely.box(x / side * 360 - 180, latitude(y + 1), (x + 1) / side * 360 - 180, latitude(y))
    return pa.array(shapely.to_wkb(boxes), pa.binary())
