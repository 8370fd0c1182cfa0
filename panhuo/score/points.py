"""The arithmetic of a score on plain arrays: values to points, points to ranks, ranks to tiers. NaN is unknown."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

TOLERANCE: Final = 1e-9
"""Scores nearer than this are equal: sums in another order must not break a tie."""


def ratios(values: Floats, bases: Floats, *, less: bool) -> Floats:
    """value ÷ base, or base ÷ value where less is better; NaN where the divisor is zero or negative."""
    above, below = (bases, values) if less else (values, bases)
    return divided(above, below, below > 0)


def divided(above: Floats, below: Floats, where: Bools) -> Floats:
    """above ÷ below where told, NaN elsewhere."""
    out = np.full(above.shape, np.nan)
    # A sliver of land makes a value too large to hold: infinite and then capped, or without a base.
    with np.errstate(over="ignore", invalid="ignore"):
        np.divide(above, below, out=out, where=where)
    return out


def points(ratio: Floats, weight: float, floor: float, cap: float | None) -> Floats:
    """weight × clip(ratio, floor, cap); NaN stays NaN."""
    return weight * np.clip(ratio, floor, np.inf if cap is None else cap)


def cell_sums(values: Floats, cells: Ints, count: int) -> Floats:
    """Sum of `values` by cell number (0 … count−1), leaving out NaN and cells below zero."""
    held = (cells >= 0) & ~np.isnan(values)
    return np.asarray(np.bincount(cells[held], weights=values[held], minlength=count), dtype=np.float64)


def cell_counts(held: Bools, cells: Ints, count: int) -> Ints:
    """How many of `held` lie in each cell."""
    return np.bincount(cells[held & (cells >= 0)], minlength=count).astype(np.int64)


def ranks(scores: Floats, cells: Ints, *, last: bool = False) -> Ints:
    """Place of each score in its cell, 1 the highest; equal scores share the first place of their run.

    With `last`, the last place of the run instead. 0 for a NaN score or a cell below zero.
    """
    result = np.zeros(scores.shape, dtype=np.int64)
    held = np.flatnonzero((cells >= 0) & ~np.isnan(scores))
    order = held[np.lexsort((-scores[held], cells[held]))]
    if not len(order):
        return result
    cell, value = cells[order], scores[order]
    new_cell = np.r_[True, cell[1:] != cell[:-1]]
    new_run = new_cell | np.r_[True, value[:-1] - value[1:] > TOLERANCE]
    position = np.arange(len(order))
    start = np.maximum.accumulate(np.where(new_cell, position, 0))
    run = np.cumsum(new_run) - 1
    heads = np.flatnonzero(new_run)
    edge = np.r_[heads[1:], len(order)] - 1 if last else heads
    result[order] = edge[run] - start + 1
    return result


def tiers_by_share(places: Ints, sizes: Ints, shares: list[float]) -> Ints:
    """Index of the first share that holds each place: place ÷ size ≤ share. −1 for place 0."""
    edges = np.floor(np.outer(sizes, shares) + TOLERANCE)
    return np.where(places > 0, (places[:, None] > edges).sum(axis=1), -1)


def tiers_by_score(scores: Floats, bars: list[float]) -> Ints:
    """Index of the first bar each score reaches, the lowest tier when it reaches none; −1 for NaN."""
    missed = (scores[:, None] < np.asarray(bars)[None, :] - TOLERANCE).sum(axis=1)
    return np.where(np.isnan(scores), -1, np.minimum(missed, len(bars) - 1))
