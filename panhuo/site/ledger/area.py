"""Parcels by a drawn polygon: those whose outline (or point, where none was drawn) truly meets it.

A grid is laid over the polygon. A parcel in cells wholly inside it meets it, one in cells wholly outside does not: SQL
tells both from the parcel's own box, over a million parcels in a blink. Only the outlines along the edge are looked at.
"""

from functools import lru_cache
from typing import Any, Final

import numpy as np
import shapely

from panhuo.core.problems import PanhuoError
from panhuo.site.shelf import shelf, table
from panhuo.site.words import pick

CORNERS: Final = 500
GRID: Final = 256
"""Cells on a side."""

COLUMN: Final = f"least(greatest(floor(({{}} - ?) / ?), 0), {GRID - 1})::INTEGER"
CELLS: Final = " AND ".join(
    f"get_bit(?::BIT, {COLUMN.format(y)} * {GRID} + {COLUMN.format(x)}) = 1"
    for y in ("ymin", "ymax")
    for x in ("xmin", "xmax")
)
IN_CELLS: Final = (
    f"xmin >= ? AND xmax <= ? AND ymin >= ? AND ymax <= ? AND xmax - xmin < ? AND ymax - ymin < ? AND {CELLS}"
)
"""Whether a parcel's box lies in marked cells alone: smaller than a cell, it has a corner in each that it touches."""


def polygon(text: str) -> Any:
    """The polygon of `x,y;x,y;…` (°). Raises PanhuoError when it is none."""
    try:
        ring = [tuple(float(v) for v in corner.split(",")) for corner in text.split(";") if corner]
        # A ring that crosses itself is taken by parts.
        shape = shapely.make_valid(shapely.Polygon(ring), method="structure", keep_collapsed=False)
    except (ValueError, TypeError):
        shape = None
    if shape is None or any(len(corner) != 2 for corner in ring) or len(ring) > CORNERS or not shape.area:
        raise PanhuoError(
            pick(f"范围应为 3 至 {CORNERS} 个点", f"an area is 3 to {CORNERS} points") + f": {text[:60]}"
        )
    return shape


def area_condition(text: str) -> tuple[str, tuple[Any, ...]]:
    """The SQL condition that a parcel meets the polygon."""
    sql, values, edge = _meeting(shelf().key, text)
    return f"({sql}) OR parcel_id IN (SELECT unnest(?::VARCHAR[]))", (*values, list(edge))


@lru_cache(maxsize=32)
def _meeting(key: str, text: str) -> tuple[str, tuple[Any, ...], tuple[str, ...]]:
    """Which parcels lie wholly inside, as SQL; and the ids of those on the edge that meet the polygon.

    Whoever asks: the gate's own condition stands beside this one.
    """
    shape = polygon(text)
    x0, y0, x1, y1 = shape.bounds
    bounds = (x0, x1, y0, y1)
    wide, high = (x1 - x0) / GRID, (y1 - y0) / GRID
    inside, uncrossed = ((*bounds, wide, high, *(bits, y0, high, x0, wide) * 4) for bits in cells(shape))
    edge = f"xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ? AND NOT ({IN_CELLS})"
    near = table(
        f"SELECT parcel_id, lon, lat, s.geometry FROM (SELECT parcel_id, lon, lat FROM parcels WHERE {edge}) "
        "LEFT JOIN shapes s USING (parcel_id)",
        (*bounds, *uncrossed),
    )
    if not near.num_rows:
        return IN_CELLS, inside, ()
    drawn = shapely.from_wkb(near["geometry"].to_numpy())
    points = shapely.points(near["lon"].to_numpy(), near["lat"].to_numpy())
    shapely.prepare(shape)
    meets = shapely.intersects(shape, np.where(shapely.is_missing(drawn), points, drawn))
    return IN_CELLS, inside, tuple(near["parcel_id"].filter(meets).to_pylist())


def cells(shape: Any) -> tuple[str, str]:
    """The cells of the grid over the polygon, row by row from the south-west, as bits: inside; not crossed."""
    x0, y0, x1, y1 = shape.bounds
    unit = shapely.transform(shape, lambda at: (at - (x0, y0)) / (x1 - x0, y1 - y0) * GRID)
    edge = shapely.segmentize(shapely.get_parts(shapely.boundary(unit)), 1.0)
    crossed = np.zeros((GRID, GRID), bool)
    for line in edge:
        at = np.clip(np.floor(shapely.get_coordinates(line)).astype(int), 0, GRID - 1)
        for x, y in ((at[:-1], at[:-1]), (at[1:], at[1:]), (at[:-1], at[1:]), (at[1:], at[:-1])):
            crossed[y[:, 1], x[:, 0]] = True
    shapely.prepare(unit)
    x, y = np.meshgrid(np.arange(GRID) + 0.5, np.arange(GRID) + 0.5)
    within = shapely.contains_xy(unit, x, y)
    inside, uncrossed = ("".join(np.where(some.ravel(), "1", "0")) for some in (within & ~crossed, ~crossed))
    return inside, uncrossed
