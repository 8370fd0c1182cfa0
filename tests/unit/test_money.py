"""Taxes, cash flows and bond costs against the fact sheet's vectors, and the refusals."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panhuo.appraise import bond, taxes
from panhuo.appraise.cashflow import npv, payback_months, peak_exposure, xirr, years_after
from panhuo.appraise.compare import compare
from panhuo.appraise.inputs import money_spec
from panhuo.appraise.law import Law
from panhuo.appraise.money import wan
from panhuo.appraise.nothing import doing_nothing
from panhuo.appraise.run import RUN, Case, MissingInputsError, appraise, model_files, model_of, prepare
from panhuo.appraise.sensitivity import spreads
from panhuo.core.problems import PanhuoError
from panhuo.core.units import mu_to_m2
from panhuo.rulebook.book import Rulebook

BOOK = Rulebook.load()
HUNAN = Law(BOOK, "43")
ON = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("gain", "deductions", "tax"),
    [
        (100, 100, 35),
        (250, 100, 115),
        (40, 100, 12),
        (50, 100, 15),
        (50.01, 100, 15.004),
        (200, 100, 85),
        (-1, 100, 0),
    ],
)
def test_land_value_tax_bands(gain, deductions, tax):
    assert taxes.land_value_tax(gain, deductions, ON, HUNAN).value == pytest.approx(tax, abs=1e-6)


def test_land_value_tax_of_ordinary_housing_on_both_sides_of_its_threshold():
    assert taxes.land_value_tax(20, 100, ON, HUNAN, is_ordinary_housing=True).value == 0
    assert taxes.land_value_tax(20.1, 100, ON, HUNAN, is_ordinary_housing=True).value == pytest.approx(6.03)
    with pytest.raises(PanhuoError):
        taxes.land_value_tax(10, 0, ON, HUNAN)


@given(st.floats(0, 1e6), st.floats(1, 1e6))
def test_land_value_tax_never_takes_the_whole_gain(gain, deductions):
    tax = taxes.land_value_tax(gain, deductions, ON, HUNAN).value
    assert 0 <= tax <= gain * 0.6 + 1e-6


def test_vat_rates_follow_their_dates():
    rates = {
        d: taxes.vat_on_sale(1000, 0, None, d, HUNAN).terms["r"]
        for d in (date(2016, 5, 1), date(2018, 4, 30))
    }
    assert set(rates.values()) == {0.11}
    assert taxes.vat_on_sale(1000, 0, None, date(2018, 5, 1), HUNAN).terms["r"] == 0.10
    assert taxes.vat_on_sale(1090, 0, None, ON, HUNAN).value == pytest.approx(90)


def test_old_realty_pays_on_the_margin_up_to_the_cutoff():
    old, new = date(2016, 4, 30), date(2016, 5, 1)
    assert taxes.vat_on_sale(2050, 1000, old, ON, HUNAN).value == pytest.approx(50)
    assert taxes.vat_on_sale(2050, 1000, new, ON, HUNAN).terms["r"] == 0.09
    assert taxes.vat_on_sale(2050, 1000, old, date(2028, 1, 1), HUNAN).terms["r"] == 0.09


def test_law_of_a_date_before_the_first_is_refused_by_name():
    with pytest.raises(PanhuoError, match=r"tax\.vat_rate_realty|tax\.vat_old_realty_until"):
        taxes.vat_on_sale(1000, 0, None, date(2010, 1, 1), HUNAN)


def test_vat_on_land_given_back_is_exempt_then_doubtful():
    due, doubtful = taxes.vat_on_resumption(1090, 0, None, date(2025, 12, 31), HUNAN)
    assert (due.value, doubtful.value) == (0, 0)
    due, doubtful = taxes.vat_on_resumption(1090, 0, None, date(2026, 1, 1), HUNAN)
    assert due.value == 0
    assert due.unverified
    assert doubtful.value == pytest.approx(90)


def test_term_factor_and_idle_fee():
    assert taxes.term_factor(39, 50, 0.05).value == pytest.approx(0.932, abs=5e-4)
    assert taxes.term_factor(50, 50, 0.05).value == 1
    assert taxes.idle_fee(928.66, date(2020, 11, 1), HUNAN).value == pytest.approx(185.732)
    for bad in ((0, 50, 0.05), (51, 50, 0.05), (39, 50, 1.01)):
        with pytest.raises(PanhuoError):
            taxes.term_factor(*bad)


def test_bond_costs_of_the_published_vector():
    cost = bond.finance_cost(10_000, 0.028, 3, ON, HUNAN)
    parts = [cost.interest, cost.issue, cost.registration, cost.redemption, cost.total]
    assert [p.value for p in parts] == [840, 8, 0.64, 0.542, 849.182]


def test_bond_coverage_floor_on_both_sides():
    income, price, finance = 15_000.0, 10_000.0, 849.182
    gain = income - price - finance
    expected = (income - 0.003 * income - 0.2 * gain) / (price + finance)
    assert bond.coverage(income, price, finance, ON, HUNAN).value == pytest.approx(expected, abs=1e-6)
    low = bond.take_back(10_000, 12_500, 3, 0.028, 1.0, 1e4, 0.0, ON, HUNAN)
    high = bond.take_back(10_000, 16_000, 3, 0.028, 1.0, 1e4, 0.0, ON, HUNAN)
    assert (low.is_feasible, high.is_feasible) == (False, True)
    assert high.cut == 0.005
    assert high.least_cut == 0


def test_bond_cut_is_rounded_up_to_its_step():
    found = bond.take_back(10_000, 10_500, 3, 0.028, 1.0, 1e4, 0.0, ON, HUNAN)
    assert found.least_cut > 0
    assert 0 <= found.cut - found.least_cut < 0.001
    assert found.price.value == pytest.approx(10_000 * (1 - found.cut))


def test_bond_schedule_repays_everything():
    rows = bond.schedule(18_100, 0.035, 15, [2000.0] * 15, 6)
    assert rows[-1].balance_wan == 0
    assert sum(r.principal_wan for r in rows) == pytest.approx(18_100, abs=1e-4)
    assert rows[0].cover == pytest.approx(2000 / (18_100 * 0.035), abs=1e-4)
    with pytest.raises(PanhuoError):
        bond.schedule(18_100, 0.035, 15, [2000.0] * 14, 6)


def test_cash_flow_measures():
    flows = [(date(2020, 1, 1), -100.0), (date(2021, 1, 1), 60.0), (date(2022, 1, 1), 60.0)]
    assert peak_exposure(flows) == 100
    assert payback_months(flows, date(2020, 1, 1)) == 24
    assert npv([(date(2021, 1, 1), 110.0)], 0.10, date(2020, 1, 2)) == 100
    assert npv(flows, xirr(flows), date(2020, 1, 1)) == pytest.approx(0, abs=1e-3)
    assert payback_months(flows[:2], date(2020, 1, 1)) is None
    assert years_after(date(2020, 2, 29), 1) == date(2021, 2, 28)


def test_flows_without_a_change_of_sign_are_refused():
    with pytest.raises(PanhuoError, match="正负变化"):
        xirr([(date(2020, 1, 1), 10.0), (date(2021, 1, 1), 20.0)])


@given(st.floats(-1e9, 1e9))
def test_money_is_rounded_once(amount):
    assert wan(wan(amount)) == wan(amount)
    assert abs(wan(amount) - amount) <= 5.1e-7 + abs(amount) * 1e-15


@pytest.mark.parametrize(
    ("bad", "name"),
    [
        ({"area_m2": -1}, "area_m2"),
        ({"area_m2": 0}, "area_m2"),
        ({"discount_rate": 1.01}, "discount_rate"),
        ({"discount_rate": float("nan")}, "discount_rate"),
        ({"price_wan": "abc"}, "price_wan"),
        ({"land_compensation_wan": -0.01}, "land_compensation_wan"),
    ],
)
def test_bad_inputs_are_refused_by_name(bad, name):
    good = {"area_m2": 10_000, "land_compensation_wan": 100}
    with pytest.raises(PanhuoError) as fault:
        appraise("agreed_resumption", Case("p", ON, "43", {**good, **bad}, {}), BOOK)
    assert name in str(fault.value)


TOPUP = {"topup_wan": 100, "transfer_price_wan": 400, "market_value_wan": 400, "transfer_months": 3}


def ranges(given):
    _, inputs = prepare("topup_grant", Case("p", ON, "43", {**TOPUP, **given}, {}), BOOK)
    return spreads(inputs, Law(BOOK, "43"), ON), inputs


def test_a_given_range_replaces_the_default_one_and_says_so():
    default = float(BOOK.parameter("finance.dispersion_default", on=ON, place="43").value)
    found, inputs = ranges(
        {
            "topup_wan": {"value": 100, "low": 90, "high": 150},
            "market_value_wan": {"value": 400, "spread": 0.5},
            "discount_rate": {"low": 0, "high": 0.5},
            "transfer_months": {"value": 3, "low": 1, "high": 24},
        }
    )
    assert (found["topup_wan"], found["market_value_wan"]) == ((90, 150), (200, 600))
    assert found["discount_rate"] == (0, 0.5)
    assert inputs.items["discount_rate"].mark == "defaulted"
    assert found["transfer_months"] == (1, 24)
    assert found["transfer_price_wan"] == pytest.approx((400 * (1 - default), 400 * (1 + default)))
    case = Case("p", ON, "43", {**TOPUP, "topup_wan": {"value": 100, "low": 90, "high": 150}}, {})
    result = compare(case, ["topup_grant"], BOOK, runs=5)
    swings = {s.name: s for s in result.swings["topup_grant"]["government"]}
    assert (swings["topup_wan"].low, swings["topup_wan"].high) == (90, 150)
    assert swings["topup_wan"].range_mark == "given"
    assert swings["transfer_price_wan"].range_mark == "defaulted"
    shown = next(i for i in result.as_dict()["tools"][0]["inputs"] if i["name"] == "topup_wan")
    assert (shown["value"], shown["low"], shown["high"]) == (100, 90, 150)


@pytest.mark.parametrize(
    "limits",
    [
        {"low": 101, "high": 150},
        {"low": 50, "high": 99},
        {"low": -1, "high": 150},
        {"low": 90},
        {"spread": 1.01},
        {"spread": -0.1},
        {"spread": "wide"},
        {"spread": 0.1, "low": 90, "high": 110},
        {"lowest": 90, "high": 110},
    ],
)
def test_a_bad_range_is_refused_by_name(limits):
    with pytest.raises(PanhuoError, match="topup_wan"):
        ranges({"topup_wan": {"value": 100, **limits}})


def test_a_range_without_any_value_leaves_the_input_missing():
    _, inputs = ranges({"price_wan": {"low": 1, "high": 2}})
    assert inputs.items["price_wan"].mark == "missing"


def test_a_date_takes_no_range():
    with pytest.raises(PanhuoError, match="acquired_on"):
        ranges({"acquired_on": {"value": "2020-01-01", "spread": 0.1}})


def test_missing_inputs_are_named_and_nothing_is_invented():
    with pytest.raises(MissingInputsError) as fault:
        appraise("topup_grant", Case("p", ON, "43", {"market_value_wan": 5}, {}), BOOK)
    assert fault.value.missing == ["topup_wan|market_value_wan+allocated_value_wan"]


def test_inputs_carry_their_marks():
    case = Case("p", ON, "43", {"price_wan": 100}, {"area_m2": 5_000.0}, "file")
    found = doing_nothing(case, BOOK)
    marks = {i.name: i.mark for i in found.inputs.items.values()}
    assert (marks["price_wan"], marks["area_m2"]) == ("given", "ledger")
    assert (marks["land_use_tax_yuan_m2"], marks["idle_since"]) == ("defaulted", "missing")
    assert found.figures["carrying_cost_wan"].calc.value == pytest.approx(0.3)


def test_idle_fee_of_doing_nothing_needs_a_known_cause():
    facts = {"area_m2": 5_000.0, "price_wan": 100.0, "idle_from": date(2025, 1, 1)}
    paid = {}
    for cause in (True, False, None):
        found = doing_nothing(Case("p", ON, "43", {}, {**facts, "holder_caused": cause}), BOOK)
        paid[cause] = (-found.of("holder", "idle_fee"), len(found.contingent))
    assert paid == {True: (20.0, 0), False: (0.0, 0), None: (0.0, 1)}


def test_same_day_same_bytes():
    case = Case("p", ON, "43", {"topup_wan": 12_300, "market_value_wan": 20_000}, {})
    tools = ["topup_grant", "capital_contribution"]
    first, again = (json.dumps(compare(case, tools, BOOK, runs=20, seed=7).as_dict()) for _ in range(2))
    assert first == again
    assert first != json.dumps(compare(case, tools, BOOK, runs=20, seed=8).as_dict())


def test_flows_between_parties_cancel():
    case = Case("p", ON, "43", {"topup_wan": 900, "transfer_price_wan": 2000, "price_wan": 10}, {})
    found = appraise("topup_grant", case, BOOK)
    assert sum(t.cash_wan for t in found.totals.values()) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("model_id", sorted(RUN))
def test_every_model_has_a_file_whose_inputs_exist(model_id):
    model = model_files(BOOK.root)[model_id]
    assert set(model.names) <= set(money_spec().inputs)
    assert all(cite.source in BOOK.sources for cite in model.cites)
    assert all(model_of(tool, BOOK) == model_id for tool in model.tools)


def test_every_model_file_has_a_function_and_every_tool_a_model():
    assert set(model_files(BOOK.root)) == set(RUN)
    assert [tool for tool in BOOK.tools if model_of(tool, BOOK) is None] == []


def test_defaults_are_parameters_of_the_law():
    assert {s.default for s in money_spec().inputs.values() if s.default} <= set(BOOK.parameters)


def test_elastic_term_costs_less_than_the_full_one():
    given_ = {"full_price_wan": 1000, "elastic_years": 20, "use_class": "industrial"}
    found = appraise("elastic_term", Case("p", ON, "43", given_, {}), BOOK)
    assert found.figures["elastic_price_wan"].calc.value == pytest.approx(
        1000 * (1 - 1.05**-20) / (1 - 1.05**-50), abs=0.01
    )
    assert found.of("government", "land_price") < 1000


def test_auction_reserves():
    given_ = {"market_value_wan": 1000, "price_wan": 500}
    found = appraise("judicial_auction", Case("p", ON, "43", given_, {}), BOOK)
    assert found.figures["first_reserve_wan"].calc.value == 700
    assert found.figures["second_reserve_wan"].calc.value == pytest.approx(560)


def test_dual_agreement_pays_land_and_buildings_apart():
    given_ = {
        "area_m2": mu_to_m2(10),
        "land_compensation_wan": 300,
        "building_value_wan": 80,
        "is_building_owned_by_other": True,
    }
    found = appraise("dual_agreement", Case("p", ON, "43", given_, {}), BOOK)
    assert found.of("holder", "land_compensation") == 300
    assert found.of("tenant", "building_compensation") == 80
    assert found.of("holder", "building_compensation") == 0


def test_deed_tax_is_on_the_price_without_vat():
    sold = taxes.sale_taxes(1_000, 400, date(2020, 1, 1), "city", ON, HUNAN)
    assert sold.vat.value > 0
    assert sold.deed.terms["base"] == pytest.approx(1_000 - sold.vat.value)


def test_flows_of_one_day_count_together_and_a_relapse_is_no_payback():
    day, later, last = date(2026, 1, 1), date(2026, 7, 1), date(2027, 1, 1)
    assert peak_exposure([(day, -100), (day, 60)]) == 40
    assert payback_months([(day, -100), (later, 100)], day) == 6
    assert payback_months([(day, -100), (later, 100), (later, -1), (last, 1)], day) == 12
    assert payback_months([(day, -100), (later, 101), (last, -2)], day) is None


def test_floor_given_up_pays_nothing_for_a_higher_far():
    assert taxes.topup_for_far(2_000, -500, False, ON, HUNAN).value == 0
    assert taxes.topup_for_far(2_000, 500, False, ON, HUNAN).value == 100
