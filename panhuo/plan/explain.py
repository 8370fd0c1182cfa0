"""What a plan means: prices of its limits in words, the easy-first plan beside it, why targets cannot hold."""

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np

from panhuo.plan.constraints import ALL
from panhuo.plan.problem import Floats, Ints, PlanProblem, by_year
from panhuo.plan.solve import Plan, groups_of, is_feasible

UNITS: Final = {"budget": "万元", "bond_quota": "万元", "staff": "工日 day", "target": "m²"}


def shadow_prices(plan: Plan) -> list[dict[str, str | float]]:
    """What one more unit of each binding limit buys (of a target: what its last unit costs)."""
    words: list[dict[str, str | float]] = []
    for group, price in sorted(plan.prices.items()):
        unit = UNITS.get(group.split("[")[0], "")
        zh = (
            f"{group} 每放宽 1 {unit}，计划收益增加 {abs(price):.4g} 万元"
            if price > 0
            else f"{group} 的最后 1 {unit} 使计划收益减少 {abs(price):.4g} 万元"
        )
        en = (
            f"one more {unit} of {group} buys {abs(price):.4g} 万元 of benefit"
            if price > 0
            else f"the last {unit} of {group} costs {abs(price):.4g} 万元 of benefit"
        )
        words.append({"limit": group, "price": round(price, 6), "zh": zh, "en": en})
    return words


def easy_first(problem: PlanProblem) -> Ints:
    """The plain rule the plan is measured against: easiest worthwhile route first, earliest year that has room.

    Ties go to the cheaper, then to the order given. Targets and pairs are not looked at.
    """
    routes = problem.routes
    order = np.lexsort((np.arange(len(routes)), routes.cost_wan, routes.ease))
    rooms = [
        (_room(problem, problem.budget_wan), routes.cost_wan, _is_shared(problem.budget_wan)),
        (_room(problem, problem.bond_quota_wan), routes.bond_wan, _is_shared(problem.bond_quota_wan)),
        (_room(problem, problem.staff_days), routes.staff_days, _is_shared(problem.staff_days)),
    ]
    done: set[str] = set()
    taken: list[int] = []
    for n in order:
        if routes.parcel_id[n] in done or routes.benefit_wan[n] <= 0:
            continue
        for year in range(problem.years):
            if all(room[year] >= weight[n] for room, weight, _ in rooms):
                for room, weight, shared in rooms:
                    room[slice(None) if shared else year] -= weight[n]
                done.add(routes.parcel_id[n])
                taken.append(int(n) * problem.years + year)
                break
    return np.array(sorted(taken), dtype=np.int64)


Limit = float | Sequence[float] | None


def _is_shared(limit: Limit) -> bool:
    return isinstance(limit, (int, float))


def _room(problem: PlanProblem, limit: Limit) -> Floats:
    return np.full(problem.years, np.inf) if limit is None else np.array(by_year(limit, problem.years))


def smallest_conflict(problem: PlanProblem) -> list[str]:
    """The smallest set of limits and targets that cannot hold together.

    Implicit hitting sets: the smallest choice that meets every known correction is tried; if it can hold, it is
    grown as far as it can and what had to be left out is a new correction. The first that cannot hold is a smallest.
    """
    groups = groups_of(problem)
    corrections: list[frozenset[str]] = []
    while True:
        tried = _hitting_set(corrections)
        if not is_feasible(problem, tried):
            return [g for g in groups if g in tried]
        held = set(tried)
        for group in groups:
            if group not in held and is_feasible(problem, held | {group}):
                held.add(group)
        left_out = frozenset(groups) - held
        if not left_out:
            return []
        corrections.append(left_out)


def _hitting_set(corrections: list[frozenset[str]]) -> set[str]:
    pool = sorted(frozenset().union(*corrections)) if corrections else []
    for size in range(len(pool) + 1):
        for chosen in combinations(pool, size):
            if all(correction.intersection(chosen) for correction in corrections):
                return set(chosen)
    return set()


def words_of(group: str) -> dict[str, str]:
    """The words and formula of the constraint a group belongs to."""
    constraint = next(c for c in ALL if group.split("[", maxsplit=1)[0] == c.NAME)
    return {"limit": group, **constraint.WORDS, "formula": constraint.FORMULA}
