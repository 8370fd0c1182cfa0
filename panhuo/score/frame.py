"""Everything a scheme asks of each firm, computed in one SQL pass: class, group, cell, bonuses, indicator parts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pyarrow as pa

from panhuo.rulebook.facts import connect
from panhuo.rulebook.predicate import parse
from panhuo.rulebook.scheme_schema import Scheme
from panhuo.rulebook.spec import SQL_TYPES, dataset_fields
from panhuo.score.points import Bools, Floats, Ints

DERIVED: Final = {
    "land_mu": "land_m2 * 3 / 2000",
    "own_mu": "own_m2 * 3 / 2000",
    "rented_in_mu": "rented_in_m2 * 3 / 2000",
    "rented_out_mu": "rented_out_m2 * 3 / 2000",
    "years_open": "year(as_of) - year(opened_on)"
    " - CAST(opened_on + to_years(CAST(year(as_of) - year(opened_on) AS INTEGER)) > as_of AS INTEGER)",
    "industry_2": r"nullif(regexp_extract(industry, '\d{2}'), '')",
    "city": "left(division, 4)",
    "county": "left(division, 6)",
}
"""Names a scheme may use beside the fields of `enterprises`: land of the year [亩], full years open, codes."""

ALWAYS: Final = ("industry", "division", "opened_on")
NO_GROUP: Final = -1
UNKNOWN: Final = -2


@dataclass(frozen=True)
class Frame:
    """One row per firm, ordered by enterprise_id; `columns` holds the arrays named by the functions below."""

    ids: pa.Array
    columns: dict[str, np.ndarray[Any, Any]]
    land_note: pa.Array

    def number(self, name: str) -> Floats:
        """A column as floats, NaN for NULL."""
        return np.asarray(self.columns[name], dtype=np.float64)

    def integer(self, name: str) -> Ints:
        """A column that is never NULL, as integers."""
        return np.asarray(self.columns[name], dtype=np.int64)

    def text(self, name: str) -> np.ndarray[Any, Any]:
        """A column of words, "" for NULL."""
        return self.columns[name]


@dataclass(frozen=True)
class Standing:
    """Where each firm of a frame stands: its class, veto, group (−1 none, −2 unknown) and ranking cell."""

    frame: Frame
    class_no: Ints
    veto_no: Ints
    group_no: Ints
    part: Ints
    parts: int

    @property
    def ranked(self) -> Bools:
        """Firms that enter the ranking and the means: in a group, in no class, without a veto."""
        return np.asarray((self.class_no < 0) & (self.veto_no < 0) & (self.group_no >= 0))


def expressions(scheme: Scheme) -> Iterator[tuple[str, str, str]]:
    """(column, SQL, kind) of every expression of the scheme; kind is number or text."""
    if scheme.classes:
        yield "class_no", _first_true([c.when for c in scheme.classes.values()]), "number"
    for k, one in enumerate(scheme.classes.values()):
        yield f"class_unknown_{k}", f"CAST(({one.when}) IS NULL AS INTEGER)", "number"
    yield "group_no", _first_true_known([g.when for g in scheme.groups.values()]), "number"
    if scheme.veto:
        yield "veto_no", _first_true([v.when for v in scheme.veto.values()]), "number"
    for k, extra in enumerate(scheme.bonus.values()):
        yield f"bonus_{k}", f"CAST(({extra.when}) AS INTEGER)", "number"
    yield "partition", scheme.partition or "''", "text"
    for g, group in enumerate(scheme.groups.values()):
        for i, indicator in enumerate(group.indicators.values()):
            yield f"n_{g}_{i}", indicator.numerator, "number"
            yield f"d_{g}_{i}", indicator.denominator, "number"
            yield f"k_{g}_{i}", indicator.base.by or "''", "text"


def build(firms: pa.Table, land: pa.Table, scheme: Scheme, on: date) -> Frame:
    """The frame of `firms` (one row each) with their land bases, on a date. The scheme must be bound."""
    asked = {name: (sql, kind) for name, sql, kind in expressions(scheme)}
    con = connect()
    con.register("given", firms)
    con.register("land", land)
    absent = _absent(asked, firms.column_names)
    derived = ", ".join(f"{sql} AS {name}" for name, sql in DERIVED.items())
    columns = ", ".join(
        f"CAST(({sql}) AS {'VARCHAR' if kind == 'text' else 'DOUBLE'}) AS {name}"
        for name, (sql, kind) in asked.items()
    )
    table = con.execute(
        f"WITH firm AS (SELECT DISTINCT ON (enterprise_id) *{absent}, DATE '{on}' AS as_of FROM given"
        f" WHERE enterprise_id IS NOT NULL),"
        f" held AS (SELECT firm.*, land.* EXCLUDE (enterprise_id) FROM firm LEFT JOIN land USING (enterprise_id)),"
        f" known AS (SELECT *, {derived} FROM held)"
        f" SELECT enterprise_id, land_mu, {LAND_NOTE} AS land_note, {columns} FROM known ORDER BY enterprise_id"
    ).to_arrow_table()
    arrays = {name: _array(table[name], kind) for name, (_, kind) in asked.items()}
    arrays["land_mu"] = _array(table["land_mu"], "number")
    return Frame(table["enterprise_id"].combine_chunks(), arrays, table["land_note"].combine_chunks())


def standings(frame: Frame, before: Frame | None, scheme: Scheme) -> tuple[Standing, Standing | None]:
    """The standing of both years' firms, with ranking parts (partition values) numbered alike."""
    frames = [frame] if before is None else [frame, before]
    labels, where = np.unique(
        np.concatenate([f.text("partition") for f in frames]).astype(str), return_inverse=True
    )
    edges = np.cumsum([0, *(len(f.ids) for f in frames)])
    found = []
    for k, one in enumerate(frames):
        nobody = np.full(len(one.ids), NO_GROUP, dtype=np.int64)
        found.append(
            Standing(
                frame=one,
                class_no=one.integer("class_no") if scheme.classes else nobody,
                veto_no=one.integer("veto_no") if scheme.veto else nobody,
                group_no=one.integer("group_no"),
                part=where[edges[k] : edges[k + 1]].astype(np.int64),
                parts=len(labels),
            )
        )
    return found[0], found[1] if before is not None else None


LAND_NOTE: Final = """
CASE WHEN land_mu IS NULL THEN '用地面积未知 (land unknown)'
ELSE format('自有 {:.4f} + 租入 {:.4f} − 租出 {:.4f} 亩 (own + rented in − rented out, mu){}', own_mu, rented_in_mu,
  rented_out_mu, CASE WHEN far_unknown
    THEN '；容积率未知，租赁建筑面积按用地计 (FAR unknown: floor counted as land)' ELSE '' END)
END"""


def _first_true(predicates: list[str]) -> str:
    """SQL: the number of the first predicate that holds, −1 when none does (unknown does not hold)."""
    cases = " ".join(f"WHEN ({sql}) THEN {k}" for k, sql in enumerate(predicates))
    return f"CASE {cases} ELSE {NO_GROUP} END"


def _first_true_known(predicates: list[str]) -> str:
    """The same, but an unknown predicate before the first that holds makes the answer unknown."""
    cases = " ".join(
        f"WHEN ({sql}) IS NULL THEN {UNKNOWN} WHEN ({sql}) THEN {k}" for k, sql in enumerate(predicates)
    )
    return f"CASE {cases} ELSE {NO_GROUP} END"


def _absent(asked: dict[str, tuple[str, str]], given: list[str]) -> str:
    """SQL of typed NULLs for the fields the scheme asks for and the table lacks."""
    kinds = dataset_fields("enterprises")
    words = {word for sql, _ in asked.values() for word in re.findall(r"[a-z_][a-z0-9_]*", sql)}
    wanted = (words & set(kinds)) | set(ALWAYS)
    return "".join(f", CAST(NULL AS {SQL_TYPES[kinds[n]]}) AS {n}" for n in sorted(wanted - set(given)))


def _array(column: pa.ChunkedArray, kind: str) -> np.ndarray[Any, Any]:
    if kind == "text":
        return np.asarray(column.fill_null("").to_numpy(zero_copy_only=False), dtype=object)
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def names_of(sql: str) -> str:
    """The facts an expression rests on, for a note."""
    return "、".join(parse(sql).names) or sql
