"""The fourteen themes of the land-enterprise map joined to one record per parcel and one per enterprise.

Which theme takes what from which dataset is data (spec/land_enterprise.yaml).
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal

import duckdb
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, field_validator

from panhuo.rulebook.book import SPEC, read_yaml
from panhuo.rulebook.facts import connect
from panhuo.rulebook.predicate import parse
from panhuo.rulebook.schema import Label
from panhuo.rulebook.spec import SQL_TYPES, dataset_fields

KEYS: Final = {"parcel": "parcel_id", "enterprise": "enterprise_id"}


class Column(BaseModel):
    """A column of a theme: an aggregate; `zh`, `en` and `unit` where it is no field of its dataset."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sql: str
    zh: str = ""
    en: str = ""
    unit: str = ""


class Theme(BaseModel):
    """One theme: the dataset it reads and its columns, aggregates by the key of `of`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Label
    of: Literal["parcel", "enterprise"]
    dataset: str
    columns: dict[str, Column]

    @field_validator("columns", mode="before")
    @classmethod
    def _with_sql(cls, given: dict[str, object]) -> dict[str, object]:
        """A column that is a field of its dataset is written as its aggregate alone."""
        return {name: {"sql": one} if isinstance(one, str) else one for name, one in given.items()}


@lru_cache
def themes() -> Mapping[str, Theme]:
    """The themes by id, in the order of the file."""
    given = read_yaml(SPEC / "land_enterprise.yaml")
    return {name: Theme.model_validate(one) for name, one in given.items()}


def fields_read(of: Literal["parcel", "enterprise"]) -> dict[str, list[str]]:
    """Dataset or result table → the fields that the themes of parcels or of enterprises are drawn from, key first."""
    read: dict[str, list[str]] = {}
    for theme in themes().values():
        if theme.of == of:
            drawn = [name for column in theme.columns.values() for name in _names(column.sql)]
            fields = [*read.get(theme.dataset, [KEYS[of]]), *drawn]
            read[theme.dataset] = list(dict.fromkeys(fields))
    return read


def records(tables: Mapping[str, pa.Table | None], of: Literal["parcel", "enterprise"]) -> pa.Table:
    """One row per parcel or enterprise that any theme knows, with the columns of every theme.

    tables: datasets and result tables by name; those absent leave their columns NULL (unknown, not none). Ordered
    by key.
    """
    con, key = connect(), KEYS[of]
    mine = {name: theme for name, theme in themes().items() if theme.of == of}
    for dataset, fields in fields_read(of).items():
        _register(con, dataset, tables.get(dataset), fields)
    parts = {
        name: f"SELECT {key}, {', '.join(f'{one.sql} AS {column}' for column, one in theme.columns.items())}"
        f" FROM {theme.dataset} WHERE {key} IS NOT NULL GROUP BY {key}"
        for name, theme in mine.items()
    }
    every = " UNION ".join(f"SELECT {key} FROM ({sql})" for sql in parts.values())
    joins = " ".join(f"LEFT JOIN ({sql}) theme_{name} USING ({key})" for name, sql in parts.items())
    return con.execute(f"SELECT * FROM ({every}) {joins} ORDER BY {key}").to_arrow_table()


def coverage(table: pa.Table, of: Literal["parcel", "enterprise"]) -> pa.Table:
    """How far each theme reaches: (theme, zh, en, known, records) where any of its columns is known."""
    rows = []
    for name, theme in themes().items():
        if theme.of == of:
            masks = [pa.compute.is_valid(table[column]) for column in theme.columns]
            known = masks[0]
            for mask in masks[1:]:
                known = pa.compute.or_(known, mask)
            reached = pa.compute.sum(known).as_py() or 0
            rows.append({
                "theme": name, "zh": theme.label.zh, "en": theme.label.en, "known": reached, "records": table.num_rows,
            })  # fmt: skip
    return pa.Table.from_pylist(rows)


def _names(sql: str) -> list[str]:
    return list(parse(sql, aggregate=True).names)


def _register(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table | None, fields: list[str]) -> None:
    """The wanted fields of a table, absent ones as typed NULLs."""
    held = pa.table({"_": pa.array([], pa.int8())}) if table is None else table
    con.register("held", held)
    kinds = _kinds(name)
    columns = ", ".join(
        f"CAST({f if f in held.column_names else 'NULL'} AS {SQL_TYPES[kinds[f]]}) AS {f}" for f in fields
    )
    con.execute(f"CREATE TEMP TABLE {name} AS SELECT {columns} FROM held")


def _kinds(name: str) -> Mapping[str, str]:
    """Field → type of a dataset or a result table."""
    result = SPEC / "results" / f"{name}.yaml"
    if result.is_file():
        return {column: str(spec["type"]) for column, spec in read_yaml(result)["columns"].items()}
    return dataset_fields(name)
