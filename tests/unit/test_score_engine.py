"""Scoring through its public door: every stated rule, on both sides."""

import json
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from panhuo.core.problems import PanhuoError
from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import load_schemes, pick_scheme, scheme
from panhuo.rulebook.scheme_schema import Scheme
from panhuo.score import ScoreResult, score
from panhuo.score.policies import lifts

ON = date(2023, 10, 1)
BOOK = Rulebook.load()
MU = 2000 / 3


def made(**changes: Any) -> Scheme:
    """A scheme of one group and one indicator, tax per mu over 10, weight 100, with changes to its fields."""
    indicator = {
        "label": {"zh": "亩均税收", "en": "Tax per mu"},
        "unit": "wan_per_mu",
        "numerator": "tax_wan",
        "denominator": "land_mu",
        "weight": 100,
        "base": 10,
        **changes.pop("indicator", {}),
    }
    name = {"zh": "某", "en": "some"}
    tiers = changes.pop(
        "tiers", {k: {"label": name, "up_to": s} for k, s in zip("ABCD", (0.2, 0.6, 0.95, 1), strict=True)}
    )
    group = {"label": name, "indicators": {"tax_per_mu": indicator}, **changes.pop("group", {})}
    return Scheme.model_validate(
        {
            "kind": "score",
            "label": name,
            "source": "yield_practice",
            "mark": "M",
            "checked_on": "2026-11-23",
            "id": "made",
            "groups": {"all": group},
            "tiers": tiers,
            "min_firms": 1,
            "land": {"far_floor": 1.0},
            **changes,
        }
    )


def firms(*rows: dict[str, Any]) -> pa.Table:
    """Enterprises E0, E1 … of 2022, each with one own parcel of `mu` (10 unless said; None for no land row)."""
    full = [{"enterprise_id": f"E{k}", "year": 2022, **row} for k, row in enumerate(rows)]
    names = dict.fromkeys(name for row in full for name in row if name != "mu")
    return pa.table({name: [row.get(name) for row in full] for name in names})


def land(*rows: dict[str, Any]) -> pa.Table:
    held = [(k, row.get("mu", 10)) for k, row in enumerate(rows) if row.get("mu", 10) is not None]
    return pa.table(
        {
            "parcel_id": [f"P{k}" for k, _ in held],
            "enterprise_id": [f"E{k}" for k, _ in held],
            "kind": ["own"] * len(held),
            "area_m2": [float(mu * MU) for _, mu in held],
        }
    )


def run(rule: Scheme, *rows: dict[str, Any], **more: Any) -> ScoreResult:
    return score(firms(*rows), land(*rows), None, rule, on=ON, **more)


def one(result: ScoreResult, firm: str = "E0") -> dict[str, Any]:
    return next(row for row in result.scores.to_pylist() if row["enterprise_id"] == firm)


def item(result: ScoreResult, name: str, firm: str = "E0") -> dict[str, Any]:
    rows = result.items.to_pylist()
    return next(row for row in rows if row["enterprise_id"] == firm and row["indicator"] == name)


HUANGYAN = {
    "revenue_wan": 5000.0,
    "tax_wan": 240.97,
    "value_added_wan": 1361.6,
    "energy_tce": 505.4194506310319,
    "emission_eq": 0.2761972571032312,
    "employees": 75.0606394707828,
    "rd_wan": 151.0,
}


def test_huangyan_2022_gives_each_weight_at_its_base() -> None:
    rule = scheme(BOOK, Scheme, "huangyan_2022", ON)
    result = run(rule, HUANGYAN)
    expected = {
        "tax_per_mu": 30,
        "value_added_per_mu": 20,
        "value_added_per_tce": 20,
        "value_added_per_emission": 10,
        "labour_productivity": 10,
        "rd_share": 10,
    }
    for name, points in expected.items():
        assert item(result, name)["points"] == pytest.approx(points)
    assert one(result)["score"] == pytest.approx(100)


def test_huangyan_2022_formula_as_printed() -> None:
    rule = scheme(BOOK, Scheme, "huangyan_2022", ON)
    firm = {
        "revenue_wan": 8000.0,
        "tax_wan": 500.0,
        "value_added_wan": 2000.0,
        "energy_tce": 900.0,
        "emission_eq": 0.3,
        "employees": 150.0,
        "rd_wan": 300.0,
        "mu": 20,
    }
    printed = (
        500 / 20 / 24.097 * 30
        + 2000 / 20 / 136.16 * 20
        + 2000 / 900 / 2.694 * 20
        + 2000 / 0.3 / 4929.81 * 10
        + 2000 / 150 / 18.14 * 10
        + 300 / 8000 / 0.0302 * 10
    )
    assert one(run(rule, firm))["score"] == pytest.approx(printed)


def test_huangyan_2022_below_scale_as_printed() -> None:
    rule = scheme(BOOK, Scheme, "huangyan_2022", ON)
    firm = {"revenue_wan": 1999.99, "tax_wan": 60.0, "electricity_kwh": 2_000_000.0}
    got = one(run(rule, firm))
    assert got["group_id"] == "below_scale"
    assert got["score"] == pytest.approx(60 / 10 / 11.5932 * 50 + 60 * 10000 / 2_000_000 / 0.2352 * 50)


def test_the_scale_bar_is_two_thousand_and_reaching_it_counts() -> None:
    rule = scheme(BOOK, Scheme, "huangyan_2022", ON)
    result = run(rule, {**HUANGYAN, "revenue_wan": 2000.0}, {**HUANGYAN, "revenue_wan": None})
    assert one(result)["group_id"] == "above_scale"
    assert one(result, "E1")["score"] is None and "revenue_wan" in one(result, "E1")["excluded_because"]


def test_missing_emission_scores_the_mean_of_the_others_and_says_so() -> None:
    rule = scheme(BOOK, Scheme, "huangyan_2022", ON)
    rows = [
        {**HUANGYAN},
        {**HUANGYAN, "emission_eq": HUANGYAN["emission_eq"] / 2},
        {**HUANGYAN, "emission_eq": None},
    ]
    result = run(rule, *rows)
    got = item(result, "value_added_per_emission", "E2")
    assert got["points"] == pytest.approx((10 + 20) / 2)
    assert got["value"] is None and "emission_eq" in got["note"]


def test_other_gaps_leave_no_score_and_name_the_indicator() -> None:
    result = run(scheme(BOOK, Scheme, "huangyan_2022", ON), {**HUANGYAN, "energy_tce": None})
    got = one(result)
    assert got["score"] is None and got["rank"] is None and got["tier"] is None
    assert (
        "单位能耗增加值" in got["excluded_because"]
        and "energy_tce" in item(result, "value_added_per_tce")["note"]
    )


@pytest.mark.parametrize(("policy", "points"), [("zero", 0.0), ("refuse", None), ("group_mean", 75.0)])
def test_each_policy_of_a_missing_value(policy: str, points: float | None) -> None:
    rule = made(indicator={"missing": policy})
    result = run(rule, {"tax_wan": 100.0}, {"tax_wan": 50.0}, {"tax_wan": None})
    assert item(result, "tax_per_mu", "E2")["points"] == points
    assert "tax_wan" in item(result, "tax_per_mu", "E2")["note"]


def test_a_list_without_emissions_is_graded_by_the_default_and_one_firms_emission_counts_for_all() -> None:
    """What row 3 of the mission gives (tax, revenue, land, energy, R&D, staff) is enough to be graded A to D."""
    rule = scheme(BOOK, Scheme, "hunan_default", ON)
    rows = [
        {
            "revenue_wan": 3000.0,
            "tax_wan": 100.0 + 10 * k,
            "energy_tce": 50.0,
            "rd_wan": 30.0,
            "emission_eq": None,
        }
        for k in range(6)
    ]
    without = run(rule, *rows)
    assert {r["tier"] for r in without.scores.to_pylist()} == {"A", "B", "C", "D"}
    emission = item(without, "revenue_per_emission")
    assert emission["points"] == 0 and "nobody" in emission["note"]
    total = sum(i["points"] for i in without.items.to_pylist() if i["enterprise_id"] == "E0" and i["points"])
    assert total == pytest.approx(one(without)["score"])
    held = without.items.filter(pc.equal(without.items["enterprise_id"], "E0"))
    assert "revenue_per_emission" not in {lift.indicator for lift in lifts(rule, "above_scale", held)}
    rows[0]["emission_eq"] = 1.0
    given = run(rule, *rows)
    assert (
        item(given, "revenue_per_emission", "E1")["points"]
        == item(given, "revenue_per_emission")["points"]
        > 0
    )


@pytest.mark.parametrize(
    ("tax", "points", "word"),
    [
        (150.0, 150.0, ""),
        (150.001, 150.0, "capped"),
        (0.0, 0.0, ""),
        (-1.0, 0.0, "floored"),
    ],
)
def test_cap_and_floor(tax: float, points: float, word: str) -> None:
    got = item(run(made(indicator={"cap": 1.5}), {"tax_wan": tax}), "tax_per_mu")
    assert got["points"] == pytest.approx(points)
    assert (word in got["note"]) and (bool(word) == bool(got["note"]))


def test_less_is_better_turns_the_ratio_round() -> None:
    rule = made(indicator={"better": "less"})
    assert item(run(rule, {"tax_wan": 200.0}), "tax_per_mu")["points"] == pytest.approx(50)


def test_zero_land_has_no_value_per_mu() -> None:
    result = run(made(), {"tax_wan": 10.0, "mu": 0}, {"tax_wan": 10.0, "mu": None})
    assert one(result)["score"] is None and "不大于零" in item(result, "tax_per_mu")["note"]
    assert one(result, "E1")["score"] is None and "缺 land_mu" in item(result, "tax_per_mu", "E1")["note"]


def test_pooled_and_simple_means() -> None:
    rows = ({"tax_wan": 100.0, "mu": 10}, {"tax_wan": 100.0, "mu": 40})
    pooled = run(made(indicator={"base": {"mean": "pooled"}}), *rows)
    simple = run(made(indicator={"base": {"mean": "simple", "times": 2}}), *rows)
    assert item(pooled, "tax_per_mu")["base"] == pytest.approx(200 / 50)
    assert item(simple, "tax_per_mu")["base"] == pytest.approx((10 + 2.5) / 2 * 2)


def test_base_by_kind_needs_enough_firms_else_the_whole_group() -> None:
    rule = made(indicator={"base": {"mean": "simple", "by": "industry_2", "min_firms": 2}})
    rows = [{"tax_wan": t, "industry": i} for t, i in ((100.0, "C30"), (200.0, "C30"), (600.0, "C26"))]
    result = run(rule, *rows)
    assert item(result, "tax_per_mu", "E0")["base"] == pytest.approx(15)
    assert item(result, "tax_per_mu", "E2")["base"] == pytest.approx(30)
    assert "whole group" in item(result, "tax_per_mu", "E2")["note"]


def test_fixed_bases_by_place_and_otherwise() -> None:
    base = {"value": 10, "by": "city", "values": {"4301": 20}}
    result = run(
        made(indicator={"base": base}),
        {"tax_wan": 100.0, "division": "430121"},
        {"tax_wan": 100.0, "division": "430381"},
    )
    assert [item(result, "tax_per_mu", f)["points"] for f in ("E0", "E1")] == pytest.approx([50, 100])


def test_base_of_last_year_and_without_it() -> None:
    base = {"mean": "pooled", "times": 2, "year": "previous"}
    before = firms({"tax_wan": 40.0}).set_column(1, "year", pa.array([2021]))
    got = item(run(made(indicator={"base": base}), {"tax_wan": 100.0}, previous=before), "tax_per_mu")
    assert got["base"] == pytest.approx(8)
    refused = run(made(indicator={"base": base}), {"tax_wan": 100.0})
    assert one(refused)["score"] is None
    fallen = run(made(indicator={"base": {**base, "without_previous": "same_year"}}), {"tax_wan": 100.0})
    assert (
        item(fallen, "tax_per_mu")["base"] == pytest.approx(20)
        and "last year" in item(fallen, "tax_per_mu")["note"]
    )


def test_bonus_cap_and_unknown_bonus_add_up() -> None:
    label = {"zh": "加分", "en": "bonus"}
    rule = made(
        bonus_cap=8,
        bonus={
            "size": {"label": label, "when": "revenue_wan > 10", "points": 5},
            "staff": {"label": label, "when": "employees > 10", "points": 5},
            "fine": {"label": label, "when": "status = 'stopped'", "points": -3},
        },
    )
    result = run(
        rule,
        {"tax_wan": 100.0, "revenue_wan": 11.0, "employees": 11.0, "status": "operating"},
        {"tax_wan": 100.0, "revenue_wan": None, "employees": 11.0, "status": "stopped"},
    )
    assert one(result)["score"] == pytest.approx(108)
    assert one(result, "E1")["score"] == pytest.approx(102)
    assert "revenue_wan" in item(result, "bonus:size", "E1")["note"]


def test_items_add_up_to_every_score() -> None:
    rows = [{**HUANGYAN, "tax_wan": 10.0 * k, "emission_eq": None if k % 3 else 0.2} for k in range(30)]
    result = run(scheme(BOOK, Scheme, "huangyan_2022", ON), *rows)
    sums: dict[str, float] = {}
    for row in result.items.to_pylist():
        sums[row["enterprise_id"]] = sums.get(row["enterprise_id"], 0) + (row["points"] or 0)
    for row in result.scores.to_pylist():
        assert row["score"] == pytest.approx(sums[row["enterprise_id"]], abs=1e-9)


def test_ten_thousand_firms_fall_in_the_shares_exactly() -> None:
    generator = np.random.default_rng(5)
    n = 10_000
    ids = [f"E{k:05d}" for k in range(n)]
    table = pa.table(
        {"enterprise_id": ids, "year": np.full(n, 2022), "tax_wan": generator.permutation(n) + 1.0}
    )
    held = pa.table({"parcel_id": ids, "enterprise_id": ids, "kind": ["own"] * n, "area_m2": np.full(n, MU)})
    result = score(table, held, None, made(), on=ON)
    counted = dict(
        zip(*np.unique(result.scores["tier"].to_numpy(zero_copy_only=False), return_counts=True), strict=True)
    )
    assert counted == {"A": 2000, "B": 4000, "C": 3500, "D": 500}
    assert sorted(result.scores["rank"].to_pylist()) == list(range(1, n + 1))


@pytest.mark.parametrize(("ties", "expected"), [("better", "AAABB"), ("worse", "ABBBB")])
def test_equal_scores_share_a_rank_and_a_tier(ties: str, expected: str) -> None:
    label = {"zh": "档", "en": "tier"}
    tiers = {"A": {"label": label, "up_to": 0.4}, "B": {"label": label, "up_to": 1.0}}
    rows = [{"tax_wan": t} for t in (50.0, 40.0, 40.0, 20.0, 10.0)]
    result = run(made(ties=ties, tiers=tiers), *rows)
    assert result.scores["rank"].to_pylist() == [1, 2, 2, 4, 5]
    assert "".join(result.scores["tier"].to_pylist()) == expected


def test_tiers_by_score_take_the_bar_itself() -> None:
    label = {"zh": "档", "en": "tier"}
    tiers = {
        "A": {"label": label, "at_least": 80},
        "B": {"label": label, "at_least": 60},
        "C": {"label": label, "at_least": 0},
    }
    result = run(
        made(tiers=tiers), {"tax_wan": 80.0}, {"tax_wan": 79.99}, {"tax_wan": 60.0}, {"tax_wan": 59.99}
    )
    assert result.scores["tier"].to_pylist() == ["A", "B", "B", "C"]


def test_fewer_firms_than_the_least_get_rank_but_no_tier() -> None:
    rows = [{"tax_wan": 10.0 * k} for k in range(5)]
    few = run(made(min_firms=5), *rows[:4])
    assert few.scores["tier"].to_pylist() == [None] * 4 and "不足5家" in one(few)["excluded_because"]
    assert None not in few.scores["rank"].to_pylist()
    assert None not in run(made(min_firms=5), *rows).scores["tier"].to_pylist()


def test_ranking_within_each_county() -> None:
    rows = [{"tax_wan": t, "division": d} for t, d in ((9.0, "430121"), (8.0, "430121"), (1.0, "430181"))]
    assert run(made(partition="county"), *rows).scores["rank"].to_pylist() == [1, 2, 1]


def test_veto_takes_the_tier_and_leaves_the_ranking() -> None:
    veto = {"safety": {"label": {"zh": "安全", "en": "safety"}, "when": "veto IS NOT NULL", "tier": "D"}}
    result = run(made(veto=veto), {"tax_wan": 90.0, "veto": "事故"}, {"tax_wan": 10.0, "veto": None})
    assert (one(result)["tier"], one(result)["rank"]) == ("D", None) and "安全" in one(result)[
        "excluded_because"
    ]
    assert one(result, "E1")["rank"] == 1


def test_huaian_new_firms_are_t_until_two_full_years() -> None:
    rule = scheme(BOOK, Scheme, "huaian_2024", date(2024, 10, 1))
    rows = [
        {
            "tax_wan": 1.0,
            "revenue_wan": 3000.0,
            "energy_tce": 1.0,
            "division": "320804",
            "industry": i,
            "opened_on": o,
        }
        for i, o in (("C30", date(2022, 10, 2)), ("C30", date(2022, 10, 1)), ("D44", date(2000, 1, 1)))
    ]
    result = score(firms(*rows), land(*rows), None, rule, on=date(2024, 10, 1))
    assert [r["tier"] for r in result.scores.to_pylist()] == ["T", None, "T"]
    assert "两年" in one(result)["excluded_because"] or "2年" in one(result)["excluded_because"]


@pytest.mark.parametrize(("on", "tier"), [(date(2022, 2, 27), "T"), (date(2022, 2, 28), None)])
def test_two_years_from_a_leap_day_end_on_the_last_of_february(on: date, tier: str | None) -> None:
    rule = scheme(BOOK, Scheme, "huaian_2024", date(2024, 10, 1))
    rows = [{"tax_wan": 1.0, "revenue_wan": 3000.0, "industry": "C30", "opened_on": date(2020, 2, 29)}]
    table = firms(*rows).set_column(1, "year", pa.array([2021]))
    assert score(table, land(*rows), None, rule, on=on).scores["tier"].to_pylist() == [tier]


def test_unknown_opening_day_is_scored_and_reported() -> None:
    rule = scheme(BOOK, Scheme, "hunan_default", ON)
    result = run(rule, {"tax_wan": 10.0, "revenue_wan": 100.0, "industry": "C30", "status": "operating"})
    assert one(result)["score"] is not None
    assert any(p.type == "class_unknown" and p.field == "years_open" for p in result.problems)


def test_policies_of_the_tier_come_with_the_score() -> None:
    rows = [
        {
            "tax_wan": 10.0 * k,
            "revenue_wan": 100.0,
            "industry": "C30",
            "opened_on": date(2000, 1, 1),
            "status": "operating",
        }
        for k in range(20)
    ]
    result = run(scheme(BOOK, Scheme, "hunan_default", ON), *rows)
    assert one(result, "E0")["tier"] == "D"
    assert "one_firm_plan" in json.loads(one(result, "E0")["policies"])


def test_schemes_are_chosen_by_place_and_day() -> None:
    assert pick_scheme(BOOK, "331003", date(2023, 9, 24)).id == "huangyan_2021"
    assert pick_scheme(BOOK, "331003", date(2023, 9, 25)).id == "huangyan_2022"
    assert pick_scheme(BOOK, "320804", date(2024, 5, 31)).id == "huaian_2024"
    assert pick_scheme(BOOK, "430112", ON).id == "hunan_default"
    with pytest.raises(PanhuoError):
        pick_scheme(BOOK, "430112", date(2001, 1, 1))
    with pytest.raises(PanhuoError):
        scheme(BOOK, Scheme, "no_such", ON)


@pytest.mark.parametrize("name", sorted(load_schemes(BOOK, Scheme)))
def test_every_scheme_binds_scores_and_cites_a_source_card(name: str) -> None:
    rule = scheme(BOOK, Scheme, name, date(2025, 1, 1))
    assert rule.source in BOOK.sources
    rows = [
        {
            **HUANGYAN,
            "tax_wan": 10.0 * k,
            "electricity_kwh": 1e5,
            "division": "430112",
            "industry": "C3011",
            "status": "operating",
            "opened_on": date(2010, 1, 1),
        }
        for k in range(1, 11)
    ]
    assert set(run(rule, *rows).scores["tier"].to_pylist()) >= {"A", "D"}


def test_the_latest_year_is_scored_and_a_firm_told_twice_is_reported() -> None:
    table = pa.table(
        {"enterprise_id": ["E0", "E0", "E0"], "year": [2021, 2022, 2022], "tax_wan": [1.0, 50.0, 50.0]}
    )
    result = score(table, land({}), None, made(), on=ON)
    assert one(result)["score"] == pytest.approx(50)
    assert [p.type for p in result.problems] == ["enterprise_repeated"]


def test_a_firm_without_figures_of_the_year_is_named_not_dropped() -> None:
    table = pa.table({"enterprise_id": ["E0", "E1"], "year": [2022, 2021], "tax_wan": [50.0, 50.0]})
    got = one(score(table, land({}, {}), None, made(), on=ON), "E1")
    assert got["score"] is None and "2022" in got["excluded_because"]
