"""Adjoining parcels joined into one."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import shapely

from panhuo.core.problems import PanhuoError, Problem
from panhuo.inventory.geometry import common_zone, outlines, text_column, to_lonlat, to_plane
from panhuo.inventory.neighbours import ADJOIN_TOLERANCE_M
from panhuo.inventory.split import new_ids


def join_parcels(
    parcels: pa.Table, members: Sequence[str], *, tolerance_m: float = ADJOIN_TOLERANCE_M
) -> tuple[pa.Table, list[Problem]]:
    """One parcel of `members`: `parcel_id` (new), `parent_ids`, `area_m2`, `closed_m2`, `geometry`.

    Gaps up to `tolerance_m` between the members close; `closed_m2` says how much ground that added (overlaps
    count against it): area_m2 = sum of the members + closed_m2. Raises PanhuoError when they do not touch.
    """
    ids = text_column(parcels, "parcel_id")
    if unknown := [m for m in members if m not in ids]:
        raise PanhuoError(
            f"没有宗地 {', '.join(unknown)} no such parcel", remedy="核对宗地编号 check the ids"
        )
    if len(set(members)) < 2:
        raise PanhuoError("合并至少两宗 joining needs two parcels or more")
    rows = [ids.index(m) for m in members]
    found, problems = outlines(parcels.column("geometry").take(pa.array(rows)), list(members))
    if lost := [m for m, shape in zip(members, found, strict=True) if shape is None]:
        raise PanhuoError(
            f"宗地 {', '.join(lost)} 没有可用图形 no usable outline", remedy="补充图形 supply the outline"
        )
    zone = common_zone(found)
    planar = to_plane(found, zone)
    # Closing: out and in again by half the tolerance, with square corners so that nothing else moves.
    grown = shapely.buffer(planar, tolerance_m / 2, join_style="mitre")
    closed = shapely.buffer(shapely.union_all(grown), -tolerance_m / 2, join_style="mitre")
    whole = shapely.union_all([*planar, shapely.intersection(closed, shapely.convex_hull(closed))])
    if shapely.get_num_geometries(whole) > 1:
        raise PanhuoError(
            "这些宗地不相连 the parcels do not adjoin",
            why=f"合并后仍有 {shapely.get_num_geometries(whole)} 块 pieces remain",
            remedy=f"只选相距不过 {tolerance_m:g} 米的宗地 choose parcels no more than {tolerance_m:g} m apart",
        )
    return (
        pa.table(
            {
                "parcel_id": new_ids(members[0], 1, ids),
                "parent_ids": [", ".join(members)],
                "area_m2": [whole.area],
                "closed_m2": [whole.area - shapely.area(planar).sum()],
                "geometry": pa.array([shapely.to_wkb(to_lonlat(np.array([whole]), zone)[0])], pa.binary()),
            }
        ),
        problems,
    )
