"""Identities of figures set beside each other: more or less than another, what deductions leave, priced amounts."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from panhuo.core.figures import Interval
from panhuo.measure.audit.change_identities import apart, changed, yearly_mean
from panhuo.measure.audit.check import Candidate, Check, settle
from panhuo.measure.audit.labels import called, is_base, lead_of, name_of, shared
from panhuo.measure.audit.parts_identities import ASIDE, alike, total
from panhuo.measure.audit.quantities import Quantity, Report
from panhuo.measure.audit.share_identities import RELATIVE
from panhuo.measure.audit.units_identities import as_charged
from panhuo.measure.audit.words import words

BESIDE: Final = re.compile(r"(?:相?[较比]|相比)(?!例|重)[^，。；]*$")
AT_ONCE: Final = 8
"""Characters between the figure compared with and by how much: 较上年的11.6亿元下降15%."""
DEDUCTED: Final = re.compile(r"(?:扣除|减去|剔除)[^。；]*$")
NAMED: Final = re.compile(
    r"(?:(?:比|较)(?P<a>[^，。；\d]{2,10}?)(?:超出|多出?|高出?|溢价|增加|提高|减少|降低|低|少)|[高低]于(?P<b>[^，。；\d]{2,10}?))(?:了|约)?$"
)
"""比下达任务超出C, 高于起始价p%: held beside a figure told before by that name."""
SUBJECT: Final = 4
"""Characters at the end of a subject that name its figure."""
NET: Final = re.compile(r"净|盈余|结余|实得")
NUMBERED: Final = re.compile(
    r"([两二三四五六七八九十]|\d{1,2})[项宗类个处块家笔栋期年]\D{0,6}(?:合计|共计|总计|累计|共)"
)
NUMERALS: Final = {c: i for i, c in enumerate("零一二三四五六七八九十")} | {"两": 2}
YEARS_LONG: Final = re.compile(r"(?:^|\D)([两二三四五六])年[^，。；]*$")
YEAR_LED: Final = re.compile(r"(?:19|20)\d\d年\D{0,5}$")
DONE_RATE: Final = re.compile("率(?:达到?|为|约)*$")
COME_TO: Final = re.compile("^[^从由]*(?:增加|提高|提升|增长|下降|减少|降低|[增升降减扩])[到至]$")
BY: Final = re.compile(
    r"^(?:(?:比|较|相比|与)[^，]{0,10}|同比|环比|净|当年|年内)?"
    r"(?:净增|新增|增加|增长|提高|减少|下降|减收|增收|压减|降低|[多少][^，\d]{0,4})(?:了|约)?$"
)
"""比上年增加B: by how much, and nothing else."""
SO_MUCH: Final = re.compile(
    "^[，、（(]?(?:同比|比上年|较上年)?(?:增长|增幅|增加|提高|下降|降幅|减少|降低)(?:了|约|为)?$"
)
MEAN: Final = re.compile("年均[^，。；]{0,4}(?:增长|提高|增加|下降|减少|降低|增速)(?:了|约|为)?$")
MONTHLY: Final = re.compile(r"月")
YEARLY: Final = re.compile(r"年")
LIKE: Final = 2
"""Characters in a row that an amount and its price share, at least, when one is called after the other."""
NOT_ALL: Final = re.compile("[少多]|增收|减收|减免|节|让利")
"""少收41万元 is not what the price makes, but what one price makes less than another."""
MONTHS: Final = Interval(12.0, 12.0, 12.0)


def compared(report: Report) -> Iterator[Check]:
    """A，较上年的B下降p% (增加C, 高D个百分点): the base stands right before by how much, what it is set beside last."""
    for claim in report.quantities[2:]:
        base, lead = report.quantities[claim.index - 1], lead_of(report, claim)
        link = report.between(base, claim)
        if (
            base.at < claim.at - len(lead)
            or len(link) > AT_ONCE
            or not BESIDE.search(lead[: base.at - claim.at])
        ):
            continue
        rises = words().says("rise", link) or re.search("[多高]出?$", link) is not None
        falls = words().says("fall", link) or re.search("[少低]$", link) is not None
        if rises == falls or yearly_mean(report, claim):
            continue
        here = [q for q in report.within(claim, 0) if q.index < base.index and alike(q, base)]
        last = [q for q in here[-1:] if (q.noun == base.noun or not base.noun) and _comparable(q, base)]
        last = last if here else _subject(report, claim, base, BESIDE.split(lead, maxsplit=1)[0])
        sums = [total(here[-size:]) for size in range(2, len(here) + 1)]
        each = [Candidate(q.given, q.text, (q,)) for q in here]
        if claim.kind == "percent":
            yield from settle(
                claim,
                "growth",
                [changed(base, q, falls=falls) for q in last],
                (_over(c, base, falls=falls) for c in [*each, *sums]),
            )
        elif alike(claim, base) or (claim.unit.name == "个百分点" and base.kind == "percent"):
            name = "points" if base.kind == "percent" else "step"
            yield from settle(claim, name, [apart(base, q) for q in last], (apart(base, q) for q in here))


def beside_named(report: Report) -> Iterator[Check]:
    """任务23公顷，已处置23.5公顷，比下达任务超出0.5公顷 (2.2%): what it is set beside has its name, not its figure."""
    for claim in report.quantities:
        lead = lead_of(report, claim)
        found = NAMED.search(lead)
        if found is None or words().says("yearly", lead) or yearly_mean(report, claim):
            continue
        name = str(found["a"] or found["b"])
        bases = called(report, claim, name) or called(report, claim, name[-2:])
        here = [q for q in report.within(claim, 0) if q.index < claim.index and q not in bases]
        now = [q for q in here if bases and alike(q, bases[0]) and _comparable(q, bases[0])][-1:]
        falls = re.search("[低少]", found[0]) is not None
        if len(bases) != 1 or not now or bases[0].sentence < claim.sentence - 1:
            continue
        if claim.kind == "percent" and bases[0].kind != "percent":
            yield from settle(claim, "growth", [changed(bases[0], now[0], falls=falls)])
        elif alike(claim, now[0]) or (claim.unit.name == "个百分点" and now[0].kind == "percent"):
            yield from settle(claim, "step", [apart(bases[0], now[0])])


def _subject(report: Report, claim: Quantity, base: Quantity, subject: str) -> list[Quantity]:
    """面积完成率比北湖区的68.5%高: the one figure that the words before 比 name, told before."""
    name = subject[-SUBJECT:]
    told = [q for q in called(report, claim, name) if alike(q, base)] if len(name) == SUBJECT else []
    return told if len(told) == 1 else []


def _comparable(a: Quantity, b: Quantity) -> bool:
    """Whether two figures are of one size: at most ten times each other."""
    return abs(a.given.value) <= 10 * abs(b.given.value) <= 100 * abs(a.given.value)


def _over(now: Candidate, base: Quantity, *, falls: bool) -> Candidate:
    one = Interval(1.0, 1.0, 1.0)
    ratio = now.value / base.given
    value = one + -ratio if falls else ratio + -one
    return Candidate(value, f"（{now.formula}） ÷ {base.text} 的变动", (*now.inputs, base))


def deducted(report: Report) -> Iterator[Check]:
    """收入A，扣除成本B（和C），净收益D: what is left of the figure before 扣除."""
    for claim in report.quantities:
        text = report.plain.text
        start = max(text.rfind(stop, 0, claim.at) for stop in "。；\n") + 1
        found = DEDUCTED.search(text[start : claim.at])
        if found is None or not NET.search(lead_of(report, claim)):
            continue
        at = start + found.start()
        told = [q for q in report.within(claim, 1) if q.index < claim.index and alike(q, claim)]
        less, before = [q for q in told if q.at > at], [q for q in told if q.at < at]
        if not less or not before or not report.one_paragraph(before[-1], claim):
            continue
        whole, off = before[-1], total(less)
        left = Candidate(
            whole.given + -off.value, f"{whole.text} － {' － '.join(q.text for q in less)}", (whole, *less)
        )
        yield from settle(claim, "net", [left])


def numbered_total(report: Report) -> Iterator[Check]:
    """四项合计23112万元: as many figures before it as it says. Accuses where the paragraph tells just so many."""
    for whole in report.quantities:
        found = NUMBERED.search(lead_of(report, whole))
        if found is None or whole.kind in RELATIVE:
            continue
        count = NUMERALS.get(found[1]) or int(found[1])
        run = [
            q
            for q in report.within(whole, 6)
            if q.index < whole.index and alike(q, whole) and report.one_paragraph(q, whole)
        ]
        run = [q for q in run if not words().per_member.search(lead_of(report, q))]
        run = [q for q in run if not ASIDE.search(lead_of(report, q))]
        if "年" in found[0][:3]:
            run = [q for q in run if YEAR_LED.search(report.plain.text[max(0, q.at - 12) : q.at])]
        near = [run, [q for q in run if q.sentence >= whole.sentence - 1]]
        sure = [total(r) for r in near if len(r) == count and _add_up(whole, r)]
        yield from settle(whole, "parts", sure[:1], [total(run[-count:])] if len(run) >= count > 1 else [])


def _add_up(whole: Quantity, run: Sequence[Quantity]) -> bool:
    """Whether figures can be parts of a whole: two or more, each smaller, of one kind."""
    smaller = all(q.given.value < whole.given.value for q in run)
    return len(run) > 1 and smaller and len({q.noun for q in run if q.noun}) < 2


def priced(report: Report) -> Iterator[Check]:
    """出租面积102600平方米，租金18元/平方米·月，年租金2216万元: amount times price, of a year if told so."""
    for price, claim in _prices(report):
        of = price.kind.partition("/")[2]
        here = [q for q in report.within(claim, 0) if q.index < claim.index and q.kind == of]
        monthly = MONTHLY.search(price.after[:4] or "") or MONTHLY.search(price.before[-8:])
        lead = lead_of(report, claim)
        yearly = bool(monthly and YEARLY.search(lead))
        other = "楼面" in price.before or ASIDE.search(lead) or NOT_ALL.search(lead)
        if other or (monthly and not yearly) or _explained(report, price, here):
            continue
        near = here if len(here) == 1 and price.noun in {claim.noun, None} else []
        named = [] if here else _so_called(report, price, of)
        yield from settle(
            claim,
            "priced",
            [_amount(q, price, months=yearly) for q in near],
            (_amount(q, price, months=yearly) for q in here),
            likely=[_amount(q, price, months=yearly) for q in named],
        )


def _prices(report: Report) -> Iterator[tuple[Quantity, Quantity]]:
    """Prices and the sum told next in the sentence, or next but for the amount (每亩5元，68.8万亩年租金344万元)."""
    for price in report.quantities:
        if not price.kind.startswith("money/"):
            continue
        after = report.quantities[price.index + 1 : price.index + 3]
        if len(after) == 2 and after[0].kind == price.kind.partition("/")[2]:
            after = after[1:]
        if after and after[0].kind == "money" and after[0].sentence == price.sentence:
            yield price, after[0]


def _so_called(report: Report, price: Quantity, kind: str) -> list[Quantity]:
    """自发自用5719万千瓦时。……自用电量按0.58元/千瓦时: the amount told before that is called most like the priced."""
    told = [q for q in report.section(price) if q.kind == kind and q.index < price.index]
    likeness = [shared(name_of(report, q), lead_of(report, price)) for q in told]
    best = max([LIKE, *likeness])
    found = {q.given.value: q for q, likely in zip(told, likeness, strict=True) if likely == best}
    return list(found.values()) if len(found) == 1 else []


def _explained(report: Report, price: Quantity, here: Sequence[Quantity]) -> bool:
    """Whether a sum told before a price is what the price makes: 285亩，以9.12亿元收储，每亩320万元."""
    made = [q for q in report.within(price, 0) if q.index < price.index and q.kind == "money"]
    return any(_amount(a, price, months=False).value.overlaps(q.claim) for a in here for q in made)


def by_years(report: Report) -> Iterator[Check]:
    """三年盘活1.5万亩，2025年4500亩，2026年5000亩，2027年5500亩: as many years' figures as the whole says."""
    for whole in report.quantities:
        found = YEARS_LONG.search(lead_of(report, whole))
        if found is None or whole.kind in RELATIVE or whole.bound:
            continue
        run = [q for q in report.within(whole, 0) if q.index > whole.index and alike(q, whole)]
        run = [q for q in run if YEAR_LED.search(report.plain.text[max(0, q.at - 12) : q.at])]
        if len(run) == NUMERALS[found[1]] > 1 and _add_up(whole, run):
            yield from settle(whole, "parts", [total(run)])


def rest_by_rate(report: Report) -> Iterator[Check]:
    """已支付1.224亿元，支付率90%，未支付1360万元: what is left of a part that is so much of the whole."""
    for part, share, claim in zip(
        report.quantities, report.quantities[1:], report.quantities[2:], strict=False
    ):
        rest = words().says("rest", lead_of(report, claim))
        same = alike(part, claim) and part.sentence == claim.sentence and share.kind == "percent"
        if not same or not rest or not DONE_RATE.search(lead_of(report, share)) or not share.claim.low > 0:
            continue
        left = part.given / share.claim + -part.given
        yield from settle(
            claim, "remainder", [Candidate(left, f"{part.text} ÷ {share.text} － {part.text}", (part, share))]
        )


def come_to(report: Report) -> Iterator[Check]:
    """产值2.1亿元。……产值增加到3.15亿元，增长50%: from the one figure of that name told before."""
    for now, claim in zip(report.quantities, report.quantities[1:], strict=False):
        lead = lead_of(report, claim)
        falls = words().says("fall", lead)
        moved = (falls or words().says("rise", lead)) and not yearly_mean(report, claim)
        reached = now.sentence == claim.sentence and COME_TO.search(lead_of(report, now)) is not None
        if claim.kind != "percent" or not moved or len(lead) > AT_ONCE or not reached or not now.noun:
            continue
        told = [
            q for q in report.within(claim, 2) if q.index < now.index and alike(q, now) and q.noun == now.noun
        ]
        near = [q for q in told if not words().per_member.search(q.before)]
        if len({q.given.value for q in near}) == 1:
            yield from settle(claim, "change", [changed(near[-1], now, falls=falls)])


def grown_by(report: Report) -> Iterator[Check]:
    """A，比上年增加B，增长p%: what came, or went, over what there was before. Of the figure before it alone."""
    for by, claim in pairwise(report.quantities):
        link = report.between(by, claim)
        falls = words().says("fall", link)
        if claim.kind != "percent" or not BY.search(lead_of(report, by)) or not SO_MUCH.search(link):
            continue
        here = [q for q in report.within(by, 0) if q.index < by.index and q.kind not in RELATIVE]
        here = [q for q in here if not is_base(report, q)]
        if not here or not alike(here[-1], by) or here[-1].given.value <= by.given.value:
            continue
        now = here[-1]
        before = now.given + (by.given if falls else -by.given)
        bases = [(before, f"（{now.text} {'+' if falls else '－'} {by.text}）"), (now.given, now.text)]
        if now.at > by.at - len(lead_of(report, by)):
            bases = bases[1:]
        found = [
            Candidate(by.given / base, f"{by.text} ÷ {name}", (now, by))
            for base, name in bases
            if base.low > 0
        ]
        yield from settle(claim, "growth", found)


def growing_yearly(report: Report) -> Iterator[Check]:
    """由2020年的A增至2024年的B，年均增长p%: the growth that, year after year, makes A into B."""
    for claim in report.quantities:
        lead = lead_of(report, claim)
        if claim.kind != "percent" or not MEAN.search(lead):
            continue
        here = [q for q in report.within(claim, 0) if q.index < claim.index and q.kind not in RELATIVE]
        years = sorted({d.on.year for d in report.days if d.sentence == claim.sentence and d.at < claim.at})
        told = [(a, b) for a, b in pairwise(here) if alike(a, b) and _comparable(a, b)]
        if len(years) != 2 or len(told) != 1:
            continue
        span, pair = years[1] - years[0], told[0]
        now, then = sorted(pair, key=lambda q: q.given.value, reverse=not words().says("fall", lead))
        ratio = now.given / then.given
        ends = [end ** (1 / span) - 1 for end in (ratio.low, ratio.value, ratio.high)]
        low, value, high = ends if ends[1] > 0 else [-end for end in reversed(ends)]
        formula = f"（{now.text} ÷ {then.text}）的{span}次方根的变动"
        yield from settle(claim, "growth", [Candidate(Interval(low, value, high), formula, pair)], sure=True)


def _amount(of: Quantity, price: Quantity, *, months: bool) -> Candidate:
    value, formula = as_charged(price) * of.given, f"{of.text} × {price.text}"
    return (
        Candidate(value * MONTHS, f"{formula} × 12月", (of, price))
        if months
        else Candidate(value, formula, (of, price))
    )
