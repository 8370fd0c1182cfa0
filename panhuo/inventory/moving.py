"""Many points, and outlines, to degrees: by the cubic surface of the cell each point lies in, nearly as exact as PROJ.

A map projection is smooth: over a cell of 10 km its third-order surface is off by some thousandths of a millimetre, a
hundredth of what survey files state. Cells lie on fixed lines, so a corner that two parcels share stays one corner.
"""

from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from panhuo.inventory import rings
from panhuo.inventory.crs import is_degrees, lonlat_transformer
from panhuo.inventory.geometry import read_shapes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HALF_CELL_M: Final = 5_000.0
POINTS_A_CELL: Final = 64
"""With fewer points a cell, moving each exactly costs less."""
BLOCK: Final = 16_384
"""Points at a time: what is worked out on them stays in a processor's cache."""
OFF_DEGREES: Final = 1e-10
"""A hundredth of a millimetre. Where a surface misses its nodes by more (a grid of datum shifts), PROJ moves points."""
TERMS: Final = [(i, j) for j in range(4) for i in range(4 - j)]
_AT: Final = np.cos((np.arange(4) + 0.5) * np.pi / 4)
NODES: Final = np.stack(np.meshgrid(_AT, _AT), axis=-1).reshape(-1, 2)
"""Where a surface is fitted (Chebyshev), the cell reaching from -1 to 1."""
DESIGN: Final = np.column_stack([NODES[:, 0] ** i * NODES[:, 1] ** j for i, j in TERMS])
FIT: Final = np.linalg.pinv(DESIGN)


def outlines_to_lonlat(wkb: pa.ChunkedArray, epsg: str) -> pa.ChunkedArray:
    """Outlines (WKB, of any kind, two dimensions) of a CRS in EPSG:4490; their rows stay."""
    if is_degrees(epsg):
        return wkb
    return pa.chunked_array([a for _, part in rings.slices(wkb) for a in moved(part, epsg)], pa.binary())


def moved(wkb: pa.Array, epsg: str) -> list[pa.Array]:
    """Some outlines in EPSG:4490, in one array or several."""
    parted = rings.by_head(wkb)
    done = []
    for _, part, head in parted:
        ring = rings.read_rings(part, head) if head else None
        if ring:
            done.append(rings.write_rings(ring, to_lonlat(ring.xy, epsg)))
        else:
            shapes = shapely.transform(read_shapes(part)[0], lambda xy: to_lonlat(xy, epsg))
            done.append(pa.array(shapely.to_wkb(shapes), pa.binary()))
    chunks: list[pa.Array] = rings.concat(done, [places for places, _, _ in parted]).chunks
    return chunks


def to_lonlat(xy: Floats, epsg: str) -> Floats:
    """Points (n × 2: east, north) of a CRS as longitude and latitude in EPSG:4490."""
    if is_degrees(epsg):
        return xy
    if not len(xy) or not np.isfinite(xy).all():
        return exact(xy, epsg)
    cells = [np.floor(xy[:, axis] * (0.5 / HALF_CELL_M)).astype(np.int64) for axis in (0, 1)]
    low = [int(c.min()) for c in cells]
    rows, columns = (int(c.max()) - at + 1 for c, at in zip(cells, low, strict=True))
    out = np.empty_like(xy)
    if rows * columns == 1:
        on_cell(xy, out, low[0], low[1], epsg)
        return out
    if rows * columns > len(xy):
        return exact(xy, epsg)
    number = (cells[0] - low[0]) * columns + (cells[1] - low[1])
    counts = np.bincount(number)
    if np.count_nonzero(counts) * POINTS_A_CELL > len(xy):
        return exact(xy, epsg)
    # Short whole numbers are sorted by their digits, and points as one number each are moved at once.
    order = np.argsort(number.astype(np.int16) if len(counts) < 1 << 15 else number, kind="stable")
    by_cell = as_one(xy)[order].view(np.float64).reshape(-1, 2)
    moved = np.empty_like(by_cell)
    ends = np.cumsum(counts)
    for at in np.flatnonzero(counts).tolist():
        part = slice(ends[at] - counts[at], ends[at])
        on_cell(by_cell[part], moved[part], low[0] + at // columns, low[1] + at % columns, epsg)
    as_one(out)[order] = as_one(moved)
    return out


def as_one(xy: Floats) -> NDArray[np.complex128]:
    """Points as one number each."""
    return np.ascontiguousarray(xy).view(np.complex128)[:, 0]


def exact(xy: Floats, epsg: str) -> Floats:
    """Every point by PROJ."""
    return np.column_stack(lonlat_transformer(epsg).transform(xy[:, 0], xy[:, 1]))


def on_cell(xy: Floats, out: Floats, east: int, north: int, epsg: str) -> None:
    """Points of the cell (`east`, `north`) moved into `out`."""
    surfaces = surfaces_of(east, north, epsg)
    if surfaces is None:
        out[:] = exact(xy, epsg)
        return
    middle = middle_of(east, north)
    for start in range(0, len(xy), BLOCK):
        block = slice(start, start + BLOCK)
        x, y = ((xy[block, axis] - middle[axis]) * (1 / HALF_CELL_M) for axis in (0, 1))
        for axis in (0, 1):
            out[block, axis] = surface(x, y, surfaces[axis])


def surface(x: Floats, y: Floats, c: list[float]) -> Floats:
    """The value of Σ c xⁱyʲ over TERMS, step by step so that it does not hang on how many points are worked at once."""
    value, part = y * c[9], x * c[8]
    value += c[7]
    value += part
    for degree, first in ((2, 4), (3, 0)):
        value *= y
        np.multiply(x, c[first + degree], out=part)
        for at in range(first + degree - 1, first, -1):
            part += c[at]
            part *= x
        part += c[first]
        value += part
    return value


def middle_of(east: int, north: int) -> Floats:
    """The middle of a cell [m]."""
    return (np.array([east, north]) * 2 + 1) * HALF_CELL_M


@lru_cache(maxsize=1 << 14)
def surfaces_of(east: int, north: int, epsg: str) -> list[list[float]] | None:
    """For longitude and latitude the coefficients of TERMS over a cell, None where no such surface fits."""
    moved = exact(middle_of(east, north) + NODES * HALF_CELL_M, epsg)
    if not np.isfinite(moved).all():
        return None
    fitted = FIT @ moved
    off: Any = np.abs(DESIGN @ fitted - moved).max()
    return None if off > OFF_DEGREES else [list(column) for column in fitted.T.tolist()]
