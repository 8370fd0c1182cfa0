from datetime import date

import pyarrow as pa
import pytest

from panhuo.rulebook.book import Rulebook
from panhuo.score.potential import Potential, load_potential, potential

ON = date(2026, 11, 23)
GOOD = {
    "division": "430112",
    "area_m2": 40_000.0,
    "growth_boundary_m2": 40_000.0,
    "compactness": 0.7,
    "has_road_access": True,
    "services_count": 7,
    "far_planned_max": 2.0,
    "floor_area_m2": 0.0,
    "slope_mean_deg": 2.0,
    "seizure_count": 0,
    "mortgage_count": 0,
    "disputed": False,
    "conflict_m2": 0.0,
    "red_line_m2": 0.0,
    "permanent_farmland_m2": 0.0,
    "heritage": "none",
    "cost_wan": 10.0,
}


def graded(*rows: dict) -> tuple[list[dict], Potential]:
    whole = [{"parcel_id": f"p{i}", **GOOD, **row} for i, row in enumerate(rows)]
    names = list(whole[0])
    table = pa.table({n: [r[n] for r in whole] for n in names})
    result = potential(table, Rulebook.load(), ON)
    return result.grades.to_pylist(), result


def test_a_perfect_parcel_earns_every_point() -> None:
    (row,), result = graded({})
    assert row["score"] == pytest.approx(100)
    assert (row["grade"], row["missing"], row["obstacles"]) == ("A", "", "")
    earned = sum(i["points"] for i in result.items.to_pylist())
    assert earned == pytest.approx(row["score"])


def test_curves_are_read_between_their_points() -> None:
    _, result = graded({"area_m2": 30 * 2000 / 3})
    size = next(i for i in result.items.to_pylist() if i["indicator"] == "size")
    assert size["points"] == pytest.approx(15 * 0.75)


@pytest.mark.parametrize(("area", "over"), [(5.0, False), (5.01, True)])
def test_a_boundary_conflict_counts_above_the_dated_tolerance(area: float, over: bool) -> None:
    (row,), _ = graded({"conflict_m2": area})
    assert ("boundary" in row["obstacles"]) is over


def test_unknown_is_neither_zero_nor_full() -> None:
    (row,), result = graded({"has_road_access": None, "mortgage_count": None})
    assert row["missing"] == "access"
    assert row["unknown_obstacles"] == "mortgaged"
    assert row["score"] == pytest.approx(100)
    assert (row["score_low"], row["score_high"]) == (pytest.approx(72), pytest.approx(100))
    item = next(i for i in result.items.to_pylist() if i["indicator"] == "access")
    assert (item["points"], item["status"]) == (None, "unknown")


def test_with_too_little_known_there_is_no_grade() -> None:
    unknown = {"has_road_access": None, "growth_boundary_m2": None}
    assert graded(unknown)[0][0]["grade"] == "A"  # 65 of 100 known
    assert graded({**unknown, "slope_mean_deg": None})[0][0]["grade"] == "unknown"  # 55


def test_easy_first_by_obstacles_then_grade_then_cost() -> None:
    rows, _ = graded(
        {"mortgage_count": 1},
        {"cost_wan": 20.0},
        {"cost_wan": None},
        {"slope_mean_deg": 30.0, "has_road_access": False, "cost_wan": 0.0},
        {},
    )
    order = [r["parcel_id"] for r in sorted(rows, key=lambda r: r["order_no"])]
    assert order == ["p4", "p1", "p2", "p3", "p0"]


def test_every_curve_rises_or_falls_and_is_labelled() -> None:
    scheme = load_potential(Rulebook.load())
    for curve in scheme.indicators.values():
        shares = [share for _, share in curve.points]
        assert shares in (sorted(shares), sorted(shares, reverse=True))
        assert curve.label.zh
        assert curve.label.en
    assert sum(c.weight for c in scheme.indicators.values()) == 100


def test_a_ledger_without_any_of_the_facts_is_unknown_throughout() -> None:
    bare = pa.table({"parcel_id": ["a", "b"]})
    for row in potential(bare, Rulebook.load(), ON).grades.to_pylist():
        assert (row["grade"], row["score"], row["obstacles"]) == ("unknown", None, "")
        assert (row["score_low"], row["score_high"]) == (0, 100)
        assert "heritage" in row["unknown_obstacles"]
