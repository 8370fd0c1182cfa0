"""A parcel is put right once."""

import numpy as np

from panhuo.plan.problem import PlanProblem, Rows

NAME = "choose_once"
WORDS = {
    "zh": "每宗地至多走一条路径、在一个年度实施。",
    "en": "A parcel takes at most one route, in one year.",
}
FORMULA = "Σ_route Σ_year x[parcel, route, year] ≤ 1 for each parcel"


def rows(problem: PlanProblem) -> Rows:
    """One row per parcel."""
    names = {parcel: n for n, parcel in enumerate(problem.parcels)}
    of_route = np.array([names[p] for p in problem.routes.parcel_id], dtype=np.int64)
    many = len(names)
    return Rows(
        (NAME,) * many,
        np.full(many, -np.inf),
        np.ones(many),
        np.repeat(of_route, problem.years),
        np.arange(problem.size, dtype=np.int64),
        np.ones(problem.size),
    )
