"""Reference systems of the OGC endpoint: outlines onto them and boxes back from them, in each authority's axis order.

Outlines are kept in CGCS2000 degrees (EPSG:4490), longitude first; CRS84 and WGS 84 are taken as the same within the
metre by which they differ. Offered beside them: web Mercator, and the Gauss–Krüger zones of CGCS2000 of six and three
degrees, with and without the zone number before the easting, whose first axis is north.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from panhuo.core.problems import PanhuoError
from panhuo.site.words import pick

Floats = NDArray[np.float64]
EPSG: Final = "http://www.opengis.net/def/crs/EPSG/0/"
CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CGCS2000: Final = EPSG + "4490"
DEGREES: Final = 4490
LATITUDE_FIRST: Final = (EPSG + "4326", CGCS2000)
PLANE: Final = {EPSG + str(code): code for code in (3857, *range(4491, 4555))}
"""Web Mercator; zones 13–23, central meridians 75–135°, zones 25–45, central meridians 75–135°."""
CRS: Final = (CRS84, *LATITUDE_FIRST, *PLANE)
WORLD_M, POLE_M, ASIDE_M = 20_037_508.0, 9_990_000.0, 3_000_000.0
"""Half the girth of web Mercator; from the equator to the pole; from a zone's meridian as far as it is of any use."""
STEPS: Final = np.linspace(0, 1, 17)
"""Points along a side of a box: a straight side in the plane is a curve in degrees."""


@dataclass(frozen=True, slots=True)
class Area:
    """A polygon in degrees with the box around it and a box inside it (west, south, east, north; none: west > east)."""

    shape: Any
    around: tuple[float, float, float, float]
    inside: tuple[float, float, float, float]


def turned(shape: Any, crs: str) -> Any:
    """An outline in degrees, longitude first, onto `crs`."""
    return shape if shape is None or crs == CRS84 else shapely.transform(shape, _onto(crs))


@cache
def _onto(crs: str) -> Callable[[Floats], Floats]:
    if crs in LATITUDE_FIRST:
        return lambda lonlat: lonlat[:, ::-1]
    onto = pyproj.Transformer.from_crs(DEGREES, PLANE[crs])
    return lambda lonlat: np.column_stack(onto.transform(lonlat[:, 1], lonlat[:, 0]))


@cache
def _from_plane(crs: str) -> tuple[pyproj.Transformer, bool, Floats]:
    """The way back to degrees, whether north is the first axis, and how far each axis goes where that way is sound."""
    system = pyproj.CRS(PLANE[crs])
    back = pyproj.Transformer.from_crs(system, DEGREES)
    if system.axis_info[0].direction != "north":
        return back, False, np.array([[-WORLD_M, WORLD_M], [-WORLD_M, WORLD_M]])
    assert system.coordinate_operation is not None
    middle = next(float(p.value) for p in system.coordinate_operation.params if p.name == "False easting")
    return back, True, np.array([[-POLE_M, POLE_M], [middle - ASIDE_M, middle + ASIDE_M]])


def areas(numbers: list[float], crs: str) -> list[Area]:
    """The polygons of a `bbox` of four numbers in `crs`; two where it lies over the 180th meridian.

    Raises PanhuoError for a box upside down. One that goes beyond its reference system ends where that does.
    """
    if crs in PLANE:
        return [_plane(numbers, crs)]
    west, south, east, north = (numbers[i] for i in (1, 0, 3, 2)) if crs in LATITUDE_FIRST else numbers
    if south > north:
        raise PanhuoError(pick("bbox 的南边界在北边界之北", "the south of bbox lies north of its north"))
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    boxes = [(x0, south, x1, north) for x0, x1 in spans]
    return [Area(shapely.box(*box), box, box) for box in boxes]


def _plane(numbers: list[float], crs: str) -> Area:
    a0, b0, a1, b1 = numbers
    if a0 > a1 or b0 > b1:
        raise PanhuoError(pick("bbox 的下限大于上限", "a lower bound of bbox lies above its upper one"))
    back, north_first, reach = _from_plane(crs)
    (a0, a1), (b0, b1) = np.clip((a0, a1), *reach[0]), np.clip((b0, b1), *reach[1])
    along_a, along_b = a0 + (a1 - a0) * STEPS, b0 + (b1 - b0) * STEPS

    def side(a: Any, b: Any) -> Floats:
        a, b = np.broadcast_arrays(a, b)
        lat, lon = back.transform(a, b)
        return np.column_stack((lon, lat))

    low_a, high_b, high_a, low_b = side(a0, along_b), side(along_a, b1), side(a1, along_b), side(along_a, b0)
    ring = np.concatenate((low_a, high_b, high_a[::-1], low_b[::-1]))
    shape = shapely.make_valid(shapely.polygons(ring))
    south, north, west, east = (
        (low_a, high_a, low_b, high_b) if north_first else (low_b, high_b, low_a, high_a)
    )
    inside = west[:, 0].max(), south[:, 1].max(), east[:, 0].min(), north[:, 1].min()
    return Area(shape, shape.bounds, inside)
