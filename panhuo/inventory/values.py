"""Numbers, units, dates and codes as people write them, turned into one column of one type.

Every function takes a column and gives a column of the same length: what cannot be read is null and is named in the
faults. Plain values go through Arrow at once; only the others are looked at one by one.
"""

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from panhuo.inventory.spec import FieldSpec, units
from panhuo.rulebook.book import SPEC, read_yaml

PLAIN_NUMBER: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
NUMBER_UNIT: Final = re.compile(
    r"(?P<about>约|近|¥|￥|人民币)?(?P<number>[+-]?(\d[\d,]*\.?\d*|\.\d+)([eE][+-]?\d+)?)(?P<unit>\D*)"
)
LOWER: Final = re.compile(r"(?:大于等于|大于或等于|不低于|不小于|≥|>=|大于|>)\s*([\d.]+)")
UPPER: Final = re.compile(r"(?:小于等于|小于或等于|不高于|不大于|不超过|≤|<=|小于|<)\s*([\d.]+)")
DATE: Final = (
    r"^(?P<y>\d{4})\s*[-/.年]\s*(?P<m>\d{1,2})\s*[-/.月]\s*(?P<d>\d{1,2})\s*日?(?:[ T\d:.时分秒Z+]*)$"
)
COMPACT: Final = r"^(?P<y>[12]\d{3})(?P<m>[01]\d)(?P<d>[0-3]\d)$"
PARTIAL: Final = re.compile(r"\d{4}\s*年?|\d{4}\s*[-/.年]\s*\d{1,2}\s*月?")
HAN_DIGITS: Final = str.maketrans("〇零○一二三四五六七八九", "000123456789")
BLANKS: Final = " \t\r\n\u00a0\u3000\ufeff"
EXCEL_EPOCH: Final = np.datetime64("1899-12-30")
SERIALS: Final = (10_000, 80_000)
"""Excel day numbers of 1927 to 2119."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault at some rows of a column: row positions, what stood there, what was done."""

    type: str
    rows: np.ndarray[Any, np.dtype[np.int64]]
    values: pa.Array
    action: str


Converted = tuple[pa.Array, list[Fault]]


@dataclass(frozen=True, slots=True)
class Wild:
    """spec/values.yaml."""

    unknown: frozenset[str]
    none: frozenset[str]
    true: frozenset[str]
    false: frozenset[str]
    totals: frozenset[str]
    earliest: date
    planned_years: int
    term_years: int
    area_tolerance: float
    price_wan_per_m2_max: float


@cache
def wild() -> Wild:
    """How values are written in the wild, from spec/values.yaml."""
    y = read_yaml(SPEC / "values.yaml")
    unknown, none, true, false, totals = (
        frozenset(str(w) for w in y[k]) for k in ("unknown", "none", "true", "false", "totals")
    )
    return Wild(
        unknown, none, true, false, totals, y["earliest_date"], y["planned_years"], y["term_years"],
        y["area_tolerance"], y["price_wan_per_m2_max"],
    )  # fmt: skip


@cache
def spoken_unknown() -> pa.Array:
    """The words for unknown in the cases they are written in."""
    words = {form for w in wild().unknown for form in (w, w.upper(), w.capitalize(), w.title())}
    return pa.array(sorted(words))


def plain(text: str) -> str:
    """Full-width forms narrowed, outer blanks cut."""
    return unicodedata.normalize("NFKC", text).strip()


def flat(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def as_text(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column as trimmed text, cells that say nothing as null."""
    if isinstance(column, pa.ChunkedArray):
        return flat(pa.chunked_array([as_text(chunk) for chunk in column.chunks], pa.string()))
    array = column
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.equal(array, pc.floor(array)), whole(array), array.cast(pa.string()))
    elif pa.types.is_nested(array.type):
        array = pa.array(
            [None if v is None else json.dumps(v, default=str) for v in array.to_pylist()], pa.string()
        )
    elif not pa.types.is_string(array.type):
        array = array.cast(pa.string())
    array = pc.utf8_trim(array, BLANKS)
    return nulled(array, among(array, spoken_unknown()))


def among(texts: pa.Array, words: pa.Array) -> pa.Array:
    """Which texts are one of `words`. Where all are longer than any word, as ids are, none is looked up."""
    longest = pc.max(pc.binary_length(words))
    shortest = pc.min(pc.binary_length(texts))
    if pc.fill_null(pc.greater(shortest, longest), False).as_py():
        return pa.repeat(pa.scalar(False), len(texts))
    return pc.is_in(texts, words)


def nulled(array: pa.Array, mask: pa.Array) -> pa.Array:
    """`array` with null where `mask` is true, which it mostly is nowhere."""
    return pc.if_else(mask, pa.scalar(None, array.type), array) if pc.any(mask).as_py() else array


def each_distinct(column: pa.ChunkedArray | pa.Array, convert: Callable[[pa.Array], Converted]) -> Converted:
    """What `convert` makes of the trimmed texts of a column, worked out once for each distinct one."""
    coded = encoded(column)
    values, faults = convert(as_text(coded.dictionary))
    return values.take(coded.indices), spread(faults, coded)


def encoded(column: pa.ChunkedArray | pa.Array) -> pa.DictionaryArray:
    """A column as its distinct values and where they stand; lists and structures as text."""
    plain = as_text(column) if pa.types.is_nested(column.type) else column
    return flat(plain.dictionary_encode())


def spread(faults: list[Fault], coded: pa.DictionaryArray) -> list[Fault]:
    """Faults of the distinct values of a column as faults of its rows."""
    out = []
    for fault in faults:
        place = np.full(len(coded.dictionary), -1)
        place[fault.rows] = np.arange(len(fault.rows))
        at = pc.fill_null(pa.array(place).take(coded.indices), -1).to_numpy()
        rows = np.flatnonzero(at >= 0)
        out.append(replace(fault, rows=rows, values=fault.values.take(pa.array(at[rows]))))
    return out


def whole(array: pa.Array) -> pa.Array:
    """Floats as text without a fraction."""
    return pc.replace_substring_regex(
        array.cast(pa.decimal128(38, 6), safe=False).cast(pa.string()), r"\.0+$", ""
    )


def faults_at(type: str, mask: pa.Array, cells: pa.Array, action: str) -> list[Fault]:
    """A fault at the rows where `mask` is true, or none."""
    rows = np.flatnonzero(mask.to_numpy(zero_copy_only=False))
    return [Fault(type, rows, cells.take(pa.array(rows)).cast(pa.string()), action)] if len(rows) else []


def one_by_one(quick: pa.Array, texts: pa.Array, read: Callable[[str], tuple[Any, str, str]]) -> Converted:
    """`quick` with the cells it lacks through `read`: (value, problem type or "", action)."""
    todo = pc.and_(pc.is_valid(texts), pc.is_null(quick))
    rows = np.flatnonzero(todo.to_numpy(zero_copy_only=False))
    if not len(rows):
        return quick, []
    known: dict[str, tuple[Any, str, str]] = {}
    values: list[Any] = []
    groups: dict[tuple[str, str], list[int]] = {}
    for row, text in zip(rows, texts.take(pa.array(rows)).to_pylist(), strict=True):
        if text not in known:
            known[text] = read(text)
        value, fault, action = known[text]
        values.append(value)
        if fault:
            groups.setdefault((fault, action), []).append(int(row))
    out = np.full(len(texts), -1, np.int64)
    out[rows] = np.arange(len(rows))
    slow = pa.array(values, quick.type).take(pa.array(out, mask=out < 0))
    return pc.coalesce(quick, slow), [
        Fault(f, np.array(r), texts.take(pa.array(r)), action) for (f, action), r in groups.items()
    ]


# --- numbers -------------------------------------------------------------------------------------------------------


def to_float(column: pa.ChunkedArray, field: FieldSpec, unit: str) -> Converted:
    """Numbers in the field's unit; `unit` is what the header says the cells are in ("" for the field's own)."""
    factor = units()[unit].ratio if unit else 1.0
    array = flat(column)
    if pa.types.is_integer(array.type) or pa.types.is_floating(array.type) or pa.types.is_decimal(array.type):
        numbers = array.cast(pa.float64())
        texts = array
        faults: list[Fault] = []
        numbers = nulled(numbers, pc.is_nan(numbers))
        numbers = numbers if factor == 1 else pc.multiply(numbers, factor)
    else:
        texts = as_text(column)
        is_plain = pc.fill_null(pc.match_substring_regex(texts, PLAIN_NUMBER), False)
        quick = pc.if_else(is_plain, texts, pa.scalar(None, pa.string())).cast(pa.float64())
        quick = quick if factor == 1 else pc.multiply(quick, factor)
        numbers, faults = one_by_one(quick, texts, lambda t: read_number(t, field, factor))
    return in_range(numbers, texts, field, faults)


def in_range(numbers: pa.Array, texts: pa.Array, field: FieldSpec, faults: list[Fault]) -> Converted:
    """Shares written as per cent divided, placeholders and impossible values nulled."""
    if field.unit == "ratio" and field.max == 1:
        percent = pc.fill_null(pc.and_(pc.greater(numbers, 1), pc.less_equal(numbers, 100)), False)
        faults += faults_at("number_mended", percent, texts, "mended: read as per cent")
        numbers = pc.if_else(percent, pc.divide(numbers, 100.0), numbers)
    if field.zero_is_unset:
        zero = pc.fill_null(pc.equal(numbers, 0), False)
        faults += faults_at("not_set", zero, texts, "taken as unknown")
        numbers = nulled(numbers, zero)
    for limit, test in ((field.min, pc.less), (field.max, pc.greater)):
        if limit is not None:
            beyond = pc.fill_null(test(numbers, limit), False)
            faults += faults_at(
                "out_of_range",
                beyond,
                texts,
                f"taken as unknown: not in {field.min}…{field.max} {field.unit}",
            )
            numbers = nulled(numbers, beyond)
    return numbers, faults


def read_number(text: str, field: FieldSpec, factor: float) -> tuple[float | None, str, str]:
    """A cell that is no plain number: thousands marks, a unit of its own, a bound in words, 无."""
    word = plain(text)
    if word in wild().none:
        return 0.0, "", ""
    bound = (LOWER if field.bound == "lower" else UPPER).search(word) if field.bound else None
    if bound:
        return float(bound[1]) * factor, "number_mended", f"mended: {bound[0]}"
    if field.bound and (LOWER.search(word) or UPPER.search(word)):
        return None, "", ""
    match = NUMBER_UNIT.fullmatch(word)
    if match is None:
        return None, "not_a_number", "refused"
    number = float(match["number"].replace(",", ""))
    name = match["unit"].strip()
    if name:
        unit = next((u for u in units().values() if name.lower() in (n.lower() for n in u.names)), None)
        own = units().get(field.unit)
        if unit is None or own is None or unit.kind != own.kind:
            return None, "not_a_number", f"refused: unit {name}"
        number, factor = number * unit.ratio, 1.0
    return number * factor, "number_mended", "mended: unit or marks in the cell read"


def to_int(column: pa.ChunkedArray, field: FieldSpec) -> Converted:
    """Whole numbers; a fraction is a fault."""
    numbers, faults = to_float(column, field, "")
    fraction = pc.fill_null(pc.not_equal(numbers, pc.floor(numbers)), False)
    faults += faults_at("not_a_number", fraction, numbers.cast(pa.string()), "refused: not a whole number")
    return pc.if_else(fraction, pa.scalar(None, pa.float64()), numbers).cast(pa.int64()), faults


# --- dates ---------------------------------------------------------------------------------------------------------


def to_date(column: pa.ChunkedArray, field: FieldSpec, today: date) -> Converted:
    """Days. Excel serials, 2017/1/9, 2017年1月9日, 20170109; a year alone stays unknown and is told."""
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        array = flat(column)
        return in_time(array.cast(pa.date32(), safe=False), array, field, today, [])
    return each_distinct(column, lambda texts: text_dates(texts, field, today))


def text_dates(texts: pa.Array, field: FieldSpec, today: date) -> Converted:
    """Days of texts."""
    quick = pc.coalesce(parsed_dates(texts, DATE), parsed_dates(texts, COMPACT), serial_dates(texts))
    days, faults = one_by_one(quick, texts, read_date)
    return in_time(days, texts, field, today, faults)


def parsed_dates(texts: pa.Array, pattern: str) -> pa.Array:
    """Days of the texts that match; null for the others and for days no month has."""
    parts = pc.extract_regex(texts, pattern)
    missing = parts.is_null().to_numpy(zero_copy_only=False)
    y, m, d = (
        pc.fill_null(pc.struct_field(parts, k).cast(pa.int32()), 1)
        .to_numpy(zero_copy_only=False)
        .astype(np.int64)
        for k in ("y", "m", "d")
    )
    months = (y - 1970) * 12 + m - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]") + (d - 1)
    good = (
        ~missing & (m >= 1) & (m <= 12) & (d >= 1) & (days.astype("datetime64[M]").astype(np.int64) == months)
    )
    return pa.array(days, pa.date32(), mask=~good)


def serial_dates(texts: pa.Array) -> pa.Array:
    """Excel day numbers."""
    number = pc.fill_null(pc.match_substring_regex(texts, r"^\d{5}(\.\d+)?$"), False)
    serial = pc.if_else(number, texts, pa.scalar(None, pa.string())).cast(pa.float64())
    inside = pc.fill_null(pc.and_(pc.greater(serial, SERIALS[0]), pc.less(serial, SERIALS[1])), False)
    days = pc.fill_null(serial, 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return pa.array(EXCEL_EPOCH + days, pa.date32(), mask=~inside.to_numpy(zero_copy_only=False))


def read_date(text: str) -> tuple[date | None, str, str]:
    """A cell that is no full date."""
    word = plain(text).translate(HAN_DIGITS)
    again = parsed_dates(pa.array([word]), DATE)[0].as_py()
    if again is not None:
        return again, "", ""
    if PARTIAL.fullmatch(word):
        return None, "date_partial", "taken as unknown"
    return None, "not_a_date", "refused"


def in_time(days: pa.Array, texts: pa.Array, field: FieldSpec, today: date, faults: list[Fault]) -> Converted:
    """Placeholders nulled; days beyond what the field can mean are faults."""
    w = wild()
    early = pc.fill_null(pc.less(days, pa.scalar(w.earliest)), False)
    faults += faults_at("date_sentinel", early, texts, "taken as unknown")
    days = nulled(days, early)
    limit, type = {
        "past": (today, "date_not_yet"),
        "planned": (years_after(today, w.planned_years), "date_future"),
        "term": (years_after(today, w.term_years), "date_future"),
        None: (date.max, ""),
    }[field.span]
    beyond = pc.fill_null(pc.greater(days, pa.scalar(limit)), False)
    far = pc.fill_null(pc.greater(days, pa.scalar(years_after(today, w.planned_years))), False)
    kinds = [("date_future", pc.and_(beyond, far)), (type, pc.and_(beyond, pc.invert(far)))]
    for kind, mask in [("date_future", beyond)] if type == "date_future" else kinds:
        faults += faults_at(kind, mask, texts, f"refused: after {limit}")
    return nulled(days, beyond), faults


def years_after(day: date, years: int) -> date:
    """The same day some years on (28 February for 29)."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def to_bool(column: pa.ChunkedArray) -> Converted:
    """Yes and no in the usual words."""
    array = flat(column)
    if pa.types.is_boolean(array.type):
        return array, []
    texts = as_text(column)
    lower = pc.utf8_lower(texts)
    yes, no = (
        pc.fill_null(pc.is_in(lower, pa.array(sorted(words))), False) for words in (wild().true, wild().false)
    )
    bad = pc.and_(pc.is_valid(texts), pc.invert(pc.or_(yes, no)))
    value = pc.if_else(pc.or_(yes, no), yes, pa.scalar(None, pa.bool_()))
    return value, faults_at("not_in_code_list", bad, texts, "taken as unknown")
