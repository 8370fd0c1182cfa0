"""A province from afar: at zooms where parcels are specks, a grid of cells, each drawn for its most pressing parcel.

No finding is lost as by thinning: a cell has every attribute of the parcel it is drawn for (the worst finding first,
then the largest), so filters and colours work on it, and `count` says for how many parcels it stands. A layer of very
many polygons is drawn there by the cells whose middle it covers, so that as much of the picture is covered as of the
land.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.transform import Affine

from panhuo.workspace.pieces import EDGE, Floats, Ints, on_square
from panhuo.workspace.pmtiles import Block
from panhuo.workspace.reading import result_specs

CELLS_A_TILE: Final = 64
"""On a side: cells of eight pixels on the map's tiles of 512."""
COVER_A_TILE: Final = 128
"""The same for the cells a layer covers: it lies under the parcels, and its edge shows."""
BURNT_AT_ONCE: Final = 10_000
MOST_A_TILE: Final = 5_000
"""Parcels of one tile; at some 80 bytes each it stays under 500 KB, which a phone loads at once."""
AT_ONCE: Final = 25_000
"""Outlines baked at once: a tiler holds kilobytes for each."""
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


def coverage(shapes: NDArray[Any], below: int) -> Iterator[tuple[int, pa.Array]]:
    """(zoom, WKB [degrees] of the cells that `shapes` [degrees] cover) for the zooms under `below`, nearest first.

    Cells side by side in a row are one rectangle.
    """
    side = COVER_A_TILE << (below - 1)
    placed = shapely.transform(shapes, lambda at: np.stack(on_square(*at.T), axis=1) * side)
    x0, y0, x1, y1 = (int(v) for v in np.floor(shapely.total_bounds(placed)))
    # From an even corner, every second cell of a grid is the grid of the next zoom.
    x0, y0 = (v >> below << below for v in (x0, y0))
    covered = np.zeros((y1 - y0 + 1, x1 - x0 + 1), np.uint8)
    for begin in range(0, len(placed), BURNT_AT_ONCE):
        some = [shape for shape in placed[begin : begin + BURNT_AT_ONCE] if not shape.is_empty]
        rasterize(some, out=covered, transform=Affine.translation(x0, y0))
    for zoom in range(below - 1, -1, -1):
        edges = np.diff(covered.astype(np.int8), axis=1, prepend=0, append=0)
        (row, first), (_, after) = np.nonzero(edges > 0), np.nonzero(edges < 0)
        yield zoom, outlines(first + x0, row + y0, side, wide=after - first)
        covered, x0, y0, side = covered[::2, ::2], x0 >> 1, y0 >> 1, side >> 1


def on_grid(lon: Floats, lat: Floats, side: int) -> tuple[Ints, Ints]:
    """Column and row (from the north) on a Web Mercator square of `side` cells."""
    x, y = ((np.clip(v, 0, 1 - 1e-12) * side).astype(np.int64) for v in on_square(lon, lat))
    return x, y


def blocks(boxes: Floats, near: int) -> Iterator[tuple[Block, Ints]]:
    """Squares of ground of some `AT_ONCE` outlines, each with the rows that its tiles of zoom `near` and nearer draw.

    boxes: of each row, n × 4 (west, south, east, north) [degrees]. A row on an edge is of both squares.
    """
    west, south, east, north = boxes.T
    x, y = on_grid((west + east) / 2, (south + north) / 2, 1 << near)
    for zoom in range(near + 1):
        _, counts = np.unique(x >> near - zoom << 32 | y >> near - zoom, return_counts=True)
        if counts.max(initial=0) <= AT_ONCE:
            break
    edge = EDGE / (1 << near)
    corners = ((on_square(west, north), -edge), (on_square(east, south), edge))
    (left, top), (right, bottom) = (
        [(np.clip(v + beyond, 0, 1 - 1e-12) * (1 << zoom)).astype(np.int64) for v in corner]
        for corner, beyond in corners
    )
    keys, touched = [], []
    for column in range(int((right - left).max(initial=0)) + 1):
        for row in range(int((bottom - top).max(initial=0)) + 1):
            rows = np.flatnonzero((left + column <= right) & (top + row <= bottom))
            keys.append(left[rows] + column << 32 | top[rows] + row)
            touched.append(rows)
    key, rows = np.concatenate(keys), np.concatenate(touched)
    order = np.lexsort((rows, key))
    for part in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
        square = int(key[part[0]])
        yield Block(zoom, square >> 32, square & 0xFFFFFFFF), rows[part]


def outlines(x: Ints, y: Ints, side: int, wide: Ints | int = 1) -> pa.Array:
    """Cells of such a square, each with those `wide` to its right, as WKB [degrees]."""

    def latitude(row: Ints) -> Any:
        return np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * row / side))))

    boxes = shapely.box(x / side * 360 - 180, latitude(y + 1), (x + wide) / side * 360 - 180, latitude(y))
    return pa.array(shapely.to_wkb(boxes), pa.binary())
