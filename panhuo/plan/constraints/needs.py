"""A parcel that may follow only after another (supply after storage, a neighbour merged first)."""

import numpy as np

from panhuo.plan.problem import PlanProblem, Rows

NAME = "needs"
WORDS = {
    "zh": "须先实施前置宗地，当年或此前。",
    "en": "A parcel is taken only when the one it needs has been, that year or before.",
}
FORMULA = "Σ_{y ≤ t} x[a, ·, y] ≤ Σ_{y ≤ t} x[b, ·, y] for each pair (a needs b) and year t"


def rows(problem: PlanProblem) -> Rows:
    """One row per pair and year; a parcel that needs one without routes is never taken."""
    none = np.empty(0, dtype=np.int64)
    items = []
    for a, b in problem.needs:
        if a not in problem.parcels:
            continue
        for year in range(1, problem.years + 1):
            spans = [np.concatenate([problem.columns(problem.parcels.get(p, none), y) for y in range(1, year + 1)])
                     for p in (a, b)]  # fmt: skip
            values = np.concatenate([np.ones(len(spans[0])), -np.ones(len(spans[1]))])
            items.append((f"needs[{a},{b}]", -np.inf, 0.0, np.concatenate(spans), values))
    return Rows.of(items)
