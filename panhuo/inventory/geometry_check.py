"""Outlines as they come → outlines that can be trusted, in EPSG:4490, with the area drawn."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from panhuo.inventory.crs import is_gauss_kruger, lonlat_transformer
from panhuo.inventory.values import Fault

Geometries = NDArray[Any]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CHUNK: Final = 50_000
WORKERS: Final = 2
AREA_KEPT: Final = 1e-3
"""A mended outline keeps its area within this share, else nobody knows which area was meant."""
SEMI_MAJOR_M: Final = 6_378_137.0
ECCENTRICITY_2: Final = 0.006694380022900788
"""Of the CGCS2000 ellipsoid."""


@dataclass(frozen=True, slots=True)
class Outlines:
    """Columns of one table: WKB in EPSG:4490, WKB as given (mended), area drawn [m²; NaN for what is no polygon]."""

    geometry: pa.Array
    given: pa.Array
    area_m2: Floats
    faults: list[Fault]


def decode(wkb: pa.ChunkedArray) -> Geometries:
    """Shapes of a WKB column, in two dimensions, None where empty or unreadable."""
    raw = np.asarray(wkb.to_numpy(zero_copy_only=False), dtype=object)
    shapes = in_parts(lambda part: shapely.from_wkb(part, on_invalid="ignore"), raw)
    if shapely.has_z(shapes).any():
        shapes = in_parts(shapely.force_2d, shapes)
    shapes[shapely.is_empty(shapes)] = None
    return shapes


def in_parts(work: Any, shapes: Geometries) -> Geometries:  # noqa: ANN401 - any ufunc of shapely
    """`work` over slices of `shapes`, two at a time (shapely lets go of the interpreter)."""
    if len(shapes) <= CHUNK:
        return np.asarray(work(shapes))
    slices = [shapes[i : i + CHUNK] for i in range(0, len(shapes), CHUNK)]
    with ThreadPoolExecutor(WORKERS) as pool:
        return np.concatenate(list(pool.map(work, slices)))


def swap_axes(shapes: Geometries) -> Geometries:
    """x for y."""
    return in_parts(lambda part: shapely.transform(part, lambda c: c[:, ::-1]), shapes)


def check(shapes: Geometries, epsg: str, strict: bool) -> Outlines:
    """Mends what can be mended, moves to EPSG:4490 and measures.

    Faults: geometry_empty, geometry_not_polygon, geometry_mended (area kept), geometry_invalid (area would change, the
    outline is refused if `strict`), geometry_duplicate.
    """
    shapes, faults = mended(shapes, strict)
    kinds = shapely.get_type_id(shapes)
    polygon = np.isin(kinds, (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON))
    point = np.isin(kinds, (shapely.GeometryType.POINT, shapely.GeometryType.MULTIPOINT))
    texts = pa.array(np.full(len(shapes), "", dtype=object), pa.string())
    faults += at("geometry_empty", kinds == -1, texts, "kept without outline")
    faults += at("geometry_not_polygon", (kinds >= 0) & ~polygon & ~point, texts, "kept, no area drawn")
    given = encode(shapes)
    faults += at("geometry_duplicate", repeated(given) & polygon, texts, "kept")
    if epsg == "EPSG:4490":
        lonlat, wkb = shapes, given
    else:
        lonlat = to_lonlat(shapes, epsg)
        wkb = encode(lonlat)
    area = in_parts(shapely.area, shapes) if is_gauss_kruger(epsg) else ground_area(lonlat)
    area = np.where(polygon, area, np.nan)
    return Outlines(wkb, given, area, faults)


def at(type: str, mask: Bools, texts: pa.Array, action: str) -> list[Fault]:
    """A fault where `mask` is true, or none."""
    rows = np.flatnonzero(mask)
    return [Fault(type, rows, texts.take(pa.array(rows)), action)] if len(rows) else []


def mended(shapes: Geometries, strict: bool) -> tuple[Geometries, list[Fault]]:
    """Invalid outlines made valid; where that changes their area they are None if `strict`."""
    valid = in_parts(shapely.is_valid, shapes) | shapely.is_missing(shapes)
    bad = np.flatnonzero(~valid)
    if not len(bad):
        return shapes, []
    shapes = shapes.copy()
    broken = shapes[bad]
    whole = polygons_of(shapely.make_valid(broken))
    before, after = shapely.area(broken), shapely.area(whole)
    kept = np.abs(after - before) <= AREA_KEPT * np.maximum(after, before)
    shapes[bad] = whole
    if strict:
        shapes[bad[~kept]] = None
    why = np.asarray(shapely.is_valid_reason(broken), dtype=object)
    faults = []
    for type, mask, action in (
        ("geometry_mended", kept, "mended: made valid, area kept"),
        ("geometry_invalid", ~kept & strict, "refused: area uncertain"),
        ("geometry_mended", ~kept & (not strict), "mended: made valid, area changed"),
    ):
        if mask.any():
            faults.append(Fault(type, bad[mask], pa.array(why[mask], pa.string()), action))
    return shapes, faults


def polygons_of(shapes: Geometries) -> Geometries:
    """The polygons of what make_valid gives, which may hold stray lines."""
    out = shapes.copy()
    for i in np.flatnonzero(shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION):
        parts = shapely.get_parts(shapely.get_parts(shapes[i]))
        out[i] = shapely.multipolygons(parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON])
    return out


def encode(shapes: Geometries) -> pa.Array:
    """WKB."""
    parts = [shapes[i : i + CHUNK] for i in range(0, len(shapes), CHUNK)]
    with ThreadPoolExecutor(WORKERS) as pool:
        return pa.concat_arrays(
            [pa.array(w, pa.binary()) for w in pool.map(shapely.to_wkb, parts)] or [pa.array([], pa.binary())]
        )


def repeated(wkb: pa.Array) -> Bools:
    """Which outlines equal an earlier or later one, byte for byte."""
    counts = wkb.value_counts()
    twice = counts.filter(pa.compute.greater(counts.field("counts"), 1)).field("values")
    out: Bools = pa.compute.is_in(wkb, twice.drop_null()).to_numpy(zero_copy_only=False)
    return out


def to_lonlat(shapes: Geometries, epsg: str) -> Geometries:
    """Shapes of a CRS in degrees of EPSG:4490."""
    transformer = lonlat_transformer(epsg)

    def move(part: Geometries) -> Geometries:
        return np.asarray(shapely.transform(part, transformer.transform, interleaved=False))

    return in_parts(move, shapes)


def ground_area(lonlat: Geometries) -> Floats:
    """Areas on the ellipsoid [m²] of shapes in degrees: the plane of an equal-area cylinder, edges taken straight there."""
    e = np.sqrt(ECCENTRICITY_2)

    def flatten(c: Floats) -> Floats:
        s = np.sin(np.radians(c[:, 1]))
        q = (1 - ECCENTRICITY_2) * (s / (1 - ECCENTRICITY_2 * s * s) + np.arctanh(e * s) / e)
        return np.column_stack([np.radians(c[:, 0]) * SEMI_MAJOR_M, q * SEMI_MAJOR_M / 2])

    return in_parts(lambda part: shapely.area(shapely.transform(part, flatten)), lonlat)
