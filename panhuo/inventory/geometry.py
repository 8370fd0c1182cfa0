"""Outlines in the plane: read from WKB, checked, projected to the CGCS2000 3° zone they lie in.

Areas and lengths are those of the zone's Gauss–Krüger plane, the plane of Chinese cadastral work. It
stretches ground lengths by about 1.2e-4 × (degrees from the central meridian)² in Hunan; see `plane_error`.
Outside China the same projection is taken about the nearest meridian divisible by three.
"""

from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyproj
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from panhuo.core.problems import PanhuoError, Problem
from panhuo.inventory.spec import problem

Geometries = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ZONE_DEGREES: Final = 3
EPSG_ZONE_25: Final = 4534
"""CGCS2000 / 3-degree Gauss-Kruger CM 75E, the first of the codes without zone prefix (zones 25 to 45)."""
DEGREE_M: Final = 111_320.0


def zone_of(lon: float) -> int:
    """The 3° zone whose central meridian (3 × zone, in degrees) is nearest to `lon`."""
    return int(np.floor(lon / ZONE_DEGREES + 0.5))


@lru_cache(maxsize=64)
def zone_crs(zone: int) -> pyproj.CRS:
    """The plane of a zone: EPSG:4534–4554 in China, the like elsewhere (metres, y = north)."""
    if 25 <= zone <= 45:
        return pyproj.CRS.from_epsg(EPSG_ZONE_25 + zone - 25)
    return pyproj.CRS.from_proj4(
        f"+proj=tmerc +lat_0=0 +lon_0={ZONE_DEGREES * zone} +k=1 +x_0=500000 +y_0=0 +ellps=GRS80 +units=m"
    )


@lru_cache(maxsize=128)
def plane_transformer(zone: int, *, inverse: bool = False) -> pyproj.Transformer:
    """Degrees (EPSG:4490) to the plane of `zone`; `inverse`: back."""
    geographic = pyproj.CRS.from_epsg(4490) if 25 <= zone <= 45 else zone_crs(zone).geodetic_crs
    source, target = (zone_crs(zone), geographic) if inverse else (geographic, zone_crs(zone))
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def to_plane(geometries: Geometries, zone: int) -> Geometries:
    """`geometries` [degrees, EPSG:4490] in the plane of `zone` [m]."""
    return _moved(geometries, plane_transformer(zone))


def to_lonlat(geometries: Geometries, zone: int) -> Geometries:
    """`geometries` in the plane of `zone` [m] back in EPSG:4490 [degrees]."""
    return _moved(geometries, plane_transformer(zone, inverse=True))


def _moved(geometries: Geometries, transformer: pyproj.Transformer) -> Geometries:
    moved: Geometries = shapely.transform(geometries, transformer.transform, interleaved=False)
    return moved


def common_zone(geometries: Geometries) -> int:
    """The zone of the middle of all `geometries` [degrees]: for work that needs one plane for a whole set."""
    west, _, east, _ = shapely.total_bounds(geometries)
    if not np.isfinite(west + east):
        raise PanhuoError(
            "没有可用的图形 no geometry to place",
            why="全部图形为空 every outline is empty",
            remedy="检查几何列 check the outlines",
        )
    return zone_of((west + east) / 2)


def plane_error(zone: int, lon: float, lat: float) -> tuple[float, float]:
    """(length, area): by what share the plane of `zone` differs from the ground at a place [1]."""
    factors = pyproj.Proj(zone_crs(zone)).get_factors(lon, lat)
    return abs(factors.meridional_scale - 1), abs(factors.areal_scale - 1)


def outlines(
    wkb: pa.ChunkedArray | pa.Array, ids: list[str], *, degrees: bool = True
) -> tuple[Geometries, list[Problem]]:
    """Polygons of a WKB column, None where unusable, and a problem for each lost or mended.

    degrees: the coordinates are EPSG:4490, and those beyond the globe are refused; else any plane in metres.
    """
    raw, problems = _usable(wkb, ids, degrees)
    kinds = shapely.get_type_id(raw)
    for row in np.flatnonzero((kinds >= 0) & (kinds != 3) & (kinds != 6)):
        raw[row] = _polygonal(raw[row])
    _refuse(raw, (kinds >= 0) & shapely.is_missing(raw), "geometry_not_polygon", ids, problems)
    for row in np.flatnonzero(~shapely.is_missing(raw) & ~shapely.is_valid(raw)):
        why = shapely.is_valid_reason(raw[row])
        raw[row] = _polygonal(shapely.make_valid(raw[row]))
        action = "mended: 自动修复 made valid" if raw[row] is not None else "refused: 图形未参与计算 left out"
        value = f"{ids[row]}: {why}"
        kind = "geometry_mended" if raw[row] is not None else "geometry_invalid"
        problems.append(problem(kind, row=int(row) + 1, field="geometry", value=value, action=action))
    return raw, problems


def layer_shapes(layer: pa.Table, kind: str) -> tuple[Geometries, list[Problem]]:
    """Shapes of any type of a layer (`geometry`: WKB in EPSG:4490), and a problem for each that is left out."""
    wkb = required_column(layer, "geometry")
    raw, problems = _usable(wkb, [f"{kind}:{row + 1}" for row in range(len(wkb))], degrees=True)
    return raw[~shapely.is_missing(raw)], problems


def read_shapes(wkb: pa.ChunkedArray | pa.Array) -> tuple[Geometries, Bools]:
    """The shapes of a WKB column, None where there is none, and which rows hold one that cannot be read:
    broken bytes, or a coordinate that is no number, on which every measure and GEOS itself fail."""
    with np.errstate(invalid="ignore"):
        column = np.asarray(wkb.to_numpy(zero_copy_only=False), dtype=object)
        raw: Geometries = np.asarray(shapely.from_wkb(column, on_invalid="ignore"))
    unreadable = np.asarray(wkb.is_valid()) & shapely.is_missing(raw)
    xy = shapely.get_coordinates(raw)
    if not np.isfinite(xy).all():
        xy, row = shapely.get_coordinates(raw, return_index=True)
        unreadable[row[~np.isfinite(xy).all(1)]] = True
        raw[unreadable] = None
    return raw, unreadable


def _usable(
    wkb: pa.ChunkedArray | pa.Array, ids: list[str], degrees: bool
) -> tuple[Geometries, list[Problem]]:
    """Shapes that can be worked on, None elsewhere, and a problem for each row without one."""
    raw, unreadable = read_shapes(wkb)
    problems: list[Problem] = []
    _refuse(raw, unreadable, "geometry_unreadable", ids, problems)
    _refuse(
        raw, ~unreadable & (shapely.is_missing(raw) | shapely.is_empty(raw)), "geometry_empty", ids, problems
    )
    bounds = shapely.bounds(raw)
    # A coordinate beyond the globe is metres taken for degrees; any area from it would be nonsense.
    beyond = (np.abs(bounds[:, [0, 2]]) > 180).any(1) | (np.abs(bounds[:, [1, 3]]) > 90).any(1)
    _refuse(raw, beyond & degrees, "crs_not_degrees", ids, problems)
    return raw, problems


def _refuse(raw: Geometries, bad: Bools, kind: str, ids: list[str], problems: list[Problem]) -> None:
    for row in np.flatnonzero(bad):
        raw[row] = None
        action = "refused: 图形未参与计算 left out"
        problems.append(problem(kind, row=int(row) + 1, field="geometry", value=ids[row], action=action))


def _polygonal(geometry: BaseGeometry) -> BaseGeometry | None:
    """The polygons inside a geometry as one (multi)polygon, or None."""
    parts = shapely.get_parts(shapely.get_parts(geometry))
    polygons = parts[shapely.get_type_id(parts) == 3]
    if not len(polygons):
        return None
    return polygons[0] if len(polygons) == 1 else shapely.union_all(polygons)


def text_column(table: pa.Table, name: str) -> list[str]:
    """A required column as strings; its absence is a clear word."""
    return [str(value) for value in required_column(table, name).to_pylist()]


def required_column(table: pa.Table, name: str) -> pa.ChunkedArray:
    """A column that must be there."""
    if name not in table.column_names:
        raise PanhuoError(
            f"表中缺少列 {name} the table lacks the column {name}",
            where=f"列 columns: {', '.join(table.column_names)}",
            remedy=f"补充 {name} 列 add {name}",
        )
    return table.column(name)


def column_or_nulls(table: pa.Table, name: str, kind: pa.DataType) -> pa.ChunkedArray:
    """A column cast to `kind`, or as many nulls where the table has none: unknown, not zero."""
    if name in table.column_names:
        return table.column(name).cast(kind)
    return pa.chunked_array([pa.nulls(table.num_rows, kind)])


def floats(table: pa.Table, name: str) -> Floats:
    """A number column as float64 with NaN for null or for a column that is not there."""
    values: Floats = column_or_nulls(table, name, pa.float64()).to_numpy(zero_copy_only=False)
    return values
