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

from panhuo.appraise.appraisal import Appraisal
from panhuo.appraise.compare import PUBLIC, appraisal_table, public_npv, public_outlay
from panhuo.appraise.law import Law
from panhuo.appraise.nothing import doing_nothing
from panhuo.appraise.run import Case, MissingInputsError, appraise, model_of
from panhuo.core.problems import PanhuoError
from panhuo.core.units import mu_to_m2
from panhuo.plan.explain import easy_first, shadow_prices, smallest_conflict, words_of
from panhuo.plan.place import division_of, place
from panhuo.plan.problem import PlanProblem, Routes, Target
from panhuo.plan.solve import Infeasible, Plan, solve
from panhuo.rulebook.book import Rulebook, read_yaml
from panhuo.workspace.compares import case_of, given_inputs, keep_appraisals, replace_table
from panhuo.workspace.store import Workspace

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
TARGET_KEYS: Final = {"targets", "bond_quota_wan", "staff_days", "staff_days_per_tool", "exclusive", "needs"}


@dataclass(frozen=True)
class Candidate:
    """A tool of a parcel that could be appraised."""

    facts: Mapping[str, Any]
    appraisal: Appraisal
    status: str
    benefit_wan: float


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
) -> dict[str, Any]:
    """The plan as `panhuo plan --json` gives it: {objective_wan, gap, spent_wan, chosen, …}; kept in plan.parquet.

    budget_wan: over all years; with_check: also tools whose requirements are still to be verified. Raises
    PanhuoError where targets cannot hold, naming the smallest set that cannot.
    """
    given, wishes = given_inputs(ws, inputs), read_targets(targets)
    made = make_plan(
        ws, given, wishes, budget_wan=budget_wan, years=years, on=on, gap=gap, with_check=with_check, law=law
    )
    keep_appraisals(ws, made.appraisals, sorted(set(made.appraisals["parcel_id"].to_pylist())))
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
    wishes: Mapping[str, Any],
    *,
    budget_wan: float | None,
    years: int = 1,
    on: date | None = None,
    gap: float = 0.005,
    with_check: bool = False,
    law: Path | None = None,
    units: Collection[str] | None = None,
) -> Made:
    """The plan of the workspace, or of the parcels `units` alone; writes nothing.

    given, wishes: inputs and targets as `given_inputs` and `read_targets` give them; the rest as in `plan_workspace`.
    """
    facts, options = ws.assessment("facts"), ws.assessment("options")
    if facts is None or options is None:
        raise PanhuoError(
            "还没有诊断结果 no assessment yet", where=str(ws.root), remedy="先运行 panhuo assess first"
        )
    if units is not None:
        ids = pa.array(sorted(units), pa.string())
        facts, options = (t.filter(pc.is_in(t["parcel_id"], ids)) for t in (facts, options))
    book = Rulebook.load(law)
    found, refused = candidates(facts, options, given, book, on, with_check)
    problem = problem_of(found, book, years, budget_wan, wishes)
    best = _solved(problem, gap)
    rows = chosen_rows(problem, best, found)
    easy = easy_first(problem)
    values = problem.values()
    told = {
        "objective_wan": round(best.objective_wan, 6),
        "gap": round(best.gap, 6),
        "bound_wan": round(best.bound_wan, 6),
        "spent_wan": round(sum(r["cost_wan"] for r in rows), 6),
        "years": years,
        "budget_wan": budget_wan,
        "chosen": rows,
        "shadow_prices": shadow_prices(best),
        "easy_first": {"objective_wan": round(float(values[easy].sum()), 6), "parcels": len(easy)},
        "appraised": len(found),
        "refused": refused,
        "left_to_check": 0 if with_check else sum(s == "check" for s in options["status"].to_pylist()),
        "law_version": book.version,
    }
    return Made(
        told, appraisal_table([c.appraisal for c in found]), left_out(found, refused, rows, budget_wan)
    )


def left_out(
    found: Sequence[Candidate],
    refused: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
    budget_wan: float | None,
) -> list[dict[str, Any]]:
    """Each parcel not chosen with its best tool and why: no_gain, over_budget, outbid, or missing inputs."""
    chosen = {row["parcel_id"] for row in rows}
    best: dict[str, Candidate] = {}
    for each in found:
        held = best.get(each.appraisal.parcel_id)
        if each.appraisal.parcel_id not in chosen and (held is None or each.benefit_wan > held.benefit_wan):
            best[each.appraisal.parcel_id] = each
    told = []
    for parcel, each in best.items():
        cost = public_outlay(each.appraisal)
        dear = budget_wan is not None and cost > budget_wan
        why = "no_gain" if each.benefit_wan <= 0 else "over_budget" if dear else "outbid"
        told.append(
            {"parcel_id": parcel, "tool_id": each.appraisal.tool_id, "why": why, "cost_wan": cost,
             "benefit_wan": each.benefit_wan, "missing": []}
        )  # fmt: skip
    seen = {*chosen, *best}
    for row in refused:
        if row["parcel_id"] not in seen:
            seen.add(row["parcel_id"])
            told.append(
                {"parcel_id": row["parcel_id"], "tool_id": row["tool_id"], "why": "missing", "cost_wan": None,
                 "benefit_wan": None, "missing": row["missing"]}
            )  # fmt: skip
    return told


def _solved(problem: PlanProblem, gap: float) -> Plan:
    try:
        return solve(problem, gap=gap)
    except Infeasible:
        conflict = [words_of(group) for group in smallest_conflict(problem)]
        raise PanhuoError(
            "目标与限制不能同时满足 (targets and limits cannot all hold)",
            where="; ".join(c["limit"] for c in conflict),
            why="这是不能同时成立的最小一组 (the smallest set that cannot hold together): "
            + " ".join(c["zh"] for c in conflict),
            remedy="放宽其中任一项 (relax any one of them)",
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


def candidates(
    facts: pa.Table,
    options: pa.Table,
    given: Mapping[str, Any],
    book: Rulebook,
    on: date | None,
    with_check: bool,
) -> tuple[list[Candidate], list[dict[str, Any]]]:
    """Every open tool (with those to check when asked), appraised; and those refused, with what is missing."""
    rows = {row["parcel_id"]: row for row in facts.to_pylist()}
    found: list[Candidate] = []
    refused: list[dict[str, Any]] = []
    nothing: dict[str, float] = {}
    wanted = ("open", "check") if with_check else ("open",)
    for option in options.to_pylist():
        parcel, tool = option["parcel_id"], option["tool_id"]
        if option["status"] not in wanted or parcel not in rows or model_of(tool, book) is None:
            continue
        case = case_of(rows[parcel], given, on, "inputs")
        try:
            made = appraise(tool, case, book)
        except MissingInputsError as fault:
            refused.append({"parcel_id": parcel, "tool_id": tool, "missing": fault.missing})
            continue
        if parcel not in nothing:
            nothing[parcel] = _nothing(case, book)
        gain = public_npv(made) - nothing[parcel]
        found.append(Candidate(rows[parcel], made, option["status"], round(gain, 6)))
    return found, refused


def _nothing(case: Case, book: Rulebook) -> float:
    """NPV of the public purse when nothing is done; 0 where not even the area is known."""
    return (
        public_npv(doing_nothing(case, book))
        if case.ledger.get("area_m2") or case.given.get("area_m2")
        else 0.0
    )


def read_targets(path: Path | None) -> dict[str, Any]:
    """The targets file (see docs/money/plan.md); empty when there is none."""
    if path is None:
        return {}
    if not path.is_file():
        raise PanhuoError("没有这个目标文件 no such targets file", where=str(path))
    wishes: dict[str, Any] = read_yaml(path) or {}
    if unknown := set(wishes) - TARGET_KEYS:
        raise PanhuoError(
            f"目标文件有不认识的键 unknown keys: {', '.join(sorted(unknown))}",
            where=str(path),
            remedy=", ".join(sorted(TARGET_KEYS)),
        )
    return wishes


def problem_of(
    found: Sequence[Candidate],
    book: Rulebook,
    years: int,
    budget_wan: float | None,
    wishes: Mapping[str, Any],
) -> PlanProblem:
    """The planning problem of appraised routes. Discount rate of the national law of the first route's date."""
    tools = [c.appraisal.tool_id for c in found]
    staff = wishes.get("staff_days_per_tool") or {}
    routes = Routes(
        parcel_id=[c.appraisal.parcel_id for c in found],
        tool_id=tools,
        division=[str(c.facts.get("division") or "") for c in found],
        area_m2=np.array([float(c.facts.get("area_m2") or 0.0) for c in found]),
        cost_wan=np.array([public_outlay(c.appraisal) for c in found]),
        benefit_wan=np.array([c.benefit_wan for c in found]),
        bond_wan=np.array([bonds_drawn(c.appraisal) for c in found]),
        staff_days=np.array([float(staff.get(tool, 0.0)) for tool in tools]),
        ease=np.array([c.appraisal.months or np.inf for c in found]),
        measures=[frozenset({t, book.tools[t].class_, book.tools[t].batch or ""}) for t in tools],
    )
    rate = Law(book).number("finance.discount_rate", found[0].appraisal.on) if found else 0.0
    targets = [
        Target(
            float(t["least_m2"]) if "least_m2" in t else mu_to_m2(float(t["least_mu"])),
            str(t.get("division", "")),
            str(t.get("measure", "")),
            int(t.get("year", 0)),
        )
        for t in wishes.get("targets") or []
    ]
    return PlanProblem(
        routes,
        years,
        budget_wan=budget_wan,
        bond_quota_wan=wishes.get("bond_quota_wan"),
        staff_days=wishes.get("staff_days"),
        targets=targets,
        exclusive=[tuple(p) for p in wishes.get("exclusive") or []],
        needs=[tuple(p) for p in wishes.get("needs") or []],
        discount_rate=rate,
    )


def bonds_drawn(appraisal: Appraisal) -> float:
    """Bond money the public side draws [万元]."""
    return sum(f.amount_wan for f in appraisal.flows if f.kind == "bond_proceeds" and f.party in PUBLIC)


def chosen_rows(problem: PlanProblem, plan: Plan, found: Sequence[Candidate]) -> list[dict[str, Any]]:
    """The chosen routes in the order to do them: by year, easiest first, then by benefit."""
    picked = [(int(v) % problem.years + 1, found[int(v) // problem.years]) for v in plan.chosen]
    picked.sort(
        key=lambda p: (p[0], p[1].appraisal.months or np.inf, -p[1].benefit_wan, p[1].appraisal.parcel_id)
    )
    return [
        {
            "parcel_id": c.appraisal.parcel_id,
            "tool_id": c.appraisal.tool_id,
            "year": year,
            "order_no": n,
            "cost_wan": public_outlay(c.appraisal),
            "benefit_wan": c.benefit_wan,
            "status": c.status,
        }
        for n, (year, c) in enumerate(picked, 1)
    ]


def place_workspace(ws: Workspace, *, on: date | None = None, law: Path | None = None) -> dict[str, Any]:
    """Demands matched with land that has a finding: {placed: […], unplaced: n}.

    The industries of a park are those of the enterprises registered in the plot's division.
    """
    demands, facts, options = ws.dataset("demands"), ws.assessment("facts"), ws.assessment("options")
    if demands is None or facts is None or options is None:
        raise PanhuoError(
            "缺少用地需求或诊断结果 no demands or no assessment",
            where=str(ws.root),
            remedy="panhuo import / assess first",
        )
    offered = set(options["parcel_id"].to_pylist())
    firms = ws.dataset("enterprises", columns=["division", "industry"])
    parks: dict[str, set[int]] = {}
    for firm in firms.to_pylist() if firms is not None else []:
        if (industry := division_of(firm["industry"])) is not None and firm["division"]:
            parks.setdefault(firm["division"], set()).add(industry)
    land = [
        row | {"park_industries": parks.get(row["division"] or "")}
        for row in facts.to_pylist()
        if row["parcel_id"] in offered
    ]
    day = on or max(row["as_of"] for row in land)
    placed = place(demands.to_pylist(), land, Rulebook.load(law), day, str(ws.config.get("place", "")))
    return {"placed": placed, "unplaced": sum(p["assigned"] is None for p in placed), "plots": len(land)}
