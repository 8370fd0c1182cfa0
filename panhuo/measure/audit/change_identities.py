"""Identities of change: growth over a base, from–to and times, points, durations between dates."""

import itertools
import re
from collections.abc import Iterator, Sequence

from panhuo.core.figures import Interval
from panhuo.measure.audit.check import Candidate, Check, settle
from panhuo.measure.audit.labels import lead_of
from panhuo.measure.audit.parts_identities import alike, difference, total
from panhuo.measure.audit.quantities import Day, Quantity, Report
from panhuo.measure.audit.share_identities import RELATIVE
from panhuo.measure.audit.units_identities import quotient
from panhuo.measure.audit.words import words

ONE = Interval(1.0, 1.0, 1.0)
ASIDE = 24
"""A growth told within so many characters after from–to is that of the pair."""
TARGET = re.compile("^(?:以上|左右|以内)?的?(?:目标|任务|要求|指标|水平)")
"""下降16%的目标 is what was to be, not what came."""
LEVEL = re.compile(r"[到至为]$")
"""下降到20% tells where it came to, not by how much."""
TIMES_OF = re.compile(r"(?:是|为|相当于)[^。；]*的$")
MONTH_DAYS = 365.2425 / 12


def less_one(c: Candidate) -> Candidate:
    """x − 1."""
    return Candidate(c.value + -ONE, f"{c.formula} － 1", c.inputs)


def one_less(c: Candidate) -> Candidate:
    """1 − x."""
    return Candidate(ONE + -c.value, f"1 － {c.formula}", c.inputs)


def growth_over_base(report: Report) -> Iterator[Check]:
    """较原出让价款增长 p%: a gain over its base, or what is over what was."""
    for claim in report.quantities:
        lead = lead_of(report, claim)
        found = re.search(
            r"(?:较|比|相较)([^，。；]{2,16}?)(?:增长|增加|提高|提升|增值|上升|上涨)(?:了|约|近|超)?$", lead
        )
        if claim.kind != "percent" or found is None or words().says("yearly", found[0]):
            continue
        group = words().last_noun(found[1])
        now = [q for q in report.within(claim, 0) if q.index < claim.index and q.kind not in RELATIVE][-1:]
        if group is None or not now:
            continue
        named = [q for q in report.section(claim) if q.noun == group and alike(q, now[0]) and q != now[0]]
        local = [q for q in named if q.sentence == claim.sentence]
        bases = {q.claim.value: q for q in local or named}
        near = [_growth(now[0], base) for base in _bases(list(bases.values()))]
        yield from settle(claim, "growth", near)


def _bases(bases: Sequence[Quantity]) -> list[Candidate]:
    """All bases together first, then each."""
    each = [Candidate(q.given, q.text, (q,)) for q in bases]
    if len(bases) < 2:
        return each
    whole = total(bases)
    return [Candidate(whole.value, f"（{whole.formula}）", whole.inputs), *each]


def _growth(now: Quantity, base: Candidate) -> Candidate:
    ratio = Candidate(now.given / base.value, f"{now.text} ÷ {base.formula}", (now, *base.inputs))
    return ratio if now.noun == "gain" else less_one(ratio)


def yearly_growth(report: Report) -> Iterator[Check]:
    """同比增长 p%, where the figure of the year before is told as well."""
    for claim in report.quantities:
        lead = lead_of(report, claim)
        moves = words().says("rise", lead) or words().says("fall", lead)
        if claim.kind != "percent" or not moves or not words().says("yearly", lead):
            continue
        told = [q for q in report.within(claim, 2) if q.kind not in RELATIVE]
        pairs = [(now, q) for q in told if _last_year(report, q) and (now := _this_year(report, claim, q))]
        pairs += [(b, a) for a in told for b in told if alike(a, b) and _follows(report, a, b, claim)]
        ratios = [
            quotient(now, q)
            for now, q in reversed(pairs)
            if q.noun == now.noun or _same_clause_row(q, now, claim) or _listed_years(report, now)
        ]
        falling = words().says("fall", claim.before)
        yield from settle(claim, "growth", [one_less(r) if falling else less_one(r) for r in ratios])


def _same_clause_row(last: Quantity, now: Quantity, claim: Quantity) -> bool:
    """利润2.21亿元，同比增长30%，上年为1.7亿元: a figure of last year without a name is that of the growth."""
    return last.noun is None and now.index + 1 == claim.index == last.index - 1


def _follows(report: Report, a: Quantity, b: Quantity, claim: Quantity) -> bool:
    """Whether two figures of the claim's sentence are told of one year and the next."""
    years = [_year(report, q) for q in (a, b)]
    return (
        a.sentence == b.sentence == claim.sentence and None not in years and years[1] == (years[0] or 0) + 1
    )


def _year(report: Report, q: Quantity) -> int | None:
    found = re.findall(r"((?:19|20)\d\d)年", report.plain.text[max(0, q.at - 14) : q.at])
    return _respective_year(report, q) or (int(found[-1]) if found else None)


def _listed_years(report: Report, q: Quantity) -> bool:
    return _respective_year(report, q) is not None


def _respective_year(report: Report, q: Quantity) -> int | None:
    """2022年、2023年营业收入分别为1.44亿元和1.62亿元: the year in the same place of the list before 分别."""
    text = report.plain.text
    start = max(text.rfind(stop, 0, q.at) for stop in "。；\n") + 1
    at = text.rfind("分别", start, q.at)
    years = re.findall(r"((?:19|20)\d\d)年", text[start:at]) if at > 0 else []
    listed = [p for p in report.within(q, 0) if at < p.at and alike(p, q)] + [q]
    place = sorted(p.index for p in listed).index(q.index)
    return int(years[place]) if place < len(years) > 1 else None


def _this_year(report: Report, claim: Quantity, last: Quantity) -> Quantity | None:
    """What has grown since `last`: the figure before in the sentence, or the latest of the same noun."""
    earlier = [
        q
        for q in report.within(claim, 2)
        if q.index < claim.index and alike(q, last) and not (_last_year(report, q) or _planned(q))
    ]
    here = [q for q in earlier if q.sentence == claim.sentence]
    noun = words().last_noun(claim.before)
    same = [q for q in earlier if noun and q.noun == noun]
    return next(iter([*here[-1:], *same[-1:]]), None)


def _planned(q: Quantity) -> bool:
    return words().says("whole", q.before)


def _last_year(report: Report, q: Quantity) -> bool:
    text = report.plain.text[max(0, q.at - 14) : q.at]
    return re.search("上年|去年|前一年|上一年|同期", text) is not None


def from_to(report: Report) -> list[tuple[Quantity, Quantity]]:
    """Pairs told as 由 A 提升至 B."""
    pairs = []
    for a, b in zip(report.quantities, report.quantities[1:], strict=False):
        lead = report.plain.text[max(0, a.at - 14) : a.at]
        link = report.between(a, b)
        reaches = words().says("reach", link) or re.search("[至到为]$", link)
        if a.sentence == b.sentence and alike(a, b) and re.search("[由从][^，。]*$", lead) and reaches:
            pairs.append((a, b))
    return pairs


def change(report: Report) -> Iterator[Check]:
    """由 A 增至 B，增长 N 倍（p%）: growth of the same thing; 增长 N 倍 is not 是原来的 N 倍."""
    pairs = from_to(report)
    for claim in report.quantities:
        rises, falls = words().says("rise", claim.before[-8:]), words().says("fall", claim.before[-8:])
        total_of = (rises or falls) and not LEVEL.search(claim.before) and not yearly_mean(report, claim)
        if claim.kind not in {"percent", "times"} or not total_of or TARGET.match(claim.after):
            continue
        mine = [(a, b) for a, b in pairs if a.section == claim.section]
        sure = [(a, b) for a, b in mine if _about(report, claim, a, b)]
        loose = [(a, b) for a, b in mine if a.sentence == claim.sentence]
        yield from settle(
            claim,
            "change",
            [changed(a, b, falls=falls and not rises) for a, b in sure],
            (changed(a, b, falls=falls and not rises) for a, b in loose),
            sure=True,
        )


def yearly_mean(report: Report, claim: Quantity) -> bool:
    """Whether a growth is that of each year (年均增长), not of all of them."""
    return "年均" in lead_of(report, claim)


def step(report: Report) -> Iterator[Check]:
    """由 A 降至 B，减少 C: the difference; far pairs of the same thing only clear."""
    pairs = from_to(report)
    for claim in report.quantities:
        lead = claim.before[-6:]
        moves = words().says("rise", lead) or words().says("fall", lead)
        moves = moves and not yearly_mean(report, claim)
        if claim.kind in RELATIVE or not moves or re.search(r"\d|[到至为达由从]$", lead):
            continue
        near = [
            (a, b)
            for a, b in pairs
            if a.sentence == claim.sentence and alike(a, claim) and 0 < claim.at - b.to <= ASIDE
        ]
        told = [q for q in report.within(claim, 1) if alike(q, claim) and q.noun in {claim.noun, None}]
        yield from settle(
            claim,
            "step",
            [apart(a, b) for a, b in near[-1:]],
            (apart(a, b) for a in told for b in told if a.given.value < b.given.value),
        )


def apart(a: Quantity, b: Quantity) -> Candidate:
    return difference(b, a) if b.given.value > a.given.value else difference(a, b)


def stock(report: Report) -> Iterator[Check]:
    """年初1458亩，新认定387亩，处置1116亩，年末729亩: what there was, and came, less what went."""
    for claim in report.quantities:
        if claim.kind in RELATIVE or not words().says("closing", _lead_in(report, claim)):
            continue
        told = [q for q in report.within(claim, 0) if q.index < claim.index and alike(q, claim)]
        told = [q for q in told if q.unit.dimension or q.unit.name == claim.unit.name]
        first = next((q for q in told if words().says("opening", _lead_in(report, q))), None)
        flows = [q for q in told if first and q.index > first.index]
        signs = [_direction(report, q) for q in flows]
        if first is None or 0 in signs or not flows:
            continue
        value = first.given
        for q, sign in zip(flows, signs, strict=True):
            value = value + (q.given if sign > 0 else -q.given)
        moves = "".join(
            f" {'+' if sign > 0 else '－'} {q.text}" for q, sign in zip(flows, signs, strict=True)
        )
        found = Candidate(value, first.text + moves, (first, *flows))
        both = len(set(signs)) > 1
        yield from settle(claim, "stock", [found] if both else [], likely=[] if both else [found])


def _lead_in(report: Report, q: Quantity) -> str:
    """The clause of a figure, as far as it stands before it; of a figure right after another, of that one."""
    lead = lead_of(report, q)
    return lead[max(lead.rfind("、"), 0) :]


def _direction(report: Report, q: Quantity) -> int:
    """Whether a figure came (1) or went (-1); 0 when its clause does not say."""
    came, went = (words().says(verb, _lead_in(report, q)) for verb in ("came", "went"))
    return int(came) - int(went)


def points(report: Report) -> Iterator[Check]:
    """75%，较目标80%低5个百分点; 79.3%，比上年提高6.1个百分点，上年为73.2%."""
    for now, by, then in zip(report.quantities, report.quantities[1:], report.quantities[2:], strict=False):
        same = now.sentence == then.sentence and now.kind == then.kind == "percent"
        if same and by.unit.name == "个百分点" and _last_year(report, then) and _last_year(report, by):
            fell = words().says("fall", by.before)
            before = total((now, by)) if fell else difference(now, by)
            yield from settle(then, "points", [before])
    for claim in report.quantities:
        if claim.unit.name != "个百分点":
            continue
        told = [q for q in report.within(claim, 0) if q.index < claim.index and q.kind == "percent"]
        yield from settle(claim, "points", [apart(*told)] if len(told) == 2 else [])


def _about(report: Report, claim: Quantity, a: Quantity, b: Quantity) -> bool:
    """Whether a growth is that of a pair: the same noun in the sentence, or reaching the same figure."""
    noun = b.noun or a.noun
    own = words().last_noun(claim.before)
    if claim.sentence == b.sentence:
        between = report.plain.text[b.to : claim.at]
        return (
            own == noun
            if own
            else claim.at > b.to and len(between) <= ASIDE and not words().last_noun(between)
        )
    reached = [
        q for q in report.quantities[claim.index + 1 : claim.index + 2] if q.sentence == claim.sentence
    ]
    return own is not None and own == noun and any(q.claim.overlaps(b.claim) for q in reached if alike(q, b))


def changed(a: Quantity, b: Quantity, *, falls: bool) -> Candidate:
    ratio = quotient(b, a)
    return one_less(ratio) if falls else less_one(ratio)


def times_of(report: Report) -> Iterator[Check]:
    """A，是……（B）的 N 倍."""
    for claim in report.quantities:
        if claim.kind != "times":
            continue
        before = [q for q in report.within(claim, 0) if q.index < claim.index and q.kind not in RELATIVE][-2:]
        link = TIMES_OF.search(report.between(before[0], claim)) if len(before) == 2 else None
        if link and alike(*before) and before[0].to + link.start() < before[1].at:
            yield from settle(claim, "times", [quotient(before[0], before[1])])


def saving_rate(report: Report) -> Iterator[Check]:
    """节地 p%: less land than before for the same; only areas save land, only times shorten reviews."""
    for claim in report.quantities:
        lead = lead_of(report, claim)[-10:]
        if claim.kind != "percent" or not words().says("fall", lead) or LEVEL.search(lead):
            continue
        kinds = {"area"} if re.search("节地|用地|占地", lead) else {"working_time", "time", "months"}
        near = [q for q in report.within(claim, 1) if q.kind in kinds]
        pairs = [
            (a, b)
            for a, b in itertools.pairwise(near)
            if alike(a, b) and a.given.value > b.given.value and words().contrast.search(a.before)
        ]
        wide = [q for q in report.section(claim) if q.kind in kinds]
        yield from settle(
            claim,
            "saving",
            [one_less(quotient(b, a)) for a, b in pairs[:1]],
            (
                one_less(quotient(b, a))
                for a in wide
                for b in wide
                if alike(a, b) and a.given.value > b.given.value > 0 and words().contrast.search(a.before)
            ),
        )


def duration(report: Report) -> Iterator[Check]:
    """自某日至某日，历时 N 个月."""
    for claim in report.quantities:
        if claim.kind not in {"months", "time"} or not words().says("lasting", claim.before[-6:]):
            continue
        days = [d for d in report.days if d.sentence == claim.sentence and d.at < claim.at]
        if len(days) >= 2:
            yield from settle(claim, "duration", [_span(claim, *days[-2:])])


def _span(claim: Quantity, first: Day, last: Day) -> Candidate:
    """Time between two dates, one unit either way for the days a month or year leaves open."""
    slack = {"day": 1.0, "month": 31.0, "year": 366.0}[max(first.precision, last.precision, key="dmy".find)]
    days = float((last.on - first.on).days)
    scale = 1.0 if claim.kind == "time" else MONTH_DAYS
    value = Interval((days - slack) / scale, days / scale, (days + slack) / scale, claim.unit.dimension)
    return Candidate(value, f"{first.on} 至 {last.on}", ())
