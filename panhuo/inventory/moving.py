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

CELL_M: Final = 10_000.0
POINTS_A_CELL: Final = 64
"""With fewer points a cell, moving each exactly costs less."""
BLOCK: Final = 16_384
"""Points at a time: what is worked out on them stays in a processor's cache."""
OFF_DEGREES: Final = 1e-10
"""A hundredth of a millimetre. Where a surface misses its nodes by more (a grid of datum shifts), PROJ moves points."""
TERMS: Final = [(i, j) for j in range(4) for i in range(4 - j)]
_AT: Final = np.cos((np.arange(4) + 0.5) * np.pi / 4) / 2
NODES: Final = np.stack(np.meshgrid(_AT, _AT), axis=-1).reshape(-1, 2)
"""Where a surface is fitted (Chebyshev), the cell reaching from -½ to ½."""
DESIGN: Final = np.column_stack([NODES[:, 0] ** i * NODES[:, 1] ** j for i, j in TERMS])
FIT: Final = np.linalg.pinv(DESIGN)


def outlines_to_lonlat(wkb: pa.ChunkedArray, epsg: str) -> pa.ChunkedArray:
    """Outlines (WKB, of any kind, two dimensions) of a CRS in EPSG:4490; their rows stay."""
    if is_degrees(epsg):
        return wkb
    return pa.chunked_array([a for _, part in rings.slices(wkb) for a in moved(part, epsg)], pa.binary())


def moved(wkb: pa.Array, epsg: str) -> list[pa.Array]:
    """Some outlines in EPSG:4490, in one array or several."""
    parted = rings.parted(wkb)
    done = []
    for _, part, ring in parted:
        if ring:
            done.append(rings.write_rings(ring, to_lonlat(ring.xy, epsg)))
        else:
            shapes = shapely.transform(read_shapes(part)[0], lambda xy: to_lonlat(xy, epsg))
            done.append(pa.array(shapely.to_wkb(shapes), pa.binary()))
    chunks: list[pa.Array] = rings.concat(done, [places for places, _, _ in parted]).chunks
    return chunks


def to_lonlat(xy: Floats, epsg: str) -> Floats:
    """Points (n × 2: east, north) of a CRS as longitude and latitude in EPSG:4490."""
    if is_degrees(epsg) or not len(xy):
        return xy
    at = [xy[:, axis] * (1 / CELL_M) for axis in (0, 1)]
    cells = [np.floor(column) for column in at]
    west, south, east, north = (edge(column) for edge in (np.min, np.max) for column in cells)
    if not np.isfinite((west, south, east, north)).all():
        return exact(xy, epsg)
    columns, rows = int(east - west) + 1, int(north - south) + 1
    if rows * columns > len(xy):
        return exact(xy, epsg)
    number = cells[1] * columns
    number += cells[0]
    number -= south * columns + west
    order, numbers, counts = grouped(number.astype(np.int32))
    if len(numbers) > 1 and len(numbers) * POINTS_A_CELL > len(xy):
        return exact(xy, epsg)
    x, y = ((place - (cell + 0.5))[order] for place, cell in zip(at, cells, strict=True))
    moved = np.empty_like(xy)
    for number, end, count in zip(numbers.tolist(), np.cumsum(counts).tolist(), counts.tolist(), strict=True):
        surfaces = surfaces_of(int(west) + number % columns, int(south) + number // columns, epsg)
        if surfaces is None:
            part = slice(end - count, end)
            moved[part] = exact(xy[order[part]], epsg)
            continue
        for start in range(end - count, end, BLOCK):
            block = slice(start, min(start + BLOCK, end))
            for axis in (0, 1):
                moved[block, axis] = surface(x[block], y[block], surfaces[axis])
    out = np.empty_like(xy)
    as_one(out)[order] = as_one(moved)
    return out


def grouped(number: NDArray[np.int32]) -> tuple[Ints, Ints, Ints]:
    """The order that brings equal numbers together, the numbers there are and how often each comes.

    Points follow each other within a cell, so that not they but their runs are sorted.
    """
    starts = np.append(0, np.flatnonzero(number[1:] != number[:-1]) + 1)
    lengths = np.diff(starts, append=len(number))
    by = np.argsort(number[starts], kind="stable")
    starts, lengths = starts[by], lengths[by]
    order = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
    order += np.arange(len(number))
    numbers = number[starts]
    first = np.flatnonzero(np.append(True, numbers[1:] != numbers[:-1]))
    return order, numbers[first].astype(np.int64), np.add.reduceat(lengths, first)


def as_one(xy: Floats) -> NDArray[np.complex128]:
    """Points as one number each, to be moved about at once."""
    return np.ascontiguousarray(xy).view(np.complex128)[:, 0]


def exact(xy: Floats, epsg: str) -> Floats:
    """Every point by PROJ."""
    return np.column_stack(lonlat_transformer(epsg).transform(xy[:, 0], xy[:, 1]))


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


@lru_cache(maxsize=1 << 14)
def surfaces_of(east: int, north: int, epsg: str) -> list[list[float]] | None:
    """For longitude and latitude the coefficients of TERMS over a cell, None where no such surface fits."""
    moved = exact((NODES + np.array([east, north]) + 0.5) * CELL_M, epsg)
    if not np.isfinite(moved).all():
        return None
    fitted = FIT @ moved
    off: Any = np.abs(DESIGN @ fitted - moved).max()
    return None if off > OFF_DEGREES else [list(column) for column in fitted.T.tolist()]
