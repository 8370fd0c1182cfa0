"""How much of each parcel lies under a layer: area on the ground and share of the outline.

    prepared = prepare_layer(farmland, kind="permanent_farmland")     # once per version of the layer;
    can be saved result = overlay(parcels, prepared) result.areas      # parcel_id, layer, area_m2,
    share: a row for each parcel the layer touches

Overlapping polygons of one layer count once. Areas are those of the ellipsoid: outlines in degrees are
laid out in a cylindrical equal-area plane (CGCS2000), where each edge is taken as straight. Against
edges straight in a Gauss–Krüger plane that moves an edge of 100 m by under 0.2 mm. Outlines already in
a projected CRS are measured in its own plane.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyproj
import shapely

from panhuo.core.problems import PanhuoError, Problem
from panhuo.inventory.equal_area import to_equal_area
from panhuo.inventory.geometry import outlines, required_column
from panhuo.inventory.overlay_grid import Grid, build_grid
from panhuo.inventory.overlay_layer import layer_polygons
from panhuo.inventory.overlay_measure import shared_and_own
from panhuo.inventory.overlay_vertices import Bools, Floats, Vertices, read_vertices
from panhuo.inventory.spec import problem

GEODETIC: Final = "EPSG:4490"
SLIVER_M2: Final = 1.0
"""Shared areas below this are taken for differences of drawing, not of land: left out and counted."""
NOISE_M2: Final = 1e-5
"""Shared areas below this are rounding: left out and not counted."""
LON_MOST: Final = 180.0
LAT_MOST: Final = 90.0
CHUNK: Final = 8_000
"""Parcels worked on at once by a thread."""

AREAS: Final = pa.schema(
    [("parcel_id", pa.string()), ("layer", pa.string()), ("area_m2", pa.float64()), ("share", pa.float64())]
)


@dataclass(frozen=True, slots=True)
class PreparedLayer:
    """A layer ready to be laid over parcels: its kind, the CRS of its outlines, its grid, and what was
    mended."""

    kind: str
    crs: str
    grid: Grid
    problems: tuple[Problem, ...] = ()

    def save(self, path: Path) -> None:
        """Writes the grid to `path` (.npz); the workspace keys the file by the layer's hash."""
        self.grid.save(path)

    @classmethod
    def load(cls, path: Path, kind: str, crs: str = GEODETIC) -> "PreparedLayer":
        """The layer that `save` wrote; its problems were reported when it was prepared."""
        return cls(kind, crs, Grid.load(path))


@dataclass(frozen=True, slots=True)
class OverlayResult:
    """areas: parcel_id, layer, area_m2, share, for each parcel with more than a sliver under the layer,
    in the order of the parcels; area_m2 and share are null where a parcel has no outline, since nobody
    knows.

    slivers: how many parcels share less than the tolerance with the layer (and so have no row).
    """

    areas: pa.Table
    problems: tuple[Problem, ...]
    slivers: int


def prepare_layer(layer: pa.Table, kind: str, *, crs: str = GEODETIC) -> PreparedLayer:
    """Cuts a layer (`geometry`: WKB polygons in `crs`) into the cells of a grid; invalid polygons are mended,
    overlapping ones merged. Raises PanhuoError when the table has no geometry column."""
    vertices, problems = _layer_vertices(required_column(layer, "geometry"), kind, crs)
    return PreparedLayer(kind, crs, build_grid(vertices), tuple(problems))


def _layer_vertices(wkb: pa.ChunkedArray, kind: str, crs: str) -> tuple[Vertices, list[Problem]]:
    polygons, problems = layer_polygons(wkb, kind, to_equal_area if _in_degrees(crs) else None)
    return read_vertices(pa.array(shapely.to_wkb(polygons), pa.large_binary())), problems


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
    batches = [parcels] if isinstance(parcels, pa.Table) else parcels
    parts: list[pa.Table] = [AREAS.empty_table()]
    problems: list[Problem] = list(layer.problems)
    slivers = row = 0
    for ids, wkb, (shared, own) in _measured(batches, layer, threads):
        kept = np.flatnonzero(np.isnan(own) | (shared >= sliver_m2))
        parts.append(_area_rows(ids.take(pa.array(kept)), layer.kind, shared[kept], own[kept]))
        slivers += int(np.count_nonzero((shared > NOISE_M2) & (shared < sliver_m2)))
        problems += _without_outline(ids, wkb, np.isnan(own), row, layer.crs)
        row += len(ids)
    return OverlayResult(pa.concat_tables(parts), tuple(problems), slivers)


def _measured(
    batches: Iterable[pa.Table | pa.RecordBatch], layer: PreparedLayer, threads: int
) -> Iterator[tuple[pa.ChunkedArray, pa.ChunkedArray, tuple[Floats, Floats]]]:
    """(ids, outlines, (shared, own)) of the parcels, chunk by chunk, in order; few chunks wait at a time."""
    running: deque[tuple[pa.ChunkedArray, pa.ChunkedArray, Future[tuple[Floats, Floats]]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for ids, wkb in _chunks(batches):
            running.append((ids, wkb, pool.submit(_measure, wkb, layer)))
            if len(running) > 2 * threads:
                yield _finished(*running.popleft())
        for chunk in running:
            yield _finished(*chunk)


def _finished(
    ids: pa.ChunkedArray, wkb: pa.ChunkedArray, result: Future[tuple[Floats, Floats]]
) -> tuple[pa.ChunkedArray, pa.ChunkedArray, tuple[Floats, Floats]]:
    return ids, wkb, result.result()


def _chunks(
    batches: Iterable[pa.Table | pa.RecordBatch],
) -> Iterator[tuple[pa.ChunkedArray, pa.ChunkedArray]]:
    for batch in batches:
        ids, outlines = required_column(batch, "parcel_id"), required_column(batch, "geometry")
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
    ids: pa.ChunkedArray, wkb: pa.ChunkedArray, unknown: Bools, before: int, crs: str
) -> Iterator[Problem]:
    """Why each parcel whose area is unknown has no outline to measure."""
    rows = np.flatnonzero(unknown)
    names = [str(i) for i in ids.take(pa.array(rows)).to_pylist()]
    _, found = outlines(wkb.take(pa.array(rows)), names, degrees=_in_degrees(crs))
    why = {p.row: p.type for p in found}
    for number, (row, name) in enumerate(zip(rows, names, strict=True), 1):
        kind = why.get(number, "geometry_not_polygon")
        action = "kept: 面积未知 area unknown"
        yield problem(kind, row=before + int(row) + 1, field="geometry", value=name, action=action)


def ground_areas(wkb: pa.ChunkedArray, crs: str = GEODETIC) -> Floats:
    """Area of each outline on the ground [m²], NaN where there is no polygon: the very area `overlay`
    shares out."""
    parts = [
        np.abs(_in_plane(read_vertices(wkb.slice(at, CHUNK)), crs).area()) for at in range(0, len(wkb), CHUNK)
    ]
    return np.concatenate([np.empty(0), *parts])


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


def _in_plane(outlines: Vertices, crs: str) -> Vertices:
    """The outlines in metres. Where degrees are due, an outline of other numbers is none: its area is unknown."""
    if not _in_degrees(crs):
        return outlines
    off = ~((np.abs(outlines.x) <= LON_MOST) & (np.abs(outlines.y) <= LAT_MOST))
    if off.any():
        known = outlines.known.copy()
        known[np.repeat(np.arange(len(outlines)), np.diff(outlines.start))[off]] = False
        x, y = np.where(off, 0.0, outlines.x), np.where(off, 0.0, outlines.y)
        outlines = replace(outlines, x=x, y=y, known=known)
    x, y = to_equal_area(outlines.x, outlines.y)
    return replace(outlines, x=x, y=y)


def _measure(wkb: pa.ChunkedArray, layer: PreparedLayer) -> tuple[Floats, Floats]:
    return shared_and_own(_in_plane(read_vertices(wkb), layer.crs), layer.grid)
