"""Which outlines share ground, and what they share.

That ground is covered once is proven from the lines left over where outlines do not share their edges. Only where that
proof fails are outlines cut with each other, from the doubtful ones outwards as far as ground is shared.
"""

from typing import Final

import numpy as np
import shapely

from panhuo.inventory.fabric import Fabric, doubtful
from panhuo.inventory.geometry import Floats, Geometries, Ints
from panhuo.inventory.tiling import Tile

NOISE_M2: Final = 1e-4
"""Less than this is the arithmetic's own error."""
LONG_OUTLINE: Final = 256
"""An outline of more points (a river, a road) is cut down to the box of what it is compared with."""

Overlaps = tuple[Ints, Ints, Geometries, Floats]
"""(a, b, what both cover, its area [m²]): positions in the tile, a < b."""


def overlaps(tile: Tile, fabric: Fabric) -> Overlaps:
    """Pairs of a tile's outlines that share more ground than noise, ordered by (a, b); `fabric` is the tile's."""
    none = np.empty(0, np.int64)
    found: list[Overlaps] = [(none, none, np.empty(0, object), np.empty(0))]
    asked = doubtful(fabric)
    if len(asked):
        boxes = shapely.box(*tile.bounds.T)
        tree = shapely.STRtree(boxes)
        count = len(tile.rows)
        done, seen = none, np.zeros(count, bool)
    while len(asked):
        seen[asked] = True
        near = tree.query(boxes[asked], predicate="intersects")
        one, two = asked[near[0]], near[1]
        pairs = np.unique(np.minimum(one, two) * count + np.maximum(one, two))
        pairs = np.setdiff1d(pairs[pairs // count != pairs % count], done, assume_unique=True)
        done = np.concatenate([done, pairs])
        found.append(_cut(tile, pairs // count, pairs % count))
        # Ground shared by others may begin where this ends.
        sharing = np.unique(np.concatenate(found[-1][:2]))
        beside = np.unique(tree.query(boxes[sharing], predicate="intersects")[1])
        asked = beside[~seen[beside]]
    a, b, common, area = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((b, a))
    return a[order], b[order], common[order], area[order]


def _cut(tile: Tile, a: Ints, b: Ints) -> Overlaps:
    """Pairs cut with each other, those that share no more than noise left out."""
    rows = np.unique(np.concatenate([a, b]))
    shapes = tile.shapes(rows)
    one, two = shapes[np.searchsorted(rows, a)], shapes[np.searchsorted(rows, b)]
    meet = shapely.intersects(one, two)
    a, b, one, two = a[meet], b[meet], one[meet], two[meet]
    common = shapely.intersection(_cut_long(one, two), _cut_long(two, one))
    area = shapely.area(common)
    hit = area > NOISE_M2
    return a[hit], b[hit], common[hit], area[hit]


def _cut_long(shapes: Geometries, others: Geometries) -> Geometries:
    """Shapes, the longest of them cut down to a little more than the box of their counterpart."""
    long = np.flatnonzero(shapely.get_num_coordinates(shapes) > LONG_OUTLINE)
    boxes = shapely.bounds(others[long]) + np.array([-1.0, -1.0, 1.0, 1.0])
    cut = shapes.copy()
    for at, box in zip(long, boxes, strict=True):
        cut[at] = shapely.make_valid(
            shapely.clip_by_rect(shapes[at], *box), method="structure", keep_collapsed=False
        )
    return cut
