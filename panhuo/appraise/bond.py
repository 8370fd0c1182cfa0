"""Special bonds: what a take-back may cost, whether income covers the debt, and the debt year by year.

The take-back worksheet follows law source shenzhen_2026_48; every rate is a parameter of law/parameters/bond.yaml.
Amounts in 万元, rates as shares, years as numbers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from panhuo.appraise.calc import Calc, plus, product
from panhuo.appraise.law import Law
from panhuo.appraise.money import ratio, wan
from panhuo.core.problems import PanhuoError


@dataclass(frozen=True)
class FinanceCost:
    """What the bond itself costs over its life."""

    interest: Calc
    issue: Calc
    registration: Calc
    redemption: Calc

    @property
    def total(self) -> Calc:
        """All four together."""
        return plus(self.interest, self.issue, self.registration, self.redemption)


def finance_cost(principal: float, rate: float, years: float, on: date, law: Law) -> FinanceCost:
    """Interest P·r·n, issue and registration fees on P, redemption fee on P + interest."""
    terms = {"principal": principal, "rate": rate, "years": years}
    interest = Calc(wan(principal * rate * years), "principal × rate × years", terms)
    return FinanceCost(
        interest,
        product(principal, law.leaf("bond.issue_fee_rate", on), "principal"),
        product(principal, law.leaf("bond.registration_fee_rate", on), "principal"),
        product(
            principal + interest.value, law.leaf("bond.redemption_fee_rate", on), "(principal + interest)"
        ),
    )


@dataclass(frozen=True)
class TakeBack:
    """A bond-financed take-back: income, costs, the cut of the price and the cover of the debt."""

    income: Calc
    finance: FinanceCost
    costs: dict[str, Calc]
    balance_price: float
    least_cut: float
    cut: float
    price: Calc
    coverage: Calc
    is_feasible: bool
    floor: Calc


def take_back(
    valuation: float,
    full_valuation: float,
    years: float,
    rate: float,
    market_factor: float,
    area_m2: float,
    tech_rate: float,
    on: date,
    law: Law,
    cost_to_holder: float | None = None,
) -> TakeBack:
    """The worksheet: from the valuation of the remaining term (P0) and of the full term (V) to price and cover.

    years: from take-back to resale; market_factor: resale income ÷ V; tech_rate: further charges as a share of income;
    cost_to_holder: caps the price at the lower of value and cost where the rule of the date says so.
    """
    income = Calc(
        wan(full_valuation * market_factor),
        "V × k",
        {"valuation_full_wan": full_valuation, "market_factor": market_factor},
    )
    finance = finance_cost(valuation, rate, years, on, law)
    costs = {"finance": finance.total} | _costs(valuation, income, years, area_m2, tech_rate, on, law)
    balance = wan(income.value - plus(*costs.values()).value)
    least_cut = max(0.0, 1 - balance / valuation)
    step, bare = law.leaf("bond.cut_step", on), law.leaf("bond.cut_when_none_needed", on)
    cut = _cut(least_cut, float(step.value), float(bare.value))
    if not cut < 1:
        raise PanhuoError(
            "再出让收入不足以抵偿成本，无可行收储价 (income does not even cover the costs: no price works)",
            where=f"balance price = {balance}",
        )
    price = Calc(wan(valuation * (1 - cut)), "P0 × (1 − cut)", {"P0": valuation, "cut": cut}, (step, bare))
    price = _capped(price, cost_to_holder, on, law)
    cover = coverage(income.value, price.value, finance.total.value, on, law)
    floor = law.leaf("bond.coverage_floor", on)
    least = Calc(float(floor.value), floor.name, {}, (floor,))
    return TakeBack(
        income,
        finance,
        costs,
        balance,
        ratio(least_cut),
        cut,
        price,
        cover,
        cover.value >= least.value,
        least,
    )


def _costs(
    valuation: float, income: Calc, years: float, area_m2: float, tech_rate: float, on: date, law: Law
) -> dict[str, Calc]:
    """What holding and reselling cost, beside the finance [万元]."""
    custody = law.leaf("bond.custody_yuan_m2_year", on)
    return {
        "custody": Calc(
            wan(float(custody.value) * area_m2 * years / 10_000),
            "custody × area_m2 × years ÷ 10000",
            {"custody": float(custody.value), "area_m2": area_m2, "years": years},
            (custody,),
        ),
        "deed": product(valuation, law.leaf("bond.deed_rate", on), "P0"),
        "stamp": product(valuation, law.leaf("bond.stamp_rate", on), "P0"),
        "auction": product(income.value, law.leaf("bond.auction_cost_rate", on), "income"),
        "tech": Calc(wan(income.value * tech_rate), "income × tech_rate", {"tech_rate": tech_rate}),
    }


def _cut(least: float, step: float, bare: float) -> float:
    """`least` rounded up to the step; `bare` when no cut is needed. A hair above a step is that step."""
    return bare if least == 0 else ratio(math.ceil(ratio(least / step, 9)) * step)


def _capped(price: Calc, cost: float | None, on: date, law: Law) -> Calc:
    if cost is None or not law.rulebook.has_value("bond.price_ceiling", on):
        return price
    rule = law.leaf("bond.price_ceiling", on)
    if rule.value != "lower_of_value_and_cost" or cost >= price.value:
        return price
    return Calc(
        wan(cost), "min(price, cost to the holder)", {"price": price.value, "cost": cost}, (*price.law, rule)
    )


def coverage(income: float, price: float, finance: float, on: date, law: Law) -> Calc:
    """本息覆盖倍数: income less sale cost and the levy on the gain, over price and finance cost."""
    auction, levy = law.leaf("bond.auction_cost_rate", on), law.leaf("bond.levy_on_gain", on)
    gain = max(0.0, income - price - finance)
    available = income - float(auction.value) * income - float(levy.value) * gain
    terms = {"income": income, "price": price, "finance": finance}
    formula = "(income − auction × income − levy × max(0, income − price − finance)) ÷ (price + finance)"
    return Calc(ratio(available / (price + finance)), formula, terms, (auction, levy))


def stressed(
    income: float, price: float, principal: float, rate: float, years: float, on: date, law: Law
) -> dict[str, Calc]:
    """Coverage with income and interest rate moved up and down by the stress of the law, one at a time."""
    by_income = float(law.leaf("bond.stress_income", on).value)
    by_rate = float(law.leaf("bond.stress_rate", on).value)
    base = finance_cost(principal, rate, years, on, law).total.value
    higher = finance_cost(principal, rate + by_rate, years, on, law).total.value
    lower = finance_cost(principal, max(0.0, rate - by_rate), years, on, law).total.value
    return {
        "income_down": coverage(income * (1 - by_income), price, base, on, law),
        "income_up": coverage(income * (1 + by_income), price, base, on, law),
        "rate_up": coverage(income, price, higher, on, law),
        "rate_down": coverage(income, price, lower, on, law),
    }


@dataclass(frozen=True, slots=True)
class DebtYear:
    """One year of a bond: cover is the year's net income over its debt service (None where nothing falls due)."""

    year: int
    income_wan: float
    interest_wan: float
    principal_wan: float
    balance_wan: float
    cover: float | None
    cumulative_wan: float


def schedule(
    principal: float, rate: float, years: int, net_income: Sequence[float], first_principal_year: int
) -> list[DebtYear]:
    """The debt year by year: interest on what is owed, principal in equal parts from `first_principal_year`.

    net_income: [万元] of years 1…n, after operating cost. `cumulative_wan` is what is left over so far; below zero, the
    budget must lend.
    """
    if len(net_income) != years or not 1 <= first_principal_year <= years:
        raise PanhuoError(
            "债券年度与收入年数不符 (bond years and income years differ)",
            where=f"years = {years}, incomes = {len(net_income)}, first principal year = {first_principal_year}",
        )
    part = principal / (years - first_principal_year + 1)
    owed, running, rows = principal, 0.0, []
    for year, income in enumerate(net_income, 1):
        interest = owed * rate
        repaid = part if year >= first_principal_year else 0.0
        owed -= repaid
        service = interest + repaid
        running += income - service
        cover = ratio(income / service, 4) if service > 0 else None
        rows.append(DebtYear(year, wan(income), wan(interest), wan(repaid), wan(owed), cover, wan(running)))
    return rows


def life_cover(rows: Sequence[DebtYear]) -> Calc:
    """Cover over the life of the bond: all net income over all interest and principal."""
    income = math.fsum(r.income_wan for r in rows)
    service = math.fsum(r.interest_wan + r.principal_wan for r in rows)
    terms = {"net_income": wan(income), "debt_service": wan(service)}
    return Calc(ratio(income / service, 4), "Σ net income ÷ Σ (interest + principal)", terms)
