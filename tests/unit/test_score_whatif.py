"""What-if, backtest, stability and the plans of low firms."""

from datetime import date

import pyarrow as pa
import pytest

from panhuo.core.problems import PanhuoError
from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import scheme
from panhuo.rulebook.scheme_schema import FirmPlanScheme, Scheme
from panhuo.score.policies import firm_plans, lifts
from panhuo.score.whatif import Inputs, backtest, compared, moves, revised, stability

ON = date(2024, 6, 1)
BOOK = Rulebook.load()
RULE = scheme(BOOK, Scheme, "hunan_default", ON)
IDS = [f"E{k:02d}" for k in range(20)]
INPUTS = Inputs(
    pa.table({
        "enterprise_id": IDS, "year": [2023] * 20, "tax_wan": [10.0 * (k + 1) for k in range(20)],
        "revenue_wan": [1900.0 - 50 * k for k in range(20)], "industry": ["C30"] * 20, "status": ["operating"] * 20,
        "opened_on": [date(2010, 1, 1)] * 20,
    }),
    pa.table({"parcel_id": IDS, "enterprise_id": IDS, "kind": ["own"] * 20, "area_m2": [10000.0] * 20}),
    None,
    ON,
)  # fmt: skip


def test_weights_turn_the_order_round() -> None:
    tax = revised(RULE, weights={"tax_per_mu": 99, "revenue_per_mu": 1}, caps={"tax_per_mu": 10})
    revenue = revised(RULE, weights={"below_scale.tax_per_mu": 1, "revenue_per_mu": 99})
    table = compared(INPUTS.score(tax).scores, INPUTS.score(revenue).scores)
    best = {row["enterprise_id"]: row for row in table.to_pylist()}
    assert best["E19"]["tier_before"] == "A" and best["E19"]["tier_after"] == "D"
    assert sum(moves(table)["firms"].to_pylist()) == 20


def test_bases_and_caps_change_points_and_unknown_names_are_refused() -> None:
    low = INPUTS.score(
        revised(RULE, bases={"tax_per_mu": 1000.0}, caps={"tax_per_mu": 0.01})
    ).items.to_pylist()
    tax = [row for row in low if row["indicator"] == "tax_per_mu"]
    assert {row["base"] for row in tax} == {1000.0} and max(row["points"] for row in tax) == pytest.approx(
        0.7
    )
    with pytest.raises(PanhuoError, match="no such indicator"):
        revised(RULE, weights={"tax": 1})


def test_backtest_counts_the_tiers_given_again() -> None:
    scores = INPUTS.score(RULE).scores
    published = scores.select(["enterprise_id", "tier"])
    assert backtest(scores, published)[0] == 1.0
    turned = published.set_column(1, "tier", pa.array(["A", *published["tier"].to_pylist()[1:]]))
    share, table = backtest(scores, turned)
    assert share == pytest.approx(0.95) and table.num_rows == 20
    off = [r for r in table.to_pylist() if r["tier_before"] != r["tier_after"]]
    assert [(r["enterprise_id"], r["tier_before"]) for r in off] == [("E00", "A")]
    assert backtest(scores, published.slice(0, 0))[0] is None
    strange = pa.table({"enterprise_id": ["E00", "nobody"], "tier": published["tier"].slice(0, 2)})
    share, table = backtest(scores, strange)
    assert share == 1.0 and table["tier_after"].to_pylist()[1] is None


def test_stability_is_whole_without_noise_and_repeats_with_its_seed() -> None:
    assert set(stability(INPUTS, RULE, noise=0.0, draws=3)["kept"].to_pylist()) == {1.0}
    shaken = stability(INPUTS, RULE, noise=0.5, draws=10, seed=3)
    assert shaken.equals(stability(INPUTS, RULE, noise=0.5, draws=10, seed=3))
    assert min(shaken["kept"].to_pylist()) < 1.0


def test_lifts_put_the_most_to_gain_first() -> None:
    items = INPUTS.score(RULE).items
    found = lifts(RULE, "below_scale", items.filter(pa.compute.equal(items["enterprise_id"], "E00")))
    assert [lift.indicator for lift in found] == ["tax_per_mu", "revenue_per_mu"]
    assert found[0].target is not None and found[0].value is not None and found[0].value < found[0].target


def test_low_firms_get_the_actions_their_facts_open() -> None:
    rule = scheme(BOOK, FirmPlanScheme, "firm_plan", ON)
    facts = pa.table({
        "enterprise_id": ["stopped", "vacant", "favoured", "unknown"], "tier": ["D", "C", "A", "D"],
        "status": ["stopped", "operating", "stopped", None], "own_mu": [10.0, 0.0, 10.0, 10.0],
        "unbuilt_parcels": [0, 0, 0, 1], "idle_parcels": [0, 0, 0, 0], "vacant_m2": [0.0, 5.0, 0.0, 0.0],
    })  # fmt: skip
    got = {(row["enterprise_id"], row["tool_id"]) for row in firm_plans(facts, rule).to_pylist()}
    assert got == {
        ("stopped", "agreed_resumption"), ("vacant", "investment_promotion"), ("unknown", "urge_construction")
    }  # fmt: skip
