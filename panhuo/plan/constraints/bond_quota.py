"""Bonds drawn stay within the quota."""

from panhuo.plan.problem import PlanProblem, Rows, limit_rows

NAME = "bond_quota"
WORDS = {"zh": "专项债用量不超过额度。", "en": "Bonds drawn stay within the quota."}
FORMULA = "Σ bond[route] · x[parcel, route, year] ≤ bond_quota (each year, or over all years)"


def rows(problem: PlanProblem) -> Rows:
    """One row over all years, or one a year."""
    return limit_rows(problem, NAME, problem.bond_quota_wan, problem.routes.bond_wan)
