"""Figures told twice: the same thing with its digits turned round or its point moved."""

import re
from collections.abc import Iterator

from panhuo.measure.audit.check import Candidate, Check, settle, slip
from panhuo.measure.audit.quantities import Quantity, Report

SAME_LABEL = 5
"""Characters of label before two figures that make them the same figure told twice."""
LEAST_DIGITS = 3


def told_twice(report: Report) -> Iterator[Check]:
    """A later telling of a figure that differs from the first as only a slip of the pen would."""
    for claim in report.quantities:
        tail = label(report, claim)
        if len(tail) < SAME_LABEL or len(re.sub(r"\D", "", str(claim.value)).strip("0")) < LEAST_DIGITS:
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


def label(report: Report, q: Quantity) -> str:
    """The Chinese characters of the clause before a figure, without its word of degree."""
    return "".join(c for c in q.before if not c.isascii())
