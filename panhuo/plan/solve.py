"""Solving a plan with HiGHS: linear relaxation, rounding, and branch and bound only where the gap still asks for it.

The relaxation bounds the best plan from above and prices each limit. A plan of many parcels and few limits has few
fractional parcels, so rounding is mostly within the gap at once; the bound proves it. A plan of a province is relaxed
parcel by parcel (`relax`), and only the parcels that the prices leave in doubt are planned exactly.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import highspy
import numpy as np
from scipy.sparse import coo_matrix

from panhuo.core.problems import PanhuoError
from panhuo.plan.constraints import ALL
from panhuo.plan.problem import Floats, Ints, PlanProblem, Rows
from panhuo.plan.relax import Relaxed, at_most, relax

WHOLE: Final = 1e-6
"""Distance from a whole number that counts as whole."""
LARGE: Final = 60_000
"""Variables beyond which the relaxation is found by parcels: the simplex method slows with their square."""
CORE: Final = 3_000
"""Parcels least sure of their choice, planned exactly."""


@dataclass(frozen=True)
class Matrix:
    """All rows of a problem, stacked, by row (CSR) and by column (CSC)."""

    groups: tuple[str, ...]
    lower: Floats
    upper: Floats
    by_row: Any
    by_col: Any


@dataclass(frozen=True)
class Plan:
    """Chosen variables, their value, the proven bound, the gap to it and the price of each limit [per unit]."""

    chosen: Ints
    objective_wan: float
    bound_wan: float
    gap: float
    prices: dict[str, float]


class Infeasible(Exception):  # noqa: N818
    """No plan keeps every limit and target."""


def stack(problem: PlanProblem, keep: Collection[str] | None = None) -> Matrix:
    """The rows of every constraint; `keep`: only these groups (choose_once always stays)."""
    parts: list[Rows] = [constraint.rows(problem) for constraint in ALL]
    offset = 0
    groups: list[str] = []
    row: list[Ints] = []
    col: list[Ints] = []
    value: list[Floats] = []
    lower = np.concatenate([p.lower for p in parts])
    upper = np.concatenate([p.upper for p in parts])
    for part in parts:
        groups += part.groups
        row.append(part.row + offset)
        col.append(part.col)
        value.append(part.value)
        offset += len(part.groups)
    shape = (offset, problem.size)
    whole = coo_matrix((np.concatenate(value), (np.concatenate(row), np.concatenate(col))), shape).tocsr()
    if keep is not None:
        kept = np.flatnonzero([g == "choose_once" or g in keep for g in groups])
        whole, lower, upper = whole[kept], lower[kept], upper[kept]
        groups = [groups[n] for n in kept]
    return Matrix(tuple(groups), lower, upper, whole, whole.tocsc())


def model(matrix: Matrix, values: Floats, *, is_integer: bool) -> highspy.HighsLp:
    """The HiGHS model: maximise values · x, 0 ≤ x ≤ 1."""
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(values), len(matrix.groups)
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = values, np.zeros(len(values)), np.ones(len(values))
    lp.row_lower_, lp.row_upper_ = matrix.lower, matrix.upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = matrix.by_col.indptr
    lp.a_matrix_.index_ = matrix.by_col.indices
    lp.a_matrix_.value_ = matrix.by_col.data
    if is_integer:
        lp.integrality_ = [highspy.HighsVarType.kInteger] * len(values)
    return lp


def solver(lp: highspy.HighsLp, seconds: float) -> highspy.Highs:
    """A quiet solver holding `lp`; one thread and a fixed seed, so the same plan comes out everywhere."""
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("random_seed", 1)
    highs.setOptionValue("time_limit", seconds)
    highs.passModel(lp)
    return highs


def solve(problem: PlanProblem, *, gap: float = 0.005, seconds: float = 60.0) -> Plan:
    """The best plan to within `gap` of the bound, or the best found in `seconds`.

    Raises Infeasible when no plan keeps the limits; `explain.smallest_conflict` then says which cannot hold together.
    Raises PanhuoError when none was found in time.
    """
    if problem.size > LARGE:
        return _solve_large(problem, gap, seconds)
    return _solve_whole(problem, stack(problem), problem.values(), gap, seconds)


def _solve_whole(problem: PlanProblem, matrix: Matrix, values: Floats, gap: float, seconds: float) -> Plan:
    """By the linear relaxation of all variables, rounding, and branch and bound."""
    relaxed = solver(model(matrix, values, is_integer=False), seconds)
    relaxed.run()
    status = relaxed.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        raise Infeasible
    if status != highspy.HighsModelStatus.kOptimal:
        raise _out_of_time(seconds)
    bound = float(relaxed.getInfo().objective_function_value)
    solution = relaxed.getSolution()
    prices = {
        group: float(dual)
        for group, dual in zip(matrix.groups, solution.row_dual, strict=True)
        if group != "choose_once" and abs(dual) > WHOLE
    }
    chosen = rounded(problem, matrix, values, np.array(solution.col_value))
    if chosen is not None and bound - float(values[chosen].sum()) <= gap * max(abs(bound), WHOLE):
        return _plan(chosen, values, bound, prices)
    whole = solver(model(matrix, values, is_integer=True), seconds)
    whole.setOptionValue("mip_rel_gap", gap)
    if chosen is not None:
        whole.setSolution(len(chosen), chosen.astype(np.int32), np.ones(len(chosen)))
    whole.run()
    info = whole.getInfo()
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        if whole.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
            raise Infeasible
        raise _out_of_time(seconds)
    taken = np.flatnonzero(np.array(whole.getSolution().col_value) > 1 / 2)
    return _plan(taken, values, min(bound, float(info.mip_dual_bound)), prices)


def _out_of_time(seconds: float) -> PanhuoError:
    return PanhuoError(
        "限时内没有算出计划 (no plan was found in time)",
        where=f"{seconds:g} s",
        remedy="减少目标与成对限制，或按县分别计划 (fewer targets and pairs, or plan county by county)",
    )


def _relaxed(problem: PlanProblem, matrix: Matrix, values: Floats, seconds: float) -> tuple[Relaxed, Any]:
    """The relaxation by parcels, and for each of its rows (matrix row, sign)."""
    shared = np.flatnonzero([g != "choose_once" for g in matrix.groups])
    rows, limits, came_from, sign = at_most(matrix.by_row[shared], matrix.lower[shared], matrix.upper[shared])
    parcel = np.repeat(problem.parcel_numbers, problem.years)
    found = relax(rows, limits, values, parcel, seconds=seconds)
    return found, list(zip(shared[came_from], sign, strict=True))


def _solve_large(problem: PlanProblem, gap: float, seconds: float) -> Plan:
    """By prices on the limits: parcels sure of their choice take it, and the rest are planned on what is left."""
    matrix, values = stack(problem), problem.values()
    found, origin = _relaxed(problem, matrix, values, seconds)
    if found.short:
        raise Infeasible
    prices: dict[str, float] = {}
    for (row, sign), price in zip(origin, found.prices, strict=True):
        if price > WHOLE:
            prices[matrix.groups[row]] = float(sign * price)
    paired = {p for pair in (*problem.exclusive, *problem.needs) for p in pair}
    tied = np.array([p in paired for p in problem.parcels])
    doubt = np.argsort(np.where(tied, -1.0, found.margin), kind="stable")
    for many in (CORE, 4 * CORE):
        core = np.zeros(len(doubt), bool)
        core[doubt[: max(many, int(tied.sum()))]] = True
        sure = found.best[~core & (found.best >= 0)]
        try:
            chosen = np.r_[sure, _core(problem, matrix, values, core, sure, gap, seconds)]
            return _plan(chosen, values, max(found.bound_wan, float(values[chosen].sum())), prices)
        except Infeasible:
            continue
    raise _out_of_time(seconds)


def _core(
    problem: PlanProblem, matrix: Matrix, values: Floats, core: Any, sure: Ints, gap: float, seconds: float
) -> Ints:
    """Variables chosen for the parcels `core` under what the variables `sure` leave of each limit."""
    routes = np.flatnonzero(core[problem.parcel_numbers])
    part = problem.of_routes(routes)
    used = np.asarray(matrix.by_row[:, sure].sum(axis=1)).ravel()
    left = {g: used[n] for n, g in enumerate(matrix.groups) if g != "choose_once"}
    small = stack(part)
    taken = np.array([left.get(g, 0.0) for g in small.groups])
    small = replace(small, lower=small.lower - taken, upper=small.upper - taken)
    columns = (routes[:, None] * problem.years + np.arange(problem.years)[None, :]).ravel()
    return columns[_solve_whole(part, small, values[columns], gap, seconds).chosen]


def _plan(chosen: Ints, values: Floats, bound: float, prices: dict[str, float]) -> Plan:
    worth = float(values[chosen].sum())
    gap = max(0.0, bound - worth) / max(abs(bound), WHOLE) if bound > worth else 0.0
    return Plan(np.sort(chosen), worth, bound, gap, prices)


def rounded(problem: PlanProblem, matrix: Matrix, values: Floats, fractions: Floats) -> Ints | None:
    """A plan from the relaxation: whole variables stay, the parcels split between routes take the best that still fits.

    None when a target is then missed.
    """
    whole = np.flatnonzero(fractions > 1 - WHOLE)
    used = (
        np.asarray(matrix.by_row[:, whole].sum(axis=1)).ravel()
        if len(whole)
        else np.zeros(len(matrix.groups))
    )
    split = np.flatnonzero((fractions > WHOLE) & (fractions <= 1 - WHOLE))
    routes = np.unique(split // problem.years)
    parcels = dict.fromkeys(problem.routes.parcel_id[int(r)] for r in routes)
    taken = [int(v) for v in whole]
    for parcel in parcels:
        mine = (problem.parcels[parcel][:, None] * problem.years + np.arange(problem.years)[None, :]).ravel()
        for var in mine[np.lexsort((mine, -values[mine], -fractions[mine]))]:
            column = matrix.by_col[:, [int(var)]].toarray().ravel()
            if values[var] > 0 and (used + column <= matrix.upper + WHOLE).all():
                used, taken = used + column, [*taken, int(var)]
                break
    if (used < matrix.lower - WHOLE).any() or (used > matrix.upper + WHOLE).any():
        return None
    return np.array(taken, dtype=np.int64)


def is_feasible(problem: PlanProblem, keep: Collection[str], seconds: float = 20.0) -> bool:
    """Whether some plan keeps the groups `keep` (the relaxation first, whole numbers when it holds)."""
    matrix, nothing = stack(problem, keep), np.zeros(problem.size)
    if problem.size > LARGE:
        return not _relaxed(problem, matrix, nothing, seconds)[0].short
    for is_integer in (False, True):
        highs = solver(model(matrix, nothing, is_integer=is_integer), seconds)
        highs.run()
        if highs.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
            return False
    return True


def groups_of(problem: PlanProblem) -> Sequence[str]:
    """The named limits and targets of a problem, each once."""
    return list(dict.fromkeys(g for c in ALL for g in c.rows(problem).groups if g != "choose_once"))
