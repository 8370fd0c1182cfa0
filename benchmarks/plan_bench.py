"""Plans parcels × 6 routes × 3 years (seeded), with the seconds and the gap: `python -m benchmarks.plan_bench`."""

import argparse
import time
from pathlib import Path

import numpy as np

from benchmarks import report
from panhuo.plan.explain import easy_first
from panhuo.plan.problem import PlanProblem, Routes, Target
from panhuo.plan.solve import solve


def generate(parcels: int, routes: int, years: int, seed: int) -> PlanProblem:
    """A province of made-up parcels: log-normal costs, benefits that follow them loosely, budget for a third."""
    rng = np.random.default_rng(seed)
    many = parcels * routes
    area = np.repeat(rng.lognormal(9.5, 0.8, parcels), routes)
    cost = rng.lognormal(6.0, 1.0, many)
    divisions = [f"43{n:02d}00" for n in rng.integers(1, 15, parcels)]
    table = Routes(
        parcel_id=[f"P{n // routes:06d}" for n in range(many)],
        tool_id=[f"tool_{n % routes}" for n in range(many)],
        division=[divisions[n // routes] for n in range(many)],
        area_m2=area,
        cost_wan=cost,
        benefit_wan=cost * rng.lognormal(0.1, 0.6, many) - 0.3 * cost,
        bond_wan=np.where(rng.random(many) < 0.2, cost, 0.0),
        staff_days=rng.uniform(5, 60, many),
        ease=rng.uniform(1, 36, many),
        measures=[frozenset({f"tool_{n % routes}"}) for n in range(many)],
    )
    budget = float(cost.sum() / routes / 3)
    targets = [Target(float(area.sum() / routes * 0.01), f"43{n:02d}") for n in range(1, 15)]
    return PlanProblem(
        table,
        years,
        budget_wan=[budget / years] * years,
        bond_quota_wan=budget * 0.1,
        staff_days=[parcels * 4.0] * years,
        targets=targets,
        discount_rate=0.08,
    )


SIZES = (1_000, 10_000, 100_000)
ROUTES, YEARS, SEED = 6, 3, 1
WORDS = f"""Made-up parcels, each with {ROUTES} routes in {YEARS} years, under a budget, bond quota and staff days a
year and a target for each city, one run each. Gap: how far the plan may be from the best there is. Easy first: the
value of taking the easiest routes until a limit is met, as a share of the plan's."""


def main(arguments: list[str] | None = None) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--folder", type=Path, default=report.DOCS)
    options = parser.parse_args(arguments)
    rows = []
    for parcels in options.sizes:
        problem = generate(parcels, ROUTES, YEARS, SEED)
        begun = time.perf_counter()
        plan = solve(problem)
        seconds = time.perf_counter() - begun
        easy = float(problem.values()[easy_first(problem)].sum()) / plan.objective_wan
        rows.append([f"{parcels:,}", f"{seconds:.1f}", f"{plan.gap:.4%}", f"{easy:.1%}"])
    lines = report.table(["parcels", "seconds", "gap", "easy first"], rows)
    report.write_page(options.folder, "plan", "Choosing parcels, routes and years", WORDS, lines)


if __name__ == "__main__":
    main()
