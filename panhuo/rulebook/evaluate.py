"""Three-valued judgement of many predicates over the fact table in one pass, and the names of what is missing."""

from collections.abc import Mapping
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


def missing_sql(expression: Expression, facts: Mapping[str, Fact], columns: set[str]) -> str:
    """DuckDB text of the sorted list of facts that are NULL and that `expression` rests on.

    A derived fact that is NULL is named by what it rests on itself, so that the list holds things a person can go and
    find out, not names of formulas.
    """
    parts = [part for name in expression.names if (part := _missing_of(name, facts, columns, frozenset()))]
    if not parts:
        return "''"
    listed = ", ".join(parts)
    return f"array_to_string(list_sort(list_distinct(list_filter(flatten([{listed}]), x -> x IS NOT NULL))), ',')"


def _missing_of(name: str, facts: Mapping[str, Fact], columns: set[str], above: frozenset[str]) -> str:
    """DuckDB text of a list of names: what is to be found out when `name` is NULL, empty when it is not."""
    if name in above or (name not in columns and name not in facts):
        return ""
    fact = facts.get(name)
    if fact is None or fact.dataset is not None:
        return f"CASE WHEN {name} IS NULL THEN ['{name}'] ELSE [] END"
    parts = [
        part
        for inner in parse(fact.sql).names
        if (part := _missing_of(inner, facts, columns, above | {name}))
    ]
    if not parts:
        return f"CASE WHEN {name} IS NULL THEN ['{name}'] ELSE [] END"
    # Undecided although all it rests on is known: the fact itself is what is to be found out.
    inner = f"list_transform([flatten([{', '.join(parts)}])], x -> CASE WHEN len(x) = 0 THEN ['{name}'] ELSE x END)[1]"
    return f"CASE WHEN {name} IS NULL THEN {inner} ELSE [] END"


def render(law: Law, text: str, column: str = "division") -> str:
    """DuckDB text of a predicate of the law on the law's date."""
    return law.sql(parse(text), column)
