"""What standard land asks of its taker, from the law of the place; and the day works must begin."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import pyarrow as pa

from panhuo.core.dates import add_years
from panhuo.inventory.spec import units
from panhuo.measure.lifecycle import milestones
from panhuo.report.chain import both
from panhuo.rulebook.calendar import work_calendar
from panhuo.rulebook.scheme import pick as governing_scheme
from panhuo.rulebook.scheme import scheme
from panhuo.rulebook.scheme_schema import AdmissionScheme, LifecycleScheme
from panhuo.site import labels
from panhuo.site.labels import rulebook
from panhuo.site.market.models import Lot
from panhuo.site.shelf import rows
from panhuo.site.words import english, pick, pick_label
from panhuo.workspace.admission import SIDES, bar_chain

STANDARD: Final = "standard_land"
"""The tool, and the national scheme, of 标准地."""
TEN_THOUSAND: Final = "10,000 "
CONTRACT: Final = ("started_on", "work_state", "delivered_on")
"""What the ledger's contract says of a start, where the lot names its contract."""


def indicators(division: str, on: date) -> list[dict[str, Any]]:
    """The indicators of standard land at a place on a day: those of its own admission bar, then those it leaves to the
    national list. Each {criterion, label, side, bar, unit, due: {zh, en} or None, cite, words, since, mark,
    unverified}.
    """
    book = rulebook()
    rules = (
        governing_scheme(book, AdmissionScheme, division, on),
        scheme(book, AdmissionScheme, STANDARD, on, division),
    )
    steps = governing_scheme(book, LifecycleScheme, division, on).milestones
    found: dict[str, dict[str, Any]] = {}
    for rule in rules:
        for one in bar_chain(book, rule, [division])["criteria"]:
            law = one.pop("law")
            due = both(steps[one["due"]].label) if one["due"] in steps else None
            cited = {"cite": law["cite"]["label"], "words": law["cite"]["words"]}
            told = {"since": str(law["since"] or ""), "mark": law["mark"], "unverified": law["unverified"]}
            found.setdefault(one["criterion"], one | {"due": due} | cited | told)
    return list(found.values())


def amount(number: float, unit: str) -> str:
    """A figure with its unit; English has no 万, so that 45 万元/亩 is 450,000 yuan/mu there."""
    label = units()[unit].label
    if english() and label.en.startswith(TEN_THOUSAND):
        return f"{labels.number(number * 10_000)} {label.en.removeprefix(TEN_THOUSAND)}"
    return f"{labels.number(number)} {pick(label.zh, label.en)}"


def bar_words(one: dict[str, Any]) -> str:
    """An indicator's bar: ≥ 400 万元/亩."""
    bar = labels.number(one["bar"]) if one["unit"] == "ratio" else amount(one["bar"], one["unit"])
    return f"{SIDES[one['side']]} {bar}"


def promise(asked: Sequence[dict[str, Any]]) -> str:
    """The commitment that goes with the indicators, for a lot whose office wrote none of its own."""
    by_step: dict[str, list[str]] = {}
    for one in asked:
        step = pick_label(one["due"], pick("投产", "production"))
        by_step.setdefault(step, []).append(f"{pick_label(one['label'], '')} {bar_words(one)}")
    parts = pick("；", "; ").join(
        pick(f"{step}时，{'、'.join(bars)}", f"by {step.lower()}, {', '.join(bars)}")
        for step, bars in by_step.items()
    )
    return pick(
        f"受让人承诺自土地供应之日起按约定日期动工、竣工；{parts}。各环节接受核验，未达到的按投资建设合同承担违约责任。",
        f"The taker undertakes to begin and finish works on the agreed days from the day of supply; {parts}. "
        "Each step is checked, and a promise that is missed is answered for under the investment contract.",
    )


def start_by_law(supplied_on: date, division: str) -> date:
    """The last day to begin works where the contract sets none: counted from the day of supply (53号令 art 22)."""
    years = rulebook().parameter("idle_land.start_after_delivery_years", supplied_on, division).value
    return add_years(supplied_on, int(years))


def starts(lots: Sequence[Lot], on: date) -> dict[int, dict[str, Any]]:
    """How the start of supplied lots stands on a day, by lot: {due_on, met_on, state, days} as `lifecycle.milestones`.

    What the office recorded comes first, then what the ledger says under the lot's contract; neither is unknown.
    """
    told = _contracts([lot for lot in lots if lot.contract_no])
    found: dict[int, dict[str, Any]] = {}
    for division in {lot.division for lot in lots}:
        rule = governing_scheme(rulebook(), LifecycleScheme, division, on)
        held = [
            _contract(lot, told.get((lot.parcel_id, lot.contract_no), {}))
            for lot in lots
            if lot.division == division
        ]
        due = milestones(pa.Table.from_pylist(held), rule, work_calendar(rulebook()), on)
        found |= {int(r["contract_no"]): r for r in due.to_pylist() if r["milestone"] == "start"}
    return found


def _contracts(lots: Sequence[Lot]) -> dict[tuple[str, str], dict[str, Any]]:
    """The ledger's contracts by parcel and number: a number alone may be another parcel's."""
    sql = f"""SELECT parcel_id, contract_no, {", ".join(CONTRACT)} FROM contracts
        WHERE list_contains(?::VARCHAR[], contract_no) AND list_contains(?::VARCHAR[], parcel_id)"""
    asked = ([lot.contract_no for lot in lots], [lot.parcel_id for lot in lots])
    return {(row["parcel_id"], row["contract_no"]): row for row in (rows(sql, asked) if lots else [])}


def _contract(lot: Lot, told: dict[str, Any]) -> dict[str, Any]:
    return {
        "contract_no": str(lot.pk),
        "parcel_id": lot.parcel_id,
        "delivered_on": told.get("delivered_on") or lot.supplied_on,
        "start_by": lot.start_by,
        "started_on": lot.started_on or told.get("started_on"),
        "work_state": told.get("work_state"),
    }
