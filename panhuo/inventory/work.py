"""A table on its way to a dataset: the columns ready so far and the faults met."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

import pyarrow as pa

from panhuo.core.problems import Problem, Severity
from panhuo.inventory.mapping import Plan
from panhuo.inventory.readers import RawTable
from panhuo.inventory.spec import problem, problem_types
from panhuo.inventory.values import Fault

KEY_FAULTS: Final = ("key_missing", "duplicate_key", "required_missing", "shifted_row")
"""Errors that no plan overlooks: without its key a row cannot be told from others."""


@dataclass
class Work:
    """A table being taken: the columns ready so far and the faults met."""

    raw: RawTable
    plan: Plan
    today: date
    columns: dict[str, pa.Array]
    faults: list[tuple[str, Fault]]
    notes: list[Problem]
    blanks: dict[pa.DataType, pa.Array] = field(default_factory=dict)

    def blank(self, type: pa.DataType) -> pa.Array:
        """A column of unknowns; all of one type share their memory."""
        if type not in self.blanks:
            self.blanks[type] = pa.nulls(self.raw.rows, type)
        return self.blanks[type]

    def add(self, name: str, faults: list[Fault]) -> None:
        """Faults of a field."""
        self.faults.extend((name, f) for f in faults)

    def severity(self, fault: Fault) -> Severity:
        """How bad a fault is under the plan: a lenient one takes cells that cannot be as unknown."""
        severity = problem_types()[fault.type].severity
        return (
            "warning"
            if severity == "error" and self.plan.lenient and fault.type not in KEY_FAULTS
            else severity
        )

    def note(self, type: str, *, field: str = "", value: str = "", action: str = "") -> None:
        """A problem of the whole table."""
        self.notes.append(problem(type, file=self.raw.where, field=field, value=value, action=action))
