"""Bond-financed ways: taking land back, and standard plants paid from rents and fees."""

from panhuo.appraise import bond
from panhuo.appraise.appraisal import Book
from panhuo.appraise.calc import Calc, given
from panhuo.appraise.cashflow import years_after
from panhuo.appraise.money import ratio, wan


def bond_take_back(book: Book) -> None:
    """专项债收回收购: price by the worksheet, cover with stress, and the state's flows until the resale."""
    x, law, on = book.x, book.law, book.on
    principal, years, rate = (
        x.number("valuation_remaining_wan"),
        x.number("bond_years"),
        x.number("bond_rate"),
    )
    held_cost = x.number("price_wan") if x.has("price_wan") else None
    found = bond.take_back(
        principal,
        x.number("valuation_full_wan"),
        years,
        rate,
        x.number("market_factor"),
        x.number("area_m2"),
        x.number_or("tech_rate", 0.0),
        on,
        law,
        held_cost,
    )
    end = years_after(on, years)
    book.pay("land_compensation", found.price, "government", "holder")
    book.pay("bond_proceeds", found.price, "bank", "government")
    book.pay("bond_fees", found.finance.issue, "government", None)
    book.pay("bond_fees", found.finance.registration, "government", None)
    for year in range(1, int(years) + 1):
        interest = Calc(
            wan(found.price.value * rate), "price × rate", {"price": found.price.value, "rate": rate}
        )
        book.pay("interest", interest, "government", "bank", years_after(on, year))
    book.pay("principal", found.price, "government", "bank", end)
    book.pay("resale_price", found.income, "developer", "government", end)
    book.pay("auction_cost", found.costs["auction"], "government", None, end)
    cut = Calc(found.cut, "ceil(least cut to the step)", {"least_cut": found.least_cut}, found.price.law)
    book.figure("suggested_cut", "ratio", cut)
    book.figure("finance_cost_wan", "wan", found.finance.total)
    cover_figures(book, found.coverage, found.floor)
    price = found.price.value
    for name, calc in bond.stressed(found.income.value, price, principal, rate, years, on, law).items():
        book.figure(f"coverage_{name}", "ratio", calc)


def cover_figures(book: Book, cover: Calc, floor: Calc) -> None:
    """The cover, its floor and whether it holds."""
    book.figure("coverage", "ratio", cover)
    book.figure("coverage_floor", "ratio", floor)
    if cover.value < floor.value:
        book.note("cover_below_floor")


def bond_plants(book: Book) -> None:
    """专项债建标准厂房: platform builds with the bond, rents and fees serve it; yearly schedule and life cover.

    Income of a year is floor × rent × let share × (1 − operating cost) + yearly fees, from the year after building.
    """
    x, law, on = book.x, book.law, book.on
    rows = plant_schedule(book)
    principal = x.number("bond_wan")
    book.pay("bond_proceeds", given(principal, "bond_wan"), "bank", "platform")
    terms = {
        "new_floor_area_m2": x.number("new_floor_area_m2"),
        "build_cost_yuan_m2": x.number("build_cost_yuan_m2"),
    }
    cost = Calc(
        wan(terms["new_floor_area_m2"] * terms["build_cost_yuan_m2"] / 10_000),
        "new_floor_area_m2 × build_cost_yuan_m2 ÷ 10000",
        terms,
    )
    book.pay("build_cost", cost, "platform", None)
    for name in ("issue", "registration"):
        fees = bond.finance_cost(principal, x.number("bond_rate"), x.number("bond_years"), on, law)
        book.pay("bond_fees", getattr(fees, name), "platform", None)
    for row in rows:
        day = years_after(on, row.year)
        book.pay("rent", Calc(row.income_wan, "net rents and fees of the year"), "tenant", "platform", day)
        book.pay("interest", Calc(row.interest_wan, "owed × bond_rate"), "platform", "bank", day)
        book.pay("principal", Calc(row.principal_wan, "equal parts"), "platform", "bank", day)
        if x.has("yearly_tax_wan") and row.income_wan:
            book.pay(
                "yearly_tax", given(x.number("yearly_tax_wan"), "yearly_tax_wan"), "tenant", "government", day
            )
    floor = law.leaf("bond.coverage_floor", on)
    cover_figures(book, bond.life_cover(rows), Calc(float(floor.value), floor.name, {}, (floor,)))
    for name, income_factor, rate_add in _stresses(book):
        stressed = plant_schedule(book, income_factor, rate_add)
        book.figure(f"coverage_{name}", "ratio", bond.life_cover(stressed))
    covers = {f"year_{row.year}": row.cover for row in rows if row.cover is not None}
    least = min(covers.values(), default=0.0)
    book.figure(
        "coverage_least_year", "ratio", Calc(least, "min(net income ÷ debt service) of a year", covers)
    )
    worst = min(row.cumulative_wan for row in rows)
    book.figure("budget_gap_wan", "wan", Calc(wan(max(0.0, -worst)), "max(0, −lowest running surplus)"))
    area = x.number("area_m2")
    far = Calc(
        ratio(terms["new_floor_area_m2"] / area), "new_floor_area_m2 ÷ area_m2", {**terms, "area_m2": area}
    )
    book.figure("far_after", "ratio", far)


def _stresses(book: Book) -> list[tuple[str, float, float]]:
    by_income = book.law.number("bond.stress_income", book.on)
    by_rate = book.law.number("bond.stress_rate", book.on)
    return [
        ("income_down", 1 - by_income, 0.0),
        ("income_up", 1 + by_income, 0.0),
        ("rate_up", 1.0, by_rate),
        ("rate_down", 1.0, -by_rate),
    ]


def plant_schedule(book: Book, income_factor: float = 1.0, rate_add: float = 0.0) -> list[bond.DebtYear]:
    """The debt of a plant bond year by year, with income scaled and the rate moved."""
    x = book.x
    rent = (
        x.number("new_floor_area_m2") * x.number("rent_yuan_m2_month") * 12 * x.number("occupancy") / 10_000
    )
    net = rent * (1 - x.number("operating_cost_share")) + x.number_or("yearly_fees_wan", 0.0)
    years, building = int(x.number("bond_years")), round(x.number("build_years"))
    incomes = [0.0 if year <= building else net * income_factor for year in range(1, years + 1)]
    first = int(x.number_or("first_principal_year", float(years)))
    rate = max(0.0, x.number("bond_rate") + rate_add)
    return bond.schedule(x.number("bond_wan"), rate, years, incomes, first)
