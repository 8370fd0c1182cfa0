"""Public spending stays within the budget."""

from panhuo.plan.problem import PlanProblem, Rows, limit_rows

NAME = "budget"
WORDS = {"zh": "财政支出不超过预算。", "en": "Public spending stays within the budget."}
FORMULA = "Σ cost[route] · x[parcel, route, year] ≤ budget (each year, or over all years)"


def rows(problem: PlanProblem) -> Rows:
    """One row over all years, or one a year."""
    return limit_rows(problem, NAME, problem.budget_wan, problem.routes.cost_wan)
