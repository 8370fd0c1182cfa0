"""Outlines in one plane measured as columns of points: area, perimeter, and whether they are surely valid."""

from dataclasses import dataclass

import numpy as np

from panhuo.inventory.overlay_rings import Bools, Floats, Ints, Outlines, compiled

ROUNDING = 1e-12
"""A turn smaller than this share of all turns may have either sign."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Of each outline: `area` [m²], `perimeter` [m], `sure`: whether it is valid beyond doubt. Of each ring: `left`:
    whether its ground lies left of it as it is drawn."""

    area: Floats
    perimeter: Floats
    sure: Bools
    left: Bools


def measure(outlines: Outlines) -> Measures:
    """The measures of all outlines; 0 and not sure where there is none.

    Sure is an outline of one ring seen whole from its middle: every edge turns the same way round it, once. Such a ring
    cannot cross itself. The others may be valid too.
    """
    count = len(outlines.known)
    measures = Measures(
        np.zeros(count), np.zeros(count), np.zeros(count, np.bool_), np.zeros(len(outlines.outline), np.bool_)
    )
    rings = np.bincount(outlines.outline, minlength=count)
    _measure(outlines, rings, measures.area, measures.perimeter, measures.sure, measures.left)
    return measures


@compiled
def _measure(
    outlines: Outlines, rings: Ints, area: Floats, perimeter: Floats, sure: Bools, left: Bools
) -> None:
    x, y = outlines.x, outlines.y
    for ring in range(len(outlines.outline)):
        row, begin, end = outlines.outline[ring], outlines.start[ring], outlines.start[ring + 1]
        # Seen from the middle: large coordinates would cost digits.
        middle_x, middle_y = x[begin:end].mean(), y[begin:end].mean()
        doubled, low, high, rises = 0.0, np.inf, -np.inf, 0
        from_x, from_y = x[begin] - middle_x, y[begin] - middle_y
        for i in range(begin + 1, end):
            to_x, to_y = x[i] - middle_x, y[i] - middle_y
            turn = from_x * to_y - from_y * to_x
            doubled += turn
            low, high = min(low, turn), max(high, turn)
            rises += from_y <= 0 < to_y
            perimeter[row] += np.hypot(to_x - from_x, to_y - from_y)
            from_x, from_y = to_x, to_y
        area[row] += -abs(doubled) / 2 if outlines.hole[ring] else abs(doubled) / 2
        left[ring] = (doubled > 0) != outlines.hole[ring]
        one_way = low > ROUNDING * doubled > 0 or high < ROUNDING * doubled < 0
        closed = x[begin] == x[end - 1] and y[begin] == y[end - 1]
        sure[row] = rings[row] == 1 and one_way and closed and rises == 1


def boxes(outlines: Outlines) -> Floats:
    """(west, south, east, north) of each outline, NaN where there is none or a coordinate is no number."""
    found = np.full((len(outlines.known), 4), np.nan)
    _box(outlines, found)
    found[~np.isfinite(found).all(1)] = np.nan
    return found


@compiled
def _box(outlines: Outlines, found: Floats) -> None:
    for row in outlines.outline:
        found[row, :2], found[row, 2:] = np.inf, -np.inf
    for ring in range(len(outlines.outline)):
        row = outlines.outline[ring]
        for i in range(outlines.start[ring], outlines.start[ring + 1]):
            x, y = outlines.x[i], outlines.y[i]
            if not (np.isfinite(x) and np.isfinite(y)):
                x = y = np.nan
                found[row] = np.nan
            found[row, 0] = min(found[row, 0], x)
            found[row, 1] = min(found[row, 1], y)
            found[row, 2] = max(found[row, 2], x)
            found[row, 3] = max(found[row, 3], y)
