"""Outlines of one ring as columns: WKB taken apart and put together without making an object for each.

Nearly every parcel is one ring. Read as one long list of points, a million of them are checked, measured and moved at
the speed of memory; what this cannot settle goes to GEOS.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ONE_POLYGON: Final = b"\x01\x03\x00\x00\x00\x01\x00\x00\x00"
ONE_MULTIPOLYGON: Final = b"\x01\x06\x00\x00\x00\x01\x00\x00\x00" + ONE_POLYGON
PREFIXES: Final = (ONE_POLYGON, ONE_MULTIPOLYGON)
COUNT_BYTES: Final = 4
POINT_BYTES: Final = 16
LEAST_POINTS: Final = 4
ROWS: Final = 2_048
"""Outlines at a time: what is worked out on their points stays in a processor's cache."""


@dataclass(frozen=True, slots=True)
class Rings:
    """Rings of several outlines: their points one after another (n × 2), where each begins, how many points it has.

    `heads`: the bytes of each outline's WKB before its first point; `ends`: where the bytes of its points end.
    """

    xy: Floats
    start: Ints
    count: Ints
    heads: pa.Array
    ends: pa.Buffer


@dataclass(frozen=True, slots=True)
class Measures:
    """Of each ring its area in the plane of its points and whether it is surely valid; of all together their box (west,
    south, east, north), not finite where a coordinate is not.

    Sure is a ring seen whole from its middle: every edge turns the same way round it, once. Such a ring cannot cross
    itself. The others may be valid too.
    """

    area: Floats
    sure: Bools
    box: Floats


def slices(wkb: pa.ChunkedArray) -> list[tuple[int, pa.Array]]:
    """A column some rows at a time, each with the place of its first row."""
    out: list[tuple[int, pa.Array]] = []
    start = 0
    for chunk in wkb.cast(pa.binary()).chunks:
        out += [(start + at, chunk.slice(at, ROWS)) for at in range(0, len(chunk), ROWS)]
        start += len(chunk)
    return out


def parted(wkb: pa.Array) -> list[tuple[Ints, pa.Array, Rings | None]]:
    """Outlines parted by how their WKB begins: (places, their WKB, the same as columns or None)."""
    whole = read_rings(wkb)
    if whole:
        return [(np.arange(len(wkb)), wkb, whole)]
    kind = np.zeros(len(wkb), np.int8)
    for number, prefix in enumerate(PREFIXES, 1):
        same = pc.fill_null(pc.starts_with(wkb, prefix), False)
        kind[same.to_numpy(zero_copy_only=False)] = number
    out: list[tuple[Ints, pa.Array, Rings | None]] = []
    for number in np.unique(kind):
        places = np.flatnonzero(kind == number)
        part = wkb.take(pa.array(places))
        out.append((places, part, read_rings(part) if number else None))
    return out


def read_rings(wkb: pa.Array) -> Rings | None:
    """Outlines of one ring each, all begun alike, as columns; None for any others."""
    for prefix in PREFIXES:
        rings = rings_after(wkb, prefix)
        if rings:
            return rings
    return None


def rings_after(wkb: pa.Array, prefix: bytes) -> Rings | None:
    """The rings of outlines that all begin with `prefix`, None when one does not or its lengths do not add up."""
    head = len(prefix) + COUNT_BYTES
    heads = pc.binary_slice(wkb, 0, head)
    begun = np.frombuffer(heads.buffers()[2] or b"", np.uint8)
    if wkb.null_count or len(begun) != len(wkb) * head:
        return None
    begun = begun.reshape(-1, head)
    if (begun[:, :-COUNT_BYTES] != np.frombuffer(prefix, np.uint8)).any():
        return None
    points = pc.binary_replace_slice(wkb, 0, head, b"")
    count = begun[:, -COUNT_BYTES:].copy().view("<u4")[:, 0].astype(np.int64)
    size = np.diff(np.frombuffer(points.buffers()[1], np.int32))
    if (size != count * POINT_BYTES).any() or (count < LEAST_POINTS).any():
        return None
    xy = np.frombuffer(points.buffers()[2], "<f8").reshape(-1, 2)
    return Rings(xy, np.cumsum(count) - count, count, heads, points.buffers()[1])


def write_rings(rings: Rings, xy: Floats) -> pa.Array:
    """WKB of the same outlines with other points."""
    buffers = [None, rings.ends, pa.py_buffer(np.ascontiguousarray(xy))]
    points = pa.Array.from_buffers(pa.binary(), len(rings.count), buffers)
    # Arrow's own pool takes fresh memory in huge pages, and clearing these costs more than all else done here.
    return pc.binary_join_element_wise(rings.heads, points, b"", memory_pool=pa.system_memory_pool())


def bounds(rings: Rings) -> Floats:
    """Boxes (west, south, east, north), n × 4."""
    columns = [rings.xy[:, axis] for axis in (0, 1)]
    return np.column_stack(
        [edge.reduceat(c, rings.start) for edge in (np.minimum, np.maximum) for c in columns]
    )


def measure(rings: Rings) -> Measures:
    """Area and validity of each ring, and the box of all."""
    start, count = rings.start, rings.count
    columns = [np.ascontiguousarray(rings.xy[:, axis]) for axis in (0, 1)]
    last = start + count - 1
    closed = np.logical_and(*(c[start] == c[last] for c in columns))
    box = np.array([edge.reduce(c) for edge in (np.minimum, np.maximum) for c in columns])
    with np.errstate(invalid="ignore"):  # an infinite coordinate leaves its outline unsure
        x, y = (centred(c, start, count) for c in columns)
        turn = turns(x, y)
        turn[last] = 0.0
        doubled = np.add.reduceat(turn, start)
        turn *= np.repeat(np.sign(doubled), count)
    turn[last] = np.inf
    rises = np.zeros(len(x), np.int8)
    rises[:-1] = (y[:-1] <= 0) & (y[1:] > 0)
    rises[last] = 0
    once = np.add.reduceat(rises, start) == 1
    one_way = np.minimum.reduceat(turn, start) > 0
    return Measures(np.abs(doubled) / 2, closed & once & one_way, box)


def turns(x: Floats, y: Floats) -> Floats:
    """The turn round the origin of each edge, twice the area it sweeps; for the last point nothing that counts."""
    turn = np.empty(len(x))
    np.multiply(x[:-1], y[1:], out=turn[:-1])
    turn[:-1] -= y[:-1] * x[1:]
    return turn


def centred(values: Floats, start: Ints, count: Ints) -> Floats:
    """Values less the mean of their ring."""
    return values - np.repeat(np.add.reduceat(values, start) / count, count)


def area(rings: Rings, xy: Floats) -> Floats:
    """The areas of the same outlines with other points, in the plane of these."""
    x, y = (xy[:, axis] - np.repeat(xy[rings.start, axis], rings.count) for axis in (0, 1))
    turn = turns(x, y)
    turn[rings.start + rings.count - 1] = 0.0
    return np.abs(np.add.reduceat(turn, rings.start)) / 2


def concat(parts: list[pa.Array], rows: list[Ints]) -> pa.ChunkedArray:
    """Arrays of some rows each, back in the order of the table; parts of one stretch of rows follow each other."""
    chunks: list[pa.Array] = []
    group: list[tuple[Ints, pa.Array]] = []
    at = 0
    for part in zip(rows, parts, strict=True):
        group.append(part)
        order = np.concatenate([r for r, _ in group])
        if order.max() + 1 - at > len(order):
            continue
        if len(group) == 1:
            chunks.append(part[1])
        else:
            chunks.append(pa.concat_arrays([a for _, a in group]).take(pa.array(np.argsort(order))))
        at += len(order)
        group = []
    return pa.chunked_array(chunks, pa.binary())
