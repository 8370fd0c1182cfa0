"""One file → what each of its tables gives to which dataset, and the word when that cannot be."""

import re
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.problems import PanhuoError, Problem, problem_table
from panhuo.core.progress import Tick, silent
from panhuo.inventory.codes import zone_of_division
from panhuo.inventory.joined import split_joined
from panhuo.inventory.layers import as_layer, layer_kind
from panhuo.inventory.mapping import (
    MappingFile,
    Plan,
    known_headers,
    make_plan,
    recognise,
    source_of,
    unmatched,
)
from panhuo.inventory.outlines import Located, locate, right_way_round
from panhuo.inventory.readers import RawTable, read
from panhuo.inventory.spec import dataset_spec, problem, problem_types
from panhuo.inventory.take import Taken, take

SHOWN_ERRORS: Final = 5
ACCEPT: Final = " 或加 --accept-partial 只导入其余行 or take the other rows with --accept-partial"
PERIOD: Final = re.compile(r"(?<!\d)((?:19|20)\d{2})[-年.]?(0[1-9]|1[0-2])(?!\d)")


@dataclass(frozen=True, slots=True)
class Options:
    """How to import. today: what "not yet" is judged by; vintage: the day the data is of (today when None)."""

    as_dataset: str | None = None
    map_file: Path | None = None
    save_map: Path | None = None
    crs: str | None = None
    encoding: str | None = None
    place: str = ""
    dry_run: bool = False
    accept_partial: bool = False
    replace: bool = False
    today: date = field(default_factory=date.today)
    vintage: date | None = None


class ImportRefusedError(PanhuoError):
    """An import refused for its rows; `problems` names every one."""

    problems: pa.Table


def take_file(
    path: Path, options: Options, mapping: MappingFile, place: str, tick: Tick = silent
) -> list[Taken]:
    """What every table of a file gives. Raises PanhuoError when none of them can be told."""
    return take_tables(path, read_tables(path, options, mapping, tick), options, mapping, place, tick)


def read_tables(path: Path, options: Options, mapping: MappingFile, tick: Tick = silent) -> list[RawTable]:
    """The tables of a file as they stand there."""
    return read(path, encoding=options.encoding or mapping.encoding, score=known_headers, tick=tick)


def take_tables(
    path: Path,
    tables: list[RawTable],
    options: Options,
    mapping: MappingFile,
    place: str,
    tick: Tick = silent,
) -> list[Taken]:
    """What the tables of the file `path` give. Raises PanhuoError when none of them can be told."""
    out: list[Taken] = []
    left: list[RawTable] = []
    for raw in tables:
        plans = plans_for(raw, options, mapping)
        if not plans:
            left.append(raw)
            continue
        out += take_table(raw, plans, options, mapping, place, tick)
    if not out:
        raise nothing_recognised(path, left)
    notes = [
        problem("table_left_out", file=raw.where, value=", ".join(raw.headers[:8]), action="left out")
        for raw in left
        if raw.rows
    ]
    if notes:
        out[0] = replace(out[0], problems=pa.concat_tables([out[0].problems, problem_table(notes)]))
    return out


def plans_for(raw: RawTable, options: Options, mapping: MappingFile) -> list[Plan]:
    """The datasets a table feeds: the one asked for, those of the mapping file, or those it is recognised as."""
    if options.as_dataset:
        dataset_spec(options.as_dataset)
        return [make_plan(raw, options.as_dataset, mapping, named=True)]
    kind = layer_kind(raw) if raw.geometry is not None and not mapping.datasets else None
    if kind:
        return [make_plan(raw, f"layers/{kind}", mapping)]
    return recognise(raw, mapping)


def nothing_recognised(path: Path, left: list[RawTable]) -> PanhuoError:
    """The word for a file that no dataset is recognised in."""
    if not any(raw.headers or raw.rows for raw in left):
        return PanhuoError(
            "文件里没有表 the file holds no table", where=str(path), remedy="重新导出 export it again"
        )
    headers = ", ".join(h for raw in left for h in raw.headers)
    return PanhuoError(
        "看不出是哪种数据 cannot tell which dataset this is",
        where=str(path),
        why=f"表头 headers: {headers[:400] or '(none)'}",
        remedy="用 --as 指明（如 --as parcels、--as layers/zoning），或用 --map 给出对应关系 "
        "name it with --as, or give --map",
    )


def take_table(
    raw: RawTable, plans: list[Plan], options: Options, mapping: MappingFile, place: str, tick: Tick
) -> list[Taken]:
    """One table for each of its datasets; what concerns the table as a whole is told once."""
    raw = split_joined(raw)
    notes = [*raw.problems]
    source = source_of(raw.headers)
    if source:
        notes.append(
            problem(
                "source_known",
                file=raw.where,
                value=source.label.zh,
                action="units and columns by its custom",
            )
        )
    if raw.rows == 0:
        notes.append(problem("empty_table", file=raw.where, action="nothing to take"))
    layer = plans[0].dataset.startswith("layers/")
    if not layer:
        notes += [
            problem(
                "unmatched_column",
                file=raw.where,
                field=raw.headers[i],
                value=near and f"≈ {near}",
                action="left out",
            )
            for i, near in unmatched(raw, plans, mapping)
        ]
    out = []
    located: Future[Located | None] | None = None
    with ThreadPoolExecutor(1) as beside:
        for found in plans:
            plan, swapped = right_way_round(raw, found)
            notes += swapped
            if plan.spec.has_geometry and located is None:
                # The outlines are checked while the fields are read.
                zone = zone_of_division(place)
                located = beside.submit(locate, raw, plan, options.crs or mapping.crs, zone, tick)
            table, its_plan = as_layer(raw, plan) if layer else (raw, plan)
            taken = take(table, its_plan, located if plan.spec.has_geometry else None, options.today)
            notes += file_period(raw, taken)
            out.append(taken)
    out[0] = replace(out[0], problems=pa.concat_tables([problem_table(notes), out[0].problems]))
    return out


def file_period(raw: RawTable, taken: Taken) -> list[Problem]:
    """A file named for a month in which none of its contracts was signed."""
    months = {f"{y}-{m}" for y, m in PERIOD.findall(raw.file)}
    if not months or "signed_on" not in taken.table.column_names:
        return []
    signed = pc.unique(
        pc.strftime(taken.table["signed_on"].drop_null().cast(pa.timestamp("s")), "%Y-%m")
    ).to_pylist()
    if not signed or months & set(signed):
        return []
    value = f"{', '.join(sorted(months))} ; {min(signed)}…{max(signed)}"
    return [problem("file_period", file=raw.where, field="signed_on", value=value, action="kept")]


def refuse_or_accept(taken: list[Taken], options: Options) -> None:
    """Raises ImportRefusedError when rows are refused and the user has not accepted a part."""
    refused = sum(t.refused for t in taken)
    problems = pa.concat_tables([t.problems for t in taken]) if taken else problem_table([])
    errors = problems.filter(pc.equal(problems["severity"], "error"))
    if (not refused and not errors.num_rows) or options.accept_partial:
        return
    told = faults_told(errors)
    error = ImportRefusedError(
        f"有 {refused} 行不能导入，整个文件未导入 {refused} rows refused, nothing was imported",
        **told | {"remedy": told["remedy"] + ACCEPT},
    )
    error.problems = problems
    raise error


def faults_told(errors: pa.Table) -> dict[str, str]:
    """`where`, `why` and `remedy` of a PanhuoError about some problem rows, the first of them in full."""
    shown = errors.slice(0, SHOWN_ERRORS).to_pylist()
    lines = [
        f"{e['file']}, row {e['row']}, {e['field']}: {e['value']!r} {problem_types()[e['type']].label.zh}"
        f" {problem_types()[e['type']].label.en}"
        for e in shown
    ]
    more = f"; … {errors.num_rows - len(shown)} more" if errors.num_rows > len(shown) else ""
    kinds = [problem_types()[t] for t in dict.fromkeys(e["type"] for e in shown)]
    return {
        "where": "; ".join(lines) + more,
        "why": "; ".join(f"{k.label.zh} {k.label.en}" for k in kinds),
        "remedy": "; ".join(f"{k.remedy.zh} {k.remedy.en}" for k in kinds),
    }
