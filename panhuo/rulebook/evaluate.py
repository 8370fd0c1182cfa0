"""Three-valued judgement of many predicates over a fact table, and the names of what is missing."""

from collections.abc import Collection, Mapping
from typing import Final

import duckdb

from panhuo.rulebook.facts import Law
from panhuo.rulebook.predicate import Expression, parse
from panhuo.rulebook.schema import Fact

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
