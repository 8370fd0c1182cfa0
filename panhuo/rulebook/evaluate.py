"""Three-valued judgement of many predicates over a fact table, and the names of what is missing."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import duckdb

from panhuo.rulebook.facts import AS_OF, OWN_DATASETS, Law, connect
from panhuo.rulebook.predicate import Expression, parse
from panhuo.rulebook.schema import Fact
from panhuo.rulebook.spec import SQL_TYPES, dataset_fields

VERDICT: Final = "is_"


def judge(con: duckdb.DuckDBPyConnection, table: str, predicates: Mapping[str, str]) -> None:
    """Adds one boolean column per predicate (DuckDB text, already rendered) to the temporary table `table`."""
    if predicates:
        columns = ", ".join(f"CAST({sql} AS BOOLEAN) AS {name}" for name, sql in predicates.items())
        con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT *, {columns} FROM {table}")


def rests_on(expression: Expression, facts: Mapping[str, Fact], columns: Collection[str]) -> list[str]:
    """The facts whose being unknown decides what is missing for `expression`: those it names, and all behind them."""
    found: dict[str, None] = {}
    left = list(expression.names)
    while left:
        name = left.pop()
        if name not in found and (name in columns or name in facts):
            found[name] = None
            fact = facts.get(name)
            if fact is not None and fact.dataset is None:
                left += parse(fact.sql).names
    return sorted(found)


def missing(
    expression: Expression, facts: Mapping[str, Fact], columns: Collection[str], unknown: Collection[str]
) -> list[str]:
    """What is to be found out for `expression`, sorted, where the facts `unknown` are.

    A derived fact that is unknown is named by what it rests on itself, so that the list holds things a person can go
    and find out, not names of formulas.
    """
    found = {n for name in expression.names for n in _behind(name, facts, columns, unknown, frozenset())}
    return sorted(found)


def _behind(
    name: str,
    facts: Mapping[str, Fact],
    columns: Collection[str],
    unknown: Collection[str],
    above: frozenset[str],
) -> list[str]:
    """What is to be found out when `name` is unknown, empty when it is not."""
    if name in above or name not in unknown or (name not in columns and name not in facts):
        return []
    fact = facts.get(name)
    if fact is None or fact.dataset is not None:
        return [name]
    found = [
        n for inner in parse(fact.sql).names for n in _behind(inner, facts, columns, unknown, above | {name})
    ]
    # Undecided although all it rests on is known: the fact itself is what is to be found out.
    return found or [name]


def render(law: Law, text: str, column: str = "division") -> str:
    """DuckDB text of a predicate of the law on the law's date."""
    return law.sql(parse(text), column)


def truths_of(law: Law, facts: Mapping[str, Any], predicates: Mapping[str, str]) -> dict[str, bool | None]:
    """The truth of each of some predicates for one parcel; None is unknown.

    facts: its row of the fact table; a fact that is not in it is unknown.
    """
    if not predicates:
        return {}
    kinds: dict[str, str] = {name: fact.type for name, fact in law.book.facts.items()}
    for dataset in OWN_DATASETS["parcel"]:
        kinds |= dataset_fields(dataset)
    kinds |= {VERDICT + rule: "bool" for rule in law.book.rules} | {AS_OF: "date"}
    names = sorted({"division", *(n for text in predicates.values() for n in parse(text).names)})
    fields = ", ".join(f"CAST(? AS {SQL_TYPES[kinds[name]]}) AS {name}" for name in names)
    asked = ", ".join(f"CAST({render(law, text)} AS BOOLEAN)" for text in predicates.values())
    with connect(1) as con:
        row = con.execute(f"SELECT {asked} FROM (SELECT {fields})", [facts.get(n) for n in names]).fetchone()
    assert row is not None
    return dict(zip(predicates, row, strict=True))
