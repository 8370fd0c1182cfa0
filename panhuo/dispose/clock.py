"""When the steps of a procedure may begin and are due, from the day it began and the days its steps were done.

The number of each clock is the law of the day it starts running, at the place of the parcel.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from panhuo.core.dates import Deadline, WorkCalendar, add_days, add_months, add_working_days, next_working_day
from panhuo.core.problems import PanhuoError
from panhuo.rulebook.book import Rulebook, Value
from panhuo.rulebook.procedure import START, Clock, Procedure, Step

State = Literal["done", "ready", "waiting"]


@dataclass(frozen=True, slots=True)
class Due:
    """One step on its clocks. Dates are None while what they run from is not done.

    waits_for: steps still to be done before it; not_before: the first day it may be done; due: its last day, None
    also where no law limits it; official: False when a date rests on a calendar not yet announced; late: whether it
    was, or as of the day asked still is, done after `due`; law: the values its clocks took.
    """

    step_id: str
    state: State
    waits_for: tuple[str, ...]
    not_before: date | None
    due: date | None
    official: bool
    late: bool
    law: tuple[Value, ...]


def due_dates(
    procedure: Procedure,
    began: date,
    done: Mapping[str, date],
    on: date,
    book: Rulebook,
    calendar: WorkCalendar,
    place: str = "",
) -> list[Due]:
    """Every step of a procedure on `on`, in the order of the file.

    began: the day of the event the procedure starts from; done: step id → day it was done; place: division code.
    Raises PanhuoError for a step the procedure does not have, one done before `began` or before what it follows.
    """
    _check(procedure, began, done)
    events, found = {START: began, **done}, dict[str, Due]()
    for step in procedure.steps:
        found[step.id] = _due(procedure, step, events, found, on, book, calendar, place)
    return list(found.values())


def _check(procedure: Procedure, began: date, done: Mapping[str, date]) -> None:
    steps = {step.id: step for step in procedure.steps}
    for step_id, day in done.items():
        if step_id not in steps:
            raise PanhuoError(f"程序没有这一步 no such step: {step_id}", remedy=" | ".join(steps))
        earlier = max([began, *(done[before] for before in steps[step_id].after if before in done)])
        if day < earlier:
            raise PanhuoError(
                f"{step_id} 办理日 {day} 早于前一步 {earlier} (done before what it follows)",
                remedy="核对日期 check the dates",
            )


def _due(
    procedure: Procedure,
    step: Step,
    events: Mapping[str, date],
    found: Mapping[str, Due],
    on: date,
    book: Rulebook,
    calendar: WorkCalendar,
    place: str,
) -> Due:
    limits: dict[str, list[Deadline]] = {"by": [], "not_before": []}
    law: list[Value] = []
    for clock in step.clocks:
        runs_from = (
            found[clock.of].due if clock.since == "due" and clock.of in found else events.get(clock.of)
        )
        if runs_from is not None:
            value = book.parameter(clock.parameter, runs_from, place)
            law.append(value)
            limits[clock.side].append(_end(clock, runs_from, float(value.value), calendar))
    due = min(limits["by"], key=lambda end: end.day, default=None)
    first = max(limits["not_before"], key=lambda end: end.day, default=None)
    waits = tuple(waits_for(procedure, step, events))
    acted = events.get(step.id)
    return Due(
        step_id=step.id,
        state="done" if acted else "waiting" if waits or (first and on < first.day) else "ready",
        waits_for=waits,
        not_before=first.day if first else None,
        due=due.day if due else None,
        official=all(end.official for end in (due, first) if end),
        late=due is not None and (acted or on) > due.day,
        law=tuple(law),
    )


def waits_for(
    procedure: Procedure,
    step: Step,
    done: Collection[str],
    closed: Collection[str] = (),
    called: Collection[str] = (),
) -> list[str]:
    """The steps still to be done before one; through an optional step nobody asked for to what that one waits for.

    closed: steps that outcomes ruled out; called: those that an outcome leads to.
    """
    found: list[str] = []
    for before in map(procedure.step, step.after):
        if before.id in done or before.id in closed:
            continue
        if before.optional and before.id not in called:
            found += waits_for(procedure, before, done, closed, called)
        else:
            found.append(before.id)
    return list(dict.fromkeys(found))


def _end(clock: Clock, start: date, number: float, calendar: WorkCalendar) -> Deadline:
    """The last day of a period; a part of a day counts as a day."""
    if clock.kind == "working":
        return add_working_days(start, math.ceil(number), calendar)
    if clock.kind == "calendar":
        return add_days(start, math.ceil(number), calendar)
    return next_working_day(add_months(start, round(number * (12 if clock.kind == "years" else 1))), calendar)
