"""Identities of sums: parts and whole, what is left, what is saved, price less cost."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, combinations, pairwise
from math import comb

from panhuo.core.figures import last_place
from panhuo.measure.audit.check import Candidate, Check, fits_as_written, settle
from panhuo.measure.audit.labels import bigrams, lead_of
from panhuo.measure.audit.quantities import Quantity, Report
from panhuo.measure.audit.words import words

RATIOS = {"percent", "times"}
ASIDE = re.compile("^[较比]|[^例重占]比")
"""比评估价1.05亿元低10%: a figure held beside another is no whole."""
EACH_PERIOD = re.compile("每[年月季]|[年月]均")
"""每年付息960万元 is no part of a sum."""
MOVED = re.compile("^.*[由从]|[增减升降][加少至到]*[到至]$")
"""Of 由1158万元增加到1389.6万元 neither is a whole and neither a part."""
OTHERS = re.compile("其余|(?:^|、)其他")
REST_LEAD = re.compile(r"^(?!.*(?:[一每\d][年月]|[年月]均|率))")
"""欠缴一年约489万元 is not what is left, nor is 空置率超过30%的57栋."""
LIST_GAP = 22
"""Most characters between two members of one list."""
NEXT_PART = re.compile(r"^\n?(?:另外|另|其余|剩余|其他|其中)")
SUM_SPAN = 0.35
"""A total and its parts that differ by more than this are taken not to belong together."""
EXACT = 1e-6
CHANCE = 0.15
"""A sum is taken for true when fewer than this many would fit to the last digit by chance."""
STEPS = 20_000
LONGEST_LIST = 12


def total(parts: Sequence[Quantity]) -> Candidate:
    """The sum of parts."""
    value = parts[0].given
    for part in parts[1:]:
        value = value + part.given
    return Candidate(value, " + ".join(p.text for p in parts), tuple(parts))


def difference(a: Quantity, b: Quantity) -> Candidate:
    """a − b."""
    return Candidate(a.given + -b.given, f"{a.text} － {b.text}", (a, b))


def rest(whole: Quantity, found: Candidate, last: Quantity) -> Candidate:
    """What a whole leaves for the last of the parts of a sum."""
    others = [q for q in found.inputs if q != last]
    left = whole.given + -total(others).value
    return Candidate(left, " － ".join(q.text for q in (whole, *others)), (whole, *others))


def alike(a: Quantity, b: Quantity) -> bool:
    """Whether two quantities can be parts of one sum: same dimension, and counts with counts."""
    return a.kind == b.kind and dict(a.unit.dimension) == dict(b.unit.dimension)


def run_after(report: Report, whole: Quantity) -> list[Quantity]:
    """Like quantities after `whole` in its sentence, and in the next if that goes on with 另外."""
    run: list[Quantity] = []
    for q in report.quantities[whole.index + 1 :]:
        if q.section != whole.section or q.sentence > whole.sentence + 1:
            break
        further = q.sentence > whole.sentence
        if further and not _goes_on(report, whole, q):
            break
        if alike(q, whole) and not (further and q.unit.dimension and q.unit.name != whole.unit.name):
            run.append(q)
    return run


def _goes_on(report: Report, whole: Quantity, q: Quantity) -> bool:
    text = report.plain.text
    start = max(text.rfind(stop, whole.to, q.at) for stop in "。；！？\n") + 1
    return NEXT_PART.match(text[start : q.at]) is not None


def parts_of_whole(report: Report) -> Iterator[Check]:
    """237处：34处、26处…; parts that follow their whole. A list after a colon must be complete."""
    for whole in report.quantities:
        if whole.kind in {"percent", "times", "number", "months"}:
            continue
        run = run_after(report, whole)
        link = report.between(whole, run[0]) if run else ""
        if not ("：" in link or words().says("among", link)):
            continue
        sums = [total(run[:size]) for size in range(len(run), 1, -1)]
        fitting = [c for c in sums if fits_as_written(whole, c)]
        listed = _list(report, run)
        certain = fitting[:1] or ([total(listed)] if _complete(report, whole, listed) else [])
        lists = [parts for parts in (listed, _further(report, whole)) if len(parts) > 1]
        yield from settle(whole, "parts", certain, likely=[total(parts) for parts in lists])


def _further(report: Report, whole: Quantity) -> list[Quantity]:
    """A list that goes on over semicolons, as far as the full stop: 其中市级4984万元，占40%；县级7476万元。"""
    text = report.plain.text
    stop = min(at for at in (text.find("。", whole.to), text.find("\n", whole.to), len(text)) if at >= 0)
    told = [q for q in report.section(whole) if whole.to < q.at < stop and alike(q, whole)]
    return [q for q in told if not words().per_member.search(lead_of(report, q))]


def _list(report: Report, run: Sequence[Quantity]) -> list[Quantity]:
    """The members of `run` that follow each other closely in one sentence."""
    listed = [run[0]]
    for q in run[1:]:
        apart = q.sentence != listed[-1].sentence or len(report.between(listed[-1], q)) > LIST_GAP
        if apart or re.search("[合共总]计$", q.before):
            break
        listed.append(q)
    return listed


def _complete(report: Report, whole: Quantity, listed: Sequence[Quantity]) -> bool:
    """Whether a list claims to be all of `whole`: after a colon, in brackets, or above the whole."""
    if len(listed) < 2:
        return False
    link = report.between(whole, listed[0])
    found = total(listed).value.value
    near = abs(found - whole.given.value) <= SUM_SPAN * abs(whole.given.value)
    bracketed = re.search(r"[（(]其中", link) and report.plain.text[listed[-1].to :][:8].find("）") >= 0
    return near and ("：" in link or bool(bracketed) or (found > whole.given.high and "其中" in link))


def whole_after_parts(report: Report) -> Iterator[Check]:
    """34处、26处，合计60处: a whole that follows its parts in the same sentence."""
    for whole in report.quantities:
        if not words().says("total", whole.before[-6:]) or whole.kind in {"percent", "times", "months"}:
            continue
        run = [q for q in report.within(whole, 0) if q.index < whole.index and alike(q, whole)]
        run = [q for q in run if q.given.value != whole.given.value and not EACH_PERIOD.search(q.before)]
        sums = [total(run[-size:]) for size in range(2, len(run) + 1)]
        if fitting := [c for c in sums if fits_as_written(whole, c)]:
            yield from settle(whole, "parts", fitting)
        elif len(last := _list(report, [whole, *reversed(run)])[1:]) > 1 and _sums_up(whole, last):
            yield from settle(whole, "parts", [total(last[::-1])])


def _sums_up(whole: Quantity, parts: Sequence[Quantity]) -> bool:
    """Whether `whole` is called the sum of `parts`: 合计, or 总投资 after investments, and of their size."""
    found = total(parts).value.value
    called = re.search("[合共总累]计$|^共$", whole.before) or (
        re.search("总[^，]{0,4}$", whole.before) and all(q.noun == whole.noun for q in parts)
    )
    size = whole.given.value
    return bool(called) and max(q.given.value for q in parts) < size and abs(found - size) <= SUM_SPAN * size


def phases(report: Report) -> Iterator[Check]:
    """一期用地75亩，二期用地60亩，两期合计135亩."""
    for whole in report.quantities:
        if not words().says("phases", lead_of(report, whole)) or not whole.unit.dimension:
            continue
        parts = [_phase(report, whole, name) for name in ("一期", "二期", "三期")]
        found = [q for q in parts if q is not None]
        if len(found) > 1:
            yield from settle(whole, "parts", [total(found)])


def _phase(report: Report, whole: Quantity, name: str) -> Quantity | None:
    """The one figure of a phase that is called as the whole is."""
    named = [
        q
        for q in report.section(whole)
        if q.index < whole.index
        and alike(q, whole)
        and re.findall("[一二三]期", report.context(q))[-1:] == [name]
        and q.before[-2:] == whole.before[-2:]
    ]
    return named[0] if len({q.given.value for q in named}) == 1 else None


def sums_in_section(report: Report) -> Iterator[Check]:
    """A sum anywhere in the section that fits to the last digit and is about the same thing; only clears.

    Any two or three figures are tried while few enough for a fit to be no accident; else only those listed.
    """
    for whole in report.quantities:
        if whole.kind in {"percent", "times", "months", "number"} or whole.bound:
            continue
        others = [q for q in report.section(whole) if alike(q, whole) and _related(q, whole)]
        smaller = {q.claim.value: q for q in reversed(others) if 0 < q.claim.value < whole.claim.value}
        steps = float(whole.value) / float(last_place(whole.value))
        tried: list[Sequence[Quantity]] = [
            parts
            for size in (2, 3)
            if comb(len(smaller), size) < CHANCE * min(steps, STEPS)
            for parts in combinations(smaller.values(), size)
        ]
        for parts in chain(_lists(report, others), tried):
            if abs(sum(p.claim.value for p in parts) - whole.claim.value) <= EXACT * whole.claim.value:
                yield from settle(whole, "parts", [total(parts)])
                break


def _lists(report: Report, quantities: Sequence[Quantity]) -> Iterator[Sequence[Quantity]]:
    """Every stretch of two or more figures that stand side by side in one sentence."""
    for first in range(len(quantities)):
        for last in range(first + 2, min(first + LONGEST_LIST, len(quantities)) + 1):
            stretch = quantities[first:last]
            if not _listed(report, stretch):
                break
            yield stretch


def _listed(report: Report, parts: Sequence[Quantity]) -> bool:
    """Whether parts stand side by side in one sentence with nothing alike between."""
    ordered = sorted(parts, key=lambda q: q.index)
    return all(
        a.sentence == b.sentence and len(report.between(a, b)) <= LIST_GAP for a, b in pairwise(ordered)
    )


def _related(a: Quantity, b: Quantity) -> bool:
    if a.noun and b.noun:
        return a.noun == b.noun
    return bool(bigrams(a.before + a.after) & bigrams(b.before + b.after)) or a.kind == "area"


def what_is_left(report: Report) -> Iterator[Check]:
    """228亩，开发28亩，剩余200亩: the whole less a part."""
    for claim in report.quantities:
        lead = lead_of(report, claim)
        if claim.kind in RATIOS or not REST_LEAD.search(lead) or words().per_member.search(lead):
            continue
        if not (words().says("rest", lead[-12:]) or OTHERS.search(lead)):
            continue
        before = [q for q in report.within(claim, 1) if q.index < claim.index and alike(q, claim)]
        before = [q for q in before if q.unit.dimension or q.unit.name == claim.unit.name]
        before = [
            q for q in before if not (ASIDE.search(lead_of(report, q)) or MOVED.search(lead_of(report, q)))
        ]
        before = [q for q in before if not words().per_member.search(lead_of(report, q))]
        pairs = [(a, b) for a in before for b in before if a.given.value > b.given.value]
        others = [c for c in [_all_but_named(report, claim)] if c] if OTHERS.search(lead) else []
        if others or not words().says("rest", lead[-12:]):
            yield from settle(claim, "remainder", others)
            continue
        named = _due_and_done(before) or _all_and_done(report, claim, before)
        named = named or _last_whole(report, claim) or _in_and_out(report, claim)
        far = bool(claim.unit.dimension)
        wide = [
            q for q in report.section(claim) if alike(q, claim) and (far or report.one_paragraph(q, claim))
        ]
        left = [difference(a, b) for a, b in named or (pairs if len(pairs) == 1 else [])]
        siblings = "其余" in lead and not named
        yield from settle(
            claim,
            "remainder",
            [] if siblings else left,
            (difference(a, b) for a in wide for b in wide if a.given.value > b.given.value),
            likely=left if siblings else [],
        )


def _all_but_named(report: Report, claim: Quantity) -> Candidate | None:
    """全省A，其中甲B、乙C，其余: the whole told before 其中 less what is named after it."""
    near = [q for q in report.within(claim, 4) if q.index < claim.index and alike(q, claim)]
    among = report.plain.text.rfind("其中", 0, claim.at)
    named = [q for q in near if q.at > among]
    wholes = [q for q in near if q.at < among and not words().says("whole", q.before + q.after)]
    if not named or not wholes or wholes[-1].given.value <= total(named).value.value:
        return None
    rest = wholes[-1].given + -total(named).value
    words_told = f"{wholes[-1].text} － （{total(named).formula}）"
    return Candidate(rest, words_told, (wholes[-1], *named))


def _due_and_done(before: Sequence[Quantity]) -> list[tuple[Quantity, Quantity]]:
    """应收, 实收: what was due and what came, told next to each other."""
    return [
        (a, b)
        for a, b in pairwise(before)
        if "应" in a.before and re.search("[实已]", b.before) and a.given.value > b.given.value
    ][-1:]


def _in_and_out(report: Report, claim: Quantity) -> list[tuple[Quantity, Quantity]]:
    """收入总计11.08亿元；支出总计10.71亿元；收支相抵，结余: the totals of what came in and what went out."""
    text = report.plain.text
    if "收支" not in text[max(text.rfind(stop, 0, claim.at) for stop in "。；\n") + 1 : claim.at]:
        return []
    told = [q for q in report.within(claim, 4) if q.index < claim.index and alike(q, claim)]
    came, went = (
        [q for q in told if re.search(name, lead_of(report, q))] for name in ("收入总计", "支出总计")
    )
    return [(came[-1], went[-1])] if came and went else []


def _last_whole(report: Report, claim: Quantity) -> list[tuple[Quantity, Quantity]]:
    """86个4380亩。已修复61个3066亩；剩余: what is done in the sentence before, of the one whole told before it."""
    told = [q for q in report.within(claim, 2) if q.index < claim.index and _adds(report, q, claim)]
    done = [q for q in told if q.sentence == claim.sentence - 1]
    wholes = [q for q in told if q.sentence == claim.sentence - 2]
    if len(done) != 1 or len(wholes) != 1 or "已" not in report.context(done[0]):
        return []
    return [(wholes[0], done[0])] if wholes[0].given.value > done[0].given.value else []


def _adds(report: Report, q: Quantity, claim: Quantity) -> bool:
    """Whether a figure can be part of a sum with the claim: alike, in like units, and no average."""
    same = bool(q.unit.dimension) or q.unit.name == claim.unit.name
    return alike(q, claim) and same and not words().per_member.search(lead_of(report, q))


def _all_and_done(
    report: Report, claim: Quantity, before: Sequence[Quantity]
) -> list[tuple[Quantity, Quantity]]:
    """已出让172.1亩；未出让: the whole, where only one figure of the section is called so."""
    done = [q for q in before if "已" in report.context(q)]
    if "未" not in lead_of(report, claim) or len(done) != 1:
        return []
    wholes = {
        q.given.value: q
        for q in report.section(claim)
        if alike(q, claim) and q.index < done[0].index and words().says("total", q.before[-6:])
    }
    return [(whole, done[0]) for whole in wholes.values()] if len(wholes) == 1 else []


def what_is_saved(report: Report) -> Iterator[Check]:
    """传统需200亩，仅需30亩，节省170亩: the old way less the new."""
    for claim in report.quantities:
        if claim.kind not in {"area", "money", "count"} or not words().says("spare", claim.before[-4:]):
            continue
        before = [q for q in report.within(claim, 1) if q.index < claim.index and alike(q, claim)]
        pairs = [(a, b) for a, b in pairwise(before) if a.given.value > b.given.value]
        contrasted = [(a, b) for a, b in pairs if words().contrast.search(a.before)]
        yield from settle(claim, "saving", [difference(a, b) for a, b in contrasted][:1])


def gain(report: Report) -> Iterator[Check]:
    """成交价 － 出让金 = 增值: what was paid, then what it sold for, then the gain."""
    for claim in report.quantities:
        if claim.kind != "money" or claim.noun != "gain":
            continue
        before = [q for q in report.within(claim, 3) if q.index < claim.index and q.kind == "money"]
        costs = [q for q in before if q.noun == "cost"]
        prices = [
            q
            for q in before
            if q.noun == "price" and costs and (q.index > costs[-1].index or claim.sentence - q.sentence <= 1)
        ]
        if costs and prices:
            yield from settle(claim, "gain", [difference(prices[-1], costs[-1])])


def price_is_cost_and_gain(report: Report) -> Iterator[Check]:
    """总价款 = 原价之和 + 增值, where price and gain stand in one sentence."""
    for claim in report.quantities:
        if claim.kind != "money" or claim.noun != "price" or "总" not in claim.before:
            continue
        gains = [q for q in report.within(claim, 0) if q.kind == "money" and q.noun == "gain"]
        costs = {q.claim.value: q for q in report.section(claim) if q.kind == "money" and q.noun == "cost"}
        if len(gains) == 1 and costs:
            yield from settle(claim, "price", [total([*costs.values(), gains[0]])])
