"""Matching projects with plots: each criterion true, false, unknown; the assignment is the best one."""

from datetime import date
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panhuo.plan.place import criteria, division_of, land_table, place
from panhuo.rulebook.book import Rulebook

SERVICES = st.sampled_from([None, "蒸汽", "蒸汽、天然气"])
BOOK, ON = Rulebook.load(), date(2025, 1, 1)
PLOT = {"parcel_id": "P1", "area_m2": 1000.0, "land_class": "industrial", "division": "431022"}
DEMAND = {
    "demand_id": "D1",
    "industry": "C3970",
    "area_m2_min": 500.0,
    "area_m2_max": 1000.0,
    "division": "431000",
}


def judged(demand, plot):
    return {name: truths[0].as_py() for name, truths in criteria(demand, land_table([plot])).items()}


@pytest.mark.parametrize(
    ("change", "name", "truth"),
    [
        ({"area_m2_min": 1000.0}, "area", True),
        ({"area_m2_min": 1000.1, "area_m2_max": None}, "area", False),
        ({"area_m2_max": 999.9}, "area", False),
        ({"area_m2_min": None, "area_m2_max": None, "floor_area_m2": 10.0}, "area", None),
        ({"industry": "F5100"}, "use", False),
        ({"industry": None}, "use", None),
        ({"division": "430000"}, "division", True),
        ({"division": "431100"}, "division", False),
        ({"needs": "蒸汽、天然气"}, "services", None),
        ({"needs": None}, "services", True),
    ],
)
def test_criteria_on_both_sides(change, name, truth):
    assert judged({**DEMAND, **change}, PLOT)[name] is truth


@pytest.mark.parametrize(
    ("asked", "held", "truth"),
    [
        ("431000", "431022", True),
        ("431000", "431122", False),
        ("500000", "500101", True),
        ("500000", "511002", False),
    ],
)
def test_a_place_whose_own_code_ends_in_nought_is_not_its_neighbours(asked, held, truth):
    assert judged({**DEMAND, "division": asked}, PLOT | {"division": held})["division"] is truth


def test_services_and_chain_where_the_plot_is_known():
    plot = PLOT | {"services": "天然气,蒸汽;雨污分流", "park_industries": "13、39"}
    wanted = judged(DEMAND | {"needs": "蒸汽、天然气"}, plot)
    assert (wanted["services"], wanted["chain"]) == (True, True)
    other = judged(DEMAND | {"needs": "蒸汽、专变", "industry": "C2311"}, plot)
    assert (other["services"], other["chain"]) == (False, False)


def test_the_assignment_gives_up_one_best_plot_for_a_better_whole():
    roomy = PLOT | {"parcel_id": "P2", "area_m2": 5000.0}
    picky = {"demand_id": "D2", "industry": "C3970", "area_m2_min": 900.0, "area_m2_max": 1100.0}
    easy = {"demand_id": "D1", "industry": "C3970", "area_m2_min": 100.0}
    found = place([easy, picky], land_table([PLOT, roomy]), BOOK, ON)
    assert [f["assigned"]["parcel_id"] for f in found] == ["P2", "P1"]


def test_a_project_with_no_plot_says_what_ruled_them_out():
    (found,) = place([DEMAND | {"area_m2_min": 2000.0, "area_m2_max": None}], land_table([PLOT]), BOOK, ON)
    assert found["assigned"] is None
    assert found["ruled_out"] == {"area": 1, "use": 0, "division": 0}


@pytest.mark.parametrize(("code", "division"), [("C3970", 39), ("39", 39), ("C", None), (None, None)])
def test_division_of_an_industry_code(code, division):
    assert division_of(code) == division


@given(st.data())
def test_choosing_among_the_best_few_is_as_good_as_among_all(data):
    areas = data.draw(st.lists(st.sampled_from([500.0, 1000.0, 2000.0, None]), min_size=1, max_size=6))
    plots = [
        PLOT | {"parcel_id": f"P{n}", "area_m2": area, "services": data.draw(SERVICES)}
        for n, area in enumerate(areas)
    ]
    bounds = data.draw(
        st.lists(st.tuples(st.sampled_from([400.0, 900.0, 1500.0]), SERVICES), min_size=1, max_size=4)
    )
    demands = [
        DEMAND | {"demand_id": f"D{n}", "area_m2_min": least, "area_m2_max": least * 2, "needs": needs}
        for n, (least, needs) in enumerate(bounds)
    ]
    found = place(demands, land_table(plots), BOOK, ON, most=6)
    worth = [{c["parcel_id"]: 1 + c["score"] for c in one["candidates"]} for one in found]
    sums = [
        sum(w.get(p, 0) for w, p in zip(worth, chosen, strict=True))
        for chosen in permutations(
            [*(p["parcel_id"] for p in plots), *("none" for _ in demands)], len(demands)
        )
    ]
    taken = [one["assigned"]["parcel_id"] for one in found if one["assigned"]]
    assert len(taken) == len(set(taken))
    assert sum(1 + one["assigned"]["score"] for one in found if one["assigned"]) == pytest.approx(max(sums))
