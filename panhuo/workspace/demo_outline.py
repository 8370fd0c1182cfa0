"""Outlines for parcels known only by area and place: drawn, not surveyed, and said to be so wherever shown.

Each outline has exactly the stated area (to 0.01 m², in the CGCS2000 3° plane of its place), is convex, and
lies near the named place; parcels stated to adjoin share an edge; a group of n parcels is n pieces along a
road. The same case always gives the same outlines.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely.affinity import rotate, scale, translate
from shapely.geometry import MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from panhuo.inventory.geometry import to_plane, zone_of
from panhuo.rulebook.precedents import Precedent, Row

SPACING_M: Final = 700.0
"""Between parcels of one place that are not said to adjoin."""
PART_STEP_M: Final = 900.0
BUILDING_M2: Final = 600.0
"""Ground area of a building whose own is not stated."""
HALVINGS: Final = 60
"""Of a length of kilometres: far below a micrometre."""
BUILT_MOST: Final = 0.35
"""Share of a parcel that drawn buildings cover at most."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The outlines of a case in one plane [m], zone and all: parcels and buildings by id."""

    zone: int
    parcels: Mapping[str, BaseGeometry]
    buildings: Mapping[str, Polygon]


def draw(case: Precedent) -> list[Drawing]:
    """The outlines of a case, one drawing per 3° zone; parcels of unknown area have none."""
    rows = [row for row in case.rows("parcels") if row.get("area_m2")]
    rows = [row for row in rows if row["parcel_id"] not in case.drawn.no_outline]
    zones: dict[int, dict[str, BaseGeometry]] = {}
    for position, group in enumerate(_adjoining(case, rows)):
        lon, lat = point_of(case, group[0]["parcel_id"])
        zone = zone_of(lon)
        centre = shapely.get_coordinates(to_plane(np.array([Point(lon, lat)]), zone))[0]
        if group[0]["parcel_id"] not in case.drawn.at:
            centre = centre + SPACING_M * np.array([position % 4, position // 4])
        zones.setdefault(zone, {}).update(_draw_group(case, group, centre))
    return [Drawing(zone, parcels, _draw_buildings(case, parcels)) for zone, parcels in zones.items()]


def point_of(case: Precedent, parcel_id: str) -> tuple[float, float]:
    """The named point (lon, lat) of a parcel: its own, or that of the case."""
    for given, point in case.drawn.at.items():
        if parcel_id in case.unit_ids(given):
            return point
    return case.place.lon, case.place.lat


def _adjoining(case: Precedent, rows: Sequence[Row]) -> list[list[Row]]:
    """Rows grouped into chains of neighbours, each chain in order along its line."""
    links: dict[str, list[str]] = {row["parcel_id"]: [] for row in rows}
    for a, b in case.drawn.touching:
        if a in links and b in links:
            links[a].append(b)
            links[b].append(a)
    by_id = {row["parcel_id"]: row for row in rows}
    chains: list[list[Row]] = []
    left = dict.fromkeys(sorted(links, key=lambda name: len(links[name]) > 1))
    while left:
        chain = [next(iter(left))]
        while chain[-1] in left:
            del left[chain[-1]]
            chain += [name for name in links[chain[-1]] if name in left][:1]
        chains.append([by_id[name] for name in chain])
    return chains


def _draw_group(case: Precedent, group: Sequence[Row], centre: np.ndarray) -> dict[str, BaseGeometry]:
    first = group[0]["parcel_id"]
    rng = np.random.default_rng(zlib.crc32(first.encode()))
    if first in case.drawn.parts:
        return {first: _pieces(group[0]["area_m2"], case.drawn.parts[first], centre, rng)}
    areas = [row["area_m2"] for row in group]
    pieces = _slices(_irregular(sum(areas), centre, rng), areas)
    return {row["parcel_id"]: piece for row, piece in zip(group, pieces, strict=True)}


def _irregular(area_m2: float, centre: np.ndarray, rng: np.random.Generator) -> Polygon:
    """A convex outline of seven to nine corners: points on an ellipse, never in one half of it."""
    corners = int(rng.integers(7, 10))
    angles = (np.arange(corners) + rng.uniform(-0.3, 0.3, corners)) * 2 * np.pi / corners
    ring = np.column_stack([1.5 * np.cos(angles), np.sin(angles)])
    return _to_area(rotate(Polygon(ring), float(rng.uniform(0, 180))), area_m2, centre)


def _to_area(shape: Polygon, area_m2: float, centre: np.ndarray) -> Polygon:
    factor = float(np.sqrt(area_m2 / shape.area))
    sized = scale(shape, factor, factor, origin=(0, 0))
    return translate(sized, float(centre[0]), float(centre[1]))


def _pieces(area_m2: float, count: int, centre: np.ndarray, rng: np.random.Generator) -> MultiPolygon:
    """`count` outlines along a line, of unequal areas that sum to `area_m2`."""
    shares = rng.uniform(0.5, 1.5, count)
    direction = float(rng.uniform(0, np.pi))
    step = PART_STEP_M * np.array([np.cos(direction), np.sin(direction)])
    return MultiPolygon(
        [
            _irregular(area_m2 * share, centre + (i - count / 2) * step, rng)
            for i, share in enumerate(shares / shares.sum())
        ]
    )


def _slices(whole: Polygon, areas: Sequence[float]) -> list[Polygon]:
    """`whole` cut by parallel lines across its length into pieces of exactly these areas, in order."""
    axis = _long_axis(whole)
    turned = rotate(whole, -axis, origin=(0, 0))
    left, bottom, right, top = turned.bounds
    pieces, start, done = [], left, 0.0
    for area in areas[:-1]:
        done += area
        low, high = start, right
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            short = turned.intersection(box(left, bottom, middle, top)).area < done
            low, high = (middle, high) if short else (low, middle)
        pieces.append(turned.intersection(box(start, bottom, high, top)))
        start = high
    pieces.append(turned.intersection(box(start, bottom, right, top)))
    return [rotate(piece, axis, origin=(0, 0)) for piece in pieces]


def _long_axis(shape: Polygon) -> float:
    """The direction of the longer side of the smallest box around `shape` [degrees]."""
    corners = shapely.get_coordinates(shape.minimum_rotated_rectangle)[:3]
    sides = np.diff(corners, axis=0)
    longer = sides[int(np.argmax(np.hypot(*sides.T)))]
    return float(np.degrees(np.arctan2(longer[1], longer[0])))


def _draw_buildings(case: Precedent, parcels: Mapping[str, BaseGeometry]) -> dict[str, Polygon]:
    by_parcel: dict[str, list[Row]] = {}
    for row in case.rows("buildings"):
        by_parcel.setdefault(row["parcel_id"], []).append(row)
    drawn: dict[str, Polygon] = {}
    for parcel_id, rows in by_parcel.items():
        if parcel_id in parcels:
            drawn |= _buildings_in(parcels[parcel_id], rows)
    return drawn


def _buildings_in(outline: BaseGeometry, rows: Sequence[Row]) -> dict[str, Polygon]:
    """Rectangles of the buildings' ground areas on a grid inside the parcel, along its long side."""
    axis = _long_axis(outline)
    turned = rotate(outline, -axis, origin=(0, 0))
    most = BUILT_MOST * outline.area / len(rows)
    grounds = [min(most, row.get("floor_area_m2", BUILDING_M2) / row.get("storeys", 1)) for row in rows]
    side = float(np.sqrt(max(grounds)))
    sites = _grid(turned, side)
    while len(sites) < len(rows):
        side *= 0.9
        sites = _grid(turned, side)
    shapes = {}
    spread = [sites[int((i + 0.5) * len(sites) / len(rows))] for i in range(len(rows))]
    for row, ground, (x, y) in zip(rows, grounds, spread, strict=True):
        half = min(side, float(np.sqrt(ground))) / 2
        shapes[row["building_id"]] = rotate(box(x - half, y - half, x + half, y + half), axis, origin=(0, 0))
    return shapes


def _grid(shape: BaseGeometry, side: float) -> list[tuple[float, float]]:
    """Middles of squares of `side` inside `shape`, with lanes of a quarter of a side between them."""
    left, bottom, right, top = shape.bounds
    xs, ys = np.meshgrid(
        np.arange(left, right, 1.25 * side), np.arange(bottom, top, 1.25 * side), indexing="ij"
    )
    x, y, half = xs.ravel(), ys.ravel(), side / 2
    inside = shapely.covers(shape, shapely.box(x - half, y - half, x + half, y + half))
    return list(zip(x[inside].tolist(), y[inside].tolist(), strict=True))
