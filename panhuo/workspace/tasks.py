"""A sheet of disposal tasks (spec/tasks.yaml) as the task rows of the scoreboard, or a word why it cannot be."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.problems import PanhuoError
from panhuo.inventory.codes import to_code
from panhuo.inventory.mapping import base_and_unit, normal
from panhuo.inventory.readers import RawTable, read
from panhuo.inventory.spec import FieldSpec, units
from panhuo.inventory.values import as_text, to_float, to_int
from panhuo.rulebook.book import SPEC, read_yaml
from panhuo.rulebook.scheme_schema import ScoreboardScheme

KEYS: Final = ("division", "year", "measure")
SHOWN: Final = 5


@cache
def fields() -> dict[str, FieldSpec]:
    """The fields of a sheet by name."""
    return {name: FieldSpec.model_validate(one) for name, one in read_yaml(SPEC / "tasks.yaml").items()}


@cache
def known() -> dict[str, str]:
    """Normal header → field."""
    named = fields().items()
    return {normal(word): name for name, one in named for word in (name, one.label.zh, *one.aliases)}


def matched(header: str) -> tuple[str, str] | None:
    """(field, unit) of a header; unit "" where it says none. None for a header of nothing."""
    if name := known().get(normal(header)):
        return name, ""
    base, unit = base_and_unit(header)
    name = known().get(base, "")
    fits = bool(unit and name) and units()[unit].kind == "area" and fields()[name].unit == "m2"
    return (name, unit) if fits else None


def known_cells(cells: Sequence[str]) -> int:
    """How many cells of a row are headers of a sheet of tasks."""
    return sum(matched(cell) is not None for cell in cells if cell)


def read_tasks(path: Path, scheme: ScoreboardScheme) -> pa.Table:
    """Task rows of a sheet (csv, xlsx …): division, year, measure and the areas given, in m².

    A measure is written by its id or label. Raises PanhuoError naming the column or the rows that do not fit.
    """
    tables = [table for table in read(path, score=known_cells) if table.rows]
    if not tables:
        raise PanhuoError(
            "文件里没有任务 no tasks in the file", where=str(path), remedy="每行一个行政区、年度和指标"
        )
    rows = pa.concat_tables([tasks_of(raw, scheme) for raw in tables], promote_options="default")
    times = Counter(tuple(row.values()) for row in rows.select(KEYS).to_pylist())
    if twice := sorted(key for key, n in times.items() if n > 1):
        raise PanhuoError(
            "同一行政区、年度、指标有多行 a division, year and measure given twice",
            where=f"{path}, {'; '.join(' '.join(map(str, key)) for key in twice[:SHOWN])}",
            remedy="只留一行 keep one row",
        )
    return rows


def tasks_of(raw: RawTable, scheme: ScoreboardScheme) -> pa.Table:
    """The task rows of one sheet."""
    strange = [h for h in raw.headers if matched(h) is None and base_and_unit(h)[1]]
    if strange:
        raise PanhuoError(
            f"认不出这些面积列 columns of areas that are not known: {', '.join(strange)}",
            where=raw.where,
            remedy="改用 use: " + ", ".join(f"{one.label.zh}（亩）" for one in fields().values() if one.unit),
        )
    named = [found[0] for header in raw.headers if (found := matched(header))]
    if doubled := {fields()[name].label.zh for name in named if named.count(name) > 1}:
        raise PanhuoError(
            f"两列同义 two columns mean one thing: {'、'.join(sorted(doubled))}",
            where=raw.where,
            remedy="只留一列 keep one column",
        )
    feeds = {found[0]: (at, found[1]) for at, h in enumerate(raw.headers) if (found := matched(h))}
    if absent := [fields()[name].label.zh for name in KEYS if name not in feeds]:
        raise PanhuoError(
            f"任务表缺列 {'、'.join(absent)} (the task file lacks columns)",
            where=raw.where,
            why=f"表头 headers: {', '.join(raw.headers)[:200]}",
            remedy="要有 needed: 行政区 division, 年度 year, 指标 measure, 面积 areas（亩）",
        )
    for name, (at, unit) in feeds.items():
        if fields()[name].unit and not unit and normal(raw.headers[at]) != normal(name):
            raise PanhuoError(
                f"面积列没有单位 no unit of area: {raw.headers[at]}",
                where=raw.where,
                remedy=f"表头写明单位，如 {raw.headers[at]}（亩） write it in the header",
            )
    columns = {name: converted(raw, name, at, unit, scheme) for name, (at, unit) in feeds.items()}
    for name in KEYS:
        refuse(raw, name, pc.is_null(columns[name]), as_text(raw.columns[feeds[name][0]]))
    return pa.table(columns)


def converted(raw: RawTable, name: str, at: int, unit: str, scheme: ScoreboardScheme) -> pa.Array:
    """A column in its field's type. Raises PanhuoError for cells that are none."""
    source, field = raw.columns[at], fields()[name]
    texts = as_text(source)
    if name == "measure":
        named = {normal(w): k for k, m in scheme.measures.items() for w in (k, m.label.zh, m.label.en)}
        values = pa.array([named.get(normal(text or "")) for text in texts.to_pylist()], pa.string())
    elif name == "division":
        values, _ = to_code(source, field.codes)
    else:
        values, _ = to_float(source, field, unit) if field.type == "float" else to_int(source, field)
    wrong = pc.and_(pc.is_valid(texts), pc.is_null(values))
    listed = (
        "、".join(f"{m.label.zh}（{k}）" for k, m in scheme.measures.items()) if name == "measure" else ""
    )
    refuse(raw, name, wrong, texts, listed)
    return values


def refuse(raw: RawTable, name: str, wrong: pa.Array, texts: pa.Array, listed: str = "") -> None:
    """Raises PanhuoError naming the first rows where `wrong` is true."""
    rows = [row for row, bad in zip(raw.row_numbers.tolist(), wrong.to_pylist(), strict=True) if bad]
    if rows:
        cells = [text for text, bad in zip(texts.to_pylist(), wrong.to_pylist(), strict=True) if bad]
        told = "; ".join(f"row {r}: {c or '—'}" for r, c in list(zip(rows, cells, strict=True))[:SHOWN])
        label = fields()[name].label
        raise PanhuoError(
            f"{label.zh}认不出 {label.en.lower()} cannot be read",
            where=f"{raw.where}, {told}",
            remedy=f"可用 available: {listed}"
            if listed
            else "改正，或删去合计行 mend it, or take out rows of totals",
        )
