"""Outlines cut along the tiles of a zoom, all at once: arrays in, arrays out.

A zoom is cut from the pieces of the one before, so an outline of very many vertices is gone through once a zoom and
not once a tile. Cutting is Sutherland and Hodgman's (https://doi.org/10.1145/360767.360802): where a concave outline
falls apart, its parts stay joined along the edge, which lies beyond what a tile shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from panhuo.workspace.pmtiles import Block

EXTENT: Final = 4_096
"""Steps of a tile's side."""
POINT, LINE, POLYGON = 1, 2, 3
"""Kinds of geometry, as MVT numbers them."""
LEAP: Final = 2
"""Zooms cut through at once."""
AT_ONCE: Final = 200_000
"""Vertices worked on at once."""
EDGE: Final = 1 / 64
"""A tile draws what lies this share of its side beyond its edge, so that no line is broken there."""
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pieces:
    """Parts of outlines, each of one tile.

    row, x, y, kind, cut: of each piece the row of the table it is of, its tile, its kind, whether it was cut.
    rings: where the rings of each piece begin, and the end of the last; likewise `starts`: the vertices of each ring.
    outer: of each ring, whether it is no hole. at: vertices, n × 2, as shares of the world's square; no ring is closed.
    """

    zoom: int
    row: Ints
    x: Ints
    y: Ints
    kind: Ints
    cut: Bools
    rings: Ints
    starts: Ints
    outer: Bools
    at: Floats


def whole(shapes: NDArray[Any], block: Block) -> Pieces:
    """`shapes` [degrees] as they are, as pieces of the tile `block`."""
    parts, row = shapely.get_parts(shapes, return_index=True)
    while (
        shapely.get_type_id(parts) >= shapely.GeometryType.MULTIPOINT
    ).any():  # a collection of collections
        parts, inner = shapely.get_parts(parts, return_index=True)
        row = row[inner]
    area = shapely.get_dimensions(parts) == 2
    lines, polygon = shapely.get_rings(parts[area], return_index=True)
    drawn = np.concatenate([parts[~area], lines])
    of = np.concatenate([row[~area], row[area][polygon]])
    kind = np.concatenate([shapely.get_dimensions(parts[~area]) + 1, np.full(len(lines), POLYGON)])
    outer = np.concatenate([np.ones(len(parts) - area.sum(), bool), np.diff(polygon, prepend=-1) > 0])
    order = np.lexsort((kind, of))
    order = order[~shapely.is_empty(drawn[order])]
    drawn, of, kind, outer = drawn[order], of[order], kind[order].astype(np.int64), outer[order]
    points, ring = shapely.get_coordinates(drawn, return_index=True)
    # The last vertex of a closed ring is the first again.
    kept = (
        np.append(ring[1:] == ring[:-1], False) | (kind[ring] != POLYGON) if len(ring) else np.ones(0, bool)
    )
    points, ring = points[kept], ring[kept]
    at = np.stack(on_square(points[:, 0], points[:, 1]), axis=1)
    starts = np.searchsorted(ring, np.arange(len(drawn) + 1))
    first = np.flatnonzero((np.diff(of, prepend=-1) != 0) | (np.diff(kind, prepend=-1) != 0))
    n = len(first)
    return Pieces(block.zoom, of[first], np.full(n, block.x), np.full(n, block.y), kind[first], np.zeros(n, bool),
                  np.append(first, len(of)), starts, outer, at)  # fmt: skip


def down(pieces: Pieces, zoom: int, edge: float = EDGE) -> Pieces:
    """The pieces cut along the tiles of a zoom as near or nearer, each drawn `edge` (share of a side) beyond it."""
    while True:
        pieces = _down(pieces, min(pieces.zoom + LEAP, zoom), edge)
        if pieces.zoom == zoom:
            return pieces


def _down(pieces: Pieces, zoom: int, edge: float) -> Pieces:
    if not len(pieces.row):
        return Pieces(zoom, *(getattr(pieces, name) for name in Pieces.__slots__[1:]))
    low, high = bounds(pieces)
    side, deeper = 1 << zoom, zoom - pieces.zoom
    corner = np.stack([pieces.x, pieces.y], axis=1) << deeper
    last = corner + (1 << deeper) - 1
    # Within its own tile only: what lies beyond is another piece's.
    begin = np.clip(np.floor(low * side - edge).astype(np.int64), corner, last + 1)
    end = np.clip(np.floor(high * side + edge).astype(np.int64), corner - 1, last)
    wide, tall = np.maximum(end - begin + 1, 0).T
    count = wide * tall
    of = np.repeat(np.arange(len(count)), count)
    k = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    tile = begin[of] + np.stack([k % wide[of], k // wide[of]], axis=1)
    box_low, box_high = (tile - edge) / side, (tile + 1 + edge) / side
    beyond = ((low[of] < box_low) | (high[of] > box_high)).any(axis=1)

    def part(some: Ints) -> Pieces:
        spread = take(pieces, of[some])
        spread = replace(spread, zoom=zoom, x=tile[some, 0], y=tile[some, 1], cut=spread.cut | beyond[some])
        return clipped(spread, np.flatnonzero(beyond[some]), box_low[some], box_high[some])

    return joined([part(some) for some in batches(vertices(pieces)[of])])


def batches(weights: Ints) -> list[Ints]:
    """Places side by side, those of one batch together of some `AT_ONCE`: so much lies in the processor's cache."""
    at = np.arange(len(weights))
    return np.split(at, np.flatnonzero(np.diff(np.cumsum(weights) // AT_ONCE)) + 1)


def vertices(pieces: Pieces) -> Ints:
    """How many vertices each piece has."""
    return np.diff(pieces.starts[pieces.rings])


def on_square(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Shares of the way across a Web Mercator square, from the west and from the north."""
    north = np.arcsinh(np.tan(np.radians(np.clip(lat, -85, 85)))) / np.pi
    return (lon + 180) / 360, (1 - north) / 2


def bounds(pieces: Pieces) -> tuple[Floats, Floats]:
    """(least, greatest) x and y of each piece, n × 2."""
    first = pieces.starts[pieces.rings[:-1]]
    return np.minimum.reduceat(pieces.at, first), np.maximum.reduceat(pieces.at, first)


def take(pieces: Pieces, at: Ints) -> Pieces:
    """The pieces at these places, in their order."""
    rings, ring = ranges(pieces.rings, at)
    starts, vertex = ranges(pieces.starts, ring)
    return Pieces(pieces.zoom, pieces.row[at], pieces.x[at], pieces.y[at], pieces.kind[at], pieces.cut[at], rings,
                  starts, pieces.outer[ring], pieces.at[vertex])  # fmt: skip


def ranges(starts: Ints, at: Ints) -> tuple[Ints, Ints]:
    """Of some ranges of which each ends where the next begins: their starts side by side, and what they hold."""
    count = (starts[1:] - starts[:-1])[at]
    new = np.concatenate([[0], np.cumsum(count)])
    return new, np.repeat(starts[:-1][at] - new[:-1], count) + np.arange(new[-1])


def clipped(pieces: Pieces, some: Ints, low: Floats, high: Floats) -> Pieces:
    """The pieces, `some` of them cut to their boxes (`low` to `high`, n × 2, of all), without those then empty."""
    if not len(some):
        return pieces
    part = take(pieces, some)
    ring_of = np.repeat(np.arange(len(some)), np.diff(part.rings))
    at, starts, kind = part.at, part.starts, part.kind[ring_of]
    for axis in (0, 1):
        for sign, limit in ((1, low), (-1, high)):
            at, starts = half(at, starts, kind, limit[some, axis][ring_of], axis, sign)
    left = np.diff(starts) > 0
    rings = np.concatenate([[0], np.cumsum(left)])[part.rings]
    starts = np.append(starts[:-1][left], starts[-1])
    part = Pieces(
        part.zoom, part.row, part.x, part.y, part.kind, part.cut, rings, starts, part.outer[left], at
    )
    rest = np.ones(len(pieces.row), bool)
    rest[some] = False
    return joined([take(pieces, np.flatnonzero(rest)), take(part, np.flatnonzero(np.diff(part.rings)))])


def half(at: Floats, starts: Ints, kind: Ints, limit: Floats, axis: int, sign: int) -> tuple[Floats, Ints]:
    """(vertices, starts) of rings cut along a line each, where `axis` is `limit`: kept is what lies above (`sign` 1) or
    below (-1)."""
    count = np.diff(starts)
    ring = np.repeat(np.arange(len(count)), count)
    depth = sign * (at[:, axis] - limit[ring])
    inside = depth >= 0
    if inside.all():
        return at, starts
    some = count > 0
    first, last = starts[:-1][some], starts[1:][some] - 1
    closed = kind[some] == POLYGON
    # A polygon goes on at its beginning; a line ends, and points are each their own.
    next_inside = np.append(inside[1:], True)
    next_inside[last] = inside[np.where(closed, first, last)]
    crosses = (inside != next_inside) & (kind[ring] != POINT)
    after = np.concatenate([[0], np.cumsum(inside.view(np.int8) + crosses.view(np.int8), dtype=np.int64)])
    out = np.empty((after[-1], 2))
    out[after[:-1][inside]] = at[inside]
    here = np.flatnonzero(crosses)
    there = np.where(here + 1 == starts[1:][ring[here]], starts[:-1][ring[here]], here + 1)
    share = depth[here] / (depth[here] - depth[there])
    met = at[here] + share[:, None] * (at[there] - at[here])
    met[:, axis] = limit[ring[here]]
    out[after[here] + inside[here]] = met
    return out, after[starts]


def joined(parts: Sequence[Pieces]) -> Pieces:
    """The pieces of all parts, which are of one zoom."""
    if len(parts) == 1:
        return parts[0]

    def all_of(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    def behind(name: str) -> Ints:
        ends = np.cumsum([0, *(getattr(part, name)[-1] for part in parts)])
        return np.concatenate(
            [[0], *(getattr(p, name)[1:] + end for p, end in zip(parts, ends, strict=False))]
        )

    return Pieces(parts[0].zoom, all_of("row"), all_of("x"), all_of("y"), all_of("kind"), all_of("cut"),
                  behind("rings"), behind("starts"), all_of("outer"), all_of("at"))  # fmt: skip
