"""What small spaces (under bridges, corners) should become: unmet need within a walk, municipal needs first.

Need sits where people are. Facilities that exist serve those who reach them; what is left is unmet. Then,
function by function in order of priority, the spaces that reach most unmet need take it on, as much as
they have room for, and the need they meet is struck off for the next. One space may take several
functions that bear each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa

from panhuo.core.problems import PanhuoError, Problem
from panhuo.inventory.geometry import Floats, Ints, column_or_nulls, floats, text_column
from panhuo.inventory.spec import problem
from panhuo.inventory.walk import Reach, Streets, planar_points, reach

OTHER: Final = "other"
KEPT: Final = "kept"

PLAN_SCHEMA: Final = pa.schema(
    [
        ("site_id", pa.string()),
        ("function", pa.string()),
        ("is_main", pa.bool_()),
        ("area_m2", pa.float64()),
        ("unmet_before_m2", pa.float64()),
        ("people_places", pa.int64()),
        ("reason", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Function:
    """A function a space may take. priority: 1 first; least_m2: no smaller; share_max: of a space [1];
    alone: bears no other beside it; height_min_m: clear height it needs [m], None if any; m2_per_person:
    need of a person, None where the need is given as places of its own."""

    id: str
    priority: int
    least_m2: float
    share_max: float = 1.0
    alone: bool = False
    height_min_m: float | None = None
    m2_per_person: float | None = None


@dataclass(frozen=True, slots=True)
class FunctionPlan:
    """plan: PLAN_SCHEMA, one row per space and function; totals: function, sites (by main function),
    area_m2."""

    plan: pa.Table
    totals: pa.Table


@dataclass
class _Site:
    """A space being planned."""

    area: float
    height: float
    room: float
    closed: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)


def functions(table: Sequence[Mapping[str, Any]]) -> list[Function]:
    """The functions of a table-valued parameter, in order of priority."""
    return sorted((Function(**row) for row in table), key=lambda f: (f.priority, f.id))


def function_plan(
    sites: pa.Table,
    network: Streets,
    offered: Sequence[Function],
    *,
    population: pa.Table | None,
    needs: Mapping[str, pa.Table],
    supply: Mapping[str, pa.Table],
    walk_m: float,
    door_m: float,
) -> tuple[FunctionPlan, list[Problem]]:
    """A function for every space, with its reason.

    sites: site_id, area_m2, `lon` `lat` or `geometry`, and if known clear_height_m and kept_function (a
    use that stays); population: places with `people`; needs, supply: function → places with `amount_m2`;
    walk_m: how far people walk [m]; door_m: how far from a street a place may lie [m]. A space that
    reaches no street is not planned: its row says so and there is a problem row. A function whose need
    nobody gave is refused by name.
    """
    ids = text_column(sites, "site_id")
    places = planar_points(sites, network.zone)
    plan = [
        _Site(a, h, a) for a, h in zip(floats(sites, "area_m2"), floats(sites, "clear_height_m"), strict=True)
    ]
    problems = _keep(plan, column_or_nulls(sites, "kept_function", pa.string()).to_pylist(), ids)
    problems += _reached(plan, ids, reach(network, places, network.nodes, door_m, door_m))
    for function in sorted(offered, key=lambda f: (f.priority, f.id)):
        at, need = _need(function, population, needs, network)
        seen = reach(network, places, at, walk_m, door_m)
        left = need.copy()
        if function.id in supply:
            existing = supply[function.id]
            served = reach(network, planar_points(existing, network.zone), at, walk_m, door_m)
            left -= _served(existing, served, need)
        _allot(function, plan, seen, left)
    rows = []
    for name, site in zip(ids, plan, strict=True):
        if not site.rows:
            site.rows.append(
                _row(OTHER, site.area, 0.0, 0, "步行范围内无未满足需求 no unmet need within the walk")
            )
        main = max(range(len(site.rows)), key=lambda i, rows=site.rows: rows[i]["area_m2"] or 0.0)  # type: ignore[misc]
        rows += [{"site_id": name, "is_main": i == main, **row} for i, row in enumerate(site.rows)]
    table = pa.Table.from_pylist(rows, schema=PLAN_SCHEMA)
    return FunctionPlan(table, _totals(table)), problems


def _keep(plan: list[_Site], kept: list[str | None], ids: list[str]) -> list[Problem]:
    """Spaces whose use stays, and spaces whose size nobody gave."""
    problems = []
    for site, use, name in zip(plan, kept, ids, strict=True):
        if use:
            site.rows.append(_row(use, site.area, 0.0, 0, "现状用途保留 its present use stays"))
            site.closed = True
        elif not np.isfinite(site.area) or site.area <= 0:
            site.rows.append(_row(OTHER, None, 0.0, 0, "面积未知，未规划 area unknown, not planned"))
            site.closed = True
            problems.append(problem("required_missing", field="area_m2", value=name, action="not planned"))
    return problems


def _reached(plan: list[_Site], ids: list[str], doors: Reach) -> list[Problem]:
    on_street = set(doors.source.tolist())
    problems = []
    for row, (site, name) in enumerate(zip(plan, ids, strict=True)):
        if row not in on_street and not site.closed:
            site.rows.append(
                _row(OTHER, site.area, 0.0, 0, "不临路，步行不可达 off every street, nobody reaches it")
            )
            site.closed = True
            problems.append(
                problem("no_street", field="geometry", value=name, row=row + 1, action="not planned")
            )
    return problems


def _need(
    function: Function, population: pa.Table | None, needs: Mapping[str, pa.Table], network: Streets
) -> tuple[Floats, Floats]:
    """Where the function is needed and how much [m²]."""
    if function.id in needs:
        table = needs[function.id]
        return planar_points(table, network.zone), np.nan_to_num(floats(table, "amount_m2"))
    if population is None or function.m2_per_person is None:
        raise PanhuoError(
            f"功能 {function.id} 的需求未给出 nobody gave the need for this function",
            remedy="给出人口与人均标准，或给出需求点 give people and a standard, or places of need",
        )
    people = np.nan_to_num(floats(population, "people"))
    return planar_points(population, network.zone), people * function.m2_per_person


def _served(existing: pa.Table, seen: Reach, need: Floats) -> Floats:
    """Need that existing facilities meet: each spreads over those who reach it, by their need, to its
    capacity."""
    met = np.zeros(len(need))
    for facility, amount in enumerate(np.nan_to_num(floats(existing, "amount_m2"))):
        _strike(need, met, seen.target[seen.source == facility], amount)
    return met


def _strike(need: Floats, met: Floats, mine: Ints, amount: float) -> float:
    """Meets up to `amount` of what is left of the need at `mine`, evenly; returns how much."""
    left = np.maximum(need[mine] - met[mine], 0)
    total = float(left.sum())
    used = min(amount, total)
    if used > 0:
        met[mine] += left * (used / total)
    return used


def _allot(function: Function, plan: list[_Site], seen: Reach, left: Floats) -> None:
    """Gives the function to the spaces that reach most unmet need first; ties go by the spaces' order."""
    met = np.zeros(len(left))
    order = np.argsort(seen.source, kind="stable")
    starts = np.searchsorted(seen.source[order], np.arange(len(plan) + 1))
    mine = [seen.target[order[starts[i] : starts[i + 1]]] for i in range(len(plan))]
    reached = np.array([np.maximum(left[m], 0).sum() for m in mine])
    for i in np.argsort(-reached, kind="stable"):
        site = plan[i]
        unmet = float(np.maximum(left[mine[i]] - met[mine[i]], 0).sum())
        room = min(site.room, site.area * function.share_max)
        if site.closed or not _fits(function, site) or min(room, unmet) < function.least_m2:
            continue
        used = _strike(left, met, mine[i], room)
        reason = f"步行范围内缺口 {unmet:.0f} m²，本处安排 {used:.0f} m² unmet within the walk, met here"
        site.rows.append(_row(function.id, used, unmet, len(mine[i]), reason))
        site.room -= used
        site.closed = function.alone


def _fits(function: Function, site: _Site) -> bool:
    """Whether the space bears the function: an unknown clear height bears none that needs one."""
    if function.alone and site.rows:
        return False
    return function.height_min_m is None or bool(site.height >= function.height_min_m)


def _row(function: str, area: float | None, unmet: float, places: int, reason: str) -> dict[str, Any]:
    return {
        "function": function,
        "area_m2": area,
        "unmet_before_m2": unmet,
        "people_places": places,
        "reason": reason,
    }


def _totals(plan: pa.Table) -> pa.Table:
    counted: dict[str, list[float]] = {}
    for row in plan.to_pylist():
        total = counted.setdefault(row["function"], [0, 0.0])
        total[0] += int(row["is_main"])
        total[1] += row["area_m2"] or 0.0
    names = sorted(counted)
    return pa.table(
        {
            "function": pa.array(names, pa.string()),
            "sites": pa.array([int(counted[n][0]) for n in names], pa.int64()),
            "area_m2": pa.array([counted[n][1] for n in names], pa.float64()),
        }
    )
