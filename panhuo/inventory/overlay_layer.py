"""A layer's polygons made fit to be measured: mended where invalid, merged where they overlap."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from panhuo.core.problems import Problem
from panhuo.inventory.geometry import Geometries, outlines
from panhuo.inventory.overlay_rings import Floats, Ints

ToPlane = Callable[[Floats, Floats], tuple[Floats, Floats]]

CHUNK: Final = 256
"""Polygons taken from their bytes at once."""
OVERLAP_SHARE: Final = 1e-9
"""Two polygons overlap when they share more than this of the smaller: less is rounding along a common
edge."""


def layer_polygons(
    wkb: pa.ChunkedArray, kind: str, to_plane: ToPlane | None
) -> tuple[Geometries, list[Problem]]:
    """The polygons of a WKB column, valid, without overlap, and a problem for each lost or mended."""
    found, problems = [np.empty(0, object)], list[Problem]()
    for begin in range(0, len(wkb), CHUNK):  # a province's layer is large, and each step makes it anew
        part = wkb.slice(begin, CHUNK)
        names = [f"{kind}:{begin + row + 1}" for row in range(len(part))]
        shapes, told = outlines(part, names, degrees=to_plane is not None)
        problems += [replace(p, row=begin + p.row if p.row else None) for p in told]
        polygons = shapely.get_parts(shapes[~shapely.is_missing(shapes)])
        if to_plane is not None:  # before merging, so that what is merged has straight edges in the plane
            polygons = shapely.transform(polygons, to_plane, interleaved=False)
        found.append(polygons)
    return merge_overlapping(np.concatenate(found)), problems


def merge_overlapping(polygons: Geometries) -> Geometries:
    """The same ground with each group of polygons that overlap replaced by its union. Touching ones
    stay apart."""
    a, b = _overlapping_pairs(polygons)
    if not len(a):
        return polygons
    count = len(polygons)
    pairs = coo_array((np.ones(len(a), dtype=np.bool_), (a, b)), shape=(count, count))
    _, group = connected_components(pairs, directed=False)
    size = np.bincount(group)
    alone = size[group] == 1
    order = np.argsort(group, kind="stable")
    members = np.split(polygons[order], np.cumsum(size)[:-1])
    merged = [shapely.union_all(part) for part in members if len(part) > 1]
    return np.concatenate([polygons[alone], shapely.get_parts(np.array(merged, dtype=object))])


def _overlapping_pairs(polygons: Geometries) -> tuple[Ints, Ints]:
    tree = shapely.STRtree(polygons)
    a, b = tree.query(polygons, predicate="intersects")
    once = a < b
    a, b = a[once], b[once]
    shared = shapely.area(shapely.intersection(polygons[a], polygons[b]))
    smaller = np.minimum(shapely.area(polygons[a]), shapely.area(polygons[b]))
    overlap = shared > OVERLAP_SHARE * smaller
    return a[overlap], b[overlap]
