"""Parcels against a layer's grid: most are told by one corner of a cell, the rest by the pieces of
edges near them."""

from dataclasses import dataclass

import numpy as np

from panhuo.inventory.overlay_grid import Grid
from panhuo.inventory.overlay_kernel import Edges, shared_areas
from panhuo.inventory.overlay_vertices import Floats, Ints, Vertices, spans


@dataclass(frozen=True, slots=True)
class Blocks:
    """The block of cells around each outline's box: first and last row and column. No outline: one cell."""

    low_row: Ints
    low_column: Ints
    high_row: Ints
    high_column: Ints


def shared_and_own(outlines: Vertices, grid: Grid) -> tuple[Floats, Floats]:
    """(area shared with the layer, own area) of each outline in the grid's plane [m²]; NaN where there
    is none."""
    near = Vertices(
        outlines.x - grid.origin[0],
        outlines.y - grid.origin[1],
        outlines.start,
        outlines.ends_ring,
        outlines.known,
    )
    signed = near.area()
    own = np.where(near.known, np.abs(signed), np.nan)
    bounds = near.bounds()
    west, south, east, north = bounds
    width, height = grid.columns * grid.cell_m, grid.rows * grid.cell_m
    inside = (west < width) & (east > 0) & (south < height) & (north > 0)
    blocks = Blocks(*grid.cells_of(west, south), *grid.cells_of(east, north))
    corner = blocks.high_row * grid.columns + blocks.high_column
    shared = np.where(inside, own * grid.cover[corner], np.where(near.known, 0.0, np.nan))
    mixed, fragments, owner = _fragments(grid, blocks, np.flatnonzero(inside), bounds)
    shared[mixed] += np.sign(signed[mixed]) * shared_areas(near, mixed, fragments, owner)
    # Rounding may pass the ends by a hair.
    return np.clip(shared, 0.0, own), own


def _fragments(
    grid: Grid, blocks: Blocks, rows: Ints, bounds: tuple[Floats, Floats, Floats, Floats]
) -> tuple[Ints, Edges, Ints]:
    """The outlines that any edge of the layer comes near, those edges, and whose they are (as
    positions, ascending)."""
    west, south, east, _ = bounds
    owner, piece = _pieces(grid, blocks, rows)
    pieces = grid.pieces.take(piece)
    # What ends west of an outline, begins east of it or runs below it adds nothing.
    meets = (
        (pieces.x1 > west[owner])
        & (pieces.x0 < east[owner])
        & (np.maximum(pieces.y0, pieces.y1) > south[owner])
    )
    whose, crossing = _crossings(grid, blocks, rows)
    left_of_crossing = _as_edges(grid, crossing, whose, blocks, west)
    meets_crossing = left_of_crossing.x1 > left_of_crossing.x0
    kept, kept_crossing = np.flatnonzero(meets), np.flatnonzero(meets_crossing)
    all_owners = np.concatenate([owner[kept], whose[kept_crossing]])
    order = np.argsort(all_owners, kind="stable")
    mixed, positions = np.unique(all_owners[order], return_inverse=True)
    together = _joined(pieces.take(kept), left_of_crossing.take(kept_crossing))
    return mixed, together.take(order), positions


def _pieces(grid: Grid, blocks: Blocks, rows: Ints) -> tuple[Ints, Ints]:
    """(outline, piece) for the pieces in each outline's block."""
    height = (blocks.high_row - blocks.low_row)[rows] + 1
    owner = np.repeat(rows, height)
    first_cell = spans(blocks.low_row[rows], height) * grid.columns
    begin = grid.piece_start[first_cell + blocks.low_column[owner]].astype(np.int64)
    end = grid.piece_start[first_cell + blocks.high_column[owner] + 1].astype(np.int64)
    count = end - begin
    return np.repeat(owner, count), spans(begin, count)


def _crossings(grid: Grid, blocks: Blocks, rows: Ints) -> tuple[Ints, Ints]:
    """(outline, crossing) for the crossings of the north side of each outline's block."""
    first_cell = blocks.high_row[rows] * grid.columns
    begin = np.searchsorted(grid.crossing_cell, first_cell + blocks.low_column[rows])
    end = np.searchsorted(grid.crossing_cell, first_cell + blocks.high_column[rows], side="right")
    count = end - begin
    return np.repeat(rows, count), spans(begin, count)


def _as_edges(grid: Grid, crossing: Ints, owner: Ints, blocks: Blocks, west: Floats) -> Edges:
    """West of a crossing cover is greater by its step all the way down: a level edge above the outline
    says so."""
    top = ((blocks.high_row[owner] + 1) * grid.cell_m).astype(np.float64, copy=False)
    return Edges(west[owner] - 1.0, top, grid.crossing_x[crossing], top, grid.crossing_step[crossing])


def _joined(a: Edges, b: Edges) -> Edges:
    return Edges(
        np.concatenate([a.x0, b.x0]),
        np.concatenate([a.y0, b.y0]),
        np.concatenate([a.x1, b.x1]),
        np.concatenate([a.y1, b.y1]),
        np.concatenate([a.sign, b.sign]),
    )
