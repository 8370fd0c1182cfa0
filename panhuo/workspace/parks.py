"""`panhuo park`: the lists a park is watched by, the promises of its contracts, and the plan of each low firm."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.problems import PanhuoError
from panhuo.core.units import m2_to_mu
from panhuo.inventory.spec import code_list, units
from panhuo.measure.promises import READ
from panhuo.report.chain import both
from panhuo.report.names import worded
from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import governing, pick
from panhuo.rulebook.scheme_schema import FirmPlanScheme, LifecycleScheme
from panhuo.workspace.enterprises import opened, plans
from panhuo.workspace.exports import writer_of
from panhuo.workspace.outputs import WRITERS, write_tables
from panhuo.workspace.promises import Promises, by_measure, in_words, promises_of
from panhuo.workspace.reports import assessed, batch_ways
from panhuo.workspace.store import Workspace

FILES: Final = {kind: WRITERS[kind] for kind in (".xlsx", ".gpkg")}
LAND: Final = ("parcel_id", "name", "division", "area_m2")
SHEET_NAME: Final = 31
"""As many letters does Excel allow the name of a sheet."""

WARNED: Final = ("overdue", "due_soon", "unknown")
"""States of a milestone that somebody must look at, the gravest first."""

NO_BATCH: Final = {"zh": "未定", "en": "None yet"}
STATES: Final = {
    "overdue": {"zh": "逾期", "en": "Overdue"},
    "due_soon": {"zh": "将到期", "en": "Due soon"},
    "unknown": {"zh": "情况不明", "en": "Not known"},
    "ahead": {"zh": "未到", "en": "Ahead"},
    "met": {"zh": "已达", "en": "Met"},
    "met_late": {"zh": "逾期达成", "en": "Met late"},
    "no_date": {"zh": "未约定", "en": "No date"},
}
HEADS: Final = {
    "zh": ("宗地", "名称", "行政区", "面积（亩）", "结论", "起始日", "企业", "首选工具", "五个一批"),
    "en": (
        "Parcel",
        "Name",
        "Division",
        "Area (mu)",
        "Finding",
        "Since",
        "Enterprises",
        "First tool",
        "Batch",
    ),
}
DUE_HEADS: Final = {
    "zh": ("合同", "宗地", "节点", "状态", "约定日", "预警起", "实际日", "天数"),
    "en": ("Contract", "Parcel", "Milestone", "State", "Due", "Forewarned from", "Met", "Days"),
}
PROMISE_HEADS: Final = {
    "zh": ("合同", "宗地", "指标", "状态", "承诺", "实测", "单位", "差距", "到期日", "实测年度或日期",
           "不明原因", "后果"),
    "en": ("Contract", "Parcel", "Measure", "State", "Promised", "Measured", "Unit", "Short by", "Due",
           "Year or day measured", "Why not known", "What follows"),
}  # fmt: skip
PLAN_HEADS: Final = {
    "zh": ("企业", "序号", "工具", "理由"),
    "en": ("Enterprise", "No.", "Tool", "Because"),
}

LISTED: Final = """
WITH firms AS (
  SELECT parcel_id, string_agg(DISTINCT coalesce(e.name, enterprise_id), '、' ORDER BY coalesce(e.name, enterprise_id))
    AS enterprises
  FROM occupancies LEFT JOIN (
      SELECT enterprise_id, arg_max(name, coalesce(year, 0)) AS name FROM enterprises GROUP BY 1) e
    USING (enterprise_id) GROUP BY 1
)
SELECT f.parcel_id, p.name, p.division, p.area_m2, f.finding_id, f.since, enterprises
FROM findings f LEFT JOIN parcels p USING (parcel_id) LEFT JOIN firms USING (parcel_id)
WHERE list_contains($findings, f.finding_id) ORDER BY since NULLS LAST, f.parcel_id, finding_id
"""


def park(
    ws: Workspace, *, name: str = "", on: date | None = None, output: Path | None = None, lang: str = "zh",
    full: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """What a park is watched by, from the latest assessment.

    name: one list, whose rows are given too; on: the day of the milestones, by default that of the assessment; output:
    xlsx with everything, or gpkg with a layer for each list. Gives {as_of, assessment, lists: {id: {label, parcels,
    area_mu, area_unknown, batches}}, rows, milestones: {id: {label, states}}, promises: {measure: {label, states}},
    planned, warnings, figures, consequences, plans, files}; `figures` are the promised ones, each with its state; full:
    with every warning, figure, consequence and plan, of which a province has a million.

    Raises PanhuoError where nothing was assessed or no list has that name.
    """
    if output is not None:
        writer_of(output, FILES)
    folder = assessed(ws)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    book, day = Rulebook.load(), on or date.fromisoformat(manifest["as_of"])
    place = str(ws.config.get("place", ""))
    rule = pick(book, LifecycleScheme, place, day)
    lists = watched(ws, rule, book)
    if name and name not in lists:
        raise PanhuoError(f"没有清单 {name} (no such list)", remedy=f"可用 (available): {', '.join(lists)}")
    found = promised(ws, rule, book, place, day)
    due = None if found is None else found.milestones
    planned = low_firms(ws, book, place, day)
    files = []
    if output is not None:
        shown = {name: lists[name]} if name else lists
        if output.suffix.lower() == ".gpkg":
            tables = {listed: drawn(ws, table) for listed, table in shown.items()}
        else:
            tables = sheets(shown, found, planned, rule, book, lang)
        files = write_tables(output, tables)
    return {
        "as_of": day,
        "assessment": folder.name,
        "lists": {
            listed: {"label": both(rule.lists[listed].label), **counted(table)}
            for listed, table in lists.items()
        },
        "rows": lists[name].to_pylist() if name else [],
        "milestones": {
            milestone: {"label": both(one.label), "states": states(due, milestone)}
            for milestone, one in rule.milestones.items()
        },
        "promises": {} if found is None else by_measure(found),
        "planned": pc.count_distinct(planned["enterprise_id"]).as_py(),
        "warnings": warned(due).to_pylist() if full and due is not None else [],
        "figures": in_words(found) if full and found is not None else [],
        "consequences": found.follows.to_pylist() if full and found is not None else [],
        "plans": planned.to_pylist() if full else [],
        "files": files,
    }


def promised(ws: Workspace, rule: LifecycleScheme, book: Rulebook, place: str, on: date) -> Promises | None:
    """Milestones and promised figures of the workspace's contracts; None without contracts."""
    contracts = ws.dataset("contracts")
    if contracts is None:
        return None
    tables = {name: ws.dataset(name, columns=list(READ[name])) for name in ("parcels", "occupancies")}
    tables |= {"contracts": contracts, "enterprises": ws.dataset("enterprises")}
    return promises_of(book, rule, tables, place, on)


def watched(ws: Workspace, rule: LifecycleScheme, book: Rulebook) -> dict[str, pa.Table]:
    """Every list of a scheme: parcels with the firms on them, the longest standing first.

    Gives (parcel_id, name, division, area_m2, finding_id, since, enterprises, tool_id, batch): `tool_id` is the first
    way not closed that belongs to one of the five batches, `batch` that batch (promote, attract, store, auction,
    lease), NULL where none is open.
    """
    tables = {"parcels": ws.dataset("parcels", columns=LAND)}
    tables |= {name: ws.dataset(name) for name in ("occupancies", "enterprises")}
    asked = pa.array({finding for found in rule.lists.values() for finding in found.findings})
    held = (pc.field("status") == "yes") & pc.field("finding_id").isin(asked)
    tables["findings"] = ws.assessment("findings", columns=("parcel_id", "finding_id", "since"), rows=held)
    con = opened(tables)
    lists = {
        name: con.execute(LISTED, {"findings": found.findings}).to_arrow_table()
        for name, found in rule.lists.items()
    }
    ways = batch_ways(ws, pa.concat_tables(table.select(["parcel_id"]) for table in lists.values()), book)
    return {name: with_ways(table, ways, book) for name, table in lists.items()}


def with_ways(table: pa.Table, ways: Mapping[str, str], book: Rulebook) -> pa.Table:
    """A list with `tool_id` and `batch` from the way of each parcel."""
    tools = [ways.get(parcel) for parcel in table["parcel_id"].to_pylist()]
    batches = [None if tool is None else book.tools[tool].batch for tool in tools]
    for name, values in (("tool_id", tools), ("batch", batches)):
        table = table.append_column(name, pa.array(values, pa.string()))
    return table


def counted(table: pa.Table) -> dict[str, Any]:
    """Parcels of a list once each: how many, their 亩, and how many fall to each of the five batches."""
    once = {row["parcel_id"]: row for row in table.select(["parcel_id", "area_m2", "batch"]).to_pylist()}
    areas = [row["area_m2"] for row in once.values()]
    taken = [row["batch"] for row in once.values()]
    return {
        "parcels": len(once),
        "area_mu": m2_to_mu(sum(area for area in areas if area is not None)),
        "area_unknown": areas.count(None),
        "batches": {**{batch: taken.count(batch) for batch in code_list("batch")}, "none": taken.count(None)},
    }


def states(due: pa.Table | None, milestone: str) -> dict[str, int]:
    """How many contracts stand in each state of a milestone."""
    if due is None:
        return {}
    mine = pc.value_counts(due["state"].filter(pc.equal(due["milestone"], milestone))).to_pylist()
    found = {row["values"]: row["counts"] for row in mine}
    return {state: found[state] for state in STATES if state in found}


def warned(due: pa.Table) -> pa.Table:
    """The milestones somebody must look at: overdue ones by how long, then those due soon, then those not known."""
    kept = due.filter(pc.is_in(due["state"], pa.array(WARNED)))
    order = pc.index_in(kept["state"], pa.array(WARNED))
    # The longest overdue first, the soonest due first.
    days = pc.if_else(pc.equal(kept["state"], "overdue"), pc.negate(kept["days"]), kept["days"])
    keyed = kept.append_column("order", order).append_column("by", days)
    keys = [("order", "ascending"), ("by", "ascending"), ("contract_no", "ascending")]
    return keyed.sort_by(keys).select(kept.column_names)


def low_firms(ws: Workspace, book: Rulebook, place: str, on: date) -> pa.Table:
    """一企一策 of the firms of low tiers; no rows where no firm was scored or no scheme of plans is in force."""
    if ws.assessment("scores") is None or governing(book, FirmPlanScheme, place, on) is None:
        columns = dict.fromkeys(("enterprise_id", "action", "tool_id", "zh", "en"), pa.string())
        return pa.schema({"order_no": pa.int64()} | columns).empty_table()
    return plans(ws, rulebook=book, on=on)


def drawn(ws: Workspace, table: pa.Table) -> pa.Table:
    """A list with the outlines of its parcels."""
    outlines = ws.dataset("parcels", columns=["parcel_id", "geometry"])
    if outlines is None:
        return table
    mine = outlines.filter(pc.is_in(outlines["parcel_id"], table["parcel_id"]))
    return table.join(mine, "parcel_id")


def sheets(
    lists: Mapping[str, pa.Table], found: Promises | None, planned: pa.Table, rule: LifecycleScheme,
    book: Rulebook, lang: str,
) -> dict[str, pa.Table]:  # fmt: skip
    """The lists, the milestones to look at, the promised figures and the plans as tables headed in a language."""

    def tool(tool_id: str | None) -> str:
        return "" if tool_id is None else both(book.tools[tool_id].label)[lang]

    batches = code_list("batch")
    tables, rows = {}, list[tuple[Any, ...]]()
    for name, table in lists.items():
        rows = [
            (r["parcel_id"], r["name"], r["division"] and worded(r, "division", lang),
             None if r["area_m2"] is None else round(m2_to_mu(r["area_m2"]), 2),
             both(book.rules[r["finding_id"]].label)[lang], r["since"], r["enterprises"], tool(r["tool_id"]),
             (batches[r["batch"]] if r["batch"] else NO_BATCH)[lang])
            for r in table.to_pylist()
        ]  # fmt: skip
        tables[both(rule.lists[name].label)[lang][:SHEET_NAME]] = headed(HEADS[lang], rows)
    if found is not None:
        rows = [
            (r["contract_no"], r["parcel_id"], both(rule.milestones[r["milestone"]].label)[lang],
             STATES[r["state"]][lang], r["due_on"], r["forewarn_on"], r["met_on"], r["days"])
            for r in warned(found.milestones).to_pylist()
        ]  # fmt: skip
        tables["节点预警" if lang == "zh" else "Milestones"] = headed(DUE_HEADS[lang], rows)
        if figures := in_words(found):
            tables["达产复核" if lang == "zh" else "Promises"] = reviewed(figures, found.milestones, lang)
    if planned.num_rows:
        rows = [(r["enterprise_id"], r["order_no"], tool(r["tool_id"]), r[lang]) for r in planned.to_pylist()]
        tables["一企一策" if lang == "zh" else "Plans"] = headed(PLAN_HEADS[lang], rows)
    return tables


def reviewed(figures: list[dict[str, Any]], due: pa.Table, lang: str) -> pa.Table:
    """The promised figures, the missed first."""
    where = dict(zip(due["contract_no"].to_pylist(), due["parcel_id"].to_pylist(), strict=True))
    rows = [
        (r["contract_no"], where[r["contract_no"]], r["label"][lang], r["words"][lang], r["promised"], r["actual"],
         units()[r["unit"]].label.model_dump()[lang], r["short"], r["due_on"],
         str(r["year"] or r["measured_on"] or ""), r["why"] and r["why"][lang],
         ("；" if lang == "zh" else "; ").join(f[lang] for f in r["follows"]))
        for r in figures
    ]  # fmt: skip
    return headed(PROMISE_HEADS[lang], rows)


def headed(heads: tuple[str, ...], rows: list[tuple[Any, ...]]) -> pa.Table:
    """Rows as a table, days as text so that every format holds them; no row leaves the headings."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in heads)
    shown = ([str(v) if isinstance(v, date) else v for v in column] for column in columns)
    return pa.table(dict(zip(heads, map(pa.array, shown), strict=True)))
