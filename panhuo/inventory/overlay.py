"""How much of each parcel lies under a layer: area on the ground and share of the outline.

    prepared = prepare_layer(farmland, kind="permanent_farmland")  # once per version of the layer
    result = overlay(parcels, prepared)
    result.areas  # parcel_id, layer, area_m2, share: a row for each parcel the layer touches

Overlapping polygons of one layer count once. Areas are those of the ellipsoid: outlines in degrees are
laid out in a cylindrical equal-area plane (CGCS2000), where each edge is taken as straight. Against
edges straight in a Gauss–Krüger plane that moves an edge of 100 m by under 0.2 mm. Outlines already in
a projected CRS are measured in its own plane.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyproj
import shapely

from panhuo.core.problems import PanhuoError, Problem, problem_table
from panhuo.inventory.elsewhere import Run, Tables
from panhuo.inventory.equal_area import to_equal_area
from panhuo.inventory.geometry import outlines, required_column
from panhuo.inventory.overlay_grid import Grid, build_grid
from panhuo.inventory.overlay_kernel import shared_areas
from panhuo.inventory.overlay_layer import CHUNK as LAYER_CHUNK
from panhuo.inventory.overlay_layer import layer_polygons
from panhuo.inventory.overlay_rings import Bools, Floats, Outlines, joined, own_areas, read_outlines
from panhuo.inventory.recall import Memory, key_of
from panhuo.inventory.spec import problem

GEODETIC: Final = "EPSG:4490"
SLIVER_M2: Final = 1.0
"""Shared areas below this are taken for differences of drawing, not of land: left out and counted."""
NOISE_M2: Final = 1e-5
"""Shared areas below this are rounding: left out and not counted."""
LON_MOST: Final = 180.0
LAT_MOST: Final = 90.0
CHUNK: Final = 16_384
"""Parcels worked on at once by a thread."""
SENT: Final = 131_072
"""Parcels sent elsewhere at once: enough that the layers, which go with them, are read seldom."""

AREAS: Final = pa.schema(
    [("parcel_id", pa.string()), ("layer", pa.string()), ("area_m2", pa.float64()), ("share", pa.float64())]
)


@dataclass(frozen=True, slots=True)
class PreparedLayer:
    """A layer ready to be laid over parcels: its kind, the CRS of its outlines, its grid, what was mended, and a
    fingerprint of what it was made of (none: nobody took one)."""

    kind: str
    crs: str
    grid: Grid
    problems: tuple[Problem, ...] = ()
    version: str = ""

    def tables(self) -> list[pa.Table]:
        """The layer as tables, to be kept and read again by `of_tables`."""
        return [problem_table(self.problems), *self.grid.tables()]

    @classmethod
    def of_tables(cls, kind: str, crs: str, tables: Sequence[pa.Table], version: str = "") -> "PreparedLayer":
        """The layer that gave `tables`."""
        problems = tuple(Problem(**row) for row in tables[0].to_pylist())
        return cls(kind, crs, Grid.of_tables(tables[1:]), problems, version)


@dataclass(frozen=True, slots=True)
class OverlayResult:
    """kind: of the layer; areas: parcel_id, layer, area_m2, share, for each parcel with more than a sliver under the
    layer, in the order of the parcels; area_m2 and share are null where a parcel has no outline, since nobody knows.

    problems: of the layer and of the parcels; of_layer: the layer's alone; slivers: how many parcels share less than
    the tolerance with the layer (and so have no row).
    """

    kind: str
    areas: pa.Table
    problems: tuple[Problem, ...]
    of_layer: tuple[Problem, ...]
    slivers: int


def prepare_layer(layer: pa.Table, kind: str, *, crs: str = GEODETIC) -> PreparedLayer:
    """Cuts a layer (`geometry`: WKB polygons in `crs`) into the cells of a grid; invalid polygons are mended,
    overlapping ones merged. Raises PanhuoError when the table has no geometry column."""
    outlines, problems = _layer_outlines(required_column(layer, "geometry"), kind, crs)
    del layer  # where nobody else holds it, its bytes make room for the grid
    return PreparedLayer(kind, crs, build_grid(outlines), tuple(problems))


def _layer_outlines(wkb: pa.ChunkedArray, kind: str, crs: str) -> tuple[Outlines, list[Problem]]:
    polygons, problems = layer_polygons(wkb, kind, to_equal_area if _in_degrees(crs) else None)
    parts = []
    for begin in range(0, len(polygons), LAYER_CHUNK):
        part = polygons[begin : begin + LAYER_CHUNK]
        parts.append(read_outlines(pa.array(shapely.to_wkb(part), pa.large_binary())))
        part[:] = None  # a province's layer need not be there twice
    return joined(parts), problems


def overlay(
    parcels: pa.Table | Iterable[pa.RecordBatch],
    layer: PreparedLayer,
    *,
    sliver_m2: float = SLIVER_M2,
    threads: int = 2,
) -> OverlayResult:
    """Area and share of each parcel (`parcel_id`, `geometry`: WKB in the layer's CRS, valid) under `layer`.

    parcels: a table, or batches that are read as they are needed, so that a province need not fit in memory. Parcels
    near one another make it faster; their order is kept.
    """
    return overlays(parcels, [layer], sliver_m2=sliver_m2, threads=threads)[0]


def overlays(
    parcels: pa.Table | Iterable[pa.RecordBatch],
    layers: Sequence[PreparedLayer],
    *,
    sliver_m2: float = SLIVER_M2,
    threads: int = 2,
    memory: Memory | None = None,
    run: Run | None = None,
) -> list[OverlayResult]:
    """What `overlay` gives for each of several layers, with the outlines read once.

    memory: where areas are kept, to be found again for outlines and layers that have not changed (layers with a
    version); run: measures all of them elsewhere. Raises PanhuoError when the layers are not all in one CRS.
    """
    if len({layer.crs for layer in layers}) > 1:
        raise PanhuoError(
            "图层坐标系不一致 the layers are in different CRS",
            where=", ".join(f"{layer.kind}: {layer.crs}" for layer in layers),
            remedy="先统一坐标系 convert them to one",
        )
    batches = [parcels] if isinstance(parcels, pa.Table) else parcels
    parts: list[list[pa.Table]] = [[AREAS.empty_table()] for _ in layers]
    unknown: list[Problem] = []
    slivers = [0] * len(layers)
    row = 0
    found = _measured(batches, layers, threads, memory) if run is None else _sent(batches, layers, run)
    for ids, (shared, own, why) in found if layers else ():
        for n, (layer, area) in enumerate(zip(layers, shared, strict=True)):
            kept = np.flatnonzero(np.isnan(own) | (area >= sliver_m2))
            parts[n].append(_area_rows(ids.take(pa.array(kept)), layer.kind, area[kept], own[kept]))
            slivers[n] += int(np.count_nonzero((area > NOISE_M2) & (area < sliver_m2)))
        unknown += _moved(why, row)
        row += len(ids)
    return [
        OverlayResult(layer.kind, pa.concat_tables(areas), (*layer.problems, *unknown), layer.problems, count)
        for layer, areas, count in zip(layers, parts, slivers, strict=True)
    ]


class Measured(NamedTuple):
    """Areas of some outlines [m²]. shared: with each layer; own: their own; problems: why some have none, by row from
    1."""

    shared: list[Floats]
    own: Floats
    problems: list[Problem]

    def tables(self) -> list[pa.Table]:
        """The same as tables."""
        layers = {f"layer{n}": area for n, area in enumerate(self.shared)}
        return [pa.table({"own": self.own, **layers}), problem_table(self.problems)]

    @classmethod
    def of_tables(cls, areas: pa.Table, problems: pa.Table) -> "Measured":
        """What gave the tables."""
        own, *shared = (column.to_numpy() for column in areas.columns)
        return cls(shared, own, [Problem(**row) for row in problems.to_pylist()])


def _moved(problems: Iterable[Problem], rows: int) -> Iterator[Problem]:
    """The problems of a piece told by the rows of the whole."""
    return (replace(p, row=rows + p.row) for p in problems if p.row is not None)


def _measured(
    batches: Iterable[pa.Table | pa.RecordBatch],
    layers: Sequence[PreparedLayer],
    threads: int,
    memory: Memory | None,
) -> Iterator[tuple[pa.ChunkedArray, Measured]]:
    """Ids and areas of the parcels, chunk by chunk, in order; few chunks wait at a time."""
    running: deque[tuple[pa.ChunkedArray, Future[Measured]]] = deque()
    measure = partial(_measure, crs=layers[0].crs, grids=[layer.grid for layer in layers])
    if memory is not None and all(layer.version for layer in layers):
        about = repr([(layer.crs, layer.version) for layer in layers]).encode()
        measure = partial(_recalled, measure, memory, about)
    with ThreadPoolExecutor(threads) as pool:
        for ids, wkb in _chunks(batches):
            running.append((ids, pool.submit(measure, ids, wkb)))
            if len(running) > 2 * threads:
                yield _finished(*running.popleft())
        for chunk in running:
            yield _finished(*chunk)


def _finished(ids: pa.ChunkedArray, result: Future[Measured]) -> tuple[pa.ChunkedArray, Measured]:
    return ids, result.result()


def _recalled(
    measure: Callable[[pa.ChunkedArray, pa.ChunkedArray], Measured],
    memory: Memory,
    about: bytes,
    ids: pa.ChunkedArray,
    wkb: pa.ChunkedArray,
) -> Measured:
    """What `measure` gives of a chunk, kept by what it rests on: the outlines, their ids and `about`."""
    key = key_of([about], [ids.combine_chunks(), wkb.combine_chunks()])
    held = memory.get(key)
    if held is None:
        held = measure(ids, wkb).tables()
        memory.put(key, held)
    return Measured.of_tables(*held)


@dataclass(frozen=True, slots=True)
class measure_outlines:  # noqa: N801 - used as the function it stands for; a class so that every engine can send it
    """Areas of outlines under some layers of one CRS, as a stage. layers, parts: how many, each in how many tables."""

    crs: str
    layers: int
    parts: int

    def __call__(self, tables: Tables) -> Tables:
        """`areas` (own, layer0, …) and `problems` of `parcels` under the layers `layer0-0`, …"""
        grids = [
            Grid.of_tables([tables[f"layer{n}-{k}"] for k in range(self.parts)]) for n in range(self.layers)
        ]
        areas, problems = [], list[Problem]()
        row = 0
        for ids, wkb in _chunks([tables["parcels"]]):
            found = _measure(ids, wkb, self.crs, grids)
            areas.append(found.tables()[0])
            problems += _moved(found.problems, row)
            row += len(ids)
        return {"areas": pa.concat_tables(areas).combine_chunks(), "problems": problem_table(problems)}


def _sent(
    batches: Iterable[pa.Table | pa.RecordBatch], layers: Sequence[PreparedLayer], run: Run
) -> Iterator[tuple[pa.ChunkedArray, Measured]]:
    """What `_measured` gives, measured by `run`; the layers go with every piece, the same tables each time."""
    grids = [layer.grid.tables() for layer in layers]
    shared = {f"layer{n}-{k}": table for n, grid in enumerate(grids) for k, table in enumerate(grid)}
    named: list[pa.ChunkedArray] = []

    def pieces() -> Iterator[tuple[str, Tables]]:
        for parcels in _gathered(_chunks(batches)):
            named.append(parcels["parcel_id"])
            yield f"outlines {len(named)}", {"parcels": parcels, **shared}

    stage = measure_outlines(layers[0].crs, len(layers), len(grids[0]))
    for number, found in enumerate(run(stage, pieces())):
        yield named[number], Measured.of_tables(found["areas"], found["problems"])


def _gathered(chunks: Iterable[tuple[pa.ChunkedArray, pa.ChunkedArray]]) -> Iterator[pa.Table]:
    """Chunks of outlines put together to `SENT` or more."""
    held: list[pa.Table] = []
    for ids, wkb in chunks:
        held.append(pa.table({"parcel_id": ids, "geometry": wkb}))
        if sum(table.num_rows for table in held) >= SENT:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


def _chunks(
    batches: Iterable[pa.Table | pa.RecordBatch],
) -> Iterator[tuple[pa.ChunkedArray, pa.ChunkedArray]]:
    for batch in batches:
        table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
        ids, outlines = required_column(table, "parcel_id"), required_column(table, "geometry")
        for at in range(0, len(ids), CHUNK):
            yield ids.slice(at, CHUNK), outlines.slice(at, CHUNK)


def _area_rows(ids: pa.ChunkedArray, kind: str, shared: Floats, own: Floats) -> pa.Table:
    columns = [
        ids.cast(pa.string()),
        pa.repeat(pa.scalar(kind), len(ids)),
        pa.array(shared, from_pandas=True),
        pa.array(np.minimum(shared / own, 1.0), from_pandas=True),
    ]
    return pa.table(columns, schema=AREAS)


def _without_outline(
    ids: pa.ChunkedArray, wkb: pa.ChunkedArray, unknown: Bools, crs: str
) -> Iterator[Problem]:
    """Why each parcel whose area is unknown has no outline to measure."""
    rows = np.flatnonzero(unknown)
    names = [str(i) for i in ids.take(pa.array(rows)).to_pylist()]
    _, found = outlines(wkb.take(pa.array(rows)), names, degrees=_in_degrees(crs))
    why = {p.row: p.type for p in found}
    for number, (row, name) in enumerate(zip(rows, names, strict=True), 1):
        kind = why.get(number, "geometry_not_polygon")
        action = "kept: 面积未知 area unknown"
        yield problem(kind, row=int(row) + 1, field="geometry", value=name, action=action)


def ground_areas(wkb: pa.ChunkedArray, crs: str = GEODETIC) -> Floats:
    """Area of each outline on the ground [m²], NaN where there is no polygon: the very area `overlay`
    shares out."""
    chunks = (wkb.slice(at, CHUNK) for at in range(0, len(wkb), CHUNK))
    return np.concatenate(
        [np.empty(0), *(own_areas(_in_plane(read_outlines(chunk), crs)) for chunk in chunks)]
    )


def _in_degrees(crs: str) -> bool:
    """Whether `crs` is EPSG:4490. Raises PanhuoError for other degrees: they lie on another ellipsoid or datum."""
    try:
        other_degrees = crs != GEODETIC and pyproj.CRS.from_user_input(crs).is_geographic
    except pyproj.exceptions.CRSError:
        raise PanhuoError(f"没有这个坐标系 no such CRS: {crs}") from None
    if other_degrees:
        raise PanhuoError(
            f"叠加分析不接受 {crs} overlay does not take {crs}",
            why="经纬度须为 EPSG:4490 degrees must be EPSG:4490",
            remedy="先转换到 EPSG:4490 或投影坐标系 convert first",
        )
    return crs == GEODETIC


def _in_plane(outlines: Outlines, crs: str) -> Outlines:
    """The outlines in metres. Where degrees are due, an outline of other numbers is none: its area is unknown."""
    if not _in_degrees(crs):
        return outlines
    beyond = ~((np.abs(outlines.x) <= LON_MOST) & (np.abs(outlines.y) <= LAT_MOST))
    known = outlines.known
    if beyond.any():
        known = known.copy()
        ring = np.searchsorted(outlines.start, np.flatnonzero(beyond), side="right") - 1
        known[outlines.outline[ring]] = False
    x, y = to_equal_area(np.where(beyond, 0.0, outlines.x), np.where(beyond, 0.0, outlines.y))
    return outlines._replace(x=x, y=y, known=known)


def _measure(ids: pa.ChunkedArray, wkb: pa.ChunkedArray, crs: str, grids: list[Grid]) -> Measured:
    outlines = _in_plane(read_outlines(wkb), crs)
    own = own_areas(outlines)
    # Rounding may pass the ends by a hair.
    shared = [np.clip(shared_areas(outlines, grid), 0.0, own) for grid in grids]
    return Measured(shared, own, list(_without_outline(ids, wkb, np.isnan(own), crs)))
