"""The shape of a notice (law/notices/*.yaml): an official document with the places its facts go."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from panhuo.core.problems import PanhuoError
from panhuo.rulebook.book import LAW, read_folder
from panhuo.rulebook.procedure import Guard, checked_predicate, load_procedures
from panhuo.rulebook.schema import Cite, Label, LawFile, Text

PLACE: Final = re.compile(r"\{(\$?[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)?)(:%)?\}")
"""Where a value goes: a fact, a $topic.parameter, or day., outcome., note. of a step; `:%`: a share in percent."""


class Line(LawFile):
    """One paragraph. `head`: a section's heading; `when`: only where the predicate holds (unknown: marked as
    to verify); `given`: only where these steps went this way."""

    text: Text
    head: bool = False
    when: Annotated[Text, AfterValidator(checked_predicate)] | None = None
    given: dict[str, str] = Field(default_factory=dict)


class Notice(LawFile):
    """law/notices/<id>.yaml: an official document, in Chinese as offices write it."""

    label: Label
    title: Text
    signed_on: Text
    """The step whose day it is dated."""
    steps: dict[str, Text] = Field(default_factory=dict)
    """What each step whose day, outcome or note is filled in is called in a blank."""
    requires: tuple[Text, ...] = ()
    """The guards, <procedure>.<key>, none of which may be false where it is written."""
    body: tuple[Line, ...] = Field(min_length=1)
    copies: tuple[Line, ...] = ()
    """Who gets a copy."""
    cites: list[Cite] = Field(min_length=1)
    _guards: tuple[Guard, ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _names_its_steps(self) -> "Notice":
        told = {name.partition(".")[2] for name in self.places if "." in name and not name.startswith("$")}
        if stray := told - self.steps.keys():
            raise ValueError(f"steps filled in but not named: {sorted(stray)}")
        return self

    @property
    def guards(self) -> tuple[Guard, ...]:
        """What it requires."""
        return self._guards

    @property
    def places(self) -> Iterator[str]:
        """What is filled in, in order."""
        for line in (*self.body, *self.copies):
            yield from (hit[1] for hit in PLACE.finditer(line.text))

    @property
    def predicates(self) -> Iterator[str]:
        """The predicates its lines and requirements hang on."""
        yield from (line.when for line in (*self.body, *self.copies) if line.when)
        yield from (guard.when for guard in self.guards if guard.when)

    @property
    def fact_names(self) -> list[str]:
        """The facts filled in."""
        return list(dict.fromkeys(name for name in self.places if "." not in name))

    @property
    def parameters(self) -> list[str]:
        """The dotted names of the parameters filled in."""
        return [name.removeprefix("$") for name in self.places if name.startswith("$")]


@lru_cache(maxsize=4)
def load_notices(root: Path | None = None) -> Mapping[str, Notice]:
    """The notices by id under `root` (the packaged law when None); PanhuoError for one that does not fit."""
    folder = (root or LAW) / "notices"
    procedures = load_procedures(root).items()
    known = {f"{name}.{key}": guard for name, one in procedures for key, guard in one.guards if guard.when}
    found = read_folder(folder, Notice)
    for name, notice in found.items():
        if stray := [key for key in notice.requires if key not in known]:
            raise PanhuoError(
                f"文书要求的条件不在程序中 (no procedure has such guards over facts): {', '.join(stray)}",
                where=str(folder / f"{name}.yaml"),
                remedy="写作 程序.步骤.条件 id write procedure.step.id of a guard",
            )
        notice._guards = tuple(known[key] for key in notice.requires)
    return found
