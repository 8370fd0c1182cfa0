"""Figures told twice: the same thing with its digits turned round or its point moved."""

import re
from collections.abc import Iterator

from panhuo.measure.audit.check import Candidate, Check, settle, slip
from panhuo.measure.audit.labels import bigrams
from panhuo.measure.audit.quantities import Quantity, Report

SAME_LABEL = 5
"""Characters of label before two figures that make them the same figure told twice."""
LEAST_DIGITS = 3
ROUND = 0.05
"""A rounder telling differs by at most this share."""
SHARED_BIGRAMS = 2


def told_twice(report: Report) -> Iterator[Check]:
    """A later telling of a figure that differs from the first as only a slip of the pen would."""
    for claim in report.quantities:
        tail = label(report, claim)
        if len(tail) < SAME_LABEL or len(significant(claim)) < LEAST_DIGITS:
            continue
        told = [
            q
            for q in report.section(claim)
            if q.index < claim.index
            and q.unit == claim.unit
            and label(report, q)[-SAME_LABEL:] == tail[-SAME_LABEL:]
        ]
        slips = [Candidate(q.given, q.text, (q,)) for q in told]
        slips = [c for c in slips if slip(claim, c) and not c.value.overlaps(claim.claim)]
        if slips and all(not q.given.overlaps(claim.claim) for q in told):
            yield from settle(claim, "told_twice", slips[:1])


def told_roundly(report: Report) -> Iterator[Check]:
    """A rounder telling of a figure told exactly elsewhere; only clears."""
    for claim in report.quantities:
        if claim.bound is None and claim.kind != "money":
            continue
        exact = [
            Candidate(q.given, q.text, (q,))
            for q in report.section(claim)
            if q.unit.dimension == claim.unit.dimension
            and len(significant(q)) > len(significant(claim))
            and q.kind == claim.kind
            and _same_thing(claim, q)
            and abs(q.given.value - claim.given.value) <= ROUND * abs(claim.given.value)
        ]
        yield from settle(claim, "told_roundly", [], exact)


def _same_thing(a: Quantity, b: Quantity) -> bool:
    if a.noun and b.noun:
        return a.noun == b.noun
    return len(bigrams(a.before + a.after) & bigrams(b.before + b.after)) >= SHARED_BIGRAMS


def significant(q: Quantity) -> str:
    """The digits of a figure without zeros at either end."""
    return re.sub(r"\D", "", str(q.value)).strip("0")


def label(report: Report, q: Quantity) -> str:
    """The Chinese characters of the clause before a figure, without its word of degree."""
    return "".join(c for c in q.before if not c.isascii())
