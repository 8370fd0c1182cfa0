"""Plans 10,000 parcels × 6 routes × 3 years (seeded) and prints the seconds and the gap.

python benchmarks/plan_bench.py [parcels] [seed]
"""

import sys
import time

import numpy as np

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


def main() -> None:
    """Builds, solves, prints."""
    parcels = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    problem = generate(parcels, 6, 3, seed)
    begun = time.perf_counter()
    plan = solve(problem)
    seconds = time.perf_counter() - begun
    easy = float(problem.values()[easy_first(problem)].sum())
    print(f"{parcels} × 6 × 3: {seconds:.1f} s, gap {plan.gap:.4%}, best {plan.objective_wan:,.0f} 万元, "
          f"easy-first {easy:,.0f} 万元, prices {len(plan.prices)}")  # fmt: skip


if __name__ == "__main__":
    main()
