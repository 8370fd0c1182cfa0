"""Labels of figures: the words around them, and how much two labels have in common."""

import re
from typing import Final

from panhuo.measure.audit.quantities import Quantity, Report

BESIDE: Final = re.compile(r"[\d.,]+[^\d，。；]{1,2}、?(?:共|面积)?$")
FILLERS: Final = re.compile("(?:[合共总]计|达到?|分别|约|为|是|共|计|仅|至|有)+$")
"""Words between the name of a figure and the figure."""


def lead_of(report: Report, claim: Quantity) -> str:
    """The clause up to a claim."""
    text = report.plain.text
    start = max(text.rfind(stop, 0, claim.at) for stop in "，。；：\n") + 1
    return text[start : claim.at]


def is_base(report: Report, q: Quantity) -> bool:
    """Whether a share or a multiple is told of a figure itself: 为年度目标1.5万亩的124%."""
    return report.plain.text[q.to : q.to + 1] == "的"


def bigrams(text: str) -> set[str]:
    """Pairs of neighbouring Chinese characters."""
    return {text[i : i + 2] for i in range(len(text) - 1) if not text[i : i + 2].isascii()}


def shared(a: str, b: str) -> int:
    """The length of the longest run of characters, none of them ASCII, that two texts have in common."""
    lengths: dict[int, int] = {}
    longest = 0
    for x in a:
        lengths = {j: lengths.get(j - 1, 0) + 1 for j, y in enumerate(b) if x == y and not x.isascii()}
        longest = max(longest, *lengths.values()) if lengths else longest
    return longest


def name_of(report: Report, q: Quantity) -> str:
    """What a figure is called: its clause up to it, of a figure right after another (105项5241.6亩) up to that one."""
    return FILLERS.sub("", BESIDE.sub("", lead_of(report, q)))


def called(report: Report, of: Quantity, name: str) -> list[Quantity]:
    """Figures told before another right after `name`, of the nearest sentence that has any; each value once."""
    told = [q for q in report.section(of) if q.index < of.index and name_of(report, q).endswith(name)]
    nearest = max((q.sentence for q in told), default=0)
    return list({q.given.value: q for q in told if q.sentence == nearest}.values())
