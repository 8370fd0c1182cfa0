"""The four checks 四结合 (查权属 验合同 核文件 察实地) as tasks: what to find out, and what was found on what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from panhuo.report.chain import Row, fact_label, tasks
from panhuo.report.plan_document import CHECKS
from panhuo.rulebook import Rulebook

ORDER: Final = tuple(CHECKS)


@dataclass(frozen=True, slots=True)
class Found:
    """A fact found out: its value as corrections write it ("" where it is as recorded), by whom, on which day, on what
    evidence."""

    dataset: str
    field: str
    value: str
    by: str
    on: date
    evidence: str


@dataclass(frozen=True, slots=True)
class Check:
    """A task: which of the four it is, the fact, which findings it decides, and what was found; None while open."""

    check: str
    fact: str
    label: Mapping[str, str]
    decides: tuple[Mapping[str, str], ...]
    found: Found | None


def check_of(book: Rulebook) -> dict[str, str]:
    """Fact → which of the four checks finds it, as the rules have it."""
    return {fact: check for rule in book.rules.values() for fact, check in rule.verify.items()}


def four_checks(
    book: Rulebook, known: Mapping[str, str], findings: Iterable[Row], found: Mapping[str, Found]
) -> list[Check]:
    """The tasks of one parcel, in the order of the four checks, open ones first.

    known: `check_of` the book; findings: its rows that are not decided; found: fact → what was found out, also of
    findings decided since.
    """
    asked: dict[str, dict[str, Any]] = {task["fact"]: task for task in tasks(book, findings)}
    told = [
        Check(
            asked[fact]["check"] if fact in asked else known[fact],
            fact,
            fact_label(book, fact),
            tuple(asked[fact]["decides"]) if fact in asked else (),
            found.get(fact),
        )
        for fact in {**asked, **found}
        if fact in asked or fact in known
    ]
    return sorted(told, key=lambda one: (ORDER.index(one.check), one.found is not None, -len(one.decides)))
