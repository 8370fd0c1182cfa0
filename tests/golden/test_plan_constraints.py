"""Each constraint's rows against a model written out by hand, and plans against brute force."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panhuo.core.problems import PanhuoError
from panhuo.plan.constraints import ALL, bond_quota, budget, choose_once, exclusive, needs, staff, target
from panhuo.plan.explain import easy_first, shadow_prices, smallest_conflict, words_of
from panhuo.plan.problem import PlanProblem, Routes, Target
from panhuo.plan.solve import Infeasible, solve, stack


def small(**limits):
    """Two parcels: A by two tools, B by one; two years. Variables: A1y1 A1y2 A2y1 A2y2 B1y1 B1y2."""
    routes = Routes(
        parcel_id=["A", "A", "B"],
        tool_id=["store", "sell", "sell"],
        division=["430211", "430211", "431022"],
        area_m2=np.array([100.0, 100.0, 50.0]),
        cost_wan=np.array([10.0, 4.0, 6.0]),
        benefit_wan=np.array([30.0, 8.0, 15.0]),
        bond_wan=np.array([10.0, 0.0, 0.0]),
        staff_days=np.array([5.0, 2.0, 3.0]),
        ease=np.array([12.0, 3.0, 6.0]),
        measures=[frozenset({"store"}), frozenset({"sell"}), frozenset({"sell"})],
    )
    return PlanProblem(routes, 2, **limits)


def written(rows, size=6):
    """Rows as text: group: coefficients [lower, upper]."""
    dense = np.zeros((len(rows.groups), size))
    np.add.at(dense, (rows.row, rows.col), rows.value)
    return [
        f"{group}: {' '.join(f'{v:g}' for v in line)} [{low:g}, {high:g}]"
        for group, line, low, high in zip(rows.groups, dense, rows.lower, rows.upper, strict=True)
    ]


@pytest.mark.parametrize(
    ("constraint", "limits", "golden"),
    [
        (choose_once, {}, ["choose_once: 1 1 1 1 0 0 [-inf, 1]", "choose_once: 0 0 0 0 1 1 [-inf, 1]"]),
        (budget, {"budget_wan": 12.0}, ["budget: 10 10 4 4 6 6 [-inf, 12]"]),
        (
            budget,
            {"budget_wan": [7.0, 5.0]},
            ["budget[1]: 10 0 4 0 6 0 [-inf, 7]", "budget[2]: 0 10 0 4 0 6 [-inf, 5]"],
        ),
        (bond_quota, {"bond_quota_wan": 9.0}, ["bond_quota: 10 10 0 0 0 0 [-inf, 9]"]),
        (staff, {"staff_days": 6.0}, ["staff: 5 5 2 2 3 3 [-inf, 6]"]),
        (
            target,
            {"targets": [Target(80.0, "4302", "sell", 2), Target(10.0)]},
            [
                "target[4302,sell,2]: 0 0 0 100 0 0 [80, inf]",
                "target[*,*,*]: 100 100 100 100 50 50 [10, inf]",
            ],
        ),
        (exclusive, {"exclusive": [("A", "B")]}, ["exclusive[A,B]: 1 1 1 1 1 1 [-inf, 1]"]),
        (
            needs,
            {"needs": [("B", "A")]},
            ["needs[B,A]: -1 0 -1 0 1 0 [-inf, 0]", "needs[B,A]: -1 -1 -1 -1 1 1 [-inf, 0]"],
        ),
    ],
)
def test_golden_rows(constraint, limits, golden):
    assert written(constraint.rows(small(**limits))) == golden


@pytest.mark.parametrize("constraint", ALL)
def test_every_constraint_has_its_words_and_formula(constraint):
    assert constraint.WORDS["zh"]
    assert constraint.WORDS["en"]
    assert constraint.FORMULA
    assert constraint.__name__.endswith(constraint.NAME)


def names(problem, chosen):
    return {
        (problem.routes.parcel_id[v // problem.years], problem.routes.tool_id[v // problem.years])
        for v in chosen
    }


def planned(problem):
    return names(problem, solve(problem, gap=0).chosen)


def test_budget_on_both_sides():
    assert planned(small(budget_wan=16.0)) == {("A", "store"), ("B", "sell")}
    assert planned(small(budget_wan=15.9)) == {("A", "store")}


def test_pairs():
    assert planned(small(exclusive=[("A", "B")])) == {("A", "store")}
    assert planned(small(needs=[("B", "none")])) == {("A", "store")}
    early = small(needs=[("B", "A")], budget_wan=[10.0, 10.0])
    years = {early.routes.parcel_id[v // 2]: v % 2 + 1 for v in solve(early, gap=0).chosen}
    assert years["A"] <= years["B"]


def test_best_beats_easy_first_and_the_limit_is_priced():
    problem = small(budget_wan=12.0)
    best = solve(problem, gap=0)
    easy = easy_first(problem)
    assert names(problem, easy) == {("A", "sell"), ("B", "sell")}
    assert best.objective_wan == pytest.approx(30)
    assert problem.values()[easy].sum() == pytest.approx(23)
    (price,) = shadow_prices(best)
    assert price["price"] == pytest.approx(2.5)
    assert words_of("budget[1]")["formula"] == budget.FORMULA


def test_infeasible_targets_are_explained_by_the_smallest_set():
    problem = small(
        budget_wan=9.0,
        staff_days=100.0,
        targets=[Target(100.0, "4302", "store"), Target(50.0, "4310"), Target(1.0)],
    )
    with pytest.raises(Infeasible):
        solve(problem)
    assert smallest_conflict(problem) == ["budget", "target[4302,store,*]"]
    alone = small(targets=[Target(101.0, "4302")], budget_wan=1.0)
    assert smallest_conflict(alone) == ["target[4302,*,*]"]


def test_bad_problems_are_refused():
    for bad in ({"budget_wan": -1.0}, {"budget_wan": [1.0]}, {"discount_rate": 1.5}):
        with pytest.raises(PanhuoError):
            small(**bad)


def brute(problem):
    """The best value over every choice of variables, or None."""
    matrix, values, best = stack(problem), problem.values(), None
    for bits in product((0, 1), repeat=problem.size):
        x = np.array(bits, dtype=float)
        used = matrix.by_row @ x
        if (used >= matrix.lower - 1e-9).all() and (used <= matrix.upper + 1e-9).all():
            best = max(values @ x, -np.inf if best is None else best)
    return best


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(-3, 9)), min_size=1, max_size=5),
    st.integers(0, 20),
    st.integers(0, 3),
)
def test_the_plan_is_the_best_there_is(rows, money, least):
    many = len(rows)
    routes = Routes(
        parcel_id=[f"P{r[0]}" for r in rows],
        tool_id=["t"] * many,
        division=["43"] * many,
        area_m2=np.ones(many),
        cost_wan=np.array([float(r[1]) for r in rows]),
        benefit_wan=np.array([float(r[2]) for r in rows]),
        bond_wan=np.zeros(many),
        staff_days=np.zeros(many),
        ease=np.ones(many),
        measures=[frozenset()] * many,
    )
    problem = PlanProblem(
        routes, 2, budget_wan=float(money), targets=[Target(float(least))], discount_rate=0.1
    )
    best = brute(problem)
    if best is None:
        with pytest.raises(Infeasible):
            solve(problem, gap=0)
    else:
        assert solve(problem, gap=0).objective_wan == pytest.approx(best, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_plan_by_prices_is_within_the_gap_and_its_bound_holds(data):
    """What is planned parcel by parcel, with few planned exactly, against all routes planned at once."""
    many, years = data.draw(st.integers(2, 30)), data.draw(st.integers(1, 3))
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    routes = Routes(
        parcel_id=[f"P{n}" for n in rng.integers(0, max(1, many // 2), many)],
        tool_id=[f"t{n % 3}" for n in range(many)],
        division=[f"43{n % 4:02d}" for n in range(many)],
        area_m2=rng.uniform(10, 100, many),
        cost_wan=rng.uniform(0, 20, many),
        benefit_wan=rng.uniform(-5, 40, many),
        bond_wan=np.where(rng.random(many) < 0.3, 5.0, 0.0),
        staff_days=rng.uniform(1, 9, many),
        ease=rng.uniform(1, 9, many),
        measures=[frozenset({f"t{n % 3}"}) for n in range(many)],
    )
    budget = data.draw(st.sampled_from([30.0, 120.0, None]))
    problem = PlanProblem(
        routes,
        years,
        budget_wan=[budget / years] * years if budget and data.draw(st.booleans()) else budget,
        bond_quota_wan=data.draw(st.sampled_from([None, 10.0])),
        staff_days=data.draw(st.sampled_from([None, 40.0])),
        targets=[Target(data.draw(st.sampled_from([20.0, 150.0, 900.0])), "4301")]
        if data.draw(st.booleans())
        else [],
        exclusive=[("P0", "P1")] if data.draw(st.booleans()) else [],
        needs=[("P1", "P2")] if data.draw(st.booleans()) else [],
        discount_rate=0.08,
    )
    try:
        best = solve(problem, gap=1e-9)
    except Infeasible:
        best = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("panhuo.plan.solve.LARGE", 0)
        patch.setattr("panhuo.plan.solve.CORE", 8)
        try:
            plan = solve(problem, gap=1e-9)
        except Infeasible:
            assert best is None
            return
        except PanhuoError:  # a few whole parcels cannot always meet a target that fractions of them meet
            return
    assert best is not None
    matrix, chosen = stack(problem), np.zeros(problem.size)
    chosen[plan.chosen] = 1
    used = matrix.by_row @ chosen
    assert (used <= matrix.upper + 1e-6).all()
    assert (used >= matrix.lower - 1e-6).all()
    assert plan.bound_wan >= best.objective_wan - 1e-6
    assert plan.objective_wan <= best.objective_wan + 1e-6
    assert plan.objective_wan >= plan.bound_wan * (1 - plan.gap) - 1e-6


@pytest.mark.parametrize("unit", [1.0, 1e6])
def test_a_province_of_routes_is_planned_and_short_targets_are_told(monkeypatch, unit):
    """Beyond the size that is planned at once: near its bound, every limit kept, and an impossible target named."""
    rng = np.random.default_rng(5)
    many = 12_000
    routes = Routes(
        parcel_id=[f"P{n // 2}" for n in range(many)],
        tool_id=[f"t{n % 2}" for n in range(many)],
        division=[f"43{n % 14:02d}" for n in range(many)],
        area_m2=rng.uniform(100, 1000, many) * unit,
        cost_wan=rng.lognormal(3, 1, many) * unit,
        benefit_wan=(rng.lognormal(3, 1, many) - 5) * unit,
        bond_wan=np.zeros(many),
        staff_days=np.zeros(many),
        ease=rng.uniform(1, 9, many),
        measures=[frozenset({f"t{n % 2}"}) for n in range(many)],
    )
    monkeypatch.setattr("panhuo.plan.solve.LARGE", 10_000)
    monkeypatch.setattr("panhuo.plan.solve.CORE", 500)
    limits = {
        "budget_wan": [9_000.0 * unit, 9_000.0 * unit],
        "targets": [Target(150_000.0 * unit, "4307", "t1")],
        "discount_rate": 0.05,
    }
    problem = PlanProblem(routes, 2, **limits)
    plan = solve(problem)
    assert plan.gap < 0.005
    matrix = stack(problem)
    used = np.asarray(matrix.by_row[:, plan.chosen].sum(axis=1)).ravel()
    assert (used <= matrix.upper + 1e-6).all()
    assert (used >= matrix.lower - 1e-6).all()
    assert plan.prices["budget[1]"] > plan.prices["budget[2]"] > 0 > plan.prices["target[4307,t1,*]"]
    hopeless = PlanProblem(
        routes, 2, **{**limits, "targets": [Target(9e9 * unit, "4307"), Target(1.0, "4301")]}
    )
    with pytest.raises(Infeasible):
        solve(hopeless)
    assert smallest_conflict(hopeless) == ["target[4307,*,*]"]
