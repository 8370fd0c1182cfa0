"""The area outlines share with a layer, as a sum over pairs of edges. Compiled by Numba; runs without Python's lock.

Write s for +1 where an edge runs west (ground below it lies inside an anticlockwise polygon) and −1
where it runs east. Then the polygon is the sum over its edges of s × the strip below the edge, and so

    area(P ∩ Q) = Σ over edges e of P, f of Q   s(e) s(f) ∫ min(e(x), f(x)) dx   over the x both edges span.

As P is closed, Σ s(e) is nothing over any x, so f may be taken from the minimum:

    area(P ∩ Q) = Σ over edges e of P, f of Q   s(e) s(f) ∫ min(e(x) − f(x), 0) dx

and only the edges of P that pass below an edge of Q count. No vertex of the intersection is found and no
orientation is decided, so nothing can fail on touching, collinear or nearly collinear edges: rounding is the
only error. A vertical edge spans no x.
"""

import numpy as np

from panhuo.inventory.overlay_grid import Grid
from panhuo.inventory.overlay_rings import Floats, Outlines, compiled, ring_area


@compiled
def shared_areas(outlines: Outlines, grid: Grid) -> Floats:
    """Area each outline shares with the layer, both in metres of one plane [m²]; NaN where it is not known."""
    shared = np.where(outlines.known, 0.0, np.nan)
    for ring in range(len(outlines.outline)):
        begin, end = outlines.start[ring], outlines.start[ring + 1]
        x, y = outlines.x[begin:end], outlines.y[begin:end]
        area = ring_area(x, y)
        part = _ring_shares(x, y, area, grid)
        # Shells add and holes take away, whichever way they turn.
        shared[outlines.outline[ring]] += part if (area > 0) != outlines.hole[ring] else -part
    return shared


@compiled
def _ring_shares(x: Floats, y: Floats, area: float, grid: Grid) -> float:
    """Area a ring shares with the layer, signed as the ring turns: told by the cover at one corner of the block of
    cells around it, and where the layer has edges in the block by those."""
    west = east = x[0]
    south = north = y[0]
    for at in range(1, len(x)):
        west, east = min(west, x[at]), max(east, x[at])
        south, north = min(south, y[at]), max(north, y[at])
    rows, columns = grid.cover.shape
    low_row, high_row = (south - grid.origin[1]) / grid.cell_m, (north - grid.origin[1]) / grid.cell_m
    low_column, high_column = (west - grid.origin[0]) / grid.cell_m, (east - grid.origin[0]) / grid.cell_m
    if not (low_row < rows and high_row > 0 and low_column < columns and high_column > 0):
        return 0.0
    bottom, top = int(max(low_row, 0.0)), int(min(high_row, rows - 1.0))
    left, right = int(max(low_column, 0.0)), int(min(high_column, columns - 1.0))
    shared = area * float(grid.cover[top, right])
    for row in range(bottom, top + 1):
        if grid.piece_start[row * columns + left] < grid.piece_start[row * columns + right + 1]:
            # Seen from the ring's own corner numbers are small beside the layer's, and keep their digits.
            return shared + _by_edges(x - west, y - south, west, south, (row, top, left, right), grid)
    return shared


@compiled
def _by_edges(
    x: Floats, y: Floats, west: float, south: float, block: tuple[int, int, int, int], grid: Grid
) -> float:
    """What the layer's edges in a block of cells (first and last row and column) add to the cover at its corner."""
    bottom, top, left, right = block
    columns = grid.cover.shape[1]
    from_x, from_y, width = west - grid.origin[0], south - grid.origin[1], x.max()
    total = 0.0
    pieces = grid.pieces
    for row in range(bottom, top + 1):
        for at in range(grid.piece_start[row * columns + left], grid.piece_start[row * columns + right + 1]):
            fx0, fy0 = pieces[at, 0] - from_x, pieces[at, 1] - from_y
            fx1, fy1 = pieces[at, 2] - from_x, pieces[at, 3] - from_y
            # What ends west of a ring, begins east of it or runs below it adds nothing.
            if max(fx0, fx1) > 0 and min(fx0, fx1) < width and max(fy0, fy1) > 0:
                total += _strips(x, y, fx0, fy0, fx1, fy1)
    # West of a crossing of the block's north side cover is greater by its step all the way down: a level edge above
    # the ring says so, run west where the step is up.
    line = (top + 1) * grid.cell_m - from_y
    at = np.searchsorted(grid.crossing_cell, top * columns + left)
    while at < len(grid.crossing_cell) and grid.crossing_cell[at] <= top * columns + right:
        to_x = grid.crossing_x[at] - from_x
        if to_x > 0:
            total += grid.crossing_step[at] * _strips(x, y, to_x, line, -1.0, line)
        at += 1
    return total


@compiled
def _strips(x: Floats, y: Floats, fx0: float, fy0: float, fx1: float, fy1: float) -> float:
    """Σ s(e) s(f) ∫ min(e − f, 0) over the edges e of a ring, for one edge f."""
    west, east, high = min(fx0, fx1), max(fx0, fx1), max(fy0, fy1)
    total, slope = 0.0, (fy1 - fy0) / (fx1 - fx0)
    for at in range(len(x) - 1):
        x0, x1 = x[at], x[at + 1]
        from_x, to_x = max(min(x0, x1), west), min(max(x0, x1), east)
        if from_x < to_x and min(y[at], y[at + 1]) < high:
            steep = (y[at + 1] - y[at]) / (x1 - x0)
            d0 = y[at] + (from_x - x0) * steep - fy0 - (from_x - fx0) * slope
            d1 = d0 + (to_x - from_x) * (steep - slope)
            strip = (to_x - from_x) * _below(d0, d1)
            total += strip if (x1 < x0) == (fx1 < fx0) else -strip
    return total


@compiled
def _below(d0: float, d1: float) -> float:
    """Mean of min(d, 0), d going straight from d0 to d1."""
    if d0 >= 0 and d1 >= 0:
        return 0.0
    if d0 <= 0 and d1 <= 0:
        return 0.5 * (d0 + d1)
    low, high = min(d0, d1), max(d0, d1)
    return 0.5 * low * low / (low - high)
