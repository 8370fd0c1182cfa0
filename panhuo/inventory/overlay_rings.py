"""Outlines as flat arrays of vertices, read from the bytes of WKB without an object for each polygon."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import shapely
from numba import njit
from numpy.typing import NDArray

from panhuo.inventory.geometry import read_shapes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

compiled = njit(nogil=True, cache=True, error_model="numpy")
"""Compiled on first use and kept on disk; runs without Python's lock, so that threads share the work."""

POLYGON: Final = 3
MULTIPOLYGON: Final = 6
LITTLE_ENDIAN: Final = 1
HEADER_BYTES: Final = 9
"""Byte order (1), geometry type (4), number of parts (4)."""
VERTEX_BYTES: Final = 16
NOT_PLAIN: Final = -1
"""Position told instead of one where the bytes are not plain: not little-endian polygons in two dimensions."""


class Outlines(NamedTuple):
    """The rings of n outlines.

    x, y: coordinates of the rings, one after another, each closed (last vertex = first);
    start: where each ring's vertices begin (one more than rings); hole: whether a ring is one;
    outline: whose each ring is, ascending. known: (n) false where there is no polygon to speak of.
    """

    x: Floats
    y: Floats
    start: Ints
    hole: Bools
    outline: Ints
    known: Bools


def read_outlines(wkb: pa.Array | pa.ChunkedArray) -> Outlines:
    """The polygons of a WKB column (binary or large_binary, in any CRS).

    A row that is null, empty, not WKB or not a (multi)polygon is not `known`. Polygons in other bytes than plain
    little-endian ones in two dimensions go through GEOS.
    """
    array = wkb.combine_chunks() if isinstance(wkb, pa.ChunkedArray) else wkb
    outlines, plain = _read(array.cast(pa.large_binary()))
    odd = np.flatnonzero(~plain)
    shapes, _ = read_shapes(array.take(pa.array(odd)))
    usable = np.isin(shapely.get_type_id(shapes), (POLYGON, MULTIPOLYGON)) & ~shapely.is_empty(shapes)
    if not usable.any():
        return outlines
    again = shapely.to_wkb(shapes[usable], output_dimension=2, byte_order=1, flavor="iso")
    return _merged(outlines, _read(pa.array(again, pa.large_binary()))[0], odd[usable])


def joined(parts: Sequence[Outlines]) -> Outlines:
    """The outlines of several, one after another."""
    vertices = np.cumsum([0, *(len(part.x) for part in parts)])
    outlines = np.cumsum([0, *(len(part.known) for part in parts)])
    start = [part.start[:-1] + begin for part, begin in zip(parts, vertices[:-1], strict=True)]
    outline = [part.outline + begin for part, begin in zip(parts, outlines[:-1], strict=True)]
    return Outlines(
        np.concatenate([np.empty(0), *(part.x for part in parts)]),
        np.concatenate([np.empty(0), *(part.y for part in parts)]),
        np.concatenate([*start, vertices[-1:]]).astype(np.int64),
        np.concatenate([np.empty(0, np.bool_), *(part.hole for part in parts)]),
        np.concatenate([np.empty(0, np.int64), *outline]),
        np.concatenate([np.empty(0, np.bool_), *(part.known for part in parts)]),
    )


def _merged(some: Outlines, others: Outlines, rows: Ints) -> Outlines:
    """`some` with the rings of `others`, whose outlines are the `rows` of `some`."""
    known = some.known.copy()
    known[rows] = others.known
    outline = np.concatenate([some.outline, rows[others.outline]])
    order = np.argsort(outline, kind="stable")
    begin = np.concatenate([some.start[:-1], others.start[:-1] + len(some.x)])[order]
    count = np.concatenate([np.diff(some.start), np.diff(others.start)])[order]
    start = np.concatenate([[0], np.cumsum(count)])
    at = np.repeat(begin - start[:-1], count) + np.arange(start[-1])
    return Outlines(
        np.concatenate([some.x, others.x])[at],
        np.concatenate([some.y, others.y])[at],
        start,
        np.concatenate([some.hole, others.hole])[order],
        outline[order],
        known,
    )


def _read(array: pa.LargeBinaryArray) -> tuple[Outlines, Bools]:
    """The outlines of plain values, and which values are plain."""
    _, offset_bytes, value_bytes = array.buffers()
    offsets = np.frombuffer(offset_bytes, np.int64)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(value_bytes, np.uint8) if value_bytes is not None else np.empty(0, np.uint8)
    # Doubles in WKB sit at any byte: the same bytes are seen as doubles from each of eight places.
    doubles = tuple(data[k : max(len(data) - (len(data) - k) % 8, k)].view("<f8") for k in range(8))
    most = max(int(offsets[-1] - offsets[0]) // VERTEX_BYTES, 0)
    x, y, start = np.empty(most), np.empty(most), np.zeros(most + 1, np.int64)
    hole, outline = np.empty(most, np.bool_), np.empty(most, np.int64)
    known = np.zeros(len(array), np.bool_)
    valid = np.asarray(array.is_valid().to_numpy(zero_copy_only=False), np.bool_)
    rings = _read_all(data, doubles, offsets, valid, x, y, start, hole, outline, known)
    vertices = start[rings]
    return Outlines(
        x[:vertices], y[:vertices], start[: rings + 1], hole[:rings], outline[:rings], known
    ), known | ~valid


@compiled
def _read_all(
    data: Bytes, doubles: tuple[Floats, ...], offsets: Ints, valid: Bools,
    x: Floats, y: Floats, start: Ints, hole: Bools, outline: Ints, known: Bools,
) -> int:  # fmt: skip
    """Fills the arrays of `Outlines` from plain values and gives the number of rings; other values add none."""
    rings = 0
    for row in range(len(known)):
        if valid[row]:
            end = offsets[row + 1]
            at, found = _polygons(data, doubles, offsets[row], end, x, y, start, hole, rings)
            known[row] = at == end and found > rings
            if known[row]:
                outline[rings:found] = row
                rings = found
    return rings


@compiled
def _polygons(
    data: Bytes, doubles: tuple[Floats, ...], at: int, end: int,
    x: Floats, y: Floats, start: Ints, hole: Bools, rings: int,
) -> tuple[int, int]:  # fmt: skip
    """(position after a (multi)polygon, rings so far); the position is NOT_PLAIN where the bytes are no such thing."""
    kind, count, at = _head(data, at, end)
    if kind == POLYGON:
        return _rings(data, doubles, at, end, count, x, y, start, hole, rings)
    if kind != MULTIPOLYGON:
        return NOT_PLAIN, rings
    for _ in range(count):
        kind, ring_count, at = _head(data, at, end)
        if kind != POLYGON:
            return NOT_PLAIN, rings
        at, rings = _rings(data, doubles, at, end, ring_count, x, y, start, hole, rings)
        if at == NOT_PLAIN:
            return NOT_PLAIN, rings
    return at, rings


@compiled
def _head(data: Bytes, at: int, end: int) -> tuple[int, int, int]:
    """(geometry type, number of parts, position after both) of little-endian WKB; type 0 where it is none."""
    if at + HEADER_BYTES > end or data[at] != LITTLE_ENDIAN:
        return 0, 0, at
    return _uint32(data, at + 1), _uint32(data, at + 5), at + HEADER_BYTES


@compiled
def _uint32(data: Bytes, at: int) -> int:
    low, high = int(data[at]) + (int(data[at + 1]) << 8), int(data[at + 2]) + (int(data[at + 3]) << 8)
    return low + (high << 16)


@compiled
def _rings(
    data: Bytes, doubles: tuple[Floats, ...], at: int, end: int, count: int,
    x: Floats, y: Floats, start: Ints, hole: Bools, rings: int,
) -> tuple[int, int]:  # fmt: skip
    """As `_polygons`, of the rings of one polygon."""
    for ring in range(count):
        if at + 4 > end:
            return NOT_PLAIN, rings
        vertices = _uint32(data, at)
        at += 4
        if at + vertices * VERTEX_BYTES > end:
            return NOT_PLAIN, rings
        if vertices:
            values, first, to = doubles[at % 8], at // 8, start[rings]
            for vertex in range(vertices):
                x[to + vertex] = values[first + 2 * vertex]
                y[to + vertex] = values[first + 2 * vertex + 1]
            hole[rings] = ring > 0
            rings += 1
            start[rings] = to + vertices
            at += vertices * VERTEX_BYTES
    return at, rings


@compiled
def ring_area(x: Floats, y: Floats) -> float:
    """Signed area of a closed ring, positive when it turns anticlockwise."""
    # Heights are taken from the first vertex: large coordinates would cost digits.
    total = 0.0
    for at in range(len(x) - 1):
        total += (x[at] - x[at + 1]) * ((y[at] - y[0]) + (y[at + 1] - y[0]))
    return 0.5 * total


@compiled
def own_areas(outlines: Outlines) -> Floats:
    """Area of each outline [square units]; NaN where it is not known."""
    own = np.where(outlines.known, 0.0, np.nan)
    for ring in range(len(outlines.outline)):
        begin, end = outlines.start[ring], outlines.start[ring + 1]
        area = abs(ring_area(outlines.x[begin:end], outlines.y[begin:end]))
        own[outlines.outline[ring]] += -area if outlines.hole[ring] else area
    return own
