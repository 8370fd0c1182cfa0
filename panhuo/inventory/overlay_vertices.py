"""Outlines as flat arrays of vertices, read from WKB without making an object for each polygon."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from panhuo.inventory.geometry import read_shapes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

HEADER_BYTES: Final = 13
"""Byte order (1), geometry type (4), number of rings (4), number of points (4) of a polygon of one ring."""
VERTEX_BYTES: Final = 16
ONE_RING: Final = (3, 1)
"""The type and ring number such a polygon bears."""


@dataclass(frozen=True, slots=True)
class Vertices:
    """The rings of n outlines, one after another, closed (last vertex = first), holes turning against
    their shell.

    x, y: coordinates; start: (n + 1) where each outline's vertices begin; ends_ring: no edge begins at
    this vertex. known: (n) false where there is no polygon to speak of; such an outline has no
    vertices.
    """

    x: Floats
    y: Floats
    start: Ints
    ends_ring: Bools
    known: Bools

    def __len__(self) -> int:
        return len(self.known)

    def area(self) -> Floats:
        """Signed area of each outline, positive when its shells turn anticlockwise."""
        owner = np.repeat(np.arange(len(self)), np.diff(self.start))
        # Heights are taken from the outline's first vertex: large coordinates would cost digits.
        height = self.y - self.y[np.minimum(self.start[owner], max(len(self.y) - 1, 0))]
        width = np.diff(self.x, append=0.0)
        width[self.ends_ring] = 0.0
        strip = -0.5 * width * (height + np.append(height[1:], 0.0))
        return np.bincount(owner, weights=strip, minlength=len(self)).astype(np.float64, copy=False)

    def bounds(self) -> tuple[Floats, Floats, Floats, Floats]:
        """(west, south, east, north) of each outline, NaN where there is none."""
        return (
            self._reduced(np.minimum, self.x),
            self._reduced(np.minimum, self.y),
            self._reduced(np.maximum, self.x),
            self._reduced(np.maximum, self.y),
        )

    def _reduced(self, how: np.ufunc, values: Floats) -> Floats:
        result = np.full(len(self), np.nan)
        filled = np.diff(self.start) > 0
        if filled.any():
            result[filled] = how.reduceat(values, self.start[:-1][filled])
        return result


def spans(start: Ints, count: Ints) -> Ints:
    """The numbers start[0], start[0] + 1, … (count[0] of them), then those from start[1], and so on."""
    before = np.cumsum(count) - count
    return np.repeat(start - before, count) + np.arange(int(count.sum()))


def read_vertices(wkb: pa.Array | pa.ChunkedArray) -> Vertices:
    """The polygons of a WKB column (binary or large_binary, in any CRS) as `Vertices`.

    Polygons of one ring, nearly all parcels, are copied straight from the column's bytes; others go
    through GEOS. A row that is null, empty, not WKB or not a (multi)polygon is not `known`.
    """
    array = wkb.combine_chunks() if isinstance(wkb, pa.ChunkedArray) else wkb
    array = array.cast(pa.large_binary())
    offsets, data = _buffers(array)
    simple = _one_ring(offsets, data, np.asarray(array.is_valid()))
    count = np.where(simple, (np.diff(offsets) - HEADER_BYTES) // VERTEX_BYTES, 0)
    rows = np.flatnonzero(~simple)
    shapes = _polygons(array.take(pa.array(rows)))
    count[rows] = shapely.get_num_coordinates(shapes)
    start = np.concatenate([[0], np.cumsum(count)])
    x, y = np.empty(start[-1]), np.empty(start[-1])
    ends_ring = np.zeros(start[-1], dtype=np.bool_)
    easy = np.flatnonzero(simple)
    ends_ring[start[easy + 1] - 1] = True
    _copy_rings(data, offsets[easy] + HEADER_BYTES, count[easy], start[easy], (x, y))
    to = spans(start[rows], count[rows])
    x[to], y[to] = shapely.get_coordinates(shapes).T
    ring_lengths = shapely.get_num_coordinates(shapely.get_rings(shapely.get_parts(shapes)))
    if len(to):
        ends_ring[to[np.cumsum(ring_lengths) - 1]] = True
    return Vertices(x, y, start, ends_ring, count > 0)


def _buffers(array: pa.Array) -> tuple[Ints, NDArray[np.uint8]]:
    """The offsets of a large_binary array's values and the bytes they point into."""
    _, offsets, data = array.buffers()
    begin = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    return begin, np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)


def _one_ring(offsets: Ints, data: NDArray[np.uint8], valid: Bools) -> Bools:
    """Which values are little-endian polygons of exactly one ring in two dimensions."""
    length = np.diff(offsets)
    long = valid & (length > HEADER_BYTES)
    head = data[offsets[:-1][long, None] + np.arange(HEADER_BYTES)]
    kind, rings, points = np.ascontiguousarray(head[:, 1:]).view("<u4").T
    fits = length[long] == HEADER_BYTES + VERTEX_BYTES * points.astype(np.int64)
    simple = np.zeros(len(length), dtype=np.bool_)
    simple[long] = (head[:, 0] == 1) & (kind == ONE_RING[0]) & (rings == ONE_RING[1]) & fits
    return simple


def _copy_rings(
    data: NDArray[np.uint8], position: Ints, count: Ints, start: Ints, to: tuple[Floats, Floats]
) -> None:
    """Copies `count` vertices at byte `position` of `data` to `start` of the two arrays `to`, ring by ring.

    Doubles in WKB sit at any byte; rings are taken in eight groups, one for each offset from the
    eight-byte grid.
    """
    x, y = to
    for shift in range(8):
        group = np.flatnonzero(position % 8 == shift)
        if not len(group):
            continue
        doubles = data[shift : shift + (len(data) - shift) // 8 * 8].view("<f8")
        at = spans(start[group], count[group])
        source = np.repeat(position[group] // 8 - 2 * start[group], count[group]) + 2 * at
        x[at] = doubles[source]
        y[at] = doubles[source + 1]


def _polygons(wkb: pa.Array) -> NDArray[np.object_]:
    """The (multi)polygons among the values, oriented, None for all else."""
    shapes, _ = read_shapes(wkb)
    shapes[~np.isin(shapely.get_type_id(shapes), (3, 6))] = None
    oriented: NDArray[np.object_] = shapely.orient_polygons(shapes)
    return oriented
