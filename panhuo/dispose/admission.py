"""Whether a step may be done: whoever keeps the acts of a case (the site) asks `admit` before it keeps another."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from panhuo.core.dates import WorkCalendar
from panhuo.core.problems import PanhuoError
from panhuo.dispose.course import Act, CaseFile, Kind, Reason, course, unmet
from panhuo.rulebook.book import Rulebook
from panhuo.rulebook.procedure import Procedure, Step
from panhuo.rulebook.schema import Cite, Label

REHEARSE: Final = "rehearse"
"""How the keys of a rehearsal's items begin; those of a guard begin with its step."""


def confirmations(procedure: Procedure, chosen: Mapping[str, str]) -> dict[str, Label]:
    """What a person confirms before doing these steps: the guards in words, and the rehearsal of a chain.

    chosen: step → the outcome it is to have, "" for none or for one still to be chosen.
    """
    heads = set(chosen) | {f"{name}.{outcome}" for name, outcome in chosen.items()}
    found = {
        key: guard.because
        for key, guard in procedure.guards
        if guard.when is None and key.rpartition(".")[0] in heads
    }
    chain = procedure.chain(next(iter(chosen)))
    return found | {f"{REHEARSE}.{n}": words for n, words in enumerate(chain.rehearse if chain else ())}


def admit(
    file: CaseFile,
    acts: Sequence[Act],
    ticks: Collection[str],
    on: date,
    book: Rulebook,
    calendar: WorkCalendar,
) -> CaseFile:
    """The file with `acts` more: one, or all of a chain that is done at once.

    ticks: the keys of `confirmations` that a person confirmed; on: today. Raises PanhuoError, with reason, article and
    remedy, for what may not be done; nothing is admitted then.
    """
    _fits(file.procedure, acts, on)
    for act in acts:
        now = course(file, act.day, book, calendar)
        standing = now.of(act.step)
        if standing.state != "open":
            raise _refusal(standing.step.label, standing.why, book)
        _day(file, standing.step, act)
        _outcome(standing.step, act)
        if reasons := tuple(unmet(standing.ways.get(act.outcome, ()), standing.step.cites)):
            raise _refusal(standing.step.outcomes[act.outcome].label, reasons, book)
        needed = confirmations(file.procedure, {act.step: act.outcome})
        if lacking := [words for key, words in needed.items() if key not in ticks]:
            raise PanhuoError(
                f"须逐项确认：{'；'.join(w.zh for w in lacking)} (confirm first: {'; '.join(w.en for w in lacking)})",
                where="tick",
                remedy="核实后勾选 verify, then tick",
            )
        file = replace(file, acts=(*file.acts, act))
    course(file, on, book, calendar)  # a clock whose law does not reach back to the day says so now
    return file


def _fits(procedure: Procedure, acts: Sequence[Act], on: date) -> None:
    """Known steps, no day to come, and a chain whole and on one day."""
    known = {step.id for step in procedure.steps}
    if stray := [act.step for act in acts if act.step not in known] or ([] if acts else ["—"]):
        raise PanhuoError(f"程序没有这一步 no such step: {', '.join(stray)}", where="step")
    if late := [act.day for act in acts if act.day > on]:
        raise PanhuoError(
            f"不能登记还没到的日子 {late[0]} (a day still to come is not recorded)", where="day",
            remedy="填实际办理日 write the day it was done",
        )  # fmt: skip
    names = tuple(act.step for act in acts)
    whole = chain.steps if (chain := procedure.chain(names[0])) else names[:1]
    if names != whole:
        labels = [procedure.step(name).label for name in whole]
        raise PanhuoError(
            f"须一并办理：{'、'.join(w.zh for w in labels)} (done as one: {', '.join(w.en for w in labels)})",
            where="step", why=f"{chain.because.zh} ({chain.because.en})" if chain else "",
        )  # fmt: skip
    if len({act.day for act in acts}) > 1:
        raise PanhuoError("须同日办理 (all on one day)", where="day")


def _earlier(procedure: Procedure, step: Step) -> set[str]:
    """Every step that one comes after, near or far."""
    found = set(step.after)
    for before in map(procedure.step, step.after):
        found |= _earlier(procedure, before)
    return found


def _day(file: CaseFile, step: Step, act: Act) -> None:
    """Not before the case began nor before anything the step comes after."""
    days = {name: file.done[name].day for name in _earlier(file.procedure, step) if name in file.done}
    latest = max(days, key=lambda name: days[name], default=None)
    if latest and act.day < days[latest]:
        label = file.procedure.step(latest).label
        raise PanhuoError(
            f"不得早于“{label.zh}”的办理日 {days[latest]} (not before {label.en}, done on {days[latest]})",
            where="day", remedy="核对日期 check the dates",
        )  # fmt: skip
    if act.day < file.began:
        raise PanhuoError(
            f"不得早于起算日 {file.began} (not before the case began on {file.began})", where="day",
            remedy="核对日期 check the dates",
        )  # fmt: skip


def _outcome(step: Step, act: Act) -> None:
    if step.outcomes and act.outcome not in step.outcomes:
        ways = [way.label for way in step.outcomes.values()]
        raise PanhuoError(
            f"须写明结果：{'、'.join(w.zh for w in ways)} (say how it went: {', '.join(w.en for w in ways)})",
            where="outcome",
        )
    if act.outcome and not step.outcomes:
        raise PanhuoError("这一步没有结果之分 (this step has no outcomes)", where="outcome")


def _refusal(label: Label, reasons: Sequence[Reason], book: Rulebook) -> PanhuoError:
    """Why something may not be done, under which article, and what to do."""
    if not reasons:
        return PanhuoError(f"“{label.zh}”已办 ({label.en} is done already)", where="step")
    words = "；".join(reason.words.zh for reason in reasons)
    told = "; ".join(reason.words.en for reason in reasons)
    cites = [cite for reason in reasons for cite in reason.cites]
    return PanhuoError(
        f"“{label.zh}”现在不能办：{words} ({label.en} may not be done now: {told})",
        where="step", why=_cited(cites, book), remedy=REMEDIES[reasons[0].kind],
    )  # fmt: skip


def _cited(cites: Sequence[Cite], book: Rulebook) -> str:
    zh, en = [], []
    for cite in dict.fromkeys(cites):
        source = book.sources[cite.source]
        article = source.cite(cite.article)
        zh.append(f"《{source.label.zh}》{article.zh if article else ''}")
        en.append(f"{source.label.en} {article.en if article else ''}".strip())
    return f"{'、'.join(zh)} ({'; '.join(en)})" if cites else ""


REMEDIES: Final[dict[Kind, str]] = {
    "waits": "先办前面的步骤 (do what comes before)",
    "not_before": "期满后再办 (wait for the day)",
    "fails": "条件不成立的另选程序；事实有误的先更正 (choose another way, or correct the fact)",
    "unknown": "查清后在案件中登记 (find it out and record it in the case)",
    "beside": "先办结并行的程序 (end what runs beside it)",
    "not_taken": "走已选的一支；选错的撤销后重办 (follow the way taken, or undo the choice)",
    "passed": "确须补办的先撤销后面的步骤 (undo what follows it first)",
    "ended": "另立案件，或撤销最后一步 (open another case, or undo the last act)",
}
