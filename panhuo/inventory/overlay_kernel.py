"""The area two sets of polygons share, as a sum over pairs of their edges.

Write s for +1 where an edge runs west (ground below it lies inside an anticlockwise polygon) and −1
where it runs east. Then the polygon is the sum over its edges of s × the strip below the edge, and so

    area(P ∩ Q) = Σ over edges e of P, f of Q   s(e) s(f) ∫ min(e(x), f(x)) dx   over the x both edges span.

No vertex of the intersection is found and no orientation is decided, so nothing can fail on touching,
collinear or nearly collinear edges: rounding is the only error. Edges of Q below P cancel; a vertical
edge spans no x.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from panhuo.inventory.overlay_vertices import Bools, Floats, Ints, Vertices, spans

PAIRS_AT_ONCE: Final = 1 << 16
"""Pairs of edges looked at together: few enough that the arrays stay near the processor."""
TINY: Final = np.finfo(np.float64).tiny


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges from (x0, y0) at their west end to (x1, y1) at their east end, with `sign` s as above."""

    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats
    sign: Floats

    def __len__(self) -> int:
        return len(self.x0)

    def take(self, which: Ints | Bools) -> "Edges":
        """Some of the edges."""
        return Edges(self.x0[which], self.y0[which], self.x1[which], self.y1[which], self.sign[which])


def directed(x0: Floats, y0: Floats, x1: Floats, y1: Floats) -> Edges:
    """Edges given from their first to their second point, as `Edges`."""
    west = x1 < x0
    return Edges(
        np.where(west, x1, x0),
        np.where(west, y1, y0),
        np.where(west, x0, x1),
        np.where(west, y0, y1),
        np.where(west, 1.0, -1.0),
    )


def shared_areas(outlines: Vertices, chosen: Ints, fragments: Edges, owner: Ints) -> Floats:
    """Σ over fragments and edges, as above, for each `chosen` outline (rows of `outlines`).

    owner: for each fragment its position in `chosen`, ascending. Signed as the outline turns. [m², one
    per `chosen`]
    """
    result = np.zeros(len(chosen))
    first = np.searchsorted(owner, np.arange(len(chosen) + 1))
    edge_count = np.diff(outlines.start)[chosen]
    for group in _alike(edge_count, np.diff(first)):
        table = _edge_table(outlines, chosen[group])
        per_outline = np.diff(first)[group]
        which = spans(first[group], per_outline)
        row = np.repeat(np.arange(len(group)), per_outline)
        step = max(1, PAIRS_AT_ONCE // table[0].shape[1])
        sums = np.zeros(len(group))
        for at in range(0, len(which), step):
            part = slice(at, at + step)
            sums += _pair_sums(table, row[part], fragments.take(which[part]), len(group))
        result[group] = sums
    return result


def _alike(edge_count: Ints, fragment_count: Ints) -> list[Ints]:
    """Positions of the outlines that have any fragment, in groups of nearly equal numbers of edges."""
    busy = np.flatnonzero(fragment_count)
    if not len(busy):
        return []
    # Steps of about a fifth: padding wastes at most that share of the pairs.
    step = np.ceil(np.log(np.maximum(edge_count[busy], 4)) / np.log(1.2)).astype(np.int64)
    order = np.argsort(step, kind="stable")
    return [busy[part] for part in np.split(order, np.flatnonzero(np.diff(step[order])) + 1)]


Table = tuple[Floats, Floats, Floats, Floats, Floats]


def _edge_table(outlines: Vertices, rows: Ints) -> Table:
    """(west x, east x, y at west x, slope, sign) of the edges of some outlines, each (rows, most edges).

    A place without an edge has its east before its west, and so meets nothing.
    """
    count = np.diff(outlines.start)[rows]
    width = int(count.max())
    place = np.arange(width)
    at = outlines.start[rows, None] + np.minimum(place, count[:, None] - 1)
    no_edge = outlines.ends_ring[at] | (place >= count[:, None])
    after = np.minimum(at + 1, len(outlines.x) - 1)
    edges = directed(outlines.x[at], outlines.y[at], outlines.x[after], outlines.y[after])
    run = edges.x1 - edges.x0
    no_edge |= run == 0
    slope = (edges.y1 - edges.y0) / np.where(no_edge, 1.0, run)
    return (
        np.where(no_edge, np.inf, edges.x0),
        np.where(no_edge, -np.inf, edges.x1),
        edges.y0,
        slope,
        edges.sign,
    )


def _pair_sums(table: Table, row: Ints, f: Edges, rows: int) -> Floats:
    """Σ s(e) s(f) ∫ min(e, f) over all edges e of outline `row[i]` with fragment i, summed by outline."""
    west, east, height, slope, sign = table
    left = np.maximum(west[row], f.x0[:, None])
    right = np.minimum(east[row], f.x1[:, None])
    meets = np.flatnonzero((right > left).ravel())
    i, j = np.divmod(meets, west.shape[1])
    e = row[i] * west.shape[1] + j
    xl, xr = left.ravel()[meets], right.ravel()[meets]
    e_slope = slope.ravel()[e]
    e_rise = height.ravel()[e] + e_slope * (xl - west.ravel()[e])
    run = xr - xl
    f_slope = ((f.y1 - f.y0) / (f.x1 - f.x0))[i]
    f_left = f.y0[i] + f_slope * (xl - f.x0[i])
    strip = strip_below_both(run, e_rise, e_rise + e_slope * run, f_left, f_left + f_slope * run)
    strip *= sign.ravel()[e] * f.sign[i]
    return np.bincount(row[i], weights=strip, minlength=rows).astype(np.float64, copy=False)


def strip_below_both(run: Floats, e0: Floats, e1: Floats, f0: Floats, f1: Floats) -> Floats:
    """∫ min of two straight lines over a run: heights e0, f0 at its west end and e1, f1 at its east end."""
    d0, d1 = e0 - f0, e1 - f1
    both: NDArray[np.float64] = np.minimum(e0, f0) + np.minimum(e1, f1)
    # Where the lines cross, the minimum peaks above its chord: add the triangle between them.
    both += np.maximum(-d0 * d1, 0.0) / (np.abs(d0) + np.abs(d1) + TINY)
    both *= 0.5 * run
    return both
