"""Which parcels adjoin which, and along how many metres.

Two outlines adjoin where their edges run along each other within a tolerance: most edges of a cadastral map
are shared point for point and are matched by their end points; the rest (a corner in the middle of a
neighbour's edge, outlines drawn twice) are measured edge against edge. Touching at a corner is not adjoining.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import shapely

from panhuo.core.problems import Problem
from panhuo.inventory.geometry import Bools, Floats, Geometries, Ints, Tile, map_tiles

ADJOIN_TOLERANCE_M: Final = 0.1
"""Edges this near run along each other: the usual error of a boundary point of the second class."""
_PARALLEL_COSINE: Final = 0.985
_GRID_M: Final = 1e-3


def neighbours(
    parcels: pa.Table, *, tolerance_m: float = ADJOIN_TOLERANCE_M, workers: int = 2
) -> tuple[pa.Table, list[Problem]]:
    """Pairs of adjoining parcels: `parcel_id`, `other_id`, `shared_boundary_m`; each pair once.

    parcels: `parcel_id`, `geometry` (WKB, EPSG:4490); tolerance_m: how far apart two edges may run [m].
    """

    def work(tile: Tile) -> tuple[Ints, Ints, Floats]:
        a, b, length = shared_edges(tile.geometries, tolerance_m)
        mine = tile.owns_pairs(a, b)
        return tile.rows[a[mine]], tile.rows[b[mine]], length[mine]

    parts, problems = map_tiles(parcels, work, halo_m=tolerance_m, workers=workers)
    return pair_table(parcels, parts), problems


def pair_table(parcels: pa.Table, parts: list[tuple[Ints, Ints, Floats]]) -> pa.Table:
    """The pairs found on all tiles as one table, sorted by the rows of the parcels."""
    a, b, length = (np.concatenate([p[i] for p in parts]) if parts else np.empty(0) for i in range(3))
    order = np.lexsort((b, a))
    ids = parcels.column("parcel_id").combine_chunks().cast(pa.string())
    return pa.table(
        {
            "parcel_id": ids.take(pa.array(a[order], pa.int64())),
            "other_id": ids.take(pa.array(b[order], pa.int64())),
            "shared_boundary_m": pa.array(length[order], pa.float64()),
        }
    )


def shared_edges(geometries: Geometries, tolerance_m: float) -> tuple[Ints, Ints, Floats]:
    """(a, b, metres) of outlines in one plane whose edges run along each other, a < b."""
    start, end, owner = edges(geometries)
    a1, b1, m1, free = matched_edges(start, end, owner)
    rest = facing_edges(start[free], end[free], owner[free], tolerance_m)
    a2, b2 = owner[free][rest.one], owner[free][rest.two]
    metres = np.concatenate([m1, rest.metres])
    return _summed(np.concatenate([a1, a2]), np.concatenate([b1, b2]), metres, len(geometries))


def edges(geometries: Geometries) -> tuple[Floats, Floats, Ints]:
    """Every edge of every ring: start (n, 2), end (n, 2) and the position of its outline."""
    parts, part_owner = shapely.get_parts(geometries, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    owner = part_owner[ring_part[ring[1:][same]]] if len(ring) else np.empty(0, np.int64)
    return xy[:-1][same], xy[1:][same], owner


def matched_edges(start: Floats, end: Floats, owner: Ints) -> tuple[Ints, Ints, Floats, Bools]:
    """Edges of different outlines with the same end points (to a millimetre), and which found no match."""
    p, q = np.round(start / _GRID_M).astype(np.int64), np.round(end / _GRID_M).astype(np.int64)
    turn = (p[:, 0] > q[:, 0]) | ((p[:, 0] == q[:, 0]) & (p[:, 1] > q[:, 1]))
    p[turn], q[turn] = q[turn], p[turn]
    ends = np.column_stack([p, q]).astype(np.uint64)
    weights = np.array(
        [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64
    )
    key = (ends * weights).sum(axis=1, dtype=np.uint64)
    order = np.argsort(key, kind="stable")
    free = np.ones(len(key), bool)
    a: list[Ints] = []
    b: list[Ints] = []
    metres: list[Floats] = []
    lag = 1
    while lag < len(order):
        one, two = order[:-lag], order[lag:]
        same = key[one] == key[two]
        if not same.any():
            break
        one, two = one[same], two[same]
        twin = (ends[one] == ends[two]).all(1) & (owner[one] != owner[two])
        one, two = one[twin], two[twin]
        free[one] = free[two] = False
        a.append(owner[one])
        b.append(owner[two])
        metres.append(np.hypot(*(end[one] - start[one]).T))
        lag += 1
    none = np.empty(0, np.int64)
    return (
        np.concatenate([none, *a]),
        np.concatenate([none, *b]),
        np.concatenate([np.empty(0), *metres]),
        free,
    )


@dataclass(frozen=True, slots=True)
class Facing:
    """Pairs of edges that run along each other: edge `one`, edge `two`, and the stretch that faces.

    `low`, `high`: shares of edge `two` [0…1]; `metres`: how long the stretch is along edge `one`.
    """

    one: Ints
    two: Ints
    low: Floats
    high: Floats
    metres: Floats


def facing_edges(start: Floats, end: Floats, owner: Ints, tolerance_m: float) -> Facing:
    """Edges of different outlines that run, nearly parallel, within `tolerance_m` of each other."""
    lines = shapely.linestrings(np.stack([start, end], axis=1)) if len(start) else np.empty(0, object)
    one, two = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=tolerance_m)
    keep = (one < two) & (owner[one] != owner[two])
    one, two = one[keep], two[keep]
    direction, other = end[one] - start[one], end[two] - start[two]
    long, span = np.hypot(*direction.T), np.hypot(*other.T)
    unit = direction / np.maximum(long, _GRID_M)[:, None]
    cosine = np.abs((unit * other).sum(1)) / np.maximum(span, _GRID_M)
    from_one, to_one = start[two] - start[one], end[two] - start[one]
    along0, along1 = (from_one * unit).sum(1), (to_one * unit).sum(1)
    near = _stretch(_cross(unit, from_one), _cross(unit, to_one), -tolerance_m, tolerance_m)
    beside = _stretch(along0, along1, np.zeros(len(long)), long)
    low, high = np.maximum(near[0], beside[0]), np.minimum(near[1], beside[1])
    metres = (high - low) * np.abs(along1 - along0)
    # An edge that enters the tolerance on one side and leaves it on the other crosses; it does not run along.
    crosses = (near[0] > beside[0]) & (near[1] < beside[1])
    good = (cosine > _PARALLEL_COSINE) & (high > low) & (metres > _GRID_M) & ~crosses
    return Facing(one[good], two[good], low[good], high[good], metres[good])


def _cross(u: Floats, v: Floats) -> Floats:
    crossed: Floats = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    return crossed


def _stretch(v0: Floats, v1: Floats, least: Floats | float, most: Floats | float) -> tuple[Floats, Floats]:
    """The part [low, high] of 0…1 on which a value going evenly from v0 to v1 is in [least, most]."""
    level = np.abs(v1 - v0) < 1e-12
    step = np.where(level, 1.0, v1 - v0)
    t0, t1 = (least - v0) / step, (most - v0) / step
    inside = (v0 >= least) & (v0 <= most)
    low = np.where(level, 0.0, np.clip(np.minimum(t0, t1), 0, 1))
    high = np.where(level, np.where(inside, 1.0, 0.0), np.clip(np.maximum(t0, t1), 0, 1))
    return low, high


def _summed(a: Ints, b: Ints, metres: Floats, count: int) -> tuple[Ints, Ints, Floats]:
    low, high = np.minimum(a, b), np.maximum(a, b)
    pairs, where = np.unique(low * count + high, return_inverse=True)
    total: Floats = np.bincount(where, metres, len(pairs)).astype(np.float64)
    return pairs // max(count, 1), pairs % max(count, 1), total
