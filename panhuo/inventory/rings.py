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
POINT_BYTES: Final = 16
LEAST_POINTS: Final = 4


@dataclass(frozen=True, slots=True)
class Rings:
    """Rings of several outlines: their points one after another (n × 2) and where each ring begins.

    `data` and `offsets` are the WKB they were read from, `at` the byte at which each point stands there.
    """

    xy: Floats
    start: Ints
    count: Ints
    data: NDArray[np.uint8]
    offsets: NDArray[np.int32]
    at: Ints


def head_length(wkb: pa.Array) -> Ints:
    """Bytes before the first point of each one-ring outline, 0 for anything else."""
    out = np.zeros(len(wkb), np.int64)
    for prefix in (ONE_POLYGON, ONE_MULTIPOLYGON):
        if out.all():
            break
        same = pc.fill_null(pc.equal(pc.binary_slice(wkb, 0, len(prefix)), prefix), False)
        out[same.to_numpy(zero_copy_only=False)] = len(prefix) + 4
    return out


def read_rings(wkb: pa.Array, head: int) -> Rings | None:
    """The rings of one-ring outlines whose points begin after `head` bytes; None when lengths do not add up."""
    offsets = np.frombuffer(wkb.buffers()[1], np.int32, count=len(wkb) + 1, offset=wkb.offset * 4)
    data = np.frombuffer(wkb.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
    offsets = offsets - offsets[0]
    size = np.diff(offsets).astype(np.int64) - head
    count = size // POINT_BYTES
    stated = data[offsets[:-1, None] + np.arange(head - 4, head)].view("<u4")[:, 0]
    if (size % POINT_BYTES).any() or (count != stated).any() or (count < LEAST_POINTS).any():
        return None
    at = np.arange(0, POINT_BYTES * int(count.sum()), POINT_BYTES)
    at += np.repeat(np.arange(head, head * len(count) + 1, head), count)
    return Rings(
        points_in(data)[at].view("<f8").reshape(-1, 2), np.cumsum(count) - count, count, data, offsets, at
    )


def points_in(data: NDArray[np.uint8]) -> NDArray[np.complex128]:
    """Bytes as points, one beginning at every byte: x and y as the two parts of a complex number."""
    return np.ndarray((len(data) - POINT_BYTES + 1,), "<c16", data, 0, (1,))


def write_rings(rings: Rings, xy: Floats) -> pa.Array:
    """WKB of the same outlines with other points."""
    data = rings.data.copy()
    points_in(data)[rings.at] = np.ascontiguousarray(xy).view("<c16")[:, 0]
    buffers = [None, pa.py_buffer(rings.offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.binary(), len(rings.start), buffers)


def bounds(rings: Rings) -> Floats:
    """Boxes (west, south, east, north), n × 4."""
    columns: list[Floats] = []
    for reduce in (np.minimum, np.maximum):
        columns += [reduce.reduceat(rings.xy[:, axis], rings.start) for axis in (0, 1)]
    return np.column_stack(columns)


def measure(rings: Rings) -> tuple[Floats, Bools]:
    """(area in the plane of the points, whether the outline is surely valid).

    Sure is a ring seen whole from its middle: every edge turns the same way round it, once. Such a ring cannot cross
    itself. The others may be valid too.
    """
    xy, start, count = rings.xy, rings.start, rings.count
    x, y = (centred(xy[:, axis], start, count) for axis in (0, 1))
    last = start + count - 1
    turn = np.empty(len(xy))
    turn[:-1] = x[:-1] * y[1:] - y[:-1] * x[1:]
    turn[last] = 0.0
    doubled = np.add.reduceat(turn, start)
    turn *= np.repeat(np.sign(doubled), count)
    turn[last] = np.inf
    rises = np.zeros(len(xy), np.int8)
    rises[:-1] = (y[:-1] <= 0) & (y[1:] > 0)
    rises[last] = 0
    once = np.add.reduceat(rises, start) == 1
    closed = (xy[start] == xy[last]).all(axis=1)
    return np.abs(doubled) / 2, closed & once & (np.minimum.reduceat(turn, start) > 0)


def centred(values: Floats, start: Ints, count: Ints) -> Floats:
    """Values less the mean of their ring."""
    return values - np.repeat(np.add.reduceat(values, start) / count, count)


def area(rings: Rings, xy: Floats) -> Floats:
    """The areas of the same outlines with other points, in the plane of these."""
    x, y = (xy[:, axis] - np.repeat(xy[rings.start, axis], rings.count) for axis in (0, 1))
    turn = np.empty(len(xy))
    turn[:-1] = x[:-1] * y[1:] - y[:-1] * x[1:]
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
