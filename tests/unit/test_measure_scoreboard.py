"""The scoreboard: gross and net apart, net refused without its four stocks."""

from datetime import date

import pyarrow as pa
import pytest

from panhuo.core.problems import PanhuoError
from panhuo.measure.before_after import before_after, expected_of
from panhuo.measure.scoreboard import progress, ranking, rate, scoreboard, stock_tally, year_plan
from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import scheme
from panhuo.rulebook.scheme_schema import ScoreboardScheme

RULE = scheme(Rulebook.load(), ScoreboardScheme, "scoreboard", date(2025, 1, 1))
STOCKS = {"opening_m2": 1000.0, "added_m2": 300.0, "disposed_m2": 500.0, "closing_m2": 800.0}


def test_gross_rate_is_done_over_task() -> None:
    assert rate(RULE, "idle_gross", {"base_m2": 400.0, "done_m2": 100.0}) == pytest.approx(0.25)


def test_net_rate_needs_all_four_stocks() -> None:
    assert rate(RULE, "idle_net", STOCKS) == pytest.approx(0.2)
    for name in STOCKS:
        with pytest.raises(PanhuoError) as refused:
            rate(RULE, "idle_net", {k: v for k, v in STOCKS.items() if k != name})
        assert name in refused.value.why


def test_stocks_that_do_not_balance_are_refused() -> None:
    with pytest.raises(PanhuoError, match="cannot be given") as refused:
        rate(RULE, "idle_net", {**STOCKS, "closing_m2": 802.0})
    assert "balance" in refused.value.why


def test_a_board_keeps_refused_rows_and_says_why() -> None:
    tasks = pa.table({"division": ["a", "b"], "year": [2024, 2024], "measure": ["idle_gross", "idle_net"],
                      "base_m2": [10.0, None], "done_m2": [4.0, None], "opening_m2": [None, 9.0]})  # fmt: skip
    board, problems = scoreboard(tasks, RULE)
    assert board.column_names == ["division", "year", "measure", "base_m2", "done_m2", "rate", "formula_id"]
    assert board["rate"].to_pylist() == [0.4, None] and [p.type for p in problems] == ["rate_refused"]
    assert board["formula_id"].to_pylist() == ["gross_task", "net_opening"]


def test_a_measure_without_definition_is_refused() -> None:
    tasks = pa.table({"division": ["a"], "year": [2024], "measure": ["my_rate"]})
    with pytest.raises(PanhuoError, match="my_rate"):
        scoreboard(tasks, RULE)


def test_two_lists_of_units_give_balanced_stocks() -> None:
    opening = pa.table(
        {"parcel_id": ["p", "q", "r"], "division": ["430112"] * 3, "area_m2": [100.0, 200.0, 300.0]}
    )
    closing = pa.table(
        {"parcel_id": ["q", "r", "s"], "division": ["430112"] * 3, "area_m2": [200.0, 250.0, 50.0]}
    )
    tally = stock_tally(opening, closing, 2025, "idle_net")
    row = tally.to_pylist()[0]
    assert (row["opening_m2"], row["added_m2"], row["disposed_m2"], row["closing_m2"]) == (600, 50, 150, 500)
    board, problems = scoreboard(tally, RULE)
    assert board["rate"].to_pylist() == [pytest.approx(100 / 600)] and problems == []


def test_an_unknown_area_leaves_the_tally_unknown() -> None:
    opening = pa.table(
        {"parcel_id": ["p"], "division": ["430112"], "area_m2": pa.array([None], pa.float64())}
    )
    closing = opening.slice(0, 0)
    assert stock_tally(opening, closing, 2025, "idle_net")["opening_m2"].to_pylist() == [None]


def test_ranking_and_progress() -> None:
    tasks = pa.table({"division": ["a", "b", "c"], "year": [2024] * 3, "measure": ["idle_gross"] * 3,
                      "base_m2": [10.0, 10.0, 10.0], "done_m2": [5.0, 2.0, 5.0]})  # fmt: skip
    board, _ = scoreboard(tasks, RULE)
    assert {r["division"]: r["rank"] for r in ranking(board).to_pylist()} == {"a": 1, "b": 3, "c": 1}
    behind = progress(board, date(2024, 7, 1)).to_pylist()
    assert behind[0]["division"] == "b" and behind[0]["expected"] == pytest.approx(183 / 366)
    assert progress(board, date(2024, 12, 31))["expected"].to_pylist() == [1.0] * 3


def test_what_is_left_is_cleared_in_equal_years_after_the_latest() -> None:
    rows = [("a", 2023, 90.0, 1.0), ("a", 2024, 90.0, 30.0), ("b", 2024, 10.0, 20.0), ("c", 2024, 10.0, None)]
    names = ("division", "year", "base_m2", "done_m2")
    tasks = pa.Table.from_pylist([dict(zip(names, row, strict=True), measure="idle_gross") for row in rows])
    plan = year_plan(scoreboard(tasks, RULE)[0], 3).to_pylist()
    targets = {d: [(r["year"], r["target_m2"]) for r in plan if r["division"] == d] for d in "abc"}
    assert targets["a"] == [(2025, 20.0), (2026, 20.0), (2027, 20.0)]
    assert targets["b"][0] == (2025, 0.0) and targets["c"][0] == (2025, None)


def test_outcomes_stand_beside_their_appraisal() -> None:
    appraisals = pa.table({"parcel_id": ["p"], "tool_id": ["t"], "party": ["government"], "cash_wan": [100.0],
                           "npv_wan": [80.0], "months": [12.0]})  # fmt: skip
    outcomes = pa.table({"parcel_id": ["p", "p"], "tool_id": ["t", "t"], "measure": ["government_cash_wan", "far"],
                         "before": [0.0, 0.5], "after": [90.0, 1.0]})  # fmt: skip
    got = {row["measure"]: row for row in before_after(outcomes, expected_of(appraisals)).to_pylist()}
    assert got["government_cash_wan"]["of_expected"] == pytest.approx(0.9)
    assert got["government_cash_wan"]["change_ratio"] is None
    assert got["far"]["change_ratio"] == pytest.approx(1.0) and got["far"]["expected"] is None
