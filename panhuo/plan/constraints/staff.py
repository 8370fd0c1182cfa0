"""Office days used stay within those there are."""

from panhuo.plan.problem import PlanProblem, Rows, limit_rows

NAME = "staff"
WORDS = {"zh": "经办人力不超过可用工日。", "en": "Office days used stay within those there are."}
FORMULA = "Σ staff_days[route] · x[parcel, route, year] ≤ staff (each year, or over all years)"


def rows(problem: PlanProblem) -> Rows:
    """One row over all years, or one a year."""
    return limit_rows(problem, NAME, problem.staff_days, problem.routes.staff_days)
