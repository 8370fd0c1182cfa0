"""Rows of a file → rows of a dataset in its own types and units, with every repair and refusal as a problem row."""

import re
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from panhuo.core.ids import is_uscc
from panhuo.core.problems import problem_table
from panhuo.inventory.codes import by_distinct, to_code, to_land_use
from panhuo.inventory.keys import identify, repeats
from panhuo.inventory.mapping import Feed, Plan, normal
from panhuo.inventory.outlines import Located
from panhuo.inventory.readers import RawTable
from panhuo.inventory.row_checks import check_rows, swapped_ranges
from panhuo.inventory.spec import ARROW_TYPES, FieldSpec, dataset_specs, problem_types, units
from panhuo.inventory.values import (
    Fault,
    among,
    as_text,
    faults_at,
    nulled,
    to_bool,
    to_date,
    to_float,
    to_int,
    wild,
)
from panhuo.inventory.work import Work

Bools = NDArray[np.bool_]

NO_ID: Final = pa.array(sorted(wild().none))
TOTALS: Final = pa.array(sorted(wild().totals))
SHOWN_ROWS: Final = 5
USCC_FORM: Final = re.compile(r"[0-9A-Z]{18}")
MISLABELLED_SHARE: Final = 0.9
"""A column of which this share cannot be what its header says is mislabelled as a whole."""
MISLABELLED_ROWS: Final = 10


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one table for one dataset.

    table: in the dataset's schema but for its outlines, which are still in `crs` ("" where there are none). problems:
    with the columns of core.problems.Problem.
    """

    raw: RawTable
    plan: Plan
    table: pa.Table
    problems: pa.Table
    rows: int
    refused: int
    crs: str

    @property
    def dataset(self) -> str:
        """The dataset the rows are of."""
        return self.plan.dataset


def take(raw: RawTable, plan: Plan, locating: Future[Located | None] | None, today: date) -> Taken:
    """`raw` as rows of `plan.dataset`. Rows with an error are left out and counted; nothing is dropped unsaid.

    locating: gives the outlines of the table, checked, once its fields are read. today: what "not yet"
    is judged by.
    """
    work = Work(raw, plan, today, {}, [], [])
    spec = plan.spec
    fields = {n: f for n, f in spec.fields.items() if f.type != "geometry" and n != "land_use_scheme"}
    # A division looks at the id of its row, so ids come first.
    for name in sorted(fields, key=lambda n: n not in spec.key):
        work.columns[name] = column(work, name, fields[name])
    located = locating.result() if locating is not None else None
    if located is not None:
        place_outlines(work, located)
    speaking = says_something(work) & ~adds_up(work)
    identify(work)
    swapped_ranges(work)
    check_rows(work)
    repeated = repeats(work, speaking)
    refused = refused_rows(work) & speaking
    keep = speaking & ~refused & ~repeated
    return Taken(
        raw,
        plan,
        finished(work, keep),
        problems(work, speaking),
        int(speaking.sum()),
        int(refused.sum()),
        located.epsg if located is not None else "",
    )


def column(work: Work, name: str, field: FieldSpec) -> pa.Array:
    """A field's column: its feeds converted, the first filled one counting, or its constant, or nulls."""
    rows = work.raw.rows
    feeds = work.plan.feeds.get(name, ())
    if name in work.plan.constants:
        texts = pa.chunked_array([pa.array([work.plan.constants[name]], pa.string())])
        one, _ = converted(work, name, field, texts, "")
        return pa.repeat(one[0], rows)
    if not feeds:
        return work.blank(ARROW_TYPES[field.type])
    if field.codes == "divisions":
        return joined_division(work, name, field, feeds)
    parts = [fed(work, name, field, feed) for feed in feeds]
    if field.required and field.type == "text":
        # 无 in a column of ids is no id.
        parts = [nulled(p, among(p, NO_ID)) for p in parts]
    if len(parts) == 1:
        return parts[0]
    headers = [work.raw.headers[f.column] for f in feeds]
    if name in work.plan.spec.key or (field.type == "text" and not field.codes):
        return pc.coalesce(*parts)
    if len(set(headers)) < len(headers):
        work.note("header_repeated", field=name, value=", ".join(headers), action="later column first")
    differ = pc.fill_null(pc.not_equal(parts[0], parts[1]), False)
    work.add(name, faults_at("columns_disagree", differ, parts[1].cast(pa.string()), f"kept {headers[0]}"))
    return pc.coalesce(*parts)


def fed(work: Work, name: str, field: FieldSpec, feed: Feed) -> pa.Array:
    """One source column as the field's type. A column that is not what its header says is null as a whole."""
    source = work.raw.columns[feed.column]
    replace = work.plan.values.get(name)
    if replace:
        texts = as_text(source)
        source = pa.chunked_array([by_distinct(texts, lambda t: replace.get(t, t))])
    if feed.bound_only:
        texts = as_text(source)
        source = pa.chunked_array([pc.if_else(pc.match_substring_regex(texts, "[于<>≤≥低高]"), texts, None)])
    array, faults = converted(work, name, field, source, feed.unit)
    header = work.raw.headers[feed.column]
    if unit_unsaid(field, feed, header) and array.null_count < len(array):
        work.note("unit_assumed", field=name, value=header, action=f"read as {units()[field.unit].names[0]}")
    lost = [f for f in faults if f.type in ("not_a_number", "not_a_date", "not_in_code_list")]
    count = sum(len(f.rows) for f in lost)
    filled = len(array) - as_text(source).null_count if count else 0
    if count >= MISLABELLED_ROWS and count >= MISLABELLED_SHARE * filled and looks_other(source, field):
        sample = lost[0].values[0].as_py()
        work.note(
            "mislabelled_column",
            field=name,
            value=f"{header}: {sample}",
            action=f"{count} cells taken as unknown",
        )
        faults = [f for f in faults if f not in lost]
    work.add(name, faults)
    return array


def unit_unsaid(field: FieldSpec, feed: Feed, header: str) -> bool:
    """Whether neither header, mapping nor custom says what an area or a sum of money is counted in."""
    counted = field.unit in units() and units()[field.unit].kind in ("area", "money")
    return counted and not feed.unit and normal(header) not in work_names()


@cache
def work_names() -> frozenset[str]:
    """The program's own field names, which hold their unit."""
    return frozenset(normal(n) for spec in dataset_specs().values() for n in spec.fields)


def looks_other(source: pa.ChunkedArray, field: FieldSpec) -> bool:
    """Whether the cells are of another kind than the field: numbers under a code list, words under a number."""
    numbers = pc.sum(pc.match_substring_regex(as_text(source), r"^[\d.]+$")).as_py() or 0
    mostly_numbers = numbers * 2 > len(source) - source.null_count
    return bool(mostly_numbers == (field.type == "text") or field.type == "date")


def converted(
    work: Work, name: str, field: FieldSpec, source: pa.ChunkedArray, unit: str
) -> tuple[pa.Array, list[Fault]]:
    """A source column in the field's type and unit."""
    match field.type:
        case "float":
            result = to_float(source, field, unit)
        case "int":
            result = to_int(source, field)
        case "date":
            result = to_date(source, field, work.today)
        case "bool":
            result = to_bool(source)
        case _ if field.codes == "land_use":
            result = land_use(work, name, source)
        case _ if field.codes:
            result = to_code(source, field.codes)
        case _:
            result = words(field, source)
    return result


def land_use(work: Work, name: str, source: pa.ChunkedArray) -> tuple[pa.Array, list[Fault]]:
    """Land-use codes; those of `land_use` with their scheme beside them."""
    own = name == "land_use" and "land_use_scheme" in work.plan.spec.fields
    code, scheme, faults = to_land_use(source, given_scheme(work) if own else None)
    if own:
        work.columns["land_use_scheme"] = scheme
    return code, faults


def words(field: FieldSpec, source: pa.ChunkedArray) -> tuple[pa.Array, list[Fault]]:
    """Text, with what the field is to be found in or checked by."""
    texts = as_text(source)
    # What stands before the id in a longer text is looked for first, which is quick.
    if field.extract and pc.any(pc.match_substring(texts, field.extract.partition("(")[0])).as_py():
        inner = pc.struct_field(pc.extract_regex(texts, field.extract), "id")
        texts = pc.coalesce(inner, texts)
    if field.check != "uscc":
        return texts, []
    # Other documents of identity stand in the same column; only what has the form of a USCC is checked as one.
    good = by_distinct(texts, lambda t: None if USCC_FORM.fullmatch(t) and not is_uscc(t) else "1")
    return texts, faults_at("bad_uscc", pc.and_(pc.is_valid(texts), pc.is_null(good)), texts, "kept")


def given_scheme(work: Work) -> pa.Array | None:
    """The land-use scheme that the file gives, or None."""
    field = work.plan.spec.fields.get("land_use_scheme")
    feeds = work.plan.feeds.get("land_use_scheme", ())
    if field is None:
        return None
    if "land_use_scheme" in work.plan.constants:
        return pa.repeat(pa.scalar(work.plan.constants["land_use_scheme"]), work.raw.rows)
    return fed(work, "land_use_scheme", field, feeds[0]) if feeds else None


def joined_division(work: Work, name: str, field: FieldSpec, feeds: tuple[Feed, ...]) -> pa.Array:
    """The division from all columns that name one, widest first, with the number of the row to settle doubles."""
    texts = [as_text(work.raw.columns[f.column]) for f in reversed(feeds)]
    joined = texts[0]
    for narrower in texts[1:]:
        both = pc.binary_join_element_wise(joined, narrower, ",")
        joined = pc.coalesce(both, narrower, joined)
    key = work.columns.get("parcel_id")
    array, faults = to_code(pa.chunked_array([joined]), field.codes, key)
    work.add(name, faults)
    return array


def place_outlines(work: Work, located: Located) -> None:
    """The outline columns."""
    work.columns["geometry"] = located.geometry
    work.columns["drawn_area_m2"] = located.area_m2
    work.columns["crs_given"] = pc.if_else(
        pc.is_valid(located.geometry), located.epsg, work.blank(pa.string())
    )
    work.add("geometry", located.faults)
    work.notes.extend(located.notes)


def says_something(work: Work) -> Bools:
    """Rows with a fact of this dataset beyond ids: a list that mixes kinds of rows has blank halves."""
    ids = {*work.plan.spec.key, "parcel_id", "crs_given", "source_row", "land_use_scheme"}
    if len(work.plan.spec.key) > 1:
        ids = {"crs_given"}
    ids |= set(work.plan.constants)
    out = np.zeros(work.raw.rows, bool)
    for name, values in work.columns.items():
        if name not in ids and values.null_count == 0:
            return np.ones(work.raw.rows, bool)
        if name not in ids and values.null_count < len(values):
            out |= pc.is_valid(values).to_numpy(zero_copy_only=False)
    if "geometry" in work.columns and work.raw.geometry is not None:  # even one that cannot be used was given
        out |= pc.is_valid(work.raw.geometry).to_numpy(zero_copy_only=False)
    for _, fault in work.faults:
        if problem_types()[fault.type].severity == "error":
            out[fault.rows] = True
    return out


def adds_up(work: Work) -> Bools:
    """Rows that add up the others: 合计 in the first column, or for an id."""
    out = np.zeros(work.raw.rows, bool)
    feeds = work.plan.feeds.get(work.plan.spec.key[0], ())
    for index in {0, *(feed.column for feed in feeds)} if work.raw.columns else ():
        if pa.types.is_string(work.raw.columns[index].type):
            texts = as_text(work.raw.columns[index])
            out |= pc.is_in(texts, TOTALS).to_numpy(zero_copy_only=False)
    if out.any():
        rows = ", ".join(map(str, work.raw.row_numbers[out][:SHOWN_ROWS].tolist()))
        work.note("totals_row", value=f"row {rows}", action=f"{int(out.sum())} left out")
    return out


def refused_rows(work: Work) -> Bools:
    """Rows with a fault that is an error."""
    out = np.zeros(work.raw.rows, bool)
    for _, fault in work.faults:
        if work.severity(fault) == "error":
            out[fault.rows] = True
    return out


def finished(work: Work, keep: Bools) -> pa.Table:
    """The rows kept, in the dataset's schema, with their provenance."""
    schema = work.plan.spec.arrow_schema()
    rows = work.raw.rows
    own = {
        **work.columns,
        "source_file": pa.repeat(pa.scalar(work.raw.file), rows),
        "source_row": pa.array(work.raw.row_numbers, pa.int64()),
    }
    columns = [own[f.name] if f.name in own else work.blank(f.type) for f in schema]
    table = pa.table([c.cast(f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
    return table if keep.all() else table.filter(pa.array(keep))


def problems(work: Work, speaking: Bools) -> pa.Table:
    """Every note and fault as problem rows."""
    # Columns are read side by side; what they told is put in one order, so that a run can be repeated.
    tables = [problem_table(sorted(work.notes, key=lambda p: (p.type, p.field, p.value)))]
    schema = tables[0].schema
    for field, fault in sorted(work.faults, key=lambda f: (f[0], f[1].type, f[1].action)):
        live = speaking[fault.rows]
        if not live.any():
            continue
        kind = problem_types()[fault.type]
        severity = work.severity(fault)
        action = fault.action if severity == kind.severity else "taken as unknown"
        rows = fault.rows[live]
        fixed = {"type": fault.type, "file": work.raw.where, "field": field, "action": action,
                 "severity": severity, "owner": kind.owner}  # fmt: skip
        cells = fault.values.filter(pa.array(live)).cast(pa.string())
        columns: dict[str, pa.Array] = {k: pa.repeat(pa.scalar(v), len(rows)) for k, v in fixed.items()}
        columns["row"] = pa.array(work.raw.row_numbers[rows], pa.int64())
        columns["value"] = pc.utf8_slice_codeunits(pc.fill_null(cells, ""), 0, 200)
        tables.append(pa.table([columns[f.name] for f in schema], schema=schema))
    return pa.concat_tables(tables)
