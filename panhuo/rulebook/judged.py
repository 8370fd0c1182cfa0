"""Small tables judged by a scheme's SQL: rows with every field the scheme names, absent ones typed NULLs."""

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from panhuo.rulebook.facts import connect
from panhuo.rulebook.predicate import parse


def held(
    rows: pa.Table, expressions: Iterable[str], *, types: dict[str, pa.DataType] | None = None
) -> pa.Table:
    """`rows` with a NULL column for each name of `expressions` it lacks (float unless `types` says otherwise)."""
    known = types or {}
    for name in dict.fromkeys(name for text in expressions for name in parse(text).names):
        if name not in rows.column_names:
            rows = rows.append_column(name, pa.nulls(rows.num_rows, known.get(name, pa.float64())))
    return rows


def opened(**tables: pa.Table) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with the tables registered by name."""
    con = connect()
    for name, table in tables.items():
        con.register(name, table)
    return con


def missing(expressions: Iterable[str]) -> str:
    """SQL of the comma-separated names of `expressions` that are NULL in a row."""
    names = dict.fromkeys(name for text in expressions for name in parse(text).names)
    cases = ", ".join(f"CASE WHEN {name} IS NULL THEN '{name}' END" for name in names)
    return f"concat_ws(',', {cases})" if cases else "''"
