"""Conversions no report can choose freely: electricity to coal, to carbon dioxide, and that to trees."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from panhuo.core.figures import Interval
from panhuo.measure.audit.check import Candidate, Check, settle
from panhuo.measure.audit.quantities import Quantity, Report


@dataclass(frozen=True, slots=True)
class Factors:
    """Ranges a conversion may lie in, low and high: kg per kWh for coal and CO2, kg a year for a tree."""

    coal: tuple[float, float]
    co2: tuple[float, float]
    tree: tuple[float, float]


def conversions(report: Report, factors: Factors) -> Iterator[Check]:
    """1870万度 × 因子 = 减排量, and 减排量 ÷ 单株 = 植树, within one sentence."""
    per_kwh = {"mass": 1, "electricity": -1}
    for claim in report.quantities:
        before = [q for q in report.within(claim, 0) if q.index < claim.index]
        power = [q for q in before if q.kind == "electricity"][-1:]
        carbon = [q for q in before if q.noun == "co2" and q.kind == "mass"][-1:]
        match claim.noun, claim.kind:
            case "coal", "mass":
                found = [_times(q, factors.coal, per_kwh, "煤耗") for q in power]
            case "co2", "mass":
                found = [_times(q, factors.co2, per_kwh, "电网因子") for q in power]
            case _, "count" if re.search("植树", claim.before):
                found = [_over(q, factors.tree, {"mass": 1}) for q in carbon]
            case _:
                found = []
        yield from settle(claim, "conversion", found, sure=True)


def _range(ends: tuple[float, float], dimension: Mapping[str, int]) -> Interval:
    return Interval(ends[0], sum(ends) / 2, ends[1], dimension)


def _times(q: Quantity, ends: tuple[float, float], dimension: Mapping[str, int], name: str) -> Candidate:
    low, high = ends
    return Candidate(q.given * _range(ends, dimension), f"{q.text} × {name}{low}–{high}", (q,))


def _over(q: Quantity, ends: tuple[float, float], dimension: Mapping[str, int]) -> Candidate:
    low, high = ends
    return Candidate(q.given / _range(ends, dimension), f"{q.text} ÷ 每棵{low}–{high}千克", (q,))
