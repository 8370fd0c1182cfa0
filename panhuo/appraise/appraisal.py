"""An appraisal: who pays and gets what when, by one tool, for one parcel, on one date."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from panhuo.appraise.calc import Calc
from panhuo.appraise.cashflow import PARTIES, Flow, Party, npv, payback_months, peak_exposure, rate_or_none
from panhuo.appraise.inputs import Inputs, money_spec
from panhuo.appraise.law import Law, leaf_dict
from panhuo.appraise.money import total
from panhuo.rulebook.book import Value


@dataclass(frozen=True)
class Figure:
    """A result that is no cash flow: cover ratio, price per 亩, land saved; `name` is a figure of spec/money.yaml."""

    name: str
    unit: str
    calc: Calc

    def as_dict(self) -> dict[str, Any]:
        """The figure with the chain behind it."""
        return {"name": self.name, "unit": self.unit, **self.calc.as_dict()}


@dataclass
class Book:
    """Where a model writes its flows and figures."""

    x: Inputs
    law: Law
    on: date
    flows: list[Flow] = field(default_factory=list)
    contingent: list[Flow] = field(default_factory=list)
    figures: dict[str, Figure] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    months: float | None = None

    def pay(
        self, kind: str, calc: Calc, payer: Party | None, payee: Party | None, on: date | None = None
    ) -> None:
        """`payer` pays `payee` the amount of `calc`; None stands for the world outside the parties."""
        day = on or self.on
        if calc.value == 0 and not calc.law:
            return
        if payer:
            self.flows.append(Flow(day, payer, kind, -calc.value + 0.0, calc))
        if payee:
            self.flows.append(Flow(day, payee, kind, calc.value, calc))

    def tax(self, taxes: Mapping[str, Calc], payer: Party, on: date | None = None) -> None:
        """`payer` pays the government taxes by kind; a zero rate or exemption is kept in the book with its law."""
        for kind, calc in taxes.items():
            self.pay(kind, calc, payer, "government", on)

    def might_pay(self, kind: str, calc: Calc, payer: Party, on: date | None = None) -> None:
        """A payment that hangs on a doubtful rule: shown, not counted."""
        if calc.value:
            self.contingent.append(Flow(on or self.on, payer, kind, -calc.value, calc))

    def figure(self, name: str, unit: str, calc: Calc) -> None:
        """Adds a named result."""
        self.figures[name] = Figure(name, unit, calc)

    def note(self, name: str) -> None:
        """Adds a remark; `name` is an id of spec/money.yaml notes."""
        if name not in self.notes:
            self.notes.append(name)


@dataclass(frozen=True)
class PartyTotals:
    """One party's result. `xirr` is None when its flows do not change sign."""

    party: Party
    cash_wan: float
    npv_wan: float
    tax_wan: float
    peak_exposure_wan: float
    payback_months: int | None
    xirr: float | None


@dataclass(frozen=True)
class Appraisal:
    """One tool appraised for one parcel."""

    parcel_id: str
    tool_id: str
    model_id: str
    on: date
    place: str
    inputs: Inputs
    flows: tuple[Flow, ...]
    contingent: tuple[Flow, ...]
    figures: Mapping[str, Figure]
    totals: Mapping[Party, PartyTotals]
    months: float | None
    notes: tuple[str, ...]
    risks: tuple[dict[str, str], ...] = ()

    @property
    def leaves(self) -> list[Value]:
        """Every value of the law the result rests on, by name and date."""
        found: dict[tuple[str, date], Value] = {}
        calcs = [flow.calc for flow in (*self.flows, *self.contingent)] + [
            f.calc for f in self.figures.values()
        ]
        for calc in calcs:
            for leaf in calc.law:
                found[leaf.name, leaf.start] = leaf
        return [found[key] for key in sorted(found)]

    def of(self, party: Party, kind: str = "") -> float:
        """Sum [万元] of a party's flows, of one kind when named."""
        return total(f.amount_wan for f in self.flows if f.party == party and kind in ("", f.kind))

    def as_dict(self) -> dict[str, Any]:
        """The whole chain, in a fixed order: same inputs, law and date give the same bytes."""
        return {
            "parcel_id": self.parcel_id,
            "tool_id": self.tool_id,
            "model": self.model_id,
            "on": self.on.isoformat(),
            "place": self.place,
            "months": self.months,
            "parties": {party: _totals_dict(t) for party, t in self.totals.items()},
            "figures": [figure.as_dict() for figure in self.figures.values()],
            "flows": [flow.as_dict() for flow in self.flows],
            "contingent": [flow.as_dict() for flow in self.contingent],
            "inputs": [item.as_dict() for item in self.inputs.items.values()],
            "law": [leaf_dict(leaf) for leaf in self.leaves],
            "unverified": sorted({leaf.name for leaf in self.leaves if leaf.unverified}),
            "notes": list(self.notes),
            "risks": [dict(risk) for risk in self.risks],
        }


def close(
    book: Book, parcel_id: str, tool_id: str, model_id: str, rate: float, risks: Iterable[dict[str, str]] = ()
) -> Appraisal:
    """The appraisal of a book whose flows are complete; `rate` discounts to the book's date."""
    flows = tuple(sorted(book.flows, key=lambda f: (f.on, PARTIES.index(f.party))))
    parties = [p for p in PARTIES if any(f.party == p for f in flows)]
    return Appraisal(
        parcel_id=parcel_id,
        tool_id=tool_id,
        model_id=model_id,
        on=book.on,
        place=book.law.place,
        inputs=book.x,
        flows=flows,
        contingent=tuple(book.contingent),
        figures=book.figures,
        totals={party: party_totals(party, flows, rate, book.on) for party in parties},
        months=book.months,
        notes=tuple(book.notes),
        risks=tuple(risks),
    )


def party_totals(party: Party, flows: Iterable[Flow], rate: float, on: date) -> PartyTotals:
    """What the flows come to for one party. Tax is what it paid (government: what it received)."""
    own = [f for f in flows if f.party == party]
    dated = [(f.on, f.amount_wan) for f in own]
    kinds = money_spec().flows
    paid = total(abs(f.amount_wan) for f in own if kinds[f.kind].is_tax)
    has_both = any(a > 0 for _, a in dated) and any(a < 0 for _, a in dated)
    spans_time = len({day for day, _ in dated}) > 1
    return PartyTotals(
        party=party,
        cash_wan=total(a for _, a in dated),
        npv_wan=npv(dated, rate, on),
        tax_wan=paid,
        peak_exposure_wan=peak_exposure(dated),
        payback_months=payback_months(dated, on),
        xirr=rate_or_none(dated) if has_both and spans_time else None,
    )


def _totals_dict(totals: PartyTotals) -> dict[str, Any]:
    return {
        "cash_wan": totals.cash_wan,
        "npv_wan": totals.npv_wan,
        "tax_wan": totals.tax_wan,
        "peak_exposure_wan": totals.peak_exposure_wan,
        "payback_months": totals.payback_months,
        "xirr": totals.xirr,
    }
