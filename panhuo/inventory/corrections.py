"""Verified facts laid over a dataset when it is read; the snapshot itself is never edited."""

import math
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.ids import is_uscc
from panhuo.core.problems import PanhuoError
from panhuo.inventory.spec import ARROW_TYPES, Dataset, FieldSpec, code_list


def text_of(given: Any) -> str:
    """A stored value as corrections write it."""
    if given is None:
        return ""
    return str(given).lower() if isinstance(given, bool) else str(given)


def value_text(spec: FieldSpec, text: str) -> str:
    """The text of a value as corrections write it: stored units, ISO dates, codes; empty for unknown.

    Raises ValueError where the text is no value of the field.
    """
    text = text.strip()
    if not text:
        return ""
    if spec.codes:
        if text not in code_list(spec.codes):
            raise ValueError(text)
    elif spec.type in ("float", "int"):
        number = float(text.replace(",", ""))
        low, high = spec.min, spec.max
        if not math.isfinite(number) or (low is not None and number < low) or (high and number > high):
            raise ValueError(text)
        return text_of(int(text.replace(",", "")) if spec.type == "int" else number)
    elif spec.type == "date":
        return date.fromisoformat(text).isoformat()
    elif (spec.type == "bool" and text not in ("true", "false")) or (
        spec.check == "uscc" and not is_uscc(text)
    ):
        raise ValueError(text)
    return text


def lay_over(table: pa.Table, name: str, spec: Dataset, corrections: pa.Table) -> pa.Table:
    """`table` with the corrections of dataset `name` in place; of two on one cell the later `on` holds.

    A correction's `key` is the row's key, its parts joined by `|` when it has several; `value` is in the stored
    unit (m², 万元, ISO date) and empty for unknown. Raises PanhuoError for a field or value that cannot be.
    """
    ours = corrections.filter(pc.equal(corrections["dataset"], name)).sort_by([("on", "ascending")])
    if ours.num_rows == 0:
        return table
    changes: dict[str, dict[str, Any]] = {}
    for row in ours.select(["key", "field", "value"]).to_pylist():
        if row["field"] not in table.column_names:
            if row["field"] in spec.arrow_schema().names:
                continue
            raise PanhuoError(
                f"更正的字段不存在 no field {row['field']!r} in {name}",
                where=f"corrections, key {row['key']}",
            )
        changes.setdefault(row["field"], {})[row["key"]] = row["value"]
    keys = row_keys(table, spec)
    for field, values in changes.items():
        table = table.set_column(
            table.column_names.index(field),
            table.schema.field(field),
            corrected(table[field], keys, values, spec, field),
        )
    return table


def row_keys(table: pa.Table, spec: Dataset) -> pa.ChunkedArray:
    """The key of each row as text."""
    parts = [table[k].cast(pa.string()) for k in spec.key]
    if len(parts) == 1:
        return parts[0]
    return pc.binary_join_element_wise(*parts, "|", null_handling="replace", null_replacement="")


def corrected(
    column: pa.ChunkedArray, keys: pa.ChunkedArray, values: dict[str, Any], spec: Dataset, field: str
) -> pa.ChunkedArray:
    """`column` with `values` (key → text) cast to its type in place."""
    target = ARROW_TYPES[spec.fields[field].type] if field in spec.fields else column.type
    texts = pa.array(list(values.values()), pa.string())
    try:
        new = texts.cast(target)
    except pa.ArrowInvalid as fault:
        raise PanhuoError(
            "更正值与字段类型不符 a corrected value does not fit its field",
            where=f"corrections, {field}",
            why=str(fault),
            remedy="数值写数字，日期写 2017-01-09 write numbers as numbers and dates as 2017-01-09",
        ) from None
    found = pc.index_in(keys, pa.array(list(values), pa.string()))
    return pc.if_else(pc.is_valid(found), pc.take(new, found), column)
