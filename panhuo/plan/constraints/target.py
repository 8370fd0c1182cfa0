"""Yearly targets by county and measure."""

import numpy as np

from panhuo.plan.problem import Floats, Ints, PlanProblem, Rows, Target

NAME = "target"
WORDS = {
    "zh": "各县区、各措施的处置面积不少于任务。",
    "en": "Land put right reaches each county's and measure's target.",
}
FORMULA = "Σ area[parcel] · x[parcel, route, year] ≥ least for routes of the division and measure, in the target's year"


def rows(problem: PlanProblem) -> Rows:
    """One row per target."""
    return Rows.of([_row(problem, target) for target in problem.targets])


def _row(problem: PlanProblem, target: Target) -> tuple[str, float, float, Ints, Floats]:
    routes = problem.routes
    mine = np.array(
        [
            n
            for n in range(len(routes))
            if routes.division[n].startswith(target.division)
            and (not target.measure or target.measure in routes.measures[n])
        ],
        dtype=np.int64,
    )
    years = [target.year] if target.year else list(range(1, problem.years + 1))
    cols = np.concatenate([problem.columns(mine, year) for year in years])
    return target.id, target.least_m2, np.inf, cols, np.tile(routes.area_m2[mine], len(years))
