"""Matching projects with plots: each criterion true, false, unknown; the assignment is the best one."""

from datetime import date

import pytest

from panhuo.plan.place import criteria, division_of, place
from panhuo.rulebook.book import Rulebook

BOOK, ON = Rulebook.load(), date(2025, 1, 1)
PLOT = {"parcel_id": "P1", "area_m2": 1000.0, "land_class": "industrial", "division": "431022"}
DEMAND = {
    "demand_id": "D1",
    "industry": "C3970",
    "area_m2_min": 500.0,
    "area_m2_max": 1000.0,
    "division": "431000",
}


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
    assert criteria({**DEMAND, **change}, PLOT)[name] is truth


def test_services_and_chain_where_the_plot_is_known():
    plot = PLOT | {"services": "天然气,蒸汽;雨污分流", "park_industries": {39}}
    wanted = criteria(DEMAND | {"needs": "蒸汽、天然气"}, plot)
    assert (wanted["services"], wanted["chain"]) == (True, True)
    other = criteria(DEMAND | {"needs": "蒸汽、专变", "industry": "C2311"}, plot)
    assert (other["services"], other["chain"]) == (False, False)


def test_the_assignment_gives_up_one_best_plot_for_a_better_whole():
    roomy = PLOT | {"parcel_id": "P2", "area_m2": 5000.0}
    picky = {"demand_id": "D2", "industry": "C3970", "area_m2_min": 900.0, "area_m2_max": 1100.0}
    easy = {"demand_id": "D1", "industry": "C3970", "area_m2_min": 100.0}
    found = place([easy, picky], [PLOT, roomy], BOOK, ON)
    assert [f["assigned"]["parcel_id"] for f in found] == ["P2", "P1"]


def test_a_project_with_no_plot_says_what_ruled_them_out():
    (found,) = place([DEMAND | {"area_m2_min": 2000.0, "area_m2_max": None}], [PLOT], BOOK, ON)
    assert found["assigned"] is None
    assert found["ruled_out"] == {"area": 1, "use": 0, "division": 0}


@pytest.mark.parametrize(("code", "division"), [("C3970", 39), ("39", 39), ("C", None), (None, None)])
def test_division_of_an_industry_code(code, division):
    assert division_of(code) == division
