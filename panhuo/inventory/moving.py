"""Many points from a plane to degrees: exact at the nodes of a fine grid, by second-order surfaces in between.

A map projection is smooth: over a cell of 2 km its second-order surface is off by some hundredths of a millimetre at
most, a tenth of what survey files state. Each point takes the surface of its own cell, so a corner that two parcels
share stays one corner.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from panhuo.inventory.crs import lonlat_transformer

Floats = NDArray[np.float64]

CELL_M: Final = 2_000.0
NODE_M: Final = 800.0
"""How far from the middle of a cell the nodes stand that its surface goes through."""
POINTS_A_CELL: Final = 4
"""With fewer points a cell, moving each exactly costs less."""


def to_lonlat(xy: Floats, epsg: str) -> Floats:
    """Points (n × 2: east, north [m]) of a projected CRS as longitude and latitude in EPSG:4490."""
    low = np.floor(xy.min(axis=0) / CELL_M)
    cell = (xy / CELL_M).astype(np.int64) - low.astype(np.int64)
    shape = cell.max(axis=0) + 1
    flat = cell[:, 0] * shape[1] + cell[:, 1]
    if shape.prod() * POINTS_A_CELL > len(xy) * 16:
        return exact(xy, epsg)
    used = np.zeros(shape.prod(), bool)
    used[flat] = True
    cells = np.flatnonzero(used)
    if len(cells) * POINTS_A_CELL > len(xy):
        return exact(xy, epsg)
    number = np.zeros(len(used), np.int64)
    number[cells] = np.arange(len(cells))
    middle = (np.column_stack(np.divmod(cells, shape[1])) + low + 0.5) * CELL_M
    which = number[flat]
    d = (xy - middle[which]) / NODE_M
    terms = (d[:, 0], d[:, 1], d[:, 0] * d[:, 0], d[:, 0] * d[:, 1], d[:, 1] * d[:, 1])
    out = np.empty_like(xy)
    for axis, table in enumerate(surfaces(middle, epsg)):
        value = table[0][which]
        for term, coefficient in zip(terms, table[1:], strict=True):
            value += coefficient[which] * term
        out[:, axis] = value
    return out


def exact(xy: Floats, epsg: str) -> Floats:
    """Every point by PROJ."""
    return np.column_stack(lonlat_transformer(epsg).transform(xy[:, 0], xy[:, 1]))


def surfaces(middle: Floats, epsg: str) -> list[list[Any]]:
    """For longitude and latitude the coefficients 1, x, y, x², xy, y² of each cell, in steps of NODE_M."""
    steps = np.array(
        [[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1], [1, -1], [-1, 1]], np.float64
    )
    nodes = (middle[:, None, :] + steps * NODE_M).reshape(-1, 2)
    moved = exact(nodes, epsg).reshape(len(middle), len(steps), 2)
    tables = []
    for axis in (0, 1):
        o, e, w, n, s, ne, sw, se, nw = moved[:, :, axis].T
        tables.append(
            [o, (e - w) / 2, (n - s) / 2, (e + w) / 2 - o, (ne + sw - se - nw) / 4, (n + s) / 2 - o]
        )
    return tables
