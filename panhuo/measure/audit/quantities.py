"""Quantities of a report: number, unit, word of degree, what it counts, and where it stands."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Final

from panhuo.core.figures import Bound, Interval, Unit, parse_unit, stated
from panhuo.measure.audit.text import SENTENCE_END, Plain
from panhuo.measure.audit.words import words
from panhuo.rulebook.quantities import quantities

REACH: Final = 80
"""Sentences: figures further apart are not held against each other."""
LABEL: Final = 24
"""How many characters before (and half as many after) a quantity are read as its label."""
CLAUSE_STOPS: Final = '，、：:（）()“”"【】[]'
DIGITS: Final = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
TENS: Final = {"十": 10, "百": 100, "千": 1000}
EACH: Final = re.compile("(?:每|平均每)(亿元|万元|平方公里|平方米|公顷|亩)(?:每年)?(?:的|仅|约)?$")
"""每亿元486亩 is 486 mu for each 100 million yuan."""
SUMMED: Final = re.compile(r"\d\D*(?:共计?|合计|总计)$")
"""每亩4.5万元共4082万元 is 4082 in all."""
BLANKED: Final = re.compile(
    r"《[^《》]{0,80}》|〔\d+〕\s?\d+号|\d+[－—~～]\d+(?=[年人个家%])|[图表]\s?\d+(?:[-－]\d+)?"
)
YEARS: Final = re.compile(r"(?P<y>(?:19|20)\d\d)年(?:(?P<m>\d{1,2})月(?:份?(?P<d>\d{1,2})[日号])?)?")
DAYS: Final = re.compile(r"(?<![\d.])\d{1,2}月(?:\d{1,2}[日号]|份|底|初)?")


@dataclass(frozen=True)
class Quantity:
    """One quantity. `at`, `to`: its span in the plain text; `start`, `end`: in the original.

    Without slots: what it stands for is asked for millions of times and kept after the first.
    """

    index: int
    text: str
    at: int
    to: int
    start: int
    end: int
    value: Decimal
    unit: Unit
    bound: Bound | None
    before: str
    after: str
    noun: str | None
    sentence: int
    section: int

    @cached_property
    def given(self) -> Interval:
        """What it may stand for as the input of a computation."""
        return stated(self.value, self.unit, self.bound)

    @cached_property
    def claim(self) -> Interval:
        """What it may stand for as a claim."""
        return stated(self.value, self.unit, self.bound, claim=True)

    @cached_property
    def kind(self) -> str:
        """Its dimension as one word: area, money, money/area, percent, times, count, number …"""
        dimension = dict(self.unit.dimension)
        if dimension:
            parts = sorted(dimension, key=lambda d: -dimension[d])
            return "/".join(parts)
        if self.unit.exact:
            return "count"
        return {"%": "percent", "％": "percent", "倍": "times", "1": "number"}.get(self.unit.name, "count")


@dataclass(frozen=True, slots=True)
class Day:
    """A date of the report; months and years stand for their first day. `at`, `to` in the plain text."""

    on: date
    at: int
    to: int
    precision: str
    sentence: int


@dataclass(frozen=True, slots=True)
class Report:
    """A report read: plain text, quantities and dates in order."""

    plain: Plain
    quantities: Sequence[Quantity]
    days: Sequence[Day]

    def within(self, of: Quantity, sentences: int) -> list[Quantity]:
        """Quantities of the same section at most so many sentences away, `of` itself left out."""
        first = bisect_left(self.quantities, of.sentence - sentences, key=lambda q: q.sentence)
        last = bisect_right(self.quantities, of.sentence + sentences, key=lambda q: q.sentence)
        return [q for q in self.quantities[first:last] if q.index != of.index and q.section == of.section]

    def section(self, of: Quantity) -> list[Quantity]:
        """Every other quantity of the section, no further away than a reader remembers."""
        return self.within(of, REACH)

    def one_paragraph(self, a: Quantity, b: Quantity) -> bool:
        """Whether two quantities stand in one paragraph."""
        return "\n" not in self.between(a, b)

    def context(self, of: Quantity) -> str:
        """What stands before a quantity in its sentence, as far as a label reaches."""
        text = self.plain.text[max(0, of.at - LABEL) : of.at]
        return text[max(text.rfind(stop) for stop in SENTENCE_END) + 1 :]

    def between(self, a: Quantity, b: Quantity) -> str:
        """The text between two quantities."""
        return self.plain.text[a.to : b.at] if a.to <= b.at else self.plain.text[b.to : a.at]


@lru_cache(maxsize=1)
def patterns() -> re.Pattern[str]:
    """The pattern of a quantity: degree, number, 余, unit with per-unit, degree."""
    known = quantities()
    unit = "|".join(
        re.escape(n) for n in sorted(known.units, key=len, reverse=True) if n not in {"1", "增长倍"}
    )
    before = "|".join(_degree(w, known.no_degree) for w in sorted(known.before, key=len, reverse=True))
    after = "|".join(re.escape(w) for w in known.after if w not in {"余", "多"})
    arabic = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
    chinese = r"[一二三四五六七八九十百千两]+"
    return re.compile(
        rf"(?P<before>{before})?为?(?:(?P<number>{arabic})|(?P<chinese>{chinese}))(?P<over>[余多])?"
        rf"(?P<scale>百|千)?(?P<unit>(?:{unit})(?:/(?:{unit}))?)?(?P<after>{after})?",
    )


def _degree(word: str, no_degree: Mapping[str, str]) -> str:
    """The pattern of a word of degree that is not the end of a longer word."""
    return f"(?<![{no_degree[word]}]){re.escape(word)}" if word in no_degree else re.escape(word)


CHINESE_UNITS: Final = frozenset(
    {"亿元", "万元", "元", "亩", "公顷", "平方公里", "平方米", "倍", "万亩", "%"}
)
"""Units before which a number in characters is a measure and not a turn of phrase."""


def read(original: Plain) -> Report:
    """The quantities and dates of a text."""
    text = original.text
    blanked = BLANKED.sub(lambda m: "◇" * len(m[0]), text)
    bounds = _boundaries(text)
    days = list(_days(blanked, bounds))
    for pattern in (YEARS, DAYS):
        blanked = pattern.sub(lambda m: "◇" * len(m[0]), blanked)
    found: list[Quantity] = []
    for match in patterns().finditer(blanked):
        if quantity := _quantity(match, blanked, original, bounds, len(found)):
            found.append(quantity)
    return Report(original, found, days)


def _quantity(
    match: re.Match[str], text: str, original: Plain, bounds: "Boundaries", index: int
) -> Quantity | None:
    known, lexicon = quantities(), words()
    at = match.start("before") if match["before"] else match.start("number" if match["number"] else "chinese")
    to = match.end()
    clause_start = max(text.rfind(stop, 0, at) for stop in CLAUSE_STOPS + SENTENCE_END) + 1
    before = text[max(clause_start, at - LABEL) : at]
    unit_name = match["unit"]
    if not _stands_alone(match, text) or (match["chinese"] and unit_name not in CHINESE_UNITS):
        return None
    if unit_name is None:
        if not match["number"] or not (_is_ratio(before) or _is_step(match, before, text)):
            return None
        unit = known.units["1"]
    else:
        unit = _per(parse_unit(unit_name, known.units), before, text[to : to + 4])
    value = (
        Decimal(match["number"].replace(",", "")) if match["number"] else Decimal(_chinese(match["chinese"]))
    )
    value *= {"百": 100, "千": 1000}.get(match["scale"] or "", 1)
    if match["chinese"] and match["unit"] == "亩" and value < 2:
        return None
    stop = re.search(f"[{re.escape(CLAUSE_STOPS + SENTENCE_END)}]", text[to : to + LABEL // 2])
    after = text[to : to + (stop.start() if stop else LABEL // 2)]
    word = match["before"] or match["over"] or match["after"]
    start, end = original.original(at, to)
    return Quantity(
        index=index,
        text=text[at:to],
        at=at,
        to=to,
        start=start,
        end=end,
        value=value,
        unit=unit,
        bound=known.bound(word),
        before=before,
        after=after,
        noun=lexicon.last_noun(before) or lexicon.deal(after) or lexicon.first_noun(after),
        sentence=bounds.sentence(at),
        section=bounds.section(at),
    )


def _stands_alone(match: re.Match[str], text: str) -> bool:
    """Whether the number is not part of a code, a version or a longer word (5G, 2017C014, 1+125, 4.0)."""
    at = match.start("number" if match["number"] else "chinese")
    left, right = text[at - 1 : at], text[match.end() : match.end() + 1]
    if match["number"] and (left.isascii() and (left.isalnum() or left in "+-.:：/x×#")):
        return False
    if match["chinese"] and (left in "第百千万" or left.isdigit()):
        return False
    return match["unit"] is not None or not (right.isascii() and (right.isalnum() or right in "+-:/×"))


def _is_ratio(before: str) -> bool:
    return any(word in before[-18:] for word in words().unitless_after)


def _is_step(match: re.Match[str], before: str, text: str) -> bool:
    """Whether a bare decimal is one end of 从 0.5 提升至 1.5."""
    lexicon = words()
    starts = re.search("[从由]", before[-8:]) and lexicon.says("reach", text[match.end() : match.end() + 6])
    ends = lexicon.verbs["reach"].search(before[-5:]) and re.search("[从由]", before)
    return "." in match["number"] and bool(starts or ends)


def _per(unit: Unit, before: str, after: str) -> Unit:
    """万元 after 亩均 is 万元/亩."""
    if "/" in unit.name or not unit.dimension or SUMMED.search(before):
        return unit
    lexicon, known = words(), quantities().units
    if each := EACH.search(before):
        return parse_unit(f"{unit.name}/{each[1]}", known) if known[each[1]].dimension else unit
    land = next((land for word, land in lexicon.per_area.items() if word in before), None)
    return parse_unit(f"{unit.name}/{land}", known) if land and "area" not in unit.dimension else unit


def _chinese(text: str) -> int:
    total, digit = 0, 0
    for char in text:
        if char in TENS:
            total += (digit or 1) * TENS[char]
            digit = 0
        else:
            digit = DIGITS[char]
    return total + digit


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Where sentences and sections begin."""

    sentences: Sequence[int]
    sections: Sequence[int]

    def sentence(self, at: int) -> int:
        """The number of the sentence at a place."""
        return _rank(self.sentences, at)

    def section(self, at: int) -> int:
        """The number of the section at a place."""
        return _rank(self.sections, at)


def _rank(starts: Sequence[int], at: int) -> int:
    return bisect_right(starts, at)


def _boundaries(text: str) -> Boundaries:
    ends = [i + 1 for i, char in enumerate(text) if char in SENTENCE_END]
    heading = words().headings
    sections = [
        m.start() + 1 for m in re.finditer(r"(?:^|\n)(?=[^\n]{0,40})", text) if heading.match(text, m.end())
    ]
    return Boundaries(ends, sections)


def _days(text: str, bounds: Boundaries) -> Iterator[Day]:
    for m in YEARS.finditer(text):
        month, day = int(m["m"] or 1), int(m["d"] or 1)
        try:
            on = date(int(m["y"]), month, day)
        except ValueError:
            continue
        precision = "day" if m["d"] else "month" if m["m"] else "year"
        yield Day(on, m.start(), m.end(), precision, bounds.sentence(m.start()))
