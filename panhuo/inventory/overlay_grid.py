"""A polygon layer cut into the cells of a square grid, so that a parcel meets only the edges near it.

A cell knows the pieces of the layer's edges within it and whether the layer covers its north-east
corner. From the corner west along a cell's north side, cover changes only where an edge crosses that
side; from there down, only at the pieces. A block of cells without pieces is therefore wholly covered
or wholly bare, told by one corner.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from panhuo.inventory.overlay_kernel import Edges, directed
from panhuo.inventory.overlay_vertices import Bools, Floats, Ints, Vertices, spans

MIN_CELLS: Final = 1 << 20
MAX_CELLS: Final = 1 << 23
CELLS_PER_EDGE: Final = 2


@dataclass(frozen=True, slots=True)
class Grid:
    """A layer's edges by cell. Coordinates are metres from `origin`; cell number = row × columns + column.

    pieces, piece_start: edge pieces sorted by cell, and where each cell's begin (one more than cells).
    cover: how many polygons cover each cell's north-east corner (0 or 1 once overlaps are merged).
    crossing_cell, crossing_x, crossing_step: where edges cross a cell's north side, and by how much cover is
    greater just west of there; sorted by cell.
    """

    origin: Floats
    cell_m: float
    rows: int
    columns: int
    pieces: Edges
    piece_start: NDArray[np.int32]
    cover: NDArray[np.int8]
    crossing_cell: Ints
    crossing_x: Floats
    crossing_step: Floats

    def cells_of(self, x: Floats, y: Floats) -> tuple[Ints, Ints]:
        """(row, column) of points, those outside the grid (or nowhere) in a cell of its rim."""
        row = np.floor(np.nan_to_num(y) / self.cell_m).clip(0, self.rows - 1).astype(np.int64)
        column = np.floor(np.nan_to_num(x) / self.cell_m).clip(0, self.columns - 1).astype(np.int64)
        return row, column

    def save(self, path: Path) -> None:
        """Writes the grid to `path` (NumPy .npz)."""
        with path.open("wb") as stream:
            np.savez(
                stream,
                **{f.name: getattr(self, f.name) for f in fields(self) if f.name != "pieces"},
                **{f"piece_{f.name}": getattr(self.pieces, f.name) for f in fields(Edges)},
            )

    @classmethod
    def load(cls, path: Path) -> "Grid":
        """The grid that `save` wrote to `path`."""
        with np.load(path) as stored:
            pieces = Edges(*(stored[f"piece_{f.name}"] for f in fields(Edges)))
            return cls(
                stored["origin"],
                float(stored["cell_m"]),
                int(stored["rows"]),
                int(stored["columns"]),
                pieces,
                stored["piece_start"],
                stored["cover"],
                stored["crossing_cell"],
                stored["crossing_x"],
                stored["crossing_step"],
            )


Paths = tuple[Floats, Floats, Floats, Floats]
"""Directed edges: x and y of their first, x and y of their second point."""


def build_grid(layer: Vertices, cell_m: float | None = None) -> Grid:
    """The grid of a layer whose polygons turn anticlockwise (holes clockwise) and do not overlap.

    cell_m: side of a cell; by default from the layer's extent and number of edges.
    """
    starts = np.flatnonzero(~layer.ends_ring)
    if not len(starts):
        return _bare()
    low = np.array([layer.x.min(), layer.y.min()])
    size = np.array([layer.x.max(), layer.y.max()]) - low
    cell_m = cell_m or _cell_side(size, len(starts))
    # Half a cell of margin: no layer edge lies on the rim, and beyond the rim nothing is covered.
    origin = low - 0.5 * cell_m
    columns, rows = (int(n) for n in np.floor(size / cell_m) + 2)
    x, y = layer.x - origin[0], layer.y - origin[1]
    edges = (x[starts], y[starts], x[starts + 1], y[starts + 1])
    edges, crossings = _cut_at_rows(edges, cell_m)
    edges = _swap(_cut(_swap(edges), cell_m)[0])
    crossing_cell, crossing_x, crossing_step = _crossings(crossings, cell_m, columns)
    pieces, piece_start = _sorted_pieces(edges, cell_m, rows, columns)
    cover = _cover(crossing_cell, crossing_step, rows, columns)
    return Grid(
        origin, cell_m, rows, columns, pieces, piece_start, cover, crossing_cell, crossing_x, crossing_step
    )


def _bare() -> Grid:
    nothing, none = np.empty(0), np.empty(0, np.int64)
    edges = Edges(nothing, nothing, nothing, nothing, nothing)
    return Grid(
        np.zeros(2), 1.0, 1, 1, edges, np.zeros(2, np.int32), np.zeros(1, np.int8), none, nothing, nothing
    )


def _cell_side(size: Floats, edges: int) -> float:
    cells = min(max(CELLS_PER_EDGE * edges, MIN_CELLS), MAX_CELLS)
    # A layer may be a thin strip: its shorter side counts as at least a thousandth of the longer.
    return float(np.sqrt(size.max() * max(size.min(), size.max() / 1000) / cells))


def _swap(edges: Paths) -> Paths:
    x0, y0, x1, y1 = edges
    return y0, x0, y1, x1


def _cut_at_rows(edges: Paths, cell_m: float) -> tuple[Paths, tuple[Ints, Floats, Floats]]:
    """The edges cut at the grid's level lines, and (line, x, ±1) of each crossing, + where the edge
    runs north."""
    cut, (line, x, north) = _cut(edges, cell_m)
    return cut, (line, x, np.where(north, 1.0, -1.0))


def _cut(edges: Paths, cell_m: float) -> tuple[Paths, tuple[Ints, Floats, Bools]]:
    """The edges cut wherever y passes a multiple of `cell_m`, and (multiple, x, upward) of each cut.

    A point on a line belongs above it, so that a chain touching the line from one side is not cut.
    """
    x0, y0, x1, y1 = edges
    first, last = np.floor(y0 / cell_m).astype(np.int64), np.floor(y1 / cell_m).astype(np.int64)
    long = np.flatnonzero(first != last)
    first, last = first[long], last[long]
    upward = last > first
    count = np.abs(last - first)
    owner = np.repeat(np.arange(len(long)), count)
    nth = spans(np.zeros(len(long), np.int64), count)
    line = np.where(upward[owner], first[owner] + 1 + nth, first[owner] - nth)
    edge = long[owner]
    y = line * cell_m
    share = (y - y0[edge]) / (y1[edge] - y0[edge])
    x = x0[edge] + share * (x1[edge] - x0[edge])
    # The cut edges' points in order: first point, cuts, last point; then every two neighbours make an edge.
    total = int(count.sum()) + 2 * len(long)
    begin = np.cumsum(count + 2) - (count + 2)
    inner = spans(begin + 1, count)
    end = begin + count + 1
    px, py = np.empty(total), np.empty(total)
    px[begin], py[begin], px[end], py[end] = x0[long], y0[long], x1[long], y1[long]
    px[inner], py[inner] = x, y
    goes_on = np.ones(total, dtype=np.bool_)
    goes_on[end] = False
    from_ = np.flatnonzero(goes_on)
    whole = np.ones(len(x0), dtype=np.bool_)
    whole[long] = False
    cut = (
        np.concatenate([x0[whole], px[from_]]),
        np.concatenate([y0[whole], py[from_]]),
        np.concatenate([x1[whole], px[from_ + 1]]),
        np.concatenate([y1[whole], py[from_ + 1]]),
    )
    return cut, (line, x, upward[owner])


def _crossings(
    crossings: tuple[Ints, Floats, Floats], cell_m: float, columns: int
) -> tuple[Ints, Floats, Floats]:
    """The cell below each crossed line, x and step, sorted by cell."""
    line, x, step = crossings
    cell = (line - 1) * columns + np.floor(x / cell_m).astype(np.int64)
    order = np.argsort(cell, kind="stable")
    return cell[order], x[order], step[order]


def _sorted_pieces(edges: Paths, cell_m: float, rows: int, columns: int) -> tuple[Edges, NDArray[np.int32]]:
    x0, y0, x1, y1 = edges
    used = x0 != x1  # an edge that spans no x adds nothing
    x0, y0, x1, y1 = x0[used], y0[used], x1[used], y1[used]
    middle_row = np.floor((y0 + y1) / (2 * cell_m)).clip(0, rows - 1).astype(np.int64)
    middle_column = np.floor((x0 + x1) / (2 * cell_m)).clip(0, columns - 1).astype(np.int64)
    cell = (middle_row * columns + middle_column).astype(np.int32)
    order = np.argsort(cell, kind="stable")
    start = np.zeros(rows * columns + 1, np.int32)
    np.cumsum(np.bincount(cell, minlength=rows * columns), out=start[1:])
    return directed(x0[order], y0[order], x1[order], y1[order]), start


def _cover(cell: Ints, step: Floats, rows: int, columns: int) -> NDArray[np.int8]:
    """Cover at each cell's north-east corner: the sum of the steps east of it along that line."""
    steps = np.zeros(rows * columns, np.int8)
    np.add.at(steps, cell, step.astype(np.int8))
    by_row = steps.reshape(rows, columns)[:, ::-1]
    east = np.cumsum(by_row, axis=1, dtype=np.int8) - by_row
    return np.ascontiguousarray(east[:, ::-1]).ravel()
