"""Taxes and charges on land, each a pure function of its base, its date and the law of that date.

All amounts in 万元. Prices of sales are tax-inclusive (含税), as land contracts state them.
"""

from dataclasses import dataclass
from datetime import date

from panhuo.appraise.calc import Calc, product
from panhuo.appraise.law import Law
from panhuo.appraise.money import ratio, wan
from panhuo.core.problems import PanhuoError


def vat_on_sale(price: float, cost: float, acquired_on: date | None, on: date, law: Law) -> Calc:
    """VAT in a tax-inclusive sale price of land or buildings.

    Realty acquired on or before `tax.vat_old_realty_until` pays the simple rate on the margin over `cost` while that
    option is open; other sales pay the general rate on the whole price.
    """
    cutoff = law.leaf("tax.vat_old_realty_until", on)
    if acquired_on and acquired_on <= cutoff.value and law.rulebook.has_value("tax.vat_rate_old_realty", on):
        leaf = law.leaf("tax.vat_rate_old_realty", on)
        rate, base, formula = float(leaf.value), max(0.0, price - cost), "max(0, price − cost) ÷ (1 + r) × r"
        return Calc(
            wan(base / (1 + rate) * rate), formula, {"price": price, "cost": cost, "r": rate}, (leaf, cutoff)
        )
    leaf = law.leaf("tax.vat_rate_realty", on)
    rate = float(leaf.value)
    return Calc(wan(price / (1 + rate) * rate), "price ÷ (1 + r) × r", {"price": price, "r": rate}, (leaf,))


def vat_on_resumption(
    price: float, cost: float, acquired_on: date | None, on: date, law: Law
) -> tuple[Calc, Calc]:
    """VAT on land given back to the state: (what is due, what would be due if a doubtful exemption fails).

    Where the law of the date leaves the exemption unknown, nothing is booked and the second figure is shown apart.
    """
    status = law.leaf("tax.vat_resumption", on)
    none = Calc(0.0, f"tax.vat_resumption = {status.value}", {}, (status,))
    if status.value == "exempt":
        return none, none
    due = vat_on_sale(price, cost, acquired_on, on, law)
    due = Calc(due.value, due.formula, due.terms, (*due.law, status))
    return (due, due) if status.value == "taxable" else (none, due)


def surcharges(vat: Calc, location: str, on: date, law: Law) -> Calc:
    """City maintenance tax and education surcharges on VAT; `location` is city, town or other."""
    city, education = law.leaf("tax.surcharge_city", on), law.leaf("tax.surcharge_education", on)
    rate = float(city.value[location]) + sum(map(float, education.value.values()))
    return Calc(
        wan(vat.value * rate),
        "VAT × (tax.surcharge_city + tax.surcharge_education)",
        {"VAT": vat.value, "rate": ratio(rate)},
        (city, education),
    )


def land_value_tax(
    gain: float, deductions: float, on: date, law: Law, *, is_ordinary_housing: bool = False
) -> Calc:
    """土地增值税 on `gain` over `deductions`: gain × rate − deductions × quick coefficient of its band.

    No gain, no tax. Ordinary housing is exempt up to its threshold. Deductions of zero with a gain are refused: the
    ratio has no meaning and the band cannot be told.
    """
    bands = law.leaf("tax.lat_bands", on)
    if gain <= 0:
        return Calc(0.0, "gain ≤ 0", {"gain": gain}, (bands,))
    if deductions <= 0:
        raise PanhuoError(
            "扣除项目金额须大于零 (land value tax needs positive deductions)",
            where=f"deductions = {deductions}",
        )
    share = gain / deductions
    exempt = law.leaf("tax.lat_ordinary_housing_exempt", on)
    if is_ordinary_housing and share <= float(exempt.value):
        return Calc(0.0, "gain ÷ deductions ≤ exempt share", {"share": ratio(share)}, (exempt,))
    band = next(b for b in bands.value if b["up_to"] is None or share <= b["up_to"])
    terms = {"gain": gain, "deductions": deductions, "rate": band["rate"], "quick": band["quick"]}
    tax = wan(gain * band["rate"] - deductions * band["quick"])
    return Calc(tax, "gain × rate − deductions × quick", terms, (bands,))


def deed_tax(base: float, on: date, law: Law) -> Calc:
    """契税 of the one who receives, on a base without VAT."""
    return product(base, law.leaf("tax.deed_rate", on), "base")


def deed_tax_on_contribution(value: float, on: date, law: Law) -> Calc:
    """契税 on allocated land received as a state capital contribution; the rule that it is due travels with it."""
    if not law.is_in_force("tax.deed_allocated_contribution_payable", on):
        return deed_tax(value, on, law)
    rule = law.leaf("tax.deed_allocated_contribution_payable", on)
    tax = deed_tax(value, on, law)
    return Calc(tax.value if rule.value else 0.0, tax.formula, tax.terms, (*tax.law, rule))


def stamp_tax(base: float, kind: str, on: date, law: Law) -> Calc:
    """印花税 of one side; `kind` is transfer, capital, construction, lease or loan."""
    return product(base, law.leaf(f"tax.stamp_{kind}", on), "base")


def income_tax(gain: float, on: date, law: Law) -> Calc:
    """企业所得税 on a gain; a loss pays nothing (and is worth nothing here)."""
    return product(max(0.0, gain), law.leaf("tax.cit_rate", on), "max(0, gain)")


def land_use_tax(area_m2: float, yuan_per_m2: float) -> Calc:
    """城镇土地使用税 of a year on `area_m2` [m²] at the local rate [元/m²·年]."""
    terms = {"area_m2": area_m2, "land_use_tax_yuan_m2": yuan_per_m2}
    return Calc(wan(area_m2 * yuan_per_m2 / 10_000), "area_m2 × land_use_tax_yuan_m2 ÷ 10000", terms)


def idle_fee(price_wan: float, on: date, law: Law) -> Calc:
    """土地闲置费 on the price of the grant or allocation."""
    return product(price_wan, law.leaf("idle_land.fee_rate", on), "price_wan")


@dataclass(frozen=True)
class SaleTaxes:
    """The taxes of one sale, by name."""

    vat: Calc
    surcharge: Calc
    stamp: Calc
    land_value: Calc
    income: Calc
    deed: Calc

    def seller(self) -> dict[str, Calc]:
        """Seller's taxes by kind of flow."""
        return {
            "vat": self.vat,
            "surcharge": self.surcharge,
            "stamp_tax": self.stamp,
            "land_value_tax": self.land_value,
            "income_tax": self.income,
        }

    def buyer(self) -> dict[str, Calc]:
        """Buyer's taxes by kind of flow."""
        return {"deed_tax": self.deed, "stamp_tax": self.stamp}


def sale_taxes(
    price: float, cost: float, acquired_on: date | None, location: str, on: date, law: Law
) -> SaleTaxes:
    """All taxes of an asset sale between firms, seller's and buyer's side.

    Income without VAT is price − VAT; deductions are the cost, the surcharges and the seller's stamp tax; the income
    tax is on what remains after land value tax. Book depreciation is left out: with it the income tax is higher.
    """
    vat = vat_on_sale(price, cost, acquired_on, on, law)
    extra = surcharges(vat, location, on, law)
    income = price - vat.value
    stamp = stamp_tax(income, "transfer", on, law)
    deductions = cost + extra.value + stamp.value
    value_tax = land_value_tax(income - deductions, deductions, on, law)
    gain = income - deductions - value_tax.value
    return SaleTaxes(vat, extra, stamp, value_tax, income_tax(gain, on, law), deed_tax(income, on, law))


def term_factor(remaining_years: float, full_years: float, rate: float) -> Calc:
    """年期修正系数 K = (1 − (1 + r)^−m) ÷ (1 − (1 + r)^−n): value of m years of a term of n."""
    if not 0 < remaining_years <= full_years or not 0 < rate <= 1:
        raise PanhuoError(
            "年期或还原率超出范围 (term or rate out of range)",
            where=f"m = {remaining_years}, n = {full_years}, r = {rate}",
            remedy="0 < m ≤ n, 0 < r ≤ 1",
        )
    factor = (1 - (1 + rate) ** -remaining_years) / (1 - (1 + rate) ** -full_years)
    terms = {"m": remaining_years, "n": full_years, "r": rate}
    return Calc(ratio(factor), "(1 − (1 + r)^−m) ÷ (1 − (1 + r)^−n)", terms)


def topup_for_allocated(market_wan: float, allocated_wan: float) -> Calc:
    """补缴出让价款 = 出让市场价 − 划拨权益价, both at one date; never below zero."""
    terms = {"market_value_wan": market_wan, "allocated_value_wan": allocated_wan}
    return Calc(
        wan(max(0.0, market_wan - allocated_wan)), "max(0, market_value_wan − allocated_value_wan)", terms
    )


def topup_for_use(new_use_wan: float, old_use_wan: float) -> Calc:
    """补缴 on a change of use = 新用途价 − 原用途价 for the remaining term; never below zero."""
    terms = {"new_use_value_wan": new_use_wan, "old_use_value_wan": old_use_wan}
    return Calc(
        wan(max(0.0, new_use_wan - old_use_wan)), "max(0, new_use_value_wan − old_use_value_wan)", terms
    )


def topup_for_far(
    floor_price_yuan_m2: float, added_floor_m2: float, is_industrial: bool, on: date, law: Law
) -> Calc:
    """补缴 on a higher FAR = 楼面地价 × 新增面积; industrial land keeping its use pays its rule's share."""
    base = floor_price_yuan_m2 * max(0.0, added_floor_m2) / 10_000
    terms = {"floor_price_yuan_m2": floor_price_yuan_m2, "added_floor_m2": added_floor_m2}
    formula = "floor_price_yuan_m2 × added_floor_m2 ÷ 10000"
    if not is_industrial:
        return Calc(wan(base), formula, terms)
    leaf = law.leaf("compensation.industrial_far_uplift_price", on)
    return Calc(
        wan(base * float(leaf.value)), f"{formula} × {leaf.name}", terms | {leaf.name: leaf.value}, (leaf,)
    )
