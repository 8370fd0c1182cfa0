"""The shape of a procedure (law/procedures/*.yaml): who does what, after what, on which paper, by when."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from panhuo.rulebook.book import LAW, read_folder
from panhuo.rulebook.predicate import PARAMETER, parse
from panhuo.rulebook.schema import Cite, Label, LawFile, Text

START = "start"
"""What a clock or a step without predecessors runs from: the day the procedure begins."""


def _parameter(text: str) -> str:
    if not PARAMETER.fullmatch(text):
        raise ValueError(f"not a $topic.name: {text}")
    return text


def checked_predicate(text: str) -> str:
    parse(text)
    return text


class Clock(LawFile):
    """A time limit: `days` is the parameter that holds the number (in its own `kind`), counted from the day after
    `of` is done: a step, or `start`. `side` says whether the step is due by then or may not come before."""

    days: Annotated[Text, AfterValidator(_parameter)]
    kind: Literal["calendar", "working", "months", "years"]
    of: Text = START
    side: Literal["by", "not_before"] = "by"
    since: Literal["done", "due"] = "done"
    """Whether it is counted from the day `of` is done or from the last day on which it could be."""

    @property
    def parameter(self) -> str:
        """The dotted name of the parameter."""
        return self.days.removeprefix("$")


class Guard(LawFile):
    """What must hold before a step: words, and the predicate over facts where there is one. `id`: what notices name it
    by."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] | None = None
    because: Label
    when: Annotated[Text, AfterValidator(checked_predicate)] | None = None
    cites: tuple[Cite, ...] = ()


def keyed(head: str, guards: Iterable[Guard]) -> Iterator[tuple[str, Guard]]:
    """Guards with their keys: the head and their id, or their number where they have none."""
    return ((f"{head}.{guard.id or n}", guard) for n, guard in enumerate(guards))


class Outcome(LawFile):
    """One way a step may go. `to`: the steps that follow this way only, and the end it leads to: reached at once where
    it stands alone, else when nothing that must be done is left. `sets`: the facts it settles, with their values;
    `guard`: what must hold for it, beside what the step itself asks."""

    label: Label
    to: tuple[str, ...] = ()
    guard: tuple[Guard, ...] = ()
    sets: dict[str, bool | int | float | str] = Field(default_factory=dict)


ActorKind = Literal["approver", "holder", "taker", "operator", "park", "platform"]


class Actor(Label):
    """Who does steps. kind: an `approver` decides; the rest are those whose own steps are theirs to file; None: the
    office and whoever it deals with, whose steps it records."""

    kind: ActorKind | None = None


class Step(LawFile):
    """One act. It may begin when all of `after` are done; steps with the same `after` run side by side."""

    id: Text
    label: Label
    role: Text
    after: tuple[str, ...] = ()
    paper: Label | None = None
    clocks: tuple[Clock, ...] = ()
    guard: tuple[Guard, ...] = ()
    outcomes: dict[str, Outcome] = Field(default_factory=dict)
    refuses: tuple[Label, ...] = ()
    optional: bool = False
    """Taken only when an outcome leads to it or somebody asks; unless one does, what follows does not wait for it."""
    repeats: bool = False
    """May be done again and again, as a yearly check is."""
    confirms: Text | None = None
    """The fact whose value is the day this step is done."""
    beside: tuple[str, ...] = ()
    """Procedures that may run beside the case: one opened for it must have ended before this step."""
    notices: tuple[str, ...] = ()
    """The documents of report/notices.py that go with it."""
    cites: tuple[Cite, ...] = ()


class AtOnce(LawFile):
    """Steps done on one day as one act, all or none, and what is rehearsed before."""

    steps: tuple[Text, ...] = Field(min_length=2)
    because: Label
    rehearse: tuple[Label, ...] = ()
    cites: tuple[Cite, ...] = ()


class Procedure(LawFile):
    """law/procedures/<id>.yaml."""

    label: Label
    summary: Label
    roles: dict[str, Actor] = Field(min_length=1)
    steps: list[Step] = Field(min_length=1)
    ends: dict[str, Label] = Field(min_length=1)
    """How a case may end; the first is the one it comes to where no outcome leads to another."""
    at_once: tuple[AtOnce, ...] = ()
    then: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """End → the procedures that may follow it."""
    any_parcel: bool = False
    """Open to any parcel, whatever its tools: an inquiry or an approval, which takes nothing from anybody."""
    cites: list[Cite] = Field(min_length=1)
    note: str = ""

    @model_validator(mode="after")
    def _hangs_together(self) -> "Procedure":
        ids = [step.id for step in self.steps]
        if len(ids) != len(set(ids)):
            raise ValueError("a step's id is given twice")
        seen: set[str] = set()
        for step in self.steps:
            if stray := set(step.after) - seen:
                raise ValueError(f"{step.id} comes after steps not listed before it: {sorted(stray)}")
            if step.role not in self.roles:
                raise ValueError(f"{step.id}: no such role {step.role}")
            if stray := {clock.of for clock in step.clocks} - {START, *ids} | {step.id} & {
                clock.of for clock in step.clocks
            }:
                raise ValueError(f"{step.id}: its clock runs from no other step: {sorted(stray)}")
            seen.add(step.id)
            if stray := {to for way in step.outcomes.values() for to in way.to} - {*ids, *self.ends}:
                raise ValueError(f"{step.id} leads to unknown steps: {sorted(stray)}")
            if stray := {to for way in step.outcomes.values() for to in way.to} & seen:
                raise ValueError(f"{step.id} leads back to steps listed before it: {sorted(stray)}")
        keys = [key for key, _ in self.guards]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise ValueError(f"guards of one id: {sorted(twice)}")
        if stray := self.then.keys() - self.ends.keys():
            raise ValueError(f"what follows is said of unknown ends: {sorted(stray)}")
        for chain in self.at_once:
            for before, step_id in pairwise(chain.steps):
                if step_id not in ids or before not in self.step(step_id).after:
                    raise ValueError(f"done at once, but {step_id} does not follow {before}")
        return self

    def step(self, step_id: str) -> Step:
        """The step of that id; KeyError when there is none."""
        return {step.id: step for step in self.steps}[step_id]

    @property
    def guards(self) -> Iterator[tuple[str, Guard]]:
        """Every guard with its key: step.id, or step.outcome.id, the number for an id where it has none."""
        for step in self.steps:
            yield from keyed(step.id, step.guard)
            for name, way in step.outcomes.items():
                yield from keyed(f"{step.id}.{name}", way.guard)

    def chain(self, step_id: str) -> AtOnce | None:
        """The steps that are done at once with that one."""
        return next((chain for chain in self.at_once if step_id in chain.steps), None)


@lru_cache(maxsize=4)
def load_procedures(root: Path | None = None) -> Mapping[str, Procedure]:
    """The procedures by id under `root` (the packaged law when None); PanhuoError for one that does not fit."""
    return read_folder((root or LAW) / "procedures", Procedure)
