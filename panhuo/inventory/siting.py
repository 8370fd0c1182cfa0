"""Candidate ground for a use, screened: off the control lines, large and level enough, far from homes and
water, near a road. Every test shows its value and its bound; a layer nobody gave leaves its test unknown,
never passed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely

from panhuo.core.problems import Problem
from panhuo.inventory.geometry import (
    Floats,
    Geometries,
    floats,
    layer_shapes,
    text_column,
    to_plane,
)
from panhuo.inventory.spec import problem
from panhuo.inventory.tiling import Tile, map_tiles

TOUCH_M2: Final = 1.0
"""Less ground than this under a control line is the error of drawing."""
PASS: Final = "pass"
FAIL: Final = "fail"
UNKNOWN: Final = "unknown"

SCREEN_SCHEMA: Final = pa.schema(
    [
        ("parcel_id", pa.string()),
        ("status", pa.string()),
        ("failed", pa.string()),
        ("unknown", pa.string()),
        ("margin", pa.float64()),
        ("rank", pa.int64()),
    ]
)
TESTS_SCHEMA: Final = pa.schema(
    [
        ("parcel_id", pa.string()),
        ("test", pa.string()),
        ("value", pa.float64()),
        ("bound", pa.float64()),
        ("verdict", pa.string()),
        ("margin", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True)
class SitingRules:
    """What a candidate must keep; None: not asked. avoid: kinds of control layers it must lie off; homes,
    water: at least so far [m]; roads: at most [m]."""

    area_min_m2: float | None = None
    slope_max_deg: float | None = None
    homes_min_m: float | None = None
    water_min_m: float | None = None
    roads_max_m: float | None = None
    avoid: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Screen:
    """screen: SCREEN_SCHEMA, ranked (passes first, the unsettled next, by margin); tests: TESTS_SCHEMA."""

    screen: pa.Table
    tests: pa.Table


@dataclass(frozen=True, slots=True)
class _Test:
    name: str
    value: Floats
    bound: float
    at_least: bool

    def verdict(self) -> list[str]:
        """Pass, fail or unknown of every candidate; the bound itself passes."""
        good = self.value >= self.bound if self.at_least else self.value <= self.bound
        verdicts: list[str] = np.where(np.isnan(self.value), UNKNOWN, np.where(good, PASS, FAIL)).tolist()
        return verdicts

    def margin(self) -> Floats:
        """How far beyond the bound, as a share of it, at most 1: comparable between tests."""
        if self.bound == 0:
            return np.where(np.isnan(self.value), np.nan, 0.0)
        beyond = (self.value - self.bound) / self.bound
        return np.clip(beyond if self.at_least else -beyond, -1, 1)


def siting(
    candidates: pa.Table, layers: Mapping[str, pa.Table], rules: SitingRules
) -> tuple[Screen, list[Problem]]:
    """Screens `candidates` (parcel_id, `geometry` WKB in EPSG:4490, and if known slope_mean_deg) by `rules`.

    layers: kind → geometry (EPSG:4490): the kinds of `rules.avoid`, and `homes`, `water`, `roads`. The
    margin that ranks is the mean of the tests' margins; distances are counted to a reach of ten times
    their bound.
    """
    distances = {
        "homes": (rules.homes_min_m, True),
        "water": (rules.water_min_m, True),
        "roads": (rules.roads_max_m, False),
    }
    asked = {kind: bound for kind, (bound, _) in distances.items() if bound is not None}
    shapes: dict[str, Geometries] = {}
    problems: list[Problem] = []
    for kind in sorted({*asked, *rules.avoid}):
        found, lost = layer_shapes(layers[kind], kind) if kind in layers else (np.empty(0, object), [])
        problems += lost
        if len(found) or (kind in layers and not lost):
            shapes[kind] = shapely.make_valid(found)
        else:  # a layer of which nothing can be read says as little as one nobody gave
            problems.append(problem("layer_missing", field=kind, action="unknown: 图层缺失 layer not given"))

    def work(tile: Tile) -> dict[str, Any]:
        found: dict[str, Any] = {"rows": tile.rows[tile.owns()]}
        mine = tile.geometries[tile.owns()]
        found["area"] = shapely.area(mine)
        for kind, bound in asked.items():
            if kind in shapes:
                found[kind] = _distance(mine, tile, shapes[kind], 10 * bound)
        for kind in rules.avoid:
            if kind in shapes:
                found[f"in_{kind}"] = _covered(mine, tile, shapes[kind])
        return found

    parts, unplaced = map_tiles(candidates, work)
    tests = _tests(candidates, parts, rules, distances)
    return _told(candidates, tests), [*unplaced, *problems]


def _tests(
    candidates: pa.Table,
    parts: list[dict[str, Any]],
    rules: SitingRules,
    distances: Mapping[str, tuple[float | None, bool]],
) -> list[_Test]:
    def column(name: str) -> Floats:
        values = np.full(candidates.num_rows, np.nan)
        for part in parts:
            if name in part:
                values[part["rows"]] = part[name]
        return values

    tests = [_Test(f"off_{kind}", column(f"in_{kind}"), TOUCH_M2, False) for kind in rules.avoid]
    if rules.area_min_m2 is not None:
        tests.append(_Test("area", column("area"), rules.area_min_m2, True))
    if rules.slope_max_deg is not None:
        tests.append(_Test("slope", floats(candidates, "slope_mean_deg"), rules.slope_max_deg, False))
    for kind, (bound, at_least) in distances.items():
        if bound is not None:
            tests.append(_Test(kind, column(kind), bound, at_least))
    return tests


def _near(tile: Tile, shapes: Geometries, within_m: float) -> Geometries:
    """The shapes of a layer about a tile, in its plane."""
    if not len(shapes) or not len(tile.bounds):
        return np.empty(0, object)
    margin = within_m / 80_000  # degrees: generous up to 44° N, the ring beyond only costs time
    box = (*(tile.bounds[:, :2].min(0) - margin), *(tile.bounds[:, 2:].max(0) + margin))
    near: Geometries = np.asarray(shapes[shapely.intersects(shapes, shapely.box(*box))])
    return to_plane(near, tile.zone)


def _distance(mine: Geometries, tile: Tile, shapes: Geometries, reach_m: float) -> Floats:
    """Metres from each candidate to the nearest shape, `reach_m` where none is nearer."""
    metres = np.full(len(mine), reach_m, np.float64)
    near = _near(tile, shapes, reach_m)
    if len(near) and len(mine):
        (at, _), found = shapely.STRtree(near).query_nearest(
            mine, max_distance=reach_m, return_distance=True, all_matches=False
        )
        metres[at] = found
    return metres


def _covered(mine: Geometries, tile: Tile, shapes: Geometries) -> Floats:
    """Ground of each candidate [m²] under the layer."""
    near = _near(tile, shapes, 1.0)
    area = np.zeros(len(mine))
    if len(near) and len(mine):
        candidate, shape = shapely.STRtree(near).query(mine, predicate="intersects")
        # Overlapping shapes of one layer count once.
        for i in np.unique(candidate):
            under = shapely.union_all(near[shape[candidate == i]])
            area[i] = shapely.area(shapely.intersection(mine[i], under))
    return area


def _told(candidates: pa.Table, tests: list[_Test]) -> Screen:
    ids = text_column(candidates, "parcel_id")
    verdicts = {test.name: test.verdict() for test in tests}
    margins = {test.name: test.margin() for test in tests}
    told = [TESTS_SCHEMA.empty_table()]
    for test in tests:
        columns = {
            "parcel_id": pa.array(ids, pa.string()),
            "test": pa.array([test.name] * len(ids), pa.string()),
            "value": pa.array(test.value, from_pandas=True),
            "bound": pa.array([test.bound] * len(ids), pa.float64()),
            "verdict": pa.array(verdicts[test.name], pa.string()),
            "margin": pa.array(margins[test.name], from_pandas=True),
        }
        told.append(pa.table(columns, schema=TESTS_SCHEMA))
    rows: list[dict[str, Any]] = []
    for i, name in enumerate(ids):
        failed = [t for t, v in verdicts.items() if v[i] == FAIL]
        unknown = [t for t, v in verdicts.items() if v[i] == UNKNOWN]
        known = [m[i] for m in margins.values() if not np.isnan(m[i])]
        row = {"parcel_id": name, "failed": ", ".join(failed), "unknown": ", ".join(unknown)}
        status = FAIL if failed else UNKNOWN if unknown or not tests else PASS
        rows.append({**row, "status": status, "margin": float(np.mean(known)) if known else None})
    rows.sort(key=_worth)
    ranked = [{**row, "rank": i} for i, row in enumerate(rows, 1)]
    return Screen(pa.Table.from_pylist(ranked, schema=SCREEN_SCHEMA), pa.concat_tables(told))


def _worth(row: dict[str, Any]) -> tuple[int, float, str]:
    """Passes first, the unsettled next, then failures; the widest margin first."""
    margin = row["margin"] if row["margin"] is not None else -2.0
    return (PASS, UNKNOWN, FAIL).index(row["status"]), -margin, row["parcel_id"]
