"""Identities of means: a total over a count, a count of times what each has, a total over months or years."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from panhuo.core.figures import Interval
from panhuo.measure.audit.check import Candidate, Check, settle
from panhuo.measure.audit.labels import bigrams, lead_of
from panhuo.measure.audit.parts_identities import alike
from panhuo.measure.audit.quantities import DIGITS, Quantity, Report
from panhuo.measure.audit.words import words

FEW: Final = 3
"""Sentences back, within a paragraph, from which an average may still be made."""
EVERY: Final = re.compile("(?P<unit>[年月])均|每(?:个?)(?P<each>[年月])")
PREMISE: Final = re.compile("^按|分别")
"""按近三年年均44.64公顷计算 is reckoned with, not reckoned; 分别 tells of several totals."""
MONTHS: Final = re.compile(r"(?<!\d)(?P<first>\d{1,2})[—－\-~～至](?P<last>\d{1,2})月")
YEARS: Final = re.compile("(?:^|[^一二三四五六七八九十\\d])(?P<years>[两二三四五六])年")


def each_of_many(report: Report) -> Iterator[Check]:
    """12台，腾出21.6亩，平均每台1.8亩: a total over a count, told before it; far ones in its paragraph only clear."""
    for claim in report.quantities:
        each = words().per_member.search(lead_of(report, claim))
        if each is None or claim.kind in {"percent", "times", "number"}:
            continue
        member = lead_of(report, claim)[each.start() :]
        near = _shared_out(claim, member, [q for q in report.within(claim, 0) if q.index < claim.index])
        told = [
            q for q in report.within(claim, FEW) if q.index < claim.index and report.one_paragraph(q, claim)
        ]
        totals = [q for q in told if alike(q, claim) and q.given.value > claim.given.value]
        counts = [q for q in told if q.kind == "count" and q.unit.name in member]
        yield from settle(claim, "average", near, (_mean(a, b) for a in totals[::-1] for b in counts))


def _shared_out(claim: Quantity, member: str, here: Sequence[Quantity]) -> list[Candidate]:
    """The one total over the one count that a sentence tells before an average."""
    totals = [q for q in here if alike(q, claim) and q.given.value > claim.given.value]
    if not claim.unit.dimension:
        totals = [q for q in totals if q.unit.name == claim.unit.name]
    counts = [q for q in here if q.kind == "count" and q not in totals]
    if len(counts) > 1:
        counts = [q for q in counts if q.unit.name[0] in member]
    beside = [(a, b) for a in totals for b in counts if abs(a.index - b.index) == 1]
    if len(totals) > 1 and len(counts) > 1:
        return [_mean(*pair) for pair in beside[-1:]]
    if len(totals) > 1:
        totals = [q for q in totals if bigrams(q.before[-2:]) & bigrams(claim.before[-2:])]
    return [_mean(totals[0], counts[0])] if len(counts) == len(totals) == 1 else []


def _mean(whole: Quantity, count: Quantity) -> Candidate:
    return Candidate(whole.given / count.given, f"{whole.text} ÷ {count.text}", (whole, count))


def all_of_each(report: Report) -> Iterator[Check]:
    """386户，户均补助11.5万元，共4439万元: so many times what each has."""
    for each, claim in pairwise(report.quantities):
        lead = lead_of(report, each)
        per = words().per_member.search(lead)
        summed = claim.sentence == each.sentence and alike(each, claim) and each.unit.dimension
        if per is None or not summed or not words().says("total", claim.before[-4:]):
            continue
        told = [
            q for q in report.within(claim, FEW) if q.index < each.index and report.one_paragraph(q, each)
        ]
        counts = [q for q in told if q.kind == "count" and q.unit.name in lead[per.start() :]]
        here = [q for q in counts if q.sentence == claim.sentence]
        found = [Candidate(q.given * each.given, f"{q.text} × {each.text}", (q, each)) for q in counts]
        near = [c for c in found if c.inputs[0] in here] if len(here) == 1 else []
        yield from settle(claim, "priced", near, found)


def each_period(report: Report) -> Iterator[Check]:
    """1—8月2.24亿元，月均2800万元; 三年净增2.5万亩，年均0.83万亩: a total told beside it over its months or years."""
    for claim in report.quantities:
        every = EVERY.search(lead_of(report, claim))
        if (
            every is None
            or claim.kind in {"percent", "times", "number"}
            or PREMISE.search(lead_of(report, claim))
        ):
            continue
        unit = str(every["unit"] or every["each"])
        here = [
            q for q in report.within(claim, 0) if alike(q, claim) and not EVERY.search(lead_of(report, q))
        ]
        told = [q for q in here if q.index < claim.index][-1:] or here
        spans = {n for q in [*told, claim] for n in _periods(report, q, unit)}
        if len(told) == len(spans) == 1 and told[0].given.value > claim.given.value:
            n = float(spans.pop())
            mean = Candidate(told[0].given / Interval(n, n, n), f"{told[0].text} ÷ {n:.0f}{unit}", (told[0],))
            yield from settle(claim, "average", [mean])


def _periods(report: Report, q: Quantity, unit: str) -> Iterator[int]:
    """The months or years that the clause of a figure, or the one before it, tells of."""
    text = report.plain.text
    start = max(text.rfind(stop, 0, q.at) for stop in "。；\n") + 1
    lead = "，".join(text[start : q.at].split("，")[-2:]) + q.after
    if unit == "年":
        yield from (DIGITS[m["years"]] for m in YEARS.finditer(lead))
    else:
        yield from (int(m["last"]) - int(m["first"]) + 1 for m in MONTHS.finditer(lead))
        yield from (n for word, n in words().periods.items() if word in lead)
