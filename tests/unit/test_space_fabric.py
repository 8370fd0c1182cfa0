"""The quick ways of the space stage give what the plain ones give: every edge measured against every near edge, every
outline cut with every near outline."""

import math
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from space_data import EAST, NORTH, ZONE, parcels

from panhuo.inventory import tiling
from panhuo.inventory.conflicts import SLIVER_M2, SLIVER_WIDTH_M, is_sliver
from panhuo.inventory.fabric import doubtful, weave
from panhuo.inventory.geometry import plane_transformer, to_plane
from panhuo.inventory.neighbours import ADJOIN_TOLERANCE_M, facing_edges, neighbours
from panhuo.inventory.overlaps import overlaps
from panhuo.inventory.plane_points import points_to_plane
from panhuo.inventory.spatial_facts import spatial_facts

MISHAPS = (
    "plain", "corner in a side", "gap", "sliver", "moved", "twice", "hole", "filled hole", "two parts", "gone",
)  # fmt: skip


AWRY = ("sliver", "moved", "gap")
"""Outlines some centimetres off may face an edge of which a tile does not see the twin."""


@st.composite
def coverages(draw, mishaps: tuple[str, ...] = MISHAPS) -> list[shapely.Geometry]:
    """A net of quadrilaterals that share their edges, with what befalls real cadastral maps."""
    across, down = draw(st.integers(2, 5)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    y, x = np.mgrid[0 : down + 1, 0 : across + 1] * 40.0
    corner = np.stack([x, y], axis=-1) + rng.uniform(-9, 9, (down + 1, across + 1, 2))
    middle = {}
    for a in np.ndindex(down + 1, across + 1):
        for b in ((a[0] + 1, a[1]), (a[0], a[1] + 1)):
            if b[0] <= down and b[1] <= across:
                middle[frozenset((a, b))] = (corner[a] + corner[b]) / 2 + rng.uniform(-2, 2, 2)
    outlines = []
    for i, j in np.ndindex(down, across):
        ring = [(i, j), (i, j + 1), (i + 1, j + 1), (i + 1, j)]
        points = [
            p
            for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)
            for p in (corner[a], middle[frozenset((a, b))])
        ]
        outlines += befallen(draw(st.sampled_from(mishaps)), points, rng)
    return [shapely.transform(o, lambda xy: xy + np.array([EAST, NORTH])) for o in outlines]


def befallen(mishap: str, points: list, rng: np.random.Generator) -> list[shapely.Geometry]:
    plain = shapely.Polygon(points if rng.random() < 0.5 else points[::-1])
    within = plain.centroid.buffer(5, quad_segs=2)
    moved = shapely.affinity.translate
    kinds: dict[str, Callable[[], list[shapely.Geometry]]] = {
        "plain": lambda: [plain],
        "corner in a side": lambda: [shapely.Polygon([*points, (np.array(points[-1]) + points[0]) / 2])],
        "gap": lambda: [plain.buffer(-rng.choice([0.04, 0.5, 3]), join_style="mitre")],
        "sliver": lambda: [moved(plain, *rng.uniform(-0.03, 0.03, 2))],
        "moved": lambda: [moved(plain, *rng.uniform(-6, 6, 2))],
        "twice": lambda: [plain, shapely.reverse(plain)],
        "hole": lambda: [plain - within],
        "filled hole": lambda: [plain - within, within],
        "two parts": lambda: [shapely.MultiPolygon([plain, moved(plain, 0, 300)])],
        "gone": list,
    }
    return kinds[mishap]()


def plain_overlaps(planar: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    one, two = shapely.STRtree(planar).query(planar, predicate="intersects")
    one, two = one[one < two], two[one < two]
    common = shapely.intersection(planar[one], planar[two])
    hit = shapely.area(common) > 1e-4
    return one[hit], two[hit], common[hit], shapely.area(common)[hit]


def plain_neighbours(planar: np.ndarray) -> dict[tuple[int, int], float]:
    """Edges with the same ends side by side; the others measured against all the others."""
    parts, owner = shapely.get_parts(planar, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    edge = ring[1:] == ring[:-1]
    start, end, whose = xy[:-1][edge], xy[1:][edge], owner[part[ring[1:][edge]]]
    on_line: dict[frozenset, list[int]] = {}
    for i, ends in enumerate(zip(np.rint(start * 1000).tolist(), np.rint(end * 1000).tolist(), strict=True)):
        on_line.setdefault(frozenset(map(tuple, ends)), []).append(i)
    metres: dict[tuple[int, int], float] = {}

    def add(a: int, b: int, length: float) -> None:
        metres[(min(a, b), max(a, b))] = metres.get((min(a, b), max(a, b)), 0.0) + length

    for edges in on_line.values():
        for one, two in combinations(edges, 2):
            if whose[one] != whose[two]:
                add(whose[one], whose[two], math.dist(start[one], end[one]))
    free = np.array([e[0] for e in on_line.values() if len({whose[i] for i in e}) == 1], int)
    found = facing_edges(start[free], end[free], whose[free], ADJOIN_TOLERANCE_M)
    for one, two, length in zip(free[found.one], free[found.two], found.metres, strict=True):
        add(whose[one], whose[two], length)
    return metres


def planar_of(table: pa.Table) -> np.ndarray:
    return to_plane(shapely.from_wkb(table["geometry"].to_numpy()), ZONE)


@settings(max_examples=60, deadline=None)
@given(coverages())
def test_quick_overlaps_equal_plain_ones(outlines) -> None:
    if not outlines:
        return
    table = parcels(*outlines)
    one, two, common, area = plain_overlaps(planar_of(table))
    (tile,), problems = tiling.map_tiles(table, lambda tile: tile)
    assert problems == []
    a, b, _, shared = overlaps(tile, weave(tile.outlines, tile.measures.left))
    theirs = dict(zip(zip(one.tolist(), two.tolist(), strict=True), area, strict=True))
    assert dict(zip(zip(a.tolist(), b.tolist(), strict=True), shared, strict=True)) == pytest.approx(
        theirs, rel=1e-6, abs=1e-6
    )
    expected = np.zeros(len(outlines))
    real = ~is_sliver(common, area, SLIVER_M2, SLIVER_WIDTH_M)
    np.add.at(expected, one[real], area[real])
    np.add.at(expected, two[real], area[real])
    facts, _ = spatial_facts(table, {})
    assert facts["conflict_m2"].to_numpy() == pytest.approx(expected, rel=1e-6, abs=1e-6)


def check_neighbours(outlines: list[shapely.Geometry]) -> None:
    if not outlines:
        return
    table = parcels(*outlines)
    found, _ = neighbours(table)
    ours = {
        (int(r["parcel_id"][1:]), int(r["other_id"][1:])): r["shared_boundary_m"] for r in found.to_pylist()
    }
    planar = planar_of(table)
    assert ours == pytest.approx(plain_neighbours(planar), rel=1e-6, abs=1e-6)
    facts, _ = spatial_facts(table, {})
    assert facts["perimeter_m"].to_numpy() == pytest.approx(shapely.length(planar), rel=1e-9)
    assert facts["compactness"].to_numpy() == pytest.approx(
        4 * np.pi * shapely.area(planar) / shapely.length(planar) ** 2, rel=1e-9
    )


@settings(max_examples=40, deadline=None)
@given(coverages())
def test_quick_neighbours_equal_plain_ones(outlines) -> None:
    check_neighbours(outlines)


@settings(max_examples=40, deadline=None)
@given(coverages(tuple(m for m in MISHAPS if m not in AWRY)))
def test_quick_neighbours_equal_plain_ones_on_small_tiles(outlines) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(tiling.map_tiles.__kwdefaults__, "tile_parcels", 3)
        check_neighbours(outlines)


def tile_of(*outlines: shapely.Geometry) -> tiling.Tile:
    (tile,), _ = tiling.map_tiles(parcels(*outlines), lambda tile: tile)
    return tile


def test_ground_covered_once_is_proven_without_cutting() -> None:
    def square(x: float, y: float) -> shapely.Geometry:
        return shapely.box(EAST + x, NORTH + y, EAST + x + 10, NORTH + y + 10)

    net = [square(x, y) for x in range(0, 60, 10) for y in range(0, 60, 10) if (x, y) != (20, 20)]
    apart = tile_of(*net, square(100, 0), square(110, 10))
    assert not len(doubtful(weave(apart.outlines, apart.measures.left)))
    again = tile_of(*net, square(40, 40))
    asked = doubtful(weave(again.outlines, again.measures.left))
    assert len(asked)
    found = overlaps(again, weave(again.outlines, again.measures.left))
    assert len(found[0]) == 1


def test_many_points_are_moved_as_proj_moves_them() -> None:
    rng = np.random.default_rng(7)
    for span in (0.01, 0.5, 3.0):
        lon, lat = 112.5 + span * rng.random(5000), 28 + span * rng.random(5000)
        east, north = points_to_plane(lon, lat, ZONE)
        exact = plane_transformer(ZONE).transform(lon, lat)
        assert np.abs(east - exact[0]).max() < 1e-6
        assert np.abs(north - exact[1]).max() < 1e-6
        order = rng.permutation(5000)
        again = points_to_plane(lon[order], lat[order], ZONE)
        assert (again[0] == east[order]).all() and (again[1] == north[order]).all()
