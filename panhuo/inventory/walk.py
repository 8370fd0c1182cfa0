"""Who reaches what on foot: distances along a street network between points."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from panhuo.core.problems import PanhuoError
from panhuo.inventory.geometry import (
    Floats,
    Geometries,
    Ints,
    common_zone,
    layer_shapes,
    required_column,
    to_plane,
)

STEP_M: Final = 50.0
"""Streets are noded at least this often, so that a door opens on a street near its own place."""
SNAP_M: Final = 0.5
"""Street ends this near each other meet: the error of a street map."""
BATCH: Final = 256


@dataclass(frozen=True, slots=True)
class Streets:
    """A street network in the plane of `zone`: its nodes [m] and the metres between neighbours."""

    zone: int
    nodes: Floats
    metres: csr_matrix


@dataclass(frozen=True, slots=True)
class Reach:
    """Pairs within reach: positions of source and target, and the metres on foot."""

    source: Ints
    target: Ints
    metres: Floats


def streets(layer: pa.Table) -> Streets:
    """The network of a layer of street lines (`geometry`: WKB, EPSG:4490). Streets join where they cross
    or end.

    Raises PanhuoError when the layer holds no lines: without streets nobody can say who reaches what.
    """
    shapes, lost = layer_shapes(layer, "streets")
    parts = shapely.get_parts(shapes)
    lines = parts[shapely.get_type_id(parts) == 1]
    if not len(lines):
        raise PanhuoError(
            "道路图层里没有线 the street layer holds no lines",
            why="; ".join(sorted({p.type for p in lost})) or f"{len(shapes)} 个图形 shapes",
            remedy="给出道路中心线 give street centre lines",
        )
    zone = common_zone(lines)
    planar = shapely.set_precision(to_plane(lines, zone), SNAP_M)
    noded = shapely.get_parts(shapely.node(shapely.multilinestrings(shapely.get_parts(planar))))
    xy, line = shapely.get_coordinates(shapely.segmentize(noded, STEP_M), return_index=True)
    nodes, at = np.unique(np.round(xy, 3), axis=0, return_inverse=True)
    at = at.ravel()
    same = line[1:] == line[:-1]
    a, b = at[:-1][same], at[1:][same]
    length = np.hypot(*(nodes[a] - nodes[b]).T)
    keep = a != b
    graph = csr_matrix((length[keep], (a[keep], b[keep])), shape=(len(nodes), len(nodes)))
    return Streets(zone, nodes, graph)


def planar_points(table: pa.Table, zone: int) -> Floats:
    """The places [m] of a table: `lon`, `lat`, or the middle of its `geometry`; NaN where it has neither."""
    if {"lon", "lat"} <= set(table.column_names):
        lon, lat = (table.column(k).cast(pa.float64()).to_numpy(zero_copy_only=False) for k in ("lon", "lat"))
        shapes: Geometries = shapely.points(np.nan_to_num(lon), np.nan_to_num(lat))
        lost = np.isnan(lon) | np.isnan(lat)
    else:
        wkb = (
            required_column(table, "geometry").combine_chunks().to_numpy(zero_copy_only=False).astype(object)
        )
        shapes = shapely.centroid(shapely.from_wkb(wkb, on_invalid="ignore"))
        lost = shapely.is_missing(shapes) | shapely.is_empty(shapes)
        shapes = np.where(lost, shapely.Point(0, 0), shapes)
    moved = to_plane(shapes, zone)
    xy = np.column_stack([shapely.get_x(moved), shapely.get_y(moved)])
    xy[lost] = np.nan
    return xy


def reach(network: Streets, sources: Floats, targets: Floats, limit_m: float, door_m: float) -> Reach:
    """Which targets each source reaches within `limit_m` along the streets.

    sources, targets: places in the network's plane [m]; door_m: farthest a place may lie from its street.
    The way to and from the street counts. Two places nearer to each other than to a street are as far as
    the straight line.
    """
    tree = shapely.STRtree(shapely.points(network.nodes))
    start, first = _doors(tree, network, sources, door_m)
    end, last = _doors(tree, network, targets, door_m)
    found: list[tuple[Ints, Ints, Floats]] = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    on = np.flatnonzero(start >= 0)
    there = np.flatnonzero(end >= 0)
    for at in range(0, len(on), BATCH):
        batch = on[at : at + BATCH]
        ways = dijkstra(network.metres, directed=False, indices=start[batch], limit=limit_m)
        metres = ways[:, end[there]] + first[batch, None] + last[None, there]
        row, column = np.nonzero(metres <= limit_m)
        found.append((batch[row], there[column], metres[row, column]))
    source, target, metres = (np.concatenate(part) for part in zip(*found, strict=True))
    return Reach(source, target, metres)


def _doors(tree: shapely.STRtree, network: Streets, places: Floats, door_m: float) -> tuple[Ints, Floats]:
    """The nearest node of each place, -1 where none is within `door_m`, and how far it is [m]."""
    node, metres = np.full(len(places), -1, np.int64), np.full(len(places), np.inf)
    known = np.flatnonzero(np.isfinite(places).all(1))
    if len(known):
        place, nearest = tree.query_nearest(
            shapely.points(places[known]), max_distance=door_m, all_matches=False
        )
        node[known[place]] = nearest
        metres[known[place]] = np.hypot(*(network.nodes[nearest] - places[known[place]]).T)
    return node, metres
