"""Comparing the tools of a parcel: what the user gave over what the ledger holds, kept with the assessment."""

import os
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from panhuo.appraise.chart import comparison_chart
from panhuo.appraise.compare import APPRAISALS, Comparison, compare
from panhuo.appraise.inputs import money_spec
from panhuo.appraise.run import Case, model_files, model_of
from panhuo.core.names import check_names
from panhuo.core.problems import PanhuoError
from panhuo.diagnose.findings import BATCH_UNIT
from panhuo.rulebook.book import Rulebook, read_yaml
from panhuo.rulebook.schema import Label
from panhuo.workspace.exports import writer_of
from panhuo.workspace.parquet import write_table
from panhuo.workspace.store import STAGING, Workspace, write_bytes

DAYS_A_YEAR: Final = 365.25
LEDGER_READS: Final = frozenset(
    {
        "parcel_id", "as_of", "division", "area_m2", "term_end", "far_room", "land_class", "building_owner_first",
        "holder", "is_idle_not_started", "idle_from", "mortgage_wan", "building_vacant_m2",
    }
)  # fmt: skip
"""The facts that `case_of` and `ledger_of` read, beside those that are inputs as they stand (spec/money.yaml)."""
CHARTS: Final = {".png": comparison_chart}
PARTS: Final = ("all", "parcels")
"""The parts of an inputs file."""
INPUTS_FILE: Final = "inputs.yaml"
"""The inputs a workspace carries beside its ledger."""


def compare_parcel(
    ws: Workspace,
    parcel_id: str,
    *,
    tools: Sequence[str] = (),
    inputs: Path | None = None,
    on: date | None = None,
    runs: int = 200,
    seed: int = 0,
    chart: Path | None = None,
    law: Path | None = None,
) -> dict[str, Any]:
    """The tools of a parcel side by side, as `panhuo compare --json` gives them; rows kept in appraisals.parquet.

    tools: those to compare (by default every one not closed, in the order of their rank); on: the day appraised (by
    default the day the parcel was assessed as of). Raises PanhuoError for an unknown parcel, tool or input.
    """
    draw = writer_of(chart, CHARTS) if chart else None
    book = Rulebook.load(law)
    given = given_for(given_inputs(ws, inputs), parcel_id)
    case = parcel_case(ws, parcel_id, given, on, str(inputs or INPUTS_FILE))
    options = assessed(ws, "options", parcel_id)
    chosen = list(tools) or offered(options)
    check_names(chosen, tool_names(book), "工具 tool", "--tools")
    found = compare(case, chosen, book, runs=runs, seed=seed)
    keep_appraisals(ws, found.table(), [parcel_id])
    if chart and draw:
        write_bytes(chart, draw(found, {t: label_of(t, book).zh for t in chosen}))
    return shown(found, options, book)


def offered(options: Sequence[Mapping[str, Any]]) -> list[str]:
    """The tools not closed, in the order of their rank."""
    return [o["tool_id"] for o in sorted(options, key=lambda o: o["rank"]) if o["status"] != "closed"]


def parcel_case(
    ws: Workspace, parcel_id: str, given: Mapping[str, Any], on: date | None = None, source: str = INPUTS_FILE
) -> Case:
    """The case of a parcel of the latest assessment with the inputs `given` for it. PanhuoError for an unknown one."""
    facts = assessed(ws, "facts", parcel_id)
    if not facts:
        raise PanhuoError(
            f"没有诊断过的地块 no assessed parcel: {parcel_id}",
            where=str(ws.root),
            remedy="先运行 panhuo assess run panhuo assess first",
        )
    return case_of(facts[0], {"all": given}, on, source)


def shown(found: Comparison, options: Sequence[Mapping[str, Any]], book: Rulebook) -> dict[str, Any]:
    """A comparison with each tool's label and its status in the matching."""
    status = {o["tool_id"]: o["status"] for o in options}
    result = found.as_dict()
    for tool in result["tools"]:
        label = label_of(tool["tool_id"], book)
        tool |= {
            "label": {"zh": label.zh, "en": label.en},
            "status": status.get(tool["tool_id"], "not_offered"),
        }
    return result | {"law_version": book.version}


def label_of(tool_id: str, book: Rulebook) -> Label:
    """The name of a tool, or of the model of a deal that is no tool of its own (bond_take_back)."""
    if tool_id in book.tools:
        return book.tools[tool_id].label
    return model_files(book.root)[str(model_of(tool_id, book))].label


def case_of(facts: Mapping[str, Any], given: Mapping[str, Any], on: date | None, source: str) -> Case:
    """The case of a parcel: its facts with what follows from them, and the inputs given for it."""
    parcel_id, day = str(facts["parcel_id"]), on or facts["as_of"]
    mine = given_for(given, parcel_id)
    return Case(parcel_id, day, str(facts.get("division") or ""), mine, ledger_of(facts, day), source)


def ledger_of(facts: Mapping[str, Any], on: date) -> dict[str, Any]:
    """Facts as appraisal inputs: years left of the term, floor still to build, whose buildings. Zero debt is none."""
    ledger = dict(facts)
    if facts.get("term_end") and facts["term_end"] > on:
        ledger["remaining_years"] = round((facts["term_end"] - on).days / DAYS_A_YEAR, 2)
    if facts.get("far_room") and facts["far_room"] > 0 and facts.get("area_m2"):
        ledger["floor_to_build_m2"] = facts["far_room"] * facts["area_m2"]
    if facts.get("land_class"):
        ledger["is_industrial"] = facts["land_class"] == "industrial"
    if facts.get("building_owner_first") and facts.get("holder"):
        ledger["is_building_owned_by_other"] = facts["building_owner_first"] != facts["holder"]
    if not facts.get("is_idle_not_started"):
        ledger["idle_from"] = None  # the clock runs on paper, but the land is not found idle
    for name in ("mortgage_wan", "building_vacant_m2"):
        if ledger.get(name) == 0:
            ledger[name] = None
    return ledger


def given_inputs(ws: Workspace, path: Path | None) -> dict[str, Any]:
    """The inputs of `path` over those of WS/inputs.yaml: `all` for every parcel and `parcels: {id: …}`.

    Raises PanhuoError naming an input that does not exist, or in a file named by `path` a parcel the ledger never held.
    """
    kept = ws.root / INPUTS_FILE
    held = _read_inputs(kept) if kept.is_file() else {}
    if path is None:
        return held
    if not path.is_file():
        raise PanhuoError("没有这个输入文件 no such inputs file", where=str(path))
    own = _read_inputs(path)
    everywhere, mine = own.get("all") or {}, own.get("parcels") or {}
    check_units(ws, mine, f"{path} · parcels")
    parcels = {
        name: {key: value for key, value in (values or {}).items() if key not in everywhere}
        for name, values in (held.get("parcels") or {}).items()
    }
    return {
        "all": {**(held.get("all") or {}), **everywhere},
        "parcels": {
            name: {**parcels.get(name, {}), **(mine.get(name) or {})} for name in {**parcels, **mine}
        },
    }


def _read_inputs(file: Path) -> dict[str, Any]:
    """An inputs file: `all:` and `parcels:`, or a flat mapping for all."""
    content = read_yaml(file) or {}
    if not isinstance(content, dict):
        raise PanhuoError("输入文件应是映射 the inputs file should be a mapping", where=str(file))
    given = content if set(PARTS) & set(content) else {"all": content}
    check_names(given, PARTS, "部分 part", str(file))
    mine = given.get("parcels") or {}
    for key, values in (("all", given.get("all")), *mine.items()):
        check_names(values or {}, money_spec().inputs, "输入 input", f"{file} · {key}")
    return given


def check_units(ws: Workspace, given: Collection[str], where: str) -> None:
    """Raises PanhuoError naming those of `given` that are no parcel or batch of the ledger, past ones included."""
    if not given:
        return
    parcels, batches = (
        ws.dataset(name, columns=[key], ended=True, corrected=False)
        for name, key in (("parcels", "parcel_id"), ("batches", "batch_id"))
    )
    ids = [] if parcels is None else parcels["parcel_id"].to_pylist()
    ids += [] if batches is None else [BATCH_UNIT + batch for batch in batches["batch_id"].to_pylist()]
    check_names(given, ids, "宗地 parcel", where)


def tool_names(book: Rulebook) -> list[str]:
    """The tools there are, with the deals that are no tool of their own (bond_take_back)."""
    return [*dict.fromkeys((*book.tools, *(t for m in model_files(book.root).values() for t in m.tools)))]


def given_for(given: Mapping[str, Any], parcel_id: str) -> dict[str, Any]:
    """The inputs given for one parcel: its own over those for all."""
    return {**(given.get("all") or {}), **((given.get("parcels") or {}).get(parcel_id) or {})}


def assessed(
    ws: Workspace, table: str, parcel_id: str, columns: Collection[str] | None = None
) -> list[dict[str, Any]]:
    """A parcel's rows of a result table of the latest assessment, of all columns or those of `columns` it has."""
    folder = ws.assessment_dir()
    path = folder / f"{table}.parquet" if folder else None
    if path is None or not path.is_file():
        return []
    held = None if columns is None else [c for c in pq.read_schema(path).names if c in columns]
    found = pq.read_table(path, columns=held, filters=[("parcel_id", "=", parcel_id)])
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def keep_appraisals(ws: Workspace, rows: pa.Table, parcels: Sequence[str]) -> None:
    """Puts the rows of some parcels into appraisals.parquet in place of the older ones."""
    with ws.locked():
        held = ws.assessment("appraisals")
        if held is not None:
            others = held.filter(pc.invert(pc.is_in(held["parcel_id"], pa.array(parcels, pa.string()))))
            rows = pa.concat_tables([others, rows], promote_options="default").select(APPRAISALS.names)
        replace_table(ws, "appraisals", rows.sort_by([("parcel_id", "ascending"), ("tool_id", "ascending")]))


def replace_table(ws: Workspace, name: str, table: pa.Table) -> None:
    """Writes a result table of the latest assessment through a neighbour file; the caller holds the lock."""
    folder = ws.assessment_dir()
    assert folder is not None
    part = folder / f"{STAGING}{os.getpid()}-{name}.parquet"
    write_table(table, part)
    part.replace(folder / f"{name}.parquet")
