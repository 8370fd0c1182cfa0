"""A parcel cut into parts of given areas by straight cuts: every part usable, the best proposals first.

Each cut takes some of the parts off the rest. Directions tried are those of the parcel's own sides, across
them, and every thirty degrees; for each the cut is moved until the area is right. What is kept at each step
are the cuts that break the fewest rules, the shortest and squarest first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np
import pyarrow as pa
import shapely
from scipy.optimize import brentq

from panhuo.core.ids import is_parcel_code
from panhuo.core.problems import PanhuoError, Problem
from panhuo.inventory.geometry import (
    Geometries,
    common_zone,
    layer_shapes,
    outlines,
    text_column,
    to_lonlat,
    to_plane,
)
from panhuo.inventory.spec import problem

AREA_TOLERANCE_M2: Final = 1e-6
WHOLE_BUILDING_M2: Final = 0.01
ROAD_REACH_M: Final = 5.0
STEP_DEGREES: Final = 30
BEAM: Final = 16
_SIDES: Final = 4

PARTS_SCHEMA: Final = pa.schema(
    [
        ("proposal", pa.int64()),
        ("parcel_id", pa.string()),
        ("parent_id", pa.string()),
        ("part", pa.int64()),
        ("area_m2", pa.float64()),
        ("width_m", pa.float64()),
        ("frontage_m", pa.float64()),
        ("squareness", pa.float64()),
        ("cut_m", pa.float64()),
        ("broken", pa.string()),
        ("geometry", pa.binary()),
    ]
)


@dataclass(frozen=True, slots=True)
class SplitRules:
    """What every part must keep. area_min_m2 [m²]; width_min_m: diameter of the widest circle in it [m];
    frontage_min_m: boundary along a road [m]."""

    area_min_m2: float
    width_min_m: float
    frontage_min_m: float


@dataclass(frozen=True, slots=True)
class Part:
    """A part in the plane: which of the asked-for areas it is, and the rules it breaks."""

    number: int
    outline: shapely.Polygon
    width_m: float
    frontage_m: float | None
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """One way to split: the parts in the order asked for, and the metres of new boundary."""

    parts: tuple[Part, ...]
    cut_m: float

    @property
    def broken(self) -> int:
        """How many rules the parts break together."""
        return sum(len(part.broken) for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the cuts must heed, in the plane."""

    rules: SplitRules
    roads: shapely.Geometry | None
    buildings: Geometries


@dataclass(frozen=True, slots=True)
class _State:
    """A half-made split: finished parts, and pieces that still hold several parts."""

    done: tuple[Part, ...]
    left: tuple[tuple[shapely.Polygon, tuple[int, ...]], ...]
    cut_m: float
    broken: int
    trace: tuple[tuple[tuple[int, ...], int], ...] = ()
    """What each cut took off and in which direction, to the nearest step: states of one trace are much alike."""

    def worth(self) -> tuple[int, float]:
        """Fewest rules broken first; then short new boundaries, dearer the less the worst piece is a rectangle."""
        pieces = [part.outline for part in self.done] + [piece for piece, _ in self.left]
        return self.broken, self.cut_m / min(squareness(piece) for piece in pieces) ** 2


def split_parcel(
    parcels: pa.Table,
    parcel_id: str,
    areas: Sequence[float],
    rules: SplitRules,
    *,
    roads: pa.Table | None = None,
    buildings: pa.Table | None = None,
    proposals: int = 3,
) -> tuple[pa.Table, list[Problem]]:
    """Proposals to cut `parcel_id` into parts in the proportion of `areas`: rows of PARTS_SCHEMA, best first.

    parcels: `parcel_id`, `geometry` (WKB, EPSG:4490), all of the district so that new ids are new;
    roads, buildings: `geometry`. It is the drawn area that is shared out: paper and drawing may differ.
    Without roads the frontage is NULL and access is not judged: a problem row says so.
    """
    ids = text_column(parcels, "parcel_id")
    found, problems = one_outline(parcels, ids, parcel_id)
    zone = common_zone(found)
    parent = shapely.get_parts(to_plane(found, zone))[0]
    road, kept = None, np.empty(0, object)
    if roads is not None:  # a layer without a road near says that there is none
        lines, lost = layer_shapes(roads, "roads")
        road = shapely.union_all(to_plane(lines, zone)) if len(lines) or not lost else None
        problems += lost
    if buildings is not None:
        solids, lost = layer_shapes(buildings, "buildings")
        kept = to_plane(solids, zone)
        problems += lost
    if road is None:
        problems.append(
            problem("layer_missing", field="roads", value=parcel_id, action="临路未判断 access not judged")
        )
    best = split_polygon(parent, areas, rules, roads=road, buildings=kept, proposals=proposals)
    names = new_ids(parcel_id, len(areas), ids)
    rows = [
        {
            "proposal": number,
            "parcel_id": names[part.number],
            "parent_id": parcel_id,
            "part": part.number + 1,
            "area_m2": part.outline.area,
            "width_m": part.width_m,
            "frontage_m": part.frontage_m,
            "squareness": squareness(part.outline),
            "cut_m": proposal.cut_m,
            "broken": ", ".join(part.broken),
            "geometry": shapely.to_wkb(to_lonlat(np.array([part.outline]), zone)[0]),
        }
        for number, proposal in enumerate(best, 1)
        for part in proposal.parts
    ]
    return pa.Table.from_pylist(rows, schema=PARTS_SCHEMA), problems


def one_outline(
    parcels: pa.Table, ids: Sequence[str | None], parcel_id: str
) -> tuple[Geometries, list[Problem]]:
    """The outline of a parcel [degrees]. Raises PanhuoError where there is no such parcel or it is not one polygon."""
    if parcel_id not in ids:
        raise PanhuoError(f"没有宗地 {parcel_id} no such parcel", remedy="核对宗地编号 check the id")
    found, problems = outlines(parcels.column("geometry").slice(ids.index(parcel_id), 1), [parcel_id])
    if found[0] is None or shapely.get_num_geometries(found[0]) > 1:
        raise PanhuoError(
            f"宗地 {parcel_id} 的图形不是一个面 the outline of the parcel is not one polygon",
            why="; ".join(p.type for p in problems) or "由几块组成 it has several pieces",
            remedy="补充或修正图形 supply or mend the outline",
        )
    return found, problems


def split_polygon(
    parent: shapely.Polygon,
    areas: Sequence[float],
    rules: SplitRules,
    *,
    roads: shapely.Geometry | None = None,
    buildings: Geometries | None = None,
    proposals: int = 3,
) -> list[Proposal]:
    """Proposals to cut `parent` (a plane in metres) into parts in the proportion of `areas`, best first.

    Raises PanhuoError when no straight cuts leave each part in one piece.
    """
    if len(areas) < 2 or not all(a > 0 for a in areas):
        raise PanhuoError(
            "分割份额有误 bad shares",
            why=f"{list(areas)}",
            remedy="至少两份且均大于零 two or more, all above zero",
        )
    ground = _Ground(rules, roads, buildings if buildings is not None else np.empty(0, object))
    targets = parent.area * np.asarray(areas, float) / sum(areas)
    states = [_State((), ((parent, tuple(range(len(areas)))),), 0.0, 0)]
    for _ in range(len(areas) - 1):
        grown = [new for state in states for new in _cut_once(state, targets, ground)]
        ranked = sorted(grown, key=_State.worth)
        unlike = {state.trace: state for state in reversed(ranked)}
        states = sorted(unlike.values(), key=_State.worth)[:BEAM]
    finished = [
        Proposal(_blamed(s.done, ground.buildings), s.cut_m) for s in sorted(states, key=_State.worth)
    ]
    if not finished:
        raise PanhuoError(
            "直线切分不能得到完整的地块 no straight cut leaves every part in one piece",
            remedy="改变份额，或先把凹角处分开 change the shares or cut the inner corners first",
        )
    return _distinct(finished)[:proposals]


def squareness(outline: shapely.Polygon) -> float:
    """Area over the area of the smallest rectangle about it: 1 a rectangle, one half a triangle."""
    return float(outline.area / shapely.minimum_rotated_rectangle(outline).area)


def new_ids(parent: str, count: int, taken: Sequence[str]) -> list[str]:
    """Ids for the parts: in the 19-digit code's pattern, the next free numbers of the cadastral district.

    A parent without such a code gives `<parent>-1`, `<parent>-2`, …
    """
    if not is_parcel_code(parent):
        return [f"{parent}-{i + 1}" for i in range(count)]
    head = parent[:14]
    last = max(int(code[14:]) for code in taken if is_parcel_code(code) and code.startswith(head))
    if last + count > 99_999:
        raise PanhuoError(
            f"地籍子区 {head} 的宗地顺序号用尽 the district has no free numbers", remedy="换子区 use another"
        )
    return [f"{head}{last + 1 + i:05d}" for i in range(count)]


def _cut_once(state: _State, targets: Geometries, ground: _Ground) -> Iterator[_State]:
    """Every way to make the first unfinished piece two."""
    (piece, numbers), *rest = state.left
    for size in range(1, len(numbers) // 2 + 1):
        for off in combinations(numbers, size):
            stay = tuple(n for n in numbers if n not in off)
            for angle in _directions(piece):
                for cut in _cut(piece, angle, targets[list(off)].sum() / targets[list(numbers)].sum()):
                    mark = (off, round(np.degrees(angle) / STEP_DEGREES) % (360 // STEP_DEGREES))
                    yield replace(
                        _joined(state, tuple(rest), cut, (off, stay), ground), trace=(*state.trace, mark)
                    )


def _joined(
    state: _State,
    rest: tuple[tuple[shapely.Polygon, tuple[int, ...]], ...],
    cut: tuple[shapely.Polygon, shapely.Polygon, float],
    groups: tuple[tuple[int, ...], tuple[int, ...]],
    ground: _Ground,
) -> _State:
    one, two, metres = cut
    split = sum(_splits(building, one, two) for building in ground.buildings)
    done, left = list(state.done), list(rest)
    for piece, numbers in zip((one, two), groups, strict=True):
        if len(numbers) == 1:
            done.append(_part(piece, numbers[0], ground))
        else:
            left.append((piece, numbers))
    broken = state.broken + split + sum(len(p.broken) for p in done[len(state.done) :])
    return _State(tuple(done), tuple(left), state.cut_m + metres, broken)


def _directions(piece: shapely.Polygon) -> list[float]:
    """Angles [radians] to cut along: the longest sides, across them, and an even fan; each both ways."""
    xy = shapely.get_coordinates(piece.exterior)
    sides = np.diff(xy, axis=0)
    longest = sides[np.argsort(-np.hypot(*sides.T), kind="stable")[:_SIDES]]
    own = np.arctan2(longest[:, 1], longest[:, 0])
    fan = np.radians(np.arange(0, 180, STEP_DEGREES))
    degrees = np.degrees(np.concatenate([own, own + np.pi / 2, fan])) % 180
    half = np.unique(np.round(degrees, 3))
    return [float(a) for a in np.radians(np.concatenate([half, half + 180]))]


def _cut(
    piece: shapely.Polygon, angle: float, share: float
) -> Iterator[tuple[shapely.Polygon, shapely.Polygon, float]]:
    """The straight cut at `angle` that leaves `share` of the area on its left, if both sides are whole."""
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    centre = np.array(piece.centroid.coords[0])
    # Turned so that the cut lies level, the area above it is a clip by a rectangle.
    turned = shapely.transform(piece, lambda xy: (xy - centre) @ np.column_stack([along, across]))
    west, south, east, north = turned.bounds

    def left(offset: float) -> float:
        above = shapely.clip_by_rect(turned, west - 1, offset, east + 1, north + 1)
        return float(shapely.area(above) - share * piece.area)

    offset = float(brentq(left, south, north, xtol=1e-10, rtol=1e-14))
    middle, reach = centre + across * offset, east - west + 1
    knife = shapely.LineString([middle + along * (west - 1), middle + along * (west + reach)])
    # Noding boundary and cut together gives both sides the very same points.
    pieces = shapely.get_parts(shapely.polygonize([shapely.union_all([piece.boundary, knife])]))
    pieces = [p for p in pieces if piece.contains(p.representative_point())]
    if len(pieces) != 2:
        return
    pieces.sort(
        key=lambda p: -float((np.array(p.representative_point().coords[0]) - centre) @ across - offset)
    )
    if abs(pieces[0].area - share * piece.area) > AREA_TOLERANCE_M2 * max(1.0, piece.area / 1e4):
        return
    yield pieces[0], pieces[1], float(knife.intersection(piece).length)


def _splits(building: shapely.Geometry, one: shapely.Polygon, two: shapely.Polygon) -> bool:
    return bool(min(building.intersection(p).area for p in (one, two)) > WHOLE_BUILDING_M2)


def _part(outline: shapely.Polygon, number: int, ground: _Ground) -> Part:
    width = 2 * float(shapely.length(shapely.maximum_inscribed_circle(outline, tolerance=0.1)))
    frontage = None
    if ground.roads is not None:
        near = shapely.buffer(ground.roads, ROAD_REACH_M)
        frontage = float(outline.boundary.intersection(near).length)
    rules = ground.rules
    broken = [
        name
        for name, bad in (
            ("area_min", outline.area < rules.area_min_m2),
            ("width_min", width < rules.width_min_m),
            ("frontage_min", frontage is not None and frontage < rules.frontage_min_m),
        )
        if bad
    ]
    return Part(number, outline, width, frontage, tuple(broken))


def _blamed(parts: tuple[Part, ...], buildings: Geometries) -> tuple[Part, ...]:
    """The parts in the order asked for; those that share a building have `building_cut` among the faults."""
    shared: set[int] = set()
    for building in buildings:
        on = {p.number for p in parts if building.intersection(p.outline).area > WHOLE_BUILDING_M2}
        shared |= on if len(on) > 1 else set()
    blamed = [replace(p, broken=(*p.broken, "building_cut")) if p.number in shared else p for p in parts]
    return tuple(sorted(blamed, key=lambda p: p.number))


def _distinct(proposals: list[Proposal]) -> list[Proposal]:
    """Proposals that differ on at least a twentieth of the ground."""
    kept: list[Proposal] = []
    for new in proposals:
        whole = sum(p.outline.area for p in new.parts)

        def same(old: Proposal, new: Proposal = new, whole: float = whole) -> bool:
            pairs = zip(old.parts, new.parts, strict=True)
            return bool(sum(a.outline.intersection(b.outline).area for a, b in pairs) > 0.95 * whole)

        if not any(same(old) for old in kept):
            kept.append(new)
    return kept
