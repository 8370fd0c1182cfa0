"""Ways in which land is built on or used by its holder: 促建, 自主升级, 增容, 功能转换, 过渡期, 临时利用, 遗产活化."""

from datetime import date

from panhuo.appraise import taxes
from panhuo.appraise.appraisal import Book
from panhuo.appraise.calc import Calc, given
from panhuo.appraise.cashflow import years_after
from panhuo.appraise.money import ratio, wan
from panhuo.core.units import MU_M2


def build_out(book: Book) -> None:
    """The holder builds `new_floor_area_m2` and runs it over the horizon; the state gets the yearly tax.

    The year's income is the given profit before tax, else rent of the let share less operating cost.
    """
    x, law, on = book.x, book.law, book.on
    floor, unit_cost = x.number("new_floor_area_m2"), x.number("build_cost_yuan_m2")
    terms = {"new_floor_area_m2": floor, "build_cost_yuan_m2": unit_cost}
    cost = Calc(wan(floor * unit_cost / 10_000), "new_floor_area_m2 × build_cost_yuan_m2 ÷ 10000", terms)
    book.pay("build_cost", cost, "holder", None)
    book.pay("stamp_tax", taxes.stamp_tax(cost.value, "construction", on, law), "holder", "government")
    pay_topups(book)
    opens = years_after(on, x.number("build_years"))
    run_years(book, opens, x.number("horizon_years") - x.number("build_years"), yearly_income(book, floor))
    intensity_figures(book, floor)


def pay_topups(book: Book, on: date | None = None) -> None:
    """Top-ups owed for a new use and for added floor, where their inputs are there."""
    x, law, day = book.x, book.law, on or book.on
    owed: list[Calc] = []
    if x.has("new_use_value_wan") and x.has("old_use_value_wan"):
        owed.append(taxes.topup_for_use(x.number("new_use_value_wan"), x.number("old_use_value_wan")))
    if x.has("floor_price_yuan_m2") and x.has("added_floor_m2"):
        price, added = x.number("floor_price_yuan_m2"), x.number("added_floor_m2")
        owed.append(taxes.topup_for_far(price, added, x.flag("is_industrial"), day, law))
    for topup in owed:
        book.pay("topup_price", topup, "holder", "government", day)
        book.pay("deed_tax", taxes.deed_tax(topup.value, day, law), "holder", "government", day)


def yearly_income(book: Book, floor_m2: float) -> Calc:
    """A year's income [万元] before tax: as given, else rent × let share − operating cost."""
    x = book.x
    if x.has("yearly_profit_wan"):
        return given(x.number("yearly_profit_wan"), "yearly_profit_wan")
    rent, share, cost = (
        x.number("rent_yuan_m2_month"),
        x.number("occupancy"),
        x.number("operating_cost_share"),
    )
    income = wan(floor_m2 * rent * 12 * share * (1 - cost) / 10_000)
    terms = {
        "floor_m2": floor_m2,
        "rent_yuan_m2_month": rent,
        "occupancy": share,
        "operating_cost_share": cost,
    }
    formula = "floor_m2 × rent_yuan_m2_month × 12 × occupancy × (1 − operating_cost_share) ÷ 10000"
    return Calc(income, formula, terms)


def run_years(book: Book, first: date, years: float, income: Calc) -> None:
    """Income and yearly tax at the end of each full year of use, land-use tax with them."""
    x = book.x
    for year in range(1, int(years) + 1):
        day = years_after(first, year)
        book.pay("operating_income", income, None, "holder", day)
        book.pay(
            "yearly_tax", given(x.number("yearly_tax_wan"), "yearly_tax_wan"), "holder", "government", day
        )
        use_tax = taxes.land_use_tax(x.number("area_m2"), x.number("land_use_tax_yuan_m2"))
        book.pay("land_use_tax", use_tax, "holder", "government", day)


def intensity_figures(book: Book, floor_m2: float) -> None:
    """FAR after, land saved against the former FAR, tax per 亩, jobs."""
    x = book.x
    area, mu = x.number("area_m2"), x.number("area_m2") / float(MU_M2)
    terms = {"new_floor_area_m2": floor_m2, "area_m2": area}
    book.figure("far_after", "ratio", Calc(ratio(floor_m2 / area), "new_floor_area_m2 ÷ area_m2", terms))
    if x.has("far_before") and x.number("far_before") > 0:
        before = x.number("far_before")
        saved = wan(max(0.0, floor_m2 / before - area))
        formula = "max(0, new_floor_area_m2 ÷ far_before − area_m2)"
        book.figure("land_saved_m2", "m2", Calc(saved, formula, {**terms, "far_before": before}))
    if x.has("yearly_tax_wan"):
        tax = x.number("yearly_tax_wan")
        per_mu = Calc(
            ratio(tax / mu), "yearly_tax_wan ÷ area_mu", {"yearly_tax_wan": tax, "area_mu": ratio(mu)}
        )
        book.figure("tax_wan_per_mu", "wan_per_mu", per_mu)
    if x.has("jobs"):
        book.figure("jobs", "person", Calc(x.number("jobs"), "jobs", {"jobs": x.number("jobs")}))


def operation(book: Book) -> None:
    """A conversion that earns a yearly income for `use_years`; a top-up falls due when the transition ends."""
    x, on = book.x, book.on
    book.pay("conversion_cost", given(x.number("conversion_cost_wan"), "conversion_cost_wan"), "holder", None)
    years = x.number("use_years")
    operate(book, years)
    if x.has("new_use_value_wan") and x.has("old_use_value_wan"):
        pay_topups(book, years_after(on, years) if x.flag("is_topup_deferred") else on)


def operate(book: Book, years: float) -> None:
    """Yearly income, cost and tax of an operation, each at the year's end."""
    x = book.x
    for year in range(1, int(years) + 1):
        day = years_after(book.on, year)
        book.pay(
            "operating_income", given(x.number("yearly_income_wan"), "yearly_income_wan"), None, "holder", day
        )
        book.pay("operating_cost", given(x.number("yearly_cost_wan"), "yearly_cost_wan"), "holder", None, day)
        if x.has("yearly_tax_wan"):
            book.pay(
                "yearly_tax", given(x.number("yearly_tax_wan"), "yearly_tax_wan"), "holder", "government", day
            )
    if not x.has("yearly_tax_wan"):
        book.note("operating_tax_left_out")


def heritage_operation(book: Book) -> None:
    """Heritage kept by what it earns: whether yearly operation pays the yearly conservation."""
    x = book.x
    years = x.number("horizon_years")
    book.pay("conversion_cost", given(x.number("conversion_cost_wan"), "conversion_cost_wan"), "holder", None)
    if x.has("subsidy_wan"):
        book.pay("subsidy", given(x.number("subsidy_wan"), "subsidy_wan"), "government", "holder")
    operate(book, years)
    keep = x.number("conservation_cost_wan")
    for year in range(1, int(years) + 1):
        calc = given(keep, "conservation_cost_wan")
        book.pay("conservation_cost", calc, "holder", None, years_after(book.on, year))
    surplus = x.number("yearly_income_wan") - x.number("yearly_cost_wan")
    terms = {
        "yearly_income_wan": x.number("yearly_income_wan"),
        "yearly_cost_wan": x.number("yearly_cost_wan"),
        "conservation_cost_wan": keep,
    }
    formula = "(yearly_income_wan − yearly_cost_wan) ÷ conservation_cost_wan"
    book.figure("conservation_cover", "ratio", Calc(ratio(surplus / keep), formula, terms))
    if x.has("visitors"):
        visits = x.number("visitors")
        per = Calc(
            ratio(x.number("yearly_income_wan") * 10_000 / visits),
            "yearly_income_wan × 10000 ÷ visitors",
            {"yearly_income_wan": x.number("yearly_income_wan"), "visitors": visits},
        )
        book.figure("income_per_visit_yuan", "yuan", per)


def lease_out(book: Book) -> None:
    """Plant let to tenants over the horizon; the tenant's side is booked too."""
    x, law, on = book.x, book.law, book.on
    floor = x.number("let_floor_m2")
    rent = yearly_income(book, floor)
    for year in range(1, int(x.number("horizon_years")) + 1):
        day = years_after(on, year)
        book.pay("rent", rent, "tenant", "holder", day)
        stamp = taxes.stamp_tax(rent.value, "lease", on, law)
        book.pay("stamp_tax", stamp, "holder", "government", day)
        book.pay("stamp_tax", stamp, "tenant", "government", day)
    book.note("operating_tax_left_out")
