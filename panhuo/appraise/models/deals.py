"""Deals between parties: staged equity with buy-back, sale, court auction, split under mortgage, terms."""

from panhuo.appraise import taxes
from panhuo.appraise.appraisal import Book
from panhuo.appraise.calc import Calc, given
from panhuo.appraise.cashflow import xirr, years_after
from panhuo.appraise.inputs import Payment
from panhuo.appraise.money import ratio, total, wan
from panhuo.core.problems import PanhuoError
from panhuo.core.units import MU_M2


def equity_staged(book: Book) -> None:
    """股权合作+资产互购: land paid for, shares sold in instalments, assets bought back.

    The uplift is the price of the shares less the price of the land; its share is over the price of the land. Shares
    carry no VAT, land value tax or deed tax; both sides stamp the deed, the seller's gain bears income tax.
    """
    x, law = book.x, book.law
    paid, sold, bought = (
        x.payments("land_payments"),
        x.payments("instalments"),
        x.payments("buyback_payments"),
    )
    land, price = total(p.amount_wan for p in paid), total(p.amount_wan for p in sold)
    _positive("land_payments", paid)
    _positive("instalments", sold)
    for p in paid:
        book.pay("land_price", given(p.amount_wan, "land_payments"), "platform", "government", p.on)
    for p in sold:
        book.pay("equity_price", given(p.amount_wan, "instalments"), "developer", "platform", p.on)
    first = min(p.on for p in sold)
    stamp = taxes.stamp_tax(price, "transfer", first, law)
    book.pay("stamp_tax", stamp, "platform", "government", first)
    book.pay("stamp_tax", stamp, "developer", "government", first)
    if x.flag("is_seller_taxed"):
        last = max(p.on for p in sold)
        gain = taxes.income_tax(price - land - stamp.value, last, law)
        book.pay("income_tax", gain, "platform", "government", last)
    terms = {"instalments": price, "land_payments": land}
    book.figure("uplift_wan", "wan", Calc(wan(price - land), "Σ instalments − Σ land_payments", terms))
    share = Calc(ratio((price - land) / land), "(Σ instalments − Σ land_payments) ÷ Σ land_payments", terms)
    book.figure("uplift_share", "ratio", share)
    flows = [(p.on, -p.amount_wan) for p in paid] + [(p.on, p.amount_wan) for p in sold]
    book.figure("deal_xirr", "ratio", Calc(xirr(flows), "XIRR(land_payments, instalments)", terms))
    _buy_back(book, bought)
    _instalment_rules(book, sold, price)


def _positive(name: str, payments: tuple[Payment, ...]) -> None:
    if any(p.amount_wan <= 0 for p in payments):
        raise PanhuoError("付款须大于零 (payments must be positive)", where=name)


def _buy_back(book: Book, bought: tuple[Payment, ...]) -> None:
    x = book.x
    for p in bought:
        book.pay("buyback_price", given(p.amount_wan, "buyback_payments"), "platform", "developer", p.on)
    if not x.has("asset_value_wan"):
        return
    value = x.number("asset_value_wan")
    book.figure("asset_value_wan", "wan", given(value, "asset_value_wan"))
    if x.has("asset_floor_m2"):
        floor = x.number("asset_floor_m2")
        terms = {"asset_value_wan": value, "asset_floor_m2": floor}
        unit = Calc(ratio(value * 10_000 / floor), "asset_value_wan × 10000 ÷ asset_floor_m2", terms)
        book.figure("asset_yuan_m2", "yuan_per_m2", unit)
    if bought:
        price = total(p.amount_wan for p in bought)
        terms = {"asset_value_wan": value, "buyback_payments": price}
        gain = Calc(wan(value - price), "asset_value_wan − Σ buyback_payments", terms)
        book.figure("buyback_gain_wan", "wan", gain)
    else:
        book.note("buyback_price_unknown")


def _instalment_rules(book: Book, sold: tuple[Payment, ...], price: float) -> None:
    """Whether instalments of a state sale keep the least first share and the longest wait for the rest."""
    first, last = min(p.on for p in sold), max(p.on for p in sold)
    share = book.law.leaf("auction_price.soe_first_instalment_share", first)
    wait = book.law.leaf("auction_price.soe_rest_within_years", first)
    paid = total(p.amount_wan for p in sold if p.on == first)
    terms = {"first": paid, "price": price, share.name: float(share.value)}
    calc = Calc(ratio(paid / price), "first instalment ÷ price", terms, (share, wait))
    book.figure("first_instalment_share", "ratio", calc)
    if paid < float(share.value) * price or last > years_after(first, float(wait.value)):
        book.note("instalments_outside_rule")


def asset_sale(book: Book) -> None:
    """资产转让 (whole or split): the holder sells land and buildings; every tax of both sides."""
    x, law, on = book.x, book.law, book.on
    price = x.number("transfer_price_wan")
    cost = total([x.number("price_wan"), x.number_or("invested_wan", 0.0)])
    sale = taxes.sale_taxes(price, cost, x.day_or_none("acquired_on"), x.text("location"), on, law)
    book.pay("transfer_price", given(price, "transfer_price_wan"), "developer", "holder")
    book.tax(sale.seller(), "holder")
    book.tax(sale.buyer(), "developer")
    if x.has("yearly_tax_wan"):
        for year in range(1, int(x.number("horizon_years")) + 1):
            tax = given(x.number("yearly_tax_wan"), "yearly_tax_wan")
            book.pay("yearly_tax", tax, "developer", "government", years_after(on, year))


def court_auction(book: Book) -> None:
    """司法拍卖: reserves of both rounds; sold at the given hammer price, else at the first reserve.

    Taxes fall on each side by statute; the debt is paid from what the sale leaves.
    """
    x, law, on = book.x, book.law, book.on
    value = x.number("market_value_wan")
    first = law.leaf("auction_price.first_reserve_share", on)
    cut = law.leaf("auction_price.second_cut_max", on)
    rounds = float(first.value), 1 - float(cut.value)
    terms = {"market_value_wan": value, first.name: rounds[0], cut.name: float(cut.value)}
    reserve = Calc(wan(value * rounds[0]), f"market_value_wan × {first.name}", terms, (first,))
    formula = f"market_value_wan × {first.name} × (1 − {cut.name})"
    second = Calc(wan(value * rounds[0] * rounds[1]), formula, terms, (first, cut))
    book.figure("first_reserve_wan", "wan", reserve)
    book.figure("second_reserve_wan", "wan", second)
    hammer = given(x.number("hammer_price_wan"), "hammer_price_wan") if x.has("hammer_price_wan") else reserve
    if not x.has("hammer_price_wan"):
        book.note("hammer_at_reserve")
    topup = x.number_or("topup_wan", 0.0)
    cost = total([x.number("price_wan"), x.number_or("invested_wan", 0.0), topup])
    sale = taxes.sale_taxes(hammer.value, cost, x.day_or_none("acquired_on"), x.text("location"), on, law)
    book.pay("transfer_price", hammer, "developer", "holder")
    book.pay("topup_price", given(topup, "topup_wan"), "holder", "government")
    book.tax(sale.seller(), "holder")
    book.tax(sale.buyer(), "developer")
    if x.has("debt_wan"):
        paid = wan(hammer.value - topup - total(c.value for c in sale.seller().values()))
        terms = {"net_proceeds": paid, "debt_wan": x.number("debt_wan")}
        repaid = Calc(wan(max(0.0, min(paid, x.number("debt_wan")))), "min(net proceeds, debt_wan)", terms)
        book.pay("debt_repaid", repaid, "holder", "bank")


def mortgaged_split(book: Book) -> None:
    """带抵押分割收储: cover of the debt before and after the split, and the repayment that keeps the bank's floor.

    The part taken back is paid for by the state; `repaid_wan` of it goes to the bank on the same day.
    """
    x = book.x
    area, taken, debt = x.number("area_m2"), x.number("split_area_m2"), x.number("debt_wan")
    if taken >= area:
        raise PanhuoError(
            "分割面积须小于宗地面积 (the part split off must be smaller than the parcel)",
            where=f"split_area_m2 = {taken}, area_m2 = {area}",
        )
    unit, buildings = x.number("collateral_wan_per_mu"), x.number_or("collateral_building_wan", 0.0)
    repaid, mu = x.number_or("repaid_wan", 0.0), float(MU_M2)
    before, after = area / mu * unit + buildings, (area - taken) / mu * unit + buildings
    book.pay("land_compensation", land_price(book), "government", "holder")
    book.pay("debt_repaid", given(repaid, "repaid_wan"), "holder", "bank")
    floor = x.number("cover_floor")
    shared = {"collateral_wan_per_mu": unit, "buildings": buildings, "debt_wan": debt, "repaid_wan": repaid}
    whole = Calc(ratio(before / debt, 4), "collateral ÷ debt_wan", {"collateral": wan(before), **shared})
    book.figure("cover_before", "ratio", whole)
    if repaid < debt:
        formula = "collateral left ÷ (debt_wan − repaid_wan)"
        left = Calc(ratio(after / (debt - repaid), 4), formula, {"collateral_left": wan(after), **shared})
        book.figure("cover_after", "ratio", left)
        if left.value < floor:
            book.note("cover_below_floor")
    need = wan(max(0.0, debt - after / floor))
    terms = {**shared, "collateral_left": wan(after), "cover_floor": floor}
    formula = "max(0, debt_wan − collateral left ÷ cover_floor)"
    book.figure("least_repayment_wan", "wan", Calc(need, formula, terms))
    left_mu = ratio((area - taken) / mu)
    book.figure(
        "residue_mu",
        "mu",
        Calc(left_mu, "(area_m2 − split_area_m2) ÷ 亩", {"area_m2": area, "split_area_m2": taken}),
    )


def land_price(book: Book) -> Calc:
    """Compensation for the part split off, as agreed."""
    return given(book.x.number("land_compensation_wan"), "land_compensation_wan")


def shared_plant(book: Book) -> None:
    """设施集中: one shared plant instead of one at each firm; savings of the firms against the cost of the plant."""
    x, on = book.x, book.on
    firms, saved_mu = x.number("firms"), x.number("saved_mu_per_firm")
    book.pay("build_cost", given(x.number("plant_cost_wan"), "plant_cost_wan"), "platform", None)
    for year in range(1, int(x.number("horizon_years")) + 1):
        day = years_after(on, year)
        book.pay("saving", given(x.number("yearly_saving_wan"), "yearly_saving_wan"), None, "holder", day)
        if x.has("service_fee_wan"):
            book.pay(
                "service_fee",
                given(x.number("service_fee_wan"), "service_fee_wan"),
                "holder",
                "platform",
                day,
            )
        if x.has("yearly_cost_wan"):
            book.pay(
                "operating_cost", given(x.number("yearly_cost_wan"), "yearly_cost_wan"), "platform", None, day
            )
    terms = {"firms": firms, "saved_mu_per_firm": saved_mu}
    saved = Calc(wan(firms * saved_mu * float(MU_M2)), "firms × saved_mu_per_firm × 亩", terms)
    book.figure("land_saved_m2", "m2", saved)


def term_choice(book: Book) -> None:
    """弹性年期 against the full term: the price of m years is the full price × K; renewal is priced the same way."""
    x, on = book.x, book.on
    full, short, rate = x.number("full_years"), x.number("elastic_years"), x.number("capitalisation_rate")
    price = x.number("full_price_wan")
    k = taxes.term_factor(short, full, rate)
    elastic = Calc(
        wan(price * k.value),
        f"full_price_wan × [{k.formula}]",
        {"full_price_wan": price, "K": k.value, **k.terms},
    )
    book.pay("land_price", elastic, "developer", "government")
    book.tax({"deed_tax": taxes.deed_tax(elastic.value, on, book.law)}, "developer")
    book.figure("term_factor", "ratio", k)
    book.figure("elastic_price_wan", "wan", elastic)
    spared = {"full_price_wan": price, "elastic_price": elastic.value}
    book.figure(
        "cash_spared_wan", "wan", Calc(wan(price - elastic.value), "full_price_wan − elastic price", spared)
    )
    if x.has("yearly_tax_wan"):
        for year in range(1, int(min(x.number("horizon_years"), short)) + 1):
            tax = given(x.number("yearly_tax_wan"), "yearly_tax_wan")
            book.pay("yearly_tax", tax, "developer", "government", years_after(on, year))


def supply(book: Book) -> None:
    """标准地、带方案出让: the state sells the plot on conditions and draws the yearly tax promised."""
    x, on = book.x, book.on
    price = x.number("market_value_wan")
    book.pay("land_price", given(price, "market_value_wan"), "developer", "government")
    book.tax({"deed_tax": taxes.deed_tax(price, on, book.law)}, "developer")
    if x.has("preparation_cost_wan"):
        cost = given(x.number("preparation_cost_wan"), "preparation_cost_wan")
        book.pay("preparation_cost", cost, "government", None)
    first = years_after(on, x.number("build_years"))
    for year in range(1, int(x.number("horizon_years") - x.number("build_years")) + 1):
        tax = given(x.number("yearly_tax_wan"), "yearly_tax_wan")
        book.pay("yearly_tax", tax, "developer", "government", years_after(first, year))
