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

    `data` and `offsets` are the WKB they were read from, `inside` which of its bytes are points.
    """

    xy: Floats
    start: Ints
    count: Ints
    data: NDArray[np.uint8]
    offsets: NDArray[np.int32]
    inside: Bools


def head_length(wkb: pa.Array) -> Ints:
    """Bytes before the first point of each one-ring outline, 0 for anything else."""
    out = np.zeros(len(wkb), np.int64)
    for prefix in (ONE_POLYGON, ONE_MULTIPOLYGON):
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
    heads = offsets[:-1, None] + np.arange(head)
    stated = np.ascontiguousarray(data[heads[:, -4:]]).view("<u4")[:, 0]
    if (size % POINT_BYTES).any() or (count != stated).any() or (count < LEAST_POINTS).any():
        return None
    inside = np.ones(len(data), bool)
    inside[heads] = False
    return Rings(
        data[inside].view("<f8").reshape(-1, 2), np.cumsum(count) - count, count, data, offsets, inside
    )


def write_rings(rings: Rings, xy: Floats) -> pa.Array:
    """WKB of the same outlines with other points."""
    data = rings.data.copy()
    data[rings.inside] = np.ascontiguousarray(xy).view(np.uint8).ravel()
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
    middle = np.add.reduceat(xy, start, axis=0) / count[:, None]
    x, y = (xy[:, axis] - np.repeat(middle[:, axis], count) for axis in (0, 1))
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


def concat(parts: list[pa.Array], rows: list[Ints], total: int) -> pa.ChunkedArray:
    """Arrays of row groups back in the order of the table."""
    order = np.concatenate(rows)
    whole = pa.chunked_array(parts, pa.binary())
    if (np.diff(order) == 1).all():
        return whole
    place = np.empty(total, np.int64)
    place[order] = np.arange(total)
    return pa.chunked_array([pa.concat_arrays(parts).take(pa.array(place))])
