"""What the land itself says of each parcel: its shape, its neighbours, what overlaps it, what it lies under.

One row per parcel, the dataset `spatial`. A fact whose source is not there (no road layer, no slope grid, a
neighbour nobody has looked at) is NULL: unknown, not zero.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from panhuo.core.problems import PanhuoError, Problem
from panhuo.inventory.conflicts import (
    CONFLICTS_SCHEMA,
    SLIVER_M2,
    Heights,
    Limits,
    Paper,
    conflict_table,
    is_sliver,
    tile_conflicts,
)
from panhuo.inventory.drawn import Drawn
from panhuo.inventory.elsewhere import Run, Tables
from panhuo.inventory.fabric import weave
from panhuo.inventory.geometry import (
    DEGREE_M,
    Bools,
    Floats,
    Geometries,
    Ints,
    column_or_nulls,
    floats,
    layer_shapes,
    required_column,
    to_plane,
)
from panhuo.inventory.neighbour_facts import neighbour_columns
from panhuo.inventory.neighbours import ADJOIN_TOLERANCE_M, shared_edges
from panhuo.inventory.overlaps import overlaps
from panhuo.inventory.overlay import GEODETIC, OverlayResult, PreparedLayer, overlays, prepare_layer
from panhuo.inventory.recall import Memory, Recall, code, content, entry
from panhuo.inventory.row_pairs import Pairs
from panhuo.inventory.spec import problem
from panhuo.inventory.tiling import Sent, Tile, box_of, map_tiles, received

ROADS: Final = "roads"
KEPT: Final = ("problems", "own", "beside", "over", "conflicts")
"""The tables that are kept of a tile."""
ACCESS_M: Final = 5.0
"""A parcel this near a road polygon or line opens on it: half a verge and the error of both outlines."""


@dataclass(frozen=True, slots=True)
class Survey:
    """facts: the dataset `spatial`, one row per parcel in table order; conflicts: rows of CONFLICTS_SCHEMA;
    problems: what was wrong with the outlines."""

    facts: pa.Table
    conflicts: pa.Table
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class _Found:
    """What one tile says: of its own rows, and of the pairs it answers for."""

    rows: Ints
    area: Floats
    perimeter: Floats
    access: Bools
    beside: tuple[Ints, Ints, Floats]
    over: tuple[Ints, Ints, Floats]
    conflicts: list[pa.Table]

    def tables(self, rows: Ints) -> list[pa.Table]:
        """The same as tables that speak of positions among `rows`, the tile's."""
        own = {
            "at": _at(rows, self.rows),
            "area": self.area,
            "perimeter": self.perimeter,
            "access": self.access,
        }
        pairs = [
            pa.table({"a": _at(rows, a), "b": _at(rows, b), "value": value})
            for a, b, value in (self.beside, self.over)
        ]
        return [pa.table(own), *pairs, pa.concat_tables([CONFLICTS_SCHEMA.empty_table(), *self.conflicts])]

    @classmethod
    def of_tables(cls, tables: list[pa.Table], rows: Ints) -> "_Found":
        """What `tables` gave, of a tile of these rows."""
        own, beside, over, conflicts = tables
        pairs = [
            (rows[t["a"].to_numpy()], rows[t["b"].to_numpy()], t["value"].to_numpy()) for t in (beside, over)
        ]
        area, perimeter = own["area"].to_numpy(), own["perimeter"].to_numpy()
        access = own["access"].to_numpy()
        return cls(rows[own["at"].to_numpy()], area, perimeter, access, pairs[0], pairs[1], [conflicts])


def spatial_facts(
    parcels: pa.Table,
    layers: Mapping[str, pa.Table | PreparedLayer],
    *,
    contracts: pa.Table | None = None,
    occupancies: pa.Table | None = None,
    slopes: pa.Table | None = None,
    boundary_min_m: float = 0.0,
    sliver_m2: float = SLIVER_M2,
    access_m: float = ACCESS_M,
    workers: int = 2,
) -> tuple[pa.Table, list[Problem]]:
    """The dataset `spatial` alone, and what was wrong with the outlines: see `survey`."""
    found = survey(
        parcels,
        layers,
        contracts=contracts,
        occupancies=occupancies,
        slopes=slopes,
        boundary_min_m=boundary_min_m,
        limits=Limits(sliver_m2),
        access_m=access_m,
        workers=workers,
    )
    return found.facts, found.problems


def survey(
    parcels: pa.Table,
    layers: Mapping[str, pa.Table | PreparedLayer],
    *,
    contracts: pa.Table | None = None,
    occupancies: pa.Table | None = None,
    slopes: pa.Table | None = None,
    boundary_min_m: float = 0.0,
    limits: Limits = Limits(),  # noqa: B008 - it holds only numbers and is frozen
    access_m: float = ACCESS_M,
    workers: int = 2,
    memory: Memory | None = None,
    drawn: Drawn | None = None,
    run: Run | None = None,
) -> Survey:
    """Spatial facts and conflicts of the parcels.

    parcels: `parcel_id`, `geometry` (WKB, EPSG:4490; `drawn` where the table does not hold it) and if known `z_min_m`,
    `z_max_m`, `use_state`, `floor_area_m2`, `site_id`, `holder`, `holder_uscc`, and for conflicts `area_m2`,
    `certificate_no`; layers: kind → polygons (prepared or not; `roads` lines too), each asked for when its turn comes;
    contracts: `parcel_id`, `work_state`; slopes: of `terrain.slope_facts`; boundary_min_m: neighbours share at least so
    much boundary [m]; memory: where what was found on a tile and under the layers is kept, to be found again as long
    as nothing there has changed; run: works on the tiles that the memory does not hold, and lays the layers over.
    """
    drawn = drawn or Drawn.of_column(required_column(parcels, "geometry"))
    roads, road_problems = _road_lines(layers.get(ROADS))
    paper = Paper(parcels)

    def work(tile: Tile) -> _Found:
        return _look(paper, tile, roads, limits, access_m)

    recall = None
    if memory is not None:
        about = repr((limits, access_m)).encode() + content(layers.get(ROADS))
        numbers = np.stack([floats(parcels, name) for name in ("z_min_m", "z_max_m", "area_m2")], axis=1)
        recall = Recall(memory, about, numbers, _Found.tables, _Found.of_tables)
    halo_m = max(1.0, limits.gap_width_m)
    send = None if run is None else partial(_sent, run, look_at_tile(limits, access_m), parcels, roads)
    found, problems = map_tiles(
        parcels, work, halo_m=halo_m, workers=workers, recall=recall, drawn=drawn, send=send
    )
    shape, area = _shape_columns(parcels.num_rows, found, roads is not None)
    beside = Pairs([part.beside for part in found], parcels.num_rows, boundary_min_m)
    columns = {"parcel_id": paper.ids, **shape}
    columns |= neighbour_columns(parcels, beside, area, contracts, occupancies)
    columns |= _conflict_columns(parcels.num_rows, found, paper.heights)
    clashes = conflict_table(parcels, [part.conflicts for part in found])
    del found, beside, recall  # a province's layers need the room
    table = pa.table(columns)
    ready = {kind: _ready(kind, layers, memory) for kind in layers if kind != ROADS}
    over = [ready.pop(kind) for kind in sorted(ready)]
    results = overlays(_batches(paper.ids, drawn), over, threads=workers, memory=memory, run=run)
    del over
    for laid in results:
        table = _with_layer(table, laid)
        problems += _layer_problems(laid)
    return Survey(_with_slopes(table, slopes), clashes, [*problems, *road_problems])


def _batches(ids: pa.Array, drawn: Drawn) -> Iterator[pa.RecordBatch]:
    """Ids and outlines of all parcels, a piece at a time."""
    begin = 0
    for piece in drawn:
        columns = [ids.slice(begin, len(piece)), piece]
        yield pa.RecordBatch.from_arrays(columns, ["parcel_id", "geometry"])
        begin += len(piece)


@dataclass(frozen=True, slots=True)
class look_at_tile:  # noqa: N801 - used as the function it stands for; a class so that every engine can send it
    """What one tile says, as a stage: `parcels` and `place` (of `tiling.Sent`) and the `roads` near it in, what is kept
    of the tile out."""

    limits: Limits
    access_m: float

    def __call__(self, tables: Tables) -> Tables:
        """The tables of `recall.entry` by the names in KEPT."""
        tile, problems = received(tables)
        roads = tables.get(ROADS)
        lines = None if roads is None else shapely.from_wkb(roads["geometry"].to_numpy())
        rows = np.arange(tables["parcels"].num_rows)
        found = _look(Paper(tables["parcels"]), tile, lines, self.limits, self.access_m)
        return dict(zip(KEPT, entry(found.tables(rows), rows, problems), strict=True))


def _sent(
    run: Run, stage: look_at_tile, parcels: pa.Table, roads: Geometries | None, tiles: Iterator[Sent]
) -> Iterator[list[pa.Table]]:
    """What `run` finds on each tile."""
    told = ("parcel_id", "area_m2", "z_min_m", "z_max_m")
    ledger = parcels.select([name for name in told if name in parcels.column_names])

    def pieces() -> Iterator[tuple[str, Tables]]:
        for number, tile in enumerate(tiles):
            tables = tile.tables(ledger)
            if roads is not None:
                near = _roads_near(roads, tile.box, stage.access_m)
                tables[ROADS] = pa.table({"geometry": pa.array(shapely.to_wkb(near), pa.binary())})
            yield f"tile {number}", tables

    for found in run(stage, pieces()):
        yield [found[name] for name in KEPT]


def _look(
    paper: Paper,
    tile: Tile,
    roads: Geometries | None,
    limits: Limits,
    access_m: float,
) -> _Found:
    mine = tile.owns()
    fabric = weave(tile.outlines, tile.measures.left)
    a, b, metres = shared_edges(fabric, ADJOIN_TOLERANCE_M)
    beside = tile.owns_pairs(a, b)
    ground = overlaps(tile, fabric)
    c, d, common, shared = ground
    over = tile.owns_pairs(c, d) & ~is_sliver(common, shared, limits.sliver_m2, limits.sliver_width_m)
    over &= ~paper.heights.apart(tile.rows[c], tile.rows[d])
    return _Found(
        tile.rows[mine],
        tile.measures.area[mine],
        tile.measures.perimeter[mine],
        _access(tile, mine, roads, access_m),
        (tile.rows[a[beside]], tile.rows[b[beside]], metres[beside]),
        (tile.rows[c[over]], tile.rows[d[over]], shared[over]),
        tile_conflicts(paper, tile, fabric, ground, limits),
    )


def _road_lines(layer: pa.Table | PreparedLayer | None) -> tuple[Geometries | None, list[Problem]]:
    """The roads as they are drawn, lines or polygons, in EPSG:4490; None without a road layer that can be read."""
    if layer is None:
        return None, []
    if isinstance(layer, PreparedLayer):
        raise PanhuoError(
            "道路图层须为原图 the road layer must be a table", remedy="给出几何列 give its geometry"
        )
    roads, problems = layer_shapes(layer, ROADS)
    return (None if problems and not len(roads) else roads), problems


def _access(tile: Tile, mine: Bools, roads: Geometries | None, access_m: float) -> Bools:
    """Which of the tile's own parcels lie within `access_m` of a road."""
    reached = np.zeros(int(mine.sum()), bool)
    if roads is None or not len(roads) or not len(reached):
        return reached
    near = _roads_near(roads, box_of(tile.bounds[mine]), access_m)
    if len(near):
        tree = shapely.STRtree(to_plane(near, tile.zone))
        hit, _ = tree.query(tile.shapes(np.flatnonzero(mine)), predicate="dwithin", distance=access_m)
        reached[hit] = True
    return reached


def _roads_near(roads: Geometries, box: Floats, access_m: float) -> Geometries:
    """The roads about a box [degrees]."""
    margin = 2 * access_m / DEGREE_M
    about = shapely.box(*(box[:2] - margin), *(box[2:] + margin))
    near: Geometries = roads[shapely.intersects(roads, about)]
    return near


def _shape_columns(count: int, found: list[_Found], has_roads: bool) -> tuple[dict[str, pa.Array], Floats]:
    """The columns of each parcel's shape, and its area [m²]; NaN without an outline."""
    area, perimeter = np.full(count, np.nan), np.full(count, np.nan)
    access = np.zeros(count, bool)
    for part in found:
        area[part.rows], perimeter[part.rows], access[part.rows] = part.area, part.perimeter, part.access
    none = ~np.isfinite(area)
    # The rectangle of the same area and perimeter; a shape rounder than a square has its square's side.
    root = np.sqrt(np.maximum(perimeter**2 - 16 * area, 0))
    width = np.minimum((perimeter - root) / 4, np.sqrt(area))
    columns = {
        "perimeter_m": _column(perimeter, none),
        "compactness": _column(4 * np.pi * area / perimeter**2, none),
        "width_m": _column(width, none),
        "has_road_access": pa.array(access, pa.bool_(), mask=none | (not has_roads)),
    }
    return columns, area


def _conflict_columns(count: int, found: list[_Found], heights: Heights) -> dict[str, pa.Array]:
    """Ground shared with others: where volumes meet, and where a missing height leaves it open."""
    pairs = Pairs([part.over for part in found], count)
    sure = pairs.sum(lambda me, other, area: np.where(heights.unknown(me, other), 0.0, area))
    unsure = pairs.sum(lambda me, other, area: np.where(heights.unknown(me, other), area, 0.0))
    none = np.ones(count, bool)
    for part in found:
        none[part.rows] = False
    return {
        "conflict_m2": _column(sure, none | ((sure == 0) & (unsure > 0))),
        "conflict_unknown_m2": _column(unsure, none),
    }


def _ready(kind: str, layers: Mapping[str, pa.Table | PreparedLayer], memory: Memory | None) -> PreparedLayer:
    """A layer prepared: once for each version of it where there is a memory."""
    layer = layers[kind]
    if isinstance(layer, PreparedLayer):
        return layer
    if memory is None:
        return prepare_layer(layer, kind)
    key = hashlib.blake2b(code() + kind.encode() + content(layer), digest_size=16).hexdigest()
    del layer  # a province's layer needs all the room there is: nothing of it is held twice
    held = memory.get(key)
    if held is not None:
        return PreparedLayer.of_tables(kind, GEODETIC, held, version=key)
    pa.default_memory_pool().release_unused()
    ready = prepare_layer(layers[kind], kind)
    pa.default_memory_pool().release_unused()
    memory.put(key, ready.tables())
    return replace(ready, version=key)


def _with_layer(table: pa.Table, laid: OverlayResult) -> pa.Table:
    """`table` with `<kind>_m2` and `<kind>_share`: 0 off the layer, NULL without an outline."""
    at = pc.index_in(laid.areas["parcel_id"], value_set=table["parcel_id"].combine_chunks())
    rows = at.to_numpy(zero_copy_only=False).astype(np.int64)
    none = pc.is_null(table["perimeter_m"]).to_numpy(zero_copy_only=False)
    for name, column in ((f"{laid.kind}_m2", "area_m2"), (f"{laid.kind}_share", "share")):
        area = laid.areas[column].to_numpy(zero_copy_only=False)
        table = table.append_column(name, _column(_sum(rows, np.nan_to_num(area), table.num_rows), none))
    return table


def _layer_problems(laid: OverlayResult) -> list[Problem]:
    """What was wrong with the layer; what is wrong with the parcels was said before."""
    problems = list(laid.of_layer)
    if laid.slivers:
        action = f"ignored: {laid.slivers} 宗只擦边 parcels only brush it"
        problems.append(problem("layer_sliver", field=laid.kind, action=action))
    return problems


def _with_slopes(table: pa.Table, slopes: pa.Table | None) -> pa.Table:
    names = ("slope_mean_deg", "slope_max_deg", "slope_gentle_share")
    if slopes is None:
        for name in names:
            table = table.append_column(name, pa.nulls(table.num_rows, pa.float64()))
        return table
    at = pc.index_in(table["parcel_id"], value_set=slopes["parcel_id"].combine_chunks().cast(pa.string()))
    for name in names:
        table = table.append_column(
            name, column_or_nulls(slopes, name, pa.float64()).combine_chunks().take(at)
        )
    return table


def _at(rows: Ints, some: Ints) -> pa.Array:
    """The positions of some rows among all of a tile's."""
    return pa.array(np.searchsorted(rows, some), pa.int32())


def _column(values: Floats, none: Bools) -> pa.Array:
    return pa.array(values, pa.float64(), mask=none)


def _sum(rows: Ints, values: Floats, count: int) -> Floats:
    """Sum of `values` by row; float even where there is nothing to sum."""
    return np.bincount(rows, values, count).astype(np.float64)
