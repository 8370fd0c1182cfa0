"""One row per unit with every fact the law speaks of: fields of the datasets, aggregates over them, expressions.

The rows are built as one SQL text, layer in layer, so that DuckDB computes them in one pass: fields of the unit's own
datasets, then aggregates joined by parcel, then expressions over what is already there, then the verdicts.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.problems import PanhuoError
from panhuo.rulebook.book import Rulebook
from panhuo.rulebook.predicate import Expression, by_place, literal, parse
from panhuo.rulebook.schema import Fact
from panhuo.rulebook.spec import SQL_TYPES, dataset_fields

AS_OF: Final = "as_of"
OWN_DATASETS: Final = {"parcel": ("parcels", "contracts", "spatial"), "batch": ("batches",)}
"""The datasets whose fields are facts of a unit: each holds at most one current row of it."""

KEYS: Final = {"parcel": "parcel_id", "batch": "batch_id"}
GEOMETRY: Final = "geometry"
VIRTUAL: Final = {
    # Who uses a parcel, with the enterprise's own figures of its latest year; unknown ones of a firm not in the table.
    "occupants": """
        SELECT o.*, e.* EXCLUDE (enterprise_id) FROM occupancies o LEFT JOIN (
            SELECT * FROM enterprises QUALIFY row_number() OVER (PARTITION BY enterprise_id ORDER BY year DESC) = 1
        ) e USING (enterprise_id)""",
}
VIRTUAL_NEEDS: Final = {"occupants": ("occupancies", "enterprises")}

UNITS: Final = "units"
"""The units' facts so far, worked out for aggregates that read them."""

Tables = Mapping[str, pa.Table]


@dataclass(frozen=True)
class Law:
    """The rulebook on one date: what is in force, and expressions rendered with that date's values."""

    book: Rulebook
    as_of: date
    _rendered: dict[tuple[str, str], str] = field(default_factory=dict, compare=False, repr=False)
    worked_out: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)
    """What stages have found under this law for a pattern of truths, for the next county that shows the same."""

    def sql(self, expression: Expression, column: str = "division") -> str:
        """DuckDB text of `expression` with every parameter valued at the date, by place where places differ."""

        def parameter(name: str) -> str:
            national = (
                self.book.parameter(name, self.as_of).value if self.book.has_value(name, self.as_of) else None
            )
            return by_place(national, self.book.overlays(name, self.as_of), column)

        key = (expression.text, column)
        if key not in self._rendered:
            self._rendered[key] = expression.sql(parameter)
        return self._rendered[key]


def connect(threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that never reaches for the network and divides by zero into NULL (unknown).

    threads: all by default. Rows keep the order of a registered table for certain only with one: a join loses it, and
    `x IN (…)` of many values is one.
    """
    con = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    con.execute("SET ieee_floating_point_ops = false; SET preserve_insertion_order = true")
    if threads:
        con.execute(f"SET threads = {threads}")
    return con


def fact_rows(
    con: duckdb.DuckDBPyConnection,
    tables: Tables,
    law: Law,
    unit: str = "parcel",
    verdicts: Mapping[str, str] | None = None,
) -> pa.Table:
    """Every fact of each `unit`, one row each, in the order of its table; then a boolean column for each of `verdicts`
    (DuckDB text over the facts).

    tables: dataset name → rows; a dataset that is absent leaves its facts NULL (unknown).
    """
    for name, table in tables.items():
        con.register(name, table.select([c for c in table.column_names if c != GEOMETRY]))
    key, first = KEYS[unit], OWN_DATASETS[unit][0]
    query, have = _fields(tables, unit, law.as_of)
    facts = {name: fact for name, fact in law.book.facts.items() if fact.of == unit}
    for layer in layers(facts, have):
        members = {name: facts[name] for name in layer}
        if any(_looks_at_units(fact, tables) for fact in members.values()):
            con.execute(f"CREATE OR REPLACE TEMP TABLE {UNITS} AS {query}")
            query = f"SELECT * FROM {UNITS}"
        query = _added(query, members, tables, law, key)
        have.update(layer)
    query = f"SELECT *{_blanks(have, law, unit)} FROM ({query})"
    columns = "".join(f", CAST({sql} AS BOOLEAN) AS {name}" for name, sql in (verdicts or {}).items())
    rows = con.sql(f"SELECT *{columns} FROM ({query})").to_arrow_table()
    return _in_order(rows, tables[first][key], key)


def _in_order(rows: pa.Table, keys: pa.ChunkedArray, key: str) -> pa.Table:
    """`rows` in the order of `keys`: a join keeps the order of its left side unless the planner swapped them."""
    if rows[key].equals(keys.cast(rows[key].type)):
        return rows
    at = pc.index_in(keys, rows[key].combine_chunks())
    return rows.take(at)


def _blanks(have: Collection[str], law: Law, unit: str) -> str:
    """SQL of what only other units have as typed NULLs, so that one clause can speak of parcels and batches."""
    kinds: dict[str, str] = {name: fact.type for name, fact in law.book.facts.items() if fact.of != unit}
    for other in OWN_DATASETS.keys() - {unit}:
        for dataset in OWN_DATASETS[other]:
            kinds |= dataset_fields(dataset)
    return "".join(
        f", CAST(NULL AS {SQL_TYPES[kind]}) AS {name}"
        for name, kind in sorted(kinds.items())
        if name not in have and name != GEOMETRY
    )


def layers(facts: Mapping[str, Fact], have: Collection[str]) -> Iterable[list[str]]:
    """The facts in an order in which each one's inputs come before it, as many at a time as possible.

    Raises PanhuoError naming the facts that need an unknown name or each other.
    """
    known, left = set(have), {name: _needs(fact) for name, fact in facts.items() if name not in have}
    while left:
        ready = sorted(name for name, needs in left.items() if needs <= known)
        if not ready:
            stuck = {name: sorted(needs - known) for name, needs in left.items()}
            raise PanhuoError(f"事实缺少来源或互相依赖 (facts need unknown names or each other): {stuck}")
        yield ready
        known.update(ready)
        for name in ready:
            del left[name]


def _needs(fact: Fact) -> set[str]:
    if fact.dataset == "parcels" and fact.group:  # aggregates over the facts of the unit itself
        return {fact.group, *parse(fact.sql, aggregate=True).names}
    if fact.dataset:
        return {fact.group} if fact.group else set()
    return set(parse(fact.sql).names)


def _fields(tables: Tables, unit: str, as_of: date) -> tuple[str, set[str]]:
    """SQL of the unit's own rows with the fields of its datasets, and their names; absent ones are typed NULLs."""
    key, first = KEYS[unit], OWN_DATASETS[unit][0]
    taken: set[str] = {key, AS_OF}
    columns = [f"{first}.{key}", f"DATE '{as_of}' AS {AS_OF}"]
    joins: list[str] = []
    for name in OWN_DATASETS[unit]:
        held = set(tables[name].column_names) if name in tables else set()
        for column, kind in dataset_fields(name).items():
            if column not in taken and column != GEOMETRY:
                source = f"{name}.{column}" if column in held else "NULL"
                columns.append(f"CAST({source} AS {SQL_TYPES[kind]}) AS {column}")
                taken.add(column)
        if name != first and name in tables:
            joins.append(f"LEFT JOIN ({_current(name, key, held)}) {name} USING ({key})")
    return f"SELECT {', '.join(columns)} FROM {first} {' '.join(joins)}", taken


def _current(name: str, key: str, held: Collection[str]) -> str:
    """The latest row of each unit: a re-signed contract replaces the earlier one."""
    order = (
        ", ".join(f"{field} DESC NULLS LAST" for field in ("signed_on", "contract_no") if field in held)
        or key
    )
    first = f"row_number() OVER (PARTITION BY {key} ORDER BY {order}) = 1"
    return f"SELECT * FROM {name} WHERE {key} IS NOT NULL QUALIFY {first}"


def _added(query: str, facts: Mapping[str, Fact], tables: Tables, law: Law, key: str) -> str:
    """`query` with one layer of facts more: expressions in place, aggregates by one join per source."""
    columns, joins = dict.fromkeys(facts, "NULL"), list[str]()
    sources: dict[tuple[str, str | None, str | None], dict[str, Fact]] = {}
    for name, fact in facts.items():
        if fact.dataset is None:
            columns[name] = law.sql(parse(fact.sql))
        elif _held(fact.dataset, tables) and not _grouped(fact, tables):
            columns[name] = literal(fact.empty)
        elif _held(fact.dataset, tables):
            sources.setdefault((fact.dataset, fact.group, fact.join), {})[name] = fact
    for number, ((dataset, group, join), members) in enumerate(sources.items()):
        alias = f"a{number}"
        by = group or key
        joins.append(
            f"LEFT JOIN ({_aggregate(dataset, by, join, members, law)}) {alias} ON {alias}.{by} = f.{by}"
        )
        for name, fact in members.items():
            columns[name] = f"{alias}.{name}"
            if fact.empty is not None:
                columns[name] = (
                    f"CASE WHEN {alias}.{by} IS NULL THEN {literal(fact.empty)} ELSE {alias}.{name} END"
                )
    added = ", ".join(
        f"CAST({sql} AS {SQL_TYPES[facts[name].type]}) AS {name}" for name, sql in columns.items()
    )
    return f"SELECT f.*, {added} FROM ({query}) f {' '.join(joins)}"


def _held(dataset: str, tables: Tables) -> bool:
    return all(name in tables for name in VIRTUAL_NEEDS.get(dataset, (dataset,)))


def _grouped(fact: Fact, tables: Tables) -> bool:
    """Whether an aggregate over the parcels themselves has any group to speak of (sites are few or none)."""
    if fact.dataset != "parcels" or not fact.group:
        return True
    parcels = tables["parcels"]
    return fact.group in parcels.column_names and parcels[fact.group].null_count < parcels.num_rows


def _looks_at_units(fact: Fact, tables: Tables) -> bool:
    """Whether a fact is an aggregate that reads the facts of the units themselves, which must then be worked out."""
    if fact.dataset is None or not _held(fact.dataset, tables):
        return False
    return fact.join is not None or (fact.dataset == "parcels" and _grouped(fact, tables))


def _aggregate(dataset: str, by: str, join: str | None, members: Mapping[str, Fact], law: Law) -> str:
    """SQL of one row per group with each member's aggregate."""
    values = ", ".join(
        f"{law.sql(parse(fact.sql, aggregate=True), 'NULL')} AS {name}" for name, fact in members.items()
    )
    if join:
        condition = law.sql(parse(join), "p.division")
        return f"SELECT p.{by}, {values} FROM {UNITS} p JOIN {dataset} d ON {condition} GROUP BY ALL"
    if dataset == "parcels":
        source = UNITS
    else:
        rows = VIRTUAL.get(dataset, f"SELECT * FROM {dataset}")
        source = f"(SELECT *, DATE '{law.as_of}' AS {AS_OF}, {_ended(dataset)} AS ended FROM ({rows}))"
    return f"SELECT {by}, {values} FROM {source} WHERE {by} IS NOT NULL GROUP BY {by}"


def _ended(dataset: str) -> str:
    """Whether a row's right or use is over on the day: an open end is not an end."""
    names = {"occupants": ("occupancies",)}.get(dataset, (dataset,))
    if any("until_on" in dataset_fields(name) for name in names):
        return f"coalesce(until_on < {AS_OF}, FALSE)"
    return "FALSE"
