"""A polygon layer cut into the cells of a square grid, so that a parcel meets only the edges near it.

A cell knows the pieces of the layer's edges within it and whether the layer covers its north-east
corner. From the corner west along a cell's north side, cover changes only where an edge crosses that
side; from there down, only at the pieces. A block of cells without pieces is therefore wholly covered
or wholly bare, told by one corner.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from panhuo.inventory.overlay_rings import Floats, Outlines, compiled, ring_area

Counts = NDArray[np.int32]
Steps = NDArray[np.int8]

MIN_CELLS: Final = 1 << 20
MAX_CELLS: Final = 1 << 23
CELLS_PER_EDGE: Final = 2


class Grid(NamedTuple):
    """A layer's edges by cell. Coordinates are metres from `origin`; cell number = row × columns + column.

    pieces: (n, 4) x and y of the first and the second point of each piece of an edge, by cell;
    piece_start: where each cell's begin (one more than cells). cover: (rows, columns) how many polygons
    cover each cell's north-east corner (0 or 1 once overlaps are merged). crossing_cell, crossing_x,
    crossing_step: where edges cross a cell's north side, and by how much cover is greater just west of
    there; by cell.
    """

    origin: Floats
    cell_m: float
    pieces: Floats
    piece_start: Counts
    cover: Steps
    crossing_cell: Counts
    crossing_x: Floats
    crossing_step: Steps

    def tables(self) -> list[pa.Table]:
        """The grid as tables, to be kept and read again by `of_tables`."""
        frame = {"origin": [self.origin.tolist()], "cell_m": [self.cell_m], "shape": [list(self.cover.shape)]}
        columns = (
            self.pieces,
            self.piece_start,
            self.cover,
            self.crossing_cell,
            self.crossing_x,
            self.crossing_step,
        )
        return [pa.table(frame), *(pa.table({"": column.ravel()}) for column in columns)]

    @classmethod
    def of_tables(cls, tables: Sequence[pa.Table]) -> "Grid":
        """The grid that gave `tables`."""
        frame = tables[0].to_pylist()[0]
        pieces, start, cover, *crossings = (_whole(t.column(0)) for t in tables[1:])
        pieces, cover = pieces.reshape(-1, 4), cover.reshape(frame["shape"])
        return _kept(cls(np.array(frame["origin"]), frame["cell_m"], pieces, start, cover, *crossings))


def build_grid(layer: Outlines, cell_m: float | None = None) -> Grid:
    """The grid of a layer whose polygons do not overlap.

    cell_m: side of a cell; by default from the layer's extent and number of edges.
    """
    if not len(layer.x):
        return _built(layer, np.zeros(2), 1.0, (1, 1))
    low = np.array([layer.x.min(), layer.y.min()])
    size = np.array([layer.x.max(), layer.y.max()]) - low
    cell_m = cell_m or _cell_side(size, len(layer.x))
    # Half a cell of margin: no layer edge lies on the rim, and beyond the rim nothing is covered.
    columns, rows = (int(n) for n in np.floor(size / cell_m) + 2)
    return _built(layer, low - 0.5 * cell_m, cell_m, (rows, columns))


def _cell_side(size: Floats, edges: int) -> float:
    cells = min(max(CELLS_PER_EDGE * edges, MIN_CELLS), MAX_CELLS)
    # A layer may be a thin strip: its shorter side counts as at least a thousandth of the longer.
    return float(np.sqrt(size.max() * max(size.min(), size.max() / 1000) / cells))


def _built(layer: Outlines, origin: Floats, cell_m: float, shape: tuple[int, int]) -> Grid:
    """Cuts the edges twice: to count what each cell will hold, and to put it there."""
    start = np.zeros(shape[0] * shape[1] + 1, np.int32)
    nothing = (np.empty((0, 4)), np.empty(0, np.int32), np.empty(0), np.empty(0, np.int8))
    crossings = _cut_all(layer, origin, cell_m, shape[1], start[1:], *nothing)
    np.cumsum(start, out=start)
    pieces, next_piece = np.empty((start[-1], 4)), start[:-1].copy()
    cell, x, step = np.empty(crossings, np.int32), np.empty(crossings), np.empty(crossings, np.int8)
    _cut_all(layer, origin, cell_m, shape[1], next_piece, pieces, cell, x, step)
    order = np.argsort(cell, kind="stable")
    cell, x, step = cell[order], x[order], step[order]
    return _kept(Grid(origin, cell_m, pieces, start, _cover(cell, step, shape), cell, x, step))


def _whole(column: pa.ChunkedArray) -> NDArray[Any]:
    """The numbers of a column, where they lie if they lie together."""
    array: NDArray[Any] = (column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()).to_numpy()
    return array


def _kept(grid: Grid) -> Grid:
    """The grid, not to be written to, as one read from tables is: the kernel is compiled once for both."""
    for array in (a for a in grid if isinstance(a, np.ndarray)):
        array.setflags(write=False)
    return grid


def _cover(cell: Counts, step: Steps, shape: tuple[int, int]) -> Steps:
    """Cover at each cell's north-east corner: the sum of the steps east of it along that line."""
    steps = np.zeros(shape, np.int8)
    np.add.at(steps.reshape(-1), cell, step)
    by_row = steps[:, ::-1]
    east = np.cumsum(by_row, axis=1, dtype=np.int8) - by_row
    return np.ascontiguousarray(east[:, ::-1])


@compiled
def _cut_all(
    layer: Outlines, origin: Floats, cell_m: float, columns: int, next_piece: Counts, pieces: Floats,
    crossing_cell: Counts, crossing_x: Floats, crossing_step: Steps,
) -> int:  # fmt: skip
    """Cuts all edges at the grid's lines and gives the number of crossings of level lines.

    With room in `pieces` puts each piece at its cell's `next_piece` and fills the crossings; without it only counts.
    """
    crossings = 0
    for ring in range(len(layer.outline)):
        begin, end = layer.start[ring], layer.start[ring + 1]
        # Ground to the left of an edge is inside: shells anticlockwise, holes clockwise.
        with_it = (ring_area(layer.x[begin:end], layer.y[begin:end]) > 0) != layer.hole[ring]
        for at in range(begin, end - 1):
            a, b = (at, at + 1) if with_it else (at + 1, at)
            x0, y0 = layer.x[a] - origin[0], layer.y[a] - origin[1]
            x1, y1 = layer.x[b] - origin[0], layer.y[b] - origin[1]
            # A point on a line belongs above it, so that a chain touching the line from one side is not cut.
            row, last = int(np.floor(y0 / cell_m)), int(np.floor(y1 / cell_m))
            step = 1 if last > row else -1
            from_x, from_y = x0, y0
            while row != last:
                line = row + 1 if step > 0 else row
                to_y = line * cell_m
                to_x = x0 + (to_y - y0) / (y1 - y0) * (x1 - x0)
                _cut_in_row(from_x, from_y, to_x, to_y, row, cell_m, columns, next_piece, pieces)
                if len(crossing_cell):
                    crossing_cell[crossings] = (line - 1) * columns + int(np.floor(to_x / cell_m))
                    crossing_x[crossings] = to_x
                    crossing_step[crossings] = step
                crossings += 1
                from_x, from_y = to_x, to_y
                row += step
            _cut_in_row(from_x, from_y, x1, y1, row, cell_m, columns, next_piece, pieces)
    return crossings


@compiled
def _cut_in_row(
    x0: float, y0: float, x1: float, y1: float, row: int, cell_m: float, columns: int,
    next_piece: Counts, pieces: Floats,
) -> None:  # fmt: skip
    """As `_cut_all`, of an edge within one row of cells."""
    column, last = int(np.floor(x0 / cell_m)), int(np.floor(x1 / cell_m))
    step = 1 if last > column else -1
    from_x, from_y = x0, y0
    while True:
        if column == last:
            to_x, to_y = x1, y1
        else:
            to_x = (column + 1 if step > 0 else column) * cell_m
            to_y = y0 + (to_x - x0) / (x1 - x0) * (y1 - y0)
        cell = row * columns + column
        if len(pieces):
            piece = pieces[next_piece[cell]]
            piece[0], piece[1], piece[2], piece[3] = from_x, from_y, to_x, to_y
        next_piece[cell] += 1
        if column == last:
            return
        from_x, from_y = to_x, to_y
        column += step
