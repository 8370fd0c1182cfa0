"""Outlines in one plane measured as columns of points: area, perimeter, and whether they are surely valid."""

from dataclasses import dataclass

import numpy as np

from panhuo.inventory.overlay_vertices import Bools, Floats, Vertices


@dataclass(frozen=True, slots=True)
class Measures:
    """Of each outline: `area` [m²], positive when its shells turn anticlockwise; `perimeter` [m]; `sure`: whether it
    is valid beyond doubt."""

    area: Floats
    perimeter: Floats
    sure: Bools


def measure(outlines: Vertices) -> Measures:
    """The measures of all outlines; 0 and not sure where there is none.

    Sure is an outline of one ring seen whole from its middle: every edge turns the same way round it, once. Such a ring
    cannot cross itself. The others may be valid too.
    """
    filled = np.flatnonzero(outlines.known)
    area, perimeter = np.zeros(len(outlines)), np.zeros(len(outlines))
    sure = np.zeros(len(outlines), bool)
    if not len(filled):
        return Measures(area, perimeter, sure)
    start, count = outlines.start[filled], np.diff(outlines.start)[filled]
    last = start + count - 1
    # Seen from the middle: large coordinates would cost digits.
    x, y = (v - np.repeat(np.add.reduceat(v, start) / count, count) for v in (outlines.x, outlines.y))
    length, turn = np.zeros(len(x)), np.zeros(len(x))
    np.hypot(np.diff(x), np.diff(y), out=length[:-1])
    np.subtract(x[:-1] * y[1:], y[:-1] * x[1:], out=turn[:-1])
    rises = np.zeros(len(x), bool)
    rises[:-1] = (y[:-1] <= 0) & (y[1:] > 0)
    between = np.flatnonzero(outlines.ends_ring)
    length[between] = turn[between] = 0.0
    rises[between] = False
    doubled = np.add.reduceat(turn, start)
    area[filled], perimeter[filled] = doubled / 2, np.add.reduceat(length, start)
    turn *= np.repeat(np.sign(doubled), count)
    turn[last] = np.inf
    least = np.minimum.reduceat(turn, start)
    one_ring = np.add.reduceat(outlines.ends_ring, start, dtype=np.int64) == 1
    closed = (outlines.x[start] == outlines.x[last]) & (outlines.y[start] == outlines.y[last])
    once = np.add.reduceat(rises, start, dtype=np.int64) == 1
    # A turn smaller than rounding may have either sign.
    sure[filled] = one_ring & closed & once & (least > 1e-12 * np.abs(doubled))
    return Measures(area, perimeter, sure)
