"""`panhuo law clock`: a procedure on its clocks, from the day it began and the days its steps were done."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from panhuo.core.ids import checked_division
from panhuo.core.names import check_names
from panhuo.core.problems import PanhuoError
from panhuo.dispose.clock import Due, due_dates
from panhuo.report.chain import both, cite_chain, value_chain
from panhuo.rulebook import Rulebook
from panhuo.rulebook.calendar import work_calendar
from panhuo.rulebook.procedure import Procedure, Step, load_procedures


def clock(
    name: str,
    began: date,
    done: Mapping[str, date],
    *,
    on: date | None = None,
    place: str = "",
    law: Path | None = None,
) -> dict[str, Any]:
    """Where every step of a procedure stands on a day, and by when the law wants it done.

    name: id of the procedure, or its number (p02); done: step → day; on: today by default; place: division code. Gives
    {procedure, label, summary, began, on, steps: [{step, label, role, state, waits_for, not_before, due, days_left,
    late, official, paper, law, cites}], counts, ends}. Raises PanhuoError for a procedure or step that is not there and
    days that cannot be.
    """
    book, on = Rulebook.load(law), on or date.today()
    checked_division(place)
    procedures = load_procedures(book.root)
    numbered = [known for known in procedures if known.partition("_")[0] == name]
    check_names([] if numbered else [name], procedures, "程序 procedure")
    procedure_id = numbered[0] if numbered else name
    procedure = procedures[procedure_id]
    check_names(done, [step.id for step in procedure.steps], "步骤 step", procedure_id)
    if began > on:
        raise PanhuoError(
            f"{began} 起算晚于 {on} (it begins after the day asked)",
            remedy="核对 --began 和 --on check both days",
        )
    found = due_dates(procedure, began, done, on, book, work_calendar(book), place)
    steps = [
        step_chain(book, procedure, step, due, on) for step, due in zip(procedure.steps, found, strict=True)
    ]
    return {
        "procedure": procedure_id,
        "label": both(procedure.label),
        "summary": both(procedure.summary),
        "began": began,
        "on": on,
        "place": place,
        "steps": steps,
        "counts": {
            **{
                state: sum(step["state"] == state for step in steps) for state in ("done", "ready", "waiting")
            },
            "late": sum(step["late"] for step in steps),
        },
        "ends": {end: both(label) for end, label in procedure.ends.items()},
        "cites": [cite_chain(book, cite) for cite in procedure.cites],
    }


def step_chain(book: Rulebook, procedure: Procedure, step: Step, due: Due, on: date) -> dict[str, Any]:
    """One step with its days, the dated values of its clocks, its paper and articles."""
    left = None if due.due is None or due.state == "done" else (due.due - on).days
    return {
        "step": step.id,
        "label": both(step.label),
        "role": both(procedure.roles[step.role]),
        "optional": step.optional,
        "state": due.state,
        "waits_for": [{"step": name, **both(procedure.step(name).label)} for name in due.waits_for],
        "not_before": due.not_before,
        "due": due.due,
        "days_left": left,
        "late": due.late,
        "official": due.official,
        "paper": both(step.paper) if step.paper else None,
        "law": [value_chain(book, value) for value in due.law],
        "cites": [cite_chain(book, cite) for cite in step.cites],
    }


def days_done(given: Sequence[str]) -> dict[str, date]:
    """`step=2026-03-02` words as step → day. Raises PanhuoError for a word that is none, or one step twice."""
    done: dict[str, date] = {}
    for word in given:
        step, sign, day = word.partition("=")
        try:
            if not sign or not step or step in done:
                raise ValueError
            done[step] = date.fromisoformat(day)
        except ValueError:
            raise PanhuoError(
                f"办理日写法有误 not a step and its day: {word}",
                remedy="写成 --done notice=2026-03-02，每步一次 write it so, each step once",
            ) from None
    return done
