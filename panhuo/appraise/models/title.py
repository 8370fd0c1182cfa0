"""Ways of putting the title right: 补缴出让金后转让, 作价出资(入股), 变更登记."""

from panhuo.appraise import taxes
from panhuo.appraise.appraisal import Book
from panhuo.appraise.calc import Calc, given
from panhuo.appraise.cashflow import years_after
from panhuo.appraise.money import wan


def topup_price(book: Book) -> Calc:
    """The price to pay the state: as given, else market value of the grant − value of the allocated right."""
    x = book.x
    if x.has("topup_wan"):
        return given(x.number("topup_wan"), "topup_wan")
    return taxes.topup_for_allocated(x.number("market_value_wan"), x.number("allocated_value_wan"))


def topup_transfer(book: Book) -> None:
    """补办出让: the holder pays the top-up, then may sell to the user of the site at `transfer_price_wan`."""
    x, law, on = book.x, book.law, book.on
    topup = topup_price(book)
    deed = taxes.deed_tax(topup.value, on, law)
    book.pay("topup_price", topup, "holder", "government")
    book.tax({"deed_tax": deed, "stamp_tax": taxes.stamp_tax(topup.value, "transfer", on, law)}, "holder")
    book.figure("cash_to_state_wan", "wan", topup)
    if not x.has("transfer_price_wan"):
        book.note("no_transfer")
        return
    sold_on = years_after(on, x.number_or("transfer_months", 0.0) / 12)
    price = x.number("transfer_price_wan")
    cost = wan(x.number_or("price_wan", 0.0) + topup.value + deed.value)
    sale = taxes.sale_taxes(price, cost, x.day_or_none("acquired_on"), x.text("location"), sold_on, law)
    book.pay("transfer_price", given(price, "transfer_price_wan"), "platform", "holder", sold_on)
    book.tax(sale.seller(), "holder", sold_on)
    if x.flag("is_same_owner") and law.is_in_force("tax.deed_same_owner_exempt", sold_on):
        rule = law.leaf("tax.deed_same_owner_exempt", sold_on)
        exempt = Calc(0.0, f"exempt: {rule.name}", {}, (rule,))
        book.pay("deed_tax", exempt, "platform", "government", sold_on)
        book.might_pay("deed_tax", sale.deed, "platform", sold_on)
        book.pay("stamp_tax", sale.stamp, "platform", "government", sold_on)
    else:
        book.tax(sale.buyer(), "platform", sold_on)


def capital_contribution(book: Book) -> None:
    """国家作价出资(入股): the land's value becomes state capital of the receiving company; no price is paid in cash."""
    x, law, on = book.x, book.law, book.on
    value = x.number("market_value_wan")
    book.tax(
        {
            "deed_tax": taxes.deed_tax_on_contribution(value, on, law),
            "stamp_tax": taxes.stamp_tax(value, "capital", on, law),
        },
        "platform",
    )
    book.pay("stamp_tax", taxes.stamp_tax(value, "transfer", on, law), "platform", "government")
    book.figure("state_capital_wan", "wan", given(value, "market_value_wan"))
    if x.has("topup_wan") or x.has("allocated_value_wan"):
        avoided = topup_price(book)
        book.figure("cash_avoided_wan", "wan", avoided)
    book.note("contribution_basis")


def registration(book: Book) -> None:
    """变更登记 and other registrations: a fee per parcel; `price_to_settle_wan` where a legacy price is still owed."""
    x, law, on = book.x, book.law, book.on
    leaf = law.leaf("tax.registration_fee_wan", on)
    cases = x.number_or("registration_cases", 1.0)
    terms = {"registration_cases": cases, leaf.name: float(leaf.value)}
    fee = Calc(wan(cases * float(leaf.value)), f"registration_cases × {leaf.name}", terms, (leaf,))
    book.pay("registration_fee", fee, "holder", "government")
    if x.has("price_to_settle_wan"):
        owed = x.number("price_to_settle_wan")
        book.pay("topup_price", given(owed, "price_to_settle_wan"), "holder", "government")
        book.tax({"deed_tax": taxes.deed_tax(owed, on, law)}, "holder")
    book.note("separate_persons")
