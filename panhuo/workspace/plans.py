"""Planning a workspace: every admissible tool of every parcel appraised, then the best set under the limits.

The benefit of a route is what the public purse gains in present value against doing nothing; its cost is the most the
purse is ever out of pocket. A route whose inputs are missing is left out and named.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from panhuo.appraise.law import Law
from panhuo.core.names import check_names
from panhuo.core.problems import PanhuoError
from panhuo.core.progress import Tick, silent
from panhuo.plan.explain import easy_first, shadow_prices, smallest_conflict, words_of
from panhuo.plan.place import division_of, place
from panhuo.plan.problem import Floats, PlanProblem, Routes
from panhuo.plan.solve import Infeasible, Plan, solve
from panhuo.rulebook.book import Rulebook
from panhuo.workspace.candidates import Candidates, candidates
from panhuo.workspace.compares import check_units, given_inputs, keep_appraisals, replace_table, tool_names
from panhuo.workspace.store import Workspace
from panhuo.workspace.targets import Wishes, read_targets

PLAN: Final = pa.schema(
    [
        ("parcel_id", pa.string()),
        ("tool_id", pa.string()),
        ("year", pa.int32()),
        ("order_no", pa.int32()),
        ("cost_wan", pa.float64()),
        ("benefit_wan", pa.float64()),
    ]
)
CHOSEN: Final = PLAN.append(pa.field("status", pa.string()))
LEFT_OUT: Final = pa.schema(
    [
        ("parcel_id", pa.string()),
        ("tool_id", pa.string()),
        ("why", pa.string()),
        ("cost_wan", pa.float64()),
        ("benefit_wan", pa.float64()),
        ("missing", pa.list_(pa.string())),
    ]
)
"""The rows of a plan in the making: those chosen, and each parcel that was not (`left_out`)."""


def plan_workspace(
    ws: Workspace,
    *,
    budget_wan: float | None,
    years: int = 1,
    targets: Path | None = None,
    inputs: Path | None = None,
    on: date | None = None,
    gap: float = 0.005,
    with_check: bool = False,
    law: Path | None = None,
    tick: Tick = silent,
) -> dict[str, Any]:
    """The plan as `panhuo plan --json` gives it: {objective_wan, gap, spent_wan, chosen, …}; kept in plan.parquet.

    budget_wan: over all years; with_check: also tools whose requirements are still to be verified. Raises
    PanhuoError where targets cannot hold, naming the smallest set that cannot.
    """
    given, wishes = given_inputs(ws, inputs), read_targets(targets)
    check_units(ws, wishes.parcels, f"{targets} · exclusive, needs")
    made = make_plan(
        ws, given, wishes, budget_wan=budget_wan, years=years, on=on, gap=gap, with_check=with_check, law=law,
        tick=tick,
    )  # fmt: skip
    keep_appraisals(ws, made.appraisals, pc.unique(made.appraisals["parcel_id"]).to_pylist())
    keep_plan(ws, made.told["chosen"])
    return made.told


@dataclass(frozen=True)
class Made:
    """A plan not yet kept: what is told of it, the appraisals it rests on, and the parcels left out with why."""

    told: dict[str, Any]
    appraisals: pa.Table
    left_out: list[dict[str, Any]]


def make_plan(
    ws: Workspace,
    given: Mapping[str, Any],
    wishes: Wishes,
    *,
    budget_wan: float | None,
    years: int = 1,
    on: date | None = None,
    gap: float = 0.005,
    with_check: bool = False,
    law: Path | None = None,
    units: Collection[str] | None = None,
    tick: Tick = silent,
) -> Made:
    """The plan of the workspace, or of the parcels `units` alone; writes nothing.

    given: inputs as `given_inputs` gives them; the rest as in `plan_workspace`.
    """
    book = Rulebook.load(law)
    check_wishes(wishes, book)
    found = candidates(ws, given, book, on, with_check=with_check, units=units, tick=tick)
    problem = problem_of(found.routes, book, years, budget_wan, wishes)
    tick("plan", 0, 1)
    best = _solved(problem, gap, area_unknown(found.routes))
    rows = chosen_rows(best, found.routes, years)
    easy = easy_first(problem)
    told = {
        "objective_wan": round(best.objective_wan, 6),
        "gap": round(best.gap, 6),
        "bound_wan": round(best.bound_wan, 6),
        "spent_wan": round(sum(r["cost_wan"] for r in rows), 6),
        "years": years,
        "budget_wan": budget_wan,
        "chosen": rows,
        "shadow_prices": shadow_prices(best),
        "easy_first": {
            "objective_wan": round(float(problem.values()[easy].sum()), 6),
            "parcels": len(easy),
        },
        "appraised": found.routes.num_rows,
        "refused": found.refused.to_pylist(),
        "left_to_check": found.left_to_check,
        "area_unknown": area_unknown(found.routes),
        "law_version": book.version,
    }
    return Made(told, found.appraisals, left_out(found, best, years, budget_wan))


def check_wishes(wishes: Wishes, book: Rulebook) -> None:
    """Raises PanhuoError naming a tool, class or batch of tools that is wished for and does not exist."""
    tools = tool_names(book)
    kinds = {kind for tool in book.tools.values() for kind in (tool.class_, tool.batch) if kind}
    check_names(wishes.staff_days_per_tool, tools, "工具 tool", "staff_days_per_tool")
    asked = [target.measure for target in wishes.targets if target.measure]
    check_names(asked, [*tools, *sorted(kinds)], "工具、类或批 tool, class or batch", "targets · measure")


def area_unknown(routes: pa.Table) -> list[str]:
    """The parcels whose area nobody knows, which no target of land counts."""
    return sorted(pc.unique(routes["parcel_id"].filter(pc.is_null(routes["area_m2"]))).to_pylist())


def left_out(found: Candidates, plan: Plan, years: int, budget_wan: float | None) -> list[dict[str, Any]]:
    """Each parcel not chosen with its best tool and why: no_gain, over_budget, outbid, or missing inputs."""
    parcels = found.routes["parcel_id"]
    chosen = set(parcels.take(pa.array(plan.chosen // years)).to_pylist())
    best: dict[str, int] = {}
    gains = found.routes["benefit_wan"].to_pylist()
    for number, (parcel, gain) in enumerate(zip(parcels.to_pylist(), gains, strict=True)):
        if parcel not in chosen and (parcel not in best or gain > gains[best[parcel]]):
            best[parcel] = number
    told = []
    names = ["parcel_id", "tool_id", "cost_wan", "benefit_wan"]
    for row in found.routes.select(names).take(pa.array(list(best.values()), pa.int64())).to_pylist():
        dear = budget_wan is not None and row["cost_wan"] > budget_wan
        why = "no_gain" if row["benefit_wan"] <= 0 else "over_budget" if dear else "outbid"
        told.append({**row, "why": why, "missing": []})
    seen = {*chosen, *best}
    for row in found.refused.to_pylist():
        if row["parcel_id"] not in seen:
            seen.add(row["parcel_id"])
            told.append({**row, "why": "missing", "cost_wan": None, "benefit_wan": None})
    return told


def _solved(problem: PlanProblem, gap: float, uncounted: Sequence[str]) -> Plan:
    try:
        return solve(problem, gap=gap)
    except Infeasible:
        conflict = [words_of(group) for group in smallest_conflict(problem)]
        raise PanhuoError(
            "目标与限制不能同时满足 (targets and limits cannot all hold)",
            where="; ".join(c["limit"] for c in conflict),
            why="这是不能同时成立的最小一组 (the smallest set that cannot hold together): "
            + " ".join(c["zh"] for c in conflict),
            remedy="放宽其中任一项 (relax any one of them)"
            + (
                f"；面积不明的 {len(uncounted)} 宗未计入，可在台账补面积 (or give the areas the ledger lacks)"
                if uncounted and problem.targets
                else ""
            ),
        ) from None


def keep_plan(ws: Workspace, rows: Sequence[Mapping[str, Any]], units: Collection[str] | None = None) -> None:
    """Puts a plan into plan.parquet: in place of all that is there, or of the rows of the parcels `units` alone."""
    table = pa.Table.from_pylist([{k: r[k] for k in PLAN.names} for r in rows], schema=PLAN)
    with ws.locked():
        held = ws.assessment("plan") if units is not None else None
        if held is not None:
            own = pc.is_in(held["parcel_id"], pa.array(sorted(units or ()), pa.string()))
            table = pa.concat_tables([held.select(PLAN.names).filter(pc.invert(own)).cast(PLAN), table])
        replace_table(ws, "plan", table)


def problem_of(
    found: pa.Table, book: Rulebook, years: int, budget_wan: float | None, wishes: Wishes
) -> PlanProblem:
    """The planning problem of appraised routes. Discount rate of the national law of the first route's date.

    Land of unknown area counts towards no target: what a plan promises to put right is land that is known.
    """
    staff = wishes.staff_days_per_tool
    tools = found["tool_id"].to_pylist()
    measures = {t: frozenset({t, book.tools[t].class_, book.tools[t].batch or ""}) for t in set(tools)}
    routes = Routes(
        parcel_id=found["parcel_id"].to_pylist(),
        tool_id=tools,
        division=found["division"].to_pylist(),
        area_m2=pc.fill_null(found["area_m2"], 0.0).to_numpy(),
        **{n: found[n].to_numpy() for n in ("cost_wan", "benefit_wan", "bond_wan")},
        staff_days=np.array([staff.get(tool, 0.0) for tool in tools]),
        ease=_ease(found),
        measures=[measures[t] for t in tools],
    )
    rate = Law(book).number("finance.discount_rate", found["on"][0].as_py()) if found.num_rows else 0.0
    return PlanProblem(
        routes,
        years,
        budget_wan=budget_wan,
        bond_quota_wan=wishes.bond_quota_wan,
        staff_days=wishes.staff_days,
        targets=[wanted.target() for wanted in wishes.targets],
        exclusive=wishes.exclusive,
        needs=wishes.needs,
        discount_rate=rate,
    )


def _ease(found: pa.Table) -> Floats:
    """Months of each route; one whose time nobody knows comes last."""
    months = pc.fill_null(found["months"], 0.0).to_numpy()
    return np.where(months > 0, months, np.inf)


def chosen_rows(plan: Plan, found: pa.Table, years: int) -> list[dict[str, Any]]:
    """The chosen routes in the order to do them: by year, easiest first, then by benefit."""
    route, year = plan.chosen // years, plan.chosen % years + 1
    picked = found.take(pa.array(route))
    parcel = picked["parcel_id"].to_numpy(zero_copy_only=False).astype(str)
    order = np.lexsort((parcel, -picked["benefit_wan"].to_numpy(), _ease(picked), year))
    rows = picked.take(pa.array(order)).to_pylist()
    return [
        {
            "parcel_id": row["parcel_id"],
            "tool_id": row["tool_id"],
            "year": int(year[order[n]]),
            "order_no": n + 1,
            "cost_wan": row["cost_wan"],
            "benefit_wan": row["benefit_wan"],
            "status": row["status"],
        }
        for n, row in enumerate(rows)
    ]


PLOT: Final = (
    "parcel_id",
    "as_of",
    "division",
    "area_m2",
    "building_vacant_m2",
    "planned_class",
    "land_class",
    "services",
)
"""The facts that demands are held against."""


def place_workspace(ws: Workspace, *, on: date | None = None, law: Path | None = None) -> dict[str, Any]:
    """Demands matched with land that has a finding: {placed: […], unplaced: n}.

    The industries of a park are those of the enterprises registered in the plot's division.
    """
    demands = ws.dataset("demands")
    offering = None if demands is None else ws.assessment("options", columns=("parcel_id",))
    if demands is None or offering is None:
        raise PanhuoError(
            "缺少用地需求或诊断结果 no demands or no assessment",
            where=str(ws.root),
            remedy="panhuo import / assess first",
        )
    offered = pc.unique(offering["parcel_id"])
    folder = ws.assessment_dir()
    assert folder is not None
    held = pq.read_schema(
        folder / "facts.parquet"
    ).names  # an older assessment lacks what its program did not know
    facts = ws.assessment(
        "facts", columns=[c for c in PLOT if c in held], rows=pc.field("parcel_id").isin(offered)
    )
    assert facts is not None, "written with the options"
    facts = facts.append_column("park_industries", _industries_near(ws, facts["division"]))
    day = on or pc.max(facts["as_of"]).as_py()
    placed = place(demands.to_pylist(), facts, Rulebook.load(law), day, str(ws.config.get("place", "")))
    return {"placed": placed, "unplaced": sum(p["assigned"] is None for p in placed), "plots": facts.num_rows}


def _industries_near(ws: Workspace, divisions: pa.ChunkedArray) -> pa.Array:
    """The two-digit industries registered in the division of each plot, as words; null where nobody knows of any."""
    firms = ws.dataset("enterprises", columns=["division", "industry"])
    found: dict[str, set[str]] = {}
    for firm in firms.to_pylist() if firms is not None else []:
        if (industry := division_of(firm["industry"])) is not None and firm["division"]:
            found.setdefault(firm["division"], set()).add(f"{industry:02}")
    places = pa.array(list(found), pa.string())
    told = pa.array(["、".join(sorted(codes)) for codes in found.values()], pa.string())
    return told.take(pc.index_in(divisions.combine_chunks(), places))
