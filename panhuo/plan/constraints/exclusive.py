"""Pairs of parcels that exclude each other."""

import numpy as np

from panhuo.plan.problem import PlanProblem, Rows

NAME = "exclusive"
WORDS = {
    "zh": "互斥的两宗地至多实施一宗。",
    "en": "Of two parcels that exclude each other, at most one is taken.",
}
FORMULA = "Σ x[a, ·, ·] + Σ x[b, ·, ·] ≤ 1 for each pair (a, b)"


def rows(problem: PlanProblem) -> Rows:
    """One row per pair whose parcels both have routes."""
    items = []
    for a, b in problem.exclusive:
        if a in problem.parcels and b in problem.parcels:
            routes = np.concatenate([problem.parcels[a], problem.parcels[b]])
            cols = (routes[:, None] * problem.years + np.arange(problem.years)[None, :]).ravel()
            items.append((f"exclusive[{a},{b}]", -np.inf, 1.0, cols, np.ones(len(cols))))
    return Rows.of(items)
