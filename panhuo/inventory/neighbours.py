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
from panhuo.inventory.fabric import GRID_M, Fabric, weave
from panhuo.inventory.geometry import Floats, Ints
from panhuo.inventory.tiling import Tile, map_tiles

ADJOIN_TOLERANCE_M: Final = 0.1
"""Edges this near run along each other: the usual error of a boundary point of the second class."""
_PARALLEL_COSINE: Final = 0.985


def neighbours(
    parcels: pa.Table, *, tolerance_m: float = ADJOIN_TOLERANCE_M, workers: int = 2
) -> tuple[pa.Table, list[Problem]]:
    """Pairs of adjoining parcels: `parcel_id`, `other_id`, `shared_boundary_m`; each pair once.

    parcels: `parcel_id`, `geometry` (WKB, EPSG:4490); tolerance_m: how far apart two edges may run [m].
    """

    def work(tile: Tile) -> tuple[Ints, Ints, Floats]:
        a, b, length = shared_edges(weave(tile.outlines, tile.measures.left), tolerance_m)
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


def shared_edges(fabric: Fabric, tolerance_m: float) -> tuple[Ints, Ints, Floats]:
    """(a, b, metres) of outlines in one plane whose edges run along each other, a < b."""
    one, two, free = fabric.one, fabric.two, fabric.free
    rest = facing_edges(*fabric.ends(free), fabric.owner[free], tolerance_m)
    a = np.concatenate([fabric.owner[one], fabric.owner[free[rest.one]]])
    b = np.concatenate([fabric.owner[two], fabric.owner[free[rest.two]]])
    return _summed(a, b, np.concatenate([fabric.metres(one), rest.metres]))


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
    unit = direction / np.maximum(long, GRID_M)[:, None]
    cosine = np.abs((unit * other).sum(1)) / np.maximum(span, GRID_M)
    from_one, to_one = start[two] - start[one], end[two] - start[one]
    along0, along1 = (from_one * unit).sum(1), (to_one * unit).sum(1)
    near = _stretch(_cross(unit, from_one), _cross(unit, to_one), -tolerance_m, tolerance_m)
    beside = _stretch(along0, along1, np.zeros(len(long)), long)
    low, high = np.maximum(near[0], beside[0]), np.minimum(near[1], beside[1])
    metres = (high - low) * np.abs(along1 - along0)
    # An edge that enters the tolerance on one side and leaves it on the other crosses; it does not run along.
    crosses = (near[0] > beside[0]) & (near[1] < beside[1])
    good = (cosine > _PARALLEL_COSINE) & (high > low) & (metres > GRID_M) & ~crosses
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


def _summed(a: Ints, b: Ints, metres: Floats) -> tuple[Ints, Ints, Floats]:
    low, high = np.minimum(a, b), np.maximum(a, b)
    order = np.argsort(low << 32 | high)
    low, high = low[order], high[order]
    begin = np.flatnonzero((np.diff(low, prepend=-1) != 0) | (np.diff(high, prepend=-1) != 0))
    total: Floats = np.add.reduceat(metres[order], begin) if len(begin) else metres
    return low[begin], high[begin], total
