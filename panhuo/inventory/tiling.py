"""The country cut into tiles, each worked on by itself: outlines as columns of points in the plane of its zone.

A tile answers for what begins on it, and sees its surroundings a little way out, so that a province is worked on piece
by piece, several pieces at a time, and no figure depends on where the cuts fall.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from panhuo.core.problems import Problem
from panhuo.inventory.drawn import Drawn
from panhuo.inventory.elsewhere import Tables
from panhuo.inventory.geometry import (
    DEGREE_M,
    ZONE_DEGREES,
    Bools,
    Floats,
    Geometries,
    Ints,
    outlines,
    read_shapes,
    required_column,
    to_plane,
    zone_of,
)
from panhuo.inventory.outline_measures import Measures, boxes, measure
from panhuo.inventory.overlay_rings import Outlines, read_outlines
from panhuo.inventory.plane_points import points_to_plane
from panhuo.inventory.recall import Recall

Region = tuple[float, float, float, float]
"""West, south, east, north; half-open: a point on the east or north side is outside."""
T = TypeVar("T")

TILE_PARCELS: Final = 25_000
_SIDES: Final = ("west", "south", "east", "north")
_ROOT_DEGREES: Final = 4.0
_MIN_TILE_DEGREES: Final = 2.0**-10


@dataclass(frozen=True)
class Tile:
    """A piece of the country and what lies on it: `outlines` in the plane of its zone [m], and their measures.

    `rows` are row numbers of the table, `bounds` their boxes [degrees], `wkb` the same outlines in degrees, `region`
    the half-open box [degrees] that this tile answers for. What reaches over several tiles is answered for by exactly
    one.
    """

    zone: int
    region: Region
    rows: Ints
    bounds: Floats
    wkb: pa.Array
    outlines: Outlines
    measures: Measures

    @cached_property
    def geometries(self) -> Geometries:
        """The outlines as shapes in the plane; made when first asked for."""
        return self.shapes(np.arange(len(self.rows)))

    def shapes(self, at: Ints) -> Geometries:
        """The outlines at some positions as shapes in the plane."""
        wkb = self.wkb.take(pa.array(at, pa.int64())).to_numpy(zero_copy_only=False)
        return to_plane(np.asarray(shapely.from_wkb(wkb)), self.zone)

    def owns(self) -> Bools:
        """Which of the rows this tile answers for: those whose box has its lower left corner here."""
        return inside(self.region, self.bounds[:, 0], self.bounds[:, 1])

    def owns_pairs(self, a: Ints, b: Ints) -> Bools:
        """Which pairs (positions in this tile) it answers for: by the lower left corner their boxes share."""
        low = np.maximum(self.bounds[a, :2], self.bounds[b, :2])
        return inside(self.region, low[:, 0], low[:, 1])


@dataclass(frozen=True, slots=True)
class Sent:
    """What a tile is worked from elsewhere: its zone and region, its rows of the table, their outlines (WKB, degrees)
    and the box [degrees] of them all."""

    zone: int
    region: Region
    rows: Ints
    wkb: pa.Array
    box: Floats

    def tables(self, ledger: pa.Table) -> dict[str, pa.Table]:
        """The same as tables, with the rows of `ledger`."""
        place = {"zone": [self.zone], **dict(zip(_SIDES, ([side] for side in self.region), strict=True))}
        parcels = ledger.take(pa.array(self.rows)).append_column("geometry", self.wkb)
        return {"parcels": parcels, "place": pa.table(place)}


Send = Callable[[Iterator[Sent]], Iterator[list[pa.Table]]]
"""Has tiles worked on elsewhere; gives of each what a `Recall` keeps (`recall.entry`), in their order."""


def received(tables: Tables) -> tuple[Tile, list[Problem]]:
    """The tile that `Sent.tables` tells of, its rows counted from nought, and what was wrong with its own outlines."""
    parcels, place = tables["parcels"], tables["place"].to_pylist()[0]
    west, south, east, north = (place[side] for side in _SIDES)
    wkb = parcels["geometry"].combine_chunks()
    ids, bounds = parcels["parcel_id"].combine_chunks(), boxes_of(Drawn.of_column(parcels["geometry"]))
    return _load(place["zone"], (west, south, east, north), np.arange(len(wkb)), ids, wkb, bounds)


def box_of(bounds: Floats) -> Floats:
    """The box about some boxes."""
    return np.concatenate([bounds[:, :2].min(0), bounds[:, 2:].max(0)])


def inside(region: Region, x: Floats, y: Floats) -> Bools:
    """Which points lie in a half-open box."""
    west, south, east, north = region
    return (x >= west) & (x < east) & (y >= south) & (y < north)


def map_tiles(
    parcels: pa.Table,
    work: Callable[[Tile], T],
    *,
    halo_m: float = 1.0,
    workers: int = 2,
    tile_parcels: int = TILE_PARCELS,
    recall: Recall[T] | None = None,
    drawn: Drawn | None = None,
    send: Send | None = None,
) -> tuple[list[T], list[Problem]]:
    """`work` on each tile of `parcels` (parcel_id, geometry WKB in EPSG:4490), `workers` at a time, in order.

    Tiles are cut on fixed lines of the globe and each lies in one zone, so a figure does not depend on what
    else the table holds. Only boxes are held for the whole table; outlines live while their tile is worked.
    recall: tiles on which nothing changed since they were last worked on are not worked on again. drawn: the outlines
    of the parcels where the table does not hold them. send: works on the tiles that `recall` does not hold.
    """
    ids = required_column(parcels, "parcel_id").combine_chunks()
    drawn = drawn or Drawn.of_column(required_column(parcels, "geometry"))
    bounds = boxes_of(drawn, workers)
    usable = (
        np.isfinite(bounds).all(1)
        & (np.abs(bounds[:, [0, 2]]) <= 180).all(1)
        & (np.abs(bounds[:, [1, 3]]) <= 90).all(1)
    )
    lost = np.flatnonzero(~usable)
    _, unplaced = outlines(drawn.take(lost), _names(ids, lost))
    problems = [_at_row(p, lost) for p in unplaced]

    def one(cut: tuple[int, Region, Ints]) -> tuple[T, list[Problem]]:
        *place, rows = cut
        here = near.take(rows)
        if recall is None:
            tile, found = _load(*cut, ids, here, bounds)
            return work(tile), found
        key = recall.key(tuple(place), rows, ids.take(pa.array(rows)), here)
        held = recall.get(key, rows)
        if held is None:
            tile, found = _load(*cut, ids, here, bounds)
            held = work(tile), found
            recall.put(key, rows, *held)
        return held

    cuts = list(_cuts(bounds, np.flatnonzero(usable), halo_m / DEGREE_M, tile_parcels))
    near = drawn.near([rows for *_, rows in cuts])
    if recall is not None and send is not None:
        _learn(recall, send, cuts, ids, near, bounds)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        results = list(pool.map(one, cuts))
    return [r for r, _ in results], problems + [p for _, ps in results for p in ps]


def _learn(
    recall: Recall[T],
    send: Send,
    cuts: list[tuple[int, Region, Ints]],
    ids: pa.Array,
    near: Drawn,
    bounds: Floats,
) -> None:
    """Has the tiles that `recall` lacks worked on elsewhere, and keeps what comes back."""
    keys = []

    def lacking() -> Iterator[Sent]:
        for zone, region, rows in cuts:
            wkb = near.take(rows)
            key = recall.key((zone, region), rows, ids.take(pa.array(rows)), wkb)
            if recall.memory.get(key) is None:
                keys.append(key)
                yield Sent(zone, region, rows, wkb, box_of(bounds[rows]))

    for number, tables in enumerate(send(lacking())):
        recall.memory.put(keys[number], tables)


def _load(
    zone: int, region: Region, rows: Ints, ids: pa.Array, wkb: pa.Array, bounds: Floats
) -> tuple[Tile, list[Problem]]:
    """The tile of some rows, without those that cannot be used, and what was wrong with the rows it answers for."""
    points, measures = _in_plane(wkb, zone)
    doubtful = np.flatnonzero(~measures.sure)
    shapes, found = outlines(wkb.take(pa.array(doubtful)), _names(ids, rows[doubtful]))
    kept = np.ones(len(rows), bool)
    kept[doubtful] = ~shapely.is_missing(shapes)
    changed = np.zeros(len(rows), bool)
    changed[[doubtful[p.row - 1] for p in found if p.row is not None]] = True
    changed[doubtful] |= ~points.known[doubtful]
    if changed.any():
        mended = pa.array(shapely.to_wkb(shapes[changed[doubtful]]), wkb.type)
        wkb = pc.replace_with_mask(wkb, pa.array(changed), mended).filter(pa.array(kept))
        points, measures = _in_plane(wkb, zone)
    mine = inside(region, *bounds[rows, :2].T)
    problems = [_at_row(p, rows[doubtful]) for p in found if p.row is not None and mine[doubtful[p.row - 1]]]
    return Tile(zone, region, rows[kept], bounds[rows[kept]], wkb, points, measures), problems


def _in_plane(wkb: pa.Array, zone: int) -> tuple[Outlines, Measures]:
    given = read_outlines(wkb)
    east, north = points_to_plane(given.x, given.y, zone)
    planar = given._replace(x=east, y=north)
    return planar, measure(planar)


def _names(ids: pa.Array, rows: Ints) -> list[str]:
    return [str(i) for i in ids.take(pa.array(rows, pa.int64())).to_pylist()]


def _at_row(problem: Problem, rows: Ints) -> Problem:
    """The problem told by the row of the whole table instead of the row of a piece of it."""
    return replace(problem, row=int(rows[problem.row - 1]) + 1) if problem.row is not None else problem


def boxes_of(drawn: Drawn, workers: int = 1) -> Floats:
    """Boxes of outlines [degrees], NaN where there is none."""
    with ThreadPoolExecutor(max_workers=workers) as pool:
        found = pool.map(lambda number: _boxes(drawn.read(number)), range(len(drawn.ends)))
        return np.concatenate([np.empty((0, 4)), *found])


def _boxes(wkb: pa.Array) -> Floats:
    given = read_outlines(wkb)
    found = boxes(given)
    other = np.flatnonzero(~given.known)
    if len(other):
        found[other] = shapely.bounds(read_shapes(wkb.take(pa.array(other)))[0])
    return found


def _cuts(bounds: Floats, rows: Ints, halo: float, tile_parcels: int) -> Iterator[tuple[int, Region, Ints]]:
    """Tiles (zone, region, rows): strips of one zone, halved on fixed lines until small enough."""
    if not len(rows):
        return
    first, last = zone_of(bounds[rows, 0].min() - halo), zone_of(bounds[rows, 2].max() + halo)
    south, north = bounds[rows, 1].min() - halo, bounds[rows, 3].max() + halo
    for zone in range(first, last + 1):
        west = ZONE_DEGREES * zone - ZONE_DEGREES / 2
        low = np.floor(south / _ROOT_DEGREES) * _ROOT_DEGREES
        while low < north:
            region = (west, low, west + ZONE_DEGREES, low + _ROOT_DEGREES)
            for box, members in _halved(
                region, bounds, _touching(region, bounds, rows, halo), halo, tile_parcels
            ):
                yield zone, box, members
            low += _ROOT_DEGREES


def _halved(
    region: Region, bounds: Floats, rows: Ints, halo: float, tile_parcels: int
) -> Iterator[tuple[Region, Ints]]:
    west, south, east, north = region
    if not len(rows):
        return
    if len(rows) <= tile_parcels or max(east - west, north - south) <= _MIN_TILE_DEGREES:
        yield region, rows
        return
    if east - west >= north - south:
        middle = (west + east) / 2
        halves = ((west, south, middle, north), (middle, south, east, north))
    else:
        middle = (south + north) / 2
        halves = ((west, south, east, middle), (west, middle, east, north))
    for half in halves:
        yield from _halved(half, bounds, _touching(half, bounds, rows, halo), halo, tile_parcels)


def _touching(region: Region, bounds: Floats, rows: Ints, halo: float) -> Ints:
    west, south, east, north = region
    box = bounds[rows]
    hit = (
        (box[:, 0] <= east + halo)
        & (box[:, 2] >= west - halo)
        & (box[:, 1] <= north + halo)
        & (box[:, 3] >= south - halo)
    )
    touching: Ints = rows[hit]
    return touching
