"""Parcels by a drawn polygon: those whose outline (or point, where none was drawn) truly meets it."""

from functools import lru_cache
from typing import Any, Final

import numpy as np
import shapely

from panhuo.core.problems import PanhuoError
from panhuo.site.shelf import shelf, table
from panhuo.site.words import pick

CORNERS: Final = 500


def polygon(text: str) -> Any:
    """The polygon of `x,y;x,y;…` (°). Raises PanhuoError when it is none."""
    try:
        ring = [tuple(float(v) for v in corner.split(",")) for corner in text.split(";") if corner]
        shape = shapely.Polygon(ring)
    except (ValueError, TypeError):
        shape = None
    if shape is None or any(len(corner) != 2 for corner in ring) or len(ring) > CORNERS or not shape.area:
        raise PanhuoError(
            pick(f"范围应为 3 至 {CORNERS} 个点", f"an area is 3 to {CORNERS} points") + f": {text[:60]}"
        )
    return shape if shape.is_valid else shapely.make_valid(shape)


def area_condition(text: str) -> tuple[str, tuple[Any, ...]]:
    """The SQL condition that a parcel meets the polygon."""
    ids = _meeting(shelf().key, text)
    return "parcel_id IN (SELECT unnest(?::VARCHAR[]))", (list(ids),)


@lru_cache(maxsize=32)
def _meeting(key: str, text: str) -> tuple[str, ...]:
    """Ids of all parcels that meet the polygon, whoever asks: the gate's own condition stands beside this one."""
    shape = polygon(text)
    x0, y0, x1, y1 = shape.bounds
    near = table(
        "SELECT parcel_id, lon, lat, s.geometry FROM parcels p LEFT JOIN shapes s USING (parcel_id) "
        "WHERE xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ?",
        (x0, x1, y0, y1),
    )
    if not near.num_rows:
        return ()
    drawn = shapely.from_wkb(near["geometry"].to_numpy())
    points = shapely.points(near["lon"].to_numpy(), near["lat"].to_numpy())
    shapely.prepare(shape)
    meets = shapely.intersects(shape, np.where(shapely.is_missing(drawn), points, drawn))
    return tuple(near["parcel_id"].filter(meets).to_pylist())
