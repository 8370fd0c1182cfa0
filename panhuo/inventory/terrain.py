"""Slope and aspect of parcels from an elevation grid, measured on the ground.

A grid in web Mercator or degrees has cells that are not metres on the ground: the cell of EPSG:3857 at 38° N
is a fifth shorter than it says, and a slope taken from the nominal cell is too gentle by as much. Every row's
cell is therefore measured on the ellipsoid first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyproj
import rasterio
import shapely
from exactextract import exact_extract
from exactextract.feature import FeatureSource, JSONFeature
from exactextract.raster import NumPyRasterSource

from panhuo.core.problems import PanhuoError, Problem
from panhuo.inventory.geometry import Floats, Geometries, Ints, outlines, required_column, text_column
from panhuo.inventory.spec import problem

COVER_MIN: Final = 0.95
"""A parcel with less of its ground on the grid has no slope: the rest would be guessed."""
ASPECTS: Final = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
FLAT: Final = "flat"

SLOPES_SCHEMA: Final = pa.schema(
    [
        ("parcel_id", pa.string()),
        ("slope_mean_deg", pa.float64()),
        ("slope_max_deg", pa.float64()),
        ("slope_gentle_share", pa.float64()),
        ("slope_class_shares", pa.list_(pa.float64())),
        ("aspect_main", pa.string()),
        ("aspect_share", pa.float64()),
        ("z_low_m", pa.float64()),
        ("z_mean_m", pa.float64()),
        ("z_high_m", pa.float64()),
        ("dem_share", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Dem:
    """An elevation grid, north up. z: heights [m], NaN unknown; west, north: corner; dx, dy: cell, all in
    the units of `crs`; ground_dx, ground_dy: the cell on the ground by row [m]."""

    z: Floats
    west: float
    north: float
    dx: float
    dy: float
    crs: pyproj.CRS
    ground_dx: Floats
    ground_dy: Floats


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells a parcel covers: centres in the grid's CRS, place in it, share and ground covered [m²] of
    each; cover: the share of the parcel that lies on cells of known height."""

    x: Floats
    y: Floats
    row: Ints
    column: Ints
    share: Floats
    area_m2: Floats
    cover: float


def dem(z: Floats, corner: tuple[float, float], cell: tuple[float, float], crs: pyproj.CRS) -> Dem:
    """A grid with its ground cell measured. corner: west, north; cell: width, height (both positive)."""
    (west, north), (dx, dy) = corner, cell
    rows = np.arange(z.shape[0])
    middle_x, middle_y = west + dx * z.shape[1] / 2, north - dy * (rows + 0.5)
    to_degrees = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    lon0, lat0 = to_degrees.transform(np.full(len(rows), middle_x), middle_y)
    lon1, lat1 = to_degrees.transform(np.full(len(rows), middle_x + dx), middle_y)
    lon2, lat2 = to_degrees.transform(np.full(len(rows), middle_x), middle_y - dy)
    geod = pyproj.Geod(ellps="GRS80")
    return Dem(
        z,
        west,
        north,
        dx,
        dy,
        crs,
        np.asarray(geod.inv(lon0, lat0, lon1, lat1)[2]),
        np.asarray(geod.inv(lon0, lat0, lon2, lat2)[2]),
    )


def read_dem(path: Path, crs: str | None = None) -> Dem:
    """The first band of a raster file. One without a CRS is refused unless `crs` ("EPSG:n") gives it."""
    with open_dem(path, crs) as source:
        return source.read()


@dataclass(frozen=True, slots=True)
class DemFile:
    """An open elevation file that says where it lies, north up. Made by `open_dem`."""

    source: Any
    crs: pyproj.CRS

    def read(self, rows: tuple[int, int] | None = None, columns: tuple[int, int] | None = None) -> Dem:
        """The grid, or the part of it in half-open ranges of rows and columns."""
        turn, (height, width) = self.source.transform, self.source.shape
        (top, bottom), (left, right) = rows or (0, height), columns or (0, width)
        band = self.source.read(1, masked=True, window=((top, bottom), (left, right)))
        corner = (turn.c + left * turn.a, turn.f + top * turn.e)
        return dem(band.astype(np.float64).filled(np.nan), corner, (turn.a, -turn.e), self.crs)


@contextmanager
def open_dem(path: Path, crs: str | None = None) -> Iterator[DemFile]:
    """The elevation grid in a raster file. Raises PanhuoError for one that cannot be read, does not say its CRS (unless
    `crs`, "EPSG:n", does), is not north up, or holds several bands, as a picture does."""
    try:
        with rasterio.open(path) as source:
            yield DemFile(source, _crs_of(path, source, crs))
    except rasterio.errors.RasterioError as error:
        raise PanhuoError(
            "高程文件读不开 cannot read the elevation file",
            where=str(path),
            why=str(error),
            remedy="应为 GeoTIFF 等栅格 give a raster",
        ) from None


def _crs_of(path: Path, source: Any, crs: str | None) -> pyproj.CRS:
    """Where the grid lies, once it is known to be one of heights."""
    turn = source.transform
    if source.crs is None and crs is None:
        raise PanhuoError(
            "高程文件没有坐标系 the elevation file does not say its CRS",
            where=str(path),
            remedy="用 --crs 指明，如 EPSG:4547 name it with --crs, for example EPSG:4547",
        )
    if source.count != 1:
        raise PanhuoError(
            "不是高程网格 not an elevation grid",
            where=str(path),
            why=f"{source.count} 个波段 bands",
            remedy="给出单波段的高程 give a single band of heights",
        )
    if turn.b or turn.d or turn.e > 0:
        raise PanhuoError(
            "高程网格不是正北向上 the grid is not north up", where=str(path), remedy="先重采样 warp it first"
        )
    try:
        return pyproj.CRS.from_user_input(crs or source.crs.to_wkt())
    except pyproj.exceptions.CRSError:
        raise PanhuoError(
            f"没有这个坐标系 no such CRS: {crs}", where=str(path), remedy="写成 EPSG:4547 write it so"
        ) from None


def slope_aspect(grid: Dem) -> tuple[Floats, Floats]:
    """Slope [degrees] and aspect [degrees from north clockwise, the way downhill; NaN on the level] by cell.

    Horn's weighted differences over the eight neighbours; beyond the rim the ground is continued straight;
    unknown where a neighbour is.
    """
    if min(grid.z.shape) < 3:
        raise PanhuoError(
            "高程网格太小 the grid is too small", why=f"{grid.z.shape}", remedy="至少 3×3 at least 3 by 3"
        )
    z = np.pad(grid.z, 1, mode="reflect", reflect_type="odd")
    west, east = z[:, :-2], z[:, 2:]
    across = (east[:-2] + 2 * east[1:-1] + east[2:]) - (west[:-2] + 2 * west[1:-1] + west[2:])
    north, south = z[:-2], z[2:]
    up = (north[:, :-2] + 2 * north[:, 1:-1] + north[:, 2:]) - (
        south[:, :-2] + 2 * south[:, 1:-1] + south[:, 2:]
    )
    gx, gy = across / (8 * grid.ground_dx[:, None]), up / (8 * grid.ground_dy[:, None])
    steep = np.hypot(gx, gy)
    aspect = np.degrees(np.arctan2(-gx, -gy)) % 360
    return np.degrees(np.arctan(steep)), np.where(steep > 0, aspect, np.nan)


def slope_facts(
    parcels: pa.Table, grid: Dem, class_bounds_deg: list[float], gentle_deg: tuple[float, float]
) -> tuple[pa.Table, list[Problem]]:
    """Slope, aspect and height of each parcel (SLOPES_SCHEMA), weighted by the ground in each cell.

    class_bounds_deg: upper bounds of the slope classes (the last class is open); gentle_deg: the slopes that
    count as gentle hill, from and to, both included. A parcel not wholly on the grid has NULLs and a problem.
    """
    ids = text_column(parcels, "parcel_id")
    shapes, problems = outlines(required_column(parcels, "geometry"), ids)
    slope, aspect = slope_aspect(grid)
    rows: list[dict[str, Any]] = []
    for parcel, cells in zip(ids, cells_of(shapes, grid), strict=True):
        row: dict[str, Any] = {"parcel_id": parcel, "dem_share": cells.cover if cells is not None else None}
        if cells is not None and cells.cover >= COVER_MIN:
            row |= _one((slope, aspect, grid.z), cells, class_bounds_deg, gentle_deg)
        elif cells is not None:
            action = f"unknown: 高程仅覆盖 {cells.cover:.0%} only that much is on the grid"
            problems.append(
                problem("dem_partial", row=len(rows) + 1, field="geometry", value=parcel, action=action)
            )
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=SLOPES_SCHEMA), problems


class _Outline(JSONFeature):  # type: ignore[misc]
    """A feature that is handed over as WKB: written and read several times faster than as JSON text."""

    def __init__(self, wkb: bytes) -> None:
        super().__init__()
        self.wkb = wkb

    def geometry(self) -> bytes:
        return self.wkb


class _Outlines(FeatureSource):  # type: ignore[misc]
    def __init__(self, wkb: Geometries) -> None:
        super().__init__()
        self.wkb = wkb

    def count(self) -> int:
        return len(self.wkb)

    def __iter__(self) -> Iterator[_Outline]:
        return map(_Outline, self.wkb)

    def srs_wkt(self) -> None:
        return None


def cells_of(shapes: Geometries, grid: Dem) -> list[Cells | None]:
    """The cells with a known height that each outline (EPSG:4490) covers; None for a missing outline."""
    move = pyproj.Transformer.from_crs(grid.crs.geodetic_crs, grid.crs, always_xy=True)
    moved = shapely.transform(shapes, move.transform, interleaved=False)
    known = [i for i, shape in enumerate(moved) if shape is not None]
    height, width = grid.z.shape
    box = (grid.west, grid.north - grid.dy * height, grid.west + grid.dx * width, grid.north)
    raster = NumPyRasterSource(grid.z, *box)
    found: list[Cells | None] = [None] * len(shapes)
    wanted = ["coverage", "center_x", "center_y"]
    for i, feature in zip(
        known, exact_extract(raster, _Outlines(shapely.to_wkb(moved[known])), wanted), strict=True
    ):
        found[i] = _cells(grid, feature["properties"], float(shapely.area(moved[i])))
    return found


def _cells(grid: Dem, found: dict[str, Any], whole: float) -> Cells:
    x, y, share = (np.asarray(found[k], float) for k in ("center_x", "center_y", "coverage"))
    row = np.floor((grid.north - y) / grid.dy).astype(np.int64)
    column = np.floor((x - grid.west) / grid.dx).astype(np.int64)
    known = np.isfinite(grid.z[row, column])
    x, y, share, row, column = x[known], y[known], share[known], row[known], column[known]
    cover = float(share.sum() * grid.dx * grid.dy / whole) if whole > 0 else 0.0
    return Cells(x, y, row, column, share, share * grid.ground_dx[row] * grid.ground_dy[row], min(cover, 1.0))


def _one(
    grids: tuple[Floats, Floats, Floats], cells: Cells, bounds: list[float], gentle: tuple[float, float]
) -> dict[str, Any]:
    s, a, z = (values[cells.row, cells.column] for values in grids)
    known = np.isfinite(s)
    s, a, weight = s[known], a[known], cells.area_m2[known] / cells.area_m2[known].sum()
    # A cell that only brushes the parcel is the neighbour's ground when it comes to the steepest.
    own = cells.share[known] >= min(0.5, float(cells.share[known].max()))
    shares = np.bincount(np.searchsorted(bounds, s, side="left"), weight, len(bounds) + 1)
    eighth = np.floor((a + 22.5) / 45) % 8
    by_aspect = np.bincount(np.where(np.isnan(a), 8, eighth).astype(np.int64), weight, 9)
    main = int(by_aspect.argmax())
    return {
        "slope_mean_deg": float((s * weight).sum()),
        "slope_max_deg": float(s[own].max()),
        "slope_gentle_share": float(weight[(s >= gentle[0]) & (s <= gentle[1])].sum()),
        "slope_class_shares": shares.tolist(),
        "aspect_main": (*ASPECTS, FLAT)[main],
        "aspect_share": float(by_aspect[main]),
        "z_low_m": float(z.min()),
        "z_mean_m": float(np.average(z, weights=cells.area_m2)),
        "z_high_m": float(z.max()),
    }
