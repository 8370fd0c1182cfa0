"""`panhuo outcome`: what came of it between two assessments, and by the figures an office measured itself."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from panhuo.core.problems import PanhuoError
from panhuo.inventory.spec import code_list
from panhuo.measure.before_after import before_after, changes, expected_of, fates
from panhuo.rulebook import Rulebook
from panhuo.rulebook.facts import connect
from panhuo.workspace.exports import writer_of
from panhuo.workspace.outputs import TABLES, write_tables
from panhuo.workspace.store import Workspace

FACTS: Final = {
    "floor_m2": "floor_m2", "far": "far", "vacant_m2": "building_vacant_m2", "developed_m2": "developed_m2",
    "invested_wan": "invested_wan", "output_wan": "occupant_output_wan", "tax_wan": "occupant_tax_wan",
}  # fmt: skip
"""The fact of a parcel that holds a measure of spec/codes/outcome_measure.csv."""
NOT_SUMMED: Final = ("far", "months")
FATE_WORDS: Final = {
    "cleared": ("已消除", "cleared"), "kept": ("仍成立", "still holds"), "undecided": ("现已不明", "unknown now"),
    "gone": ("地块已不在", "no longer there"), "new": ("新发现", "new"),
}  # fmt: skip
MEASURED: Final = pa.schema([("parcel_id", pa.string()), ("tool_id", pa.string()), ("measure", pa.string()),
                             ("before", pa.float64()), ("after", pa.float64())])  # fmt: skip
EXPECTED: Final = pa.schema([("parcel_id", pa.string()), ("tool_id", pa.string()), ("measure", pa.string()),
                             ("expected", pa.float64())])  # fmt: skip

GIVEN: Final = """
SELECT parcel_id, tool_id, measure, CAST(before AS DOUBLE) AS before, CAST(after AS DOUBLE) AS after FROM given
QUALIFY row_number() OVER (PARTITION BY parcel_id, measure ORDER BY measured_on DESC NULLS LAST) = 1
"""
JOINED: Final = """
SELECT m.parcel_id, coalesce(m.tool_id, p.tool_id) AS tool_id, m.measure, m.before, m.after
FROM (SELECT * FROM given UNION ALL BY NAME
      (SELECT *, NULL AS tool_id FROM seen ANTI JOIN given USING (parcel_id, measure))) m
  LEFT JOIN (SELECT parcel_id, min(tool_id) AS tool_id FROM planned GROUP BY 1) p USING (parcel_id) ORDER BY ALL
"""
RESOLVED: Final = """
SELECT parcel_id, any_value(area_m2) AS area_m2, count(*) FILTER (fate = 'cleared') AS cleared, count(*) AS found
FROM fates LEFT JOIN areas USING (parcel_id) WHERE fate <> 'new' AND list_contains($faults, finding_id)
GROUP BY 1 HAVING count(*) FILTER (fate = 'gone') = 0 ORDER BY 1
"""


def outcome_of(
    ws: Workspace, *, since: date | None = None, output: Path | None = None, lang: str = "zh"
) -> dict[str, Any]:
    """What came of the land between an earlier assessment and the latest, and by the dataset `outcomes`.

    since: the earlier one is the last made on or before that day; the first of all by default.
    Gives {from, to, findings: {id: {cleared, kept, undecided, gone, new}}, parcels: {resolved, partly, untouched: {n,
    area_m2, area_unknown}}, measures: {id: {parcels, before, after, change_ratio}} over the rows whose figure is known
    both times, rows: [{parcel_id, tool_id, measure, before, after, change, change_ratio, expected, of_expected}] of
    what was measured or has changed, files}. Raises PanhuoError where there is nothing to compare.
    """
    if output is not None:
        writer_of(output, TABLES)
    book, given = Rulebook.load(), ws.dataset("outcomes")
    earlier, later = _two(ws, since, given is not None)
    areas = _areas(ws, later)
    found = _fates(ws, earlier, later, areas) if earlier else None
    rows = before_after(*_measured(ws, book, (earlier, later), given))
    files = [] if output is None else write_tables(output, sheets(rows, found, book, lang))
    return {
        "from": earlier,
        "to": later,
        "findings": {} if found is None else _counted(found),
        "parcels": {} if found is None else _resolved(found, areas, book),
        "measures": _totals(rows),
        "rows": rows.to_pylist(),
        "files": files,
    }


def _two(ws: Workspace, since: date | None, given: bool) -> tuple[str | None, str | None]:
    """The ids of the earlier and the latest assessment; no earlier one where figures were given and there is none."""
    past = ws.past_assessments()
    before = [folder.name for day, folder in past[:-1] if since is None or day <= since]
    if before:
        return before[0 if since is None else -1], past[-1][1].name
    if given and since is None:
        return None, past[-1][1].name if past else None
    raise PanhuoError(
        "没有可比的两次评估，也没有导入成效表 no two assessments to compare and no outcomes imported",
        where=str(ws.root),
        remedy="再评估一次（panhuo assess），或导入成效表 assess again, or panhuo import WS FILE --as outcomes",
    )


def _fates(ws: Workspace, earlier: str, later: str | None, areas: pa.Table) -> pa.Table:
    columns = ("parcel_id", "finding_id", "status")
    before, after = (ws.assessment("findings", one, columns) for one in (earlier, later))
    if before is None or after is None:
        raise PanhuoError("评估没有诊断结果 an assessment has no findings", where=f"{earlier} · {later}")
    return fates(before, after, areas)


def _areas(ws: Workspace, assessment: str | None) -> pa.Table:
    """(parcel_id, area_m2) of every unit assessed; of a batch its remainder that is not supplied."""
    parcels = ws.assessment("facts", assessment, ("parcel_id", "area_m2"))
    batches = ws.assessment("batch_facts", assessment, ("batch_id", "unsupplied_m2"))
    held = [pa.table({"parcel_id": pa.array([], pa.string()), "area_m2": pa.array([], pa.float64())})]
    held += [] if parcels is None else [parcels]
    if batches is not None:
        names = pc.binary_join_element_wise("batch", batches["batch_id"], ":")
        held.append(pa.table({"parcel_id": names, "area_m2": batches["unsupplied_m2"]}))
    return pa.concat_tables(held, promote_options="permissive")


def _counted(found: pa.Table) -> dict[str, dict[str, int]]:
    counted = Counter(zip(found["finding_id"].to_pylist(), found["fate"].to_pylist(), strict=True))
    return {
        name: {fate: counted[name, fate] for fate in FATE_WORDS} for name in sorted({n for n, _ in counted})
    }


def _resolved(found: pa.Table, areas: pa.Table, book: Rulebook) -> dict[str, dict[str, float]]:
    """Units by what became of their findings, those that are a mere notice left aside; units gone are in none."""
    con = connect()
    con.register("fates", found)
    con.register("areas", areas)
    faults = [name for name, rule in book.rules.items() if rule.severity != "notice"]
    units = con.execute(RESOLVED, {"faults": faults}).to_arrow_table().to_pylist()
    kinds: dict[str, list[float | None]] = {"resolved": [], "partly": [], "untouched": []}
    for unit in units:
        kind = (
            "resolved" if unit["cleared"] == unit["found"] else "partly" if unit["cleared"] else "untouched"
        )
        kinds[kind].append(unit["area_m2"])
    return {
        kind: {
            "n": len(held),
            "area_m2": sum(area for area in held if area is not None),
            "area_unknown": held.count(None),
        }
        for kind, held in kinds.items()
    }


def _measured(
    ws: Workspace, book: Rulebook, span: tuple[str | None, str | None], given: pa.Table | None
) -> tuple[pa.Table, pa.Table]:
    """(outcomes, expected) as `before_after` takes them: figures given go before what the two assessments hold, and
    the earlier plan and appraisal before the later ones."""
    con = connect()
    con.register("given", MEASURED.empty_table() if given is None else _with_tools(given, book))
    own = con.execute(GIVEN).to_arrow_table() if given is not None else MEASURED.empty_table()
    seen = _seen(ws, span) if span[0] else MEASURED.empty_table().drop_columns("tool_id")
    planned, appraised = (
        next((t for one in span if one and (t := ws.assessment(name, one)) is not None), None)
        for name in ("plan", "appraisals")
    )
    for name, table in (("given", own), ("seen", seen), ("planned", planned)):
        con.register(name, MEASURED.empty_table() if table is None else table)
    outcomes = con.execute(JOINED).to_arrow_table()
    return outcomes, EXPECTED.empty_table() if appraised is None else expected_of(appraised)


def _with_tools(given: pa.Table, book: Rulebook) -> pa.Table:
    """The rows with ways told in words by their ids."""
    ids = {word: name for name, tool in book.tools.items() for word in (tool.label.zh, tool.label.en)}
    told = pa.array([ids.get(word, word) for word in given["tool_id"].to_pylist()], pa.string())
    return given.set_column(given.column_names.index("tool_id"), "tool_id", told)


def _seen(ws: Workspace, span: tuple[str | None, str | None]) -> pa.Table:
    """The measures that the facts of both assessments hold."""
    folders = [ws.assessment_dir(one) for one in span]
    names = [set(pq.read_schema(folder / "facts.parquet").names) for folder in folders if folder]
    held = {measure: fact for measure, fact in FACTS.items() if all(fact in some for some in names)}
    if not held:
        return MEASURED.empty_table().drop_columns("tool_id")
    before, after = (ws.assessment("facts", one, ("parcel_id", *held.values())) for one in span)
    assert before is not None and after is not None
    return changes(before, after, held)


def _totals(rows: pa.Table) -> dict[str, dict[str, Any]]:
    """Sums by measure over the parcels whose figure is known both times."""
    con = connect()
    con.register("rows", rows)
    sums = con.execute(
        "SELECT measure, count(*) AS parcels, sum(before) AS before, sum(after) AS after FROM rows"
        " WHERE before IS NOT NULL AND after IS NOT NULL GROUP BY 1 ORDER BY 1"
    ).to_arrow_table()
    return {
        row.pop("measure"): row
        | {"change_ratio": row["after"] / row["before"] - 1 if row["before"] > 0 else None}
        for row in sums.to_pylist()
        if row["measure"] not in NOT_SUMMED
    }


HEADS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "zh": {
        "成效": ("宗地编号", "盘活方式", "指标", "盘活前", "盘活后", "变化", "变化率", "测算值", "达到测算"),
        "结论变化": ("宗地编号", "结论", "去向"),
    },
    "en": {
        "outcomes": (
            "Parcel",
            "Way",
            "Measure",
            "Before",
            "After",
            "Change",
            "Change ratio",
            "Expected",
            "Of expected",
        ),
        "findings": ("Parcel", "Finding", "What became of it"),
    },
}


def sheets(rows: pa.Table, found: pa.Table | None, book: Rulebook, lang: str) -> dict[str, pa.Table]:
    """The rows, and what became of each finding, as tables headed in a language."""
    english = lang == "en"
    measures = code_list("outcome_measure")
    tools = {name: getattr(tool.label, lang) for name, tool in book.tools.items()}
    labels = {name: getattr(rule.label, lang) for name, rule in book.rules.items()}
    first, second = HEADS[lang]
    columns: list[Any] = [rows["parcel_id"]]
    columns.append([tools.get(word, word) for word in rows["tool_id"].to_pylist()])
    columns.append([measures[word][lang] for word in rows["measure"].to_pylist()])
    columns += [
        rows[name] for name in ("before", "after", "change", "change_ratio", "expected", "of_expected")
    ]
    made = {first: pa.table(dict(zip(HEADS[lang][first], map(_column, columns), strict=True)))}
    if found is not None:
        told = (
            found["parcel_id"],
            [labels.get(word, word) for word in found["finding_id"].to_pylist()],
            [FATE_WORDS[word][english] for word in found["fate"].to_pylist()],
        )
        made[second] = pa.table(dict(zip(HEADS[lang][second], map(_column, told), strict=True)))
    return made


def _column(values: Any) -> Any:
    return values if isinstance(values, pa.ChunkedArray) else pa.array(values, pa.string())
