"""The source cases whose money can be recomputed. Figures the source does not give (dates, values) are inputs here."""

from datetime import date

import pytest

from panhuo.appraise.compare import compare
from panhuo.appraise.run import Case, appraise
from panhuo.core.units import mu_to_m2
from panhuo.rulebook.book import Rulebook

BOOK = Rulebook.load()


def figure(appraisal, name):
    return appraisal.figures[name].calc.value


@pytest.mark.parametrize("topup", [12_000, 12_300])
def test_case_2_contribution_avoids_the_top_up_and_deed_tax_differs_unverified(topup):
    given = {"topup_wan": topup, "market_value_wan": topup / 0.6, "transfer_price_wan": topup / 0.6}
    case = Case("c02-p1", date(2024, 6, 1), "430105", given, {})
    found = compare(case, ["topup_grant", "capital_contribution", "name_change"], BOOK)
    topup_way, contribution, name = found.appraisals
    assert topup_way.of("holder", "topup_price") == -topup
    assert contribution.of("holder") == 0
    assert figure(contribution, "cash_avoided_wan") == topup
    assert contribution.of("platform", "deed_tax") == pytest.approx(-topup / 0.6 * 0.04, abs=1e-3)
    assert "tax.deed_allocated_contribution_payable" in contribution.as_dict()["unverified"]
    assert -topup_way.of("holder", "deed_tax") == pytest.approx(topup * 0.04)
    assert name.of("government") == pytest.approx(0.055)
    doubtful = [w for w in found.differences() if "未核实" in w["zh"]]
    assert any("契税" in w["zh"] for w in doubtful)


def test_case_8_operation_against_conservation():
    given = {
        "conversion_cost_wan": 45_000,
        "yearly_income_wan": 280 + 800,
        "yearly_cost_wan": 600,
        "conservation_cost_wan": 300,
        "visitors": 2_000_000,
    }
    found = appraise("heritage_conversion", Case("c08-p1", date(2024, 9, 20), "430400", given, {}), BOOK)
    assert figure(found, "conservation_cover") == pytest.approx(1.6)
    assert found.totals["holder"].payback_months is None


def test_case_9_cover_after_the_split():
    given = {
        "area_m2": mu_to_m2(228),
        "split_area_m2": mu_to_m2(102),
        "debt_wan": 4000,
        "collateral_wan_per_mu": 40,
        "land_compensation_wan": 4080,
    }
    case = Case("c09-p1", date(2024, 6, 1), "430211", given, {})
    found = appraise("mortgaged_split", case, BOOK)
    assert figure(found, "residue_mu") == pytest.approx(126)
    assert figure(found, "cover_before") == pytest.approx(228 * 40 / 4000)
    assert figure(found, "cover_after") == pytest.approx(126 * 40 / 4000)
    assert "cover_below_floor" in found.notes
    need = figure(found, "least_repayment_wan")
    kept = appraise(
        "mortgaged_split", Case("c09-p1", case.on, "430211", {**given, "repaid_wan": need}, {}), BOOK
    )
    assert figure(kept, "cover_after") == pytest.approx(1.43, abs=1e-3)


def test_case_14_shared_plants():
    given = {"firms": 8, "saved_mu_per_firm": 2.7, "plant_cost_wan": 5000, "yearly_saving_wan": 1800}
    found = appraise("shared_facilities", Case("c14", date(2025, 1, 1), "430971", given, {}), BOOK)
    assert figure(found, "land_saved_m2") == pytest.approx(mu_to_m2(8 * 2.7))
    assert found.of("holder", "saving") == 18_000


def jiahe(land, shares, dates, **more):
    """A block of case 15; the dates of the instalments are not in the source and are given here."""
    instalments = [{"on": d, "amount_wan": shares / len(dates)} for d in dates[1:]]
    each = shares / (len(dates) - 1)
    given = {
        "land_payments": [{"on": dates[0], "amount_wan": land}],
        "instalments": [{"on": i["on"], "amount_wan": each} for i in instalments],
        **more,
    }
    return appraise("equity_cooperation", Case("c15", date(2022, 12, 1), "431024", given, {}), BOOK)


def test_case_15_both_blocks():
    first = jiahe(
        7184.3,
        11_500,
        ["2019-06-30", "2020-03-31", "2020-06-30", "2020-09-30", "2020-12-31"],
        asset_value_wan=11_200,
        asset_floor_m2=14_000,
    )
    second = jiahe(8056, 8056 + 2326, ["2021-06-30", "2022-12-15", "2023-06-15"])
    assert figure(first, "uplift_wan") == pytest.approx(4315.7)
    assert figure(second, "uplift_wan") == pytest.approx(2326)
    assert figure(first, "deal_xirr") > figure(second, "deal_xirr") > 0
    assert figure(first, "asset_yuan_m2") == 8000
    assert "buyback_price_unknown" in first.notes
    assert figure(second, "uplift_share") == pytest.approx(2326 / 8056, abs=1e-6)
    stated_uplift, land = 3500 + 2326, 7184.3 + 8056
    assert stated_uplift / land == pytest.approx(0.3823, abs=5e-5)
    assert stated_uplift / land != pytest.approx(0.3623, abs=5e-4)


@pytest.mark.parametrize(("rent", "holds"), [(24, True), (16, False)])
def test_case_16_cover_from_rents_and_fees_on_both_sides_of_the_floor(rent, holds):
    given = {
        "area_m2": 65_000 / 2.7,
        "bond_wan": 18_100,
        "bond_rate": 0.035,
        "bond_years": 20,
        "first_principal_year": 6,
        "new_floor_area_m2": 65_000,
        "rent_yuan_m2_month": rent,
        "occupancy": 0.95,
        "operating_cost_share": 0.1,
        "yearly_fees_wan": 300,
        "build_years": 1,
    }
    found = appraise("bond_plants", Case("c16-p1", date(2020, 12, 1), "431022", given, {}), BOOK)
    assert figure(found, "far_after") == pytest.approx(2.7)
    assert -found.of("platform", "build_cost") == pytest.approx(14_100, rel=2e-3)
    net = 65_000 * rent * 12 * 0.95 * 0.9 / 10_000 + 300
    interest = 18_100 * 0.035 * (5 + sum(k / 15 for k in range(1, 16)))
    assert figure(found, "coverage") == pytest.approx(net * 19 / (18_100 + interest), abs=1e-3)
    assert (figure(found, "coverage") >= figure(found, "coverage_floor")) is holds
    assert ("cover_below_floor" in found.notes) is not holds
    down, up = figure(found, "coverage_income_down"), figure(found, "coverage_rate_up")
    assert max(down, up) < figure(found, "coverage")


def test_case_16_idle_fee_had_it_been_charged():
    case = Case("c16-p1", date(2020, 11, 1), "431022", {"price_wan": 928.66}, {})
    assert round(figure(appraise("idle_fee", case, BOOK), "idle_fee_wan"), 2) == 185.73


def test_case_20_price_per_mu_with_taxes_borne_by_the_reserve():
    given = {"area_m2": mu_to_m2(14.8), "land_compensation_wan": 454.67, "is_tax_borne_by_state": True}
    found = appraise("storage_priority_lease", Case("c20-p1", date(2018, 6, 1), "433101", given, {}), BOOK)
    assert round(figure(found, "compensation_wan_per_mu"), 2) == 30.72
    assert found.of("holder") == 454.67
