"""Ways in which the state takes land back or sanctions idleness: 闲置费, 无偿收回, 协议收回, 双协议, 置换, 复垦."""

from panhuo.appraise import taxes
from panhuo.appraise.appraisal import Book
from panhuo.appraise.calc import Calc, given
from panhuo.appraise.cashflow import Party, years_after
from panhuo.appraise.money import ratio, wan
from panhuo.core.units import MU_M2


def idle_fee(book: Book) -> None:
    """土地闲置费: a share of the price of the grant, paid by the holder; the land stays with it."""
    fee = taxes.idle_fee(book.x.number("price_wan"), book.on, book.law)
    book.pay("idle_fee", fee, "holder", "government")
    book.figure("idle_fee_wan", "wan", fee)


def free_resumption(book: Book) -> None:
    """无偿收回: the holder loses what it paid, the state resupplies the land."""
    book.figure("price_lost_wan", "wan", given(book.x.number("price_wan"), "price_wan"))
    resupply(book)


def idle_extension(book: Book) -> None:
    """延长动工期: nothing is paid but the yearly land-use tax while the clock runs again."""
    x = book.x
    leaf = book.law.leaf("compensation.extension_max_years", book.on)
    base = taxes.land_use_tax(x.number("area_m2"), x.number("land_use_tax_yuan_m2"))
    tax = Calc(base.value, base.formula, base.terms, (leaf,))
    for year in range(1, int(float(leaf.value)) + 1):
        book.pay("land_use_tax", tax, "holder", "government", years_after(book.on, year))


def land_compensation(book: Book) -> Calc:
    """Compensation for the land: as agreed, else the price paid × term factor of the years left."""
    x = book.x
    if x.has("land_compensation_wan"):
        return given(x.number("land_compensation_wan"), "land_compensation_wan")
    left, full, rate = x.number("remaining_years"), x.number("full_years"), x.number("capitalisation_rate")
    k = taxes.term_factor(left, full, rate)
    price = x.number("price_wan")
    return Calc(
        wan(price * k.value), f"price_wan × [{k.formula}]", {"price_wan": price, "K": k.value, **k.terms}
    )


def take_back(book: Book) -> None:
    """协议收回 and 双协议: land and buildings compensated apart, taxes of the giver, then resupply.

    Buildings of another owner are a second agreement: that owner is booked as `tenant`. Nothing is paid before both
    close, so both payments fall on one day.
    """
    x = book.x
    land = land_compensation(book)
    book.pay("land_compensation", land, "government", "holder")
    if x.has("building_value_wan"):
        owner: Party = "tenant" if x.flag("is_building_owned_by_other") else "holder"
        building = given(x.number("building_value_wan"), "building_value_wan")
        book.pay("building_compensation", building, "government", owner)
    else:
        book.note("buildings_unvalued")
    cost = x.number_or("price_wan", land.value)
    if not x.has("price_wan"):
        book.note("basis_unknown")
    giver_taxes(book, land, cost)
    mu = x.number("area_m2") / float(MU_M2)
    terms = {"land_compensation_wan": land.value, "area_mu": ratio(mu)}
    per_mu = Calc(ratio(land.value / mu), "land_compensation ÷ area_mu", terms, land.law)
    book.figure("compensation_wan_per_mu", "wan_per_mu", per_mu)
    resupply(book)


def giver_taxes(book: Book, price: Calc, cost: float) -> None:
    """Taxes of the one who gives land back: VAT and land value tax by the exemptions of the date, income tax deferred.

    Where the exemption of VAT is doubtful, or a need of state construction is not shown, the tax is contingent. The
    state pays them when `is_tax_borne_by_state`.
    """
    x, law, on = book.x, book.law, book.on
    payer: Party = "government" if x.flag("is_tax_borne_by_state") else "holder"
    vat, doubtful = taxes.vat_on_resumption(price.value, cost, x.day_or_none("acquired_on"), on, law)
    book.tax({"vat": vat}, payer)
    if not vat.value:
        book.might_pay("vat", doubtful, payer)
    exempt = law.leaf("tax.lat_resumption_exempt", on)
    if x.flag("is_state_construction"):
        book.tax({"land_value_tax": Calc(0.0, f"exempt: {exempt.name}", {}, (exempt,))}, payer)
    elif cost > 0:
        due = taxes.land_value_tax(price.value - cost, cost, on, law)
        book.might_pay("land_value_tax", Calc(due.value, due.formula, due.terms, (*due.law, exempt)), payer)
        book.note("state_construction_unproven")
    book.tax({"stamp_tax": taxes.stamp_tax(price.value, "transfer", on, law)}, payer)
    settle = law.leaf("tax.cit_relocation_years", on)
    gain = taxes.income_tax(price.value - cost, on, law)
    relocation = Calc(gain.value, gain.formula, gain.terms, (*gain.law, settle))
    book.might_pay("income_tax", relocation, "holder", years_after(on, float(settle.value)))


def resupply(book: Book) -> None:
    """The state sells the land again after `resale_months` and then draws the new user's yearly tax."""
    x = book.x
    if not x.has("market_value_wan"):
        book.note("no_resupply")
        return
    sold_on = years_after(book.on, x.number("resale_months") / 12)
    book.pay(
        "resale_price",
        given(x.number("market_value_wan"), "market_value_wan"),
        "developer",
        "government",
        sold_on,
    )
    if x.has("yearly_tax_wan"):
        for year in range(1, int(x.number("horizon_years")) + 1):
            tax = given(x.number("yearly_tax_wan"), "yearly_tax_wan")
            book.pay("yearly_tax", tax, "developer", "government", years_after(sold_on, year))


def land_swap(book: Book) -> None:
    """置换: land of equal value changes hands; only the difference is paid (positive: the holder pays)."""
    x, on = book.x, book.on
    difference = x.number("swap_difference_wan")
    payer: Party = "holder" if difference >= 0 else "government"
    payee: Party = "government" if difference >= 0 else "holder"
    amount = Calc(wan(abs(difference)), "|swap_difference_wan|", {"swap_difference_wan": difference})
    book.pay("swap_difference", amount, payer, payee)
    if difference > 0:
        book.tax({"deed_tax": taxes.deed_tax(difference, on, book.law)}, "holder")


def restoration(book: Book) -> None:
    """复垦或生态修复: the state pays the works; land returned to farming may earn quota income."""
    x = book.x
    book.pay(
        "restoration_cost",
        given(x.number("restoration_cost_wan"), "restoration_cost_wan"),
        "government",
        None,
    )
    if x.has("quota_income_wan"):
        sold_on = years_after(book.on, x.number("resale_months") / 12)
        book.pay(
            "quota_income",
            given(x.number("quota_income_wan"), "quota_income_wan"),
            None,
            "government",
            sold_on,
        )
