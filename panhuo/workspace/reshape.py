"""`panhuo land split | join | platforms`: one parcel cut, several joined, a slope stepped, and their files."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from panhuo.core.problems import PanhuoError, Problem
from panhuo.core.units import m2_to_mu
from panhuo.inventory.geometry import Geometries, read_shapes, to_plane, zone_of
from panhuo.inventory.join_parcels import join_parcels
from panhuo.inventory.split import SplitRules, split_parcel
from panhuo.report.land_picture import Piece, Plan, picture
from panhuo.rulebook import Rulebook
from panhuo.workspace.outputs import made_folder, write_outlines, write_tables
from panhuo.workspace.store import Workspace, write_bytes

ABOUT_DEGREES: Final = 0.003
"""Roads and buildings this near a parcel (some 300 m) are looked at."""
SIGNS: Final = {
    "area_min": {"zh": "面积不足", "en": "too small"},
    "width_min": {"zh": "宽度不足", "en": "too narrow"},
    "frontage_min": {"zh": "临路不足", "en": "too little frontage"},
    "building_cut": {"zh": "切断建筑", "en": "cuts a building"},
}


def split(
    ws: Workspace,
    parcel_id: str,
    shares: Sequence[float],
    folder: Path,
    *,
    area_min_m2: float | None = None,
    width_min_m: float | None = None,
    frontage_min_m: float | None = None,
    proposals: int = 3,
    take: int = 1,
    on: date | None = None,
) -> dict[str, Any]:
    """Proposals to cut a parcel by area shares, best first, written to `folder` with boundary files of number `take`.

    What a part must keep is the law's of `on` unless given. Roads are the layer `roads`; buildings with an outline
    are kept whole. Raises PanhuoError when no cut is possible, nothing written.
    """
    on = on or date.today()
    parcels = held(ws, "parcels")
    place = str(ws.config.get("place", ""))
    law = Rulebook.load()
    least = ("land_form.split_min_m2", "parcel_split.width_min_m", "parcel_split.frontage_min_m")
    asked = (area_min_m2, width_min_m, frontage_min_m)
    rules = SplitRules(
        *(
            law.parameter(name, on, place).value if a is None else a
            for name, a in zip(least, asked, strict=True)
        )
    )
    around = about(parcels, [parcel_id])
    roads, buildings = near(ws, "layers/roads", around), near(ws, "buildings", around)
    found, problems = split_parcel(
        parcels, parcel_id, shares, rules, roads=roads, buildings=buildings, proposals=proposals
    )
    count = int(pc.max(found["proposal"]).as_py())
    if not 1 <= take <= count:
        raise PanhuoError(
            f"没有第 {take} 个方案 no proposal {take}",
            why=f"共 {count} 个 there are {count}",
            remedy="--take 1",
        )
    told = [_proposal(found, number) for number in range(1, count + 1)]
    files = write_tables(made_folder(folder) / "split.gpkg", {"parts": found})
    best = found.filter(pc.equal(found["proposal"], take)).to_pylist()
    files += write_outlines(folder, "split", best, on)
    plans = [_split_plan(found, number, told, (roads, buildings)) for number in range(1, count + 1)]
    write_bytes(folder / "split.png", picture(plans))
    return {
        "parcel_id": parcel_id,
        "rules": {
            "area_min_m2": rules.area_min_m2, "width_min_m": rules.width_min_m, "frontage_min_m": rules.frontage_min_m,
        },
        "taken": take,
        "proposals": told,
        "problems": said(problems),
        "files": [*files, str(folder / "split.png")],
    }  # fmt: skip


def _proposal(found: pa.Table, number: int) -> dict[str, Any]:
    rows = found.filter(pc.equal(found["proposal"], number)).to_pylist()
    parts = [
        {
            "parcel_id": row["parcel_id"],
            "area_m2": round(row["area_m2"], 4),
            "area_mu": round(m2_to_mu(row["area_m2"]), 4),
            "width_m": round(row["width_m"], 2),
            "frontage_m": None if row["frontage_m"] is None else round(row["frontage_m"], 2),
            "squareness": round(row["squareness"], 3),
            "broken": [name for name in row["broken"].split(", ") if name],
        }
        for row in rows
    ]
    return {"proposal": number, "cut_m": round(rows[0]["cut_m"], 2), "parts": parts}


def _split_plan(
    found: pa.Table, number: int, told: list[dict[str, Any]], beside: tuple[pa.Table | None, pa.Table | None]
) -> Plan:
    rows = found.filter(pc.equal(found["proposal"], number))
    shapes = shapely.from_wkb(rows["geometry"].to_numpy(zero_copy_only=False))
    zone = zone_of(float(shapely.get_x(shapely.centroid(shapes[0]))))
    lines, solids = (_planar(table, zone) for table in beside)
    broken = sorted({name for part in told[number - 1]["parts"] for name in part["broken"]})
    words = [
        f"{part['parcel_id'][-7:]}\n{part['area_mu']:.2f} 亩"
        + ("" if part["frontage_m"] is None else f"\n临路 {part['frontage_m']:.0f} m")
        for part in told[number - 1]["parts"]
    ]
    title = f"方案 {number}：新界线 {told[number - 1]['cut_m']:.0f} m" + "".join(
        f" · {SIGNS[b]['zh']}" for b in broken
    )
    pieces = [Piece(shape, text) for shape, text in zip(to_plane(shapes, zone), words, strict=True)]
    return Plan(title, pieces, list(lines), list(solids), fault=bool(broken))


def join(ws: Workspace, members: Sequence[str], folder: Path, *, on: date | None = None) -> dict[str, Any]:
    """Adjoining parcels joined into one, written to `folder` as gpkg, DXF and boundary points.

    Raises PanhuoError when they do not adjoin or one has no outline, nothing written.
    """
    parcels = held(ws, "parcels")
    found, problems = join_parcels(parcels, members)
    row = found.to_pylist()[0]
    files = write_tables(made_folder(folder) / "join.gpkg", {"parcel": found})
    files += write_outlines(folder, "join", [row], on or date.today())
    shapes = shapely.from_wkb(
        parcels.filter(pc.is_in(parcels["parcel_id"], pa.array(list(members))))["geometry"].to_numpy(
            zero_copy_only=False
        )
    )
    whole = shapely.from_wkb(row["geometry"])
    zone = zone_of(float(whole.centroid.x))
    pieces = [
        Piece(
            to_plane(np.array([whole], object), zone)[0],
            f"{row['parcel_id'][-7:]}\n{m2_to_mu(row['area_m2']):.2f} 亩",
        )
    ]
    before = [Piece(shape, name[-7:]) for shape, name in zip(to_plane(shapes, zone), members, strict=False)]
    write_bytes(folder / "join.png", picture([Plan("合并前", before), Plan("合并后", pieces)]))
    return {
        "parcel_id": row["parcel_id"],
        "members": list(members),
        "area_m2": round(row["area_m2"], 4),
        "area_mu": round(m2_to_mu(row["area_m2"]), 4),
        "closed_m2": round(row["closed_m2"], 4),
        "problems": said(problems),
        "files": [*files, str(folder / "join.png")],
    }


def step(
    ws: Workspace, parcel_id: str, folder: Path, *, density: float, storeys: int, on: date | None = None,
    wall_max_m: float | None = None, depth_min_m: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Platforms of a parcel on the ground of the elevation grids held, with volumes and the FAR they bear.

    Raises PanhuoError when no grid holds the parcel or no platforms keep within the law's (or the given) walls.
    """
    # Raster libraries take a second to load; the other verbs need not wait for them.
    from panhuo.inventory.platforms import GradingRules, platforms  # noqa: PLC0415
    from panhuo.inventory.slopes import grid_about  # noqa: PLC0415

    on = on or date.today()
    law, place = Rulebook.load(), str(ws.config.get("place", ""))
    names = ("wall_max_m", "platform_depth_min_m", "wall_setback_m", "fill_per_cut")
    rules = GradingRules(*(law.parameter(f"terrain.{name}", on, place).value for name in names))
    if wall_max_m is not None:
        rules = replace(rules, wall_max_m=wall_max_m)
    if depth_min_m is not None:
        rules = replace(rules, depth_min_m=depth_min_m)
    outline = outline_of(held(ws, "parcels"), parcel_id)
    grid = grid_about(ws.elevation_files(), outline)
    grading = platforms(outline, grid, rules)
    rows = grading.platforms.to_pylist()
    files = write_tables(made_folder(folder) / "platforms.gpkg", {"platforms": grading.platforms})
    shapes = shapely.from_wkb(np.array([row["geometry"] for row in rows], object))
    zone = zone_of(float(outline.centroid.x))
    words = [f"台{r['platform']} {r['level_m']:.1f} m\n{m2_to_mu(r['area_m2']):.1f} 亩" for r in rows]
    pieces = [Piece(shape, text) for shape, text in zip(to_plane(shapes, zone), words, strict=True)]
    far = grading.far(density, storeys)
    title = f"挖 {grading.cut_m3:,.0f} m³ 填 {grading.fill_m3:,.0f} m³ 容积率 {far:.2f}"
    write_bytes(folder / "platforms.png", picture([Plan(title, pieces, contours=_contours(grid, zone))]))
    return {
        "parcel_id": parcel_id,
        "platforms": [{k: v for k, v in row.items() if k != "geometry"} for row in rows],
        "parcel_m2": grading.parcel_m2,
        "usable_m2": grading.usable_m2,
        "cut_m3": grading.cut_m3,
        "fill_m3": grading.fill_m3,
        "fall_deg": grading.fall_deg,
        "fall_direction_deg": grading.fall_direction_deg,
        "density": density,
        "storeys": storeys,
        "floor_area_m2": grading.floor_area_m2(density, storeys),
        "far": far,
        "files": [*files, str(folder / "platforms.png")],
    }


def _contours(grid: Any, zone: int) -> tuple[Geometries, Geometries, Geometries]:
    """The cells of a grid in the plane of the zone, for contour lines."""
    import pyproj  # noqa: PLC0415 - only here

    row, column = np.mgrid[0 : grid.z.shape[0], 0 : grid.z.shape[1]]
    x, y = grid.west + (column + 0.5) * grid.dx, grid.north - (row + 0.5) * grid.dy
    lon, lat = pyproj.Transformer.from_crs(grid.crs, grid.crs.geodetic_crs, always_xy=True).transform(x, y)
    xy = shapely.get_coordinates(to_plane(shapely.points(lon.ravel(), lat.ravel()), zone))
    return xy[:, 0].reshape(x.shape), xy[:, 1].reshape(x.shape), np.ma.masked_invalid(grid.z)


def held(ws: Workspace, name: str) -> pa.Table:
    """A dataset that a verb cannot do without. Raises PanhuoError where the workspace has none."""
    table = ws.dataset(name)
    if table is None:
        raise PanhuoError(
            f"工作区里没有 {name} no {name} in the workspace",
            where=str(ws.root),
            remedy="先导入 import it first",
        )
    return table


def outline_of(parcels: pa.Table, parcel_id: str) -> Any:
    """The outline of a parcel in EPSG:4490. Raises PanhuoError for an unknown id or a parcel without outline."""
    rows = parcels.filter(pc.equal(parcels["parcel_id"], parcel_id))
    if not rows.num_rows:
        raise PanhuoError(f"没有宗地 {parcel_id} no such parcel", remedy="核对宗地编号 check the id")
    shape = read_shapes(rows["geometry"])[0][0]
    if shape is None or shapely.is_empty(shape) or shapely.get_type_id(shape) not in (3, 6):
        raise PanhuoError(
            f"宗地 {parcel_id} 没有可用图形 no usable outline", remedy="补充图形 supply the outline"
        )
    return shape


def about(parcels: pa.Table, members: Sequence[str]) -> shapely.Geometry:
    """The ground about some parcels [degrees]."""
    shapes = np.array([outline_of(parcels, name) for name in members], object)
    west, south, east, north = shapely.total_bounds(shapes)
    return shapely.box(
        west - ABOUT_DEGREES, south - ABOUT_DEGREES, east + ABOUT_DEGREES, north + ABOUT_DEGREES
    )


def near(ws: Workspace, name: str, ground: shapely.Geometry) -> pa.Table | None:
    """The shapes of a dataset (`geometry`) that meet some ground; None where the workspace does not hold it."""
    if ws.dataset_path(name) is None:
        return None
    table = ws.dataset(name, columns=["geometry"])
    if table is None:
        return None
    shapes, _ = read_shapes(table["geometry"])
    return table.filter(pa.array(shapely.intersects(shapes, ground)))


def _planar(table: pa.Table | None, zone: int) -> Geometries:
    if table is None:
        return np.empty(0, object)
    return to_plane(read_shapes(table["geometry"])[0], zone)


def said(problems: Sequence[Problem]) -> list[dict[str, str]]:
    """Problems as a verb reports them."""
    return [{"type": p.type, "field": p.field, "value": p.value, "action": p.action} for p in problems]
