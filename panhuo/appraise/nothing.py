"""The cost of doing nothing: what another year of the present state takes from each side."""

from datetime import date
from typing import Final

from panhuo.appraise import taxes
from panhuo.appraise.appraisal import Appraisal, Book, close
from panhuo.appraise.calc import plus
from panhuo.appraise.cashflow import years_after
from panhuo.appraise.inputs import resolve
from panhuo.appraise.law import Law
from panhuo.appraise.run import Case
from panhuo.core.problems import PanhuoError
from panhuo.rulebook.book import Rulebook

NOTHING: Final = "nothing"
READS: Final = (
    "area_m2",
    "land_use_tax_yuan_m2",
    "price_wan",
    "idle_since",
    "is_holder_cause",
    "discount_rate",
)


def doing_nothing(case: Case, rulebook: Rulebook) -> Appraisal:
    """Land-use tax of each year to come, and the idle fee once, where the holder is the cause and idle long enough.

    Looks ahead until free resumption would be open (`idle_land.resumable_after_years`). A cause nobody knows is not
    the holder's: the fee is then contingent. Raises PanhuoError when even the area is unknown.
    """
    law = Law(rulebook, case.place)
    x = resolve(READS, case.given, case.ledger, law, case.on, case.source)
    if not x.has("area_m2"):
        raise PanhuoError(
            "缺少土地面积，无法测算不处置的代价 (no area: cannot cost doing nothing)", where=case.parcel_id
        )
    book = Book(x, law, case.on)
    years = law.leaf("idle_land.resumable_after_years", case.on)
    use_tax = taxes.land_use_tax(x.number("area_m2"), x.number("land_use_tax_yuan_m2"))
    for year in range(1, int(float(years.value)) + 1):
        book.pay("land_use_tax", use_tax, "holder", "government", years_after(case.on, year))
    yearly = [use_tax]
    if x.items["land_use_tax_yuan_m2"].mark == "defaulted":
        book.note("floor_rate")
    if x.has("price_wan") and x.has("idle_since"):
        fee = taxes.idle_fee(x.number("price_wan"), case.on, law)
        due = max(case.on, years_after(x.day("idle_since"), 0))
        if x.flag("is_holder_cause"):
            book.pay("idle_fee", fee, "holder", "government", due)
            yearly.append(fee)
        elif not x.has("is_holder_cause"):
            book.might_pay("idle_fee", fee, "holder", due)
        if resumable(x.day("idle_since"), case.on, law):
            book.note("resumable")
    book.figure("carrying_cost_wan", "wan", plus(*yearly))
    return close(book, case.parcel_id, NOTHING, NOTHING, x.number("discount_rate"))


def resumable(idle_since: date, on: date, law: Law) -> bool:
    """Whether land found idle since a date could be resumed on `on` (idle begins a year after the start was due)."""
    more = law.number("idle_land.resumable_after_years", on) - law.number("idle_land.idle_after_years", on)
    return years_after(idle_since, more) <= on
