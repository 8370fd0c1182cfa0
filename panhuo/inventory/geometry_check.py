"""Outlines as they come → outlines that can be trusted, where they were drawn, with the area drawn."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray

from panhuo.core.progress import Tick, silent
from panhuo.inventory import rings
from panhuo.inventory.crs import is_gauss_kruger
from panhuo.inventory.geometry import read_shapes
from panhuo.inventory.moving import to_lonlat
from panhuo.inventory.rings import Measures, Rings
from panhuo.inventory.values import Fault

Geometries = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
T = TypeVar("T")

WORKERS: Final = 2
AREA_KEPT: Final = 1e-3
"""A mended outline keeps its area within this share, else nobody knows which area was meant."""
SEMI_MAJOR_M: Final = 6_378_137.0
ECCENTRICITY_2: Final = 0.006694380022900788
"""Of the CGCS2000 ellipsoid."""
NARROW_DEGREES: Final = 1.0
CURVE_ORDER: Final = 6
"""Over a degree of latitude a curve of this order is the cylinder to the last digit, at a fifth of the cost."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a table: the WKB of outlines that all begin alike.

    `found`: what the points of one-ring outlines measure, None for any others; `box`: of all outlines together (west,
    south, east, north), NaN where none can be read. What is read from the WKB is not kept, for reading again costs
    less than the memory.
    """

    rows: Ints
    wkb: pa.Array
    found: Measures | None
    box: Floats

    @classmethod
    def of(cls, rows: Ints, wkb: pa.Array, ring: Rings | None) -> "Piece":
        """The outlines measured; ring: the same as columns, if they are of one ring each."""
        found = rings.measure(ring) if ring else None
        box = found.box if found else np.full(4, np.nan)
        if not np.isfinite(box).all():
            boxes = boxes_of(wkb, ring)
            box = np.append(np.fmin.reduce(boxes[:, :2]), np.fmax.reduce(boxes[:, 2:]))
        return cls(rows, wkb, found, box)

    def at(self, places: Ints) -> "Piece":
        """Some of the outlines, by their places in the piece."""
        wkb = self.wkb.take(pa.array(places))
        return Piece.of(self.rows[places], wkb, rings.read_rings(wkb) if self.found else None)

    def rings(self) -> Rings | None:
        """The outlines as columns, None when they are not of one ring each."""
        return rings.read_rings(self.wkb) if self.found else None

    def bounds(self) -> Floats:
        """Boxes of the rows, NaN where there is no outline that can be read."""
        return boxes_of(self.wkb, self.rings())

    def swapped(self) -> "Piece":
        """x for y."""
        ring = self.rings()
        if ring:
            turned = rings.write_rings(ring, ring.xy[:, ::-1])
            return Piece.of(self.rows, turned, rings.read_rings(turned))
        shapes = shapely.transform(planar_shapes(self.wkb)[0], lambda c: c[:, ::-1])
        return Piece.of(self.rows, encode(shapes), None)


@dataclass(frozen=True, slots=True)
class Outlines:
    """Columns of one table: WKB as given (mended), area drawn [m²; NaN where no polygon]."""

    given: pa.ChunkedArray
    area_m2: Floats
    faults: list[Fault]


def planar_shapes(wkb: pa.Array) -> tuple[Geometries, Bools]:
    """Outlines as shapes in two dimensions, None where empty or unreadable, and which rows cannot be read."""
    shapes, unreadable = read_shapes(wkb)
    if shapely.has_z(shapes).any():
        shapes = shapely.force_2d(shapes)
    shapes[shapely.is_empty(shapes)] = None
    return shapes, unreadable


def boxes_of(wkb: pa.Array, ring: Rings | None) -> Floats:
    """Boxes of outlines (n × 4), NaN where there is none that can be read; ring: the same as columns, if they are."""
    boxes: Floats = rings.bounds(ring) if ring else np.asarray(shapely.bounds(planar_shapes(wkb)[0]))
    boxes[~np.isfinite(boxes).all(1)] = np.nan
    return boxes


def parallel(
    work: Callable[[Piece], T], pieces: list[Piece], done: Callable[[int], None] | None = None
) -> list[T]:
    """`work` on every piece, two at a time (Arrow, NumPy, PROJ and GEOS let go of the interpreter).

    done: told how many rows are worked after each piece.
    """
    out: list[T] = []
    rows = 0
    with ThreadPoolExecutor(WORKERS) as pool:
        results = pool.map(work, pieces) if len(pieces) > 1 else map(work, pieces)
        for piece, result in zip(pieces, results, strict=True):
            out.append(result)
            rows += len(piece.rows)
            if done:
                done(rows)
    return out


def decode(column: pa.ChunkedArray) -> list[Piece]:
    """The outlines of a WKB column in pieces, those of one ring apart from the others."""
    return [
        Piece.of(rows + start, part, ring)
        for start, wkb in rings.slices(column)
        for rows, part, ring in rings.parted(wkb)
    ]


def check(pieces: list[Piece], epsg: str, strict: bool, tick: Tick = silent) -> Outlines:
    """Mends what can be mended and measures.

    Faults: geometry_empty, geometry_unreadable, geometry_not_polygon, geometry_mended (area kept), geometry_invalid
    (area would change, the outline is refused if `strict`), geometry_duplicate.
    """
    total = sum(len(p.rows) for p in pieces)
    found = parallel(
        lambda p: check_piece(p, epsg, strict), pieces, lambda n: tick("核对图形 checking outlines", n, total)
    )
    checked = [part for parts in found for part in parts]
    rows, done = [r for r, _ in checked], [d for _, d in checked]
    given = rings.concat([d.given for d in done], rows)
    area = np.empty(total)
    area[np.concatenate(rows)] = np.concatenate([d.area_m2 for d in done])
    faults = merged_faults([f for d in done for f in d.faults])
    return Outlines(given, area, faults + duplicates(given, area))


def check_piece(piece: Piece, epsg: str, strict: bool) -> list[tuple[Ints, Outlines]]:
    """One piece, what GEOS must mend apart from the rest: (rows of the table, what became of them)."""
    if piece.found is None:
        return [(piece.rows, check_shapes(piece, epsg, strict))]
    unsure = np.flatnonzero(~piece.found.sure)
    if len(unsure):
        doubtful, _ = read_shapes(piece.wkb.take(pa.array(unsure)))
        broken = unsure[~shapely.is_valid(doubtful)]
        if len(broken):
            ill = piece.at(broken)
            done = [(ill.rows, check_shapes(ill, epsg, strict))]
            sound = np.delete(np.arange(len(piece.rows)), broken)
            return [*done, *check_piece(piece.at(sound), epsg, strict)] if len(sound) else done
    return [(piece.rows, Outlines(piece.wkb, ring_areas(piece, epsg), []))]


def ring_areas(piece: Piece, epsg: str) -> Floats:
    """Areas [m²] of valid outlines of one ring."""
    assert piece.found
    if is_gauss_kruger(epsg):
        return piece.found.area
    ring = piece.rings()
    assert ring
    return rings.area(ring, flatten(to_lonlat(ring.xy, epsg)))


def check_shapes(piece: Piece, epsg: str, strict: bool) -> Outlines:
    """Outlines of any kind; faults carry rows of the table."""
    shapes, unreadable = planar_shapes(piece.wkb)
    shapes, faults = mended(shapes, strict)
    kinds = shapely.get_type_id(shapes)
    polygon = np.isin(kinds, (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON))
    point = np.isin(kinds, (shapely.GeometryType.POINT, shapely.GeometryType.MULTIPOINT))
    refused = np.zeros(len(shapes), bool)
    for fault in faults:
        refused[fault.rows] |= fault.type == "geometry_invalid"
    faults += at("geometry_unreadable", unreadable, "kept without outline")
    faults += at("geometry_empty", (kinds == -1) & ~refused & ~unreadable, "kept without outline")
    faults += at("geometry_not_polygon", (kinds >= 0) & ~polygon & ~point, "kept, no area drawn")
    area = shapely.area(shapes) if is_gauss_kruger(epsg) else ground_area(shapes, epsg)
    faults = [replace(f, rows=piece.rows[f.rows]) for f in faults]
    return Outlines(encode(shapes), np.where(polygon, area, np.nan), faults)


def at(type: str, mask: Bools, action: str) -> list[Fault]:
    """A fault where `mask` is true, or none."""
    rows = np.flatnonzero(mask)
    return [Fault(type, rows, pa.array([""] * len(rows)), action)] if len(rows) else []


def merged_faults(faults: list[Fault]) -> list[Fault]:
    """Faults of one kind from several pieces as one."""
    groups: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        groups.setdefault((fault.type, fault.action), []).append(fault)
    return [
        Fault(type, np.concatenate([f.rows for f in fs]), pa.concat_arrays([f.values for f in fs]), action)
        for (type, action), fs in groups.items()
    ]


def duplicates(wkb: pa.Array, area: Floats) -> list[Fault]:
    """Outlines that equal another one, byte for byte; only those of equal area are compared."""
    by_size = np.sort(area)
    shared = by_size[1:][by_size[1:] == by_size[:-1]]
    rows = np.flatnonzero(np.isin(area, shared)) if len(shared) else shared
    if not len(rows):
        return []
    some = wkb.take(pa.array(rows))
    counts = some.value_counts()
    twice = counts.filter(pc.greater(counts.field("counts"), 1)).field("values").drop_null()
    mask = np.zeros(len(wkb), bool)
    mask[rows] = pc.is_in(some, twice).to_numpy(zero_copy_only=False)
    return at("geometry_duplicate", mask, "kept")


def mended(shapes: Geometries, strict: bool) -> tuple[Geometries, list[Fault]]:
    """Invalid outlines made valid; where that changes their area they are None if `strict`."""
    valid = shapely.is_valid(shapes) | shapely.is_missing(shapes)
    bad = np.flatnonzero(~valid)
    if not len(bad):
        return shapes, []
    shapes = shapes.copy()
    broken = shapes[bad]
    whole = polygons_of(np.asarray(shapely.make_valid(broken)))
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
    return pa.array(shapely.to_wkb(shapes), pa.binary())


def flatten(lonlat: Floats) -> Floats:
    """Degrees in the plane of an equal-area cylinder [m], where edges are taken straight."""
    if not len(lonlat):  # rows that all lack an outline
        return lonlat
    lat = lonlat[:, 1]
    low, high = lat.min(), lat.max()
    if not high - low < NARROW_DEGREES:
        return np.column_stack([np.radians(lonlat[:, 0]) * SEMI_MAJOR_M, cylinder(lat)])
    curve = Chebyshev.interpolate(cylinder, CURVE_ORDER, domain=[low, high + 1e-9])
    steps = curve.convert(kind=Polynomial, domain=curve.domain)
    at = steps.mapparms()
    out = np.empty_like(lonlat)
    np.multiply(lonlat[:, 0], np.radians(SEMI_MAJOR_M), out=out[:, 0])
    out[:, 1] = horner(at[0] + at[1] * lat, [float(c) for c in steps.coef])
    return out


def horner(x: Floats, coefficients: list[float]) -> Floats:
    """A polynomial, the constant first."""
    value = np.full(len(x), coefficients[-1])
    for c in coefficients[-2::-1]:
        value *= x
        value += c
    return value


def cylinder(lat: Floats) -> Floats:
    """Latitudes as north values of the equal-area cylinder [m]."""
    e = np.sqrt(ECCENTRICITY_2)
    s = np.sin(np.radians(lat))
    q: Floats = (1 - ECCENTRICITY_2) * (s / (1 - ECCENTRICITY_2 * s * s) + np.arctanh(e * s) / e)
    return q * (SEMI_MAJOR_M / 2)


def ground_area(shapes: Geometries, epsg: str) -> Floats:
    """Areas on the ellipsoid [m²]."""
    return np.asarray(shapely.area(shapely.transform(shapes, lambda c: flatten(to_lonlat(c, epsg)))))
