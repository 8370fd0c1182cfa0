"""Identities of shares: what part of a whole a figure is, and amounts levied as a share."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from panhuo.core.figures import Interval
from panhuo.measure.audit.check import Candidate, Check, settle
from panhuo.measure.audit.labels import bigrams, called, is_base, lead_of, name_of, shared
from panhuo.measure.audit.parts_identities import alike
from panhuo.measure.audit.quantities import Quantity, Report
from panhuo.measure.audit.units_identities import as_charged, quotient
from panhuo.measure.audit.words import words

RELATIVE = {"percent", "times", "months", "working_time"}
SAME_WORDS = 4
"""Characters in a row that two labels share when they speak of one thing."""
RATE = re.compile(
    r"(?:(?<!效)率|比例|占比|比重)(?:达到?|为|约|是|近|超过?)*$|占[^，。；]{0,14}$|完成[^，。；]{0,10}的$"
    r"|(?:为|是|达到?)[^，。；\d]{2,12}的$"
)
BASE = re.compile(r"占|(?:为|是|达到?|完成)(?=[^，。；\d]{2,12}的$)")
"""What stands before the whole a share is of: 占营业收入的3%, 为预算的85%."""
BARE = re.compile(r"^[^，。；\d]{0,4}占(?:比|比重|总数)?(?:达到?|为|约|近|超过?)*$")
WHOLE_NAME = re.compile(r"(?:总[额数量]|总?面积|总投资)?的?(?:达到?|为|约|近|超过?)*$")
LEVIED = re.compile(r"按照?(?P<base>[^，。；\d]{0,12})$|[利税费]率(?:为|约)?$")
PRINCIPAL = re.compile("余额|本金|债券|贷款|借款")
LEVY = re.compile(r"^的?(?:计|征|提|收|缴|比例|标准)?[^。；]{0,12}$")
PLAN = re.compile("^(?:年度|全年|年初|本年|当年|总|下达|既定)?(计划|任务|目标|预算)$")
"""A whole named by no more than what it is for: 占年度计划的55%, after 今年计划盘活52万亩."""
DONE, OPEN = re.compile("[已实]"), re.compile("[未尚待剩]")
PLAIN_AREA = re.compile("[^总]面积的$")
"""占收储面积的 is a share of what 收储土地12420亩 tells."""
OF_AREA = re.compile("按?面积|[^占]{2,6}面积占")
COUNTED = re.compile("^按?(?:[宗户栋家个台]数|数量)")
REACH = 3
"""Sentences back, within a paragraph, in which the whole of a share may stand."""
NO_PART = re.compile("合计|共计|其余|剩余")
NAME = 8
"""Characters before a figure that say what it is."""
RATE_NAME = re.compile("(..)率(?:达到?|为|约|仅)*$")
START = re.compile("起始价|起拍价|挂牌价|底价|账面|收购价|原价")
TOGETHER = 4
"""Figures between a price, what it is held against and the rate by which it is more."""
GAIN_RATE = re.compile(r"(?:增值|增长|升值|溢价)率")


def rate(report: Report) -> Iterator[Check]:
    """处置面积 ÷ 任务基数 = 处置率, 占某面积的 p%. A net rate cannot be had from done and base alone."""
    for claim in report.quantities:
        lead = lead_of(report, claim)
        is_rate = RATE.search(lead) and not GAIN_RATE.search(lead)
        if claim.kind != "percent" or not is_rate or words().says("net", claim.before):
            continue
        subject, base = [*BASE.split(lead, maxsplit=1), ""][:2]
        earlier = [q for q in report.within(claim, 0) if q.index < claim.index and q.kind not in RELATIVE]
        parts = [q for q in earlier if not (_moved(report, q) or is_base(report, q))]
        done = _of_kind(parts or earlier, lead)[-1:]
        told = [q for q in report.section(claim) if shared(lead_of(report, q), subject) >= SAME_WORDS]
        sure = _surest(report, _wholes(report, claim, done), base) or _stepwise(claim, done, report)
        if "分别" in lead:
            done, sure = _respective(report, claim, earlier)
        elif not sure and BARE.search(lead) and not _of_another(subject, done):
            sure = _only_whole(earlier, done) or _common_whole(report, claim, done)
            sure = sure or _paragraph_whole(report, claim, done)
        elif not sure and not base and _done_of(report, lead, done):
            sure = _only_whole(earlier, done) or _whole_of_that_name(report, done)
            sure = sure or _paragraph_whole(report, claim, done)
        wide = [] if sure else _wholes(report, claim, [*done, *told])
        if done and words().says("whole", done[0].before + done[0].after):
            wide += [(q, done[0]) for q in report.section(claim) if alike(q, done[0])]
        yield from settle(
            claim,
            "rate",
            [quotient(a, b) for a, b in sure],
            (quotient(a, b) for a, b in wide if a.unit.name == b.unit.name),
        )


def _of_another(subject: str, done: Sequence[Quantity]) -> bool:
    """Whether a share says whose it is, and not the figure's before it: 银行贷款2.304亿元，自筹占40%."""
    named = len(subject) > 1 and not (OF_AREA.match(subject) or COUNTED.match(subject))
    return named and not any(subject in q.before + q.after for q in done)


def gain_rate(report: Report) -> Iterator[Check]:
    """增值0.71亿元，增值率25%; 溢价率14.75%: a gain, or a price less what it is held against, over that."""
    for claim in report.quantities:
        if claim.kind != "percent" or not GAIN_RATE.search(lead_of(report, claim)):
            continue
        earlier = [q for q in report.within(claim, 0) if q.index < claim.index and q.kind not in RELATIVE]
        wide = (quotient(a, b) for a in earlier[-1:] for b in report.section(claim))
        yield from settle(claim, "rate", _gained(report, claim), wide)


def _gained(report: Report, claim: Quantity) -> list[Candidate]:
    """起始价28182万元，以32340万元成交，溢价率: the last price told over the last figure it is held against."""
    near = [q for q in report.within(claim, 1) if q.index < claim.index and report.one_paragraph(q, claim)]
    near = [q for q in near if q.kind == "money"]
    bases = [q for q in near if START.search(q.before)]
    prices = [q for q in near if q.noun == "price" and q not in bases][-1:]
    if len(bases) != 1 or not prices or claim.index - min(bases[0].index, prices[0].index) > TOGETHER:
        return []
    over = quotient(prices[0], bases[0])
    return [Candidate(over.value + Interval(-1.0, -1.0, -1.0), f"{over.formula} － 1", over.inputs)]


def _of_kind(told: Sequence[Quantity], lead: str) -> list[Quantity]:
    """Figures a rate may be of: counts for 宗数处置率, areas for 面积占."""
    if COUNTED.search(lead):
        return [q for q in told if q.kind == "count"]
    return [q for q in told if q.kind == "area"] if OF_AREA.match(lead) else list(told)


def _only_whole(earlier: Sequence[Quantity], done: Sequence[Quantity]) -> list[tuple[Quantity, Quantity]]:
    """The one larger figure before a part in its sentence, which a bare 占 then speaks of."""
    larger = _larger(earlier, done)
    return larger if len({b.given.value for _, b in larger}) == 1 else []


def _larger(earlier: Sequence[Quantity], done: Sequence[Quantity]) -> list[tuple[Quantity, Quantity]]:
    """A part and each larger figure alike before it."""
    return [
        (a, b)
        for a in done
        for b in earlier
        if b.index < a.index and alike(a, b) and _same_unit(a, b) and b.given.value > a.given.value
    ]


def _paragraph_whole(
    report: Report, claim: Quantity, done: Sequence[Quantity]
) -> list[tuple[Quantity, Quantity]]:
    """The one larger figure before a part in its paragraph, itself no part; sums and rests have wholes of their own."""
    told = [q for q in report.within(claim, REACH) if report.one_paragraph(q, claim)]
    parts = [part for q in told if "占" in lead_of(report, q) for part in _part_of(told, q)]
    wholes = [q for q in told if not (q in parts or _each(report, q) or _done(report, q))]
    wholes = [q for q in wholes if all(_one_measure(q, part) for part in done)]
    summed = any(NO_PART.search(report.context(q)) for q in done)
    return [] if summed else _only_whole(wholes, done)


def _done(report: Report, q: Quantity) -> bool:
    """Whether a figure tells what was done, not of how much."""
    return DONE.search(name_of(report, q)[-NAME:]) is not None


def _one_measure(a: Quantity, b: Quantity) -> bool:
    """Whether two areas are both of land or both in the measure of floors."""
    land = words().land_units
    return a.kind != "area" or (a.unit.name in land) == (b.unit.name in land)


def _whole_of_that_name(report: Report, done: Sequence[Quantity]) -> list[tuple[Quantity, Quantity]]:
    """批而未供2684亩。……批而未供已消化2147.2亩，消化率: the one larger figure before that is called as the part is."""
    told = [
        q
        for q in report.section(done[0])
        if shared(name_of(report, q), name_of(report, done[0])) >= SAME_WORDS and not _done(report, q)
    ]
    return _only_whole(told, done)


def _done_of(report: Report, lead: str, done: Sequence[Quantity]) -> bool:
    """Whether a rate says how much was done (完成率, 到位率), and the figure before it is what was."""
    found = RATE_NAME.search(lead)
    if not found or not done or not words().says("done", found[1]):
        return False
    context = report.context(done[0])
    return DONE.search(context) is not None or set(found[1]) <= set(context)


def _common_whole(
    report: Report, claim: Quantity, done: Sequence[Quantity]
) -> list[tuple[Quantity, Quantity]]:
    """11.55亿元，占50%；6.93亿元，占30%: the one whole that the other shares of the paragraph are of."""
    near = [q for q in report.within(claim, 3) if report.one_paragraph(q, claim)]
    shares = [
        (q, part)
        for q in near
        if q.kind == "percent" and BARE.search(lead_of(report, q))
        for part in _part_of(near, q)
    ]
    fitting = {
        b.given.value: (a, b)
        for a in done
        for b in near
        for share, part in shares
        if b.index < min(a.index, part.index)
        and alike(a, b)
        and alike(part, b)
        and _same_unit(a, b)
        and b.given.value > max(a.given.value, part.given.value)
        and quotient(part, b).value.overlaps(share.claim)
    }
    return list(fitting.values()) if len(fitting) == 1 else []


def _part_of(near: Sequence[Quantity], share: Quantity) -> list[Quantity]:
    """The figure a bare share is told right after."""
    return [q for q in near if q.index == share.index - 1 and q.kind not in RELATIVE]


def _moved(report: Report, q: Quantity) -> bool:
    """Whether a figure is by how much something moved (净增651亩), not how much there is of it."""
    lead = lead_of(report, q)[-4:]
    return words().says("rise", lead) or words().says("fall", lead)


def _same_unit(a: Quantity, b: Quantity) -> bool:
    return bool(a.unit.dimension) or a.unit.name == b.unit.name


def _respective(
    report: Report, claim: Quantity, earlier: Sequence[Quantity]
) -> tuple[list[Quantity], list[tuple[Quantity, Quantity]]]:
    """61个3066亩，分别占70.9%和70%: each share is of the part in the same place of the list before it."""
    at = report.plain.text.rfind("分别", 0, claim.at)
    shares = [q for q in report.within(claim, 0) if q.kind == "percent" and at < q.at] + [claim]
    shares.sort(key=lambda q: q.index)
    parts = [q for q in earlier if q.at < at][-len(shares) :]
    if len(parts) < len(shares):
        return [], []
    part = parts[shares.index(claim)]
    told = [q for q in report.within(claim, 1) if q.index < parts[0].index and not _each(report, q)]
    summed = sum(p.given.value for p in parts if alike(p, part) and _same_unit(p, part))
    told = [q for q in told if q.given.high >= summed]
    return [part], _only_whole([*told, part], [part])


def _each(report: Report, q: Quantity) -> bool:
    return words().per_member.search(lead_of(report, q)) is not None


def _stepwise(claim: Quantity, done: Sequence[Quantity], report: Report) -> list[tuple[Quantity, Quantity]]:
    """厂房13.5万㎡，其中已出租9.45万㎡，出租率: a rate named by what was done with the figure before."""
    name = re.search(r"([^，。；的]{2})率[^率]*$", claim.before)
    if not done or name is None or name[1] not in done[0].before or re.search("[减降增损]", name[1]):
        return []
    earlier = [q for q in report.within(claim, 0) if q.index < done[0].index]
    return _only_whole(earlier, done)


def _wholes(report: Report, claim: Quantity, done: Sequence[Quantity]) -> list[tuple[Quantity, Quantity]]:
    """What a part may be a share of: larger quantities alike in the section."""
    section = report.section(claim)
    return [(a, b) for a in done for b in section if alike(a, b) and b.given.value > a.given.value]


def _surest(
    report: Report, pairs: Sequence[tuple[Quantity, Quantity]], base: str
) -> list[tuple[Quantity, Quantity]]:
    """The pairs whose whole is best named a base of the part; none where two wholes are named alike."""
    named = [(_named(report, *pair, base), pair) for pair in pairs]
    best = max((score for score, _ in named), default=0)
    found = [pair for score, pair in named if score == best > 0]
    if base and len({whole.given.value for _, whole in found}) > 1:
        found = [(part, whole) for part, whole in found if whole.sentence == part.sentence]
    return found if len({whole.given.value for _, whole in found}) == 1 else []


def _named(report: Report, part: Quantity, whole: Quantity, base: str) -> int:
    """How well `whole` is named: by the words between 占 and 的, or as a 基数 of what the part is."""
    if base:
        if bool(DONE.search(base)) != bool(DONE.search(lead_of(report, whole))) and OPEN.search(
            base + lead_of(report, whole)
        ):
            return 0
        words_shared = shared(lead_of(report, whole), base)
        core = WHOLE_NAME.sub("", base).removeprefix("全部") or base.rstrip("的")
        name = name_of(report, whole)
        by_verb = PLAIN_AREA.search(base) is not None and core in name
        named = len(core) > 1 and (name.endswith(core) or by_verb)
        planned = PLAN.search(core)
        named = named or (planned is not None and planned[1] in whole.before and whole.index < part.index)
        return words_shared if words_shared >= SAME_WORDS or named else 0
    if not words().says("whole", whole.before + whole.after):
        return 0
    pairs_shared = len(bigrams(part.before) & bigrams(whole.before))
    return pairs_shared if pairs_shared > 1 else 0


def share_of_told_base(report: Report) -> Iterator[Check]:
    """占闲置土地1020亩的70%, 完成任务18万亩的65%: the base stands between 占 and 的."""
    for claim in report.quantities:
        lead = lead_of(report, claim)
        found = re.search(
            r"(?:占|完成|相当于|只有|仅为|为|是|超过)[^，。；]*\d[^，。；]*的(?:约|近|超过?)?$", lead
        )
        if claim.kind != "percent" or found is None:
            continue
        start = claim.at - len(lead) + found.start()
        here = [q for q in report.within(claim, 0) if q.index < claim.index and q.kind not in RELATIVE]
        bases = [q for q in here if q.at >= start]
        parts = [q for q in here if q not in bases and bases and alike(q, bases[-1])]
        parts = [q for q in parts if not _moved(report, q)]
        if not found[0].startswith(("占", "完成")):
            parts = [q for q in parts if q.index == bases[-1].index - 1]
        yield from settle(claim, "rate", [quotient(parts[-1], bases[-1])] if parts else [])


def levied(report: Report) -> Iterator[Check]:
    """按4%计683.2万元: a share of a sum told before."""
    for share, claim in pairwise(report.quantities):
        by = LEVIED.search(lead_of(report, share))
        if by is None or (share.kind, claim.kind) != ("percent", "money"):
            continue
        if not LEVY.search(report.between(share, claim)):
            continue
        sums = [q for q in report.section(claim) if q.kind == "money" and q.index < share.index]
        name = (by["base"] or "").rstrip("的")
        named = [q for q in called(report, share, name) if q.kind == "money"] if len(name) > 1 else []
        here = named or _principal(sums, share) or [q for q in sums if q.sentence == claim.sentence]
        yield from settle(
            claim,
            "levied",
            [_share(here[0], share)] if len(here) == 1 else [],
            (_share(q, share) for q in sums),
        )


def reckoned(report: Report) -> Iterator[Check]:
    """财务费用2100万元，按占用资金5.25亿元、年利率4%测算: a share of a sum, told before both."""
    for claim, base, share in zip(
        report.quantities, report.quantities[1:], report.quantities[2:], strict=False
    ):
        kinds = (claim.kind, base.kind, share.kind) == ("money", "money", "percent")
        together = claim.sentence == share.sentence and report.between(claim, base).startswith("，按")
        if kinds and together and re.search("[利税费]率|比例", report.between(base, share)):
            yield from settle(claim, "levied", [_share(base, share)])


def _principal(sums: Sequence[Quantity], share: Quantity) -> list[Quantity]:
    """贷款余额5.1亿元，年利率3.9%: the sum told right before a rate of interest."""
    return [q for q in sums if q.index == share.index - 1 and PRINCIPAL.search(q.before)]


def _share(whole: Quantity, share: Quantity) -> Candidate:
    return Candidate(whole.given * as_charged(share), f"{whole.text} × {share.text}", (whole, share))
