"""A notice of law/notices with the facts in their places, as a document in official layout.

A fact nobody knows is a blank that says what belongs there, 〔待填：…〕: nothing is made up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from panhuo.core.problems import PanhuoError
from panhuo.report.chain import fact_label, shown
from panhuo.report.document import Block, Document, Official
from panhuo.report.names import worded
from panhuo.rulebook.book import Rulebook
from panhuo.rulebook.notice import PLACE, Line, Notice
from panhuo.rulebook.schema import Label
from panhuo.rulebook.truths import Truth

NUMBER: Final = "〔待填：文号〕"
DATE: Final = "〔待填：年月日〕"


@dataclass(frozen=True)
class Matter:
    """What a notice is written from. facts: by name; holds: predicate → truth; done: step → (day, outcome's words,
    note); ways: step → outcome id; authority: who signs; on: the day whose law it is."""

    facts: Mapping[str, Any]
    holds: Mapping[str, Truth]
    on: date
    done: Mapping[str, tuple[date, str, str]] = field(default_factory=dict)
    ways: Mapping[str, str] = field(default_factory=dict)
    authority: str = ""


def bars(notice: Notice, holds: Mapping[str, Truth]) -> list[Label]:
    """What keeps the notice from being written."""
    return [g.because for g in notice.guards if g.when and holds[g.when].holds is False]


def notice_document(notice: Notice, matter: Matter, book: Rulebook) -> Document:
    """The notice as a document. Raises PanhuoError where what it requires is false."""
    if barred := bars(notice, matter.holds):
        words, told = "；".join(b.zh for b in barred), "; ".join(b.en for b in barred)
        raise PanhuoError(
            f"不能出具{notice.title}，条件不成立：{words} (this notice may not be written, this fails: {told})",
            remedy="核对事实，或另选程序 check the facts, or choose another way",
        )
    write = writer(notice, matter, book)
    doubted = [g.because.zh for g in notice.guards if g.when and matter.holds[g.when].holds is None]
    blocks: list[Block] = [Official(f"〔待核：{words}〕") for words in doubted]
    blocks.append(Official(write("{holder}") + "：", "flush"))
    blocks += [_block(line, matter, write) for line in notice.body if _stands(line, matter)]
    blocks.append(Official("", "flush"))
    blocks.append(Official(matter.authority or "〔待填：发文机关（印章）〕", "right"))
    signed = matter.done.get(notice.signed_on)
    blocks.append(Official(shown(signed[0]) if signed else DATE, "right"))
    if copies := [_block(line, matter, write).text for line in notice.copies if _stands(line, matter)]:
        blocks.append(Official(f"抄送：{'，'.join(copies)}。", "flush"))
    rests = f"panhuo · 法规 {book.version} · 宗地 {matter.facts.get('parcel_id')}"
    return Document(notice.title, NUMBER, blocks, rests, official=True)


def _stands(line: Line, matter: Matter) -> bool:
    """Whether a line belongs: not where its predicate is false or its steps went another way."""
    other = any(step in matter.ways and matter.ways[step] != way for step, way in line.given.items())
    return not other and not (line.when and matter.holds[line.when].holds is False)


def _block(line: Line, matter: Matter, write: Callable[[str], str]) -> Official:
    unsure = (line.when and matter.holds[line.when].holds is None) or line.given.keys() - matter.ways.keys()
    mark = "〔待核，不适用的删去〕" if unsure else ""
    return Official(mark + write(line.text), "head" if line.head else "body")


def writer(notice: Notice, matter: Matter, book: Rulebook) -> Callable[[str], str]:
    """Fills the places of a text."""

    def one(name: str, percent: bool) -> str:
        value, label = _value(name, notice, matter, book)
        if value in (None, ""):
            return f"〔待填：{label}〕"
        if percent:
            return f"{100 * float(value):.2f}".rstrip("0").rstrip(".") + "%"
        if name in matter.facts and isinstance(value, str):
            return worded(matter.facts, name, "zh")
        return _figure(value)

    return lambda text: PLACE.sub(lambda hit: one(hit[1], bool(hit[2])), text)


def _figure(value: Any) -> str:
    """A figure as an office writes it: no more decimals than two."""
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return shown(value)


def _value(name: str, notice: Notice, matter: Matter, book: Rulebook) -> tuple[Any, str]:
    """The value of a place, None where nobody knows it, and what belongs there."""
    if name.startswith("$"):
        place = str(matter.facts.get("division") or "")
        dotted = name.removeprefix("$")
        return book.parameter(dotted, matter.on, place).value, book.parameters[dotted].label.zh
    kind, _, step = name.partition(".")
    if not step:
        return matter.facts.get(name), fact_label(book, name)["zh"]
    day, outcome, note = matter.done.get(step, (None, "", ""))
    told = notice.steps[step]
    values = {"day": (day, f"{told}日期"), "outcome": (outcome, f"{told}情况"), "note": (note, f"{told}文号")}
    return values[kind]
