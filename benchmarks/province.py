"""A made-up province."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def hilbert_order(rows: int, columns: int) -> tuple[Ints, Ints]:
    """(row, column) of every parcel of a lattice along a Hilbert curve, so that neighbours are near in the file."""
    row, column = (a.ravel() for a in np.mgrid[0:rows, 0:columns])
    size = 1 << int(max(rows, columns) - 1).bit_length()
    x, y = column.copy(), row.copy()
    distance = np.zeros_like(x)
    half = size // 2
    while half:
        east, north = (x & half) > 0, (y & half) > 0
        distance += half * half * ((3 * east) ^ north)
        flip = ~north & east
        x, y = np.where(flip, size - 1 - x, x), np.where(flip, size - 1 - y, y)
        x, y = np.where(north, x, y), np.where(north, y, x)
        half //= 2
    order = np.argsort(distance, kind="stable")
    return row[order], column[order]
