"""Stepped platforms on a slope: level bands across the fall, cut and fill in balance, walls within a height.

The bands run along the contour of the plane that fits the parcel best. Each platform lies at the height where
what is cut fills the rest (with the soil's change of volume); where the bands are cut is chosen, among all
ways that keep the walls within their limit and every band deep enough to build on, for the least earth moved.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyproj
import shapely

from panhuo.core.problems import PanhuoError
from panhuo.inventory.geometry import Floats, Ints, to_lonlat, to_plane, zone_of
from panhuo.inventory.terrain import COVER_MIN, Cells, Dem, cells_of

MOST_STEPS: Final = 100
HEIGHT_BINS: Final = 400
BEYOND_M: Final = 1e6
BALANCE_TOLERANCE: Final = 1e-9

PLATFORMS_SCHEMA: Final = pa.schema(
    [
        ("platform", pa.int64()),
        ("level_m", pa.float64()),
        ("area_m2", pa.float64()),
        ("usable_m2", pa.float64()),
        ("cut_m3", pa.float64()),
        ("fill_m3", pa.float64()),
        ("wall_height_m", pa.float64()),
        ("wall_length_m", pa.float64()),
        ("deepest_cut_m", pa.float64()),
        ("deepest_fill_m", pa.float64()),
        ("geometry", pa.binary()),
    ]
)


@dataclass(frozen=True, slots=True)
class GradingRules:
    """wall_max_m: highest wall between platforms [m]; depth_min_m: least depth of a platform [m]; setback_m:
    ground lost on either side of a wall [m]; fill_per_cut: fill made by a m³ cut, compacted [1]."""

    wall_max_m: float
    depth_min_m: float
    setback_m: float
    fill_per_cut: float


@dataclass(frozen=True, slots=True)
class Grading:
    """platforms: PLATFORMS_SCHEMA from the lowest up; the rest are the parcel's totals."""

    platforms: pa.Table
    parcel_m2: float
    usable_m2: float
    cut_m3: float
    fill_m3: float
    fall_direction_deg: float
    fall_deg: float

    def floor_area_m2(self, density: float, storeys: int) -> float:
        """Floor area [m²] of `storeys` storeys on `density` (share built on) of the usable ground."""
        return self.usable_m2 * density * storeys

    def far(self, density: float, storeys: int) -> float:
        """The floor area ratio that gives, over the whole parcel."""
        return self.floor_area_m2(density, storeys) / self.parcel_m2


@dataclass(frozen=True, slots=True)
class _Profile:
    """The parcel in steps up the fall: cumulated area, area × z, by step; edges [m along the fall]."""

    edge: Floats
    area: Floats
    step: Ints
    z: Floats
    cell: Floats


def platforms(outline: shapely.Geometry, grid: Dem, rules: GradingRules) -> Grading:
    """Platforms for one parcel (`outline` in EPSG:4490) on the ground of `grid`.

    Raises PanhuoError when the grid does not hold the parcel, or no bands keep within the rules.
    """
    cells = cells_of(np.array([outline], object), grid)[0]
    if cells is None or cells.cover < COVER_MIN:
        share = 0.0 if cells is None else cells.cover
        raise PanhuoError(
            "高程不足以覆盖该宗地 the elevation grid does not hold the parcel",
            why=f"覆盖 covered: {share:.0%}",
            remedy="换覆盖全宗地的高程 use a grid that holds the whole parcel",
        )
    zone = zone_of(float(outline.centroid.x))
    parcel = to_plane(np.array([outline], object), zone)[0]
    x, y = _in_plane(cells, grid, zone)
    z = grid.z[cells.row, cells.column]
    direction, fall = _fall(x, y, z, cells.area_m2)
    up = x * direction[0] + y * direction[1]
    profile = _profile(up, z, cells.area_m2)
    edges = _best_bands(profile, rules)
    bands = _bands(edges, direction, parcel)
    walls = [shapely.intersection(parcel, _line(edge, direction)) for edge in edges[1:-1]]
    lost = shapely.union_all(shapely.buffer(walls, rules.setback_m)) if walls else shapely.Polygon()
    rows = [_earth(i, edges, profile, rules) for i in range(len(bands))]
    for i, row in enumerate(rows):
        row |= {"area_m2": bands[i].area, "usable_m2": shapely.difference(bands[i], lost).area}
        row["geometry"] = shapely.to_wkb(to_lonlat(np.array([bands[i]], object), zone)[0])
        if i < len(walls):
            row |= {
                "wall_height_m": rows[i + 1]["level_m"] - row["level_m"],
                "wall_length_m": walls[i].length,
            }
    table = pa.Table.from_pylist(rows, schema=PLATFORMS_SCHEMA)
    total = {name: float(np.nansum(table[name].to_numpy())) for name in ("usable_m2", "cut_m3", "fill_m3")}
    bearing = float(np.degrees(np.arctan2(-direction[0], -direction[1])) % 360)
    return Grading(
        table,
        float(parcel.area),
        **total,
        fall_direction_deg=bearing,
        fall_deg=float(np.degrees(np.arctan(fall))),
    )


def _in_plane(cells: Cells, grid: Dem, zone: int) -> tuple[Floats, Floats]:
    degrees = pyproj.Transformer.from_crs(grid.crs, grid.crs.geodetic_crs, always_xy=True)
    lon, lat = degrees.transform(cells.x, cells.y)
    moved = shapely.get_coordinates(to_plane(shapely.points(lon, lat), zone))
    return moved[:, 0], moved[:, 1]


def _fall(x: Floats, y: Floats, z: Floats, weight: Floats) -> tuple[Floats, float]:
    """The unit vector uphill of the plane that fits best, and its gradient [1]; level ground climbs north."""
    root = np.sqrt(weight)
    frame = np.column_stack([x - x.mean(), y - y.mean(), np.ones(len(x))]) * root[:, None]
    slope, *_ = np.linalg.lstsq(frame, z * root, rcond=None)
    gradient = float(np.hypot(slope[0], slope[1]))
    uphill = slope[:2] / gradient if gradient > 1e-9 else np.array([0.0, 1.0])
    return uphill, gradient


def _profile(up: Floats, z: Floats, area: Floats) -> _Profile:
    """Cells sorted into equal steps up the fall."""
    count = int(min(MOST_STEPS, max(8, np.sqrt(len(up)))))
    edge = np.linspace(up.min(), up.max() * (1 + 1e-12) + 1e-9, count + 1)
    step = np.clip(np.searchsorted(edge, up, side="right") - 1, 0, count - 1)
    return _Profile(edge, np.bincount(step, area, count).astype(np.float64), step, z, area)


def _level(z: Floats, area: Floats, fill_per_cut: float) -> float:
    """The height at which cut × fill_per_cut = fill, by halving: the difference falls steadily with it."""
    low, high = float(z.min()), float(z.max())
    while high - low > BALANCE_TOLERANCE * max(1.0, abs(high)):
        middle = (low + high) / 2
        surplus = (
            fill_per_cut * (area * np.maximum(z - middle, 0)).sum() - (area * np.maximum(middle - z, 0)).sum()
        )
        low, high = (middle, high) if surplus > 0 else (low, middle)
    return (low + high) / 2


def _best_bands(profile: _Profile, rules: GradingRules) -> Floats:
    """The edges [m along the fall] of the bands that move the least earth within the rules.

    Level and earth of every possible band come from one histogram of heights by step: the search does not
    grow with the number of cells.
    """
    count = len(profile.area)
    z = np.linspace(profile.z.min(), profile.z.max() + 1e-6, HEIGHT_BINS)
    bin_of = np.clip(np.searchsorted(z, profile.z), 0, HEIGHT_BINS - 1)
    ground = np.bincount(profile.step * HEIGHT_BINS + bin_of, profile.cell, count * HEIGHT_BINS)
    upto = np.vstack([np.zeros(HEIGHT_BINS), np.cumsum(ground.reshape(count, HEIGHT_BINS), axis=0)])
    mean = np.bincount(profile.step, profile.cell * profile.z, count) / np.maximum(profile.area, 1e-9)
    level, earth = np.full((count, count + 1), np.nan), np.full((count, count + 1), np.inf)
    for i in range(count):
        for j in range(i + 1, count + 1):
            if profile.edge[j] - profile.edge[i] < rules.depth_min_m and j - i < count:
                continue
            at, moved = _balance(z, upto[j] - upto[i], rules.fill_per_cut)
            level[i, j] = at
            # The rim of a platform is a wall too, against the next one or against the neighbour's ground.
            if max(at - mean[i], mean[j - 1] - at) <= rules.wall_max_m:
                earth[i, j] = moved
    return profile.edge[_chain(level, earth, rules.wall_max_m)]


def _balance(z: Floats, area: Floats, fill_per_cut: float) -> tuple[float, float]:
    """Level [m] at which the ground of a band balances, and earth moved [m³], from its areas by height."""
    below, moment = np.cumsum(area), np.cumsum(area * z)
    fill = z * below - moment
    cut = (moment[-1] - moment) - z * (below[-1] - below)
    surplus = fill_per_cut * cut - fill
    after = int(np.argmax(surplus <= 0))
    before = max(after - 1, 0)
    drop = surplus[before] - surplus[after]
    part = surplus[before] / drop if drop > 0 else 0.0
    moved = fill + cut
    return float(z[before] + part * (z[after] - z[before])), float(
        moved[before] + part * (moved[after] - moved[before])
    )


def _chain(level: Floats, earth: Floats, wall_max: float) -> list[int]:
    """The cheapest chain of bands from lowest to highest step whose neighbours differ by a wall at most."""
    count = level.shape[0]
    best, before = np.full((count, count + 1), np.inf), np.full((count, count + 1), -1)
    best[0] = earth[0]
    for i in range(1, count):
        reach = best[:i, i]
        if not np.isfinite(reach).any():
            continue
        for j in range(i + 1, count + 1):
            if np.isfinite(earth[i, j]):
                rise = np.abs(level[i, j] - level[:i, i])
                total = np.where(rise <= wall_max, reach, np.inf)
                first = int(np.argmin(total))
                best[i, j], before[i, j] = total[first] + earth[i, j], first
    last = int(np.argmin(best[:, count]))
    if not np.isfinite(best[last, count]):
        raise PanhuoError(
            "在限定的挡墙高度和台面进深内分不出台地 no platforms keep within wall height and depth",
            why=f"挡墙上限 wall limit {wall_max:g} m",
            remedy="提高挡墙上限、减小进深，或只用缓处 higher walls, less depth, or the gentler part",
        )
    chain, i, j = [count], last, count
    while i > 0:
        chain.append(i)
        i, j = int(before[i, j]), i
    return [0, *reversed(chain)]


def _earth(number: int, edges: Floats, profile: _Profile, rules: GradingRules) -> dict[str, Any]:
    """Level and earth of one band."""
    up = profile.edge[profile.step]
    inside = (up >= edges[number] - 1e-9) & (up < edges[number + 1] - 1e-9)
    z, area = profile.z[inside], profile.cell[inside]
    level = _level(z, area, rules.fill_per_cut)
    return {
        "platform": number + 1,
        "level_m": level,
        "cut_m3": float((area * np.maximum(z - level, 0)).sum()),
        "fill_m3": float((area * np.maximum(level - z, 0)).sum()),
        "deepest_cut_m": float(max(z.max() - level, 0)),
        "deepest_fill_m": float(max(level - z.min(), 0)),
    }


def _bands(edges: Floats, uphill: Floats, parcel: shapely.Geometry) -> list[shapely.Geometry]:
    """The bands' outlines; the outermost reach to the parcel's rim, beyond the centres of the last cells."""
    wide = np.array([edges[0] - BEYOND_M, *edges[1:-1], edges[-1] + BEYOND_M])
    return [shapely.intersection(parcel, _band(low, high, uphill)) for low, high in pairwise(wide)]


def _line(offset: float, uphill: Floats) -> shapely.LineString:
    """The contour line at `offset` along the fall, long enough for any parcel."""
    along = np.array([-uphill[1], uphill[0]])
    return shapely.LineString(
        [uphill * offset - along * BEYOND_M * 10, uphill * offset + along * BEYOND_M * 10]
    )


def _band(low: float, high: float, uphill: Floats) -> shapely.Polygon:
    along = np.array([-uphill[1], uphill[0]]) * BEYOND_M * 10
    return shapely.Polygon(
        [uphill * low - along, uphill * high - along, uphill * high + along, uphill * low + along]
    )
