"""Situations of law/tests: facts, a date and a place, and what must follow: the lawyer's tests of the law."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, Final

import duckdb
import pyarrow as pa

from panhuo.core.problems import PanhuoError
from panhuo.diagnose.findings import rule_verdicts
from panhuo.match.options import clauses, judge_clauses
from panhuo.rulebook.book import Rulebook
from panhuo.rulebook.evaluate import VERDICT, judge, render
from panhuo.rulebook.facts import AS_OF, GEOMETRY, OWN_DATASETS, Law, connect, layers
from panhuo.rulebook.predicate import parse
from panhuo.rulebook.schema import Situation
from panhuo.rulebook.spec import SQL_TYPES, dataset_fields

GIVEN: Final = "given__"
WORDS: Final = {True: "yes", False: "no", None: "unknown"}
FIRST: Final = 3
ORDER: Final = {"open": 0, "check": 1, "closed": 2}

Case = tuple[str, Situation]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One expectation of a situation beside what the law gives. `kind` is finding, tool or first."""

    topic: str
    situation: str
    kind: str
    id: str
    expected: str
    got: str

    @property
    def holds(self) -> bool:
        return self.expected == self.got


def run_situations(book: Rulebook) -> list[Outcome]:
    """Every expectation of every situation of `book`, in the order of the files.

    Raises PanhuoError when a situation names an unknown fact, finding or tool.
    """
    cases = [(topic, s) for topic, situations in book.situations.items() for s in situations]
    found: dict[int, list[Outcome]] = {}
    numbered = sorted(enumerate(cases), key=lambda item: (_key(item[1]), item[0]))
    for (as_of, unit), group in groupby(numbered, key=lambda item: _key(item[1])):
        members = list(group)
        rows = _rows([case for _, case in members], Law(book, as_of), unit)
        for (number, case), row in zip(members, rows, strict=True):
            found[number] = list(_outcomes(case, row, book))
    return [outcome for number in range(len(cases)) for outcome in found[number]]


def _key(case: Case) -> tuple[date, str]:
    return case[1].as_of, "batch" if "batch_id" in case[1].facts else "parcel"


def _rows(cases: Sequence[Case], law: Law, unit: str) -> list[Row]:
    """Per case its verdict columns and the truth of every tool's clauses."""
    con = connect(1)
    _fact_table(con, cases, law, unit)
    judge(con, "facts", rule_verdicts(law, unit))
    columns = [VERDICT + finding for finding in law.book.rules]
    columns += [
        f"({render(law, part.item.when)}) AS {_clause_column(tool_id, part.id)}"
        for tool_id, tool in law.book.tools.items()
        for part in clauses(tool)
    ]
    rows: list[Row] = (
        con.sql(f"SELECT {', '.join(columns)} FROM facts ORDER BY situation").to_arrow_table().to_pylist()
    )
    con.close()
    return rows


def _clause_column(tool_id: str, clause_id: str) -> str:
    return f"{tool_id}__{clause_id.replace('.', '_')}"


def _fact_table(con: duckdb.DuckDBPyConnection, cases: Sequence[Case], law: Law, unit: str) -> None:
    """Creates `facts`: what a situation gives stands, what it does not is derived, or unknown."""
    facts = {name: fact for name, fact in law.book.facts.items() if fact.of == unit}
    kinds = {name: fact.type for name, fact in facts.items() if fact.dataset} | _field_kinds(
        OWN_DATASETS[unit]
    )
    derived = {name: fact for name, fact in facts.items() if not fact.dataset}
    for topic, case in cases:
        if strange := case.facts.keys() - kinds.keys() - derived.keys():
            where = f"{topic}: {case.name}"
            raise PanhuoError(f"没有定义这些事实 (no such fact): {sorted(strange)}", where=where)
    given = [{"division": case.place, **case.facts} for _, case in cases]
    columns = {name: [_known(row.get(name)) for row in given] for name in kinds}
    columns |= {GIVEN + name: [row.get(name) for row in given] for name in derived}
    types = kinds | {GIVEN + name: fact.type for name, fact in derived.items()}
    con.register("given", pa.table(columns))
    casts = [f"CAST({name} AS {SQL_TYPES[types[name]]}) AS {name}" for name in columns]
    others: dict[str, str] = {n: f.type for n, f in law.book.facts.items() if f.of != unit}
    others |= _field_kinds([d for owner, names in OWN_DATASETS.items() if owner != unit for d in names])
    blanks = [
        f"CAST(NULL AS {SQL_TYPES[kind]}) AS {name}" for name, kind in others.items() if name not in columns
    ]
    listed = ", ".join(
        [*casts, *blanks, f"DATE '{law.as_of}' AS {AS_OF}", "row_number() OVER () AS situation"]
    )
    con.execute(f"CREATE TEMP TABLE facts AS SELECT {listed} FROM given")
    for layer in layers(derived, set(con.table("facts").columns)):
        sets = ", ".join(
            f"coalesce({GIVEN}{name}, CAST({law.sql(parse(fact.sql))} AS {SQL_TYPES[fact.type]})) AS {name}"
            for name, fact in ((name, derived[name]) for name in layer)
        )
        con.execute(f"CREATE OR REPLACE TEMP TABLE facts AS SELECT *, {sets} FROM facts")


def _known(value: Any) -> Any:
    return None if value == "" else value


def _field_kinds(datasets: Sequence[str]) -> dict[str, str]:
    return {
        name: kind
        for d in reversed(datasets)
        for name, kind in dataset_fields(d).items()
        if name not in GEOMETRY
    }


def _outcomes(case: Case, row: Row, book: Rulebook) -> Iterator[Outcome]:
    topic, situation = case
    expect = situation.expect
    strange = expect.findings.keys() - book.rules.keys()
    strange |= {*expect.tools, *expect.first} - book.tools.keys()
    if strange:
        where = f"{topic}: {situation.name}"
        raise PanhuoError(f"没有这些发现或工具 (no such finding or tool): {sorted(strange)}", where=where)
    for finding, expected in expect.findings.items():
        yield Outcome(topic, situation.name, "finding", finding, expected, WORDS[row[VERDICT + finding]])
    offered = _offered(row, book, situation.as_of)
    for tool, status in expect.tools.items():
        got = offered[tool][0] if tool in offered else "absent"
        yield Outcome(topic, situation.name, "tool", tool, status, got)
    top = sorted(offered, key=lambda tool: (ORDER[offered[tool][0]], -offered[tool][1], tool))[:FIRST]
    for tool in expect.first:
        got = "first" if tool in top else ", ".join(top)
        yield Outcome(topic, situation.name, "first", tool, "first", got)


def _offered(row: Row, book: Rulebook, as_of: date) -> dict[str, tuple[str, float]]:
    """Status and fit of each tool that addresses a finding present or not ruled out."""
    weights: Mapping[str, float] = book.parameter("match.severity_weight", as_of).value
    offered: dict[str, tuple[str, float]] = {}
    for tool_id, tool in book.tools.items():
        held = [f for f in tool.addresses if row[VERDICT + f]]
        if not book.in_force(tool, as_of) or all(row[VERDICT + f] is False for f in tool.addresses):
            continue
        parts = clauses(tool)
        status, fit = judge_clauses(parts, [row[_clause_column(tool_id, part.id)] for part in parts])
        fit += sum(weights[book.rules[f].severity] for f in held)
        offered[tool_id] = ("check" if status == "open" and not held else status, fit)
    return offered
