"""Identities of land: value per area, floor-area ratio, price times area, equivalents in other units."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations

from panhuo.core.figures import Interval
from panhuo.measure.audit.check import Candidate, Check, settle
from panhuo.measure.audit.labels import is_base, lead_of, shared
from panhuo.measure.audit.quantities import Quantity, Report
from panhuo.measure.audit.words import words

DEALS = {None, "price", "cost"}
SAME_WORDS = 4
FLOOR_PRICE = re.compile("建筑面积.*每平方米$|单方造价")
SQUARE_MEAN = re.compile("^(?:平均|折?合)?每(?:平方米|㎡)$|^均价$")
LEAST = re.compile("不[低少小]于|不[高大]于|不超过|≥")
YARDSTICK = re.compile(
    r"^(?:是|较|比|相当于|高于|低于|超过|达不到|未达|不足).*(?:原|平均|水平|标准|要求|目标|全[省市县园区])"
)
OLD = re.compile(r"[由从原](?:(?![至到为])[^，。])*$")


def lands(quantities: Sequence[Quantity]) -> list[Quantity]:
    """Land areas, each value once, the most repeated first."""
    found = [q for q in quantities if q.unit.name in words().land_units]
    often = Counter(q.given.value for q in found)
    first = {q.given.value: q for q in reversed(found)}
    return sorted(first.values(), key=lambda q: (-often[q.given.value], q.index))


def floors(quantities: Sequence[Quantity]) -> list[Quantity]:
    """Floor areas: in square metres and called so."""
    return [q for q in quantities if q.unit.name in words().floor_units and q.noun == "floor"]


def as_charged(price: Quantity) -> Interval:
    """What a price or a rate is multiplied as: exactly as told, but for a mean or a softened one."""
    if price.bound or "均" in price.before:
        return price.given
    value = price.given.value
    return Interval(value, value, value, price.unit.dimension)


def quotient(a: Quantity, b: Quantity) -> Candidate:
    """a ÷ b."""
    return Candidate(a.given / b.given, f"{a.text} ÷ {b.text}", (a, b))


def per_area(report: Report) -> Iterator[Check]:
    """产值 ÷ 面积 = 亩均产值, for money of one kind."""
    for claim in report.quantities:
        if claim.kind != "money/area" or claim.noun is None:
            continue
        land = lands(report.section(claim))
        totals = [q for q in report.section(claim) if q.kind == "money" and q.noun == claim.noun]
        totals = [q for q in totals if not words().says("rise", q.before[-6:])]
        near = [t for t in totals if t.sentence == claim.sentence or _free(report, t, claim)]
        here = [q for q in report.within(claim, 0) if q.kind == "money"]
        near_land = [a for a in land if a.sentence == claim.sentence]
        if not near and len(here) == len(near_land) == 1 and here[0].noun is None:
            near, land = here, near_land
        pairs = [(t, a) for t in near for a in land]
        sure = [(t, a) for t, a in pairs if t.sentence == claim.sentence or not near_land]
        sure = sure or [(t, a) for t in _last_named(report, claim, totals) for a in near_land]
        promised = all(LEAST.match(q.text) for q in (claim, *near))
        yield from settle(
            _written(claim) if promised else claim,
            "per_area",
            [quotient(_written(t) if promised else t, a) for t, a in sure if not _yardstick(report, claim)],
            (quotient(t, a) for t in totals for a in land),
        )


def _last_named(report: Report, claim: Quantity, totals: Sequence[Quantity]) -> list[Quantity]:
    """The one sum of that name told before in the paragraph, for a mean whose land stands beside it."""
    here = report.within(claim, 0)
    told = [t for t in totals if t.index < claim.index and report.one_paragraph(t, claim)]
    alone = len({t.given.value for t in told}) == 1 and not any(q.kind == "money" for q in here)
    return told[-1:] if alone and len(lands(here)) == 1 else []


def _free(report: Report, sum_told: Quantity, claim: Quantity) -> bool:
    """Whether a sum of a neighbouring sentence has no mean of its own there."""
    own = [q for q in report.within(sum_told, 0) if q.kind == claim.kind and q.noun in {sum_told.noun, None}]
    return abs(sum_told.sentence - claim.sentence) == 1 and not own


def _written(q: Quantity) -> Quantity:
    """A figure without its word of degree: 每亩不低于15万元, 年税收不少于2625万元 are one promise told twice."""
    return replace(q, bound=None)


def _yardstick(report: Report, claim: Quantity) -> bool:
    """Whether a figure is what another is held against: 是原厂亩均税收4万元的8倍, 不足园区平均16万元."""
    return is_base(report, claim) or YARDSTICK.search(lead_of(report, claim)) is not None


def floor_area_ratio(report: Report) -> Iterator[Check]:
    """建筑面积 ÷ 用地面积 = 容积率; what was compares with what was, what is with what is."""
    for claim in report.quantities:
        if claim.kind != "number" or "容积率" not in _clause(report, claim):
            continue
        section = report.section(claim)
        built = [q for q in floors(section) if _old(report, q) == _old(report, claim)]
        land = lands(section)
        land.sort(key=lambda a: abs(a.at - claim.at))
        local = [a for a in land if abs(a.sentence - claim.sentence) <= 1] or land
        same = [f for f in built if f.sentence == claim.sentence]
        near = same or [f for f in built if abs(f.sentence - claim.sentence) <= 1]
        near.sort(key=lambda f: abs(f.at - claim.at))
        yield from settle(
            claim,
            "floor_area_ratio",
            [quotient(f, a) for f in near for a in local],
            (c for f in near or floors(section) for c in _over(f, land)),
        )


def _clause(report: Report, claim: Quantity) -> str:
    return report.plain.text[max(0, claim.at - 24) : claim.at]


def _old(report: Report, quantity: Quantity) -> bool:
    return OLD.search(report.plain.text[max(0, quantity.at - 12) : quantity.at]) is not None


def _over(floor: Quantity, land: Sequence[Quantity]) -> Iterator[Candidate]:
    """Floor over a land area, or over what is left of one after another."""
    for a in land:
        yield quotient(floor, a)
    for a, b in permutations(land, 2):
        rest = a.given + -b.given
        if rest.low > 0:
            yield Candidate(floor.given / rest, f"{floor.text} ÷ （{a.text} － {b.text}）", (floor, a, b))


def price_times_area(report: Report) -> Iterator[Check]:
    """单价 × 面积 = 总价. Of the price and the sum, the one told later is the claim."""
    for price in report.quantities:
        if price.kind != "money/area" or price.noun not in {*DEALS, "floor"} or "楼面" in price.before:
            continue
        sentence = report.within(price, 0)
        sums = [q for q in sentence if q.kind == "money"]
        money = _only([q for q in sums if q.noun in DEALS], price) or _only(sums, price)
        if money is None or any(q.kind == "money/area" and q.noun in DEALS for q in sentence):
            continue
        everywhere = lands(report.section(price))
        here = [q for q in sentence if q.unit.name in words().land_units]
        here = here or _square_metres(report, price, money)
        land = _only(here, price)
        near = [land] if land else here[::-1] or _of_that_name(report, price, money, everywhere)
        claim = max(price, money, key=lambda q: q.index)
        yield from settle(
            claim,
            "price_times_area",
            [_deal(claim, price, money, a) for a in near],
            (_deal(claim, price, money, a) for a in everywhere),
        )


def _square_metres(report: Report, price: Quantity, money: Quantity) -> list[Quantity]:
    """The one area in square metres told before a mean per square metre (312.4万平方米……平均每平方米1500元)."""
    if money.index > price.index or not SQUARE_MEAN.search(lead_of(report, price)):
        return []
    told = [
        q for q in report.within(price, 0) if q.unit.name in words().floor_units and q.index < price.index
    ]
    return told if len(told) == 1 else []


def floor_price(report: Report) -> Iterator[Check]:
    """容积率2.2，单价900万元/亩，楼面地价6136元/平方米: the price of the land over the floor-area ratio."""
    for claim in report.quantities:
        if claim.kind != "money/area" or "楼面" not in claim.before:
            continue
        here = [q for q in report.within(claim, 0) if q.index < claim.index]
        ratios = [q for q in here if q.kind == "number" and "容积率" in q.before]
        prices = [q for q in here if q.kind == "money/area" and q.noun in DEALS]
        if len(ratios) == 1 and prices:
            yield from settle(claim, "floor_price", [quotient(prices[-1], ratios[0])])


def _of_that_name(
    report: Report, price: Quantity, money: Quantity, everywhere: Sequence[Quantity]
) -> list[Quantity]:
    """工业用地成交价款24.6亿元，均价: the one area called as the sum is; of a price per m² of floor, all the floor."""
    called = [max(shared(a.before, price.before), shared(a.before, money.before)) for a in everywhere]
    best = max([SAME_WORDS, *called])
    named = [a for a, score in zip(everywhere, called, strict=True) if score == best]
    if not named and FLOOR_PRICE.search(lead_of(report, price)):
        whole = {q.given.value: q for q in floors(report.section(price)) if "总建筑面积" in q.before}
        named = list(whole.values())
    return named if len(named) == 1 else []


def _only(found: Sequence[Quantity], before: Quantity) -> Quantity | None:
    """The one quantity before another, else the one there is; None when that is not clear."""
    earlier = [q for q in found if q.index < before.index]
    chosen = earlier or found
    if len(chosen) > 1:
        chosen = [q for q in chosen if q.noun]
    return chosen[0] if len(chosen) == 1 else None


def _deal(claim: Quantity, price: Quantity, money: Quantity, land: Quantity) -> Candidate:
    if claim is price:
        return quotient(money, land)
    return Candidate(as_charged(price) * land.given, f"{price.text} × {land.text}", (price, land))


EQUAL = re.compile(r"^[（(，,]?(?:折合|约合|即|合|相当于)?为?(?:每亩|亩均|每公顷)?[（(]?$")


def equivalents(report: Report) -> Iterator[Check]:
    """5公顷（75亩）: the same size in two units."""
    for a, b in zip(report.quantities, report.quantities[1:], strict=False):
        link = report.between(a, b)
        if a.sentence != b.sentence or a.kind != b.kind or a.unit.name == b.unit.name or not a.unit.dimension:
            continue
        if link and EQUAL.match(link):
            yield from settle(b, "equivalent", [Candidate(a.given, a.text, (a,))], sure=True)
