"""The course of a case: which steps of its procedure may be done and why not the others, and the end it has reached.

Pure: the acts so far, the facts and the day go in; standings come out.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Literal

from panhuo.core.dates import WorkCalendar
from panhuo.dispose.clock import Due, due_dates, waits_for
from panhuo.rulebook.book import Rulebook
from panhuo.rulebook.facts import AS_OF, Law
from panhuo.rulebook.procedure import Guard, Outcome, Procedure, Step, keyed
from panhuo.rulebook.schema import Cite, Label
from panhuo.rulebook.truths import Truth, truths

State = Literal["done", "open", "waiting", "held", "closed"]
"""waiting: for other steps or a date; held: by a condition that fails or is unknown; closed: never to be taken now."""
Kind = Literal["waits", "not_before", "fails", "unknown", "beside", "not_taken", "passed", "ended"]


@dataclass(frozen=True, slots=True)
class Act:
    """A step that was done: on which day, and with which of its outcomes."""

    step: str
    day: date
    outcome: str = ""


@dataclass(frozen=True)
class CaseFile:
    """All that decides where a case stands. acts: in the order kept; facts: the parcel's, as assessed; settled: found
    out since; beside: the procedures run beside it → whether each has ended."""

    procedure: Procedure
    began: date
    acts: tuple[Act, ...] = ()
    place: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    settled: Mapping[str, Any] = field(default_factory=dict)
    beside: Mapping[str, bool] = field(default_factory=dict)

    @cached_property
    def done(self) -> dict[str, Act]:
        """Step → its latest act."""
        return {act.step: act for act in self.acts}

    @cached_property
    def known(self) -> dict[str, Any]:
        """What the case itself settles: facts given, outcomes that say so, days that are facts; later ones go first."""
        found = dict(self.settled)
        for act in self.acts:
            step = self.procedure.step(act.step)
            found |= {step.confirms: act.day} if step.confirms else {}
            found |= step.outcomes[act.outcome].sets if act.outcome else {}
        return found


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a step may not be done. names: the steps waited for, the facts missing, or the procedures beside."""

    kind: Kind
    words: Label
    names: tuple[str, ...] = ()
    day: date | None = None
    cites: tuple[Cite, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """A guard of a step; `truth` is None where it has words only, and a person confirms it."""

    key: str
    guard: Guard
    truth: Truth | None


@dataclass(frozen=True, slots=True)
class Standing:
    """One step in its place: what it is, where it stands and why, its clocks, its guards, and the act that did it.
    ways: the guards of each outcome; called: an outcome leads to it, so it must be done."""

    step: Step
    state: State
    why: tuple[Reason, ...]
    due: Due
    checks: tuple[Check, ...]
    ways: Mapping[str, tuple[Check, ...]]
    act: Act | None
    called: bool

    @property
    def needed(self) -> bool:
        """Whether the case cannot end without it."""
        return self.state not in ("done", "closed") and (not self.step.optional or self.called)


@dataclass(frozen=True, slots=True)
class Course:
    """Every step of a case in the order of its procedure, and the end reached, None while it runs."""

    steps: tuple[Standing, ...]
    end: str | None

    def of(self, step_id: str) -> Standing:
        """The standing of one step; KeyError where the procedure has none of that id."""
        return {standing.step.id: standing for standing in self.steps}[step_id]

    @property
    def open(self) -> list[Standing]:
        """What may be done now."""
        return [standing for standing in self.steps if standing.state == "open"]

    @property
    def next_due(self) -> Standing | None:
        """The step that must be done and is due first."""
        timed = [s for s in self.steps if s.due.due and s.needed and s.state in ("open", "held")]
        return min(timed, key=lambda s: s.due.due or date.max, default=None)


def course(file: CaseFile, on: date, book: Rulebook, calendar: WorkCalendar) -> Course:
    """Where a case stands on a day, under the law of that day."""
    procedure, done = file.procedure, file.done
    closed, called = branches(procedure, done)
    end = reached(procedure, done, closed, called)
    days = {step: act.day for step, act in done.items()}
    due = {d.step_id: d for d in due_dates(procedure, file.began, days, on, book, calendar, file.place)}
    guards = {guard.when for _, guard in procedure.guards if guard.when}
    holds = truths(guards, file.facts, {**file.known, AS_OF: on}, Law(book, on))
    standings = []
    for step in procedure.steps:
        checks = _checks(step.id, step.guard, holds)
        ways = {name: _checks(f"{step.id}.{name}", way.guard, holds) for name, way in step.outcomes.items()}
        why = _reasons(file, step, due[step.id], checks, closed, called, end, on)
        state, act = _state(step, done, why), done.get(step.id)
        standings.append(Standing(step, state, why, due[step.id], checks, ways, act, step.id in called))
    return Course(tuple(standings), end)


def _checks(key: str, guards: Sequence[Guard], holds: Mapping[str, Truth]) -> tuple[Check, ...]:
    return tuple(
        Check(name, guard, holds[guard.when] if guard.when else None) for name, guard in keyed(key, guards)
    )


def branches(procedure: Procedure, done: Mapping[str, Act]) -> tuple[set[str], set[str]]:
    """(steps never taken by what was decided, steps that a decision leads to); neither holds a step that is done.

    A step that outcomes name is taken only where every decision made about it names it. What follows only steps not
    taken is not taken either.
    """
    closed, called = set[str](), set[str]()
    for step in procedure.steps:
        if step.id in done:
            continue
        deciders = [d for d in procedure.steps if any(step.id in way.to for way in d.outcomes.values())]
        made = [step.id in d.outcomes[done[d.id].outcome].to for d in deciders if d.id in done]
        never = deciders and not made and all(d.id in closed for d in deciders)
        alone = step.after and all(before in closed for before in step.after)
        if not all(made) or never or alone:
            closed.add(step.id)
        elif made:
            called.add(step.id)
    return closed, called


def reached(
    procedure: Procedure, done: Mapping[str, Act], closed: Collection[str], called: Collection[str]
) -> str | None:
    """The end come to: at once by an outcome that leads to nothing else, or when nothing needed is left."""
    ways = [_way(step, done[step.id]) for step in procedure.steps if step.id in done]
    destination = next(iter(procedure.ends))
    for way in filter(None, ways):
        ends = [to for to in way.to if to in procedure.ends]
        if ends and len(ends) == len(way.to):
            return ends[0]
        destination = ends[-1] if ends else destination
    left = (
        step.id not in done and step.id not in closed and (not step.optional or step.id in called)
        for step in procedure.steps
    )
    return destination if done and not any(left) else None


def _way(step: Step, act: Act) -> Outcome | None:
    return step.outcomes[act.outcome] if act.outcome else None


def _later(procedure: Procedure, step_id: str) -> set[str]:
    """Every step that comes after one, near or far."""
    found = {step_id}
    for step in procedure.steps:
        if found & set(step.after):
            found.add(step.id)
    return found - {step_id}


def _state(step: Step, done: Mapping[str, Act], why: Sequence[Reason]) -> State:
    kinds = {reason.kind for reason in why}
    if step.id in done and (not step.repeats or kinds):
        return "done"
    if kinds & {"not_taken", "passed", "ended"}:
        return "closed"
    if kinds & {"waits", "not_before", "beside"}:
        return "waiting"
    return "held" if kinds else "open"


def _reasons(
    file: CaseFile,
    step: Step,
    due: Due,
    checks: Sequence[Check],
    closed: Collection[str],
    called: Collection[str],
    end: str | None,
    on: date,
) -> tuple[Reason, ...]:
    """What keeps a step from being done on a day; of one that is done, only what forbids doing it again."""
    procedure, done = file.procedure, file.done
    if end is not None:
        return (Reason("ended", Label(zh="案件已办结", en="the case has ended"), (end,)),)
    if step.id in done:
        return ()
    if step.id in closed:
        return (Reason("not_taken", Label(zh="已选的结果不走这一步", en="not on the way that was taken")),)
    if passed := _later(procedure, step.id) & set(done):
        words = Label(zh="后续步骤已办，不再补办", en="what follows it is done already")
        return (Reason("passed", words, tuple(sorted(passed))),)
    found: list[Reason] = []
    if waits := waits_for(procedure, step, done, closed, called):
        labels = [procedure.step(name).label for name in waits]
        words = Label(
            zh="先办：" + "、".join(w.zh for w in labels), en="first: " + ", ".join(w.en for w in labels)
        )
        found.append(Reason("waits", words, tuple(waits)))
    running = tuple(name for name in step.beside if file.beside.get(name) is False)
    if running:
        words = Label(zh="并行的程序尚未办结", en="a procedure beside it has not ended")
        found.append(Reason("beside", words, running))
    if due.not_before and on < due.not_before:
        words = Label(zh=f"不得早于 {due.not_before}", en=f"not before {due.not_before}")
        before = {clock.parameter for clock in step.clocks if clock.side == "not_before"}
        cites = tuple(Cite(source=v.source, article=v.article) for v in due.law if v.name in before)
        found.append(Reason("not_before", words, day=due.not_before, cites=cites))
    return (*found, *unmet(checks, step.cites))


def unmet(checks: Sequence[Check], cites: Sequence[Cite] = ()) -> Iterator[Reason]:
    """The guards that fail or are unknown, as reasons; `cites` stand in where a guard has none of its own."""
    for check in checks:
        if check.truth is not None and check.truth.holds is not True:
            kind: Kind = "fails" if check.truth.holds is False else "unknown"
            yield Reason(
                kind, check.guard.because, check.truth.missing, cites=check.guard.cites or tuple(cites)
            )
