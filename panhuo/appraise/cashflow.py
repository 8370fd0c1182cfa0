"""Dated cash flows of one party and what follows from them: total, NPV, XIRR, peak exposure, payback.

Amounts in 万元, signed: in is positive. Time is actual days over 365.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

import pyxirr

from panhuo.appraise.calc import Calc
from panhuo.appraise.money import ratio, total, wan
from panhuo.core.problems import PanhuoError

Party = Literal["holder", "government", "platform", "developer", "bank", "tenant"]
PARTIES: Final[tuple[Party, ...]] = ("holder", "government", "platform", "developer", "bank", "tenant")
DAYS_A_YEAR: Final = 365
MONTHS_A_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class Flow:
    """One payment: `kind` is an id of spec/money.yaml flows; `calc` opens the amount."""

    on: date
    party: Party
    kind: str
    amount_wan: float
    calc: Calc

    def as_dict(self) -> dict[str, Any]:
        """The flow with the chain behind it."""
        return {
            "on": self.on.isoformat(),
            "party": self.party,
            "kind": self.kind,
            "amount_wan": self.amount_wan,
            "because": self.calc.as_dict(),
        }


def years_after(day: date, years: float) -> date:
    """The day `years` later; whole months by the calendar (29 February falls back to the 28th)."""
    months = round(years * MONTHS_A_YEAR)
    year, month = divmod(day.year * MONTHS_A_YEAR + day.month - 1 + months, MONTHS_A_YEAR)
    for last in (day.day, 30, 29, 28):
        if last <= day.day:
            try:
                return date(year, month + 1, last)
            except ValueError:
                continue
    raise ValueError(f"no such day: {day} + {years} years")


def npv(flows: Iterable[tuple[date, float]], rate: float, on: date) -> float:
    """Net present value [万元] on `on` at yearly `rate` (0–1)."""
    if not -1 < rate <= 1:
        raise PanhuoError(
            "折现率超出范围 (discount rate out of range)", where=f"rate = {rate}", remedy="0 ≤ rate ≤ 1"
        )
    return total(amount * (1 + rate) ** (-((day - on).days / DAYS_A_YEAR)) for day, amount in flows)


def xirr(flows: Sequence[tuple[date, float]]) -> float:
    """Internal rate of return a year (ratio); PanhuoError when the flows never change sign or have no root."""
    amounts = [amount for _, amount in flows]
    if not any(a > 0 for a in amounts) or not any(a < 0 for a in amounts):
        raise PanhuoError(
            "现金流没有正负变化，无法求内部收益率 (the flows do not change sign: there is no rate of return)",
            where="; ".join(f"{day} {amount}" for day, amount in flows),
            remedy="补齐投入或回收的现金流 (give both outlays and returns)",
        )
    found = rate_or_none(flows)
    if found is None:
        raise PanhuoError("内部收益率无解 (no rate of return exists for these flows)")
    return found


def rate_or_none(flows: Sequence[tuple[date, float]]) -> float | None:
    """The same, or None where there is no rate."""
    found = pyxirr.xirr([day for day, _ in flows], [amount for _, amount in flows])
    return None if found is None or not math.isfinite(found) else ratio(found)


def peak_exposure(flows: Iterable[tuple[date, float]]) -> float:
    """The most a party is ever out of pocket [万元], as a number ≥ 0; flows of one day count together."""
    lowest = running = 0.0
    for _, amount in _by_day(flows):
        running += amount
        lowest = min(lowest, running)
    return wan(-lowest)


def payback_months(flows: Iterable[tuple[date, float]], on: date) -> int | None:
    """Months from `on` until the running total is back to zero for good; None when it never is, 0 when never below."""
    running, back, was_below = 0.0, None, False
    for day, amount in _by_day(flows):
        running = wan(running + amount)
        if running < 0:
            was_below, back = True, None
        elif was_below and back is None:
            back = day
    if not was_below:
        return 0
    return None if back is None else (back.year - on.year) * MONTHS_A_YEAR + back.month - on.month


def _by_day(flows: Iterable[tuple[date, float]]) -> list[tuple[date, float]]:
    days: dict[date, list[float]] = {}
    for day, amount in flows:
        days.setdefault(day, []).append(amount)
    return [(day, total(days[day])) for day in sorted(days)]
